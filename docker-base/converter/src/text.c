/* text.c: strings and names, as netCDF has them: UTF-8, up to a zero byte.  SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

void free_strings(char **strings, size_t count)
{
    for (size_t i = 0; strings && i < count; i++)
        H5free_memory(strings[i]);
    free(strings);
}

/* As Unicode defines it: no longer than needed, and no half of a pair of UTF-16. */
int utf8_length(const char *text)
{
    const unsigned char *c = (const unsigned char *)text;
    int length = *c < 0x80 ? 1 : *c >= 0xc2 && *c < 0xe0 ? 2 : (*c & 0xf0) == 0xe0 ? 3
        : *c >= 0xf0 && *c < 0xf5 ? 4 : 0;
    for (int i = 1; i < length; i++)
        if ((c[i] & 0xc0) != 0x80)
            return 0;
    int is_odd = (*c == 0xe0 && c[1] < 0xa0) || (*c == 0xed && c[1] >= 0xa0) || (*c == 0xf0 && c[1] < 0x90)
        || (*c == 0xf4 && c[1] >= 0x90);
    return is_odd ? 0 : length;
}

int is_utf8(const char *text, size_t size)
{
    size_t i = 0;
    for (int length; i < size && (length = utf8_length(text + i)) > 0;)
        i += (size_t)length;
    return i >= size;
}

/* Converts Latin-1 to UTF-8 with a final zero byte; `to` has room for twice the bytes and one more. Returns the
 * length. */
size_t from_latin(const char *text, size_t size, char *to)
{
    size_t length = 0;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c >= 0x80)
            to[length++] = (char)(0xc0 | c >> 6);
        to[length++] = (char)(c >= 0x80 ? 0x80 | (c & 0x3f) : c);
    }
    to[length] = '\0';
    return length;
}

/* Makes a string UTF-8: readers of netCDF fail on anything else. */
static int make_utf8(char **string, int *marks)
{
    size_t size = strlen(*string);
    if (is_utf8(*string, size))
        return 0;
    char *text = H5allocate_memory(2 * size + 1, 0);
    if (!text)
        return -1;
    from_latin(*string, size, text);
    H5free_memory(*string);
    *string = text;
    *marks |= LATIN;
    return 0;
}

static herr_t read_any(hid_t object, hid_t type, hid_t memory, hid_t space, void *buffer)
{
    return H5Iget_type(object) == H5I_ATTR ? H5Aread(object, type, buffer)
        : H5Dread(object, type, memory, space, H5P_DEFAULT, buffer);
}

/* What strings of any length hold where none was written, or NULL: HDF5 can fill with nothing but empty ones, and reads
 * no chunk that is not stored. */
char *string_fill(const struct item *item, int *marks)
{
    char *fill = NULL;
    H5D_fill_value_t state = H5D_FILL_VALUE_UNDEFINED;
    hid_t plist = H5Dget_create_plist(item->id);
    if (H5Tis_variable_str(item->leaf) > 0 && item->element_rank == 0 && H5Pfill_value_defined(plist, &state) >= 0
        && state == H5D_FILL_VALUE_USER_DEFINED && H5Pget_fill_value(plist, item->read, &fill) < 0)
        fill = NULL;
    if (fill && (!*fill || make_utf8(&fill, marks) < 0)) {
        H5free_memory(fill);
        fill = NULL;
    }
    H5Pclose(plist);
    return fill;
}

/* Returns the length of a padded string without its padding. */
size_t unpadded(const char *text, size_t size, char padding)
{
    while (size > 0 && text[size - 1] == padding)
        size--;
    return size;
}

/* Copies `count` strings of `size` bytes from `block`, without the padding of `type`. A zero byte ends a string;
 * `*marks` tell whether a padded string continues after it. */
