/* SPDX-License-Identifier: Apache-2.0 */
/* A Southbound with ACLs, edited row by row. */

#include <config.h>

#include "tests/plugin/acl-bed.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "openvswitch/dynamic-string.h"
#include "plugin/desired.h"
#include "svec.h"
#include "util.h"
#include "uuid.h"

/* Makes 'bed' one without rows. */
void
acl_bed_init(struct acl_bed *bed)
{
    *bed = (struct acl_bed) { .last_flow = 0 };
    values_init(&bed->values);
    sb_acl_view_init(&bed->view);
    bed->view.complete = true;
    row_changes_init(&bed->bindings);
    bed->acl = acl_create();
}

/* Frees what 'bed' holds. */
void
acl_bed_destroy(struct acl_bed *bed)
{
    acl_destroy(bed->acl);
    row_changes_destroy(&bed->bindings);
    sb_acl_view_destroy(&bed->view);
    values_destroy(&bed->values);
}

/* For cmocka: makes '*state' a struct acl_bed. */
int
acl_bed_setup(void **state)
{
    struct acl_bed *bed = xmalloc(sizeof *bed);

    acl_bed_init(bed);
    *state = bed;
    return 0;
}

/* For cmocka: undoes acl_bed_setup(). */
int
acl_bed_teardown(void **state)
{
    acl_bed_destroy(*state);
    free(*state);
    return 0;
}

/* Returns what 'acl' of 'bed' is derived from. */
struct acl_inputs
acl_bed_inputs(const struct acl_bed *bed)
{
    return (struct acl_inputs) { &bed->values.sb, &bed->view };
}

/* Has 'acl' of 'bed' follow what changed. */
void
acl_bed_update(struct acl_bed *bed)
{
    struct acl_inputs inputs = acl_bed_inputs(bed);
    struct acl_changes changes = {
        .bindings = &bed->bindings, .view = &bed->view.changes };

    acl_update(bed->acl, &inputs, &changes);
    row_changes_clear(&bed->bindings);
    sb_acl_changes_clear(&bed->view.changes);
}

/* Returns the UUID of datapath 'datapath', as values_add_binding() makes
 * it. */
struct uuid
acl_bed_uuid(uint32_t datapath)
{
    return (struct uuid) { { 0, 0, 0, datapath } };
}

/* Has the view of 'bed' know 'datapath', whose tunnel key is the same number,
 * or not. */
void
acl_bed_set_datapath(struct acl_bed *bed, uint32_t datapath, bool exists)
{
    struct uuid uuid = acl_bed_uuid(datapath);
    struct sb_acl_datapath *row
        = CONST_CAST(struct sb_acl_datapath *,
                     sb_acl_find_datapath(&bed->view, &uuid));

    if (exists == (row != NULL)) {
        return;
    } else if (exists) {
        row = xmalloc(sizeof *row);
        row->uuid = uuid;
        row->tunnel_key = datapath;
        hmap_insert(&bed->view.datapaths, &row->node, uuid_hash(&uuid));
    } else {
        hmap_remove(&bed->view.datapaths, &row->node);
        free(row);
    }
    bed->view.changes.datapaths = true;
}

/* Has 'router_port' lead to the switch 'datapath', or nowhere if that is
 * 0. */
void
acl_bed_set_link(struct acl_bed *bed, const char *router_port,
                 uint32_t datapath)
{
    struct sb_acl_link *link
        = CONST_CAST(struct sb_acl_link *,
                     sb_acl_find_link(&bed->view, router_port));

    if (link) {
        hmap_remove(&bed->view.links, &link->node);
        free(link->router_port);
        free(link);
    }
    if (datapath) {
        link = xmalloc(sizeof *link);
        link->router_port = xstrdup(router_port);
        link->network = acl_bed_uuid(datapath);
        hmap_insert(&bed->view.links, &link->node,
                    hash_string(router_port, 0));
    }
    bed->view.changes.datapaths = true;
}

/* Makes the words of 'ports' those of the port group 'name'; NULL deletes
 * it. */
void
acl_bed_set_group(struct acl_bed *bed, const char *name, const char *ports)
{
    struct sb_port_group *group
        = CONST_CAST(struct sb_port_group *,
                     sb_acl_find_port_group(&bed->view, name));

    if (group) {
        hmap_remove(&bed->view.port_groups, &group->node);
        sb_port_group_destroy(group);
    }
    if (ports) {
        group = xzalloc(sizeof *group);
        group->name = xstrdup(name);
        sset_from_delimited_string(&group->ports, ports, " ");
        hmap_insert(&bed->view.port_groups, &group->node,
                    hash_string(name, 0));
    }
    sset_add(&bed->view.changes.groups, name);
}

