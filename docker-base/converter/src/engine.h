/* engine.h: what the parts of the engine share.  SPDX-License-Identifier: Apache-2.0
 *
 *   convert.c      opens the input, calls the others in turn, and releases everything
 *   walk.c         walks the input and lists its groups and datasets; datasets.c says which can be converted
 *   fields.c       makes a variable of each field of a compound dataset; types.c keeps netCDF-4's own types
 *   dimensions.c   finds the dimensions: of the tables, of scales (scales.c), of HDF-EOS5 (hdfeos.c), of labels
 *                  (labels.c), of lengths
 *   names.c        settles the names in the output, and drops groups and dimensions that nothing is left in
 *   netcdf4.c      defines groups, dimensions and variables of the output
 *   attributes.c   copies the input's attributes, and those of the tables; history.c writes the history
 *   references.c   lets attributes that name variables follow the new names; scope.c says which variable is meant
 *   data.c         moves the data in boxes; chunks.c moves them as they are stored, verified
 *   classic.c      does the same for NetCDF-3 input
 *   lookup.c       finds items, dimensions and rows by a key, so that no loop goes over all of them for each
 *   table.c        says what the tables say, and writes their attributes; values.c fills the names in their texts
 *   units.c        says where the table's units contradict the input's
 *   text.c         reads strings and names
 *   formats.c      says what a file is that is neither HDF5 nor NetCDF
 *   support.c      holds messages and types
 *   listing.c      says what --list and --table say
 *
 * The command line (command.h) calls convert_file, and report.c prints what became of the input. */
#ifndef ENGINE_H
#define ENGINE_H

#define _GNU_SOURCE             /* copy_file_range */
#define H5_USE_110_API          /* the same calls in HDF5 1.10 and 1.14 */
#include "conversion.h"
#include "lookup.h"

#include <hdf5.h>
#include <netcdf.h>             /* for its types and limits; the library itself is loaded for NetCDF-3 input only */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HIDDEN "_nc4_non_coord_"  /* prefix of a variable that has a dimension's name, but is not its coordinate */
#define NONE SIZE_MAX            /* no dimension, no group */

enum { RANK = H5S_MAX_RANK, BOX_BYTES = 4 << 20, PASS_BYTES = 1 << 18 };
enum { CUT = 1, LATIN = 2 };    /* marks of texts */

struct storage {                /* how the input keeps a dataset */
    H5D_layout_t layout;
    hsize_t chunk[RANK];
    int partial_chunks;         /* chunks that cross the edge are not filtered */
    int filter_count, deflate;  /* deflate: its place among the filters, or -1 */
    H5Z_filter_t filters[H5Z_MAX_NFILTERS];
    unsigned level;             /* of deflate */
    int has_fill;               /* somebody chose the fill value; of strings of any length: string_fill() */
    unsigned char fill[8];      /* value of elements that were never written, in native order, here and in the output */
    int is_filled;              /* what was never written must be written: the output has no such fill value */
};

/* The items are in the order of the walk: a group comes before its members. */
struct item {
    char *path;                 /* in the input */
    char *name;                 /* in the output's group */
    char *output;               /* path in the output, as netCDF shows it; NULL until it is settled */
    size_t parent;              /* index of that group; the root is its own parent */
    hid_t id, to;               /* in the input and in the output */
    haddr_t address;            /* tells whether two links lead to the same object */
    int is_variable;            /* otherwise a group, a type, or a dataset that only holds a dimension */
    int is_group, is_scale, is_type;
    int is_field;               /* of a compound dataset, which is the group */
    int had_members;            /* of a group: the input has something in it */
    int depth;                  /* of a group: how many are above it */
    nc_type type;
    H5T_class_t from;           /* the class of the input's type */
    hid_t leaf;                 /* the type of a value in the input, or 0 */
    hid_t read, write;          /* types in memory, of the same bytes: of an element as it is read; of a value */
    size_t own;                 /* the item that is its type, where that is none of netCDF's atomic ones, or 0 */
    int big_endian;
    int rank;
    int element_rank;           /* of these, the last ones: the axes of arrays within the type */
    hsize_t length[RANK], limit[RANK];
    size_t dim[RANK];
    char **axis_names;          /* of a variable with cell_methods: the input's own names, NULL for an axis without */
    struct storage storage;
};