static int cut_strings(char **strings, const char *block, size_t count, size_t size, hid_t type, int *marks)
{
    H5T_str_t padding = H5Tget_strpad(type);
    int by_spaces = padding == H5T_STR_SPACEPAD;
    for (size_t i = 0; i < count; i++) {
        const char *text = block + i * size;
        size_t length = strnlen(text, size);
        if (padding != H5T_STR_NULLTERM && length < unpadded(text, size, by_spaces ? ' ' : '\0'))
            *marks |= CUT;
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

/* `count` strings of a dataset's selection, or of an attribute, read as type `as`; NULL where they cannot be read.
 * `*marks` say what tell_marks() tells. */
static char **read_strings_as(hid_t object, hid_t type, hid_t as, size_t count, hid_t memory, hid_t space, int *marks)
{
    size_t size = H5Tget_size(type);
    char **strings = calloc(count + 1, sizeof *strings), *block = NULL;
    int done = -1;

    if (!strings)
        return NULL;
    if (H5Tis_variable_str(type) > 0) {
        done = read_any(object, as, memory, space, strings) < 0 ? -1 : 0;
        for (size_t i = 0; i < count && !done; i++)
            if (!strings[i])    /* never written: HDF5 has no string here, netCDF an empty one */
                strings[i] = H5allocate_memory(1, 1);
    } else if (count < SIZE_MAX / (size + 1) && (block = malloc(count * size + 1)) != NULL) {
        if (read_any(object, as, memory, space, block) >= 0)
            done = cut_strings(strings, block, count, size, type, marks);
        free(block);
    }
    hid_t errors = keep_errors(done < 0);
    for (size_t i = 0; i < count && !done; i++)
        done = make_utf8(&strings[i], marks);
    if (done < 0) {
        free_strings(strings, count);
        strings = NULL;
        put_back_errors(errors);
    }
    return strings;
}

char **read_strings(hid_t object, hid_t type, size_t count, hid_t memory, hid_t space, int *marks)
{
    return read_strings_as(object, type, type, count, memory, space, marks);
}

/* The strings of a variable, which may be a field or lie in arrays. */
char **read_field_strings(const struct item *item, size_t count, hid_t memory, hid_t space, int *marks)
{
    return read_strings_as(item->id, item->leaf, item->read, count, memory, space, marks);
}

void tell_marks(struct job *job, const char *path, const char *attribute, int marks)
{
    if (marks & CUT)
        tell(job, LEFT_OUT, path, attribute, "the text after its first zero byte: netCDF strings end there");
    if (marks & LATIN)
        tell(job, NOTED, path, attribute, "its text is not UTF-8: it is read as Latin-1");
}

/* Returns the text of a text attribute, or NULL. */
char *attribute_text(hid_t object, const char *name)
{
    char *copy = NULL;
    int marks = 0;
    if (H5Aexists(object, name) <= 0)
        return NULL;
    hid_t attribute = H5Aopen(object, name, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1) {
        char **text = read_strings(attribute, type, 1, H5S_ALL, H5S_ALL, &marks);
        copy = text ? strdup(text[0]) : NULL;
        free_strings(text, 1);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
    return copy;
}

int attribute_starts(hid_t object, const char *name, const char *start)
{
    char *text = attribute_text(object, name);
    int starts = text && !strncmp(text, start, strlen(start));
    free(text);
    return starts;
}

/* Returns the name without the prefix, unless the prefix is the whole name. */
const char *shown_name(const char *name)
{
    size_t prefix = sizeof HIDDEN - 1;
    return !strncmp(name, HIDDEN, prefix) && name[prefix] ? name + prefix : name;
}

/* A copy of the text as UTF-8, or NULL. */
char *utf8_copy(const char *text, int *marks)
{
    size_t size = strlen(text);
    char *copy = malloc(2 * size + 1);
    if (copy && is_utf8(text, size))
        memcpy(copy, text, size + 1);
    else if (copy) {
        from_latin(text, size, copy);
        *marks |= LATIN;
    }
    return copy;
}

/* A copy of `name` that netCDF accepts: it forbids slashes, control characters, odd first characters, long names. */
char *legal_name(const char *name)
{
    int marks = 0;
    char *copy = utf8_copy(name, &marks);
    if (!copy)
        return NULL;
    size_t size = strlen(copy);
    if (size > NC_MAX_NAME - 16)
        size = NC_MAX_NAME - 16;
    while (size > 0 && ((unsigned char)copy[size] & 0xc0) == 0x80)      /* not within a character */
        size--;
    copy[size] = '\0';
    for (char *c = copy; *c; c++) {
        int plain = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') || *c == '_';
        if (!plain && (unsigned char)*c < 0x80 && (c == copy || *c < ' ' || *c == 0x7f || *c == '/'))
            *c = '_';
        if (*c == ' ' && !c[1])
            *c = '_';
    }
    return copy;
}
