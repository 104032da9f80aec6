/* SPDX-License-Identifier: Apache-2.0 */
/* Which of the flows that do more to packets than let them through or drop
 * them are for packets that come in: of each datapath one is shown. */

#include <config.h>

#include "plugin/acl-private.h"

#include "openvswitch/list.h"
#include "svec.h"

/* Has 'in' and 'out' of 'dp' be found anew. */
void
acl_dp_make_stale(struct acl_private *private, struct known_dp *dp)
{
    if (ovs_list_is_empty(&dp->stale_node)) {
        ovs_list_push_back(&private->stale_dps, &dp->stale_node);
    }
}

/* Has 'in' and 'out' of all datapaths be found anew. */
void
acl_dps_make_stale(struct acl_private *private)
{
    struct known_dp *dp;

    HMAP_FOR_EACH (dp, node, &private->dps) {
        if (!ovs_list_is_empty(&dp->entries)) {
            acl_dp_make_stale(private, dp);
        }
    }
}

/* Returns true if 'entry', of 'dp', may be for packets from outside. */
static bool
is_for_entrance(const struct acl_private *private, const struct known_dp *dp,
                const struct acl_entry *entry)
{
    const char *port;
    size_t i;

    SVEC_FOR_EACH (i, port, &entry->ports) {
        if (acl_term_is_entrance(private, port, dp)) {
            return true;
        }
    }
    return svec_is_empty(&entry->ports);
}

/* Finds 'in' and 'out' of 'dp'. */
static void
find_entries(const struct acl_private *private, struct known_dp *dp)
{
    const struct flow_dp *fd;

    dp->in = dp->out = NULL;
    LIST_FOR_EACH (fd, dp_node, &dp->entries) {
        const struct known_flow *flow = fd->flow;
        const struct known_flow **shown = (flow->entry.leaving
                                           ? &dp->out : &dp->in);

        if (is_for_entrance(private, dp, &flow->entry)
            && (!*shown
                || acl_entry_compare(&flow->entry, &(*shown)->entry) < 0)) {
            *shown = flow;
        }
    }
}

/* Brings 'in' and 'out' of all datapaths of 'acl' up to date. */
void
acl_entries_settle(struct acl *acl)
{
    struct acl_private *private = acl->private;
    struct known_dp *dp;

    LIST_FOR_EACH_POP (dp, stale_node, &private->stale_dps) {
        bool any = dp->in || dp->out;

        ovs_list_init(&dp->stale_node);
        find_entries(private, dp);
        if (any || dp->in || dp->out) {
            acl_touch_dp(acl, dp);
            acl->nat_changed = true;
        }
    }
}
