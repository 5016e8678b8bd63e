/* support.c: messages and types.  SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include <stdarg.h>

/* ---- Saying what happened ---- */

enum { TEXT = 1024 };

static herr_t innermost(unsigned n, const H5E_error2_t *error, void *text)
{
    if (n == 0)
        snprintf(text, TEXT, "%s", error->desc ? error->desc : "");
    return 0;
}

/* Copies HDF5's reason: of a failed write the system's reason alone, and plainer text for the most frequent reasons. */
static void library_text(char text[TEXT])
{
    static const char key[] = "error message = '";
    static const char *const plainer[][2] = {
        {"file signature not found", "it is neither an HDF5 nor a NetCDF file"},
        {"truncated file", "the file is truncated: its end is missing"},
        {"no appropriate function for conversion path", "HDF5 cannot turn its type into netCDF's"},
    };
    *text = '\0';
    H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, innermost, text);
    const char *reason = strstr(text, key);
    if (reason) {
        reason += sizeof key - 1;
        size_t length = strcspn(reason, "'");
        memmove(text, reason, length);
        text[length] = '\0';
    }
    for (size_t i = 0; i < ROWS(plainer); i++)
        if (strstr(text, plainer[i][0]))
            snprintf(text, TEXT, "%s", plainer[i][1]);
}

/* Whether the last call failed since HDF5 met a newer form of the file format than it knows; copies its reason. */
int is_newer(char *text, size_t room)
{
    char reason[TEXT];
    library_text(reason);
    snprintf(text, room, "HDF5 %d.%d.%d does not know its form (%.128s)", H5_VERS_MAJOR, H5_VERS_MINOR,
             H5_VERS_RELEASE, reason);
    return strstr(reason, "bad version number") != NULL;
}

/* HDF5 forgets why a call failed with the next call: to be taken before cleaning up, and put back after it. */
hid_t keep_errors(int failed)
{
    return failed ? H5Eget_current_stack() : -1;
}

void put_back_errors(hid_t errors)
{
    if (errors >= 0)
        H5Eset_current_stack(errors);
}

/* Records the first failure, with the HDF5 library's text; returns -1 so that callers can return it. */
int fail(struct job *job, enum status status, const char *what, const char *path)
{
    char text[TEXT];
    library_text(text);
    return fail_because(job, status, what, path, *text ? text : "the HDF5 library gives no reason");
}

int fail_because(struct job *job, enum status status, const char *what, const char *path, const char *why)
{
    if (!job->report->status) {
        job->report->status = status;
        snprintf(job->report->message, sizeof job->report->message, "%s '%s': %s", what, path, why);
    }
    return -1;
}

int out_of_memory(struct job *job)
{
    return fail_because(job, STATUS_WRITE, "cannot convert", job->input, "out of memory");
}

/* Adds an entry to the report: something is left out (LEFT_OUT), changed (NOTED, or ASKED by the table), or
 * converted. */
void tell(struct job *job, enum kind kind, const char *path, const char *attribute, const char *format, ...)
{
    struct report *report = job->report;
    char *text = NULL;
    va_list values;

    if (report->entry_count == report->entry_room) {
        size_t room = report->entry_room ? 2 * report->entry_room : 64;
        struct entry *larger = realloc(report->entries, room * sizeof *larger);
        if (!larger) {
            out_of_memory(job);
            return;
        }
        report->entries = larger;
        report->entry_room = room;
    }
    va_start(values, format);
    size_t size = (size_t)vsnprintf(NULL, 0, format, values) + 1;
    va_end(values);
    text = malloc(size);
    va_start(values, format);
    if (text)
        vsnprintf(text, size, format, values);
    va_end(values);
    struct entry entry = {strdup(path), attribute ? strdup(attribute) : NULL, text, kind};
    report->entries[report->entry_count++] = entry;
    report->left_out += kind == LEFT_OUT;
    if (!entry.path || !entry.text || (attribute && !entry.attribute))
        out_of_memory(job);
}

/* A group or a dimension that is not made: --strict fails for it, though no values are left out. */
void tell_vanished(struct job *job, const char *path, const char *why)
{
    tell(job, NOTED, path, NULL, "%s", why);
    job->report->left_out++;
}

/* ---- Types ---- */

