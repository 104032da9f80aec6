/* SPDX-License-Identifier: Apache-2.0 */
/* Which rows of sb-path.c are about packets between a port and the outside.
 *
 * Those cross the port's own network and, if a router is linked to that, or
 * translates the address, the router and the networks in front of it:
 *
 *     port -- network -- router port [router] router port -- door -- network
 *
 * How things hang together follows from the scope and from the addresses that
 * are translated.  It is found out once for each state of those, and rows are
 * found by the hash of what they are about: there may be thousands of
 * addresses, and one with a meter of its own for each of them. */
#include <config.h>

#include "idl/sb-path.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "packets.h"
#include "util.h"
#include "uuid.h"

#include "idl/nat-fact.h"
#include "idl/sb-db.h"
#include "idl/sb-db-scope.h"
#include "idl/sb-path-private.h"

/* What a frame has before the IP packet, without and with a tag. */
#define L2_LEN 14
#define TAGGED_L2_LEN 18

/* How long a packet may be where that is not known: as long as any host takes
 * it. */
#define SAFE_MTU 576

/* A port of a switch or a router that leads to the other. */
struct way_port {
    struct hmap_node name_node; /* In struct sb_ways 'names'. */
    struct hmap_node peer_node; /* In struct sb_ways 'peers'. */
    const struct sb_scope_row *row; /* The port. */
};

/* A datapath with such ports, or with localnet ports. */
struct way_network {
    struct hmap_node node;      /* In struct sb_ways, by hash of 'uuid'. */
    struct uuid uuid;           /* Datapath_Binding row. */
    struct sset localnets;      /* Names of its localnet ports. */
    struct sset entrances;      /* Those, and of ports that lead to routers. */
    struct sset peers;          /* Ports of routers that these lead to. */
};

/* An address that is translated. */
struct way_fact {
    struct hmap_node node;      /* In struct sb_ways, by hash of the IP. */
    const struct nat_fact *fact; /* Where. */
};

/* How things hang together. */
struct sb_ways {
    bool scope_known;           /* What follows was found out. */
    unsigned int scope_seqno;   /* From this state of the scope. */
    struct hmap networks;       /* Of struct way_network. */
    struct hmap names;          /* Of struct way_port, by hash of its name. */
    struct hmap peers;          /* The same, by hash of the peer. */
    bool facts_known;           /* 'facts' is up to date. */
    struct hmap facts;          /* Of struct way_fact. */
};

/* Creates and returns what knows nothing. */
struct sb_ways *
sb_ways_create(void)
{
    struct sb_ways *ways = xzalloc(sizeof *ways);

    hmap_init(&ways->networks);
    hmap_init(&ways->names);
    hmap_init(&ways->peers);
    hmap_init(&ways->facts);
    return ways;
}

/* Forgets what 'ways' has of the scope. */
static void
clear_scope(struct sb_ways *ways)
{
    struct way_network *network;
    struct way_port *port;

    HMAP_FOR_EACH_POP (network, node, &ways->networks) {
        sset_destroy(&network->localnets);
        sset_destroy(&network->entrances);
        sset_destroy(&network->peers);
        free(network);
    }
    hmap_clear(&ways->peers);
    HMAP_FOR_EACH_POP (port, name_node, &ways->names) {
        free(port);
    }
}

/* Forgets the addresses of 'ways'. */
static void
clear_facts(struct sb_ways *ways)
{
    struct way_fact *fact;

    HMAP_FOR_EACH_POP (fact, node, &ways->facts) {
        free(fact);
    }
}

/* Destroys 'ways'. */
void
sb_ways_destroy(struct sb_ways *ways)
{
    clear_scope(ways);
    clear_facts(ways);
    hmap_destroy(&ways->networks);
    hmap_destroy(&ways->names);
    hmap_destroy(&ways->peers);
    hmap_destroy(&ways->facts);
    free(ways);
}

/* Notes in 'path' that the addresses that routers translate changed. */
void
sb_path_note_facts(struct sb_path *path)
{
    path->ways->facts_known = false;
}

/* Finding out. */

