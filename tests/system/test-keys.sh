#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every ovn-xdp-* key changed while packets flow: it comes into force without a
# restart, costs what it must and no more, may be overridden for one chassis,
# and a value that cannot be used leaves the last good one in force.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111

# Sets ovn-xdp-KEY to VALUE under a ping every 5 ms, waits until COMMAND
# succeeds, and checks that at most MAXIMUM pings are lost.
#
# usage: changes MAXIMUM KEY VALUE COMMAND...
changes() {
    local maximum=$1 key=$2 value=$3

    shift 3
    ping_start $fip 5
    check "$key=$value: a ping runs" equal "exit status" $? 0
    config "$key" "$value"
    check "$key=$value comes into force" await 10 "$@"
    ping_stop
    echo "# $key=$value: $ping_sent pings, $ping_lost lost"
    check "$key=$value: at most $maximum are lost" \
        between lost "$ping_lost" 0 "$maximum"
    check "$key=$value: $fip is reached through XDP" pings_through_xdp $fip
}

# Sets ovn-xdp-KEY to a VALUE that cannot be used; GOOD stays.
#
# usage: bad KEY VALUE GOOD
bad() {
    config "$1" "$2"
    check "$1=$2 is a problem" await 10 problem_of "$1"
    check "$1=$2: $3 stays" setting_is "$1" "$3"
}

# Succeeds if status has a problem of class bad-value that names ovn-xdp-KEY.
problem_of() {
    ctl -f json status |
        json "[p['message'] for p in d['problems']
               if p['class'] == 'bad-value']" | grep -F "ovn-xdp-$1"
}

# Prints the names of the interfaces that have a row, and how each is.
interfaces() {
    ctl -f json interfaces | json "' '.join(sorted(i['name'] + '=' + i['state']
                                            for i in d))"
}

# Succeeds if interfaces prints WORDS.
interfaces_are() {
    equal interfaces "$(interfaces)" "$*"
}

# Succeeds if nic0 runs in mode MODE, and its target is ready.
mode_is() {
    interface_is nic0 mode "$1" && target_is nic0 br-ex state ready
}

# Succeeds if nic0's target is a KIND, and ready.
target_kind_is() {
    target_is nic0 br-ex kind "$1" && target_is nic0 br-ex state ready
}

# Succeeds if the map that nic0's program uses has room for COUNT endpoints.
room_is() {
    equal "room for endpoints" "$(bpftool -j map show pinned \
        "$(find "$SANDBOX_PINS" -name endpoints4 | sort | tail -n 1)" |
        json "d['max_entries']")" "$1"
}

# The list of NICs, and "auto".
key_interfaces() {
    changes 0 interfaces "nic0, nic1,nic9" \
        interfaces_are nic0=attached nic1=attached nic9=waiting
    changes 0 interfaces nic0 interfaces_are nic0=attached
    bad interfaces nic0,a/b nic0
    bad interfaces auto,nic0 nic0
    check "nic0 is not touched" pings_through_xdp $fip
    config interfaces auto
    check "auto: nothing is attached" await 10 interfaces_are ""
    check "auto: a problem says so" has_problem no-interfaces-found
    check "auto: nothing is reached" unreachable $fip
    vs add-port br-ex nic1
    check "auto: the NIC in the bridge is found" await 10 \
        interfaces_are nic1=attached
    check "auto: as a switched one" interface_is nic1 layout switched
    nothing_to_do nic1
    check "auto: with nothing to do but early drop" await 10 \
        interface_is nic1 reason switched
    to_do_again
    vs del-port br-ex nic1
    check "auto: and forgotten" await 10 interfaces_are ""
    config interfaces-here nic0
    check "for this chassis alone" await_attached nic0
    warm $fip
    config interfaces nic1
    changes 0 interfaces-elsewhere nic1 interfaces_are nic0=attached
    config interfaces nic0
    config interfaces-here
    config interfaces-elsewhere
}

# How to attach: the kernel allows no change of mode without taking the program
# away first.
key_mode() {
    changes 20 mode generic mode_is generic
    check "generic costs GRO: a problem says so" has_problem generic-mode
    changes 20 mode native mode_is native
    check "which is gone" inverted has_problem generic-mode
    bad mode sideways native
    changes 0 mode auto setting_is mode auto
    changes 20 mode-here generic mode_is generic
    config mode-here
    check "native again" await 10 mode_is native
}

# How frames enter the bridge.
key_bridge_port() {
    changes 20 bridge-port veth target_kind_is veth
    bad bridge-port tunnel veth
    check "the port stays" target_kind_is veth
    changes 20 bridge-port internal target_kind_is tap
    changes 0 bridge-port auto setting_is bridge-port auto
    changes 20 bridge-port-here veth target_kind_is veth
    config bridge-port-here
    check "the bridge's own device again" await 10 target_kind_is tap
}

# What is never offloaded.
key_exclude() {
    changes 0 exclude "172.24.100.50 , pvm,2001:DB8:0100::50" \
        endpoint_is 172.24.100.50 reason excluded
    check "exclude: IPv6 in any spelling" endpoint_is 2001:db8:100::50 \
        reason excluded
    check "exclude: what is excluded is not reached" unreachable 172.24.100.50
    config exclude vm1
    check "exclude: a port's floating IP" await 10 endpoint_is $fip reason \
        excluded
    check "exclude: and nothing else any more" endpoint_is 172.24.100.50 \
        state offloaded
    config exclude-here ""
    check "exclude: nothing on this chassis" await_offloaded $fip
    check "exclude: it is reached through XDP" pings_through_xdp $fip
    config exclude
    config exclude-here
}

# The size of the maps: at the next start, without a packet lost.
key_max_endpoints() {
    check "65536 by default" room_is 65536
    changes 0 max-endpoints 1000 setting_is max-endpoints 1000
    check "not before the next start" room_is 65536
    bad max-endpoints 15 1000
    bad max-endpoints many 1000
    config max-endpoints 1000
    ping_start $fip 5
    check "the daemon stops" daemon_stop
    check "and starts" daemon_start
    check "now" await 10 room_is 1000
    check "$fip is offloaded" await_offloaded $fip
    ping_stop
    echo "# max-endpoints: $ping_sent pings, $ping_lost lost"
    check "not one ping is lost" equal lost "$ping_lost" 0
    config max-endpoints
}

# Layer L3: the keys are taken and given back; what they do is in
# tests/system/test-direct*.sh.
key_direct() {
    local key

    config direct on
    check "direct=on comes into force" await 10 setting_is direct on
    bad direct sideways on
    bad nic-hook skb auto
    config nic-hook tc
    check "nic-hook=tc comes into force" await 10 setting_is nic-hook tc
    bad vm-hook "" auto
    config vm-hook xdp
    check "vm-hook=xdp comes into force" await 10 setting_is vm-hook xdp
    bad confirm-ms 0 500
    config confirm-ms 200
    check "confirm-ms=200 comes into force" await 10 setting_is confirm-ms 200
    bad max-flows many 262144
    config direct
    for key in nic-hook vm-hook confirm-ms max-flows; do
        config "$key"
    done
    check "direct is off again" await 10 setting_is direct off
    check "there is no problem left" await 10 inverted problem_of ""
    check "all this has done no harm" pings_through_xdp $fip
}

sandbox_start --nics 2
cloud_add || die "the cloud failed"
world_via 0
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
warm $fip
key_interfaces
check "$fip is offloaded again" await_offloaded $fip
warm $fip
key_mode
key_bridge_port
key_exclude
key_max_endpoints
key_direct
finish
