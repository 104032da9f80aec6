#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The daemon as a service of a real systemd, by the unit as it is installed:
# when it is ready, what it says, how it ends and comes back, and that it has no
# privilege that it does not need.
# time-limit: 300
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/systemd.sh
. "$(dirname "$0")/systemd.sh"

fip=172.24.100.111

# Succeeds if not one ping has been lost since ping_start.
nothing_lost() {
    ping_stop && equal "pings lost of $ping_sent" "$ping_lost" 0
}

# Succeeds if the service has been restarted COUNT times by systemd and runs.
restarted() {
    service_is NRestarts "$1" && service_is ActiveState active
}

# Succeeds if the service was ready SECONDS after its start.
ready_within() {
    local begin end

    begin=$(service_property InactiveExitTimestampMonotonic)
    end=$(service_property ActiveEnterTimestampMonotonic)
    between "time until it was ready" $((end - begin)) 1 $(($1 * 1000000))
}

# Succeeds if systemd has started the unit and found nothing in it to complain
# of, which it does by file and line.
unit_is_known() {
    local words

    in_systemd journalctl --sync && words=$(journal) &&
        grep -q "Started ovn-xdpd.service" <<<"$words" &&
        inverted grep -E "ovn-xdpd(-cleanup)?\.service:[0-9]+:" <<<"$words"
}

# Succeeds if the watchdog got a sign of life a second after the start.
fed() {
    local begin last

    begin=$(service_property ActiveEnterTimestampMonotonic)
    last=$(service_property WatchdogTimestampMonotonic)
    between "last sign of life" "$last" $((begin + 1000000)) $((1 << 62))
}

# Succeeds if the process has no more than the unit gives it.
privileges() {
    # CAP_DAC_OVERRIDE is 1, CAP_NET_ADMIN 12, CAP_PERFMON 38, CAP_BPF 39.
    local field caps

    printf -v caps '%016x' $((1 << 1 | 1 << 12 | 1 << 38 | 1 << 39))
    for field in CapBnd CapEff CapPrm; do
        equal "$field" "$(service_status_field "$field")" "$caps" || return
    done
    equal NoNewPrivs "$(service_status_field NoNewPrivs)" 1 &&
        equal Seccomp "$(service_status_field Seccomp)" 2 &&
        equal Uid "$(service_status_field Uid | tr -s '\t' ' ')" "0 0 0 0"
}

# Succeeds if the mode of /run/ovn is MODE where there was none at the start.
makes_folder() {
    local mode

    in_systemd umount /run/ovn && in_systemd rmdir /run/ovn &&
        service_set folder Type=oneshot WatchdogSec=0 Restart=no ExecStart= \
            ExecStart=/bin/true && service start &&
        mode=$(in_systemd stat -c %a /run/ovn) &&
        service_set folder && in_systemd mount --bind /run/openvswitch /run/ovn &&
        equal "mode of /run/ovn" "$mode" "$1"
}

# Without a database: ready all the same, as a boot must go on.
test_nothing_there() {
    check "whoever is of the group can enter a folder that it makes" \
        makes_folder 755
    check "without a local database it starts" service start
    check "and says what it waits for" \
        service_says "waiting: Open_vSwitch: not connected*"
    check "the database comes" server_start local
    check "without a NIC there is nothing to do" await 10 \
        service_says "nothing to do*"
    check "it stops" service stop
    check "it starts again" service start
    check "with nothing to do it is ready at once" ready_within 8
    check "a NIC is named" config interfaces nic0
    check "then all is well" await 15 service_says ok
    check "$fip is offloaded" await_offloaded $fip
    warm $fip
    check "and is reached through XDP" pings_through_xdp $fip
}

# It ends in all ways, and packets do not notice.
test_ends() {
    ping_start $fip
    check "it restarts" service restart
    check "ready means programmed" endpoint_is $fip state offloaded
    check "no ping was lost" nothing_lost

    check "it stops" service stop
    check "that is no failure" service_is Result success
    check "the journal tells of it" \
        await 10 journal_says "terminating with signal 15"
    check "the datapath stays" pings $fip
    check "it starts" service start

    ping_start $fip
    check "it is killed" service kill -s KILL
    check "systemd starts it again" await 20 restarted 1
    check "no ping was lost" nothing_lost
}

