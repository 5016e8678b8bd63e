/* report.c: says what became of each dataset: to people, and to programs.  SPDX-License-Identifier: Apache-2.0 */
#include "conversion.h"

#include <stdio.h>
#include <stdlib.h>

/* Prints a JSON string; a byte that is not UTF-8 is printed as the character with its number. */
static void print_json(FILE *file, const char *text)
{
    fputc('"', file);
    for (const unsigned char *c = (const unsigned char *)text; *c;) {
        int length = utf8_length((const char *)c);
        if (*c < ' ' || *c == 0x7f || length == 0)
            fprintf(file, "\\u%04x", *c);
        else if (*c == '"' || *c == '\\')
            fprintf(file, "\\%c", *c);
        else
            fwrite(c, 1, (size_t)length, file);
        c += length ? length : 1;
    }
    fputc('"', file);
}

static void print_entries(FILE *file, const struct report *report, const char *key, enum kind kind,
                          const char *text_key)
{
    const char *separator = "";
    fprintf(file, ", \"%s\": [", key);
    for (size_t i = 0; i < report->entry_count; i++) {
        const struct entry *entry = &report->entries[i];
        if (entry->kind != kind)
            continue;
        fprintf(file, "%s{\"path\": ", separator);
        print_json(file, entry->path);
        if (entry->attribute) {
            fputs(", \"attribute\": ", file);
            print_json(file, entry->attribute);
        }
        fprintf(file, ", \"%s\": ", text_key);
        print_json(file, entry->text);
        fputc('}', file);
        separator = ", ";
    }
    fputc(']', file);
}

/* One line; returns -1 when it cannot be written. */
int print_report(FILE *file, const struct report *report)
{
    fputs("{\"input\": ", file);
    print_json(file, report->input);
    fputs(", \"output\": ", file);
    print_json(file, report->output);
    fprintf(file, ", \"status\": %d, \"message\": ", (int)report->status);
    print_json(file, report->message);
    print_entries(file, report, "variables", CONVERTED, "name");
    print_entries(file, report, "left_out", LEFT_OUT, "reason");
    print_entries(file, report, "notes", NOTED, "note");
    print_entries(file, report, "asked", ASKED, "note");
    print_entries(file, report, "unused_rows", UNUSED, "note");
    print_entries(file, report, "unfilled", UNFILLED, "name");
    fputs("}\n", file);
    return fflush(file) || ferror(file) ? -1 : 0;
}

/* Prints text of a file without control characters: it must fit a line of a log. */
static void print_plain(FILE *file, const char *text)
{
    for (; *text; text++)
        fputc((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text, file);
}

/* Prints the entries to standard error, or all of them to standard output with --list. Returns -1 when the list cannot
 * be written. */
int print_messages(const struct report *report, enum list list)
{
    static const char *const labels[] = {[LEFT_OUT] = "left out", [LISTED] = "variable"};
    FILE *file = list == LIST ? stdout : stderr;
    for (size_t i = 0; i < report->entry_count; i++) {
        const struct entry *entry = &report->entries[i];
        if (entry->kind == ROW || entry->kind == CONVERTED || entry->kind == UNFILLED
            || (entry->kind == UNUSED && list != LIST))
            continue;
        fprintf(file, "%s%s '", list == LIST ? "" : "_convert: ", labels[entry->kind] ? labels[entry->kind] : "note:");
        print_plain(file, entry->path);
        if (entry->attribute) {
            fputc(':', file);
            print_plain(file, entry->attribute);
        }
        fputs("': ", file);
        print_plain(file, entry->text);
        fputc('\n', file);
    }
    if (report->status) {
        fputs("_convert: ", stderr);
        print_plain(stderr, report->message);
        fputc('\n', stderr);
    }
    return list == LIST && (fflush(stdout) || ferror(stdout)) ? -1 : 0;
}

/* The granule's datasets as a table in C; returns -1 when it cannot be written. */
int print_table(const struct report *report)
{
    puts("static const struct variable variables[] = {\n"
         "    /* HDF5 path, NetCDF name, dimensions, units, standard_name, long_name */");
    for (size_t i = 0; i < report->entry_count; i++)
        if (report->entries[i].kind == ROW)
            printf("    %s,\n", report->entries[i].text);
    puts("};");
    return fflush(stdout) || ferror(stdout) ? -1 : 0;
}

void free_report(struct report *report)
{
    for (size_t i = 0; i < report->entry_count; i++) {
        free(report->entries[i].path);
        free(report->entries[i].attribute);
        free(report->entries[i].text);
    }
    free(report->entries);
}
