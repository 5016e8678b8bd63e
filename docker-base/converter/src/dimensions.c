/* dimensions.c: the dimension that each axis of each dataset lies along.  SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

static uint64_t length_key(const char *name, hsize_t length)
{
    return hash_name(hash_number(0, length), name);
}

/* The next dimension of that name and length after the entry `*at`, the first after NULL; NONE after the last. */
size_t dim_of_length(const struct job *job, const char *name, hsize_t length, const struct lookup_entry **at)
{
    const struct lookup_entry *entry = *at ? lookup_next(&job->dim_lengths, *at)
        : lookup_first(&job->dim_lengths, length_key(name, length));
    for (; entry; entry = lookup_next(&job->dim_lengths, entry)) {
        const struct dim *dim = &job->dims[entry->number];
        if (dim->length == length && !strcmp(dim->name, name))
            break;
    }
    *at = entry;
    return entry ? entry->number : NONE;
}

/* Lets others find a dimension by its name and length; to be called again when it grows. */
int remember_length(struct job *job, const struct dim *dim)
{
    return lookup_add(&job->dim_lengths, length_key(dim->name, dim->length), (size_t)(dim - job->dims));
}

struct dim *add_dim(struct job *job, const char *name, hsize_t length, int unlimited)
{
    if (job->dim_count == job->dim_room) {
        size_t room = job->dim_room ? 2 * job->dim_room : 64;
        struct dim *larger = realloc(job->dims, room * sizeof *larger);
        if (!larger)
            return NULL;
        job->dims = larger;
        job->dim_room = room;
    }
    struct dim *dim = &job->dims[job->dim_count];
    *dim = (struct dim){.name = legal_name(name), .length = length, .unlimited = unlimited || length == 0, .number = -1,
        .scale = HADDR_UNDEF, .renamed = HADDR_UNDEF, .nc4_id = -1, .home = NONE, .coordinate = NONE, .to = -1};
    if (!dim->name || remember_length(job, dim) < 0) {
        free(dim->name);
        return NULL;
    }
    job->dim_count++;
    return dim;
}

/* The groups' nearest common ancestor. */
size_t common_group(const struct job *job, size_t a, size_t b)
{
    while (a != b)
        if (a > b)
            a = job->items[a].parent;
        else
            b = job->items[b].parent;
    return a;
}

/* Notes that an axis of `item` lies along a dimension, so that the dimension has to be visible there. */
void use_dim(struct job *job, struct item *item, int axis, size_t dim)
{
    item->dim[axis] = dim;
    size_t *home = &job->dims[dim].home;
    if (job->dims[dim].user == 0)
        job->dims[dim].user = (size_t)(item - job->items);
    *home = *home == NONE ? item->parent : common_group(job, *home, item->parent);
}

/* Keeps the input's name of an axis; returns -1 without memory. */
int add_axis_name(struct item *item, int axis, const char *name)
{
    if (!item->axis_names)
        item->axis_names = calloc((size_t)item->rank, sizeof *item->axis_names);
    if (item->axis_names && *name)
        item->axis_names[axis] = strdup(name);
    return item->axis_names && (!*name || item->axis_names[axis]) ? 0 : -1;
}

/* The dimension of that name and length, made when it is new. */
size_t named_dim(struct job *job, const char *name, hsize_t length, int unlimited)
{
    char *legal = legal_name(name);
    size_t dim = NONE;
    const struct lookup_entry *at = NULL;
    if (legal)
        dim = dim_of_length(job, legal, length, &at);
    free(legal);
    if (dim != NONE) {
        job->dims[dim].unlimited |= unlimited;
        return dim;
    }
    return add_dim(job, name, length, unlimited) ? job->dim_count - 1 : NONE;
}

/* Unnamed axes of the same length share dim_LENGTH; a second such axis of a variable gets dim_LENGTH_2. */
static size_t anonymous_dim(struct job *job, const struct item *item, int axis)
{
    char name[64];
    int unlimited = item->limit[axis] == H5S_UNLIMITED, occurrence = 1;
    for (int i = 0; i < axis; i++)
        occurrence += item->length[i] == item->length[axis];
    int n = snprintf(name, sizeof name, "%sdim_%llu", unlimited ? "unlimited_" : "",
                     (unsigned long long)item->length[axis]);
    if (occurrence > 1)
        snprintf(name + n, sizeof name - (size_t)n, "_%d", occurrence);
    const struct lookup_entry *at = NULL;
    for (size_t dim; (dim = dim_of_length(job, name, item->length[axis], &at)) != NONE;)
        if (job->dims[dim].scale == HADDR_UNDEF)
            return dim;
    return add_dim(job, name, item->length[axis], unlimited) ? job->dim_count - 1 : NONE;
}

