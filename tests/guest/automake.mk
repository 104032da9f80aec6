# SPDX-License-Identifier: Apache-2.0
#
# The emulated machine with the OVS kernel datapath, and what is tested there.

root_tests += \
	tests/guest/test-kernel-datapath.sh

test_data += \
	tests/guest/direct.sh \
	tests/guest/init \
	tests/guest/kernel-datapath.sh \
	tests/guest/prepare \
	tests/guest/run-guest \
	tests/guest/stage2
