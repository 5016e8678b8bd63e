/* command.c: the converter's command line, and how a product gets its name.  SPDX-License-Identifier: Apache-2.0
 *
 * A product is made under a temporary name in the directory that it belongs to, and renamed when it is complete. */
#define _GNU_SOURCE             /* sched_getaffinity */
#include "hdf5_to_netcdf.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *program = "_convert";
static char temporary[4096];    /* what a signal has to remove; the only state that outlives a function */

static const char usage[] =
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
    "                  each pair with one line of JSON\n"
    "  --list          only say what would be converted, under which name, and what not and why\n"
    "  --table         print a table in C of what the file says of its datasets, to begin with the collection's own\n"
    "  --strict        fail where content would be left out (what the table drops does not count)\n"
    "  --report FILE   write what became of each dataset to FILE, one line of JSON an input; - is standard output\n"
    "  --no-verify     pass deflated chunks on without checking that they are sound\n"
    "  --threads N     read and verify on N threads (as many as it may use processors, 4 at most)\n"
    "  --help, --version\n"
    "\n"
    "Exit status, of the first input that failed: 0 converted; 2 wrong usage; 3 input unreadable or damaged;\n"
    "4 content left out, under --strict; 5 the output cannot be written.  With --batch the answers hold it.\n";

static void remove_and_die(int signal_number)
{
    if (*temporary)
        unlink(temporary);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* A crash or an interruption leaves nothing behind; the handler has a stack of its own, for a crash of the stack.  What
 * the caller ignores, as nohup does, stays ignored. */
static void catch_signals(void)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM, SIGVTALRM, SIGPROF, SIGUSR1,
        SIGUSR2, SIGXCPU, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    static char own[1 << 16];
    const stack_t stack = {.ss_sp = own, .ss_size = sizeof own};
    const struct sigaction action = {.sa_handler = remove_and_die, .sa_flags = SA_ONSTACK};
    sigaltstack(&stack, NULL);
    for (size_t i = 0; i < ROWS(signals); i++) {
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) < 0 || before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
    signal(SIGXFSZ, SIG_IGN);   /* then write() says that the limit is reached */
}

struct command {
    struct options options;
    const struct tables *tables;
    int batch;
    const char *report_name;
    FILE *report_file;
    int is_unwritten;           /* something of what was to be said */
    char **names;
    int name_count;
};

static int refuse(struct report *report, enum status status, const char *what, const char *path, const char *why)
{
    if (!report->status) {
        report->status = status;
        snprintf(report->message, sizeof report->message, "%s '%s': %s", what, path, why);
    }
    return -1;
}

/* Where the product belongs: `to` itself, or below the directory `to` under the input's name. */
static int product_path(const char *input, const char *to, char *path, size_t room)
{
    struct stat info;
    const char *slash = strrchr(input, '/'), *name = slash ? slash + 1 : input, *dot = strrchr(name, '.');
    int length = dot && dot != name ? (int)(dot - name) : (int)strlen(name);
    int is_directory = stat(to, &info) == 0 && S_ISDIR(info.st_mode);
    int needed = is_directory ? snprintf(path, room, "%s/%.*s.nc", to, length, name) : snprintf(path, room, "%s", to);
    return needed < 0 || (size_t)needed >= room ? -1 : 0;
}

static int is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev
        && first.st_ino == second.st_ino;
}

/* An empty file beside the product, readable to whom the umask allows. */
static int make_temporary(const char *product)
{
    const char *slash = strrchr(product, '/');
    int length = slash ? (int)(slash + 1 - product) : 0;
    mode_t mask = umask(0);
    umask(mask);
    snprintf(temporary, sizeof temporary, "%.*s.convert-XXXXXX", length, product);
    int file = mkstemp(temporary);
    if (file < 0) {
        *temporary = '\0';
        return -1;
    }
    fchmod(file, 0666 & ~mask);
    return close(file);
}

/* Makes sure that the data are on the disk before the name is. */
static int deliver(const char *product)
{
    int file = open(temporary, O_RDONLY);
    if (file < 0)
        return -1;
    int failed = fsync(file);
    if (close(file) < 0 || failed || rename(temporary, product) < 0)
        return -1;
    *temporary = '\0';
    return 0;
}

