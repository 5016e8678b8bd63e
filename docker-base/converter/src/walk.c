/* hdf5_to_netcdf.c: any HDF5 file -> CF NetCDF-4.  SPDX-License-Identifier: Apache-2.0
 *
 * First the input is walked and a list of its groups and datasets made.  From the list the output's groups, dimensions,
 * variables and attributes are defined, then the data are moved, a few megabytes at a time.  The output is written with
 * the HDF5 library alone, as the NetCDF-4 format asks (netcdf4.c).  Whatever is left out is named with the reason. */
#include "engine.h"

#include <sys/stat.h>

enum { SMALL_BYTES = 1 << 20, DEEPEST = 500 };

#define TOO_DEEP "its groups are nested more than 500 deep; no product is made of such a file"

struct item *add_item(struct job *job, hid_t id, const char *path, const char *name, size_t parent)
{
    if (job->item_count == job->item_room) {
        size_t room = job->item_room ? 2 * job->item_room : 64;
        struct item *larger = realloc(job->items, room * sizeof *larger);
        if (!larger)
            return NULL;
        job->items = larger;
        job->item_room = room;
    }
    struct item *item = &job->items[job->item_count];
    memset(item, 0, sizeof *item);
    item->path = strdup(path);
    item->name = legal_name(name);
    item->parent = parent;
    item->to = -1;
    if (!item->path || !item->name) {
        free(item->path);
        free(item->name);
        return NULL;
    }
    item->id = id;
    job->item_count++;
    return item;
}

/* ---- Datasets ---- */

/* What the table calls the variable, and where it moves it; returns 0 where the table drops it. */
int add_variable_name(struct job *job, const char *path, const char **name, size_t *parent)
{
    const char *new_name = COLUMN(job, path, name);
    if (!strcmp(new_name, DROP)) {
        tell(job, ASKED, path, NULL, "dropped by the table");
        return 0;
    }
    if (*new_name == '/')
        *parent = 0;
    if (*new_name)
        *name = new_name + (*new_name == '/');
    return 1;
}

/* Reads how the dataset is stored.  Returns NULL, or why its data cannot be read here. */
static const char *read_storage(hid_t dataset, struct item *item, char why[128])
{
    struct storage *storage = &item->storage;
    hid_t plist = H5Dget_create_plist(dataset);
    H5D_fill_value_t state;
    unsigned chunk_options = 0;
    const char *answer = NULL;

    storage->deflate = -1;
    storage->layout = H5Pget_layout(plist);
    storage->filter_count = H5Pget_nfilters(plist);
    if (storage->layout == H5D_CHUNKED)
        storage->partial_chunks = H5Pget_chunk(plist, RANK, storage->chunk) < 0
            || H5Pget_chunk_opts(plist, &chunk_options) < 0 || chunk_options != 0;
    if (storage->layout == H5D_VIRTUAL)
        answer = "virtual dataset: its data lie in other datasets, of this file or of others";
    else if (H5Pget_external_count(plist) > 0)
        answer = "its data lie in other files";
    for (int i = 0; i < storage->filter_count; i++) {
        char name[64] = "";
        size_t values = 1;
        unsigned flags, info, value = 0;
        H5Z_filter_t filter = H5Pget_filter2(plist, (unsigned)i, &flags, &values, &value, sizeof name, name, &info);
        storage->filters[i] = filter;
        if (filter == H5Z_FILTER_DEFLATE && storage->deflate < 0) {
            storage->deflate = i;
            storage->level = value;
        }
        if (!answer && H5Zfilter_avail(filter) <= 0 && H5Dget_storage_size(dataset) > 0) {
            snprintf(why, 128, "no plug-in for its filter %d (%s)", (int)filter, name);
            answer = why;
        }
    }
    hid_t own = H5Dget_type(dataset), type = item->type == NC_CHAR ? own : native_type(item->type, item->from);
    if (H5Tis_variable_str(own) <= 0 && H5Pfill_value_defined(plist, &state) >= 0 && state != H5D_FILL_VALUE_UNDEFINED
        && (item->type == NC_STRING || H5Pget_fill_value(plist, type, storage->fill) >= 0))
        storage->has_fill = state == H5D_FILL_VALUE_USER_DEFINED;
    H5Tclose(own);
    H5Pclose(plist);
    return answer;
}

