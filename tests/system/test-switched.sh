#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A NIC that is a port of br-ex: what OVN's ACLs drop is dropped in it, all else
# is left to the bridge, which delivers it as without ovn-xdp.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"

fip=172.24.100.111  # Of vm1, distributed.
pvm=172.24.100.50   # On a network without a tag.
pvm6=2001:db8:100::50
vfip=172.24.101.113 # Of vm3, on a network with tag 101.
vvm=172.24.101.50

# MAC addresses that OVN has for them, VMs behind them, and tags.
declare -A macs=(
    [$fip]=fa:16:3e:00:01:11 [$pvm]=fa:16:3e:00:01:50
    [$pvm6]=fa:16:3e:00:01:50 [$vfip]=fa:16:3e:00:02:11
    [$vvm]=fa:16:3e:00:02:50)
declare -A vms=([$fip]=vm1 [$pvm]=pvm [$pvm6]=pvm [$vfip]=vm3 [$vvm]=vvm)
declare -A tags=([$vfip]=101 [$vvm]=101)
addresses=("$fip" "$pvm" "$pvm6" "$vfip" "$vvm")

# Sends a packet to ADDRESS's PORT to the NIC in the bridge.
#
# usage: throw ADDRESS PORT [KEY=VALUE...]
throw() {
    local tag=${tags[$1]:-}

    ns ext "$PYTHON3" "$sandbox_lib/acl-frame.py" send "${macs[$1]}" \
        "$(mac_of ext wan7)" "$@" via=wan7 ${tag:+vlan="$tag"}
}

# Sends a packet to ADDRESS's PORT to the NIC in the bridge, and succeeds if
# its VM gets it within SECONDS.  Its source port is another one each time, so
# that to conntrack it is a connection of its own.
#
# usage: lands SECONDS ADDRESS PORT [KEY=VALUE...]
lands() {
    local vm=${vms[$2]} out=$SANDBOX/lands seconds=$1 pid port

    shift
    port=$((20000 + 10#${EPOCHREALTIME#*[.,]} % 40000))
    [ -p "$out" ] || mkfifo "$out" || return
    ns "$vm" "$PYTHON3" "$sandbox_lib/acl-frame.py" await "$seconds" \
        "$port" "$2" >"$out" </dev/null &
    pid=$!
    read -r _ <"$out"
    throw "$@" sport="$port" && wait "$pid"
}

# Succeeds if a packet to ADDRESS's PORT is counted as REASON by the NIC.
#
# usage: thrown_as REASON ADDRESS PORT [KEY=VALUE...]
thrown_as() {
    local reason=$1 before

    shift
    before=$(counted nic7 "$reason")
    throw "$@" && await 2 counted_since nic7 "$reason" "$before"
}

# Succeeds if NIC has counted more under REASON than BEFORE.
counted_since() {
    [ "$(counted "$1" "$2")" -gt "$3" ]
}

# Checks what is delivered: the open port is, a closed one is not.
#
# usage: delivered WHEN
delivered() {
    local address

    for address in "${addresses[@]}"; do
        check "$1: $address's open port is reached" \
            await 5 lands 2 "$address" 22
        check "$1: a closed one is not" inverted lands 0.3 "$address" 23
    done
}

# Checks that closed ports are dropped in the NIC.
dropped() {
    local address before

    for address in "${addresses[@]}"; do
        check "$1: $address's closed port is dropped" \
            await 5 thrown_as acl-drop "$address" 23
        before=$(endpoint "$address" drops)
        check "$1: once more" thrown_as acl-drop "$address" 23
        check "$1: the address counts it" \
            endpoint_is "$address" drops $((before + 1))
    done
}

# Checks what is not for an endpoint, as OVN sees it.
strangers() {
    local keep

    tags[$pvm]=101
    check "an address in another VLAN" thrown_as guarded $pvm 23
    tags[$pvm]=
    tags[$vvm]=102
    check "the same of a tagged one" thrown_as guarded $vvm 23
    tags[$vvm]=
    check "and without a tag" thrown_as guarded $vvm 23
    tags[$vvm]=101
    keep=${macs[$pvm]} macs[$pvm]=fa:16:3e:00:01:01
    check "an address with the MAC of a router" thrown_as guarded $pvm 23
    macs[$pvm]=$keep
    check "a connection's packet" thrown_as guarded $pvm 23 flags=0x10
    check "an address that is nobody's" thrown_as not-local 172.24.100.199 23
}

sandbox_start
cloud_add --vlan || die "the cloud failed"
group_web vm1 vm2 pvm vm3 vvm || die "the groups failed"
# 'die' is for whatever fails.
# shellcheck disable=SC2015
ip link add nic7 netns "$SANDBOX_ID-hv" type veth peer name wan7 \
    netns "$SANDBOX_ID-ext" &&
    ns hv ethtool -K nic7 rxvlan off txvlan off tx off >/dev/null &&
    ns ext ethtool -K wan7 rxvlan off txvlan off tx off >/dev/null &&
    ip -n "$SANDBOX_ID-ext" link set wan7 up &&
    ip -n "$SANDBOX_ID-hv" link set nic7 up &&
    vs add-port br-ex nic7 || die "no NIC in the bridge"
macs[172.24.100.199]=fa:16:3e:00:01:50
ovn_sync
delivered "without ovn-xdp"

check "ovn-xdpd starts" daemon_start || finish
config interfaces auto
check "the NIC in the bridge is found" await_attached nic7
check "it is a switched one" interface_is nic7 layout switched
check "$fip is not redirected" await 5 endpoint_is $fip state ineligible
check "for that reason" endpoint_is $fip reason switched
check "what would be dropped is counted" daemon_appctl acl/settle
check "in the NIC" await 5 thrown_as acl-count $fip 23
delivered "counting"
check "it may drop" acl_drop
dropped "dropping"
delivered "dropping"
strangers
check "explain: enforced" tells enforced explain $fip

# A NIC that strips tags: the program reads them where the driver tells.
ns hv ethtool -K nic7 rxvlan on >/dev/null
if await 5 interface_is nic7 state attached; then
    check "it serves" await 5 thrown_as acl-drop $vvm 23
    delivered "stripping"
fi
ns hv ethtool -K nic7 rxvlan off >/dev/null
check "again without" await 5 thrown_as acl-drop $fip 23

nothing_to_do nic7
check "off: no program" await 5 interface_is nic7 state waiting
check "off: there is nothing to do" interface_is nic7 reason switched
delivered "off"
to_do_again count
check "drop again" acl_drop
check "the NIC is attached" await_attached nic7
dropped "again"
check "a tag of the NIC's port" vs set Port nic7 tag=101
check "is not guessed about" await 5 interface_is nic7 state waiting
vs clear Port nic7 tag
check "and is followed" await_attached nic7

# Both layouts.
config interfaces nic0,nic7
check "a routed NIC beside it" await_offloaded $fip
check "drops, too" await 5 drops $fip 23
check "and so does the other" await 5 thrown_as acl-drop $fip 23
finish
