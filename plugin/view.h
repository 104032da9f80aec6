/* SPDX-License-Identifier: Apache-2.0 */
/* The const window through which 'rpc/' sees the daemon.
 *
 * Every function fills a plain value that the caller owns and frees with its
 * _uninit(); nothing here can change the daemon.  Strings are never NULL
 * unless the comment says so. */
#ifndef PLUGIN_VIEW_H
#define PLUGIN_VIEW_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct view;

/* A named counter. */
struct view_counter {
    const char *name;           /* Wire name of a packet reason, or errno name
                                 * (static or owned by the result). */
    uint64_t packets;           /* Frames. */
    uint64_t bytes;             /* Frame lengths as they arrived. */
};

/* Something an operator should look at. */
struct view_problem {
    char *class;                /* Stable word, from bpf/reason.def. */
    char *message;              /* For people. */
};

/* A database connection. */
struct view_database {
    char *name;                 /* "Open_vSwitch", "OVN_Southbound" and, if
                                 * one is configured, "OVN_Northbound". */
    char *remote;               /* Configured remotes. */
    const char *state;          /* db_state_to_string(). */
    double last_change;         /* Seconds since contents or state changed;
                                 * negative if never. */
};

/* One effective configuration key. */
struct view_setting {
    const char *key;            /* Key of Open_vSwitch.external_ids. */
    char *value;                /* Value in force. */
};

/* Degrees of health. */
enum view_health_code {
    VIEW_OK,                    /* No problem. */
    VIEW_DEGRADED,              /* Problems while serving. */
    VIEW_FAILED                 /* Nothing is served yet. */
};

/* What 'status' shows. */
struct view_status {
    char *chassis;              /* Chassis name, or "" while unknown. */
    const char *version;        /* Of this program. */
    double uptime;              /* Seconds. */
    struct view_database *databases; /* Connections. */
    size_t n_databases;         /* Number of them. */
    struct view_setting *settings; /* Configuration in force. */
    size_t n_settings;          /* Number of them. */
    struct view_problem *problems; /* What an operator should look at. */
    size_t n_problems;          /* Number of them. */
    size_t n_offloaded;         /* Endpoints whose frames are redirected. */
    size_t n_pending;           /* Endpoints whose frames will be. */
    size_t n_ineligible;        /* Endpoints that something forbids. */
    size_t n_interfaces;        /* Interfaces attached. */
    uint64_t generation;        /* Counts changes that were programmed. */
    enum view_health_code health; /* As view_get_health() has it. */
    bool direct;                /* Layer L3 is on.  All that follows is 0 if
                                 * not. */
    uint32_t confirm_ms;        /* Effective period of confirmation. */
    size_t n_direct;            /* Addresses forwarded directly. */
    size_t n_flows;             /* Direct flows, used or not. */
    size_t n_used_flows;        /* Those whose packets are taken off. */
    size_t n_active_flows;      /* Those of them with packets lately. */
};

void view_get_status(const struct view *, struct view_status *);
void view_status_uninit(struct view_status *);

/* Health. */
struct view_health {
    enum view_health_code code; /* How good it is. */
    struct view_problem *reasons; /* Why it is not VIEW_OK. */
    size_t n_reasons;           /* Number of them. */
};

void view_get_health(const struct view *, struct view_health *);
void view_health_uninit(struct view_health *);

/* Where an interface redirects to. */
struct view_target {
    char *bridge;               /* Bridge of a mapping in use. */
    char *device;               /* Device, or "" if there is none. */
    int ifindex;                /* Its index, or 0. */
    const char *kind;           /* "internal", "veth" or "tap". */
    const char *state;          /* "ready", "pending" or "refused". */
    const char *reason;         /* Wire name, or "". */
};

/* A NIC. */
struct view_interface {
    char *name;                 /* Device name as configured. */
    int ifindex;                /* 0 while the device is missing. */
    const char *layout;         /* "routed" or "switched". */
    const char *mode;           /* "native", "generic", or NULL. */
    uint32_t program_id;        /* Of the attached program (the foreign one if
                                 * reason is "foreign-xdp"), or 0. */
    struct view_target *targets; /* One per bridge; none if switched. */
    size_t n_targets;           /* Number of them. */
    const char **features;      /* Static words: "native-xdp", "ndo-xmit",
                                 * "ndo-xmit-sg", "vlan-strip", "vlan-hint". */
    size_t n_features;          /* Number of them. */
    const char *state;          /* "attached", "waiting" or "refused". */
    const char *reason;         /* Wire name, or "". */
    char *detail;               /* Remedy or error text for people, or "". */
    struct view_counter *counters; /* By packet reason, all of them. */
    size_t n_counters;          /* Number of them. */
};

