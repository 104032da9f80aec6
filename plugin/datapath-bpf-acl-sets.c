/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of rules in the maps of layer L2.
 *
 * A set never changes but for rows of classes.  What is deleted stays in the
 * maps for a while, in a "grave": a program may be looking at it.  When some
 * graves are emptied, sets are taken out first, so that no program finds them
 * any more; then the kernel is asked to wait for all programs that run; and
 * then the rest goes, whose elements and numbers can be used again.  A set
 * whose endpoints may still name it drops nothing from the moment on in which
 * it is deleted. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "bitmap.h"
#include "hash.h"
#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_acl_sets);

/* Leading bits of a port, all of them. */
#define PORT_BITS (OX_ACL_PORT_LEN - OX_ACL_PROTOCOL_LEN)

BUILD_ASSERT_DECL(sizeof(struct dp_acl_bits) == sizeof(struct ox_acl_bits));

/* A bitmap in ACL_BITS. */
struct bpf_bits {
    struct hmap_node node;      /* In struct acls, by hash of 'bits', unless
                                 * it is one of 'drops'. */
    struct dp_acl_bits bits;    /* Contents. */
    uint32_t number;            /* Its element. */
    size_t n_users;             /* How often it is used. */
};

/* What a set has for a class. */
struct bpf_row {
    struct hmap_node node;      /* In struct bpf_acl, by 'class'. */
    uint32_t class;             /* Class. */
    struct bpf_bits *bits;      /* Its rules. */
};

/* What a set has for a kind of packet. */
struct bpf_service {
    uint8_t protocol;           /* As in struct dp_acl_service. */
    uint8_t len;                /* Leading bits of 'port' that count. */
    ovs_be16 port;              /* Port. */
    struct bpf_bits *bits;      /* Its rules. */
};

/* A set. */
struct bpf_acl {
    struct hmap_node node;      /* In struct acls, by 'id'. */
    uint32_t id;                /* Id. */
    bool stateful;              /* Only new connections are decided by it. */
    bool tcp;                   /* It has elements of ACL_SERVICES for TCP. */
    uint32_t n_rules;           /* Rules. */
    uint32_t first_hit;         /* Counter of the first one, or SLOT_NONE. */
    struct bpf_bits *drops;     /* Rules that drop: nobody else's. */
    struct bpf_bits *any4;      /* For IPv4 sources of no class. */
    struct bpf_bits *any6;      /* For IPv6 sources of no class. */
    struct bpf_bits *anywhere;  /* Rules that do not look at the source. */
    struct bpf_bits *any;       /* For packets of no service. */
    struct bpf_service *services; /* For those of some. */
    size_t n_services;          /* Number of them. */
    struct hmap rows;           /* Of struct bpf_row. */
};

/* What is to be deleted. */
struct bpf_grave {
    struct ovs_list node;       /* In struct acls. */
    struct bpf_acl *acl;        /* A set, or NULL: what follows. */
    uint32_t id;                /* A set that may have gone since. */
    struct bpf_row *row;        /* A row of it. */
};

static void undo(struct acls *, struct bpf_acl *);

/* Returns the set 'id', or NULL. */
static struct bpf_acl *
find(const struct acls *acls, uint32_t id)
{
    struct bpf_acl *acl;

    HMAP_FOR_EACH_WITH_HASH (acl, node, hash_int(id, 0), &acls->sets) {
        if (acl->id == id) {
            return acl;
        }
    }
    return NULL;
}

/* Returns what 'acl' has for 'class', or NULL. */
static struct bpf_row *
find_row(const struct bpf_acl *acl, uint32_t class)
{
    struct bpf_row *row;

    HMAP_FOR_EACH_WITH_HASH (row, node, hash_int(class, 0), &acl->rows) {
        if (row->class == class) {
            return row;
        }
    }
    return NULL;
}

/* Returns true if only new connections are decided by the set 'id'. */
bool
acl_sets_are_stateful(const struct acls *acls, uint32_t id)
{
    const struct bpf_acl *acl = id ? find(acls, id) : NULL;

    return acl && acl->stateful;
}

