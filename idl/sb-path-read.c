/* SPDX-License-Identifier: Apache-2.0 */
/* Reads one row of the replica for sb-path.c. */
#include <config.h>

#include "idl/sb-path-private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "ovsdb-idl.h"
#include "packets.h"
#include "smap.h"
#include "util.h"
#include "uuid.h"

#include "idl/sb-db-acl.h"
#include "idl/sb-idl.h"

/* What the actions of a router's flows have that ask for the length of a
 * packet, and that tell the sender of one that is too long. */
#define ASKS "check_pkt_larger("
#define TELLS ".frag_mtu = "

/* Frees 'row', which is in no collection. */
void
sb_path_row_destroy(struct path_row *row)
{
    if (row) {
        free(row->text);
        free(row->datapaths);
        free(row->refs);
        free(row->inport);
        free(row->outport);
        free(row);
    }
}

/* Returns what 'flow' is.  One that only marks packets (DSCP) is nothing; see
 * sb-db.h. */
static enum path_kind
flow_kind(const struct sbrec_logical_flow *flow)
{
    static const char *const ways[] = { "lr_in_ip_routing", "lr_in_policy" };
    const char *name = smap_get_def(&flow->external_ids, "stage-name", "");

    if (strstr(flow->actions, "set_meter")) {
        return PATH_METER;
    } else if (strstr(flow->actions, ASKS) || strstr(flow->actions, TELLS)) {
        return PATH_LENGTH;
    }
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        if (!strncmp(name, ways[i], strlen(ways[i]))) {
            return PATH_FLOW;
        }
    }
    return PATH_OTHER;
}

/* Returns what 'match' says is equal to the field 'field': what follows after
 * "==", or NULL unless that is there exactly once. */
static const char *
find_value(const char *match, const char *field)
{
    const char *at = strstr(match, field);

    if (!at || (at > match && (isalnum((unsigned char) at[-1])
                               || strchr("._", at[-1])))) {
        return NULL;
    }
    at += strlen(field);
    if (strstr(at, field)) {
        return NULL;
    }
    at += strspn(at, " ");
    return strncmp(at, "==", 2) ? NULL : at + 2 + strspn(at + 2, " ");
}

/* Returns the name of the port that 'match' says 'field' is, or NULL. */
static char *
find_port(const char *match, const char *field)
{
    const char *value = find_value(match, field);
    const char *end = value && *value == '"' ? strchr(value + 1, '"') : NULL;

    return end ? xmemdup0(value + 1, end - value - 1) : NULL;
}

/* Stores into '*ip' the address that 'text' is, if it is one; leaves it alone
 * otherwise. */
static void
parse_address(const char *text, struct in6_addr *ip)
{
    struct in6_addr ip6;
    ovs_be32 ip4;

    if (ip_parse(text, &ip4)) {
        *ip = in6_addr_mapped_ipv4(ip4);
    } else if (ipv6_parse(text, &ip6)) {
        *ip = ip6;
    }
}

/* Stores into '*ip' the address that 'match' says 'field' is, if that is one;
 * leaves it alone otherwise. */
static void
find_address(const char *match, const char *field, struct in6_addr *ip)
{
    const char *value = find_value(match, field);
    char text[INET6_ADDRSTRLEN];
    size_t n;

    if (!value) {
        return;
    }
    n = strspn(value, "0123456789abcdefABCDEF.:");
    if (n < sizeof text && value[n] != '/') {
        ovs_strlcpy(text, value, n + 1);
        parse_address(text, ip);
    }
}

/* Finds out which packets 'row' meters, whose match is 'match'.  Of anything
 * but a plain conjunction: all. */
static void
read_meter(struct path_row *row, const char *match)
{
    if (strpbrk(match, "!{") || strstr(match, "||")) {
        return;
    }
    row->inport = find_port(match, "inport");
    row->outport = find_port(match, "outport");
    find_address(match, "ip4.src", &row->src);
    find_address(match, "ip6.src", &row->src);
    find_address(match, "ip4.dst", &row->dst);
    find_address(match, "ip6.dst", &row->dst);
}

/* Where rows are found. */

/* Returns the hash of a reference of 'class' to a row of 'datapath', about
 * 'port' and 'address'. */
uint32_t
sb_path_ref_hash(const struct uuid *datapath, enum path_ref_class class,
                 const char *port, const struct in6_addr *address)
{
    return hash_bytes(address, sizeof *address,
                      hash_string(port, uuid_hash(datapath) + class));
}

/* Has 'row' be found, in each of its datapaths, by 'class', 'port' and
 * 'address'. */
static void
add_refs(struct path_row *row, enum path_ref_class class, const char *port,
         const struct in6_addr *address)
{
    row->refs = xrealloc(row->refs, ((row->n_refs + row->n_datapaths)
                                     * sizeof *row->refs));
    for (size_t i = 0; i < row->n_datapaths; i++) {
        struct path_ref *ref = &row->refs[row->n_refs++];

        ref->row = row;
        ref->node.hash = sb_path_ref_hash(&row->datapaths[i], class, port,
                                          address);
    }
}

