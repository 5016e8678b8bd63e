/* types.c: netCDF-4's own types: compound, enumerated, opaque, of variable length.  SPDX-License-Identifier: Apache-2.0
 *
 * NetCDF-4 keeps such a type under a name, a committed data type of HDF5, in the group of its variable or above it.
 * Each type is made twice for memory, with the same bytes: as the input's values are read, and as the output's are
 * written.  They differ where HDF5 does not convert: bits are read as bits and written as numbers, text of a fixed
 * length is read as text and written as the array of characters that netCDF knows. */
#include "engine.h"

enum { DEEPEST = 32 };          /* types in each other */

struct pair {
    hid_t read, write;
};

static const char *make_pair(hid_t type, int depth, struct pair *pair);

int is_own(nc_type type)
{
    return type > NC_STRING;
}

static void close_pair(struct pair *pair)
{
    if (pair->read > 0)
        H5Tclose(pair->read);
    if (pair->write > 0)
        H5Tclose(pair->write);
    *pair = (struct pair){-1, -1};
}

/* Whether values of the type are of any length: HDF5 stores them elsewhere, and netCDF allows no filters then. */
int has_any_length(hid_t type)
{
    H5T_class_t class = H5Tget_class(type);
    int count = class == H5T_COMPOUND ? H5Tget_nmembers(type) : class == H5T_ARRAY ? 1 : 0;
    int answer = class == H5T_VLEN || H5Tis_variable_str(type) > 0;
    for (int i = 0; i < count && !answer; i++) {
        hid_t part = class == H5T_COMPOUND ? H5Tget_member_type(type, (unsigned)i) : H5Tget_super(type);
        answer = has_any_length(part);
        H5Tclose(part);
    }
    return answer;
}

/* ---- How values of a type are read and written ---- */

static const char *text_pair(hid_t type, struct pair *pair)
{
    hsize_t length = H5Tget_size(type);
    pair->read = H5Tcopy(type);
    pair->write = H5Tis_variable_str(type) > 0 ? string_type() : length == 1 ? H5Tcopy(H5T_C_S1)
        : H5Tarray_create2(H5T_C_S1, 1, &length);
    return NULL;
}

static const char *number_pair(hid_t type, struct pair *pair)
{
    nc_type as = netcdf_type(type);
    if (as == NC_NAT)
        return type_name(type);
    pair->write = file_type(as, H5Tget_size(type) > 1 && H5Tget_order(type) == H5T_ORDER_BE);
    pair->read = H5Tcopy(H5Tget_class(type) == H5T_BITFIELD ? type : pair->write);
    return NULL;
}

/* Adds a member of the input's enumeration to the output's, under a name that netCDF accepts; returns whether it
 * could. */
static int add_enum_member(hid_t from, unsigned index, hid_t to)
{
    unsigned char value[64] = {0};
    char *name = H5Tget_member_name(from, index), *text = name ? legal_name(name) : NULL;
    hid_t own = H5Tget_super(from), target = H5Tget_super(to);
    int is_added = text && *text && H5Tget_size(own) <= sizeof value
        && H5Tget_member_value(from, index, value) >= 0
        && H5Tconvert(own, target, 1, value, NULL, H5P_DEFAULT) >= 0 && H5Tenum_insert(to, text, value) >= 0;
    H5Tclose(own);
    H5Tclose(target);
    free(text);
    H5free_memory(name);
    return is_added;
}

/* Numbers are read, since HDF5 converts enumerations by their names, and loses values without one.  The netCDF library
 * opens no file with a big-endian enumeration. */
static const char *enum_pair(hid_t type, struct pair *pair)
{
    nc_type as = netcdf_type(type);
    int count = H5Tget_nmembers(type);
    if (as == NC_NAT)
        return type_name(type);
    pair->read = file_type(as, 0);
    pair->write = H5Tenum_create(pair->read);
    for (int i = 0; i < count; i++)
        if (!add_enum_member(type, (unsigned)i, pair->write))
            return "two names of its enumeration would be the same, or empty";
    return count > 0 ? NULL : "its enumeration has no names";
}

