/* lookup_steps.c: prints how many slots a search looks at on average.  SPDX-License-Identifier: Apache-2.0 */
#include "../src/lookup.c"

#include <stdio.h>

static size_t steps_to(const struct lookup *lookup, uint64_t key)
{
    size_t mask = lookup->slot_count - 1, home = (size_t)hash_number(0, key) & mask;
    return ((size_t)(find_slot(lookup, key) - lookup->slots) - home & mask) + 1;
}

int main(int argc, char **argv)
{
    struct lookup lookup = {0};
    size_t count = strtoul(argv[argc - 1], NULL, 10), total = 0;
    char name[32];
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "dataset_%zu", i);
        if (lookup_add(&lookup, hash_name(0, name), i) < 0)
            return 1;
    }
    for (size_t i = 0; i < count; i++) {
        snprintf(name, sizeof name, "dataset_%zu", i);
        const struct lookup_entry *entry = lookup_first(&lookup, hash_name(0, name));
        if (!entry || entry->number != i || lookup_next(&lookup, entry))
            return 1;
        total += steps_to(&lookup, hash_name(0, name));
    }
    for (size_t i = count; i-- > 0;)            /* entries of one key come in ascending order */
        if (i % 1000 == 0 && lookup_add(&lookup, 7, i) < 0)
            return 1;
    size_t last = 0;
    for (EACH_ENTRY(entry, &lookup, 7)) {
        if (entry->number < last)
            return 1;
        last = entry->number;
    }
    printf("%.2f\n", (double)total / (double)count);
    if (lookup_last(&lookup, 7, 0) != last || lookup_last(&lookup, 8, 3) != 3 || lookup_first(&lookup, 8))
        return 1;
    lookup_free(&lookup);
    return 0;
}
