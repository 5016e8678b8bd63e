/* classic.c: NetCDF-3 input, read through the netCDF library.  SPDX-License-Identifier: Apache-2.0
 *
 * The library is loaded when the first such input comes: what it brings along takes longer to load than a small granule
 * to convert.  The tables apply as to HDF5, with "/NAME" as a variable's path. */
#include "engine.h"

#include <dlfcn.h>
#include <errno.h>
#include <sys/stat.h>

#ifndef NETCDF_LIBRARY
#define NETCDF_LIBRARY "libnetcdf.so"
#endif

#define FUNCTIONS(F) F(nc_open) F(nc_close) F(nc_strerror) F(nc_inq_ndims) F(nc_inq_dim) F(nc_inq_unlimdim) \
    F(nc_inq_nvars) F(nc_inq_var) F(nc_inq_varid) F(nc_inq_varnatts) F(nc_inq_attname) F(nc_inq_att) F(nc_get_att) \
    F(nc_get_att_text) F(nc_get_vara)
#define DECLARE(name) __typeof__(name) *name;
#define LOAD(name) && (*(void **)&library.name = dlsym(handle, #name)) != NULL

static struct { FUNCTIONS(DECLARE) } library;   /* the same for every input */

static int load_library(struct job *job)
{
    static void *handle;
    if (!handle)
        handle = dlopen(NETCDF_LIBRARY, RTLD_NOW);
    if (!handle || !(1 FUNCTIONS(LOAD)))
        return fail_because(job, STATUS_INPUT, "cannot read", job->input,
                            "NetCDF-3 input needs the netCDF library: " NETCDF_LIBRARY);
    return 0;
}

/* Whether the file starts with CDF and a version: 1 classic, 2 64-bit offsets, 5 64-bit data. */
static int classic_version(const char *input)
{
    unsigned char magic[4] = {0};
    FILE *file = fopen(input, "rb");
    size_t count = file ? fread(magic, 1, sizeof magic, file) : 0;
    if (file)
        fclose(file);
    return count == 4 && !memcmp(magic, "CDF", 3) && (magic[3] == 1 || magic[3] == 2 || magic[3] == 5) ? magic[3] : 0;
}

int is_classic(const char *input)
{
    return classic_version(input) > 0;
}

static int check(struct job *job, int error, const char *path)
{
    return error ? fail_because(job, STATUS_INPUT, "cannot read", path, library.nc_strerror(error)) : 0;
}

/* ---- Whether all of it is there: the library reads zeros beyond the file's end ----
 *
 * The header is walked before the library sees it: the library trusts its counts, and copies names of any length.
 * https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html#classic_format_spec */

struct header {
    FILE *file;
    size_t size;                /* of the file */
    size_t count, offset;       /* widths of counts and of offsets in it, 4 or 8 */
    size_t records, record;     /* the number of records, and the bytes of each */
    size_t dims, *lengths;      /* of the unlimited dimension: 0 */
    const char *why;            /* it cannot be read, or NULL */
};

static const char truncated[] = "the file is truncated: its end is missing";

static size_t padded(size_t size)
{
    return (size + 3) / 4 * 4;
}

/* A product, or a number larger than any file where a damaged header asks for that. */
static size_t capped(size_t a, size_t b)
{
    return b > 0 && a > SIZE_MAX / 8 / b ? SIZE_MAX / 8 : a * b;
}

/* The next number of `width` bytes, the largest first. */
static size_t next_number(struct header *header, size_t width)
{
    unsigned char bytes[8] = {0};
    size_t number = 0;
    if (!header->why && fread(bytes, 1, width, header->file) != width)
        header->why = truncated;
    for (size_t i = 0; i < width && !header->why; i++)
        number = number << 8 | bytes[i];
    return number;
}

static void skip(struct header *header, size_t size)
{
    if (!header->why && (size > header->size || fseeko(header->file, (off_t)padded(size), SEEK_CUR) < 0
                         || (size_t)ftello(header->file) > header->size))
        header->why = truncated;
}

