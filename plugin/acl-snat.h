/* SPDX-License-Identifier: Apache-2.0 */
/* What one logical flow of a router's lr_out_snat does to the source of
 * packets: pure, text in, values out. */
#ifndef PLUGIN_ACL_SNAT_H
#define PLUGIN_ACL_SNAT_H 1

#include <stdbool.h>
#include "plugin/acl-flow.h"

struct sb_acl_flow;

/* What such a flow does. */
struct acl_snat {
    bool changes;               /* It may give new packets that a router has
                                 * not balanced another source. */
    bool ip4;                   /* If so, those of IPv4, */
    bool ip6;                   /* and those of IPv6. */
    char *outport;              /* Those that leave by this port of the router
                                 * only; NULL: by any. */
};

void acl_snat_parse(const struct sb_acl_flow *, struct acl_snat *,
                    struct acl_nat *);
void acl_snat_destroy(struct acl_snat *);

#endif /* plugin/acl-snat.h */
