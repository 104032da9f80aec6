#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Clients that do not behave: while they do their worst, packets flow, a
# client that behaves is answered, and nothing is left of them.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
group=54321

# Runs a case of abuse.py.
abuse() {
    "$PYTHON3" "$sandbox_lib/abuse.py" "$SANDBOX/ovn-xdpd.rpc" "$1" \
        "$(daemon_pid)"
}

# Has ovn-xdpd run where the group ovn-xdp exists, whatever the machine has.
with_group() {
    printf 'root:x:0:\novn-xdp:x:%s:\n' $group >"$SANDBOX/group"
    # shellcheck disable=SC2016  # For the inner shell.
    DAEMON_PREFIX=(unshare -m bash -c 'mount --bind "$0" /etc/group &&
        exec "$@"' "$SANDBOX/group")
}

# Asks for the health as user nobody with OPTION of setpriv.
as_nobody() {
    setpriv --reuid=65534 --regid=65534 "$1" \
        "$SANDBOX/ctl" -s "$SANDBOX/ovn-xdpd.rpc" health
}

# Succeeds if the daemon has no more than COUNT descriptors.
descriptors() {
    between descriptors "$(find "/proc/$(daemon_pid)/fd" -type l | wc -l)" \
        1 "$1"
}

sandbox_start
cloud_add || die "the cloud failed"
with_group
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
warm $fip

check "the socket is for root and the group" equal "mode and group" \
    "$(stat -c '%a %u %g' "$SANDBOX/ovn-xdpd.rpc")" "660 0 $group"
cp "$OVN_XDPCTL" "$SANDBOX/ctl"
chmod 711 "$SANDBOX"
check "a member of the group may ask" as_nobody --groups=$group
check_not "nobody else may" as_nobody --clear-groups

ctl health >/dev/null
before=$(find "/proc/$(daemon_pid)/fd" -type l | wc -l)
resident=$(awk '/VmRSS/ { print $2 }' "/proc/$(daemon_pid)/status")
ping_start $fip 20 || die "no packets flow"
check "not one byte" abuse empty
check "300 KiB" abuse large
check "1000 levels" abuse deep
check "no JSON" abuse garbage
check "half a request" abuse half
check "batches" abuse batch
check "a client that reads slowly" abuse slow
check "a client that reads nothing" abuse mute
check "64 clients, and one more" abuse crowd
check "no descriptors" abuse descriptors
ping_stop || die "no packets flow any more"
check "no packet was lost" equal "packets lost of $ping_sent" "$ping_lost" 0
check "through XDP" pings_through_xdp $fip

# Some of the daemon's own are opened when they are first needed.
check "no descriptor is left" await 10 descriptors $((before + 3))
grew=$(($(awk '/VmRSS/ { print $2 }' "/proc/$(daemon_pid)/status") - resident))
check "nor much memory" between "KiB more" $grew -100000 20000
check "the daemon is in good health" ctl health
check "its log says who did not read" grep -q "replies unread" \
    "$SANDBOX/ovn-xdpd.log"
check "and why clients waited" grep -q "cannot accept" "$SANDBOX/ovn-xdpd.log"
check_not "and nothing worse" grep -E '\|(ERR|EMER)\|' \
    "$SANDBOX/ovn-xdpd.log"
finish
