/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of sb-path*.c share.
 *
 * sb-path.c       Rows, and what of them changed.
 * sb-path-read.c  What a row says.
 * sb-path-ways.c  Which of them matter to a port. */
#ifndef IDL_SB_PATH_PRIVATE_H
#define IDL_SB_PATH_PRIVATE_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include "openvswitch/hmap.h"
#include "openvswitch/uuid.h"

struct ovsdb_idl;
struct sb_acl_reader;
struct sb_path;

/* What a row is. */
enum path_kind {
    PATH_OTHER,                 /* Nothing that is of interest. */
    PATH_FLOW,                  /* A route or a policy. */
    PATH_METER,                 /* A flow that meters packets. */
    PATH_LENGTH,                /* One that asks for their length. */
    PATH_STATIC_MAC,            /* A MAC binding that somebody configured. */
    PATH_LEARNED_MAC            /* One that OVN has learned. */
};

/* A row that is of interest. */
struct path_row {
    struct hmap_node node;      /* In sb_path 'rows', by hash of 'uuid'. */
    struct uuid uuid;           /* The row. */
    enum path_kind kind;        /* Never PATH_OTHER. */
    char *text;                 /* What it says. */
    struct uuid *datapaths;     /* Those of interest that it belongs to,
                                 * sorted; at least one. */
    size_t n_datapaths;         /* Number of them. */
    struct path_ref *refs;      /* Where it is in sb_path 'refs'. */
    size_t n_refs;              /* Number of them. */

    /* Which packets a flow is about, as far as its match says so plainly; of
     * one that asks for their length just the ports. */
    char *inport;               /* Those from this port, or NULL. */
    char *outport;              /* Those to this port, or NULL. */
    struct in6_addr src;        /* Those from this address, or "::". */
    struct in6_addr dst;        /* Those to this address, or "::". */

    /* What a flow that asks for their length says, in bytes. */
    int larger;                 /* The longest frame that is not larger, 0 if
                                 * it does not ask, or -1 if unknown. */
    int told;                   /* The longest packet that it tells the sender
                                 * of a larger one to send, or 0. */
};

/* How a row is found. */
struct path_ref {
    struct hmap_node node;      /* In sb_path 'refs', by sb_path_ref_hash(). */
    const struct path_row *row; /* The row. */
};

/* Why it is found there. */
enum path_ref_class {
    PATH_REF_PORT,              /* Meters packets at a port (or at any, ""),
                                 * of whatever address. */
    PATH_REF_SOME,              /* Meters those of one address at a port. */
    PATH_REF_ADDRESS,           /* The same, by that address. */
    PATH_REF_LENGTH             /* Asks for their length. */
};

uint32_t sb_path_ref_hash(const struct uuid *datapath, enum path_ref_class,
                          const char *port, const struct in6_addr *);

void sb_path_row_destroy(struct path_row *);
struct path_row *sb_path_read_flow(const struct sb_acl_reader *,
                                   const struct ovsdb_idl *,
                                   const struct uuid *);
struct path_row *sb_path_read_mac(const struct sb_acl_reader *,
                                  const struct ovsdb_idl *,
                                  const struct uuid *);

struct sb_ways *sb_ways_create(void);
void sb_ways_destroy(struct sb_ways *);

#endif /* idl/sb-path-private.h */
