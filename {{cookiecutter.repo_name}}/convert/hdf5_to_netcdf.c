/* hdf5_to_netcdf.c: any HDF5 file -> CF NetCDF-4.  SPDX-License-Identifier: Apache-2.0
 *
 * First the input is walked and a list of its groups and datasets made.  From it the netCDF library defines
 * everything: groups, dimensions, variables, filters, attributes.  Then the output is closed, opened again with the
 * HDF5 library, and the data are moved in boxes of about 4 MB, so that memory does not grow with the granule.
 * Whatever is left out is named on standard error with the reason. */
#define _POSIX_C_SOURCE 200809L
#define H5_USE_110_API          /* the same calls in HDF5 1.10 and 1.14 */
#include "hdf5_to_netcdf.h"

#include <fnmatch.h>
#include <hdf5.h>
#include <netcdf.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { RANK = H5S_MAX_RANK, BOX_BYTES = 4 << 20 };
static const size_t NONE = SIZE_MAX;

/* The list's entries stand in the order in which they were met: a group before what is in it. */
struct item {
    char *path;                 /* in the input */
    char *name;                 /* in the output's group */
    size_t parent;              /* index of that group; the root is its own parent */
    hid_t id;
    haddr_t address;            /* tells whether two links lead to the same object */
    int is_variable;            /* otherwise a group, or a dataset that only holds a dimension */
    int is_group, is_scale;
    int ncid, varid;            /* of the group, or of the group and the variable, in the output */
    char *output;               /* path in the output */
    nc_type type;
    int rank;
    hsize_t length[RANK], limit[RANK];
    size_t dim[RANK];
};

struct dim {
    char *name;
    hsize_t length;
    int unlimited, anonymous;
    haddr_t scale;              /* the dataset that describes it, or HADDR_UNDEF */
    int nc4_id;                 /* netCDF-4's own number for it in the input, or -1 */
    size_t home;                /* the group that all its users are in */
    int id;
};

struct job {
    const char *input;
    const struct tables *tables;
    struct report *report;
    hid_t file;
    struct item *items;
    size_t item_count, item_room;
    struct dim *dims;
    size_t dim_count, dim_room;
};

/* ---- Saying what happened ---- */

static herr_t innermost(unsigned n, const H5E_error2_t *error, void *text)
{
    if (n == 0)
        snprintf(text, 256, "%s", error->desc ? error->desc : "");
    return 0;
}

/* Records the first failure, with the HDF5 library's text; returns -1 so that callers can return it. */
static int fail(struct job *job, enum status status, const char *what, const char *path)
{
    char text[256] = "";
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, text);
    if (!job->report->status) {
        job->report->status = status;
        snprintf(job->report->message, sizeof job->report->message, "%s '%s'%s%s", what, path, *text ? ": " : "", text);
    }
    return -1;
}

static int fail_because(struct job *job, enum status status, const char *what, const char *path, const char *why)
{
    if (!job->report->status) {
        job->report->status = status;
        snprintf(job->report->message, sizeof job->report->message, "%s '%s': %s", what, path, why);
    }
    return -1;
}

static int out_of_memory(struct job *job)
{
    return fail_because(job, STATUS_WRITE, "cannot convert", job->input, "out of memory");
}

/* 0, or -1 with the netCDF library's text recorded. */
static int nc_check(struct job *job, int error, const char *path)
{
    return error ? fail_because(job, STATUS_WRITE, "cannot write", path, nc_strerror(error)) : 0;
}

/* Names what the product lacks, or holds under another name. */
static void tell(struct job *job, int left_out, const char *path, const char *attribute, const char *format, ...)
{
    va_list values;
    va_start(values, format);
    fprintf(stderr, "%s: %s '%s%s%s': ", job->report->program, left_out ? "left out" : "note:", path,
            attribute ? ":" : "", attribute ? attribute : "");
    vfprintf(stderr, format, values);
    fputc('\n', stderr);
    va_end(values);
    job->report->left_out += left_out != 0;
}

/* ---- The tables ---- */

static int matches(const char *pattern, const char *path)
{
    return fnmatch(pattern, path, FNM_PATHNAME) == 0;
}

/* What the first row that says something says of `path`; "" where none does. */
static const char *column(const struct job *job, const char *path, size_t offset)
{
    for (size_t i = 0; i < job->tables->variable_count; i++) {
        const struct variable *row = &job->tables->variables[i];
        const char *text = *(const char *const *)((const char *)row + offset);
        if (*text && matches(row->path, path))
            return text;
    }
    return "";
}
#define COLUMN(job, path, member) column(job, path, offsetof(struct variable, member))

/* The value that the tables give an attribute, or NULL. */
static const char *table_value(const struct job *job, const char *path, const char *name)
{
    const char *text = !strcmp(name, "units") ? COLUMN(job, path, units)
        : !strcmp(name, "standard_name") ? COLUMN(job, path, standard_name)
        : !strcmp(name, "long_name") ? COLUMN(job, path, long_name) : "";
    if (*text)
        return text;
    for (size_t i = 0; i < job->tables->attribute_count; i++) {
        const struct attribute *row = &job->tables->attributes[i];
        if (!strcmp(row->name, name) && matches(row->path, path))
            return row->value;
    }
    return NULL;
}

/* ---- Types and strings ---- */

