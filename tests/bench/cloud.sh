#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Measures with a real OVN: how fast bulk TCP is, by way of the kernel's rule
# and route and by way of ovn-xdp; and how soon a floating IP is served, beside
# ovn-controller.
#
# usage: cloud.sh [--quick]
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/../system/sandbox.sh"

bench=$(cd "$(dirname "$0")" && pwd)
fip=172.24.100.111
rounds=5 seconds=2
[ "${1:-}" = --quick ] && rounds=1 seconds=0.5

# Notes the speed of TCP to the floating IP under the name given.
bulk() {
    local megabits

    warm $fip || die "the way of $1 is closed"
    megabits=$(ns ext timeout 30 "$PYTHON3" "$bench/bulk.py" send $fip 7100 \
        $seconds) || die "TCP by way of $1 fails"
    echo "$1 $megabits" >>"$SANDBOX/bulk"
}

# Has the daemon serve the NIC in MODE.
xdp_in() {
    config mode "$1"
    config interfaces nic0
    await 10 interface_is nic0 mode "$1" || die "nic0 does not run in $1 mode"
    await_offloaded $fip || die "$fip is not served in $1 mode"
}

sandbox_start
cloud_add || die "the sandbox's cloud failed"
daemon_start || die "ovn-xdpd does not start"
export PYTHONDONTWRITEBYTECODE=yes
mkfifo "$SANDBOX/sink"
ns vm1 "$PYTHON3" "$bench/bulk.py" sink 7100 >"$SANDBOX/sink" &
read -r _ <"$SANDBOX/sink"
for ((i = 0; i < rounds; i++)); do
    kernel_route $fip fa:16:3e:00:01:11
    bulk "rule, route, neighbour"
    kernel_unroute $fip
    for mode in native generic; do
        xdp_in $mode
        bulk $mode
    done
    config interfaces
    await 10 no_program nic0 || die "the NIC is not let go"
done
"$PYTHON3" "$bench/bulk.py" figures "$SANDBOX/bulk"
xdp_in native
export SANDBOX SANDBOX_PINS
OVN_XDP_BUILDDIR=$daemon_build "$PYTHON3" "$bench/northbound.py" "$@"
