/* walk.c: walks the input and lists its groups and datasets.  SPDX-License-Identifier: Apache-2.0 */
#include "engine.h"

enum { DEEPEST = 500 };

#define TOO_DEEP "its groups are nested more than 500 deep"

struct item *add_item(struct job *job, hid_t id, const char *path, const char *name, size_t parent)
{
    if (job->item_count == job->item_room) {
        size_t room = job->item_room ? 2 * job->item_room : 64;
        struct item *larger = realloc(job->items, room * sizeof *larger);
        if (!larger)
            return NULL;
        job->items = larger;
        job->item_room = room;
    }
    struct item *item = &job->items[job->item_count];
    memset(item, 0, sizeof *item);
    item->path = strdup(path);
    item->name = legal_name(name);
    item->parent = parent;
    item->to = -1;
    if (!item->path || !item->name) {
        free(item->path);
        free(item->name);
        return NULL;
    }
    item->id = id;
    job->item_count++;
    return item;
}

struct walk {                   /* what the visit of a link needs to know */
    struct job *job;
    size_t group;
};

static herr_t refuse(const char *p1, const char *p2, const char *p3, const char *p4, unsigned *flags, hid_t plist,
                     void *data)
{
    (void)p1, (void)p2, (void)p3, (void)p4, (void)flags, (void)plist, (void)data;
    return -1;
}

/* Whether a soft link leads to something in this file; an external link on the way is not followed. */
static int leads_somewhere(hid_t group, const char *name)
{
    hid_t plist = H5Pcreate(H5P_LINK_ACCESS);
    H5Pset_elink_cb(plist, refuse, NULL);
    int exists = H5Oexists_by_name(group, name, plist) > 0;
    H5Pclose(plist);
    return exists;
}

/* Finds the dataset that a path leads to in this file; an external link on the way is not followed. */
int dataset_address(hid_t file, const char *path, haddr_t *address)
{
    H5O_info_t info;
    hid_t plist = H5Pcreate(H5P_LINK_ACCESS);
    H5Pset_elink_cb(plist, refuse, NULL);
    int exists = H5Oget_info_by_name2(file, path, &info, H5O_INFO_BASIC, plist) >= 0 && info.type == H5O_TYPE_DATASET;
    H5Pclose(plist);
    *address = exists ? info.addr : HADDR_UNDEF;
    return exists;
}

/* A link that is not the object itself.  All that a file holds is reached by hard links, too. */
static void tell_link(struct job *job, hid_t group, const char *name, const char *path, H5L_type_t type)
{
    if (type == H5L_TYPE_EXTERNAL)
        tell(job, LEFT_OUT, path, NULL, "external link: other files are not opened");
    else if (type != H5L_TYPE_SOFT)
        tell(job, LEFT_OUT, path, NULL, "user-defined link");
    else if (leads_somewhere(group, name))
        tell(job, NOTED, path, NULL, "soft link: its target is listed under its own path");
    else
        tell(job, LEFT_OUT, path, NULL, "soft link without a target in this file");
}

/* Lets other links to an object of the input find its item. */
int remember_object(struct job *job, size_t index)
{
    return lookup_add(&job->by_address, hash_number(0, job->items[index].address), index) < 0 ? out_of_memory(job) : 0;
}

/* The item of an object of the input: of a compound whose fields are variables, the group. NULL where there is none. */
const struct item *object_at(const struct job *job, haddr_t address)
{
    for (EACH_ENTRY(entry, &job->by_address, hash_number(0, address)))
        if (job->items[entry->number].address == address)
            return &job->items[entry->number];
    return NULL;
}

static const struct item *same_object(const struct job *job, const H5O_info_t *info)
{
    return info->rc < 2 && info->type != H5O_TYPE_GROUP ? NULL : object_at(job, info->addr);
}

