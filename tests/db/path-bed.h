/* SPDX-License-Identifier: Apache-2.0 */
/* A client of a Southbound database that wants to know what layer L3 has to,
 * for tests of idl/sb-path*.c. */
#ifndef TESTS_DB_PATH_BED_H
#define TESTS_DB_PATH_BED_H 1

#include <stdbool.h>

#include "tests/db/sbt.h"

/* Distributed address of VM_FIP, and one that nobody has. */
#define FIP "172.24.100.112"
#define OTHER_FIP "172.24.100.99"

/* A datapath that has nothing to do with this chassis. */
#define FOREIGN "99999999-aaaa-4000-8000-000000000009"

extern unsigned int path_bed_seqno;

bool path_bed_is_ready(const struct sbt *);
void path_bed_claim(const struct db_server *);
void path_bed_check_known(struct sbt *);
void path_bed_want(struct sbt *);
void path_bed_catch_up(struct sbt *);
void path_bed_check(struct sbt *, const char *a, const char *b, bool judged,
                    int line);
bool path_bed_is_metered(const struct sbt *, const char *port,
                         const char *ip);
bool path_bed_crosses(const struct sbt *, const char *port, const char *ip,
                      const char *datapath);
int path_bed_mtu(const struct sbt *, const char *port, const char *ip);
void path_bed_add_foreign(const struct db_server *);

/* The same for where it is called: datapaths changed, or only what is judged,
 * or both. */
#define check_changed(F, A, B) path_bed_check(F, A, B, false, __LINE__)
#define check_judged(F) path_bed_check(F, NULL, NULL, true, __LINE__)
#define check_both(F, A) path_bed_check(F, A, NULL, true, __LINE__)

#endif /* tests/db/path-bed.h */
