/* SPDX-License-Identifier: Apache-2.0
 *
 * What is noted of what VMs with layer L3 send, in the bed of flow-bed.h. */

#ifndef TESTS_BPF_SENT_BED_H
#define TESTS_BPF_SENT_BED_H 1

#include <stdbool.h>
#include <stdint.h>

#include "bpf/abi.h"
#include "tests/bpf/flow-bed.h"

#define SENT_SECOND INT64_C(1000000000)

/* Bits of the fragment word of IPv4: more of them. */
#define SENT_MORE 0x2000

/* Protocols, by index. */
#define SENT_PROTOS 3

/* Long ago, as maps have it. */
#define SENT_SETTLED (-(OX_SENT_TCP_S + 1) * SENT_SECOND)

/* The time of the maps. */
int64_t sent_now(void);

/* Protocol 'i' of a VM, and for how long what was sent with it is remembered,
 * in ns. */
uint8_t sent_protocol(const struct flow_vm *, int i);
int64_t sent_life(uint8_t proto);

/* An address, a text, as maps have it. */
void sent_address(uint8_t mapped[16], const char *address);

/* The key of what a VM sends as a frame, or of what it answers if 'in'. */
struct ox_opened_key sent_key(const struct flow_vm *,
                              const struct flow_frame *, bool in);

/* The map 'sent', and how many elements it has. */
int sent_fd(void);
int sent_count(void);

/* What is in 'sent_state'; its part of a VM with a protocol; and how many
 * parts have missed something. */
struct ox_opened_state sent_read_state(void);
void sent_write_state(const struct ox_opened_state *);
struct ox_opened_part *sent_part(struct ox_opened_state *,
                                 const struct flow_vm *, uint8_t proto);
int sent_missed(void);

/* Has a VM be tracked since then. */
void sent_track(const struct flow_vm *, int64_t since_ns);

/* An element: written as seen 'ago' ns ago, and read, with its age in s; -1:
 * it is not there. */
void sent_put(const struct ox_opened_key *, uint32_t state, int64_t ago);
int sent_find(const struct ox_opened_key *, int64_t *age);

/* Has a program see a frame, with 'gso'.  Returns its verdict. */
int sent_run(enum flow_program, const struct flow_frame *, uint32_t gso);

/* Asserts that there is the element alone, in 'state', of now, and that
 * nothing was missed; nothing is there if 'state' is -1. */
void sent_check(const struct ox_opened_key *, int state);

/* The state of what begins with the frame. */
int sent_first(const struct flow_frame *);

/* Forgets all, and has all VMs be tracked for long. */
int sent_begin(void **state);

#endif /* tests/bpf/sent-bed.h */