static void skip_name(struct header *header)
{
    size_t length = next_number(header, header->count);
    if (!header->why && (length == 0 || length > NC_MAX_NAME))
        header->why = length == 0 ? "a name in it is empty" : "a name in it is longer than netCDF allows";
    skip(header, length);
}

/* A list's tag, and how many there are: each takes four bytes at least. */
static size_t next_list(struct header *header)
{
    next_number(header, 4);
    size_t count = next_number(header, header->count);
    if (!header->why && count > header->size / 4)
        header->why = truncated;
    return header->why ? 0 : count;
}

static size_t next_type_size(struct header *header)
{
    static const size_t sizes[] = {0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8};    /* NC_BYTE is 1 */
    size_t type = next_number(header, 4);
    if (!header->why && (type == 0 || type >= ROWS(sizes)))
        header->why = "it holds a type that netCDF does not know";
    return header->why ? 0 : sizes[type];
}

static void skip_attributes(struct header *header)
{
    for (size_t left = next_list(header); left > 0 && !header->why; left--) {
        skip_name(header);
        size_t size = next_type_size(header);
        skip(header, capped(size, next_number(header, header->count)));
    }
}

static void walk_dims(struct header *header)
{
    header->dims = next_list(header);
    header->lengths = calloc(header->dims + 1, sizeof *header->lengths);
    if (!header->lengths)
        header->why = "out of memory";
    for (size_t i = 0; i < header->dims && !header->why; i++) {
        skip_name(header);
        header->lengths[i] = next_number(header, header->count);
    }
}

struct extent {                 /* of a variable's data, or of its first record */
    size_t begin, bytes;
    int is_record;
};

static struct extent walk_variable(struct header *header)
{
    struct extent extent = {0, 1, 0};
    skip_name(header);
    size_t rank = next_number(header, header->count);
    if (!header->why && rank > NC_MAX_VAR_DIMS)
        header->why = "a variable in it has more dimensions than netCDF allows";
    for (size_t i = 0; i < rank && !header->why; i++) {
        size_t dim = next_number(header, header->count), length = dim < header->dims ? header->lengths[dim] : 0;
        if (!header->why && dim >= header->dims)
            header->why = "a variable in it has a dimension that the file does not define";
        extent.is_record |= i == 0 && length == 0;
        extent.bytes = capped(extent.bytes, i == 0 && length == 0 ? 1 : length);
    }
    skip_attributes(header);
    extent.bytes = capped(extent.bytes, next_type_size(header));
    next_number(header, header->count);         /* its size: redundant, and too small for large ones */
    extent.begin = next_number(header, header->offset);
    return extent;
}

/* Each variable of a record is padded to 4 bytes, unless the record has a single variable. */
static void check_extents(struct header *header, const struct extent *extents, size_t count)
{
    size_t users = 0, single = 0;
    for (size_t i = 0; i < count; i++)
        if (extents[i].is_record) {
            single = extents[i].bytes;
            users++;
            header->record = capped(header->record + padded(extents[i].bytes), 1);
        }
    if (users == 1)
        header->record = single;
    for (size_t i = 0; i < count && !header->why; i++) {
        size_t before = extents[i].is_record ? capped(header->records ? header->records - 1 : 0, header->record) : 0;
        int is_empty = extents[i].bytes == 0 || (extents[i].is_record && header->records == 0);
        if (!is_empty && (before > header->size || extents[i].begin > header->size || extents[i].bytes > header->size
                          || before + extents[i].begin + extents[i].bytes > header->size))
            header->why = truncated;
    }
}

