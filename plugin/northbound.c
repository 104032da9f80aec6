/* SPDX-License-Identifier: Apache-2.0 */
/* Tells the client of the Northbound what is on this chassis, as the
 * Southbound has it: nothing that is elsewhere can make an address live
 * here. */

#include <config.h>

#include "plugin/northbound.h"

#include <string.h>

#include "sset.h"

#include "idl/nb-db.h"
#include "idl/sb-db.h"
#include "plugin/settings.h"

/* Adds to 'ports' the logical ports of 'sb' that are here, and to 'gateways'
 * the router ports whose gateway is.  The port of a gateway router is its own
 * gateway. */
static void
collect(const struct sb_view *sb, struct sset *ports, struct sset *gateways)
{
    const struct sb_binding *binding;

    HMAP_FOR_EACH (binding, node, &sb->bindings) {
        if (!binding->here) {
            continue;
        } else if (!strcmp(binding->type, "l3gateway")) {
            sset_add(gateways, binding->logical_port);
        } else if (strcmp(binding->type, "chassisredirect")) {
            sset_add(ports, binding->logical_port);
        } else if (binding->distributed_port) {
            sset_add(gateways, binding->distributed_port);
        }
    }
}

/* Makes 'nb' follow the remote in 'settings' for what 'sb' has here, as soon
 * as 'sb' has been received: what the Northbound says of nothing is not to be
 * taken for all that it says. */
void
northbound_set_target(struct nb_db *nb, const struct settings *settings,
                      const struct sb_view *sb)
{
    struct sset ports = SSET_INITIALIZER(&ports);
    struct sset gateways = SSET_INITIALIZER(&gateways);

    if (settings->nb_remote[0]) {
        collect(sb, &ports, &gateways);
    }
    nb_db_set_target(nb, &(struct nb_target) {
        .remote = settings->nb_remote,
        .probe_interval = settings->probe_interval,
        .ports = sb->complete ? &ports : NULL,
        .gateways = sb->complete ? &gateways : NULL });
    sset_destroy(&ports);
    sset_destroy(&gateways);
}
