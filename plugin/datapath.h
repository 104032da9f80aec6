/* SPDX-License-Identifier: Apache-2.0 */
/* The datapath as a small vtable: what the brain may ask of it.
 *
 * There are two back ends: 'datapath_bpf_class' (plugin/datapath-bpf*.c, the
 * only files that know libbpf) and 'datapath_fake_class' (in memory; for
 * --dry-run and unit tests).  Every function returns 0 or a positive errno.
 *
 * A datapath opened on pins of an earlier daemon *adopts* them: its endpoints
 * and NICs are reported by the dump functions, and packets go on being
 * forwarded by the earlier programs until attach_nic() replaces them.  If the
 * pins are of another ABI or of other map sizes, a second generation of maps
 * is built beside the first.  It has no endpoints yet; NICs are reported as
 * not current, attach_nic() moves one after the other, and commit() removes
 * the old generation. */
#ifndef PLUGIN_DATAPATH_H
#define PLUGIN_DATAPATH_H 1

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/types.h"
#include "plugin/feature.h"

/* Which frames: those to 'addr' that arrived with VLAN 'vlan'. */
struct dp_key {
    struct in6_addr addr;       /* IPv4 as a v4-mapped address. */
    uint16_t vlan;              /* Host order; 0: untagged. */
};

uint32_t dp_key_hash(const struct dp_key *);
bool dp_key_equals(const struct dp_key *, const struct dp_key *);

/* What is to be done with them. */
struct dp_action {
    struct eth_addr dmac;       /* Destination MAC that OVN expects. */
    struct eth_addr smac;       /* MAC of the device that enters the bridge. */
    uint16_t vlan;              /* Tag to push, host order; 0: none. */
    bool target_sg;             /* Target takes multi-buffer frames. */
    uint32_t ifindex;           /* Target device. */
    uint32_t mtu;               /* Its MTU in bytes. */
    uint32_t acl;               /* Id of its rules (put_acl()), 0: none. */
    uint32_t bridge;            /* Bridge of its network, by the ifindex of
                                 * the bridge's own device; 0: not known. */
};

bool dp_action_equals(const struct dp_action *, const struct dp_action *);

/* An endpoint as the datapath holds it. */
struct dp_endpoint {
    struct dp_key key;          /* Which frames. */
    struct dp_action action;    /* What is to be done with them. */
};

/* XDP attach mode. */
enum dp_mode {
    DP_NATIVE,                  /* In the driver. */
    DP_GENERIC                  /* On skbs. */
};

/* Where layer L3 takes packets off a device. */
enum dp_hook {
    DP_HOOK_NONE,               /* Nowhere. */
    DP_HOOK_XDP,                /* In its XDP program. */
    DP_HOOK_TC                  /* In a program of TC ingress. */
};

/* What becomes of packets that OVN's ACLs would drop. */
enum dp_acl_mode {
    DP_ACL_OFF,                 /* Nobody looks. */
    DP_ACL_COUNT,               /* They are counted. */
    DP_ACL_DROP                 /* They are dropped. */
};

/* A NIC to attach to. */
struct dp_nic {
    char name[IFNAMSIZ];        /* Device name; also the name of the pin. */
    int ifindex;                /* Device. */
    struct eth_addr mac;        /* Its own MAC address. */
    enum dp_mode mode;          /* Attach mode. */
    bool tag_hint;              /* Read VLAN tags from metadata (native only;
                                 * makes the program device-bound). */
    uint32_t stale_timeout;     /* Seconds without a heartbeat after which the
                                 * program redirects no more; 0: never. */
    enum dp_acl_mode acl;       /* Layer L2. */
    uint32_t bridge;            /* Bridge that it is a port of, as in struct
                                 * dp_action: the program redirects nothing,
                                 * and drops what is for endpoints there.  0:
                                 * none, it is a routed NIC. */
    enum dp_hook direct;        /* Layer L3: DP_HOOK_XDP, this program takes
                                 * packets of flows off; DP_HOOK_TC, it leaves
                                 * them to the program of TC, which
                                 * put_direct_device() attaches. */
};

