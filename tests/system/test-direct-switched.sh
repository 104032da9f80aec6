#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Layer L3 with NICs that are ports of br-ex, on networks with a VLAN tag and
# without one: all bytes and numbers are right, nothing comes twice.  The host
# has no part in it.
#
#     ext: leg0, leg101 == br-out --- wan7 ---- nic7 == br-ex == OVN
#     far: -------------------------- wan8 ---- nic8 ==
#          -------------------------- wan9 ---- nic9 ==
#
# The kernel here has no VLAN devices: the world's tags are pushed and popped by
# an Open vSwitch of its own.
# time-limit: 300
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/direct.sh
. "$(dirname "$0")/direct.sh"

fip=172.24.100.111  # Of vm1.
pvm=172.24.100.50
pvm6=2001:db8:100::50
vfip=172.24.101.113 # Of vm3, on a network with tag 101.
vvm=172.24.101.50
vvm6=2001:db8:101::50
bulk=20000000
period=200          # Of confirmation, in ms.
slack=300           # Of a loaded machine; without an event it takes 3 periods.
declare -A gaps=() lasts=()
declare -A vms=([$fip]=vm1 [$pvm]=pvm [$pvm6]=pvm [$vfip]=vm3 [$vvm]=vvm
    [$vvm6]=vvm)

# Has device DEV of 'ext' take what XDP redirects to its peer, but not by GRO:
# Open vSwitch would read packets there that are longer than its ports send.
takes_frames() {
    traffic_run pin "$SANDBOX_PINS-pass" &&
        ns ext ethtool -K "$1" gro off >/dev/null &&
        ns ext ip link set "$1" xdpdrv pinned "$SANDBOX_PINS-pass"
    rm -f "$SANDBOX_PINS-pass"
}

# Runs ovs-vsctl on the switch of the world.
vs_out() {
    ovs-vsctl --db="unix:$SANDBOX/out/db.sock" --timeout=20 "$@"
}

# Makes the switch of the world, with a leg in each network.
outside_switch() {
    local dir=$SANDBOX/out

    mkdir "$dir" &&
        ovsdb-tool create "$dir/conf.db" \
            "${OVS_PKGDATADIR:-/usr/share/openvswitch}/vswitch.ovsschema" &&
        ns ext ovsdb-server -vconsole:err --detach --no-chdir \
            --pidfile="$dir/local-db.pid" --log-file="$dir-db.log" \
            --unixctl="$dir/local-db.ctl" --remote="punix:$dir/db.sock" \
            "$dir/conf.db" || return
    vs_out --no-wait -- init -- add-br br-out \
        -- set Bridge br-out datapath_type=netdev \
        -- add-port br-out wan7 \
        -- add-port br-out leg0 -- set Interface leg0 type=internal \
        -- add-port br-out leg101 tag=101 \
        -- set Interface leg101 type=internal &&
        OVS_RUNDIR=$dir ns ext ovs-vswitchd -vconsole:err --detach \
            --no-chdir --pidfile="$dir/ovs-vswitchd.pid" \
            --log-file="$dir-vswitchd.log" --unixctl="$dir/ovs-vswitchd.ctl" \
            "unix:$dir/db.sock" &&
        vs_out wait-until Interface leg101 'ofport>0' &&
        gateway_at ext leg0 100 1 && gateway_at ext leg101 101 1
}

# Takes the host out of the way: br-ex has no leg in any network.
host_leaves() {
    ip -n "$SANDBOX_ID-ext" route del 172.24.0.0/16 &&
        ip -n "$SANDBOX_ID-ext" -6 route del 2001:db8:100::/40 &&
        ip -n "$SANDBOX_ID-hv" link set br-ex down &&
        vs del-port br-ex br-ex.101 &&
        ovs-ofctl del-flows br-ex cookie=999/-1
}

# Sends all kinds of traffic between namespace FROM and ADDRESS.
#
# usage: inward FROM ADDRESS
inward() {
    local vm=${vms[$2]}

    quick "$1 and $2, bulk up" 3000 50 \
        traffic bulk "$1" "$vm" "$2" $bulk up
    quick "$1 and $2, bulk down" 50 3000 \
        traffic bulk "$1" "$vm" "$2" $bulk down
    quick "$1 and $2, datagrams" 900 900 \
        datagrams "$1" "$vm" "$2" 1000 2000 echo
    quick "$1 and $2, short connections" 50 25 \
        traffic short "$1" "$vm" "$2" 20
    quick "$1 and $2, pings from there" 25 25 \
        ns "$1" timeout 20 "$PYTHON3" "$traffic_program" ping "$2" 30
}

