/* netcdf4.c: the output's structure, as NetCDF-4 asks it of an HDF5 file.  SPDX-License-Identifier: Apache-2.0
 *
 * The format: https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html#netcdf_4_spec
 * A dimension is an HDF5 dimension scale: its coordinate variable, or a dataset without values of its own.  A variable
 * names its scales in DIMENSION_LIST, a scale its users in REFERENCE_LIST.  All links and attributes keep the order of
 * their creation.  The lists are written once, when all is defined: the dimension scale library writes them anew
 * for each axis. */
#include "engine.h"

enum { ORDER = H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED, COMPACT_ATTRIBUTES = 64, COMPACT_LINKS = 100,
    DEFAULT_CHUNK = 1 << 20 };

/* ---- Datasets ---- */

/* Returns the property list that all datasets share; a dataset that needs more gets a copy. */
static hid_t dataset_list(void)
{
    hid_t plist = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_attr_creation_order(plist, ORDER);
    H5Pset_attr_phase_change(plist, COMPACT_ATTRIBUTES, COMPACT_ATTRIBUTES - 2);    /* fewer are faster in the header */
    H5Pset_obj_track_times(plist, 0);
    return plist;
}

int is_unlimited(const struct job *job, const struct item *item)
{
    int answer = 0;
    for (int i = 0; i < item->rank; i++)
        answer |= job->dims[item->dim[i]].unlimited;
    return answer;
}

/* Plans the input's chunks, none larger than a fixed dimension; for data without chunks, blocks of about a megabyte. */
void plan_chunk(const struct job *job, const struct item *item, hsize_t chunk[RANK])
{
    hsize_t total = 8;
    int chunked = item->storage.layout == H5D_CHUNKED;
    for (int i = 0; i < item->rank; i++) {
        const struct dim *dim = &job->dims[item->dim[i]];
        chunk[i] = chunked ? item->storage.chunk[i] : item->length[i] ? item->length[i] : 1;
        if (!dim->unlimited && chunk[i] > dim->length)
            chunk[i] = dim->length;
        total = total > DEFAULT_CHUNK ? total : total * chunk[i];
    }
    for (int i = 0; i < item->rank && !chunked && total > DEFAULT_CHUNK; i++) {
        hsize_t rest = 8;
        for (int k = i + 1; k < item->rank; k++)
            rest = rest > DEFAULT_CHUNK ? rest : rest * chunk[k];
        chunk[i] = rest >= DEFAULT_CHUNK ? 1 : DEFAULT_CHUNK / rest < chunk[i] ? DEFAULT_CHUNK / rest : chunk[i];
        total = rest * chunk[i];
    }
}

/* Sets the input's filters, in their order, if every reader of NetCDF-4 has them; other data are deflated anew. */
static void set_filters(hid_t plist, const struct storage *storage)
{
    int others = 0, shuffled = 0;
    for (int i = 0; i < storage->filter_count; i++)
        switch (storage->filters[i]) {
        case H5Z_FILTER_SHUFFLE: H5Pset_shuffle(plist); shuffled = 1; break;
        case H5Z_FILTER_FLETCHER32: H5Pset_fletcher32(plist); break;
        case H5Z_FILTER_DEFLATE: H5Pset_deflate(plist, storage->level <= 9 ? storage->level : 9); break;
        default: others++;
        }
    if (others > 0 && storage->deflate < 0) {
        if (!shuffled)
            H5Pset_shuffle(plist);
        H5Pset_deflate(plist, 4);
    }
}

/* Sets the fill value; that of netCDF's own types is read in the form that the output has. */
static void set_fill(hid_t plist, const struct item *item)
{
    hid_t input = item->own ? H5Dget_create_plist(item->id) : -1;
    void *fill = item->own ? calloc(1, H5Tget_size(item->write)) : NULL;
    if (!item->own)
        H5Pset_fill_value(plist, native_type(item->type, H5T_INTEGER), item->storage.fill);
    else if (fill && H5Pget_fill_value(input, item->read, fill) >= 0) {
        hid_t space = H5Screate(H5S_SCALAR);
        H5Pset_fill_value(plist, item->write, fill);
        H5Dvlen_reclaim(item->read, space, H5P_DEFAULT, fill);
        H5Sclose(space);
    }
    free(fill);
    if (input >= 0)
        H5Pclose(input);
}

