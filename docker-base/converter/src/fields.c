/* fields.c: compound and array datasets, of which NetCDF's tools read the parts.  SPDX-License-Identifier: Apache-2.0
 *
 * A compound dataset becomes a group with a variable for each field; HDF5 picks a field by its name while it reads.
 * The fields of a compound within the compound are called OUTER.INNER.  Arrays add axes to a variable. */
#include "engine.h"

enum { DEEPEST = 32 };          /* compounds and arrays in each other */

/* The type in memory that reads nothing but the leaf's value of each element; takes over `inner`, the leaf's type. */
hid_t wrap(const struct level *level, hid_t inner)
{
    hsize_t lengths[RANK];
    for (; level->outer && inner >= 0; level = level->outer) {
        hid_t outer;
        if (level->member) {
            outer = H5Tcreate(H5T_COMPOUND, H5Tget_size(inner));
            if (H5Tinsert(outer, level->member, 0, inner) < 0) {
                H5Tclose(outer);
                outer = -1;
            }
        } else {
            H5Tget_array_dims2(level->outer->type, lengths);
            outer = H5Tarray_create2(inner, (unsigned)H5Tget_array_ndims(level->outer->type), lengths);
        }
        H5Tclose(inner);
        inner = outer;
    }
    return inner;
}

/* Adds the axes of the arrays on the way to the leaf; returns -1 where HDF5 has no room for so many. */
int add_axes(const struct level *level, struct item *item)
{
    hsize_t lengths[RANK];
    if (!level->outer)
        return 0;
    if (add_axes(level->outer, item) < 0)
        return -1;
    if (level->member)
        return 0;
    int count = H5Tget_array_dims2(level->outer->type, lengths);
    if (count < 0 || item->rank + count > RANK)
        return -1;
    for (int i = 0; i < count; i++) {
        item->length[item->rank] = item->limit[item->rank] = item->storage.chunk[item->rank] = lengths[i];
        item->rank++;
        item->element_rank++;
    }
    return 0;
}

/* ---- Whole, or field by field ---- */

static herr_t find_dimension(hid_t object, const char *name, const H5O_info_t *info, void *data)
{
    (void)data;
    if (info->type != H5O_TYPE_DATASET)
        return 0;
    hid_t id = H5Oopen(object, name, H5P_DEFAULT);
    int is_dimension = id >= 0 && (H5Aexists(id, "_Netcdf4Dimid") > 0
        || attribute_starts(id, "NAME", "This is a netCDF dimension"));
    H5Oclose(id);
    return is_dimension;
}

/* Whether the netCDF library wrote the input: it leaves a mark there, since version 4.4, or on its dimensions. */
static int is_netcdf4(struct job *job)
{
    if (job->netcdf4 == 0)
        job->netcdf4 = H5Aexists(job->items[0].id, "_NCProperties") > 0
            || H5Ovisit2(job->file, H5_INDEX_NAME, H5_ITER_NATIVE, find_dimension, NULL, H5O_INFO_BASIC) > 0 ? 1 : -1;
    return job->netcdf4 > 0;
}

/* The element's type without the arrays around it. */
static hid_t innermost(hid_t type)
{
    hid_t inner = H5Tcopy(type);
    while (H5Tget_class(inner) == H5T_ARRAY) {
        hid_t super = H5Tget_super(inner);
        H5Tclose(inner);
        inner = super;
    }
    return inner;
}

/* Whether the dataset stays one variable: it holds no compounds, or the table has its path, or the netCDF library wrote
 * them and no row names a field. */
static int stays_whole(struct job *job, const char *path, hid_t type)
{
    hid_t inner = innermost(type), read = -1, write = -1;
    const char *why = NULL;
    int is_whole = 1;
    if (H5Tget_class(inner) == H5T_COMPOUND)
        is_whole = has_own_row(job, path) || (!names_members(job, path) && is_netcdf4(job));
    if (is_whole && H5Tget_class(inner) == H5T_COMPOUND && (why = own_types(inner, &read, &write)) != NULL)
        tell(job, NOTED, path, NULL, "a variable each field: as a compound it is not supported: %s", why);
    if (!why && read >= 0) {
        H5Tclose(read);
        H5Tclose(write);
    }
    H5Tclose(inner);
    return is_whole && !why;
}

/* ---- The variables ---- */

static int add_leaves(struct job *job, const struct source *source, const struct level *level, const char *path,
                      const char *name, int depth, int is_whole);

/* A field of the dataset's compound is PATH/FIELD, one of a compound within it PATH/FIELD.FIELD. */
static int add_member(struct job *job, const struct source *source, const struct level *level, const char *path,
                      const char *name, int depth)
{
    int is_inner = strlen(path) > strlen(source->path);
    size_t room = strlen(path) + strlen(name) + strlen(level->member) + 3;
    char *longer = malloc(2 * room);
    if (!longer)
        return out_of_memory(job);
    snprintf(longer, room, "%s%s%s", path, is_inner ? "." : "/", level->member);
    snprintf(longer + room, room, "%s%s%s", is_inner ? name : "", is_inner ? "." : "", level->member);
    int status = add_leaves(job, source, level, longer, longer + room, depth, 0);
    free(longer);
    return status;
}

static int add_members(struct job *job, const struct source *source, const struct level *level, const char *path,
                       const char *name, int depth)
{
    int count = H5Tget_nmembers(level->type), status = 0;
    for (int i = 0; i < count && !status; i++) {
        char *member = H5Tget_member_name(level->type, (unsigned)i);
        struct level inner = {level, H5Tget_member_type(level->type, (unsigned)i), member};
        status = member && inner.type >= 0 ? add_member(job, source, &inner, path, name, depth)
            : fail(job, STATUS_INPUT, "cannot read", path);
        H5Tclose(inner.type);
        H5free_memory(member);
    }
    return status;
}

static int add_leaves(struct job *job, const struct source *source, const struct level *level, const char *path,
                      const char *name, int depth, int is_whole)
{
    H5T_class_t class = H5Tget_class(level->type);
    if (depth > DEEPEST) {
        tell(job, LEFT_OUT, path, NULL, "types nested more than %d deep: not supported", DEEPEST);
        return 0;
    }
    if (class == H5T_COMPOUND && !is_whole)
        return add_members(job, source, level, path, name, depth + 1);
    if (class != H5T_ARRAY)
        return add_variable(job, source, level, path, name);
    struct level inner = {level, H5Tget_super(level->type), NULL};
    int status = add_leaves(job, source, &inner, path, name, depth + 1, is_whole);
    H5Tclose(inner.type);
    return status;
}

/* The group that a compound dataset becomes has the dataset's attributes. */
static int add_field_group(struct job *job, struct source *source)
{
    struct item *item = add_item(job, source->id, source->path, source->name, source->parent);
    if (!item)
        return out_of_memory(job);
    H5Iinc_ref(source->id);
    item->is_group = item->had_members = 1;
    item->address = source->address;
    source->parent = job->item_count - 1;
    return 0;
}

/* Adds a variable for the dataset, or for each of its fields. */
int add_variables(struct job *job, struct source *source, hid_t type)
{
    struct level level = {NULL, type, NULL};
    int is_whole = stays_whole(job, source->path, type);
    if (!is_whole && add_field_group(job, source) < 0)
        return -1;
    return add_leaves(job, source, &level, source->path, source->name, 0, is_whole);
}
