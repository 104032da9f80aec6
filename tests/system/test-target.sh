#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What happens to the devices behind the targets: the bridge gets another MAC
# address or MTU, the managed port loses its ability to take frames, goes down,
# vanishes.  The daemon follows by itself.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
vm=172.24.100.50

# Runs "ip link set" for a device of hv.
hv_set() {
    ip -n "$SANDBOX_ID-hv" link set "$@"
}

# Checks that packets go through XDP.
reached() {
    check "$1: $fip is offloaded" await_offloaded $fip
    check "$1: it answers" warm $fip
    check "$1: it is reached through XDP" pings_through_xdp $fip
}

# Prints the source MAC with which packets from outside reach pvm.
source_seen() {
    local pid

    ns pvm "$PYTHON3" "$traffic_program" source eth0 "$WORLD" &
    pid=$!
    while ! gone "$pid"; do
        ns ext ping -n -q -c 1 -W 0.1 "$vm" >/dev/null
    done
    wait "$pid"
}

# Succeeds if that is MAC.
source_is() {
    equal "source MAC" "$(source_seen)" "$1"
}

# Succeeds if the MAC address of br-ex is MAC.
bridge_mac_is() {
    equal MAC "$(mac_of hv br-ex)" "$1"
}

# Another MAC address of the bridge: redirected frames come from it.
bridge_mac() {
    check "the bridge's MAC is the source" source_is "$BRIDGE_MAC"
    vs set Bridge br-ex other-config:hwaddr='"02:00:00:00:88:01"'
    check "another MAC of br-ex" await 10 bridge_mac_is \
        02:00:00:00:88:01
    way_out public
    check "is the source" await 20 source_is 02:00:00:00:88:01
    reached "another MAC of br-ex"
    vs set Bridge br-ex other-config:hwaddr="\"$BRIDGE_MAC\""
    check "its own MAC again" await 20 source_is "$BRIDGE_MAC"
    way_out public
    reached "its own MAC again"
}

# A smaller MTU of the bridge: what is longer is not redirected, and counted.
bridge_mtu() {
    check "1500 bytes are redirected" pings_sized 1472
    vs set Interface br-ex mtu_request=1300
    check "not with an MTU of 1300, and counted" await 10 passes_long
    check "what is shorter is" through_xdp "$fip" 3 pings "$fip" 3 size=1272
    vs remove Interface br-ex mtu_request 1300
    vs set Interface br-ex mtu_request=1500
    check "with 1500 again" await 10 pings_sized 1472
}

# Sends three pings of SIZE bytes through XDP.
pings_sized() {
    through_xdp "$fip" 3 pings "$fip" 3 size="$1"
}

# Succeeds if a packet of 1500 bytes is counted as too long.
passes_long() {
    local before

    before=$(counted nic0 exceeds-mtu)
    ns ext ping -n -q -c 1 -W 0.2 -s 1472 "$fip"
    [ "$(counted nic0 exceeds-mtu)" -gt "$before" ]
}

# The managed port's ends are touched.
managed_port() {
    config bridge-port veth
    check "the managed port is used" await 10 target_is nic0 br-ex kind veth
    reached "managed port"
    ping_start $fip 5
    ns hv ethtool -K xdpi-br-ex gro off
    check "GRO off: the port takes no frames; it is on again" await 10 \
        gro_is_on
    check "GRO off: the target is ready" await 10 target_is nic0 br-ex state \
        ready
    hv_set xdpo-br-ex down
    check "outer end down: it is up again" await 10 target_is nic0 br-ex \
        state ready
    hv_set xdpi-br-ex down
    check "inner end down: it is up again" await 10 target_is nic0 br-ex \
        state ready
    ping_stop
    echo "# managed port touched three times: $ping_sent pings, $ping_lost lost"
    reached "managed port touched"
    ip -n "$SANDBOX_ID-hv" link del xdpo-br-ex
    check "pair deleted: it is made anew" await 20 target_is_new
    reached "managed port made anew"
}

# Succeeds if the inner end of the managed port merges, and so takes frames.
gro_is_on() {
    ns hv ethtool -k xdpi-br-ex | grep -F 'generic-receive-offload: on'
}

sandbox_start
cloud_add || die "the cloud failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
reached "at first"
bridge_mac
bridge_mtu
managed_port
finish
