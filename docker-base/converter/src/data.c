/* data.c: moves the data, from HDF5 to HDF5.  SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include <errno.h>
#include <unistd.h>

/* Whether the input's values are stored as the output's will be. */
int same_type(const struct item *item)
{
    if (item->is_field || item->element_rank > 0 || is_own(item->type))
        return 0;
    hid_t to = file_type(item->type, item->big_endian);
    hid_t base = item->from == H5T_ENUM ? H5Tget_super(item->leaf) : H5Tcopy(item->leaf);
    int same = item->type == NC_CHAR || H5Tequal(base, to) > 0;
    if (item->from == H5T_BITFIELD)
        same = H5Tget_size(base) == H5Tget_size(to) && (H5Tget_size(to) == 1 || H5Tget_order(base) == H5Tget_order(to));
    H5Tclose(base);
    H5Tclose(to);
    return same;
}

/* ---- Boxes ---- */

/* How much of each axis to move at once: whole chunks, and elements, the last axes first, up to about BOX_BYTES. */
void plan_box(const struct item *item, size_t element, hsize_t box[RANK])
{
    int chunked = item->storage.layout == H5D_CHUNKED;
    hsize_t total = element;
    for (int i = 0; i < item->rank; i++) {
        const hsize_t chunk = item->storage.chunk[i];
        int is_whole = i >= item->rank - item->element_rank;
        box[i] = is_whole ? item->length[i] : !chunked ? 1 : chunk < item->length[i] ? chunk : item->length[i];
        total *= box[i];
    }
    for (int i = item->rank - 1; i >= 0 && total < BOX_BYTES; i--) {
        hsize_t times = BOX_BYTES / total, needed = (item->length[i] + box[i] - 1) / box[i];
        if (times > needed)
            times = needed;
        total *= times;
        box[i] *= times;
        if (times < needed)
            break;
    }
}

/* Goes to the next box; returns 0 after the last. */
int next_box(const struct item *item, const hsize_t box[RANK], hsize_t start[RANK])
{
    for (int i = item->rank - 1; i >= 0; i--) {
        start[i] += box[i];
        if (start[i] < item->length[i])
            return 1;
        start[i] = 0;
    }
    return 0;
}

/* Selects a box, cut off at the dataset's end, in the file's space; returns the memory's space. */
hid_t select_box(const struct item *item, hid_t space, const hsize_t box[RANK], const hsize_t start[RANK],
                 hsize_t size[RANK])
{
    for (int i = 0; i < item->rank; i++)
        size[i] = item->length[i] - start[i] < box[i] ? item->length[i] - start[i] : box[i];
    if (item->rank == 0)
        return H5Screate(H5S_SCALAR);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL);
    return H5Screate_simple(item->rank, size, NULL);
}

struct move {                   /* of a dataset, box by box */
    struct job *job;
    const struct item *item;
    hid_t from, to;             /* spaces of the input and of the output: arrays in the type are axes there */
    hsize_t box[RANK];
    void *buffer;
    char *fill;                 /* to be written in place of strings of the input, or NULL */
    int marks;                  /* of strings */
};

/* Selects what is to be read for a box; returns the memory's space. */
static hid_t select_elements(const struct move *move, const hsize_t start[RANK], const hsize_t size[RANK])
{
    int rank = move->item->rank - move->item->element_rank;
    if (rank == 0)
        return H5Screate(H5S_SCALAR);
    H5Sselect_hyperslab(move->from, H5S_SELECT_SET, start, NULL, size, NULL);
    return H5Screate_simple(rank, size, NULL);
}

static int move_strings(struct move *move, hid_t elements, hid_t values)
{
    const struct item *item = move->item;
    size_t count = (size_t)H5Sget_simple_extent_npoints(values);
    char **strings = move->fill ? calloc(count + 1, sizeof *strings)
        : read_field_strings(item, count, elements, move->from, &move->marks);
    if (!strings)
        return move->fill ? out_of_memory(move->job)
            : fail(move->job, STATUS_INPUT, "cannot read", item->path);
    for (size_t i = 0; move->fill && i < count; i++)
        strings[i] = move->fill;
    int status = H5Dwrite(item->to, item->write, values, move->to, H5P_DEFAULT, strings) < 0
        ? fail(move->job, STATUS_WRITE, "cannot write", item->path) : 0;
    if (move->fill)
        free(strings);
    else
        free_strings(strings, count);
    return status;
}