/* A NIC as attached. */
struct dp_nic_state {
    struct dp_nic nic;          /* What was asked for, or was found pinned. */
    uint32_t program_id;        /* Kernel's id of the attached program. */
    bool current;               /* Runs this daemon's program; false for one
                                 * adopted and not replaced yet. */
    bool sink;                  /* Attached by attach_sink(). */
};

/* Packets and bytes. */
struct dp_counter {
    uint64_t packets;           /* Frames, summed over CPUs. */
    uint64_t bytes;             /* Frame lengths as they arrived. */
};

/* Rules of a set, as bits: bit i of word j is rule 64 * j + i. */
#define DP_ACL_WORDS 16
struct dp_acl_bits {
    uint64_t word[DP_ACL_WORDS]; /* In the host's order. */
};

/* Packets of one kind, for struct dp_acl. */
struct dp_acl_service {
    uint8_t protocol;           /* IP protocol. */
    uint16_t port;              /* Destination port, host order; ICMP: 256 *
                                 * type + code. */
    uint8_t port_len;           /* Leading bits of 'port' that count. */
    struct dp_acl_bits bits;    /* Rules that may match them.  The longest
                                 * prefix counts alone. */
};

/* Packets from sources of one class. */
struct dp_acl_class {
    uint32_t class;             /* Class, not 0. */
    struct dp_acl_bits bits;    /* Rules that may match them. */
};

/* A set of rules, compiled.  The datapath copies it. */
struct dp_acl {
    uint32_t id;                /* Not 0; never used before. */
    bool stateful;              /* Only new connections are decided by it. */
    uint32_t n_rules;           /* 1 to 1024. */
    struct dp_acl_bits drops;   /* Those that drop. */
    struct dp_acl_bits any_protocol; /* For packets of no service. */
    struct dp_acl_bits any4;    /* For IPv4 sources of no class. */
    struct dp_acl_bits any6;    /* For IPv6 sources of no class. */
    struct dp_acl_bits anywhere; /* Rules that do not look at the source; one
                                  * that is left out costs look-ups only. */
    const struct dp_acl_service *services; /* Without duplicates. */
    size_t n_services;          /* Number of them. */
    const struct dp_acl_class *classes; /* Likewise. */
    size_t n_classes;           /* Number of them. */
};

/* Where sources come from. */
struct dp_prefix {
    struct in6_addr addr;       /* IPv4 as v4-mapped; host bits zero. */
    uint8_t len;                /* 0 to 128; 96 more than that of IPv4. */
};

/* Where packets of VMs pass a device on their way out. */
enum dp_watch_side {
    DP_WATCH_INGRESS,           /* Received by it: a bridge's own device. */
    DP_WATCH_EGRESS             /* Sent by it: a NIC in a bridge. */
};

/* A device of layer L3: the tap of a VM or a NIC. */
struct dp_direct_device {
    int ifindex;                /* Device. */
    bool is_nic;                /* A NIC; otherwise the tap of a VM. */
    enum dp_hook near;          /* Where packets that it receives are taken
                                 * off.  A NIC's DP_HOOK_XDP is a matter of
                                 * attach_nic(). */
    bool xdp_target;            /* XDP may redirect to it (NDO_XMIT). */
    uint32_t stale_timeout;     /* As in struct dp_nic, for 'near'. */
    bool track;                 /* What VMs send there is noted for layer
                                 * L2. */
};

