#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Measures how ovn-xdpd follows the Southbound database, with as many ports as
# no real OVN has here: ovn-northd and ovn-controller are stopped once the
# chassis is there, and southbound.py writes what they would.
#
# usage: southbound.sh [--quick]
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/../system/sandbox.sh"

sandbox_start
sb wait-until Chassis here || die "there is no chassis"
daemon_end ovn-northd TERM || die "ovn-northd does not stop"
daemon_end ovn-controller KILL || die "ovn-controller does not stop"
config interfaces nic0
export SANDBOX SANDBOX_ID SANDBOX_PINS OVN_XDPD
OVN_XDP_BUILDDIR=$daemon_build PYTHONDONTWRITEBYTECODE=yes \
    "$PYTHON3" "$(dirname "$0")/southbound.py" "$@"