/* More than 63 bits count: HDF5 1.10 crashes when it writes to such a dataset. */
static int is_countable(const struct item *item)
{
    hsize_t left = INT64_MAX;
    for (int i = 0; i < item->rank; i++)
        left /= item->length[i] ? item->length[i] : 1;
    return left > 0;
}

/* Describes the dataset in `item`.  Returns NULL, or why it cannot be converted. */
static const char *describe_dataset(hid_t id, struct item *item, hid_t type, hid_t space, char why[128])
{
    if (H5Sget_simple_extent_type(space) == H5S_NULL)
        return "it has no value (null dataspace)";
    item->type = netcdf_type(type);
    item->from = H5Tget_class(type);
    if (item->type == NC_NAT)
        return type_name(type);
    item->big_endian = item->from != H5T_STRING && H5Tget_size(type) > 1 && H5Tget_order(type) == H5T_ORDER_BE;
    item->rank = H5Sget_simple_extent_dims(space, item->length, item->limit);
    item->is_scale = attribute_starts(id, "CLASS", "DIMENSION_SCALE");
    item->is_variable = !(item->is_scale && item->rank == 1
        && attribute_starts(id, "NAME", "This is a netCDF dimension but not a netCDF variable"));
    const char *reason = read_storage(id, item, why);
    return reason ? reason : is_countable(item) ? NULL : "it has more elements than can be counted";
}

/* Adds a dataset to the list, or says why not.  Takes over `id`. */
static int add_dataset(struct job *job, hid_t id, haddr_t address, const char *path, const char *name, size_t parent)
{
    hid_t type = H5Dget_type(id), space = H5Dget_space(id);
    struct item found = {.address = address};
    char why[128];
    int status = 0;

    name = shown_name(name);
    if (type < 0 || space < 0)
        status = fail(job, STATUS_INPUT, "cannot read", path);
    else if (add_variable_name(job, path, &name, &parent)) {
        const char *reason = describe_dataset(id, &found, type, space, why);
        struct item *item = reason ? NULL : add_item(job, id, path, name, parent);
        if (reason)
            tell(job, LEFT_OUT, path, NULL, "%s", reason);
        else if (!item)
            status = out_of_memory(job);
        else {
            found.path = item->path;
            found.name = item->name;
            found.parent = parent;
            found.id = id;
            found.to = -1;
            *item = found;
            id = -1;
        }
    }
    if (id >= 0)
        H5Dclose(id);
    H5Sclose(space);
    H5Tclose(type);
    return status;
}

/* ---- Links ---- */

struct place {
    struct job *job;
    size_t group;
};

static int walk(struct job *job, size_t group);

static herr_t refuse(const char *p1, const char *p2, const char *p3, const char *p4, unsigned *flags, hid_t plist,
                     void *data)
{
    (void)p1, (void)p2, (void)p3, (void)p4, (void)flags, (void)plist, (void)data;
    return -1;
}

/* Whether a soft link leads to something in this file; an external link on the way is not followed. */
static int leads_somewhere(hid_t group, const char *name)
{
    hid_t plist = H5Pcreate(H5P_LINK_ACCESS);
    H5Pset_elink_cb(plist, refuse, NULL);
    int found = H5Oexists_by_name(group, name, plist) > 0;
    H5Pclose(plist);
    return found;
}

/* A link that is not the object itself.  All that a file holds is reached by hard links, too. */
static void tell_link(struct job *job, hid_t group, const char *name, const char *path, H5L_type_t type)
{
    if (type == H5L_TYPE_EXTERNAL)
        tell(job, LEFT_OUT, path, NULL, "external link: other files are not opened");
    else if (type != H5L_TYPE_SOFT)
        tell(job, LEFT_OUT, path, NULL, "user-defined link");
    else if (leads_somewhere(group, name))
        tell(job, NOTED, path, NULL, "soft link: its target counts under its own path");
    else
        tell(job, LEFT_OUT, path, NULL, "soft link that leads nowhere, or to another file");
}

static const struct item *same_object(const struct job *job, const H5O_info_t *info)
{
    if (info->rc < 2 && info->type != H5O_TYPE_GROUP)
        return NULL;
    for (size_t i = 0; i < job->item_count; i++)
        if (job->items[i].address == info->addr)
            return &job->items[i];
    return NULL;
}

