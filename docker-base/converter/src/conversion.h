/* conversion.h: between the engine and the command line.  SPDX-License-Identifier: Apache-2.0 */
#ifndef CONVERSION_H
#define CONVERSION_H

#include "hdf5_to_netcdf.h"

#define CONVERT_VERSION "1.0.0"

enum status {
    STATUS_OK = 0,
    STATUS_USAGE = 2,
    STATUS_INPUT = 3,           /* the input is unreadable or damaged */
    STATUS_LEFT_OUT = 4,        /* no variable is left of the data; under --strict, content was left out */
    STATUS_WRITE = 5            /* the output cannot be written */
};

enum list { CONVERT, LIST, TABLE };     /* LIST, TABLE: only list what would be converted, or print a table */

struct options {
    int strict, verify;
    enum list list;
    int threads;                /* that read and verify chunks */
    char **values;              /* NAME=VALUE: what {NAME} in the tables stands for */
    size_t value_count;
};

/* ASKED: by the tables; UNUSED: a row of them; UNFILLED: a name in a row; LISTED, ROW: a line of --list, of --table. */
enum kind { CONVERTED, NOTED, ASKED, UNUSED, UNFILLED, LEFT_OUT, LISTED, ROW };

struct entry {                  /* the result for a dataset or an attribute */
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

/* Whether the text is NAME=VALUE, NAME as in C. */
int is_value(const char *text);

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
