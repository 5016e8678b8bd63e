/* formats.c: what a file is that is neither HDF5 nor NetCDF.  SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include <ctype.h>

enum { START = 1024 };          /* bytes that tell the format */

/* The bytes at an offset that mark a format, its name, and what reads it. */
static const struct format {
    size_t offset, length;
    const char *mark, *name, *reader;
} formats[] = {
    {0, 4, "\x0e\x03\x13\x01", "an HDF4 file", "pyhdf and GDAL read it"},
    {0, 4, "GRIB", "a GRIB file", "ecCodes and GDAL read it"},
    {0, 4, "BUFR", "a BUFR file", "ecCodes reads it"},
    {0, 9, "SIMPLE  =", "a FITS file", "astropy reads it"},
    {0, 9, "AVAPS-T04", "a raw AVAPS dropsonde file", "text tools read it"},
    {0, 10, "Data Type:", "a sounding in EOL's CLASS format", "text tools read it"},
    {0, 8, "\x89PNG\r\n\x1a\n", "a PNG image", "GDAL and Pillow read it"},
    {0, 3, "\xff\xd8\xff", "a JPEG image", "GDAL and Pillow read it"},
    {0, 4, "GIF8", "a GIF image", "GDAL and Pillow read it"},
    {0, 4, "II*\0", "a TIFF image", "GDAL reads it"},
    {0, 4, "MM\0*", "a TIFF image", "GDAL reads it"},
    {0, 4, "%PDF", "a PDF document", "no converter reads it"},
    {0, 2, "\x1f\x8b", "a gzip archive", "gunzip unpacks it"},
    {0, 2, "\x1f\x9d", "a file that compress packed", "gunzip unpacks it"},
    {0, 3, "BZh", "a bzip2 archive", "bunzip2 unpacks it"},
    {0, 6, "\xfd" "7zXZ\0", "an xz archive", "unxz unpacks it"},
    {0, 4, "\x28\xb5\x2f\xfd", "a Zstandard archive", "unzstd unpacks it"},
    {0, 4, "PK\x03\x04", "a zip archive", "unzip unpacks it"},
    {257, 5, "ustar", "a tar archive", "tar unpacks it"},
};

/* Whether the first line is "N, 1001" or another of the file format indexes of ICARTT and NASA Ames. */
static const char *exchange_format(const char *text)
{
    static const int indexes[] = {1001, 1010, 1020, 2010, 2110, 2160, 2310, 3010, 4010};
    int lines = 0, index = 0, used = 0;
    char separator[4] = "";
    if (sscanf(text, "%d%3[, ]%d%n", &lines, separator, &index, &used) != 3 || lines < 1
        || !strchr("\r\n, ", text[used]))
        return NULL;
    for (size_t i = 0; i < ROWS(indexes); i++)
        if (index == indexes[i])
            return strchr(separator, ',') ? "an ICARTT file" : "a NASA Ames file";
    return NULL;
}

static int is_plain_text(const char *text, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (iscntrl((unsigned char)text[i]) && !strchr("\t\r\n\f", text[i]))
            return 0;
    return size > 0 && !memchr(text, '\0', size);
}

/* The name of a format without a mark of its own, or NULL. */
static const char *text_format(const char *text, size_t size)
{
    const char *name = is_plain_text(text, size) ? exchange_format(text) : NULL;
    size_t line = strcspn(text, "\r\n"), commas = 0;
    if (name || !is_plain_text(text, size))
        return name;
    for (size_t i = 0; i < line; i++)
        commas += text[i] == ',';
    return *text == '<' ? "an XML or HTML file" : commas > 1 ? "text in columns (CSV)" : "a text file";
}

/* Says what a file is that HDF5 does not read, who reads it, and what to do; returns 0 where it is not known. */
int tell_format(const char *input, char *text, size_t room)
{
    static const char remedy[] = "this converter reads HDF5 and NetCDF alone; in process.py granule.run() calls a "
        "program for it, and granule.copy() delivers it as it is";
    char start[START + 1] = "";
    FILE *file = fopen(input, "rb");
    size_t size = file ? fread(start, 1, START, file) : 0;
    const char *name = NULL, *reader = "text tools read it";
    if (file)
        fclose(file);
    for (size_t i = 0; i < ROWS(formats) && !name; i++)
        if (formats[i].offset + formats[i].length <= size
            && !memcmp(start + formats[i].offset, formats[i].mark, formats[i].length)) {
            name = formats[i].name;
            reader = formats[i].reader;
        }
    if (!name)
        name = text_format(start, size);
    if (name)
        snprintf(text, room, "it is %s: %s, and %s", name, reader, remedy);
    return name != NULL;
}
