#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Rows and settings that cannot be right, in a real Southbound and a real local
# database: status says what is wrong, the last good value stays, and all else
# goes on, packets above all.
# time-limit: 300
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
vm=172.24.100.50

# Sends SIGNAL to ovn-northd.
northd() {
    kill "-$1" "$(cat "$SANDBOX/ovn-northd.pid")"
}

# Succeeds if "status" has a problem of class CLASS whose message has TEXT, in
# one line that can be read.
#
# usage: problem_says CLASS TEXT
problem_says() {
    ctl -f json status | "$PYTHON3" -IS -c '
import json, sys
problems = json.load(sys.stdin)["problems"]
found = [p["message"] for p in problems
         if p["class"] == sys.argv[1] and sys.argv[2] in p["message"]]
for problem in problems:
    print(problem)
sys.exit(not found or any(len(m) > 900 or not m.isprintable()
                          for m in found))' "$1" "$2"
}

# Succeeds if there is no problem.
healthy() {
    ctl health
}

# Succeeds if KEY has VALUE in force.
key_is() {
    equal "$1" "$(ctl -f json status | json "d['config']['$1']")" "$2"
}

# Sets KEY of the local database to VALUE, any text: ovs-vsctl takes JSON.
set_key() {
    vs set Open_vSwitch . "external_ids:$1=$("$PYTHON3" -IS -c '
import json, sys
print(json.dumps(sys.argv[1], ensure_ascii=False))' "$2")"
}

# Removes KEY of the local database.
unset_key() {
    vs remove Open_vSwitch . external_ids "$1"
}

# Checks what happens when KEY, with GOOD in force as status shows it, is
# VALUE: it is named as SAID, by default itself, and stays what it was.
#
# usage: bad_key KEY VALUE GOOD [SAID]
bad_key() {
    local key=$1 value=$2 good=$3 said=${4:-$2}

    set_key "$key" "$value" || die "$key cannot be set"
    check "$key='$said' is reported" await 10 \
        problem_says bad-value "$key=\"$said"
    check "the last good value stays" key_is "$key" "$good"
}

# Sets COLUMN of the Southbound's binding of PORT to VALUE.
#
# usage: spoil PORT COLUMN VALUE
spoil() {
    sb set Port_Binding "$1" "$2=$3"
}

# Rows of Port_Binding, while nobody repairs them.
bad_rows() {
    local many

    northd STOP
    spoil bad1 mac '"fa:16:3e:00:09:zz 172.24.100.91"'
    check "a MAC address that is none is reported" await 10 \
        problem_says bad-address 'port bad1: cannot read "fa:16:3e:00:09:zz'
    check "its address is left to OVN" no_endpoint 172.24.100.91
    check "the VM beside it is served" \
        endpoint_is 172.24.100.92 state offloaded

    spoil bad1 mac '["fa:16:3e:00:09:01 172.24.100.91",
        "fa:16:3e:00:09:01 172.24.100.300", "fa:16:3e:00:09:01 1",
        "", "\u001b[31m \u00e9\n", "unknown"]'
    check "of several strings the good one counts" \
        await_offloaded 172.24.100.91
    check "another one is reported" problem_says bad-address 172.24.100.300
    check "also one that cannot be printed" problem_says bad-address "x1b[31m"

    spoil bad1 mac '"fa:16:3e:00:09:01 172.24.100.92"'
    check "an address of two VMs is offloaded for neither" await 10 \
        endpoint_is 172.24.100.92 reason duplicate-address
    check "status names both" problem_says duplicate-address \
        "172.24.100.92 is claimed by ports bad1 and bad2"
    spoil bad1 mac '"fa:16:3e:00:09:01 172.24.100.91"'
    check "when one gives it up the other is served" \
        await_offloaded 172.24.100.92

    many=$("$PYTHON3" -IS -c 'print(" ".join(
        f"172.24.{110 + i // 250}.{i % 250 + 1}" for i in range(2000)))')
    spoil bad1 mac "\"fa:16:3e:00:09:01 172.24.100.91 $many\""
    check "a row with 2000 addresses is served" await_offloaded 172.24.117.250
    spoil bad1 mac "\"fa:16:3e:00:09:01 172.24.100.91 $many x\""
    check "if its end is none it is reported" await 10 \
        problem_says bad-address "port bad1: cannot read"

    sb add Port_Binding r1-gw nat_addresses \
        '"fa:16:3e:00:01:01 172.24.100.400 is_chassis_resident(\"vm1\")"' \
        '"banana"' '"fa:16:3e:00:01:01 172.24.100.93 is_chassis_resident("' \
        '"fa:16:3e:00:01:01 172.24.100.94 is_chassis_resident(\"nobody\")"'
    check "a floating IP that is none is reported" await 10 \
        problem_says bad-address "port r1-gw: cannot read \"fa:16:3e:00:01:01 \
172.24.100.400"
    check "one that lives nowhere is not here" no_endpoint 172.24.100.94
    check "the others are" pings_through_xdp $fip

    sb set Port_Binding provnet-vlan101 tag=4095
    check "a tag that is none is not pushed" await 10 \
        endpoint_is 172.24.101.50 reason bad-value
    check "the untagged network is served" pings_through_xdp $fip
    northd CONT
    check "ovn-northd puts all of it right" await 20 healthy
    check "the tagged network is served again" await_offloaded 172.24.101.50
    check "and the VM with the bad row" await_offloaded 172.24.100.91
    check "and nothing else" await 10 no_endpoint 172.24.117.250
}

