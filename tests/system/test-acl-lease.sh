#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Nothing is dropped any more, within seconds, once the daemon cannot know
# whether OVN still would: it is killed, it hangs, the Southbound is away.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"

fip=172.24.100.111
pvm=172.24.100.50

# The lease is 3 seconds; the rest is for a busy machine.
lease=5

# Checks that a closed port is dropped now, and no more within SECONDS.
#
# usage: ends WHAT SECONDS
ends() {
    check "$1: in the end nothing is dropped" await "$2" passes $fip 23
    check "$1: at no address" passes $pvm 23
}

# Checks that both closed ports are dropped.
goes_on() {
    check "$1: it drops" await 10 drops $fip 23
    check "$1: also here" drops $pvm 23
    check "$1: the open port is open" passes $fip 22
}

# The daemon is killed.
killed() {
    check "it is killed" daemon_kill
    check "killed: at first it goes on" drops $fip 23
    ends killed $lease
    check "a new one starts" daemon_start
    check "killed: the new one has counted it" between acl-lease \
        "$(counted nic0 acl-lease)" 1 1000
    check "killed: what it found it does not take for true" passes $fip 23
    check "settled" await 5 daemon_appctl acl/settle
    goes_on "after that"
}

# The daemon hangs.
stopped() {
    local pid

    pid=$(daemon_pid)
    kill -STOP "$pid"
    ends hanging $lease
    acl web 1002 'tcp && tcp.dst == 23' allow-related
    check "hanging: a new rule is not in the way" passes $fip 23
    kill -CONT "$pid"
    check "hanging: it follows at once" await 5 drops $fip 24
    check "hanging: with the new rule" passes $fip 23
    acl_del web 1002 'tcp && tcp.dst == 23'
    goes_on "after that"
}

# The Southbound's server is away.
server_away() {
    check "the Southbound's server ends" daemon_end sb-db TERM
    ends "no Southbound" $lease
    check "no Southbound: acl-lease is counted" passes_as acl-lease $fip 23
    check "no Southbound: L1 goes on" pings_through_xdp $pvm
    check "explain says so" tells lease explain $fip
    check "it is back" server_start sb
    goes_on "with a Southbound"
}

# The Southbound's server is there, and silent: the probe finds out.
server_silent() {
    local pid

    vs set Open_vSwitch . external_ids:ovn-remote=tcp:127.0.0.1:6642 \
        external_ids:ovn-remote-probe-interval=1000
    goes_on "by TCP"
    pid=$(cat "$SANDBOX/sb-db.pid")
    kill -STOP "$pid"
    ends "silent Southbound" $((lease + 4))
    kill -CONT "$pid"
    goes_on "when it talks again"
}

sandbox_start
cloud_add || die "the cloud failed"
group_web vm1 vm2 pvm || die "the groups failed"
acl web 1002 'icmp4' allow-related
ovn_sync
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
for address in $fip $pvm; do
    check "$address is offloaded" await_offloaded "$address"
done
config acl drop
check "the mode is known" await 5 setting_is acl drop
check "just started it does not drop: connections may be open" \
    await 10 acl_reason_is $fip acl-new
check "so the closed port passes" passes $fip 23
check "settled" daemon_appctl acl/settle
goes_on "at first"
killed
stopped
server_away
server_silent
finish
