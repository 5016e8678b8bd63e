/* table.c: what the tables say, and the attributes that they give.  SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include <errno.h>
#include <math.h>
#include <fnmatch.h>

/* ---- What they say ---- */

static int has_wildcard(const char *pattern)
{
    return strpbrk(pattern, "*?[\\") != NULL;
}

int matches(const char *pattern, const char *path)
{
    return !strcmp(pattern, path) || (has_wildcard(pattern) && fnmatch(pattern, path, FNM_PATHNAME) == 0);
}

/* The rows that match a path, in their order. */
struct search {
    const struct rows *rows;
    const char *path;
    const struct lookup_entry *literal;         /* the next row without a wildcard that may match */
    size_t pattern;             /* the next of the others */
};

static struct search search_rows(const struct rows *rows, const char *path)
{
    return (struct search){rows, path, lookup_first(&rows->by_path, hash_name(0, path)), 0};
}

/* Copies the number of the next row; returns 0 after the last. */
static int next_row(struct search *search, size_t *row)
{
    const struct rows *rows = search->rows;
    while (search->literal && strcmp(rows->paths[search->literal->number], search->path))
        search->literal = lookup_next(&rows->by_path, search->literal);
    while (search->pattern < rows->pattern_count
           && !matches(rows->paths[rows->patterns[search->pattern]], search->path))
        search->pattern++;
    size_t pattern = search->pattern < rows->pattern_count ? rows->patterns[search->pattern] : NONE;
    *row = search->literal && search->literal->number < pattern ? search->literal->number : pattern;
    if (*row != pattern)
        search->literal = lookup_next(&rows->by_path, search->literal);
    else
        search->pattern++;
    return *row != NONE;
}

#define EACH_ROW(row, rows, path) \
    struct search search = search_rows(rows, path); next_row(&search, &(row));

/* Returns the column of the first row for `path` that fills it; "" if none does. */
const char *column(const struct job *job, const char *path, size_t offset)
{
    size_t row;
    for (EACH_ROW(row, &job->variable_rows, path)) {
        const char *text = *(const char *const *)((const char *)&job->tables->variables[row] + offset);
        if (text && *text)      /* NULL: the row stops before it */
            return text;
    }
    return "";
}

/* Whether a row has this path itself: globs do not count. */
int has_own_row(const struct job *job, const char *path)
{
    size_t row;
    for (EACH_ROW(row, &job->variable_rows, path))
        if (!strcmp(job->tables->variables[row].path, path))
            return 1;
    return 0;
}

/* Whether a row speaks of members of `path`. */
int names_members(const struct job *job, const char *path)
{
    int has_row = 0;
    for (size_t i = 0; i < job->tables->variable_count && !has_row; i++) {
        const char *pattern = job->tables->variables[i].path, *slash = strrchr(pattern, '/');
        char *above = slash && slash > pattern ? strndup(pattern, (size_t)(slash - pattern)) : NULL;
        has_row = above && matches(above, path);
        free(above);
    }
    return has_row;
}

/* Whether a row drops a group: only by its own path, since globs speak of datasets. */
static int drops_group(const struct variable *row, const char *path)
{
    return row->name && !strcmp(row->name, DROP) && !strcmp(row->path, path);
}

int is_dropped(const struct job *job, const char *path)
{
    size_t row;
    for (EACH_ROW(row, &job->variable_rows, path))
        if (drops_group(&job->tables->variables[row], path))
            return 1;
    return 0;
}

/* Marks the rows of the tables that match this path as used; a row of the variables' table can only drop a group. */
void use_rows(struct job *job, const char *path, int is_group)
{
    const struct tables *tables = job->tables;
    size_t row;
    if (!job->rows_used)
        return;
    for (EACH_ROW(row, &job->variable_rows, path))
        if (!is_group || drops_group(&tables->variables[row], path))
            job->rows_used[row] = 1;
    for (EACH_ROW(row, &job->attribute_rows, path))
        job->rows_used[tables->variable_count + row] = 1;
}

/* The value that the tables give an attribute, or NULL; the variables' table speaks of no group. */
const char *table_value(const struct job *job, const struct item *item, const char *name)
{
    if (item->is_type)
        return NULL;
    const char *path = item->path, *text = item->is_group ? "" : !strcmp(name, "units") ? COLUMN(job, path, units)
        : !strcmp(name, "standard_name") ? COLUMN(job, path, standard_name)
        : !strcmp(name, "long_name") ? COLUMN(job, path, long_name) : "";
    if (*text)
        return text;
    size_t row;
    for (EACH_ROW(row, &job->attribute_rows, path))
        if (!strcmp(job->tables->attributes[row].name, name))
            return job->tables->attributes[row].value;
    return NULL;
}

/* Refuses rows without a path, a name or a value: C compiles 0 in place of a text. */
int check_tables(struct job *job)
{
    const struct tables *tables = job->tables;
    for (size_t i = 0; i < tables->variable_count; i++)
        if (!tables->variables[i].path)
            return fail_because(job, STATUS_USAGE, "cannot use", "a row of the variables table", "it has no path");
    for (size_t i = 0; i < tables->attribute_count; i++) {
        const struct attribute *row = &tables->attributes[i];
        char why[256];
        snprintf(why, sizeof why, "its attribute '%.64s' has no value in quotes", row->name ? row->name : "");
        if (!row->path || !row->name || !row->value)
            return fail_because(job, STATUS_USAGE, "cannot use the row of", row->path ? row->path : "", why);
    }
    return 0;
}

