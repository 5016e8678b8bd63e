/* lookup.h: numbers of items, dimensions and rows, found by a key.  SPDX-License-Identifier: Apache-2.0
 *
 * A key is a hash of what is looked for. Two things may have one key: the caller compares what it finds. */
#ifndef LOOKUP_H
#define LOOKUP_H

#include <stddef.h>
#include <stdint.h>

struct lookup_entry {           /* a number under a key; the entries of a key are in ascending order of their numbers */
    size_t number, next;        /* next: its place in the list plus one, or 0 */
};

struct lookup_slot {
    uint64_t key;
    size_t first, last;         /* entries of the key, plus one; 0 where the slot is free */
};

struct lookup {                 /* all zero: empty */
    struct lookup_slot *slots;
    size_t slot_count, key_count;       /* slot_count: a power of two, at least twice key_count */
    struct lookup_entry *entries;
    size_t entry_count, entry_room;
};

uint64_t hash_number(uint64_t key, uint64_t number);
uint64_t hash_name(uint64_t key, const char *name);
int lookup_add(struct lookup *lookup, uint64_t key, size_t number);
const struct lookup_entry *lookup_first(const struct lookup *lookup, uint64_t key);
size_t lookup_last(const struct lookup *lookup, uint64_t key, size_t otherwise);
const struct lookup_entry *lookup_next(const struct lookup *lookup, const struct lookup_entry *entry);
void lookup_free(struct lookup *lookup);

/* Loops over the entries of a key. */
#define EACH_ENTRY(entry, lookup, key) \
    const struct lookup_entry *entry = lookup_first(lookup, key); entry; entry = lookup_next(lookup, entry)

#endif
