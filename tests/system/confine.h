/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of 'confine': what it does by hand of a unit's sandboxing.
 *
 * A function that finds that it cannot do what the unit says ends the
 * program. */

#ifndef TESTS_SYSTEM_CONFINE_H
#define TESTS_SYSTEM_CONFINE_H 1

#include <stdbool.h>

struct sset;
struct svec;

/* The mounts that the command sees: confine-mounts.c. */
int mounts_private(const char *program);
void mounts_put(int fd, const char *path, bool is_folder);
void mounts_bind(const char *path);
void mounts_read_only(const char *path, const struct svec *except);
void mounts_cover(const char *path, const char *options, bool read_only,
                  const struct svec *keep);
void mounts_hide(const char *path);

/* Filters of system calls, each of which may forbid what others allow:
 * confine-calls.c. */
void calls_load_groups(void);
void calls_expand(const char *word, struct sset *calls);
void calls_allow_only(const struct sset *calls);
void calls_refuse(const char *word);
void calls_refuse_families(const struct sset *allowed);
void calls_refuse_namespaces(void);
void calls_refuse_new_code(void);
void calls_refuse_realtime(void);
void calls_refuse_set_id_bits(void);
void calls_refuse_other_personality(void);
void calls_refuse_foreign_architectures(void);

#endif /* tests/system/confine.h */
