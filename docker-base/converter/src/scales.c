/* scales.c: the dimensions that the file's own scales describe.  SPDX-License-Identifier: Apache-2.0
 *
 * HDF5 attaches a dataset, the scale, to an axis; netCDF-4 gives its dimensions numbers, too. */
#include "engine.h"

int read_int_attribute(hid_t object, const char *name, int *values, int count)
{
    if (H5Aexists(object, name) <= 0)
        return 0;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), space = H5Aget_space(attribute);
    int done = H5Sget_simple_extent_npoints(space) == count && H5Aread(attribute, H5T_NATIVE_INT, values) >= 0;
    H5Sclose(space);
    H5Aclose(attribute);
    return done;
}

/* Whether the dataset is a scale; so is a compound whose fields are variables. */
static int is_own_scale(const struct item *item)
{
    return item->is_scale || (item->is_field && attribute_starts(item->id, "CLASS", "DIMENSION_SCALE"));
}

/* The addresses of the scales that are attached to the axes; HADDR_UNDEF where there is none. */
void attached_scales(struct job *job, const struct item *item, haddr_t scale[RANK])
{
    hvl_t lists[RANK];
    int rank = item->rank - item->element_rank;
    for (int i = 0; i < item->rank; i++)
        scale[i] = is_own_scale(item) && rank == 1 && i == 0 ? item->address : HADDR_UNDEF;
    if (rank == 0 || H5Aexists(item->id, "DIMENSION_LIST") <= 0)
        return;
    hid_t attribute = H5Aopen(item->id, "DIMENSION_LIST", H5P_DEFAULT), space = H5Aget_space(attribute);
    hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ);
    if (H5Sget_simple_extent_npoints(space) == rank && H5Aread(attribute, type, lists) >= 0) {
        for (int i = 0; i < rank; i++) {
            if (lists[i].len > 0)       /* an object reference is the object's address */
                scale[i] = *(const hobj_ref_t *)lists[i].p;
            if (lists[i].len > 1)
                tell(job, NOTED, item->path, NULL, "axis %d has %zu scales: the first is its dimension", i,
                     lists[i].len);
        }
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, lists);
    } else
        tell(job, NOTED, item->path, NULL, "the scales of its axes cannot be read: DIMENSION_LIST is not as expected");
    H5Tclose(type);
    H5Sclose(space);
    H5Aclose(attribute);
}

/* Whether an axis fits the dimension, by length and by the table's name for it. An unlimited dimension is as long as
 * its longest axis: netCDF-4 leaves its scale at length 0 if no coordinate was written. */
static int fits(const struct dim *dim, hsize_t length, const char *name)
{
    return (!*name || !strcmp(dim->name, name)) && (dim->length == length || dim->unlimited);
}

/* Makes an unlimited dimension as long as the axis; returns its number, NONE without memory. */
static size_t grow(struct job *job, struct dim *dim, hsize_t length)
{
    if (dim->length < length) {
        dim->length = length;
        if (remember_length(job, dim) < 0) {
            out_of_memory(job);
            return NONE;
        }
    }
    return (size_t)(dim - job->dims);
}

static struct dim *dim_of_scale(const struct job *job, haddr_t scale)
{
    if (scale == HADDR_UNDEF)
        return NULL;
    for (EACH_ENTRY(entry, &job->dim_scales, hash_number(0, scale)))
        if (job->dims[entry->number].scale == scale)
            return &job->dims[entry->number];
    return NULL;
}

/* Notes which dataset describes a new dimension. */
static int set_scale(struct job *job, struct dim *dim, haddr_t scale)
{
    dim->scale = scale;
    return lookup_add(&job->dim_scales, hash_number(0, scale), (size_t)(dim - job->dims)) < 0 ? out_of_memory(job) : 0;
}

hid_t open_scale(const struct item *item, haddr_t scale)
{
    hobj_ref_t reference = scale;
    return H5Rdereference2(item->id, H5P_DEFAULT, H5R_OBJECT, &reference);
}

/* Copies the name of an open scale; returns 0 where it has none. */
int scale_name(hid_t id, char name[NC_MAX_NAME + 1])
{
    char path[4096];
    ssize_t size = H5Iget_name(id, path, sizeof path);
    int is_known = size > 0 && (size_t)size < sizeof path;
    if (is_known)
        snprintf(name, NC_MAX_NAME + 1, "%s", shown_name(strrchr(path, '/') + 1));
    return is_known;
}

