# SPDX-License-Identifier: Apache-2.0
#
# System tests on a real OVN in network namespaces; they need root.

root_tests += \
	tests/system/test-bad-days.sh \
	tests/system/test-changes.sh \
	tests/system/test-demo.sh \
	tests/system/test-endpoints.sh \
	tests/system/test-foreign.sh \
	tests/system/test-kill.sh \
	tests/system/test-modes.sh \
	tests/system/test-packets.sh \
	tests/system/test-restarts.sh \
	tests/system/test-rpc.sh \
	tests/system/test-sandbox.sh \
	tests/system/test-two-nics.sh

test_data += \
	tests/system/daemon.sh \
	tests/system/demo.sh \
	tests/system/reap.sh \
	tests/system/report.sh \
	tests/system/sandbox.sh \
	tests/system/topology.sh \
	tests/system/traffic.py \
	tests/system/traffic.sh
