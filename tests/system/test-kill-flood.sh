#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The daemon is killed with -9 and replaced under more than 20,000 packets per
# second.  Every frame is accounted for: what was sent, what the NIC got and
# counted, what entered the bridge, what arrived in the VM.
#
# Not everything on the way is ovn-xdp's.  A veth's ring, which stands for the
# wire here, may be full, and the socket by which ovs-vswitchd of the userspace
# datapath reads the managed port may be, too.  Both count what they lose.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
rate=21000 # What is reached is a little less.

# Prints the frames that have entered the bridge by the managed port.
entered() {
    frames hv xdpi-br-ex rx
}

# Prints how many probes of the daemon, which layer L3 sends, OVN has passed on
# their way to VMs.
probes() {
    ctl -f json stats |
        json "sum(counted['packets']
                  for side, reasons in d['direct']['sides'].items()
                  for reason, counted in reasons.items()
                  if (side, reason) == ('far-vm', 'flow-confirmed'))"
}

# Kills the daemon and starts another one under load.
killed() {
    half_a_second || return
    check "$1: the daemon is killed with -9" daemon_kill
    check "$1: packets go on without it" half_a_second
    check "$1: a new daemon starts" daemon_start
    check "$1: $fip is offloaded" await_offloaded $fip
    check "$1: packets go on" half_a_second
    check_not "$1: all this under load" gone "$flow_pid"
}

# Kills the daemon under load, and accounts for what the NIC got.  Sets
# 'errors', the frames that are known to be lost after the verdict, and
# 'direct', those that went to the VM and not into the bridge: layer L3's.
#
# usage: round KIND
round() {
    local sent all

    sent=$(frames ext wan0 tx)
    all=$(counted nic0)
    direct=$(counted nic0 direct)
    errors=$(redirect_errors)
    flow_start $fip $rate
    check "$1: $rate datagrams per second are on their way" \
        equal "exit status" $? 0
    killed "$1"
    flow_stop
    check "$1: the counter answers" equal "exit status" $? 0
    errors=$(($(redirect_errors) - errors))
    sent=$(($(frames ext wan0 tx) - sent))
    all=$(($(counted nic0) - all))
    direct=$(($(counted nic0 direct) - direct))
    echo "# $1: $flow_rate datagrams per second, $flow_sent in all;" \
        "$((flow_sent - flow_wired)) not on the wire," \
        "$flow_redirected redirected, $direct of all directly," \
        "$errors redirect errors"
    check "$1: each frame has its reason" equal frames $all $sent
    check "$1: each datagram was redirected" equal redirected \
        "$flow_redirected" "$flow_wired"
    check "$1: none arrived twice" equal twice "$flow_twice" 0
}

# The bridge's own port, whose queue is deep enough: what has entered the bridge
# arrives.
own_port() {
    round "own port"
    check "own port: each of them arrived in the VM" equal received \
        "$flow_received" $((flow_redirected - errors))
}

# The managed port.
managed_port() {
    local bridge drops probes all

    probes=$(probes)
    bridge=$(entered)
    drops=$(socket_drops xdpi-br-ex)
    round "managed port"
    bridge=$(($(entered) - bridge))
    probes=$(($(probes) - probes))
    drops=$(($(socket_drops xdpi-br-ex) - drops))
    echo "# managed port: $bridge frames entered the bridge, $probes of them" \
        "probes; ovs-vswitchd's socket lost $drops"
    # What went directly to the VM did not pass here; of the probes one may be
    # under way.
    all=$((flow_redirected + flow_asked - errors))
    check "managed port: each of them entered the bridge" between entered \
        $((bridge + direct - probes)) $all $((all + (probes > 0)))
    # A question what has arrived may not have fit, either.
    check "managed port: each arrived in the VM or did not fit the socket" \
        between received "$flow_received" $((all - flow_asked - drops)) \
        $((all - drops - 1))
}

sandbox_start
queue_deeply br-ex
cloud_add || die "the cloud failed"
flow_serve vm1 || die "the counter failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
warm $fip
own_port
config bridge-port veth
check "the managed port is used" await 10 target_is nic0 br-ex kind veth
check "and ready" await 10 target_is nic0 br-ex state ready
warm $fip
managed_port
finish
