/* command.c: the converter's command line, and how a product gets its name.  SPDX-License-Identifier: Apache-2.0
 *
 * A product is made under a temporary name in the directory that it belongs to, and renamed when it is complete. */
#define _POSIX_C_SOURCE 200809L
#include "hdf5_to_netcdf.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *program = "_convert";
static char temporary[4096];    /* what a signal has to remove; the only state that outlives a function */

static const char usage[] =
    "usage: _convert INPUT OUTPUT_DIR     makes OUTPUT_DIR/NAME.nc, NAME being INPUT's name without its extension\n"
    "       _convert INPUT OUTPUT.nc\n"
    "       _convert --help | --version\n"
    "\n"
    "Converts an HDF5 file to CF NetCDF-4.  What the product lacks is named on standard error, with the reason.\n"
    "Exit status: 0 converted; 2 wrong usage; 3 input unreadable or damaged; 5 the output cannot be written.\n";

static void remove_and_die(int signal_number)
{
    if (*temporary)
        unlink(temporary);
    signal(signal_number, SIG_DFL);
    raise(signal_number);
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

static int is_same_file(const char *a, const char *b)
{
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev && first.st_ino == second.st_ino;
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

static int convert(const char *input, const char *to, const struct tables *tables, struct report *report)
{
    char product[4000];
    struct stat info;
    if (product_path(input, to, product, sizeof product) < 0)
        return refuse(report, STATUS_USAGE, "cannot write", to, "the path is too long");
    if (stat(input, &info) < 0)
        return refuse(report, STATUS_INPUT, "cannot read", input, strerror(errno));
    if (!S_ISREG(info.st_mode))
        return refuse(report, STATUS_INPUT, "cannot read", input, "not a file");
    if (is_same_file(input, product))
        return refuse(report, STATUS_USAGE, "cannot write", product, "it is the input");
    if (make_temporary(product) < 0)
        return refuse(report, STATUS_WRITE, "cannot write", product, strerror(errno));
    int status = convert_file(input, temporary, tables, report);
    if (!status && deliver(product) < 0)
        status = refuse(report, STATUS_WRITE, "cannot write", product, strerror(errno));
    if (status)
        unlink(temporary);
    *temporary = '\0';
    return status;
}

int convert_main(int argc, char **argv, const struct tables *tables)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGTERM, SIGXCPU, SIGXFSZ};
    struct report report = {.program = program};

    for (size_t i = 0; i < ROWS(signals); i++)
        signal(signals[i], remove_and_die);
    signal(SIGXFSZ, SIG_IGN);   /* a full quota is then reported by write() */
    setenv("HDF5_USE_FILE_LOCKING", "FALSE", 0);        /* the input may lie on a read-only file system */
    if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h")))
        return fputs(usage, stdout) < 0 || fflush(stdout) ? STATUS_WRITE : STATUS_OK;
    if (argc == 2 && !strcmp(argv[1], "--version"))
        return printf("%s %s\n", program, CONVERT_VERSION) < 0 || fflush(stdout) ? STATUS_WRITE : STATUS_OK;
    if (argc != 3 || argv[1][0] == '-') {
        fputs(usage, stderr);
        return STATUS_USAGE;
    }
    if (convert(argv[1], argv[2], tables, &report) < 0)
        fprintf(stderr, "%s: %s\n", program, report.message);
    return (int)report.status;
}
