# SPDX-License-Identifier: Apache-2.0
#
# Tests of plugin/.

unit_tests += \
	tests/plugin/test-acl \
	tests/plugin/test-acl-apply \
	tests/plugin/test-acl-behind \
	tests/plugin/test-acl-compile \
	tests/plugin/test-acl-entry \
	tests/plugin/test-acl-events \
	tests/plugin/test-acl-flow \
	tests/plugin/test-acl-incremental \
	tests/plugin/test-acl-judge \
	tests/plugin/test-acl-match \
	tests/plugin/test-acl-nat \
	tests/plugin/test-acl-random \
	tests/plugin/test-acl-rule \
	tests/plugin/test-acl-text \
	tests/plugin/test-addresses \
	tests/plugin/test-commands \
	tests/plugin/test-confirm \
	tests/plugin/test-confirm-plan \
	tests/plugin/test-conntrack \
	tests/plugin/test-datapath-bpf-load \
	tests/plugin/test-datapath-bpf-slots \
	tests/plugin/test-datapath-fake \
	tests/plugin/test-desired \
	tests/plugin/test-desired-devices \
	tests/plugin/test-desired-facts \
	tests/plugin/test-desired-incremental \
	tests/plugin/test-desired-nb \
	tests/plugin/test-diff \
	tests/plugin/test-direct-judge \
	tests/plugin/test-early-drop \
	tests/plugin/test-host-flows \
	tests/plugin/test-judge \
	tests/plugin/test-lease \
	tests/plugin/test-newcomers \
	tests/plugin/test-notifier \
	tests/plugin/test-paths \
	tests/plugin/test-probe-frame \
	tests/plugin/test-problem-set \
	tests/plugin/test-problems \
	tests/plugin/test-reason \
	tests/plugin/test-reconcile \
	tests/plugin/test-reconcile-acl \
	tests/plugin/test-regressions \
	tests/plugin/test-settings \
	tests/plugin/test-tls \
	tests/plugin/test-view \
	tests/plugin/test-view-acl \
	tests/plugin/test-view-direct \
	tests/plugin/test-view-explain \
	tests/plugin/test-vswitchd \
	tests/plugin/test-watch

# Against the kernel, in network namespaces of their own.
root_units += \
	tests/plugin/test-bridge-port \
	tests/plugin/test-datapath-bpf \
	tests/plugin/test-datapath-bpf-acl \
	tests/plugin/test-datapath-bpf-attach \
	tests/plugin/test-datapath-bpf-confirm \
	tests/plugin/test-datapath-bpf-crash \
	tests/plugin/test-datapath-bpf-direct \
	tests/plugin/test-datapath-bpf-flows \
	tests/plugin/test-datapath-bpf-opened \
	tests/plugin/test-datapath-bpf-probe \
	tests/plugin/test-datapath-bpf-tracked \
	tests/plugin/test-datapath-bpf-watch \
	tests/plugin/test-host \
	tests/plugin/test-netdevs \
	tests/plugin/test-netdevs-xdp \
	tests/plugin/test-nexthops \
	tests/plugin/test-port-guard \
	tests/plugin/test-vswitchd-real

tests_libtest_a_SOURCES += \
	tests/plugin/acl-bed.c \
	tests/plugin/acl-bed.h \
	tests/plugin/acl-random.c \
	tests/plugin/acl-random.h \
	tests/plugin/acl-words.c \
	tests/plugin/acl-words.h \
	tests/plugin/apply-bed.c \
	tests/plugin/apply-bed.h \
	tests/plugin/dp-bpf-bed.c \
	tests/plugin/dp-bpf-bed.h \
	tests/plugin/dp-bpf-direct.c \
	tests/plugin/dp-bpf-direct.h \
	tests/plugin/dp-bpf-watch.c \
	tests/plugin/dp-bpf-watch.h \
	tests/plugin/dp-contract-direct.c \
	tests/plugin/dp-contract.c \
	tests/plugin/dp-contract.h \
	tests/plugin/netdevs-bed.c \
	tests/plugin/netdevs-bed.h \
	tests/plugin/netns.c \
	tests/plugin/netns.h \
	tests/plugin/values.c \
	tests/plugin/values.h \
	tests/plugin/view-bed.c \
	tests/plugin/view-bed.h
