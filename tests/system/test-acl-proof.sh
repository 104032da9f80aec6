#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Random security groups and random packets: what ovn-xdp drops, OVN drops.
# OVN_XDP_PROOF=SEED:ROUNDS:PACKETS asks for other ones, or more.
# time-limit: 300
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"

n_ports=10
result=

# Prints what the proof has counted as NAME.
number() {
    awk -v name="$1" '$1 == name { print $2 }' "$result"
}

# Succeeds if the proof has counted COUNT as NAME.
number_is() {
    equal "$1" "$(number "$1")" "$2" && return 0
    grep -v '^[a-z-]* [0-9]*$' "$result"
    return 1
}

sandbox_start
result=$SANDBOX/proof
cloud_of_ports || die "the cloud failed"
ports_add $n_ports >"$SANDBOX/subjects" || die "the ports failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
while read -r _ address _; do
    check "$address is offloaded" await_offloaded "$address"
done <"$SANDBOX/subjects"
check "it may drop" acl_drop || finish

# ovn-controller has nothing to do with it, and would take the processor.
kill -STOP "$(cat "$SANDBOX/ovn-controller.pid")"
export SANDBOX OVN_XDPCTL
"$PYTHON3" "$(dirname "$0")/acl-proof.py" "$SANDBOX_ID-hv" "$bpf_run" \
    "$(mac_of hv nic0)" "$(mac_of ext wan0)" $BRIDGE_MAC \
    <"$SANDBOX/subjects" >"$result" 2>&1 || remark <"$result"
kill -CONT "$(cat "$SANDBOX/ovn-controller.pid")"
remark < <(grep '^[a-z-]* [0-9]*$' "$result")

check "ovn-xdp is in step in each round" number_is late 0
check "nothing was dropped that OVN might deliver" number_is wrong 0
check "no SYN was passed that OVN drops by a security group" number_is missed 0
check "each drop was counted" number_is uncounted 0
if [ -z "${OVN_XDP_PROOF:-}" ]; then
    check "there were 200 policies" number_is policies 200
    check "and 10,000 packets" number_is packets 10000
    check "many were dropped" between dropped "$(number dropped)" 2000 8000
fi
finish
