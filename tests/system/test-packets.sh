#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Unusual packets for a floating IP: fragments, IP options, short-lived and
# long ones.  OVN judges them, as if the kernel had brought them.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
vm6=2001:db8:100::50

# Checks that three pings with OPTION... are answered, and that FRAMES frames
# came in through XDP.
#
# usage: odd NAME ADDRESS FRAMES OPTION...
odd() {
    check "$1, $2" through_xdp "$2" "$3" pings "$2" 3 "${@:4}"
}

# Pings ADDRESS with a time to live of HOPS; succeeds if SENDER says that this
# is too few.
#
# usage: hop ADDRESS HOPS SENDER
hop() {
    ns ext ping -n -c 1 -W 2 -t "$2" "$1" | tee /dev/fd/2 |
        grep -q "^From $3 .*Time to live exceeded"
}

# Sends a datagram to ADDRESS that an ACL of OVN answers with "unreachable".
rejected() {
    ns ext timeout 5 "$PYTHON3" -c 'import socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(2)
s.connect((sys.argv[1], 9))
s.send(b"?")
try:
    s.recv(1)
except ConnectionRefusedError:
    sys.exit(0)
sys.exit(1)' "$1"
}

# Sends what OPTION... say, and succeeds if NIC counts it once as REASON.
#
# usage: passes REASON ADDRESS OPTION...
passes() {
    local before

    before=$(counted nic0 "$1")
    ns ext ping -n -q -c 1 -W 0.3 "${@:3}" "$2" >/dev/null
    equal "$1" $(($(counted nic0 "$1") - before)) 1
}

# Sets the MTU of the wire between 'ext' and hv.
mtu() {
    ip -n "$SANDBOX_ID-ext" link set wan0 mtu "$1" &&
        ip -n "$SANDBOX_ID-hv" link set nic0 mtu "$1"
}

# Sends all of them by one kind of target.
round() {
    local address

    for address in $fip $vm6; do
        check "$1: $address is offloaded" await_offloaded "$address"
        warm "$address"
    done
    odd "$1: the longest frame" $fip 3 size=1472 df=1
    odd "$1: the longest frame" $vm6 3 size=1452 df=1
    odd "$1: three fragments each" $fip 9 size=4000
    odd "$1: three fragments each" $vm6 9 size=4000
    odd "$1: record route" $fip 3 options=070b0400000000000000000000
    odd "$1: time stamps" $fip 3 options=440c05000000000000000000
    odd "$1: another class of service" $fip 3 tos=0xb8
    odd "$1: another class of service" $vm6 3 tos=0xb8

    # The router decrements once more, the VM is reached with what is left.
    odd "$1: a time to live of 3" $fip 3 ttl=3
    check "$1: OVN says when it is over" \
        through_xdp $fip 1 hop $fip 2 $fip
    check "$1: a time to live of 1 is for OVN to judge" \
        through_xdp $fip 1 hop $fip 1 $fip
    check "$1: OVN's reject comes back" \
        through_xdp 172.24.100.50 1 rejected 172.24.100.50
}

# The wire takes larger packets than the bridge, whose MTU stays as it is.
#
# usage: large ROUND
large() {
    mtu 3000
    check "$1: longer than the bridge's MTU: passed, and counted" \
        await 5 passes exceeds-mtu $fip -s 2000
    odd "$1: shorter ones are not concerned" $fip 3 size=1472
    mtu 1500
}

sandbox_start
cloud_add || die "the cloud failed"
nb --wait=hv acl-add public to-lport 1000 \
    'outport == "pvm" && ip4 && udp.dst == 9' reject
check "nothing is reached without ovn-xdp" unreachable $fip $vm6
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
round "own port"
large "own port"

config bridge-port veth
check "the managed port is used" await 10 target_is nic0 br-ex kind veth
round "managed port"
large "managed port"

finish
