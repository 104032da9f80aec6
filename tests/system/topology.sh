# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What a cloud puts into OVN, written as Neutron writes it: provider networks,
# routers with tenant networks, VMs, floating IPs.  Sourced by sandbox.sh.
#
# Names of logical ports: VM ports have the VM's name, the provider network's
# localnet port is provnet-NETWORK, router R has lrp-R-gw towards the provider
# network (its switch port: R-gw) and lrp-R-in towards tenant network R-net.

# Makes a provider network on a physical network.  With a tag, hv gets a router
# leg of its own for it: the VLAN device of other installations is here an OVS
# port of br-ex, since the kernel may have no VLAN devices.
#
# usage: provider_add NETWORK [TAG [PHYSICAL-NETWORK]]
provider_add() {
    local net=$1 tag=${2:-} physical=${3:-physnet1}

    nb ls-add "$net" \
        -- lsp-add "$net" "provnet-$net" \
        -- set Logical_Switch_Port "provnet-$net" type=localnet \
        addresses=unknown options:network_name="$physical" \
        ${tag:+tag="$tag"} || return
    [ -z "$tag" ] && return
    vs add-port br-ex "br-ex.$tag" tag="$tag" \
        -- set Interface "br-ex.$tag" type=internal &&
        router_leg "br-ex.$tag"
}

# Prints the device of hv through which packets leave a provider network.
#
# usage: leg_of NETWORK
leg_of() {
    local tag

    tag=$(nb --bare get Logical_Switch_Port "provnet-$1" tag) || return
    [ "$tag" = "[]" ] && echo br-ex || echo "br-ex.$tag"
}

# Makes br-ex send all IP packets of a provider network to its router leg, as
# the flow of ovn-bgp-agent does: also those that OVN has made of a packet by
# turning it round, a reject for example, which go to the MAC address that the
# packet came from.  Without a tag the network may be on another bridge.
#
# usage: way_out NETWORK [BRIDGE]
way_out() {
    local patch=patch-provnet-$1-to-br-int bridge=${2:-br-ex} mac port protocol

    mac=$(mac_of hv "${2:-$(leg_of "$1")}") &&
        vs wait-until Interface "$patch" 'ofport>0' &&
        port=$(vs get Interface "$patch" ofport) || return
    for protocol in ip ipv6; do
        ovs-ofctl add-flow "$bridge" "cookie=999,priority=900,$protocol,\
in_port=$port,actions=mod_dl_dst:$mac,NORMAL" || return
    done
}

# Router legs of hv, by the IPv6 address that they answer for.
declare -A gateways6=()

# Answers for IPv6 address GATEWAY on the provider network's way out.
gateway6_add() {
    gateways6[$2]=$(leg_of "$1") && gateway6_answer "${gateways6[$2]}"
}

# Has router leg DEV answer for the gateways that are its own.  The kernel
# forgets them with the device.
gateway6_answer() {
    local gateway

    for gateway in "${!gateways6[@]}"; do
        [ "${gateways6[$gateway]}" != "$1" ] || ip -n "$SANDBOX_ID-hv" -6 \
            neigh replace proxy "$gateway" dev "$1" || return
    done
}

