/* names.c: the names in the output, and what is not made there.  SPDX-License-Identifier: Apache-2.0
 *
 * Groups get their names first, then dimensions, variables and types. */
#include "engine.h"

static uint64_t name_key(size_t group, const char *name)
{
    return hash_name(hash_number(0, group), name);
}

/* The item, or the dimension, whose name in the output's group is settled; or NULL. */
static struct item *item_named(const struct job *job, size_t group, const char *name)
{
    for (EACH_ENTRY(entry, &job->names, name_key(group, name))) {
        struct item *item = &job->items[entry->number];
        if (item->parent == group && !strcmp(item->name, name))
            return item;
    }
    return NULL;
}

struct dim *dim_named(const struct job *job, size_t group, const char *name)
{
    for (EACH_ENTRY(entry, &job->dim_names, name_key(group, name))) {
        struct dim *dim = &job->dims[entry->number];
        if (dim->home == group && !strcmp(dim->name, name))
            return dim;
    }
    return NULL;
}

/* Makes `*name` unique in the group: NAME, NAME_2, ... In HDF5 groups and datasets share their names; only a dimension
 * may have the name of a variable. */
static int settle_name(struct job *job, size_t group, char **name, int is_dim)
{
    size_t room = strlen(*name) + 24;
    char *free_name = malloc(room);
    if (!free_name)
        return out_of_memory(job);
    snprintf(free_name, room, "%s", *name);
    uint64_t key = hash_number(name_key(group, *name), (uint64_t)is_dim);
    size_t last = lookup_last(&job->suffixes, key, 1), suffix = last;   /* all up to the last are taken */
    while (item_named(job, group, free_name) || (is_dim && dim_named(job, group, free_name)))
        snprintf(free_name, room, "%s_%zu", *name, ++suffix);
    free(*name);
    *name = free_name;
    return suffix > last && lookup_add(&job->suffixes, key, suffix) < 0 ? out_of_memory(job) : 0;
}

/* The name in the input; that of a field may hold slashes. */
static const char *own_name(const struct job *job, const struct item *item)
{
    const struct item *group = &job->items[item->parent];
    if (item->is_field && object_at(job, item->address))
        group = object_at(job, item->address);
    return shown_name(item->is_field ? item->path + strlen(group->path) + 1 : strrchr(item->path, '/') + 1);
}

static int settle_item(struct job *job, struct item *item)
{
    const char *asked = !item->is_variable ? "" : COLUMN(job, item->path, name);
    const char *above = job->items[item->parent].output;
    const char *wanted = *asked ? asked + (*asked == '/') : own_name(job, item);
    const struct item *owner = item_named(job, item->parent, item->name);
    int is_forbidden = strcmp(wanted, item->name) != 0;
    if (settle_name(job, item->parent, &item->name, 0) < 0)
        return -1;
    size_t room = strlen(above) + strlen(item->name) + 2;
    item->output = malloc(room);
    if (!item->output)
        return out_of_memory(job);
    snprintf(item->output, room, "%s/%s", above, item->name);
    if (lookup_add(&job->names, name_key(item->parent, item->name), (size_t)(item - job->items)) < 0)
        return out_of_memory(job);
    if (item->is_variable)
        tell(job, CONVERTED, item->path, NULL, "%s", item->output);
    if ((is_forbidden || owner) && !(item->is_type && item->id < 0))
        tell(job, NOTED, item->path, NULL, "converted as '%s': %s%s%s%s", item->name,
             is_forbidden ? "netCDF forbids its name" : "the name is that of '", is_forbidden && owner ?
             ", and the legal one is that of '" : "", owner ? owner->path : "", owner ? "'" : "");
    return 0;
}

/* Refuses a name that the table gives to two lengths: most often a row has the dimensions in the wrong order. */
static int check_lengths(struct job *job, const struct dim *dim, const struct dim *other)
{
    const char *paths[] = {job->items[dim->user].path, job->items[other->user].path};
    char why[4096];
    if (dim->is_labelled || other->is_labelled)
        return 0;
    if (dim->length == other->length || (!*COLUMN(job, paths[0], dims) && !*COLUMN(job, paths[1], dims)))
        return 0;
    snprintf(why, sizeof why, "'%s' gives '%s' the length %llu, '%s' gives it %llu: order of the dimensions in the "
             "table's row?", paths[0], dim->name, (unsigned long long)dim->length, paths[1],
             (unsigned long long)other->length);
    return fail_because(job, STATUS_USAGE, "cannot convert", job->input, why);
}

