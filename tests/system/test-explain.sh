#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# "explain" and the host: each trouble is made, named, and taken away again.
# time-limit: 300
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
pvm=172.24.100.50
pvm6=2001:db8:100::50
vvm=172.24.101.50
hv=$SANDBOX_ID-hv

# Prints the answer to CHECK, the first if there are several, in what "explain"
# has printed: true, false or null.
answer() {
    awk -v word="$1" '$1 == word && !n++ {
        print $2 == "ok" ? "true" : $2 == "NO" ? "false" : "null" }'
}

# Succeeds if the answer to CHECK about SUBJECT is EXPECTED.
#
# usage: says SUBJECT CHECK EXPECTED
says() {
    local text

    text=$(ctl explain "$1")
    equal "$2 of $1" "$(answer "$2" <<<"$text")" "$3" && return 0
    printf '%s\n' "$text"
    return 1
}

# Checks that CHECK about SUBJECT turns to false by COMMAND, and that "status"
# then has a problem of CLASS, or "-" for none.
#
# usage: turns SUBJECT CHECK CLASS COMMAND...
turns() {
    local subject=$1 word=$2 class=$3

    shift 3
    "$@" || die "cannot do: $*"
    check "$*: $word says so" await 10 says "$subject" "$word" false
    [ "$class" = - ] || check "and status has $class" has_problem "$class"
}

# Checks that CHECK about SUBJECT turns back to true by COMMAND.
turns_back() {
    local subject=$1 word=$2

    shift 2
    "$@" || die "cannot do: $*"
    check "$*: $word is well again" await 10 says "$subject" "$word" true
}

# Succeeds if the verdict about SUBJECT is redirect=EXPECTED.
verdict() {
    equal "verdict of $1" "$(ctl explain "$1" |
        sed -n '1s/.*: redirect \([a-z]*\).*/\1/p')" "$2"
}

# Prints the exit status of "explain SUBJECT".
explain_status() {
    ctl explain "$1" >/dev/null 2>&1
    echo $?
}

# Sets kernel parameters of hv.
set_conf() {
    parameters hv "$@"
}

# Succeeds if the host's problems are none but those of the classes named.
#
# usage: only_problems CLASS...
only_problems() {
    equal classes "$(ctl -f json status |
        json "' '.join(sorted({p['class'] for p in d['problems']}))")" "$*" &&
        return 0
    ctl status
    return 1
}

# Succeeds if ovs-vswitchd has no patch port in br-ex any more.  Until then one
# that is made anew keeps its number.
no_patch_ports() {
    equal "patch ports" "$(ovs-ofctl show br-ex | grep -c patch-provnet)" 0
}

# Puts a chain that drops all on the forward hook of IPv4 in hv, or takes it
# away: nft may not be installed.
#
# usage: nft_chain add|delete
nft_chain() {
    ns hv "$PYTHON3" - "$1" <<'EOP'
import socket, struct, sys

def attr(kind, data):
    length = 4 + len(data)
    return struct.pack("=HH", length, kind) + data + b"\0" * (-length % 4)

def message(kind, flags, body, family=2, resource=0):
    data = struct.pack("=BBH", family, 0, socket.htons(resource)) + body
    return struct.pack("=IHHII", 16 + len(data), kind, flags, 1, 0) + data

NEWTABLE, DELTABLE, NEWCHAIN = 0xa00, 0xa02, 0xa03
table = attr(1, b"guard\0")
hook = attr(1, struct.pack("!I", 2)) + attr(2, struct.pack("!i", 0))
chain = (attr(1, b"guard\0") + attr(3, b"fence\0") + attr(0x8004, hook)
         + attr(5, struct.pack("!I", 0)) + attr(7, b"filter\0"))
batch = message(0x10, 1, b"", 0, 10)
if sys.argv[1] == "add":
    batch += message(NEWTABLE, 0x401, table)
    batch += message(NEWCHAIN, 0x405, chain)
else:
    batch += message(DELTABLE, 0x5, table)
batch += message(0x11, 1, b"", 0, 10)
s = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 12)
s.settimeout(5)
s.sendall(batch)
reply = s.recv(65536)
error = -struct.unpack("=i", reply[16:20])[0]
sys.exit(0 if not error else f"nf_tables: errno {error}")
EOP
}

