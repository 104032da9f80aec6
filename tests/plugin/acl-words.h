/* SPDX-License-Identifier: Apache-2.0 */
/* What plugin/acl-flow.c and its like say, as text. */
#ifndef TESTS_PLUGIN_ACL_WORDS_H
#define TESTS_PLUGIN_ACL_WORDS_H 1

struct acl_cube;
struct acl_entry;
struct acl_flow;
struct acl_nat;
struct acl_snat;

char *acl_flow_to_text(const struct acl_flow *);
char *acl_cube_to_text(const struct acl_cube *);
char *acl_nat_to_text(const struct acl_nat *);
char *acl_entry_to_text(const struct acl_entry *);
char *acl_snat_to_text(const struct acl_snat *, const struct acl_nat *);

#endif /* tests/plugin/acl-words.h */