/* A scale that the table drops, or that cannot be converted, still names the dimension. */
void add_absent_scale(struct job *job, const struct item *item, haddr_t scale)
{
    char name[NC_MAX_NAME + 1];
    hsize_t length[RANK], limit[RANK];
    if (scale == HADDR_UNDEF || dim_of_scale(job, scale))
        return;
    hid_t id = open_scale(item, scale), space = own_space(id);
    if (H5Sget_simple_extent_ndims(space) == 1 && scale_name(id, name)
        && H5Sget_simple_extent_dims(space, length, limit) == 1) {
        struct dim *dim = add_dim(job, name, *length, *limit == H5S_UNLIMITED);
        if (dim)
            set_scale(job, dim, scale);
    }
    H5Sclose(space);
    H5Oclose(id);
}

/* Returns the dimension that a scale, or netCDF-4's own number, gives an axis; NONE if neither fits. A file that was
 * copied into a group of this file brings its own numbers: only dimensions of the groups above count. */
size_t described_dim(struct job *job, const struct item *item, int axis, haddr_t scale, int nc4_id,
                     const char *name)
{
    struct dim *dim = dim_of_scale(job, scale), *last = NULL;
    if (dim && fits(dim, item->length[axis], name))
        return grow(job, dim, item->length[axis]);
    if (nc4_id < 0)
        return NONE;
    for (EACH_ENTRY(entry, &job->dim_numbers, hash_number(0, (uint64_t)nc4_id))) {
        struct dim *other = &job->dims[entry->number];
        if (other->nc4_id == nc4_id && fits(other, item->length[axis], name)
            && common_group(job, other->origin, item->parent) == other->origin)
            last = other;
    }
    return last ? grow(job, last, item->length[axis]) : NONE;
}

/* Returns the dimension that the table's name gives an unlimited scale: all axes along the scale share it, at any
 * length; NONE for other scales. */
size_t renamed_dim(struct job *job, const struct item *item, int axis, haddr_t scale, const char *name)
{
    const struct dim *own = dim_of_scale(job, scale);
    if (!*name || !own || !own->unlimited)
        return NONE;
    uint64_t key = hash_name(hash_number(0, scale), name);
    const struct lookup_entry *at = NULL;
    size_t dim = dim_of_length(job, name, item->length[axis], &at);
    while (dim != NONE && !job->dims[dim].unlimited)
        dim = dim_of_length(job, name, item->length[axis], &at);
    for (EACH_ENTRY(entry, &job->dim_renamed, key))
        if (job->dims[entry->number].renamed == scale && !strcmp(job->dims[entry->number].name, name)
            && entry->number < dim)             /* NONE is larger than any */
            dim = entry->number;
    if (dim != NONE)
        return grow(job, &job->dims[dim], item->length[axis]);
    struct dim *added = add_dim(job, name, own->length > item->length[axis] ? own->length : item->length[axis], 1);
    if (!added || lookup_add(&job->dim_renamed, key, job->dim_count - 1) < 0)
        return NONE;
    added->renamed = scale;
    return job->dim_count - 1;
}

/* Says why an axis that has a scale gets a dimension of its length alone. */
void tell_misfit(struct job *job, const struct item *item, int axis, haddr_t scale, size_t dim)
{
    const struct dim *misfit = dim_of_scale(job, scale);
    if (misfit)
        tell(job, NOTED, item->path, NULL, "its axis %d of length %llu is called '%s': its scale '%s' has the length "
             "%llu", axis, (unsigned long long)item->length[axis], job->dims[dim].name, misfit->name,
             (unsigned long long)misfit->length);
    else
        tell(job, NOTED, item->path, NULL, "its axis %d is called '%s': the file's own name for it cannot be found",
             axis, job->dims[dim].name);
}

/* Makes a dimension of each dimension scale, with the table's name or the file's. */
int scale_dim(struct job *job, struct item *item)
{
    char name[NC_MAX_NAME + 1];
    int nc4_id = -1;
    read_int_attribute(item->id, "_Netcdf4Dimid", &nc4_id, 1);
    if (item->rank != 1 && (item->rank == 0 || nc4_id < 0)) {
        tell(job, NOTED, item->path, NULL, "a scale of %d dimensions is converted as a variable", item->rank);
        return 0;               /* HDF5 allows them; only netCDF-4's own describe their first axis */
    }
    if (table_dim(job, item, 0, name) < 0)
        return -1;
    struct dim *dim = add_dim(job, *name ? name : item->name, item->length[0], item->limit[0] == H5S_UNLIMITED);
    if (!dim)
        return out_of_memory(job);
    if (set_scale(job, dim, item->address) < 0)
        return -1;
    if (nc4_id >= 0 && lookup_add(&job->dim_numbers, hash_number(0, (uint64_t)nc4_id), job->dim_count - 1) < 0)
        return out_of_memory(job);
    dim->nc4_id = nc4_id;
    dim->origin = item->parent;
    if (!item->is_variable)
        use_dim(job, item, 0, job->dim_count - 1);
    return 0;
}