static hid_t variable_list(struct job *job, const struct item *item)
{
    hsize_t chunk[RANK];
    int chunked = item->rank > 0 && (item->storage.layout == H5D_CHUNKED || is_unlimited(job, item));
    hsize_t stored = item->id < 0 ? PASS_BYTES : H5Dget_storage_size(item->id);
    int has_fill = item->storage.has_fill && item->type != NC_STRING;
    int has_length = item->type != NC_STRING && !(is_own(item->type) && has_any_length(item->write));
    int is_full = !chunked && has_length && stored >= (has_fill ? 1 : PASS_BYTES) && !job->options->list;

    if (!has_fill && !chunked && !is_full)
        return job->plain_list;
    hid_t plist = H5Pcopy(job->plain_list);
    if (has_fill)
        set_fill(plist, item);
    if (is_full) {                      /* all of it will be written */
        H5Pset_fill_time(plist, H5D_FILL_TIME_NEVER);
        H5Pset_alloc_time(plist, H5D_ALLOC_TIME_EARLY);
    }
    if (chunked) {
        plan_chunk(job, item, chunk);
        H5Pset_chunk(plist, item->rank, chunk);
        if (has_length)
            set_filters(plist, &item->storage);
    }
    return plist;
}

static hid_t create_dataset(const struct job *job, size_t group, const char *name, hid_t type, hid_t space, hid_t plist)
{
    hid_t id = H5Dcreate2(job->items[group].to, name, type, space, H5P_DEFAULT, plist, H5P_DEFAULT);
    hid_t errors = keep_errors(id < 0);
    H5Sclose(space);
    if (plist != job->plain_list)
        H5Pclose(plist);
    put_back_errors(errors);
    return id;
}

/* A variable that has the name of a dimension of its group, but is not its coordinate, is hidden behind a prefix. */
static const char *stored_name(const struct job *job, size_t index, char hidden[NC_MAX_NAME + 32])
{
    const struct item *item = &job->items[index];
    const struct dim *dim = dim_named(job, item->parent, item->name);
    if (!dim || dim->coordinate == index)
        return item->name;
    snprintf(hidden, NC_MAX_NAME + 32, HIDDEN "%s", item->name);
    return hidden;
}

static int define_variable(struct job *job, size_t index)
{
    struct item *item = &job->items[index];
    hsize_t limit[RANK];
    char hidden[NC_MAX_NAME + 32];
    hid_t type = item->own ? H5Tcopy(job->items[item->own].to) : file_type(item->type, item->big_endian);

    for (int i = 0; i < item->rank; i++)
        limit[i] = job->dims[item->dim[i]].unlimited ? H5S_UNLIMITED : item->length[i];
    item->to = create_dataset(job, item->parent, stored_name(job, index, hidden), type,
                              item->rank ? H5Screate_simple(item->rank, item->length, limit) : H5Screate(H5S_SCALAR),
                              variable_list(job, item));
    if (item->to < 0)
        fail(job, STATUS_WRITE, "cannot write", item->path);
    H5Tclose(type);
    return item->to < 0 ? -1 : copy_attributes(job, item);
}

/* A dimension without a variable is a dataset without values. */
static int define_dim(struct job *job, struct dim *dim)
{
    hsize_t limit = dim->unlimited ? H5S_UNLIMITED : dim->length, chunk = 1024;
    if (dim->coordinate != NONE)
        return 0;
    hid_t plist = dim->unlimited ? H5Pcopy(job->plain_list) : job->plain_list;
    if (dim->unlimited)
        H5Pset_chunk(plist, 1, &chunk);
    dim->to = create_dataset(job, dim->home, dim->name, H5T_IEEE_F32BE, H5Screate_simple(1, &dim->length, &limit),
                             plist);
    return dim->to < 0 ? fail(job, STATUS_WRITE, "cannot write", dim->name) : 0;
}

