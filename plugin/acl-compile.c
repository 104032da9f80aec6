/* SPDX-License-Identifier: Apache-2.0 */
/* A set of rules as bits: see acl-compile.h.  What kinds of packet a bit
 * matches is in acl-services.c; here is which sources it matches. */
#include <config.h>

#include "plugin/acl-compile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#include "plugin/acl-rule.h"
#include "plugin/acl-services.h"
#include "plugin/acl.h"

/* Bits that there may be. */
#define MAX_BITS (64 * DP_ACL_WORDS)

/* Atoms that are all of a family, and need no prefix. */
#define ALL4 "0.0.0.0/0"
#define ALL6 "::/0"

/* Returns true if 'atom' is all of a family. */
static bool
is_all(const char *atom)
{
    return !strcmp(atom, ALL4) || !strcmp(atom, ALL6);
}

/* Returns true if 'cube' of 'rule' gets a bit.  One that drops only packets of
 * certain source ports would drop others, too. */
static bool
has_bit(const struct acl_rule *rule, const struct acl_cube *cube)
{
    return !acl_rule_drops(rule) || acl_service_is_exact(cube);
}

/* Stores the cubes of 'set' that get bits in 'cubes', and their rules in
 * 'rules', as far as there is room.  Returns how many there are. */
static size_t
list_cubes(const struct acl_set *set, const struct acl_cube *cubes[MAX_BITS],
           size_t rules[MAX_BITS])
{
    size_t n = 0;

    for (size_t i = 0; i < set->n_rules; i++) {
        const struct acl_rule *rule = set->rules[i];

        for (size_t j = 0; j < rule->n_cubes; j++) {
            if (has_bit(rule, &rule->cubes[j])) {
                if (n < MAX_BITS) {
                    cubes[n] = &rule->cubes[j];
                    rules[n] = i;
                }
                n++;
            }
        }
    }
    return n;
}

/* Adds the atoms of 'cubes', of which there are 'n', to 'atoms'. */
static void
list_atoms(const struct acl_cube *const cubes[], size_t n, struct svec *atoms)
{
    for (size_t i = 0; i < n; i++) {
        const struct acl_source *source = &cubes[i]->source;
        const char *atom;
        size_t j;

        if (!source->any) {
            SVEC_FOR_EACH (j, atom, &source->atoms) {
                if (!is_all(atom)) {
                    svec_add(atoms, atom);
                }
            }
        }
    }
    svec_sort_unique(atoms);
}

/* Initializes 'bit' for 'cube', one of 'rule'; the atoms of all cubes are
 * 'atoms'. */
static void
init_bit(struct acl_bit *bit, const struct acl_rule *rule,
         const struct acl_cube *cube, const struct svec *atoms)
{
    const struct acl_source *source = &cube->source;
    const char *atom;
    size_t i;

    bit->drops = acl_rule_drops(rule);
    bit->ip4 = cube->ip4;
    bit->ip6 = cube->ip6;
    if (source->any) {
        bit->all4 = bit->all6 = true;
        return;
    }
    bit->negated = source->negated;
    bit->atoms = xmalloc(source->atoms.n * sizeof *bit->atoms);
    SVEC_FOR_EACH (i, atom, &source->atoms) {
        if (!is_all(atom)) {
            bit->atoms[bit->n_atoms++] = svec_find(atoms, atom);
        }
        bit->all4 = bit->all4 || !strcmp(atom, ALL4);
        bit->all6 = bit->all6 || !strcmp(atom, ALL6);
    }
}

/* Stores in 'acl' what depends on the bits of 'c' alone. */
static void
store_bits(const struct acl_compiled *c, struct dp_acl *acl)
{
    bool *none = xcalloc(c->atoms.n + 1, sizeof *none);

    acl->n_rules = c->n_bits;
    for (size_t i = 0; i < c->n_bits; i++) {
        if (c->bits[i].drops) {
            acl->drops.word[i / 64] |= UINT64_C(1) << i % 64;
        }
        if (!c->bits[i].n_atoms) {
            acl->anywhere.word[i / 64] |= UINT64_C(1) << i % 64;
        }
    }
    acl_compiled_sources(c, false, none, none, &acl->any4);
    acl_compiled_sources(c, true, none, none, &acl->any6);
    free(none);
}

/* Compiles 'set' into 'c', which the caller destroys.  There may be no bits,
 * or none that drops.  ENOSPC: it needs more bits than there are. */
int
acl_compile(const struct acl_set *set, struct acl_compiled *c)
{
    const struct acl_cube *cubes[MAX_BITS];
    size_t rules[MAX_BITS];
    size_t n = list_cubes(set, cubes, rules);

    memset(c, 0, sizeof *c);
    svec_init(&c->atoms);
    if (n > MAX_BITS) {
        return ENOSPC;
    }
    list_atoms(cubes, n, &c->atoms);
    c->bits = xcalloc(MAX(n, 1), sizeof *c->bits);
    c->n_bits = n;
    for (size_t i = 0; i < n; i++) {
        c->bits[i].rule = rules[i];
        init_bit(&c->bits[i], set->rules[rules[i]], cubes[i], &c->atoms);
    }
    c->acl.stateful = set->stateful;
    store_bits(c, &c->acl);
    acl_services_compile(cubes, n, &c->acl);
    return 0;
}

/* Frees what 'c' holds. */
void
acl_compiled_destroy(struct acl_compiled *c)
{
    for (size_t i = 0; i < c->n_bits; i++) {
        free(c->bits[i].atoms);
    }
    free(c->bits);
    free(CONST_CAST(struct dp_acl_service *, c->acl.services));
    svec_destroy(&c->atoms);
    memset(c, 0, sizeof *c);
}

/* Returns true if one of the atoms of 'bit' is in 'in', or 'all' is. */
static bool
has_atom(const struct acl_bit *bit, bool all, const bool *in)
{
    for (size_t i = 0; i < bit->n_atoms && !all; i++) {
        all = in[bit->atoms[i]];
    }
    return all;
}

/* Returns true if 'bit' may match, or if it drops: must match, sources of a
 * family that are in the atoms 'maybe', and surely in 'sure'. */
static bool
matches(const struct acl_bit *bit, bool ip6, const bool *maybe,
        const bool *sure)
{
    bool all = ip6 ? bit->all6 : bit->all4;

    if (!(ip6 ? bit->ip6 : bit->ip4)) {
        return false;
    }

    /* What must match has to be in 'sure', and what must not, not even in
     * 'maybe'. */
    return has_atom(bit, all, bit->drops != bit->negated ? sure : maybe)
           != bit->negated;
}

/* Stores in 'result' the bits of 'c' that match sources of a family which are
 * in the atoms of 'maybe', and surely in those of 'sure', a part of it: where
 * it is open, bits that drop do not match and others do.  Both have an element
 * for each of 'c->atoms'. */
void
acl_compiled_sources(const struct acl_compiled *c, bool ip6,
                     const bool *maybe, const bool *sure,
                     struct dp_acl_bits *result)
{
    memset(result, 0, sizeof *result);
    for (size_t i = 0; i < c->n_bits; i++) {
        if (matches(&c->bits[i], ip6, maybe, sure)) {
            result->word[i / 64] |= UINT64_C(1) << i % 64;
        }
    }
}
