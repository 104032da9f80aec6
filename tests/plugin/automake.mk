# SPDX-License-Identifier: Apache-2.0
#
# Tests of plugin/.

# Against the kernel, in network namespaces of their own.
root_units += \
	tests/plugin/test-bridge-port \
	tests/plugin/test-netdevs \
	tests/plugin/test-port-guard

tests_libtest_a_SOURCES += \
	tests/plugin/netns.c \
	tests/plugin/netns.h
