/* convert.c: any HDF5 file -> CF NetCDF-4.  SPDX-License-Identifier: Apache-2.0
 *
 * First the input is walked and a list of its groups and datasets made.  From the list the output's groups, dimensions,
 * variables and attributes are defined, then the data are moved, a few megabytes at a time.  The output is written with
 * the HDF5 library alone, as the NetCDF-4 format asks (netcdf4.c).  Whatever is left out is named with the reason. */
#include "engine.h"

#include <sys/stat.h>

enum { SMALL_BYTES = 1 << 20 };

/* ---- The input ---- */

/* What it takes to read chunks from the file itself. */
static int find_file(struct job *job)
{
    void *file = NULL;
    hsize_t user_block = 0;
    hid_t create = H5Fget_create_plist(job->file);
    int known = H5Pget_userblock(create, &user_block) >= 0;
    H5Pclose(create);
    if (!known || H5Fget_vfd_handle(job->file, H5P_DEFAULT, &file) < 0)
        return fail(job, STATUS_INPUT, "cannot read", job->input);
    job->input_file = *(int *)file;
    job->user_block = H5_VERSION_GE(1, 14, 4) ? 0 : user_block;
    return 0;
}

static int open_hdf5(struct job *job)
{
    struct stat size;
    char format[512];
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    int is_small = stat(job->input, &size) == 0 && size.st_size <= SMALL_BYTES;
    if (is_small)
        H5Pset_fapl_core(access, 1 << 16, 0);   /* read at once: HDF5 asks for a few bytes at a time */
    else
        H5Pset_fapl_sec2(access);               /* HDF5_DRIVER has no effect */
    job->file = H5Fopen(job->input, H5F_ACC_RDONLY, access);
    if (job->file < 0) {
        hid_t errors = keep_errors(1);
        int is_known = H5Fis_hdf5(job->input) == 0 && tell_format(job->input, format, sizeof format);
        put_back_errors(errors);
        if (is_known)
            fail_because(job, STATUS_INPUT, "cannot read", job->input, format);
        else
            fail(job, STATUS_INPUT, "cannot read", job->input);
    }
    H5Pclose(access);
    if (job->file < 0)
        return -1;
    job->input_file = -1;
    if (!is_small && find_file(job) < 0)
        return -1;
    hid_t root = H5Gopen2(job->file, "/", H5P_DEFAULT);
    H5O_info_t info;
    if (root < 0 || H5Oget_info2(root, &info, H5O_INFO_BASIC) < 0)
        return fail(job, STATUS_INPUT, "cannot read", job->input);
    struct item *item = add_item(job, root, "/", "/", 0);
    if (!item)
        return out_of_memory(job);
    item->is_group = 1;
    item->address = info.addr;
    if (remember_object(job, 0) < 0)
        return -1;
    job->struct_metadata = read_struct_metadata(job->file);
    return walk(job, 0) < 0 || find_dims(job) < 0 ? -1 : 0;
}

/* ---- The conversion ---- */

/* The rows that speak of nothing in this input: a misspelt path, or another kind of granule. */
static void tell_unused_rows(struct job *job)
{
    const struct tables *tables = job->tables;
    use_rows(job, "/", 1);
    for (size_t i = 0; job->rows_used && i < tables->variable_count + tables->attribute_count; i++) {
        size_t k = i - tables->variable_count;
        const char *path = i < tables->variable_count ? tables->variables[i].path : tables->attributes[k].path;
        if (!job->rows_used[i])
            tell(job, UNUSED, path, NULL, "a row of the %s table matches nothing here",
                 i < tables->variable_count ? "variables" : "attributes");
    }
}

static int check_strict(struct job *job)
{
    return job->options->strict && job->report->left_out > 0
        ? fail_because(job, STATUS_LEFT_OUT, "cannot convert", job->input,
                       "content would be left out, or its units lost") : 0;
}

/* A product without a variable would look as if the input had no data. */
static int check_variables(struct job *job)
{
    int count = 0;
    for (size_t i = 0; i < job->item_count; i++)
        count += job->items[i].is_variable;
    return job->has_data && count == 0
        ? fail_because(job, STATUS_LEFT_OUT, "cannot convert", job->input,
                       "no variable is left of its data: each dataset is left out or dropped") : 0;
}

static int convert_items(struct job *job, const char *output)
{
    if (define_all(job, output) < 0 || check_strict(job) < 0 || check_variables(job) < 0)
        return -1;
    if (job->options->list)
        return list_variables(job);
    for (size_t i = 0; i < job->item_count; i++)
        if (job->items[i].is_variable && (job->classic < 0 ? move_variable : move_classic)(job, &job->items[i]) < 0)
            return -1;
    return check_strict(job);   /* some is known only when the data were read */
}

static void free_lookups(struct job *job)
{
    struct lookup *const all[] = {&job->by_address, &job->types, &job->names, &job->suffixes, &job->dim_names,
        &job->dim_lengths, &job->dim_scales, &job->dim_renamed, &job->dim_numbers};
    for (size_t i = 0; i < ROWS(all); i++)
        lookup_free(all[i]);
    free_rows(&job->variable_rows);
    free_rows(&job->attribute_rows);
}

/* Closes the output first: the data that HDF5 still holds in memory may not fit on the disk. */
static int release(struct job *job, int status)
{
    for (size_t i = 0; i < job->item_count; i++)
        if (job->items[i].to >= 0 && H5Oclose(job->items[i].to) < 0 && !status)
            status = fail(job, STATUS_WRITE, "cannot write", job->items[i].path);
    for (size_t i = 0; i < job->dim_count; i++) {
        if (job->dims[i].to >= 0 && job->dims[i].coordinate == NONE)
            H5Dclose(job->dims[i].to);
        free(job->dims[i].name);
    }
    if (job->plain_list >= 0)
        H5Pclose(job->plain_list);
    if (job->to >= 0 && H5Fclose(job->to) < 0 && !status)
        status = fail(job, STATUS_WRITE, "cannot write", job->report->output);
    for (size_t i = 0; i < job->item_count; i++) {
        free(job->items[i].path);
        free(job->items[i].name);
        free(job->items[i].output);
        for (int k = 0; job->items[i].axis_names && k < job->items[i].rank; k++)
            free(job->items[i].axis_names[k]);
        free(job->items[i].axis_names);
        close_types(&job->items[i]);
        if (job->items[i].id >= 0)
            H5Oclose(job->items[i].id);
    }
    free(job->items);
    free(job->by_path);
    free(job->by_output);
    free(job->dims);
    free(job->struct_metadata);
    free(job->rows_used);
    free_lookups(job);
    free_filled(job);
    if (job->file >= 0)
        H5Fclose(job->file);
    if (job->classic >= 0)
        close_classic(job);
    return status;
}

int convert_file(const char *input, const char *output, const struct tables *tables, const struct options *options,
                 struct report *report)
{
    struct job job = {.input = input, .tables = tables, .options = options, .report = report, .file = -1, .to = -1,
        .plain_list = -1, .classic = -1};
    H5dont_atexit();            /* HDF5 1.10 crashes there after a failed write */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    job.rows_used = calloc(tables->variable_count + tables->attribute_count + 1, 1);
    int status = check_tables(&job) < 0 || fill_tables(&job) < 0 || index_tables(&job) < 0 ? -1
        : is_classic(input) ? open_classic(&job) : open_hdf5(&job);
    if (!status) {
        tell_unused_rows(&job);
        status = check_filled(&job) < 0 ? -1 : convert_items(&job, output);
    }
    status = release(&job, status);
    return status || report->status ? -1 : 0;
}
