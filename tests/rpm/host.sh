# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A host to install packages on: this machine as it is, under an overlay that
# takes all writes, in a mount namespace that ends with the test.  systemd does
# not run there; what it is asked to do is written down.  Sourced by test-rpm.sh
# within that namespace.

host=$OVN_XDP_TMP/host
asked=/asked

# Mounts the host.
host_create() {
    local upper=$OVN_XDP_TMP/upper

    mkdir -p "$host" "$upper"
    mount -t tmpfs ovn-xdp-rpm "$upper" &&
        mkdir "$upper/upper" "$upper/work" &&
        mount -t overlay -o "lowerdir=/,upperdir=$upper/upper" \
            -o "workdir=$upper/work" overlay "$host" &&
        mount --bind /dev "$host/dev" &&
        mount --bind /proc "$host/proc" &&
        rm -rf "$host/var/lib/rpm" "$host/run/ovn" "$host/var/log/ovn" &&
        mkdir "$host/packages" &&
        stub /usr/bin/systemctl &&
        stub /usr/lib/systemd/systemd-update-helper
}

# Puts a program in the place of PATH on the host that writes its command line
# to the list of what was asked, with OVS_RUNDIR if its environment has it, and
# ends with STATUS (default 0).
#
# usage: stub PATH [STATUS]
stub() {
    rm -f "$host$1"
    cat >"$host$1" <<END
#!/bin/sh
echo "\${0##*/}\${*:+ \$*}\${OVS_RUNDIR:+ (OVS_RUNDIR=\$OVS_RUNDIR)}" >>$asked
exit ${2:-0}
END
    chmod 755 "$host$1"
}

# Runs COMMAND on the host, without a network: what listens on this machine is
# none of its business.
on_host() {
    unshare --net chroot "$host" "$@"
}

# Runs rpm with ARGUMENTS on the host, and leaves out what it always says.
# Debian's rpm advises against itself.
host_rpm() {
    local option=--force-debian said status

    rpm --help | grep -q -e "$option" || option=--quiet
    said=$(on_host rpm "$option" "$@" 2>&1)
    status=$?
    grep -v -e '^$' -e '^Creating group ' -e ' saved as .*rpmsave$' <<<"$said"
    return $status
}

# Succeeds if rpm with ARGUMENTS does, says nothing, and asks for the lines on
# standard input and no others.
#
# usage: rpm_asks ARGUMENT... <<<LINES
rpm_asks() {
    local said

    rm -f "$host$asked"
    touch "$host$asked"
    said=$(host_rpm "$@") || {
        printf 'rpm failed: %s\n' "$said"
        return 1
    }
    equal "what rpm says" "$said" "" &&
        equal "what was asked" "$(cat "$host$asked")" "$(cat)"
}
