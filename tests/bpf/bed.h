/* SPDX-License-Identifier: Apache-2.0
 *
 * The bed that the tests of bpf/ lie in: the loaded programs, a network
 * namespace of the test's own, and a balance of all counters around each
 * frame. */

#ifndef TESTS_BPF_BED_H
#define TESTS_BPF_BED_H 1

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "bpf/hint.skel.h"
#include "bpf/ovn-xdp.skel.h"
#include "tests/bpf/packet.h"

/* Endpoints that have counters. */
#define BED_SLOTS 16

/* No endpoint is counted. */
#define BED_NO_SLOT (-1)

/* All counters, summed over the CPUs. */
struct bed_counters {
    struct ox_counter reasons[OX_MAX_NICS * OX_N_REASONS];
    struct ox_counter endpoints[BED_SLOTS];
    struct ox_counter drops[BED_SLOTS];
};

/* Enters a network namespace of the caller's own, with 'lo' up.  Does not
 * return if that needs more rights: the test is skipped. */
void bed_enter(void);

/* Opens and loads the NIC program of 'slot', with maps of its own, or those of
 * 'shared' if it is nonnull.  Returns NULL where the kernel refuses. */
struct ovn_xdp_bpf *bed_load(uint32_t slot, const struct ovn_xdp_bpf *shared);

/* The same for the program with the tag hint, bound to device 'ifindex', stale
 * after 'stale_ns' (0: never), that drops by rules ('acl') or has none, with
 * the maps of 'shared'. */
struct hint_bpf *bed_load_hint(uint32_t slot, uint32_t ifindex,
                               uint64_t stale_ns, bool acl,
                               const struct ovn_xdp_bpf *shared);

/* The same with the maps of 'shared', for generic mode. */
struct ovn_xdp_bpf *bed_load_generic(uint32_t slot,
                                     const struct ovn_xdp_bpf *shared);

/* The same, not for generic mode, but stale after 'stale_ns'. */
struct ovn_xdp_bpf *bed_load_stale(uint32_t slot, uint64_t stale_ns,
                                   const struct ovn_xdp_bpf *shared);

/* The same with maps of its own for 'n' endpoints, not for generic mode. */
struct ovn_xdp_bpf *bed_load_sized(uint32_t slot, uint32_t n);

/* The same for a program with layer L2, which drops ('drop') or counts, stale
 * after 'stale_ns' (0: never), with maps for 'n' endpoints or those of
 * 'shared'. */
struct ovn_xdp_bpf *bed_load_acl(uint32_t slot, uint32_t n, bool drop,
                                 uint64_t stale_ns,
                                 const struct ovn_xdp_bpf *shared);

/* The same for the program of a switched NIC, which drops ('drop') or counts,
 * with the maps of 'shared'; and for the one with the tag hint, which drops,
 * bound to device 'ifindex'. */
struct ovn_xdp_bpf *bed_load_guard(uint32_t slot, bool drop,
                                   const struct ovn_xdp_bpf *shared);
struct hint_bpf *bed_load_guard_hint(uint32_t slot, uint32_t ifindex,
                                     const struct ovn_xdp_bpf *shared);

/* Returns the program that was loaded. */
int bed_program(const struct ovn_xdp_bpf *);
int bed_program_hint(const struct hint_bpf *);

/* Gives the NIC in 'slot' its MAC address. */
void bed_set_nic(const struct ovn_xdp_bpf *, uint32_t slot,
                 const uint8_t *mac, uint32_t ifindex);

/* Makes the NIC in 'slot' a port of 'bridge', and nothing else of it. */
void bed_set_bridge(const struct ovn_xdp_bpf *, uint32_t slot,
                    uint32_t bridge);

/* Makes a device a target. */
void bed_add_target(const struct ovn_xdp_bpf *, uint32_t ifindex);

/* Makes 'address', a text of either family, an endpoint.  Its value is
 * 'endpoint', completed by the address. */
void bed_add_endpoint(const struct ovn_xdp_bpf *, const char *address,
                      const struct ox_endpoint *endpoint);

/* The same, but the value claims to belong to the address 'claimed'. */
void bed_add_endpoint_as(const struct ovn_xdp_bpf *, const char *address,
                         const char *claimed, const struct ox_endpoint *);

/* Writes that the daemon was alive at 'ns' of the monotonic clock. */
void bed_beat(const struct ovn_xdp_bpf *, uint64_t ns);

/* Reads all counters. */
void bed_read(const struct ovn_xdp_bpf *, struct bed_counters *);

/* The same, but of the reasons only those of the program of 'nic'. */
void bed_read_row(const struct ovn_xdp_bpf *, uint32_t nic,
                  struct bed_counters *);

/* Asserts that from 'before' to 'after' one frame of 'bytes' was counted for
 * 'reason' by the program of 'nic', and for the endpoint with the counters
 * 'slot' if that is not BED_NO_SLOT, and that nothing else was counted.  The
 * counters are those of drops if the reason is OX_R_ACL_DROP. */
void bed_assert_counted(const struct bed_counters *before,
                        const struct bed_counters *after, uint32_t nic,
                        enum ox_reason reason, int slot, uint64_t bytes);

/* The same, but the frame was also counted for 'besides'. */
void bed_assert_counted_besides(const struct bed_counters *before,
                                const struct bed_counters *after,
                                uint32_t nic, enum ox_reason reason,
                                enum ox_reason besides, int slot,
                                uint64_t bytes);

/* The wire name of 'reason'. */
const char *bed_reason_name(enum ox_reason reason);

#endif /* tests/bpf/bed.h */
