/* SPDX-License-Identifier: Apache-2.0 */
/* Values of plugin/acl-flow.h and its like in one line each. */

#include <config.h>

#include "tests/plugin/acl-words.h"

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "plugin/acl-entry.h"
#include "plugin/acl-flow.h"
#include "plugin/acl-snat.h"
#include "plugin/reason.h"
#include "util.h"

/* Appends 'ports' to 's'. */
static void
put_ports(const struct svec *ports, struct ds *s)
{
    const char *port;
    size_t i;

    ds_put_cstr(s, " [");
    SVEC_FOR_EACH (i, port, ports) {
        ds_put_format(s, "%s%s", i ? " " : "", port);
    }
    ds_put_char(s, ']');
}

/* Returns 'flow' in words: its kind, "stateful" if it is, its ports, and then
 * the rule, or what was not understood. */
char *
acl_flow_to_text(const struct acl_flow *flow)
{
    static const char *const kinds[] = { "neutral", "rule", "conntrack",
                                         "strange" };
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_format(&s, "%s%s", kinds[flow->kind],
                  flow->stateful ? " stateful" : "");
    if (flow->kind == ACL_FLOW_STRANGE) {
        put_ports(&flow->ports, &s);
        ds_put_format(&s, " %s %d %s", reason_to_string(flow->reason),
                      flow->column, flow->token);
    } else if (flow->kind == ACL_FLOW_RULE) {
        const struct acl_rule *rule = flow->rule;

        put_ports(&flow->ports, &s);
        ds_put_format(&s, " %d %d %s%s%s%s%s %s", rule->tier, rule->priority,
                      acl_action_to_string(rule->action),
                      rule->flags & ACL_LOGGED ? " logged" : "",
                      rule->flags & ACL_LABELLED ? " labelled" : "",
                      rule->flags & ACL_SAMPLED ? " sampled" : "",
                      rule->flags & ACL_BUILT_IN ? " built-in" : "",
                      rule->match);
    }
    return ds_steal_cstr(&s);
}

/* Appends 'range' to 's' as 'name', unless it has all up to 'max'. */
static void
put_range(const struct acl_range *range, unsigned int max, const char *name,
          struct ds *s)
{
    if (range->lo || range->hi != max) {
        ds_put_format(s, " %s %u-%u", name, range->lo, range->hi);
    }
}

/* Returns 'cube' in words: its family, its protocols if not all, and what else
 * it has. */
char *
acl_cube_to_text(const struct acl_cube *cube)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    size_t n = 0;

    ds_put_cstr(&s, cube->ip4 && cube->ip6 ? "ip" : cube->ip4 ? "ip4"
                    : cube->ip6 ? "ip6" : "none");
    for (int i = 0; i < 256; i++) {
        n += acl_cube_has_protocol(cube, i);
    }
    for (int i = 0; i < 256 && n < 256; i++) {
        if (acl_cube_has_protocol(cube, i)) {
            ds_put_format(&s, " proto %d", i);
        }
    }
    put_range(&cube->src_port, 65535, "sport", &s);
    put_range(&cube->dst_port, 65535, "dport", &s);
    put_range(&cube->icmp_type, 255, "type", &s);
    put_range(&cube->icmp_code, 255, "code", &s);
    if (!cube->source.any) {
        const char *atom;
        size_t i;

        ds_put_cstr(&s, cube->source.negated ? " not from" : " from");
        SVEC_FOR_EACH (i, atom, &cube->source.atoms) {
            ds_put_format(&s, " %s", atom);
        }
    }
    return ds_steal_cstr(&s);
}

/* Returns 'nat' in words. */
char *
acl_nat_to_text(const struct acl_nat *nat)
{
    static const char *const kinds[] = { "none", "plain", "other", "any" };
    struct ds s = DS_EMPTY_INITIALIZER;

    ds_put_cstr(&s, kinds[nat->kind]);
    if (nat->kind == ACL_NAT_PLAIN || nat->kind == ACL_NAT_OTHER) {
        ds_put_char(&s, ' ');
        ipv6_format_mapped(&nat->external, &s);
    }
    if (nat->kind == ACL_NAT_PLAIN) {
        ds_put_char(&s, ' ');
        ipv6_format_mapped(&nat->logical, &s);
    }
    return ds_steal_cstr(&s);
}

/* Returns 'entry' in words: why it matters, for which way and ports, and what
 * it does. */
char *
acl_entry_to_text(const struct acl_entry *entry)
{
    struct ds s = DS_EMPTY_INITIALIZER;
    const char *port;
    size_t i;

    if (!entry->matters) {
        return xstrdup("nothing");
    }
    ds_put_format(&s, "%s %s", reason_to_string(entry->reason),
                  entry->leaving ? "out" : "in");
    SVEC_FOR_EACH (i, port, &entry->ports) {
        ds_put_format(&s, " %s", port);
    }
    ds_put_format(&s, ": %s", entry->token);
    return ds_steal_cstr(&s);
}

/* Returns 'snat' and 'nat', of the same flow, in words. */
char *
acl_snat_to_text(const struct acl_snat *snat, const struct acl_nat *nat)
{
    char *to = acl_nat_to_text(nat);
    char *text = xasprintf("%s%s%s, %s", !snat->changes ? "nothing"
                           : snat->ip4 && snat->ip6 ? "ip"
                           : snat->ip4 ? "ip4" : "ip6",
                           snat->outport ? " by " : "",
                           snat->outport ? snat->outport : "", to);

    free(to);
    return text;
}
