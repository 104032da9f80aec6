/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the libbpf back end share.  Nobody else includes this.
 *
 * datapath-bpf.c          The vtable: open, close, commit.
 * datapath-bpf-pins.c     The pin directory and its lock.
 * datapath-bpf-gen.c      Generations of maps: adopt, create, remove.
 * datapath-bpf-slots.c    Which counter belongs to which endpoint.
 * datapath-bpf-maps.c     Endpoints, targets, counters, the heartbeat.
 * datapath-bpf-load.c     Loading of programs.
 * datapath-bpf-attach.c   Attachment to one NIC or managed port.
 * datapath-bpf-adopt.c    Taking over the attachments of an earlier daemon.
 * datapath-bpf-links.c    All of them.
 * datapath-bpf-events.c   Counters of redirects that failed.
 * datapath-bpf-opened.c   Connections that VMs open, and what they have sent.
 * datapath-bpf-watch.c    The devices where they are looked for.
 * datapath-bpf-tracked.c  Of which addresses all is known that was sent.
 * datapath-bpf-tc.c       Programs at TC: watches, layer L3.
 * datapath-bpf-acl.c      Rules: the maps, sources, the lease.
 * datapath-bpf-acl-sets.c Sets of rules.
 * datapath-bpf-direct.c   Layer L3: the maps and programs.
 * datapath-bpf-direct-ports.c    Its ports, by address.
 * datapath-bpf-direct-devices.c  Its devices.
 * datapath-bpf-direct-flows.c    Its flows.
 * datapath-bpf-inject.c   Frames that the daemon sends.
 * datapath-bpf-confirm.c  Probes of the flows of layer L3.
 * datapath-bpf-probe.c    What the kernel can do.
 *
 * Below the pin directory lie
 *
 *   links/NAME            One XDP link per NIC or managed port.
 *   gen-N/MAP             One generation of maps, complete if and only if its
 *                         map 'control' names an ABI.
 *   events/...            Programs and maps of the redirect errors.
 *   watch/MAP             Connections of VMs, complete if and
 *                         only if the element 0 of 'watched' names an ABI.
 *   watch/link-IFINDEX    One TCX link, or the program of a filter, per device
 *                         where they are looked for.
 *   direct/MAP            Layer L3, complete if and only if 'direct_state'
 *                         names an ABI.
 *   direct/far-IFINDEX    One TCX link, or the program of a filter, per device
 *   direct/near-IFINDEX   of layer L3, at its egress and ingress.
 *   direct/xdp-IFINDEX    Or an XDP link at its ingress.
 *   acl_lease             The map with the lease of the programs that have the
 *                         rules of the last daemon.
 *
 * Whatever a daemon does here may be cut short by kill -9 between any two
 * system calls, and the next one must cope with what it finds. */
#ifndef PLUGIN_DATAPATH_BPF_H
#define PLUGIN_DATAPATH_BPF_H 1

#include "bpf/abi.h"
#include "openvswitch/hmap.h"
#include "openvswitch/list.h"
#include "plugin/datapath.h"
#include "svec.h"

struct bpf_map;
struct bpf_object;
struct inject_bpf;
struct ox_injection;

/* The maps of a generation, which bpf/maps.h and bpf/count.h explain. */
enum gen_map {
    GEN_ENDPOINTS4,
    GEN_ENDPOINTS6,
    GEN_ENDPOINT_STATS,
    GEN_ENDPOINT_DROPS,
    GEN_TARGETS,
    GEN_NICS,
    GEN_REASONS,
    GEN_HEARTBEAT,
    GEN_CONTROL,
    N_GEN_MAPS
};

/* A generation of maps. */
struct generation {
    unsigned int number;        /* N of gen-N. */
    int fds[N_GEN_MAPS];        /* Its maps, or -1. */
};

/* Wait in ms before what layer L2 needs is asked for again, where that has
 * failed: many ask in each round, and it costs time. */
#define L2_RETRY_MS 500

/* No slot. */
#define SLOT_NONE UINT32_MAX

/* The counters in 'endpoint_stats', and who has which.  Free ones wait in a
 * queue, so that a program that still holds a deleted endpoint does not count
 * for the one that comes next. */
