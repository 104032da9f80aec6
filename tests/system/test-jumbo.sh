#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Jumbo frames: a NIC with an MTU of 9000 runs natively.  Its long frames come
# in several buffers; they are redirected into a device that takes such ones
# and has room for them, and pass, counted with the reason, otherwise.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

vm=172.24.100.50
long=7972               # Bytes of an echo request in a packet of 8000.

# Gives DEVICE of namespace NAME an MTU.
#
# usage: mtu NAME DEVICE MTU
mtu() {
    ip -n "$SANDBOX_ID-$1" link set "$2" mtu "$3"
}

# Succeeds if DEVICE of hv has MTU.
mtu_is() {
    equal "MTU of $1" "$(ip -n "$SANDBOX_ID-hv" -o link show dev "$1" |
        sed 's/.* mtu \([0-9]*\) .*/\1/')" "$2"
}

# Sends three echo requests of SIZE bytes through XDP.
sized() {
    through_xdp "$vm" 3 pings "$vm" 3 size="$1" df=1
}

# Succeeds if echo requests of 8000 bytes pass, counted under REASON, and are
# not redirected.
passes_as() {
    local before

    before=$(counted nic0 "$1")
    through_xdp "$vm" 0 \
        ns ext ping -n -q -c 1 -W 0.2 -M "do" -s "$long" "$vm"
    [ "$(counted nic0 "$1")" -gt "$before" ]
}

sandbox_start
cloud_add || die "the cloud failed"
serve pvm
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
config mode native
check "nic0 is attached" await_attached nic0
check "$vm is offloaded" await_offloaded $vm
warm $vm
id=$(interface nic0 program_id)

check "its MTU grows under the program" mtu hv nic0 9000
mtu ext wan0 9000
mtu hv tap-pvm 9000
mtu pvm eth0 9000
check "it keeps native mode" interface_is nic0 mode native
check "and its program" interface_is nic0 program_id "$id"
check "1500 bytes are redirected" sized 1472
check "8000 bytes are too long for br-ex, and pass" passes_as exceeds-mtu

vs set Interface br-ex mtu_request=9000
check "br-ex gets the same MTU" await 10 mtu_is br-ex 9000
check "3000 bytes, one buffer, are redirected" await 10 sized 2972
check "8000 bytes, several buffers, are not for a tap, and pass" \
    passes_as multi-buffer
check "TCP: its long segments pass, and hv does not know the way" \
    inverted tcp_echo $vm 1000000

config bridge-port veth
check "the managed port is used" await 10 target_is nic0 br-ex kind veth
check "it is ready" await 10 target_is nic0 br-ex state ready
check "it has br-ex's MTU" await 10 mtu_is xdpo-br-ex 9000
warm $vm
# What is left of the stream before may still be on its way.
check "1500 bytes are redirected into it" await 10 sized 1472
check "8000 bytes, several buffers, are as well" await 10 sized $long
check "a TCP stream of long segments is" tcp_echo $vm 3000000
check "nothing was lost on the way" equal errors \
    "$(ctl -f json stats | json "sum(d['redirect_errors'].values())")" 0

vs set Interface br-ex mtu_request=1500
check "the managed port follows to 1500" await 10 mtu_is xdpo-br-ex 1500
check "8000 bytes pass again" await 10 passes_as exceeds-mtu
check "1500 bytes are redirected" await 10 sized 1472
vs set Interface br-ex mtu_request=9000
check "the managed port follows to 9000" await 10 mtu_is xdpo-br-ex 9000
check "8000 bytes are redirected" await 10 sized $long

config bridge-port internal
config mode generic
check "generic mode" await 10 interface_is nic0 mode generic
check "costs GRO, a problem says so" has_problem generic-mode
check "its target is ready" await 10 target_is nic0 br-ex state ready
warm $vm
check "generic mode: 1500 bytes are redirected" sized 1472
check "generic mode: 8000 bytes are as well" await 10 sized $long
config mode native
check "the attached NIC of 9000 bytes becomes native" await 10 \
    interface_is nic0 mode native
check "and serves" await 10 sized 1472
finish
