#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What OVN's ACLs drop is dropped early: the modes, and what changes while it
# runs, rules, groups, address sets.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"

fip=172.24.100.111     # Of vm1, distributed.
central=172.24.100.112 # Of vm2, centralised.
pvm=172.24.100.50
pvm6=2001:db8:100::50
addresses=("$fip" "$central" "$pvm" "$pvm6")

# Checks that all addresses are closed but for TCP port 22.
#
# usage: closed WHEN
closed() {
    local address

    for address in "${addresses[@]}"; do
        check "$1: $address's port 23 is closed" await 5 drops "$address" 23
        check "$1: its port 22 is open" passes "$address" 22
    done
}

# Connects to ADDRESS's PORT, where nobody listens.  Succeeds if VM refuses:
# it was reached.
reaches() {
    ns ext timeout 5 "$PYTHON3" -c 'import socket, sys
try:
    socket.create_connection(sys.argv[1:3], timeout=2)
except ConnectionRefusedError:
    sys.exit(0)
sys.exit(1)' "$@"
}

# Prints how often rules of PORT with ACTION have decided.
#
# usage: hits PORT ACTION
hits() {
    ctl -f json acls "$1" | json "sum(r['hits'] for r in d[0]['rules']
        if r['action'] == '$2')"
}

# Checks the default: it is only counted.
counts() {
    local address

    check "by default nothing is dropped, only counted" setting_is acl count
    check "and nothing is counted while addresses are new" \
        await 10 acl_reason_is $fip acl-new
    check "it is a matter of time" daemon_appctl acl/settle
    for address in "${addresses[@]}"; do
        check "$address's closed port is counted" \
            await 10 passes_as acl-count "$address" 23
    done
    check "OVN drops it" inverted arrives vm1 0.3 $fip 23
    check "and lets the open one in" arrives vm1 3 $fip 22
    check "no drop is shown" endpoint_is $fip drops 0
}

# Checks that drops are counted where users look.
drops_are_shown() {
    local before hits

    check "real packets to the open port arrive" reaches $fip 22
    check "also by IPv6" reaches $pvm6 22
    before=$(counted nic0 acl-drop) hits=$(hits vm1 drop)
    check "those to a closed one do not" inverted arrives vm1 0.3 $fip 23
    check "the NIC counts it" \
        equal acl-drop $(($(counted nic0 acl-drop) - before)) 1
    check "the rule counts it" equal hits $(($(hits vm1 drop) - hits)) 1
    before=$(endpoint $fip drops)
    check "once more" drops $fip 24
    check "the address counts it" endpoint_is $fip drops $((before + 1))
    check "metrics tell it too" \
        tells 'acl-drop.* [1-9][0-9]*' metrics
}

# Checks what stateful security groups must leave to OVN.
left_alone() {
    check "UDP" await 10 unasked $fip 23 protocol=17
    check "ICMP" unasked $fip 8 protocol=1
    check "an answer" unasked $fip 23 flags=0x12
    check "a packet of a connection" unasked $fip 23 flags=0x10
    check "a reset" unasked $fip 23 flags=4
    check "a first fragment" passes $fip 23 fragment=first
    check "a later fragment" passes $fip 23 fragment=later
    check "IP options" passes $fip 23 options=01010100
    check "an IPv6 header between" spares $pvm6 23 options=01
    check "a TTL that is over" passes $fip 23 ttl=1
    check "half a TCP header" spares $fip 23 cut=10
    check "a SYN from this chassis" \
        passes_as acl-inside $fip 23 src=$pvm
    check "but a SYN with ECN is a SYN" drops $fip 23 flags=0xc2
}

# Checks what "acls" and "explain" say.
shown() {
    check "acls: enforced" acl_state_is vm1 state enforced
    check "acls: with its rules" equal rules "$(ctl -f json acls vm1 | json \
        "sorted((r['action'], r['protocol'], r['ports'])
                for r in d[0]['rules'] if r['source'] != '::/0')")" \
        '[["allow-related", "tcp", "22"], ["drop", "any", ""]]'
    check "acls: as a table" tells 22 acls vm1
    check "acls: an unknown port is an error" inverted ctl acls nobody
    check "explain: enforced" tells enforced explain $fip
}