/* HDF5 turns the input's type into the output's in reading. */
static int move_numbers(struct move *move, hid_t elements, hid_t values)
{
    const struct item *item = move->item;
    if (H5Dread(item->id, item->read, elements, move->from, H5P_DEFAULT, move->buffer) < 0)
        return fail(move->job, STATUS_INPUT, "cannot read", item->path);
    int status = H5Dwrite(item->to, item->write, values, move->to, H5P_DEFAULT, move->buffer) < 0
        ? fail(move->job, STATUS_WRITE, "cannot write", item->path) : 0;
    if (is_own(item->type))
        H5Dvlen_reclaim(item->read, elements, H5P_DEFAULT, move->buffer);
    return status;
}

static int move_box(struct move *move, const hsize_t start[RANK])
{
    const struct item *item = move->item;
    hsize_t size[RANK];
    hid_t values = select_box(item, move->to, move->box, start, size);
    hid_t elements = select_elements(move, start, size);
    int status = (item->type == NC_STRING ? move_strings : move_numbers)(move, elements, values);
    H5Sclose(elements);
    H5Sclose(values);
    return status;
}

/* How many bytes a value needs while it is read; for one of any length, its share of the file. */
static size_t value_size(const struct job *job, const struct item *item)
{
    hsize_t file = 0, values = 1, in_element = 1;
    hid_t type = H5Dget_type(item->id);
    for (int i = 0; i < item->rank; i++) {
        values *= item->length[i];
        in_element *= i < item->rank - item->element_rank ? 1 : item->length[i];
    }
    size_t stored = H5Tget_size(type) / (size_t)(in_element ? in_element : 1), size = H5Tget_size(item->write);
    int is_text = item->type == NC_STRING;
    if ((is_text ? H5Tis_variable_str(item->leaf) > 0 : is_own(item->type)) && values > 0)
        H5Fget_filesize(job->file, &file);
    if (is_text)
        size = 64 + H5Tget_size(item->leaf);
    H5Tclose(type);
    return (size > stored ? size : stored) + (size_t)(file / (values ? values : 1));
}

static int move_all_boxes(struct move *move)
{
    hsize_t start[RANK] = {0};
    int status = 0;
    while (!status && !(status = move_box(move, start)) && next_box(move->item, move->box, start)) {}
    return status;
}

/* Of a dataset that is not stored whole, only the chunks that are there: the rest is fill value on both sides, or, of
 * strings, `fill`. */
static int move_boxes(struct job *job, const struct item *item, char *fill)
{
    int is_text = item->type == NC_STRING, status = 0, is_filled = item->storage.is_filled
        || (is_text && item->storage.has_fill);
    struct move move = {.job = job, .item = item, .from = H5Dget_space(item->id), .to = H5Dget_space(item->to),
        .fill = fill};
    size_t count = 0, size = value_size(job, item);
    hsize_t *starts = is_filled ? NULL : sparse_chunks(item, &count), room = size;

    plan_box(item, size, move.box);
    for (int i = 0; i < item->rank; i++) {
        if (starts)
            move.box[i] = item->storage.chunk[i];
        room *= move.box[i];
    }
    if (!(move.buffer = malloc(is_text ? 1 : (size_t)room)))
        status = out_of_memory(job);
    if (fill && starts && !status)
        status = move_all_boxes(&move);
    move.fill = fill && H5Dget_storage_size(item->id) == 0 ? fill : NULL;
    for (size_t i = 0; starts && i < count && !status; i++)
        status = move_box(&move, starts + i * (size_t)item->rank);
    if (!starts && !status)
        status = move_all_boxes(&move);
    tell_marks(job, item->path, NULL, move.marks);
    free(starts);
    free(move.buffer);
    H5Sclose(move.to);
    H5Sclose(move.from);
    return status;
}

/* ---- Values without a name ---- */


static int has_other_value(const struct item *item, const unsigned char *buffer, size_t count, const uint64_t *values,
                           size_t value_count)
{
    size_t size = H5Tget_size(item->write);
    uint64_t before = values[0];
    for (size_t i = 0; i < count; i++) {
        uint64_t bits = 0;
        memcpy(&bits, buffer + i * size, size);
        if (bits != before && !bsearch(&bits, values, value_count, sizeof *values, by_bits))
            return 1;
        before = bits;
    }
    return 0;
}

