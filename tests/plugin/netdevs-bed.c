/* SPDX-License-Identifier: Apache-2.0 */
/* A bed for tests of plugin/netdevs.c. */
#include <config.h>

#include "tests/plugin/netdevs-bed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/poll-loop.h"
#include "packets.h"
#include "timeval.h"

#include "tests/plugin/netns.h"

/* Runs 'nd' until 'met' is true of the device 'name'.  Returns the number of
 * times that netdevs_run() said that something changed. */
int
bed_await(struct netdevs *nd, const char *name, bed_condition *met)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;
    int n_changes = 0;

    for (;;) {
        n_changes += netdevs_run(nd);
        if (met(netdevs_find(nd, name))) {
            return n_changes;
        }
        if (time_msec() >= deadline) {
            fail_msg("%s: waited in vain", name);
        }
        netdevs_wait(nd);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

/* Returns the device 'name', which must be there. */
const struct netdev_info *
bed_get(const struct netdevs *nd, const char *name)
{
    const struct netdev_info *info = netdevs_find(nd, name);

    assert_non_null(info);
    assert_string_equal(info->name, name);
    assert_ptr_equal(netdevs_find_index(nd, info->ifindex), info);
    return info;
}

/* Says whether 'x' and 'y' tell the same. */
static bool
same_device(const struct netdev_info *x, const struct netdev_info *y)
{
    return (x && y
            && x->ifindex == y->ifindex
            && !strcmp(x->name, y->name)
            && x->ethernet == y->ethernet
            && eth_addr_equals(x->mac, y->mac)
            && x->mtu == y->mtu
            && x->up == y->up
            && x->running == y->running
            && x->master == y->master
            && x->peer == y->peer
            && !strcmp(x->kind, y->kind)
            && x->xdp_program_id == y->xdp_program_id
            && x->native == y->native
            && x->ndo_xmit == y->ndo_xmit
            && x->ndo_xmit_sg == y->ndo_xmit_sg
            && x->strips_vlan == y->strips_vlan
            && x->tag_hint == y->tag_hint);
}

/* Says whether 'a' and 'b' tell the same of the same devices, and names in
 * '*name' the first device of 'a' that does not agree. */
static bool
same(const struct netdevs *a, const struct netdevs *b, const char **name)
{
    const struct netdev_info *x;

    *name = "";
    HMAP_FOR_EACH (x, node, netdevs_all(a)) {
        *name = x->name;
        if (!same_device(x, netdevs_find(b, x->name))
            || netdevs_find_index(a, x->ifindex) != x) {
            return false;
        }
    }
    return hmap_count(netdevs_all(a)) == hmap_count(netdevs_all(b));
}

/* Fails unless 'nd' becomes what a fresh reading gives.  The kernel may take
 * a moment for changes of carrier. */
void
bed_assert_fresh(struct netdevs *nd)
{
    long long int deadline = time_msec() + NETNS_DEADLINE_MS;

    for (;;) {
        struct netdevs *fresh;
        const char *name;
        bool ok;

        netdevs_run(nd);
        assert_int_equal(netdevs_create(&fresh), 0);
        ok = same(nd, fresh, &name);
        netdevs_destroy(fresh);
        if (ok) {
            return;
        } else if (time_msec() >= deadline) {
            fail_msg("not as a fresh reading: %s", name);
        }
        netdevs_wait(nd);
        poll_timer_wait_until(deadline);
        poll_block();
    }
}

bool
is_there(const struct netdev_info *info)
{
    return info != NULL;
}

bool
is_gone(const struct netdev_info *info)
{
    return !info;
}

bool
is_down(const struct netdev_info *info)
{
    return info && !info->up;
}

bool
is_running(const struct netdev_info *info)
{
    return info && info->running;
}

bool
is_not_running(const struct netdev_info *info)
{
    return info && !info->running;
}

bool
has_mtu_1400(const struct netdev_info *info)
{
    return info && info->mtu == 1400;
}

bool
is_shaped(const struct netdev_info *info)
{
    return info && !strcmp(info->qdisc, "tbf");
}

bool
is_not_shaped(const struct netdev_info *info)
{
    return info && !strcmp(info->qdisc, "noqueue");
}

bool
is_policed(const struct netdev_info *info)
{
    return info && info->policed;
}

bool
is_not_policed(const struct netdev_info *info)
{
    return info && !info->policed;
}

bool
has_other_mac(const struct netdev_info *info)
{
    struct eth_addr mac = ETH_ADDR_C(02, 00, 00, aa, bb, cc);

    return info && eth_addr_equals(info->mac, mac);
}

bool
takes_frames(const struct netdev_info *info)
{
    return info && info->ndo_xmit;
}

bool
takes_no_frames(const struct netdev_info *info)
{
    return info && !info->ndo_xmit;
}

bool
strips(const struct netdev_info *info)
{
    return info && info->strips_vlan;
}

bool
does_not_strip(const struct netdev_info *info)
{
    return info && !info->strips_vlan;
}

bool
has_program(const struct netdev_info *info)
{
    return info && info->xdp_program_id;
}

bool
has_no_program(const struct netdev_info *info)
{
    return info && !info->xdp_program_id;
}

bool
has_master(const struct netdev_info *info)
{
    return info && info->master;
}

bool
has_no_master(const struct netdev_info *info)
{
    return info && !info->master;
}

bool
has_peer(const struct netdev_info *info)
{
    return info && info->peer;
}

bool
has_no_peer(const struct netdev_info *info)
{
    return info && !info->peer;
}

/* Makes the veth pair v0 and v1, both up, with GRO off, and waits for the
 * carrier. */
int
bed_setup(void **state)
{
    struct netdevs *nd;

    netns_run("ip link add v0 type veth peer name v1");
    netns_run("ethtool -K v0 gro off && ethtool -K v1 gro off");
    netns_run("ip link set v0 up && ip link set v1 up");
    assert_int_equal(netdevs_create(&nd), 0);
    bed_await(nd, "v0", is_running);
    bed_await(nd, "v1", is_running);
    *state = nd;
    return 0;
}

/* Deletes what any test may leave. */
int
bed_teardown(void **state)
{
    netdevs_destroy(*state);
    netns_clean();
    return 0;
}