sandbox_start
cloud_add --vlan || die "the cloud failed"
check "ovn-xdpd starts" daemon_start || finish
check "without a NIC it is named" await 10 says $fip interface false
check "and the verdict is pending" verdict $fip pending
config interfaces nic0
await_offloaded $fip && await_offloaded $pvm6 && await_offloaded $vvm

# What is well.
for address in $fip $pvm $pvm6 $vvm; do
    check "explain $address: offloaded" verdict "$address" offloaded
    check "explain $address: only the slow path is missing" \
        await 10 only_wrong "$address" slow-path
done
check "$fip: proxy-arp" says $fip proxy-arp true
check "$pvm6: proxy-ndp" says $pvm6 proxy-ndp true
check "exit status 0" equal status \
    "$(explain_status $fip)" 0
check "another spelling" verdict 2001:DB8:100:0::50 offloaded
check "a port has all its addresses" equal addresses "$(
    ctl -f json explain pvm |
        json "' '.join(a['address'] for a in d['addresses'])")" "$pvm $pvm6"
check "only the slow path is missing" only_problems no-slow-path
check "which is no matter of health" ctl health

# Strangers.
check "an unknown address" says 172.24.100.77 known false
check "of which it says where it goes" says 172.24.100.77 slow-path false
check "has no verdict" verdict 172.24.100.77 unknown
check "and is an answer, no error" equal status \
    "$(explain_status 172.24.100.77)" 0
check "an unknown port" says nobody known false
check "a private address" grep -F "port vm1 has 10.1.0.11, but not on a" \
    <<<"$(ctl explain 10.1.0.11)"
check "a port with no address of its own" grep -F "port vm2 is here, but" \
    <<<"$(ctl explain vm2)"
check "a broken address is an error" equal status \
    "$(explain_status 172.24.100.777)" 1
check "of the caller's" grep -F "neither an address nor" \
    <<<"$(ctl explain 172.24.100.777 2>&1)"
check "no address is a usage error" equal status "$(ctl explain \
    >/dev/null 2>&1; echo $?)" 2

# The slow path.
check "$fip has no slow path: it loops" says $fip slow-path false
check "status tells it" has_problem no-slow-path
turns_back $fip slow-path kernel_route $fip fa:16:3e:00:01:11
check "a route into the wrong network" says $vvm slow-path false
kernel_route $vvm fa:16:3e:00:02:50 br-ex
check "is none" says $vvm slow-path false
kernel_unroute $vvm br-ex
turns_back $vvm slow-path kernel_route $vvm fa:16:3e:00:02:50 br-ex.101
turns_back $pvm6 slow-path kernel_route $pvm6 fa:16:3e:00:01:50
turns $fip slow-path no-slow-path kernel_unroute $fip

# The way back.
turns $fip rp-filter way-back set_conf net.ipv4.conf.br-ex.rp_filter=1
check "health tells it too" equal status \
    "$(ctl health >/dev/null 2>&1; echo $?)" 1
check "a route into the bridge would do" \
    kernel_route $fip fa:16:3e:00:01:11
check "then a strict rp_filter is well" await 10 says $fip rp-filter true
kernel_unroute $fip
turns_back $fip rp-filter set_conf net.ipv4.conf.br-ex.rp_filter=2
set_conf net.ipv4.conf.br-ex.rp_filter=0
turns $fip rp-filter way-back set_conf net.ipv4.conf.all.rp_filter=1
turns_back $fip rp-filter set_conf net.ipv4.conf.all.rp_filter=0
turns $fip proxy-arp way-back set_conf net.ipv4.conf.br-ex.proxy_arp=0
turns_back $fip proxy-arp set_conf net.ipv4.conf.br-ex.proxy_arp=1
turns $pvm6 proxy-ndp way-back set_conf net.ipv6.conf.br-ex.proxy_ndp=0
turns_back $pvm6 proxy-ndp set_conf net.ipv6.conf.br-ex.proxy_ndp=1
turns $fip forwarding way-back set_conf net.ipv4.conf.br-ex.forwarding=0
turns_back $fip forwarding set_conf net.ipv4.conf.br-ex.forwarding=1
turns $pvm6 forwarding way-back set_conf net.ipv6.conf.all.forwarding=0
set_conf net.ipv6.conf.all.forwarding=1
turns $fip route-out way-back ip -n "$hv" route del default
hv_routes
check "the default route is well again" await 10 says $fip route-out true
turns $vvm leg way-back ip -n "$hv" link set br-ex.101 down
ip -n "$hv" link set br-ex.101 up
check "and up again" await 10 says $vvm leg true