struct dim {
    char *name;
    hsize_t length;
    int unlimited;
    int number;                 /* in the output, or -1 until its name is settled */
    haddr_t scale;              /* the dataset that describes it, or HADDR_UNDEF */
    haddr_t renamed;            /* the scale to which the table gives this name, or HADDR_UNDEF */
    int is_labelled;            /* no table and no scale names it */
    int nc4_id;                 /* netCDF-4's own number for it in the input, or -1 */
    size_t home;                /* the group that all its users are in, or NONE */
    size_t coordinate;          /* the variable that holds its values, or NONE */
    hid_t to;                   /* its dataset in the output */
    size_t origin;              /* the group that its scale is in */
    size_t user;                /* the first item along it; 0, the root, where none is */
};

struct rows {                   /* of a table, by their paths */
    const char **paths;
    struct lookup by_path;      /* the rows without a wildcard */
    size_t *patterns, pattern_count;    /* the others */
};

struct job {
    const char *input;
    const struct tables *tables;
    const struct options *options;
    struct report *report;
    hid_t file, to;             /* the input, the output */
    int input_file;             /* its descriptor, or -1 where HDF5 has it in memory */
    haddr_t user_block;         /* HDF5's chunk addresses do not count it */
    hid_t plain_list;           /* properties that all of the output's datasets share */
    char *struct_metadata;      /* of an HDF-EOS5 file, or NULL */
    struct rows variable_rows, attribute_rows;
    unsigned char *rows_used;   /* of the tables, the variables' first; NULL without memory */
    struct tables filled_tables;        /* with the names of the texts filled: `filled` */
    char **filled;
    size_t filled_count;
    const char **unfilled;      /* the first name without a value of each row, or NULL; NULL without any brace */
    struct item *items;
    size_t item_count, item_room;
    struct lookup by_address, types;            /* the items of objects of the input; of types */
    struct lookup names, suffixes;              /* items by group and name in the output; the numbers behind names */
    struct dim *dims;
    size_t dim_count, dim_room;
    struct lookup dim_names, dim_lengths;       /* by group and name in the output; by name and length */
    struct lookup dim_scales, dim_renamed, dim_numbers;         /* by scale; by scale and name; by netCDF-4's number */
    struct item **by_path, **by_output;         /* the variables in these orders; NULL until a name is looked for */
    size_t variable_count;
    int classic;                /* the netCDF library's number of a NetCDF-3 input */
    int has_data;               /* the input has a dataset with values */
    int netcdf4;                /* the netCDF library wrote the input: 1, -1 not, 0 not known yet */
};

struct source {                 /* a dataset whose variables are being listed */
    hid_t id, space;
    haddr_t address;
    struct storage storage;
    const char *path, *name;
    size_t parent;
};

struct level {                  /* a step into a type: from a compound to a member, or from an array to its elements */
    const struct level *outer;  /* NULL: `type` is the dataset's */
    hid_t type;
    const char *member;         /* NULL: the step is into an array */
};

/* formats.c */
int tell_format(const char *input, char *text, size_t room);

/* support.c */
int is_newer(char *text, size_t room);
int fail(struct job *job, enum status status, const char *what, const char *path);
int fail_because(struct job *job, enum status status, const char *what, const char *path, const char *why);
int out_of_memory(struct job *job);
void tell(struct job *job, enum kind kind, const char *path, const char *attribute, const char *format, ...);
void tell_vanished(struct job *job, const char *path, const char *why);
nc_type netcdf_type(hid_t type);
const char *type_name(hid_t type);
hid_t file_type(nc_type type, int big_endian);
hid_t native_type(nc_type type, H5T_class_t from);
hid_t string_type(void);
hid_t keep_errors(int failed);
void put_back_errors(hid_t errors);