struct slots {
    uint32_t n;                 /* All of them. */
    unsigned long *used;        /* Bitmap of those that are taken. */
    uint32_t *ring;             /* Free ones, 'n' places. */
    uint32_t head;              /* Place of the one that waits longest. */
    uint32_t n_free;            /* Number of free ones. */
};

/* An endpoint in a map. */
struct bpf_endpoint {
    struct hmap_node node;      /* In struct dp, by dp_key_hash(). */
    struct dp_endpoint endpoint; /* As the caller knows it. */
    uint32_t slot;              /* Its counter, or SLOT_NONE. */
};

/* A NIC or managed port with a link of ours. */
struct bpf_nic {
    struct ovs_list node;       /* In struct dp. */
    struct dp_nic nic;          /* As asked for, or as found. */
    bool sink;                  /* Runs the program that drops all. */
    bool near_tc;               /* One of layer L3 is at its TC ingress. */
    bool current;               /* Program of this daemon and generation. */
    bool reduced;               /* The kernel does not take the program for
                                 * 'refused', but that for 'instead'. */
    struct dp_nic refused;      /* What was asked for. */
    struct dp_nic instead;      /* The same with fewer layers. */
    uint32_t slot;              /* Row in 'nics', or SLOT_NONE. */
    int link_fd;                /* The link. */
    char *pin;                  /* Path of its pin. */
};

/* Counters of failed redirects. */
struct events {
    int error;                  /* Why there are none, or 0. */
    int index_fd;               /* Map 'nic_index', or -1. */
    int errors_fd;              /* Map 'redirect_errors', or -1. */
};

/* A program of ours at TC. */
struct tc_program {
    int ifindex;                /* Device. */
    bool egress;                /* Where it sends; else where it receives. */
    uint32_t handle;            /* Name of its filter, where there are no
                                 * links. */
    char *pin;                  /* Where its link is pinned, or the program
                                 * that the filter has. */
    int prog;                   /* Program that it runs, or -1.  Not its
                                 * own. */
    int link_fd;                /* Its link, or -1: a filter, or nothing. */
    uint32_t id;                /* Kernel's id of its link, or of the filter's
                                 * program; 0: it is not attached. */
};

/* The maps of the connections of VMs; see bpf/opened-maps.h. */
enum opened_map {
    OPENED_CONNECTIONS,
    OPENED_STATE,
    OPENED_SENT,
    OPENED_SENT_STATE,
    OPENED_TRACKED,
    OPENED_WATCHED,
    N_OPENED_MAPS
};

/* A table of them: a map, and the map of what is to be said of it. */
struct opened_table {
    int fd;                     /* The map, that of struct opened. */
    struct ox_opened_state *state; /* The element of the other, mapped. */
    bool in_pass;               /* A pass over all elements goes on. */
    uint64_t cursor;            /* Where. */
    size_t n_found;             /* Elements that it has found so far. */
    size_t n_left;              /* Those that the last pass has left. */
};

/* The tables: connections that VMs have opened, and what VMs with layer L3
 * have sent. */
enum opened_table_name {
    TABLE_OPENED,
    TABLE_SENT,
    N_OPENED_TABLES
};

/* An address of which an earlier daemon knew all that was sent. */
struct opened_earlier {
    struct in6_addr local;      /* Address outside. */
    long long int since;        /* time_msec() since when. */
};

/* The connections of VMs, and where they are looked for. */
struct opened {
    int program_fd;             /* The program, or -1: not needed so far. */
    int error;                  /* Why it could not be had, or 0. */
    long long int retry_at;     /* Then, when to try again. */
    int fds[N_OPENED_MAPS];     /* The maps, or -1. */
    bool adopted;               /* They are those of an earlier daemon. */
    struct opened_table tables[N_OPENED_TABLES]; /* Their contents. */
    struct ovs_list watches;    /* Of struct bpf_watch. */
    long long int watched_since; /* Since when all of them are there,
                                  * time_msec(). */
    struct opened_earlier *earlier; /* Those of an earlier daemon. */
    size_t n_earlier;           /* Number of them. */
    long long int settled;      /* What is known since then or longer is taken
                                 * for known long enough, time_msec(). */

