/* SPDX-License-Identifier: Apache-2.0 */
/* Which counter belongs to which endpoint: a pool of numbers that are reused
 * as late as possible.  Pure; plugin/datapath-bpf-maps.c is the user. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include "bitmap.h"
#include "util.h"

/* Makes 's' a pool of the numbers below 'n'.  All wait to be reserved or, by
 * slots_seal(), to become free. */
void
slots_init(struct slots *s, uint32_t n)
{
    *s = (struct slots) {
        .n = n,
        .used = bitmap_allocate(n),
        .ring = xmalloc(n * sizeof *s->ring),
    };
}

/* Frees the memory of 's', which may be all zeros. */
void
slots_destroy(struct slots *s)
{
    bitmap_free(s->used);
    free(s->ring);
    *s = (struct slots) { .n = 0 };
}

/* Takes 'slot' before the pool is sealed.  False if there is no such number
 * or somebody has it. */
bool
slots_reserve(struct slots *s, uint32_t slot)
{
    if (slot >= s->n || bitmap_is_set(s->used, slot)) {
        return false;
    }
    bitmap_set1(s->used, slot);
    return true;
}

/* Makes all numbers free that are not reserved. */
void
slots_seal(struct slots *s)
{
    s->head = s->n_free = 0;
    for (uint32_t slot = 0; slot < s->n; slot++) {
        if (!bitmap_is_set(s->used, slot)) {
            s->ring[s->n_free++] = slot;
        }
    }
}

/* Takes the number that has been free for longest; SLOT_NONE if none is. */
uint32_t
slots_get(struct slots *s)
{
    uint32_t slot;

    if (!s->n_free) {
        return SLOT_NONE;
    }
    slot = s->ring[s->head];
    s->head = (s->head + 1) % s->n;
    s->n_free--;
    bitmap_set1(s->used, slot);
    return slot;
}

/* Gives 'slot' back; SLOT_NONE is ignored. */
void
slots_put(struct slots *s, uint32_t slot)
{
    if (slot != SLOT_NONE) {
        ovs_assert(bitmap_is_set(s->used, slot));
        bitmap_set0(s->used, slot);
        s->ring[(s->head + s->n_free++) % s->n] = slot;
    }
}
