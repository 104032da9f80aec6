# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Layer L3 with the OVS kernel datapath.  The VMs keep their offloads: what they
# send are several segments in one, with checksums half computed.  Sourced by
# kernel-datapath.sh, after sandbox.sh and acl-cloud.sh.

# Lets VM NAME leave segmentation and checksums to its network card.  XDP sends
# to it only if it has GRO.
offloads_on() {
    ns "$1" ethtool -K eth0 tx on tso on gso on gro on >/dev/null
}

# Prints how many UNIT (packets, bytes) were taken off on the way "in" or "out".
#
# usage: taken in|out UNIT
taken() {
    ctl -f json stats | json "sum(side['direct']['$2'] for side in {
        'in': [d['interfaces']['nic0'], d['direct']['sides']['near-nic']],
        'out': [d['direct']['sides']['near-vm']]}['$1'] if 'direct' in side)"
}

# Runs COMMAND, and succeeds if it does and at least IN and OUT bytes were taken
# off meanwhile.
#
# usage: takes_off IN OUT COMMAND...
takes_off() {
    local in=$1 out=$2 before_in before_out

    shift 2
    before_in=$(taken in bytes) && before_out=$(taken out bytes) &&
        "$@" || return
    between "bytes in" $(($(taken in bytes) - before_in)) "$in" 100000000 &&
        between "bytes out" $(($(taken out bytes) - before_out)) "$out" \
            100000000
}

# Succeeds if more packets than COUNT have been taken off on the way in.
takes_more() {
    [ "$(taken in packets)" -gt "$1" ]
}

# Succeeds if none of the next 25 requests of ping_start is answered.
unanswered() {
    local answers

    answers=$(grep -c icmp_seq= "$SANDBOX/ping.log")
    await 10 frames_since "$(frames ext wan0 tx)" 25 &&
        equal answers "$(grep -c icmp_seq= "$SANDBOX/ping.log")" "$answers"
}

# Succeeds once ping_start's ping is answered again.
ping_goes_on() {
    await 10 pings_answered $(($(grep -c icmp_seq= "$SANDBOX/ping.log") + 3))
}

# Checks that traffic of ADDRESS is taken off, and arrives as it was.
#
# usage: goes_direct ADDRESS
goes_direct() {
    check "$1 is forwarded directly" await 60 endpoint_is "$1" direct true
    check "$1: TCP, both ways" takes_off 1500000 1500000 tcp_echo "$1" 2000000
    check "$1: ping" takes_off 1000 1000 pings "$1" 20
    # The first ones may wait for OVS for a second.
    check "$1: UDP, one way" takes_off 1000 0 udp_count "$1" 1500 300
}

# Checks that a connection ends with the rule that allowed it, and goes on with
# it.
#
# usage: is_revoked ADDRESS
is_revoked() {
    ping_start "$1" 20
    check "a long ping to $1 is answered" pings_answered 3
    check "it is taken off" await 5 takes_more $(($(taken in packets) + 10))
    check "the rule that allows it goes" acl_del web 1002 icmp
    check "OVN follows" ovn_sync
    check "and so does what is direct" await 5 unanswered
    check "the rule comes back" acl web 1002 icmp allow-related
    check "so do the answers" ping_goes_on
    ping_stop
    check "taken off they are, too" takes_off 1000 1000 pings "$1" 20
}

# Checks all of it.
checks_direct() {
    local name

    for name in vm1 pvm vvm; do
        offloads_on $name
    done
    serve pvm
    # shellcheck disable=SC2154 # traffic.sh has it.
    acl web 1002 "udp && udp.dst == $traffic_port" allow-related && ovn_sync
    config direct on
    for name in 172.24.100.111 172.24.100.50 172.24.101.50; do
        goes_direct $name
    done
    check "VMs do send several segments in one" between "bytes per packet" \
        $(($(taken out bytes) / $(taken out packets))) 1600 65536
    is_revoked 172.24.100.111
    config nic-hook tc
    check "the TC hook of the NIC takes off, too" await 10 takes_off \
        1500000 1500000 tcp_echo 172.24.100.111 2000000
    config nic-hook
}
