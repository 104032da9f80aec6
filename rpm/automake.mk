# SPDX-License-Identifier: Apache-2.0
#
# Packaging, and the service unit, which is installed without a package too.

EXTRA_DIST += rpm/ovn-xdpd.service.in
EXTRA_DIST += rpm/ovn-xdp-metrics.service rpm/ovn-xdp-metrics.timer
CLEANFILES += rpm/ovn-xdpd.service
all-local: rpm/ovn-xdpd.service
rpm/ovn-xdpd.service: rpm/ovn-xdpd.service.in Makefile
	$(AM_V_GEN)$(MKDIR_P) $(@D) && $(SED) \
	  -e 's|@sbindir[@]|$(sbindir)|g' \
	  -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	  -e 's|@ovn_rundir[@]|$(DEFAULT_OVN_RUNDIR)|g' \
	  -e 's|@ovn_logdir[@]|$(DEFAULT_OVN_LOGDIR)|g' \
	  $(srcdir)/rpm/ovn-xdpd.service.in >$@.tmp && mv -f $@.tmp $@
if SYSTEMD_UNIT
systemdsystemunit_DATA = \
	rpm/ovn-xdp-metrics.service \
	rpm/ovn-xdp-metrics.timer \
	rpm/ovn-xdpd.service
endif
