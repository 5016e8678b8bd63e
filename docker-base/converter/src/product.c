/* product.c: how a product gets its name, and what is removed where there is none.  SPDX-License-Identifier: Apache-2.0
 *
 * A product is made under a temporary name in the directory that it belongs to, and renamed when it is complete. */
#define _GNU_SOURCE             /* asprintf */
#include "command.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char temporary[4096];    /* the file that a signal has to remove; the only global state */

static void remove_and_die(int signal_number)
{
    if (*temporary)
        unlink(temporary);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* A crash or an interruption leaves nothing behind; the handler has a stack of its own, for a crash of the stack.  What
 * the caller ignores, as nohup does, stays ignored. */
void catch_signals(void)
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
    signal(SIGXFSZ, SIG_IGN);   /* write() then reports that the limit is reached */
}

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

/* Returns the product's path without links and dots; NULL if its directory does not exist. */
char *real_product(const char *input, const char *to)
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

int make_product(const struct command *command, const char *input, const char *to, struct report *report)
{
    char product[4000];
    struct stat info;
    const struct tables none = {NULL, 0, NULL, 0}, *tables = command->options.list == TABLE ? &none : command->tables;
    const struct options *options = &command->options;
    if (stat(input, &info) < 0)
        return refuse(report, STATUS_INPUT, "cannot read", input, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return refuse(report, STATUS_INPUT, "cannot read", input, "it is not a regular file");
    if (info.st_size == 0)
        return refuse(report, STATUS_INPUT, "cannot read", input, "the file is empty");
    if (options->list)
        return convert_file(input, "list", tables, options, report);
    if (product_path(input, to, product, sizeof product) < 0)
        return refuse(report, STATUS_USAGE, "cannot write", to, "the path is too long");
    if (is_same_file(input, product))
        return refuse(report, STATUS_USAGE, "cannot write", product, "it is the input");
    if (command->report_name && is_same_file(command->report_name, product))
        return refuse(report, STATUS_USAGE, "cannot write", product, "it is the report");
    if (stat(product, &info) == 0 && !S_ISREG(info.st_mode))     /* rename() would replace even a device */
        return refuse(report, STATUS_WRITE, "cannot write", product, "it is not a regular file");
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
