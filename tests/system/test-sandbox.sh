#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The sandbox itself: its OVN really forwards, nothing goes in by itself, the
# kernel's rule, route and neighbour entry let it in, and nothing is left
# behind, not even by a test that was killed.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

# Succeeds if sandbox ID with folder DIR and the process PID have left nothing.
nothing_left() {
    local left

    left=$(ip netns list | grep "^$1-"
        compgen -G "/sys/fs/bpf/ovn-xdp-test-$1*"
        compgen -G "$2"
        pgrep -f "$2")
    [ -z "$left" ] || { echo "$left"; return 1; }
}

# Checks that ADDRESS is reached with the kernel's help.
#
# usage: kernel_reaches ADDRESS MAC [DEVICE]
kernel_reaches() {
    kernel_route "$@"
    check "$1 is reached with the kernel's help" pings "$1"
}

sandbox_start --nics 2
check "a cloud with a VLAN network" cloud_add --vlan
check "nothing is reached by itself" unreachable 172.24.100.111 \
    172.24.100.112 172.24.100.10 2001:db8:100::10 172.24.100.50 \
    2001:db8:100::50 172.24.101.50 2001:db8:101::50 172.24.101.113
kernel_reaches 172.24.100.111 fa:16:3e:00:01:11
kernel_reaches 172.24.100.112 fa:16:3e:00:01:01
kernel_reaches 172.24.100.10 fa:16:3e:00:01:01
kernel_reaches 2001:db8:100::10 fa:16:3e:00:01:01
kernel_reaches 172.24.100.50 fa:16:3e:00:01:50
kernel_reaches 2001:db8:100::50 fa:16:3e:00:01:50
kernel_reaches 172.24.101.50 fa:16:3e:00:02:50 br-ex.101
kernel_reaches 2001:db8:101::50 fa:16:3e:00:02:50 br-ex.101
kernel_reaches 172.24.101.113 fa:16:3e:00:02:11 br-ex.101
kernel_unroute 172.24.101.113 br-ex.101
kernel_unroute 172.24.100.10
check "and no more without it" unreachable 172.24.101.113 172.24.100.10

check "vm1 serves" serve vm1
check "TCP both ways" tcp_echo 172.24.100.111 1000000
check "UDP, every datagram counted" udp_count 172.24.100.111 500 2000
check "a floating IP moves to another VM" \
    fip_move 172.24.100.111 vm2 centralised
check "and the old one's MAC leads nowhere" unreachable 172.24.100.111
check "a floating IP is taken away" fip_del r1 172.24.100.111
server=$(ip netns pids "$SANDBOX_ID-vm1")
check_not "it has a server" gone "${server:?}"
check "a VM is deleted" vm_del vm1
check "and its server has ended" await 5 gone "$server"
check_not "its port is gone" nb lsp-get-up vm1
check "a gateway somewhere else" chassis_add elsewhere
check "before it moves there" pings 172.24.100.112
check "it moves there" gateway_move r1 elsewhere
check "after it has moved there" unreachable 172.24.100.112

# Another sandbox at the same time, killed in the middle.
other=$SANDBOX/other
# shellcheck disable=SC2016
bash -c '. "$1/sandbox.sh"; sandbox_start
    echo "$SANDBOX_ID $SANDBOX" >"$2"; exec tail -f /dev/null' \
    - "$(dirname "$0")" "$other" &
killed=$!
check "another sandbox starts meanwhile" await 20 test -s "$other"
read -r id dir <"$other"
check_not "it is there" nothing_left "$id" "$dir"
kill -KILL $killed
wait $killed 2>/dev/null
check "killed with -9 it leaves nothing" await 10 nothing_left "$id" "$dir"
check "and the first one lives" pings 172.24.100.50 1
finish
