#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The packages that "make rpm" builds: what is in them, and what happens when
# they are installed, upgraded and removed.  Building takes a minute or two.
#
# time-limit: 900

set -u

# All mounts of this test are in a namespace of its own.
if [ -z "${OVN_XDP_RPM_UNSHARED-}" ]; then
    OVN_XDP_RPM_UNSHARED=yes exec unshare --mount --propagation private "$0"
fi

# shellcheck source=tests/system/report.sh
. "$OVN_XDP_SRCDIR/tests/system/report.sh"
# shellcheck source=tests/rpm/host.sh
. "$OVN_XDP_SRCDIR/tests/rpm/host.sh"

packages=$OVN_XDP_BUILDDIR/rpm/packages
root=$OVN_XDP_TMP/root
version=$("$OVN_XDP_BUILDDIR/rpc/ovn-xdpctl" --version |
    sed -n '1s/.* //p')
ovs_version=$(sed -n 's/^OVSVERSION = //p' "$OVN_XDP_BUILDDIR/Makefile")

make_rpm() {
    make -C "$OVN_XDP_BUILDDIR" rpm
}

# Prints the only file that matches PATTERN.
only() {
    # shellcheck disable=SC2086  # The pattern is one.
    set -- $1
    [ $# -eq 1 ] && [ -e "$1" ] && echo "$1"
}

# Builds the packages and unpacks the one with the programs.
build() {
    local log

    make_rpm || return
    log=$(stat -c %y "$packages/log")
    make_rpm || return
    equal "time of the log" "$(stat -c %y "$packages/log")" "$log"
}

# Succeeds if rpmlint has nothing to say.
lint() {
    local said

    said=$(rpmlint -c "$OVN_XDP_SRCDIR/rpm/rpmlint.toml" \
        "$packages/RPMS" "$packages/SRPMS" "$packages/SPECS/ovn-xdp.spec" 2>&1)
    grep -q ' packages and 1 specfiles checked; 0 errors, 0 warnings' \
        <<<"$said" || {
        echo "$said"
        return 1
    }
}

# Prints the answer of the package to rpm's QUERY.
query() {
    rpm -qp "$@" "$package" | grep -v '/usr/lib/\.build-id'
}

# Succeeds if the package has just these files, with modes, owners and flags:
# "c" is configuration, "n" is not replaced when the package is, "d" is
# documentation, "l" a licence.
files() {
    local format='%{FILEMODES:perms} %{FILEUSERNAME}:%{FILEGROUPNAME} '

    format+='%{FILENAMES} %{FILEFLAGS:fflags}'
    diff <(expected_files | LC_ALL=C sort -k 3) \
        <(query --queryformat "[$format\n]" |
            sed -e 's/ *$//' -e "s/-$version/-VERSION/g" |
            LC_ALL=C sort -k 3)
}

# Prints them; of pages and dashboards there are those of the sources.
expected_files() {
    local name

    cat <<END
-rw-r--r-- root:root /etc/sysconfig/ovn-xdp cn
-rwxr-xr-x root:root /usr/bin/ovn-xdpctl
-rw-r--r-- root:root /usr/lib/systemd/system/ovn-xdp-metrics.service
-rw-r--r-- root:root /usr/lib/systemd/system/ovn-xdp-metrics.timer
-rw-r--r-- root:root /usr/lib/systemd/system/ovn-xdpd-cleanup.service
-rw-r--r-- root:root /usr/lib/systemd/system/ovn-xdpd.service
-rw-r--r-- root:root /usr/lib/sysusers.d/ovn-xdp.conf
-rw-r--r-- root:root /usr/lib/tmpfiles.d/ovn-xdp.conf
-rwxr-xr-x root:root /usr/sbin/ovn-xdpd
-rw-r--r-- root:root /usr/share/bash-completion/completions/ovn-xdpctl
-rw-r--r-- root:root /usr/share/bash-completion/completions/ovn-xdpd
drwxr-xr-x root:root /usr/share/doc/ovn-xdp-VERSION
-rw-r--r-- root:root /usr/share/doc/ovn-xdp-VERSION/NEWS.md d
-rw-r--r-- root:root /usr/share/doc/ovn-xdp-VERSION/README.md d
drwxr-xr-x root:root /usr/share/licenses/ovn-xdp-VERSION
-rw-r--r-- root:root /usr/share/licenses/ovn-xdp-VERSION/LICENSE l
-rw-r--r-- root:root /usr/share/licenses/ovn-xdp-VERSION/LICENSE.BSD-2-Clause l
-rw-r--r-- root:root /usr/share/licenses/ovn-xdp-VERSION/LICENSE.GPL-2.0 l
-rw-r--r-- root:root /usr/share/man/man7/ovn-xdp-reasons.7.gz d
drwxr-xr-x root:root /usr/share/ovn-xdp
-rw-r--r-- root:root /usr/share/ovn-xdp/logrotate.conf
END
    for name in "$OVN_XDP_SRCDIR"/{plugin,rpc}/*.[78]; do
        [ "${name##*/}" = ovn-xdp-reasons.7 ] ||
            echo "-rw-r--r-- root:root" \
                "/usr/share/man/man${name##*.}/${name##*/}.gz d"
    done
    for name in "$OVN_XDP_SRCDIR"/rpm/grafana/*.json; do
        [ ! -e "$name" ] ||
            echo "-rw-r--r-- root:root /usr/share/ovn-xdp/${name##*/}"
    done
}