/* table.c */
int check_tables(struct job *job);
int index_tables(struct job *job);
void free_rows(struct rows *rows);
int matches(const char *pattern, const char *path);
const char *column(const struct job *job, const char *path, size_t offset);
#define COLUMN(job, path, member) column(job, path, offsetof(struct variable, member))
int has_own_row(const struct job *job, const char *path);
int names_members(const struct job *job, const char *path);
int is_dropped(const struct job *job, const char *path);
void use_rows(struct job *job, const char *path, int is_group);
const char *table_value(const struct job *job, const struct item *item, const char *name);
int put_table_attributes(struct job *job, const struct item *item);

/* units.c */
void tell_contradiction(struct job *job, const struct item *item);

/* values.c */
size_t name_length(const char *text);
int fill_tables(struct job *job);
int check_filled(struct job *job);
void free_filled(struct job *job);

/* scope.c, references.c */
extern const struct item gone;
const struct item *meant_in_input(struct job *job, const struct item *item, const char *name);
const char *name_in_output(struct job *job, const struct item *item, const struct item *target, const char *before);
int is_in_output(struct job *job, const struct item *item, const char *name);
char *follow_names(struct job *job, const struct item *item, const char *name, char *text);
void tell_dangling(struct job *job, const struct item *item, const char *name, const char *text);

/* text.c */
char *utf8_copy(const char *text, int *marks);
char *legal_name(const char *name);
const char *shown_name(const char *name);
char **read_strings(hid_t object, hid_t type, size_t count, hid_t memory, hid_t space, int *marks);
char **read_field_strings(const struct item *item, size_t count, hid_t memory, hid_t space, int *marks);
char *string_fill(const struct item *item, int *marks);
void free_strings(char **strings, size_t count);
void tell_marks(struct job *job, const char *path, const char *attribute, int marks);
size_t unpadded(const char *text, size_t size, char padding);
int is_utf8(const char *text, size_t size);
size_t from_latin(const char *text, size_t size, char *to);
char *attribute_text(hid_t object, const char *name);
int attribute_starts(hid_t object, const char *name, const char *start);

/* walk.c, datasets.c */
struct item *add_item(struct job *job, hid_t id, const char *path, const char *name, size_t parent);
int remember_object(struct job *job, size_t index);
const struct item *object_at(const struct job *job, haddr_t address);
int walk(struct job *job, size_t group);
int dataset_address(hid_t file, const char *path, haddr_t *address);
int lies_elsewhere(hid_t dataset);
hid_t own_space(hid_t dataset);
int add_dataset(struct job *job, hid_t id, haddr_t address, const char *path, const char *name, size_t parent);
int add_variable_name(struct job *job, const char *path, const char **name, size_t *parent);
int add_variable(struct job *job, const struct source *source, const struct level *level, const char *path,
                 const char *name);

void close_types(const struct item *item);

/* fields.c, types.c */
int add_variables(struct job *job, struct source *source, hid_t type);
hid_t wrap(const struct level *level, hid_t inner);
int add_axes(const struct level *level, struct item *item);
const char *own_types(hid_t type, hid_t *read, hid_t *write);
const char *describe_own(struct item *item);
void describe_enum_type(struct item *item);
int by_bits(const void *a, const void *b);
uint64_t enum_bits(const struct item *item, const unsigned char fill[8]);
int is_own(nc_type type);
int has_any_length(hid_t type);
int add_named_type(struct job *job, hid_t id, haddr_t address, const char *path, const char *name, size_t parent);
int plan_types(struct job *job);
int define_type(struct job *job, size_t index);

/* scales.c */
int read_int_attribute(hid_t object, const char *name, int *values, int count);
void attached_scales(struct job *job, const struct item *item, haddr_t scale[RANK]);
hid_t open_scale(const struct item *item, haddr_t scale);
int scale_name(hid_t id, char name[NC_MAX_NAME + 1]);
void add_absent_scale(struct job *job, const struct item *item, haddr_t scale);
size_t described_dim(struct job *job, const struct item *item, int axis, haddr_t scale, int nc4_id,
                     const char *name);
