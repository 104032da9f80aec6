#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Gateways move: by priority, away from a chassis that has died, and as a
# gateway router.  What is centralised is served where the
# gateway is, and only there.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/chassis.sh
. "$(dirname "$0")/chassis.sh"

fip=172.24.100.111
gateway=(172.24.100.10 172.24.100.112 2001:db8:100::10)

# Gives chassis CHASSIS priority PRIORITY for the gateway of router r1.
#
# usage: prefer CHASSIS PRIORITY
prefer() {
    nb lrp-set-gateway-chassis lrp-r1-gw "$1" "$2"
}

# Checks that what is centralised is served here.
is_here() {
    local address

    check "$1: the gateway is here" await 20 bound_is cr-lrp-r1-gw chassis here
    for address in "${gateway[@]}"; do
        check "$1: $address is offloaded" await_offloaded "$address"
        check "$1: $address answers" warm "$address"
    done
    check "$1: ${gateway[1]} does through XDP" pings_through_xdp \
        "${gateway[1]}"
}

# Checks that nothing centralised is served here.
is_there() {
    local address

    check "$1: the gateway is there" await 20 bound_is cr-lrp-r1-gw chassis \
        there
    for address in "${gateway[@]}"; do
        check "$1: $address is forgotten" await 10 no_endpoint "$address"
    done
    check "$1: nothing centralised is reached here" unreachable "${gateway[@]}"
}

# The router becomes a gateway router, on this chassis, on the other, and on
# this one again.
gateway_router() {
    check "the router is pinned to this chassis" router_pin r1
    check "as a gateway router" await 10 bound_is lrp-r1-gw chassis here
    check "its centralised address is offloaded" await_offloaded "${gateway[1]}"
    check "and answers" warm "${gateway[1]}"
    check "through XDP" pings_through_xdp "${gateway[1]}"
    check "so does its own" pings_through_xdp "${gateway[0]}"
    nb set Logical_Router r1 options:chassis=there
    check "pinned to the other chassis" await 10 bound_is lrp-r1-gw chassis \
        there
    check "its addresses are forgotten" await 10 no_endpoint "${gateway[1]}"
    check "as is its own" await 10 no_endpoint "${gateway[0]}"
    check "they are not reached here" unreachable "${gateway[@]}"
    nb set Logical_Router r1 options:chassis=here
    check "pinned here again" await 10 bound_is lrp-r1-gw chassis here
    check "its address is offloaded again" await_offloaded "${gateway[1]}"
    check "and answers again" warm "${gateway[1]}"
    check "through XDP again" pings_through_xdp "${gateway[1]}"
}

sandbox_start
cloud_add || die "the cloud failed"
chassis_start there || die "the second chassis failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
prefer here 20
prefer there 10
is_here "at first"
prefer there 30
is_there "the other is preferred"

# With two chassis OVN takes no other one for dead: this one could be the one
# that is cut off.
check "the other chassis dies" chassis_die there
check "OVN leaves the gateway there" bound_is cr-lrp-r1-gw chassis there
nb lrp-del-gateway-chassis lrp-r1-gw there
is_here "the dead one is no gateway any more"
check "the other chassis comes back" chassis_return there
prefer there 30
is_there "the other is preferred again"

check "the distributed address is reached through XDP" pings_through_xdp $fip
ping_start $fip 10
check "a ping runs" equal "exit status" $? 0
prefer there 10
is_here "this one is preferred again"
ping_stop
echo "# the distributed address meanwhile: $ping_sent pings, $ping_lost lost"
check "the distributed address loses nothing" equal lost "$ping_lost" 0
gateway_router
finish