/* Returns the network 'uuid' of 'ways', or NULL. */
static struct way_network *
find_network(const struct sb_ways *ways, const struct uuid *uuid)
{
    struct way_network *network;

    HMAP_FOR_EACH_WITH_HASH (network, node, uuid_hash(uuid),
                             &ways->networks) {
        if (uuid_equals(&network->uuid, uuid)) {
            return network;
        }
    }
    return NULL;
}

/* Returns the network 'uuid' of 'ways', a new one if need be. */
static struct way_network *
get_network(struct sb_ways *ways, const struct uuid *uuid)
{
    struct way_network *network = find_network(ways, uuid);

    if (!network) {
        network = xzalloc(sizeof *network);
        network->uuid = *uuid;
        sset_init(&network->localnets);
        sset_init(&network->entrances);
        sset_init(&network->peers);
        hmap_insert(&ways->networks, &network->node, uuid_hash(uuid));
    }
    return network;
}

/* Adds to 'ways' the port 'row', which may be of a router. */
static void
add_port(struct sb_ways *ways, const struct sb_scope_row *row)
{
    struct way_port *port = xzalloc(sizeof *port);

    port->row = row;
    hmap_insert(&ways->names, &port->name_node, hash_string(row->name, 0));
    if (row->peer) {
        hmap_insert(&ways->peers, &port->peer_node,
                    hash_string(row->peer, 0));
    }
}

/* Adds to 'ways' what 'row' says. */
static void
add_row(struct sb_ways *ways, const struct sb_scope_row *row)
{
    bool leads = row->role == SB_ROLE_PATCH || row->role == SB_ROLE_UPLINK;

    if (row->role == SB_ROLE_LOCALNET || leads) {
        struct way_network *network = get_network(ways, &row->datapath);

        sset_add(&network->entrances, row->name);
        if (!leads) {
            sset_add(&network->localnets, row->name);
        } else if (row->peer) {
            sset_add(&network->peers, row->peer);
        }
    }
    if (row->role != SB_ROLE_LOCALNET && row->role != SB_ROLE_VIF) {
        add_port(ways, row);
    }
}

/* Returns how things hang together for 'query', as of now. */
static const struct sb_ways *
get_ways(const struct sb_path_query *query)
{
    struct sb_ways *ways = query->path->ways;
    const struct sb_scope_row *row;
    const struct nat_fact *fact;

    if (!ways->scope_known || ways->scope_seqno != query->scope->seqno) {
        clear_scope(ways);
        HMAP_FOR_EACH (row, node, &query->scope->rows) {
            add_row(ways, row);
        }
        ways->scope_known = true;
        ways->scope_seqno = query->scope->seqno;
    }
    if (!ways->facts_known) {
        clear_facts(ways);
        HMAP_FOR_EACH (fact, node, &query->view->facts) {
            struct way_fact *known = xmalloc(sizeof *known);

            known->fact = fact;
            hmap_insert(&ways->facts, &known->node,
                        hash_bytes(&fact->ip, sizeof fact->ip, 0));
        }
        ways->facts_known = true;
    }
    return ways;
}

/* Calls 'cb' with 'aux' for each router port at which 'external' is translated
 * as far as 'ways' knows, until that returns true.  Returns true then. */
static bool
any_router_port(const struct sb_ways *ways, const struct in6_addr *external,
                bool (*cb)(const struct sb_ways *, const char *router_port,
                           void *aux),
                void *aux)
{
    const struct way_fact *known;

    if (!external) {
        return false;
    }
    HMAP_FOR_EACH_WITH_HASH (known, node,
                             hash_bytes(external, sizeof *external, 0),
                             &ways->facts) {
        if (ipv6_addr_equals(&known->fact->ip, external)
            && cb(ways, known->fact->router_port, aux)) {
            return true;
        }
    }
    return false;
}

/* Likewise, for each door to 'router_port': the port of a switch that leads
 * there. */
static bool
any_door(const struct sb_ways *ways, const char *router_port,
         bool (*cb)(const struct sb_ways *, const struct sb_scope_row *door,
                    void *aux),
         void *aux)
{
    const struct way_port *port;

    HMAP_FOR_EACH_WITH_HASH (port, peer_node, hash_string(router_port, 0),
                             &ways->peers) {
        const struct sb_scope_row *row = port->row;

        if ((row->role == SB_ROLE_PATCH || row->role == SB_ROLE_UPLINK)
            && !strcmp(row->peer, router_port) && cb(ways, row, aux)) {
            return true;
        }
    }
    return false;
}

