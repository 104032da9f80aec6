# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# ovn-xdpd and ovn-xdpctl in the sandbox.  Sourced by sandbox.sh.

daemon_build=${OVN_XDP_BUILDDIR:-$sandbox_lib/../..}
OVN_XDPD=${OVN_XDPD:-$daemon_build/plugin/ovn-xdpd}
OVN_XDPCTL=${OVN_XDPCTL:-$daemon_build/rpc/ovn-xdpctl}
# With OVN_XDP_CONFINE=yes the daemon may do what this unit allows, no more.
OVN_XDP_CONFINE=${OVN_XDP_CONFINE:-no}
OVN_XDPD_UNIT=${OVN_XDPD_UNIT:-$daemon_build/rpm/ovn-xdpd.service}
DAEMON_PREFIX=()

# Starts ovn-xdpd on the chassis, with OPTIONS after the usual ones, and waits
# until it answers.  Variable DAEMON_DATABASE may name another local database.
#
# usage: daemon_start [OPTION...]
daemon_start() {
    [ -x "$OVN_XDPD" ] || die "$OVN_XDPD is not built"
    daemon_run --detach --pidfile "$@" && await 5 ctl status
}

# Runs ovn-xdpd as daemon_start does but neither detaches nor waits.  Words in
# the array DAEMON_PREFIX come before all of the command.
daemon_run() {
    local confine=()

    if [ "$OVN_XDP_CONFINE" = yes ]; then
        # The sandbox's folder stands for those that OVN has.
        confine=("$daemon_build/tests/system/confine" "$OVN_XDPD_UNIT"
            "$SANDBOX")
    fi
    ns hv "${DAEMON_PREFIX[@]}" "${confine[@]}" "$OVN_XDPD" -vconsole:err \
        --no-chdir --log-file --pin-dir="$SANDBOX_PINS" "$@" \
        "${DAEMON_DATABASE:-unix:$SANDBOX/db.sock}"
}

# Stops ovn-xdpd and waits for its end: "daemon_stop --cleanup" takes the
# datapath away with it.
daemon_stop() {
    local pid

    pid=$(daemon_pid) && daemon_appctl exit "$@" && await 5 gone "$pid"
}

# Kills ovn-xdpd with -9.
daemon_kill() {
    local pid

    pid=$(daemon_pid) && kill -KILL "$pid" && await 5 gone "$pid"
}

# Prints the process id of ovn-xdpd.
daemon_pid() {
    cat "$SANDBOX/ovn-xdpd.pid"
}

# Prints the lowest descriptor that process PID has free: its next one.
descriptor_free() {
    local fd=0

    while [ -e "/proc/$1/fd/$fd" ]; do
        fd=$((fd + 1))
    done
    echo $fd
}

# Takes all free descriptors from the daemon.  It may have one for a moment
# only, which must not count: the lowest of several looks does.
descriptors_take() {
    local pid fd limit=1024

    pid=$(daemon_pid)
    for _ in {1..20}; do
        fd=$(descriptor_free "$pid")
        if [ "$fd" -lt "$limit" ]; then
            limit=$fd
            prlimit --pid "$pid" --nofile="$limit:" || return
        fi
        sleep 0.02
    done
}

# Gives them back.
descriptors_give() {
    prlimit --pid "$(daemon_pid)" --nofile=1024:
}

# Succeeds if process PID has ended.
gone() {
    ! kill -0 "$1" 2>/dev/null
}

# Sends a command to the daemon's unixctl socket.
daemon_appctl() {
    ovn-appctl -t "$SANDBOX/ovn-xdpd.$(daemon_pid).ctl" "$@"
}

# Runs ovn-xdpctl.
ctl() {
    "$OVN_XDPCTL" -s "$SANDBOX/ovn-xdpd.rpc" "$@"
}

# Sets ovn-xdp-KEY of the local database; without VALUE removes it.
#
# usage: config KEY [VALUE]
config() {
    if [ $# -eq 2 ]; then
        vs set Open_vSwitch . "external_ids:ovn-xdp-$1=\"$2\""
    else
        vs remove Open_vSwitch . external_ids "ovn-xdp-$1"
    fi
}

# Succeeds if "status" says that ovn-xdp-KEY is VALUE.
setting_is() {
    equal "ovn-xdp-$1" \
        "$(ctl -f json status | json "d['config']['ovn-xdp-$1']")" "$2"
}

# Prints what Python's EXPRESSION says of the JSON document 'd' on standard
# input: strings plainly, all else as JSON.
json() {
    "$PYTHON3" -IS -c 'import json, sys
try:
    d = json.load(sys.stdin)
    v = eval(sys.argv[1])
except (ValueError, LookupError, TypeError) as error:
    sys.exit(f"{sys.argv[1]}: {error!r}")
print(v if isinstance(v, str) else json.dumps(v))' "$1"
}

# Prints member FIELD of ADDRESS's row in "endpoints".
#
# usage: endpoint ADDRESS FIELD
endpoint() {
    ctl -f json endpoints "$1" | json "d[0]['$2']"
}

# Prints member FIELD of NIC's row in "interfaces".
#
# usage: interface NIC FIELD
interface() {
    ctl -f json interfaces |
        json "[i for i in d if i['name'] == '$1'][0]['$2']"
}

# Prints how many frames NIC has counted under REASON; without REASON all, by
# what became of them, and not by what is counted besides.  Of those that were
# redirected some have gone to VMs with OVN_XDP_DIRECT=on.
#
# usage: counted NIC [REASON]
counted() {
    local reasons=${2:-}

    [ "$OVN_XDP_DIRECT,$reasons" = on,redirected ] && reasons+=" direct"
    ctl -f json interfaces |
        json "sum(n for i in d if i['name'] == '$1'
                  for reason, n in i['counters'].items()
                  if reason in '$reasons'.split()
                  or not '$reasons' and (
                      reason == 'flow-tc' or not reason.startswith((
                          'acl-count', 'acl-lease', 'acl-answer', 'acl-inside',
                          'acl-untracked', 'flow-'))))"
}