/* The netCDF type that holds every value of an HDF5 type, or NC_NAT. */
static nc_type netcdf_type(hid_t type)
{
    static const nc_type with_sign[] = {NC_BYTE, NC_SHORT, NC_INT, NC_INT64};
    static const nc_type without[] = {NC_UBYTE, NC_USHORT, NC_UINT, NC_UINT64};
    size_t size = H5Tget_size(type), sign, exponent, exponent_size, mantissa, mantissa_size;
    int power = size <= 1 ? 0 : size == 2 ? 1 : size <= 4 ? 2 : 3;
    hid_t base;
    nc_type result = NC_NAT;

    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        return size > 8 ? NC_NAT : H5Tget_sign(type) == H5T_SGN_NONE ? without[power] : with_sign[power];
    case H5T_BITFIELD:          /* read bit for bit */
        return size == 1 || size == 2 || size == 4 || size == 8 ? without[power] : NC_NAT;
    case H5T_FLOAT:
        if (H5Tget_fields(type, &sign, &exponent, &exponent_size, &mantissa, &mantissa_size) < 0)
            return NC_NAT;
        return exponent_size <= 8 && mantissa_size <= 23 ? NC_FLOAT
            : exponent_size <= 11 && mantissa_size <= 52 ? NC_DOUBLE : NC_NAT;
    case H5T_STRING:
        return NC_STRING;
    case H5T_ENUM:
        base = H5Tget_super(type);
        result = netcdf_type(base);
        H5Tclose(base);
        return result;
    default:
        return NC_NAT;
    }
}

static const char *type_name(hid_t type)
{
    switch (H5Tget_class(type)) {
    case H5T_COMPOUND: return "compound type";
    case H5T_ARRAY: return "array type";
    case H5T_OPAQUE: return "opaque type";
    case H5T_REFERENCE: return "reference";
    case H5T_VLEN: return "variable-length type";
    case H5T_TIME: return "HDF5 time type";
    case H5T_FLOAT: return "floating-point type wider than 8 bytes";
    case H5T_INTEGER: return "integer type wider than 8 bytes";
    default: return "unknown type";
    }
}

static hid_t native_type(nc_type type)
{
    switch (type) {
    case NC_BYTE: return H5T_NATIVE_INT8;
    case NC_UBYTE: return H5T_NATIVE_UINT8;
    case NC_SHORT: return H5T_NATIVE_INT16;
    case NC_USHORT: return H5T_NATIVE_UINT16;
    case NC_INT: return H5T_NATIVE_INT32;
    case NC_UINT: return H5T_NATIVE_UINT32;
    case NC_INT64: return H5T_NATIVE_INT64;
    case NC_UINT64: return H5T_NATIVE_UINT64;
    case NC_FLOAT: return H5T_NATIVE_FLOAT;
    default: return H5T_NATIVE_DOUBLE;
    }
}

static void free_strings(char **strings, size_t count)
{
    for (size_t i = 0; strings && i < count; i++)
        H5free_memory(strings[i]);
    free(strings);
}

static herr_t read_any(hid_t object, hid_t type, hid_t memory, hid_t space, void *buffer)
{
    return H5Iget_type(object) == H5I_ATTR ? H5Aread(object, type, buffer)
        : H5Dread(object, type, memory, space, H5P_DEFAULT, buffer);
}

/* Cuts `count` strings of `size` bytes out of `block`, without the padding that `type` says. */
static int cut_strings(char **strings, const char *block, size_t count, size_t size, hid_t type)
{
    int by_spaces = H5Tget_strpad(type) == H5T_STR_SPACEPAD;
    for (size_t i = 0; i < count; i++) {
        const char *text = block + i * size;
        size_t length = strnlen(text, size);
        while (by_spaces && length > 0 && text[length - 1] == ' ')
            length--;
        strings[i] = H5allocate_memory(length + 1, 0);
        if (!strings[i])
            return -1;
        memcpy(strings[i], text, length);
        strings[i][length] = '\0';
    }
    return 0;
}

/* `count` strings of a dataset's selection, or of an attribute; NULL where they cannot be read. */
static char **read_strings(hid_t object, hid_t type, size_t count, hid_t memory, hid_t space)
{
    size_t size = H5Tget_size(type);
    char **strings = calloc(count + 1, sizeof *strings), *block = NULL;
    hid_t text = H5Tcopy(type);
    int done = -1;

    if (!strings)
        goto close_type;
    if (H5Tis_variable_str(type) > 0) {
        done = read_any(object, text, memory, space, strings) < 0 ? -1 : 0;
        for (size_t i = 0; i < count && !done; i++)
            if (!strings[i])    /* never written: HDF5 has no string here, netCDF an empty one */
                strings[i] = H5allocate_memory(1, 1);
    } else if (count < SIZE_MAX / (size + 1) && (block = malloc(count * size + 1)) != NULL) {
        if (read_any(object, text, memory, space, block) >= 0)
            done = cut_strings(strings, block, count, size, type);
        free(block);
    }
close_type:
    H5Tclose(text);
    if (done < 0) {
        free_strings(strings, count);
        return NULL;
    }
    return strings;
}

/* Whether the attribute is there and its text starts with `start`. */
static int attribute_starts(hid_t object, const char *name, const char *start)
{
    int found = 0;
    if (H5Aexists(object, name) <= 0)
        return 0;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1) {
        char **text = read_strings(attribute, type, 1, H5S_ALL, H5S_ALL);
        found = text && !strncmp(text[0], start, strlen(start));
        free_strings(text, 1);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return found;
}

/* ---- Walking the input ---- */

/* A copy of `name` that netCDF accepts: it forbids slashes, control characters, odd first characters, long names. */
static char *legal_name(const char *name)
{
    char *copy = strndup(name, NC_MAX_NAME - 16);
    for (char *c = copy; c && *c; c++) {
        int plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_';
        if (!plain && (unsigned char)*c < 0x80 && (c == copy || *c < ' ' || *c == 0x7f || *c == '/'))
            *c = '_';
        if (*c == ' ' && !c[1])
            *c = '_';
    }
    return copy;
}

static struct item *add_item(struct job *job, hid_t id, const char *path, const char *name, size_t parent)
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
    item->id = id;
    if (!item->path || !item->name)
        return NULL;
    job->item_count++;
    return item;
}