/* Any number of NICs. */
struct view_interfaces {
    struct view_interface *interfaces; /* Sorted by name. */
    size_t n;                   /* Number of them. */
};

void view_get_interfaces(const struct view *, struct view_interfaces *);
void view_interfaces_uninit(struct view_interfaces *);

/* In how many seconds what answers nothing that the VM has sent is dropped, by
 * protocol, if a rule says so; 0: it is. */
struct view_unsolicited {
    bool followed;              /* It is known what the VM sends.  If not, only
                                 * SYNs are dropped. */
    uint64_t tcp;               /* Segments of TCP. */
    uint64_t udp;               /* UDP. */
    uint64_t echo;              /* ICMP echo. */
};

/* An address. */
struct view_endpoint {
    char *address;              /* IPv4 or IPv6 in canonical text. */
    char *mac;                  /* Destination MAC, "" if unknown. */
    const char *kind;           /* "vm", "fip-distributed", "fip-centralised",
                                 * "router" or "load-balancer". */
    char *logical_port;         /* Port whose residence decides. */
    char *network;              /* network_name of the localnet, or "". */
    char *bridge;               /* Bridge of the mapping, or "". */
    int vlan;                   /* 1 to 4094, or 0 for none. */
    const char *state;          /* "offloaded", "pending" or "ineligible". */
    const char *reason;         /* Wire name, or "". */
    bool direct;                /* NIC <-> VM offload is on for it. */
    const char *direct_reason;  /* Why it is not: wire name, or "". */
    uint64_t packets;           /* Frames redirected, over all NICs. */
    uint64_t bytes;             /* Their lengths as they arrived. */
    uint64_t drops;             /* Frames dropped, over all NICs. */
    const char *acl;            /* "enforced", "counted", "pass-only" or
                                 * "off". */
    const char *acl_reason;     /* Why it is pass-only or off: wire name, or
                                 * "". */
    struct view_unsolicited unsolicited; /* Of rules with connections. */
};

/* Any number of addresses. */
struct view_endpoints {
    struct view_endpoint *endpoints; /* Sorted by address, IPv4 first. */
    size_t n;                   /* Number of them. */
};

/* 'filter' is an address (any spelling) or a logical port; NULL for all. */
void view_get_endpoints(const struct view *, const char *filter,
                        struct view_endpoints *);
void view_endpoints_uninit(struct view_endpoints *);

/* Answers to the questions of 'explain'. */
enum view_answer {
    VIEW_NO,                    /* Something is wrong. */
    VIEW_YES,                   /* As it should be. */
    VIEW_UNKNOWN                /* It could not be found out. */
};

/* A question with its answer. */
struct view_check {
    char *address;              /* Address that it is about, or "". */
    const char *check;          /* Stable word. */
    enum view_answer answer;    /* Answer. */
    char *detail;               /* What was found, for people. */
    char *fix;                  /* What to do, mostly a command, or "". */
};

/* What becomes of an address in each layer. */
struct view_verdict {
    char *address;              /* Address. */
    char *logical_port;         /* Its port. */
    const char *redirect;       /* State as in struct view_endpoint. */
    const char *reason;         /* Wire name, or "". */
    const char *acl;            /* Likewise. */
    const char *acl_reason;     /* Wire name, or "". */
    const char *direct;         /* "on", "ineligible" or "off". */
    const char *direct_reason;  /* Wire name, or "". */
};

/* What 'explain' shows of an address or a logical port. */
struct view_explanation {
    char *subject;              /* Address in canonical text, or port. */
    struct view_verdict *verdicts; /* One per address, sorted. */
    size_t n_verdicts;          /* 0 if OVN has placed nothing of it here. */
    struct view_check *checks;  /* In the order in which packets meet what
                                 * they are about, address by address. */
    size_t n_checks;            /* Number of them. */
    const char *redirect;       /* Worst state of all, or "unknown". */
    const char *acl;            /* Worst of all: "off", "pass-only", "counted"
                                 * or "enforced". */
    const char *direct;         /* Worst of all: "off", "ineligible" or "on";
                                 * or "unknown". */
};

