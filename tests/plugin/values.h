/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the values that the derivation depends on: settings, the local
 * database, the Southbound, devices.  No database and no kernel is asked. */
#ifndef TESTS_PLUGIN_VALUES_H
#define TESTS_PLUGIN_VALUES_H 1

#include <stdbool.h>
#include <stdint.h>
#include "idl/ovs-db.h"
#include "idl/sb-db.h"
#include "openvswitch/hmap.h"
#include "plugin/datapath.h"
#include "plugin/netdevs.h"
#include "plugin/settings.h"
#include "smap.h"
#include "sset.h"

struct desired;
struct desired_inputs;
struct nat_fact;
struct problems;

/* A chassis with all that it knows. */
struct values {
    struct smap ids;            /* Open_vSwitch.external_ids. */
    struct settings settings;   /* Made from 'ids'. */
    struct ovs_view ovs;        /* Local database. */
    struct sb_view sb;          /* Southbound. */
    struct hmap sb_facts;       /* Of struct nat_fact, from its flows. */
    struct hmap nb_facts;       /* Likewise from the Northbound. */
    struct hmap devices;        /* Of struct netdev_info. */
    struct sset attached;       /* As struct desired_inputs has them. */
    struct sset foreign;
    struct sset native_failed;
    struct sset port_failed;
    int last_ifindex;           /* Index of the newest device. */
    uint32_t last_row;          /* Number of the newest binding. */
};

void values_init(struct values *);
void values_init_cloud(struct values *);
void values_destroy(struct values *);
int values_setup(void **state);
int values_teardown(void **state);
void values_set(struct values *, const char *key, const char *value);

struct netdev_info *values_add_device(struct values *, const char *name,
                                      const char *kind);
struct netdev_info *values_device(const struct values *, const char *name);
void values_remove_device(struct values *, const char *name);

void values_add_bridge(struct values *, const char *name, bool userspace);
void values_add_port(struct values *, const char *bridge, const char *device,
                     const char *type, const char *managed);
void values_plug(struct values *, const char *bridge, const char *localnet);
void values_unplug(struct values *, const char *localnet);
struct ovs_iface *values_iface(const struct values *, const char *device);
void values_add_managed_port(struct values *, const char *bridge);

struct sb_binding *values_add_binding(struct values *, const char *type,
                                      const char *port, uint32_t datapath);
struct sb_binding *values_binding(const struct values *, const char *port);
void values_remove_binding(struct values *, const char *port);
void values_drop_binding(struct values *, struct sb_binding *);
struct sb_binding *values_add_localnet(struct values *, const char *port,
                                       const char *network, uint32_t datapath,
                                       int tag);
struct sb_binding *values_add_vm(struct values *, const char *port,
                                 uint32_t datapath, const char *mac);
struct sb_binding *values_add_router(struct values *, const char *port,
                                     uint32_t datapath, const char *mac,
                                     const char *nat);
struct nat_fact *values_add_fact(struct values *, struct hmap *facts,
                                 const char *router_port,
                                 const char *address);
void values_remove_fact(struct hmap *facts, struct nat_fact *);
void values_shuffle(struct values *);

struct desired_inputs values_inputs(const struct values *);
struct desired *values_derive(const struct values *);
struct dp_key values_key(const char *address);
char *values_dump_endpoints(const struct desired *);
char *values_dump_interfaces(const struct desired *);
char *values_dump_bridges(const struct desired *);
size_t values_count_problems(const struct problems *, int reason);

#endif /* tests/plugin/values.h */
