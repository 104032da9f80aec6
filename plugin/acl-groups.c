/* SPDX-License-Identifier: Apache-2.0 */
/* Port groups: which ports are in which.
 *
 * A flow says "@NAME".  Since OVN 20.09 the Southbound has a row for each
 * datapath with ports of the group, "KEY_NAME", and the flow means that of its
 * own datapath.  Before, there is one row for all, "NAME".
 *
 * Which of the two a row is, its name tells: no name in a match begins with a
 * digit, and every row with a key does. */

#include <config.h>

#include "plugin/acl-private.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "util.h"

/* Returns the group 'name', or NULL. */
static struct known_group *
find_group(const struct acl_private *private, const char *name)
{
    struct known_group *group;

    HMAP_FOR_EACH_WITH_HASH (group, node, hash_string(name, 0),
                             &private->groups) {
        if (!strcmp(group->name, name)) {
            return group;
        }
    }
    return NULL;
}

/* Returns what is known of the groups of 'port', or NULL. */
static struct known_membership *
find_membership(const struct acl_private *private, const char *port)
{
    struct known_membership *membership;

    HMAP_FOR_EACH_WITH_HASH (membership, node, hash_string(port, 0),
                             &private->memberships) {
        if (!strcmp(membership->port, port)) {
            return membership;
        }
    }
    return NULL;
}

/* Returns the names of the groups that 'port' is in, or NULL for none. */
const struct sset *
acl_groups_of(const struct acl_private *private, const char *port)
{
    const struct known_membership *membership = find_membership(private, port);

    return membership ? &membership->groups : NULL;
}

/* Adds 'port' to 'group'. */
static void
add_member(struct acl_private *private, struct known_group *group,
           const char *port)
{
    struct known_membership *membership = find_membership(private, port);

    sset_add(&group->ports, port);
    if (!membership) {
        membership = xmalloc(sizeof *membership);
        membership->port = xstrdup(port);
        sset_init(&membership->groups);
        hmap_insert(&private->memberships, &membership->node,
                    hash_string(port, 0));
    }
    sset_add(&membership->groups, group->name);
}

/* Notes that 'port' is not in 'group' any more, whose 'ports' are the
 * caller's. */
static void
remove_member(struct acl_private *private, const struct known_group *group,
              const char *port)
{
    struct known_membership *membership = find_membership(private, port);

    sset_find_and_delete(&membership->groups, group->name);
    if (sset_is_empty(&membership->groups)) {
        hmap_remove(&private->memberships, &membership->node);
        sset_destroy(&membership->groups);
        free(membership->port);
        free(membership);
    }
}

/* Returns what stands in front of the names of groups of 'dp', or NULL if that
 * is not known.  The caller frees it. */
static char *
group_prefix(const struct acl_private *private, const struct known_dp *dp)
{
    const struct sb_acl_datapath *datapath
        = (private->in
           ? sb_acl_find_datapath(private->in->view, &dp->uuid) : NULL);

    return (datapath ? xasprintf("%"PRId64"_", datapath->tunnel_key) : NULL);
}

/* Returns the term by which flows of 'dp' name 'group', or NULL if they do
 * not.  The caller frees it. */
char *
acl_group_term(const struct acl_private *private, const char *group,
               const struct known_dp *dp)
{
    char *term = NULL;

    if (!isdigit((unsigned char) group[0])) {
        return xasprintf("@%s", group);
    }

    char *prefix = group_prefix(private, dp);
    if (prefix && !strncmp(group, prefix, strlen(prefix))) {
        term = xasprintf("@%s", &group[strlen(prefix)]);
    }
    free(prefix);
    return term;
}

/* Has all ports in the group 'name', as in the Southbound, be settled anew. */
static void
touch_group(struct acl *acl, const char *name)
{
    const struct known_group *group = find_group(acl->private, name);
    const char *port;

    if (group) {
        SSET_FOR_EACH (port, &group->ports) {
            acl_touch_port(acl, port);
        }
    }
}

/* Has all ports that flows of 'dp' mean by 'term', "@NAME", be settled
 * anew. */
void
acl_groups_touch(struct acl *acl, const char *term, const struct known_dp *dp)
{
    char *prefix = group_prefix(acl->private, dp);

    touch_group(acl, &term[1]);
    if (prefix) {
        char *name = xasprintf("%s%s", prefix, &term[1]);
        touch_group(acl, name);
        free(name);
    }
    free(prefix);
}