/* An address of a VM with layer L3. */
struct dp_direct {
    struct in6_addr external;   /* Address outside, that of an endpoint; IPv4
                                 * as v4-mapped. */
    struct in6_addr fixed;      /* The VM's address; the same if OVN does not
                                 * translate it. */
    int tap;                    /* Its device, by ifindex. */
    struct eth_addr mac;        /* The VM's MAC. */
    uint32_t mtu;               /* How long packets from and to it may be, in
                                 * bytes: that of the tap at most. */
    uint32_t bridge;            /* Bridge that its packets come in by, as in
                                 * struct dp_nic; 0: by routed NICs. */
    uint16_t vlan;              /* Tag that they have there, or 0. */
    bool track;                 /* All that the VM sends is to be known to
                                 * layer L2, as far as its device has
                                 * 'track'. */
};

/* Protocols of which it is known what VMs with layer L3 send. */
enum dp_tracked {
    DP_TRACKED_TCP,
    DP_TRACKED_UDP,
    DP_TRACKED_ECHO,            /* ICMP echo. */
    DP_N_TRACKED
};

/* Compares all but 'track'. */
bool dp_direct_equals(const struct dp_direct *, const struct dp_direct *);

/* How long flows live without confirmation, in ms. */
struct dp_direct_times {
    uint32_t soft;              /* From then on packets of a flow are sent to
                                 * OVN to have it confirmed, ... */
    uint32_t step;              /* ...one in this time. */
    uint32_t hard;              /* From then on all are. */
};

/* Which flow: one direction of a connection, as its packets are where they
 * come in. */
struct dp_flow_key {
    struct in6_addr src;        /* Source; IPv4 as v4-mapped. */
    struct in6_addr dst;        /* Destination, likewise. */
    uint16_t sport;             /* Source port, host order; ICMP echo: the
                                 * identifier. */
    uint16_t dport;             /* Destination port; ICMP echo: the type. */
    uint8_t proto;              /* IPPROTO_TCP, _UDP, _ICMP or _ICMPV6. */
    uint16_t vlan;              /* Tag that they arrive with, or 0. */
    uint32_t scope;             /* Way out: the tap.  Way in: the bridge, or 0
                                 * for routed NICs. */
};

/* States of a flow. */
enum dp_flow_state {
    DP_FLOW_LEARNING,           /* OVN has not passed enough of it. */
    DP_FLOW_USED,               /* Its packets are taken off. */
    DP_FLOW_CLOSED,             /* OVN has passed its end. */
    DP_FLOW_VOID                /* Its port has changed since. */
};

/* A flow.  Ages are in ms, at the time of the dump. */
struct dp_flow {
    struct dp_flow_key key;     /* Which. */
    bool out;                   /* VM to NIC; otherwise NIC to VM. */
    enum dp_flow_state state;   /* See above. */
    struct in6_addr nat;        /* Destination (way in) or source (way out)
                                 * that its packets get. */
    struct in6_addr external;   /* Address outside of the VM. */
    int near_ifindex;           /* Device that the packet came in by with which
                                 * it was learned. */
    struct eth_addr near_dmac;  /* Destination MAC that its packets come in
                                 * with. */
    struct eth_addr near_smac;  /* Source MAC, likewise. */
    int ifindex;                /* Device that they are sent to. */
    struct eth_addr dmac;       /* Destination MAC that they get. */
    uint16_t push_vlan;         /* Tag that they get, or 0. */
    uint8_t passed;             /* Packets that OVN has passed, up to 255,
                                 * since it was learned or void. */
    uint32_t age;               /* Since it was learned. */
    uint32_t used;              /* Since a packet was taken off; UINT32_MAX:
                                 * none yet. */
    uint32_t seen;              /* Since OVN has passed a packet. */
    uint32_t confirmed;         /* Since OVN has passed a packet or a probe. */
    struct dp_counter counter;  /* Packets that were taken off. */
};

/* Where a dump of flows in parts is.  All zeros: at the beginning. */
struct dp_flow_cursor {
    unsigned int map;           /* Which map, as the back end likes. */
    bool begun;                 /* 'position' says where in it. */
    uint64_t position;          /* See above. */
};

/* Sides at which programs of layer L3 count, apart from the XDP program of a
 * NIC (nic_counters()). */
