/* SPDX-License-Identifier: Apache-2.0 */
/* What the actions of an ACL's flow do.  Pure.  Used by acl-flow.c and
 * acl-nat.c only. */
#ifndef PLUGIN_ACL_ACTIONS_H
#define PLUGIN_ACL_ACTIONS_H 1

#include <stdbool.h>

/* What becomes of the packet. */
enum acl_verdict {
    ACL_VERDICT_NONE,           /* The next stage decides ("next;"): allowed
                                 * before OVN 23.06, passed since. */
    ACL_VERDICT_ALLOW,          /* Allowed. */
    ACL_VERDICT_DROP,           /* Dropped. */
    ACL_VERDICT_REJECT          /* Rejected. */
};

/* Actions. */
struct acl_actions {
    enum acl_verdict verdict;   /* See above. */
    unsigned int flags;         /* Of enum acl_flag. */
    bool conntrack;             /* The packet is one of a connection. */
    bool persists;              /* Connections are allowed for good, or may
                                 * be. */
    char *token;                /* A statement that is not known, or NULL. */
};

char *acl_actions_next(const char **);
void acl_actions_parse(const char *, struct acl_actions *);
void acl_actions_destroy(struct acl_actions *);

#endif /* plugin/acl-actions.h */