/* Why a dataset's data cannot be read here, or NULL: other files are not opened, filters may be missing. */
static const char *unreadable(hid_t dataset)
{
    static char why[128];
    hid_t plist = H5Dget_create_plist(dataset);
    const char *answer = NULL;

    if (H5Pget_layout(plist) == H5D_VIRTUAL || H5Pget_external_count(plist) > 0)
        answer = "its data lie in other files";
    for (int i = 0; !answer && i < H5Pget_nfilters(plist); i++) {
        char name[64] = "";
        size_t values = 0;
        unsigned flags, info;
        H5Z_filter_t filter = H5Pget_filter2(plist, (unsigned)i, &flags, &values, NULL, sizeof name, name, &info);
        if (H5Zfilter_avail(filter) <= 0 && H5Dget_storage_size(dataset) > 0) {
            snprintf(why, sizeof why, "no plug-in for its filter %d (%s)", (int)filter, name);
            answer = why;
        }
    }
    H5Pclose(plist);
    return answer;
}

/* Adds a dataset to the list, or says why not.  Takes over `id`. */
static int add_dataset(struct job *job, hid_t id, const H5O_info_t *info, const char *path, const char *name, size_t parent)
{
    hid_t type = H5Dget_type(id), space = H5Dget_space(id);
    const char *why = NULL, *new_name = COLUMN(job, path, name);
    int status = 0;

    if (type < 0 || space < 0)
        status = fail(job, STATUS_INPUT, "cannot read", path);
    else if (!strcmp(new_name, DROP))
        tell(job, 0, path, NULL, "dropped by the table");
    else if (H5Sget_simple_extent_type(space) == H5S_NULL)
        why = "it has no value (null dataspace)";
    else if (netcdf_type(type) == NC_NAT)
        why = type_name(type);
    else
        why = unreadable(id);
    if (why)
        tell(job, 1, path, NULL, "%s", why);
    if (!status && !why && strcmp(new_name, DROP)) {
        if (*new_name)
            name = *new_name == '/' ? new_name + 1 : new_name;
        struct item *item = add_item(job, id, path, name, *new_name == '/' ? 0 : parent);
        if (!item)
            status = out_of_memory(job);
        else {
            item->address = info->addr;
            item->type = netcdf_type(type);
            item->rank = H5Sget_simple_extent_dims(space, item->length, item->limit);
            item->is_scale = attribute_starts(id, "CLASS", "DIMENSION_SCALE");
            item->is_variable = !(item->is_scale && item->rank == 1
                && attribute_starts(id, "NAME", "This is a netCDF dimension but not a netCDF variable"));
            if (!strncmp(item->name, "_nc4_non_coord_", 15))    /* netCDF-4 hides a name that a dimension has, too */
                memmove(item->name, item->name + 15, strlen(item->name) - 14);
            id = -1;
        }
    }
    if (id >= 0)
        H5Dclose(id);
    H5Sclose(space);
    H5Tclose(type);
    return status;
}

struct place {
    struct job *job;
    size_t group;
};

static int walk(struct job *job, size_t group);

static herr_t refuse(const char *p1, const char *p2, const char *p3, const char *p4, unsigned *flags, hid_t plist, void *data)
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
        tell(job, 1, path, NULL, "external link: other files are not opened");
    else if (type != H5L_TYPE_SOFT)
        tell(job, 1, path, NULL, "user-defined link");
    else if (leads_somewhere(group, name))
        tell(job, 0, path, NULL, "soft link: its target counts under its own path");
    else
        tell(job, 1, path, NULL, "soft link that leads nowhere, or to another file");
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
    if (!other && info.type == H5O_TYPE_DATASET)
        return add_dataset(job, id, &info, path, name, parent);
    if (!other && info.type == H5O_TYPE_GROUP) {
        struct item *item = add_item(job, id, path, name, parent);
        if (!item)
            return out_of_memory(job);
        item->is_group = 1;
        item->address = info.addr;
        return walk(job, job->item_count - 1);
    }
    if (other)
        tell(job, 0, path, NULL, "another name of '%s'", other->path);
    else
        tell(job, 1, path, NULL, "named data type");
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
    if (link->type != H5L_TYPE_HARD)
        tell_link(job, group, name, path, link->type);
    else {
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

/* ---- Dimensions ---- */

static struct dim *add_dim(struct job *job, const char *name, hsize_t length, int unlimited)
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
    *dim = (struct dim){legal_name(name), length, unlimited || length == 0, 0, HADDR_UNDEF, -1, NONE, -1};
    if (!dim->name)
        return NULL;
    job->dim_count++;
    return dim;
}

/* The groups' nearest common ancestor. */
static size_t common_group(const struct job *job, size_t a, size_t b)
{
    while (a != b)
        if (a > b)
            a = job->items[a].parent;
        else
            b = job->items[b].parent;
    return a;
}

/* Notes that an axis of `item` lies along a dimension, so that the dimension has to be visible there. */
static void use_dim(struct job *job, struct item *item, int axis, size_t dim)
{
    item->dim[axis] = dim;
    size_t *home = &job->dims[dim].home;
    *home = *home == NONE ? item->parent : common_group(job, *home, item->parent);
}

/* The dimension of that name and length, made when it is new. */
static size_t named_dim(struct job *job, const char *name, hsize_t length, int unlimited)
{
    for (size_t i = 0; i < job->dim_count; i++)
        if (!job->dims[i].anonymous && job->dims[i].length == length && !strcmp(job->dims[i].name, name)) {
            job->dims[i].unlimited |= unlimited;
            return i;
        }
    return add_dim(job, name, length, unlimited) ? job->dim_count - 1 : NONE;
}

