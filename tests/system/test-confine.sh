#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What the system tests confine the daemon with is what systemd does: the same
# attempts come to the same end with both, by the unit as it is installed.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/systemd.sh
. "$(dirname "$0")/systemd.sh"

# shellcheck disable=SC2154  # Of sandbox.sh.
tool=$daemon_build/tests/system/confine
probe=$daemon_build/tests/system/confine-probe

# Runs COMMAND with the group that the package makes.
with_group() {
    # shellcheck disable=SC2016  # For the inner shell.
    ns hv unshare -m bash -c 'mount --bind "$0" /etc/group && exec "$@"' \
        "$SANDBOX/group" "$@"
}

# Runs the probe with what systemd makes of the unit.
by_systemd() {
    cp "$probe" "$SANDBOX/sbin/probe" && service_set probe Type=oneshot \
        WatchdogSec=0 Restart=no ExecStart= \
        "ExecStart=/usr/sbin/probe /run/ovn" \
        StandardOutput=file:/run/ovn/by-systemd &&
        service start && test -s "$SANDBOX/by-systemd"
}

# Runs the probe with what confine makes of the unit.
by_hand() {
    with_group "$tool" "$OVN_XDPD_UNIT" "$SANDBOX" "$probe" "$SANDBOX" \
        >"$SANDBOX/by-hand" && test -s "$SANDBOX/by-hand"
}

# Succeeds if systemd lets the service write to nothing but what is its own.
writes_its_own() {
    local what

    for what in "write in /run" "write in /etc" "write in /sys" \
        "write in /proc" "write in /dev/shm" "write in /dev/mqueue" \
        "write in /dev/hugepages" core_pattern "make a control group"; do
        grep -x "$what: EROFS" "$SANDBOX/by-systemd" || return
    done
    for what in "write in the folder" "write in /sys/fs/bpf" disable_ipv6; do
        grep -x "$what: ok" "$SANDBOX/by-systemd" || return
    done
}

# Succeeds if confine refuses a unit with LINE in it, and names WORD.
refuses() {
    sed "s/^\[Install\]/$1\n&/" "$OVN_XDPD_UNIT" >"$SANDBOX/unit"
    "$tool" "$SANDBOX/unit" "$SANDBOX" "$(type -P true)" 2>&1 |
        tee /dev/fd/2 | grep -q "confine: $2"
}

# Succeeds if the daemon of the tests has what the probe had.
daemon_is_confined() {
    local fields='^(CapPrm|CapEff|CapBnd|NoNewPrivs|Seccomp|Umask):'

    diff <(grep -E "$fields" "$SANDBOX/by-hand") \
        <(grep -E "$fields" "/proc/$(daemon_pid)/status")
}

[ -x "$tool" ] || skip_all "needs libseccomp and libcap-ng"
sandbox_start
printf '%s\n' root:x:0: ovn-xdp:x:981: >"$SANDBOX/group"
systemd_start || die "systemd did not start"
check "systemd runs the probe" by_systemd
check "it can write to what is its own only" writes_its_own
check "confine runs the probe" by_hand
check "everything came to the same end" diff "$SANDBOX/by-systemd" \
    "$SANDBOX/by-hand"
with_group "$probe" "$SANDBOX" >"$SANDBOX/free"
refused=$(diff "$SANDBOX/free" "$SANDBOX/by-hand" | grep -c '^>')
check "most of it is otherwise not confined" between differences "$refused" \
    40 200
remark <"$SANDBOX/by-hand"
# Also where this test is run alone.
OVN_XDP_CONFINE=yes
check "the tests' daemon starts" daemon_start
check "it is confined so" daemon_is_confined
check "a property that confine does not know" refuses PrivateUsers=yes \
    "PrivateUsers is not known here"
check "a value that it does not know" refuses ProtectHome=tmpfs \
    "ProtectHome=tmpfs is not done here"
finish
