/* chunks.c: moves chunks as they are stored, without inflating and deflating them.  SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 passes a damaged chunk on when it is not asked to decode it.  So each deflated chunk is inflated once on its
 * way, by libdeflate, which also checks its checksum.  The main thread writes the chunks in their order; others read
 * and verify ahead of it, from the file itself, so that HDF5 is called by one thread at a time. */
#include "engine.h"

#include <errno.h>
#include <libdeflate.h>
#include <pthread.h>
#include <unistd.h>

enum { SLOTS = 64, THREADS_MAX = 16, SLOT_BYTES = 2 << 20, THREAD_BYTES = 32 << 20, CHECKSUM = 4,
    BYTES_WORTH_A_THREAD = 1 << 18, SMALL_CHUNK = 1 << 12, LOT_BYTES = 1 << 16 };

/* ---- Which chunks there are ---- */

struct stored {                 /* a chunk; its number counts along the last axis first */
    hsize_t number, size;
    haddr_t address;            /* HADDR_UNDEF where it is not known */
    unsigned skipped;           /* bit n: filter n was not applied */
};

struct grid {
    int rank;
    hsize_t chunk[RANK], chunks[RANK], total;
    struct stored *list;
    size_t count, room;
    hsize_t largest, bytes;     /* of what is stored */
};

static void number_to_offset(const struct grid *grid, hsize_t number, hsize_t offset[RANK])
{
    for (int i = grid->rank - 1; i >= 0; i--) {
        offset[i] = number % grid->chunks[i] * grid->chunk[i];
        number /= grid->chunks[i];
    }
}

static int remember_chunk(struct grid *grid, const struct stored *chunk)
{
    if (grid->count == grid->room) {
        size_t room = grid->room ? 2 * grid->room : 256;
        struct stored *larger = realloc(grid->list, room * sizeof *larger);
        if (!larger)
            return -1;
        grid->list = larger;
        grid->room = room;
    }
    grid->list[grid->count++] = *chunk;
    grid->largest = chunk->size > grid->largest ? chunk->size : grid->largest;
    grid->bytes += chunk->size;
    return 0;
}

static int add_chunk(const hsize_t *offset, unsigned skipped, haddr_t address, hsize_t size, void *data)
{
    struct grid *grid = data;
    hsize_t number = 0;
    for (int i = 0; i < grid->rank; i++) {
        if (offset[i] / grid->chunk[i] >= grid->chunks[i])
            return 0;           /* left behind when the dataset was made smaller */
        number = number * grid->chunks[i] + offset[i] / grid->chunk[i];
    }
    return remember_chunk(grid, &(struct stored){number, size, address, skipped}) < 0 ? H5_ITER_ERROR : H5_ITER_CONT;
}

/* Asks for the size of each possible chunk, until all `count` are found. */
static int look_for_chunks(hid_t dataset, hsize_t count, struct grid *grid)
{
    hsize_t offset[RANK], size = 0;
    grid->count = 0;
    for (hsize_t number = 0; number < grid->total && grid->count < count; number++) {
        number_to_offset(grid, number, offset);
        if (H5Dget_chunk_storage_size(dataset, offset, &size) >= 0 && size > 0      /* fails where none is stored */
            && remember_chunk(grid, &(struct stored){number, size, HADDR_UNDEF, 0}) < 0)
            return -1;
    }
    return 0;
}

#if H5_VERSION_GE(1, 14, 0)
static int list_in_order(hid_t dataset, hid_t space, hsize_t count, struct grid *grid)
{
    (void)space, (void)count;
    return H5Dchunk_iter(dataset, H5P_DEFAULT, add_chunk, grid) < 0 ? -1 : 0;
}
#else
/* Before HDF5 1.14 there is no walk over the chunks that are stored.  To ask for each by its number takes `count`
 * squared steps, which is nothing beside reading few large chunks; to look for them takes `total` searches, each worth
 * about 64 steps, and that may be billions. */