/* Axes of one length that nothing names share dim_LENGTH; a second axis of that length in a variable gets dim_LENGTH_2. */
static size_t anonymous_dim(struct job *job, const struct item *item, int axis)
{
    char name[64];
    int unlimited = item->limit[axis] == H5S_UNLIMITED, occurrence = 1;
    for (int i = 0; i < axis; i++)
        occurrence += item->length[i] == item->length[axis];
    int n = snprintf(name, sizeof name, "%sdim_%llu", unlimited ? "unlimited_" : "", (unsigned long long)item->length[axis]);
    if (occurrence > 1)
        snprintf(name + n, sizeof name - (size_t)n, "_%d", occurrence);
    for (size_t i = 0; i < job->dim_count; i++)
        if (job->dims[i].anonymous && !strcmp(job->dims[i].name, name))
            return i;
    struct dim *dim = add_dim(job, name, item->length[axis], unlimited);
    if (dim)
        dim->anonymous = 1;
    return dim ? job->dim_count - 1 : NONE;
}

/* Axis `axis` in the table's list of names, or "" where there is no list; the list must have one name an axis. */
static int table_dim(struct job *job, const struct item *item, int axis, char name[NC_MAX_NAME + 1])
{
    const char *list = COLUMN(job, item->path, dims);
    int words = 0;
    *name = '\0';
    for (const char *word = list; *(word += strspn(word, " ")); word += strcspn(word, " "))
        if (words++ == axis)
            snprintf(name, NC_MAX_NAME + 1, "%.*s", (int)strcspn(word, " "), word);
    if (words && words != item->rank) {
        char why[128];
        snprintf(why, sizeof why, "the table names %d dimensions, the dataset has %d", words, item->rank);
        return fail_because(job, STATUS_INPUT, "cannot convert", item->path, why);
    }
    return 0;
}

static int read_int_attribute(hid_t object, const char *name, int *values, int count)
{
    if (H5Aexists(object, name) <= 0)
        return 0;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), space = H5Aget_space(attribute);
    int done = H5Sget_simple_extent_npoints(space) == count && H5Aread(attribute, H5T_NATIVE_INT, values) >= 0;
    H5Sclose(space);
    H5Aclose(attribute);
    return done;
}

/* The addresses of the scales that are attached to the axes; HADDR_UNDEF where there is none. */
static void attached_scales(const struct item *item, haddr_t scale[RANK])
{
    hvl_t lists[RANK];
    for (int i = 0; i < item->rank; i++)
        scale[i] = item->is_scale && item->rank == 1 ? item->address : HADDR_UNDEF;
    if (item->rank == 0 || H5Aexists(item->id, "DIMENSION_LIST") <= 0)
        return;
    hid_t attribute = H5Aopen(item->id, "DIMENSION_LIST", H5P_DEFAULT), space = H5Aget_space(attribute);
    hid_t type = H5Tvlen_create(H5T_STD_REF_OBJ);
    if (H5Sget_simple_extent_npoints(space) == item->rank && H5Aread(attribute, type, lists) >= 0) {
        for (int i = 0; i < item->rank; i++)
            if (lists[i].len > 0)       /* an object reference is the object's address */
                scale[i] = *(const hobj_ref_t *)lists[i].p;
        H5Dvlen_reclaim(type, space, H5P_DEFAULT, lists);
    }
    H5Tclose(type);
    H5Sclose(space);
    H5Aclose(attribute);
}

/* The dimension that a scale, or netCDF-4's own number, gives an axis; NONE where neither fits. */
static size_t described_dim(const struct job *job, hsize_t length, haddr_t scale, int nc4_id)
{
    for (size_t i = 0; i < job->dim_count; i++) {
        const struct dim *dim = &job->dims[i];
        int same = (scale != HADDR_UNDEF && dim->scale == scale) || (nc4_id >= 0 && dim->nc4_id == nc4_id);
        if (same && (dim->length == length || (dim->unlimited && length < dim->length)))
            return i;
    }
    return NONE;
}

/* Every dimension scale makes a dimension, named as the table or the file says. */
static int scale_dim(struct job *job, struct item *item)
{
    char name[NC_MAX_NAME + 1];
    int nc4_id = -1;
    read_int_attribute(item->id, "_Netcdf4Dimid", &nc4_id, 1);
    if (item->rank != 1 && (item->rank == 0 || nc4_id < 0))
        return 0;               /* HDF5 allows scales of other ranks; only netCDF-4's own describe their first axis */
    if (table_dim(job, item, 0, name) < 0)
        return -1;
    struct dim *dim = add_dim(job, *name ? name : item->name, item->length[0], item->limit[0] == H5S_UNLIMITED);
    if (!dim)
        return out_of_memory(job);
    dim->scale = item->address;
    dim->nc4_id = nc4_id;
    if (!item->is_variable)
        use_dim(job, item, 0, job->dim_count - 1);
    return 0;
}

/* For each axis: the table's name, else the file's scale, else the length alone. */
static int axes(struct job *job, struct item *item)
{
    haddr_t scale[RANK];
    int nc4_ids[RANK];
    char name[NC_MAX_NAME + 1];
    attached_scales(item, scale);
    if (!read_int_attribute(item->id, "_Netcdf4Coordinates", nc4_ids, item->rank))
        for (int i = 0; i < item->rank; i++)
            nc4_ids[i] = -1;
    for (int i = 0; i < item->rank; i++) {
        if (table_dim(job, item, i, name) < 0)
            return -1;
        size_t dim = *name ? named_dim(job, name, item->length[i], item->limit[i] == H5S_UNLIMITED)
            : described_dim(job, item->length[i], scale[i], nc4_ids[i]);
        if (dim == NONE && !*name)
            dim = anonymous_dim(job, item, i);
        if (dim == NONE)
            return out_of_memory(job);
        use_dim(job, item, i, dim);
    }
    return 0;
}

static int find_dims(struct job *job)
{
    for (size_t i = 0; i < job->item_count; i++)
        if (job->items[i].is_scale && scale_dim(job, &job->items[i]) < 0)
            return -1;
    for (size_t i = 0; i < job->item_count; i++)
        if (job->items[i].is_variable && axes(job, &job->items[i]) < 0)
            return -1;
    return 0;
}