# Succeeds if the words of QUERY have each of the lines on standard input.
says() {
    local line said status=0

    said=$(query "$1")
    while read -r line; do
        grep -qxF -- "$line" <<<"$said" || {
            echo "$1 does not have $line"
            status=1
        }
    done
    return "$status"
}

# The policy is compiled, and compressed.
policy() {
    local file=usr/share/selinux/packages/targeted/ovn_xdp.pp.bz2

    package=$policy_package query --list |
        diff - <(printf '/usr/share/%s\n' doc/ovn-xdp-selinux-"$version" \
            doc/ovn-xdp-selinux-"$version"/ovn_xdp.te \
            licenses/ovn-xdp-selinux-"$version" \
            licenses/ovn-xdp-selinux-"$version"/LICENSE \
            selinux/devel/include/distributed/ovn_xdp.if \
            selinux/packages/targeted/ovn_xdp.pp.bz2) &&
        rpm2cpio "$policy_package" |
        cpio --extract --to-stdout --quiet "./$file" | bunzip2 |
            grep -q -a ovn_xdpd_t
}

provides() {
    says --provides <<END
bundled(openvswitch) = $ovs_version
config(ovn-xdp) = $version-1
ovn-xdp = $version-1
END
}

# libopenvswitch is not among them: it is inside.  OVN may be elsewhere.
requires() {
    says --requires <<END &&
/usr/bin/ovs-vsctl
libbpf.so.1()(64bit)
systemd
END
        inverted grep -e openvswitch -e /ovn- <<<"$(query --requires)" &&
        equal recommends "$(query --recommends)" /usr/bin/ovn-controller
}

# Succeeds if the source package has all that building another needs.
sources() {
    diff - <(rpm -qpl "$packages"/SRPMS/*.src.rpm | LC_ALL=C sort) <<END
openvswitch-$ovs_version.tar.gz
ovn-xdp-$version.tar.xz
ovn-xdp.spec
ovn-xdp.sysusers
END
}

# Succeeds if installed program PATH is hardened and stripped, and starts.
program() {
    local file=$root$1 elf

    elf=$(readelf --wide --program-headers --dynamic --sections --dyn-syms \
        "$file") &&
        grep -q 'FLAGS_1.* NOW PIE' <<<"$elf" &&
        grep -q ' GNU_RELRO ' <<<"$elf" &&
        inverted grep 'GNU_STACK.* RWE ' <<<"$elf" &&
        grep -q '__stack_chk_fail' <<<"$elf" &&
        grep -q '_chk@' <<<"$elf" &&
        inverted grep -F '.symtab' <<<"$elf" &&
        inverted grep 'not found' <<<"$(ldd "$file")" &&
        grep -q "^${1##*/} .*$version\$" <<<"$("$file" --version)"
}