static int list_in_order(hid_t dataset, hid_t space, hsize_t count, struct grid *grid)
{
    hsize_t offset[RANK], size = 0;
    haddr_t address;
    unsigned skipped;
    if (count > 0 && count >= H5Dget_storage_size(dataset) / 128 / count && count / 64 >= grid->total / count)
        return look_for_chunks(dataset, count, grid);
    for (hsize_t i = 0; i < count; i++)
        if (H5Dget_chunk_info(dataset, space, i, offset, &skipped, &address, &size) < 0
            || add_chunk(offset, skipped, address, size, grid) < 0)
            return -1;
    return 0;
}
#endif

/* HDF5, up to 2.0 at least, reports wrong positions for the chunks of an "extensible array". That is the index, since
 * 1.10, of data with one unlimited dimension that is not the first. Reading and writing them works. */
static int is_misplaced(const struct item *item)
{
    H5D_chunk_index_t index = H5D_CHUNK_IDX_EARRAY;
    return H5Dget_chunk_index_type(item->id, &index) < 0 || (index == H5D_CHUNK_IDX_EARRAY
                                                              && item->limit[0] != H5S_UNLIMITED);
}

/* Lists the stored chunks; returns -1 if the list is shorter or longer than the count that HDF5 gives. */
static int plan_chunks(const struct item *item, struct grid *grid)
{
    hid_t space = H5Dget_space(item->id);
    hsize_t count = 0;
    int known = H5Dget_num_chunks(item->id, space, &count) >= 0;

    grid->rank = item->rank - item->element_rank;
    grid->total = 1;
    for (int i = 0; i < grid->rank; i++) {
        grid->chunk[i] = item->storage.chunk[i];
        grid->chunks[i] = (item->length[i] + grid->chunk[i] - 1) / grid->chunk[i];
        grid->total *= grid->chunks[i];
    }
    int listed = known && (is_misplaced(item) ? look_for_chunks(item->id, count, grid)
                           : list_in_order(item->id, space, count, grid)) == 0 && grid->count == count;
    H5Sclose(space);
    return listed ? 0 : -1;
}

/* Where the stored chunks of a dataset begin, `*count` times its rank; NULL where all are, or it is not known. */
hsize_t *sparse_chunks(const struct item *item, size_t *count)
{
    struct grid grid = {0};
    hsize_t *starts = NULL;
    if (item->storage.layout == H5D_CHUNKED && plan_chunks(item, &grid) == 0 && grid.count < grid.total)
        starts = calloc(grid.count * (size_t)item->rank + 1, sizeof *starts);
    for (size_t i = 0; starts && i < grid.count; i++)
        number_to_offset(&grid, grid.list[i].number, starts + i * (size_t)item->rank);
    *count = grid.count;
    free(grid.list);
    return starts;
}

/* ---- Whether they can be moved ---- */

/* Whether the output has the same filters, and a chunk can be verified: bytes are shuffled first, if at all. */
static int same_filters(const struct storage *storage, int verify)
{
    for (int i = 0; i < storage->filter_count; i++)
        if (storage->filters[i] == H5Z_FILTER_SHUFFLE ? verify && i > 0
            : storage->filters[i] != H5Z_FILTER_FLETCHER32 && i != storage->deflate)
            return 0;
    return storage->level <= 9;
}

/* ---- Moving and verifying ---- */

struct slot {
    unsigned char *bytes;       /* room for the largest */
    const char *trouble;        /* why the chunk must not be written, or NULL */
    int is_ready;
};

/* Small chunks that lie close together in the input's file, read at once. */
struct lot {
    unsigned char *bytes;       /* NULL: each chunk is read alone */
    haddr_t start, next;        /* of the bytes in the file; where the last chunk ended */
    size_t size;
};

/* Chunk n of the list waits in slot n % slot_count until it is written. */
struct queue {
    const struct item *item;
    struct grid *grid;
    int file;                   /* the input's descriptor, or -1 */
    haddr_t base;               /* of the addresses in it */
    int verify;
    size_t raw_size;            /* of a chunk, inflated */
    struct lot lot;             /* one thread alone uses it */
    struct slot slots[SLOTS];
    size_t slot_count, taken, written;
    int is_stopped;
    pthread_mutex_t lock, library;      /* of what stands above; of HDF5 */
    pthread_cond_t changed;
};

