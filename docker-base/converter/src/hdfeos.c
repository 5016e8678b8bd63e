/* hdfeos.c: the dimension names of HDF-EOS5 files.  SPDX-License-Identifier: Apache-2.0
 *
 * They stand in a text, /HDFEOS INFORMATION/StructMetadata.0, line by line:
 *     SwathName="Ozone"  ...  DataFieldName="O3"  ...  DimList=("nTimes","nLevels")
 * The field itself is the dataset /HDFEOS/SWATHS/Ozone/Data Fields/O3. */
#include "engine.h"

/* Whether the path's last link is a hard link: other files are not opened. */
static int is_here(hid_t file, const char *path)
{
    H5L_info_t link;
    return H5Lexists(file, path, H5P_DEFAULT) > 0 && H5Lget_info(file, path, &link, H5P_DEFAULT) >= 0
        && link.type == H5L_TYPE_HARD;
}

/* One part of the text, or NULL where the file has none. */
static char *read_part(hid_t file, const char *path)
{
    char *text = NULL;
    if (!is_here(file, path))
        return NULL;
    hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
    if (dataset < 0)
        return NULL;
    if (lies_elsewhere(dataset)) {      /* the walk leaves it out by name */
        H5Dclose(dataset);
        return NULL;
    }
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    if (H5Tget_class(type) == H5T_STRING && H5Sget_simple_extent_npoints(space) == 1) {
        int marks = 0;
        char **strings = read_strings(dataset, type, 1, H5S_ALL, H5S_ALL, &marks);
        text = strings ? strdup(strings[0]) : NULL;
        free_strings(strings, 1);
    }
    H5Sclose(space);
    H5Tclose(type);
    H5Dclose(dataset);
    return text;
}

/* The text, put together from its parts StructMetadata.0, .1, ...; or NULL where the file has none. */
char *read_struct_metadata(hid_t file)
{
    static const char group[] = "HDFEOS INFORMATION";
    char path[64], *text = NULL, *part;
    if (!is_here(file, group))
        return NULL;
    for (int number = 0; ; number++) {
        snprintf(path, sizeof path, "%s/StructMetadata.%d", group, number);
        part = read_part(file, path);
        size_t length = text ? strlen(text) : 0;
        char *longer = part ? realloc(text, length + strlen(part) + 1) : NULL;
        if (longer)
            strcpy(longer + length, part);
        free(part);
        if (!longer)
            return text;
        text = longer;
    }
}

/* If the line says key="value", copies the value. */
static int quoted_value(const char *line, const char *key, char value[NC_MAX_NAME + 1])
{
    size_t length = strlen(key);
    line += strspn(line, " \t");
    if (strncmp(line, key, length) || line[length] != '=' || line[length + 1] != '"')
        return 0;
    line += length + 2;
    snprintf(value, NC_MAX_NAME + 1, "%.*s", (int)strcspn(line, "\"\n"), line);
    return 1;
}

/* Copies name number `axis` of a line that says DimList=("a","b"), if it has `rank` names. */
static int list_name(const char *line, int axis, int rank, char name[NC_MAX_NAME + 1])
{
    static const char key[] = "DimList=(";
    int count = 0;
    line += strspn(line, " \t");
    if (strncmp(line, key, sizeof key - 1))
        return 0;
    char wanted[NC_MAX_NAME + 1] = "";
    for (line += sizeof key - 1; line += strspn(line, " \t"), *line == '"' || *line == ','; count++) {
        line += strspn(line, ", \t\"");
        if (count == axis)
            snprintf(wanted, sizeof wanted, "%.*s", (int)strcspn(line, "\"\n"), line);
        line += strcspn(line, "\"\n");
        line += *line == '"';
    }
    if (count == rank)
        snprintf(name, NC_MAX_NAME + 1, "%s", wanted);
    return count == rank;
}

/* Whether `path` is `start`STRUCTURE/.../FIELD. */
static int is_field(const char *path, const char *start, const char *structure, const char *field)
{
    const char *rest = path + strlen(start), *last = strrchr(path, '/');
    size_t length = strlen(structure);
    return length > 0 && !strncmp(path, start, strlen(start)) && !strncmp(rest, structure, length)
        && rest[length] == '/' && !strcmp(last + 1, field);
}

/* Copies the name of an axis and returns 1, or returns 0 where the text has none. */
int struct_metadata_dim(const char *text, const char *path, int axis, int rank, char name[NC_MAX_NAME + 1])
{
    static const struct { const char *key, *start; } structures[] = {
        {"SwathName", "/HDFEOS/SWATHS/"}, {"GridName", "/HDFEOS/GRIDS/"},
        {"ZaName", "/HDFEOS/ZAS/"}, {"PointName", "/HDFEOS/POINTS/"},
    };
    const char *start = "";
    static const char *const fields[] = {"DataFieldName", "GeoFieldName"};
    char structure[NC_MAX_NAME + 1] = "", field[NC_MAX_NAME + 1] = "";
    for (const char *line = text; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        for (size_t i = 0; i < ROWS(structures); i++)
            if (quoted_value(line, structures[i].key, structure))
                start = structures[i].start;
        for (size_t i = 0; i < ROWS(fields); i++)
            quoted_value(line, fields[i], field);
        if (is_field(path, start, structure, field) && list_name(line, axis, rank, name))
            return 1;
    }
    return 0;
}