/* netCDF knows arrays in a compound, of any type that is no array itself; netCDF4-python opens no file with arrays of
 * compounds there. */
static const char *array_pair(hid_t type, int depth, struct pair *pair)
{
    hsize_t lengths[RANK], all[RANK], inner_lengths[RANK];
    hid_t base = H5Tget_super(type);
    struct pair inner = {-1, -1};
    const char *why = make_pair(base, depth, &inner);
    int rank = H5Tget_array_dims2(type, lengths), inner_rank = 0;
    H5Tclose(base);
    if (!why && H5Tget_class(inner.write) == H5T_ARRAY)
        inner_rank = H5Tget_array_dims2(inner.write, inner_lengths);
    if (!why && H5Tget_class(inner.write) == H5T_COMPOUND)
        why = "arrays of compounds in a compound";
    if (!why && (rank < 0 || inner_rank < 0 || rank + inner_rank > RANK))
        why = "an array in it has more dimensions than HDF5 allows";
    if (!why) {
        hid_t value = inner_rank > 0 ? H5Tget_super(inner.write) : H5Tcopy(inner.write);
        memcpy(all, lengths, (size_t)rank * sizeof *all);
        memcpy(all + rank, inner_lengths, (size_t)inner_rank * sizeof *all);
        pair->read = H5Tarray_create2(inner.read, (unsigned)rank, lengths);
        pair->write = H5Tarray_create2(value, (unsigned)(rank + inner_rank), all);
        H5Tclose(value);
    }
    close_pair(&inner);
    return why;
}

static const char *sequence_pair(hid_t type, int depth, struct pair *pair)
{
    hid_t base = H5Tget_super(type);
    struct pair inner = {-1, -1};
    const char *why = make_pair(base, depth, &inner);
    H5Tclose(base);
    if (!why && H5Tget_class(inner.write) == H5T_ARRAY)
        why = "sequences of arrays, or of text of a fixed length";
    if (!why) {
        pair->read = H5Tvlen_create(inner.read);
        pair->write = H5Tvlen_create(inner.write);
    }
    close_pair(&inner);
    return why;
}

/* Puts a member behind the `size` bytes of the others. */
static const char *add_member(hid_t type, unsigned index, int depth, struct pair *pair, size_t *size)
{
    hid_t own = H5Tget_member_type(type, index);
    struct pair member = {-1, -1};
    const char *why = make_pair(own, depth, &member);
    char *name = H5Tget_member_name(type, index), *legal = name ? legal_name(name) : NULL;
    if (!why) {
        size_t larger = *size + H5Tget_size(member.write);
        int is_added = legal && *legal && H5Tset_size(pair->read, larger) >= 0 && H5Tset_size(pair->write, larger) >= 0
            && H5Tinsert(pair->read, name, *size, member.read) >= 0
            && H5Tinsert(pair->write, legal, *size, member.write) >= 0;
        why = is_added ? NULL : "two of its fields would have the same name";
        *size = larger;
    }
    close_pair(&member);
    free(legal);
    H5free_memory(name);
    H5Tclose(own);
    return why;
}

static const char *compound_pair(hid_t type, int depth, struct pair *pair)
{
    int count = H5Tget_nmembers(type);
    size_t size = 0;
    const char *why = NULL;
    pair->read = H5Tcreate(H5T_COMPOUND, 1);
    pair->write = H5Tcreate(H5T_COMPOUND, 1);
    for (int i = 0; i < count && !why; i++)
        why = add_member(type, (unsigned)i, depth, pair, &size);
    return why;
}

/* Makes both types, or returns why there are none. */
static const char *make_pair(hid_t type, int depth, struct pair *pair)
{
    if (depth > DEEPEST)
        return "types nested more than 32 deep";
    switch (H5Tget_class(type)) {
    case H5T_STRING: return text_pair(type, pair);
    case H5T_ENUM: return enum_pair(type, pair);
    case H5T_OPAQUE:            /* without the tag, which netCDF does not know */
        pair->read = H5Tcopy(type);
        pair->write = H5Tcreate(H5T_OPAQUE, H5Tget_size(type));
        return NULL;
    case H5T_ARRAY: return array_pair(type, depth + 1, pair);
    case H5T_VLEN: return sequence_pair(type, depth + 1, pair);
    case H5T_COMPOUND: return compound_pair(type, depth + 1, pair);
    default: return number_pair(type, pair);
    }
}

