#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A SYN that answers a connection which a VM has opened is for OVN to judge:
# conntrack may let it in, whatever the rules say.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"

silent6=2001:db8:ffff::77

# Checks that VM, reached by ADDRESS, gets what it has asked SOURCE for, as far
# as OVN wants, and nothing else.
#
# usage: asks VM ADDRESS SOURCE
asks() {
    local vm=$1 address=$2 source=$3

    check "$address: nothing was asked for" drops "$address" 7777 \
        src="$source" sport=40000
    check "$address: its VM opens a connection" opens "$vm" "$source" 7777
    check "$address: now a SYN may be the answer" await 5 \
        passes_as acl-answer "$address" 7777 src="$source" sport=40000
    check "$address: not from another port" drops "$address" 7777 \
        src="$source" sport=40001
    check "$address: not to another port" drops "$address" 7778 \
        src="$source" sport=40000
    check "$address: not from elsewhere" drops "$address" 7777 sport=40000
}

# OVN delivers a simultaneous open, or not, as it does without ovn-xdp.
#
# usage: simultaneous VM ADDRESS
simultaneous() {
    local without=no with=no

    config acl off
    check "$2: off" await 5 setting_is acl off
    opens "$1" $silent 7801
    arrives "$1" 1 "$2" 7801 src=$silent && without=yes
    check "$2: it drops again" acl_drop
    check "$2: it does" await 5 drops "$2" 7802
    opens "$1" $silent 7803
    arrives "$1" 1 "$2" 7803 src=$silent && with=yes
    check "$2: a simultaneous open arrives as without ovn-xdp: $without" \
        equal "with ovn-xdp" $with $without
}

# A connection is there, and a SYN of the same ports comes in.
#
# usage: known VM ADDRESS
known() {
    local port

    ns ext "$PYTHON3" "$sandbox_lib/traffic.py" serve 7100 \
        >"$SANDBOX/serve" 2>/dev/null </dev/null &
    await 5 test -s "$SANDBOX/serve"
    ns "$1" timeout 30 "$PYTHON3" "$sandbox_lib/traffic.py" tcp-talk $WORLD \
        7100 20 >"$SANDBOX/talk" 2>&1 </dev/null &
    check "$2: its VM talks to the world" await 5 test -s "$SANDBOX/talk"
    port=$(ns "$1" ss -Hnt dport = :7100 | awk '{ sub(/.*:/, "", $4); print $4; exit }')
    known=$port
    check "$2: a SYN of that connection passes" await 5 \
        passes_as acl-answer "$2" "$port" sport=7100
    check "$2: one beside it does not" drops "$2" "$port" sport=7101
    check "a new daemon" daemon_stop
    check "starts" daemon_start
    check "and is settled" await 5 daemon_appctl acl/settle
    check "$2: the new one drops" await 5 drops "$2" "$port" sport=7101
    check "$2: and knows that connection still" \
        passes_as acl-answer "$2" "$port" sport=7100
}

# A connection is there before anybody watches.
#
# usage: older VM ADDRESS
older() {
    local port

    config acl off
    check "nothing is watched" await 5 setting_is acl off
    ns "$1" timeout 30 "$PYTHON3" "$sandbox_lib/traffic.py" tcp-talk $WORLD \
        7100 20 >"$SANDBOX/older" 2>&1 </dev/null &
    check "$2: its VM talks to the world" await 5 test -s "$SANDBOX/older"
    port=$(ns "$1" ss -Hnt dport = :7100 |
        awk '{ sub(/.*:/, "", $4); print $4 }' | grep -vx "$known" | head -n 1)
    check "it drops again" acl_drop
    check "$2: it drops" await 5 drops "$2" "$port" sport=7101
    check "$2: a connection older than the watch is learnt" await 5 \
        passes_as acl-answer "$2" "$port" sport=7100
}

sandbox_start
cloud_add || die "the cloud failed"
group_web vm1 vm2 pvm || die "the groups failed"
ovn_sync
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
for address in 172.24.100.111 172.24.100.112 172.24.100.50; do
    check "$address is offloaded" await_offloaded "$address"
done
check "it may drop" acl_drop
check "it does" await 5 drops 172.24.100.50 23
asks vm1 172.24.100.111 $silent
asks vm2 172.24.100.112 $silent
asks pvm 172.24.100.50 $silent
asks pvm 2001:db8:100::50 $silent6
simultaneous vm1 172.24.100.111
simultaneous pvm 172.24.100.50
known vm1 172.24.100.111
older vm1 172.24.100.111
finish