/* Writes 'bits' to the map. */
static int
write_bits(const struct acls *acls, const struct bpf_bits *bits)
{
    return -bpf_map_update_elem(acls->fds[ACL_BITS], &bits->number,
                                &bits->bits, BPF_ANY);
}

/* Stores a bitmap with 'contents' in '*bitsp', one that nobody else has. */
static int
make_bits(struct acls *acls, const struct dp_acl_bits *contents,
          struct bpf_bits **bitsp)
{
    struct bpf_bits *bits = xmalloc(sizeof *bits);
    int error;

    bits->bits = *contents;
    bits->n_users = 1;
    bits->number = slots_get(&acls->numbers);
    error = bits->number == SLOT_NONE ? ENOSPC : write_bits(acls, bits);
    hmap_node_nullify(&bits->node);
    *bitsp = bits;
    if (error) {
        slots_put(&acls->numbers, bits->number);
        free(bits);
        *bitsp = NULL;
    }
    return error;
}

/* Stores a bitmap with 'contents' in '*bitsp', which it may share with
 * others. */
static int
get_bits(struct acls *acls, const struct dp_acl_bits *contents,
         struct bpf_bits **bitsp)
{
    uint32_t hash = hash_bytes(contents, sizeof *contents, 0);
    struct bpf_bits *bits;
    int error;

    HMAP_FOR_EACH_WITH_HASH (bits, node, hash, &acls->bits) {
        if (!memcmp(&bits->bits, contents, sizeof *contents)) {
            bits->n_users++;
            *bitsp = bits;
            return 0;
        }
    }
    error = make_bits(acls, contents, bitsp);
    if (!error) {
        hmap_insert(&acls->bits, &(*bitsp)->node, hash);
    }
    return error;
}

/* Gives a bitmap back; NULL is ignored. */
static void
put_bits(struct acls *acls, struct bpf_bits *bits)
{
    if (bits && !--bits->n_users) {
        if (!hmap_node_is_null(&bits->node)) {
            hmap_remove(&acls->bits, &bits->node);
        }
        slots_put(&acls->numbers, bits->number);
        free(bits);
    }
}

/* Takes 'n' counters in a row and sets them to zero; the first is stored in
 * '*firstp'. */
static int
take_hits(struct dp *dp, uint32_t n, uint32_t *firstp)
{
    struct acls *acls = &dp->acls;
    uint32_t start = acls->next_hit;

    for (int round = 0; round < 2; round++, start = 0) {
        while (start + n <= OX_MAX_ACL_HITS) {
            uint32_t end = bitmap_scan(acls->hits, true, start, start + n);

            if (end == start + n) {
                bitmap_set_multiple(acls->hits, start, n, true);
                acls->next_hit = end;
                *firstp = start;
                memset(dp->scratch, 0, dp->n_cpus * sizeof(uint64_t));
                for (uint32_t i = start; i < end; i++) {
                    bpf_map_update_elem(acls->fds[ACL_HITS], &i, dp->scratch,
                                        BPF_ANY);
                }
                return 0;
            }
            start = end + 1;
        }
    }
    return ENOSPC;
}

/* Writes 'service' of the set 'id', or deletes it. */
static int
change_service(const struct acls *acls, uint32_t id,
               const struct bpf_service *service, bool put)
{
    struct ox_acl_port port = { id, service->protocol, 0, service->port };
    struct ox_acl_service prefix = {
        .prefix_len = OX_ACL_PROTOCOL_LEN + service->len,
        .set = id,
        .protocol = service->protocol,
        .port = service->port,
    };
    bool exact = service->len == PORT_BITS;
    int fd = acls->fds[exact ? ACL_PORTS : ACL_SERVICES];
    const void *key = exact ? (const void *) &port : &prefix;

    return (put
            ? -bpf_map_update_elem(fd, key, &service->bits->number, BPF_ANY)
            : -bpf_map_delete_elem(fd, key));
}

