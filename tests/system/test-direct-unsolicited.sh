#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What nobody has asked for is dropped in the driver where layer L3 follows all
# that a VM sends; what somebody has arrives as by OVN alone.
# time-limit: 300
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"
# shellcheck source=tests/system/direct.sh
. "$(dirname "$0")/direct.sh"

fip=172.24.100.111
provider=172.24.100.50
provider6=2001:db8:100::50
subjects=("vm1 $fip" "pvm $provider" "pvm $provider6")

# Lets the world talk to this port of the VMs, and drops all else.
groups() {
    group_web vm1 pvm &&
        acl web 1002 'ip4 && udp && udp.dst == 7100' allow-related &&
        acl web 1002 'ip6 && udp && udp.dst == 7100' allow-related && ovn_sync
}

# Has the cases be run with VM at ADDRESS, and notes what comes of them.
#
# usage: cases VM ADDRESS
cases() {
    export SANDBOX_ID SANDBOX OVN_XDPCTL
    PYTHONDONTWRITEBYTECODE=yes timeout 60 "$PYTHON3" \
        "$sandbox_lib/direct_unsolicited.py" "$direct" "$@" \
        >"$SANDBOX/said-$direct-$2" 2>&1
    check "$direct: all cases of $2 were run" equal "exit status" $? 0
    remark <"$SANDBOX/said-$direct-$2"
}

# Prints what the cases said of NAME [WORD] with ADDRESS in MODE.
#
# usage: said MODE ADDRESS NAME [WORD]
said() {
    awk -v name="$3" -v word="${4:-}" '$1 == name && (word == "" ? NF == 2 :
        $2 == word) { print $NF; exit }' "$SANDBOX/said-$1-$2"
}

# All of these have to come as with OVN alone, whatever was dropped.
same() {
    local name value

    while read -r name value; do
        case $value in
        *\ *) check "$2: $name" equal "$name" "$value" "" ;;
        *) check "$2: $name as with OVN alone" equal "$name" \
            "$(said on "$2" "$name")" "$value" ;;
        esac
    done <"$SANDBOX/said-off-$2"
}

# Judges what was dropped in the driver: with what has to be, and was not asked
# for, all of it.
#
# usage: judged VM ADDRESS
judged() {
    local name

    same "$@"
    for name in udp request reply syn ack syn-ack fin rst other-source-port \
        other-port other-protocol beside; do
        check "$2: $name is dropped in the driver" equal dropped \
            "$(said on "$2" $name dropped)" 5
    done
    for name in allowed answer stream first-fragment later-fragment error; do
        check "$2: $name is not" equal dropped \
            "$(said on "$2" $name dropped)" 0
    done
    check "$2: answers are known" between answers \
        "$(said on "$2" answer answers)" 1 5
}

# Succeeds if "endpoints" says in how many seconds UDP to ADDRESS is dropped,
# between LEAST and MOST.
#
# usage: drops_in ADDRESS LEAST MOST
drops_in() {
    between "seconds" "$(endpoint "$1" unsolicited | json "d['udp']")" "$2" "$3"
}

# Nothing is dropped before it is known for long enough what the VM sends.
#
# usage: untracked ADDRESS
untracked() {
    check "$1: UDP is not dropped before some time" await 10 drops_in "$1" \
        380 480
    check "$1: so it passes" passes_as acl-untracked "$1" 7999 protocol=17
    check "$1: segments of TCP do, too" passes_as acl-untracked "$1" 7999 \
        flags=16
}

# The device of a VM is another one: what it sends is followed anew.
replugged() {
    vm_unplug vm1
    check "vm1 is unplugged" await 10 spares_udp $fip
    vm_plug vm1
    check "vm1 is plugged in again" vm_await_up vm1
    check "$fip is ready again" await_direct $fip
    check "$fip is new again" await 5 not_followed $fip
    check "$fip: so nothing is dropped" spares_udp $fip
    check "$fip: it is settled" await 5 drops_settled $fip 7999 protocol=17
}
spares_udp() {
    spares "$1" 7999 protocol=17
}
not_followed() {
    equal unsolicited "$(endpoint "$1" unsolicited)" null
}

