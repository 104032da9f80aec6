#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Whether random matches of ACLs mean to ovn-xdpd what they mean to OVN, whose
# ovn-trace reads and applies them as ovn-controller does; and whether OVN
# refuses what it is taken to refuse.
#
# time-limit: 300

set -u

tmp=${OVN_XDP_TMP:-$(mktemp -d)}
db=$OVN_XDP_SRCDIR/tests/db
python=${PYTHON3:-python3}

# cleanup: ends what acl-ovn.py has started.
cleanup() {
    local name

    for name in trace sb; do
        [ ! -s "$tmp/$name.pid" ] || kill "$(cat "$tmp/$name.pid")"
    done 2>/dev/null
}

if ! command -v ovn-trace >/dev/null; then
    echo "ovn-trace is not installed"
    exit 77
fi
trap cleanup EXIT
"$OVN_XDP_BUILDDIR/tests/plugin/test-acl-random" cases >"$tmp/cases" || exit 1
"$python" -IS "$db/acl-ovn.py" "$tmp/cases" "$db/fixtures/sb-2303.db" "$tmp"