enum dp_direct_row {
    DP_DIRECT_NEAR_NIC,         /* TC on the ingress of NICs. */
    DP_DIRECT_NEAR_VM,          /* XDP or TC on the ingress of taps. */
    DP_DIRECT_FAR_NIC,          /* Egress of NICs. */
    DP_DIRECT_FAR_VM,           /* Egress of taps. */
    DP_N_DIRECT_ROWS
};

/* How to open a datapath. */
struct dp_config {
    const char *pin_dir;        /* Directory below a bpffs. */
    uint32_t max_endpoints;     /* Most endpoints, IPv4 and IPv6 together. */
    uint32_t max_flows;         /* Most flows of layer L3, of IPv4 and of IPv6
                                 * each. */
};

struct dp;
struct svec;

/* Callbacks of the dump functions. */
typedef void dp_endpoint_cb(const struct dp_endpoint *, void *aux);
typedef void dp_nic_cb(const struct dp_nic_state *, void *aux);
typedef void dp_flow_cb(const struct dp_flow *, void *aux);

/* 'error' is a positive errno, or 0 for frames that the driver of the target
 * refused without one (its ring was full, usually). */
typedef void dp_redirect_error_cb(int error, uint64_t packets, void *aux);

/* A back end. */
struct dp_class {
    /* Opens the datapath described by the configuration, adopting what is
     * pinned.  EBUSY: another process holds the pin directory.  ENODEV: it is
     * not on a bpffs.  EISDIR: it is the root of one.  Any error leaves what
     * is pinned as it was. */
    int (*open)(const struct dp_config *, struct dp **);

    /* Lets go of everything.  Leaves pins, programs and maps in place, unless
     * 'cleanup', which detaches and unpins all. */
    void (*close)(struct dp *, bool cleanup);

    /* Detaches and unpins what daemons have left below 'pin_dir', whatever
     * their ABI, without opening it.  Adds to 'remains' the path of what is
     * still there.  EBUSY: a process holds the directory. */
    int (*remove)(const char *pin_dir, struct svec *remains);

    /* Calls back for each endpoint present, including adopted ones. */
    void (*dump_endpoints)(const struct dp *, dp_endpoint_cb *, void *aux);

    /* Reads an endpoint from where packets find it; ENOENT if there is
     * none. */
    int (*find_endpoint)(const struct dp *, const struct dp_key *,
                         struct dp_action *);

    /* Adds or atomically replaces an endpoint; keeps its counters when it was
     * there.  ENOSPC: the map is full. */
    int (*put_endpoint)(struct dp *, const struct dp_endpoint *);

    /* Deletes an endpoint; ENOENT if there is none. */
    int (*del_endpoint)(struct dp *, const struct dp_key *);

    /* Makes a device a valid target of redirects, or no longer.  The kernel
     * does the latter when the device goes.  ENODEV: there is no such device;
     * ENOSPC: too many; ENOENT: it was none. */
    int (*put_target)(struct dp *, int ifindex);
    int (*del_target)(struct dp *, int ifindex);
    bool (*has_target)(const struct dp *, int ifindex);

    /* Attaches to a NIC, or replaces the program that is there atomically; on
     * failure that program stays.  Does nothing if all is as asked; changes of
     * 'mac' alone, or to another bridge, only touch a map.  A renamed device
     * is known by its index.
     * Where layer L2 cannot be had, a routed NIC is attached without, as
     * dump_nics() tells.
     * EBUSY: a foreign program is attached; ENODEV: no such device; ENOSPC:
     * too many; others are what the kernel says of program or driver.
     * detach_nic(): ENOENT if nothing of ours is there.  dump_nics() leaves
     * out devices that are gone. */
    int (*attach_nic)(struct dp *, const struct dp_nic *);
    int (*detach_nic)(struct dp *, const char *name);
    void (*dump_nics)(const struct dp *, dp_nic_cb *, void *aux);