/* Adds 'service' to 'acl'. */
static int
add_service(struct acls *acls, struct bpf_acl *acl,
            const struct dp_acl_service *service)
{
    struct bpf_service *s = &acl->services[acl->n_services];
    int error;

    s->protocol = service->protocol;
    s->len = service->port_len;
    s->port = htons(service->port);
    error = get_bits(acls, &service->bits, &s->bits);
    if (!error) {
        error = change_service(acls, acl->id, s, true);
        acl->tcp = acl->tcp || (s->protocol == IPPROTO_TCP
                                && s->len < PORT_BITS);
        acl->n_services++;
    }
    return error;
}

/* Writes 'row' of the set 'id'. */
static int
write_row(const struct acls *acls, uint32_t id, const struct bpf_row *row)
{
    struct ox_acl_class key = { .set = id, .class = row->class };

    return -bpf_map_update_elem(acls->fds[ACL_CLASSES], &key,
                                &row->bits->number, BPF_ANY);
}

/* Deletes the row of the set 'id' for 'class'. */
static void
delete_row(const struct acls *acls, uint32_t id, uint32_t class)
{
    struct ox_acl_class key = { .set = id, .class = class };

    bpf_map_delete_elem(acls->fds[ACL_CLASSES], &key);
}

/* Adds 'class' to 'acl', which has nothing for it. */
static int
add_row(struct acls *acls, struct bpf_acl *acl,
        const struct dp_acl_class *class)
{
    struct bpf_row *row = xmalloc(sizeof *row);
    int error;

    row->class = class->class;
    error = get_bits(acls, &class->bits, &row->bits);
    if (!error) {
        error = write_row(acls, acl->id, row);
        if (error) {
            put_bits(acls, row->bits);
        }
    }
    if (error) {
        free(row);
    } else {
        hmap_insert(&acl->rows, &row->node, hash_int(row->class, 0));
    }
    return error;
}

/* Writes what 'acl' refers to, which is new and described by 'want'. */
static int
write_parts(struct dp *dp, struct bpf_acl *acl, const struct dp_acl *want)
{
    struct acls *acls = &dp->acls;
    int error;

    error = take_hits(dp, want->n_rules, &acl->first_hit);
    error = error ? error : make_bits(acls, &want->drops, &acl->drops);
    error = error ? error : get_bits(acls, &want->any4, &acl->any4);
    error = error ? error : get_bits(acls, &want->any6, &acl->any6);
    error = error ? error : get_bits(acls, &want->anywhere, &acl->anywhere);
    error = error ? error : get_bits(acls, &want->any_protocol, &acl->any);
    for (size_t i = 0; i < want->n_services && !error; i++) {
        error = add_service(acls, acl, &want->services[i]);
    }
    for (size_t i = 0; i < want->n_classes && !error; i++) {
        error = add_row(acls, acl, &want->classes[i]);
    }
    return error;
}

/* Has programs find 'acl', of which everything else is there. */
static int
write_set(const struct acls *acls, const struct bpf_acl *acl)
{
    struct ox_acl_set value = {
        .flags = (OX_ACL_ANYWHERE
                  | (acl->stateful ? OX_ACL_STATEFUL : 0)
                  | (acl->tcp ? OX_ACL_TCP_SERVICES : 0)),
        .n_words = DIV_ROUND_UP(acl->n_rules, 64),
        .drops = acl->drops->number,
        .any = acl->any->number,
        .any4 = acl->any4->number,
        .any6 = acl->any6->number,
        .hits = acl->first_hit,
        .anywhere = acl->anywhere->number,
    };

    return -bpf_map_update_elem(acls->fds[ACL_SETS], &acl->id, &value,
                                BPF_NOEXIST);
}