/* Adds a group and what is in it. Takes over `id`. */
static int add_group(struct job *job, hid_t id, haddr_t address, const char *path, const char *name, size_t parent)
{
    int depth = job->items[parent].depth + 1;
    struct item *item = depth > DEEPEST ? NULL : add_item(job, id, path, name, parent);
    if (item) {
        item->is_group = 1;
        item->depth = depth;
        item->address = address;
        return remember_object(job, job->item_count - 1) < 0 ? -1 : walk(job, job->item_count - 1);
    }
    H5Oclose(id);
    return depth > DEEPEST ? fail_because(job, STATUS_INPUT, "cannot convert", job->input, TOO_DEEP)
        : out_of_memory(job);
}

/* Adds a dataset or a named type. Takes over `id`. */
static int add_leaf(struct job *job, hid_t id, const H5O_info_t *info, const char *path, const char *name,
                    size_t parent)
{
    size_t index = job->item_count;
    int status = (info->type == H5O_TYPE_DATASET ? add_dataset : add_named_type)(job, id, info->addr, path, name,
                                                                                 parent);
    return status < 0 || index == job->item_count ? status : remember_object(job, index);
}

static int add_object(struct job *job, hid_t id, const char *path, const char *name, size_t parent)
{
    H5O_info_t info;
    if (H5Oget_info2(id, &info, H5O_INFO_BASIC) < 0) {
        H5Oclose(id);
        return fail(job, STATUS_INPUT, "cannot read", path);
    }
    const struct item *other = same_object(job, &info);
    int is_group = info.type == H5O_TYPE_GROUP;
    use_rows(job, path, is_group);
    if (is_group && is_dropped(job, path)) {
        H5G_info_t members = {0};
        job->has_data |= H5Gget_info(id, &members) >= 0 && members.nlinks > 0;
        H5Oclose(id);
        tell(job, ASKED, path, NULL, "dropped by the table, with all that is in it");
        return 0;
    }
    if (!other && is_group)
        return add_group(job, id, info.addr, path, name, parent);
    if (!other && (info.type == H5O_TYPE_DATASET || info.type == H5O_TYPE_NAMED_DATATYPE))
        return add_leaf(job, id, &info, path, name, parent);
    if (other)
        tell(job, NOTED, path, NULL, "another name of '%s'", other->path);
    else
        tell(job, LEFT_OUT, path, NULL, "an object of a kind that is not supported");
    H5Oclose(id);
    return 0;
}

static herr_t visit(hid_t group, const char *name, const H5L_info_t *link, void *data)
{
    const struct walk *here = data;
    struct job *job = here->job;
    const char *above = job->items[here->group].path;
    size_t room = strlen(above) + strlen(name) + 2;
    char *path = malloc(room), why[256];
    int status = 0;

    if (!path)
        return out_of_memory(job);
    snprintf(path, room, "%s/%s", strcmp(above, "/") ? above : "", name);
    job->items[here->group].had_members = 1;
    if (link->type != H5L_TYPE_HARD) {
        use_rows(job, path, 0);
        tell_link(job, group, name, path, link->type);
    } else {
        hid_t id = H5Oopen(group, name, H5P_DEFAULT);
        if (id < 0 && is_newer(why, sizeof why))
            tell(job, LEFT_OUT, path, NULL, "%s", why);
        else
            status = id < 0 ? fail(job, STATUS_INPUT, "cannot read", path)
                : add_object(job, id, path, name, here->group);
    }
    free(path);
    return status;
}

/* Adds the members of a group in the order of their creation if the file records it, else by name. */
int walk(struct job *job, size_t group)
{
    struct walk here = {job, group};
    unsigned order = 0;
    hid_t id = job->items[group].id, plist = H5Gget_create_plist(id);
    int tracked = plist >= 0 && H5Pget_link_creation_order(plist, &order) >= 0 && (order & H5P_CRT_ORDER_TRACKED);

    H5Pclose(plist);
    if (H5Literate(id, tracked ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME, H5_ITER_INC, NULL, visit, &here) < 0)
        return fail(job, STATUS_INPUT, "cannot read", job->items[group].path);
    return 0;
}