/* ---- Defining the output ---- */

/* Tries NAME, NAME_2, ... until the library finds a name free. */
static int define_dim(struct job *job, struct dim *dim)
{
    char name[NC_MAX_NAME + 1];
    int ncid = job->items[dim->home].ncid, id, error = NC_ENAMEINUSE;
    for (int i = 1; error == NC_ENAMEINUSE && i < 1000; i++) {
        snprintf(name, sizeof name, i > 1 ? "%s_%d" : "%s", dim->name, i);
        if (nc_inq_grp_ncid(ncid, name, &id) == NC_NOERR)
            continue;           /* HDF5 has one set of names for groups and dimensions */
        error = nc_def_dim(ncid, name, dim->unlimited ? NC_UNLIMITED : (size_t)dim->length, &dim->id);
    }
    return nc_check(job, error, dim->name);
}

static int define_group(struct job *job, struct item *item)
{
    char name[NC_MAX_NAME + 1];
    int parent = job->items[item->parent].ncid, error = NC_ENAMEINUSE;
    for (int i = 1; error == NC_ENAMEINUSE && i < 1000; i++) {
        snprintf(name, sizeof name, i > 1 ? "%s_%d" : "%s", item->name, i);
        error = nc_def_grp(parent, name, &item->ncid);
    }
    return nc_check(job, error, item->path);
}

/* The same filters where netCDF knows them; data in any other are deflated anew. */
static int define_filters(const struct item *item, hid_t plist)
{
    int count = H5Pget_nfilters(plist), shuffle = 0, deflate = 0, error = NC_NOERR;
    unsigned level = 4, flags, info;
    for (int i = 0; i < count; i++) {
        unsigned value = 0;
        size_t values = 1;
        H5Z_filter_t filter = H5Pget_filter2(plist, (unsigned)i, &flags, &values, &value, 0, NULL, &info);
        if (filter == H5Z_FILTER_SHUFFLE)
            shuffle = 1;
        else if (filter == H5Z_FILTER_FLETCHER32)
            error = nc_def_var_fletcher32(item->ncid, item->varid, NC_FLETCHER32);
        else {
            deflate = 1;
            if (filter == H5Z_FILTER_DEFLATE && value <= 9)
                level = value;
            else
                shuffle = 1;
        }
    }
    if (!error && (shuffle || deflate))
        error = nc_def_var_deflate(item->ncid, item->varid, shuffle, deflate, (int)level);
    return error;
}

static int define_storage(const struct job *job, const struct item *item, hid_t plist)
{
    hsize_t chunk[RANK];
    size_t sizes[RANK];
    hid_t type = H5Dget_type(item->id);
    int big = H5Tget_order(type) == H5T_ORDER_BE && H5Tget_size(type) > 1, error = NC_NOERR;

    H5Tclose(type);
    if (big && item->type != NC_STRING)
        error = nc_def_var_endian(item->ncid, item->varid, NC_ENDIAN_BIG);
    if (error || item->rank == 0 || H5Pget_layout(plist) != H5D_CHUNKED || H5Pget_chunk(plist, RANK, chunk) != item->rank)
        return error;
    for (int i = 0; i < item->rank; i++) {      /* netCDF forbids a chunk larger than a fixed dimension */
        const struct dim *dim = &job->dims[item->dim[i]];
        sizes[i] = (size_t)(!dim->unlimited && chunk[i] > dim->length ? dim->length : chunk[i]);
    }
    error = nc_def_var_chunking(item->ncid, item->varid, NC_CHUNKED, sizes);
    return error || item->type == NC_STRING ? error : define_filters(item, plist);
}

/* HDF5's fill value becomes the product's, too.  It is named as _FillValue if somebody chose it: not the library's own. */
static int define_fill(const struct item *item, hid_t plist)
{
    static const unsigned char zero[8];
    unsigned char value[8] = {0}, standard[8] = {0};
    H5D_fill_value_t state;
    size_t size;

    if (item->type == NC_STRING || H5Pfill_value_defined(plist, &state) < 0 || state == H5D_FILL_VALUE_UNDEFINED
        || H5Pget_fill_value(plist, native_type(item->type), value) < 0)
        return NC_NOERR;
    nc_inq_type(item->ncid, item->type, NULL, &size);
    nc_inq_var_fill(item->ncid, item->varid, NULL, standard);
    int error = nc_def_var_fill(item->ncid, item->varid, NC_FILL, value);
    if (!error && (state != H5D_FILL_VALUE_USER_DEFINED || !memcmp(value, zero, size) || !memcmp(value, standard, size)))
        error = nc_del_att(item->ncid, item->varid, "_FillValue");
    return error;
}

/* Records where the data go: HDF5 hides a variable that has a dimension's name, but is not its coordinate. */
static int remember_output(struct job *job, struct item *item)
{
    char name[NC_MAX_NAME + 1];
    size_t length = 0;
    int error = nc_inq_grpname_full(item->ncid, &length, NULL);
    item->output = error ? NULL : malloc(length + NC_MAX_NAME + 32);
    if (!item->output)
        return out_of_memory(job);
    error = nc_inq_grpname_full(item->ncid, NULL, item->output);
    if (!error)
        error = nc_inq_varname(item->ncid, item->varid, name);
    if (!error)
        strcat(strcat(item->output, length > 1 ? "/" : ""), name);
    return nc_check(job, error, item->path);
}

static int copy_attributes(struct job *job, const struct item *item, int varid);

