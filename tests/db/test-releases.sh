#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Which endpoints ovn-xdpd finds in the Southbound databases of all releases
# of OVN: those in tests/db/fixtures as OVN wrote them, and others that
# releases.py makes from them.  What is right is in tests/db/golden, one file
# for each database and chassis.  A daemon with --dry-run and a local database
# runs for each of two chassis, without root.
#
# time-limit: 900

set -u

tmp=${OVN_XDP_TMP:-$(mktemp -d)}
db=$OVN_XDP_SRCDIR/tests/db
xdpd=$OVN_XDP_BUILDDIR/plugin/ovn-xdpd
ctl=$OVN_XDP_BUILDDIR/rpc/ovn-xdpctl
python=${PYTHON3:-python3}
chassis_names="gw1 cmp1"
declare -A processes=()
# shellcheck source=tests/tap.sh
. "$OVN_XDP_SRCDIR/tests/tap.sh"

# releases ARGUMENT...: runs releases.py.
releases() {
    "$python" -IS "$db/releases.py" "$@"
}

# await COMMAND...: succeeds once COMMAND does, or fails after 20 seconds.
await() {
    local end=$((SECONDS + 20))

    until "$@"; do
        [ "$SECONDS" -lt "$end" ] || return 1
        sleep 0.05
    done
}

# start NAME COMMAND...: runs that as process NAME.  Not detached, so that its
# end can be waited for.
start() {
    local name=$1

    shift
    "$@" &
    processes[$name]=$!
}

# stop NAME...: ends those processes and waits for their end.
stop() {
    local name

    for name in "$@"; do
        [ -n "${processes[$name]:-}" ] || continue
        kill "${processes[$name]}"
        wait "${processes[$name]}" 2>/dev/null
        unset "processes[$name]"
    done
}

# server_start NAME DIR FILE SOCKET: serves database FILE at SOCKET.
server_start() {
    start "$1" ovsdb-server -vconsole:off --log-file="$2/server.log" \
        --unixctl="$2/server.ctl" --remote="punix:$4" "$3" &&
        await ovsdb-client list-dbs "unix:$4" >"$tmp/out" 2>&1
}

# local_start CHASSIS: serves the local database of CHASSIS.
local_start() {
    local dir=$tmp/$1

    mkdir -p "$dir"
    ovsdb-tool create "$dir/conf.db" "$OVSDIR/vswitchd/vswitch.ovsschema" &&
        server_start "server-$1" "$dir" "$dir/conf.db" "$dir/db.sock" &&
        ovs-vsctl --db="unix:$dir/db.sock" --no-wait -- init \
            -- add-br br-ex -- set Open_vSwitch . \
            "external_ids:system-id=$1" \
            "external_ids:ovn-remote=\"unix:$tmp/sb.sock\"" \
            "external_ids:ovn-bridge-mappings=\"physnet1:br-ex\""
}

# southbound FIXTURE RELEASE STEP: serves that database, instead of another.
southbound() {
    stop server
    releases make "$db/fixtures/$1.db" "$db/golden/$1" "$2" "$3" "$tmp" &&
        server_start server "$tmp" "$tmp/sb.db" "$tmp/sb.sock"
}

# daemon_start CHASSIS: starts ovn-xdpd.
daemon_start() {
    local dir=$tmp/$1

    rm -f "$dir/ovn-xdpd.log"
    start "$1" env OVN_RUNDIR="$dir" OVS_RUNDIR="$dir" OVN_LOGDIR="$dir" \
        "$xdpd" --dry-run -vconsole:emer --log-file --pin-dir="$dir/pins" \
        "unix:$dir/db.sock"
}

# endpoints CHASSIS: prints all endpoints there.
endpoints() {
    "$ctl" -s "$tmp/$1/ovn-xdpd.rpc" -f json endpoints
}

# answers CHASSIS STEP: succeeds if the endpoints there are those of STEP.
# shellcheck disable=SC2317 # Called by await.
answers() {
    endpoints "$1" >"$tmp/$1/json" 2>"$tmp/$1/errors" &&
        releases rows <"$tmp/$1/json" >"$tmp/$1/rows" &&
        cmp -s "$tmp/$2-$1.txt" "$tmp/$1/rows"
}

# check STEP: succeeds once both chassis answer as they should at STEP.
check() {
    local chassis status=0

    for chassis in $chassis_names; do
        await answers "$chassis" "$1" || {
            cat "$tmp/$chassis/errors"
            diff -u "$tmp/$1-$chassis.txt" "$tmp/$chassis/rows"
            status=1
        }
    done
    return $status
}

# step STEP: moves the ports to where they are at STEP.
step() {
    ovsdb-client transact "unix:$tmp/sb.sock" "$(cat "$tmp/$1.json")" \
        >"$tmp/out" && ! grep error "$tmp/out" && check "$1"
}

# reason CHASSIS ADDRESS: prints the reason of that endpoint.
reason() {
    endpoints "$1" | "$python" -IS -c 'import json, sys
print(*(row["reason"] for row in json.load(sys.stdin)
        if row["address"] == sys.argv[1]))' "$2"
}

# down RELEASE: succeeds if the VM's port, which is down, is known to be:
# before 21.03 the Southbound could not tell.
down() {
    local reason

    reason=$(reason cmp1 172.24.100.50)
    case $1 in
    bare | 20.*) [ "$reason" != port-down ] && [ -n "$reason" ] ;;
    *) [ "$reason" = port-down ] ;;
    esac
}

# start_daemons: starts one for each chassis.
start_daemons() {
    local chassis

    for chassis in $chassis_names; do
        daemon_start "$chassis"
    done
}

# no_complaints: succeeds if no daemon logged a warning but of connections,
# which the test itself cut, and of columns, which the library misses aloud.
no_complaints() {
    local chassis status=0

    for chassis in $chassis_names; do
        grep -E '\|(WARN|ERR|EMER)\|' "$tmp/$chassis/ovn-xdpd.log" |
            grep -vE '\|(reconnect|stream_unix|jsonrpc)\|' |
            grep -vE 'lacks [a-z_]+ column|lacks [A-Za-z_]+ table' &&
            status=1
    done
    return $status
}

# release FIXTURE RELEASE: all steps on that database, with new daemons.
release() {
    local name="$1 $2" step

    southbound "$1" "$2" claimed && start_daemons && check claimed
    result "$name: endpoints" $?
    for step in migrating exchanged down; do
        step "$step"
        result "$name: $step" $?
    done
    down "$2"
    result "$name: reason of what is down" $?
    no_complaints
    result "$name: no complaints" $?
    # shellcheck disable=SC2086 # Two names.
    stop $chassis_names
}

for tool in ovsdb-server ovsdb-client ovsdb-tool ovs-vsctl; do
    command -v "$tool" >/dev/null || {
        echo "$tool is not installed"
        exit 77
    }
done
trap 'stop "${!processes[@]}"' EXIT
for chassis in $chassis_names; do
    local_start "$chassis" || exit
done

for fixture in sb-2303 sb-2403; do
    release "$fixture" as-is
done
for version in $(releases list); do
    release sb-2403 "$version"
done

# Daemons that stay while the Southbound is upgraded, and downgraded.
start_daemons
last=again
for version in 26.03 20.03 next bare 22.06 21.12 24.03; do
    case $last in
    claimed) last=again ;;
    *) last=claimed ;;
    esac
    southbound sb-2403 "$version" "$last" && check "$last"
    result "the same daemons, now $version" $?
done

exit "$failed"
