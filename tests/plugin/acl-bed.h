/* SPDX-License-Identifier: Apache-2.0 */
/* A make-believe Southbound with ACLs for tests of plugin/acl*.c, in words
 * that northd would use: of 24.03, or of another release where a test gives
 * the whole text. */
#ifndef TESTS_PLUGIN_ACL_BED_H
#define TESTS_PLUGIN_ACL_BED_H 1

#include <stdint.h>
#include "idl/sb-acl.h"
#include "plugin/acl.h"
#include "tests/plugin/values.h"

struct desired_endpoint;

/* Inputs, and what follows from them. */
struct acl_bed {
    struct values values;       /* Bindings. */
    struct sb_acl_view view;    /* The rest. */
    struct row_changes bindings; /* Bindings that changed. */
    struct acl *acl;            /* Under test; follows the changes. */
    uint32_t last_flow;         /* Number of the newest flow. */
};

void acl_bed_init(struct acl_bed *);
void acl_bed_destroy(struct acl_bed *);
int acl_bed_setup(void **state);
int acl_bed_teardown(void **state);

struct acl_inputs acl_bed_inputs(const struct acl_bed *);
void acl_bed_update(struct acl_bed *);

struct uuid acl_bed_uuid(uint32_t datapath);
void acl_bed_set_datapath(struct acl_bed *, uint32_t datapath, bool exists);
void acl_bed_set_link(struct acl_bed *, const char *router_port,
                      uint32_t datapath);
void acl_bed_set_group(struct acl_bed *, const char *name, const char *ports);
void acl_bed_set_group_entrance(struct acl_bed *, const char *name,
                                bool entrance);
void acl_bed_set_entrance(struct acl_bed *, const char *port, bool entrance);
void acl_bed_set_addresses(struct acl_bed *, const char *name,
                           const char *addresses);
void acl_bed_set_port(struct acl_bed *, const char *name, bool known);

uint32_t acl_bed_add_flow(struct acl_bed *, enum sb_acl_stage, int priority,
                          uint32_t datapath, const char *match,
                          const char *actions);
void acl_bed_set_flow(struct acl_bed *, uint32_t flow, enum sb_acl_stage,
                      int priority, const char *datapaths, const char *match,
                      const char *actions);
void acl_bed_drop_flow(struct acl_bed *, uint32_t flow);
uint32_t acl_bed_allow(struct acl_bed *, uint32_t datapath, const char *match);
uint32_t acl_bed_drop(struct acl_bed *, uint32_t datapath, const char *match);
uint32_t acl_bed_stateful(struct acl_bed *, uint32_t datapath);

struct sb_binding *acl_bed_add_vm(struct acl_bed *, const char *port,
                                  uint32_t datapath, const char *mac);
void acl_bed_touch(struct acl_bed *, const struct sb_binding *);
void acl_bed_remove_vm(struct acl_bed *, const char *port);

char *acl_bed_dump_port(const struct acl_port *);
char *acl_bed_dump(const struct acl *);
const struct acl_set *acl_bed_judge(const struct acl_bed *,
                                    const struct desired_endpoint *,
                                    enum reason *);

#endif /* tests/plugin/acl-bed.h */
