/* SPDX-License-Identifier: Apache-2.0 */
/* Views of databases as text, the same for equal views. */
#ifndef TESTS_DB_DB_DUMP_H
#define TESTS_DB_DB_DUMP_H 1

struct nb_view;
struct ovs_view;
struct sb_acl_flow;
struct sb_acl_view;
struct sb_binding;
struct sb_view;

char *dump_sb_view(const struct sb_view *);
char *dump_sb_binding(const struct sb_binding *);
const struct sb_binding *find_sb_binding(const struct sb_view *,
                                         const char *logical_port);
char *dump_sb_facts(const struct sb_view *);
char *dump_sb_acl(const struct sb_acl_view *);
char *dump_sb_acl_flow(const struct sb_acl_flow *);
char *dump_nb_view(const struct nb_view *);
char *dump_ovs_view(const struct ovs_view *);

#endif /* tests/db/db-dump.h */
