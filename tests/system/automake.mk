# SPDX-License-Identifier: Apache-2.0
#
# System tests on a real OVN in network namespaces; they need root.

root_tests += \
	tests/system/test-addresses.sh \
	tests/system/test-bad-days.sh \
	tests/system/test-bad-input.sh \
	tests/system/test-changes.sh \
	tests/system/test-confine.sh \
	tests/system/test-databases.sh \
	tests/system/test-demo.sh \
	tests/system/test-endpoints.sh \
	tests/system/test-explain.sh \
	tests/system/test-failover.sh \
	tests/system/test-foreign.sh \
	tests/system/test-guide.sh \
	tests/system/test-jumbo.sh \
	tests/system/test-keys.sh \
	tests/system/test-kill-flood.sh \
	tests/system/test-kill.sh \
	tests/system/test-machine.sh \
	tests/system/test-map-full.sh \
	tests/system/test-migration.sh \
	tests/system/test-modes.sh \
	tests/system/test-names.sh \
	tests/system/test-nic.sh \
	tests/system/test-northbound.sh \
	tests/system/test-ovn-daemons.sh \
	tests/system/test-packets.sh \
	tests/system/test-raft.sh \
	tests/system/test-restarts.sh \
	tests/system/test-rpc-limits.sh \
	tests/system/test-rpc.sh \
	tests/system/test-sandbox.sh \
	tests/system/test-sb-cut.sh \
	tests/system/test-service.sh \
	tests/system/test-ssl.sh \
	tests/system/test-stale.sh \
	tests/system/test-target.sh \
	tests/system/test-two-nics.sh \
	tests/system/test-values.sh

# What the scripts send with.
check_PROGRAMS += tests/system/flood
tests_system_flood_LDADD =

# Runs the daemon with what its unit allows.
if CONFINE
check_PROGRAMS += tests/system/confine tests/system/confine-probe
endif
tests_system_confine_probe_LDADD =
tests_system_confine_SOURCES = \
	tests/system/confine-calls.c \
	tests/system/confine-mounts.c \
	tests/system/confine.c \
	tests/system/confine.h
tests_system_confine_CFLAGS = $(AM_CFLAGS) $(CONFINE_CFLAGS)
tests_system_confine_LDADD = $(OVS_LDADD) $(CONFINE_LIBS)

test_data += \
	tests/system/abuse.py \
	tests/system/chassis.sh \
	tests/system/daemon.sh \
	tests/system/demo.sh \
	tests/system/guide-programs.sh \
	tests/system/guide.py \
	tests/system/reap.sh \
	tests/system/refuse.py \
	tests/system/report.sh \
	tests/system/sandbox.sh \
	tests/system/shift.c \
	tests/system/systemd-boot \
	tests/system/systemd.sh \
	tests/system/topology.sh \
	tests/system/traffic.py \
	tests/system/traffic.sh
