#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Daemons end and come back while packets are forwarded directly, and what layer
# L3 needs is lost: traffic goes on, or goes by OVN again; it never hangs.
# time-limit: 300
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/direct.sh
. "$(dirname "$0")/direct.sh"

fip=172.24.100.111
pvm=172.24.100.50
bulk_pid=

# Has COMMAND happen under a watch of vm1, which goes on for MAX ms after it,
# and prints what came of it.
#
# usage: under_watch NAME MAX COMMAND...
under_watch() {
    local name=$1 max=$2 start

    shift 2
    watch_start $fip ext vm1 $fip
    check "$direct: $name: a watch" equal "exit status" $? 0 || return
    start=$EPOCHREALTIME
    check "$direct: $name" "$@"
    watch_stop "$start" 0 "$max"
    check "$direct: $name: nothing came twice or was wrong" \
        equal "exit status" $? 0
    sed "s/^/# $direct: $name: /" "$SANDBOX/watch"
}

# Checks that the watch's flows all went on afterwards, without a gap of more
# than MS.
#
# usage: went_on NAME MS
went_on() {
    local stream

    for stream in udp-there udp-back tcp-there tcp-back; do
        check "$direct: $1: $stream goes on" between gap \
            "$(watched $stream gap)" 0 "$2"
    done
}

# Starts a bulk transfer to vm1, or another VM at ADDRESS, until bulk_stop.
#
# usage: bulk_start up|both [VM ADDRESS]
bulk_start() {
    local before

    before=$(frames ext wan0 tx)
    rm -f "$SANDBOX/enough"
    traffic bulk ext "${2:-vm1}" "${3:-$fip}" "until=$SANDBOX/enough" "$1" \
        >"$SANDBOX/bulk" &
    bulk_pid=$!
    check "$direct: a transfer runs" await 5 frames_since "$before" 500
}
bulk_stop() {
    touch "$SANDBOX/enough"
    wait "$bulk_pid"
    check "$direct: all bytes of the transfer are right" \
        equal "exit status" $? 0
    remark <"$SANDBOX/bulk"
}

# Succeeds if ADDRESS is not forwarded directly, for REASON.
#
# usage: not_direct ADDRESS REASON
not_direct() {
    endpoint_is "$1" direct false && endpoint_is "$1" direct_reason "$2"
}

# Kills the daemon with -9, and starts another one, which adopts the flows.
daemon_again() {
    daemon_kill && daemon_start && await_offloaded "$fip"
}
daemon_dies() {
    local after

    bulk_start both
    check "$direct: the daemon is killed and replaced meanwhile" daemon_again
    bulk_stop
    under_watch "the daemon is killed and replaced" 1000 daemon_again
    went_on "the daemon is killed and replaced" 200
    [ "$direct" = off ] && return
    check "on: $fip is direct again" await_direct $fip
    quick "after the new daemon, datagrams" 900 900 \
        datagrams ext vm1 $fip 1000 2000 echo
    under_watch "the daemon is killed, and replaced after a while" 1000 \
        daemon_late
    went_on "the daemon is killed, and replaced after a while" 200
    under_watch "it is replaced in order" 1000 daemon_restart
    went_on "it is replaced in order" 200
    after=$(side_counted far-vm flow-confirmed)
    check "on: flows are confirmed again" await 5 confirmed_more "$after"
}
# Without a daemon packets ask OVN for confirmation.  The next one knows the flows:
# they have not been counted from the beginning again.
daemon_late() {
    daemon_kill && await 10 frames_since "$(frames ext wan0 tx)" 800 &&
        daemon_start && await_direct "$fip" && equal "flows that were known" \
        "$(flows "f['state'] == 'used' and f['packets'] > 200" "$fip")" 4
}
daemon_restart() {
    daemon_stop && daemon_start && await_offloaded "$fip"
}
confirmed_more() {
    pings "$fip" 10 && [ "$(side_counted far-vm flow-confirmed)" -gt "$1" ]
}

# ovn-controller is killed and comes back: OVN's flows stay meanwhile.
controller_again() {
    daemon_end ovn-controller KILL && controller_start && ovn_sync
}
controller_dies() {
    under_watch "ovn-controller is killed and replaced" 1000 controller_again
    went_on "ovn-controller is killed and replaced" 1500
}

# ovs-vswitchd ends: what is direct must not go on without OVN, and when it is
# back its conntrack checks windows, with which nothing may be direct.
vswitchd_dies() {
    local stream

    under_watch "ovs-vswitchd is killed" 1500 daemon_end ovs-vswitchd KILL
    for stream in udp-there udp-back tcp-there tcp-back; do
        check "$direct: ovs-vswitchd is killed: $stream ends in time" \
            between last "$(watched $stream last)" 0 $((3 * 200 + 100))
    done
    check "$direct: it starts again" vswitchd_back
    check "$direct: $fip is reached" warm $fip
    if [ "$direct" = on ]; then
        check "on: not directly, as windows are checked" await 5 \
            not_direct $fip direct-conntrack
    fi
    check "$direct: no connection hangs" \
        traffic bulk ext vm1 $fip 3000000 both
    windows_free
    check "$direct: without that, it is as before" await_direct $fip
    quick "ovs-vswitchd is back, bulk" 300 300 \
        traffic bulk ext vm1 $fip 5000000 both
    bulk_start up
    check "$direct: windows are checked again meanwhile" ovs-appctl \
        -t "$SANDBOX/ovs-vswitchd.ctl" dpctl/ct-enable-tcp-seq-chk
    [ "$direct" = off ] || check "on: the reason is told" \
        await 5 not_direct "$fip" direct-conntrack
    bulk_stop
    windows_free
    check "$direct: $fip is ready" await_direct $fip
}
vswitchd_back() {
    vswitchd_start && router_leg br-ex && ovn_sync && way_out public
}

