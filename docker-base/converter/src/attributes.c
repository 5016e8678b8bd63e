/* attributes.c: the input's attributes.  SPDX-License-Identifier: Apache-2.0
 *
 * As netCDF-4 keeps them: one string is fixed in length (NC_CHAR), several are variable (NC_STRING). */
#include "engine.h"

#include <math.h>

#define NO_FILL "it is not a single value of the variable's type"

/* ---- Writing ---- */

static int put(hid_t object, const char *name, hid_t type, hid_t space, const void *values)
{
    hid_t attribute = H5Acreate2(object, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    int status = attribute < 0 || (values && H5Awrite(attribute, type, values) < 0) ? -1 : 0;
    hid_t errors = keep_errors(status < 0);
    if (attribute >= 0)
        H5Aclose(attribute);
    H5Sclose(space);
    put_back_errors(errors);
    return status;
}

/* Writes `count` values as an attribute of one axis; returns 0 or -1. */
int put_values(hid_t object, const char *name, hid_t type, size_t count, const void *values)
{
    hsize_t length = count;
    hid_t space = count ? H5Screate_simple(1, &length, NULL) : H5Screate(H5S_NULL);
    return put(object, name, type, space, count ? values : NULL);
}

/* Writes a number that the format itself needs as a scalar: h5netcdf reads nothing else. */
int put_number(hid_t object, const char *name, int number)
{
    return put(object, name, H5T_NATIVE_INT, H5Screate(H5S_SCALAR), &number);
}

/* A string of HDF5's own, with its final zero. */
int put_c_string(hid_t object, const char *name, const char *text)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, strlen(text) + 1);
    int status = put(object, name, type, H5Screate(H5S_SCALAR), text);
    H5Tclose(type);
    return status;
}

/* netCDF's text, an NC_CHAR attribute: any bytes, zero ones too. */
int put_chars(hid_t object, const char *name, const char *text, size_t length)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, length ? length : 1);
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] >= 0x80)
            H5Tset_cset(type, H5T_CSET_UTF8);
    int status = put(object, name, type, H5Screate(length ? H5S_SCALAR : H5S_NULL), length ? text : NULL);
    H5Tclose(type);
    return status;
}

int put_text(struct job *job, hid_t object, const char *name, const char *text)
{
    return put_chars(object, name, text, strlen(text)) < 0 ? fail(job, STATUS_WRITE, "cannot write the attribute", name)
        : 0;
}

/* ---- The input's ---- */

static int is_one_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(name, names[i]))
            return 1;
    return 0;
}

/* How HDF5 and netCDF-4 store dimensions of datasets, and more of the whole file. */
static const struct structural { const char *name; H5T_class_t class; int is_global; } structural[] = {
    {"DIMENSION_LIST", H5T_VLEN, 0}, {"REFERENCE_LIST", H5T_COMPOUND, 0}, {"_Netcdf4Dimid", H5T_INTEGER, 0},
    {"_Netcdf4Coordinates", H5T_INTEGER, 0}, {"_NCProperties", H5T_STRING, 1}, {"_nc3_strict", H5T_INTEGER, 1},
};

static const struct structural *find_structural(const char *name)
{
    for (size_t i = 0; i < ROWS(structural); i++)
        if (!strcmp(name, structural[i].name))
            return &structural[i];
    return NULL;
}

/* Whether the attribute has the type and the owner that its structural name asks for. */
static int is_bookkeeping(const struct item *item, const char *name)
{
    const struct structural *as = find_structural(name);
    if (!as || H5Aexists(item->id, name) <= 0)
        return 0;
    hid_t attribute = H5Aopen(item->id, name, H5P_DEFAULT), type = H5Aget_type(attribute);
    int is_real = H5Tget_class(type) == as->class && (as->is_global ? !strcmp(item->path, "/")
                                                      : H5Iget_type(item->id) == H5I_DATASET);
    H5Tclose(type);
    H5Aclose(attribute);
    return is_real;
}

static int is_scale_mark(const char *name)
{
    return !strcmp(name, "CLASS") || !strcmp(name, "NAME");
}

/* Tells of an attribute that is in the product, but that the netCDF library shows nobody. */
void tell_if_hidden(struct job *job, const char *path, const char *name)
{
    static const char *const names[] = {"_IsNetcdf4", "_SuperblockVersion", "_Format"};
    if (is_scale_mark(name) || is_one_of(name, names, ROWS(names)))
        tell(job, NOTED, path, name, "kept, but the netCDF library hides attributes of this name");
}

