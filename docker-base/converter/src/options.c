/* options.c: reads the command line.  SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE             /* getopt_long */
#include "command.h"

#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char usage[] =
    "usage: _convert [OPTION...] INPUT OUTPUT [INPUT OUTPUT ...]\n"
    "       _convert [OPTION...] --batch\n"
    "       _convert [OPTION...] --list INPUT...\n"
    "       _convert --table INPUT\n"
    "\n"
    "Converts HDF5 files, or classic NetCDF ones, to CF NetCDF-4.  OUTPUT is a file, or a directory that gets\n"
    "INPUT's name with .nc in place of its extension.  A product appears only when it is complete.\n"
    "What a product lacks is named on standard error, with the reason.\n"
    "\n"
    "  --batch         read NUL-terminated INPUT and OUTPUT names in pairs from standard input, and answer\n"
    "                  each pair with one line of JSON; NAME=VALUE for a pair stand before it, NUL-terminated,\n"
    "                  between two empty names\n"
    "  --list          only list what would be converted, under which name, and what would be left out and why\n"
    "  --table         print a table in C of the file's datasets, as a start for the collection's own\n"
    "  --strict        fail if content would be left out, or a group or dimension would vanish (what the table drops\n"
    "                  does not count), or if the table's units contradict the file's\n"
    "  --set NAME=VALUE\n"
    "                  put VALUE in place of {NAME} in the tables' texts; may be given several times\n"
    "  --report FILE   write each dataset's result to FILE, one line of JSON for each input; - is standard output\n"
    "  --no-verify     pass deflated chunks on without checking that they are sound\n"
    "  --threads N     read and verify on N threads (default: the processors that it may use, 4 at most)\n"
    "  --help, --version\n"
    "\n"
    "Exit status, of the first input that failed: 0 converted; 2 wrong usage; 3 input unreadable or damaged;\n"
    "4 no variable is left, or content is left out under --strict; 5 the output cannot be written.\n"
    "With --batch the answers hold it.\n";

/* Larger than any character: there are no short options. */
enum { BATCH = 256, LIST_ONLY, TABLE_ONLY, STRICT, SET, REPORT, NO_VERIFY, THREADS, PRINT_HELP, PRINT_VERSION };

static const struct option known[] = {
    {"batch", no_argument, NULL, BATCH},
    {"list", no_argument, NULL, LIST_ONLY},
    {"table", no_argument, NULL, TABLE_ONLY},
    {"strict", no_argument, NULL, STRICT},
    {"set", required_argument, NULL, SET},
    {"report", required_argument, NULL, REPORT},
    {"no-verify", no_argument, NULL, NO_VERIFY},
    {"threads", required_argument, NULL, THREADS},
    {"help", no_argument, NULL, PRINT_HELP},
    {"version", no_argument, NULL, PRINT_VERSION},
    {0},
};

/* Prints what is wrong with the command line, and the argument at fault, if any; returns -1. */
static int misused(const char *why, const char *word)
{
    fprintf(stderr, "%s: %s%s%s\n", PROGRAM, why, word ? ": " : "", word ? word : "");
    return -1;
}

/* A number of threads, or 0. */
static int read_threads(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && number <= INT_MAX ? (int)number : 0;
}

/* Prints which option getopt_long refused. */
static int misused_option(char **argv)
{
    const char letter[] = {'-', (char)optopt, '\0'};
    if (optopt >= BATCH)
        return misused("the option takes no value", argv[optind - 1]);
    return optopt ? misused("unknown option (a name that begins with a dash follows --)", letter)
        : misused("unknown or ambiguous option", argv[optind - 1]);
}

/* Puts one option into the command. */
static int read_option(int option, char **argv, struct command *command)
{
    switch (option) {
    case STRICT: command->options.strict = 1; return 0;
    case NO_VERIFY: command->options.verify = 0; return 0;
    case REPORT: command->report_name = optarg; return 0;
    case SET:
        command->options.values[command->options.value_count++] = optarg;
        return is_value(optarg) ? 0 : misused("--set needs NAME=VALUE, a name as in C and a value", optarg);
    case THREADS:
        command->options.threads = read_threads(optarg);
        return command->options.threads ? 0 : misused("--threads needs a number from 1", optarg);
    case ':': return misused("the option needs a value", argv[optind - 1]);
    default: return misused_option(argv);
    }
}

/* Reads the options, which stand before the operands. */
static enum request read_options(int argc, char **argv, struct command *command)
{
    int list = 0, table = 0, option;
    command->options.values = calloc((size_t)argc, sizeof *command->options.values);
    if (!command->options.values) {
        misused("out of memory", NULL);
        return WRONG_USAGE;
    }
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:", known, NULL)) != -1) {
        if (option == PRINT_HELP || option == PRINT_VERSION)
            return option == PRINT_HELP ? HELP : VERSION;
        command->batch |= option == BATCH;
        list |= option == LIST_ONLY;
        table |= option == TABLE_ONLY;
        if (option != BATCH && option != LIST_ONLY && option != TABLE_ONLY && read_option(option, argv, command) < 0)
            return WRONG_USAGE;
    }
    if (command->batch + list + table > 1) {
        misused("only one of these options may be given", "--batch, --list, --table");
        return WRONG_USAGE;
    }
    command->options.list = list ? LIST : table ? TABLE : CONVERT;
    return RUN;
}

/* Checks that operands and options fit together; returns 0, or -1 for wrong usage. */
static int check_operands(const struct command *command)
{
    if (command->batch && command->name_count > 0)
        return misused("--batch reads the names from standard input, which leaves no use for", command->names[0]);
    int has_other_use = command->batch || command->options.list == TABLE;
    if (has_other_use && command->report_name && !strcmp(command->report_name, "-"))
        return misused("--report - cannot be combined with --batch or --table, which write to standard output", NULL);
    if (!command->batch && command->name_count == 0)
        return misused("missing operands", "INPUT OUTPUT");
    if (command->options.list == TABLE && command->name_count > 1)
        return misused("--table takes one input, and no output", NULL);
    if (command->options.list == CONVERT && command->name_count % 2)
        return misused("the output is missing for the input", command->names[command->name_count - 1]);
    return 0;
}

enum request read_command(int argc, char **argv, struct command *command)
{
    enum request request = read_options(argc, argv, command);
    command->names = argv + optind;
    command->name_count = argc - optind;
    return request == RUN && check_operands(command) < 0 ? WRONG_USAGE : request;
}