static int index_rows(struct job *job, struct rows *rows, size_t count)
{
    rows->patterns = calloc(count + 1, sizeof *rows->patterns);
    if (!rows->patterns)
        return out_of_memory(job);
    for (size_t i = 0; i < count; i++)
        if (has_wildcard(rows->paths[i]))
            rows->patterns[rows->pattern_count++] = i;
        else if (lookup_add(&rows->by_path, hash_name(0, rows->paths[i]), i) < 0)
            return out_of_memory(job);
    return 0;
}

/* Lets the rows of both tables be found by a path, in as many steps as rows match and rows have wildcards. */
int index_tables(struct job *job)
{
    const struct tables *tables = job->tables;
    struct rows *variables = &job->variable_rows, *attributes = &job->attribute_rows;
    variables->paths = calloc(tables->variable_count + 1, sizeof *variables->paths);
    attributes->paths = calloc(tables->attribute_count + 1, sizeof *attributes->paths);
    if (!variables->paths || !attributes->paths)
        return out_of_memory(job);
    for (size_t i = 0; i < tables->variable_count; i++)
        variables->paths[i] = tables->variables[i].path;
    for (size_t i = 0; i < tables->attribute_count; i++)
        attributes->paths[i] = tables->attributes[i].path;
    return index_rows(job, variables, tables->variable_count) < 0
        || index_rows(job, attributes, tables->attribute_count) < 0 ? -1 : 0;
}

void free_rows(struct rows *rows)
{
    free(rows->paths);
    free(rows->patterns);
    lookup_free(&rows->by_path);
}

/* ---- Their attributes ---- */

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
    return *type != NC_STRING && *type != NC_CHAR;
}

/* Reads the number at `word` into the type; returns its end, or `word` if no number fits. Integers of 64 bits are read
 * as integers: a double holds only 53 bits. */
static const char *read_number(const char *word, nc_type type, unsigned char number[8])
{
    char *end = NULL;
    size_t length = strcspn(word += strspn(word, " "), " ");
    nc_type as = (type == NC_INT64 || type == NC_UINT64) && strcspn(word, ".eE") >= length ? type : NC_DOUBLE;
    errno = 0;
    double real = strtod(word, &end);
    int is_too_large = errno && isinf(real);
    memcpy(number, &real, 8);
    if (as != NC_DOUBLE) {
        errno = 0;
        int64_t with_sign = as == NC_INT64 ? strtoll(word, &end, 10) : 0;
        uint64_t without = as == NC_UINT64 ? strtoull(word, &end, 10) : 0;
        is_too_large = errno || (as == NC_UINT64 && *word == '-');
        memcpy(number, as == NC_INT64 ? (void *)&with_sign : (void *)&without, 8);
    }
    return is_too_large || !convert_number(as, type, number) ? word : end;
}

/* Up to 64 numbers of the type, in native order; returns how many, 0 where the text holds anything else. */
static size_t read_numbers(const char *text, nc_type type, unsigned char numbers[64 * 8])
{
    size_t count = 0, size = H5Tget_size(native_type(type, H5T_INTEGER));
    unsigned char number[8];
    for (const char *end; *(text += strspn(text, " ")) && count < 64; text = end, count++) {
        end = read_number(text, type, number);
        if (end == text)
            return 0;
        memcpy(numbers + count * size, number, size);
    }
    return *text ? 0 : count;
}

static int refuse_value(struct job *job, const struct item *item, const char *name, const char *value)
{
    int is_fill = !strcmp(name, "_FillValue");
    char why[256];
    snprintf(why, sizeof why, "the table's value '%.64s' of %.64s must be %s of the variable's type%s", value, name,
             is_fill ? "one number" : "numbers", is_fill ? "" : ", separated by blanks");
    return fail_because(job, STATUS_USAGE, "cannot convert", item->path, why);
}

static int put_string(struct job *job, hid_t object, const char *name, const char *text)
{
    hid_t type = string_type();
    int status = put_values(object, name, type, 1, &text);
    H5Tclose(type);
    return status < 0 ? fail(job, STATUS_WRITE, "cannot write the attribute", name) : 0;
}

/* Writes an attribute of the table, unless an earlier row has written it. */
static int put_table_attribute(struct job *job, const struct item *item, const char *name, const char *value)
{
    unsigned char numbers[64 * 8];
    nc_type type = item->type;

    if (!*value || H5Aexists(item->to, name) > 0)
        return 0;
    if (is_own(type) && !strcmp(name, "_FillValue"))
        return refuse_value(job, item, name, value);
    if (item->is_variable && item->type == NC_STRING && !strcmp(name, "_FillValue"))
        return put_string(job, item->to, name, value);
    if (item->is_group || !is_numeric(name, &type)) {
        tell_dangling(job, item, name, value);
        return put_text(job, item->to, name, value);
    }
    size_t count = read_numbers(value, type, numbers);
    if (count == 0 || (count > 1 && !strcmp(name, "_FillValue")))      /* readers stop at several */
        return refuse_value(job, item, name, value);
    return put_values(item->to, name, native_type(type, H5T_INTEGER), count, numbers) < 0
        ? fail(job, STATUS_WRITE, "cannot write", item->path) : 0;
}

int put_table_attributes(struct job *job, const struct item *item)
{
    static const char *const columns[] = {"units", "standard_name", "long_name"};
    if (!item->is_group)
        tell_contradiction(job, item);
    for (size_t i = 0; !item->is_group && i < ROWS(columns); i++) {
        const char *value = table_value(job, item, columns[i]);
        if (value && put_table_attribute(job, item, columns[i], value) < 0)
            return -1;
    }
    size_t row;
    for (EACH_ROW(row, &job->attribute_rows, item->path))
        if (put_table_attribute(job, item, job->tables->attributes[row].name, job->tables->attributes[row].value) < 0)
            return -1;
    return 0;
}
