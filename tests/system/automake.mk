# SPDX-License-Identifier: Apache-2.0
#
# System tests on a real OVN in network namespaces; they need root.

root_tests += \
	tests/system/test-acl-answer.sh \
	tests/system/test-acl-churn.sh \
	tests/system/test-acl-delivery.sh \
	tests/system/test-acl-lease.sh \
	tests/system/test-acl-nat.sh \
	tests/system/test-acl-proof.sh \
	tests/system/test-acl.sh \
	tests/system/test-addresses.sh \
	tests/system/test-bad-days.sh \
	tests/system/test-bad-input.sh \
	tests/system/test-changes.sh \
	tests/system/test-confine.sh \
	tests/system/test-databases.sh \
	tests/system/test-demo.sh \
	tests/system/test-direct-bond.sh \
	tests/system/test-direct-daemons.sh \
	tests/system/test-direct-hostile.sh \
	tests/system/test-direct-many.sh \
	tests/system/test-direct-revoke.sh \
	tests/system/test-direct-switched.sh \
	tests/system/test-direct-unsolicited.sh \
	tests/system/test-direct.sh \
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
	tests/system/test-switched.sh \
	tests/system/test-target.sh \
	tests/system/test-two-nics.sh \
	tests/system/test-upgrade.sh \
	tests/system/test-values.sh

# They run once more with layer L3 on, but for those that switch it on and off
# themselves; those that are about the sandbox, the demo, and what the
# unit allows, which it allows to the others, too; and that which goes from a
# daemon without layer L3 to this one and back.
without_direct = \
	tests/system/test-direct-bond.sh \
	tests/system/test-direct-daemons.sh \
	tests/system/test-direct-hostile.sh \
	tests/system/test-direct-many.sh \
	tests/system/test-direct-revoke.sh \
	tests/system/test-direct-switched.sh \
	tests/system/test-direct-unsolicited.sh \
	tests/system/test-direct.sh \
	tests/system/test-guide.sh \
	\
	tests/system/test-confine.sh \
	tests/system/test-demo.sh \
	tests/system/test-sandbox.sh \
	tests/system/test-service.sh \
	\
	tests/system/test-upgrade.sh

# These do so only if that is asked for: in most of them layer L3 has no part but
# to be there, and all of them take more time than the check has.
beside_direct = \
	tests/system/test-acl-churn.sh \
	tests/system/test-acl-lease.sh \
	tests/system/test-acl-proof.sh \
	tests/system/test-addresses.sh \
	tests/system/test-bad-input.sh \
	tests/system/test-databases.sh \
	tests/system/test-explain.sh \
	tests/system/test-failover.sh \
	tests/system/test-foreign.sh \
	tests/system/test-jumbo.sh \
	tests/system/test-keys.sh \
	tests/system/test-kill-flood.sh \
	tests/system/test-machine.sh \
	tests/system/test-map-full.sh \
	tests/system/test-modes.sh \
	tests/system/test-names.sh \
	tests/system/test-nic.sh \
	tests/system/test-northbound.sh \
	tests/system/test-ovn-daemons.sh \
	tests/system/test-raft.sh \
	tests/system/test-restarts.sh \
	tests/system/test-rpc-limits.sh \
	tests/system/test-sb-cut.sh \
	tests/system/test-ssl.sh \
	tests/system/test-stale.sh \
	tests/system/test-target.sh \
	tests/system/test-values.sh

# What the scripts send with.
check_PROGRAMS += tests/system/flood
tests_system_flood_LDADD =

# What the scripts, also those that measure, ask the program of a NIC with.
bench_helpers += tests/system/bpf-run
tests_system_bpf_run_LDADD = $(BPF_LDADD)

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

# The daemon with another layout of maps, for test-upgrade.sh: the same sources
# with an abi.h in which the version and struct ox_endpoint are others, so that
# no offset after the first member is the same.
other_abi = tests/system/other-abi
other_abi_programs = $(bpf_programs:%=$(other_abi)/%)
other_abi_skeletons = $(other_abi_programs:.bpf.c=.skel.h)
$(other_abi)/stamp: $(bpf_programs) $(bpf_headers)
	$(AM_V_GEN)rm -rf $(other_abi)/bpf && $(MKDIR_P) $(other_abi)/bpf && \
	for file in $(bpf_programs) $(bpf_headers); do \
	  sed -e 's/^\(#define OX_ABI\) .*/\1 0x7e57/' \
	    -e '/^struct ox_endpoint {/,/^};/s/^.__u8 dmac/__u32 other_abi[8];&/' \
	    -e '/^_Static_assert(sizeof(struct ox_endpoint)/d' \
	    $(srcdir)/$$file >$(other_abi)/$$file || exit 1; \
	done && \
	grep -q 0x7e57 $(other_abi)/bpf/abi.h && \
	grep -q 'other_abi\[8\]' $(other_abi)/bpf/abi.h && touch $@
$(other_abi_programs): $(other_abi)/stamp
	@:
EXTRA_PROGRAMS += tests/system/other-abi/ovn-xdpd
check_needs += tests/system/other-abi/ovn-xdpd
tests_system_other_abi_ovn_xdpd_SOURCES = \
	$(plugin_ovn_xdpd_SOURCES) $(datapath_bpf_sources)
# Its headers come first, the object files of its own before the library.
tests_system_other_abi_ovn_xdpd_CFLAGS = -iquote $(other_abi) $(AM_CFLAGS)
tests_system_other_abi_ovn_xdpd_LDADD = $(plugin_ovn_xdpd_LDADD)
$(tests_system_other_abi_ovn_xdpd_OBJECTS): | $(other_abi_skeletons)

test_data += \
	tests/system/abuse.py \
	tests/system/acl-churn.py \
	tests/system/acl-cloud.sh \
	tests/system/acl-delivery.py \
	tests/system/acl-frame.py \
	tests/system/acl-proof.py \
	tests/system/acl_packets.py \
	tests/system/acl_policies.py \
	tests/system/acl_world.py \
	tests/system/chassis.sh \
	tests/system/daemon.sh \
	tests/system/demo.sh \
	tests/system/direct.sh \
	tests/system/direct_hostile.py \
	tests/system/direct_many.py \
	tests/system/direct_net.py \
	tests/system/direct_traffic.py \
	tests/system/direct_unsolicited.py \
	tests/system/guide-programs.sh \
	tests/system/guide.py \
	tests/system/previous-build \
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