/* Has packets come in by a port in the port group 'name', made if need be, or
 * not. */
void
acl_bed_set_group_entrance(struct acl_bed *bed, const char *name,
                           bool entrance)
{
    if (!sb_acl_find_port_group(&bed->view, name)) {
        acl_bed_set_group(bed, name, "");
    }
    CONST_CAST(struct sb_port_group *,
               sb_acl_find_port_group(&bed->view, name))->entrance = entrance;
    sset_add(&bed->view.changes.groups, name);
}

/* Has packets come in by 'port', or not. */
void
acl_bed_set_entrance(struct acl_bed *bed, const char *port, bool entrance)
{
    if (entrance) {
        sset_add(&bed->view.entrances, port);
    } else {
        sset_find_and_delete(&bed->view.entrances, port);
    }
    bed->view.changes.datapaths = true;
}

/* Makes the words of 'addresses' those of the address set 'name'; NULL deletes
 * it. */
void
acl_bed_set_addresses(struct acl_bed *bed, const char *name,
                      const char *addresses)
{
    struct sb_address_set *set
        = CONST_CAST(struct sb_address_set *,
                     sb_acl_find_address_set(&bed->view, name));

    if (set) {
        hmap_remove(&bed->view.address_sets, &set->node);
        sb_address_set_destroy(set);
    }
    if (addresses) {
        set = xmalloc(sizeof *set);
        set->name = xstrdup(name);
        sset_from_delimited_string(&set->addresses, addresses, " ");
        hmap_insert(&bed->view.address_sets, &set->node,
                    hash_string(name, 0));
    }
    sset_add(&bed->view.changes.sets, name);
}

/* Has the view of 'bed' know the groups of the port 'name', or not. */
void
acl_bed_set_port(struct acl_bed *bed, const char *name, bool known)
{
    if (known) {
        sset_add(&bed->view.ports, name);
    } else {
        sset_find_and_delete(&bed->view.ports, name);
    }
    sset_add(&bed->view.changes.ports, name);
}

/* Flows. */

/* Returns the UUID of 'flow'. */
static struct uuid
flow_uuid(uint32_t flow)
{
    return (struct uuid) { { flow, 1, 0, 0 } };
}

/* Deletes 'flow', if it exists. */
void
acl_bed_drop_flow(struct acl_bed *bed, uint32_t number)
{
    struct uuid uuid = flow_uuid(number);
    struct sb_acl_flow *flow
        = CONST_CAST(struct sb_acl_flow *,
                     sb_acl_find_flow(&bed->view, &uuid));

    if (flow) {
        hmap_remove(&bed->view.flows, &flow->node);
        sb_acl_flow_destroy(flow);
        row_changes_add(&bed->view.changes.flows, &uuid, UINT_MAX);
    }
}

/* Makes flow 'number' what the other arguments say; the words of 'datapaths'
 * are numbers in ascending order. */
void
acl_bed_set_flow(struct acl_bed *bed, uint32_t number, enum sb_acl_stage stage,
                 int priority, const char *datapaths, const char *match,
                 const char *actions)
{
    struct sb_acl_flow *flow = xzalloc(sizeof *flow);
    char *end;

    acl_bed_drop_flow(bed, number);
    flow->uuid = flow_uuid(number);
    flow->stage = stage;
    flow->priority = priority;
    flow->match = xstrdup(match);
    flow->actions = xstrdup(actions);
    while (datapaths[0]) {
        flow->datapaths = xrealloc(flow->datapaths,
                                   (flow->n_datapaths + 1)
                                   * sizeof *flow->datapaths);
        flow->datapaths[flow->n_datapaths++]
            = acl_bed_uuid(strtoul(datapaths, &end, 10));
        datapaths = end;
    }
    hmap_insert(&bed->view.flows, &flow->node, uuid_hash(&flow->uuid));
    row_changes_add(&bed->view.changes.flows, &flow->uuid, UINT_MAX);
}