static int add_object(struct job *job, hid_t id, const char *path, const char *name, size_t parent)
{
    H5O_info_t info;
    if (H5Oget_info2(id, &info, H5O_INFO_BASIC) < 0) {
        H5Oclose(id);
        return fail(job, STATUS_INPUT, "cannot read", path);
    }
    const struct item *other = same_object(job, &info);
    int is_group = info.type == H5O_TYPE_GROUP;
    use_rows(job, path, is_group);
    if (is_group && is_dropped(job, path)) {
        H5Oclose(id);
        tell(job, ASKED, path, NULL, "dropped by the table, with all that is in it");
        return 0;
    }
    if (!other && info.type == H5O_TYPE_DATASET)
        return add_dataset(job, id, info.addr, path, name, parent);
    if (!other && is_group) {
        int depth = job->items[parent].depth + 1;
        struct item *item = depth > DEEPEST ? NULL : add_item(job, id, path, name, parent);
        if (item) {
            item->is_group = 1;
            item->depth = depth;
            item->address = info.addr;
            return walk(job, job->item_count - 1);
        }
        H5Oclose(id);
        return depth > DEEPEST ? fail_because(job, STATUS_INPUT, "cannot convert", job->input, TOO_DEEP)
            : out_of_memory(job);
    }
    if (other)
        tell(job, NOTED, path, NULL, "another name of '%s'", other->path);
    else if (info.type == H5O_TYPE_NAMED_DATATYPE && H5Tget_class(id) == H5T_ENUM)
        tell(job, NOTED, path, NULL, "named enumeration: its names are flags of the variables that have it");
    else
        tell(job, LEFT_OUT, path, NULL, "named data type");
    H5Oclose(id);
    return 0;
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *data)
{
    const struct place *place = data;
    struct job *job = place->job;
    const char *above = job->items[place->group].path;
    size_t room = strlen(above) + strlen(name) + 2;
    char *path = malloc(room);
    int status = 0;

    if (!path)
        return out_of_memory(job);
    snprintf(path, room, "%s/%s", strcmp(above, "/") ? above : "", name);
    job->items[place->group].had_members = 1;
    if (link->type != H5L_TYPE_HARD) {
        use_rows(job, path, 0);
        tell_link(job, group, name, path, link->type);
    } else {
        hid_t id = H5Oopen(group, name, H5P_DEFAULT);
        status = id < 0 ? fail(job, STATUS_INPUT, "cannot read", path) : add_object(job, id, path, name, place->group);
    }
    free(path);
    return status;
}

/* Adds what is in a group, in the order of creation where the file knows it, else by name. */
static int walk(struct job *job, size_t group)
{
    struct place place = {job, group};
    unsigned order = 0;
    hid_t id = job->items[group].id, plist = H5Gget_create_plist(id);
    int tracked = plist >= 0 && H5Pget_link_creation_order(plist, &order) >= 0 && (order & H5P_CRT_ORDER_TRACKED);

    H5Pclose(plist);
    if (H5Literate(id, tracked ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME, H5_ITER_INC, NULL, visit, &place) < 0)
        return fail(job, STATUS_INPUT, "cannot read", job->items[group].path);
    return 0;
}

/* What it takes to read chunks from the file itself. */
static int find_file(struct job *job)
{
    void *file = NULL;
    hsize_t user_block = 0;
    hid_t create = H5Fget_create_plist(job->file);
    int known = H5Pget_userblock(create, &user_block) >= 0;
    H5Pclose(create);
    if (!known || H5Fget_vfd_handle(job->file, H5P_DEFAULT, &file) < 0)
        return fail(job, STATUS_INPUT, "cannot read", job->input);
    job->input_file = *(int *)file;
    job->user_block = H5_VERSION_GE(1, 14, 4) ? 0 : user_block;
    return 0;
}

