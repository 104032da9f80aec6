/* SPDX-License-Identifier: Apache-2.0 */
/* What a rule matches, in a few words for people. */
#ifndef PLUGIN_ACL_TEXT_H
#define PLUGIN_ACL_TEXT_H 1

#include <stdbool.h>

struct acl_rule;

/* Stands for what the words below cannot say: see the rule's match. */
#define ACL_TEXT_SEE_MATCH "match"

/* Each is a list with commas between its elements.  A packet matches if each
 * of them has an element that fits. */
struct acl_text {
    char *protocol;             /* "tcp", "!udp", "any"... */
    char *source;               /* "192.0.2.0/24", "$NAME", "!$NAME", "any",
                                 * "0.0.0.0/0" or "::/0" for a family... */
    char *ports;                /* Destination ports: "22", "8000-8080",
                                 * "any"; "" if the protocol has none. */
    char *icmp;                 /* "TYPE", "TYPE/CODE", "any"; "" if the
                                 * protocol is not ICMP. */
    bool exact;                 /* That is all there is to say. */
};

void acl_text_init(struct acl_text *, const struct acl_rule *);
void acl_text_destroy(struct acl_text *);

#endif /* plugin/acl-text.h */