size_t renamed_dim(struct job *job, const struct item *item, int axis, haddr_t scale, const char *name);
void tell_misfit(struct job *job, const struct item *item, int axis, haddr_t scale, size_t dim);
int scale_dim(struct job *job, struct item *item);

/* dimensions.c, hdfeos.c, labels.c */
int remember_length(struct job *job, const struct dim *dim);
size_t common_group(const struct job *job, size_t a, size_t b);
struct dim *add_dim(struct job *job, const char *name, hsize_t length, int unlimited);
size_t dim_of_length(const struct job *job, const char *name, hsize_t length, const struct lookup_entry **at);
void use_dim(struct job *job, struct item *item, int axis, size_t dim);
int table_dim(struct job *job, const struct item *item, int axis, char name[NC_MAX_NAME + 1]);
int add_axis_name(struct item *item, int axis, const char *name);
size_t named_dim(struct job *job, const char *name, hsize_t length, int unlimited);
int has_later_unlimited(const struct job *job, const struct item *item);
int find_dims(struct job *job);
char *read_struct_metadata(hid_t file);
int struct_metadata_dim(const char *text, const char *path, int axis, int rank, char name[NC_MAX_NAME + 1]);
void read_axis_labels(struct job *job, const struct item *item, const haddr_t scale[RANK],
                      char names[RANK][NC_MAX_NAME + 1]);
size_t labelled_dim(struct job *job, const struct item *item, int axis, char names[RANK][NC_MAX_NAME + 1]);

/* names.c */
struct dim *dim_named(const struct job *job, size_t group, const char *name);
int is_coordinate(const struct job *job, const struct item *item);
int settle_names(struct job *job);
int drop_unused_dims(struct job *job);
int drop_empty_groups(struct job *job);

/* listing.c, netcdf4.c, attributes.c, history.c, data.c, chunks.c, classic.c */
int list_variables(struct job *job);
int define_all(struct job *job, const char *output);
int is_unlimited(const struct job *job, const struct item *item);
void plan_chunk(const struct job *job, const struct item *item, hsize_t chunk[RANK]);
int put_number(hid_t object, const char *name, int number);
int put_c_string(hid_t object, const char *name, const char *text);
int put_text(struct job *job, hid_t object, const char *name, const char *text);
int put_chars(hid_t object, const char *name, const char *text, size_t length);
int put_values(hid_t object, const char *name, hid_t type, size_t count, const void *values);
int is_replaced(const struct job *job, const struct item *item, const char *name);
const char *is_occupied(const struct job *job, const struct item *item, const char *name);
void tell_if_hidden(struct job *job, const char *path, const char *name);
int copy_attributes(struct job *job, const struct item *item);
int convert_number(nc_type from, nc_type to, unsigned char number[8]);
int is_netcdf_fill(nc_type type, const unsigned char fill[8]);
const char *as_fill(const struct item *item, nc_type type, size_t count, unsigned char value[8]);
int put_fill_value(const struct item *item, const unsigned char fill[8]);
int write_history(struct job *job);
int same_type(const struct item *item);
void plan_box(const struct item *item, size_t element, hsize_t box[RANK]);
int next_box(const struct item *item, const hsize_t box[RANK], hsize_t start[RANK]);
hid_t select_box(const struct item *item, hid_t space, const hsize_t box[RANK], const hsize_t start[RANK],
                 hsize_t size[RANK]);
int move_variable(struct job *job, const struct item *item);
int has_other_values(struct job *job, const struct item *item, const uint64_t *values, size_t count);
int move_chunks(struct job *job, const struct item *item);
hsize_t *sparse_chunks(const struct item *item, size_t *count);
int is_classic(const char *input);
int open_classic(struct job *job);
void close_classic(struct job *job);
int copy_classic_attributes(struct job *job, const struct item *item);
int has_classic_attribute(struct job *job, const char *name);
int has_classic_variable(const struct job *job, const char *name);
char *classic_text(struct job *job, int var, const char *name, size_t *length, int *marks);
int move_classic(struct job *job, const struct item *item);

#endif
