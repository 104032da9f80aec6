/* SPDX-License-Identifier: Apache-2.0 */
/* Names and sentences of bpf/reason.def for the daemon and its client. */
#ifndef PLUGIN_REASON_H
#define PLUGIN_REASON_H 1

#include <stdbool.h>

/* Why an endpoint, interface or target is not offloaded, and classes of
 * problems.  REASON_NONE, the first, means that nothing stands in the way. */
enum reason {
#define STATE_REASON(NAME, WIRE, SENTENCE) REASON_##NAME,
#include "bpf/reason.def"
    N_STATE_REASONS
};

/* Why a program redirected, passed or dropped a frame; the same values as
 * enum ox_reason of bpf/abi.h. */
enum packet_reason {
#define PACKET_REASON(NAME, WIRE, SENTENCE) PACKET_REASON_##NAME,
#include "bpf/reason.def"
    N_PACKET_REASONS
};

const char *reason_to_string(enum reason);
const char *reason_sentence(enum reason);
const char *packet_reason_to_string(enum packet_reason);
const char *packet_reason_sentence(enum packet_reason);
bool packet_reason_is_besides(enum packet_reason);

#endif /* plugin/reason.h */
