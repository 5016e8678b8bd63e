/* scope.c: which variable a name in an attribute means.  SPDX-License-Identifier: Apache-2.0
 *
 * A name without a slash means the nearest variable of that name, from the attribute's own group upward; one with a
 * slash is a path, absolute or from that group (CF conventions, 2.7). */
#include "engine.h"

const struct item gone;         /* a dataset of the input that is no variable of the product */

/* ---- Variables by their paths ---- */

static int by_path(const void *a, const void *b)
{
    return strcmp((*(const struct item *const *)a)->path, (*(const struct item *const *)b)->path);
}

static int by_output(const void *a, const void *b)
{
    return strcmp((*(const struct item *const *)a)->output, (*(const struct item *const *)b)->output);
}

/* Makes both lists, once; all names are settled by now. */
static int sort_variables(struct job *job)
{
    if (job->by_path)
        return 0;
    job->by_path = calloc(job->item_count + 1, sizeof *job->by_path);
    job->by_output = calloc(job->item_count + 1, sizeof *job->by_output);
    if (!job->by_path || !job->by_output)
        return out_of_memory(job);
    for (size_t i = 0; i < job->item_count; i++)
        if (job->items[i].is_variable) {
            job->by_path[job->variable_count] = &job->items[i];
            job->by_output[job->variable_count++] = &job->items[i];
        }
    qsort(job->by_path, job->variable_count, sizeof *job->by_path, by_path);
    qsort(job->by_output, job->variable_count, sizeof *job->by_output, by_output);
    return 0;
}

static const struct item *find_path(const struct job *job, char *path)
{
    struct item key = {.path = path}, *wanted = &key;
    struct item **match = bsearch(&wanted, job->by_path, job->variable_count, sizeof *job->by_path, by_path);
    return match ? *match : NULL;
}

static const struct item *find_output(struct job *job, char *path)
{
    struct item key = {.output = path}, *wanted = &key;
    struct item **match = bsearch(&wanted, job->by_output, job->variable_count, sizeof *job->by_output, by_output);
    return match ? *match : NULL;
}

/* The variable that netCDF-4 keeps behind a prefix, since a dimension has its name. */
static const struct item *find_hidden(const struct job *job, const char *path)
{
    const char *last = strrchr(path, '/');
    char *hidden = malloc(strlen(path) + sizeof HIDDEN);
    if (!hidden)
        return NULL;
    sprintf(hidden, "%.*s" HIDDEN "%s", (int)(last + 1 - path), path, last + 1);
    const struct item *item = find_path(job, hidden);
    free(hidden);
    return item;
}

/* The variable of another path to the same dataset, `gone` for a dataset that is no variable, or NULL. */
static const struct item *find_dataset(const struct job *job, const char *path)
{
    haddr_t address;
    if (!dataset_address(job->file, path, &address))
        return NULL;
    const struct item *item = object_at(job, address), *end = job->items + job->item_count;
    if (item && item->is_group)
        item = item + 1 < end && item[1].address == address ? item + 1 : NULL;  /* the first field of the compound */
    return !item ? &gone : item->is_variable ? item : NULL;
}

static const struct item *find_input(struct job *job, char *path)
{
    const struct item *item = find_path(job, path);
    if (!item)
        item = find_hidden(job, path);
    if (item)
        return item;
    return job->classic < 0 ? find_dataset(job, path) : has_classic_variable(job, path + 1) ? &gone : NULL;
}

/* ---- Names ---- */

/* Returns the absolute path that `name` means in a group, or NULL without memory. */
static char *join(const char *group, const char *name)
{
    const char *parts[] = {*name == '/' ? "" : group, name};
    char *path = malloc(strlen(group) + strlen(name) + 3);
    size_t length = 0;
    for (size_t i = 0; path && i < ROWS(parts); i++)
        for (const char *part = parts[i]; *(part += strspn(part, "/")); ) {
            size_t size = strcspn(part, "/");
            if (size == 2 && !strncmp(part, "..", 2))
                while (length > 0 && path[--length] != '/')
                    continue;
            else if (size != 1 || *part != '.') {
                path[length++] = '/';
                memcpy(path + length, part, size);
                length += size;
            }
            part += size;
        }
    if (path && length == 0)
        path[length++] = '/';
    if (path)
        path[length] = '\0';
    return path;
}

/* Returns what the name means in a group of the input or of the output, or NULL. */
static const struct item *search(struct job *job, const char *group, const char *name,
                                 const struct item *(*find)(struct job *job, char *path))
{
    char *scope = strdup(group), *last = scope;
    const struct item *item = NULL;
    while (scope && last && !item) {
        char *path = join(scope, name);
        item = path ? find(job, path) : NULL;
        free(path);
        last = strchr(name, '/') ? NULL : strrchr(scope, '/');
        if (last)
            *last = '\0';
    }
    free(scope);
    return item;
}

/* Returns the variable that a name in an attribute of `item` means in the input, `gone`, or NULL for no dataset. */
const struct item *meant_in_input(struct job *job, const struct item *item, const char *name)
{
    if (sort_variables(job) < 0 || !*name)
        return NULL;
    char *group = strdup(item->path);
    if (!group)
        return NULL;
    *strrchr(group, '/') = '\0';
    const struct item *target = search(job, group, name, find_input);
    free(group);
    return target;
}

/* Returns how an attribute of `item` names another variable of the product: as before, if that still means it, by its
 * name alone, or by its path. */
const char *name_in_output(struct job *job, const struct item *item, const struct item *target, const char *before)
{
    const char *group = job->items[item->parent].output;
    return search(job, group, before, find_output) == target ? before
        : search(job, group, target->name, find_output) == target ? target->name : target->output;
}

/* Whether a name in an attribute of `item` means a variable of the product. */
int is_in_output(struct job *job, const struct item *item, const char *name)
{
    return sort_variables(job) == 0 && search(job, job->items[item->parent].output, name, find_output) != NULL;
}