    /* The sweep. */
    struct ox_opened_key *keys; /* Elements that were just read. */
    struct ox_opened *values;   /* Likewise. */
};

/* The maps of rules, which bpf/acl-maps.h explains. */
enum acl_map {
    ACL_SETS,
    ACL_PORTS,
    ACL_SERVICES,
    ACL_HOSTS,
    ACL_SOURCES,
    ACL_CLASSES,
    ACL_BITS,
    ACL_HITS,
    ACL_LEASE,
    N_ACL_MAPS
};

/* Rules.  Each daemon makes the maps when it first needs them. */
struct acls {
    bool open;                  /* There are maps. */
    int error;                  /* Why there could be none, or 0. */
    long long int retry_at;     /* Then, when to try again. */
    bool burying;               /* Elements of ACL_SETS were deleted, and
                                 * programs may still look at them. */
    int fds[N_ACL_MAPS];        /* The maps, or -1. */
    int wait_fd;                /* See acls_wait(), or -1. */
    int inner_fd;               /* What is in that. */
    struct ox_acl_lease *lease; /* Element of ACL_LEASE, mapped. */
    long long int last_lease;   /* That of an earlier daemon, time_msec(). */
    struct hmap sets;           /* Of struct bpf_acl. */
    struct hmap bits;           /* Of struct bpf_bits: bitmaps in use. */
    struct slots numbers;       /* Their numbers. */
    unsigned long *hits;        /* Bitmap of the counters in use. */
    uint32_t next_hit;          /* Where to look for free ones. */
    struct ovs_list graves;     /* Of struct bpf_grave: what is to be
                                 * deleted. */
};

/* Frames that the daemon sends. */
struct injector {
    struct inject_bpf *skel;    /* The program, or NULL: not needed so far. */
    int error;                  /* Why it could not be had, or 0. */
    long long int retry_at;     /* Then, when to try again. */
    size_t n;                   /* Frames that wait for injector_flush(). */
};

/* The maps of layer L3, which bpf/flow-maps.h explains. */
enum l3_map {
    L3_FLOWS4,
    L3_FLOWS6,
    L3_ADDRS,
    L3_PORTS,
    L3_ARRIVALS,
    L3_DEVICES,
    L3_REASONS,
    L3_STATE,
    N_L3_MAPS
};

/* Its programs, but those of NICs' XDP hooks: bpf/direct.bpf.c. */
enum l3_program {
    L3_VM_NEAR,
    L3_VM_NEAR_TC,
    L3_NIC_NEAR_TC,
    L3_VM_FAR,
    L3_NIC_FAR,
    N_L3_PROGRAMS
};

/* Which of its programs, and what it is loaded with. */
struct l3_choice {
    enum l3_program program;    /* Which. */
    uint32_t slot;              /* Of a NIC: its row in 'nics'. */
    uint32_t stale_timeout;     /* As in struct dp_nic, at near sides. */
    bool track;                 /* It notes what VMs send. */
};

/* How long a far side knows what is deleted, in ms: probes are on their way,
 * and end there. */
#define L3_REAP_MS 1000

/* Layer L3.  Its maps are made when they are first needed, and stay the same
 * as long as the datapath is open. */
struct l3 {
    bool open;                  /* There are maps. */
    int error;                  /* Why there could be none, or 0. */
    long long int retry_at;     /* Then, when to try again. */
    int fds[N_L3_MAPS];         /* The maps, or -1. */
    struct ox_direct_port *entries; /* Elements of L3_PORTS, mapped. */
    struct ox_direct_state *state; /* Element of L3_STATE, mapped. */
    struct ovs_list programs;   /* Of struct l3_loaded. */
    struct hmap by_external;    /* Of struct bpf_port. */
    struct hmap by_fixed;       /* The same, by tap and fixed address. */
    struct ovs_list graves;     /* Of struct bpf_port: those that are gone,
                                 * the oldest first. */
    struct slots numbers;       /* Numbers of ports. */
    uint32_t soft, step, hard;  /* As in struct ox_direct_port. */
    struct ovs_list devices;    /* Of struct bpf_device. */
};

