/* SPDX-License-Identifier: Apache-2.0 */
/* See tests/db/path-bed.h. */
#include <config.h>

#include "tests/db/path-bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "packets.h"
#include "sset.h"
#include "util.h"

#include "tests/db/db-dump.h"

/* What sb_db_take_path_changes() returned last. */
unsigned int path_bed_seqno;

/* Returns true if 'f' knows all of the VMs on both networks. */
bool
path_bed_is_ready(const struct sbt *f)
{
    return (sbt_acl(f->db)->current && sbt_state(f->db) == DB_SYNCED
            && sset_count(&sbt_acl(f->db)->ports) == 2
            && sbt_acl_has(f->db, "flow router-dnat")
            && sbt_acl_has(f->db, "link " GW_ROUTER_PORT));
}

/* Claims the VMs of both networks on 'server'. */
void
path_bed_claim(const struct db_server *server)
{
    sbt_claim(server, VM_PROVIDER, "cmp1", true);
    sbt_claim(server, VM_FIP, "cmp1", true);
}

/* Checks that 'f' knows the paths for the first time, which is no change of
 * any, but a reason to judge. */
void
path_bed_check_known(struct sbt *f)
{
    struct sset datapaths = SSET_INITIALIZER(&datapaths);
    bool judge;

    assert_true(sb_db_has_paths(f->db));
    path_bed_seqno = sb_db_take_path_changes(f->db, &datapaths, &judge);
    assert_true(judge && sset_is_empty(&datapaths));
    sset_destroy(&datapaths);
}

/* Makes 'f' a client that wants all, and waits until it has it. */
void
path_bed_want(struct sbt *f)
{
    path_bed_seqno = 0;
    path_bed_claim(f->server);
    assert_false(sb_db_has_paths(f->db));
    sbt_target_path(f->db, f->server, "cmp1");
    AWAIT(f->db, path_bed_is_ready(f));
    path_bed_check_known(f);
}

/* Waits until 'f' has all that its server has now. */
void
path_bed_catch_up(struct sbt *f)
{
    static int mark = 100;

    sbt_set_mark(f->server, ++mark);
    AWAIT(f->db, sbt_has_mark(f->db, mark) && sbt_acl(f->db)->current
          && sbt_state(f->db) == DB_SYNCED);
}

/* Checks that the datapaths that changed for 'f' since the last call are 'a'
 * and 'b', NULL for none, once it has all that its server has, and that ports
 * are to be judged anew if 'judged'. */
void
path_bed_check(struct sbt *f, const char *a, const char *b, bool judged,
               int line)
{
    bool judge;

    struct sset datapaths = SSET_INITIALIZER(&datapaths);

    path_bed_catch_up(f);
    sset_add(&datapaths, "left over");
    unsigned int seqno = sb_db_take_path_changes(f->db, &datapaths,
                                                 &judge);
    if (judge != judged || (a && !sset_contains(&datapaths, a))
        || (b && !sset_contains(&datapaths, b))
        || sset_count(&datapaths) != (a != NULL) + (b != NULL)
        || (seqno == path_bed_seqno) != (!a && !judged)) {
        const char *name;

        SSET_FOR_EACH (name, &datapaths) {
            print_error("%s\n", name);
        }
        fail_msg("line %d: other changes than expected", line);
    }
    path_bed_seqno = seqno;
    sset_destroy(&datapaths);
}

/* Stores in '*external' the address 'ip'.  Returns it, or NULL if 'ip' is. */
static struct in6_addr *
parse_ip(const char *ip, struct in6_addr *external)
{
    ovs_be32 ip4;

    if (!ip) {
        return NULL;
    }
    assert_true(ip_parse(ip, &ip4));
    *external = in6_addr_mapped_ipv4(ip4);
    return external;
}

/* Returns true if OVN meters packets of 'port' in 'f', which has the external
 * address 'ip' unless that is NULL. */
bool
path_bed_is_metered(const struct sbt *f, const char *port, const char *ip)
{
    struct in6_addr external;

    return sb_db_is_metered(f->db, sbt_binding(f->db, port),
                            parse_ip(ip, &external));
}

/* Returns true if packets of 'port' in 'f', which has the external address
 * 'ip' unless that is NULL, may cross 'datapath'. */
bool
path_bed_crosses(const struct sbt *f, const char *port, const char *ip,
        const char *datapath)
{
    struct sset datapaths = SSET_INITIALIZER(&datapaths);
    struct in6_addr external;

    assert_false(sb_db_is_path_of(f->db, sbt_binding(f->db, port),
                                  parse_ip(ip, &external), &datapaths));
    sset_add(&datapaths, datapath);
    bool does = sb_db_is_path_of(f->db, sbt_binding(f->db, port),
                                 parse_ip(ip, &external), &datapaths);
    sset_destroy(&datapaths);
    return does;
}

/* Returns how long packets of 'port' in 'f', which has the external address
 * 'ip' unless that is NULL, may be. */
int
path_bed_mtu(const struct sbt *f, const char *port, const char *ip)
{
    struct in6_addr external;

    return sb_db_path_mtu(f->db, sbt_binding(f->db, port),
                          parse_ip(ip, &external));
}

/* Adds to 'server' a datapath of others. */
void
path_bed_add_foreign(const struct db_server *server)
{
    db_server_exec(server, "{'op':'insert','table':'Datapath_Binding',"
                   "'uuid':'" FOREIGN "','row':{'tunnel_key':999}}");
}