# The units that write the metrics, as confined as they are.
test_metrics() {
    local dir=/var/lib/node_exporter/textfile_collector unit

    cp "$OVN_XDPCTL" "$SANDBOX/sbin/ovn-xdpctl"
    for unit in ovn-xdp-metrics.service ovn-xdp-metrics.timer; do
        in_systemd tee "/etc/systemd/system/$unit" \
            <"$sandbox_lib/../../rpm/$unit" >/dev/null
    done
    in_systemd systemctl daemon-reload
    check_not "without a folder no metrics are written" \
        in_systemd systemctl start ovn-xdp-metrics
    in_systemd mkdir -p "$dir"
    check "the timer is enabled" \
        in_systemd systemctl enable --now ovn-xdp-metrics.timer
    in_systemd systemctl stop ovn-xdp-metrics.timer
    check "the metrics are written" in_systemd systemctl start ovn-xdp-metrics
    check "by nobody but the service" equal files \
        "$(in_systemd ls -A "$dir")" ovn-xdp.prom
    check "for everybody" equal mode \
        "$(in_systemd stat -c %a "$dir/ovn-xdp.prom")" 644
    check "and say how it is" in_systemd grep -x \
        'ovn_xdp_health{ovn_xdp_health="ok"} 1' "$dir/ovn-xdp.prom"
    in_systemd systemctl disable --now ovn-xdp-metrics.timer
    check "the daemon stops" service stop
    check_not "then none are written" \
        in_systemd systemctl start ovn-xdp-metrics
    check "and none are left" equal files "$(in_systemd ls -A "$dir")" ""
    check "the journal says why" \
        await 10 journal_says "cannot connect" -u ovn-xdp-metrics
    check "the daemon starts" service start
}

# A main loop that hangs does not hang for ever.
test_watchdog() {
    service_set watchdog WatchdogSec=4s
    check "it restarts with a short watchdog" service restart
    check "it is fed" await 20 fed
    check "it is alive" service_is NRestarts 0
    ping_start $fip
    check "it is stopped in its tracks" service kill -s STOP
    check "the watchdog bites, and it starts again" await 60 restarted 1
    check "no ping was lost" nothing_lost
    service_set watchdog
}

# Succeeds if the JSON-RPC socket is for the group ovn-xdp.
socket_is_for_group() {
    equal "owner, group and mode" \
        "$(stat -c '%u %g %a' "$SANDBOX/ovn-xdpd.rpc")" "0 981 660"
}

# Gives all in OVN's folder to the user openvswitch, as OVN does.
give_away() {
    chmod 755 "$SANDBOX" && chown -R 980:980 "$SANDBOX"
}

# Succeeds if the service does not start, and has paused before another try.
start_fails() {
    local begin=$EPOCHREALTIME

    inverted service start &&
        between "microseconds until then" \
            $((${EPOCHREALTIME/./} - ${begin/./})) 3000000 60000000
}

# Starts the service anew, without capability NAME and on no pins; succeeds if
# it does not start, or if it does and its words match PATTERN.
#
# usage: fails_without NAME [PATTERN]
fails_without() {
    service stop && find "$SANDBOX_PINS" -mindepth 1 -depth -delete &&
        service_set caps "CapabilityBoundingSet=~$1" || return
    if [ $# -eq 1 ]; then
        start_fails
    else
        service start && await 15 service_says "$2"
    fi
}

# OVN gives its folder away whenever it starts; and what each capability is
# there for.
test_capabilities() {
    check "the socket is for the group" socket_is_for_group
    give_away
    check "OVN takes it away, and it comes back" await 10 socket_is_for_group
    check "and answers" ctl status
    check "it restarts in a folder of somebody else's" service restart
    check "the socket is for the group" socket_is_for_group
    check "and all is well" await 15 service_says ok

    for cap in CAP_BPF CAP_NET_ADMIN CAP_DAC_OVERRIDE; do
        check "it fails without $cap" fails_without $cap
    done
    check "it attaches nowhere without CAP_PERFMON" fails_without \
        CAP_PERFMON "degraded: nic0: cannot attach*"
    service_set caps
    check "with all of them it starts" service restart
    check "and $fip is offloaded" await_offloaded $fip
    warm $fip
}

# With --detach the daemon is another process than the one that was started.
test_detached() {
    service_set detached NotifyAccess=all ExecStart= \
        "ExecStart=/usr/sbin/ovn-xdpd -vconsole:off --detach --pidfile"
    check "with --detach it starts" service restart
    check "and is known to be ready" service_is SubState running
    check "by its process id" equal "MainPID" "$(service_property MainPID)" \
        "$(daemon_pid)"
    service_set detached
    check "it restarts" service restart
}

# Runs the one-shot of the daemon on the pins of the service.
cleanup() {
    ns hv timeout 60 "$OVN_XDPD" --cleanup -vconsole:off \
        --pin-dir="$SANDBOX_PINS/ovn-xdp" "unix:$SANDBOX/db.sock"
}

# Succeeds if COMMAND fails and says a text that matches PATTERN.
#
# usage: fails_with PATTERN COMMAND...
fails_with() {
    local output

    output=$("${@:2}" 2>&1) && echo "it does not fail" && return 1
    echo "$output"
    # shellcheck disable=SC2053
    [[ $output == $1 ]]
}

# Prints all of the host that a daemon may have changed.
snapshot() {
    local hv=$SANDBOX_ID-hv table

    ip -n "$hv" -d -o link
    tc -n "$hv" qdisc
    for table in Open_vSwitch Bridge Port Interface; do
        vs --format=csv --columns=external_ids list $table
    done | grep -v '^external_ids$' | sort
    find "$SANDBOX_PINS" -mindepth 1
}

# Prints the kind and id of each object that is pinned.
pinned_objects() {
    local pin kind

    while read -r pin; do
        for kind in link prog map; do
            bpftool -j $kind show pinned "$pin" 2>/dev/null |
                json "'$kind %d' % d['id']" 2>/dev/null
        done
    done < <(find "$SANDBOX_PINS" -type f)
}

# Succeeds if none of the OBJECTS is in the kernel any more.
objects_gone() {
    local kind id

    while read -r kind id; do
        bpftool "$kind" show id "$id" >/dev/null 2>&1 &&
            echo "$kind $id is there" && return 1
    done <<<"$1"
    return 0
}

# What removal leaves: nothing, or a failure that names it.
test_removal() {
    local objects

    config bridge-port veth
    check "there is a managed port" await 20 target_is nic0 br-ex kind veth
    check "whose ends speak no IPv6" equal disable_ipv6 "$(ns hv sh -c \
        'cat /proc/sys/net/ipv6/conf/xdp[io]-br-ex/disable_ipv6' |
        tr -d '\n')" 11
    await_offloaded $fip
    objects=$(pinned_objects)
    check "there are objects" test "$(wc -l <<<"$objects")" -gt 8

    check "--cleanup refuses while the daemon runs" fails_with \
        "*a running ovn-xdpd uses this directory*" cleanup
    check "and does no harm" pings_through_xdp $fip

    daemon_end local-db TERM
    check "exit --cleanup names what it could not remove" fails_with \
        "*Open_vSwitch: not connected to *managed ports stay*" \
        in_systemd ovn-appctl -t ovn-xdpd exit --cleanup
    check "the service has ended" await 10 service_is ActiveState inactive
    check "no program is left" no_program nic0
    check "the database comes" server_start local
    check "the port is left" test -n "$(vs --bare --columns=name find Port \
        'external_ids:ovn-xdp-bridge-port!=""')"
    mkdir -p "$SANDBOX_PINS/ovn-xdp/strange"
    check "--cleanup names a strange pin" \
        fails_with "*/ovn-xdp/strange: still there*" cleanup
    rmdir "$SANDBOX_PINS/ovn-xdp/strange"
    check "--cleanup takes all away" cleanup
    config interfaces
    config bridge-port
    check "all is as before" diff <(echo "$before") <(snapshot)
    check "no object is left" await 10 objects_gone "$objects"
    check "--cleanup finds nothing to do" cleanup
}