# The same for a connection that the VM of ADDRESS opens to WORLD in namespace
# TO.
#
# usage: outward ADDRESS TO WORLD
outward() {
    quick "$1 to $2, bulk up" 50 3000 \
        traffic bulk "${vms[$1]}" "$2" "$3" $bulk up
    quick "$1 to $2, datagrams" 900 900 \
        datagrams "${vms[$1]}" "$2" "$3" 1000 2000 echo
}

# Has the neighbour at NIC 8 appear at the other leg of its bond, NIC 9.
fail_over() {
    local mac

    mac=$(mac_of far "$1") && ip -n "$SANDBOX_ID-far" addr flush dev "$1" &&
        ip -n "$SANDBOX_ID-far" link set "$1" down &&
        ip -n "$SANDBOX_ID-far" link set "$2" address "$mac" &&
        gateway_at far "$2" 100 2 &&
        ns far busybox arping -q -U -c 1 -I "$2" 172.24.100.2
}

# The neighbour moves from NIC FROM to NIC TO while packets are on their way,
# which no event of OVN announces: they follow.
#
# usage: moves FROM TO
moves() {
    local start stream limit

    watch_start $pvm far pvm $pvm own=7200
    check "$direct: a watch by $1" equal "exit status" $? 0
    start=$EPOCHREALTIME
    fail_over "$1" "$2"
    watch_stop "$start" 0 2500
    check "$direct: nothing came twice or was wrong" equal "exit status" $? 0
    remark <"$SANDBOX/watch"
    for stream in udp-there udp-back; do
        gaps[$direct,$stream]=$(watched $stream gap)
        # The neighbour asks for the VM's MAC, again after a second, before it
        # sends anything: with OVN alone, too, once in a while.
        limit=$((${gaps[off,$stream]} + 3 * period + 50))
        [ $stream = udp-back ] || limit=$((limit + 1100))
        check "$direct: it goes on by $2, $stream" between gap \
            "${gaps[$direct,$stream]}" 0 $limit
    done
}

# A NIC leaves the bridge: nothing goes by it any more, in time.
left() {
    local start

    watch_start $pvm far pvm $pvm own=7200
    check "$direct: a watch by the NIC that leaves" equal "exit status" $? 0
    start=$EPOCHREALTIME
    vs del-port br-ex "${1/wan/nic}"
    watch_stop "$start" 800 3000
    remark <"$SANDBOX/watch"
    for stream in udp-there udp-back tcp-there tcp-back; do
        lasts[$direct,$stream]=$(watched $stream last)
        check "$direct: without the NIC it ends, $stream" between last \
            "${lasts[$direct,$stream]}" 0 $((${lasts[off,$stream]} + slack))
    done
    check "$direct: it comes back" vs add-port br-ex "${1/wan/nic}"
    check "$direct: it serves again" await 10 ns far ping -n -q -c 1 -W 1 $pvm
}

sandbox_start
cloud_add --vlan || die "the cloud failed"
# 'die' is for whatever fails.
# shellcheck disable=SC2015
ip netns add "$SANDBOX_ID-far" && nic_switched 7 ext && nic_switched 8 far &&
    nic_switched 9 far && takes_frames wan7 && ip -n "$SANDBOX_ID-far" link set wan9 down &&
    gateway_at far wan8 100 2 && outside_switch && host_leaves ||
    die "no world outside"
# 'die' is for whatever fails.
# shellcheck disable=SC2015
guests_ready vm1 pvm vm3 vvm && windows_free || die "no layer L3 here"
ovn_sync
for address in "${!vms[@]}"; do
    check "OVN serves $address" await 20 \
        ns ext ping -n -q -c 1 -W 1 "$address"
done
check "and by the other NIC" await 10 ns far ping -n -q -c 1 -W 1 $fip
check "ovn-xdpd starts" daemon_start || finish
config confirm-ms $period
config acl off
config interfaces auto
for mode in "${direct_modes[@]}"; do
    direct_begin "$mode"
    if [ "$mode" = on ]; then
        check "nic7 is attached" await_attached nic7
        check "nic8 is attached" await_attached nic8
    fi
    for address in $fip $pvm6 $vfip $vvm; do
        check "$mode: $address is ready" await_direct "$address"
        inward ext "$address"
    done
    inward far $fip
    outward $fip ext 172.24.100.1
    outward $pvm far 172.24.100.2
    outward $vvm6 ext 2001:db8:101::1
    outward $vfip ext 172.24.101.1
    if [ "$mode" = off ]; then
        moves wan8 wan9
        left wan9
    else
        moves wan9 wan8
        left wan8
    fi
done
remark <"$SANDBOX/traffic"
check "no checksum was wrong" traffic sums ext far vm1 pvm vm3 vvm
finish