/* Has 'row', which meters packets at 'port', be found there: also by
 * 'address', if it is one. */
static void
add_port_refs(struct path_row *row, const char *port,
              const struct in6_addr *address)
{
    if (!port) {
        return;
    } else if (ipv6_addr_is_set(address)) {
        add_refs(row, PATH_REF_SOME, port, &in6addr_any);
        add_refs(row, PATH_REF_ADDRESS, port, address);
    } else {
        add_refs(row, PATH_REF_PORT, port, &in6addr_any);
    }
}

/* Finds out how 'row' is found. */
static void
find_refs(struct path_row *row)
{
    if (row->kind == PATH_LENGTH) {
        add_refs(row, PATH_REF_LENGTH, "", &in6addr_any);
    } else if (row->kind == PATH_METER) {
        add_port_refs(row, row->inport, &row->src);
        add_port_refs(row, row->outport, &row->dst);
        if (!row->inport && !row->outport) {
            add_refs(row, PATH_REF_PORT, "", &in6addr_any);
        }
    }
}

/* Rows. */

/* Finds out how long packets may be for 'row', a flow with 'match' and
 * 'actions'. */
static void
read_length(struct path_row *row, const char *match, const char *actions)
{
    const char *asks = strstr(actions, ASKS);
    const char *tells = strstr(actions, TELLS);

    row->inport = find_port(match, "inport");
    row->outport = find_port(match, "outport");
    if (asks && (!ovs_scan(asks, ASKS "%d)", &row->larger)
                 || row->larger <= 0)) {
        row->larger = -1;
    }
    if (tells && !ovs_scan(tells, TELLS "%d;", &row->told)) {
        row->told = 0;
    }
}

/* Returns what the logical flow 'uuid' of 'idl' says, or NULL if it is not
 * there or of no interest to 'reader'. */
struct path_row *
sb_path_read_flow(const struct sb_acl_reader *reader,
                  const struct ovsdb_idl *idl, const struct uuid *uuid)
{
    const struct sbrec_logical_flow *flow
        = sbrec_logical_flow_get_for_uuid(idl, uuid);
    enum path_kind kind = flow ? flow_kind(flow) : PATH_OTHER;
    struct uuid *datapaths;
    size_t n_datapaths;

    if (kind == PATH_OTHER
        || !(n_datapaths = sb_acl_reader_get_datapaths(reader, flow,
                                                       &datapaths))) {
        return NULL;
    }

    struct path_row *row = xmalloc(sizeof *row);
    *row = (struct path_row) {
        .uuid = *uuid,
        .kind = kind,
        .text = xasprintf("%"PRId64" %s -> %s", flow->priority, flow->match,
                          flow->actions),
        .datapaths = datapaths,
        .n_datapaths = n_datapaths,
    };
    if (kind == PATH_METER) {
        read_meter(row, flow->match);
    } else if (kind == PATH_LENGTH) {
        read_length(row, flow->match, flow->actions);
    }
    find_refs(row);
    return row;
}

/* Returns a new row of 'datapath', which says 'text' and takes that, or NULL
 * if 'reader' is not interested in that datapath. */
static struct path_row *
mac_row(const struct sb_acl_reader *reader, const struct uuid *uuid,
        enum path_kind kind, const struct uuid *datapath, char *text)
{
    if (!sb_acl_reader_has_datapath(reader, datapath)) {
        free(text);
        return NULL;
    }

    struct path_row *row = xmalloc(sizeof *row);
    *row = (struct path_row) {
        .uuid = *uuid,
        .kind = kind,
        .text = text,
        .datapaths = xmemdup(datapath, sizeof *datapath),
        .n_datapaths = 1,
    };
    return row;
}

/* Returns what the MAC binding 'uuid' of 'idl' says, or NULL if it is not
 * there or of no interest to 'reader'. */
struct path_row *
sb_path_read_mac(const struct sb_acl_reader *reader,
                 const struct ovsdb_idl *idl, const struct uuid *uuid)
{
    const struct sbrec_static_mac_binding *fixed
        = sbrec_static_mac_binding_get_for_uuid(idl, uuid);
    const struct sbrec_mac_binding *learned
        = sbrec_mac_binding_get_for_uuid(idl, uuid);

    if (learned) {
        return mac_row(reader, uuid, PATH_LEARNED_MAC, &learned->datapath,
                       xasprintf("%s %s %s", learned->logical_port,
                                 learned->ip, learned->mac));
    }
    return fixed ? mac_row(reader, uuid, PATH_STATIC_MAC, &fixed->datapath,
                           xasprintf("%s %s %s %d", fixed->logical_port,
                                     fixed->ip, fixed->mac,
                                     fixed->override_dynamic_mac))
                 : NULL;
}