# Keys of ovn-xdp.
bad_keys() {
    local key

    for key in acl direct nic-hook vm-hook confirm-ms max-flows; do
        config $key $'\x7fbanana'
        check "ovn-xdp-$key is checked" await 10 \
            problem_says bad-value "ovn-xdp-$key="
        config $key
    done
    config mode native
    config bridge-port veth
    check "the good values are in force" await 10 \
        key_is ovn-xdp-bridge-port veth
    bad_key ovn-xdp-mode "Native" native
    bad_key ovn-xdp-bridge-port "" veth
    bad_key ovn-xdp-max-endpoints 99999999999999999999 65536
    bad_key ovn-xdp-max-endpoints -1 65536
    bad_key ovn-xdp-stale-timeout 1 0
    bad_key ovn-xdp-nb-remote "tcp" ""
    bad_key ovn-xdp-interfaces $'nic0,a\nb' nic0 'nic0,a\x0ab'
    bad_key ovn-xdp-interfaces "nic0,auto" nic0
    bad_key ovn-xdp-interfaces "$("$PYTHON3" -c 'print("\u20ac" * 30000)')" \
        nic0 "$("$PYTHON3" -c 'print("\u20ac" * 100)')"
    check "a long value is told in short" problem_says bad-value "€ ... €"
    set_key ovn-xdp-mode-here $'generic\x1b[2J'
    check "so is one for this chassis alone" await 10 \
        problem_says bad-value 'generic\x1b[2J'
    check "nic0 is as it was" interface_is nic0 mode native
    check "and serves" pings_through_xdp $fip
    check_not "a value with a zero byte is not even accepted" \
        vs set Open_vSwitch . 'external_ids:ovn-xdp-mode="a\u0000b"'
    for key in mode-here mode bridge-port max-endpoints stale-timeout \
        nb-remote; do
        config $key
    done
    config interfaces nic0
    check "with good values all is well" await 10 healthy
}

# Keys shared with ovn-controller, and NICs that do not exist.
bad_names() {
    local remote mappings=physnet1:br-ex names

    remote=$(ctl -f json status | json "d['config']['ovn-remote']")
    bad_key ovn-remote "banana" "$remote"
    bad_key ovn-remote "$remote,banana" "$remote"
    set_key ovn-remote "$remote"
    bad_key ovn-remote-probe-interval 1e3 5000
    bad_key ovn-remote-probe-interval -5 5000
    unset_key ovn-remote-probe-interval
    set_key ovn-bridge-mappings "$mappings,banana,physnet9:br-nine"
    check "a mapping that is none is reported" await 10 \
        problem_says bad-value '"banana" is not NETWORK:BRIDGE'
    check "the one before it holds" endpoint_is $vm state offloaded
    set_key ovn-bridge-mappings "$mappings,physnet9:br-nine"
    check "a bridge that does not exist is reported" await 10 \
        problem_says no-bridge br-nine
    check "the other one serves" pings_through_xdp $fip
    set_key ovn-bridge-mappings $mappings

    names=$(printf 'no%s,' {1..200})
    config interfaces "nic0,lo,nosuch,$names"
    check "a NIC that does not exist waits" await 10 \
        interface_is nosuch reason no-device
    check "one that is no Ethernet device is refused" \
        interface_is lo reason not-ethernet
    check "nic0 serves" pings_through_xdp $fip
    config exclude "$("$PYTHON3" -IS -c \
        'print(",".join(f"a{i}" for i in range(10000)))')"
    check "10000 exclusions exclude nothing else" \
        endpoint_is $fip state offloaded
    config exclude
    config interfaces nic0
    check "with good names all is well" await 10 healthy
}

sandbox_start
cloud_add --vlan || die "the cloud failed"
for i in 1 2; do
    # Without port security, which would name the address a second time.
    vm_add bad$i public fa:16:3e:00:09:0$i 172.24.100.9$i/24 172.24.100.1 ||
        die "the VMs failed"
    nb --wait=hv lsp-set-port-security bad$i || die "port security is not off"
done
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
for address in $vm $fip 172.24.100.91 172.24.100.92 172.24.101.50; do
    check "$address is offloaded" await_offloaded "$address"
done
for address in $vm $fip; do
    warm "$address"
done
check "all is well" await 5 healthy
ping_start $vm 20
bad_rows
bad_keys
bad_names
ping_stop
echo "# $ping_sent pings, $ping_lost lost"
# Settings of 'ovn-xdp-mode' and 'ovn-xdp-bridge-port' change for good as well,
# which costs what it costs.
check "hardly a ping was lost beside" between lost "$ping_lost" 0 10
finish
