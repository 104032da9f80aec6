/* SPDX-License-Identifier: Apache-2.0 */
/* The questions that 'explain' puts to the daemon about layer L3: whether
 * packets of an address go between NIC and VM directly, and which precondition
 * is missing if not. */

#include <config.h>

#include "plugin/view-direct.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

#include "plugin/acl.h"
#include "plugin/checks.h"
#include "plugin/desired.h"
#include "plugin/direct.h"
#include "plugin/direct-judge.h"
#include "plugin/settings.h"
#include "plugin/view-private.h"
#include "plugin/view.h"

/* Returns true if there is nothing wrong with 'ep' not being forwarded
 * directly because of 'reason': it need not be to a VM that is here. */
static bool
is_in_order(const struct desired_endpoint *ep, enum reason reason)
{
    bool vm = (ep->kind == ENDPOINT_VM
               || ep->kind == ENDPOINT_FIP_DISTRIBUTED);

    return (reason == REASON_DIRECT_OFF
            || (!vm && (reason == REASON_DIRECT_KIND
                        || reason == REASON_DIRECT_TRANSLATED)));
}

/* Returns the word for the precondition that 'reason' is about. */
static const char *
precondition_word(enum reason reason)
{
    static const struct {
        enum reason reason;     /* Reason where it is not met. */
        const char *word;       /* Word for it. */
    } words[] = {
        { REASON_DIRECT_KIND, "kind" },
        { REASON_DIRECT_TRANSLATED, "translation" },
        { REASON_ACTIVATION_PENDING, "settled" },
        { REASON_DIRECT_PARENT, "parent" },
        { REASON_DIRECT_NO_TAP, "tap" },
        { REASON_DIRECT_NO_NIC, "nic" },
        { REASON_DIRECT_HOOK, "hook" },
        { REASON_DIRECT_QOS, "qos" },
        { REASON_DIRECT_MIRROR, "mirror" },
        { REASON_DIRECT_HW_OFFLOAD, "hw-offload" },
        { REASON_DIRECT_CONNTRACK, "conntrack" },
        { REASON_DIRECT_CHECKSUM, "checksum" },
    };

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (words[i].reason == reason) {
            return words[i].word;
        }
    }
    return reason_to_string(reason);
}

/* Appends the 'n' preconditions 'found', and frees their details.  What
 * ovn-xdp-direct says was said before. */
static void
add_preconditions(struct direct_check found[], size_t n,
                  struct checks *checks)
{
    static const enum check_ok answers[] = {
        [DIRECT_CHECK_BAD] = CHECK_NO,
        [DIRECT_CHECK_OK] = CHECK_YES,
        [DIRECT_CHECK_UNKNOWN] = CHECK_UNKNOWN,
    };

    for (size_t i = 0; i < n; i++) {
        const struct direct_check *check = &found[i];

        if (check->reason != REASON_DIRECT_OFF) {
            checks_add(checks, precondition_word(check->reason),
                       answers[check->answer], check->reason, "%s",
                       check->detail);
            checks_fix(checks, "%s", check->fix);
        }
        free(check->detail);
    }
}

/* Appends the preconditions of 'ep'. */
static void
check_preconditions(const struct view *view,
                    const struct desired_endpoint *ep, struct checks *checks)
{
    struct direct_check found[DIRECT_MAX_CHECKS];
    struct direct_inputs inputs;
    struct acl_behind behind;

    if (direct_get_inputs(view->direct, view->desired, &ep->key, &inputs,
                          &behind)) {
        add_preconditions(found, direct_get_checks(&inputs, found), checks);
    }
}

/* Appends since when packets to 'ep' are dropped that answer nothing. */
static void
check_unsolicited(const struct view *view, const struct desired_endpoint *ep,
                  struct checks *checks)
{
    struct view_unsolicited when;
    const char *why = direct_untracked(view->direct);

    view_unsolicited(view, ep, &when);
    if (when.followed) {
        checks_add(checks, "unsolicited", CHECK_YES, REASON_NONE,
                   "what answers nothing of the VM's may be dropped: UDP in "
                   "%"PRIu64" s, ICMP echo in %"PRIu64" s, segments of TCP in "
                   "%"PRIu64" s", when.udp, when.echo, when.tcp);
    } else {
        checks_add(checks, "unsolicited", CHECK_YES, REASON_NONE,
                   "of connections, only SYNs are dropped, because of %s",
                   why ? why : "the rules of the port (acl)");
    }
}

/* Appends to 'checks' all that layer L3 has to say of 'ep'. */
void
view_check_direct(const struct view *view, const struct desired_endpoint *ep,
                  struct checks *checks)
{
    bool on = view->settings->direct;
    enum reason reason;

    view_direct_state(view, ep, &reason);
    checks_add(checks, "direct",
               (reason == REASON_NONE || is_in_order(ep, reason)
                ? CHECK_YES : CHECK_NO), reason, "%s",
               (!on ? "ovn-xdp-direct is off: all connections go by OVN"
                : reason == REASON_NONE
                ? "connections that OVN has passed go between NIC and VM"
                : reason_sentence(reason)));
    if (on && view->direct && !is_in_order(ep, reason)) {
        check_preconditions(view, ep, checks);
    }
    if (on && view->direct && reason == REASON_NONE) {
        check_unsolicited(view, ep, checks);
    }
}