static int settle_dim(struct job *job, struct dim *dim, int number)
{
    char wanted[NC_MAX_NAME + 1];
    const struct dim *other = dim_named(job, dim->home, dim->name);
    snprintf(wanted, sizeof wanted, "%s", dim->name);
    if ((other && check_lengths(job, other, dim) < 0) || settle_name(job, dim->home, &dim->name, 1) < 0)
        return -1;
    if (strcmp(wanted, dim->name))
        tell(job, NOTED, job->items[dim->home].path, NULL, "its %sdimension '%s', of length %llu, is called '%s'%s",
             other ? "second " : "", wanted, (unsigned long long)dim->length, dim->name,
             other ? "" : ": a group has that name");
    dim->number = number;
    return lookup_add(&job->dim_names, name_key(dim->home, dim->name), (size_t)(dim - job->dims)) < 0
        ? out_of_memory(job) : 0;
}

/* A variable is a dimension's coordinate if it has the dimension's name, has the dimension as its first, and is in the
 * same group. */
static void find_coordinate(const struct job *job, struct dim *dim)
{
    const struct item *item = item_named(job, dim->home, dim->name);
    if (item && item->is_variable && item->rank > 0 && &job->dims[item->dim[0]] == dim)
        dim->coordinate = (size_t)(item - job->items);
}

int is_coordinate(const struct job *job, const struct item *item)
{
    return item->is_variable && item->rank > 0
        && job->dims[item->dim[0]].coordinate == (size_t)(item - job->items);
}

int settle_names(struct job *job)
{
    int number = 0;
    job->items[0].output = strdup("");
    if (!job->items[0].output)
        return out_of_memory(job);
    for (size_t i = 1; i < job->item_count; i++)
        if (job->items[i].is_group && settle_item(job, &job->items[i]) < 0)
            return -1;
    for (int labelled = 0; labelled < 2; labelled++)    /* last: the names of tables and scales stay theirs */
        for (size_t i = 0; i < job->dim_count; i++)
            if (job->dims[i].home != NONE && job->dims[i].is_labelled == labelled
                && settle_dim(job, &job->dims[i], number++) < 0)
                return -1;
    for (size_t i = 1; i < job->item_count; i++)
        if (job->items[i].is_variable && settle_item(job, &job->items[i]) < 0)
            return -1;
    for (size_t i = 1; i < job->item_count; i++)
        if (job->items[i].is_type && settle_item(job, &job->items[i]) < 0)
            return -1;
    for (size_t i = 0; i < job->dim_count; i++)
        if (job->dims[i].number >= 0)
            find_coordinate(job, &job->dims[i]);
    return 0;
}

/* A dimension without values that only axes lay along that the table dropped or renamed is not made. */
int drop_unused_dims(struct job *job)
{
    unsigned char *used = calloc(job->dim_count + 1, 1);
    if (!used)
        return out_of_memory(job);
    for (size_t i = 0; i < job->item_count; i++)
        for (int axis = 0; job->items[i].is_variable && axis < job->items[i].rank; axis++)
            used[job->items[i].dim[axis]] = 1;
    for (size_t i = 0; i < job->item_count && job->tables->variable_count > 0; i++) {
        const struct item *item = &job->items[i];
        if (item->is_scale && !item->is_variable && !used[item->dim[0]] && H5Aexists(item->id, "REFERENCE_LIST") > 0) {
            job->dims[item->dim[0]].home = NONE;
            tell_vanished(job, item->path, "no variable uses this dimension any more");
        }
    }
    free(used);
    return 0;
}

/* A group of whose members nothing is left, since they are moved, dropped or left out, is not made, unless it has
 * attributes. */
int drop_empty_groups(struct job *job)
{
    size_t *members = calloc(job->item_count + 1, sizeof *members);
    if (!members)
        return out_of_memory(job);
    for (size_t i = 0; i < job->dim_count; i++)
        if (job->dims[i].home != NONE)
            members[job->dims[i].home]++;
    for (size_t i = job->item_count; i-- > 1;) {
        struct item *item = &job->items[i];         /* its members come after it: they are counted by now */
        if (item->is_group && item->had_members && members[i] == 0 && H5Aget_num_attrs(item->id) <= 0) {
            item->is_group = 0;
            tell_vanished(job, item->path, "nothing is left in this group");
        }
        members[item->parent] += item->is_group || item->is_variable || item->is_type;
    }
    free(members);
    return 0;
}
