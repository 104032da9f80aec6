/* SPDX-License-Identifier: Apache-2.0 */
/* What one logical flow of a switch does to packets besides letting them
 * through or not: pure, text in, values out. */
#ifndef PLUGIN_ACL_ENTRY_H
#define PLUGIN_ACL_ENTRY_H 1

#include <stdbool.h>
#include "plugin/reason.h"
#include "svec.h"

struct sb_acl_flow;

/* What such a flow does. */
struct acl_entry {
    bool matters;               /* Something would be missed if a packet were
                                 * dropped before. */
    bool leaving;               /* It is for packets that leave by 'ports', not
                                 * that come in by them. */
    struct svec ports;          /* "@NAME", a port group, or the name of a
                                 * logical port; sorted.  Empty: any. */
    enum reason reason;         /* If 'matters': why such packets are left to
                                 * OVN. */
    char *token;                /* Then, what it does, or NULL. */
};

void acl_entry_parse(const struct sb_acl_flow *, struct acl_entry *);
void acl_entry_destroy(struct acl_entry *);
bool acl_entry_is_acl(const struct sb_acl_flow *);
void acl_entry_parse_ports(const char *match, const char *field,
                           struct svec *ports);
int acl_entry_compare(const struct acl_entry *, const struct acl_entry *);

#endif /* plugin/acl-entry.h */