static int define_variable(struct job *job, struct item *item)
{
    char name[NC_MAX_NAME + 1];
    int ids[RANK], error = NC_ENAMEINUSE;
    hid_t plist = H5Dget_create_plist(item->id);

    item->ncid = job->items[item->parent].ncid;
    for (int i = 0; i < item->rank; i++)
        ids[i] = job->dims[item->dim[i]].id;
    for (int i = 1; error == NC_ENAMEINUSE && i < 1000; i++) {
        snprintf(name, sizeof name, i > 1 ? "%s_%d" : "%s", item->name, i);
        error = nc_def_var(item->ncid, name, item->type, item->rank, ids, &item->varid);
    }
    if (!error && strcmp(name, item->name))
        tell(job, 0, item->path, NULL, "converted as '%s', its name was taken", name);
    if (!error)
        error = define_storage(job, item, plist);
    if (!error)
        error = define_fill(item, plist);
    H5Pclose(plist);
    if (nc_check(job, error, item->path) < 0 || remember_output(job, item) < 0)
        return -1;
    return copy_attributes(job, item, item->varid);
}

/* ---- Attributes ---- */

struct target {
    struct job *job;
    const struct item *item;
    int varid;
};

/* Attributes that say how HDF5 or netCDF-4 stored the input; the output gets its own. */
static int is_structural(const struct item *item, int varid, const char *name)
{
    static const char *const names[] = {"DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates",
        "_NCProperties", "_nc3_strict"};
    for (size_t i = 0; i < ROWS(names); i++)
        if (!strcmp(name, names[i]))
            return 1;
    if (varid == NC_GLOBAL && item->parent == 0 && !strcmp(item->path, "/"))
        return !strcmp(name, "Conventions") || !strcmp(name, "history");
    return item->is_scale && (!strcmp(name, "CLASS") || !strcmp(name, "NAME"));
}

static int put_strings(const struct target *target, const char *name, char **strings, size_t count, int as_strings)
{
    int ncid = target->item->ncid, varid = target->varid;
    if (count == 1 && !as_strings)
        return nc_put_att_text(ncid, varid, name, strlen(strings[0]), strings[0]);
    return nc_put_att_string(ncid, varid, name, count, (const char **)strings);
}

/* Writes what `attribute` holds; returns NULL, or why it cannot be written. */
static const char *put_attribute(const struct target *target, const char *name, hid_t attribute, hid_t type, size_t count)
{
    int ncid = target->item->ncid, is_fill = target->varid != NC_GLOBAL && !strcmp(name, "_FillValue"), error;
    nc_type as = netcdf_type(type);

    if (as == NC_NAT)
        return type_name(type);
    if (is_fill && (count != 1 || (as == NC_STRING) != (target->item->type == NC_STRING)))
        return "not one value of the variable's type";
    if (as == NC_STRING) {
        if (count == 0)
            error = nc_put_att_text(ncid, target->varid, name, 0, "");
        else {
            char **strings = read_strings(attribute, type, count, H5S_ALL, H5S_ALL);
            if (!strings)
                return "it cannot be read";
            error = put_strings(target, name, strings, count, is_fill);
            free_strings(strings, count);
        }
        return error ? nc_strerror(error) : NULL;
    }
    if (is_fill)
        as = target->item->type;
    void *values = count < SIZE_MAX / 8 ? malloc(8 * count + 8) : NULL;
    hid_t memory = H5Tget_class(type) == H5T_BITFIELD ? type : native_type(as);
    if (!values || (count > 0 && H5Aread(attribute, memory, values) < 0)) {
        free(values);
        return "it cannot be read";
    }
    error = nc_put_att(ncid, target->varid, name, as, count, values);
    free(values);
    return error ? nc_strerror(error) : NULL;
}

static herr_t copy_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data)
{
    const struct target *target = data;
    struct job *job = target->job;
    (void)info;
    if (is_structural(target->item, target->varid, name) || table_value(job, target->item->path, name))
        return 0;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT), type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    hssize_t count = H5Sget_simple_extent_type(space) == H5S_NULL ? 0 : H5Sget_simple_extent_npoints(space);
    char *legal = legal_name(name);
    const char *why = NULL;
    int status = 0;

    if (attribute < 0 || type < 0 || count < 0)
        status = fail(job, STATUS_INPUT, "cannot read an attribute of", target->item->path);
    else if (!legal)
        status = out_of_memory(job);
    else
        why = put_attribute(target, legal, attribute, type, (size_t)count);
    if (why)
        tell(job, 1, target->item->path, name, "%s", why);
    else if (legal && strcmp(legal, name))
        tell(job, 0, target->item->path, name, "converted as '%s', netCDF forbids its name", legal);
    free(legal);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return status;
}

/* Whether the table gives this attribute as numbers; `type` is then their type. */
static int is_numeric(const char *name, nc_type *type)
{
    static const char *const names[] = {"_FillValue", "missing_value", "valid_min", "valid_max", "valid_range",
        "flag_values", "flag_masks"};
    if (!strcmp(name, "scale_factor") || !strcmp(name, "add_offset"))
        *type = NC_DOUBLE;
    else {
        size_t i = 0;
        while (i < ROWS(names) && strcmp(name, names[i]))
            i++;
        if (i == ROWS(names))
            return 0;
    }
    return *type != NC_STRING;
}

/* Writes an attribute of the table; one that is there already was written by an earlier row. */
static int put_table_attribute(struct job *job, const struct item *item, int varid, const char *name, const char *value)
{
    double numbers[64];
    size_t count = 0;
    char *end = NULL;
    nc_type type = item->type;

    if (!*value || nc_inq_att(item->ncid, varid, name, NULL, NULL) == NC_NOERR)
        return 0;
    if (varid == NC_GLOBAL || !is_numeric(name, &type))
        return nc_check(job, nc_put_att_text(item->ncid, varid, name, strlen(value), value), item->path);
    for (const char *word = value; count < ROWS(numbers); word = end, count++) {
        numbers[count] = strtod(word, &end);
        if (end == word)
            break;
    }
    if (count == 0 || *(end + strspn(end, " ")))
        return fail_because(job, STATUS_USAGE, "cannot use the table's value of", name, value);
    return nc_check(job, nc_put_att_double(item->ncid, varid, name, type, count, numbers), item->path);
}

