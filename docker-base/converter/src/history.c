/* history.c: the product's history, and what conventions it follows.  SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

#include <time.h>

/* Joins strings with line ends; returns NULL without memory. */
static char *join_lines(char **strings, size_t count)
{
    size_t room = 1, length = 0;
    for (size_t i = 0; i < count; i++)
        room += strlen(strings[i]) + 1;
    char *text = calloc(room, 1);
    for (size_t i = 0; text && i < count; i++)
        length += (size_t)snprintf(text + length, room - length, "%s%s", i ? "\n" : "", strings[i]);
    return text;
}

/* Returns the input's history, or NULL; reports a history that is not text. */
static char *old_history(struct job *job)
{
    static const char name[] = "history";
    hid_t root = job->items[0].id;
    char *text = NULL;
    size_t length = 0;
    int marks = 0;
    if (job->classic < 0 ? H5Aexists(root, name) <= 0 : !has_classic_attribute(job, name))
        return NULL;
    if (job->classic >= 0) {
        text = classic_text(job, NC_GLOBAL, name, &length, &marks);
        marks |= text && strlen(text) < unpadded(text, length, '\0') ? CUT : 0;
    } else {
        hid_t attribute = H5Aopen(root, name, H5P_DEFAULT);
        hid_t type = H5Aget_type(attribute), space = H5Aget_space(attribute);
        hssize_t count = H5Sget_simple_extent_type(space) == H5S_NULL ? 0 : H5Sget_simple_extent_npoints(space);
        char **strings = count >= 0 && H5Tget_class(type) == H5T_STRING
            ? read_strings(attribute, type, (size_t)count, H5S_ALL, H5S_ALL, &marks) : NULL;
        text = strings ? join_lines(strings, (size_t)count) : NULL;
        free_strings(strings, (size_t)count);
        H5Sclose(space);
        H5Tclose(type);
        H5Aclose(attribute);
    }
    tell_marks(job, "/", name, marks);
    if (!text)
        tell(job, LEFT_OUT, "/", name, "it is not text");
    return text;
}

/* Writes Conventions, and a history that starts with this conversion and names the revision of the image, if it is
 * known. The input's Conventions do not count. SOURCE_DATE_EPOCH makes the history reproducible. */
int write_history(struct job *job)
{
    const char *epoch = getenv("SOURCE_DATE_EPOCH"), *slash = strrchr(job->input, '/');
    const char *image = getenv("IMAGE_REVISION");
    time_t now = epoch && *epoch ? (time_t)strtoll(epoch, NULL, 10) : time(NULL);
    int marks = 0;
    char when[32] = "", *old = old_history(job), *name = utf8_copy(slash ? slash + 1 : job->input, &marks);
    size_t room = 2 * strlen(job->input) + (image ? strlen(image) : 0) + (old ? strlen(old) : 0) + 128;
    char *text = name ? malloc(room) : NULL;
    struct tm utc;
    int status = text ? 0 : out_of_memory(job);

    if (gmtime_r(&now, &utc))
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &utc);
    if (text) {
        snprintf(text, room, "%s: _convert %s, from %s%s%s%s%s", when, CONVERT_VERSION, name,
                 image && *image ? ", image " : "", image ? image : "", old && *old ? "\n" : "", old ? old : "");
        status = put_text(job, job->items[0].to, "history", text);
    }
    if (!status && !table_value(job, &job->items[0], "Conventions"))
        status = put_text(job, job->items[0].to, "Conventions", "CF-1.8");
    if (marks)
        tell(job, NOTED, "/", "history", "the input's name is not UTF-8: it is read as Latin-1");
    free(text);
    free(name);
    free(old);
    return status;
}
