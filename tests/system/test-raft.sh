#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The Southbound as a cluster of three servers, each of which ends and comes
# back; one that was left behind and is then the only one in reach; and a
# cluster that is rebuilt from scratch.  The daemon never goes back in time,
# until it is told to.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
new=172.24.100.120

# Prints what server N says of itself: leader, follower or candidate.
role() {
    ovn-appctl -t "$SANDBOX/sb$1-db.ctl" cluster/status OVN_Southbound |
        sed -n 's/^Role: //p'
}

# Prints the number of the leader.
leader() {
    local i

    for i in 1 2 3; do
        [ "$(role $i 2>/dev/null)" = leader ] && echo $i && return
    done
    return 1
}

# Succeeds if the leader is another server than N.
other_leader() {
    local now

    now=$(leader) && [ "$now" != "$1" ]
}

# Succeeds if server N takes part in the cluster.
takes_part() {
    role "$1" | grep -wE 'leader|follower'
}

# Adds the floating IP 'new', or takes it away if it is there.
change() {
    if no_endpoint "$new" >/dev/null; then
        nb lr-nat-add r1 dnat_and_snat "$new" 10.1.0.12
    else
        nb lr-nat-del r1 dnat_and_snat "$new"
    fi
}

# Succeeds if the floating IP 'new' is offloaded, or not there.
#
# usage: new_is offloaded|gone
new_is() {
    if [ "$1" = gone ]; then
        no_endpoint "$new"
    else
        endpoint_is "$new" state "$1"
    fi
}

# Makes a change and checks that it comes through.
followed() {
    local then=gone

    no_endpoint "$new" >/dev/null && then=offloaded
    check "$1: a change in OVN" change
    check "$1: is followed" await 30 new_is $then
}

# Starts the flow, 500 datagrams per second.
flow_begins() {
    flow_start "$fip" 500
    check "$1: datagrams are on their way" equal "exit status" $? 0
}

# Ends the flow, which must not have ended by itself and has lost nothing.
flow_ends() {
    check_not "$1: datagrams are still on their way" gone "$flow_pid"
    check "$1: not one was lost" flow_whole
}

# Each server in turn ends and starts again, the leader first: one of them is
# the daemon's.
leaders() {
    local i first

    flow_begins "leader change"
    first=$(leader)
    for i in "$first" $((first % 3 + 1)) $(((first + 1) % 3 + 1)); do
        check "leader change: server $i ends, $(role "$i")" \
            daemon_end "sb$i-db" TERM
        check "leader change: another one leads" await 30 other_leader "$i"
        followed "leader change, without server $i"
        check "leader change: it starts again" server_start "sb$i"
        check "leader change: it takes part" await 30 takes_part "$i"
    done
    check "leader change: all is well" await 20 ctl health
    flow_ends "leader change"
}

# A follower is stopped while the others go on, and is then the only one in
# reach: it has no leader and lacks the last change, and is not followed.
left_behind() {
    local stale other pids=()

    stale=$(leader)
    stale=$((stale % 3 + 1))
    flow_begins "left behind"
    new_is gone >/dev/null || followed "left behind, before"
    check "left behind: server $stale ends" daemon_end "sb$stale-db" TERM
    followed "left behind, meanwhile"
    for other in 1 2 3; do
        [ $other = $stale ] || pids+=("$(cat "$SANDBOX/sb$other-db.pid")")
    done
    kill -KILL "${pids[@]}"
    check "left behind: the others are gone" await 10 gone "${pids[1]}"
    log_here
    check "left behind: it is back alone" server_start "sb$stale"
    check "left behind: the daemon meets it and turns away" await 30 \
        logged "sb$stale.sock: clustered database server"
    check "left behind: this is reported" await 10 has_problem database-down
    check "left behind: what was known last is kept" new_is offloaded
    for other in 1 2 3; do
        [ $other = $stale ] || server_start "sb$other"
    done
    check "left behind: all is well again" await 40 ctl health
    check "left behind: with what was known last" new_is offloaded
    followed "left behind, afterwards"
    flow_ends "left behind"
}

# Succeeds if the daemon has logged TEXT since log_here.
logged() {
    tail -n +"$log_from" "$SANDBOX/ovn-xdpd.log" | grep -F "$1"
}

# What 'logged' looks for is logged from now on.
log_here() {
    log_from=$(($(wc -l <"$SANDBOX/ovn-xdpd.log") + 1))
}

# All servers are lost and a new cluster is made, whose log is shorter.  OVN's
# own daemons have to be told, too.
rebuilt() {
    local i

    new_is gone >/dev/null && followed "rebuilt, before"
    log_here
    for i in 1 2 3; do
        check "rebuilt: server $i is lost" daemon_end "sb$i-db" KILL
        rm "$SANDBOX/sb$i.db"
    done
    check "rebuilt: a new cluster" cluster_create \
        "${OVN_PKGDATADIR:-/usr/share/ovn}/ovn-sb.ovsschema"
    check "rebuilt: it is there" await 20 sb init
    check "rebuilt: the daemon does not accept it" await 20 \
        logged 'has stale data'
    check "rebuilt: this is reported" await 10 has_problem database-down
    check "rebuilt: OVN is told" ovn_reset
    check "rebuilt: OVN has filled it" await 40 filled
    check "rebuilt: the daemon still keeps what it knows" kept
    check "rebuilt: it is told, too" daemon_appctl sb-cluster-state-reset
    check "rebuilt: all is well" await 40 ctl health
    check "rebuilt: OVN is in step" await 20 ovn_sync
    check "rebuilt: $new is offloaded" await_offloaded "$new"
    check "rebuilt: $fip answers" warm $fip
    check "rebuilt: through XDP" pings_through_xdp $fip
    followed "rebuilt, afterwards"
}

# Tells OVN's daemons that the cluster is another one.
ovn_reset() {
    ovn-appctl -t "$SANDBOX/ovn-northd.ctl" sb-cluster-state-reset &&
        ovn-appctl -t "$SANDBOX/ovn-controller.$(cat \
            "$SANDBOX/ovn-controller.pid").ctl" sb-cluster-state-reset
}

# Succeeds if VM vm1 is bound in the Southbound.
filled() {
    [ -n "$(sb --bare --columns=chassis find Port_Binding \
        logical_port=vm1)" ]
}

# Succeeds if all endpoints of before are offloaded and the Southbound counts as
# down.
kept() {
    has_problem database-down && new_is offloaded &&
        endpoint_is "$fip" state offloaded
}

sandbox_start --sb-servers 3
queue_deeply br-ex
cloud_add || die "the cloud failed"
flow_serve vm1 || die "the counter failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
check "all is well" await 10 ctl health
warm $fip
leaders
left_behind
rebuilt
finish
