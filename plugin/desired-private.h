/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of desired*.c share among themselves: how endpoints are kept
 * up to date at the cost of what changed.
 *
 *     rows that changed ─> sources ─> claims ─> addresses ─> endpoints
 *             │               │
 *             └─> answers ─> look-ups <─ questions
 *
 * A *source* is what claims addresses: a row, or a part of one that changes by
 * itself.  The claims of an *address* compete, and its endpoint is what comes
 * out (desired-claims.c).
 *
 * What a source claims depends on more than itself: on whether its datapath is
 * a provider network, on where a port is.  It finds that out only by a
 * *look-up* (desired-sources.c), which is remembered as its question.  As soon
 * as a row that answers the look-up changes, comes or goes, each source that
 * asked claims anew.  So nothing that is derived can be older than what it
 * was derived from, as long as a claim function
 *
 *   - reads its own row, settings and bridges freely (a change of the row
 *     touches the source, one of the others derives all anew),
 *   - and gets at other rows by the find_*() below and in no other way.
 *
 * To add a kind of source:
 *
 *   1. name it in enum source_kind;
 *   2. add its rows and their struct row_changes to struct desired_inputs and
 *      struct desired_changes (plugin/desired.h);
 *   3. write its claim function: values in, claim_add() for each address, and
 *      problems to 'problems' of the source; and put it into the table
 *      'claim_functions' (desired-endpoints.c);
 *   4. in update_rows() call source_touch() for each row that changed and
 *      exists, source_drop() for one that is gone; in update_all(),
 *      source_touch() for each row that exists (desired-endpoints.c), as
 *      update_facts() and update_all_facts() do.
 *
 * To add a kind of look-up: name it in enum lookup_kind, say in add_answers()
 * (desired-endpoints.c) which rows of Port_Binding answer it under which name,
 * and write a find_*() by lookup_ask().
 *
 * tests/plugin/test-desired-incremental.c compares the result with that of
 * deriving all anew after each of thousands of random changes: teach it the
 * new kind, too. */
#ifndef PLUGIN_DESIRED_PRIVATE_H
#define PLUGIN_DESIRED_PRIVATE_H 1

#include "openvswitch/list.h"
#include "plugin/desired.h"
#include "plugin/problem-set.h"
#include "smap.h"
#include "sset.h"

struct sb_binding;

/* Kinds of source. */
enum source_kind {
    SOURCE_PORT,                /* A row of Port_Binding: its own addresses, or
                                 * those of the gateway port behind it. */
    SOURCE_NAT,                 /* One string of its 'nat_addresses'. */
    SOURCE_SB_FACT,             /* A fact of logical flows. */
    SOURCE_NB_FACT,             /* A fact of the Northbound. */
    N_SOURCE_KINDS
};

/* Something that claims addresses. */
struct source {
    struct hmap_node node;      /* In struct derivation, by what follows. */
    enum source_kind kind;      /* What it is. */
    struct uuid uuid;           /* The row. */
    char *text;                 /* Part of the row, or NULL for all of it. */
    struct ovs_list row_node;   /* In struct row, or alone. */
    struct ovs_list dirty_node; /* In 'dirty_sources', or alone. */
    struct ovs_list claims;     /* Of struct claim. */
    struct ovs_list questions;  /* Of struct question. */
    struct problems problems;   /* Found when it claimed. */
};

/* A row of Port_Binding. */
struct row {
    struct hmap_node node;      /* In struct derivation, by hash of 'uuid'. */
    struct uuid uuid;           /* The row. */
    struct ovs_list answers;    /* Of struct answer. */
    struct sset announced;      /* Addresses in 'nat_addresses', if
                                 * 'indexed'. */
    bool indexed;               /* 'announced' is up to date. */
    struct ovs_list sources;    /* Of struct source. */
};