/* Attributes that say how HDF5 or netCDF-4 stored the input, or that the tables or the engine set. */
int is_replaced(const struct job *job, const struct item *item, const char *name)
{
    if (job->classic < 0 && is_bookkeeping(item, name))
        return 1;
    if (!strcmp(item->path, "/") && (!strcmp(name, "Conventions") || !strcmp(name, "history")))
        return 1;
    int is_scale = item->is_scale || (item->is_group && H5Iget_type(item->id) == H5I_DATASET && is_scale_mark(name)
                                      && attribute_starts(item->id, "CLASS", "DIMENSION_SCALE"));
    return (is_scale && is_scale_mark(name)) || table_value(job, item, name);
}

/* NULL, or why the output cannot have the attribute under this name. */
const char *is_occupied(const struct job *job, const struct item *item, const char *name)
{
    if (find_structural(name))
        return "netCDF-4 uses the name itself";
    if (is_scale_mark(name) && is_coordinate(job, item))
        return "HDF5 uses the name for dimension scales";
    return H5Aexists(item->to, name) > 0 ? "another attribute has its name" : NULL;
}

/* Writes a text that may name variables, unless it has nothing left to name. */
static int put_followed(struct job *job, const struct item *item, const char *name, char *text)
{
    char *followed = follow_names(job, item, name, text);
    int is_gone = followed && followed != text && !*followed;
    int status = !followed ? -1 : is_gone ? 0 : put_text(job, item->to, name, followed);
    if (followed != text)
        free(followed);
    return status;
}

/* Returns NULL, or why the strings cannot be written. */
static const char *copy_strings(struct job *job, const struct item *item, const char *name, hid_t attribute, hid_t type,
                                size_t count)
{
    if (count == 0)
        return put_text(job, item->to, name, "") < 0 ? "it cannot be written" : NULL;
    int marks = 0;
    char **strings = read_strings(attribute, type, count, H5S_ALL, H5S_ALL, &marks);
    if (!strings)
        return "it cannot be read";
    hid_t text = string_type();
    int is_fill = item->is_variable && !strcmp(name, "_FillValue");
    int status = count == 1 && !is_fill ? put_followed(job, item, name, strings[0])
        : put_values(item->to, name, text, count, strings);
    H5Tclose(text);
    free_strings(strings, count);
    tell_marks(job, item->path, name, marks);
    return status < 0 ? "it cannot be written" : NULL;
}

/* Converts a number to another type, in place; returns whether it fits. Floating-point types take the nearest value. */
int convert_number(nc_type from, nc_type to, unsigned char number[8])
{
    hid_t before = native_type(from, H5T_INTEGER), after = native_type(to, H5T_INTEGER);
    unsigned char first[8] = {0}, back[8];
    double wide = 0;
    memcpy(first, number, H5Tget_size(before));
    memcpy(number, first, 8);
    if (H5Tconvert(before, after, 1, number, NULL, H5P_DEFAULT) < 0)
        return 0;
    memset(number + H5Tget_size(after), 0, 8 - H5Tget_size(after));
    memcpy(back, number, 8);
    if (H5Tconvert(after, before, 1, back, NULL, H5P_DEFAULT) < 0)
        return 0;
    if (from == NC_DOUBLE && to == NC_FLOAT) {
        memcpy(&wide, first, 8);
        int is_finite = isfinite(wide);
        memcpy(&wide, back, 8);
        return !is_finite || isfinite(wide);
    }
    return to == NC_FLOAT || to == NC_DOUBLE || !memcmp(back, first, H5Tget_size(before));
}

/* Makes the attribute's value the variable's fill value; returns NULL, or why it cannot be one. */
const char *as_fill(const struct item *item, nc_type type, size_t count, unsigned char value[8])
{
    if (count != 1 || type == NC_STRING || is_own(item->type) || (type == NC_CHAR) != (item->type == NC_CHAR))
        return NO_FILL;
    return type == NC_CHAR || convert_number(type, item->type, value) ? NULL : "it does not fit the variable's type";
}

int put_fill_value(const struct item *item, const unsigned char fill[8])
{
    if (item->own) {
        uint64_t bits = enum_bits(item, fill);
        return put_values(item->to, "_FillValue", item->write, 1, &bits);
    }
    return item->type == NC_CHAR ? put_chars(item->to, "_FillValue", (const char *)fill, 1)
        : put_values(item->to, "_FillValue", native_type(item->type, H5T_INTEGER), 1, fill);
}

/* The fill value of a variable that does not hold strings; returns NULL, or why it cannot be written. */
static const char *copy_fill(const struct item *item, hid_t attribute, hid_t type, size_t count)
{
    nc_type as = netcdf_type(type);
    hid_t memory = as == NC_CHAR ? type : native_type(as, H5Tget_class(type));
    unsigned char fill[8] = {0};
    if (count == 1 && as != NC_STRING && H5Aread(attribute, memory, fill) < 0)
        return "it cannot be read";
    const char *why = as_fill(item, as, count, fill);
    return why ? why : put_fill_value(item, fill) < 0 ? "it cannot be written" : NULL;
}