# The bridge.
port=$(vs get Interface patch-provnet-public-to-br-int ofport)
turns $fip way-out-flow way-back ovs-ofctl add-flow br-ex \
    "priority=999,ip,in_port=$port,actions=mod_dl_dst:02:00:00:00:00:77,NORMAL"
turns_back $fip way-out-flow ovs-ofctl --strict del-flows br-ex \
    "priority=999,ip,in_port=$port"
turns $fip bridge-flow bridge-flows ovs-ofctl --strict del-flows br-ex \
    priority=0
turns_back $fip bridge-flow ovs-ofctl add-flow br-ex priority=0,actions=NORMAL
turns $fip bridge-flow - ovs-ofctl add-flow br-ex \
    priority=50,in_port=LOCAL,dl_dst=fa:16:3e:00:01:11,actions=drop
check "another address is not concerned" says $pvm bridge-flow true
turns_back $fip bridge-flow ovs-ofctl del-flows br-ex in_port=LOCAL
turns $fip local-tag way-back vs set Port br-ex tag=7
turns_back $fip local-tag vs clear Port br-ex tag
config bridge-port veth
check "frames enter by a managed port" await 10 target_is nic0 br-ex kind veth
await_offloaded $fip
turns $fip local-flows bridge-flows ovs-ofctl add-flow br-ex \
    priority=50,in_port=LOCAL,actions=NORMAL
turns_back $fip local-flows ovs-ofctl del-flows br-ex in_port=LOCAL
turns $fip way-out-flow way-back ovs-ofctl del-flows br-ex cookie=999/-1
way_out public
way_out vlan101
check "the agent's flow is back" await 10 says $fip way-out-flow true
config bridge-port auto
check "and the managed port gone" await 10 target_is nic0 br-ex kind tap

# A vswitchd that does not answer, and one that is not there.
pid=$(cat "$SANDBOX/ovs-vswitchd.pid")
kill -STOP "$pid"
check "without an answer bridge-flow is unknown" says $fip bridge-flow null
check "and status answers still" ctl status
kill -CONT "$pid"
check "with one it is well" await 10 says $fip bridge-flow true

# The firewall.
turns $fip firewall firewall-bypassed nft_chain add
check "IPv6 is not concerned" says $pvm6 firewall true
turns_back $fip firewall nft_chain delete

# What OVN and the operator say.
turns $fip included - config exclude $fip
check "an excluded address is ineligible" verdict $fip ineligible
turns_back $fip included config exclude
chassis_add there
turns 172.24.100.112 known - gateway_move r1 there
check "of which it says where it is" grep -F "where port cr-lrp-r1-gw is" \
    <<<"$(ctl explain 172.24.100.112)"
turns_back 172.24.100.112 known gateway_move r1 here
turns pvm known - vm_unplug pvm
check "without it the port has no verdict" verdict pvm unknown
turns_back pvm known vm_plug pvm
turns $fip mapping - vs set Open_vSwitch . \
    external_ids:ovn-bridge-mappings=other:br-ex
check "OVN takes the patch ports away" await 10 no_patch_ports
turns_back $fip mapping vs set Open_vSwitch . \
    external_ids:ovn-bridge-mappings=physnet1:br-ex
check "but the patch ports are new: the agent's flows miss them" \
    await 10 has_problem way-back
ovn_sync && way_out public && way_out vlan101
turns $fip target - ip -n "$hv" link set br-ex down
ip -n "$hv" link set br-ex up
check "br-ex is up again" await 10 says $fip target true
check "at the end only the slow path is missing" \
    await 10 only_problems no-slow-path
finish