/* Meters. */

/* Returns true if 'row' belongs to 'datapath'. */
static bool
has_datapath(const struct path_row *row, const struct uuid *datapath)
{
    for (size_t i = 0; i < row->n_datapaths; i++) {
        if (uuid_equals(&row->datapaths[i], datapath)) {
            return true;
        }
    }
    return false;
}

/* Packets whose meters are looked for. */
struct meter_query {
    const struct sb_path *path; /* What is known. */
    const struct uuid *network; /* The network that they cross, */
    const struct sset *entrances; /* by one of these ports */
    const char *port;           /* and this. */
    const struct in6_addr *ip;  /* Their address there: 'port' is a router's
                                 * door.  NULL: it is the VM's. */
};

/* Returns true if 'port' is NULL or one that the packets of 'query' use. */
static bool
uses_port(const struct meter_query *query, const char *port)
{
    return (!port || !strcmp(port, query->port)
            || sset_contains(query->entrances, port));
}

/* Returns true if 'address' is one, and not 'ip'. */
static bool
is_other(const struct in6_addr *address, const struct in6_addr *ip)
{
    return (ipv6_addr_is_set(address)
            && !ipv6_addr_equals(address, ip));
}

/* Returns true if 'row' can meter the packets of 'query'. */
static bool
meters(const struct path_row *row, const struct meter_query *query)
{
    if (row->kind != PATH_METER || !has_datapath(row, query->network)
        || !uses_port(query, row->inport)
        || !uses_port(query, row->outport)) {
        return false;
    } else if (!query->ip) {
        return true;
    }

    bool from = nullable_string_is_equal(row->inport, query->port);
    bool to = nullable_string_is_equal(row->outport, query->port);
    bool not_src = is_other(&row->src, query->ip);
    bool not_dst = is_other(&row->dst, query->ip);

    return !(from && not_src) && !(to && not_dst) && !(not_src && not_dst);
}

/* Returns true if a row that is found by 'class', 'port' and 'address' can
 * meter the packets of 'query'. */
static bool
any_meters(const struct meter_query *query, enum path_ref_class class,
           const char *port, const struct in6_addr *address)
{
    uint32_t hash = sb_path_ref_hash(query->network, class, port, address);
    const struct path_ref *ref;

    HMAP_FOR_EACH_WITH_HASH (ref, node, hash, &query->path->refs) {
        if (meters(ref->row, query)) {
            return true;
        }
    }
    return false;
}

/* Returns true if a row about 'port' can meter the packets of 'query'. */
static bool
any_meters_at(const struct meter_query *query, const char *port)
{
    return (any_meters(query, PATH_REF_PORT, port, &in6addr_any)
            || any_meters(query, PATH_REF_SOME, port, &in6addr_any));
}

/* Returns true if a row can meter the packets of 'query'. */
static bool
is_metered(const struct meter_query *query)
{
    const char *entrance;

    if (any_meters(query, PATH_REF_PORT, "", &in6addr_any)
        || any_meters(query, PATH_REF_PORT, query->port, &in6addr_any)
        || (query->ip
            ? any_meters(query, PATH_REF_ADDRESS, query->port, query->ip)
            : any_meters(query, PATH_REF_SOME, query->port, &in6addr_any))) {
        return true;
    }
    SSET_FOR_EACH (entrance, query->entrances) {
        if (any_meters_at(query, entrance)) {
            return true;
        }
    }
    return false;
}

/* What is asked about the doors of an address. */
struct door_query {
    const struct sb_path_query *query; /* The port. */
    bool any;                   /* There is one. */
};

/* Returns true if OVN meters packets in front of 'door'.  'aux' is a struct
 * door_query. */
static bool
is_metered_at_door(const struct sb_ways *ways,
                   const struct sb_scope_row *door, void *aux)
{
    struct door_query *doors = aux;

    doors->any = true;
    return is_metered(&(struct meter_query) {
        .path = doors->query->path,
        .network = &door->datapath,
        .entrances = &find_network(ways, &door->datapath)->localnets,
        .port = door->name,
        .ip = doors->query->external,
    });
}

