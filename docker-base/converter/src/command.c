/* command.c: runs what the command line asks for.  SPDX-License-Identifier: Apache-2.0 */
#define _GNU_SOURCE             /* sched_getaffinity */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum status cannot_write(struct command *command, const char *name)
{
    fprintf(stderr, "%s: cannot write %s: %s\n", PROGRAM, name, strerror(errno));
    command->is_unwritten = 1;
    return STATUS_WRITE;
}

/* Converts an input, reports the result, and returns its status. */
static enum status handle(struct command *command, const char *input, const char *output)
{
    struct report report = {.input = input, .output = output};
    enum list list = command->options.list;
    make_product(command, input, output, &report);
    enum status status = report.status;
    if (list == LIST && command->name_count > 1)
        printf("%s%s:\n", input == command->names[0] ? "" : "\n", input);
    if (print_messages(&report, list) < 0 || (list == TABLE && !status && print_table(&report) < 0))
        status = cannot_write(command, list == TABLE ? "the table" : "the list");
    if (command->report_file && print_report(command->report_file, &report) < 0)
        status = cannot_write(command, command->report_name);
    if (command->batch && print_report(stdout, &report) < 0)
        status = cannot_write(command, "the answer");
    free_report(&report);
    return status;
}

/* Reads a NUL-terminated field of standard input.  Returns -1 where there is none, or none that is whole. */
static int read_field(char **text, size_t *room)
{
    ssize_t length = getdelim(text, room, '\0', stdin);
    return length > 0 && (*text)[length - 1] == '\0' ? 0 : -1;
}

/* Reads values up to an empty field, behind those of the command line. */
static int read_values(struct options *options)
{
    for (;;) {
        char *text = NULL;
        size_t room = 0;
        int is_field = read_field(&text, &room) == 0;
        char **longer = is_field && *text
            ? realloc(options->values, (options->value_count + 2) * sizeof *longer) : NULL;
        if (!longer) {
            int is_end = is_field && !*text;
            free(text);
            return is_end ? 0 : -1;
        }
        options->values = longer;
        options->values[options->value_count++] = text;
    }
}

/* Forgets the values of a pair, so that the next pair starts with those of the command line. */
static void forget_values(struct options *options, size_t kept)
{
    while (options->value_count > kept)
        free(options->values[--options->value_count]);
}

/* One process for many pairs: the caller sees from the answers which of them failed. */
static enum status batch(struct command *command)
{
    char *names[2] = {NULL, NULL};
    size_t rooms[2] = {0, 0}, kept = command->options.value_count;
    enum status status = STATUS_OK;
    for (int next; !ferror(stdout) && (next = fgetc(stdin)) != EOF;) {
        ungetc(next, stdin);
        int has_values = next == '\0';
        if ((has_values && (read_field(&names[0], &rooms[0]) < 0 || read_values(&command->options) < 0))
            || read_field(&names[0], &rooms[0]) < 0 || read_field(&names[1], &rooms[1]) < 0) {
            fprintf(stderr, "%s: standard input ends within a pair of names\n", PROGRAM);     /* the caller died */
            status = STATUS_USAGE;
            break;
        }
        handle(command, names[0], names[1]);
        forget_values(&command->options, kept);
    }
    forget_values(&command->options, kept);
    free(names[0]);
    free(names[1]);
    return command->is_unwritten ? STATUS_WRITE : status;
}

/* Whether two inputs have the same product, so that the later would replace the earlier. */
static int is_ambiguous(const struct command *command)
{
    char **names = command->names, **products = calloc((size_t)command->name_count + 1, sizeof *products);
    int is_double = 0;
    for (int i = 0; products && i + 1 < command->name_count && !command->options.list && !is_double; i += 2) {
        products[i] = real_product(names[i], names[i + 1]);
        for (int k = 0; products[i] && k < i && !is_double; k += 2)
            if (products[k] && !strcmp(products[k], products[i])) {
                fprintf(stderr, "%s: '%s' and '%s' would both become '%s'\n", PROGRAM, names[k], names[i], products[i]);
                is_double = 1;
            }
    }
    for (int i = 0; products && i < command->name_count; i++)
        free(products[i]);
    free(products);
    return is_double;
}

static enum status many(struct command *command)
{
    enum status first = STATUS_OK;
    int step = command->options.list == CONVERT ? 2 : 1;
    if (is_ambiguous(command))
        return STATUS_USAGE;
    for (int i = 0; i < command->name_count; i += step) {
        enum status status = handle(command, command->names[i], step == 2 ? command->names[i + 1] : "");
        first = first ? first : status;
    }
    return first;
}

/* ---- The report ---- */

/* Whether the name is taken by anything but an older report: an input, a product. */
static int is_no_report(const char *name)
{
    struct stat info;
    if (stat(name, &info) < 0 || !S_ISREG(info.st_mode))
        return 0;
    FILE *file = fopen(name, "r");
    int first = file ? fgetc(file) : EOF;
    if (file)
        fclose(file);
    return first != EOF && first != '{';
}

/* The report's file, or NULL with the status set. */
static FILE *open_report(struct command *command, enum status *status)
{
    if (!strcmp(command->report_name, "-"))
        return stdout;
    if (is_no_report(command->report_name)) {
        fprintf(stderr, "%s: cannot write '%s': the file exists and is not a report\n", PROGRAM, command->report_name);
        *status = STATUS_USAGE;
        return NULL;
    }
    FILE *file = fopen(command->report_name, "w");
    if (!file)
        *status = cannot_write(command, command->report_name);
    return file;
}

static enum status run(struct command *command)
{
    enum status status = STATUS_OK;
    if (command->report_name && !(command->report_file = open_report(command, &status)))
        return status;
    status = command->batch ? batch(command) : many(command);
    if (command->report_file && fclose(command->report_file) != 0 && !status)
        status = cannot_write(command, command->report_name);
    return status;
}

/* ---- The program ---- */

/* Whatever is closed at the start would otherwise be the next file that is opened, such as a product. */
static void open_standard_files(void)
{
    for (int file = 0; file <= 2; file++)
        if (fcntl(file, F_GETFD) < 0)
            open("/dev/null", file == 2 ? O_WRONLY : O_RDONLY);         /* writing to a closed output still fails */
}

static enum status print(const char *text)
{
    return fputs(text, stdout) < 0 || fflush(stdout) ? STATUS_WRITE : STATUS_OK;
}

int convert_main(int argc, char **argv, const struct tables *tables)
{
    cpu_set_t processors;
    struct command command = {.tables = tables, .options = {.verify = 1}};

    command.options.threads = sched_getaffinity(0, sizeof processors, &processors) < 0 ? 1 : CPU_COUNT(&processors);
    if (command.options.threads > 4)
        command.options.threads = 4;
    open_standard_files();
    catch_signals();
    mallopt(M_MMAP_THRESHOLD, 8 << 20);         /* keep what HDF5 frees after each file: the next needs it */
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);        /* the input may lie on a read-only file system */
    enum status status = STATUS_USAGE;
    switch (read_command(argc, argv, &command)) {
    case HELP: status = print(usage); break;
    case VERSION: status = print(PROGRAM " " CONVERT_VERSION "\n"); break;
    case RUN: status = run(&command); break;
    default: fputs(usage, stderr);
    }
    free(command.options.values);
    return (int)status;
}
