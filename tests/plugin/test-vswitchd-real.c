/* SPDX-License-Identifier: Apache-2.0 */
/* plugin/vswitchd.c with a real ovs-vswitchd in a network namespace of its
 * own. */

#include <config.h>

#include "plugin/vswitchd.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "fatal-signal.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

#include "tests/plugin/netns.h"

static char *directory;         /* Run-time folder of OVS. */

/* Starts ovs-vswitchd, and waits until its bridge, if any, is there. */
static void
start_vswitchd(void)
{
    netns_run("ovs-vswitchd --detach --no-chdir --pidfile "
              "--log-file=%s/vswitchd.log -vconsole:off; "
              "ovs-vsctl --timeout=20 show >/dev/null", directory);
}

/* Sends 'signal' to the daemon 'name'. */
static void
send_signal(const char *name, int signal)
{
    netns_run("kill -%d $(cat %s/%s.pid)", signal, directory, name);
}

/* Starts both daemons, without a bridge. */
static int
setup(void **state)
{
    netns_run("ovsdb-tool create %s/conf.db "
              "/usr/share/openvswitch/vswitch.ovsschema && "
              "ovsdb-server --detach --no-chdir --pidfile "
              "--log-file=%s/ovsdb.log -vconsole:off "
              "--remote=punix:%s/db.sock %s/conf.db && "
              "ovs-vsctl --timeout=20 --no-wait init",
              directory, directory, directory, directory);
    start_vswitchd();
    *state = vswitchd_create(directory);
    return 0;
}

/* Ends both. */
static int
teardown(void **state)
{
    vswitchd_destroy(*state);
    send_signal("ovs-vswitchd", SIGKILL);
    send_signal("ovsdb-server", SIGKILL);
    return 0;
}

/* Waits until what is known of the windows is 'expected'. */
static void
await_windows(struct vswitchd *vs, enum vswitchd_windows expected)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;

    for (;;) {
        vswitchd_run(vs, true, time_msec());
        if (vswitchd_windows(vs) == expected) {
            return;
        }
        assert_true(time_msec() < deadline);
        vswitchd_wait(vs);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* From no userspace datapath to one with checks, and without; a process that
 * hangs, and another one. */
static void
test_life(void **state)
{
    struct vswitchd *vs = *state;
    unsigned int seqno = vswitchd_seqno(vs);

    netns_run("ovs-vsctl --timeout=20 add-br br0 "
              "-- set bridge br0 datapath_type=netdev");
    await_windows(vs, VSWITCHD_WINDOWS_CHECKED);
    netns_run("ovs-appctl dpctl/ct-disable-tcp-seq-chk");
    await_windows(vs, VSWITCHD_WINDOWS_FREE);
    netns_run("ovs-vsctl --timeout=20 del-br br0");
    await_windows(vs, VSWITCHD_WINDOWS_UNKNOWN);
    netns_run("ovs-vsctl --timeout=20 add-br br0 "
              "-- set bridge br0 datapath_type=netdev");
    await_windows(vs, VSWITCHD_WINDOWS_CHECKED);
    netns_run("ovs-appctl dpctl/ct-disable-tcp-seq-chk netdev@ovs-netdev");
    await_windows(vs, VSWITCHD_WINDOWS_FREE);

    send_signal("ovs-vswitchd", SIGSTOP);
    await_windows(vs, VSWITCHD_WINDOWS_UNKNOWN);
    send_signal("ovs-vswitchd", SIGCONT);
    await_windows(vs, VSWITCHD_WINDOWS_FREE);
    assert_int_equal(vswitchd_seqno(vs), seqno);

    send_signal("ovs-vswitchd", SIGKILL);
    await_windows(vs, VSWITCHD_WINDOWS_UNKNOWN);
    assert_int_not_equal(vswitchd_seqno(vs), seqno);
    start_vswitchd();
    await_windows(vs, VSWITCHD_WINDOWS_CHECKED);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_life, setup, teardown),
    };
    const char *tmp = getenv("OVN_XDP_TMP");
    int failed;

    fatal_ignore_sigpipe();
    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    directory = xasprintf("%s/vswitchd-XXXXXX", tmp ? tmp : "/tmp");
    if (!mkdtemp(directory)) {
        ovs_abort(errno, "%s", directory);
    }
    setenv("OVS_RUNDIR", directory, true);
    setenv("OVS_DBDIR", directory, true);
    netns_enter();
    failed = cmocka_run_group_tests_name("vswitchd-real", tests, NULL, NULL);
    netns_run("rm -r %s", directory);
    free(directory);
    return failed;
}
