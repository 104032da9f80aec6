#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Measures with a real OVN: what a flood of SYNs to a closed port leaves of the
# TCP to an open one, with early drop, without it, and without ovn-xdp; and how
# soon a changed rule is followed, beside ovn-controller.
#
# usage: acl.sh [--quick]
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/../system/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/../system/acl-cloud.sh"

bench=$(cd "$(dirname "$0")" && pwd)
fip=172.24.100.111
rounds=5 seconds=2
[ "${1:-}" = --quick ] && rounds=1 seconds=0.5

# Notes the speed of TCP to the floating IP under the name given.
bulk() {
    local megabits

    megabits=$(ns ext timeout 60 "$PYTHON3" "$bench/bulk.py" send $fip 7100 \
        $seconds) || megabits=0
    echo "$1 $megabits" >>"$SANDBOX/bulk"
}

# The same during a flood.
bulk_in_flood() {
    local flood

    # Not by ns: the process must be the program itself, for its SIGTERM.
    nsenter --net="/run/netns/$SANDBOX_ID-ext" -- \
        "$PYTHON3" "$bench/acl.py" flood "$(mac_of hv nic0)" \
        "$(mac_of ext wan0)" $fip 9 >>"$SANDBOX/rates" &
    flood=$!
    await 5 flooded "$(frames ext wan0 tx)" || die "there is no flood"
    bulk "$1"
    kill "$flood"
    wait "$flood" 2>/dev/null
}

# Succeeds if 1,000 frames have gone out since there were COUNT.
flooded() {
    [ $(($(frames ext wan0 tx) - $1)) -gt 1000 ]
}

# Has the daemon serve the NIC, and deal with the ACLs by MODE.
xdp_with() {
    config acl "$1"
    config interfaces nic0
    await 5 setting_is acl "$1" || die "ovn-xdp-acl=$1 does not come"
    await_attached nic0 || die "nic0 is not attached"
    await_offloaded $fip || die "$fip is not served"
    [ "$1" != drop ] || await 10 dropping || die "nothing is dropped"
}

# Succeeds if the closed port's packets are dropped.
dropping() {
    daemon_appctl acl/settle && drops $fip 9
}

sandbox_start
cloud_add || die "the sandbox's cloud failed"
group_web vm1 || die "the groups failed"
acl web 1002 'ip4 && tcp && tcp.dst == 7100' allow-related
acl web 1002 'icmp4' allow-related
ovn_sync
daemon_start || die "ovn-xdpd does not start"
export PYTHONDONTWRITEBYTECODE=yes
mkfifo "$SANDBOX/sink"
ns vm1 "$PYTHON3" "$bench/bulk.py" sink 7100 >"$SANDBOX/sink" &
read -r _ <"$SANDBOX/sink"
for ((i = 0; i < rounds; i++)); do
    kernel_route $fip fa:16:3e:00:01:11
    warm $fip || die "the kernel's way is closed"
    bulk "without ovn-xdp, no flood"
    bulk_in_flood "without ovn-xdp"
    kernel_unroute $fip
    for mode in off drop; do
        xdp_with $mode
        warm $fip || die "the way is closed"
        bulk "ovn-xdp-acl=$mode, no flood"
        bulk_in_flood "ovn-xdp-acl=$mode"
    done
    config interfaces
    await 10 no_program nic0 || die "the NIC is not let go"
done
"$PYTHON3" "$bench/acl.py" figures "$SANDBOX/bulk" "$SANDBOX/rates"
xdp_with drop
export SANDBOX
"$PYTHON3" "$bench/acl.py" changes "$SANDBOX_ID-hv" "$bpf_run" \
    "$(mac_of hv nic0)" "$(mac_of ext wan0)" $fip "$@"
