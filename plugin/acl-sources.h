/* SPDX-License-Identifier: Apache-2.0 */
/* Where sources of packets belong: atoms (plugin/acl-rule.h), the prefixes in
 * them, and classes of prefixes: pure.
 *
 * A class stands for the atoms that contain a prefix.  A packet has one
 * source, and that has one longest prefix, which has one class.  An atom is in
 * the class of a prefix by the prefix itself or by one around it.
 *
 * Prefixes whose class is not what it should be are "dirty", until the user
 * has told the datapath.  See plugin/acl-apply.c for the order in which that
 * is to be done. */
#ifndef PLUGIN_ACL_SOURCES_H
#define PLUGIN_ACL_SOURCES_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "hmapx.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "plugin/acl-prefix.h"
#include "plugin/datapath.h"

struct sset;

/* An atom that somebody uses. */
struct acl_atom {
    struct hmap_node node;      /* In struct acl_sources, by hash of 'text'. */
    char *text;                 /* "$NAME" or "ADDRESS/LENGTH". */
    uint32_t number;            /* The older, the smaller. */
    bool loaded;                /* It has got its members. */
    bool bad;                   /* It cannot be read, or is not there. */
    bool fresh;                 /* Nobody in the datapath uses it yet. */
    struct hmapx users;         /* Of anything that the user likes. */
    struct hmapx classes;       /* Of struct acl_class: those with it. */
    struct hmap members;        /* Of struct acl_member. */
    uint32_t mark;              /* See acl_atom_load(). */
};

/* A class of prefixes.  While it is open whether a prefix is still, or
 * already, in an atom, that is in 'maybe' but not in 'sure'. */
struct acl_class {
    struct hmap_node node;      /* In struct acl_sources. */
    uint32_t number;            /* Not 0; never used again. */
    bool ip6;                   /* Of IPv6, not of IPv4. */
    struct acl_atom **maybe;    /* Atoms that may have the prefix: by
                                 * number. */
    size_t n_maybe;             /* Number of them. */
    struct acl_atom **sure;     /* Those of them that surely have it. */
    size_t n_sure;              /* Number of them. */
    size_t n_prefixes;          /* Prefixes that have it in the datapath. */
    bool known;                 /* The datapath has what sets have for it. */
};

/* A prefix. */
struct acl_prefix {
    struct dp_prefix prefix;    /* Which one. */
    bool ip6;                   /* Of IPv6, not of IPv4. */
    struct ovs_list dirty;      /* In struct acl_sources, or empty. */
    struct acl_own *owns;       /* Atoms that have it as a member. */
    size_t n_owns;              /* Number of them. */
    bool anchor;                /* It must be there without any: all of IPv4,
                                 * while one of IPv6 is around it. */
    struct acl_class *class;    /* What the datapath has, or NULL. */
};

/* Everything. */
struct acl_sources {
    struct hmap atoms;          /* Of struct acl_atom. */
    struct hmap classes;        /* Of struct acl_class. */
    struct acl_trie tries[2];   /* Of struct acl_prefix: IPv4, IPv6. */
    struct ovs_list dirty;      /* Of struct acl_prefix. */
    size_t n_prefixes;          /* Prefixes of either. */
    size_t n_anchors;           /* Those of IPv6 around all of IPv4. */
    uint32_t last_atom;         /* The newest one's number. */
    uint32_t last_class;        /* Likewise. */
};

void acl_sources_init(struct acl_sources *);
void acl_sources_destroy(struct acl_sources *);

struct acl_atom *acl_atom_get(struct acl_sources *, const char *text);
struct acl_atom *acl_atom_find(const struct acl_sources *, const char *text);
void acl_atom_load(struct acl_sources *, struct acl_atom *,
                   const struct sset *members);
void acl_atom_unload(struct acl_sources *, struct acl_atom *);
void acl_atom_free(struct acl_sources *, struct acl_atom *);

bool acl_class_has(const struct acl_class *, const struct acl_atom *);
bool acl_class_surely_has(const struct acl_class *, const struct acl_atom *);
void acl_class_free(struct acl_sources *, struct acl_class *);

struct acl_prefix **acl_sources_dirty(const struct acl_sources *, size_t *n);
struct acl_class *acl_prefix_want(struct acl_sources *,
                                  const struct acl_prefix *, bool careful,
                                  bool *settled);
void acl_prefix_set(struct acl_prefix *, struct acl_class *);
void acl_prefix_blame(struct acl_sources *, const struct acl_prefix *,
                      struct hmapx *atoms);
void acl_prefix_clean(struct acl_sources *, struct acl_prefix *);

#endif /* plugin/acl-sources.h */