/* Copies the values of `attribute`; returns NULL, or why they cannot be written. */
static const char *copy_values(struct job *job, const struct item *item, const char *name, hid_t attribute, hid_t type,
                               size_t count)
{
    int is_fill = item->is_variable && !strcmp(name, "_FillValue");
    nc_type as = netcdf_type(type);

    if (as == NC_NAT)
        return type_name(type);
    int is_text = as == NC_STRING || as == NC_CHAR;
    if (is_fill && item->type != NC_STRING)
        return copy_fill(item, attribute, type, count);
    if (is_fill && (count != 1 || !is_text))
        return NO_FILL;
    if (is_text)
        return copy_strings(job, item, name, attribute, type, count);
    void *values = count < SIZE_MAX / 8 ? malloc(8 * count + 8) : NULL;
    hid_t memory = native_type(as, H5Tget_class(type));
    const char *why = !values || (count > 0 && H5Aread(attribute, memory, values) < 0) ? "it cannot be read"
        : put_values(item->to, name, native_type(as, H5T_INTEGER), count, values) < 0 ? "it cannot be written" : NULL;
    free(values);
    return why;
}

/* What is not as it was about an attribute that is in the product. */
static void tell_changes(struct job *job, const char *path, const char *name, const char *legal, hid_t type,
                         hid_t space)
{
    if (strcmp(legal, name))
        tell(job, NOTED, path, name, "converted as '%s': netCDF forbids its name", legal);
    if (H5Sget_simple_extent_ndims(space) > 1)
        tell(job, NOTED, path, name, "its values are written as a list: netCDF attributes have no shape");
    if (H5Tget_class(type) == H5T_ENUM)
        tell(job, NOTED, path, name, "its numbers are kept, the names of its enumeration are not");
    tell_if_hidden(job, path, legal);
}

struct target {
    struct job *job;
    const struct item *item;
};

static herr_t copy_attribute(hid_t object, const char *name, const H5A_info_t *info, void *data)
{
    const struct target *target = data;
    struct job *job = target->job;
    const char *path = target->item->path, *why = NULL;
    char newer[256];
    (void)info;
    if (is_replaced(job, target->item, name))
        return 0;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    hssize_t count = H5Sget_simple_extent_type(space) == H5S_NULL ? 0 : H5Sget_simple_extent_npoints(space);
    char *legal = legal_name(name);
    int status = 0;

    if ((attribute < 0 || type < 0) && is_newer(newer, sizeof newer))
        why = newer;
    else if (attribute < 0 || type < 0 || count < 0)
        status = fail(job, STATUS_INPUT, "cannot read an attribute of", path);
    else if (!legal)
        status = out_of_memory(job);
    else if (strcmp(legal, name) && (is_replaced(job, target->item, legal) || H5Aexists(object, legal) > 0))
        why = "netCDF forbids its name, and another attribute has the legal one";
    else if (!(why = is_occupied(job, target->item, legal)))
        why = copy_values(job, target->item, legal, attribute, type, (size_t)count);
    if (why)
        tell(job, LEFT_OUT, path, name, "%s", why);
    else if (!status)
        tell_changes(job, path, name, legal, type, space);
    free(legal);
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return status;
}

/* ---- Fill values and enumerations ---- */

/* netCDF fills with this unless told otherwise, without naming it. */
int is_netcdf_fill(nc_type type, const unsigned char fill[8])
{
    union {
        int8_t i1; uint8_t u1; int16_t i2; uint16_t u2; int32_t i4; uint32_t u4; int64_t i8; uint64_t u8;
        float f4; double f8;
        unsigned char bytes[8];
    } standard = {.bytes = {0}};
    switch (type) {
    case NC_BYTE: standard.i1 = NC_FILL_BYTE; break;
    case NC_UBYTE: standard.u1 = NC_FILL_UBYTE; break;
    case NC_SHORT: standard.i2 = NC_FILL_SHORT; break;
    case NC_USHORT: standard.u2 = NC_FILL_USHORT; break;
    case NC_INT: standard.i4 = NC_FILL_INT; break;
    case NC_UINT: standard.u4 = NC_FILL_UINT; break;
    case NC_INT64: standard.i8 = NC_FILL_INT64; break;
    case NC_UINT64: standard.u8 = NC_FILL_UINT64; break;
    case NC_FLOAT: standard.f4 = NC_FILL_FLOAT; break;
    default: standard.f8 = NC_FILL_DOUBLE;
    }
    return !memcmp(standard.bytes, fill, sizeof standard.bytes);
}

