# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the tests of ACLs share: many ports without VMs, security groups, and
# single packets.  Sourced after sandbox.sh.

# Also of the scripts.
# shellcheck disable=SC2034
bpf_run=${OVN_XDP_BUILDDIR:-$sandbox_lib/../..}/tests/system/bpf-run
# shellcheck disable=SC2034
silent=198.51.100.77 # Nobody in the world outside.

# Adds ports p0 to p(COUNT - 1), and one named marker, which are bound to this
# chassis and have nothing behind them.  Every other one is on provider network
# 'public', 172.24.100.0/24, with an IPv6 address; the others are behind router
# r1 and have floating IPs, one of them a centralised one.  Of p4 OVN does not
# check the addresses, p2 and p3 may have others too.  Prints for each address
# PORT ADDRESS MAC.
#
# usage: ports_add COUNT
ports_add() {
    local i name mac last commands=() plugs=()

    for ((i = 0; i <= $1; i++)); do
        name=p$i last=$((100 + i))
        [ "$i" -lt "$1" ] || name=marker
        mac=fa:16:3e:01:00:$(printf %02x "$i")
        plugs+=(-- add-port br-int "tap-$name" -- set Interface "tap-$name"
            type=internal external_ids:iface-id="$name")
        if [ $((i % 2)) -eq 0 ]; then
            port_words public "$name" "$mac" 172.24.100.$last \
                2001:db8:100::$last
        else
            port_words r1-net "$name" "$mac" 10.1.0.$last
            fip_words "$name" "$mac" $last
        fi
    done
    nb "${commands[@]:1}" && vs "${plugs[@]:1}" &&
        dhcp_options "$1" && dns_records || return
    for ((i = 0; i <= $1; i++)); do
        name=p$i
        [ "$i" -lt "$1" ] || name=marker
        vm_await_up "$name" || return
    done
    ovn_sync
}

# Has OVN answer DHCP for all these ports, as Neutron does.
dhcp_options() {
    local v4 v6 i name commands=()

    v4=$(nb create DHCP_Options cidr=10.1.0.0/24 options:server_id=10.1.0.1 \
        'options:server_mac="fa:16:3e:00:01:fe"' options:lease_time=3600 \
        options:router=10.1.0.1) &&
        v6=$(nb create DHCP_Options 'cidr="2001:db8:100::/64"' \
            'options:server_id="fa:16:3e:00:01:fd"') || return
    for ((i = 0; i <= $1; i++)); do
        name=p$i
        [ "$i" -lt "$1" ] || name=marker
        commands+=(-- lsp-set-dhcpv4-options "$name" "$v4"
            -- lsp-set-dhcpv6-options "$name" "$v6")
    done
    nb "${commands[@]:1}"
}

# Has OVN answer DNS on both switches.
dns_records() {
    nb --id=@dns create DNS records:vm1.example=10.1.0.101 \
        -- add Logical_Switch public dns_records @dns \
        -- add Logical_Switch r1-net dns_records @dns >/dev/null
}

# Appends to 'commands' those that add port NAME to NETWORK, and prints its
# lines.
#
# usage: port_words NETWORK NAME MAC ADDRESS...
port_words() {
    local net=$1 name=$2 mac=$3 address

    shift 3
    commands+=(-- lsp-add "$net" "$name"
        -- lsp-set-addresses "$name" "$mac $*")
    case $name in
    p4) ;;
    p[23]) commands+=(-- lsp-set-port-security "$name"
        "$mac $* 172.24.100.202/31 2001:db8:100::200/120") ;;
    *) commands+=(-- lsp-set-port-security "$name" "$mac $*") ;;
    esac
    [ "$net" = public ] || return 0
    for address; do
        echo "$name $address $mac"
    done
}

# Appends to 'commands' the one that gives port NAME a floating IP.
#
# usage: fip_words NAME MAC LAST
fip_words() {
    local fip=172.24.100.$3

    commands+=(-- lr-nat-add r1 dnat_and_snat "$fip" "10.1.0.$3")
    if [ "$1" = p1 ]; then
        echo "$1 $fip fa:16:3e:00:01:01"
    else
        commands+=("$1" "$2")
        echo "$1 $fip $2"
    fi
}

# Makes network 'public' and router r1, as cloud_add does, without VMs.
cloud_of_ports() {
    provider_add public &&
        router_add r1 public fa:16:3e:00:01:01 172.24.100.10/24 \
            172.24.100.1 10.1.0.1/24
}

# Has the daemon drop: it need not wait for connections that were opened before
# it looked.
acl_drop() {
    config acl drop && await 5 setting_is acl drop &&
        await 5 daemon_appctl acl/settle
}

# Puts PORT... into security group 'web', which allows TCP port 22 from
# anywhere, and has all else be dropped.
#
# usage: group_web PORT...
group_web() {
    nb pg-add web "$@" -- pg-add neutron_pg_drop "$@" &&
        acl web 1002 'ip4 && ip4.src == 0.0.0.0/0 && tcp && tcp.dst == 22' \
            allow-related &&
        acl web 1002 'ip6 && ip6.src == ::/0 && tcp && tcp.dst == 22' \
            allow-related &&
        acl neutron_pg_drop 1000 ip drop &&
        nb --type=port-group acl-add web from-lport 1002 \
            'inport == @web && ip' allow-related
}

# Adds a rule to security group GROUP, with OPTION... of acl-add.
#
# usage: acl GROUP PRIORITY MATCH ACTION [OPTION...]
acl() {
    nb --type=port-group "${@:5}" acl-add "$1" to-lport "$2" \
        "outport == @$1 && $3" "$4"
}