/* 'subject' is an address (any spelling) or a logical port.  Returns false if
 * it is neither: empty, or an address gone wrong. */
bool view_get_explanation(const struct view *, const char *subject,
                          struct view_explanation *);
void view_explanation_uninit(struct view_explanation *);

/* A rule of OVN's ACLs.  ACL_TEXT_SEE_MATCH ("match") stands for what a word
 * cannot say. */
struct view_acl_rule {
    const char *direction;      /* "to-lport". */
    int tier;                   /* Lower ones decide first. */
    int priority;               /* Of the ACL; higher ones decide first. */
    const char *action;         /* Word of OVN's. */
    char *protocol;             /* As in struct acl_text, like the next. */
    char *source;               /* Where packets come from. */
    char *ports;                /* Destination ports. */
    char *icmp;                 /* Type and code. */
    char *match;                /* ACL.match without its ports. */
    const char *flags[4];       /* Static words: "logged", "labelled",
                                 * "sampled", "built-in". */
    size_t n_flags;             /* Number of them. */
    uint64_t hits;              /* Packets that it has decided about, of all
                                 * ports with the same rules. */
};

/* The rules that one or more ports have. */
struct view_acl_set {
    bool stateful;              /* Only new connections are decided here. */
    struct view_acl_rule *rules; /* In the order in which they decide.  NULL:
                                 * left out of a long list. */
    size_t n_rules;             /* Number of them. */
};

/* A port of a VM, as ACLs see it. */
struct view_acl_port {
    char *logical_port;         /* Its name. */
    const char *state;          /* "enforced" or "pass-only". */
    const char *reason;         /* Why it is pass-only: wire name, or "". */
    char *token;                /* What of the rules was not understood, or
                                 * "". */
    int column;                 /* Where that begins in the match, from 1; or
                                 * 0. */
    const struct view_acl_set *set; /* Its rules, as far as they are
                                 * understood, in 'sets'; or NULL. */
};

/* What 'acls' shows. */
struct view_acls {
    const char *mode;           /* ovn-xdp-acl in force. */
    struct view_acl_port *ports; /* Sorted by name. */
    size_t n;                   /* Number of them. */
    struct view_acl_set *sets;  /* Rules, each once. */
    size_t n_sets;              /* Number of them. */
};

/* Rules that a list of all ports shows, a rule counted once for each port.
 * With more than these there are none in the list: a node may have thousands
 * of ports with a thousand rules each, and the main loop would be busy for
 * seconds. */
#define VIEW_MAX_ACL_RULES 50000

/* 'logical_port' is the name of a port, NULL for all.  Returns false if no VM
 * on this chassis has such a port. */
bool view_get_acls(const struct view *, const char *logical_port,
                   struct view_acls *);
void view_acls_uninit(struct view_acls *);

/* Asks what ovs-vswitchd alone knows, for view_get_explanation(),
 * view_get_status() and view_get_health(), which do not wait for it.  Called
 * first with 0 in '*question', and then, after each run of the daemon, with
 * what was stored there, until it returns true: the answer is there, or there
 * will be none. */
bool view_ask_bridges(const struct view *, uint64_t *question);

/* Counters only; cheaper than the lists above. */
struct view_interface_stats {
    char *name;                 /* NIC or outer end of a managed port. */
    struct view_counter *counters; /* By packet reason, zero ones left out. */
    size_t n_counters;          /* Number of them. */
};

/* What 'stats' shows. */
struct view_stats {
    uint64_t time_ns;           /* CLOCK_MONOTONIC. */
    struct view_interface_stats *interfaces; /* Sorted by name. */
    size_t n_interfaces;        /* Number of them. */
    struct view_endpoints endpoints; /* Only 'address' and counters matter. */
    struct view_counter *redirect_errors; /* By errno name ("ENXIO"). */
    size_t n_redirect_errors;   /* Number of them. */
};

void view_get_stats(const struct view *, struct view_stats *);
void view_stats_uninit(struct view_stats *);

/* How much of a map is in use. */
struct view_map {
    const char *name;           /* "endpoints", "interfaces", "targets",
                                 * "opened", "acl_sets", "acl_sources",
                                 * "direct_ports". */
    uint64_t used;              /* Elements in use. */
    uint64_t size;              /* Elements there is room for, 0 if unknown. */
};

/* Number of maps. */
#define VIEW_N_MAPS 7

