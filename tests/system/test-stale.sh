#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ovn-xdp-stale-timeout: a daemon that is dead or hangs leaves the packets to
# the host's slow path after its time, and not one is lost on the way there or
# back.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
pvm=172.24.100.50
pvm6=2001:db8:100::50

# The place of 'stale' among the packet reasons, and of how many NICs each has a
# counter.
stale_place=$(grep '^PACKET_REASON(' "$sandbox_lib/../../bpf/reason.def" |
    sed -n '/(STALE,/=')
nics=$(sed -n 's/^#define OX_MAX_NICS //p' "$sandbox_lib/../../bpf/abi.h")

# Prints all of the map NAME of the newest generation.
pinned() {
    local newest

    newest=$(printf '%s\n' "$SANDBOX_PINS"/gen-* | sort -V | tail -n 1)
    bpftool -j map dump pinned "$newest/$1"
}

# Prints how many frames all NICs have passed as stale.  The daemon may not be
# there to be asked.
stale() {
    pinned reasons | json "sum(int.from_bytes(bytes(int(b, 16)
        for b in c['value'][:8]), 'little') for i, e in enumerate(d)
        if i % (len(d) // $nics) == $stale_place - 1 for c in e['values'])"
}

# Succeeds if more than COUNT frames have been passed as stale.
stale_above() {
    [ "$(stale)" -gt "$1" ]
}

# Prints when the daemon last was alive, in milliseconds.
heartbeat() {
    pinned heartbeat | json "int.from_bytes(bytes(int(b, 16)
        for b in d[0]['value']), 'little') // 1000000"
}

# Succeeds if the daemon was alive after MILLISECONDS.
heartbeat_after() {
    [ "$(heartbeat)" -gt "$1" ]
}

# Prints the identifiers of nic0's program and of the link that it hangs on.
program_and_link() {
    bpftool -j link show pinned "$SANDBOX_PINS/links/nic0" |
        json "f\"{d['prog_id']} {d['id']}\""
}

# Succeeds if nic0 runs another program than PROGRAM on the link LINK.
#
# usage: replaced PROGRAM LINK
replaced() {
    local now

    now=$(program_and_link) && [ "${now% *}" != "$1" ] &&
        equal "link" "${now#* }" "$2"
}

# Sets the timeout and checks that nic0 gets a program with it, on its link.
#
# usage: timeout_is SECONDS
timeout_is() {
    local before link

    read -r before link <<<"$(program_and_link)"
    config stale-timeout "$1"
    check "$1 s: the program is replaced on its link" await 10 \
        replaced "$before" "$link"
}

# Succeeds if the daemon has failed to replace a program.
replacing_fails() {
    grep "nic0: cannot attach .*Too many open files" "$SANDBOX/ovn-xdpd.log"
}

# Succeeds if there is no heartbeat for two seconds.
heart_rests() {
    inverted await 2 heartbeat_after "$(heartbeat)"
}

# Succeeds if all pings to ADDRESS are answered and as many frames at least have
# been passed as stale: there may be another ping.
slow_pings() {
    local before

    before=$(stale) && pings "$1" 5 && stale_above $((before + 4))
}

# Has COMMAND take the daemon away and waits until the slow path takes over.
#
# usage: goes_slow NAME COMMAND...
goes_slow() {
    local name=$1 before

    shift
    before=$(stale)
    check "$name" "$@"
    check "$name: the slow path takes over" await 20 stale_above \
        $((before + 20))
}

# Ends the ping of ping_start; succeeds if all were answered.
ping_whole() {
    ping_stop && echo "$ping_sent pings" && equal lost "$ping_lost" 0
}

sandbox_start
cloud_add || die "the cloud failed"
kernel_route $fip fa:16:3e:00:01:11
kernel_route $pvm fa:16:3e:00:01:50
kernel_route $pvm6 fa:16:3e:00:01:50
warm $fip
warm $pvm
warm $pvm6
config interfaces nic0
check "ovn-xdpd starts" daemon_start || finish
check "$fip is offloaded" await_offloaded $fip

# The key.  Where nothing may become stale, the timeout is one that a busy
# machine keeps.
ping_start $fip 5
for seconds in 30 0 30; do
    timeout_is $seconds
    check "$seconds s: status has it" setting_is stale-timeout $seconds
done
check "explain too" grep -F "without the daemon it redirects for 30 s" \
    <<<"$(ctl explain $fip)"
check "not one ping was lost" ping_whole
check "nothing is stale" equal stale "$(stale)" 0
check "all is redirected" pings_through_xdp $fip

# It is to be replaced by a program without a timeout, and cannot be.
read -r before link <<<"$(program_and_link)"
descriptors_take
config stale-timeout 0
check "without descriptors it is not replaced" await 10 replacing_fails
check "so that the heart beats on" await 20 heartbeat_after \
    $(($(heartbeat) + 2000))
check "for the old program" equal program "$(program_and_link)" "$before $link"
descriptors_give
check "with descriptors it is" await 20 replaced "$before" "$link"
check "then the heart rests" await 20 heart_rests

# The daemon dies.
timeout_is 2
ping_start $fip 5
goes_slow "kill -9" daemon_kill
check "from all" slow_pings $pvm
check "IPv6 too" slow_pings $pvm6
check "a new daemon starts" daemon_start
check "and takes over" await 10 pings_through_xdp $pvm
check "kill -9: not one ping was lost" ping_whole

# It hangs.
ping_start $fip 5
goes_slow "SIGSTOP" kill -STOP "$(daemon_pid)"
kill -CONT "$(daemon_pid)"
check "SIGCONT" await 10 pings_through_xdp $pvm
check "SIGSTOP: not one ping was lost" ping_whole

# It lives without its database.
timeout_is 30
before=$(stale)
check "the Southbound server ends" daemon_end sb-db TERM
check "the heart beats on" await 20 heartbeat_after $(($(heartbeat) + 3000))
check "nothing is stale" equal stale "$(stale)" "$before"
check "all is redirected" pings_through_xdp $fip

# It is replaced while nothing tells what OVN wants.
timeout_is 2
ping_start $fip 5
goes_slow "kill -9 without a Southbound" daemon_kill
check "a new daemon starts" daemon_start
check "and trusts nothing" slow_pings $pvm
check "the Southbound server is back" server_start sb
check "then it does" await 20 pings_through_xdp $pvm
check "without a Southbound: not one ping was lost" ping_whole

check "it exits" daemon_stop
check "exit counts, too" await 20 slow_pings $pvm
check "it is back" daemon_start
check "and redirects" await 10 pings_through_xdp $pvm

# Without a slow path.
check "all have one but the router and the others" has_problem no-slow-path
check "status says what follows" grep -F ovn-xdp-stale-timeout \
    <<<"$(ctl status)"
finish
