/* The conversion engine: any HDF5 file -> CF NetCDF-4.  SPDX-License-Identifier: Apache-2.0
 *
 * This file belongs to the template.  A collection's own program fills the two tables below and calls convert_main. */
#ifndef HDF5_TO_NETCDF_H
#define HDF5_TO_NETCDF_H

#include <stddef.h>
#include <stdio.h>

#define CONVERT_VERSION "1.0.0"

/* What becomes of one dataset, or of all that a glob matches (* and ? do not cross a slash: "/Data/ATB_*").
 * A group's own path can only drop it, with all that is in it.
 * "" leaves a thing as it is in the file.  Where several rows match, the first that says something wins. */
struct variable {
    const char *path;           /* HDF5 path */
    const char *name;           /* name in the product; "/name" moves it to the root group; DROP leaves it out */
    const char *dims;           /* dimension names, one an axis: "time altitude" */
    const char *units;
    const char *standard_name;
    const char *long_name;
};
#define DROP "-"

/* A further attribute of the datasets that match, or of a group ("/" is the whole product).  "" removes it.
 * _FillValue, valid_* and flag_values become numbers of the variable's type, scale_factor and add_offset doubles. */
struct attribute {
    const char *path;
    const char *name;
    const char *value;
};

struct tables {
    const struct variable *variables;
    size_t variable_count;
    const struct attribute *attributes;
    size_t attribute_count;
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

enum status {
    STATUS_OK = 0,
    STATUS_USAGE = 2,
    STATUS_INPUT = 3,           /* the input is unreadable or damaged */
    STATUS_LEFT_OUT = 4,        /* content was left out, under --strict */
    STATUS_WRITE = 5            /* the output cannot be written */
};

/* The whole program: reads the command line, converts, returns the exit status. */
int convert_main(int argc, char **argv, const struct tables *tables);

/* Between the engine and the command line. */
enum list { CONVERT, LIST, TABLE };     /* only say what would become of it, or print a table to begin with */

struct options {
    int strict, verify;
    enum list list;
    int threads;                /* that read and verify chunks */
};

/* ASKED: by the tables; UNUSED: a row of them; LISTED, ROW: a line of --list, of --table. */
enum kind { CONVERTED, NOTED, ASKED, UNUSED, LEFT_OUT, LISTED, ROW };

struct entry {                  /* what became of a dataset or an attribute */
    char *path, *attribute, *text;      /* text: the variable's path in the product, the reason, or the line */
    enum kind kind;
};

struct report {
    const char *input, *output; /* as the user named them */
    enum status status;
    char message[8192];         /* why it failed */
    struct entry *entries;
    size_t entry_count, entry_room, left_out;
};

/* The length of the UTF-8 character at `text`, or 0 where there is none. */
int utf8_length(const char *text);

/* Converts `input` into the file `output`, which the caller renames or removes.  Returns 0, or -1 with the report
 * filled. */
int convert_file(const char *input, const char *output, const struct tables *tables, const struct options *options,
                 struct report *report);

/* report.c: one line of JSON, messages, a table in C; -1 when it cannot be written. */
int print_report(FILE *file, const struct report *report);
int print_messages(const struct report *report, enum list list);
int print_table(const struct report *report);
void free_report(struct report *report);

#endif
