#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What happens to a NIC: it goes down, loses its carrier, is removed, comes back
# as another device, gets another name or MAC address.  The daemon follows by
# itself, and says what it cannot do meanwhile.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111

# Runs "ip link set" for a device of hv.
hv_set() {
    ip -n "$SANDBOX_ID-hv" link set "$@"
}

# Gives nic0 and its other end their addresses and routes again, which went
# when one of them went down.
readdress() {
    ip -n "$SANDBOX_ID-hv" addr replace 2001:db8:0:0::1/127 dev nic0 nodad &&
        ip -n "$SANDBOX_ID-ext" addr replace 2001:db8:0:0::/127 dev wan0 \
            nodad && hv_routes && world_via 0
}

# Checks that packets go through XDP.
reached() {
    check "$1: $fip is offloaded" await_offloaded $fip
    check "$1: it answers" warm $fip
    check "$1: it is reached through XDP" pings_through_xdp $fip
}

# Prints the index of device DEV of hv.
index_of() {
    ip -n "$SANDBOX_ID-hv" -o link show dev "$1" | sed 's/:.*//'
}

# Down, up, without a carrier.
down_and_up() {
    hv_set nic0 down
    check "down: nic0 keeps its program" inverted no_program nic0
    check "down: nothing is reached" unreachable $fip
    hv_set nic0 up
    readdress
    reached "up again"
    ip -n "$SANDBOX_ID-ext" link set wan0 down
    check "no carrier: nothing is reached" unreachable $fip
    ip -n "$SANDBOX_ID-ext" link set wan0 up
    readdress
    reached "carrier again"
}

# Removed, and another device of the same name.
removed() {
    local before now

    before=$(index_of nic0)
    ip -n "$SANDBOX_ID-hv" link del nic0
    check "removed: it is said" await 10 interface_is nic0 reason no-device
    check "removed: it is a problem" has_problem no-device
    check "removed: addresses wait" endpoint_is $fip reason no-interface
    # Takes the index that would come next.
    ip link add gap0 netns "$SANDBOX_ID-hv" type veth peer name gap1 \
        netns "$SANDBOX_ID-ext"
    nic_add 0 && readdress
    now=$(index_of nic0)
    check "another device has the name" inverted equal index "$now" "$before"
    reached "added again"
    check "added again: IPv6, too" through_xdp 2001:db8:100::50 3 \
        pings 2001:db8:100::50 3
    check "its index is known" interface_is nic0 ifindex "$now"
    ip -n "$SANDBOX_ID-hv" link del gap0
}

# Two names for one NIC: whichever it has, it is served.
renamed() {
    config interfaces nic0,wan
    check "renamed: the other name is waited for" await 10 \
        interface_is wan reason no-device
    ping_start $fip 5
    hv_set nic0 name wan
    check "renamed: it is attached by its new name" await_attached wan
    ping_stop
    echo "# nic0 renamed: $ping_sent pings, $ping_lost lost"
    check "renamed: at most 300 are lost" between lost "$ping_lost" 0 300
    check "renamed: it is reached through XDP" pings_through_xdp $fip
    hv_set wan name nic0
    check "renamed again" await_attached nic0
    config interfaces nic0
    reached "its old name"
}

# Another MAC address: only what is sent to it is for this host.
address_changed() {
    local mac

    mac=$(mac_of hv nic0)
    hv_set nic0 address 02:00:00:00:77:01
    ip -n "$SANDBOX_ID-ext" neigh flush dev wan0
    reached "another MAC"
    hv_set nic0 address "$mac"
    ip -n "$SANDBOX_ID-ext" neigh flush dev wan0
    reached "its own MAC again"
}

sandbox_start
cloud_add || die "the cloud failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
reached "at first"
down_and_up
removed
renamed
address_changed
finish
