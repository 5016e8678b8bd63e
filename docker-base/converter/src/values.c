/* values.c: fills the names in the tables' texts with values.  SPDX-License-Identifier: Apache-2.0
 *
 * {NAME} stands for a value, {{ for a brace, {{NAME}} for the text {NAME}; any other brace stands for itself. */
#include "engine.h"

/* A row of either table is so many texts. */
enum { VARIABLE_TEXTS = sizeof(struct variable) / sizeof(char *), ATTRIBUTE_TEXTS = sizeof(struct attribute)
    / sizeof(char *) };

/* The length of the name at `text`, which is one as in C or Python; 0 where there is none. */
size_t name_length(const char *text)
{
    size_t length = 0;
    for (unsigned char c; (c = (unsigned char)text[length]) != '\0'; length++) {
        int is_letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
        if (!is_letter && (length == 0 || c < '0' || c > '9'))
            break;
    }
    return length;
}

/* Whether the text is NAME=VALUE.  An empty value is none: a text with a gap would be wrong in silence. */
int is_value(const char *text)
{
    size_t length = name_length(text);
    return length > 0 && text[length] == '=' && text[length + 1] != '\0';
}

static const char *value_of(const struct options *options, const char *name, size_t length)
{
    for (size_t i = options->value_count; i-- > 0;)     /* the last one counts */
        if (!strncmp(options->values[i], name, length) && options->values[i][length] == '=')
            return options->values[i] + length + 1;
    return NULL;
}

/* Writes the value as UTF-8: readers of netCDF fail on anything else. */
static void write_value(FILE *stream, const char *value)
{
    int marks = 0;
    char *legal = utf8_copy(value, &marks);
    fputs(legal ? legal : value, stream);
    free(legal);
}

/* Writes the text with its names filled.  Returns the first name that has no value, or NULL. */
static const char *write_filled(FILE *stream, const char *text, const struct options *options)
{
    const char *unfilled = NULL;
    while (*text) {
        int is_brace = text[0] == '{' && text[1] == '{';
        const char *name = text + 1 + is_brace, *value = NULL;
        size_t length = *text == '{' ? name_length(name) : 0;
        if (is_brace) {
            int is_closed = length > 0 && !strncmp(name + length, "}}", 2);
            fprintf(stream, "{%.*s", is_closed ? (int)length + 1 : 0, name);
            text = is_closed ? name + length + 2 : name;
        } else if (length > 0 && name[length] == '}') {
            value = value_of(options, name, length);
            unfilled = unfilled || value ? unfilled : name;
            if (value)
                write_value(stream, value);
            else
                fprintf(stream, "{%.*s}", (int)length, name);
            text = name + length + 1;
        } else
            fputc(*text++, stream);
    }
    return unfilled;
}

/* Returns a copy of the text with its names filled; NULL without memory.  Keeps the first name of the row that has no
 * value. */
static char *filled_copy(const struct options *options, const char *text, const char **unfilled)
{
    char *copy = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&copy, &size);
    if (!stream)
        return NULL;
    const char *name = write_filled(stream, text, options);
    if (name && !*unfilled)
        *unfilled = name;
    if (fclose(stream) == 0)
        return copy;
    free(copy);
    return NULL;
}

/* Fills `count` texts of rows of `columns` texts into job->filled from `first` on. */
static int fill_rows(struct job *job, const char *const *texts, size_t count, size_t columns, size_t first,
                     const char **unfilled)
{
    for (size_t i = 0; i < count; i++) {
        const char *text = texts[i];
        job->filled[first + i] = text ? filled_copy(job->options, text, &unfilled[i / columns]) : NULL;
        if (text && !job->filled[first + i])
            return out_of_memory(job);
    }
    return 0;
}

static int has_brace(const char *const *texts, size_t count)
{
    int answer = 0;
    for (size_t i = 0; i < count && !answer; i++)
        answer = texts[i] && strchr(texts[i], '{');
    return answer;
}

static int check_values(struct job *job)
{
    for (size_t i = 0; i < job->options->value_count; i++) {
        const char *text = job->options->values[i];
        if (!is_value(text))
            return fail_because(job, STATUS_USAGE, "cannot use the value", text, "it has to be NAME=VALUE");
        if (!is_utf8(text, strlen(text)))
            tell(job, NOTED, "/", NULL, "the value '%s' is not UTF-8: it is read as Latin-1", text);
    }
    return 0;
}

/* Puts filled copies in place of tables that have a brace. */
int fill_tables(struct job *job)
{
    const struct tables *tables = job->tables;
    const char *const *variables = (const char *const *)tables->variables;
    const char *const *attributes = (const char *const *)tables->attributes;
    size_t split = tables->variable_count * VARIABLE_TEXTS, rest = tables->attribute_count * ATTRIBUTE_TEXTS;
    if (check_values(job) < 0)
        return -1;
    if (!has_brace(variables, split) && !has_brace(attributes, rest))
        return 0;
    job->filled = calloc(split + rest + 1, sizeof *job->filled);
    job->unfilled = calloc(tables->variable_count + tables->attribute_count + 1, sizeof *job->unfilled);
    if (!job->filled || !job->unfilled)
        return out_of_memory(job);
    job->filled_count = split + rest;
    job->filled_tables = (struct tables){(const struct variable *)job->filled, tables->variable_count,
        (const struct attribute *)(job->filled + split), tables->attribute_count};
    if (fill_rows(job, variables, split, VARIABLE_TEXTS, 0, job->unfilled) < 0
        || fill_rows(job, attributes, rest, ATTRIBUTE_TEXTS, split, job->unfilled + tables->variable_count) < 0)
        return -1;
    job->tables = &job->filled_tables;
    return 0;
}

/* Refuses a row that speaks of something in this input, and that has a name without a value.  --list shows the name. */
int check_filled(struct job *job)
{
    const struct tables *tables = job->tables;
    for (size_t i = 0; job->unfilled && job->rows_used && i < tables->variable_count + tables->attribute_count; i++) {
        size_t k = i - tables->variable_count;
        const char *path = i < tables->variable_count ? tables->variables[i].path : tables->attributes[k].path;
        const char *name = job->unfilled[i];
        int length = name ? (int)name_length(name) : 0;
        char why[1024];
        if (!name || !job->rows_used[i] || job->options->list)
            continue;
        tell(job, UNFILLED, path, NULL, "%.*s", length, name);
        snprintf(why, sizeof why, "nothing fills its {%.*s}: name a group of [granule] id in collection.toml so, pass "
                 "granule.convert(%.*s=...) in process.py, or --set %.*s=VALUE", length, name, length, name, length,
                 name);
        fail_because(job, STATUS_USAGE, "cannot use the row of", path, why);
    }
    return job->report->status ? -1 : 0;
}

void free_filled(struct job *job)
{
    for (size_t i = 0; i < job->filled_count; i++)
        free(job->filled[i]);
    free(job->filled);
    free(job->unfilled);
}
