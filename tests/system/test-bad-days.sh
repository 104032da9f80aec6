#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What people and other programs do to a node without telling ovn-xdp: names
# that are in the way, pins and programs removed by hand, devices renamed, the
# wrong device named.  It does no harm, says what is wrong, and goes on by
# itself as soon as it can.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111

# Succeeds if "status" has a problem of class CLASS that says TEXT.
problem_says() {
    ctl -f json status |
        json "[p['message'] for p in d['problems'] if p['class'] == '$1']" |
        grep -F "$2"
}

# Succeeds if the pin of NIC's link is there.
pinned() {
    [ -e "$SANDBOX_PINS/links/$1" ]
}


# The managed port's name is taken, by a row or by a device.
names_taken() {
    local id

    config mode native
    config bridge-port veth
    check "the managed port is used" await 10 target_is nic0 br-ex kind veth
    check "it is ready" await 10 target_is nic0 br-ex state ready
    id=$(program nic0)
    vs clear Port xdpi-br-ex external_ids
    check "a row without its mark is left alone" await 5 \
        target_is nic0 br-ex reason port-failed
    check "status says why" problem_says port-failed "not marked"
    config mode auto
    check "mode auto comes into force" await 5 setting_is mode auto
    check "nic0 does not change its mode for it" interface_is nic0 mode native
    check "and keeps its program" equal program "$(program nic0)" "$id"
    vs del-port xdpi-br-ex
    check "without that row all is well" await 10 pings_through_xdp $fip

    config bridge-port internal
    check "the pair goes" await 10 no_device xdpo-br-ex
    ip -n "$SANDBOX_ID-hv" link add xdpi-br-ex type veth peer name squatter
    config bridge-port veth
    check "a foreign device is left alone" await 5 \
        target_is nic0 br-ex reason port-failed
    check "status says why, too" problem_says port-failed "another device"
    check "nic0 still has its program" equal program "$(program nic0)" "$id"
    ip -n "$SANDBOX_ID-hv" link del squatter
    check "without that device all is well" await 10 pings_through_xdp $fip
}

# Succeeds if hv has no device NAME.
no_device() {
    inverted ip -n "$SANDBOX_ID-hv" link show dev "$1"
}

# The managed port itself is named as a NIC.
managed_port_named() {
    local sink

    sink=$(program xdpo-br-ex)
    config interfaces nic0,xdpo-br-ex
    check "the managed port is refused as a NIC" await 5 \
        interface_is xdpo-br-ex reason managed-port
    check "it keeps its own program" equal program "$(program xdpo-br-ex)" \
        "$sink"
    check "and its service" pings_through_xdp $fip
    config interfaces nic0
    check "which it still has" await 5 equal program \
        "$(program xdpo-br-ex)" "$sink"
}

# Pins are removed, then the program itself.
removed_by_hand() {
    rm "$SANDBOX_PINS"/links/*
    config exclude 192.0.2.200
    check "a pin that somebody removed is made again" await 10 pinned nic0
    rm -r "$SANDBOX_PINS"
    config exclude 192.0.2.201
    check "with its folder, too" await 10 pinned nic0
    check "the daemon is killed" daemon_kill
    check "the datapath goes on" pings $fip 20
    check "a new daemon starts" daemon_start
    check "and takes over" await_offloaded $fip

    ns hv bpftool link detach pinned "$SANDBOX_PINS/links/nic0"
    check "a detached NIC is not called attached" interface_is nic0 reason \
        detached
    check "nor is the address called offloaded" endpoint_is $fip state pending
    check "it is a problem" problem_says detached recompute
    check "which the command that it names solves" daemon_appctl recompute
    check "as can be seen" await 5 pings_through_xdp $fip
}

# The NIC gets another name, and another device its old one, faster than the
# daemon can look.
renamed() {
    kill -STOP "$(daemon_pid)"
    ip -n "$SANDBOX_ID-hv" link set nic0 name other0
    ip link add nic0 netns "$SANDBOX_ID-hv" type veth peer name wan9 \
        netns "$SANDBOX_ID-ext"
    ns hv ethtool -K nic0 rxvlan off >/dev/null
    kill -CONT "$(daemon_pid)"
    check "the new nic0 is attached" await 10 has_program nic0
    check "the renamed one is let go" await 5 no_program other0
    ip -n "$SANDBOX_ID-hv" link del nic0
    ip -n "$SANDBOX_ID-hv" link set other0 name nic0
    check "and served again under its name" await 10 pings_through_xdp $fip
}

# Succeeds if DEVICE of hv carries an XDP program.
has_program() {
    inverted no_program "$1"
}

# Prints member FIELD of nic0's row at the second daemon.
second() {
    "$OVN_XDPCTL" -s "$SANDBOX/second.rpc" -f json interfaces |
        json "d[0]['$1']"
}

# Succeeds if member FIELD of nic0's row at the second daemon is VALUE.
second_is() {
    equal "$1" "$(second "$1")" "$2"
}

# Ends the daemon for good; succeeds if it says WORDS of what it leaves.
ends_but() {
    local pid

    pid=$(daemon_pid) && inverted daemon_appctl exit --cleanup \
        >"$SANDBOX/remains" 2>&1 &&
        grep -F -- "$1" "$SANDBOX/remains" && await 5 gone "$pid"
}

# Somebody else's program is attached as a BPF link, whose end no event tells:
# here that of another ovn-xdpd.
foreign_link() {
    config bridge-port internal
    config mode generic
    check "nic0 is in generic mode" await 5 interface_is nic0 mode generic
    check "another daemon starts on pins of its own" daemon_run --detach \
        --pidfile="$SANDBOX/second.pid" --unixctl="$SANDBOX/second.ctl" \
        --rpc-socket="$SANDBOX/second.rpc" --pin-dir="$SANDBOX_PINS/second"
    check "it leaves nic0 to the first" await 5 second_is reason foreign-xdp
    check "which goes on" pings_through_xdp $fip
    check "the first one ends, with all it has" \
        ends_but "$SANDBOX_PINS/second: still there"
    check "the other one takes nic0 over by itself" await 15 \
        second_is state attached
    check "and serves" await 5 pings $fip
    check "it ends" ovn-appctl -t "$SANDBOX/second.ctl" exit --cleanup
    check "nothing is left on nic0" no_program nic0
}

# The daemon ends for good although the local database is away.
cleanup_alone() {
    local pid

    check "a daemon starts" daemon_start
    check "nic0 is attached" await_attached nic0
    check "the daemon is killed" daemon_kill
    pid=$(cat "$SANDBOX/local-db.pid")
    kill "$pid"
    await 5 gone "$pid"
    check "a new one starts without the local database" daemon_start
    check "it exits with --cleanup" ends_but "managed ports stay"
    check "and leaves no program" no_program nic0
    check "and no pin" no_pins
}

sandbox_start
cloud_add || die "the cloud failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
warm $fip
names_taken
managed_port_named
removed_by_hand
renamed
foreign_link
cleanup_alone
finish
