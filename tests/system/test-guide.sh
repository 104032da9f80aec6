#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every command that the operator's guide shows, README's "Use it" and the
# examples of the two other manual pages, in order, on one node; where output is
# shown, it comes.  What the guide tells how to mend is broken before, and
# mended after.  guide.py finds the commands; a new one is run like the others.
# time-limit: 300
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

here=$(dirname "$0")
top=$(cd "$here/../.." && pwd)
guide=$top/plugin/ovn-xdp.7
fip=172.24.100.111
hv=$SANDBOX_ID-hv

# What stands for what: names and addresses of the examples, as in the
# sandbox; files that would be the host's, in its folder.
stand_ins() {
    sed -e 's/eth1/nic0/g; s/eth2/nic1/g; s/eth3/nic2/g' \
        -e 's/203\.0\.113\.7\b/172.24.100.111/g' \
        -e 's/192\.0\.2\.50\b/172.24.101.50/g' \
        -e "s|/tmp/|$SANDBOX/|g" \
        -e "s|/sys/fs/bpf/ovn-xdp\b|$SANDBOX_PINS|g" \
        -e "s,/\(run\|var/log\)/ovn/,$SANDBOX/,g" \
        -e "s|/var/lib/node_exporter|$SANDBOX/node_exporter|g" \
        -e "s,/\(etc/sysconfig\|srv\)/,$SANDBOX/\1/,g"
}

# The programs that examples may use.  Those that guide-programs.sh does not
# replace are run as they are: they do what they do to their arguments only.
known="bpftool cat dnf echo ethtool grep ip jq logger mkdir mv ovn-appctl
ovn-xdpctl ovn-xdpd ovs-appctl ovs-ofctl ovs-vsctl rm socat sysctl systemctl
tail tcpdump"

# The kernel's way in for all addresses, as ovn-bgp-agent keeps it.
agent_routes() {
    local address mac device

    while read -r address mac device; do
        kernel_route "$address" "$mac" "$device" || return
    done < <(agent_list)
}

# Takes it away.
agent_routes_gone() {
    local address device

    while read -r address _ device; do
        kernel_unroute "$address" "$device" || return
    done < <(agent_list)
}

# Prints address, MAC address and device of each address.
agent_list() {
    local tail

    cat <<END
172.24.100.111 fa:16:3e:00:01:11 br-ex
172.24.100.112 fa:16:3e:00:01:01 br-ex
172.24.101.113 fa:16:3e:00:02:11 br-ex.101
END
    for tail in 10:01 50:50; do
        cat <<END
172.24.100.${tail%:*} fa:16:3e:00:01:${tail#*:} br-ex
172.24.101.${tail%:*} fa:16:3e:00:02:${tail#*:} br-ex.101
2001:db8:100::${tail%:*} fa:16:3e:00:01:${tail#*:} br-ex
2001:db8:101::${tail%:*} fa:16:3e:00:02:${tail#*:} br-ex.101
END
    done
}

# What is broken, or made ready, before a section of the guide, and what is
# put right after it.
before() {
    case $1 in
    "The NIC is a port of the bridge")
        ip link add nic2 netns "$hv" type veth peer name wan9 \
            netns "$SANDBOX_ID-ext" ;;
    "Switch it on, and off") takes_redirects && ping_start $fip 20 ;;
    "Upgrade and restart" | "Watch one VM with tcpdump") ping_start $fip 20 ;;
    Remove) run_once "systemctl start ovn-xdpd" && config interfaces nic0,nic1 &&
        await_attached nic0 && await_attached nic1 ;;
    Metrics) mkdir -p "$SANDBOX/srv/textfiles" "$SANDBOX/etc/sysconfig" ;;
    "An address is not offloaded")
        vs set Open_vSwitch . external_ids:ovn-bridge-mappings=other:br-ex ;;
    "Pings are lost") parameters hv net.ipv4.conf.br-ex.forwarding=0 &&
        await 10 unreachable $fip ;;
    "Some packets take the slow path") send_tagged ;;
    "A NIC is refused, or waits") config interfaces nic0 && foreign_program &&
        config interfaces nic0,nic1 ;;
    "A NIC runs in generic mode") config mode generic ;;
    "A database is down") daemon_end sb-db TERM ;;
    "Large packets are lost or slow") uplink_mtu 9000 ;;
    "All is offloaded, but there is no slow path") agent_routes_gone ;;
    esac
}
after() {
    case $1 in
    "The NIC is a port of the bridge") ip -n "$hv" link del nic2 ;;
    "Upgrade and restart" | "Switch it on, and off")
        ping_stop
        check "$1: no ping is lost" equal lost "$ping_lost" 0 ;;
    "Watch one VM with tcpdump") ping_stop ;;
    "Switch it off at once")
        check "$1: the slow path serves" pings $fip
        check "$1: nothing is left" nothing_left ;;
    Remove)
        check "$1: nothing is left" nothing_left
        run_once "systemctl start ovn-xdpd" && config interfaces nic0,nic1 ;;
    "An address is not offloaded") ovn_sync && way_out public &&
        way_out vlan101 ;;
    "A database is down") server_start sb ;;
    "Large packets are lost or slow") uplink_mtu 1500 &&
        vs set Interface br-ex mtu_request=1500 ;;
    esac
}

