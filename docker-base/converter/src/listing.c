/* listing.c: the lines of --list, and the rows of --table.  SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

enum { COLUMNS = 5, LONGEST = 4000 };   /* C promises strings of 4095 bytes */

/* The dimensions of a variable, with their lengths or as the tables name them. */
static void print_dims(FILE *stream, const struct job *job, const struct item *item, int with_lengths)
{
    for (int i = 0; i < item->rank; i++) {
        const struct dim *dim = &job->dims[item->dim[i]];
        fprintf(stream, "%s%s", i == 0 ? "" : with_lengths ? ", " : " ", dim->name);
        if (with_lengths)
            fprintf(stream, "=%llu", (unsigned long long)dim->length);
    }
}

/* Returns the text of a column of --list; NULL without memory. */
static char *cell(const struct job *job, const struct item *item, int column)
{
    static const char *const types[] = {"", "byte", "char", "short", "int", "float", "double", "ubyte", "ushort",
        "uint", "int64", "uint64", "string", "vlen", "opaque", "enum", "compound"};
    char *text = NULL, *units = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    if (column == 0)
        fprintf(stream, "'%s':", item->path);
    else if (column == 1)
        fputs(item->output, stream);
    else if (column == 2)
        fputs(types[item->type <= NC_STRING && item->own ? NC_ENUM : item->type], stream);
    else if (column == 3) {
        fputc('(', stream);
        print_dims(stream, job, item, 1);
        fputc(')', stream);
    } else if ((units = attribute_text(item->to, "units")) != NULL)
        fputs(units, stream);
    free(units);
    return fclose(stream) == 0 ? text : NULL;
}

/* How wide a text is, in characters. */
static int width(const char *text)
{
    int count = 0;
    for (; text && *text; text++)
        count += ((unsigned char)*text & 0xc0) != 0x80;
    return count;
}

/* One line, without the path in front of it, which is printed for every entry. */
static void list_variable(struct job *job, const struct item *item, const int widths[COLUMNS])
{
    char *line = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&line, &size);
    int gap = 0;
    for (int i = 0; stream && i < COLUMNS; i++) {
        char *text = cell(job, item, i);
        if (i > 0 && text && *text)
            fprintf(stream, "%*s%s", gap, "", text);
        gap = (i > 0 ? 2 : 0) + (text && (*text || i < COLUMNS - 1) ? widths[i] - width(text) : 0);
        free(text);
    }
    if (!stream || fclose(stream) != 0)
        out_of_memory(job);
    else
        tell(job, LISTED, item->path, NULL, "%s", line);
    free(line);
}

/* Prints the brace at `text` so that no template sees two, and that no value fills a name behind it.  Returns how many
 * characters it took. */
static size_t print_brace(FILE *stream, const char *text)
{
    size_t length = name_length(text + 1);
    int is_closed = length > 0 && text[1 + length] == '}';
    fprintf(stream, "{\\%03o%.*s%s", '{', is_closed ? (int)length : 0, text + 1, is_closed ? "}}" : "");
    return is_closed ? length + 2 : 1;
}

/* A text in C's quotes, of which no compiler and no template makes anything else: trigraphs, braces, odd bytes. */
static void print_quoted(FILE *stream, const char *text, int is_pattern)
{
    char before = '\0';
    fputc('"', stream);
    for (const char *c = text; c && *c && strlen(text) <= LONGEST; before = *c++) {
        int length = utf8_length(c), is_odd = (unsigned char)*c < ' ' || *c == 0x7f
            || (before == '{' && strchr("%#", *c)) || (before == '?' && *c == '?');
        if (*c == '{') {
            c += print_brace(stream, c) - 1;
            continue;
        }
        if (is_pattern && strchr("*?[\\", *c))
            fputs("\\\\", stream);
        if (is_odd || length == 0 || !strncmp(c, "\xe2\x80", 2) || !strncmp(c, "\xe2\x81", 2)) /* turns its direction */
            fprintf(stream, "\\%03o", (unsigned char)*c);
        else {
            if (*c == '"' || *c == '\\')
                fputc('\\', stream);
            fwrite(c, 1, (size_t)length, stream);
            c += length - 1;
        }
    }
    fputc('"', stream);
}

/* Prints a row's text of an attribute.  Units with a moment are left to each file: most granules of a collection count
 * from a moment of their own, and a table would date them all like this one. */
static void print_attribute(FILE *stream, const struct item *item, const char *name)
{
    char *text = attribute_text(item->to, name);
    int has_moment = !strcmp(name, "units") && text && strcasestr(text, " since ") != NULL;
    fputs(", ", stream);
    print_quoted(stream, has_moment ? "" : text, 0);
    if (has_moment)
        fputs(" /* each file's own */", stream);
    free(text);
}

/* Reports a variable's row of --table: what the file says of it, "" for what it leaves open. */
static void tell_row(struct job *job, const struct item *item)
{
    static const char *const attributes[] = {"units", "standard_name", "long_name"};
    char *row = NULL, *dims = NULL;
    size_t size = 0;
    FILE *names = open_memstream(&dims, &size), *stream = open_memstream(&row, &size);
    int has_blank = 0;
    for (int i = 0; i < item->rank; i++)
        has_blank |= strchr(job->dims[item->dim[i]].name, ' ') != NULL;
    if (names) {
        print_dims(names, job, item, 0);
        fclose(names);
    }
    if (stream) {
        fputc('{', stream);
        print_quoted(stream, item->path, 1);
        fputs(", \"\", ", stream);
        print_quoted(stream, has_blank ? "" : dims, 0);
        for (size_t i = 0; i < ROWS(attributes); i++)
            print_attribute(stream, item, attributes[i]);
        fputc('}', stream);
    }
    if (!dims || !stream || fclose(stream) != 0)
        out_of_memory(job);
    else
        tell(job, ROW, item->path, NULL, "%s", row);
    free(dims);
    free(row);
}

/* Reports what the product would hold; returns 0, or -1 without memory. */
int list_variables(struct job *job)
{
    int widths[COLUMNS] = {0};
    for (size_t i = 0; i < job->item_count; i++)
        for (int k = 0; job->items[i].is_variable && k < COLUMNS; k++) {
            char *text = cell(job, &job->items[i], k);
            int wide = width(text);
            widths[k] = wide > widths[k] ? wide : widths[k];
            free(text);
        }
    for (size_t i = 0; i < job->item_count; i++)
        if (job->items[i].is_variable && job->options->list == TABLE)
            tell_row(job, &job->items[i]);
        else if (job->items[i].is_variable)
            list_variable(job, &job->items[i], widths);
    return job->report->status ? -1 : 0;
}
