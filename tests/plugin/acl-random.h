/* SPDX-License-Identifier: Apache-2.0 */
/* Random rules, address sets and packets, and what OVN would make of them:
 * each rule after the other, by acl_rule_matches(). */
#ifndef TESTS_PLUGIN_ACL_RANDOM_H
#define TESTS_PLUGIN_ACL_RANDOM_H 1

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "plugin/acl-rule.h"
#include "plugin/acl.h"
#include "sset.h"

/* Address sets that rules name: "$as0" and so on. */
#define ACL_RANDOM_SETS 6

/* The members of all of them. */
struct acl_random_members {
    struct sset sets[ACL_RANDOM_SETS]; /* By number. */
};

/* A packet with its source. */
struct acl_random_packet {
    struct acl_packet packet;   /* All else. */
    struct in6_addr source;     /* Source; IPv4 as v4-mapped. */
};

/* Makes all sets empty, or frees them. */
void acl_random_members_init(struct acl_random_members *);
void acl_random_members_destroy(struct acl_random_members *);
void acl_random_members_clone(struct acl_random_members *,
                              const struct acl_random_members *);

/* Adds a random member to a set, or removes one. */
void acl_random_members_change(struct acl_random_members *, int set);

/* Returns a set of up to 'max_rules' random rules, the last of which drops all
 * IP.  With 'exact', none has a source port.  acl_random_set_free() frees
 * it. */
struct acl_set *acl_random_set(size_t max_rules, bool exact);
void acl_random_set_free(struct acl_set *);

/* Returns a random packet, and its destination port as the datapath wants it:
 * 256 * type + code of ICMP. */
struct acl_random_packet acl_random_packet(void);
uint16_t acl_random_port(const struct acl_packet *);

/* Returns the index of the rule of 'set' that decides about 'packet', or -1 if
 * none does, and whether it drops. */
int acl_random_decide(const struct acl_set *set,
                      const struct acl_random_members *,
                      const struct acl_random_packet *packet, bool *drops);

/* Returns true if 'source' is in 'atom'. */
bool acl_random_has(const struct acl_random_members *, const char *atom,
                    const struct in6_addr *source);

#endif /* tests/plugin/acl-random.h */