# Has the devices of VM and NIC take what XDP redirects, as those of a real node
# do: a veth needs GRO at its other end for that.
takes_redirects() {
    ns vm1 ethtool -K eth0 gro on >/dev/null &&
        ns ext ethtool -K wan0 gro on >/dev/null &&
        ns ext ethtool -K wan1 gro on >/dev/null
}

# Succeeds if the daemon and all that it has made are gone.
nothing_left() {
    await 10 inverted daemon_appctl version && no_pins && no_program nic0 &&
        no_program nic1 && inverted ip -n "$hv" link show xdpo-br-ex &&
        equal ports "$(vs --bare --columns=name find Port \
            external_ids:ovn-xdp-bridge-port!=none | xargs)" ""
}

# Sends a frame with a VLAN tag to nic0.
send_tagged() {
    ns ext "$PYTHON3" -c 'import socket, sys
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("wan0", 0))
s.send(bytes.fromhex(sys.argv[1].replace(":", "") + "020000000001"
                     + "8100" + "0007" + "0800") + bytes(60))' "$(mac_of hv nic0)"
}

# Attaches an XDP program that is not ours to nic1.
foreign_program() {
    local pin=$SANDBOX_PINS/foreign

    printf '%s\n' '__attribute__((section("xdp"), used))' \
        'int foreign(void *ctx) { return 2; }' \
        'char _license[] __attribute__((section("license"))) = "GPL";' |
        "${CLANG:-clang}" -O2 -g -target bpf -x c -c - \
            -o "$SANDBOX/foreign.o" && await 10 no_program nic1 &&
        bpftool prog load "$SANDBOX/foreign.o" "$pin" type xdp &&
        ns hv ip link set dev nic1 xdpdrv pinned "$pin" && rm "$pin"
}

# Sets the MTU of the wire to nic0.
uplink_mtu() {
    ip -n "$SANDBOX_ID-ext" link set wan0 mtu "$1" &&
        ip -n "$hv" link set nic0 mtu "$1"
}

# Succeeds if each program in COMMAND is known, and nothing in it is a file of
# the host.
admitted() {
    local word words nested='[`]|[$][(]'

    [[ ! $1 =~ $nested ]] || {
        echo "a command in a command, which is not looked at"
        return 1
    }
    mapfile -t words < <(sed -E "s/'[^']*'|\"[^\"]*\"//g" <<<"$1" |
        sed -E 's/[0-9]*>&[0-9]//g; s/[&|;]+/\n/g' | awk 'NF { print $1 }')
    for word in "${words[@]}"; do
        grep -qw -- "$word" <<<"$known" || {
            echo "$word: not among the programs that the test knows"
            return 1
        }
    done
    inverted grep -oE '(^|[ =>])/(etc|var|run|sys|usr|srv|root|home)/[^ ]*' \
        <<<"${1//$SANDBOX_PINS/}"
}

# Runs COMMAND once, with its output in a file.
run_once() {
    # A subshell, as the sandbox needs the real programs.
    # shellcheck source=tests/system/guide-programs.sh
    (. "$here/guide-programs.sh" && eval "$1") >"$SANDBOX/output" 2>&1 </dev/null
}

# Succeeds if exit status STATUS of COMMAND is right: that of "health" says what
# its first line says.
status_fits() {
    local word

    read -r word <"$SANDBOX/output"
    case $1/$word in
    "ovn-xdpctl health/degraded") equal status "$2" 1 ;;
    "ovn-xdpctl health/failed") equal status "$2" 2 ;;
    *) equal status "$2" 0 ;;
    esac
}

