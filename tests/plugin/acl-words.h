/* SPDX-License-Identifier: Apache-2.0 */
/* What plugin/acl-flow.c says, as text. */
#ifndef TESTS_PLUGIN_ACL_WORDS_H
#define TESTS_PLUGIN_ACL_WORDS_H 1

struct acl_cube;
struct acl_flow;
struct acl_nat;

char *acl_flow_to_text(const struct acl_flow *);
char *acl_cube_to_text(const struct acl_cube *);
char *acl_nat_to_text(const struct acl_nat *);

#endif /* tests/plugin/acl-words.h */
