#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Each of the three database servers is stopped, or is there and does not
# answer, and comes back, while datagrams are on their way.  Not one is lost,
# "status" and "health" say what is down, and what OVN changes is followed.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
new=172.24.100.120

# Succeeds if "health" finds nothing, and all databases are followed.
all_well() {
    ctl health || return
    equal "number of databases that are not followed" "$(ctl -f json status |
        json "len([b for b in d['databases']
                   if b['state'] not in ('synced', 'disabled')])")" 0
}

# Succeeds if "health" is degraded, exit status 1, and says that database NAME
# is down.
down() {
    local out status

    out=$(ctl health)
    status=$?
    grep -F "database-down: $1" <<<"$out" && equal "exit status" "$status" 1
}

# Succeeds if COMMAND does, each time for SECONDS.
#
# usage: lasts SECONDS COMMAND...
lasts() {
    local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000))

    shift
    while [ "${EPOCHREALTIME/[.,]/}" -lt "$end" ]; do
        "$@" || return
    done
}

# Checks that a change in OVN comes through: a floating IP is added, or taken
# away the next time.
followed() {
    if no_endpoint $new >/dev/null; then
        check "$1: a floating IP is added" fip_add r1 $new vm2 centralised
        check "$1: it is offloaded" await_offloaded $new
    else
        check "$1: a floating IP is taken away" fip_del r1 $new
        check "$1: it is forgotten" await 10 no_endpoint $new
    fi
}

# Starts the flow, 500 datagrams per second.
flow_begins() {
    flow_start "$fip" 500
    check "$1: datagrams are on their way" equal "exit status" $? 0
}

# Ends the flow, which must not have ended by itself and has lost nothing.
flow_ends() {
    check_not "$1: datagrams are still on their way" gone "$flow_pid"
    check "$1: not one was lost" flow_whole
}

# The server of database NAME, called DATABASE, ends and starts again.
#
# usage: restarted NAME DATABASE
restarted() {
    flow_begins "$2"
    check "$2: its server ends" daemon_end "$1-db" TERM
    check "$2: this is reported" await 10 down "$2"
    check "$2: packets go on" goes_on
    [ "$1" = local ] && local_away
    check "$2: it starts again" server_start "$1"
    check "$2: all is well" await 20 all_well
    flow_ends "$2"
    followed "$2"
}

# Succeeds if XDP redirects 100 more of the flow's datagrams.
goes_on() {
    local packets

    packets=$(endpoint "$fip" packets) &&
        await 10 flow_runs $((packets - flow_before + 100))
}

# What comes by the Southbound is followed without the local database.
local_away() {
    check "a floating IP is added meanwhile" nb --wait=sb lr-nat-add r1 \
        dnat_and_snat $new 10.1.0.12
    check "it is offloaded" await_offloaded $new
    check "it is taken away" nb --wait=sb lr-nat-del r1 dnat_and_snat $new
    check "it is forgotten" await 10 no_endpoint $new
}

# The Northbound's server ends: nothing here depends on it, until it is asked
# for.
northbound() {
    flow_begins Northbound
    check "Northbound: its server ends" daemon_end nb-db TERM
    check "Northbound: all is well here" lasts 1 all_well
    check "Northbound: it starts again" server_start nb
    flow_ends Northbound
    followed Northbound
    config nb-remote "unix:$SANDBOX/ovnnb_db.sock"
    check "Northbound: it is asked for" await 10 database_is OVN_Northbound \
        synced
    restarted nb OVN_Northbound
    config nb-remote
    check "Northbound: it is no more" await 10 database_is OVN_Northbound \
        disabled
}

# Succeeds if "status" says of database NAME that it is in STATE, or disabled
# and not listed.
#
# usage: database_is NAME STATE
database_is() {
    equal "state of $1" "$(ctl -f json status | json "([b['state']
        for b in d['databases'] if b['name'] == '$1'] + ['disabled'])[0]")" \
        "$2"
}

# The Southbound's server is there, but does not answer: over TCP a probe finds
# out.  It stays reported, although the server's kernel takes each new
# connection.
half_open() {
    local before pid

    pid=$(cat "$SANDBOX/sb-db.pid")
    vs set Open_vSwitch . external_ids:ovn-remote-probe-interval=1000 \
        external_ids:ovn-remote=tcp:127.0.0.1:6642
    check "half open: connected by TCP" await 10 has_session
    check "half open: all is well" await 10 all_well
    flow_begins "half open"
    before=$EPOCHREALTIME
    kill -STOP "$pid"
    check "half open: this is reported" await 10 down OVN_Southbound
    echo "# after $(((${EPOCHREALTIME/[.,]/} - ${before/[.,]/}) / 1000)) ms" \
        "with a probe interval of 1000 ms"
    check "half open: it stays reported" lasts 3 down OVN_Southbound
    check "half open: packets go on" goes_on
    kill -CONT "$pid"
    check "half open: all is well again" await 20 all_well
    flow_ends "half open"
    vs set Open_vSwitch . external_ids:ovn-remote="$SANDBOX_SB"
    followed "half open"
}

# Succeeds if the daemon has a TCP session with the Southbound.
has_session() {
    ns hv ss -Htnp state established dport = :6642 | grep ovn-xdpd
}

# The local database and the Northbound do not answer; unix sockets are not
# probed, so this shows nowhere, and does no harm.
stopped() {
    local pids

    mapfile -t pids < <(cat "$SANDBOX/local-db.pid" "$SANDBOX/nb-db.pid")
    flow_begins stopped
    kill -STOP "${pids[@]}"
    check "stopped: packets go on" goes_on
    kill -CONT "${pids[@]}"
    flow_ends stopped
    followed stopped
}

sandbox_start
queue_deeply br-ex
cloud_add || die "the cloud failed"
flow_serve vm1 || die "the counter failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
check "all is well" await 10 all_well
warm $fip
restarted local Open_vSwitch
restarted sb OVN_Southbound
northbound
half_open
stopped
finish