/* Makes the types in memory of a value that netCDF-4 keeps in a type of its own; returns NULL, or what of it is not
 * supported. */
const char *own_types(hid_t type, hid_t *read, hid_t *write)
{
    struct pair pair = {-1, -1};
    const char *why = make_pair(type, 0, &pair);
    if (!why && (pair.read < 0 || pair.write < 0))
        why = type_name(type);
    if (why)
        close_pair(&pair);
    *read = pair.read;
    *write = pair.write;
    return why;
}

/* Describes a value of a class that is none of netCDF's numbers and text; returns NULL, or why it is not supported. */
const char *describe_own(struct item *item)
{
    H5T_class_t class = H5Tget_class(item->leaf);
    static const nc_type kinds[] = {[H5T_COMPOUND] = NC_COMPOUND, [H5T_OPAQUE] = NC_OPAQUE, [H5T_VLEN] = NC_VLEN};
    hid_t read = -1, write = -1;
    const char *why = (size_t)class < ROWS(kinds) && kinds[class] ? own_types(item->leaf, &read, &write)
        : type_name(item->leaf);
    if (why)
        return why;
    item->type = kinds[class];
    item->read = read;
    item->write = write;
    item->own = NONE;
    return NULL;
}

/* Makes the variable one of netCDF's enumerations, if netCDF can hold the names. */
void describe_enum_type(struct item *item)
{
    hid_t read = -1, write = -1;
    if (own_types(item->leaf, &read, &write))
        return;
    H5Tclose(item->read);
    H5Tclose(item->write);
    item->big_endian = 0;
    item->read = read;
    item->write = write;
    item->own = NONE;
}

/* ---- Their names ---- */

/* Adds a data type that the input has under a name: one of netCDF-4's own classes.  Takes over `id`. */
int add_named_type(struct job *job, hid_t id, haddr_t address, const char *path, const char *name, size_t parent)
{
    H5T_class_t class = H5Tget_class(id);
    int is_kept = class == H5T_COMPOUND || class == H5T_ENUM || class == H5T_OPAQUE || class == H5T_VLEN;
    hid_t read = -1, write = -1;
    const char *why = is_kept ? own_types(id, &read, &write) : "a name for a type of numbers, text or references";
    int is_dropped = !strcmp(COLUMN(job, path, name), DROP);
    struct item *item = why || is_dropped ? NULL : add_item(job, id, path, name, parent);
    if (item) {
        item->is_type = 1;
        item->address = address;
        item->write = write;
    } else {
        H5Oclose(id);
        if (write > 0)
            H5Tclose(write);
    }
    if (read > 0)
        H5Tclose(read);
    if (is_dropped)
        tell(job, ASKED, path, NULL, "dropped by the table");
    else if (why)
        tell(job, LEFT_OUT, path, NULL, "named data type: not supported: %s", why);
    return item || why || is_dropped ? 0 : out_of_memory(job);
}

/* Whether the group is `above`, or lies in it. */
static int is_within(const struct job *job, size_t group, size_t above)
{
    while (group > above)
        group = job->items[group].parent;
    return group == above;
}

/* Equal types have one key. HDF5 finds types equal whose members have another order. */
static uint64_t type_key(hid_t type)
{
    H5T_class_t class = H5Tget_class(type);
    int count = class == H5T_COMPOUND || class == H5T_ENUM ? H5Tget_nmembers(type) : 0;
    uint64_t key = hash_number((uint64_t)class, H5Tget_size(type));
    for (int i = 0; i < count; i++) {
        char *name = H5Tget_member_name(type, (unsigned)i);
        key += hash_name(0, name ? name : "");
        H5free_memory(name);
    }
    return key;
}

/* Lets others find the type of an item. */
static int remember_type(struct job *job, size_t index)
{
    return lookup_add(&job->types, type_key(job->items[index].write), index) < 0 ? out_of_memory(job) : 0;
}

