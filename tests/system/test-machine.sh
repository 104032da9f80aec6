#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Bad days of the machine: a pin directory that cannot be used, no memory, no
# descriptors, a full disk for the log, a clock that jumps.  Each is named, what
# is pinned goes on, and when the day is over all is well by itself.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
pvm=172.24.100.50
xdpd=$(realpath "$OVN_XDPD")
refuse="$sandbox_lib/refuse.py"

# Runs a second ovn-xdpd, with OPTIONS, by COMMAND; what it says is that which
# systemd would show.
#
# usage: other OPTIONS COMMAND...
other() {
    local options=$1

    shift
    # Several options are several words.
    # shellcheck disable=SC2086
    ns hv timeout 30 "$@" "$xdpd" -vconsole:off --no-chdir \
        --log-file="$SANDBOX/other.log" --unixctl="$SANDBOX/other.ctl" \
        --rpc-socket="$SANDBOX/other.rpc" --pin-dir="$SANDBOX_PINS" \
        $options "unix:$SANDBOX/db.sock"
}

# Succeeds if it ends with status 1 and its last words contain WORDS.
#
# usage: fails WORDS OPTIONS COMMAND...
fails() {
    local words=$1 output status

    shift
    output=$(other "$@" 2>&1)
    status=$?
    printf '%s\n' "$output"
    equal "exit status" "$status" 1 &&
        grep -qiF -- "$words" <<<"$(tail -n 1 <<<"$output")" &&
        grep -qiF -- "$words" "$SANDBOX/other.log"
}

# Succeeds if nothing that is pinned has come or gone.
pins_are() {
    equal "what is pinned" "$(find "$SANDBOX_PINS" | sort)" "$1"
}

# Succeeds if --cleanup of the whole bpffs fails, and says why.
fails_to_clean() {
    local output

    output=$(ns hv timeout 30 "$xdpd" --cleanup --pin-dir=/sys/fs/bpf \
        "unix:$SANDBOX/db.sock" 2>&1)
    equal "exit status" $? 1 && grep -F "others have their pins" <<<"$output"
}

# The pin directory, and what else a start needs.
starts() {
    local no_bpffs='umount -l /sys/fs/bpf' dir=$SANDBOX_PINS/foreign before
    local read_only='mount -o remount,bind,ro /sys/fs/bpf'

    before=$(find "$SANDBOX_PINS" | sort)
    check "no bpffs" fails "try: mount -t bpf bpf /sys/fs/bpf" "" \
        unshare -m bash -c "$no_bpffs && exec \"\$@\"" --
    check "a bpffs that is read-only" fails "remount,rw" "" \
        unshare -m bash -c "$read_only && exec \"\$@\"" --
    check "a file for a pin directory" fails "Not a directory" \
        "--pin-dir=$SANDBOX/conf.db"
    check "the whole bpffs for a pin directory" \
        fails "others have their pins" "--pin-dir=/sys/fs/bpf"
    check "not for --cleanup either" fails_to_clean
    mkdir -m 700 "$dir" && chown 65534 "$dir"
    check "somebody else's" fails "not permitted" "--pin-dir=$dir" \
        setpriv --bounding-set=-dac_override,-dac_read_search
    rmdir "$dir"
    check "no capability" fails "CAP_BPF" "--pin-dir=$dir" \
        setpriv --bounding-set=-bpf,-sys_admin
    rmdir "$dir"
    check "8 descriptors are left" fails "Too many open files" "" \
        "$PYTHON3" "$refuse" descriptors=1008,1008
    config max-endpoints 1048576
    check "no memory for maps" fails "MemoryMax=" "" \
        "$PYTHON3" "$refuse" memory
    config max-endpoints
    check "nothing is left, nothing has gone" pins_are "$before"
}

# Succeeds if a daemon without a bpffs tells what it would do.
dry_run() {
    local status

    other --dry-run unshare -m bash -c 'umount -l /sys/fs/bpf && exec "$@"' \
        -- >"$SANDBOX/dry.out" 2>&1 &
    await 20 dry_run_answers
    status=$?
    ovn-appctl -t "$SANDBOX/other.ctl" exit
    wait $!
    return "$status"
}

# Succeeds if the daemon of dry_run has the endpoint of the cloud.
dry_run_answers() {
    "$OVN_XDPCTL" -s "$SANDBOX/other.rpc" endpoints "$fip" | grep -w "$fip"
}

# Prints how many ticks of a processor the daemon has had.
ticks() {
    sed 's/.*) //' "/proc/$(daemon_pid)/stat" | awk '{ print $12 + $13 }'
}

# Succeeds if somebody who connects to the control socket waits for 3 s, and
# the daemon meanwhile uses less than a third of a processor.
waits_calmly() {
    local before after

    before=$(ticks)
    inverted timeout 3 ovn-appctl \
        -t "$SANDBOX/ovn-xdpd.$(daemon_pid).ctl" version || return
    after=$(ticks)
    between "ticks of a processor" $((after - before)) 0 \
        "$(getconf CLK_TCK)"
}

# No descriptor while the daemon runs.
descriptors() {
    descriptors_take
    check "no descriptor: who connects waits" waits_calmly
    check "the log says so" log_has x.log "no file descriptor is left"
    check "packets flow" pings $fip
    descriptors_give
    check "with descriptors all is well" await 10 daemon_appctl version
    check "health, too" await 10 ctl health
}