static void walk_header(struct header *header)
{
    skip(header, 4);
    header->records = next_number(header, header->count);
    if (header->records == (header->count == 4 ? UINT32_MAX : SIZE_MAX))
        header->records = 0;    /* a stream: the library counts them itself */
    walk_dims(header);
    skip_attributes(header);
    size_t count = next_list(header);
    struct extent *extents = calloc(count + 1, sizeof *extents);
    for (size_t i = 0; extents && i < count && !header->why; i++)
        extents[i] = walk_variable(header);
    if (!extents)
        header->why = "out of memory";
    else if (!header->why)
        check_extents(header, extents, count);
    free(extents);
}

static int check_header(struct job *job)
{
    int version = classic_version(job->input);
    struct stat info = {0};
    struct header header = {.file = fopen(job->input, "rb"), .count = version == 5 ? 8 : 4,
        .offset = version == 1 ? 4 : 8};
    if (!header.file || fstat(fileno(header.file), &info) < 0)
        header.why = strerror(errno);
    header.size = (size_t)info.st_size;
    if (!header.why)
        walk_header(&header);
    if (header.file)
        fclose(header.file);
    free(header.lengths);
    return header.why ? fail_because(job, STATUS_INPUT, "cannot read", job->input, header.why) : 0;
}

/* ---- The list of variables ---- */

/* Reads the fill value from the variable's attribute; `*why` says why there is none. */
static int read_classic_fill(struct job *job, const struct item *item, unsigned char fill[8], const char **why)
{
    int var = (int)item->address;
    nc_type type;
    size_t length;
    *why = "it is not there";
    if (library.nc_inq_att(job->classic, var, "_FillValue", &type, &length) != NC_NOERR)
        return 0;
    if (length == 1 && check(job, library.nc_get_att(job->classic, var, "_FillValue", fill), item->path) < 0)
        return -1;
    *why = as_fill(item, type, length, fill);
    return 0;
}

/* A dimension is called as its coordinate variable, also where the table gives that a new name. */
static int rename_dim(struct job *job, size_t number, int rank, const char *name, const char *new_name)
{
    struct dim *dim = &job->dims[number];
    if (rank != 1 || strcmp(dim->name, name) || !strcmp(name, new_name))
        return 0;
    char *copy = strdup(new_name);
    if (!copy)
        return -1;
    free(dim->name);
    dim->name = copy;
    return 0;
}

static int add_classic_variable(struct job *job, int var, const size_t *dims)
{
    char path[NC_MAX_NAME + 2] = "/", axis_name[NC_MAX_NAME + 1];
    int rank, ids[NC_MAX_VAR_DIMS];
    nc_type type;
    const char *name = path + 1, *no_fill;
    size_t parent = 0;
    if (check(job, library.nc_inq_var(job->classic, var, path + 1, &type, &rank, ids, NULL), job->input) < 0)
        return -1;
    if (rank > RANK)
        return fail_because(job, STATUS_INPUT, "cannot convert", path, "it has more dimensions than HDF5 allows");
    use_rows(job, path, 0);
    if (!add_variable_name(job, path, &name, &parent))
        return 0;
    struct item *item = add_item(job, -1, path, name, parent);
    if (!item)
        return out_of_memory(job);
    item->is_variable = 1;
    item->address = (haddr_t)var;
    item->type = type;
    item->rank = rank;
    item->storage.deflate = -1;
    item->storage.layout = H5D_CONTIGUOUS;
    if (read_classic_fill(job, item, item->storage.fill, &no_fill) < 0)
        return -1;
    item->storage.has_fill = !no_fill;
    int has_methods = library.nc_inq_att(job->classic, var, "cell_methods", NULL, NULL) == NC_NOERR;
    for (int i = 0; i < rank; i++) {
        const struct dim *dim = &job->dims[dims[ids[i]]];
        item->length[i] = dim->length;
        if (table_dim(job, item, i, axis_name) < 0)
            return -1;
        int is_named = *axis_name != '\0';
        size_t number = is_named ? named_dim(job, axis_name, dim->length, dim->unlimited) : dims[ids[i]];
        if (has_methods && (check(job, library.nc_inq_dim(job->classic, ids[i], axis_name, NULL), path) < 0
                            || add_axis_name(item, i, axis_name) < 0))
            return out_of_memory(job);
        if (number == NONE || (!is_named && rename_dim(job, number, rank, path + 1, item->name) < 0))
            return out_of_memory(job);
        use_dim(job, item, i, number);
    }
    return 0;
}

