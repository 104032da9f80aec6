/* SPDX-License-Identifier: Apache-2.0 */
/* The managed ports of all bridges: devices, rows and guards, made to match
 * what 'desired' wants. */
#ifndef PLUGIN_PORTS_H
#define PLUGIN_PORTS_H 1

#include <stdbool.h>
#include "openvswitch/hmap.h"
#include "plugin/problems.h"
#include "sset.h"

struct desired;
struct ovs_db;
struct ports;
struct svec;

struct ports *ports_create(struct ovs_db *);
void ports_destroy(struct ports *);
bool ports_apply(struct ports *, const struct desired *,
                 const struct hmap *devices, long long int now);
void ports_run(struct ports *);
void ports_wait(struct ports *);
bool ports_is_due(const struct ports *, long long int now);
void ports_forget_failures(struct ports *);
void ports_remove_all(struct ports *, const struct hmap *devices,
                      struct svec *remains);

const struct sset *ports_failed(const struct ports *);
const struct problems *ports_problems(const struct ports *);

#endif /* plugin/ports.h */
