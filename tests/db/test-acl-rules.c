/* SPDX-License-Identifier: Apache-2.0 */
/* From the Southbound databases of the fixtures to the rules of every port,
 * and to which endpoints they decide about.
 *
 * time-limit: 120 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "packets.h"
#include "svec.h"
#include "util.h"

#include "plugin/acl.h"
#include "plugin/desired.h"
#include "plugin/reason.h"
#include "tests/db/sbt.h"
#include "tests/plugin/acl-bed.h"
#include "tests/plugin/values.h"

/* Returns how 'ep' is judged: by the rules of the first port, by name, that
 * has them, or not, and why.  The caller frees it. */
static char *
dump_endpoint(const struct acl *acl, const struct acl_inputs *in,
              const struct desired_endpoint *ep)
{
    const struct acl_port *port, *first = NULL;
    char address[INET6_ADDRSTRLEN];
    enum reason reason;
    const struct acl_set *set = acl_judge(acl, in, ep, &reason);

    HMAP_FOR_EACH (port, node, &acl->ports) {
        if (set && port->set == set
            && (!first || strcmp(port->name, first->name) < 0)) {
            first = port;
        }
    }
    ipv6_string_mapped(address, &ep->key.addr);
    return xasprintf("%s %s %s\n", address, endpoint_kind_to_string(ep->kind),
                     first ? first->name : reason_to_string(reason));
}

/* Returns how the endpoints of 'desired' are judged, as text.  The caller
 * frees it. */
static char *
dump_endpoints(const struct acl *acl, const struct acl_inputs *in,
               const struct desired *desired)
{
    struct svec lines = SVEC_EMPTY_INITIALIZER;
    const struct desired_endpoint *ep;

    HMAP_FOR_EACH (ep, node, &desired->endpoints) {
        svec_add_nocopy(&lines, dump_endpoint(acl, in, ep));
    }
    svec_sort(&lines);
    char *text = svec_join(&lines, "", "");
    svec_destroy(&lines);
    return text;
}

/* Returns what follows from 'view' as text: ports with their rules, and
 * endpoints with whose rules they have.  The caller frees it. */
static char *
derive(const struct sb_view *view)
{
    struct acl_inputs in = { view, &view->acl };
    struct acl_changes all = { .all = true };
    struct acl *acl = acl_create();
    struct values values;

    values_init_cloud(&values);
    struct desired_inputs inputs = values_inputs(&values);
    inputs.sb = view;
    inputs.sb_facts = &view->facts;
    struct desired *desired = desired_compute(&inputs);
    acl_update(acl, &in, &all);

    char *ports = acl_bed_dump(acl);
    char *endpoints = dump_endpoints(acl, &in, desired);
    char *text = xasprintf("%s%s", ports, endpoints);
    free(ports);
    free(endpoints);
    acl_destroy(acl);
    desired_destroy(desired);
    values_destroy(&values);
    return text;
}

/* Checks what follows from 'fixture' for a chassis with all VMs and the
 * gateway: the same from every release. */
static void
check_fixture(struct sbt *f, const char *fixture)
{
    struct db_server *server = db_server_create(f->dir, fixture);
    char *expected = db_read_golden("acl-rules.txt");

    db_server_use_fixture(server, fixture);
    db_server_start(server);
    sbt_claim(server, VM_PROVIDER, "cmp1", true);
    sbt_claim(server, VM_FIP, "cmp1", true);
    sbt_claim(server, VM_OTHER, "cmp1", true);
    sbt_claim(server, GW_PORT, "cmp1", true);
    sbt_target_acl(f->db, server, "cmp1");
    AWAIT(f->db, sbt_acl(f->db)->current
          && sset_count(&sbt_acl(f->db)->ports) == 3
          && sbt_is_local(f->db, GW_PORT)
          && !hmap_is_empty(&sb_db_view(f->db)->facts));

    char *actual = derive(sb_db_view(f->db));
    if (strcmp(actual, expected)) {
        fprintf(stderr, "acl-rules.txt is not:\n%s", actual);
    }
    assert_string_equal(actual, expected);
    free(actual);
    free(expected);
    db_server_destroy(server);
}

/* OVN 23.03. */
static void
test_2303(void **statep)
{
    check_fixture(*statep, "sb-2303.db");
}

/* OVN 24.03. */
static void
test_2403(void **statep)
{
    check_fixture(*statep, "sb-2403.db");
}

/* Runs the tests. */
int
main(int argc, char *argv[])
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_2303, sbt_setup, sbt_teardown),
        cmocka_unit_test_setup_teardown(test_2403, sbt_setup, sbt_teardown),
    };

    if (!db_test_init(argc, argv)) {
        return 77;
    }
    return cmocka_run_group_tests_name("acl-rules", tests, NULL, NULL);
}