/* Adds 'want' if there is room. */
static int
try_put(struct dp *dp, const struct dp_acl *want)
{
    struct bpf_acl *acl = xzalloc(sizeof *acl);
    int error;

    acl->id = want->id;
    acl->stateful = want->stateful;
    acl->n_rules = want->n_rules;
    acl->first_hit = SLOT_NONE;
    acl->services = xcalloc(MAX(want->n_services, 1), sizeof *acl->services);
    hmap_init(&acl->rows);
    error = write_parts(dp, acl, want);
    if (!error) {
        error = write_set(&dp->acls, acl);
    }
    if (error) {
        undo(&dp->acls, acl);
        return acls_error(error);
    }
    hmap_insert(&dp->acls.sets, &acl->node, hash_int(acl->id, 0));
    return 0;
}

/* Adds the set 'want'. */
int
acl_sets_put(struct dp *dp, const struct dp_acl *want)
{
    int error = acls_open(dp);

    if (error) {
        return error;
    } else if (!want->id || !want->n_rules || want->n_rules > OX_ACL_RULES
               || find(&dp->acls, want->id)) {
        return EINVAL;
    }
    if (dp->acls.burying) {
        /* The kernel may reuse a deleted element of ACL_SETS at once, and a
         * program that has found it takes what is new for what it looked
         * for. */
        error = acl_sets_bury(&dp->acls);
        if (error) {
            return error;
        }
    }
    error = try_put(dp, want);
    if (error == ENOSPC && !ovs_list_is_empty(&dp->acls.graves)
        && !acl_sets_bury(&dp->acls)) {
        error = try_put(dp, want);
    }
    return error;
}

/* Adds or replaces what the set 'id' has for the class of 'want'. */
int
acl_sets_put_class(struct dp *dp, uint32_t id,
                   const struct dp_acl_class *want)
{
    struct bpf_acl *acl = find(&dp->acls, id);
    int error;

    if (!acl || !want->class) {
        return acl ? EINVAL : ENOENT;
    }
    acl_sets_del_class(dp, id, want->class);
    error = acls_error(add_row(&dp->acls, acl, want));
    if (error == ENOSPC && !acl_sets_bury(&dp->acls)) {
        error = acls_error(add_row(&dp->acls, acl, want));
    }
    return error;
}

/* Puts 'acl', or 'row' of the set 'id', into a grave. */
static void
add_grave(struct acls *acls, struct bpf_acl *acl, uint32_t id,
          struct bpf_row *row)
{
    struct bpf_grave *grave = xmalloc(sizeof *grave);

    grave->acl = acl;
    grave->id = id;
    grave->row = row;
    ovs_list_push_back(&acls->graves, &grave->node);
}

/* Deletes what the set 'id' has for 'class'. */
int
acl_sets_del_class(struct dp *dp, uint32_t id, uint32_t class)
{
    struct bpf_acl *acl = find(&dp->acls, id);
    struct bpf_row *row = acl ? find_row(acl, class) : NULL;

    if (!row) {
        return ENOENT;
    }
    hmap_remove(&acl->rows, &row->node);
    add_grave(&dp->acls, NULL, id, row);
    return 0;
}

/* Deletes the set 'id'.  Its bitmap of rules that drop is overwritten, word by
 * word, while programs may look at it: each of them drops what was dropped
 * before, or less. */
int
acl_sets_del(struct dp *dp, uint32_t id)
{
    struct bpf_acl *acl = find(&dp->acls, id);
    int error;

    if (!acl) {
        return ENOENT;
    }
    memset(&acl->drops->bits, 0, sizeof acl->drops->bits);
    error = write_bits(&dp->acls, acl->drops);
    if (error) {
        return error;
    }
    hmap_remove(&dp->acls.sets, &acl->node);
    add_grave(&dp->acls, acl, id, NULL);
    return 0;
}

/* Frees 'row' with its bitmap. */
static void
free_row(struct acls *acls, struct bpf_row *row)
{
    put_bits(acls, row->bits);
    free(row);
}

