/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of direct*.c share.
 *
 * direct.c          What is in the datapath, and why not.
 * direct-changes.c  What changed, and whose flows are void for it.
 * direct-follow.c   What is followed apart from OVN. */
#ifndef PLUGIN_DIRECT_PRIVATE_H
#define PLUGIN_DIRECT_PRIVATE_H 1

#include "openvswitch/hmap.h"
#include "openvswitch/uuid.h"
#include "plugin/direct-index.h"
#include "plugin/direct.h"
#include "plugin/problems.h"
#include "simap.h"
#include "sset.h"

/* An address. */
struct direct_entry {
    struct hmap_node node;      /* In struct direct, by hash of 'key'. */
    struct dp_key key;          /* Address outside. */
    char *port;                 /* Logical port behind it, or "". */
    struct uuid binding;        /* Row of that, or zero. */
    struct uuid datapath;       /* Its network, or zero. */
    enum reason reason;         /* Why it is not forwarded, or NONE. */
    bool wants_device;          /* Its device is to be there. */
    bool installed;             /* The datapath has it. */
    struct dp_direct put;       /* Then, as it has it. */
    struct dp_direct_device device; /* Its device, if that is wanted. */
    bool taken;                 /* The datapath has another address of the
                                 * same VM's. */
    unsigned int n_echoes;      /* How often its flows were void again since
                                 * something changed. */
    long long int echo_at;      /* When they are to be next, or LLONG_MAX. */
    long long int half_until;   /* Its VM has sent half-computed checksums:
                                 * until when it is left alone. */
    long long int half_penalty; /* For how long that was, in ms. */
};

/* See plugin/direct.h. */
struct direct {
    struct direct_sources from; /* Sources. */
    const struct dp_class *class; /* Back end. */
    struct dp *dp;              /* Datapath, borrowed; NULL until opened. */
    bool kernel_liberal;        /* See struct direct_inputs. */
    struct hmap entries;        /* Of struct direct_entry. */
    size_t n_taken;             /* Those of them with 'taken'. */
    long long int echo_at;      /* The least of their 'echo_at'. */
    struct direct_index index;  /* Valid in a round only, but for
                                 * 'userspace'. */
    struct direct_devices *devices; /* NULL until opened. */
    struct confirm *confirm;    /* Likewise. */
    struct vswitchd *vswitchd;  /* What ovs-vswitchd says. */
    unsigned int vswitchd_seqno; /* Its process as of the last round. */
    enum vswitchd_windows windows; /* Its last word. */
    struct nexthops *nexthops;  /* The host's way out. */
    bool host_changed;          /* Something did there. */
    long long int host_at;      /* When flows may be looked at for it again. */
    unsigned int path_seqno;    /* That of sb_db_take_path_changes(). */
    bool active;                /* Something of it is in the datapath, or may
                                 * be. */
    bool swept;                 /* Addresses of an earlier daemon that are not
                                 * wanted are gone. */
    bool awaiting;              /* The last round waits: see awaits(). */
    struct simap nics;          /* NICs that can send, by name: ifindexes. */
    bool any_routed;            /* Some of them are routed. */
    long long int begun_at;     /* When the first round was; 0: not yet. */
    long long int retry_at;     /* When to judge those again that failed, or
                                 * LLONG_MAX. */
    long long int poll_at;      /* When to ask what no event tells. */
    bool suppressed;            /* Events are without consequences. */
    bool track;                 /* What VMs send is noted for layer L2. */
    const char *untracked;      /* Why not, for people. */
    const char *longer;         /* By what conntrack may remember connections
                                 * for longer than layer L2, or NULL. */
    long long int longer_at;    /* When to look again. */
    long long int longer_until; /* Until when conntrack may remember what it
                                 * was told to while its times were longer,
                                 * time_msec(). */

    /* What changed since the last round. */
    bool index_stale;           /* 'index' is to be made anew. */
    bool judge_all;             /* All addresses are to be judged. */
    bool void_all;              /* All flows are void. */
    enum direct_cause cause;    /* Then, why. */
    struct hmap changed;        /* Of struct desired_change: addresses whose
                                 * flows are void. */
    struct sset ports;          /* Likewise, by logical port behind them. */
    struct sset datapaths;      /* Likewise, by network ("UUID"). */
    struct hmap to_judge;       /* Of struct desired_change: addresses to be
                                 * judged, whose flows are void already. */

    uint64_t n_void[N_DIRECT_CAUSES]; /* How often addresses were void. */
    struct problems problems;   /* Of the last round. */
};

/* How long a start waits for ovs-vswitchd's word about TCP windows, and for
 * what OVN says of translations, before it takes flows of an earlier daemon
 * away, in ms from the first round on. */
#define DIRECT_FIRST_WORD_MS 2000
#define DIRECT_FIRST_VIEW_MS 10000

struct direct_entry *direct_find_entry(const struct direct *,
                                       const struct dp_key *);
void direct_void_all(struct direct *, enum direct_cause);
void direct_echo(struct direct *, struct direct_entry *);
void direct_run_echoes(struct direct *, long long int now);
void direct_note_key(struct direct *, const struct dp_key *);
void direct_note_judge(struct direct *, const struct dp_key *);
void direct_note_failed(struct direct *);
void direct_note_paths(struct direct *);
bool direct_has_changes(const struct direct *);
void direct_follow_track(struct direct *);
void direct_revoke(struct direct *);
void direct_forget_changes(struct direct *);

#endif /* plugin/direct-private.h */
