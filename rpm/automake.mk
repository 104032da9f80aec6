# SPDX-License-Identifier: Apache-2.0
#
# Packaging, and the service unit, which is installed without a package too.

EXTRA_DIST += \
	rpm/macros \
	rpm/make-rpm \
	rpm/ovn-xdp-metrics.service \
	rpm/ovn-xdp-metrics.timer \
	rpm/ovn-xdp.logrotate \
	rpm/ovn-xdp.spec.in \
	rpm/ovn-xdp.sysconfig \
	rpm/ovn-xdp.sysusers \
	rpm/ovn-xdp.tmpfiles \
	rpm/ovn-xdpd-cleanup.service.in \
	rpm/ovn-xdpd.service.in \
	rpm/rpmlint.toml \
	rpm/selinux/ovn_xdp.fc \
	rpm/selinux/ovn_xdp.if \
	rpm/selinux/ovn_xdp.te

dist_pkgdata_DATA = rpm/grafana/ovn-xdp.json

# The units that have the folders of the build in them.
made_units = rpm/ovn-xdpd-cleanup.service rpm/ovn-xdpd.service
CLEANFILES += $(made_units)
all-local: $(made_units)
make_unit = $(MKDIR_P) $(@D) && $(SED) \
	  -e 's|@sbindir[@]|$(sbindir)|g' \
	  -e 's|@sysconfdir[@]|$(sysconfdir)|g' \
	  -e 's|@ovn_rundir[@]|$(DEFAULT_OVN_RUNDIR)|g' \
	  -e 's|@ovn_logdir[@]|$(DEFAULT_OVN_LOGDIR)|g' \
	  $(srcdir)/$@.in >$@.tmp && mv -f $@.tmp $@
rpm/ovn-xdpd-cleanup.service: rpm/ovn-xdpd-cleanup.service.in Makefile
	$(AM_V_GEN)$(make_unit)
rpm/ovn-xdpd.service: rpm/ovn-xdpd.service.in Makefile
	$(AM_V_GEN)$(make_unit)
if SYSTEMD_UNIT
systemdsystemunit_DATA = \
	rpm/ovn-xdp-metrics.service \
	rpm/ovn-xdp-metrics.timer \
	$(made_units)

# What the unit needs: a group, and folders at boot.
install-data-local:
	$(MKDIR_P) '$(DESTDIR)$(sysusersdir)' '$(DESTDIR)$(tmpfilesdir)'
	$(INSTALL_DATA) $(srcdir)/rpm/ovn-xdp.sysusers \
	  '$(DESTDIR)$(sysusersdir)/ovn-xdp.conf'
	$(INSTALL_DATA) $(srcdir)/rpm/ovn-xdp.tmpfiles \
	  '$(DESTDIR)$(tmpfilesdir)/ovn-xdp.conf'

uninstall-local:
	rm -f '$(DESTDIR)$(sysusersdir)/ovn-xdp.conf' \
	  '$(DESTDIR)$(tmpfilesdir)/ovn-xdp.conf'
endif

# The release of Open vSwitch whose library the package links.
OVS_TARBALL = /usr/src/openvswitch/openvswitch.tar.gz

# Source and binary packages, in rpm/packages/; made anew only if something
# has changed.
rpm:
	$(AM_V_at)$(MAKE) dist-xz AM_V_at=@ >/dev/null
	$(AM_V_at)$(srcdir)/rpm/make-rpm rpm/packages $(distdir).tar.xz \
	  '$(OVS_TARBALL)'

# The package unpacked in installed/, as it is on a node.
installed-root: rpm
	$(AM_V_at)test -e rpm/packages/unpacked && test -d installed || { \
	  rm -rf installed && $(MKDIR_P) installed && \
	  rpm2cpio rpm/packages/RPMS/*/$(PACKAGE)-$(VERSION)-*.rpm | \
	    (cd installed && cpio --extract --make-directories --quiet) && \
	  touch rpm/packages/unpacked; }
.PHONY: installed-root rpm

clean_folders += installed rpm/packages
