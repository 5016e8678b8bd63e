/* lookup.c: a hash table of numbers.  SPDX-License-Identifier: Apache-2.0 */
#include "lookup.h"

#include <stdlib.h>

enum { FIRST_SLOTS = 64, FIRST_ENTRIES = 32 };

/* Mixes a number into a key; similar numbers give keys that differ everywhere. */
uint64_t hash_number(uint64_t key, uint64_t number)
{
    key = (key ^ number) * UINT64_C(0x9e3779b97f4a7c15);
    return key ^ key >> 29;
}

uint64_t hash_name(uint64_t key, const char *name)
{
    for (const unsigned char *c = (const unsigned char *)name; *c; c++)
        key = (key ^ *c) * UINT64_C(0x100000001b3);
    return hash_number(key, 0);
}

/* The slot of the key, or the free slot that it would take. */
static struct lookup_slot *find_slot(const struct lookup *lookup, uint64_t key)
{
    size_t mask = lookup->slot_count - 1, at = (size_t)hash_number(0, key) & mask;
    while (lookup->slots[at].first && lookup->slots[at].key != key)
        at = (at + 1) & mask;
    return &lookup->slots[at];
}

/* Doubles the slots before more than half are taken. */
static int make_slots(struct lookup *lookup)
{
    struct lookup larger = {.slot_count = lookup->slot_count ? 2 * lookup->slot_count : FIRST_SLOTS};
    if (2 * (lookup->key_count + 1) <= lookup->slot_count)
        return 0;
    larger.slots = calloc(larger.slot_count, sizeof *larger.slots);
    if (!larger.slots)
        return -1;
    for (size_t i = 0; i < lookup->slot_count; i++)
        if (lookup->slots[i].first)
            *find_slot(&larger, lookup->slots[i].key) = lookup->slots[i];
    free(lookup->slots);
    lookup->slots = larger.slots;
    lookup->slot_count = larger.slot_count;
    return 0;
}

static int make_entry(struct lookup *lookup)
{
    if (lookup->entry_count < lookup->entry_room)
        return 0;
    size_t room = lookup->entry_room ? 2 * lookup->entry_room : FIRST_ENTRIES;
    struct lookup_entry *larger = realloc(lookup->entries, room * sizeof *larger);
    if (!larger)
        return -1;
    lookup->entries = larger;
    lookup->entry_room = room;
    return 0;
}

/* Adds a number under a key, in its order; the largest yet takes one step. Returns -1 without memory. */
int lookup_add(struct lookup *lookup, uint64_t key, size_t number)
{
    if (make_slots(lookup) < 0 || make_entry(lookup) < 0)
        return -1;
    struct lookup_slot *slot = find_slot(lookup, key);
    struct lookup_entry *entries = lookup->entries;
    size_t added = ++lookup->entry_count, before = slot->last;
    if (!slot->first) {
        *slot = (struct lookup_slot){.key = key};
        lookup->key_count++;
    } else if (entries[before - 1].number > number) {
        before = 0;
        for (size_t i = slot->first; entries[i - 1].number <= number; i = entries[i - 1].next)
            before = i;
    }
    size_t *link = before ? &entries[before - 1].next : &slot->first;
    entries[added - 1] = (struct lookup_entry){number, *link};
    *link = added;
    if (before == slot->last)
        slot->last = added;
    return 0;
}

/* The entry of the key with the smallest number, or NULL. */
const struct lookup_entry *lookup_first(const struct lookup *lookup, uint64_t key)
{
    size_t first = lookup->slot_count ? find_slot(lookup, key)->first : 0;
    return first ? &lookup->entries[first - 1] : NULL;
}

/* The largest number of the key, or `otherwise` where there is none. */
size_t lookup_last(const struct lookup *lookup, uint64_t key, size_t otherwise)
{
    size_t last = lookup->slot_count ? find_slot(lookup, key)->last : 0;
    return last ? lookup->entries[last - 1].number : otherwise;
}

const struct lookup_entry *lookup_next(const struct lookup *lookup, const struct lookup_entry *entry)
{
    return entry->next ? &lookup->entries[entry->next - 1] : NULL;
}

void lookup_free(struct lookup *lookup)
{
    free(lookup->slots);
    free(lookup->entries);
    *lookup = (struct lookup){0};
}
