#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ovn-northd, ovn-controller and ovs-vswitchd end, are killed, stand still, and
# come back, while datagrams are on their way.  XDP loses none, and what OVN
# changes afterwards is followed.
#
# What cannot enter the bridge passes, with its reason.  Here hv drops what
# passes, so that it is counted once: its default route leads back to 'ext'.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
new=172.24.100.120

# Checks that a change in OVN comes through: a floating IP is added, or taken
# away the next time.
followed() {
    if no_endpoint $new >/dev/null; then
        check "$1: a floating IP is added" fip_add r1 $new vm2 centralised
        check "$1: it is offloaded" await_offloaded $new
    else
        check "$1: a floating IP is taken away" fip_del r1 $new
        check "$1: it is forgotten" await 10 no_endpoint $new
    fi
}

# Starts the flow, 500 datagrams per second.
flow_begins() {
    flow_start $fip 500
    check "$1: datagrams are on their way" equal "exit status" $? 0
}

# Ends the flow, which must not have ended by itself and has lost nothing.
flow_ends() {
    check_not "$1: datagrams are still on their way" gone "$flow_pid"
    check "$1: not one was lost" flow_whole
}

# Succeeds if 'ext' has sent COUNT frames.
frames_sent() {
    [ "$(frames ext wan0 tx)" -ge "$1" ]
}

# Waits until 'ext' has sent 100 more frames.
datagrams_go_on() {
    await 10 frames_sent $(($(frames ext wan0 tx) + 100))
}

# DAEMON ends, is killed and stands still; START starts it.  XDP redirects all
# the time.  An ovn-controller that starts makes all flows anew, and OVN loses
# packets meanwhile.
#
# usage: bystander DAEMON START
bystander() {
    local pid signal

    flow_begins "$1 restarts"
    for signal in TERM KILL; do
        check "$1: it ends by SIG$signal" daemon_end "$1" $signal
        check "$1: datagrams go on" datagrams_go_on
        check "$1: all is well here" ctl health
        check "$1: it starts again" "$2"
        followed "$1, after SIG$signal"
    done
    check_not "$1: datagrams are still on their way" gone "$flow_pid"
    check "$1: all were redirected" flow_redirected_all
    flow_begins "$1 stands still"
    pid=$(cat "$SANDBOX/$1.pid")
    kill -STOP "$pid"
    check "$1: it stands still, datagrams go on" datagrams_go_on
    kill -CONT "$pid"
    followed "$1, after SIGSTOP"
    flow_ends "$1 stands still"
}

# ovn-controller is stopped for good, as for an upgrade: it takes the chassis
# and its bindings out of the Southbound.  They are kept until it is back.
controller_exits() {
    local pid

    pid=$(cat "$SANDBOX/ovn-controller.pid")
    flow_begins "ovn-controller exits"
    check "ovn-controller exits" \
        ovn-appctl -t "$SANDBOX/ovn-controller.$pid.ctl" exit
    check "it is gone" await 10 gone "$pid"
    check "so is its chassis" equal chassis \
        "$(sb --bare --columns=name find Chassis name=here)" ""
    check "datagrams go on" datagrams_go_on
    check "it starts again" controller_start
    check "OVN is in step" ovn_sync
    check "all is well" await 20 ctl health
    check "the address was kept all the time" flow_redirected_all
    check "it is offloaded" endpoint_is $fip state offloaded
    warm $fip
    followed "ovn-controller, after its exit"
}

# Ends the flow; succeeds if XDP redirected all that the NIC got.  What OVN did
# with it is OVN's.
flow_redirected_all() {
    flow_stop
    cat "$SANDBOX/flow.log"
    equal redirected "$flow_redirected" "$flow_wired"
}


# ovs-vswitchd ends with SIGNAL, and its taps vanish, br-ex among them.
vswitchd_dies() {
    local passed what="ovs-vswitchd, SIG$1"

    passed=$(counted nic0 target-gone)
    flow_begins "$what"
    check "$what: it ends" daemon_end ovs-vswitchd "$1"
    check "$what: the target is gone" await 10 inverted target_is nic0 br-ex \
        state ready
    check "$what: this is a problem" await 10 inverted ctl health
    check "$what: datagrams go on" datagrams_go_on
    check "$what: it starts again" vswitchd_back
    check "$what: the target is followed" await 10 target_is_new
    check "$what: OVN is in step" ovn_sync
    check_not "$what: datagrams are still on their way" gone "$flow_pid"
    flow_stop
    passed=$(($(counted nic0 target-gone) - passed))
    echo "# $what: $flow_wired sent, $flow_redirected redirected," \
        "$passed passed, $flow_received received"
    check "$what: each was redirected or passed for want of a target" equal \
        "redirected or passed" $((flow_redirected + passed)) "$flow_wired"
    check "$what: not all were lost, and not all arrived" between received \
        "$flow_received" 1 $((flow_sent - 1))
    check "$what: all is well" await 10 ctl health
    flow_begins "$what, afterwards"
    check "$what: datagrams go on" datagrams_go_on
    flow_ends "$what, afterwards"
}

# Starts ovs-vswitchd, and makes of br-ex what it was.
vswitchd_back() {
    vswitchd_start && router_leg br-ex && queue_deeply br-ex &&
        way_out public
}

# ovs-vswitchd stands still: what is redirected waits for it.
vswitchd_stands_still() {
    local pid

    pid=$(cat "$SANDBOX/ovs-vswitchd.pid")
    flow_begins "ovs-vswitchd stands still"
    kill -STOP "$pid"
    check "ovs-vswitchd stands still, datagrams go on" datagrams_go_on
    kill -CONT "$pid"
    flow_ends "ovs-vswitchd stands still"
    followed "ovs-vswitchd, after SIGSTOP"
}

# The managed port outlives ovs-vswitchd: all goes into it.
managed_port() {
    config bridge-port veth
    check "the managed port is used" await 10 target_is nic0 br-ex kind veth
    check "and ready" await 10 target_is nic0 br-ex state ready
    warm $fip
    flow_begins "managed port"
    check "managed port: ovs-vswitchd is killed" daemon_end ovs-vswitchd KILL
    check "managed port: datagrams go on" datagrams_go_on
    check "managed port: it starts again" vswitchd_back
    check "managed port: OVN is in step" ovn_sync
    check "managed port: all is well" await 20 ctl health
    check "managed port: XDP has redirected all" flow_redirected_all
    check "managed port: $fip is reached through XDP" pings_through_xdp $fip
}

sandbox_start
queue_deeply br-ex
cloud_add || die "the cloud failed"
flow_serve vm1 || die "the counter failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
check "all is well" await 10 ctl health
warm $fip
ip -n "$SANDBOX_ID-hv" route add blackhole 172.24.0.0/16
bystander ovn-northd northd_start
bystander ovn-controller controller_start
controller_exits
vswitchd_stands_still
vswitchd_dies TERM
vswitchd_dies KILL
managed_port
finish
