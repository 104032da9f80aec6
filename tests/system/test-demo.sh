#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The demo shows what it says that it shows, and leaves nothing behind.
set -u
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tests/system/report.sh
. "$here/report.sh"

# Runs the demo, and prints its process id first, by which its things are
# named.
run_demo() {
    bash -c 'echo $$; exec "$1"' - "$here/demo.sh" >"$OVN_XDP_TMP/demo" 2>&1
}

# Succeeds if there is nothing of the demo any more.
nothing_left() {
    local id left

    read -r id <"$OVN_XDP_TMP/demo"
    left=$(ip netns list | grep "^xo$id-"
        compgen -G "/sys/fs/bpf/ovn-xdp-test-xo$id*"
        compgen -G "/tmp/xo${id}.*"
        pgrep -f "/tmp/xo${id}[.]")
    [ -z "$left" ] || { echo "$left"; return 1; }
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
check "the demo runs, and all is as it says" run_demo ||
    remark <"$OVN_XDP_TMP/demo"
check "it needs no kernel route" grep -q 'no rule, no route' \
    "$OVN_XDP_TMP/demo"
check "it leaves nothing behind" nothing_left
finish