/* One of the threads that read and verify. */
struct worker {
    struct queue *queue;
    struct libdeflate_decompressor *decompressor;
    void *inflated;
    pthread_t thread;
};

/* A chunk that was deflated last may have checksums in it. */
static size_t inflated_room(const struct queue *queue)
{
    return queue->raw_size + CHECKSUM * (size_t)queue->item->storage.filter_count;
}

static const char *read_file(int file, unsigned char *bytes, size_t size, off_t from)
{
    while (size > 0) {
        ssize_t done = pread(file, bytes, size, from);
        if (done < 0 && errno == EINTR)
            continue;
        if (done <= 0)
            return done < 0 ? strerror(errno) : "a chunk lies beyond the file's end";
        bytes += done;
        from += done;
        size -= (size_t)done;
    }
    return NULL;
}

/* Reads a chunk, and those behind it for later where the file is read in its order. */
static const char *read_from_lot(struct queue *queue, unsigned char *bytes, size_t size, haddr_t from)
{
    struct lot *lot = &queue->lot;
    int is_close = from - lot->next < LOT_BYTES;
    lot->next = from + size;
    if (from < lot->start || from + size > lot->start + lot->size) {
        ssize_t done = is_close ? pread(queue->file, lot->bytes, LOT_BYTES, (off_t)from) : 0;
        if (done < (ssize_t)size)
            return read_file(queue->file, bytes, size, (off_t)from);
        lot->start = from;
        lot->size = (size_t)done;
    }
    memcpy(bytes, lot->bytes + (from - lot->start), size);
    return NULL;
}

/* Reads a chunk of which HDF5 alone knows where it is. */
static const char *read_by_library(struct queue *queue, struct stored *chunk, unsigned char *bytes)
{
    hsize_t offset[RANK];
    number_to_offset(queue->grid, chunk->number, offset);
    pthread_mutex_lock(&queue->library);
    herr_t status = H5Dread_chunk(queue->item->id, H5P_DEFAULT, offset, &chunk->skipped, bytes);
    pthread_mutex_unlock(&queue->library);
    return status < 0 ? "HDF5 cannot read a chunk" : NULL;
}

static const char *read_chunk(struct queue *queue, struct stored *chunk, struct slot *slot)
{
    if (!slot->bytes)
        slot->bytes = malloc((size_t)queue->grid->largest);
    if (!slot->bytes)
        return "out of memory";
    return queue->file < 0 || chunk->address == HADDR_UNDEF ? read_by_library(queue, chunk, slot->bytes)
        : queue->lot.bytes ? read_from_lot(queue, slot->bytes, (size_t)chunk->size, queue->base + chunk->address)
        : read_file(queue->file, slot->bytes, (size_t)chunk->size, (off_t)(queue->base + chunk->address));
}

/* Fletcher's checksum, over big-endian words of two bytes, follows the data. Some old writers swapped the bytes of each
 * half; HDF5 accepts both. */
static int fletcher_agrees(const unsigned char *bytes, size_t size)
{
    uint64_t sum = 0, sums = 0;
    const unsigned char *stored = bytes + size;
    for (size_t i = 0; i < size; i += 2) {
        sum += (uint64_t)bytes[i] << 8 | (i + 1 < size ? bytes[i + 1] : 0);
        sums += sum;
        if (i % (1 << 16) == 0) {
            sum %= UINT16_MAX;
            sums %= UINT16_MAX;
        }
    }
    uint64_t right = sum % UINT16_MAX << 16 | sums % UINT16_MAX;
    for (int high = 0; high < 2; high++) {
        unsigned first = (unsigned)stored[1 - high] << 8 | stored[high], second = (unsigned)stored[3 - high] << 8
            | stored[2 + high];
        if (((uint64_t)first % UINT16_MAX << 16 | second % UINT16_MAX) == right)
            return 1;
    }
    return 0;
}

