/* SPDX-License-Identifier: Apache-2.0 */
/* The string tables behind plugin/reason.h, made from bpf/reason.def. */

#include <config.h>

#include "plugin/reason.h"

#include "openvswitch/util.h"

/* Wire name and sentence of one reason. */
struct reason_text {
    const char *wire;           /* Stable lower-case word with hyphens. */
    const char *sentence;       /* Full sentence for people. */
};

static const struct reason_text state_reasons[] = {
#define STATE_REASON(NAME, WIRE, SENTENCE) { WIRE, SENTENCE },
#include "bpf/reason.def"
};

static const struct reason_text packet_reasons[] = {
#define PACKET_REASON(NAME, WIRE, SENTENCE) { WIRE, SENTENCE },
#include "bpf/reason.def"
};

/* Returns the wire name of 'reason', "" for REASON_NONE. */
const char *
reason_to_string(enum reason reason)
{
    ovs_assert(reason < N_STATE_REASONS);
    return state_reasons[reason].wire;
}

/* Returns the sentence that explains 'reason'. */
const char *
reason_sentence(enum reason reason)
{
    ovs_assert(reason < N_STATE_REASONS);
    return state_reasons[reason].sentence;
}

/* Returns the wire name of 'reason'. */
const char *
packet_reason_to_string(enum packet_reason reason)
{
    ovs_assert(reason < N_PACKET_REASONS);
    return packet_reasons[reason].wire;
}

/* Returns the sentence that explains 'reason'. */
const char *
packet_reason_sentence(enum packet_reason reason)
{
    ovs_assert(reason < N_PACKET_REASONS);
    return packet_reasons[reason].sentence;
}

/* Returns true if a NIC's XDP program counts 'reason' besides another, which
 * says what became of the frame. */
bool
packet_reason_is_besides(enum packet_reason reason)
{
    static const bool besides[N_PACKET_REASONS] = {
        [PACKET_REASON_ACL_COUNT] = true,
        [PACKET_REASON_ACL_LEASE] = true,
        [PACKET_REASON_ACL_ANSWER] = true,
        [PACKET_REASON_ACL_INSIDE] = true,
        [PACKET_REASON_FLOW_NEW] = true,
        [PACKET_REASON_FLOW_LEARNING] = true,
        [PACKET_REASON_FLOW_CONTROL] = true,
        [PACKET_REASON_FLOW_UNFIT] = true,
        [PACKET_REASON_FLOW_VOID] = true,
        [PACKET_REASON_FLOW_UNCONFIRMED] = true,
        [PACKET_REASON_FLOW_ASK] = true,
        [PACKET_REASON_FLOW_MAC] = true,
        [PACKET_REASON_FLOW_MTU] = true,
        [PACKET_REASON_FLOW_TARGET] = true,
        [PACKET_REASON_FLOW_CHANGED] = true,
        [PACKET_REASON_FLOW_CLOSED] = true,
        [PACKET_REASON_ACL_UNTRACKED] = true,
    };

    ovs_assert(reason < N_PACKET_REASONS);
    return besides[reason];
}
