/* The conversion library: any HDF5 file -> CF NetCDF-4, from C or C++.  SPDX-License-Identifier: Apache-2.0
 *
 * A collection's own program fills the two tables below and calls convert_main. */
#ifndef HDF5_TO_NETCDF_H
#define HDF5_TO_NETCDF_H

#include <stddef.h>
#include <stdio.h>              /* not needed here, but programs of earlier versions may count on it */

#ifdef __cplusplus
extern "C" {
#endif

/* Grows when tables can say something that an older library does not know; convert/Makefile names the number it
 * needs. */
#define CONVERT_INTERFACE 2

/* In every text of both tables {year} is replaced by a value: from granule.convert(year="2012") in process.py, from the
 * group (?P<year>...) of [granule] id in collection.toml, or from --set year=2012. {{ is a brace. A row that matches
 * something in the input and has a name without a value is refused. */

/* Describes a dataset, or all datasets that a glob matches (* and ? do not cross a slash: "/Data/ATB_*"). A row with a
 * group's own path can only drop it, with all its members. The fields of a compound dataset are "/table/field", those
 * of a compound within it "/table/outer.inner"; a row with the compound's own path keeps it one variable. "" keeps what
 * the file has. Where several rows match, the first with a value wins. Trailing columns may be left out. */
struct variable {
    const char *path;           /* HDF5 path */
    const char *name;           /* name in the product; "/name" moves it to the root group; DROP leaves it out */
    const char *dims;           /* a dimension name for each axis: "time altitude" */
    const char *units;
    const char *standard_name;
    const char *long_name;
};
#define DROP "-"

/* Gives a further attribute to the datasets that match, or to a group ("/" is the whole product). "" removes it.
 * _FillValue, valid_* and flag_values are written as numbers of the variable's type, scale_factor and add_offset as
 * doubles. */
struct attribute {
    const char *path;
    const char *name;
    const char *value;
};

struct tables {
    const struct variable *variables;
    size_t variable_count;
    const struct attribute *attributes;
    size_t attribute_count;
};

#define ROWS(table) (sizeof(table) / sizeof((table)[0]))

/* The whole program: reads the command line, converts, returns the exit status: 0 converted, 2 wrong usage, 3 input
 * unreadable or damaged, 4 no variable is left, or content is left out under --strict, 5 the output cannot be
 * written. */
int convert_main(int argc, char **argv, const struct tables *tables);

#ifdef __cplusplus
}
#endif

#endif