static int convert(const struct command *command, const char *input, const char *to, struct report *report)
{
    char product[4000];
    struct stat info;
    const struct tables none = {NULL, 0, NULL, 0}, *tables = command->options.list == TABLE ? &none : command->tables;
    const struct options *options = &command->options;
    if (stat(input, &info) < 0)
        return refuse(report, STATUS_INPUT, "cannot read", input, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return refuse(report, STATUS_INPUT, "cannot read", input, "not a file");
    if (info.st_size == 0)
        return refuse(report, STATUS_INPUT, "cannot read", input, "it is empty");
    if (options->list)
        return convert_file(input, "list", tables, options, report);
    if (product_path(input, to, product, sizeof product) < 0)
        return refuse(report, STATUS_USAGE, "cannot write", to, "the path is too long");
    if (is_same_file(input, product))
        return refuse(report, STATUS_USAGE, "cannot write", product, "it is the input");
    if (command->report_name && is_same_file(command->report_name, product))
        return refuse(report, STATUS_USAGE, "cannot write", product, "it is the report");
    if (stat(product, &info) == 0 && !S_ISREG(info.st_mode))     /* rename() would replace even a device */
        return refuse(report, STATUS_WRITE, "cannot write", product, "not a file");
    if (make_temporary(product) < 0)
        return refuse(report, STATUS_WRITE, "cannot write", product, strerror(errno));
    int status = convert_file(input, temporary, tables, options, report);
    if (!status && deliver(product) < 0)
        status = refuse(report, STATUS_WRITE, "cannot write", product, strerror(errno));
    if (status)
        unlink(temporary);
    *temporary = '\0';
    return status;
}

/* ---- The command line ---- */

static enum status cannot_write(struct command *command, const char *name)
{
    fprintf(stderr, "%s: cannot write %s: %s\n", program, name, strerror(errno));
    command->is_unwritten = 1;
    return STATUS_WRITE;
}

/* Converts one input, says what became of it, and returns its status. */
static enum status handle(struct command *command, const char *input, const char *output)
{
    struct report report = {.input = input, .output = output};
    enum list list = command->options.list;
    convert(command, input, output, &report);
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

/* One process for many pairs: the caller sees from the answers which of them failed. */
static enum status batch(struct command *command)
{
    char *names[2] = {NULL, NULL};
    size_t rooms[2] = {0, 0};
    enum status status = STATUS_OK;
    while (getdelim(&names[0], &rooms[0], '\0', stdin) > 0) {
        ssize_t length = getdelim(&names[1], &rooms[1], '\0', stdin);
        if (length <= 0 || names[1][length - 1] != '\0') {      /* the caller died while it wrote */
            fprintf(stderr, "%s: an input without a whole output\n", program);
            status = STATUS_USAGE;
            break;
        }
        handle(command, names[0], names[1]);
        if (ferror(stdout))
            break;
    }
    free(names[0]);
    free(names[1]);
    return command->is_unwritten ? STATUS_WRITE : status;
}

/* The product's path without links and dots, so that each has but one; NULL where there is no such directory. */
static char *real_product(const char *input, const char *to)
{
    char path[4000], *folder, *real = NULL;
    if (product_path(input, to, path, sizeof path) < 0)
        return NULL;
    char *slash = strrchr(path, '/');
    if (slash)
        *slash = '\0';
    folder = realpath(!slash ? "." : *path ? path : "/", NULL);
    if (folder && asprintf(&real, "%s/%s", folder, slash ? slash + 1 : path) < 0)
        real = NULL;
    free(folder);
    return real;
}

/* Whether two inputs would become one product: the later would replace the earlier. */
static int is_ambiguous(const struct command *command)
{
    char **names = command->names, **products = calloc((size_t)command->name_count + 1, sizeof *products);
    int found = 0;
    for (int i = 0; products && i + 1 < command->name_count && !command->options.list && !found; i += 2) {
        products[i] = real_product(names[i], names[i + 1]);
        for (int k = 0; products[i] && k < i && !found; k += 2)
            if (products[k] && !strcmp(products[k], products[i])) {
                fprintf(stderr, "%s: '%s' and '%s' would both become '%s'\n", program, names[k], names[i], products[i]);
                found = 1;
            }
    }
    for (int i = 0; products && i < command->name_count; i++)
        free(products[i]);
    free(products);
    return found;
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

static int misused(const char *why, const char *word)
{
    fprintf(stderr, "%s: %s: %s\n", program, why, word);
    return -1;
}

/* A number of threads, or 0. */
static int read_threads(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);
    return *text >= '0' && *text <= '9' && !*end && number <= INT_MAX ? (int)number : 0;
}

/* Reads the options; returns the index of the first name, or -1 for wrong usage. */
static int read_options(int argc, char **argv, struct command *command)
{
    int i = 1, list = 0, table = 0;
    const struct { const char *name; int *flag; int value; } switches[] = {
        {"--batch", &command->batch, 1}, {"--list", &list, 1}, {"--table", &table, 1},
        {"--strict", &command->options.strict, 1}, {"--no-verify", &command->options.verify, 0},
    };
    for (; i < argc && !strncmp(argv[i], "--", 2) && argv[i][2]; i++) {
        size_t k = 0;
        while (k < ROWS(switches) && strcmp(argv[i], switches[k].name))
            k++;
        if (k < ROWS(switches))
            *switches[k].flag = switches[k].value;
        else if (!strcmp(argv[i], "--report") && i + 1 < argc)
            command->report_name = argv[++i];
        else if (!strcmp(argv[i], "--threads") && i + 1 < argc && read_threads(argv[i + 1]) > 0)
            command->options.threads = read_threads(argv[++i]);
        else
            return misused("unknown option, or one without its value", argv[i]);
    }
    if (command->batch + list + table > 1)
        return misused("not together", "--batch, --list, --table");
    command->options.list = list ? LIST : table ? TABLE : CONVERT;
    return i + (i < argc && !strcmp(argv[i], "--"));
}

/* Returns 0, or -1 for wrong usage. */
static int read_command(int argc, char **argv, struct command *command)
{
    int i = read_options(argc, argv, command);
    if (i < 0)
        return -1;
    command->names = argv + i;
    command->name_count = argc - i;
    if (command->batch && command->name_count > 0)
        return misused("with --batch, names come on standard input", argv[i]);
    int has_other_use = command->batch || command->options.list == TABLE;
    if (has_other_use && command->report_name && !strcmp(command->report_name, "-"))
        return misused("standard output has another use", "--report -");
    if (!command->batch && command->name_count == 0)
        return misused("what is to be converted", "INPUT OUTPUT");
    if (command->options.list == TABLE && command->name_count > 1)
        return misused("one input at a time", "--table");
    if (command->options.list == CONVERT && command->name_count % 2)
        return misused("an input without an output", argv[argc - 1]);
    return 0;
}

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
        fprintf(stderr, "%s: cannot write '%s': it is there, and no report\n", program, command->report_name);
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

/* Whatever is closed at the start would otherwise be the next file that is opened, such as a product. */
static void open_standard_files(void)
{
    for (int file = 0; file <= 2; file++)
        if (fcntl(file, F_GETFD) < 0)
            open("/dev/null", file == 2 ? O_WRONLY : O_RDONLY);         /* what goes to a closed output still fails */
}

static enum status print_and_exit(const char *text)
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
    mallopt(M_MMAP_THRESHOLD, 8 << 20);         /* keep what HDF5 gives back after each file: it wants it again */
    mallopt(M_TRIM_THRESHOLD, 16 << 20);
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);        /* the input may lie on a read-only file system */
    if (argc == 2 && !strcmp(argv[1], "--help"))
        return (int)print_and_exit(usage);
    if (argc == 2 && !strcmp(argv[1], "--version"))
        return (int)print_and_exit("_convert " CONVERT_VERSION "\n");
    if (read_command(argc, argv, &command) < 0) {
        fputs(usage, stderr);
        return STATUS_USAGE;
    }
    return (int)run(&command);
}
