#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The names by which OVN finds its way change: a network gets another bridge,
# none, its bridge goes and comes back, and the chassis itself gets another
# name, in the database, in a file, by option.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
vm=172.24.100.50

# Maps networks to bridges, with key ovn-bridge-mappings or as KEY says.
#
# usage: map MAPPINGS [KEY]
map() {
    vs set Open_vSwitch . "external_ids:${2:-ovn-bridge-mappings}=$1"
}

# Has all that leaves the network go to BRIDGE, once OVN has plugged it in
# there.
plugged() {
    await 20 plugged_into "$1" && ovn_sync && way_out public "$1"
}

# Succeeds if OVN has plugged the network into BRIDGE.
plugged_into() {
    local patch=patch-provnet-public-to-br-int

    equal bridge "$(vs port-to-br "$patch")" "$1" &&
        [ "$(vs get Interface "$patch" ofport)" -gt 0 ]
}

# Maps the network to BRIDGE by key KEY, in two steps: ovn-controller can plug
# its patch port into another bridge only when it has taken it out of the old
# one.
#
# usage: move BRIDGE [KEY]
move() {
    map "physnet9:$1" "${@:2}" && await 20 unplugged &&
        map "physnet1:$1" "${@:2}" && plugged "$1"
}

# Succeeds if OVN has plugged the network into no bridge.
unplugged() {
    ! vs port-to-br patch-provnet-public-to-br-int
}

# Checks that both addresses are reached through XDP into BRIDGE.
#
# usage: into BRIDGE WHEN
into() {
    local address

    for address in $vm $fip; do
        check "$2: $address goes into $1" await 10 endpoint_is "$address" \
            bridge "$1"
        check "$2: it is offloaded" await_offloaded "$address"
        check "$2: it answers" warm "$address"
        check "$2: through XDP" pings_through_xdp "$address"
    done
}

# Succeeds if "explain" answers ANSWER to the question where OVN has the
# network of $vm.
says_plugged() {
    equal plugged "$(ctl -f json explain "$vm" | json "[c['ok']
        for c in d['checks'] if c['check'] == 'plugged'][0]")" "$1"
}

# The network's bridge changes, goes, comes back.
mappings() {
    bridge_add br-two 02:00:00:00:02:00
    vs wait-until Interface br-two 'ofport>0'
    router_leg br-two
    ip -n "$SANDBOX_ID-hv" -6 neigh replace proxy 2001:db8:100::1 dev br-two
    map physnet1:br-two
    check "mapped to a bridge that OVN has not moved to: it is said" await 10 \
        endpoint_is $vm reason plugged-elsewhere
    check "and of the floating IP" endpoint_is $fip reason plugged-elsewhere
    check "and that it waits" endpoint_is $vm state pending
    check "explain says it, too" says_plugged false
    map physnet1:br-ex
    check "mapped back: offloaded" await_offloaded $vm
    check "mapped back: explain says it" says_plugged true
    check "OVN moves it to another bridge, by way of none" move br-two
    into br-two "mapped to another bridge"
    check "OVN moves it back" move br-ex ovn-bridge-mappings-here
    into br-ex "for this chassis alone"
    map physnet1:br-ex,oops,physnet1:br-two
    vs remove Open_vSwitch . external_ids ovn-bridge-mappings-here
    check "half of it cannot be read" await 10 has_problem bad-value
    into br-ex "what stands before that is in force"
    map physnet2:br-ex
    check "no mapping: $vm is not offloaded" await 10 endpoint_is $vm reason \
        no-mapping
    check "no mapping: nothing is reached" unreachable $vm $fip
    map physnet1:br-gone
    check "no bridge: it is said" await 10 endpoint_is $vm reason no-bridge
    check "no bridge: it is a problem" has_problem no-bridge
    map physnet1:br-ex
    check "OVN plugs it in again" plugged br-ex
    into br-ex "mapped again"
    vs del-br br-ex
    check "bridge deleted: it is said" await 10 endpoint_is $fip reason \
        no-bridge
    bridge_add br-ex "$BRIDGE_MAC"
    vs wait-until Interface br-ex 'ofport>0'
    router_leg br-ex
    ip -n "$SANDBOX_ID-hv" -6 neigh replace proxy 2001:db8:100::1 dev br-ex
    check "OVN plugs it in once more" plugged br-ex
    into br-ex "bridge made anew"
}

# The chassis gets another name while all runs.  OVN needs to be told that the
# old one is no more: until then it has none of the new name, and all stays as
# it was.  The gateway, which is bound to the old name, is not moved: it goes;
# the VMs, whose place is this host, stay.
chassis_renamed() {
    ping_start $vm 10
    vs set Open_vSwitch . external_ids:system-id=renamed
    check "renamed: status says so" await 10 chassis_is renamed
    check "renamed: what was known stays in force" endpoint_is $vm state \
        offloaded
    sb chassis-del here
    check "renamed: OVN has it" sb wait-until Chassis renamed
    check "renamed: the Southbound database is synced" await 20 is_synced
    check "renamed: OVN is in step" ovn_sync
    check "renamed: $vm is offloaded" await_offloaded $vm
    ping_stop
    check "renamed: $vm is answered again" equal "exit status" $? 0
    echo "# renamed: ${ping_sent:-?} pings, ${ping_lost:-?} lost"
    check "renamed: the gateway is not here any more" await 20 no_endpoint \
        172.24.100.112
    nb lrp-set-gateway-chassis lrp-r1-gw renamed 20
    check "renamed: the gateway comes" await_offloaded 172.24.100.112
    into br-ex renamed
    config exclude-renamed $vm
    check "renamed: keys of the new name count" await 10 endpoint_is $vm \
        reason excluded
    config exclude-renamed
    check "renamed: $vm is offloaded again" await_offloaded $vm
}

# Succeeds if status says that the chassis is NAME.
chassis_is() {
    equal chassis "$(ctl -f json status | json "d['chassis']")" "$1"
}

# Succeeds if the Southbound database is synced.
is_synced() {
    equal state "$(ctl -f json status | json "d['databases'][1]['state']")" \
        synced
}

# The option comes before the file, the file before the database.
by_file_and_option() {
    check "the daemon stops" daemon_stop
    echo nobody >"$SANDBOX/system-id-override"
    check "one starts with a file" daemon_start
    check "the file counts" await 10 chassis_is nobody
    check "nobody is not in OVN" await 20 has_problem no-chassis
    check "what is pinned goes on" pings $vm
    check "the daemon stops" daemon_stop
    check "one starts with an option" daemon_start -n renamed
    check "the option counts" await 10 chassis_is renamed
    check "and is found" await 20 is_synced
    into br-ex "by option"
}

export OVN_SYSCONFDIR
sandbox_start
OVN_SYSCONFDIR=$SANDBOX
cloud_add || die "the cloud failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
into br-ex "at first"
mappings
chassis_renamed
by_file_and_option
finish