static int add_classic_dims(struct job *job, int count, size_t *dims)
{
    int unlimited = -1;
    size_t length;
    char name[NC_MAX_NAME + 1];
    if (check(job, library.nc_inq_unlimdim(job->classic, &unlimited), job->input) < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        if (check(job, library.nc_inq_dim(job->classic, i, name, &length), job->input) < 0)
            return -1;
        struct dim *dim = add_dim(job, name, length, i == unlimited);
        if (!dim)
            return out_of_memory(job);
        dim->home = 0;          /* kept, even if no variable uses it */
        dims[i] = job->dim_count - 1;
    }
    return 0;
}

/* The library does not limit the number of dimensions; NC_MAX_DIMS has no effect. */
static int add_classic_items(struct job *job)
{
    int count = 0, vars = 0;
    struct item *root = add_item(job, -1, "/", "/", 0);
    if (!root)
        return out_of_memory(job);
    root->is_group = 1;
    if (check(job, library.nc_inq_ndims(job->classic, &count), job->input) < 0
        || check(job, library.nc_inq_nvars(job->classic, &vars), job->input) < 0)
        return -1;
    job->has_data = vars > 0;
    size_t *dims = calloc((size_t)count + 1, sizeof *dims);
    int status = dims ? add_classic_dims(job, count, dims) : out_of_memory(job);
    for (int i = 0; i < vars && !status; i++)
        status = add_classic_variable(job, i, dims);
    free(dims);
    return status;
}

int open_classic(struct job *job)
{
    if (check_header(job) < 0 || load_library(job) < 0
        || check(job, library.nc_open(job->input, NC_NOWRITE, &job->classic), job->input) < 0)
        return -1;
    return add_classic_items(job);
}

void close_classic(struct job *job)
{
    library.nc_close(job->classic);
}

/* ---- Attributes and data ---- */

/* The text of an attribute with a zero byte behind it, as UTF-8, or NULL. */
char *classic_text(struct job *job, int var, const char *name, size_t *length, int *marks)
{
    nc_type type = NC_NAT;
    if (library.nc_inq_att(job->classic, var, name, &type, length) != NC_NOERR || type != NC_CHAR)
        return NULL;
    char *text = calloc(1, *length + 1), *latin = NULL;
    if (text && library.nc_get_att_text(job->classic, var, name, text) != NC_NOERR)
        *text = '\0';
    if (!text || is_utf8(text, *length) || !(latin = malloc(2 * *length + 1)))
        return text;
    *length = from_latin(text, *length, latin);
    *marks |= LATIN;
    free(text);
    return latin;
}

int has_classic_attribute(struct job *job, const char *name)
{
    size_t length;
    nc_type type;
    return library.nc_inq_att(job->classic, NC_GLOBAL, name, &type, &length) == NC_NOERR;
}

int has_classic_variable(const struct job *job, const char *name)
{
    int var;
    return library.nc_inq_varid(job->classic, name, &var) == NC_NOERR;
}

static int copy_classic_fill(struct job *job, const struct item *item)
{
    unsigned char fill[8] = {0};
    const char *why;
    if (read_classic_fill(job, item, fill, &why) < 0)
        return -1;
    if (why)
        tell(job, LEFT_OUT, item->path, "_FillValue", "%s", why);
    return !why && put_fill_value(item, fill) < 0 ? fail(job, STATUS_WRITE, "cannot write", item->path) : 0;
}

