# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What stands in for the programs that the operator's guide uses: on the
# chassis of the sandbox, and without harm to the host.  Sourced by
# test-guide.sh, in a subshell.

guide_units=$(dirname "${BASH_SOURCE[0]}")/../../rpm

# On the chassis, in its namespace.
bpftool() { ns hv bpftool "$@"; }
ethtool() { ns hv ethtool "$@"; }
ip() { ns hv ip "$@"; }
sysctl() { ns hv sysctl "$@"; }
tcpdump() { ns hv timeout 30 tcpdump "$@"; }
ovn-xdpd() { daemon_run "$@"; }
ovn-xdpctl() { "$OVN_XDPCTL" "$@"; }

# Says nothing to the host's log.
logger() { echo "$*"; }

# The service manager: starts the daemon with the options of its unit.  Of the
# agent, what it would do for the addresses of the sandbox.
systemctl() {
    case "$*" in
    "enable --now ovn-xdpd" | "start ovn-xdpd")
        # shellcheck disable=SC2046  # They are words.
        ovn-xdpd --detach --pidfile $(unit_options) ;;
    "stop ovn-xdpd") [ ! -e "$SANDBOX/ovn-xdpd.pid" ] || daemon_stop ;;
    "restart ovn-xdpd") systemctl stop ovn-xdpd &&
        systemctl start ovn-xdpd ;;
    "start ovn-xdpd-cleanup") systemctl stop ovn-xdpd &&
        ovn-xdpd --cleanup ;;
    "enable --now ovn-xdp-metrics.timer") ;; # Half a minute may pass.
    "disable --now ovn-xdp-metrics.timer") ;;
    "start ovn-xdp-metrics") metrics_service ;;
    "restart ovn-bgp-agent") agent_routes ;;
    *) echo "systemctl $*: not known to the test" >&2 && return 1 ;;
    esac
}

# Prints the options that the daemon's unit gives it.
unit_options() {
    # shellcheck disable=SC2016  # A variable of systemd's.
    sed -e ':a' -e '/\\$/N; s/\\\n//; ta' "$guide_units/ovn-xdpd.service.in" |
        sed -n '/^ExecStart=[^ ]*ovn-xdpd /{s///;s/ *\$OVN_XDPD_OPTIONS//;p}'
}

# Runs the command of the unit that writes the metrics.
metrics_service() (
    local unit=$guide_units/ovn-xdp-metrics.service
    local config=$SANDBOX/etc/sysconfig/ovn-xdp

    PATH=$(dirname "$OVN_XDPCTL"):$PATH
    eval "export $(sed -n 's/^Environment=//p' "$unit" | stand_ins)"
    [ ! -e "$config" ] || eval "$(<"$config")" || return
    eval "$(sed -n '/^ExecStart=/{s///;s/\$\$/$/g;p}' "$unit")"
)

# The package manager: nothing but what the scripts of the package do to the
# service.  There must be such a package.
dnf() {
    [ "$2" = ovn-xdp ] || return
    case $1 in
    install) ;;
    upgrade) systemctl restart ovn-xdpd ;;
    remove) systemctl start ovn-xdpd-cleanup ;;
    *) return 1 ;;
    esac
}