static int define_group(struct job *job, struct item *item)
{
    hid_t plist = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_link_creation_order(plist, ORDER);
    H5Pset_attr_creation_order(plist, ORDER);
    H5Pset_obj_track_times(plist, 0);
    item->to = H5Gcreate2(job->items[item->parent].to, item->name, H5P_DEFAULT, plist, H5P_DEFAULT);
    H5Pclose(plist);
    return item->to < 0 ? fail(job, STATUS_WRITE, "cannot write", item->path) : 0;
}

/* ---- Scales ---- */

static int is_user(const struct job *job, size_t index)
{
    return job->items[index].is_variable && !is_coordinate(job, &job->items[index]);
}

struct user {                   /* of a scale: a dataset, and which of its axes */
    hobj_ref_t dataset;
    int axis;
};

struct users {
    struct user *list;          /* those of the first dimension, of the second, ... */
    size_t *ends;               /* of each dimension, in the list; the first dimension's is [1] */
    hid_t type;
};

/* Lists the axes of variables that lie along each dimension.  Scales have no scales themselves. */
static int list_users(struct job *job, struct users *users)
{
    size_t count = 0, *ends = users->ends = calloc(job->dim_count + 2, sizeof *ends);
    for (size_t i = 0; ends && i < job->item_count; i++)
        for (int axis = 0; is_user(job, i) && axis < job->items[i].rank; axis++, count++)
            ends[job->items[i].dim[axis] + 2]++;
    users->list = calloc(count + 1, sizeof *users->list);
    if (!users->list || !ends)
        return out_of_memory(job);
    for (size_t i = 2; i < job->dim_count + 2; i++)     /* where each begins; the next loop moves that to its end */
        ends[i] += ends[i - 1];
    for (size_t i = 0; i < job->item_count; i++)
        for (int axis = 0; is_user(job, i) && axis < job->items[i].rank; axis++) {
            struct user *user = &users->list[ends[job->items[i].dim[axis] + 1]++];
            H5Rcreate(&user->dataset, job->items[i].to, ".", H5R_OBJECT, -1);
            user->axis = axis;
        }
    users->type = H5Tcreate(H5T_COMPOUND, sizeof *users->list);
    H5Tinsert(users->type, "dataset", HOFFSET(struct user, dataset), H5T_STD_REF_OBJ);
    H5Tinsert(users->type, "dimension", HOFFSET(struct user, axis), H5T_NATIVE_INT);
    return 0;
}

static int put_users(const struct job *job, const struct users *users, size_t index)
{
    size_t first = users->ends[index], count = users->ends[index + 1] - first;
    return count == 0 ? 0 : put_values(job->dims[index].to, "REFERENCE_LIST", users->type, count, users->list + first);
}

static int put_scale(struct job *job, const struct users *users, size_t index)
{
    struct dim *dim = &job->dims[index];
    int numbers[RANK];
    char name[96];
    if (dim->coordinate != NONE)
        dim->to = job->items[dim->coordinate].to;
    snprintf(name, sizeof name, "This is a netCDF dimension but not a netCDF variable.%10llu",
             (unsigned long long)dim->length);
    int status = put_c_string(dim->to, "CLASS", "DIMENSION_SCALE") < 0
        || put_c_string(dim->to, "NAME", dim->coordinate != NONE ? dim->name : name) < 0
        || put_number(dim->to, "_Netcdf4Dimid", dim->number) < 0 ? -1 : 0;
    if (!status && dim->coordinate != NONE && job->items[dim->coordinate].rank > 1) {
        const struct item *item = &job->items[dim->coordinate];
        for (int i = 0; i < item->rank; i++)
            numbers[i] = job->dims[item->dim[i]].number;
        status = put_values(dim->to, "_Netcdf4Coordinates", H5T_NATIVE_INT, (size_t)item->rank, numbers);
    }
    return status < 0 || put_users(job, users, index) < 0 ? fail(job, STATUS_WRITE, "cannot write", dim->name) : 0;
}

