/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the packets of an address may go between NIC and VM directly: the
 * preconditions of layer L3, and the hooks to use.
 *
 * Pure: values in, values out. */
#ifndef PLUGIN_DIRECT_JUDGE_H
#define PLUGIN_DIRECT_JUDGE_H 1

#include <stdbool.h>
#include "plugin/datapath.h"
#include "plugin/desired.h"
#include "plugin/reason.h"
#include "plugin/settings.h"
#include "plugin/vswitchd.h"

struct acl_behind;
struct netdev_info;
struct ovs_view;
struct sb_binding;

/* Where the device of a logical port is plugged in.  Borrowed. */
struct direct_seat {
    const struct ovs_bridge *bridge; /* Bridge. */
    const struct ovs_port *port; /* Port of it. */
    const struct ovs_iface *iface; /* Interface of that. */
};

/* What the judgement of one address follows from.  Borrowed. */
struct direct_inputs {
    const struct settings *settings; /* Settings in force. */
    const struct desired *desired; /* Bridges and interfaces. */
    const struct desired_endpoint *endpoint; /* The address. */
    const struct acl_behind *behind; /* Whom it stands for; NULL: not known. */
    const struct sb_binding *binding; /* Port of that, or NULL. */
    bool has_children;          /* Other ports have it as their parent. */
    bool metered;               /* OVN meters packets of the port. */
    bool logged;                /* An ACL logs or samples them. */
    struct direct_seat seat;    /* Where it is plugged in; NULLs: nowhere. */
    const struct ovs_view *ovs; /* Local database. */
    const struct hmap *devices; /* Of struct netdev_info. */
    enum vswitchd_windows windows; /* Of the userspace conntrack. */
    bool kernel_liberal;        /* OVS's kernel conntrack is liberal: Linux
                                 * 5.11 or later. */
    bool taken;                 /* Another address outside is of the same VM's
                                 * address. */
    bool half_checksum;         /* Its VM sends half-computed checksums. */
    int hook_error;             /* Why the tap's hook could not be had, a
                                 * positive errno; or 0. */
};

/* The answer. */
struct direct_verdict {
    enum reason reason;         /* NONE: they may. */
    const struct netdev_info *tap; /* Device of the port, or NULL. */
    enum dp_hook vm_hook;       /* Hook on the tap. */
    uint32_t bridge;            /* Bridge by whose NICs its packets come in, 0:
                                 * by routed NICs. */
};

void direct_judge(const struct direct_inputs *, struct direct_verdict *);

/* Whether a precondition is met. */
enum direct_answer {
    DIRECT_CHECK_BAD,           /* It is not. */
    DIRECT_CHECK_OK,            /* It is. */
    DIRECT_CHECK_UNKNOWN        /* Nobody can tell: it counts as not met. */
};

/* A precondition, for people. */
struct direct_check {
    enum reason reason;         /* What it is about. */
    enum direct_answer answer;  /* Whether it is met. */
    char *detail;               /* What was found. */
    const char *fix;            /* What would help, or "". */
};

/* Most preconditions. */
#define DIRECT_MAX_CHECKS 16

/* Stores all preconditions in 'checks'; returns how many.  The caller frees
 * their details. */
size_t direct_get_checks(const struct direct_inputs *,
                         struct direct_check checks[DIRECT_MAX_CHECKS]);

/* Returns the hook for a NIC that runs XDP natively if 'native', and is a port
 * of a bridge on OVS's userspace datapath if 'userspace'. */
enum dp_hook direct_nic_hook(enum settings_hook, bool native, bool userspace);

#endif /* plugin/direct-judge.h */