static int copy_attributes(struct job *job, const struct item *item, int varid)
{
    static const char *const columns[] = {"units", "standard_name", "long_name"};
    struct target target = {job, item, varid};
    hsize_t position = 0;

    if (H5Aiterate2(item->id, H5_INDEX_CRT_ORDER, H5_ITER_INC, &position, copy_attribute, &target) < 0)
        return fail(job, STATUS_INPUT, "cannot read the attributes of", item->path);
    for (size_t i = 0; varid != NC_GLOBAL && i < ROWS(columns); i++) {
        const char *value = table_value(job, item->path, columns[i]);
        if (value && put_table_attribute(job, item, varid, columns[i], value) < 0)
            return -1;
    }
    for (size_t i = 0; i < job->tables->attribute_count; i++) {
        const struct attribute *row = &job->tables->attributes[i];
        if (matches(row->path, item->path) && put_table_attribute(job, item, varid, row->name, row->value) < 0)
            return -1;
    }
    return 0;
}

/* Conventions, and a history that starts with this conversion; SOURCE_DATE_EPOCH makes it reproducible. */
static int write_provenance(struct job *job)
{
    const struct item *root = &job->items[0];
    const char *epoch = getenv("SOURCE_DATE_EPOCH"), *slash = strrchr(job->input, '/'), *old = "";
    time_t now = epoch && *epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    char when[32] = "", **strings = NULL;
    struct tm utc;
    int error = NC_NOERR;

    if (gmtime_r(&now, &utc))
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    if (attribute_starts(root->id, "history", "")) {
        hid_t attribute = H5Aopen(root->id, "history", H5P_DEFAULT), type = H5Aget_type(attribute);
        strings = read_strings(attribute, type, 1, H5S_ALL, H5S_ALL);
        old = strings ? strings[0] : "";
        H5Tclose(type);
        H5Aclose(attribute);
    }
    size_t room = strlen(job->input) + strlen(old) + 128;
    char *text = malloc(room);
    if (text) {
        snprintf(text, room, "%s: _convert %s, from %s%s%s", when, CONVERT_VERSION, slash ? slash + 1 : job->input,
                 *old ? "\n" : "", old);
        error = nc_put_att_text(root->ncid, NC_GLOBAL, "history", strlen(text), text);
        if (!error && !table_value(job, "/", "Conventions"))
            error = nc_put_att_text(root->ncid, NC_GLOBAL, "Conventions", 6, "CF-1.8");
    }
    free_strings(strings, 1);
    free(text);
    return text ? nc_check(job, error, job->input) : out_of_memory(job);
}

static int define_all(struct job *job, const char *output)
{
    struct item *root = &job->items[0];
    if (nc_check(job, nc_create(output, NC_NETCDF4 | NC_CLOBBER, &root->ncid), output) < 0)
        return -1;
    int status = write_provenance(job);
    for (size_t i = 1; i < job->item_count && !status; i++)
        if (job->items[i].is_group)
            status = define_group(job, &job->items[i]);
    for (size_t i = 0; i < job->dim_count && !status; i++)
        if (job->dims[i].home != NONE)
            status = define_dim(job, &job->dims[i]);
    for (size_t i = 0; i < job->item_count && !status; i++) {
        if (job->items[i].is_group)
            status = copy_attributes(job, &job->items[i], NC_GLOBAL);
        else if (job->items[i].is_variable)
            status = define_variable(job, &job->items[i]);
    }
    int error = nc_close(root->ncid);
    return status ? status : nc_check(job, error, job->input);
}

/* ---- Moving the data ---- */