/* Whether a dataset of numbers holds any but these, whose bits are sorted; -1 where it cannot be read. */
int has_other_values(struct job *job, const struct item *item, const uint64_t *values, size_t count)
{
    struct move move = {.job = job, .item = item, .from = H5Dget_space(item->id)};
    hsize_t start[RANK] = {0}, size[RANK], room = value_size(job, item);
    int answer = 0, is_done = 0;
    for (int i = 0; i < item->rank; i++)
        if (item->length[i] == 0) {
            H5Sclose(move.from);
            return 0;
        }
    hid_t space = H5Screate_simple(item->rank, item->length, NULL);
    plan_box(item, (size_t)room, move.box);
    for (int i = 0; i < item->rank; i++)
        room *= move.box[i];
    move.buffer = malloc((size_t)room);
    if (!move.buffer)
        answer = out_of_memory(job);
    while (!answer && !is_done) {
        hid_t box = select_box(item, space, move.box, start, size), elements = select_elements(&move, start, size);
        answer = H5Dread(item->id, item->read, elements, move.from, H5P_DEFAULT, move.buffer) < 0
            ? fail(job, STATUS_INPUT, "cannot read", item->path)
            : has_other_value(item, move.buffer, (size_t)H5Sget_simple_extent_npoints(box), values, count);
        H5Sclose(elements);
        H5Sclose(box);
        is_done = !next_box(item, move.box, start);
    }
    free(move.buffer);
    H5Sclose(space);
    H5Sclose(move.from);
    return answer;
}

/* ---- Contiguous data, as they are ---- */

/* The kernel copies, without passing the bytes through this program.  Returns 1, 0 where it cannot, -1 on failure. */
static int move_contiguous(struct job *job, const struct item *item)
{
    hsize_t rest = H5Dget_storage_size(item->id);
    void *output = NULL;
    if (job->input_file < 0 || item->storage.layout != H5D_CONTIGUOUS || rest < PASS_BYTES
        || rest != H5Dget_storage_size(item->to) || !same_type(item))
        return 0;
    haddr_t from = H5Dget_offset(item->id), to = H5Dget_offset(item->to);
    if (from == HADDR_UNDEF || to == HADDR_UNDEF || H5Fget_vfd_handle(job->to, H5P_DEFAULT, &output) < 0)
        return 0;
    for (off_t in = (off_t)from, out = (off_t)to; rest > 0;) {
        ssize_t done = copy_file_range(job->input_file, &in, *(int *)output, &out, (size_t)rest, 0);
        if (done < 0 && (errno == EFBIG || errno == ENOSPC || errno == EIO || errno == EDQUOT))
            return fail_because(job, STATUS_WRITE, "cannot write", item->path, strerror(errno));
        if (done <= 0)
            return done < 0 ? 0
                : fail_because(job, STATUS_INPUT, "cannot read", item->path, "the file shrank while it was read");
        rest -= (hsize_t)done;
    }
    return 1;
}

/* ---- One dataset ---- */

/* Makes a variable as long as its dimensions, with fill values that are not stored: the netCDF library misreads shorter
 * ones. */
static int extend(struct job *job, const struct item *item)
{
    hsize_t length[RANK];
    int is_short = 0;
    for (int i = 0; i < item->rank; i++) {
        length[i] = job->dims[item->dim[i]].length;
        is_short |= length[i] > item->length[i];
    }
    return is_short && has_later_unlimited(job, item) && H5Dset_extent(item->to, length) < 0
        ? fail(job, STATUS_WRITE, "cannot write", item->path) : 0;
}

static int move_values(struct job *job, const struct item *item)
{
    for (int i = 0; i < item->rank; i++)
        if (item->length[i] == 0)
            return 0;
    int marks = 0;
    char *fill = item->type == NC_STRING ? string_fill(item, &marks) : NULL;
    int is_filled = item->storage.is_filled || (item->type == NC_STRING && item->storage.has_fill);
    if (H5Dget_storage_size(item->id) == 0 && !is_filled && !fill)
        return 0;               /* all of it is the fill value, and netCDF's strings have none of their own */
    int moved = item->storage.layout == H5D_CHUNKED ? move_chunks(job, item) : move_contiguous(job, item);
    int status = moved ? moved < 0 ? -1 : 0 : move_boxes(job, item, fill);
    tell_marks(job, item->path, NULL, marks);
    H5free_memory(fill);
    return status;
}

int move_variable(struct job *job, const struct item *item)
{
    return move_values(job, item) < 0 ? -1 : extend(job, item);
}
