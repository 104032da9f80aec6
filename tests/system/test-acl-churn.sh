#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Rules, address sets and groups change all the time, and the daemon is killed
# meanwhile: what OVN lets in at each moment is never dropped.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"

fip=172.24.100.101
result=

# Prints what was counted as NAME.
number() {
    awk -v name="$1" '$1 == name { print $2 }' "$result"
}

# Succeeds if a port is closed again, the daemon being a new one.
settled() {
    daemon_appctl acl/settle && drops "$fip" 23
}

sandbox_start
result=$SANDBOX/churn
cloud_of_ports || die "the cloud failed"
ports_add 2 >"$SANDBOX/subjects" || die "the ports failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
check "it may drop" acl_drop

# ovn-controller has nothing to do with it, and would take the processor.
kill -STOP "$(cat "$SANDBOX/ovn-controller.pid")"
export SANDBOX
"$PYTHON3" "$(dirname "$0")/acl-churn.py" "$SANDBOX_ID-hv" "$bpf_run" \
    "$(mac_of hv nic0)" "$(mac_of ext wan0)" p1 $fip 20 >"$result" 2>&1 &
churn=$!
for i in 1 2 3; do
    check "it drops, $i" await 10 drops "$fip" 23
    check "the daemon is killed" daemon_kill
    check "the next one starts" daemon_start
    check "and may drop" await 10 settled
done
wait $churn
kill -CONT "$(cat "$SANDBOX/ovn-controller.pid")"
remark <"$result"

check "what is always let in was never dropped" \
    equal wrong "$(number wrong)" 0
check "many were asked for" between asked "$(number asked)" 1000 100000000
check "much has changed" between changes "$(number changes)" 50 1000000
check "what is never let in was dropped, most of the time" between dropped \
    "$(number dropped)" $(($(number denied) / 4)) "$(number denied)"
finish
