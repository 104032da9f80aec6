#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Values in the Southbound database that nobody should write: each is a problem
# that names the port, costs at most the addresses that it is about, and is
# forgotten when it is put right.  ovn-northd, which would put them right at
# once, is stopped.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
vm=172.24.100.50
vm6=2001:db8:100::50
good="fa:16:3e:00:01:50 $vm $vm6"

# Sets COLUMN of the binding of PORT to the strings VALUE...
#
# usage: set_strings PORT COLUMN [VALUE...]
set_strings() {
    local port=$1 column=$2 list="" value

    shift 2
    for value; do
        list+="${list:+,}\"${value//\"/\\\"}\""
    done
    sb clear Port_Binding "$port" "$column" \
        -- add Port_Binding "$port" "$column" "$list"
}

# Succeeds if a problem of class CLASS names PORT.
problem_names() {
    ctl -f json status |
        json "[p['message'] for p in d['problems'] if p['class'] == '$1']" |
        grep -F "$2"
}

# Gives pvm the 'mac' strings VALUE..., which cannot be read, and checks that
# it is said and does no harm.
#
# usage: bad_mac VALUE...
bad_mac() {
    set_strings pvm mac "$@"
    check "mac $*: it is a problem" await 10 problem_names bad-address pvm
    check "mac $*: the address is not served" await 10 no_endpoint $vm
    check "mac $*: others are" pings_through_xdp $fip 2
    set_strings pvm mac "$good"
    check "mac $*: put right" await_offloaded $vm
    check "mac $*: no problem is left" await 10 \
        inverted has_problem bad-address
}

# Gives pvm the 'mac' strings VALUE..., which say nothing: no problem.
#
# usage: no_mac VALUE...
no_mac() {
    set_strings pvm mac "$@"
    check "mac $*: the address is not served" await 10 no_endpoint $vm
    check "mac $*: it is no problem" inverted has_problem bad-address
    set_strings pvm mac "$good"
    check "mac $*: put right" await_offloaded $vm
}

# Addresses that may be on no wire, or for which there is no one receiver, are
# nobody's; what stands beside them counts.
impossible_addresses() {
    set_strings pvm mac "fa:16:3e:00:01:50 0.0.0.0 127.0.0.1 224.0.0.5 \
255.255.255.255 172.24.100.51 ::1 ff02::1 fe80::1 2001:db8:100::51"
    check "impossible addresses: those beside are served" await_offloaded \
        172.24.100.51
    check "impossible addresses: IPv6 too" await_offloaded 2001:db8:100::51
    check "impossible addresses: the others are not" equal endpoints \
        "$(ctl -f json endpoints | json "len([e for e in d
            if e['logical_port'] == 'pvm'])")" 2
    set_strings pvm mac "$good"
    check "impossible addresses: put right" await_offloaded $vm
}

# Strings of nat_addresses that cannot be read; what stands beside counts.
bad_nat_addresses() {
    local nat

    mapfile -t nat < <(sb --bare get Port_Binding r1-gw nat_addresses |
        "$PYTHON3" -c 'import json, sys
print("\n".join(json.loads(sys.stdin.read())))')
    set_strings r1-gw nat_addresses "${nat[@]}" \
        'fa:16:3e:00:01:99 172.24.100.999 is_chassis_resident("vm1")' \
        'fa:16:3e:00:01:99 172.24.100.98 is_chassis_resident("vm1' \
        'fa:16:3e:00:01:99 172.24.100.97 is_chassis_resident("nobody")' \
        'not a MAC at all'
    check "nat_addresses: it is a problem" await 10 problem_names bad-address \
        r1-gw
    check "nat_addresses: nothing comes of it" no_endpoint 172.24.100.98
    check "nat_addresses: nor of a port that is not here" no_endpoint \
        172.24.100.97
    check "nat_addresses: the good ones are served" pings_through_xdp $fip
    set_strings r1-gw nat_addresses "${nat[@]}"
    check "nat_addresses: put right" await 10 inverted has_problem bad-address
}

# Two ports with one address and different MACs: neither is served.
duplicate() {
    set_strings pvm mac "fa:16:3e:00:01:50 $vm $vm6 $fip"
    check "duplicate: it is said" await 10 endpoint_is $fip reason \
        duplicate-address
    check "duplicate: a problem names both" problem_names duplicate-address \
        "pvm and vm1"
    check "duplicate: it is not served" unreachable $fip
    check "duplicate: the port's own address is" pings_through_xdp $vm
    set_strings pvm mac "$good"
    check "duplicate: put right" await_offloaded $fip
    check "duplicate: it answers" warm $fip
    check "duplicate: through XDP" pings_through_xdp $fip
}

# A network that has no name.
no_network() {
    sb remove Port_Binding provnet-public options network_name
    check "no network name: it is said" await 10 endpoint_is $vm reason \
        no-mapping
    sb set Port_Binding provnet-public options:network_name=physnet1
    check "no network name: put right" await_offloaded $vm
    check "no network name: it is reached through XDP" pings_through_xdp $vm
}

# Many: a port with a thousand addresses.
many() {
    local strings=() i

    for ((i = 0; i < 1000; i++)); do
        strings+=("fa:16:3e:00:01:50 172.25.$((i / 250)).$((i % 250 + 1))")
    done
    set_strings pvm mac "$good" "${strings[@]}"
    check "a thousand addresses: the last is served" await_offloaded \
        172.25.3.250
    check "a thousand addresses: all are" equal endpoints \
        "$(ctl -f json endpoints | json "len([e for e in d
            if e['logical_port'] == 'pvm' and e['state'] == 'offloaded'])")" \
        1002
    set_strings pvm mac "$good"
    check "a thousand addresses: forgotten" await 10 no_endpoint 172.25.3.250
    check "a thousand addresses: $vm is reached through XDP" \
        pings_through_xdp $vm
}

sandbox_start
cloud_add || die "the cloud failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "$vm is offloaded" await_offloaded $vm
check "$fip is offloaded" await_offloaded $fip
warm $vm
warm $fip
check "ovn-northd is stopped" daemon_end ovn-northd TERM
# Else the port would still have its addresses from there.
sb clear Port_Binding pvm port_security
bad_mac "$vm"
bad_mac "fa:16:3e:00:01 $vm"
bad_mac "fa:16:3e:00:01:50 172.24.100.500 nonsense"
no_mac unknown
no_mac "fa:16:3e:00:01:50"
impossible_addresses
bad_nat_addresses
duplicate
no_network
many
check "no problem is left" equal problems "$(ctl -f json status |
    json "sorted({p['class'] for p in d['problems']} & {'bad-address',
        'duplicate-address', 'no-mapping', 'datapath-error', 'map-full'})")" []
finish
