#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# From a fresh clone on a fresh Debian 12 to a built, shown and checked
# ovn-xdp.  What is built here is in _build/; the Open vSwitch library, which
# no package brings with its headers, is built once into a cache outside.
set -euo pipefail

top=$(cd "$(dirname "$0")" && pwd)
build=$top/_build
jobs=$(nproc)

# To build; to run a real OVN; to look at packets; to check; to package; for
# the guest with the kernel datapath.
packages=(
    autoconf automake binutils bpftool clang gcc libbpf-dev libc6-dev
    libcap-ng-dev libcmocka-dev libelf-dev libjson-c-dev libseccomp-dev
    libssl-dev libsystemd-dev libtool libunbound-dev linux-libc-dev llvm make
    openvswitch-source pkg-config
    python3 python3-prometheus-client xz-utils zlib1g-dev
    openvswitch-switch ovn-central ovn-common ovn-host python3-openvswitch
    curl ethtool git iproute2 iputils-ping jq procps prometheus-node-exporter
    socat tcpdump util-linux xdp-tools
    groff man-db shellcheck
    bzip2 file logrotate rpm rpmlint selinux-policy-dev systemd
    busybox-static cpio kmod qemu-system-x86
)

usage() {
    cat <<END
usage: ./boot.sh COMMAND [CONFIGURE-OPTION...]
  deps    install the needed packages, build the Open vSwitch library and
          fetch the kernel of the tests' guest (once)
  build   do what that needs; plugin/ovn-xdpd and rpc/ovn-xdpctl then run
  demo    build, then show a floating IP served three ways, in namespaces,
          and what is dropped early
  check   build, then run every test, those of whole nodes with the programs
          of the package, some of them once more with direct forwarding on,
          many tests also with sanitizers; a test that is skipped has failed
  bench   build, then measure
The library is kept in \$OVN_XDP_CACHE, which is here
  $(cache)
Give proxies and the like by the environment, as for apt and make.
END
}

say() {
    printf 'boot.sh: %s\n' "$*"
}

die() {
    printf 'boot.sh: %s\n' "$*" >&2
    exit 1
}

# Prints the folder for what is built once and used by every checkout.
cache() {
    local base=/var/cache
    [ "$(id -u)" = 0 ] || base=${HOME:-/tmp}/.cache
    echo "${OVN_XDP_CACHE:-${XDG_CACHE_HOME:-$base}/ovn-xdp}"
}