# Changes rules, each of which must be followed.
changes() {
    acl web 1002 'ip4 && tcp && tcp.dst >= 8000 && tcp.dst <= 8010' \
        allow-related
    check "a rule comes" await 5 passes $fip 8010
    check "as wide as it is" drops $fip 8011
    check "for its family" drops $pvm6 8010
    acl web 1003 'ip4 && ip4.src == 198.51.100.0/24 && tcp.dst == 8005' drop
    check "a drop before it" await 5 drops $fip 8005
    check "for others it is open" passes $fip 8005 src=203.0.113.1
    acl_del web 1003 'ip4 && ip4.src == 198.51.100.0/24 && tcp.dst == 8005'
    check "and gone" await 5 passes $fip 8005
    acl_del web 1002 'ip4 && tcp && tcp.dst >= 8000 && tcp.dst <= 8010'
    check "the rule is gone too" await 5 drops $fip 8010
}

# Changes an address set.
members() {
    nb create Address_Set name=friends addresses=203.0.113.1,203.0.113.64/26 \
        >/dev/null
    # The dollar is OVN's.
    # shellcheck disable=SC2016
    acl web 1002 'ip4 && ip4.src == $friends && tcp' allow-related
    check "a member" await 5 passes $fip 99 src=203.0.113.1
    check "another" passes $fip 99 src=203.0.113.127
    check "not a member" drops $fip 99 src=203.0.113.128
    nb add Address_Set friends addresses 203.0.113.128
    check "a member joins" await 5 passes $fip 99 src=203.0.113.128
    check "alone" drops $fip 99 src=203.0.113.129
    nb remove Address_Set friends addresses 203.0.113.128
    check "and leaves" await 5 drops $fip 99 src=203.0.113.128
    check "alone" passes $fip 99 src=203.0.113.1
}

# Changes who is in a group.
joins() {
    nb pg-set-ports web vm2 pvm
    check "a port leaves its group" await 5 drops $fip 22
    check "alone" passes $pvm 22
    nb pg-set-ports web vm1 vm2 pvm
    check "and joins it" await 5 passes $fip 22
    nb pg-set-ports neutron_pg_drop vm2 pvm
    check "a port without port security has no drops" await 5 passes $fip 23
    check "and says so" acl_state_is vm1 reason acl-no-rules
    nb pg-set-ports neutron_pg_drop vm1 vm2 pvm
    check "it has them again" await 5 drops $fip 23
}

# Has rules that are not understood, or that are not for the driver.
not_ours() {
    acl web 1001 'ip4 && ip.ttl == 9' drop
    check "a match that is not known" await 5 passes $fip 23
    check "acls says so" acl_state_is vm1 state pass-only
    check "and why" acl_state_is vm1 reason acl-match
    check "what" acl_state_is vm1 token ip.ttl
    check "explain says so" tells ip.ttl explain $fip
    acl_del web 1001 'ip4 && ip.ttl == 9'
    check "once it is gone" await 5 drops $fip 23
    acl web 1001 'tcp && tcp.dst == 23' reject
    check "a reject is OVN's" await 5 passes $fip 23
    check "all else is dropped" drops $fip 24
    acl_del web 1001 'tcp && tcp.dst == 23'
    acl web 1001 'tcp && tcp.dst == 23' drop --log --severity=info
    check "a drop that is logged is OVN's" await 5 passes $fip 23
    check "all else is dropped" drops $fip 24
    acl_del web 1001 'tcp && tcp.dst == 23'
    check "once it is gone" await 5 drops $fip 23
}

# Switches the modes, under way.
modes() {
    config acl count
    check "live: count" await 5 passes_as acl-count $fip 23
    config acl off
    check "live: off" await 5 setting_is acl off
    check "off: no more is counted" inverted passes_as acl-count $fip 23
    check "off: it passes" passes $fip 23
    check "off: acls says so" acl_state_is vm1 reason acl-off
    check "live: drop" acl_drop
    check "it drops again" await 5 drops $fip 23
    config acl everything
    check "a value that is none" await 5 has_problem bad-value
    check "changes nothing" drops $fip 23
    config acl drop
}

sandbox_start
cloud_add || die "the cloud failed"
group_web vm1 vm2 pvm || die "the groups failed"
ovn_sync
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
for address in "${addresses[@]}"; do
    check "$address is offloaded" await_offloaded "$address"
done
counts
check "it may drop" acl_drop
closed "at first"
drops_are_shown
left_alone
shown
changes
members
joins
not_ours
modes
closed "in the end"
check "the daemon stops" daemon_stop
check "and starts" daemon_start
check "settled" await 5 daemon_appctl acl/settle
closed "after a restart"
finish
