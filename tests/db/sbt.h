/* SPDX-License-Identifier: Apache-2.0 */
/* A Southbound database and a client of it, for tests of idl/sb-db.c. */
#ifndef TESTS_DB_SBT_H
#define TESTS_DB_SBT_H 1

#include <stdbool.h>

#include "openvswitch/poll-loop.h"
#include "timeval.h"

#include "idl/sb-db.h"
#include "tests/db/db-server.h"

#define VM_PROVIDER "55555555-aaaa-4000-8000-000000000005"
#define VM_FIP "33333333-aaaa-4000-8000-000000000003"
#define VM_OTHER "44444444-aaaa-4000-8000-000000000004"
#define GW_SWITCH_PORT "11111111-aaaa-4000-8000-000000000001"
#define GW_ROUTER_PORT "lrp-11111111-aaaa-4000-8000-000000000001"
#define GW_PORT "cr-lrp-11111111-aaaa-4000-8000-000000000001"
#define LOCALNET "provnet-66666666"

/* Columns of Port_Binding that are read. */
#define SBT_BINDING_CELLS 14

/* Datapaths and groups of them in the fixture of OVN 24.03. */
#define SBT_ROUTER "a6db7a96-0b48-4315-b0c3-5bea9c228f5e"
#define SBT_TENANT "6335fe8c-5922-4020-82dd-475bfd9218a6"
#define SBT_PROVIDER "a4c535b5-5321-45c2-83fe-49fc0404f5fd"
#define SBT_SWITCHES "b9627fdd-f003-4f33-a3f7-1b95d0850dd3"

/* How long to wait for anything, in milliseconds. */
#define SBT_TIMEOUT 20000

/* What every test has; sbt_setup() fills it in. */
struct sbt {
    char *dir;                  /* Folder for files. */
    struct db_server *server;   /* A Southbound database, running. */
    struct sb_db *db;           /* A client of it as chassis cmp1. */
};

/* Runs 'DB' until 'COND' is true, and fails the test if it does not get true.
 * Adds to 'N' the number of times that the view changed until then. */
#define AWAIT_COUNTING(DB, COND, N)                                     \
    do {                                                                \
        long long int deadline_ = time_msec() + SBT_TIMEOUT;            \
        for (;;) {                                                      \
            (N) += sb_db_run(DB);                                       \
            if (COND) {                                                 \
                break;                                                  \
            }                                                           \
            sbt_fail_if_late(DB, deadline_, #COND, __LINE__);           \
            sb_db_wait(DB);                                             \
            poll_timer_wait_until(deadline_);                           \
            poll_block();                                               \
        }                                                               \
    } while (0)

/* The same without counting. */
#define AWAIT(DB, COND)                                                 \
    do {                                                                \
        int n_ OVS_UNUSED = 0;                                          \
        AWAIT_COUNTING(DB, COND, n_);                                   \
    } while (0)

int sbt_setup(void **);
int sbt_teardown(void **);
void sbt_fail_if_late(struct sb_db *, long long int deadline,
                      const char *cond, int line);

/* The client. */
void sbt_target(struct sb_db *, const struct db_server *,
                const char *chassis);
void sbt_target_acl(struct sb_db *, const struct db_server *,
                    const char *chassis);
void sbt_target_path(struct sb_db *, const struct db_server *,
                     const char *chassis);
enum db_state sbt_state(const struct sb_db *);
const struct sb_binding *sbt_binding(const struct sb_db *,
                                     const char *logical_port);
bool sbt_is_local(const struct sb_db *, const char *logical_port);
unsigned int sbt_n_cells(const struct sb_db *);

const struct sb_acl_view *sbt_acl(const struct sb_db *);
bool sbt_acl_has(const struct sb_db *, const char *text);

/* Changes of the database, as northd and ovn-controller make them. */
char *sbt_chassis_uuid(const struct db_server *, const char *name);
void sbt_create_chassis(const struct db_server *, const char *name);
void sbt_delete_chassis(const struct db_server *, const char *name);
void sbt_update_binding(const struct db_server *, const char *logical_port,
                        const char *row);
void sbt_claim(const struct db_server *, const char *logical_port,
               const char *chassis, bool up);
void sbt_claim_additionally(const struct db_server *,
                            const char *logical_port, const char *chassis,
                            const char *options);
void sbt_release(const struct db_server *, const char *logical_port);
void sbt_add_bindings(const struct db_server *, const char *chassis,
                      const char *prefix, int n, const char *type,
                      const char *more);
void sbt_add_flow(const struct db_server *, const char *column,
                  const char *uuid, const char *stage, const char *match,
                  const char *actions);
void sbt_delete_flows(const struct db_server *, const char *match);
void sbt_set_mark(const struct db_server *, int tag);
bool sbt_has_mark(const struct sb_db *, int tag);

#endif /* tests/db/sbt.h */
