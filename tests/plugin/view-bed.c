/* SPDX-License-Identifier: Apache-2.0 */
/* See tests/plugin/view-bed.h. */

#include <config.h>

#include "tests/plugin/view-bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <cmocka.h>

#include "idl/ovs-db.h"
#include "idl/nb-db.h"
#include "idl/sb-db.h"
#include "openvswitch/dynamic-string.h"
#include "openvswitch/vlog.h"
#include "plugin/datapath-fake.h"
#include "plugin/desired.h"
#include "plugin/netdevs.h"
#include "plugin/ports.h"
#include "plugin/reconcile.h"
#include "plugin/view-private.h"
#include "timeval.h"
#include "util.h"

/* Derives anew, and brings that about 'n' times. */
void
view_bed_update(struct view_bed *f, int n)
{
    desired_destroy(f->desired);
    f->desired = values_derive(&f->values);
    f->view.desired = f->desired;
    for (int i = 0; i < n; i++) {
        reconcile_run(f->reconcile, f->desired, 0);
        f->view.programmed = true;
    }
}

/* Prepares a struct view_bed: everything is there, nothing was derived. */
int
view_bed_setup(void **state)
{
    struct view_bed *f = xzalloc(sizeof *f);
    struct dp_config config = { "view", 16 };

    values_init_cloud(&f->values);
    f->ovs_db = ovs_db_create("unix:/nonexistent/db.sock");
    f->sb_db = sb_db_create();
    f->nb_db = nb_db_create();
    assert_int_equal(netdevs_create(&f->netdevs), 0);
    f->ports = ports_create(f->ovs_db);
    assert_int_equal(datapath_fake_class.open(&config, &f->dp), 0);
    f->reconcile = reconcile_create(&datapath_fake_class, f->dp);
    f->view = (struct view) {
        .settings = &f->values.settings,
        .setting_problems = &f->setting_problems,
        .tls_problems = &f->tls_problems,
        .ovs_db = f->ovs_db,
        .sb_db = f->sb_db,
        .nb_db = f->nb_db,
        .netdevs = f->netdevs,
        .ports = f->ports,
        .reconcile = f->reconcile,
        .class = &datapath_fake_class,
        .dp = f->dp,
        .started = time_msec() - 5000,
    };
    *state = f;
    return 0;
}

/* Frees a struct view_bed. */
int
view_bed_teardown(void **state)
{
    struct view_bed *f = *state;

    desired_destroy(f->desired);
    reconcile_destroy(f->reconcile);
    datapath_fake_class.close(f->dp, true);
    ports_destroy(f->ports);
    netdevs_destroy(f->netdevs);
    nb_db_destroy(f->nb_db);
    sb_db_destroy(f->sb_db);
    ovs_db_destroy(f->ovs_db);
    problems_destroy(&f->setting_problems);
    problems_destroy(&f->tls_problems);
    values_destroy(&f->values);
    free(f);
    return 0;
}