    /* Attaches the program that drops everything to the outer end of a
     * managed port; like a NIC in all else. */
    int (*attach_sink)(struct dp *, const char *name, int ifindex);

    /* Tells the programs that the daemon is alive at 'now', time_msec(); and
     * when one last did so, 0 if none ever has. */
    void (*beat)(struct dp *, long long int now);
    long long int (*last_beat)(const struct dp *);

    /* Rules.  An id that no set has any more, or not yet, means: no rules.
     * put_acl(): ENOSPC if it does not fit, and then nothing of it stays.
     * put_acl_class() adds or replaces what a set has for one class.
     * del_acl(): ENOENT if there is none. */
    int (*put_acl)(struct dp *, const struct dp_acl *);
    int (*put_acl_class)(struct dp *, uint32_t id,
                         const struct dp_acl_class *);
    int (*del_acl_class)(struct dp *, uint32_t id, uint32_t class);
    int (*del_acl)(struct dp *, uint32_t id);

    /* Says of which class the sources of a prefix are that no longer prefix
     * has.  ENOSPC: no room; ENOENT: there is none. */
    int (*put_acl_source)(struct dp *, const struct dp_prefix *,
                          uint32_t class);
    int (*del_acl_source)(struct dp *, const struct dp_prefix *);

    /* Fills 'hits' with the packets that each of the 'n' rules of a set has
     * decided about.  ENOENT: there is no such set. */
    int (*acl_hits)(const struct dp *, uint32_t id, uint64_t *hits, size_t n);

    /* Allows programs to drop packets until 'until', time_msec(); 0: no more.
     * open() takes back what an earlier daemon has allowed: until when that
     * was is last_lease(), 0 if it never has. */
    void (*lease)(struct dp *, long long int until);
    long long int (*last_lease)(const struct dp *);

    /* Watches which connections VMs open by way of a device; adopts what an
     * earlier daemon has attached.  Stores in '*since' since when,
     * time_msec().  del_watch(): ENOENT if it is not watched. */
    int (*put_watch)(struct dp *, int ifindex, enum dp_watch_side,
                     long long int *since);
    int (*del_watch)(struct dp *, int ifindex);

    /* Forgets connections that are over, at 'now', time_msec().  Returns how
     * many are left. */
    size_t (*sweep_opened)(struct dp *, long long int now);

    /* Returns until when nothing to 'local' is dropped since a connection of
     * it was missed, time_msec(), or 0.  It may be another address of which
     * that is true. */
    long long int (*missed_opened)(const struct dp *,
                                   const struct in6_addr *local);

    /* Has connections of 'local', and perhaps of others, be taken up until
     * 'until', time_msec(), though only their middle is seen.  For all
     * addresses a new watch does so. */
    void (*learn_opened)(struct dp *, const struct in6_addr *local,
                         long long int until);

    /* Layer L3.  Its maps are made, or taken over from an earlier daemon, by
     * the first put_direct_device() or attach_nic() that needs them; before,
     * dumps are empty and deletions say ENOENT.
     *
     * put_direct_device(): attaches what the device needs, or replaces it
     * without a gap; the far side comes first and goes last.  A NIC with
     * DP_HOOK_TC must be attached by attach_nic() before, or that is ENOENT.
     * EBUSY: a foreign XDP program is on the tap; EOPNOTSUPP: the kernel or
     * the driver cannot; ENODEV: there is no such device.
     * del_direct_device(): ENOENT if it is none.  The kernel detaches all when
     * the device goes; deleting it is right then, too.
     * sweep_direct_devices() detaches what an earlier daemon has left and this
     * one has not put. */
    int (*put_direct_device)(struct dp *, const struct dp_direct_device *);
    int (*del_direct_device)(struct dp *, int ifindex);
    void (*sweep_direct_devices)(struct dp *);