/* Returns true if OVN meters packets in front of 'router_port'.  'aux' is a
 * struct door_query. */
static bool
is_metered_before(const struct sb_ways *ways, const char *router_port,
                  void *aux)
{
    return any_door(ways, router_port, is_metered_at_door, aux);
}

/* Returns true if 'db' knows the paths of packets. */
bool
sb_db_has_paths(const struct sb_db *db)
{
    return sb_db_path_query(db, NULL, NULL).path->filled;
}

/* Returns true if OVN meters packets between 'b', of the view of 'db', and the
 * outside: on its own network, or where it is known as 'external'.  On a
 * network with a localnet port they come and go by that, unless the address is
 * a router's. */
bool
sb_db_is_metered(const struct sb_db *db, const struct sb_binding *b,
                 const struct in6_addr *external)
{
    static const struct sset none = SSET_INITIALIZER(&none);
    struct sb_path_query query = sb_db_path_query(db, b, external);
    const struct sb_ways *ways = get_ways(&query);
    const struct way_network *network = find_network(ways, &b->datapath);
    struct door_query doors = { &query, false };

    return (any_router_port(ways, external, is_metered_before, &doors)
            || is_metered(&(struct meter_query) {
                .path = query.path,
                .network = &b->datapath,
                .entrances = (!network ? &none
                              : !sset_is_empty(&network->localnets)
                                && !doors.any ? &network->localnets
                              : &network->entrances),
                .port = b->logical_port,
            }));
}

/* The way. */

/* Adds 'uuid' as text to 'datapaths'. */
static void
add_datapath(struct sset *datapaths, const struct uuid *uuid)
{
    char text[UUID_LEN + 1];

    snprintf(text, sizeof text, UUID_FMT, UUID_ARGS(uuid));
    sset_add(datapaths, text);
}

/* Adds to 'datapaths' that of the port 'name', if 'ways' knows it. */
static void
add_datapath_of(const struct sb_ways *ways, const char *name,
                struct sset *datapaths)
{
    const struct way_port *port;

    HMAP_FOR_EACH_WITH_HASH (port, name_node, hash_string(name, 0),
                             &ways->names) {
        if (!strcmp(port->row->name, name)) {
            add_datapath(datapaths, &port->row->datapath);
        }
    }
}

/* Adds to 'datapaths' the router with 'router_port', if 'ways' knows it.  Of a
 * port whose gateway is here perhaps only that is known. */
static void
add_router(const struct sb_ways *ways, const char *router_port,
           struct sset *datapaths)
{
    char *gateway = xasprintf("cr-%s", router_port);

    add_datapath_of(ways, router_port, datapaths);
    add_datapath_of(ways, gateway, datapaths);
    free(gateway);
}

/* Adds the network of 'door' to 'datapaths_', a struct sset. */
static bool
add_front(const struct sb_ways *ways OVS_UNUSED,
          const struct sb_scope_row *door, void *datapaths_)
{
    add_datapath(datapaths_, &door->datapath);
    return false;
}

/* Adds the router with 'router_port', and the networks in front of that, to
 * 'datapaths_', a struct sset. */
static bool
add_translator(const struct sb_ways *ways, const char *router_port,
               void *datapaths_)
{
    add_router(ways, router_port, datapaths_);
    any_door(ways, router_port, add_front, datapaths_);
    return false;
}

/* Adds to 'datapaths' all that packets of 'query' may cross. */
static void
find_way(const struct sb_path_query *query, struct sset *datapaths)
{
    const struct sb_ways *ways = get_ways(query);
    const struct way_network *network
        = find_network(ways, &query->binding->datapath);
    const char *router_port;

    add_datapath(datapaths, &query->binding->datapath);
    if (network) {
        SSET_FOR_EACH (router_port, &network->peers) {
            add_router(ways, router_port, datapaths);
        }
    }
    any_router_port(ways, query->external, add_translator, datapaths);
}

/* Returns true if packets of 'b' and 'external' may cross one of 'datapaths',
 * see sb-db.h. */