/* Returns true if flows of 'dp' mean 'port', among others, by 'term', "@NAME",
 * as 'view' has it. */
bool
acl_port_is_in(const struct acl_private *private,
               const struct sb_acl_view *view, const char *port,
               const char *term, const struct known_dp *dp)
{
    const struct sset *groups = acl_groups_of(private, port);
    const struct sb_acl_datapath *datapath
        = sb_acl_find_datapath(view, &dp->uuid);

    if (!groups) {
        return false;
    } else if (sset_contains(groups, &term[1])) {
        return true;
    } else if (!datapath) {
        return false;
    }

    char *name = xasprintf("%"PRId64"_%s", datapath->tunnel_key, &term[1]);
    bool found = sset_contains(groups, name);
    free(name);
    return found;
}

/* Returns true if packets may come in by a port in the group 'name', as in the
 * Southbound.  Of a group that the view does not have, no port is such a
 * one. */
static bool
is_entrance(const struct acl_private *private, const char *name)
{
    const struct known_group *group = find_group(private, name);

    return group && group->entrance;
}

/* Returns true if packets may come in by a port that flows of 'dp' mean by
 * 'term', "@NAME" or the name of a port. */
bool
acl_term_is_entrance(const struct acl_private *private, const char *term,
                     const struct known_dp *dp)
{
    if (term[0] != '@') {
        return sset_contains(&private->in->view->entrances, term);
    }

    char *prefix = group_prefix(private, dp);
    char *name = xasprintf("%s%s", prefix ? prefix : "", &term[1]);
    bool found = is_entrance(private, &term[1]) || is_entrance(private, name);
    free(name);
    free(prefix);
    return found;
}

/* Makes 'ports' the members of 'group'. */
static void
set_members(struct acl *acl, struct known_group *group,
            const struct sset *ports)
{
    const char *port;

    SSET_FOR_EACH_SAFE (port, &group->ports) {
        if (!sset_contains(ports, port)) {
            acl_touch_port(acl, port);
            acl_event_membership(acl, group->name, port);
            remove_member(acl->private, group, port);
            sset_delete(&group->ports, SSET_NODE_FROM_NAME(port));
        }
    }
    SSET_FOR_EACH (port, ports) {
        if (!sset_contains(&group->ports, port)) {
            acl_touch_port(acl, port);
            acl_event_membership(acl, group->name, port);
            add_member(acl->private, group, port);
        }
    }
}

/* Frees 'group', which has no members. */
static void
free_group(struct acl_private *private, struct known_group *group)
{
    hmap_remove(&private->groups, &group->node);
    sset_destroy(&group->ports);
    free(group->name);
    free(group);
}

/* Brings 'acl' up to date with the port group 'name'. */
void
acl_group_update(struct acl *acl, const char *name)
{
    static const struct sset none = SSET_INITIALIZER(&none);
    struct acl_private *private = acl->private;
    const struct sb_port_group *row
        = sb_acl_find_port_group(private->in->view, name);
    struct known_group *group = find_group(private, name);

    if (row && !group) {
        group = xzalloc(sizeof *group);
        group->name = xstrdup(name);
        sset_init(&group->ports);
        hmap_insert(&private->groups, &group->node, hash_string(name, 0));
    }
    if (group) {
        bool entrance = row && row->entrance;

        if (group->entrance != entrance) {
            group->entrance = entrance;
            acl_dps_make_stale(private);
        }
        set_members(acl, group, row ? &row->ports : &none);
    }
    if (group && !row) {
        free_group(private, group);
    }
}

/* Brings 'acl' up to date with all port groups. */
void
acl_groups_update_all(struct acl *acl)
{
    struct sset names = SSET_INITIALIZER(&names);
    const struct known_group *group;
    const struct sb_port_group *row;
    const char *name;

    HMAP_FOR_EACH (group, node, &acl->private->groups) {
        sset_add(&names, group->name);
    }
    HMAP_FOR_EACH (row, node, &acl->private->in->view->port_groups) {
        sset_add(&names, row->name);
    }
    SSET_FOR_EACH (name, &names) {
        acl_group_update(acl, name);
    }
    sset_destroy(&names);
}

/* Frees all groups of 'private'. */
void
acl_groups_destroy(struct acl_private *private)
{
    struct known_group *group;
    const char *port;

    HMAP_FOR_EACH_SAFE (group, node, &private->groups) {
        SSET_FOR_EACH (port, &group->ports) {
            remove_member(private, group, port);
        }
        free_group(private, group);
    }
}