/* The item of an equal type that is visible in the group, or 0. */
static size_t type_item(const struct job *job, hid_t type, size_t group)
{
    for (EACH_ENTRY(entry, &job->types, type_key(type)))
        if (is_within(job, group, job->items[entry->number].parent)
            && H5Tequal(job->items[entry->number].write, type) > 0)
            return entry->number;
    return 0;
}

static size_t plan_type(struct job *job, hid_t type, const char *name, size_t group);

/* Plans the types that a type is made of: 0, or -1 without memory. */
static int plan_parts(struct job *job, hid_t type, const char *name, size_t group)
{
    H5T_class_t class = H5Tget_class(type);
    int count = class == H5T_COMPOUND ? H5Tget_nmembers(type) : class == H5T_VLEN || class == H5T_ARRAY ? 1 : 0;
    size_t planned = 0;
    for (int i = 0; i < count && planned != NONE; i++) {
        hid_t part = class == H5T_COMPOUND ? H5Tget_member_type(type, (unsigned)i) : H5Tget_super(type);
        planned = plan_type(job, part, name, group);
        H5Tclose(part);
    }
    return planned == NONE ? -1 : 0;
}

/* Returns the item of the type, made in the root group as NAME_t where the input has no name for it; 0 where netCDF
 * needs no name, NONE without memory. */
static size_t plan_type(struct job *job, hid_t type, const char *name, size_t group)
{
    H5T_class_t class = H5Tget_class(type);
    int needs_name = class == H5T_COMPOUND || class == H5T_ENUM || class == H5T_OPAQUE || class == H5T_VLEN;
    size_t index = needs_name ? type_item(job, type, group) : 0;
    if (index > 0)
        return index;
    if (plan_parts(job, type, name, needs_name ? 0 : group) < 0)
        return NONE;
    if (!needs_name)
        return 0;
    char path[NC_MAX_NAME + 8];
    snprintf(path, sizeof path, "/%.*s_t", NC_MAX_NAME - 20, name);
    struct item *item = add_item(job, -1, path, path + 1, 0);
    if (!item)
        return NONE;
    item->is_type = 1;
    item->write = H5Tcopy(type);
    return remember_type(job, job->item_count - 1) < 0 ? NONE : job->item_count - 1;
}

/* ---- Enumerations ---- */

int by_bits(const void *a, const void *b)
{
    const uint64_t *first = a, *second = b;
    return (*first > *second) - (*first < *second);
}

/* The bits of a fill value as the enumeration's own numbers have them. */
uint64_t enum_bits(const struct item *item, const unsigned char fill[8])
{
    unsigned char value[8];
    uint64_t bits = 0;
    hid_t base = H5Tget_super(item->write);
    memcpy(value, fill, sizeof value);
    H5Tconvert(native_type(item->type, H5T_INTEGER), base, 1, value, NULL, H5P_DEFAULT);
    memcpy(&bits, value, H5Tget_size(base));
    H5Tclose(base);
    return bits;
}

/* Whether a value of the dataset, or its fill value, has no name: netCDF's tools stop at such a value. */
static int has_nameless(struct job *job, const struct item *item, const uint64_t *values, size_t count)
{
    unsigned char fill[8] = {0};
    uint64_t bits = enum_bits(item, item->storage.fill);
    if (table_value(job, item, "_FillValue"))
        return 1;
    if (item->storage.has_fill && !is_netcdf_fill(item->type, item->storage.fill)
        && !bsearch(&bits, values, count, sizeof *values, by_bits))
        return 1;
    if (!item->is_field && H5Aexists(item->id, "_FillValue") > 0) {
        hid_t attribute = H5Aopen(item->id, "_FillValue", H5P_DEFAULT), space = H5Aget_space(attribute);
        int is_read = H5Sget_simple_extent_npoints(space) == 1
            && H5Aread(attribute, native_type(item->type, H5T_INTEGER), fill) >= 0;
        bits = enum_bits(item, fill);
        H5Sclose(space);
        H5Aclose(attribute);
        if (!is_read || !bsearch(&bits, values, count, sizeof *values, by_bits))
            return 1;
    }
    return has_other_values(job, item, values, count);
}