/* The back end. */
struct dp {
    char *pin_dir;              /* Pin directory, without trailing '/'. */
    int lock_fd;                /* The directory, locked. */
    uint32_t max_endpoints;     /* Most endpoints. */
    uint32_t max_flows;         /* Most flows, of IPv4 and of IPv6 each. */
    int n_cpus;                 /* Possible CPUs: values of a per-CPU map. */
    void *scratch;              /* One per-CPU value of any map. */
    struct generation gen;      /* Maps in use. */
    struct hmap endpoints;      /* Of struct bpf_endpoint: what they hold. */
    struct slots slots;         /* Counters of the endpoints. */
    struct ovs_list nics;       /* Of struct bpf_nic. */
    uint64_t nic_slots;         /* Bitmap of the rows of 'nics' in use. */
    struct events events;       /* Redirect errors. */
    struct opened opened;       /* Connections that VMs open. */
    struct acls acls;           /* Rules. */
    struct injector injector;   /* Frames that the daemon sends. */
    struct l3 l3;               /* Layer L3. */
};

/* Pins. */
int pins_lock(const char *pin_dir, int *lock_fdp);
int pins_make_dir(const char *dir);
void pins_list(const char *dir, struct svec *paths);
void pins_list_all(const char *dir, struct svec *paths);
void pins_remove(const char *path);
void pins_remove_link(const char *path);
void pins_remove_dir(const char *dir);
bool pins_is_pin(const char *path);
int pins_get(const char *path, int *fdp);
int pins_put(int fd, const char *path);

/* Generations. */
void generation_init(struct generation *);
int generation_open(struct dp *);
void generation_close(struct generation *);
void generation_remove_others(const struct dp *);
void generation_remove_all(const struct dp *);
int generation_share(const struct generation *, struct bpf_object *);
int maps_share(struct bpf_object *, const char *const names[],
               const int fds[], size_t n);
int map_matches(const struct bpf_map *, int fd);

/* Slots. */
void slots_init(struct slots *, uint32_t n);
void slots_destroy(struct slots *);
bool slots_reserve(struct slots *, uint32_t slot);
void slots_seal(struct slots *);
uint32_t slots_get(struct slots *);
void slots_put(struct slots *, uint32_t slot);

/* Endpoints, targets, counters, the heartbeat. */
uint32_t endpoints_slots(uint32_t max_endpoints);
int endpoints_adopt(struct dp *);
void endpoints_destroy(struct dp *);
void endpoints_dump(const struct dp *, dp_endpoint_cb *, void *aux);
int endpoints_find(const struct dp *, const struct dp_key *,
                   struct dp_action *);
int endpoints_put(struct dp *, const struct dp_endpoint *);
int endpoints_del(struct dp *, const struct dp_key *);
int endpoints_counter(const struct dp *, const struct dp_key *,
                      struct dp_counter *);
int endpoints_drops(const struct dp *, const struct dp_key *,
                    struct dp_counter *);
uint32_t endpoints_slot(const struct dp *, const struct dp_key *);
int targets_put(struct dp *, int ifindex);
int targets_del(struct dp *, int ifindex);
bool targets_has(const struct dp *, int ifindex);
int counter_read(const struct dp *, int fd, uint32_t index,
                 struct dp_counter *);
int counter_clear(const struct dp *, int fd, uint32_t index);
void heartbeat_write(struct dp *, long long int now);
long long int heartbeat_read(const struct dp *);

/* Programs. */
void load_init(void);
bool load_may_pass(int error);
bool load_stays(size_t n_insns, uint32_t xlated_len);
int load_redirect(struct dp *, const struct dp_nic *, uint32_t slot,
                  int *fdp);
int load_sink(const struct generation *, uint32_t slot, int *fdp);
void load_set_no_rules(bool);
void load_set_no_direct(bool);

/* What the kernel says of a link. */
struct link_info {
    int ifindex;                /* Its device, or 0 if that is gone. */
    uint32_t program_id;        /* Its program. */
};

