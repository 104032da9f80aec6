# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests of ACLs share: many ports without VMs, security groups, and
# single packets.  Sourced after sandbox.sh.

bpf_run=${OVN_XDP_BUILDDIR:-$sandbox_lib/../..}/tests/system/bpf-run

# Adds ports p0 to p(COUNT - 1), and one named marker, which are bound to this
# chassis and have nothing behind them.  Every other one is on provider network
# 'public', 172.24.100.0/24, with an IPv6 address; the others are behind router
# r1 and have floating IPs, one of them a centralised one.  Prints for each
# address PORT ADDRESS MAC.
#
# usage: ports_add COUNT
ports_add() {
    local i name mac last commands=() plugs=()

    for ((i = 0; i <= $1; i++)); do
        name=p$i last=$((100 + i))
        [ "$i" -lt "$1" ] || name=marker
        mac=fa:16:3e:01:00:$(printf %02x "$i")
        plugs+=(-- add-port br-int "tap-$name" -- set Interface "tap-$name"
            type=internal external_ids:iface-id="$name")
        if [ $((i % 2)) -eq 0 ]; then
            port_words public "$name" "$mac" 172.24.100.$last \
                2001:db8:100::$last
        else
            port_words r1-net "$name" "$mac" 10.1.0.$last
            fip_words "$name" "$mac" $last
        fi
    done
    nb "${commands[@]:1}" && vs "${plugs[@]:1}" || return
    for ((i = 0; i <= $1; i++)); do
        name=p$i
        [ "$i" -lt "$1" ] || name=marker
        vm_await_up "$name" || return
    done
    ovn_sync
}

# Appends to 'commands' those that add port NAME to NETWORK, and prints its
# lines.
#
# usage: port_words NETWORK NAME MAC ADDRESS...
port_words() {
    local net=$1 name=$2 mac=$3 address

    shift 3
    commands+=(-- lsp-add "$net" "$name"
        -- lsp-set-addresses "$name" "$mac $*"
        -- lsp-set-port-security "$name" "$mac $*")
    [ "$net" = public ] || return 0
    for address; do
        echo "$name $address $mac"
    done
}

# Appends to 'commands' the one that gives port NAME a floating IP.
#
# usage: fip_words NAME MAC LAST
fip_words() {
    local fip=172.24.100.$3

    commands+=(-- lr-nat-add r1 dnat_and_snat "$fip" "10.1.0.$3")
    if [ "$1" = p1 ]; then
        echo "$1 $fip fa:16:3e:00:01:01"
    else
        commands+=("$1" "$2")
        echo "$1 $fip $2"
    fi
}

# Makes network 'public' and router r1, as cloud_add does, without VMs.
cloud_of_ports() {
    provider_add public &&
        router_add r1 public fa:16:3e:00:01:01 172.24.100.10/24 \
            172.24.100.1 10.1.0.1/24
}

# Has the daemon drop: it need not wait for connections that were opened before
# it looked.
acl_drop() {
    config acl drop && await 5 setting_is acl drop &&
        await 5 daemon_appctl acl/settle
}