# A precondition of pvm is lost by command LOSE, and comes back by RESTORE: its
# packets go by OVN at once, with REASON, and directly again.
#
# usage: lost REASON LOSE RESTORE
lost() {
    check "$direct: $2" "$2"
    if [ "$direct" = on ]; then
        check "on: $2: $1 is why" await 5 not_direct $pvm "$1"
        check "on: $2: not one flow is in use" await 2 no_flows $pvm
    fi
    check "$direct: $2: traffic goes on" \
        traffic bulk ext pvm $pvm 1000000 both
    [ "$direct" = off ] || check "on: $2: by OVN" no_flows $pvm
    check "$direct: $3" "$3"
    check "$direct: $3: ready again" await_direct $pvm
}
no_flows() {
    equal "flows of $1 in use" "$(flows "f['state'] == 'used'" "$1")" 0
}

policed() {
    vs set Interface tap-pvm ingress_policing_rate=1000000
}
not_policed() {
    vs set Interface tap-pvm ingress_policing_rate=0
}
shaped() {
    nb --wait=hv set Logical_Switch_Port pvm options:qos_max_rate=1000000000
}
not_shaped() {
    nb --wait=hv remove Logical_Switch_Port pvm options qos_max_rate
}
limited() {
    ns hv tc qdisc add dev tap-pvm root tbf rate 1gbit burst 1m latency 50ms
}
not_limited() {
    ns hv tc qdisc del dev tap-pvm root
}
metered() {
    nb --wait=hv qos-add public to-lport 10 'outport == "pvm"' rate=1000000
}
not_metered() {
    nb --wait=hv qos-del public
}
mirrored() {
    vs -- --id=@p get Port tap-pvm \
        -- --id=@m create Mirror name=mirror select_src_port=@p output_vlan=7 \
        -- add Bridge br-int mirrors @m
}
not_mirrored() {
    vs clear Bridge br-int mirrors
}
preconditions() {
    quick "at first" 50 50 traffic bulk ext pvm $pvm 1000000 both
    lost direct-qos policed not_policed
    lost direct-qos shaped not_shaped
    lost direct-qos metered not_metered
    lost direct-qos limited not_limited
    lost direct-mirror mirrored not_mirrored
    [ "$direct" = off ] || late
}

# It is switched on live where there is a meter: OVN's rows that say so come
# later than all else.
late() {
    check "on: there is a meter" metered
    direct_set off
    direct_set on
    check "on: switched on with it, it is why" await 5 not_direct $pvm direct-qos
    check "on: traffic of the metered VM" \
        traffic bulk ext pvm $pvm 1000000 both
    check "on: goes by OVN" no_flows $pvm
    check "on: the meter is gone" not_metered
    check "on: it is ready again" await_direct $pvm
}

# Prints the index of device DEV of hv.
index_of() {
    ip -n "$SANDBOX_ID-hv" -o link show dev "$1" | sed 's/:.*//'
}

# What somebody detaches or unpins by hand is put back, before the programs that
# are left can do harm: a probe that nobody takes at the far side goes on.
by_hand() {
    local pins=$SANDBOX_PINS/direct tap nic pin

    [ "$direct" = on ] || return
    tap=$(index_of tap-vm1)
    nic=$(index_of nic0)
    for pin in far-"$tap" xdp-"$tap" far-"$nic"; do
        under_watch "$pin is detached by hand" 1500 \
            bpftool link detach pinned "$pins/$pin"
        went_on "$pin is detached by hand" 200
        check "on: it is attached again" await 5 log_says_detached "$pin"
        check "on: its pin goes" rm "$pins/$pin"
        check "on: and comes back" await 5 test -e "$pins/$pin"
        quick "$pin is back, datagrams" 900 900 \
            datagrams ext vm1 $fip 1000 2000 echo
    done
}

# Succeeds if the daemon's log says once that PIN was detached.
log_says_detached() {
    equal "times that the log says so" \
        "$(grep -c "/$1: was detached" "$SANDBOX/ovn-xdpd.log")" 1
}

# A VM that leaves checksums to its network card: its packets are of no use to
# XDP, and are left alone.  (Nor are they to this Open vSwitch: what arrives has
# no right checksum, so that the transfer rests meanwhile.)
half_checksums() {
    [ "$direct" = on ] || return
    bulk_start up pvm "$pvm"
    ns pvm ethtool -K eth0 tx on >/dev/null
    check "on: half a checksum is seen" await 5 half_checksum_seen
    check "on: this is the reason" await 5 not_direct $pvm direct-checksum
    ns pvm ethtool -K eth0 tx off >/dev/null
    bulk_stop
}
half_checksum_seen() {
    [ "$(side_counted near-vm flow-half-checksum)" -gt 0 ]
}

sandbox_start
cloud_add || die "the cloud failed"
# 'die' is for whatever fails.
# shellcheck disable=SC2015
guests_ready vm1 pvm && world_ready wan0 && windows_free ||
    die "no layer L3 here"
check "ovn-xdpd starts" daemon_start || finish
config confirm-ms 200
config interfaces nic0
for address in $fip $pvm; do
    check "$address is offloaded" await_offloaded "$address"
    warm "$address"
done
for mode in "${direct_modes[@]}"; do
    direct_begin "$mode"
    check "$mode: $fip is ready" await_direct $fip
    check "$mode: $pvm is ready" await_direct $pvm
    preconditions
    by_hand
    daemon_dies
    controller_dies
    vswitchd_dies
    half_checksums
done
check "no checksum was wrong in the world's or the first VM's eyes" \
    traffic sums vm1
finish
