/* datasets.c: which datasets are converted, and how they are stored.  SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

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

/* Why the data lie outside the dataset, or NULL.  A granule must not decide which files of the machine are read. */
static const char *why_elsewhere(hid_t plist)
{
    return H5Pget_layout(plist) == H5D_VIRTUAL
        ? "virtual dataset: its data lie in other datasets, of this file or of others"
        : H5Pget_external_count(plist) > 0 ? "its data lie in other files" : NULL;
}

int lies_elsewhere(hid_t dataset)
{
    hid_t plist = H5Dget_create_plist(dataset);
    int elsewhere = plist < 0 || why_elsewhere(plist) != NULL;
    H5Pclose(plist);
    return elsewhere;
}

/* Whether a part of a virtual dataset grows with its source. */
static int has_growing_part(hid_t plist, size_t part)
{
    hsize_t start[RANK], stride[RANK], count[RANK], block[RANK];
    hid_t space = H5Pget_virtual_vspace(plist, part);
    int rank = H5Sget_simple_extent_ndims(space), grows = 0;
    if (rank > 0 && H5Sget_select_type(space) == H5S_SEL_HYPERSLABS && H5Sis_regular_hyperslab(space) > 0
        && H5Sget_regular_hyperslab(space, start, stride, count, block) >= 0)
        for (int i = 0; i < rank; i++)
            grows |= count[i] == H5S_UNLIMITED || block[i] == H5S_UNLIMITED;
    H5Sclose(space);
    return grows;
}

/* The dataspace, or -1 where HDF5 would open other files to learn its lengths. */
hid_t own_space(hid_t dataset)
{
    size_t parts = 0;
    hid_t plist = H5Dget_create_plist(dataset);
    int is_safe = H5Pget_layout(plist) != H5D_VIRTUAL || H5Pget_virtual_count(plist, &parts) >= 0;
    for (size_t i = 0; is_safe && i < parts; i++)
        is_safe = !has_growing_part(plist, i);
    H5Pclose(plist);
    return is_safe ? H5Dget_space(dataset) : -1;
}

/* Reads how the dataset is stored.  Returns NULL, or why its data cannot be read here. */
static const char *read_storage(hid_t dataset, struct storage *storage, char why[128])
{
    hid_t plist = H5Dget_create_plist(dataset);
    unsigned chunk_options = 0;
    const char *answer = why_elsewhere(plist);

    storage->deflate = -1;
    storage->layout = H5Pget_layout(plist);
    storage->filter_count = H5Pget_nfilters(plist);
    if (storage->layout == H5D_CHUNKED)
        storage->partial_chunks = H5Pget_chunk(plist, RANK, storage->chunk) < 0
            || H5Pget_chunk_opts(plist, &chunk_options) < 0 || chunk_options != 0;
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
    H5Pclose(plist);
    return answer;
}

/* Reads the fill value of an element of numbers, which may hold an array of them. */
static void read_number_fill(hid_t plist, struct item *item, const struct level *level)
{
    struct storage *storage = &item->storage;
    hid_t number = item->type == NC_CHAR ? item->leaf : native_type(item->type, item->from);
    hid_t memory = wrap(level, H5Tcopy(number));
    size_t size = H5Tget_size(number), all = H5Tget_size(memory);
    unsigned char *values = calloc(1, all + sizeof storage->fill);
    int is_known = values && H5Pget_fill_value(plist, memory, values) >= 0;
    storage->has_fill &= is_known;
    for (size_t i = size; is_known && i < all; i += size)
        if (memcmp(values + i, values, size)) {
            storage->has_fill = 0;      /* netCDF has a single fill value for a variable */
            storage->is_filled = 1;
        }
    if (is_known && !storage->is_filled)
        memcpy(storage->fill, values, size);
    free(values);
    H5Tclose(memory);
}

/* Reads the value of elements that were never written. */
static void read_fill(hid_t dataset, struct item *item, const struct level *level)
{
    struct storage *storage = &item->storage;
    H5D_fill_value_t state = H5D_FILL_VALUE_UNDEFINED;
    hid_t plist = H5Dget_create_plist(dataset);
    int is_known = H5Pfill_value_defined(plist, &state) >= 0 && state != H5D_FILL_VALUE_UNDEFINED;
    int is_chosen = is_known && state == H5D_FILL_VALUE_USER_DEFINED;
    int is_array = item->element_rank > 0, is_text = H5Tis_variable_str(item->leaf) > 0;

    storage->has_fill = is_chosen && !is_text;
    if (is_own(item->type) || is_text) {
        storage->has_fill &= !is_array;
        storage->is_filled = is_chosen && is_array;
    } else if (item->type != NC_STRING && is_known && (is_chosen || !is_array))
        read_number_fill(plist, item, level);
    H5Pclose(plist);
}

