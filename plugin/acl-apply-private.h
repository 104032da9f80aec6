/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of plugin/acl-apply.h share.  Nobody else includes this.
 *
 * acl-apply.c          Rule sets.
 * acl-apply-sources.c  Prefixes and classes. */
#ifndef PLUGIN_ACL_APPLY_PRIVATE_H
#define PLUGIN_ACL_APPLY_PRIVATE_H 1

#include "openvswitch/hmap.h"
#include "plugin/acl-apply.h"
#include "plugin/acl-compile.h"
#include "plugin/acl-sources.h"

/* A rule set. */
struct applied {
    struct hmap_node node;      /* In struct acl_apply, by hash of 'serial'. */
    uint64_t serial;            /* That of the set. */
    uint32_t id;                /* In the datapath, or 0. */
    enum reason reason;         /* Why that is 0. */
    bool told;                  /* Users know what it was when it was last
                                 * prepared: the following two. */
    uint32_t told_id;           /* Its 'id'. */
    enum reason told_reason;    /* Its 'reason'. */
    long long int retry_at;     /* If it did not fit: when to try again. */
    long long int backoff;      /* Wait before the last such attempt, in ms. */
    bool wanted;                /* A port has it. */
    size_t n_ports;             /* How many ports have it. */
    size_t n_rules;             /* Rules of the set. */
    struct acl_compiled c;      /* What it is compiled to. */
    struct acl_atom **atoms;    /* Those of 'c', or NULL: let go. */
};

/* See acl-apply.h. */
struct acl_apply {
    const struct dp_class *class; /* Back end. */
    struct dp *dp;              /* Datapath. */
    uint32_t next_id;           /* For the next set. */
    struct hmap sets;           /* Of struct applied. */
    struct acl_sources sources; /* Where packets come from. */
    bool open;                  /* The first step was done, and the second
                                 * was not. */
    bool changes;               /* See acl_apply_take_changes(). */
    long long int now;          /* When acl_apply_prepare() was called. */
};

int apply_reject(struct acl_apply *, struct applied *, enum reason);
int apply_reject_users(struct acl_apply *, const struct acl_atom *,
                       enum reason);

int apply_prefixes(struct acl_apply *, bool careful);
int apply_delete_classes(struct acl_apply *);
struct dp_acl_class *apply_rows(const struct applied *, size_t *n);

#endif /* plugin/acl-apply-private.h */
