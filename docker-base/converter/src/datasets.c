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
static const char *read_storage(hid_t dataset, struct item *item, char why[128])
{
    struct storage *storage = &item->storage;
    hid_t plist = H5Dget_create_plist(dataset);
    H5D_fill_value_t state;
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

/* Describes the dataset in `item`; `space` is -1 where it cannot be known.  Returns NULL, or why it cannot be
 * converted. */
static const char *describe_dataset(hid_t id, struct item *item, hid_t type, hid_t space, char why[128])
{
    if (space >= 0 && H5Sget_simple_extent_type(space) == H5S_NULL)
        return "it has no value (null dataspace)";
    item->type = netcdf_type(type);
    item->from = H5Tget_class(type);
    if (item->type == NC_NAT)
        return type_name(type);
    item->big_endian = item->from != H5T_STRING && H5Tget_size(type) > 1 && H5Tget_order(type) == H5T_ORDER_BE;
    item->rank = space < 0 ? 0 : H5Sget_simple_extent_dims(space, item->length, item->limit);
    item->is_scale = attribute_starts(id, "CLASS", "DIMENSION_SCALE");
    item->is_variable = !(item->is_scale && item->rank == 1
        && attribute_starts(id, "NAME", "This is a netCDF dimension but not a netCDF variable"));
    const char *reason = read_storage(id, item, why);
    return reason ? reason : is_countable(item) ? NULL : "it has more elements than can be counted";
}

/* Adds a dataset to the list, or reports why it is left out. Takes over `id`. */
int add_dataset(struct job *job, hid_t id, haddr_t address, const char *path, const char *name, size_t parent)
{
    hid_t type = H5Dget_type(id), space = own_space(id);
    struct item described = {.address = address};
    char why[128];
    int status = 0;

    name = shown_name(name);
    if (type < 0 || (space < 0 && !lies_elsewhere(id)))
        status = fail(job, STATUS_INPUT, "cannot read", path);
    else if (add_variable_name(job, path, &name, &parent)) {
        const char *reason = describe_dataset(id, &described, type, space, why);
        struct item *item = reason ? NULL : add_item(job, id, path, name, parent);
        if (reason)
            tell(job, LEFT_OUT, path, NULL, "%s", reason);
        else if (!item)
            status = out_of_memory(job);
        else {
            described.path = item->path;
            described.name = item->name;
            described.parent = parent;
            described.id = id;
            described.to = -1;
            *item = described;
            id = -1;
        }
    }
    if (id >= 0)
        H5Dclose(id);
    H5Sclose(space);
    H5Tclose(type);
    return status;
}