/* Copies the name of axis `axis` from the table's list, or "" if there is no list. The list must name each axis. */
int table_dim(struct job *job, const struct item *item, int axis, char name[NC_MAX_NAME + 1])
{
    const char *list = COLUMN(job, item->path, dims);
    int count = 0;
    *name = '\0';
    for (const char *word = list; *(word += strspn(word, " ")); word += strcspn(word, " "))
        if (count++ == axis)
            snprintf(name, NC_MAX_NAME + 1, "%.*s", (int)strcspn(word, " "), word);
    if (count > 0 && count != item->rank) {
        char why[128];
        snprintf(why, sizeof why, "the table names %d dimensions, the dataset has %d", count, item->rank);
        return fail_because(job, STATUS_USAGE, "cannot convert", item->path, why);
    }
    return 0;
}

/* Keeps what the file itself calls the axes, where cell_methods may name them. */
static int keep_axis_names(struct job *job, struct item *item, const haddr_t scale[RANK],
                           char labels[RANK][NC_MAX_NAME + 1])
{
    int has_methods = !item->is_field && H5Aexists(item->id, "cell_methods") > 0;
    for (int i = 0; i < item->rank && has_methods; i++) {
        char name[NC_MAX_NAME + 1] = "";
        hid_t id = scale[i] == HADDR_UNDEF ? -1 : open_scale(item, scale[i]);
        if (id >= 0)
            scale_name(id, name);
        else if (job->struct_metadata)
            struct_metadata_dim(job->struct_metadata, item->path, i, item->rank, name);
        if (id >= 0)
            H5Oclose(id);
        if (add_axis_name(item, i, *name ? name : labels[i]) < 0)
            return out_of_memory(job);
    }
    return 0;
}

/* For each axis: the table's name, else the file's scale, else HDF-EOS5's name, else the file's label, else the length
 * alone. */
static int axes(struct job *job, struct item *item)
{
    haddr_t scale[RANK];
    int nc4_ids[RANK];
    char name[NC_MAX_NAME + 1], labels[RANK][NC_MAX_NAME + 1];
    attached_scales(job, item, scale);
    read_axis_labels(job, item, scale, labels);
    if (keep_axis_names(job, item, scale, labels) < 0)
        return -1;
    for (int i = 0; i < item->rank; i++)
        nc4_ids[i] = -1;
    if (!item->is_field)
        read_int_attribute(item->id, "_Netcdf4Coordinates", nc4_ids, item->rank);
    for (int i = 0; i < item->rank; i++) {
        if (table_dim(job, item, i, name) < 0)
            return -1;
        if (!*name && scale[i] == HADDR_UNDEF && job->struct_metadata)
            struct_metadata_dim(job->struct_metadata, item->path, i, item->rank, name);
        add_absent_scale(job, item, scale[i]);
        size_t dim = described_dim(job, item, i, scale[i], nc4_ids[i], name);
        if (dim == NONE)
            dim = renamed_dim(job, item, i, scale[i], name);
        int is_described = dim != NONE, has_label = *labels[i] && scale[i] == HADDR_UNDEF && nc4_ids[i] < 0;
        if (!is_described)
            dim = *name ? named_dim(job, name, item->length[i], item->limit[i] == H5S_UNLIMITED)
                : has_label ? labelled_dim(job, item, i, labels) : anonymous_dim(job, item, i);
        if (dim == NONE)
            return out_of_memory(job);
        if (*name)
            job->dims[dim].is_labelled = 0;
        if (!is_described && !*name && (scale[i] != HADDR_UNDEF || nc4_ids[i] >= 0))
            tell_misfit(job, item, i, scale[i], dim);
        use_dim(job, item, i, dim);
    }
    return 0;
}

/* A variable may end before an unlimited dimension, and reads as fill value from there on: but where the second or a
 * later dimension is unlimited, the netCDF library mixes up its values. */
int has_later_unlimited(const struct job *job, const struct item *item)
{
    int has_one = 0;
    for (int i = 1; i < item->rank; i++)
        has_one |= job->dims[item->dim[i]].unlimited;
    return has_one;
}

/* Such a variable is made longer (data.c). Without a chosen fill value the added part would hold zeros, which look like
 * data. So an axis that is shorter than its dimension gets a dimension of its own length. */
static int part_short_axes(struct job *job, struct item *item)
{
    int has_fill = item->storage.has_fill || item->type == NC_CHAR || item->type == NC_STRING;
    if (has_fill || !has_later_unlimited(job, item))
        return 0;
    for (int i = 0; i < item->rank; i++) {
        haddr_t scale = job->dims[item->dim[i]].scale;
        if (job->dims[item->dim[i]].length == item->length[i])
            continue;
        size_t dim = anonymous_dim(job, item, i);
        if (dim == NONE)
            return out_of_memory(job);
        tell_misfit(job, item, i, scale, dim);
        use_dim(job, item, i, dim);
    }
    return 0;
}

int find_dims(struct job *job)
{
    for (size_t i = 0; i < job->item_count; i++)
        if (job->items[i].is_scale && scale_dim(job, &job->items[i]) < 0)
            return -1;
    for (size_t i = 0; i < job->item_count; i++)
        if (job->items[i].is_variable && axes(job, &job->items[i]) < 0)
            return -1;
    for (size_t i = 0; i < job->item_count; i++)
        if (job->items[i].is_variable && part_short_axes(job, &job->items[i]) < 0)
            return -1;
    return 0;
}
