#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Real packets by random security groups: all that OVN delivers it also
# delivers where ovn-xdp drops early.  OVN_XDP_PROOF=SEED asks for other ones.
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/acl-cloud.sh
. "$(dirname "$0")/acl-cloud.sh"

result=

# Prints what was counted as NAME.
number() {
    awk -v name="$1" '$1 == name { print $2 }' "$result"
}

# Succeeds if COUNT was counted as NAME.
number_is() {
    equal "$1" "$(number "$1")" "$2" && return 0
    grep -v '^[a-z]* [0-9]*$' "$result"
    return 1
}

sandbox_start
result=$SANDBOX/delivery
cloud_of_ports || die "the cloud failed"
ports_add 6 >"$SANDBOX/subjects" || die "the ports failed"
while read -r port _; do
    ip -n "$SANDBOX_ID-hv" link set "tap-$port" up
done <"$SANDBOX/subjects"
way_out public
check "ovn-xdpd starts" daemon_start || finish
config acl off
config interfaces nic0
while read -r _ address _; do
    check "$address is offloaded" await_offloaded "$address"
done <"$SANDBOX/subjects"

export SANDBOX OVN_XDPCTL
"$PYTHON3" "$(dirname "$0")/acl-delivery.py" "$SANDBOX_ID" "$bpf_run" \
    "$(mac_of hv nic0)" "$(mac_of ext wan0)" $BRIDGE_MAC \
    <"$SANDBOX/subjects" >"$result" 2>&1 || remark <"$result"
remark < <(grep '^[a-z]* [0-9]*$' "$result")

check "ovn-xdp is in step in each round" number_is late 0
check "there were 600 packets" number_is packets 600
check "OVN delivered many" between delivered "$(number delivered)" 100 500
check "ovn-trace knows which" number_is misjudged 0
check "none of them was lost when ovn-xdp dropped" number_is lost 0
check "and no other was delivered" number_is more 0
check "many were dropped" between dropped "$(number dropped)" 100 1800
check "each drop was counted" number_is counted "$(number dropped)"
finish