/* Whether the exponents of a floating-point type, in `size` bits, are among those of IEEE in `most` bits. */
static int fits_float(hid_t type, size_t size, size_t most)
{
    size_t bias = H5Tget_ebias(type), ieee = ((size_t)1 << (most - 1)) - 1;
    return size <= most && bias <= ieee && ((size_t)1 << size) <= bias + ieee + 2;
}

/* The netCDF type that holds every value of an HDF5 type, or NC_NAT. */
nc_type netcdf_type(hid_t type)
{
    static const nc_type with_sign[] = {NC_BYTE, NC_SHORT, NC_INT, NC_INT64};
    static const nc_type without[] = {NC_UBYTE, NC_USHORT, NC_UINT, NC_UINT64};
    size_t size = H5Tget_size(type), sign, exponent, exponent_size, mantissa, mantissa_size;
    int power = size <= 1 ? 0 : size == 2 ? 1 : size <= 4 ? 2 : 3;
    hid_t base;
    nc_type result = NC_NAT;

    switch (H5Tget_class(type)) {
    case H5T_INTEGER:
        return size > 8 ? NC_NAT : H5Tget_sign(type) == H5T_SGN_NONE ? without[power] : with_sign[power];
    case H5T_BITFIELD:          /* read bit for bit */
        return size == 1 || size == 2 || size == 4 || size == 8 ? without[power] : NC_NAT;
    case H5T_FLOAT:
        if (H5Tget_fields(type, &sign, &exponent, &exponent_size, &mantissa, &mantissa_size) < 0)
            return NC_NAT;
        return fits_float(type, exponent_size, 8) && mantissa_size <= 23 ? NC_FLOAT
            : fits_float(type, exponent_size, 11) && mantissa_size <= 52 ? NC_DOUBLE : NC_NAT;
    case H5T_STRING:            /* netCDF writes its characters so */
        return H5Tis_variable_str(type) <= 0 && size == 1 ? NC_CHAR : NC_STRING;
    case H5T_ENUM:
        base = H5Tget_super(type);
        result = netcdf_type(base);
        H5Tclose(base);
        return result;
    default:
        return NC_NAT;
    }
}

const char *type_name(hid_t type)
{
    switch (H5Tget_class(type)) {
    case H5T_COMPOUND: return "compound type: not supported";
    case H5T_ARRAY: return "array type: not supported";
    case H5T_OPAQUE: return "opaque type: not supported";
    case H5T_REFERENCE: return "reference: not supported";
    case H5T_VLEN: return "variable-length type: not supported";
    case H5T_TIME: return "HDF5 time type: not supported";
    case H5T_FLOAT: return "floating-point type wider than 8 bytes: not supported";
    case H5T_INTEGER: return "integer type wider than 8 bytes: not supported";
    default: return "unknown type: not supported";
    }
}

/* Returns the type in memory of values that are converted to `type`. HDF5 does not convert bits to numbers: they stay
 * bits. */
hid_t native_type(nc_type type, H5T_class_t from)
{
    if (from == H5T_BITFIELD)
        return type == NC_UBYTE ? H5T_NATIVE_B8 : type == NC_USHORT ? H5T_NATIVE_B16
            : type == NC_UINT ? H5T_NATIVE_B32 : H5T_NATIVE_B64;
    switch (type) {
    case NC_BYTE: return H5T_NATIVE_INT8;
    case NC_CHAR: return H5T_C_S1;
    case NC_UBYTE: return H5T_NATIVE_UINT8;
    case NC_SHORT: return H5T_NATIVE_INT16;
    case NC_USHORT: return H5T_NATIVE_UINT16;
    case NC_INT: return H5T_NATIVE_INT32;
    case NC_UINT: return H5T_NATIVE_UINT32;
    case NC_INT64: return H5T_NATIVE_INT64;
    case NC_UINT64: return H5T_NATIVE_UINT64;
    case NC_FLOAT: return H5T_NATIVE_FLOAT;
    default: return H5T_NATIVE_DOUBLE;
    }
}

/* A string of any length, in UTF-8: netCDF's NC_STRING. */
hid_t string_type(void)
{
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, H5T_VARIABLE);
    H5Tset_cset(type, H5T_CSET_UTF8);
    return type;
}

/* The type in the output's file. */
hid_t file_type(nc_type type, int big_endian)
{
    if (type == NC_STRING)
        return string_type();
    hid_t file = H5Tcopy(native_type(type, H5T_INTEGER));
    if (type != NC_CHAR)
        H5Tset_order(file, big_endian ? H5T_ORDER_BE : H5T_ORDER_LE);
    return file;
}