# The next daemon knows what was sent before, and drops what it did.
restarted() {
    check "$fip: vm1 sends a datagram" udp_from vm1 7201
    check "$fip: its answer may come" passes_as acl-answer $fip 7202 \
        protocol=17 sport=7201
    another_daemon
    check "$fip: it drops again" await 5 drops_settled $fip 7999 protocol=17
    check "$fip: and knows what vm1 has sent" \
        passes_as acl-answer $fip 7202 protocol=17 sport=7201
}
another_daemon() {
    check "the daemon is killed" daemon_kill
    check "another one starts" daemon_start
    check "$fip is ready" await_direct $fip
    check "$provider is ready" await_direct $provider
}
udp_from() {
    ns "$1" "$PYTHON3" -c 'import socket, sys
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("", 7202))
sock.sendto(b"question", (sys.argv[1], int(sys.argv[2])))' "$WORLD" "$2"
}

# The time after which it is dropped does not begin anew with a daemon: it is
# shorter by what has passed between two questions, but for what is rounded.
goes_on() {
    local before begun after passed

    before=$(endpoint $fip unsolicited | json "d['tcp']")
    begun=${EPOCHREALTIME/[.,]/}
    another_daemon
    check "$fip: SYNs are dropped" await 10 syns_settled
    # What is between the questions has to be more than what is rounded.
    await 30 passed_since "$begun" 4
    passed=$(((${EPOCHREALTIME/[.,]/} - begun) / 1000000))
    after=$(endpoint $fip unsolicited | json "d['tcp']")
    check "$fip: the time goes on" between "seconds" "$after" 400000 \
        $((before - passed + 2))
}

# Succeeds if SECONDS have passed since BEGUN, in us since 1970.
#
# usage: passed_since BEGUN SECONDS
passed_since() {
    [ $((${EPOCHREALTIME/[.,]/} - $1)) -ge $(($2 * 1000000)) ]
}
syns_settled() {
    equal acl "$(endpoint "$fip" acl)" enforced
}

# With ovn-xdp-acl=count nothing is dropped, with off nobody looks.
other_modes() {
    config acl count
    check "it only counts" await 5 setting_is acl count
    check "and does" await 5 passes_as acl-count $fip 7999 protocol=17
    config acl off
    check "it does not look" await 5 setting_is acl off
    check "and follows nothing" await 5 not_followed $fip
}

sandbox_start
cloud_add || die "the cloud failed"
groups || die "the groups failed"
# 'die' is for whatever fails.
# shellcheck disable=SC2015
guests_ready vm1 pvm && world_ready wan0 && windows_free ||
    die "no layer L3 here"
check "ovn-xdpd starts" daemon_start || finish
config confirm-ms 200
config acl off
config interfaces nic0
for address in $fip $provider $provider6; do
    check "$address is offloaded" await_offloaded "$address"
done
warm $fip
warm $provider
direct_begin off
for subject in "${subjects[@]}"; do
    # shellcheck disable=SC2086
    cases $subject
done
config acl drop
check "it may drop" await 5 setting_is acl drop
direct_begin on
for address in $fip $provider $provider6; do
    check "$address is ready" await_direct "$address"
done
check "it is settled for SYNs" await 5 daemon_appctl acl/settle
check "SYNs are dropped" await 5 drops $fip 7999
config direct off
check "direct is off" await 5 setting_is direct off
config direct on
check "direct is on again" await 5 setting_is direct on
for address in $fip $provider; do
    check "$address is ready" await_direct "$address"
    untracked "$address"
done
goes_on
check "it is settled" await 5 drops_settled $fip 7999 protocol=17
for subject in "${subjects[@]}"; do
    # shellcheck disable=SC2086
    cases $subject
    # shellcheck disable=SC2086
    judged $subject
done
replugged
restarted
other_modes
finish
