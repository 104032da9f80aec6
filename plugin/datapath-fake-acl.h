/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of plugin/datapath-fake.c, in memory.  Nobody else includes
 * this. */
#ifndef PLUGIN_DATAPATH_FAKE_ACL_H
#define PLUGIN_DATAPATH_FAKE_ACL_H 1

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "openvswitch/hmap.h"
#include "plugin/datapath.h"

/* What there is of rules. */
struct fake_acls {
    struct hmap sets;           /* Of struct fake_acl. */
    struct hmap sources;        /* Of struct fake_source. */
    size_t max_sources;         /* Room for those. */
    long long int lease;        /* Packets may be dropped until then. */
    long long int given_lease;  /* The last one that was not 0. */
    long long int last_lease;   /* That of an earlier daemon. */
};

void fake_acls_init(struct fake_acls *);
void fake_acls_clear(struct fake_acls *);
void fake_acls_destroy(struct fake_acls *);
void fake_acls_lease(struct fake_acls *, long long int until);
int fake_acls_put(struct fake_acls *, const struct dp_acl *);
int fake_acls_put_class(struct fake_acls *, uint32_t id,
                        const struct dp_acl_class *);
int fake_acls_del_class(struct fake_acls *, uint32_t id, uint32_t class);
int fake_acls_del(struct fake_acls *, uint32_t id);
int fake_acls_put_source(struct fake_acls *, const struct dp_prefix *,
                         uint32_t class);
int fake_acls_del_source(struct fake_acls *, const struct dp_prefix *);
int fake_acls_hits(const struct fake_acls *, uint32_t id, uint64_t *hits,
                   size_t n);
int fake_acls_count(struct fake_acls *, uint32_t id, size_t rule,
                    uint64_t packets);
int fake_acls_decide(const struct fake_acls *, uint32_t id, uint8_t protocol,
                     uint16_t port, const struct in6_addr *source,
                     bool *drops);
size_t fake_acls_n_classes(const struct fake_acls *);

#endif /* plugin/datapath-fake-acl.h */