static int open_hdf5(struct job *job)
{
    struct stat size;
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    int is_small = stat(job->input, &size) == 0 && size.st_size <= SMALL_BYTES;
    if (is_small)
        H5Pset_fapl_core(access, 1 << 16, 0);   /* read at once: HDF5 asks for a few bytes at a time */
    else
        H5Pset_fapl_sec2(access);               /* whatever HDF5_DRIVER says */
    job->file = H5Fopen(job->input, H5F_ACC_RDONLY, access);
    if (job->file < 0)
        fail(job, STATUS_INPUT, "cannot read", job->input);
    H5Pclose(access);
    if (job->file < 0)
        return -1;
    job->input_file = -1;
    if (!is_small && find_file(job) < 0)
        return -1;
    hid_t root = H5Gopen2(job->file, "/", H5P_DEFAULT);
    H5O_info_t info;
    if (root < 0 || H5Oget_info2(root, &info, H5O_INFO_BASIC) < 0)
        return fail(job, STATUS_INPUT, "cannot read", job->input);
    struct item *item = add_item(job, root, "/", "/", 0);
    if (!item)
        return out_of_memory(job);
    item->is_group = 1;
    item->address = info.addr;
    job->struct_metadata = read_struct_metadata(job->file);
    return walk(job, 0) < 0 || find_dims(job) < 0 ? -1 : 0;
}

/* ---- The conversion ---- */

/* The rows that speak of nothing in this input: a misspelt path, or another kind of granule. */
static void tell_unused_rows(struct job *job)
{
    const struct tables *tables = job->tables;
    use_rows(job, "/", 1);
    for (size_t i = 0; job->rows_used && i < tables->variable_count + tables->attribute_count; i++) {
        size_t k = i - tables->variable_count;
        const char *path = i < tables->variable_count ? tables->variables[i].path : tables->attributes[k].path;
        if (!job->rows_used[i])
            tell(job, UNUSED, path, NULL, "a row of the %s table matches nothing here",
                 i < tables->variable_count ? "variables" : "attributes");
    }
}

static int check_strict(struct job *job)
{
    return job->options->strict && job->report->left_out > 0
        ? fail_because(job, STATUS_LEFT_OUT, "cannot convert", job->input, "content would be left out") : 0;
}

static int convert_items(struct job *job, const char *output)
{
    if (define_all(job, output) < 0 || check_strict(job) < 0)
        return -1;
    if (job->options->list)
        return outline(job);
    for (size_t i = 0; i < job->item_count; i++)
        if (job->items[i].is_variable && (job->classic < 0 ? move_variable : move_classic)(job, &job->items[i]) < 0)
            return -1;
    return check_strict(job);   /* some is known only when the data were read */
}

/* Closes the output first: what HDF5 has kept back until then may not fit on the disk. */
static int release(struct job *job, int status)
{
    for (size_t i = 0; i < job->item_count; i++)
        if (job->items[i].to >= 0 && H5Oclose(job->items[i].to) < 0 && !status)
            status = fail(job, STATUS_WRITE, "cannot write", job->items[i].path);
    for (size_t i = 0; i < job->dim_count; i++) {
        if (job->dims[i].to >= 0 && job->dims[i].coordinate == NONE)
            H5Dclose(job->dims[i].to);
        free(job->dims[i].name);
    }
    if (job->plain_list >= 0)
        H5Pclose(job->plain_list);
    if (job->to >= 0 && H5Fclose(job->to) < 0 && !status)
        status = fail(job, STATUS_WRITE, "cannot write", job->report->output);
    for (size_t i = 0; i < job->item_count; i++) {
        free(job->items[i].path);
        free(job->items[i].name);
        free(job->items[i].output);
        if (job->items[i].id >= 0)
            H5Oclose(job->items[i].id);
    }
    free(job->items);
    free(job->dims);
    free(job->struct_metadata);
    free(job->rows_used);
    if (job->file >= 0)
        H5Fclose(job->file);
    if (job->classic >= 0)
        close_classic(job);
    return status;
}

int convert_file(const char *input, const char *output, const struct tables *tables, const struct options *options,
                 struct report *report)
{
    struct job job = {.input = input, .tables = tables, .options = options, .report = report, .file = -1, .to = -1,
        .plain_list = -1, .classic = -1};
    H5dont_atexit();            /* HDF5 1.10 crashes there after a failed write */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    job.rows_used = calloc(tables->variable_count + tables->attribute_count + 1, 1);
    int status = check_tables(&job) < 0 ? -1 : is_classic(input) ? open_classic(&job) : open_hdf5(&job);
    if (!status) {
        tell_unused_rows(&job);
        status = convert_items(&job, output);
    }
    status = release(&job, status);
    return status || report->status ? -1 : 0;
}
