/* command.h: what the parts of the command line share.  SPDX-License-Identifier: Apache-2.0
 *
 *   command.c   runs what is asked for: one conversion after the other
 *   options.c   reads the options and operands
 *   product.c   makes a product under a temporary name, and renames it */
#ifndef COMMAND_H
#define COMMAND_H

#include "conversion.h"

#define PROGRAM "_convert"

enum request { RUN, WRONG_USAGE, HELP, VERSION };

struct command {
    struct options options;
    const struct tables *tables;
    int batch;
    const char *report_name;
    FILE *report_file;
    int is_unwritten;           /* some output could not be written */
    char **names;
    int name_count;
};

extern const char usage[];
enum request read_command(int argc, char **argv, struct command *command);
void catch_signals(void);
char *real_product(const char *input, const char *to);
int make_product(const struct command *command, const char *input, const char *to, struct report *report);

#endif
