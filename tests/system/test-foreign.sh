#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# NICs that ovn-xdp must leave alone: one that carries somebody else's XDP
# program, one that is a port of a bridge, one that does not exist.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111

# Builds an XDP program that is not ours and lets everything pass.
foreign_program() {
    printf '%s\n' '__attribute__((section("xdp"), used))' \
        'int foreign(void *ctx) { return 2; }' \
        'char _license[] __attribute__((section("license"))) = "GPL";' |
        "${CLANG:-clang}" -O2 -g -target bpf -x c -c - \
            -o "$SANDBOX/foreign.o"
}

# Attaches it to nic0 by netlink.  Given the object, ip would make folders of
# its own in the host's bpffs, so it gets a pin, which then goes.
attach_foreign() {
    local pin=$SANDBOX_PINS/foreign

    bpftool prog load "$SANDBOX/foreign.o" "$pin" type xdp &&
        ns hv ip link set dev nic0 xdpdrv pinned "$pin" && rm "$pin"
}

sandbox_start --nics 2
cloud_add || die "the cloud failed"
foreign_program || die "clang cannot build the foreign program"
attach_foreign || die "the foreign program cannot be attached"
foreign=$(program nic0)

check "ovn-xdpd starts" daemon_start || finish
config interfaces auto
check "no NIC is a port of a bridge: a problem" \
    await 5 has_problem no-interfaces-found
config interfaces nic0,nic1,nic7
check "nic1 is attached" await_attached nic1
check "nic0 is refused" await 5 interface_is nic0 state refused
check "because of a foreign program" interface_is nic0 reason foreign-xdp
check "which is named" interface_is nic0 program_id "$foreign"
check "and left in place" equal program "$(program nic0)" "$foreign"
check "it is a problem" has_problem foreign-xdp
check_not "health is not good" ctl health
check "nic7 is waited for" interface_is nic7 state waiting
check "$fip is offloaded" await_offloaded $fip
world_via 0
check "by nic0 nothing is reached" unreachable $fip
world_via 1
warm $fip
check "by nic1 all is" pings_through_xdp $fip

ns hv ip link set dev nic0 xdpdrv off
check "when the foreign program has gone, nic0 is attached" \
    await_attached nic0
world_via 0
check "and serves" pings_through_xdp $fip

ip link add nic7 netns "$SANDBOX_ID-hv" type veth peer name wan7 \
    netns "$SANDBOX_ID-ext"
ns hv ethtool -K nic7 rxvlan off >/dev/null
ip -n "$SANDBOX_ID-ext" link set wan7 up
ip -n "$SANDBOX_ID-hv" link set nic7 up
check "when nic7 appears, it is attached" await_attached nic7
check "nic7 becomes a port of br-ex" vs add-port br-ex nic7
check "then it is a switched NIC" await 5 interface_is nic7 layout switched
check "where L2 has something to do" await_attached nic7
nothing_to_do nic7
check "without L2 nothing has" await 5 interface_is nic7 reason switched
check "and so lets it go" await 5 no_program nic7
to_do_again count
check "until it is wanted again" await_attached nic7
check "the others are not disturbed" pings_through_xdp $fip

config interfaces auto
check "asked for switched NICs, it lets the others go" \
    await 5 no_program nic0
check "and knows that one" interface_is nic7 state attached
config interfaces nic0,nic1
check "asked for them again, it attaches them" await_attached nic0

# The kernel tells nobody that a program went with its BPF link; the MTU has
# the daemon read the program's number while it is there.
config mode generic
check "nic1 runs in generic mode" await 5 interface_is nic1 mode generic
ip -n "$SANDBOX_ID-hv" link set nic1 mtu 1400
ip -n "$SANDBOX_ID-hv" link set nic1 mtu 1500
config interfaces nic0
check "nic1 is let go" await 5 no_program nic1
config interfaces nic0,nic1
check "and its old program is not taken for a foreign one" await_attached nic1

check "ovn-xdpd stops" daemon_stop --cleanup
check "nothing is left on nic0" no_program nic0
check "nothing is left on nic1" no_program nic1
finish