# Succeeds if each manual page of the package is formatted without complaint.
pages() {
    local page said

    for page in "$root"/usr/share/man/man*/*.gz; do
        said=$(LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -l "$page" \
            2>&1 >/dev/null) && equal "man $page" "$said" "" || return
    done
}

completions() {
    local file

    for file in "$root"/usr/share/bash-completion/completions/*; do
        bash -n "$file" || return
    done
}

# Makes a package of the next release from the files of this one, whose
# scriptlets are this one's and whose sysconfig file has another line.
next_release() {
    local spec=$OVN_XDP_TMP/next.spec next=$OVN_XDP_TMP/next

    cp -a "$root" "$next"
    echo "# Another line." >>"$next/etc/sysconfig/ovn-xdp"
    sed -e '/^%prep$/,/^%pre$/{/^%pre$/!d}' -e 's/^Release: .*/Release: 2/' \
        -e '/^Source[01]:/d' -e '/^%license/d' -e '/^%doc/d' \
        -e "s,^%pre\$,%install\\ncp -a $next/. %{buildroot}\\n\\n&," \
        "$packages/SPECS/ovn-xdp.spec" >"$spec"
    rpmbuild -bb --nodeps --without selinux --load "$OVN_XDP_SRCDIR/rpm/macros" \
        --define "_topdir $OVN_XDP_TMP/next-top" \
        --define "_sourcedir $packages/SOURCES" \
        --define "_unpackaged_files_terminate_build 0" \
        "$spec" >"$OVN_XDP_TMP/next.log" 2>&1 || {
        tail "$OVN_XDP_TMP/next.log"
        return 1
    }
}

installs() {
    cp "$package" "$host/packages/first.rpm"
    rpm_asks --install --nodeps /packages/first.rpm <<END &&
systemd-update-helper install-system-units ovn-xdpd.service \
ovn-xdp-metrics.timer
END
        grep -q '^ovn-xdp:' "$host/etc/group" &&
        host_rpm --verify --nodeps ovn-xdp
}