/* More than 63 bits count: HDF5 1.10 crashes when it writes to such a dataset. */
static int is_countable(const struct item *item)
{
    hsize_t left = INT64_MAX;
    for (int i = 0; i < item->rank; i++)
        left /= item->length[i] ? item->length[i] : 1;
    return left > 0;
}

/* Describes a value of the dataset in `item`; returns NULL, or why it cannot be converted. */
static const char *describe_value(const struct source *source, struct item *item, const struct level *level)
{
    const char *why = NULL;
    item->leaf = H5Tcopy(level->type);
    item->type = netcdf_type(level->type);
    item->from = H5Tget_class(level->type);
    if (add_axes(level, item) < 0)
        return "it has more dimensions than HDF5 allows";
    if (item->type == NC_NAT)
        why = describe_own(item);
    else {
        item->big_endian = item->from != H5T_STRING && H5Tget_size(level->type) > 1
            && H5Tget_order(level->type) == H5T_ORDER_BE;
        int as_stored = item->from == H5T_STRING || item->from == H5T_BITFIELD;
        item->write = file_type(item->type, item->big_endian);
        item->read = H5Tcopy(as_stored ? item->leaf : item->write);
        if (item->from == H5T_ENUM)
            describe_enum_type(item);
    }
    if (why)
        return why;
    item->read = wrap(level, item->read);
    if (item->read < 0)
        return "HDF5 does not read this field by its name";
    if (!item->is_field) {
        item->is_scale = attribute_starts(source->id, "CLASS", "DIMENSION_SCALE");
        item->is_variable = !(item->is_scale && item->rank == 1
            && attribute_starts(source->id, "NAME", "This is a netCDF dimension but not a netCDF variable"));
    }
    read_fill(source->id, item, level);
    return is_countable(item) ? NULL : "it has more elements than can be counted";
}

void close_types(const struct item *item)
{
    if (item->leaf > 0)
        H5Tclose(item->leaf);
    if (item->read > 0)
        H5Tclose(item->read);
    if (item->write > 0)
        H5Tclose(item->write);
}

/* Adds the values at a level of the dataset's type to the list, or reports why they are left out. */
int add_variable(struct job *job, const struct source *source, const struct level *level, const char *path,
                 const char *name)
{
    struct item described = {.address = source->address, .storage = source->storage, .is_variable = 1,
        .is_field = strcmp(path, source->path) != 0, .id = source->id, .to = -1, .parent = source->parent};
    if (described.is_field)
        use_rows(job, path, 0);
    if (!add_variable_name(job, path, &name, &described.parent))
        return 0;
    described.rank = source->space < 0 ? 0 : H5Sget_simple_extent_dims(source->space, described.length,
                                                                       described.limit);
    const char *why = describe_value(source, &described, level);
    struct item *item = why ? NULL : add_item(job, source->id, path, name, described.parent);
    if (!item)
        close_types(&described);
    if (why)
        tell(job, LEFT_OUT, path, NULL, "%s", why);
    else if (!item)
        return out_of_memory(job);
    else {
        H5Iinc_ref(source->id);
        described.path = item->path;
        described.name = item->name;
        *item = described;
    }
    return 0;
}

/* Whether the dataset holds values, not just a dimension. */
static int holds_values(const struct source *source)
{
    return (source->space < 0 || H5Sget_simple_extent_npoints(source->space) > 0)
        && !attribute_starts(source->id, "NAME", "This is a netCDF dimension but not a netCDF variable");
}

/* Adds a dataset to the list, or reports why it is left out. Takes over `id`. */
int add_dataset(struct job *job, hid_t id, haddr_t address, const char *path, const char *name, size_t parent)
{
    struct source source = {.id = id, .space = own_space(id), .address = address, .path = path,
        .name = shown_name(name), .parent = parent};
    hid_t type = H5Dget_type(id);
    char text[128];
    const char *why = NULL;
    int status = 0;

    if (type < 0 || (source.space < 0 && !lies_elsewhere(id)))
        status = fail(job, STATUS_INPUT, "cannot read", path);
    else {
        job->has_data |= holds_values(&source);
        if (!strcmp(COLUMN(job, path, name), DROP))
            tell(job, ASKED, path, NULL, "dropped by the table");
        else if (source.space >= 0 && H5Sget_simple_extent_type(source.space) == H5S_NULL)
            why = "it has no value (null dataspace)";
        else if (!(why = read_storage(id, &source.storage, text)))
            status = add_variables(job, &source, type);
    }
    if (why)
        tell(job, LEFT_OUT, path, NULL, "%s", why);
    H5Dclose(id);
    H5Sclose(source.space);
    H5Tclose(type);
    return status;
}
