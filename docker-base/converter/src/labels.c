/* labels.c: the names that a file gives its axes without dimension scales.  SPDX-License-Identifier: Apache-2.0
 *
 * HDF5's labels are the strings of the attribute DIMENSION_LABELS, one an axis; the files of GPM have them as one text,
 * DimensionNames="nscan,nray". */
#include "engine.h"

/* Copies a name without the blanks around it. */
static void copy_name(char name[NC_MAX_NAME + 1], const char *text, size_t length)
{
    static const char blanks[] = " \t\n";
    while (length > 0 && strchr(blanks, *text)) {
        text++;
        length--;
    }
    while (length > 0 && strchr(blanks, text[length - 1]))
        length--;
    snprintf(name, NC_MAX_NAME + 1, "%.*s", (int)length, text);
}

static void read_labels(const struct item *item, char names[RANK][NC_MAX_NAME + 1])
{
    static const char attribute_name[] = "DIMENSION_LABELS";
    if (H5Aexists(item->id, attribute_name) <= 0)
        return;
    hid_t attribute = H5Aopen(item->id, attribute_name, H5P_DEFAULT);
    hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
    int marks = 0, rank = item->rank - item->element_rank;
    if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == rank) {
        char **labels = read_strings(attribute, type, (size_t)rank, H5S_ALL, H5S_ALL, &marks);
        for (int i = 0; labels && i < rank; i++)
            copy_name(names[i], labels[i], strlen(labels[i]));
        free_strings(labels, (size_t)rank);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Aclose(attribute);
}

/* Reads the names of GPM, where there are as many as axes. */
static void read_dimension_names(struct job *job, const struct item *item, char names[RANK][NC_MAX_NAME + 1])
{
    char *text = attribute_text(item->id, "DimensionNames"), *rest = text;
    int count = text && *text ? 1 : 0, rank = item->rank - item->element_rank;
    for (const char *c = text; c && *c; c++)
        count += *c == ',';
    if (count > 0 && count != rank)
        tell(job, NOTED, item->path, "DimensionNames", "not used for the dimensions: the dataset has %d, the text "
             "names %d", rank, count);
    for (int i = 0; i < rank && count == rank; i++) {
        size_t length = strcspn(rest, ",");
        if (!*names[i])
            copy_name(names[i], rest, length);
        rest += length + (rest[length] == ',');
    }
    free(text);
}

/* The file's own names of a dataset's axes, if some axis has no scale; "" for an axis without a name. */
void read_axis_labels(struct job *job, const struct item *item, const haddr_t scale[RANK],
                      char names[RANK][NC_MAX_NAME + 1])
{
    int is_needed = 0;
    for (int i = 0; i < item->rank; i++) {
        *names[i] = '\0';
        is_needed |= scale[i] == HADDR_UNDEF;
    }
    if (!is_needed)
        return;
    read_labels(item, names);
    read_dimension_names(job, item, names);
}

/* How many axes up to this one have its label. */
static int number_among_axes(char names[RANK][NC_MAX_NAME + 1], int axis)
{
    int number = 1;
    for (int i = 0; i < axis; i++)
        number += !strcmp(names[i], names[axis]);
    return number;
}

/* A dimension of that name and length whose users are seen from the item's group, or NONE.  The scale of another group
 * stays that group's. */
static size_t known_dim(const struct job *job, const struct item *item, const char *name, hsize_t length)
{
    const struct lookup_entry *at = NULL;
    for (size_t i; (i = dim_of_length(job, name, length, &at)) != NONE;) {
        const struct dim *dim = &job->dims[i];
        if (dim->scale == HADDR_UNDEF || common_group(job, dim->origin, item->parent) == dim->origin)
            return i;
    }
    return NONE;
}

/* The dimension that an axis gets by its label, made when it is new; NONE without memory. */
size_t labelled_dim(struct job *job, const struct item *item, int axis, char names[RANK][NC_MAX_NAME + 1])
{
    char wanted[NC_MAX_NAME + 32];
    int number = number_among_axes(names, axis), unlimited = item->limit[axis] == H5S_UNLIMITED;
    int length = snprintf(wanted, sizeof wanted, "%s", names[axis]);
    if (number > 1)
        snprintf(wanted + length, sizeof wanted - (size_t)length, "_%d", number);
    char *name = legal_name(wanted);
    if (!name)
        return NONE;
    if (number > 1)
        tell(job, NOTED, item->path, NULL, "its axis %d is called '%s': an earlier axis has the name '%s', too", axis,
             name, names[axis]);
    else if (strcmp(name, wanted))
        tell(job, NOTED, item->path, NULL, "its axis %d is called '%s': netCDF forbids the name '%s'", axis, name,
             wanted);
    size_t dim = known_dim(job, item, name, item->length[axis]);
    if (dim != NONE)
        job->dims[dim].unlimited |= unlimited;
    else if (add_dim(job, name, item->length[axis], unlimited)) {
        dim = job->dim_count - 1;
        job->dims[dim].is_labelled = 1;
    }
    free(name);
    return dim;
}