# Takes that rule away again.
#
# usage: acl_del GROUP PRIORITY MATCH
acl_del() {
    nb --type=port-group acl-del "$1" to-lport "$2" "outport == @$1 && $3"
}

# Runs acl-frame.py's command WORD with a packet to ADDRESS's PORT.
#
# usage: frame WORD ADDRESS PORT [KEY=VALUE...]
frame() {
    "$PYTHON3" "$sandbox_lib/acl-frame.py" "$1" "$(mac_of hv nic0)" \
        "$(mac_of ext wan0)" "${@:2}"
}

# Prints what the program of nic0 does with a packet to ADDRESS's PORT.
#
# usage: verdict ADDRESS PORT [KEY=VALUE...]
verdict() {
    frame print "$@" | ns hv "$bpf_run" nic0
}

# Succeeds if it drops such a packet.
drops() {
    equal "verdict on $*" "$(verdict "$@")" drop
}

# Succeeds if it sends such a packet to OVN.
passes() {
    equal "verdict on $*" "$(verdict "$@")" redirect
}

# Succeeds if it does anything but drop such a packet.
spares() {
    inverted drops "$@"
}

# Succeeds if it sends such a packet to OVN, and counts it as REASON too.
#
# usage: passes_as REASON ADDRESS PORT [KEY=VALUE...]
passes_as() {
    local reason=$1 before

    shift
    before=$(counted nic0 "$reason")
    passes "$@" && equal "more $reason" \
        $(($(counted nic0 "$reason") - before)) 1
}

# Succeeds if it drops such a packet once the address is taken for one that is
# not new.
#
# usage: drops_settled ADDRESS PORT [KEY=VALUE...]
drops_settled() {
    daemon_appctl acl/settle && drops "$@"
}

# Succeeds if it sends such a packet to OVN, as somebody may have asked for it.
# Where layer L3 follows what VMs send, it knows that nobody has, and drops it.
#
# usage: unasked ADDRESS PORT [KEY=VALUE...]
unasked() {
    if [ "$OVN_XDP_DIRECT" = on ]; then
        drops_settled "$@"
    else
        passes "$@"
    fi
}

# Sends a packet to ADDRESS's PORT from outside.
#
# usage: inject ADDRESS PORT [KEY=VALUE...]
inject() {
    ns ext "$PYTHON3" "$sandbox_lib/acl-frame.py" send "$(mac_of hv nic0)" \
        "$(mac_of ext wan0)" "$@"
}

# Sends a TCP packet to ADDRESS's PORT from port 40000 outside, and succeeds if
# VM gets it within SECONDS.
#
# usage: arrives VM SECONDS ADDRESS PORT [KEY=VALUE...]
arrives() {
    local vm=$1 seconds=$2 out=$SANDBOX/await-$1 pid

    shift 2
    [ -p "$out" ] || mkfifo "$out" || return
    ns "$vm" "$PYTHON3" "$sandbox_lib/acl-frame.py" await "$seconds" 40000 \
        "$2" >"$out" </dev/null &
    pid=$!
    read -r _ <"$out"
    inject "$@" && wait $pid
}

# Prints how many packets OVN itself has dropped by group_web's rule.
dropped_by_ovn() {
    local uuid cookies=()

    for uuid in $(sb --bare --columns=_uuid find Logical_Flow priority=2000 \
        external_ids:stage-name=ls_out_acl); do
        cookies+=(-e "$(printf 'cookie=0x%x,' $((16#${uuid%%-*})))")
    done
    # What the kernel has counted is fetched now and then.
    ovs-appctl -t "$SANDBOX/ovs-vswitchd.ctl" revalidator/wait
    ovs-ofctl dump-flows br-int | grep "${cookies[@]}" |
        sed 's/.*n_packets=\([0-9]*\),.*/\1/' |
        awk '{ n += $1 } END { print n + 0 }'
}

# Has VM send a SYN from OWN-PORT to ADDRESS's port 40000, and lets OVN, and
# br-ex, see it.
#
# usage: opens VM ADDRESS OWN-PORT
opens() {
    local before

    before=$(frames ext wan0 rx)
    ns "$1" "$PYTHON3" "$sandbox_lib/acl-frame.py" open "$2" 40000 "$3" &&
        await 5 rises "$before"
}

# Succeeds if more than COUNT frames have come to 'ext'.
rises() {
    [ "$(frames ext wan0 rx)" -gt "$1" ]
}

# Prints what "acls" says of PORT in member FIELD.
#
# usage: acl_state PORT FIELD
acl_state() {
    ctl -f json acls "$1" | json "d[0]['$2']"
}

# Succeeds if "explain" says that REASON is why nothing to ADDRESS is dropped.
acl_reason_is() {
    equal "acl_reason of $1" "$(ctl -f json explain "$1" |
        json "d['addresses'][0]['acl_reason']")" "$2"
}

# Succeeds if member FIELD of PORT in "acls" is VALUE.
acl_state_is() {
    equal "$2 of $1" "$(acl_state "$1" "$2")" "$3"
}

# Succeeds if the output of ovn-xdpctl COMMAND... has WORD.
#
# usage: tells WORD COMMAND...
tells() {
    local output

    output=$(ctl "${@:2}")
    grep -qiwe "$1" <<<"$output" && return 0
    printf 'no %s in:\n%s\n' "$1" "$output"
    return 1
}