# Makes router R with gateway port on a provider network, SNAT, and a tenant
# network R-net.  The gateway port is on this chassis.
#
# usage: router_add R NETWORK MAC EXTERNAL-IP/LEN GATEWAY TENANT-IP/LEN
#                   [EXTERNAL-IP6/LEN GATEWAY6 TENANT-IP6/LEN]
router_add() {
    local r=$1 net=$2 mac=$3 ip=$4 gw=$5 in=$6 ip6=${7:-} gw6=${8:-}
    local in6=${9:-}

    nb lr-add "$r" \
        -- lrp-add "$r" "lrp-$r-gw" "$mac" "$ip" ${ip6:+"$ip6"} \
        -- lrp-set-gateway-chassis "lrp-$r-gw" here 1 \
        -- lsp-add "$net" "$r-gw" \
        -- set Logical_Switch_Port "$r-gw" type=router addresses=router \
        options:router-port="lrp-$r-gw" options:nat-addresses=router \
        options:exclude-lb-vips-from-garp=true \
        -- lrp-add "$r" "lrp-$r-in" "${mac%:*}:fe" "$in" ${in6:+"$in6"} \
        -- ls-add "$r-net" \
        -- lsp-add "$r-net" "$r-in" \
        -- set Logical_Switch_Port "$r-in" type=router addresses=router \
        options:router-port="lrp-$r-in" \
        -- lr-route-add "$r" 0.0.0.0/0 "$gw" \
        -- lr-nat-add "$r" snat "${ip%/*}" "$(network_of "$in")" || return
    [ -z "$ip6" ] && return
    nb lr-route-add "$r" ::/0 "$gw6" && gateway6_add "$net" "$gw6"
}

# Prints the network that IPv4 address IP/LEN is in.
network_of() {
    "$PYTHON3" -c 'import ipaddress, sys
print(ipaddress.ip_interface(sys.argv[1]).network)' "$1"
}

# Makes VM NAME with one port on logical switch NETWORK, plugs it in and waits
# until OVN says that it is up.
#
# usage: vm_add NAME NETWORK MAC IP/LEN GATEWAY [IP6/LEN GATEWAY6]
vm_add() {
    vm_define "$@" && vm_plug "$1" && vm_await_up "$1" && ovn_sync
}

# Makes what vm_add makes but leaves the port unplugged.
vm_define() {
    local vm=$1 net=$2 own="$3 ${4%/*}${6:+ ${6%/*}}"

    nb lsp-add "$net" "$vm" \
        -- lsp-set-addresses "$vm" "$own" \
        -- lsp-set-port-security "$vm" "$own" \
        -- lsp-set-options "$vm" requested-chassis=here || return
    ip netns add "$SANDBOX_ID-$vm" &&
        parameters "$vm" net.ipv6.conf.default.accept_dad=0 \
            net.ipv6.conf.default.accept_ra=0 &&
        ip -n "$SANDBOX_ID-$vm" link set lo up &&
        vm_card "$vm" "${@:3}"
}

# Makes the network card of VM NAME, and the tap that it is plugged in with.
#
# usage: vm_card NAME MAC IP/LEN GATEWAY [IP6/LEN GATEWAY6]
vm_card() {
    local vm=$1 mac=$2 ip=$3 gw=$4 ip6=${5:-} gw6=${6:-} ns=$SANDBOX_ID-$1

    ip link add "tap-$vm" netns "$SANDBOX_ID-hv" type veth \
        peer name eth0 netns "$ns" &&
        ns "$vm" ethtool -K eth0 tx off tso off gso off gro "$SANDBOX_GRO" \
            >/dev/null &&
        ip -n "$ns" link set eth0 address "$mac" &&
        ip -n "$ns" link set eth0 up &&
        ip -n "$SANDBOX_ID-hv" link set "tap-$vm" up &&
        ip -n "$ns" addr add "$ip" dev eth0 &&
        ip -n "$ns" route add default via "$gw" || return
    [ -z "$ip6" ] && return
    ip -n "$ns" addr add "$ip6" dev eth0 nodad &&
        ip -n "$ns" -6 route add default via "$gw6"
}

# Plugs the port of VM NAME into the integration bridge.
vm_plug() {
    vs --may-exist add-port br-int "tap-$1" \
        -- set Interface "tap-$1" external_ids:iface-id="$1"
}

# Pulls the port of VM NAME out of the integration bridge.
vm_unplug() {
    vs --if-exists del-port br-int "tap-$1"
}

# Waits until OVN says that VM NAME's port is up.
vm_await_up() {
    nb wait-until Logical_Switch_Port "$1" up=true
}