# Runs the unit that takes all away.
cleanup_unit() {
    in_systemd timeout 90 systemctl start ovn-xdpd-cleanup
}

# Puts options and other words into the file of the package that a shell would
# read in another way than systemd.
odd_options() {
    # shellcheck disable=SC2016  # It is to be executed by nobody.
    printf '%s\r\n' 'OVN_XDPD_OPTIONS=--pin-dir=/sys/fs/bpf/odd -vfile:dbg' \
        'X=$(touch /executed)' 'touch /executed' \
        OVN_XDP_METRICS_DIR=/var/metrics |
        in_systemd tee /etc/sysconfig/ovn-xdp >/dev/null
}

# The unit that the removal of the package starts: it reads what the service
# reads, and as that does.
test_cleanup_unit() {
    odd_options
    config bridge-port veth
    config interfaces nic0
    check "it starts with options of the package's file" service start
    check "$fip is offloaded" await_offloaded $fip
    check "it pins where they say" test -e "$SANDBOX_PINS/odd"
    check_not "and not elsewhere" test -e "$SANDBOX_PINS/ovn-xdp"
    in_systemd mkdir /var/metrics
    check "it has metrics" in_systemd systemctl start ovn-xdp-metrics
    check "where they should be" in_systemd test -e /var/metrics/ovn-xdp.prom
    check "the unit takes all away" cleanup_unit
    check "the metrics too" equal files "$(in_systemd ls -A /var/metrics)" ""
    check "the service has ended" service_is ActiveState inactive
    check "no program is left" no_program nic0
    check "and no pin" no_pins
    config interfaces
    config bridge-port
    check "all is as before" diff <(echo "$before") <(snapshot)

    mkdir -p "$SANDBOX_PINS/odd/strange"
    check_not "it fails if something stays" cleanup_unit
    check "the journal says what" await 10 journal_says \
        "/odd/strange: still there" -u ovn-xdpd-cleanup
    rmdir "$SANDBOX_PINS/odd/strange"
    check "it finds nothing to do" cleanup_unit
    check_not "nothing of the file was executed" in_systemd test -e /executed
}

sandbox_start
cloud_add || die "the cloud failed"
# A path in /tmp is none for a service with PrivateTmp.
vs set Open_vSwitch . external_ids:ovn-remote=tcp:127.0.0.1:6642
systemd_start || die "systemd did not start"
before=$(snapshot)
check "its exposure is below 3.0" systemd-analyze security --offline=true \
    --threshold=30 --no-pager "$OVN_XDPD_UNIT"
daemon_end local-db TERM || die "the local database did not end"
test_nothing_there
check "it has the privileges that the unit gives" privileges
test_ends
test_metrics
test_watchdog
test_capabilities
test_detached
test_removal
test_cleanup_unit
check "systemd knows all that the unit says" unit_is_known
finish
