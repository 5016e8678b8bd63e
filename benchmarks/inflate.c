/* inflate.c: reads and inflates each deflated chunk of the datasets at the root, and nothing else: what verifying costs
 * at least.  inflate GRANULE  SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE
#define H5_USE_110_API         /* the same calls in HDF5 1.10 and 1.14 */
#include <fcntl.h>
#include <hdf5.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { ROOM = 4 << 20 };

struct work {
    int file;
    struct libdeflate_decompressor *decompressor;
    unsigned char *stored, *inflated;
};

static int inflate_chunks(const struct work *work, hid_t dataset)
{
    hid_t space = H5Dget_space(dataset);
    hsize_t count = 0, offset[H5S_MAX_RANK], size;
    haddr_t address;
    unsigned skipped;
    size_t length;
    int status = 0;
    H5Dget_num_chunks(dataset, space, &count);          /* fails, and leaves 0, where data are not in chunks */
    for (hsize_t i = 0; i < count && !status; i++)
        status = H5Dget_chunk_info(dataset, space, i, offset, &skipped, &address, &size) < 0 || size > ROOM
            || pread(work->file, work->stored, size, (off_t)address) != (ssize_t)size
            || libdeflate_zlib_decompress(work->decompressor, work->stored, size, work->inflated, ROOM, &length);
    H5Sclose(space);
    return status;
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *info, void *data)
{
    (void)info;
    hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT);
    int status = inflate_chunks(data, dataset);
    H5Dclose(dataset);
    return status ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct work work = {argc == 2 ? open(argv[1], O_RDONLY) : -1, libdeflate_alloc_decompressor(), malloc(ROOM),
        malloc(ROOM)};
    hid_t file = work.file < 0 ? -1 : H5Fopen(argv[1], H5F_ACC_RDONLY, H5P_DEFAULT);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    if (file < 0 || H5Literate(file, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, visit, &work) < 0) {
        fprintf(stderr, "inflate: cannot inflate '%s'\n", argc == 2 ? argv[1] : "");
        return 1;
    }
    H5Fclose(file);
    libdeflate_free_decompressor(work.decompressor);
    free(work.stored);
    free(work.inflated);
    return 0;
}