# Deletes VM NAME, with all that runs in it: the port first, as an orderly
# shut-down does.
vm_del() {
    local pids

    mapfile -t pids < <(ip netns pids "$SANDBOX_ID-$1")
    [ ${#pids[@]} -eq 0 ] || kill -KILL "${pids[@]}"
    vm_unplug "$1" && nb --wait=hv lsp-del "$1" &&
        ip -n "$SANDBOX_ID-hv" link del "tap-$1" &&
        ip netns del "$SANDBOX_ID-$1"
}

# Gives floating IP FIP of router R to a VM.  A distributed one has the VM's
# own MAC address, as Neutron does it.
#
# usage: fip_add R FIP VM distributed|centralised
fip_add() {
    local r=$1 fip=$2 vm=$3 kind=$4 mac ip

    read -r mac ip _ <<<"$(nb lsp-get-addresses "$vm")"
    [ "$kind" = distributed ] || vm='' mac=''
    nb --wait=hv lr-nat-add "$r" dnat_and_snat "$fip" "$ip" \
        ${vm:+"$vm" "$mac"}
}

# Moves floating IP FIP to a VM, or from distributed to centralised and back,
# in one transaction.
#
# usage: fip_move FIP VM distributed|centralised
fip_move() {
    local fip=$1 vm=$2 kind=$3 mac ip uuid

    read -r mac ip _ <<<"$(nb lsp-get-addresses "$vm")"
    uuid=$(nb --bare --columns=_uuid find NAT external_ip="$fip" \
        type=dnat_and_snat) && [ -n "$uuid" ] || return
    if [ "$kind" = distributed ]; then
        nb --wait=hv set NAT "$uuid" logical_ip="$ip" logical_port="$vm" \
            "external_mac=\"$mac\""
    else
        nb --wait=hv set NAT "$uuid" logical_ip="$ip" \
            -- clear NAT "$uuid" logical_port \
            -- clear NAT "$uuid" external_mac
    fi
}

# Takes floating IP FIP away from router R.
fip_del() {
    nb --wait=hv lr-nat-del "$1" dnat_and_snat "$2"
}

# Adds a row for another chassis, which does not exist: what is there is
# elsewhere.
chassis_add() {
    sb chassis-add "$1" geneve 203.0.113.9
}

# Moves router R's gateway port to CHASSIS.
gateway_move() {
    local uuid

    uuid=$(nb --bare --columns=_uuid find Gateway_Chassis \
        name="lrp-$1-gw-$2")
    [ -n "$uuid" ] && return 0
    nb --wait=hv clear Logical_Router_Port "lrp-$1-gw" gateway_chassis \
        -- lrp-set-gateway-chassis "lrp-$1-gw" "$2" 1
}

# Makes router R a gateway router on this chassis.
router_pin() {
    nb --wait=hv clear Logical_Router_Port "lrp-$1-gw" gateway_chassis \
        -- set Logical_Router "$1" options:chassis=here
}

# Adds virtual port NAME with MAC and ADDRESS to NETWORK; the VMs after them may
# claim it.
#
# usage: virtual_add NAME NETWORK MAC ADDRESS VM...
virtual_add() {
    local name=$1 net=$2 mac=$3 ip=$4 vm

    shift 4
    for vm; do
        nb lsp-set-port-security "$vm" \
            "$(nb lsp-get-port-security "$vm") $ip" || return
    done
    nb --wait=hv lsp-add "$net" "$name" \
        -- lsp-set-addresses "$name" "$mac $ip" \
        -- lsp-set-type "$name" virtual \
        -- set Logical_Switch_Port "$name" options:virtual-ip="$ip" \
        options:virtual-parents="$(IFS=, && echo "$*")"
}

# Has VM claim ADDRESS of virtual port NAME, as keepalived does it, and waits
# for OVN.
#
# usage: virtual_claim NAME VM ADDRESS
virtual_claim() {
    ns "$2" ip addr replace "$3/32" dev eth0 || return
    await 10 virtual_claimed "$@" && ovn_sync
}

# Says once more to all that VM has ADDRESS; succeeds if OVN believes it.
virtual_claimed() {
    ns "$2" busybox arping -q -U -c 1 -w 1 -I eth0 "$3" >/dev/null
    [ "$(sb --bare --columns=virtual_parent find Port_Binding \
        logical_port="$1")" = "$2" ]
}

# Makes the kernel route ADDRESS into the bridge, as ovn-bgp-agent does it:
# rule, route, and a neighbour entry with the MAC address that OVN expects.
#
# usage: kernel_route ADDRESS MAC [DEVICE]
kernel_route() {
    local hv=$SANDBOX_ID-hv dev=${3:-br-ex} v=-4

    [[ $1 == *:* ]] && v=-6
    ip -n "$hv" $v rule add to "$1" lookup 100 prio 32000 &&
        ip -n "$hv" $v route add "$1" dev "$dev" table 100 &&
        ip -n "$hv" $v neigh replace "$1" lladdr "$2" nud permanent dev "$dev"
}

# Undoes kernel_route.
kernel_unroute() {
    local hv=$SANDBOX_ID-hv dev=${2:-br-ex} v=-4

    [[ $1 == *:* ]] && v=-6
    ip -n "$hv" $v rule del to "$1" lookup 100 &&
        ip -n "$hv" $v route del "$1" dev "$dev" table 100 &&
        ip -n "$hv" $v neigh del "$1" dev "$dev"
}

# The cloud that most tests use.  On flat network 'public', 172.24.100.0/24:
# router r1 (.10) with vm1 (distributed floating IP .111) and vm2 (centralised,
# .112), and VM pvm directly on it (.50).  With --vlan also network 'vlan101',
# tag 101, 172.24.101.0/24: router r2 (.10) with vm3 (distributed, .113), and
# VM vvm (.50).  Routers and VMs on provider networks have IPv6 addresses too.
#
# usage: cloud_add [--vlan]
cloud_add() {
    provider_add public &&
        router_add r1 public fa:16:3e:00:01:01 172.24.100.10/24 \
            172.24.100.1 10.1.0.1/24 \
            2001:db8:100::10/64 2001:db8:100::1 fd00:1::1/64 &&
        vm_define vm1 r1-net fa:16:3e:00:01:11 10.1.0.11/24 10.1.0.1 &&
        vm_define vm2 r1-net fa:16:3e:00:01:12 10.1.0.12/24 10.1.0.1 &&
        vm_define pvm public fa:16:3e:00:01:50 172.24.100.50/24 \
            172.24.100.1 2001:db8:100::50/64 2001:db8:100::1 &&
        vm_plug vm1 && vm_plug vm2 && vm_plug pvm || return
    if [ "${1:-}" = --vlan ]; then
        provider_add vlan101 101 &&
            router_add r2 vlan101 fa:16:3e:00:02:01 172.24.101.10/24 \
                172.24.101.1 10.2.0.1/24 \
                2001:db8:101::10/64 2001:db8:101::1 fd00:2::1/64 &&
            vm_define vm3 r2-net fa:16:3e:00:02:11 10.2.0.11/24 10.2.0.1 &&
            vm_define vvm vlan101 fa:16:3e:00:02:50 172.24.101.50/24 \
                172.24.101.1 2001:db8:101::50/64 2001:db8:101::1 &&
            vm_plug vm3 && vm_plug vvm && vm_await_up vm3 &&
            vm_await_up vvm && way_out vlan101 &&
            fip_add r2 172.24.101.113 vm3 distributed || return
    fi
    vm_await_up vm1 && vm_await_up vm2 && vm_await_up pvm &&
        way_out public &&
        fip_add r1 172.24.100.111 vm1 distributed &&
        fip_add r1 172.24.100.112 vm2 centralised
}