/* Returns 1 where the enumeration can be netCDF's own, 0 where its numbers are kept, -1 on failure. */
static int has_all_names(struct job *job, const struct item *item)
{
    int count = H5Tget_nmembers(item->write);
    uint64_t *values = calloc((size_t)count, sizeof *values);
    if (!values)
        return out_of_memory(job);
    for (int i = 0; i < count; i++)
        H5Tget_member_value(item->write, (unsigned)i, &values[i]);
    qsort(values, (size_t)count, sizeof *values, by_bits);
    int has_other = has_nameless(job, item, values, (size_t)count);
    free(values);
    if (has_other > 0)
        tell(job, NOTED, item->path, NULL, "its numbers are kept: a value or its fill value has no name in its "
             "enumeration");
    return has_other < 0 ? -1 : !has_other;
}

/* Keeps the numbers of the enumeration. */
static void forget_enum(struct item *item)
{
    H5Tclose(item->write);
    item->write = file_type(item->type, 0);
    item->big_endian = H5Tget_size(item->leaf) > 1 && H5Tget_order(item->leaf) == H5T_ORDER_BE;
    item->own = 0;
}

/* ---- All of them ---- */

/* Finds or makes the data types that the variables need; before that, those that the input's named types consist of. */
int plan_types(struct job *job)
{
    size_t count = job->item_count;
    for (size_t i = 1; i < count; i++)
        if (job->items[i].is_type && remember_type(job, i) < 0)
            return -1;
    for (size_t i = 1; i < count; i++)
        if (job->items[i].is_type
            && plan_parts(job, job->items[i].write, job->items[i].name, job->items[i].parent) < 0)
            return out_of_memory(job);
    for (size_t i = 1; i < count; i++) {
        if (!job->items[i].is_variable || job->items[i].own != NONE)
            continue;
        int is_kept = job->items[i].from == H5T_ENUM ? has_all_names(job, &job->items[i]) : 1;
        if (is_kept < 0)
            return -1;
        if (!is_kept)
            forget_enum(&job->items[i]);
        size_t type = is_kept ? plan_type(job, job->items[i].write, job->items[i].name, job->items[i].parent) : 0;
        if (type == NONE)
            return out_of_memory(job);
        job->items[i].own = type;
    }
    return 0;
}

static int define_part(struct job *job, hid_t type, size_t group);

/* Defines the types that a type is made of. */
static int define_parts(struct job *job, hid_t type, size_t group)
{
    H5T_class_t class = H5Tget_class(type);
    int count = class == H5T_COMPOUND ? H5Tget_nmembers(type) : class == H5T_VLEN || class == H5T_ARRAY ? 1 : 0;
    int status = 0;
    for (int i = 0; i < count && !status; i++) {
        hid_t part = class == H5T_COMPOUND ? H5Tget_member_type(type, (unsigned)i) : H5Tget_super(type);
        status = define_part(job, part, group);
        H5Tclose(part);
    }
    return status;
}

static int define_part(struct job *job, hid_t type, size_t group)
{
    size_t index = type_item(job, type, group);
    return index > 0 ? define_type(job, index) : define_parts(job, type, group);
}

/* Commits a type, after those that it is made of: the netCDF library reads them in the order of their creation. */
int define_type(struct job *job, size_t index)
{
    struct item *item = &job->items[index];
    if (item->to >= 0)
        return 0;
    if (define_parts(job, item->write, item->parent) < 0)
        return -1;
    hid_t plist = H5Pcreate(H5P_DATATYPE_CREATE);
    H5Pset_obj_track_times(plist, 0);
    item->to = H5Tcopy(item->write);
    if (H5Tcommit2(job->items[item->parent].to, item->name, item->to, H5P_DEFAULT, plist, H5P_DEFAULT) < 0)
        fail(job, STATUS_WRITE, "cannot write", item->path);
    H5Pclose(plist);
    return job->report->status ? -1 : item->id < 0 ? 0 : copy_attributes(job, item);
}