static int attach_scales(struct job *job, size_t index, hid_t list_type)
{
    const struct item *item = &job->items[index];
    hobj_ref_t references[RANK];
    hvl_t lists[RANK];
    if (item->rank == 0 || is_coordinate(job, item))
        return 0;
    for (int i = 0; i < item->rank; i++) {
        H5Rcreate(&references[i], job->dims[item->dim[i]].to, ".", H5R_OBJECT, -1);
        lists[i] = (hvl_t){1, &references[i]};
    }
    return put_values(item->to, "DIMENSION_LIST", list_type, (size_t)item->rank, lists) < 0
        ? fail(job, STATUS_WRITE, "cannot write", item->path) : 0;
}

static int define_scales(struct job *job)
{
    struct users users = {.type = -1};
    int status = list_users(job, &users);
    for (size_t i = 0; i < job->dim_count && !status; i++)
        if (job->dims[i].number >= 0)
            status = put_scale(job, &users, i);
    if (users.type >= 0)
        H5Tclose(users.type);
    free(users.list);
    free(users.ends);
    hid_t list_type = H5Tvlen_create(H5T_STD_REF_OBJ);
    for (size_t i = 0; i < job->item_count && !status; i++)
        if (job->items[i].is_variable)
            status = attach_scales(job, i, list_type);
    H5Tclose(list_type);
    return status;
}

/* ---- All of it ---- */

static int create_output(struct job *job, const char *output)
{
    hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
    size_t links = job->item_count + job->dim_count;
    char properties[96];
    H5Pset_link_creation_order(create, ORDER);
    if (links <= COMPACT_LINKS) {       /* so few are faster in the header, if it has the room from the start */
        H5Pset_link_phase_change(create, COMPACT_LINKS, COMPACT_LINKS / 2);
        H5Pset_est_link_info(create, (unsigned)links, 24);
    }
    H5Pset_attr_creation_order(create, ORDER);
    H5Pset_obj_track_times(create, 0);
    H5Pset_libver_bounds(access, H5F_LIBVER_V18, H5F_LIBVER_V18);       /* what every reader of NetCDF-4 understands */
    H5Pset_alignment(access, PASS_BYTES, 4096);         /* the kernel copies whole pages faster */
    if (job->options->list)
        H5Pset_fapl_core(access, 1 << 16, 0);   /* nothing is written */
    else
        H5Pset_fapl_sec2(access);
    job->to = H5Fcreate(output, H5F_ACC_TRUNC, create, access);
    H5Pclose(create);
    H5Pclose(access);
    snprintf(properties, sizeof properties, "version=2,_convert=%s,hdf5=%d.%d.%d", CONVERT_VERSION, H5_VERS_MAJOR,
             H5_VERS_MINOR, H5_VERS_RELEASE);
    if (job->to < 0 || (job->items[0].to = H5Gopen2(job->to, "/", H5P_DEFAULT)) < 0
        || put_c_string(job->to, "_NCProperties", properties) < 0)
        return fail(job, STATUS_WRITE, "cannot write", job->report->output);
    return write_history(job);
}

int define_all(struct job *job, const char *output)
{
    if (plan_types(job) < 0 || drop_unused_dims(job) < 0 || drop_empty_groups(job) < 0)
        return -1;
    job->plain_list = dataset_list();
    int status = settle_names(job) < 0 || create_output(job, output) < 0 ? -1 : 0;
    for (size_t i = 1; i < job->item_count && !status; i++)
        if (job->items[i].is_group)
            status = define_group(job, &job->items[i]);
    for (size_t i = 1; i < job->item_count && !status; i++)
        if (job->items[i].is_type)
            status = define_type(job, i);
    for (size_t i = 0; i < job->dim_count && !status; i++)
        if (job->dims[i].number >= 0)
            status = define_dim(job, &job->dims[i]);
    for (size_t i = 0; i < job->item_count && !status; i++) {
        if (job->items[i].is_group)
            status = copy_attributes(job, &job->items[i]);
        else if (job->items[i].is_variable)
            status = define_variable(job, i);
    }
    return status || define_scales(job) < 0 ? -1 : 0;
}
