/* SPDX-License-Identifier: Apache-2.0 */
/* Which rules of OVN's ACLs decide about packets to which port, and why some
 * ports are left to OVN.
 *
 * Pure: values in, values out.  Kept up to date flow by flow and port by port
 * as they change; ports with the same rules share one set. */
#ifndef PLUGIN_ACL_H
#define PLUGIN_ACL_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/hmap.h"
#include "openvswitch/uuid.h"
#include "plugin/acl-rule.h"
#include "plugin/problems.h"
#include "plugin/reason.h"
#include "sset.h"

struct desired;
struct desired_endpoint;
struct row_changes;
struct sb_acl_changes;
struct sb_acl_view;
struct sb_view;

/* The rules that one or more ports have. */
struct acl_set {
    struct hmap_node node;      /* In struct acl, by hash of its contents. */
    bool stateful;              /* Only new connections are decided by them:
                                 * the datapath has connections. */
    const struct acl_rule **rules; /* In the order of acl_rule_compare(): the
                                 * first that matches decides.  Shared. */
    size_t n_rules;             /* Number of them. */
    size_t n_ports;             /* Ports that have it. */
    uint64_t serial;            /* Never the same for two sets. */
};

/* A VM's port on this chassis. */
struct acl_port {
    struct hmap_node node;      /* In struct acl, by hash of 'name'. */
    char *name;                 /* Logical port. */
    struct uuid datapath;       /* Its switch. */
    enum reason reason;         /* Why it is pass-only; NONE: it is not. */
    char *token;                /* What was not understood, or NULL. */
    int column;                 /* Where that begins, from 1; or 0. */
    struct acl_set *set;        /* Its rules as far as they are understood, for
                                 * people; to be acted on only if 'reason' is
                                 * NONE.  NULL: none known. */
};

/* An address about which acl_judge() may say something else. */
struct acl_address {
    struct hmap_node node;      /* In struct acl, by hash of 'ip'. */
    struct in6_addr ip;         /* IPv4 as v4-mapped. */
};

/* The whole. */
struct acl {
    struct hmap ports;          /* Of struct acl_port. */
    struct hmap sets;           /* Of struct acl_set: those of ports that are
                                 * not pass-only. */

    /* What differs from the last acl_forget_changes(). */
    struct sset changed_ports;  /* Names of ports that came, went, or whose
                                 * reason or set changed. */
    struct hmap changed_addresses; /* Of struct acl_address: the endpoints to
                                 * be judged anew, whatever their kind. */
    bool nat_changed;           /* Besides, all translated ones. */
    struct sset touched_ports;  /* Names of ports about whose packets, to them
                                 * or from them, OVN may decide otherwise,
                                 * understood or not: layer L3 asks it again.
                                 * For that much ends, and so it is precise:
                                 * ports that came or went, that flows name
                                 * which came or went, by themselves or by a
                                 * group, that joined or left such a group,
                                 * or whose datapath got or lost its
                                 * connections.  The members of an address
                                 * set are no such change: with each VM that
                                 * boots Neutron changes one that the rules of
                                 * all ports of a project name.  Those are
                                 * left to confirmation. */

    struct acl_private *private; /* What is kept for the next update. */
};

/* What 'acl' is derived from.  Borrowed. */
struct acl_inputs {
    const struct sb_view *sb;   /* Bindings. */
    const struct sb_acl_view *view; /* Flows, port groups, address sets. */
};

/* What of it may have changed. */
struct acl_changes {
    bool all;                   /* Anything. */
    const struct row_changes *bindings; /* Of 'sb'; NULL: none. */
    const struct sb_acl_changes *view; /* Of 'view'; NULL: none. */
};

struct acl *acl_create(void);
void acl_destroy(struct acl *);
void acl_update(struct acl *, const struct acl_inputs *,
                const struct acl_changes *);
void acl_forget_changes(struct acl *);
const struct acl_port *acl_find_port(const struct acl *, const char *name);

bool acl_is_logged(const struct acl *, const struct acl_inputs *,
                   const char *port);

/* Judges whether rules decide about packets to 'endpoint'.  Returns its port's
 * set and stores REASON_NONE, or returns NULL and stores why not. */
const struct acl_set *acl_judge(const struct acl *, const struct acl_inputs *,
                                const struct desired_endpoint *,
                                enum reason *);

/* Whom an address stands for. */
struct acl_behind {
    const char *port;           /* Logical port, borrowed; "": nobody's that is
                                 * known here. */
    struct in6_addr ip;         /* Its address; for nobody's perhaps "::". */
};

/* Stores in '*behind' whom 'endpoint' stands for.  Returns false if that is
 * not known yet. */
bool acl_find_behind(const struct acl *, const struct acl_inputs *,
                     const struct desired_endpoint *, struct acl_behind *);

/* Returns the port of a VM here that packets to 'endpoint' are for, to be
 * shown: its rules may not decide about all of them.  NULL: none that is
 * known. */
const struct acl_port *acl_find_owner(const struct acl *,
                                      const struct acl_inputs *,
                                      const struct desired_endpoint *);

#endif /* plugin/acl.h */
