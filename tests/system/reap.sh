#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Takes a sandbox away: its processes, network namespaces, pins and files.
# sandbox.sh runs it at the end, and starts it at the beginning with the
# process id of the test, so that also a test killed with -9 leaves nothing.
#
# usage: reap.sh ID DIRECTORY PIN-DIRECTORY [PID-TO-OUTLIVE]
set -u

id=${1:?} dir=${2:?} pins=${3:?} owner=${4:-}

# Prints the process ids that live in namespaces of this sandbox.
living() {
    local file

    for file in /run/netns/"$id"-*; do
        [ -e "$file" ] && ip netns pids "${file##*/}" 2>/dev/null
    done
}

# Kills what lives in the sandbox.  The list is read again, since a process
# may have started another one meanwhile.
kill_all() {
    local pids try

    for ((try = 0; try < 100; try++)); do
        mapfile -t pids < <(living)
        [ ${#pids[@]} -eq 0 ] && return 0
        kill -KILL "${pids[@]}" 2>/dev/null
        sleep 0.02
    done
    return 1
}

# Removes the control groups that a systemd of this sandbox has left.  One is
# busy for a moment after its last process was killed.
remove_groups() {
    # shellcheck disable=SC2016  # The inner shell's.
    unshare --mount bash -c 'mount -t cgroup2 none "$1" && cd "$1" || exit
        for ((try = 0; try < 250; try++)); do
            [ -d "$2" ] || exit 0
            find "$2" -depth -type d -exec rmdir {} + && exit
            sleep 0.02
        done' - "$dir/cgroup" "ovn-xdp-$id"
}

if [ -n "$owner" ]; then
    tail --pid="$owner" -s 0.1 -f /dev/null
fi
kill_all
for file in /run/netns/"$id"-*; do
    [ -e "$file" ] && ip netns del "${file##*/}"
done
[ -d "$dir/root" ] && mkdir "$dir/cgroup" && remove_groups
rm -rf -- "$pins" "$dir"
