#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ovn-xdp-nb-remote: the Northbound of a real ovn-northd changes nothing that
# the Southbound tells, serves IPv6 floating IPs, may go and come back, and is
# never ahead of the Southbound.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
fip6=2001:db8:100::116
fip6_central=2001:db8:100::117

# Prints the endpoints without what counts, but for ADDRESS.
#
# usage: answers [ADDRESS...]
answers() {
    ctl -f json endpoints |
        json "[[e[k] for k in ('address', 'mac', 'kind', 'logical_port',
                               'network', 'bridge', 'vlan', 'state')]
               for e in d if e['address'] not in '$*'.split()]"
}

# Succeeds if "status" shows the Northbound in STATE; "" if it is not there.
northbound_is() {
    equal "state of the Northbound" "$(ctl -f json status |
        json "''.join(b['state'] for b in d['databases']
                      if b['name'] == 'OVN_Northbound')")" "$1"
}

# Succeeds if there is no problem.
healthy() {
    equal "health" "$(ctl -f json health | json "d['status']")" ok
}

# Sends COMMAND to the server of the Northbound.
central() {
    ovs-appctl -t "$SANDBOX/nb-db.ctl" "ovsdb-server/$1" \
        "punix:$SANDBOX/ovnnb_db.sock"
}

# Sends SIGNAL to ovn-northd.
northd() {
    kill "-$1" "$(cat "$SANDBOX/ovn-northd.pid")"
}

# Kills the daemon and starts another one while the Northbound is WHERE: here, or
# away for a moment.
#
# usage: replaced WHERE
replaced() {
    check "$1: the daemon is killed" daemon_kill
    [ "$1" = here ] || check "$1: the Northbound goes" central remove-remote
    check "$1: a new daemon starts" daemon_start
    if [ "$1" = away ]; then
        check "it looks for the Northbound" await 10 northbound_is connecting
        check "the Northbound comes back" central add-remote
    fi
    check "$1: it follows the Northbound" await 10 northbound_is synced
    check "$1: $fip6 is what it was" await_offloaded $fip6
}

sandbox_start
cloud_add || die "the cloud failed"
{
    vm_add vm6 r1-net fa:16:3e:00:01:16 10.1.0.16/24 10.1.0.1 \
        fd00:1::16/64 fd00:1::1 &&
        nb lr-nat-add r1 dnat_and_snat $fip6 fd00:1::16 vm6 \
            fa:16:3e:00:01:16 &&
        vm_add vm7 r1-net fa:16:3e:00:01:17 10.1.0.17/24 10.1.0.1 \
            fd00:1::17/64 fd00:1::1 &&
        nb --wait=hv lr-nat-add r1 dnat_and_snat $fip6_central fd00:1::17
} || die "the IPv6 floating IPs failed"

check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
check "no Northbound is shown unasked" northbound_is ""
before=$(answers $fip6 $fip6_central)

config nb-remote "unix:$SANDBOX/ovnnb_db.sock"
check "the Northbound is followed" await 10 northbound_is synced
for address in $fip6 $fip6_central; do
    check "the IPv6 floating IP $address is offloaded" \
        await_offloaded "$address"
    warm "$address"
    check "and reached through XDP" pings_through_xdp "$address"
done
check "it is distributed" endpoint_is $fip6 kind fip-distributed
check "the other one is not" endpoint_is $fip6_central kind fip-centralised
check "all others are what they were" equal endpoints \
    "$(answers $fip6 $fip6_central)" "$before"
check "both databases agree without a complaint" healthy

# Neutron moves a floating IP while ovn-northd is behind.
nat=$(nb --bare --columns=_uuid find NAT external_ip=$fip)
warm $fip
northd STOP
nb set NAT "$nat" logical_port=vm2 logical_ip=10.1.0.12 \
    'external_mac="fa:16:3e:00:01:12"' \
    -- lr-nat-add r1 dnat_and_snat 172.24.100.140 10.1.0.17 vm7 \
    fa:16:3e:00:01:17
check "a new row of the Northbound is seen" await_offloaded 172.24.100.140
check "where they disagree, the Southbound counts" \
    endpoint_is $fip mac fa:16:3e:00:01:11
check "and packets go there" pings_through_xdp $fip
check "which is no problem either" healthy
northd CONT
check "when northd has followed, so does ovn-xdp" await 10 \
    endpoint_is $fip mac fa:16:3e:00:01:12
check "OVN is done" ovn_sync
warm $fip
check "packets go to the other VM" pings_through_xdp $fip

# The Northbound is lost and found.
ping_start $fip6 10
check "a ping runs" equal "exit status" $? 0
check "the Northbound goes" central remove-remote
check "which status shows" await 10 northbound_is connecting
check "as a problem" has_problem database-down
check "nothing is withdrawn" endpoint_is $fip6 state offloaded
config nb-remote banana
check "a value that is no remote is reported" await 5 has_problem bad-value
check "and the last good one stays" northbound_is connecting
check "the Northbound comes back" central add-remote
check "and is followed again" await 10 northbound_is synced
ping_stop
echo "# $ping_sent pings, $ping_lost lost"
check "no ping was lost" equal lost "$ping_lost" 0
config nb-remote "unix:$SANDBOX/ovnnb_db.sock"
check "all is well" await 5 healthy

# A daemon that dies is replaced while the Northbound is there, and while it is
# away for a moment.  What the Southbound tells of an IPv6 address is the answer
# to neighbour solicitations, which packets through XDP do without.
northd STOP
for flow in $(sb -f csv --no-heading --columns=_uuid,match list Logical_Flow |
    grep "nd.target == $fip6 " | cut -d , -f 1); do
    check "the Southbound forgets $fip6" sb destroy Logical_Flow "$flow"
done
check "it is served by what the Northbound tells" pings_through_xdp $fip6
before=$(endpoint $fip6 packets)
ping_start $fip6 10
check "a ping runs" equal "exit status" $? 0
replaced here
replaced away
ping_stop
echo "# $ping_sent pings, $ping_lost lost"
check "no ping was lost" equal lost "$ping_lost" 0
check "all of them went through XDP" \
    test $(($(endpoint $fip6 packets) - before)) -ge "$ping_sent"

# It waits also where it cannot read what the earlier daemon had, since its maps
# have another size.
config max-endpoints 1000
ping_start $fip6 10
check "a ping runs" equal "exit status" $? 0
replaced away
ping_stop
echo "# $ping_sent pings, $ping_lost lost"
check "no ping was lost with other maps" equal lost "$ping_lost" 0
northd CONT

check "a floating IP that goes is forgotten" fip_del r1 $fip6
check "as can be seen" await 5 no_endpoint $fip6

check "its cluster may be rebuilt" daemon_appctl nb-cluster-state-reset
check "it is still followed" await 5 northbound_is synced
config nb-remote ssl:nowhere.invalid:6641
check "a name that no server tells holds up nothing" await 5 \
    northbound_is connecting
check "status is answered at once" ctl -t 3 status
config nb-remote
check "without the setting it is not there" await 5 northbound_is ""
check "$fip is served without it" pings_through_xdp $fip
finish
