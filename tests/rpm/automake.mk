# SPDX-License-Identifier: Apache-2.0
#
# The packages: built, looked at, and installed on a host of their own.

root_tests += tests/rpm/test-rpm.sh

test_data += tests/rpm/host.sh