upgrades() {
    # shellcheck disable=SC2016  # It is to be executed by nobody.
    printf '%s\n' 'OVN_XDPD_OPTIONS="--pin-dir=/elsewhere"' \
        'OVS_RUNDIR=$(touch /executed)' >>"$host/etc/sysconfig/ovn-xdp"
    cp "$(only "$OVN_XDP_TMP/next-top/RPMS/*/*.rpm")" \
        "$host/packages/next.rpm" || return
    host_rpm --upgrade --nodeps --test /packages/next.rpm || return
    rm -f "$host$asked"
    host_rpm --upgrade --nodeps /packages/next.rpm || return
    equal "what was asked" "$(cat "$host$asked")" \
        "systemd-update-helper mark-restart-system-units ovn-xdpd.service" &&
        grep -q elsewhere "$host/etc/sysconfig/ovn-xdp" &&
        grep -q 'Another line' "$host/etc/sysconfig/ovn-xdp.rpmnew"
}

# Prints mode and owner of the folders of OVN on the host.
ovn_folders() {
    (cd "$host" && stat -c '%a %u:%g %n' run/ovn var/log/ovn)
}

# Folders that are not there are made, those that are stay what they are.
folders() {
    rm -rf "$host/run/ovn" "$host/var/log/ovn"
    on_host systemd-tmpfiles --create /usr/lib/tmpfiles.d/ovn-xdp.conf &&
        equal folders "$(ovn_folders)" \
            "$(printf '755 0:0 %s\n' run/ovn var/log/ovn)" &&
        chmod 750 "$host/run/ovn" "$host/var/log/ovn" &&
        chown 1234:4321 "$host/run/ovn" "$host/var/log/ovn" &&
        on_host systemd-tmpfiles --create /usr/lib/tmpfiles.d/ovn-xdp.conf &&
        equal folders "$(ovn_folders)" \
            "$(printf '750 1234:4321 %s\n' run/ovn var/log/ovn)"
}

# Succeeds if the daemon has opened its log anew.
reopened() {
    grep -q 'opened log file' "$log"
}

# Succeeds if RULE rotates the log of the running daemon, which takes a new one.
#
# usage: rotates RULE
rotates() {
    rm -f "$log".* "$host/state"
    printf 'rotate 4\ninclude %s\n' "$1" >"$host/rotate.conf"
    on_host logrotate --force --state /state /rotate.conf &&
        await 10 reopened &&
        zgrep -q . "$log.1.gz"
}

# As logrotate(8) reads all of /etc/logrotate.d.
two_rules() {
    local said

    said=$(on_host logrotate --debug "$ovn_rule" "$our_rule" 2>&1) && {
        echo "that is no error"
        return 1
    }
    grep 'duplicate log entry for /var/log/ovn/ovn-xdpd.log' <<<"$said"
}

# Starts the installed daemon on the host, without databases.
start_daemon() {
    on_host ovn-xdpd --dry-run --detach --no-chdir --pidfile --log-file \
        -vconsole:off unix:/nowhere
}

stop_daemon() {
    on_host ovn-appctl -t ovn-xdpd exit
}

# systemd is asked last, which has the options and environment of the service;
# the package reads none of them.
removes() {
    mkdir -p "$host/run/systemd/system"
    stub /usr/sbin/ovn-xdpd
    rpm_asks --erase ovn-xdp <<END && inverted ls "$host/executed"
systemd-update-helper remove-system-units ovn-xdpd.service \
ovn-xdp-metrics.timer
systemctl start ovn-xdpd-cleanup.service
END
}

# The policy goes where one of its kind is in force, and goes again.  What is
# there of the daemon gets its labels.
policy_installs() {
    local module=/usr/share/selinux/packages/targeted/ovn_xdp.pp.bz2
    local labelled="/run/ovn/ovn-xdpd.* /var/log/ovn/ovn-xdpd.log*"

    mkdir -p "$host/etc/selinux"
    echo SELINUXTYPE=targeted >"$host/etc/selinux/config"
    stub /usr/sbin/semodule
    stub /usr/sbin/selinuxenabled
    stub /usr/sbin/load_policy
    stub /usr/sbin/restorecon
    # The shell leaves patterns alone that match nothing.
    rm -rf "$host/run/ovn" "$host/var/log/ovn"
    cp "$policy_package" "$host/packages/policy.rpm"
    rpm_asks --install --nodeps /packages/policy.rpm <<END &&
semodule -n -s targeted -X 200 -i $module
selinuxenabled
load_policy
selinuxenabled
restorecon -i /usr/sbin/ovn-xdpd $labelled
END
        rpm_asks --erase ovn-xdp-selinux <<END
semodule -n -s targeted -X 200 -r ovn_xdp
selinuxenabled
load_policy
selinuxenabled
restorecon -i /usr/sbin/ovn-xdpd $labelled
systemctl --no-block try-restart ovn-xdpd.service
END
}

# As removes(), but the unit fails.
removes_anyway() {
    local said

    host_rpm --install --nodeps /packages/first.rpm || return
    stub /usr/bin/systemctl 1
    said=$(host_rpm --erase ovn-xdp) || return
    equal "what it says" "$said" "ovn-xdp: warning: not everything was taken \
away: journalctl -u ovn-xdpd-cleanup says what stays" &&
        inverted host_rpm --query ovn-xdp
}

# Without systemd it is the daemon itself that is asked, here in vain: no
# database answers it.
removes_without_systemd() {
    local said

    host_rpm --install --nodeps /packages/first.rpm || return
    rm -r "$host/run/systemd/system"
    said=$(host_rpm --erase ovn-xdp) || return
    grep '^ovn-xdpd: not everything is gone' <<<"$said" &&
        grep -x 'ovn-xdp: warning: not everything was taken away' \
            <<<"$said" &&
        inverted host_rpm --query ovn-xdp
}

check "make rpm builds what has changed" build || exit 1
package=$(only "$packages/RPMS/*/ovn-xdp-$version-1.*.rpm") ||
    die "there is no package"
policy_package=$(only "$packages/RPMS/noarch/ovn-xdp-selinux-$version-1*.rpm") ||
    die "there is no package of the policy"
mkdir "$root"
rpm2cpio "$package" |
    (cd "$root" && cpio --extract --make-directories --quiet)
check "rpmlint" lint
check "files, modes, owners and flags" files
check "the package of the SELinux policy" policy
check "what it provides" provides
check "what it requires" requires
check "the source package" sources
check "ovn-xdpd is hardened, stripped, and starts" program /usr/sbin/ovn-xdpd
check "ovn-xdpctl too" program /usr/bin/ovn-xdpctl
check "manual pages" pages
check "completion" completions

check "a package of the next release" next_release
host_create || die "no overlay on this machine"
check "installs: the unit is preset, the group is there" installs
check "upgrades: restart is asked for, configuration is kept" upgrades
check "folders of OVN are made, or left as they are" folders
log=$host/var/log/ovn/ovn-xdpd.log
our_rule=/usr/share/ovn-xdp/logrotate.conf
ovn_rule=$(cd "$host" && grep -l /var/log/ovn/ etc/logrotate.d/*)
check "the installed daemon starts" start_daemon
check "OVN's rule rotates its log" rotates "/$ovn_rule"
check "ours does, where OVN's is not" rotates "$our_rule"
check "both are an error, so that ours is not installed" two_rules
check "the installed daemon stops" stop_daemon
check "removes: stops, then takes everything away" removes
check "the policy of SELinux comes and goes" policy_installs
check "removes also where that fails, and says so" removes_anyway
check "and where no systemd runs" removes_without_systemd
[ "$report_failed" -eq 0 ]