# Runs a command as root, or says why that is impossible.
as_root() {
    if [ "$(id -u)" = 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        die "'$*' needs root, and there is no sudo: run ./boot.sh as root"
    fi
}

# Ends the script unless it runs as root.
need_root() {
    [ "$(id -u)" = 0 ] || die "$1 needs root: sudo ./boot.sh $1"
}

# Prints those of the packages that are not installed.
missing_packages() {
    local name
    for name in "${packages[@]}"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$name" 2>/dev/null |
            grep -qx installed || echo "$name"
    done
}

# Installs packages.  The services that come with some of them are not
# started: the tests bring up an OVN of their own.
install_packages() {
    local policy=/usr/sbin/policy-rc.d status=0
    [ -e "$policy" ] && policy=
    if [ -n "$policy" ]; then
        # shellcheck disable=SC2064  # The name as it is now is meant.
        trap "as_root rm -f $policy" EXIT
        printf '#!/bin/sh\nexit 101\n' | as_root tee "$policy" >/dev/null
        as_root chmod 755 "$policy"
    fi
    as_root apt-get -q update </dev/null &&
        as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
            --no-install-recommends install "$@" </dev/null || status=$?
    if [ -n "$policy" ]; then
        as_root rm -f "$policy"
        trap - EXIT
    fi
    [ "$status" = 0 ] || die "apt-get failed"
}

# Prints the folder of the built Open vSwitch, for the installed package.
ovs_dir() {
    local version
    version=$(dpkg-query -W -f '${Version}' openvswitch-source)
    echo "$(cache)/openvswitch-${version#*:}-$(uname -m)"
}

# Builds the Open vSwitch library into the cache, unless it is there.  It
# appears under its name when it is whole; two runs at once wait in line.
build_ovs() {
    local dir tmp
    dir=$(ovs_dir)
    [ ! -e "$dir/lib/.libs/libopenvswitch.a" ] || return 0
    mkdir -p "$(dirname "$dir")"
    exec 9>"$dir.lock"
    flock 9
    if [ ! -e "$dir/lib/.libs/libopenvswitch.a" ]; then
        tmp=$(mktemp -d "$dir.XXXXXX")
        # shellcheck disable=SC2064  # The name as it is now is meant.
        trap "rm -rf '$tmp'" EXIT
        chmod 755 "$tmp"
        say "building the Open vSwitch library in $dir, once"
        compile_ovs "$tmp" >"$dir.log" 2>&1 || {
            tail -n 30 "$dir.log" >&2
            die "building Open vSwitch failed; the whole log is $dir.log"
        }
        rm -rf "$dir"
        mv -T "$tmp/openvswitch" "$dir"
        rm -rf "$tmp"
        trap - EXIT
    fi
    exec 9>&-
}

# Unpacks and compiles Open vSwitch in a folder, as far as it is needed.
compile_ovs() (
    # The folders must be those of the installed Open vSwitch.
    tar -C "$1" --no-same-owner -xzf /usr/src/openvswitch/openvswitch.tar.gz &&
        cd "$1/openvswitch" &&
        ./configure --prefix=/usr --sysconfdir=/etc --localstatedir=/var \
            --enable-ssl CFLAGS="-O2 -g" </dev/null &&
        "$top/build-aux/build-ovs-library" -j"$jobs"
)

# Installs and builds what building needs.
build_deps() {
    local missing
    [ -e /etc/debian_version ] ||
        die "this is no Debian.  Install by hand what ./configure asks for" \
            "(it names the packages of Fedora too), build Open vSwitch from" \
            "source, and see README.md for ./configure"
    mapfile -t missing < <(missing_packages)
    if [ "${#missing[@]}" -gt 0 ]; then
        say "installing ${missing[*]}"
        install_packages "${missing[@]}"
    fi
    (build_ovs)
}

# Fetches the kernel of the guest that the tests boot.
guest_deps() {
    local prepare=$top/tests/guest/prepare
    OVN_XDP_CACHE=$(cache) "$prepare" || {
        say "trying again with new package lists"
        as_root apt-get -q update </dev/null
        OVN_XDP_CACHE=$(cache) "$prepare"
    }
}

# Builds the daemon that upgrades are tested from, where the tree has a
# history to take it out of.
previous_deps() {
    local status=0

    OVN_XDP_CACHE=$(cache) OVSDIR=$(ovs_dir) \
        "$top/tests/system/previous-build" >/dev/null || status=$?
    [ "$status" = 0 ] || [ "$status" = 77 ] ||
        die "no earlier daemon to test upgrades with"
}

deps() {
    build_deps
    guest_deps
}

# Configures and makes in _build/, and leaves links to the programs where
# they would be after a build in the tree.
build() {
    local ovs
    build_deps
    ovs=$(ovs_dir)
    # Where autotools changed something, make runs them again by itself.
    [ -x "$top/configure" ] || (cd "$top" && autoreconf -fi)
    mkdir -p "$build"
    cd "$build"
    if [ ! -e Makefile ] || [ "$*" != "$(cat .options 2>/dev/null)" ] ||
        ! grep -qxF "OVSDIR = $ovs" Makefile; then
        "$top/configure" --prefix=/usr --sysconfdir=/etc --localstatedir=/var \
            --with-ovs-source="$ovs" "$@" </dev/null
        echo "$*" >.options
    fi
    make -j"$jobs"
    ln -sf ../_build/plugin/ovn-xdpd "$top/plugin/ovn-xdpd"
    ln -sf ../_build/rpc/ovn-xdpctl "$top/rpc/ovn-xdpctl"
}

demo() {
    need_root demo
    build "$@"
    OVN_XDP_SRCDIR=$top OVN_XDP_BUILDDIR=$build OVN_XDP_CACHE=$(cache) \
        "$top/tests/system/demo.sh"
}

check() {
    local status=0
    need_root check
    build "$@"
    guest_deps
    previous_deps
    rm -f "$build/tests/logs/summary"
    OVN_XDP_CHECK_ROOT=required OVN_XDP_CONFINE=yes OVN_XDP_CACHE=$(cache) \
        make -C "$build" -j"$jobs" check INSTALLED=yes SANITIZED=yes \
        RECHECK=yes </dev/null || status=$?
    cat "$build/tests/logs/summary" || status=1
    return "$status"
}

bench() {
    need_root bench
    build "$@"
    OVN_XDP_CACHE=$(cache) make -C "$build" bench
}

case ${1-} in
    deps | build | demo | check | bench) "$@" ;;
    -h | --help) usage ;;
    *)
        usage >&2
        exit 2
        ;;
esac
