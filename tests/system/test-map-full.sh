#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# More addresses than ovn-xdp-max-endpoints: those that have a place are served
# on, the others say why they are not, and come in by themselves when there is
# room.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
vm=172.24.100.50

# Gives VM pvm the IPv4 addresses 172.24.100.FIRST to LAST besides its own.
#
# usage: addresses FIRST LAST
addresses() {
    local i own="fa:16:3e:00:01:50 $vm 2001:db8:100::50"

    for ((i = $1; i <= $2; i++)); do
        own+=" 172.24.100.$i"
        ip -n "$SANDBOX_ID-pvm" addr replace "172.24.100.$i/24" dev eth0
    done
    nb --wait=hv lsp-set-addresses pvm "$own" \
        -- lsp-set-port-security pvm "$own"
}

# Prints how many addresses are in STATE, for REASON.
#
# usage: how_many STATE REASON
how_many() {
    ctl -f json endpoints |
        json "len([e for e in d if (e['state'], e['reason']) == ('$1', '$2')])"
}

# Succeeds if SERVED addresses are offloaded and WAITING have no room.
#
# usage: shared_out SERVED WAITING
shared_out() {
    equal "number of addresses offloaded" "$(how_many offloaded "")" "$1" &&
        equal "number without room" "$(how_many ineligible map-full)" "$2"
}

# Prints an address that is in STATE among those that 'addresses' gave.
one_in() {
    ctl -f json endpoints |
        json "[e['address'] for e in d if e['state'] == '$1'
               and e['address'].startswith('172.24.100.2')][0]"
}

# Succeeds if "health" is degraded because of a full map, and nothing else.
full() {
    local out

    out=$(ctl health)
    equal "exit status of health" $? 1 &&
        grep map-full <<<"$out" &&
        equal problems "$(grep -c : <<<"$out")" 1
}

sandbox_start
queue_deeply br-ex
cloud_add || die "the cloud failed"
flow_serve vm1 || die "the counter failed"
config max-endpoints 16
config interfaces nic0
check "ovn-xdpd starts" daemon_start || finish
check "the 6 addresses of the cloud are served" await 10 shared_out 6 0
warm $fip
check "all is well" await 10 ctl health
flow_start $fip 500
check "datagrams are on their way" equal "exit status" $? 0

check "20 more addresses" addresses 200 219
check "10 of them are served, 10 are not" await 10 shared_out 16 10
check "which is a problem" await 10 full
check "one that is served" pings_through_xdp "$(one_in offloaded)"
check "one that is not" unreachable "$(one_in ineligible)"
check "IPv6 is served on" pings_through_xdp 2001:db8:100::50

check "all 20 are replaced by 18 others in one go" addresses 220 237
check "10 of those are served, 8 are not" await 10 shared_out 16 8
check "5 of them go" addresses 220 232
check "3 are left without room" await 10 shared_out 16 3
check "2 others go" nb --wait=hv lr-nat-del r1 dnat_and_snat 172.24.100.112 \
    -- lsp-set-addresses pvm "fa:16:3e:00:01:50 2001:db8:100::50"
check "there is room for all" await 10 shared_out 4 0
check "and no problem any more" await 10 ctl health
check_not "datagrams are still on their way" gone "$flow_pid"
check "not one was lost in all this" flow_whole

check "they are many again" addresses 200 219
check "9 without room" await 10 shared_out 16 9

flow_start $fip 500
check "more datagrams" equal "exit status" $? 0
config max-endpoints 32
check "another size is for the next start" shared_out 16 9
check "the daemon is killed" daemon_kill
check "a new one starts" daemon_start
check "it has room for all" await 10 shared_out 25 0
check "all is well" await 10 ctl health
flow_stop # Larger maps count from the beginning.
check "not one datagram was lost" equal received "$flow_received" "$flow_sent"
config max-endpoints 16
check "the daemon exits" daemon_stop
check "a new one starts with too little room" daemon_start
check "and serves as many as it has room for" await 10 shared_out 16 9
check "which is a problem" await 10 full
finish
