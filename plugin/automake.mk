# SPDX-License-Identifier: Apache-2.0
#
# The daemon.  Everything but main.c is in a library, so that tests link it.

plugin_libplugin_a_SOURCES = \
	plugin/acl-actions.c \
	plugin/acl-actions.h \
	plugin/acl-apply-private.h \
	plugin/acl-apply-sources.c \
	plugin/acl-apply.c \
	plugin/acl-apply.h \
	plugin/acl-compile.c \
	plugin/acl-compile.h \
	plugin/acl-cubes.c \
	plugin/acl-cubes.h \
	plugin/acl-entries.c \
	plugin/acl-entry.c \
	plugin/acl-entry.h \
	plugin/acl-events.c \
	plugin/acl-expr.c \
	plugin/acl-expr.h \
	plugin/acl-flow.c \
	plugin/acl-flow.h \
	plugin/acl-flows.c \
	plugin/acl-groups.c \
	plugin/acl-judge.c \
	plugin/acl-lex.c \
	plugin/acl-lex.h \
	plugin/acl-match.c \
	plugin/acl-match.h \
	plugin/acl-nat.c \
	plugin/acl-ports.c \
	plugin/acl-prefix.c \
	plugin/acl-prefix.h \
	plugin/acl-private.h \
	plugin/acl-route.c \
	plugin/acl-route.h \
	plugin/acl-snat.c \
	plugin/acl-snat.h \
	plugin/acl-rule.c \
	plugin/acl-rule.h \
	plugin/acl-services.c \
	plugin/acl-services.h \
	plugin/acl-sets.c \
	plugin/acl-sources.c \
	plugin/acl-sources.h \
	plugin/acl-term.c \
	plugin/acl-text.c \
	plugin/acl-text.h \
	plugin/acl.c \
	plugin/acl.h \
	plugin/addresses.c \
	plugin/addresses.h \
	plugin/commands.c \
	plugin/commands.h \
	plugin/confirm-plan.c \
	plugin/confirm-plan.h \
	plugin/confirm.c \
	plugin/confirm.h \
	plugin/conntrack.c \
	plugin/conntrack.h \
	plugin/desired-claims.c \
	plugin/desired-devices.c \
	plugin/desired-endpoints.c \
	plugin/desired-private.h \
	plugin/desired-sources.c \
	plugin/desired.c \
	plugin/desired.h \
	plugin/diff.c \
	plugin/diff.h \
	plugin/direct-changes.c \
	plugin/direct-devices.c \
	plugin/direct-devices.h \
	plugin/direct-follow.c \
	plugin/direct-index.c \
	plugin/direct-index.h \
	plugin/direct-judge.c \
	plugin/direct-judge.h \
	plugin/direct-private.h \
	plugin/direct.c \
	plugin/direct.h \
	plugin/early-drop.c \
	plugin/early-drop.h \
	plugin/engine-cleanup.c \
	plugin/engine-private.h \
	plugin/engine.c \
	plugin/engine.h \
	plugin/feature.c \
	plugin/feature.def \
	plugin/feature.h \
	plugin/lease.c \
	plugin/lease.h \
	plugin/limits.h \
	plugin/newcomers.c \
	plugin/newcomers.h \
	plugin/nexthops-message.c \
	plugin/nexthops-message.h \
	plugin/nexthops.c \
	plugin/nexthops.h \
	plugin/northbound.c \
	plugin/northbound.h \
	plugin/notifier.c \
	plugin/notifier.h \
	plugin/paths.c \
	plugin/paths.h \
	plugin/ports.c \
	plugin/ports.h \
	plugin/probe-frame.c \
	plugin/probe-frame.h \
	plugin/problem-set.c \
	plugin/problem-set.h \
	plugin/problems.c \
	plugin/problems.h \
	plugin/reason.c \
	plugin/reason.h \
	plugin/reconcile.c \
	plugin/reconcile.h \
	plugin/settings.c \
	plugin/settings.h \
	plugin/tls.c \
	plugin/tls.h \
	plugin/view-acl.c \
	plugin/view-acl.h \
	plugin/view-direct.c \
	plugin/view-direct.h \
	plugin/view-features.c \
	plugin/view-lists.c \
	plugin/view-lists.h \
	plugin/view-private.h \
	plugin/view.c \
	plugin/view.h \
	plugin/vswitchd.c \
	plugin/vswitchd.h \
	plugin/watch.c \
	plugin/watch.h