/* Names HDF5's fill value if somebody chose it: not 0, which is the library's own. */
static int put_fill(struct job *job, const struct item *item)
{
    static const unsigned char zero[8];
    const struct storage *storage = &item->storage;
    if (!item->is_variable || item->type >= NC_STRING || !storage->has_fill || !memcmp(storage->fill, zero, sizeof zero)
        || is_netcdf_fill(item->type, storage->fill) || table_value(job, item, "_FillValue")
        || H5Aexists(item->to, "_FillValue") > 0)
        return 0;
    return put_fill_value(item, storage->fill) < 0 ? fail(job, STATUS_WRITE, "cannot write", item->path) : 0;
}

/* An enumeration is converted to its numbers. CF keeps the names in flag_values and flag_meanings, as words without
 * spaces. */
static int describe_enum(struct job *job, const struct item *item)
{
    hid_t type = item->leaf, memory = H5Tget_native_type(type, H5T_DIR_ASCEND);
    int count = H5Tget_nmembers(type), status = 0, marks = 0;
    size_t size = H5Tget_size(memory), length = 0;
    unsigned char *values = calloc((size_t)(count > 0 ? count : 1), 8);
    char *meanings = calloc(1, 1);

    for (int i = 0; values && meanings && i < count; i++) {
        char *member = H5Tget_member_name(memory, (unsigned)i), *name = member ? utf8_copy(member, &marks) : NULL;
        H5Tget_member_value(memory, (unsigned)i, values + (size_t)i * size);
        for (char *c = name; c && *c; c++)
            *c = *c == ' ' ? '_' : *c;
        char *longer = name ? realloc(meanings, length + strlen(name) + 2) : NULL;
        if (longer) {
            meanings = longer;
            length += (size_t)sprintf(meanings + length, "%s%s", i ? " " : "", name);
        }
        free(name);
        H5free_memory(member);
    }
    if (table_value(job, item, "flag_values") || table_value(job, item, "flag_meanings"))
        count = 0;              /* the table has its own, or none */
    else if (H5Aexists(item->to, "flag_values") > 0 || H5Aexists(item->to, "flag_meanings") > 0)
        tell(job, NOTED, item->path, NULL, "the names of its enumeration are left out: it has flags");
    else if (values && meanings && count > 0 && size <= 8) {
        status = put_values(item->to, "flag_values", native_type(item->type, H5T_INTEGER), (size_t)count, values) < 0
            ? fail(job, STATUS_WRITE, "cannot write", item->path) : put_text(job, item->to, "flag_meanings", meanings);
        tell_marks(job, item->path, "flag_meanings", marks);
    }
    free(values);
    free(meanings);
    H5Tclose(memory);
    return status;
}

/* What HDF5 calls a scale, if that is more than its path: netCDF has another use for the attribute NAME. */
static int put_scale_name(struct job *job, const struct item *item)
{
    char *name = attribute_text(item->id, "NAME");
    const char *own = strrchr(item->path, '/') + 1, *last = name ? strrchr(name, '/') : NULL;
    int says_more = name && *name && strcmp(last ? last + 1 : name, own) && strncmp(name, "This is a netCDF", 16);
    int status = says_more && !table_value(job, item, "long_name") && H5Aexists(item->to, "long_name") <= 0
        ? put_text(job, item->to, "long_name", name) : 0;
    free(name);
    return status;
}

/* ---- All of them ---- */

int copy_attributes(struct job *job, const struct item *item)
{
    struct target target = {job, item};
    char why[256];
    hsize_t position = 0;
    if (item->is_field)         /* the dataset's attributes are those of the group */
        return put_table_attributes(job, item) < 0 || put_fill(job, item) < 0 ? -1
            : item->from == H5T_ENUM ? describe_enum(job, item) : 0;
    if (job->classic >= 0 ? copy_classic_attributes(job, item) < 0
        : H5Aiterate2(item->id, H5_INDEX_CRT_ORDER, H5_ITER_INC, &position, copy_attribute, &target) < 0) {
        if (job->report->status || job->classic >= 0 || !is_newer(why, sizeof why))
            return fail(job, STATUS_INPUT, "cannot read the attributes of", item->path);
        tell(job, LEFT_OUT, item->path, NULL, "its attributes and the names of its dimensions: of an attribute %s",
             why);
    }
    if (item->is_type)
        return 0;
    if (put_table_attributes(job, item) < 0 || put_fill(job, item) < 0)
        return -1;
    if (item->is_scale && item->is_variable && put_scale_name(job, item) < 0)
        return -1;
    return item->is_variable && item->from == H5T_ENUM ? describe_enum(job, item) : 0;
}
