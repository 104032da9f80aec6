/* SPDX-License-Identifier: Apache-2.0
 *
 * The bed that the tests of layer L3 lie in: all its programs with the same
 * maps, VMs with and without a translated address, frames between them and the
 * outside, and the count of what programs say.
 *
 * All devices but one are 'lo', which is where BPF_PROG_TEST_RUN has frames
 * come in: it is the tap of the VMs, too. */

#ifndef TESTS_BPF_FLOW_BED_H
#define TESTS_BPF_FLOW_BED_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "bpf/direct.skel.h"
#include "bpf/ovn-xdp.skel.h"
#include "tests/bpf/flow-frame.h"
#include "tests/bpf/packet.h"

/* The tap of all VMs, by ifindex. */
#define FLOW_TAP 1

/* MTU of taps. */
#define FLOW_MTU 1442

/* Programs. */
enum flow_program {
    FLOW_NIC,                   /* XDP of a routed NIC. */
    FLOW_NIC_ACL,               /* The same with layer L2. */
    FLOW_NIC_TC,                /* FLOW_NIC where TC takes packets off. */
    FLOW_SWITCHED,              /* XDP of a switched NIC. */
    FLOW_SWITCHED_TC,           /* The same where TC takes packets off. */
    FLOW_GUARD,                 /* FLOW_SWITCHED with layer L2. */
    FLOW_VM,                    /* XDP of a tap. */
    FLOW_VM_TC,                 /* TC ingress of a tap. */
    FLOW_INGRESS,               /* TC ingress of a routed NIC. */
    FLOW_VM_FAR,                /* TC egress of a tap. */
    FLOW_NIC_FAR,               /* TC egress of a routed NIC. */
    FLOW_SWITCHED_FAR,          /* TC egress of a switched NIC. */
    N_FLOW_PROGRAMS
};

/* The ifindex of a NIC that is another device than FLOW_TAP. */
extern uint32_t flow_nic;

/* Nothing was counted for the frame. */
#define FLOW_UNCOUNTED (-1)

/* All VMs. */
#define N_FLOW_VMS 6
extern const struct flow_vm *const flow_vms[N_FLOW_VMS];

/* A side of a connection of a VM. */
struct flow_side {
    const struct flow_vm *vm;   /* VM. */
    bool out;                   /* What it sends; else what it gets. */
};

/* The family of a VM, an index of flow_fip, and its ICMP. */
int flow_family(const struct flow_vm *);
uint8_t flow_icmp(const struct flow_vm *);

/* The programs that see the packets of a side, by XDP at the near one. */
enum flow_program flow_near(const struct flow_side *);
enum flow_program flow_far(const struct flow_side *);

/* Device that XDP programs are told by BPF_PROG_TEST_RUN, by ifindex: lo. */
#define FLOW_RUN_IFINDEX 1

/* A frame of a side as it comes in. */
struct flow_frame flow_frame_of(const struct flow_side *, uint8_t proto);

/* Has the near side see a frame, which it does not take off. */
void flow_arrive(const struct flow_side *, const struct flow_frame *);

/* Makes the NICs known, with a program at TC or without one. */
void flow_put_nics(bool near_tc);

/* Makes and unmakes the world. */
int flow_set_up(void **state);
int flow_tear_down(void **state);

/* Puts all ports and addresses back as they were at first, and forgets flows
 * and notes. */
int flow_begin(void **state);

/* Runs a program on 'in', and stores what it makes of it in 'out'.  Returns
 * its verdict.  'gso' is the size of segments or 0, for TC. */
int flow_run(enum flow_program, const struct packet *in, struct packet *out,
             uint32_t gso);

/* Asserts that the program leaves the frame as it is, gives 'verdict', and
 * counts 'reason', which may be FLOW_UNCOUNTED, and nothing else of layer
 * L3. */
void flow_check(enum flow_program, const struct flow_frame *, int reason,
                int verdict);

/* The same for frames that go on. */
void flow_passes(enum flow_program, const struct flow_frame *, int reason);

/* Asserts that the program makes 'want' of the frame, redirects it and counts
 * that of it, and for the port of 'vm'. */
void flow_takes(enum flow_program, const struct flow_vm *vm,
                const struct flow_frame *in, const struct flow_frame *want);

/* The key and the value of a flow of the frame, as it comes in from the
 * outside or from the VM ('out'). */
void flow_key(const struct flow_vm *vm, const struct flow_frame *, bool out,
              void *key);
bool flow_find(const struct flow_vm *vm, const struct flow_frame *, bool out,
               struct ox_flow *);
void flow_put(const struct flow_vm *vm, const struct flow_frame *, bool out,
              const struct ox_flow *);

/* A used flow of the frame, which does as OVN would. */
struct ox_flow flow_used(const struct flow_vm *vm, const struct flow_frame *,
                         bool out);

/* What flow_check() of the key is. */
uint32_t flow_check_of(const struct flow_vm *vm, const struct flow_frame *,
                       bool out);

/* The note of the frame. */
struct ox_arrival *flow_note(const struct flow_vm *vm,
                             const struct flow_frame *, bool out);

/* The port of 'vm', and the secret of probes, as user space maps them. */
struct ox_direct_port *flow_port(const struct flow_vm *vm);
uint64_t flow_secret(void);

/* Has the row of 'nics' that the program of a switched NIC has be that of
 * device 'ifindex'. */
void flow_set_row(enum flow_program, uint32_t ifindex);

/* The object of FLOW_NIC_ACL or FLOW_GUARD, with the maps of rules, and how
 * often it has counted 'reason'. */
struct ovn_xdp_bpf *flow_object(enum flow_program);
uint64_t flow_count(enum flow_program, enum ox_reason);

/* The time, in ticks. */
uint32_t flow_ticks(void);

/* The maps. */
extern struct direct_bpf *flow_skel;

#endif /* tests/bpf/flow-bed.h */
