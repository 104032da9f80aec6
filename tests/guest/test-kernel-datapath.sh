#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ovn-xdp with the OVS kernel datapath, as in production: boots the guest once
# and runs kernel-datapath.sh there.
# time-limit: 1200
set -u

here=$(cd "$(dirname "$0")" && pwd)
if ! "$here/prepare" >/dev/null; then
    echo "the guest's kernel cannot be had"
    exit 77
fi
"$here/run-guest" -t 1180 "$here/kernel-datapath.sh" \
    "${OVN_XDPD:-$OVN_XDP_BUILDDIR/plugin/ovn-xdpd}"
