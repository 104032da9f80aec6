#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What differs with the OVS kernel datapath; runs in the guest.  There br-ex
# is an OVS internal port, which cannot take natively redirected frames.
#
# usage: kernel-datapath.sh DAEMON, the program that ovn-xdpd must be
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/../system/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/../system/acl-cloud.sh"
# shellcheck source=tests/guest/direct.sh
. "$(dirname "$0")/direct.sh"

addresses=(172.24.100.111 172.24.100.112 2001:db8:100::50 172.24.101.50)

# Checks that nic0 runs in mode MODE with a target of kind KIND, and that
# all kinds of packets go that way.
#
# usage: goes_by MODE KIND
goes_by() {
    local address

    check "$1 mode" await 10 interface_is nic0 mode "$1"
    check "$1 mode: target is a $2" await 10 target_is nic0 br-ex kind "$2"
    check "$1 mode: target is ready" await 10 target_is nic0 br-ex state ready
    for address in "${addresses[@]}"; do
        await_offloaded "$address" && warm "$address"
        check "$1 mode, $2: $address" pings_through_xdp "$address"
    done
    check "$1 mode, $2: TCP, both ways" tcp_echo 172.24.100.111 3000000
    check "$1 mode, $2: TCP, VLAN" tcp_echo 172.24.101.50 300000
    check "$1 mode, $2: OVN's own answers come back" \
        expires 172.24.100.111
}

# Succeeds if OVN says that a packet to ADDRESS with a time to live of 2 has
# expired: it turns that packet round.
expires() {
    ns ext ping -n -c 1 -W 5 -t 2 "$1" | tee /dev/fd/2 |
        grep -q 'Time to live exceeded'
}

# Succeeds if the datapath has lost no packet on its way to ovs-vswitchd.
nothing_lost() {
    ovs-appctl -t "$SANDBOX/ovs-vswitchd.ctl" dpctl/show | tee /dev/fd/2 |
        grep -q 'lost:0$'
}

# Sends a SYN to ADDRESS's PORT, where nothing is allowed, and checks that nic0
# counts it as REASON, and that OVN drops PACKETS for its rule.
#
# usage: closed ADDRESS PORT REASON PACKETS [KEY=VALUE...]
closed() {
    local before ovn

    before=$(counted nic0 "$3") ovn=$(dropped_by_ovn)
    check "$1's port $2 is closed" inject "$1" "$2" "${@:5}"
    check "it is counted as $3" \
        equal "more $3" $(($(counted nic0 "$3") - before)) 1
    check "OVN's rule has dropped $4" \
        equal "more packets" $(($(dropped_by_ovn) - ovn)) "$4"
}

# Checks that a SYN that answers one which vm1 has sent from port PORT arrives,
# as OVN with the kernel's conntrack has it.
answered() {
    local before

    before=$(counted nic0 acl-answer)
    check "vm1 opens a connection from port $1" opens vm1 $silent "$1"
    check "a SYN that meets it arrives" \
        arrives vm1 10 172.24.100.111 "$1" src=$silent
    check "it is counted as acl-answer" \
        equal "more acl-answer" $(($(counted nic0 acl-answer) - before)) 1
}

# Checks early drop in this mode of nic0; with PORT, that is not used elsewhere.
#
# usage: drops_early PORT
drops_early() {
    check "it may drop" acl_drop
    check "it does" await 10 drops_settled 172.24.100.111 23
    closed 172.24.100.50 23 acl-drop 0
    closed 172.24.100.111 "$1" acl-drop 0 src=$silent
    check "it does not arrive" \
        inverted arrives vm1 2 172.24.100.111 "$1" src=$silent
    check "an open port is reached" arrives vm1 10 172.24.100.111 22
    check "also that of a provider VM" arrives pvm 10 172.24.100.50 22
    answered $(($1 + 1))
}

# Succeeds if TCP connections are looked for that leave by br-ex.
br_ex_watched() {
    [ -e "$SANDBOX_PINS/watch/link-$(ip -n "$SANDBOX_ID-hv" -o link show \
        dev br-ex | sed 's/:.*//')" ] && inverted has_problem acl-unwatched
}

echo "# kernel $(uname -r)"
sandbox_start --datapath system
cloud_add --vlan || die "the cloud failed"
group_web vm1 pvm || die "the groups failed"
acl web 1002 "tcp && tcp.dst == $traffic_port" allow-related ||
    die "the rule for the traffic failed"