/* What tells how the daemon itself is doing.  Holds nothing to be freed. */
struct view_vitals {
    double start_time;          /* Seconds since the epoch. */
    uint64_t n_updates;         /* Derivations, of everything or less. */
    uint64_t n_recomputes;      /* Those of everything. */
    bool acl_lease;             /* Programs may drop what OVN's ACLs would. */
    uint32_t max_flows;         /* Room for direct flows, of IPv4 and of IPv6
                                 * each. */
    struct view_map maps[VIEW_N_MAPS]; /* All maps that can be full. */
};

void view_get_vitals(const struct view *, struct view_vitals *);

/* Something that the kernel or a device can do, or not. */
struct view_feature {
    const char *name;           /* Stable word (plugin/feature.def). */
    int available;              /* 1 or 0, -1 if nobody can tell. */
    const char *enables;        /* Sentence: what we do with it. */
    const char *without;        /* Sentence: what follows from its absence. */
};

/* A network device. */
struct view_device {
    char *name;                 /* Its name. */
    char *driver;               /* Its driver, or "". */
    struct view_feature *features; /* What it can do. */
    size_t n_features;          /* Number of them. */
};

/* What 'features' shows. */
struct view_features {
    char *kernel;               /* Release of the kernel. */
    struct view_feature *kernel_features; /* What it can do. */
    size_t n_kernel_features;   /* Number of them. */
    const char *libbpf;         /* Version of libbpf, NULL if not used. */
    const char *libopenvswitch; /* Version of OVS's library. */
    struct view_device *devices; /* Devices, sorted by name. */
    size_t n_devices;           /* Number of them. */
};

int view_get_features(const struct view *, const char *interface,
                      struct view_features *);
void view_features_uninit(struct view_features *);

/* A direct flow: one direction of a connection. */
struct view_flow {
    char *address;              /* External address of the VM's side. */
    const char *direction;      /* "in" or "out". */
    const char *protocol;       /* "tcp", "udp", "icmp" or "icmpv6". */
    char *source;               /* As its packets come in at the near side. */
    char *destination;          /* Likewise. */
    int source_port;            /* Ports; ICMP echo: identifier and type. */
    int destination_port;
    char *new_source;           /* As they leave at the far side. */
    char *new_destination;      /* Likewise. */
    int vlan;                   /* Tag that they come in with, or 0. */
    int new_vlan;               /* Tag that they leave with, or 0. */
    char *device;               /* Device that they leave by, "" if gone. */
    const char *state;          /* "learning", "used", "closed", "void",
                                 * "unconfirmed". */
    double age;                 /* Seconds since it was learned. */
    double idle;                /* Seconds since the last packet; negative:
                                 * there was none. */
    double confirmed;           /* Seconds since OVN has confirmed it. */
    uint64_t packets;           /* Packets forwarded directly. */
    uint64_t bytes;             /* Their lengths as they arrived. */
};

/* Any number of flows. */
struct view_flows {
    struct view_flow *flows;    /* Sorted by address, protocol, tuple,
                                 * direction. */
    size_t n;                   /* Number of them. */
    size_t total;               /* How many there are without a limit. */
};

/* 'filter' is an external address (any spelling) or a logical port, NULL for
 * all; 'limit' 0 for none. */
void view_get_flows(const struct view *, const char *filter, size_t limit,
                    struct view_flows *);
void view_flows_uninit(struct view_flows *);

/* Counters of layer L3 apart from NICs. */
struct view_direct_counters {
    const char *side;           /* "near-nic", "near-vm", "far-nic" or
                                 * "far-vm". */
    struct view_counter *counters; /* By packet reason, those not 0. */
    size_t n_counters;          /* Number of them. */
};

/* Layer L3 as statistics. */
struct view_direct {
    struct view_direct_counters sides[4]; /* Where programs count. */
    uint64_t probes;            /* Probes sent. */
    uint64_t unsent;            /* Probes that could not be sent. */
    uint64_t expired;           /* Flows that were over. */
    uint64_t unconfirmed;       /* Flows that OVN ceased to confirm. */
    struct view_counter *voided; /* 'packets' is how often ports were made void
                                  * by cause: "ovn", "host", "precondition",
                                  * "vswitchd". */
    size_t n_voided;            /* Number of them. */
};

void view_get_direct(const struct view *, struct view_direct *);
void view_direct_uninit(struct view_direct *);

/* Counts changes of state, so that a client can wait for one. */
uint64_t view_generation(const struct view *);

#endif /* plugin/view.h */