noinst_LIBRARIES += plugin/libplugin.a
# All that knows the layout of maps.
datapath_bpf_sources = \
	plugin/datapath-bpf-acl-sets.c \
	plugin/datapath-bpf-acl.c \
	plugin/datapath-bpf-adopt.c \
	plugin/datapath-bpf-attach.c \
	plugin/datapath-bpf-confirm.c \
	plugin/datapath-bpf-direct-devices.c \
	plugin/datapath-bpf-direct-flows.c \
	plugin/datapath-bpf-direct-ports.c \
	plugin/datapath-bpf-direct.c \
	plugin/datapath-bpf-events.c \
	plugin/datapath-bpf-gen.c \
	plugin/datapath-bpf-inject.c \
	plugin/datapath-bpf-links.c \
	plugin/datapath-bpf-load.c \
	plugin/datapath-bpf-maps.c \
	plugin/datapath-bpf-opened.c \
	plugin/datapath-bpf-pins.c \
	plugin/datapath-bpf-probe.c \
	plugin/datapath-bpf-slots.c \
	plugin/datapath-bpf-tc.c \
	plugin/datapath-bpf-tracked.c \
	plugin/datapath-bpf-watch.c \
	plugin/datapath-bpf.c
plugin_libplugin_a_SOURCES += \
	$(datapath_bpf_sources) \
	plugin/datapath-bpf.h \
	plugin/datapath-fake-acl.c \
	plugin/datapath-fake-acl.h \
	plugin/datapath-fake-direct.c \
	plugin/datapath-fake-direct.h \
	plugin/datapath-fake-private.h \
	plugin/datapath-fake-set.c \
	plugin/datapath-fake-set.h \
	plugin/datapath-fake-watch.c \
	plugin/datapath-fake-watch.h \
	plugin/datapath-fake.c \
	plugin/datapath-fake.h \
	plugin/datapath.c \
	plugin/datapath.h
plugin_libplugin_a_SOURCES += \
	plugin/bridge-flows.c \
	plugin/bridge-flows.h \
	plugin/checks.c \
	plugin/checks.h \
	plugin/host-firewall.c \
	plugin/host-firewall.h \
	plugin/host-flows.c \
	plugin/host-flows.h \
	plugin/host-leg.c \
	plugin/host-leg.h \
	plugin/host-route.c \
	plugin/host-route.h \
	plugin/judge-bridge.c \
	plugin/judge-host.c \
	plugin/judge.h \
	plugin/view-checks-acl.c \
	plugin/view-checks-direct.c \
	plugin/view-checks.c \
	plugin/view-checks.h \
	plugin/view-explain.c \
	plugin/view-host.c \
	plugin/view-host.h
plugin_libplugin_a_SOURCES += \
	plugin/bridge-port.c \
	plugin/bridge-port.h \
	plugin/log-file.c \
	plugin/log-file.h \
	plugin/netdevs-ethtool.c \
	plugin/netdevs-ethtool.h \
	plugin/netdevs-link.c \
	plugin/netdevs-link.h \
	plugin/netdevs-qdisc.c \
	plugin/netdevs-qdisc.h \
	plugin/netdevs-xdp.c \
	plugin/netdevs-xdp.h \
	plugin/netdevs.c \
	plugin/netdevs.h \
	plugin/port-guard.c \
	plugin/port-guard.h
$(plugin_libplugin_a_OBJECTS): | $(bpf_skeletons)

sbin_PROGRAMS += plugin/ovn-xdpd
plugin_ovn_xdpd_SOURCES = plugin/main.c
plugin_ovn_xdpd_LDADD = \
	rpc/librpc.a plugin/libplugin.a idl/libidl.a plugin/libplugin.a \
	$(OVS_LDADD) $(BPF_LDADD) $(JSON_C_LIBS) $(SYSTEMD_LIBS)

dist_man_MANS += plugin/ovn-xdp.7 plugin/ovn-xdpd.8
dist_bashcompletion_DATA += plugin/completions/ovn-xdpd

# Built, not distributed: the list of reasons is in one place.
man_MANS = plugin/ovn-xdp-reasons.7
CLEANFILES += plugin/ovn-xdp-reasons.7
EXTRA_DIST += plugin/reasons-man.py
plugin/ovn-xdp-reasons.7: plugin/reasons-man.py bpf/reason.def
	$(AM_V_GEN)$(MKDIR_P) $(@D) && \
	$(PYTHON3) $(srcdir)/plugin/reasons-man.py $(srcdir)/bpf/reason.def \
	  >$@.tmp && mv -f $@.tmp $@