# Prints how many frames were lost after the verdict, by what the kernel told
# the daemon's tracepoints.  They count on in the same map.
redirect_errors() {
    ctl -f json stats | json "sum(d['redirect_errors'].values())"
}

# Prints member FIELD of the target of NIC that is bridge BRIDGE.
#
# usage: target NIC BRIDGE FIELD
target() {
    ctl -f json interfaces |
        json "[t for i in d if i['name'] == '$1' for t in i['targets']
               if t['bridge'] == '$2'][0]['$3']"
}

# Succeeds if member FIELD of ADDRESS's row is VALUE.
endpoint_is() {
    equal "$2 of $1" "$(endpoint "$1" "$2")" "$3"
}

# Succeeds if member FIELD of NIC's row is VALUE.
interface_is() {
    equal "$2 of $1" "$(interface "$1" "$2")" "$3"
}

# Succeeds if member FIELD of NIC's target BRIDGE is VALUE.
target_is() {
    equal "$3 of $1's target $2" "$(target "$1" "$2" "$3")" "$4"
}

# Succeeds if the target of nic0 is a ready device of today.
target_is_new() {
    local device

    device=$(target nic0 br-ex device) &&
        target_is nic0 br-ex state ready &&
        equal ifindex "$(target nic0 br-ex ifindex)" \
            "$(ip -n "$SANDBOX_ID-hv" -o link show dev "$device" |
                sed 's/:.*//')"
}

# Succeeds if no row has ADDRESS.
no_endpoint() {
    equal "rows of $1" "$(ctl -f json endpoints |
        json "len([e for e in d if e['address'] == '$1'])")" 0
}

# Switches off layer L2, and L3 if it is on: a switched NIC has nothing to do
# then.  Without L2 alone it has.
#
# usage: nothing_to_do NIC
nothing_to_do() {
    config acl off
    [ "$OVN_XDP_DIRECT" = off ] && return
    check "layer L3 has something to do without L2" await 5 setting_is acl off
    check "and keeps $1" interface_is "$1" state attached
    config direct off
}

# Switches on again what nothing_to_do has switched off.
to_do_again() {
    [ "$OVN_XDP_DIRECT" = off ] || config direct on
    config acl "$@"
}

# Succeeds if "status" lists a problem of class CLASS.
has_problem() {
    equal "problem $1" "$(ctl -f json status |
        json "any(p['class'] == '$1' for p in d['problems'])")" true
}

# Succeeds if the only questions about SUBJECT that are not answered by true are
# those named.
#
# usage: only_wrong SUBJECT [CHECK...]
only_wrong() {
    local subject=$1

    shift
    equal "not well of $subject" "$(ctl -f json explain "$subject" |
        json "' '.join(c['check'] for c in d['checks'] if not c['ok'])")" "$*"
}

# Waits until ADDRESS is offloaded.
await_offloaded() {
    await 10 endpoint_is "$1" state offloaded
}

# Waits until NIC is attached.
await_attached() {
    await 10 interface_is "$1" state attached
}

# Runs COMMAND, and succeeds if it does and ADDRESS's counter has risen by
# PACKETS through it.
#
# usage: through_xdp ADDRESS PACKETS COMMAND...
through_xdp() {
    local address=$1 packets=$2 before after status

    shift 2
    before=$(endpoint "$address" packets) || return
    "$@"
    status=$?
    after=$(endpoint "$address" packets) || return
    equal "packets of $address through XDP" $((after - before)) "$packets" &&
        return $status
}

# Pings ADDRESS, each through XDP.
#
# usage: pings_through_xdp ADDRESS [COUNT]
pings_through_xdp() {
    through_xdp "$1" "${2:-5}" pings "$1" "${2:-5}"
}

# Prints the identifier of the XDP program on NIC of hv, nothing without one.
program() {
    ip -n "$SANDBOX_ID-hv" link show dev "$1" |
        sed -n 's|.*prog/xdp id \([0-9]*\).*|\1|p'
}

# Succeeds if NIC of hv carries no XDP program.
no_program() {
    inverted grep -w prog/xdp <<<"$(ip -n "$SANDBOX_ID-hv" link show dev "$1")"
}

# Succeeds if the pin directory is empty or gone.
no_pins() {
    equal "what is pinned" "$(ls -A "$SANDBOX_PINS" 2>/dev/null)" ""
}