static int copy_classic_text(struct job *job, const struct item *item, int var, const char *name)
{
    size_t length;
    int marks = 0;
    char *text = classic_text(job, var, name, &length, &marks);
    char *followed = text ? follow_names(job, item, name, text) : NULL;
    size_t left = followed == text ? length : followed ? strlen(followed) : 0;
    int is_gone = followed && followed != text && left == 0;
    int status = !text || !followed ? out_of_memory(job) : !is_gone
        && put_chars(item->to, name, followed, left) < 0 ? fail(job, STATUS_WRITE, "cannot write", item->path) : 0;
    tell_marks(job, item->path, name, marks);
    if (followed != text)
        free(followed);
    free(text);
    return status;
}

static int copy_classic_attribute(struct job *job, const struct item *item, int var, const char *name)
{
    nc_type type;
    size_t length;
    if (item->is_variable && !strcmp(name, "_FillValue"))
        return copy_classic_fill(job, item);
    if (check(job, library.nc_inq_att(job->classic, var, name, &type, &length), item->path) < 0)
        return -1;
    if (type == NC_CHAR)
        return copy_classic_text(job, item, var, name);
    void *values = length < SIZE_MAX / 8 ? malloc(8 * length + 8) : NULL;
    if (!values)
        return out_of_memory(job);
    int status = check(job, library.nc_get_att(job->classic, var, name, values), item->path);
    if (!status && put_values(item->to, name, native_type(type, H5T_INTEGER), length, values) < 0)
        status = fail(job, STATUS_WRITE, "cannot write", item->path);
    free(values);
    return status;
}

int copy_classic_attributes(struct job *job, const struct item *item)
{
    int count = 0, var = item->is_group ? NC_GLOBAL : (int)item->address;
    char name[NC_MAX_NAME + 1];
    if (check(job, library.nc_inq_varnatts(job->classic, var, &count), item->path) < 0)
        return -1;
    for (int i = 0; i < count; i++) {
        if (check(job, library.nc_inq_attname(job->classic, var, i, name), item->path) < 0)
            return -1;
        const char *why = is_occupied(job, item, name);
        if (is_replaced(job, item, name))
            continue;
        if (why)
            tell(job, LEFT_OUT, item->path, name, "%s", why);
        else if (copy_classic_attribute(job, item, var, name) < 0)
            return -1;
        else
            tell_if_hidden(job, item->path, name);
    }
    return 0;
}

static int move_classic_box(struct job *job, const struct item *item, hid_t space, const hsize_t start[RANK],
                            const hsize_t box[RANK], void *buffer)
{
    hsize_t size[RANK];
    size_t starts[RANK], sizes[RANK];
    hid_t memory = select_box(item, space, box, start, size);
    for (int i = 0; i < item->rank; i++) {
        starts[i] = (size_t)start[i];
        sizes[i] = (size_t)size[i];
    }
    int status = check(job, library.nc_get_vara(job->classic, (int)item->address, starts, sizes, buffer), item->path);
    if (!status && H5Dwrite(item->to, native_type(item->type, H5T_INTEGER), memory, space, H5P_DEFAULT, buffer) < 0)
        status = fail(job, STATUS_WRITE, "cannot write", item->path);
    H5Sclose(memory);
    return status;
}

int move_classic(struct job *job, const struct item *item)
{
    hsize_t box[RANK], start[RANK] = {0}, room = 8;
    for (int i = 0; i < item->rank; i++)
        if (item->length[i] == 0)
            return 0;
    plan_box(item, 8, box);
    for (int i = 0; i < item->rank; i++)
        room *= box[i];
    void *buffer = malloc((size_t)room);
    hid_t space = H5Dget_space(item->to);
    int status = buffer ? 0 : out_of_memory(job);
    do {
        if (!status)
            status = move_classic_box(job, item, space, start, box, buffer);
    } while (!status && next_box(item, box, start));
    H5Sclose(space);
    free(buffer);
    return status;
}
