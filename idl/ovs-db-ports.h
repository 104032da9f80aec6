/* SPDX-License-Identifier: Apache-2.0 */
/* The bridge ports that ovn-xdp manages: makes the local database have those
 * that are wanted and no other, by transactions.  Used by ovs-db.c only. */
#ifndef IDL_OVS_DB_PORTS_H
#define IDL_OVS_DB_PORTS_H 1

#include <stdbool.h>
#include <stddef.h>
#include "idl/ovs-db.h"

struct ovs_db_ports;
struct ovsdb_idl;

struct ovs_db_ports *ovs_db_ports_create(struct ovsdb_idl *);
void ovs_db_ports_destroy(struct ovs_db_ports *);
void ovs_db_ports_set(struct ovs_db_ports *, const struct ovs_managed_port *,
                      size_t n);
void ovs_db_ports_set_removal_wait(struct ovs_db_ports *, int ms);
void ovs_db_ports_run(struct ovs_db_ports *, const struct ovs_view *,
                      bool may_commit, bool changed);
void ovs_db_ports_wait(const struct ovs_db_ports *, bool may_commit);

bool ovs_db_ports_settled(const struct ovs_db_ports *);
enum ovs_managed_state ovs_db_ports_state(const struct ovs_db_ports *,
                                          const char *device);

#endif /* idl/ovs-db-ports.h */