/* Undoes the filters, the last first; a shuffled chunk is as large as a plain one. */
static int is_sound(const struct worker *worker, const struct stored *chunk, const unsigned char *bytes)
{
    const struct storage *storage = &worker->queue->item->storage;
    size_t size = (size_t)chunk->size;
    for (int i = storage->filter_count - 1; i >= 0; i--) {
        if (chunk->skipped >> i & 1)
            continue;
        if (storage->filters[i] == H5Z_FILTER_FLETCHER32) {
            if (size < CHECKSUM || !fletcher_agrees(bytes, size - CHECKSUM))
                return 0;
            size -= CHECKSUM;
        } else if (i == storage->deflate) {
            if (libdeflate_zlib_decompress(worker->decompressor, bytes, size, worker->inflated,
                                           inflated_room(worker->queue), &size) != LIBDEFLATE_SUCCESS)
                return 0;
            bytes = worker->inflated;
        }
    }
    return size == worker->queue->raw_size;
}

/* Takes the next chunk, if there is one and its slot is free, and reads and verifies it; called with the lock held. */
static int take_next(const struct worker *worker)
{
    struct queue *queue = worker->queue;
    if (queue->taken == queue->grid->count || queue->taken == queue->written + queue->slot_count)
        return 0;
    struct stored *chunk = &queue->grid->list[queue->taken];
    struct slot *slot = &queue->slots[queue->taken++ % queue->slot_count];
    pthread_mutex_unlock(&queue->lock);
    slot->trouble = read_chunk(queue, chunk, slot);
    if (!slot->trouble && queue->verify && !is_sound(worker, chunk, slot->bytes))
        slot->trouble = "a chunk is damaged";
    pthread_mutex_lock(&queue->lock);
    slot->is_ready = 1;
    pthread_cond_broadcast(&queue->changed);
    return 1;
}

static void *work(void *data)
{
    const struct worker *worker = data;
    struct queue *queue = worker->queue;
    pthread_mutex_lock(&queue->library);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);      /* HDF5 may hold this for each thread */
    pthread_mutex_unlock(&queue->library);
    pthread_mutex_lock(&queue->lock);
    while (!queue->is_stopped && queue->taken < queue->grid->count)
        if (!take_next(worker))
            pthread_cond_wait(&queue->changed, &queue->lock);
    pthread_mutex_unlock(&queue->lock);
    return NULL;
}

static int write_chunk(struct job *job, struct queue *queue, const struct slot *slot)
{
    const struct stored *chunk = &queue->grid->list[queue->written];
    hsize_t offset[RANK];
    if (slot->trouble)
        return fail_because(job, STATUS_INPUT, "cannot read", queue->item->path, slot->trouble);
    number_to_offset(queue->grid, chunk->number, offset);
    pthread_mutex_lock(&queue->library);
    int status = H5Dwrite_chunk(queue->item->to, H5P_DEFAULT, chunk->skipped, offset, (size_t)chunk->size,
                                slot->bytes) < 0 ? fail(job, STATUS_WRITE, "cannot write", queue->item->path) : 0;
    pthread_mutex_unlock(&queue->library);
    return status;
}

/* Writes the chunks that are ready, and reads the next chunk while none is; returns 0 or -1. */
static int write_all(struct job *job, const struct worker *worker)
{
    struct queue *queue = worker->queue;
    int status = 0;
    pthread_mutex_lock(&queue->lock);
    while (queue->written < queue->grid->count && !status) {
        struct slot *slot = &queue->slots[queue->written % queue->slot_count];
        if (slot->is_ready) {
            pthread_mutex_unlock(&queue->lock);
            status = write_chunk(job, queue, slot);
            pthread_mutex_lock(&queue->lock);
            slot->is_ready = 0;
            queue->written++;
            pthread_cond_broadcast(&queue->changed);
        } else if (!take_next(worker))
            pthread_cond_wait(&queue->changed, &queue->lock);
    }
    queue->is_stopped = 1;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
    return status;
}

