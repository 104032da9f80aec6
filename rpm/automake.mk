# SPDX-License-Identifier: Apache-2.0
#
# Packaging.

EXTRA_DIST += rpm/ovn-xdpd.service.in
EXTRA_DIST += rpm/ovn-xdp-metrics.service rpm/ovn-xdp-metrics.timer