acl web 1002 icmp allow-related || die "the rule for ping failed"
serve vm1
serve vvm
check "nothing is reached without ovn-xdp" unreachable "${addresses[@]}"
kernel_route 172.24.100.111 fa:16:3e:00:01:11
check "the kernel's rules reach a floating IP" warm 172.24.100.111
kernel_unroute 172.24.100.111

check "ovn-xdpd starts" daemon_start || finish
# Not by its path: confine puts the program elsewhere.
check "the one that is to be tested" cmp "/proc/$(daemon_pid)/exe" "$1"
config interfaces nic0
check "nic0 is attached" await_attached nic0
goes_by native veth
check "what leaves by br-ex is watched" await 5 br_ex_watched
check "addresses are new for a while" daemon_appctl acl/settle
check "but not for long" await 5 endpoint_is 172.24.100.111 acl counted
closed 172.24.100.111 23 acl-count 1
drops_early 7800
check "large TCP next to it" tcp_echo 172.24.100.111 3000000
checks_direct

config mode native
config bridge-port internal
check "native into br-ex is recognised as impossible" \
    await 10 target_is nic0 br-ex reason no-ndo-xmit
check "the target is refused" target_is nic0 br-ex state refused
check "no address is said to be offloaded" await 5 inverted \
    endpoint_is 172.24.100.111 state offloaded
check "nothing is reached" unreachable "${addresses[@]}"

config mode generic
goes_by generic internal
check "its price is reported" has_problem generic-mode
closed 172.24.100.111 23 acl-drop 0
answered 7810

config mode auto
config bridge-port auto
check "and back to native" await 10 target_is nic0 br-ex kind veth
check "a floating IP is offloaded" await_offloaded 172.24.100.111
warm 172.24.100.111
check "and reached" pings_through_xdp 172.24.100.111
check "vm1 opens a connection" opens vm1 $silent 7820
watches=$(ls -i "$SANDBOX_PINS/watch")
before=$(endpoint 172.24.100.111 packets)
check "the daemon is killed with -9" daemon_kill
check "the datapath goes on alone" pings 172.24.100.111
check "TCP too" tcp_echo 172.24.100.111 1000000
check "a new daemon starts" daemon_start
check "it takes over" await_offloaded 172.24.100.111
check "with what was counted" between packets \
    "$(endpoint 172.24.100.111 packets)" $((before + 20)) $((before + 100000))
check "and goes on" pings_through_xdp 172.24.100.111
check "and with what watches" \
    equal "what is pinned" "$(ls -i "$SANDBOX_PINS/watch")" "$watches"
check "it drops" await 10 drops_settled 172.24.100.111 23
check "but not the answer to a SYN of before" passes_as acl-answer \
    172.24.100.111 7820 src=$silent
check "no packet was lost on the way to ovs-vswitchd" nothing_lost

check "ovs-vswitchd restarts" vswitchd_restart
check "the target is followed" await 10 target_is_new
check "a floating IP answers" warm 172.24.100.111
check "through XDP" pings_through_xdp 172.24.100.111
check "br-ex is made anew" bridge_again
check "the target is followed" await 10 target_is_new
check "a floating IP answers" warm 172.24.100.111
check "through XDP" pings_through_xdp 172.24.100.111
check "what leaves by it is watched" await 5 br_ex_watched
check "it drops" await 10 drops_settled 172.24.100.111 23
answered 7830

vs clear Port xdpi-br-ex external_ids
check "a managed port without its mark is not used: generic mode" \
    await 10 interface_is nic0 mode generic
check "status says why" has_problem port-failed
check "a floating IP answers" warm 172.24.100.111
check "through XDP" pings_through_xdp 172.24.100.111
id=$(interface nic0 program_id)
for mtu in 1400 1450 1500; do
    ip -n "$SANDBOX_ID-hv" link set br-ex mtu $mtu
done
check "and stays in that mode" interface_is nic0 program_id "$id"
vs del-port xdpi-br-ex
check "without that row it is native again" \
    await 10 interface_is nic0 mode native
check "the target is ready" await 10 target_is nic0 br-ex state ready
check "a floating IP answers" warm 172.24.100.111
check "through XDP" pings_through_xdp 172.24.100.111

check "ovn-xdpd stops" daemon_stop --cleanup
check "its program is gone" no_program nic0
check "nothing is reached any more" unreachable "${addresses[@]}"
finish