/* Moves the chunks on `threads` threads, this thread included; on fewer if they cannot be started. */
static int run(struct job *job, struct queue *queue, int threads)
{
    struct worker workers[THREADS_MAX] = {0};
    int status = 0, started = 1;
    for (int i = 0; i < threads && !status; i++) {
        workers[i].queue = queue;
        if (queue->verify && queue->item->storage.deflate >= 0
            && (!(workers[i].decompressor = libdeflate_alloc_decompressor())
                || !(workers[i].inflated = malloc(inflated_room(queue)))))
            status = out_of_memory(job);
    }
    if (!status) {
        while (started < threads && !pthread_create(&workers[started].thread, NULL, work, &workers[started]))
            started++;
        status = write_all(job, &workers[0]);
    }
    while (--started > 0)
        pthread_join(workers[started].thread, NULL);
    for (int i = 0; i < threads; i++) {
        libdeflate_free_decompressor(workers[i].decompressor);
        free(workers[i].inflated);
    }
    return status;
}

/* Whether a thread would spend more time on waking the others than on a chunk. */
static int has_small_chunks(const struct queue *queue)
{
    return queue->raw_size < SMALL_CHUNK && queue->grid->largest < SMALL_CHUNK;
}

/* As many threads as are allowed and there is work for, fewer where their chunks would fill the memory. */
static int thread_count(const struct job *job, const struct queue *queue)
{
    hsize_t threads = job->options->threads < THREADS_MAX ? (hsize_t)job->options->threads : THREADS_MAX;
    hsize_t fit = THREAD_BYTES / (queue->grid->largest + queue->raw_size + 1);
    if (queue->grid->bytes < BYTES_WORTH_A_THREAD || fit < 2 || has_small_chunks(queue))
        return 1;
    threads = threads < fit ? threads : fit;
    return (int)(threads < queue->grid->count ? threads : queue->grid->count);
}

static int move_all(struct job *job, struct queue *queue)
{
    int threads = thread_count(job, queue);
    /* One thread finds the chunk still in its cache when it writes it; several need room to run ahead. */
    hsize_t fit = SLOT_BYTES / (queue->grid->largest + 1) + 1;
    queue->slot_count = threads == 1 ? 1 : fit < (hsize_t)threads ? (size_t)threads
        : fit > SLOTS ? SLOTS : (size_t)fit;
    queue->lot.bytes = has_small_chunks(queue) ? malloc(LOT_BYTES) : NULL;
    pthread_mutex_init(&queue->lock, NULL);
    pthread_mutex_init(&queue->library, NULL);
    pthread_cond_init(&queue->changed, NULL);
    int status = run(job, queue, threads);
    pthread_cond_destroy(&queue->changed);
    pthread_mutex_destroy(&queue->library);
    pthread_mutex_destroy(&queue->lock);
    free(queue->lot.bytes);
    for (size_t i = 0; i < SLOTS; i++)
        free(queue->slots[i].bytes);
    return status;
}

/* Returns 1 when the chunks were moved, 0 when they have to be decoded, -1 on failure. */
int move_chunks(struct job *job, const struct item *item)
{
    const struct storage *storage = &item->storage;
    struct grid grid = {0};
    hsize_t chunk[RANK];
    struct queue queue = {.item = item, .grid = &grid, .file = job->input_file, .base = job->user_block,
                        .verify = job->options->verify};
    int status = 0;

    if (storage->layout != H5D_CHUNKED || item->type == NC_STRING || !same_filters(storage, queue.verify)
        || !same_type(item))
        return 0;
    plan_chunk(job, item, chunk);
    if (storage->partial_chunks || memcmp(chunk, storage->chunk, (size_t)item->rank * sizeof *chunk))
        return 0;
    queue.raw_size = H5Tget_size(native_type(item->type, H5T_INTEGER));
    for (int i = 0; i < item->rank; i++)
        queue.raw_size *= (size_t)storage->chunk[i];
    if (plan_chunks(item, &grid) == 0)      /* else HDF5 finds out what is damaged */
        status = move_all(job, &queue) < 0 ? -1 : 1;
    free(grid.list);
    return status;
}