/* Adds a flow and returns its number. */
uint32_t
acl_bed_add_flow(struct acl_bed *bed, enum sb_acl_stage stage, int priority,
                 uint32_t datapath, const char *match, const char *actions)
{
    char *text = xasprintf("%u", datapath);

    acl_bed_set_flow(bed, ++bed->last_flow, stage, priority, text, match,
                     actions);
    free(text);
    return bed->last_flow;
}

/* Adds an ACL with the priority of Neutron's rules that allows what 'match'
 * says. */
uint32_t
acl_bed_allow(struct acl_bed *bed, uint32_t datapath, const char *match)
{
    char *wrapped = xasprintf("reg0[7] == 1 && (%s)", match);
    uint32_t flow = acl_bed_add_flow(bed, SB_ACL_EVAL, 2002, datapath, wrapped,
                                     "reg8[16] = 1; reg0[1] = 1; next;");

    free(wrapped);
    return flow;
}

/* Adds an ACL with the priority of Neutron's default that drops what 'match'
 * says. */
uint32_t
acl_bed_drop(struct acl_bed *bed, uint32_t datapath, const char *match)
{
    char *wrapped = xasprintf("reg0[9] == 1 && (%s)", match);
    uint32_t flow = acl_bed_add_flow(bed, SB_ACL_EVAL, 2000, datapath, wrapped,
                                     "reg8[17] = 1; next;");

    free(wrapped);
    return flow;
}

/* Adds the flow that sends all packets of 'datapath' to conntrack. */
uint32_t
acl_bed_stateful(struct acl_bed *bed, uint32_t datapath)
{
    return acl_bed_add_flow(bed, SB_ACL_PRE, 100, datapath, "ip",
                            "reg0[0] = 1; next;");
}

/* Bindings. */

/* Notes that 'binding' changed, or goes. */
void
acl_bed_touch(struct acl_bed *bed, const struct sb_binding *binding)
{
    row_changes_add(&bed->bindings, &binding->uuid, SB_BINDING_PORT);
}

/* Adds the port of a VM here, whose groups the view knows. */
struct sb_binding *
acl_bed_add_vm(struct acl_bed *bed, const char *port, uint32_t datapath,
               const char *mac)
{
    struct sb_binding *binding = values_add_vm(&bed->values, port, datapath,
                                               mac);

    acl_bed_touch(bed, binding);
    acl_bed_set_port(bed, port, true);
    return binding;
}

/* Removes the port of a VM. */
void
acl_bed_remove_vm(struct acl_bed *bed, const char *port)
{
    acl_bed_touch(bed, values_binding(&bed->values, port));
    values_remove_binding(&bed->values, port);
    acl_bed_set_port(bed, port, false);
}

/* Results. */

/* Returns 'port' as a line with its reason, and a line for each rule that
 * tells tier, priority, action, flags and match.  The caller frees it. */
char *
acl_bed_dump_port(const struct acl_port *port)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    ds_put_format(&ds, "%s %s", port->name,
                  port->reason ? reason_to_string(port->reason) : "enforced");
    if (port->token) {
        ds_put_format(&ds, " \"%s\" %d", port->token, port->column);
    }
    ds_put_cstr(&ds, port->set && port->set->stateful ? " stateful\n" : "\n");
    for (size_t i = 0; port->set && i < port->set->n_rules; i++) {
        const struct acl_rule *rule = port->set->rules[i];

        ds_put_format(&ds, "  %d %d %s", rule->tier, rule->priority,
                      acl_action_to_string(rule->action));
        if (rule->flags) {
            ds_put_format(&ds, " flags %u", rule->flags);
        }
        ds_put_format(&ds, " %s\n", rule->match);
    }
    return ds_steal_cstr(&ds);
}

/* Returns all ports of 'acl' as text, by name.  The caller frees it. */
char *
acl_bed_dump(const struct acl *acl)
{
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    const struct acl_port *port;

    HMAP_FOR_EACH (port, node, &acl->ports) {
        svec_add_nocopy(&lines, acl_bed_dump_port(port));
    }
    svec_sort(&lines);
    char *text = svec_join(&lines, "", "");
    svec_destroy(&lines);
    return text;
}

/* Judges 'ep' in 'bed'. */
const struct acl_set *
acl_bed_judge(const struct acl_bed *bed, const struct desired_endpoint *ep,
              enum reason *reason)
{
    struct acl_inputs inputs = acl_bed_inputs(bed);

    return acl_judge(bed->acl, &inputs, ep, reason);
}
