/* SPDX-License-Identifier: Apache-2.0 */
/* When packets may be dropped; see plugin/lease.h. */
#include <config.h>

#include "plugin/lease.h"

#include "plugin/limits.h"

/* Returns whether there may be a lease at 'now', and if not, why.  Each member
 * of 'in' is a part of the proof that OVN would drop what is dropped here. */
enum lease_state
lease_judge(const struct lease_inputs *in, long long int now)
{
    return (!in->enabled ? LEASE_OFF
            : !in->current ? LEASE_NOT_CURRENT
            : in->full ? LEASE_FULL
            : !in->in_step ? LEASE_BEHIND
            : now < in->settled_at ? LEASE_UNSETTLED
            : LEASE_GIVEN);
}

/* Returns until when programs may drop packets, as seen at 'now'; 0 if they
 * must not. */
long long int
lease_until(const struct lease_inputs *in, long long int now)
{
    return lease_judge(in, now) == LEASE_GIVEN ? now + LEASE_MS : 0;
}

/* Follows 'in'.  Returns true if 'lease->until' is to be written now: it is
 * taken back at once, and given or renewed in time. */
bool
lease_run(struct lease *lease, const struct lease_inputs *in,
          long long int now)
{
    long long int until = lease_until(in, now);
    bool had = lease->until != 0;

    lease->state = lease_judge(in, now);
    if (until ? had && now < lease->renew_at : !had) {
        return false;
    }
    lease->until = until;
    lease->renew_at = until ? now + HEARTBEAT_MS : 0;
    return true;
}