/* Kinds of look-up: what is asked for by name. */
enum lookup_kind {
    LOOKUP_LOCALNET,            /* Localnet ports of a datapath, by UUID. */
    LOOKUP_PORT,                /* The port of that name, if bound here. */
    LOOKUP_GATEWAY,             /* The gateway, resident here, of the router
                                 * port of that name. */
    LOOKUP_PEER,                /* The switch port in front of the router port
                                 * of that name. */
    LOOKUP_ANNOUNCED            /* Whether that announces an address: "ROUTER
                                 * PORT ADDRESS".  No row answers it, strings
                                 * that come and go only touch who asked. */
};

/* Everything that is kept from one update to the next. */
struct derivation {
    struct desired *desired;    /* The result. */
    const struct desired_inputs *in; /* During an update only; borrowed. */
    struct smap mappings;       /* Settings that endpoints were derived by. */
    struct sset exclude;        /* Likewise. */
    struct sset plugged;        /* Names of localnet ports whose network OVN
                                 * has plugged in, and "PORT BRIDGE" for both
                                 * bridges that it connects. */
    struct problems device_problems; /* Those of bridges and interfaces. */
    struct problem_set problems; /* Those and all of sources and addresses. */
    struct hmap rows;           /* Of struct row. */
    struct hmap sources;        /* Of struct source. */
    struct hmap lookups;        /* Of struct lookup. */
    struct ovs_list dirty_sources; /* Sources that have to claim anew. */
    struct ovs_list dirty_addresses; /* Addresses to be settled anew. */
    bool derived;               /* There was an update. */
};

/* desired.c. */
void desired_note_change(struct desired *, const struct dp_key *);

/* desired-devices.c: fills 'bridges', 'interfaces' and 'problems'. */
void desired_add_devices(struct desired *, const struct desired_inputs *);

/* desired-endpoints.c: brings 'endpoints' up to date. */
void endpoints_update(struct derivation *, const struct desired_changes *,
                      bool all);

/* desired-sources.c. */
void derivation_init(struct derivation *, struct desired *);
void derivation_destroy(struct derivation *);
void derivation_clear(struct derivation *);

struct source *source_touch(struct derivation *, enum source_kind,
                            const struct uuid *, const char *text);
struct source *source_find(const struct derivation *, enum source_kind,
                           const struct uuid *, const char *text);
void source_drop(struct derivation *, struct source *);
struct source *source_next_dirty(struct derivation *);

struct row *row_find(const struct derivation *, const struct uuid *);
struct row *row_create(struct derivation *, const struct uuid *);
void row_drop(struct derivation *, struct row *);
void row_touch_source(struct derivation *, struct row *, enum source_kind,
                      const char *text);
void row_add_answer(struct derivation *, struct row *, enum lookup_kind,
                    const char *name);
void row_retract_answers(struct derivation *, struct row *);

void lookup_touch(struct derivation *, enum lookup_kind, const char *name);

/* Returns true if 'a' rather than 'b' is the answer. */
typedef bool lookup_precedes(const struct derivation *,
                             const struct sb_binding *a,
                             const struct sb_binding *b);
const struct sb_binding *lookup_ask(struct derivation *, struct source *,
                                    enum lookup_kind, const char *name,
                                    lookup_precedes *);

/* desired-claims.c: one claim of an address by a source. */
struct claim {
    struct ovs_list source_node; /* In 'claims' of the source. */
    struct ovs_list address_node; /* In that of the address. */
    struct address *address;    /* Address claimed. */
    struct eth_addr mac;        /* MAC to send to. */
    enum endpoint_kind kind;    /* What it is. */
    char *logical_port;         /* Port whose residence decides. */
    char *network;              /* Physical network, or "". */
    const struct desired_bridge *bridge; /* Bridge of it, or NULL. */
    uint16_t vlan;              /* Tag of the network, 0 for none. */
    enum reason reason;         /* Why it is not offloaded, or NONE. */
    bool hearsay;               /* Counts only while no other claim of the
                                 * address is there, but that of an allowed
                                 * pair: it is by the Northbound,
                                 * and ovn-controller acts on the
                                 * Southbound. */
};

void claim_add(struct derivation *, struct source *, const struct in6_addr *,
               const struct claim *);
void claims_retract(struct derivation *, struct source *);
void addresses_settle(struct derivation *);
void addresses_free(struct derivation *);

#endif /* plugin/desired-private.h */