/* What the kernel says of a device. */
struct hook {
    bool taken;                 /* A program is attached. */
    uint32_t native_id;         /* The one in the driver, or 0. */
    uint32_t generic_id;        /* The one for skbs, or 0. */
};

/* One link. */
struct bpf_nic *nic_find_index(const struct dp *, int ifindex);
struct bpf_nic *nic_find_pin(const struct dp *, const char *pin);
struct bpf_nic *nic_claim(struct dp *, const struct dp_nic *);
bool nic_is_alive(const struct bpf_nic *);
int nic_create(struct dp *, struct dp_nic *, bool sink);
int nic_update(struct dp *, struct bpf_nic *, struct dp_nic *, bool sink);
int nic_set_near_tc(struct dp *, struct bpf_nic *, bool);
void nic_remove(struct dp *, struct bpf_nic *);
void nic_free(struct bpf_nic *);
int link_get_info(int fd, struct link_info *);
int hook_get(int ifindex, struct hook *);

/* All links. */
char *links_dir(const struct dp *);
int nics_adopt(struct dp *);
void nics_destroy(struct dp *);
void nics_remove_all(struct dp *);
void nics_sweep(struct dp *);
int nics_attach(struct dp *, const struct dp_nic *, bool sink);
int nics_detach(struct dp *, const char *name);
void nics_dump(const struct dp *, dp_nic_cb *, void *aux);
int nics_counters(const struct dp *, const char *name, struct dp_counter *);

/* Events. */
void events_init(struct events *);
void events_open(struct dp *);
void events_close(struct events *);
void events_remove_all(const struct dp *);
void events_add_nic(const struct dp *, int ifindex, uint32_t slot);
void events_del_nic(const struct dp *, int ifindex);
int events_dump(const struct dp *, dp_redirect_error_cb *, void *aux);

/* Connections that VMs open. */
void opened_init(struct opened *);
void opened_close(struct opened *);
char *opened_dir(const struct dp *);
int opened_open(struct dp *);
int opened_share(struct dp *, struct bpf_object *);
size_t opened_sweep(struct dp *, long long int now);
long long int opened_missed(const struct dp *, const struct in6_addr *local);
void opened_learn(struct dp *, const struct in6_addr *local,
                  long long int until);
void opened_learn_all(struct opened *, long long int since);
long long int opened_missed_sent(const struct dp *,
                                 const struct in6_addr *local, uint8_t proto);
bool opened_is_map(const struct bpf_map *);

/* Addresses of which all is known that was sent. */
void tracked_adopt(struct opened *);
void tracked_write(struct dp *, const struct in6_addr *local,
                   long long int since);
void tracked_forget(struct dp *, const struct in6_addr *local);
void tracked_sweep(struct dp *);
void tracked_settle(struct dp *);
long long int tracked_earlier(const struct opened *,
                              const struct in6_addr *local);
bool tracked_get(const struct dp *, const struct in6_addr *local,
                 long long int from[DP_N_TRACKED]);

/* Devices where they are looked for. */
int watches_put(struct dp *, int ifindex, enum dp_watch_side,
                long long int *since);
int watches_del(struct dp *, int ifindex);
void watches_commit(struct dp *);
void watches_destroy(struct dp *);
void watches_remove_all(struct dp *);

/* Programs at TC. */
void tc_init(struct tc_program *, int ifindex, bool egress, uint32_t handle,
             char *pin);
int tc_attach(struct tc_program *, int prog, uint32_t *before);
int tc_replace(struct tc_program *, int prog);
bool tc_is_alive(const struct tc_program *);
void tc_repair_pin(const struct tc_program *);
void tc_detach(struct tc_program *);
void tc_close(struct tc_program *);
uint32_t tc_filter_program(const struct tc_program *);
void tc_filter_remove(const struct tc_program *);
void tc_sweep(const struct tc_program *);
void tc_set_no_tcx(bool);

/* Rules. */
void acls_init(struct acls *);
void acls_close(struct acls *);
int acls_open(struct dp *);
int acls_share(struct dp *, struct bpf_object *);
bool acls_is_map(const struct bpf_map *);
void acls_choose_maps(const struct bpf_object *, bool rules);
int acls_error(int error);
int acls_wait(const struct acls *);
int acls_put_source(struct dp *, const struct dp_prefix *, uint32_t class);
int acls_del_source(struct dp *, const struct dp_prefix *);
int acls_end_lease(struct dp *);
void acls_lease(struct dp *, long long int until);
long long int acls_last_lease(const struct dp *);