# Starts the daemon with 1,000 descriptors taken, of 1,024 that it may have if
# it asks for no more.  It must be the daemon that asks: the limits of the unit
# would undo these.
daemon_start_full() {
    local OVN_XDP_CONFINE=no

    DAEMON_PREFIX=(timeout 60 prlimit --memlock=0:0 "$PYTHON3" "$refuse"
        "descriptors=1024,4096")
    daemon_start
}

# Starts the daemon with its log on a file system of 64 KiB that nobody else
# sees, and with a wall clock that the test can move.
daemon_start_odd() {
    mkdir -p "$logs" && echo 0 >"$SANDBOX/shift" &&
        "${CC:-cc}" -shared -fPIC -I "$daemon_build" \
            -o "$SANDBOX/shift.so" \
            "$sandbox_lib/shift.c" || return
    # The shell that is started expands these.
    # shellcheck disable=SC2016
    DAEMON_PREFIX=(unshare -m bash -c 'mount -t tmpfs -o size=64k tmpfs "$1" &&
        shift && exec "$@"' -- "$logs" env OVN_XDP_SHIFT="$SANDBOX/shift"
        LD_PRELOAD="$SANDBOX/shift.so")
    daemon_start --log-file="$logs/x.log"
}

# Makes the daemon log a line with the word WORD.
log_line() {
    config mode "$1" && await 10 has_problem bad-value && config mode &&
        await 10 inverted has_problem bad-value
}

# Succeeds if the log FILE, of the daemon's own file system, has a line with
# WORDS and no holes.
log_has() {
    local file

    file=/proc/$(daemon_pid)/root$logs/$1
    grep -qF -- "$2" "$file" &&
        equal "zero bytes" "$(tr -dc '\000' <"$file" | wc -c)" 0
}

# The log is rotated, and its disk runs full.
log_files() {
    local dir

    dir=/proc/$(daemon_pid)/root$logs
    check "a line is logged" log_line one
    check "it is there" log_has x.log '"one"'
    mv "$dir/x.log" "$dir/x.log.1"
    check "renamed, the log is still written" log_line two
    check "under its new name" log_has x.log.1 '"two"'
    check "vlog/reopen" daemon_appctl vlog/reopen
    check "then under its old one" log_line three
    check "in a new file" log_has x.log '"three"'
    check_not "without what was before" log_has x.log '"one"'

    cp "$dir/x.log" "$dir/x.log.2" && : >"$dir/x.log"
    check "copied and truncated, the log is written" log_line four
    check "from its beginning" log_has x.log '"four"'

    rm "$dir"/x.log.?
    dd if=/dev/zero of="$dir/fill" bs=1k 2>/dev/null
    check "a full disk is a problem" await 10 has_problem log-file
    check "of health, too" equal "exit status" \
        "$(ctl health >/dev/null; echo $?)" 1
    check "the daemon follows" log_line five
    check "packets flow" pings_through_xdp $pvm
    rm "$dir/fill"
    check "with room there is none" await 10 inverted has_problem log-file
    check "a line is logged again" log_line six
    check "it is there" log_has x.log '"six"'
}

# Succeeds if the daemon does not believe that much time has passed.
times_are_right() {
    ctl -f json status | json "d['uptime_seconds'] < 600 and all(
        db['last_change_seconds'] < 600 for db in d['databases']) or 1 / 0"
}

# Prints the day of a time in SECONDS.
day_in() {
    date -u -d "@$(($(date +%s) + $1))" +%Y-%m-%d
}

# Succeeds if the daemon logs a line with the time in SECONDS.
logs_day() {
    local before

    before=$(day_in "$1")
    log_line "at$1" &&
        { log_has x.log "$before" || log_has x.log "$(day_in "$1")"; }
}

# The wall clock jumps by SECONDS.
clock_jump() {
    local seconds=$1

    echo "$seconds" >"$SANDBOX/shift"
    check "clock $seconds s: the log has that time" logs_day "$seconds"
    check "clock $seconds s: ages are right" times_are_right
    check "clock $seconds s: all is well" ctl health
    config exclude $pvm
    check "clock $seconds s: a change is followed" await 10 \
        endpoint_is $pvm reason excluded
    config exclude
    check "and back" await_offloaded $pvm
    check "clock $seconds s: it redirects" pings_through_xdp $pvm
}

sandbox_start
logs=$SANDBOX/logs
cloud_add || die "the cloud failed"
kernel_route $fip fa:16:3e:00:01:11
kernel_route $pvm fa:16:3e:00:01:50
warm $fip
warm $pvm
config interfaces nic0
config stale-timeout 60
check "ovn-xdpd starts" daemon_start || finish
check "$fip is offloaded" await_offloaded $fip
check "it is reached through XDP" pings_through_xdp $fip
check "it exits" daemon_stop
ping_start $fip 10
starts
check "--dry-run needs nothing of that" dry_run
check "with a higher limit they are no matter, nor is locked memory" \
    daemon_start_full
check "all is offloaded" await_offloaded $fip
ping_stop
check "meanwhile not one ping was lost" equal lost "$ping_lost" 0
check "and all is redirected" pings_through_xdp $fip
check "it exits" daemon_stop
check "it starts with a disk and a clock of its own" daemon_start_odd
check "all is well" await 10 ctl health
ping_start $fip 10
descriptors
log_files
clock_jump 86400
clock_jump -86400
ping_stop
check "not one ping was lost" equal lost "$ping_lost" 0
finish
