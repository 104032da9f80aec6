/* SPDX-License-Identifier: Apache-2.0 */
/* The window for rpc/: why an address is redirected or not, from what OVN says
 * to the wire, and what the host would do to its other packets. */

#include <config.h>

#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "sset.h"
#include "util.h"

#include "plugin/addresses.h"
#include "plugin/checks.h"
#include "plugin/desired.h"
#include "plugin/host-flows.h"
#include "plugin/settings.h"
#include "plugin/view-checks.h"
#include "plugin/view-direct.h"
#include "plugin/view-host.h"
#include "plugin/view-private.h"
#include "plugin/view.h"

/* Moves 'checks', which are about 'address', to the end of 'x'. */
static void
take_checks(struct view_explanation *x, const char *address,
            struct checks *checks)
{
    static const enum view_answer answers[] = {
        [CHECK_NO] = VIEW_NO,
        [CHECK_YES] = VIEW_YES,
        [CHECK_UNKNOWN] = VIEW_UNKNOWN,
    };

    x->checks = xrealloc(x->checks, (x->n_checks + checks->n)
                                    * sizeof *x->checks);
    for (size_t i = 0; i < checks->n; i++) {
        struct check *check = &checks->list[i];

        x->checks[x->n_checks++] = (struct view_check) {
            .address = xstrdup(address), .check = check->word,
            .answer = answers[check->ok],
            .detail = check->detail, .fix = check->fix,
        };
    }
    checks->n = 0;
    checks_destroy(checks);
}

/* Returns a number that is the larger the less is offloaded in 'state'. */
static int
badness(const char *state)
{
    return (!strcmp(state, "offloaded") ? 0
            : !strcmp(state, "pending") ? 1 : 2);
}

/* Returns a number that is the larger the less is done in state 'acl' of layer
 * L2. */
static int
acl_badness(const char *acl)
{
    return (!strcmp(acl, "enforced") ? 0
            : !strcmp(acl, "counted") ? 1
            : !strcmp(acl, "pass-only") ? 2 : 3);
}

/* The same for state 'direct' of layer L3. */
static int
direct_badness(const char *direct)
{
    return (!strcmp(direct, "on") ? 0
            : !strcmp(direct, "ineligible") ? 1 : 2);
}

/* Adds to 'x' the verdict about 'ep', shown as 'row', and its checks. */
static void
explain_endpoint(struct view_inquiry *inquiry,
                 const struct desired_endpoint *ep,
                 const struct view_endpoint *row, struct view_explanation *x)
{
    struct checks checks = CHECKS_INITIALIZER;
    enum reason reason;
    const char *direct = view_direct_state(inquiry->view, ep, &reason);

    x->verdicts[x->n_verdicts++] = (struct view_verdict) {
        .address = xstrdup(row->address),
        .logical_port = xstrdup(row->logical_port),
        .redirect = row->state,
        .reason = row->reason,
        .acl = row->acl,
        .acl_reason = row->acl_reason,
        .direct = direct,
        .direct_reason = row->direct_reason,
    };
    if (x->n_verdicts == 1 || badness(row->state) > badness(x->redirect)) {
        x->redirect = row->state;
    }
    if (x->n_verdicts == 1 || acl_badness(row->acl) > acl_badness(x->acl)) {
        x->acl = row->acl;
    }
    if (x->n_verdicts == 1
        || direct_badness(direct) > direct_badness(x->direct)) {
        x->direct = direct;
    }
    view_check_endpoint(inquiry, ep, &checks);
    take_checks(x, row->address, &checks);
}

/* Returns true if 'subject' can only have been meant for an address. */
static bool
looks_like_address(const char *subject)
{
    return (!subject[strspn(subject, "0123456789abcdefABCDEF.:/%")]
            && strpbrk(subject, ".:"));
}

/* Adds to 'x' what there is to say of 'subject', which OVN has placed no
 * address of here.  Returns false if it is neither address nor port. */
static bool
explain_stranger(const struct view *view, const char *subject,
                 struct view_explanation *x)
{
    struct checks checks = CHECKS_INITIALIZER;
    char text[INET6_ADDRSTRLEN];
    struct in6_addr addr;

    if (address_parse(subject, &addr)) {
        ipv6_string_mapped(text, &addr);
        view_check_stranger(view, &addr, text, &checks);
        free(x->subject);
        x->subject = xstrdup(text);
        take_checks(x, text, &checks);
        return true;
    }
    if (!subject[0]
        || (looks_like_address(subject)
            && !view_find_binding(view, subject))) {
        return false;
    }
    view_check_port(view, subject, &checks);
    take_checks(x, "", &checks);
    return true;
}

/* Adds to 'x' all endpoints of 'rows'. */
static void
explain_endpoints(const struct view *view, const struct view_endpoints *rows,
                  struct view_explanation *x)
{
    struct view_inquiry inquiry;

    view_inquiry_init(&inquiry, view);
    for (size_t i = 0; i < rows->n; i++) {
        struct dp_key key = { .vlan = 0 };

        address_parse(rows->endpoints[i].address, &key.addr);
        explain_endpoint(&inquiry, desired_find_endpoint(view->desired, &key),
                         &rows->endpoints[i], x);
    }
    view_inquiry_uninit(&inquiry);
}

/* Fills '*x'.  See plugin/view.h. */
bool
view_get_explanation(const struct view *view, const char *subject,
                     struct view_explanation *x)
{
    struct view_endpoints rows;
    bool parsed = true;

    *x = (struct view_explanation) {
        .subject = xstrdup(subject),
        .redirect = "unknown",
        .direct = view->settings->direct ? "unknown" : "off",
        .acl = view->settings->acl == DP_ACL_OFF ? "off" : "pass-only",
    };
    view_get_endpoints(view, subject, &rows);
    x->verdicts = xcalloc(MAX(1, rows.n), sizeof *x->verdicts);
    if (rows.n) {
        explain_endpoints(view, &rows, x);
    } else {
        parsed = explain_stranger(view, subject, x);
    }
    view_endpoints_uninit(&rows);
    if (!parsed) {
        view_explanation_uninit(x);
    }
    return parsed;
}

/* Frees what 'x' holds. */
void
view_explanation_uninit(struct view_explanation *x)
{
    for (size_t i = 0; i < x->n_verdicts; i++) {
        free(x->verdicts[i].address);
        free(x->verdicts[i].logical_port);
    }
    free(x->verdicts);
    for (size_t i = 0; i < x->n_checks; i++) {
        free(x->checks[i].address);
        free(x->checks[i].detail);
        free(x->checks[i].fix);
    }
    free(x->checks);
    free(x->subject);
}

/* Asks for the flows of all bridges of the mappings.  See plugin/view.h. */
bool
view_ask_bridges(const struct view *view, uint64_t *question)
{
    if (view->flows && !*question) {
        struct sset bridges = SSET_INITIALIZER(&bridges);

        view_host_bridges(view, &bridges);
        if (!sset_is_empty(&bridges)) {
            *question = host_flows_ask(view->flows, &bridges);
        }
        sset_destroy(&bridges);
    }
    return !*question || host_flows_is_answered(view->flows, *question);
}