# Runs COMMAND; succeeds if its status and its output are right.
run_and_match() {
    run_once "$1"
    status_fits "$1" $? &&
        "$PYTHON3" "$here/guide.py" match "$SANDBOX/expected" \
            "$SANDBOX/output" && return
    cat "$SANDBOX/output"
    return 1
}

# Sees to it that no other daemon runs beside one that changes nothing, as the
# page says, and that one runs that is told to exit.
alone() {
    case $1 in
    "ovn-xdpd --dry-run"*) daemon_stop --cleanup ;;
    "ovn-appctl -t ovn-xdpd exit"*)
        ovn-appctl -t "$SANDBOX/dry.ctl" exit
        run_once "systemctl start ovn-xdpd" ;;
    esac
}

# Checks COMMAND of SECTION, whose output should have the lines of the file
# 'expected'.  What only asks is asked until it is so.
run_command() {
    local section=$1 command

    command=$(stand_ins <<<"$2")
    stand_ins <"$SANDBOX/expected" >"$SANDBOX/expected.new"
    mv "$SANDBOX/expected.new" "$SANDBOX/expected"
    admitted "$command" >"$SANDBOX/output" || {
        check_not "$section: not admitted: $command" cat "$SANDBOX/output"
        return
    }
    alone "$command"
    case $command in
    ovn-xdpctl* | *connection-status) check "$section: $command" \
        await 15 run_and_match "$command" ;;
    *) check "$section: $command" run_and_match "$command" ;;
    esac
}

# Runs the commands that FILE shows in SECTION, or all.  Functions BEFORE and
# AFTER are told about each section.
#
# usage: run_page FILE [SECTION]
run_page() {
    local letter text section='' command='' n=0

    : >"$SANDBOX/expected"
    while IFS=$'\t' read -r -u 9 letter text; do
        if [ "$letter" = O ]; then
            printf '%s\n' "$text" >>"$SANDBOX/expected"
            continue
        fi
        [ -z "$command" ] || run_command "$section" "$command"
        command=
        : >"$SANDBOX/expected"
        case $letter in
        S) section_end "$section"
            section=$text n_commands=0 ;;
        C) command=$text n=$((n + 1))
            [ $((n_commands++)) -gt 0 ] || before "$section" ||
                die "cannot prepare: $section" ;;
        esac
    done 9< <("$PYTHON3" "$here/guide.py" commands "$@" && printf 'S\t\n')
    check "$(basename "$1"): $n commands were found" [ "$n" -ge 5 ]
}

# Succeeds if the other commands of README are those that tests run elsewhere:
# test-demo.sh, what CI begins with, boot.sh, and tests/rpm.
elsewhere() {
    diff <("$PYTHON3" "$here/guide.py" commands "$top/README.md" |
        sed -n '/^S\tUse it$/,/^S\t/d; s/^C\t//p') - <<'END'
sudo ./boot.sh demo
sudo ./boot.sh check
autoreconf -fi
./configure --prefix=/usr --sysconfdir=/etc --localstatedir=/var --with-ovs-source=DIR
make && make check && make install
make rpm
END
}

# Ends SECTION: all is well again.
section_end() {
    [ -n "$1" ] && [ "$n_commands" -gt 0 ] || return 0
    after "$1"
    [ -z "$(ctl -f json status 2>/dev/null |
        json "d['config']['ovn-xdp-interfaces']" 2>/dev/null)" ] ||
        check "$1: all is well after it" await 20 well
}

# Succeeds if the floating IP is reached through XDP, and nothing is wrong.
well() {
    ctl health && pings_through_xdp "$fip" 2 && equal problems \
        "$(ctl -f json status | json "[p['class'] for p in d['problems']]")" \
        "[]"
}

sandbox_start --nics 2
cloud_add --vlan || die "the cloud failed"
world_via 0
agent_routes || die "the agent's routes failed"
warm $fip
run_page "$guide"
run_page "$top/rpc/ovn-xdpctl.8"
daemon_stop --cleanup
config interfaces
run_page "$top/README.md" "Use it"
daemon_stop --cleanup
run_page "$top/plugin/ovn-xdpd.8"
check "README.md: the other commands are run by other tests" elsewhere
finish