/* Frees 'acl', which is in no map any more. */
static void
free_acl(struct acls *acls, struct bpf_acl *acl)
{
    struct bpf_row *row;

    HMAP_FOR_EACH_POP (row, node, &acl->rows) {
        free_row(acls, row);
    }
    hmap_destroy(&acl->rows);
    for (size_t i = 0; i < acl->n_services; i++) {
        put_bits(acls, acl->services[i].bits);
    }
    free(acl->services);
    put_bits(acls, acl->drops);
    put_bits(acls, acl->any4);
    put_bits(acls, acl->any6);
    put_bits(acls, acl->anywhere);
    put_bits(acls, acl->any);
    if (acl->first_hit != SLOT_NONE) {
        bitmap_set_multiple(acls->hits, acl->first_hit, acl->n_rules, false);
    }
    free(acl);
}

/* Deletes what 'acl', which programs do not find, has in maps, and frees
 * it. */
static void
undo(struct acls *acls, struct bpf_acl *acl)
{
    const struct bpf_row *row;

    HMAP_FOR_EACH (row, node, &acl->rows) {
        delete_row(acls, acl->id, row->class);
    }
    for (size_t i = 0; i < acl->n_services; i++) {
        change_service(acls, acl->id, &acl->services[i], false);
    }
    free_acl(acls, acl);
}

/* Deletes the row in 'grave', unless there is a new one for that class. */
static void
undo_row(struct acls *acls, const struct bpf_grave *grave)
{
    const struct bpf_acl *acl = find(acls, grave->id);

    if (!acl || !find_row(acl, grave->row->class)) {
        delete_row(acls, grave->id, grave->row->class);
    }
    free_row(acls, grave->row);
}

/* Empties the graves, after which there is more room.  Returns 0 or a positive
 * errno if the kernel does not say when all programs have ended: nothing is
 * freed then. */
int
acl_sets_bury(struct acls *acls)
{
    struct bpf_grave *grave;
    int error;

    if (ovs_list_is_empty(&acls->graves)) {
        return 0;
    }
    LIST_FOR_EACH (grave, node, &acls->graves) {
        if (grave->acl) {
            acls->burying = true;
            bpf_map_delete_elem(acls->fds[ACL_SETS], &grave->acl->id);
        }
    }
    error = acls_wait(acls);
    if (error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_ERR_RL(&rl, "cannot wait for programs to end (%s)",
                    ovs_strerror(error));
        return error;
    }
    acls->burying = false;
    LIST_FOR_EACH_POP (grave, node, &acls->graves) {
        if (grave->acl) {
            undo(acls, grave->acl);
        } else {
            undo_row(acls, grave);
        }
        free(grave);
    }
    return 0;
}

/* Forgets all sets; the maps stay as they are. */
void
acl_sets_destroy(struct acls *acls)
{
    struct bpf_grave *grave;
    struct bpf_acl *acl;

    LIST_FOR_EACH_POP (grave, node, &acls->graves) {
        if (grave->acl) {
            free_acl(acls, grave->acl);
        } else {
            free_row(acls, grave->row);
        }
        free(grave);
    }
    HMAP_FOR_EACH_POP (acl, node, &acls->sets) {
        free_acl(acls, acl);
    }
}

/* Adds up counter 'index' over all CPUs. */
static uint64_t
read_hits(const struct dp *dp, uint32_t index)
{
    const uint64_t *values = dp->scratch;
    uint64_t sum = 0;

    if (!bpf_map_lookup_elem(dp->acls.fds[ACL_HITS], &index, dp->scratch)) {
        for (int i = 0; i < dp->n_cpus; i++) {
            sum += values[i];
        }
    }
    return sum;
}

/* Stores in 'hits' how many packets each of the first 'n' rules of the set
 * 'id' has decided about. */
int
acl_sets_hits(const struct dp *dp, uint32_t id, uint64_t *hits, size_t n)
{
    const struct bpf_acl *acl = find(&dp->acls, id);

    memset(hits, 0, n * sizeof *hits);
    if (!acl) {
        return ENOENT;
    }
    for (size_t i = 0; i < MIN(n, acl->n_rules); i++) {
        hits[i] = read_hits(dp, acl->first_hit + i);
    }
    return 0;
}