/* How much of each axis to move at once: whole chunks, the last axes first, up to about BOX_BYTES. */
static void plan_box(const struct item *item, size_t element, hsize_t box[RANK])
{
    hid_t plist = H5Dget_create_plist(item->id);
    hsize_t total = element, chunk[RANK];
    int chunked = item->rank > 0 && H5Pget_layout(plist) == H5D_CHUNKED && H5Pget_chunk(plist, RANK, chunk) == item->rank;

    H5Pclose(plist);
    for (int i = 0; i < item->rank; i++) {
        box[i] = chunked && chunk[i] < item->length[i] ? chunk[i] : chunked ? item->length[i] : 1;
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
static int next_box(const struct item *item, const hsize_t box[RANK], hsize_t start[RANK])
{
    for (int i = item->rank - 1; i >= 0; i--) {
        start[i] += box[i];
        if (start[i] < item->length[i])
            return 1;
        start[i] = 0;
    }
    return 0;
}

/* Selects a box of the file's space, cut off at its end; returns the memory's space. */
static hid_t select_box(const struct item *item, hid_t space, const hsize_t box[RANK], const hsize_t start[RANK], size_t *count)
{
    hsize_t size[RANK];
    *count = 1;
    for (int i = 0; i < item->rank; i++) {
        size[i] = item->length[i] - start[i] < box[i] ? item->length[i] - start[i] : box[i];
        *count *= (size_t)size[i];
    }
    if (item->rank == 0)
        return H5Screate(H5S_SCALAR);
    H5Sselect_hyperslab(space, H5S_SELECT_SET, start, NULL, size, NULL);
    return H5Screate_simple(item->rank, size, NULL);
}

/* One box: HDF5 turns the input's type into the output's in reading. */
static int move_box(struct job *job, const struct item *item, hid_t to, hid_t types[2], hid_t spaces[2], size_t count, void *buffer)
{
    if (item->type != NC_STRING) {
        if (H5Dread(item->id, types[0], spaces[0], spaces[1], H5P_DEFAULT, buffer) < 0)
            return fail(job, STATUS_INPUT, "cannot read", item->path);
        if (H5Dwrite(to, types[1], spaces[0], spaces[1], H5P_DEFAULT, buffer) < 0)
            return fail(job, STATUS_WRITE, "cannot write", item->path);
        return 0;
    }
    char **strings = read_strings(item->id, types[0], count, spaces[0], spaces[1]);
    if (!strings)
        return fail(job, STATUS_INPUT, "cannot read", item->path);
    herr_t written = H5Dwrite(to, types[1], spaces[0], spaces[1], H5P_DEFAULT, strings);
    free_strings(strings, count);
    return written < 0 ? fail(job, STATUS_WRITE, "cannot write", item->path) : 0;
}

static int move_boxes(struct job *job, const struct item *item, hid_t to)
{
    hid_t from_type = H5Dget_type(item->id), to_type = H5Dget_type(to), space = H5Dget_space(item->id);
    int bits = H5Tget_class(from_type) == H5T_BITFIELD, is_text = item->type == NC_STRING, status = 0;
    size_t element = is_text ? 64 + H5Tget_size(from_type) : H5Tget_size(to_type), count;
    hsize_t box[RANK], start[RANK] = {0}, room = element;
    hid_t types[2] = {bits || is_text ? from_type : to_type, to_type};

    plan_box(item, element, box);
    for (int i = 0; i < item->rank; i++)
        room *= box[i];
    void *buffer = malloc(is_text ? 1 : (size_t)room);
    if (!buffer)
        status = out_of_memory(job);
    do {
        if (status)
            break;
        hid_t memory = select_box(item, space, box, start, &count);
        status = move_box(job, item, to, types, (hid_t[2]){memory, space}, count, buffer);
        H5Sclose(memory);
    } while (next_box(item, box, start));
    free(buffer);
    H5Sclose(space);
    H5Tclose(to_type);
    H5Tclose(from_type);
    return status;
}

/* Whether what was never written reads the same in the output as in the input. */
static int same_fill(const struct item *item, hid_t to)
{
    unsigned char values[2][8] = {0};
    hid_t plists[2] = {H5Dget_create_plist(item->id), H5Dget_create_plist(to)}, type = native_type(item->type);
    int read = item->type != NC_STRING && H5Pget_fill_value(plists[0], type, values[0]) >= 0
        && H5Pget_fill_value(plists[1], type, values[1]) >= 0;
    H5Pclose(plists[0]);
    H5Pclose(plists[1]);
    return read && !memcmp(values[0], values[1], sizeof values[0]);
}

static hid_t open_output(hid_t file, const struct item *item)
{
    char *slash = strrchr(item->output, '/'), *hidden = malloc(strlen(item->output) + 32);
    hid_t id = -1;
    if (hidden) {
        sprintf(hidden, "%.*s_nc4_non_coord_%s", (int)(slash + 1 - item->output), item->output, slash + 1);
        int is_hidden = H5Lexists(file, hidden, H5P_DEFAULT) > 0;
        id = H5Dopen2(file, is_hidden ? hidden : item->output, H5P_DEFAULT);
    }
    free(hidden);
    return id;
}

static int move_variable(struct job *job, const struct item *item, hid_t file)
{
    hid_t to = open_output(file, item);
    hsize_t elements = 1;
    int extensible = 0, status = 0;

    if (to < 0)
        return fail(job, STATUS_WRITE, "cannot write", item->path);
    for (int i = 0; i < item->rank; i++) {
        elements *= item->length[i];
        extensible |= job->dims[item->dim[i]].unlimited;
    }
    if (extensible && H5Dset_extent(to, item->length) < 0)
        status = fail(job, STATUS_WRITE, "cannot write", item->path);
    if (!status && elements > 0 && (H5Dget_storage_size(item->id) > 0 || !same_fill(item, to)))
        status = move_boxes(job, item, to);
    if (H5Dclose(to) < 0 && !status)
        status = fail(job, STATUS_WRITE, "cannot write", item->path);
    job->report->converted += !status;
    return status;
}

static int move_all(struct job *job, const char *output)
{
    hid_t file = H5Fopen(output, H5F_ACC_RDWR, H5P_DEFAULT);
    int status = file < 0 ? fail(job, STATUS_WRITE, "cannot write", output) : 0;
    for (size_t i = 0; i < job->item_count && !status; i++)
        if (job->items[i].is_variable)
            status = move_variable(job, &job->items[i], file);
    if (file >= 0 && H5Fclose(file) < 0 && !status)
        status = fail(job, STATUS_WRITE, "cannot write", output);
    return status;
}

static int open_input(struct job *job)
{
    job->file = H5Fopen(job->input, H5F_ACC_RDONLY, H5P_DEFAULT);
    if (job->file < 0)
        return fail(job, STATUS_INPUT, "cannot read", job->input);
    hid_t root = H5Gopen2(job->file, "/", H5P_DEFAULT);
    H5O_info_t info;
    if (root < 0 || H5Oget_info2(root, &info, H5O_INFO_BASIC) < 0)
        return fail(job, STATUS_INPUT, "cannot read", job->input);
    struct item *item = add_item(job, root, "/", "/", 0);
    if (!item)
        return out_of_memory(job);
    item->is_group = 1;
    item->address = info.addr;
    return walk(job, 0);
}

static void release(struct job *job)
{
    for (size_t i = 0; i < job->item_count; i++) {
        free(job->items[i].path);
        free(job->items[i].name);
        free(job->items[i].output);
        H5Oclose(job->items[i].id);
    }
    for (size_t i = 0; i < job->dim_count; i++)
        free(job->dims[i].name);
    free(job->items);
    free(job->dims);
    if (job->file >= 0)
        H5Fclose(job->file);
}

int convert_file(const char *input, const char *output, const struct tables *tables, struct report *report)
{
    struct job job = {.input = input, .tables = tables, .report = report, .file = -1};
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    int status = open_input(&job);
    if (!status)
        status = find_dims(&job);
    if (!status)
        status = define_all(&job, output);
    if (!status)
        status = move_all(&job, output);
    release(&job);
    return status;
}