bool
sb_db_is_path_of(const struct sb_db *db, const struct sb_binding *b,
                 const struct in6_addr *external,
                 const struct sset *datapaths)
{
    struct sb_path_query query = sb_db_path_query(db, b, external);
    struct sset way = SSET_INITIALIZER(&way);
    const char *datapath;
    bool concerned = false;

    find_way(&query, &way);
    SSET_FOR_EACH (datapath, &way) {
        concerned = concerned || sset_contains(datapaths, datapath);
    }
    sset_destroy(&way);
    return concerned;
}

/* Length. */

/* Returns true if a flow of 'datapath' in 'path' tells senders to send packets
 * of 'length' at most. */
static bool
is_told(const struct sb_path *path, const struct uuid *datapath, int length)
{
    uint32_t hash = sb_path_ref_hash(datapath, PATH_REF_LENGTH, "",
                                     &in6addr_any);
    const struct path_ref *ref;

    HMAP_FOR_EACH_WITH_HASH (ref, node, hash, &path->refs) {
        if (ref->row->told == length && has_datapath(ref->row, datapath)) {
            return true;
        }
    }
    return false;
}

/* Returns how long packets may be for 'row', which asks for the length of
 * frames, at 'datapath' of 'path'.  northd counts a tag if the network in
 * front has one, and always did before OVN 22.12; what it tells senders says
 * which. */
static int
row_mtu(const struct sb_path *path, const struct uuid *datapath,
        const struct path_row *row)
{
    if (row->larger < 0) {
        return SAFE_MTU;
    }
    return MAX(1, row->larger - (is_told(path, datapath,
                                         row->larger - L2_LEN)
                                 ? L2_LEN : TAGGED_L2_LEN));
}

/* Returns how long packets may be at 'datapath' of 'path', or 0 for any
 * length.  Looks only at what is about 'ports', unless that is NULL, or about
 * any port. */
static int
datapath_mtu(const struct sb_path *path, const struct uuid *datapath,
             const struct sset *ports)
{
    uint32_t hash = sb_path_ref_hash(datapath, PATH_REF_LENGTH, "",
                                     &in6addr_any);
    const struct path_ref *ref;
    int least = 0;

    HMAP_FOR_EACH_WITH_HASH (ref, node, hash, &path->refs) {
        const struct path_row *row = ref->row;
        const char *port = row->outport ? row->outport : row->inport;

        if (row->larger && has_datapath(row, datapath)
            && (!port || !ports || sset_contains(ports, port))) {
            int mtu = row_mtu(path, datapath, row);

            least = least ? MIN(least, mtu) : mtu;
        }
    }
    return least;
}

/* Returns true.  To be called for a router port. */
static bool
found(const struct sb_ways *ways OVS_UNUSED,
      const char *router_port OVS_UNUSED, void *aux OVS_UNUSED)
{
    return true;
}

/* Returns the ports of routers whose limits matter to 'query', or NULL if
 * those of all on the way do.  A VM on a network with a localnet port, whose
 * address is not translated, has no use for a router but to come back to that
 * network. */
static const struct sset *
limiting_ports(const struct sb_path_query *query)
{
    const struct sb_ways *ways = get_ways(query);
    const struct way_network *network
        = find_network(ways, &query->binding->datapath);

    return (network && !sset_is_empty(&network->localnets)
            && !any_router_port(ways, query->external, found, NULL)
            ? &network->peers : NULL);
}

/* Returns how long packets of 'b' and 'external' may be, see sb-db.h. */
int
sb_db_path_mtu(const struct sb_db *db, const struct sb_binding *b,
               const struct in6_addr *external)
{
    struct sb_path_query query = sb_db_path_query(db, b, external);
    const struct sset *ports = limiting_ports(&query);
    struct sset way = SSET_INITIALIZER(&way);
    const char *text;
    int least = 0;

    find_way(&query, &way);
    SSET_FOR_EACH (text, &way) {
        struct uuid datapath;

        uuid_from_string(&datapath, text);
        int mtu = datapath_mtu(query.path, &datapath, ports);
        if (mtu) {
            least = least ? MIN(least, mtu) : mtu;
        }
    }
    sset_destroy(&way);
    return least;
}