/* Sets of rules. */
void acl_sets_destroy(struct acls *);
int acl_sets_put(struct dp *, const struct dp_acl *);
int acl_sets_put_class(struct dp *, uint32_t id, const struct dp_acl_class *);
int acl_sets_del_class(struct dp *, uint32_t id, uint32_t class);
int acl_sets_del(struct dp *, uint32_t id);
int acl_sets_hits(const struct dp *, uint32_t id, uint64_t *hits, size_t n);
bool acl_sets_are_stateful(const struct acls *, uint32_t id);
int acl_sets_bury(struct acls *);

/* Layer L3: the maps and programs. */
void l3_init(struct l3 *);
int l3_open(struct dp *);
void l3_close(struct l3 *);
char *l3_dir(const struct dp *);
bool l3_is_map(const struct bpf_map *);
int l3_share(struct dp *, struct bpf_object *);
int l3_load(struct dp *, const struct l3_choice *, int *fdp);
void l3_remove_all(struct dp *);
long long int l3_reap(struct dp *, long long int now);
void l3_counters(const struct dp *, enum dp_direct_row, struct dp_counter *);
uint32_t l3_ticks(void);

/* Its ports. */
int l3_ports_adopt(struct dp *);
void l3_ports_destroy(struct l3 *);
int l3_ports_put(struct dp *, const struct dp_direct *);
int l3_ports_del(struct dp *, const struct in6_addr *external);
long long int l3_ports_reap(struct dp *, long long int now);
bool l3_ports_has(const struct dp *, const struct in6_addr *external);
int l3_ports_void(struct dp *, const struct in6_addr *external);
int l3_ports_begin(struct ox_direct_port *entries);
void l3_ports_void_all(struct ox_direct_port *entries);
void l3_ports_dump(const struct dp *,
                   void (*)(const struct dp_direct *, void *aux), void *aux);
bool l3_ports_half_checksum(struct dp *, const struct in6_addr *external);
void l3_ports_set_times(struct dp *, const struct dp_direct_times *);
void l3_ports_set_slot(struct dp *, const struct dp_key *, uint32_t slot);
void l3_ports_follow(struct dp *, bool all);
void l3_ports_follow_tap(struct dp *, int tap);
bool l3_ports_tracks(const struct dp *, const struct in6_addr *external);

/* Its devices. */
int l3_devices_put(struct dp *, const struct dp_direct_device *);
int l3_devices_del(struct dp *, int ifindex);
long long int l3_devices_tracks_since(const struct dp *, int ifindex);
void l3_devices_remove_near(struct dp *, int ifindex);
void l3_devices_note_row(struct dp *, int ifindex);
long long int l3_devices_reap(struct dp *, long long int now);
void l3_devices_sweep(struct dp *);
void l3_devices_destroy(struct l3 *);
void l3_devices_remove_all(struct dp *);

/* Its flows. */
bool l3_flows_dump_some(const struct dp *, struct dp_flow_cursor *,
                        dp_flow_cb *, void *aux);
void l3_flows_dump(const struct dp *, dp_flow_cb *, void *aux);
int l3_flows_del(struct dp *, const struct dp_flow_key *);
uint32_t l3_flow_check(const struct dp_flow_key *);
bool l3_is_ip4(const struct dp_flow_key *);

/* Frames that the daemon sends. */
void injector_init(struct injector *);
int injector_open(struct injector *);
void injector_close(struct injector *);
bool injector_is_full(const struct injector *);
struct ox_injection *injector_add(struct injector *);
int injector_flush(struct injector *, size_t *n_sent);

/* Probes of flows. */
int probes_send(struct dp *, const struct dp_flow *, size_t n,
                size_t *n_sent);

/* The kernel. */
const char *kernel_probe(enum feature_answer[N_KERNEL_FEATURES]);

#endif /* plugin/datapath-bpf.h */
