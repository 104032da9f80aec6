# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A real systemd on the chassis of a sandbox, with ovn-xdpd.service and its
# cleanup as they are installed.  Sourced after sandbox.sh.  It is process 1 of namespaces of its
# own (systemd-boot makes them), in the network namespace 'hv': when that is
# reaped, all of it ends.

SYSTEMD_PID=        # Process id of systemd, outside of its namespaces.

# Boots systemd, with ovn-xdpd installed and not started.
systemd_start() {
    local starter

    mkdir "$SANDBOX/root" "$SANDBOX/sbin" &&
        cp "$OVN_XDPD" "$SANDBOX/sbin/ovn-xdpd" &&
        cp "$OVN_XDPD_UNIT" "$SANDBOX/ovn-xdpd.service" &&
        cp "${OVN_XDPD_UNIT%.service}-cleanup.service" \
            "$SANDBOX/ovn-xdpd-cleanup.service" || return
    # shellcheck disable=SC2154  # Of sandbox.sh.
    nsenter --net="/run/netns/$SANDBOX_ID-hv" -- unshare --mount \
        "$sandbox_lib/systemd-boot" "$SANDBOX/root" "ovn-xdp-$SANDBOX_ID" \
        "$SANDBOX" "$SANDBOX_PINS" >"$SANDBOX/systemd.log" 2>&1 </dev/null &
    starter=$!
    disown $starter
    await 10 systemd_child $starter && SYSTEMD_PID=$(systemd_child $starter) &&
        await 30 in_systemd systemctl is-active test.target && return
    remark <"$SANDBOX/systemd.log"
    return 1
}

# Prints the process that process STARTER has become the parent of, once it is
# systemd.
systemd_child() {
    local pid

    pid=$(tr -d ' ' <"/proc/$1/task/$1/children") && [ -n "$pid" ] &&
        [ "$(cat "/proc/$pid/comm")" = systemd ] && echo "$pid"
}

# Runs COMMAND where systemd is.
in_systemd() {
    nsenter -t "$SYSTEMD_PID" -p -m -C -u -i -- \
        env -u OVN_RUNDIR -u OVS_RUNDIR -u OVN_LOGDIR "$@"
}

# Runs systemctl VERB on the service.
service() {
    in_systemd timeout 60 systemctl "$1" ovn-xdpd "${@:2}"
}

# Prints what the journal has, of what journalctl's OPTIONS select.
journal() {
    in_systemd journalctl --no-pager "$@"
}

# Succeeds if a line of it matches PATTERN.
#
# usage: journal_says PATTERN [OPTION...]
journal_says() {
    grep -e "$1" <<<"$(journal "${@:2}")"
}

# Prints property NAME of the service.
service_property() {
    service show --value -p "$1"
}

# Succeeds if property NAME of the service is VALUE.
service_is() {
    equal "$1" "$(service_property "$1")" "$2"
}

# Succeeds if the words of the service match PATTERN.
service_says() {
    local words

    words=$(service_property StatusText)
    # shellcheck disable=SC2053
    [[ $words == $1 ]] && return 0
    echo "StatusText is '$words', expected '$1'"
    return 1
}

# Sets properties of the service from now on, as a drop-in NAME; without any,
# removes it.
#
# usage: service_set NAME [LINE...]
service_set() {
    local dir=/run/systemd/system/ovn-xdpd.service.d

    if [ $# -eq 1 ]; then
        in_systemd rm "$dir/$1.conf"
    else
        in_systemd mkdir -p "$dir" &&
            printf '%s\n' '[Service]' "${@:2}" |
            in_systemd tee "$dir/$1.conf" >/dev/null
    fi && in_systemd systemctl daemon-reload
}

# Prints field NAME of the daemon's status file.
service_status_field() {
    in_systemd sed -n "s/^$1:[[:space:]]*//p" \
        "/proc/$(service_property MainPID)/status"
}