    /* What is deleted of layer L3 takes nothing off from that moment on, but
     * its far side is still there for about a second: probes that are on their
     * way end there.  Removes it if that is over at 'now', time_msec().
     * Returns when to be called again, LLONG_MAX if not before the next
     * deletion. */
    long long int (*reap_direct)(struct dp *, long long int now);

    /* Adds or changes the port of an external address, which need not be an
     * endpoint: then its packets are not counted.  If anything of it changed,
     * or it was not there, flows of it are void.  put_direct(): EEXIST if
     * another external address has the same tap and fixed address; ENOSPC: too
     * many.  void_direct() voids its flows: from the next packet on none is
     * taken off before OVN has passed it again.  ENOENT: no such port.
     * dump_direct() calls back for each, including those of an earlier daemon.
     * That 'track' alone is another one voids nothing.
     * direct_half_checksum(): its VM has sent packets whose checksum was only
     * half computed; forgets that. */
    int (*put_direct)(struct dp *, const struct dp_direct *);
    int (*del_direct)(struct dp *, const struct in6_addr *external);
    int (*void_direct)(struct dp *, const struct in6_addr *external);
    void (*dump_direct)(const struct dp *,
                        void (*)(const struct dp_direct *, void *aux),
                        void *aux);
    bool (*direct_half_checksum)(struct dp *,
                                 const struct in6_addr *external);
    void (*set_direct_times)(struct dp *, const struct dp_direct_times *);

    /* Whether all that the VM with an external address sends is known to layer
     * L2, and then from when on what answers nothing of it may be dropped, by
     * protocol, time_msec().  settle_tracking() takes what was sent before
     * that was known for forgotten, for tests. */
    bool (*tracking)(const struct dp *, const struct in6_addr *external,
                     long long int from[DP_N_TRACKED]);
    void (*settle_tracking)(struct dp *);

    /* Flows.  dump_some_flows() does a part of what dump_flows() does, some
     * thousands at most; true: there are more.  del_flow(): ENOENT if there is
     * none.  probe_flows() has a probe of each of 'n' flows go through OVN, as
     * if the packet had come in; stores in '*n_sent' how many did.  An error
     * is that of the last that did not. */
    void (*dump_flows)(const struct dp *, dp_flow_cb *, void *aux);
    bool (*dump_some_flows)(const struct dp *, struct dp_flow_cursor *,
                            dp_flow_cb *, void *aux);
    int (*del_flow)(struct dp *, const struct dp_flow_key *);
    int (*probe_flows)(struct dp *, const struct dp_flow *, size_t n,
                       size_t *n_sent);

    /* Fills N_PACKET_REASONS elements. */
    void (*direct_counters)(const struct dp *, enum dp_direct_row,
                            struct dp_counter *);

    /* Says that the first programming is done: an older generation goes. */
    int (*commit)(struct dp *);

    /* Counters.  endpoint_counter(): ENOENT if there is no such endpoint.
     * nic_counters() fills N_PACKET_REASONS elements, with zeros while the NIC
     * runs a program of an older generation; ENOENT if it is not attached.
     * redirect_errors(): an errno if the kernel does not let us count. */
    int (*endpoint_counter)(const struct dp *, const struct dp_key *,
                            struct dp_counter *);
    int (*endpoint_drops)(const struct dp *, const struct dp_key *,
                          struct dp_counter *);
    int (*nic_counters)(const struct dp *, const char *name,
                        struct dp_counter *);
    int (*redirect_errors)(const struct dp *, dp_redirect_error_cb *,
                           void *aux);

    /* Finds out what the kernel can do, into 'answers', whose elements are
     * FEATURE_UNKNOWN before; without a datapath and without a trace.  Returns
     * the version of the library that the back end works with, or NULL. */
    const char *(*probe)(enum feature_answer answers[N_KERNEL_FEATURES]);
};

const char *dp_open_error_to_string(int error);

extern const struct dp_class datapath_bpf_class;
extern const struct dp_class datapath_fake_class;

#endif /* plugin/datapath.h */
