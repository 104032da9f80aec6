# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A real OVN on one machine, for tests and the demo: sourced, by bash.
#
# Everything lives in network namespaces of its own and in one temporary
# folder, so that several sandboxes can run at once and none can do harm:
#
#     ext                 hv (the chassis)                     VM
#     wan0 ---- nic0   routing   br-ex ==OVN== br-int  tap-VM ---- eth0
#     wan1 ---- nic1
#
# The layout is the routed one: the NICs are no ports of br-ex, hv routes, and
# 'ext' is the world outside with address 198.51.100.1.  The way back out of
# OVN is set up (proxy ARP and proxy ND on br-ex); the way in is not.
#
# report.sh has the checks, topology.sh what a cloud puts into OVN,
# traffic.sh what the tests send through it, daemon.sh ovn-xdpd itself.

sandbox_lib=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=tests/system/report.sh
. "$sandbox_lib/report.sh"
# shellcheck source=tests/system/topology.sh
. "$sandbox_lib/topology.sh"
# shellcheck source=tests/system/traffic.sh
. "$sandbox_lib/traffic.sh"
# shellcheck source=tests/system/daemon.sh
. "$sandbox_lib/daemon.sh"

SANDBOX=            # The temporary folder; empty while there is no sandbox.
SANDBOX_ID=xo$$     # What the names of all namespaces begin with.
SANDBOX_PINS=/sys/fs/bpf/ovn-xdp-test-$SANDBOX_ID
SANDBOX_DATAPATH=netdev
SANDBOX_NICS=1
SANDBOX_SB_SERVERS=1
SANDBOX_SB=         # Remotes of the Southbound database.
SANDBOX_REAPER=
# With OVN_XDP_DIRECT=on layer L3 is on from the beginning, and all is there that
# it needs: a veth takes what XDP redirects if its other end has GRO.
OVN_XDP_DIRECT=${OVN_XDP_DIRECT:-off}
SANDBOX_GRO=$OVN_XDP_DIRECT
PYTHON3=${PYTHON3:-python3}
BRIDGE_MAC=02:00:00:00:01:00 # Of br-ex.
WORLD=198.51.100.1  # Addresses of 'ext'.
WORLD6=2001:db8:ffff::1

# Runs COMMAND in namespace NAME: hv, ext or a VM.  Unlike "ip netns exec"
# this does not hide bpffs.
#
# usage: ns NAME COMMAND...
ns() {
    local name=$1

    shift
    nsenter --net="/run/netns/$SANDBOX_ID-$name" -- "$@"
}

# The clients of the three databases.
vs() {
    ovs-vsctl --timeout=20 "$@"
}
nb() {
    ovn-nbctl --timeout=20 "$@"
}
sb() {
    ovn-sbctl --timeout=20 "$@"
}

# Waits until ovn-controller has installed all that the Northbound says.
ovn_sync() {
    nb --wait=hv sync
}

# Prints counter COUNTER of device DEV of namespace NAME: "tx_dropped".
#
# usage: device_counter NAME DEV COUNTER
device_counter() {
    ip netns exec "$SANDBOX_ID-$1" cat "/sys/class/net/$2/statistics/$3"
}

# Prints the packets that device DEV of namespace NAME has counted.
#
# usage: frames NAME DEV rx|tx
frames() {
    device_counter "$1" "$2" "$3_packets"
}

# Prints the MAC address of device DEV of namespace NAME.
mac_of() {
    ip -n "$SANDBOX_ID-$1" -br link show dev "$2" | awk '{ print $3 }'
}

# Ends the script as skipped where a sandbox is impossible.
sandbox_require() {
    local tool

    [ "$(id -u)" -eq 0 ] || skip_all "needs root"
    for tool in ovsdb-server ovsdb-tool ovs-vswitchd ovs-vsctl ovn-northd \
        ovn-controller ovn-nbctl ovn-sbctl ip nsenter ethtool ping \
        "$PYTHON3"; do
        command -v "$tool" >/dev/null || skip_all "needs $tool"
    done
    mountpoint -q /sys/fs/bpf || mount -t bpf bpf /sys/fs/bpf ||
        skip_all "needs bpffs on /sys/fs/bpf"
    ip netns add "$SANDBOX_ID-hv" || skip_all "needs network namespaces"
}

# Starts OVN with nothing in it but the bridges.  It is taken away again when
# the script ends, however it ends.
#
# usage: sandbox_start [--datapath netdev|system] [--nics N] [--sb-servers N]
sandbox_start() {
    while [ $# -gt 0 ]; do
        case $1 in
        --datapath) SANDBOX_DATAPATH=$2 ;;
        --nics) SANDBOX_NICS=$2 ;;
        --sb-servers) SANDBOX_SB_SERVERS=$2 ;;
        *) die "sandbox_start: unknown option $1" ;;
        esac
        shift 2
    done
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    trap sandbox_stop EXIT
    SANDBOX=$(mktemp -d /tmp/"$SANDBOX_ID".XXXXXX) || die "no temporary folder"
    # Without the variable by which run-tests finds what a test has started.
    env -u OVN_XDP_TMP setsid "$sandbox_lib/reap.sh" "$SANDBOX_ID" \
        "$SANDBOX" "$SANDBOX_PINS" $$ </dev/null >/dev/null 2>&1 &
    SANDBOX_REAPER=$!
    disown $SANDBOX_REAPER
    sandbox_require
    mkdir "$SANDBOX_PINS" || die "cannot make $SANDBOX_PINS"
    sandbox_environment
    sandbox_links || die "the sandbox's links failed"
    sandbox_databases || die "the sandbox's databases did not start"
    sandbox_daemons || die "the sandbox's daemons did not start"
    sandbox_return_path || die "the sandbox's way back failed"
}

# Takes everything away again.  The folder goes last, and its logs are kept
# where OVN_XDP_KEEP_LOGS names a folder.
sandbox_stop() {
    local status=$? jobs=()

    trap '' INT TERM HUP
    trap - EXIT
    mapfile -t jobs < <(jobs -p)
    [ ${#jobs[@]} -gt 0 ] && kill "${jobs[@]}" 2>/dev/null
    if [ -n "$SANDBOX" ]; then
        if [ -n "${OVN_XDP_KEEP_LOGS:-}" ]; then
            mkdir -p "$OVN_XDP_KEEP_LOGS/$SANDBOX_ID"
            cp "$SANDBOX"/*.log "$OVN_XDP_KEEP_LOGS/$SANDBOX_ID/" 2>/dev/null
        fi
        "$sandbox_lib/reap.sh" "$SANDBOX_ID" "$SANDBOX" "$SANDBOX_PINS" \
            >/dev/null 2>&1
        kill -KILL -- -"$SANDBOX_REAPER" 2>/dev/null
        SANDBOX=
    fi
    exit $status
}

# Tells every program of OVS and OVN where its run-time files are.
sandbox_environment() {
    export OVS_RUNDIR=$SANDBOX OVN_RUNDIR=$SANDBOX OVS_DBDIR=$SANDBOX
    export OVN_DBDIR=$SANDBOX OVS_LOGDIR=$SANDBOX OVN_LOGDIR=$SANDBOX
    unset OVN_NB_DB OVN_NBCTL_OPTIONS OVN_SBCTL_OPTIONS OVN_NB_DAEMON
    SANDBOX_SB=$(sb_remotes)
    export OVN_SB_DB=$SANDBOX_SB
}

# Sets kernel parameters in namespace NAME.
#
# usage: parameters NAME KEY=VALUE...
parameters() {
    local name=$1

    shift
    ns "$name" sysctl -qw "$@"
}

# Makes 'ext' and 'hv' with the links between them and their routes.
sandbox_links() {
    local i name

    ip netns add "$SANDBOX_ID-ext" || return
    for name in hv ext; do
        parameters $name net.ipv6.conf.all.accept_dad=0 \
            net.ipv6.conf.default.accept_dad=0 \
            net.ipv6.conf.default.accept_ra=0 \
            net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=0 \
            net.ipv4.conf.all.send_redirects=0 \
            net.ipv4.conf.default.send_redirects=0 \
            net.ipv4.conf.all.accept_redirects=0 \
            net.ipv4.conf.default.accept_redirects=0 \
            net.ipv4.icmp_ratelimit=0 &&
            ip -n "$SANDBOX_ID-$name" link set lo up || return
    done
    parameters hv net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 ||
        return
    ip -n "$SANDBOX_ID-ext" addr add $WORLD/32 dev lo &&
        ip -n "$SANDBOX_ID-ext" addr add $WORLD6/128 dev lo nodad || return
    for ((i = 0; i < SANDBOX_NICS; i++)); do
        nic_add "$i" || return
    done
    parameters hv net.ipv4.fib_multipath_hash_policy=1 \
        net.ipv6.fib_multipath_hash_policy=1 &&
        parameters ext net.ipv4.fib_multipath_hash_policy=1 \
            net.ipv6.fib_multipath_hash_policy=1 && hv_routes
}

# Plugs NIC number I into hv, with its addresses.  The offloads are off that
# a real wire does not have: half-computed checksums and tags beside the frame.
nic_add() {
    local i=$1 hv=$SANDBOX_ID-hv ext=$SANDBOX_ID-ext

    ip link add "nic$i" netns "$hv" type veth peer name "wan$i" netns "$ext" &&
        ns hv ethtool -K "nic$i" rxvlan off txvlan off tx off >/dev/null &&
        ns ext ethtool -K "wan$i" rxvlan off txvlan off tx off \
            gro "$SANDBOX_GRO" >/dev/null &&
        ip -n "$hv" addr add 192.0.2.$((2 * i + 1))/31 dev "nic$i" &&
        ip -n "$ext" addr add 192.0.2.$((2 * i))/31 dev "wan$i" &&
        ip -n "$hv" addr add "2001:db8:0:$i::1/127" dev "nic$i" nodad &&
        ip -n "$ext" addr add "2001:db8:0:$i::/127" dev "wan$i" nodad &&
        ip -n "$hv" link set "nic$i" up &&
        ip -n "$ext" link set "wan$i" up
}

# Sends what leaves hv through all its NICs.
hv_routes() {
    local i hops=() hops6=()

    for ((i = 0; i < SANDBOX_NICS; i++)); do
        hops+=(nexthop via 192.0.2.$((2 * i)) dev "nic$i")
        hops6+=(nexthop via "2001:db8:0:$i::" dev "nic$i")
    done
    ip -n "$SANDBOX_ID-hv" route replace default "${hops[@]}" &&
        ip -n "$SANDBOX_ID-hv" -6 route replace default "${hops6[@]}"
}

# Makes 'ext' send what is for the cloud's public addresses through the NICs
# numbered I..., as a router would that has learned them by BGP.
#
# usage: world_via I...
world_via() {
    local i hops=() hops6=() ext=$SANDBOX_ID-ext

    for i in "$@"; do
        hops+=(nexthop via 192.0.2.$((2 * i + 1)) dev "wan$i")
        hops6+=(nexthop via "2001:db8:0:$i::1" dev "wan$i")
    done
    ip -n "$ext" route replace 172.24.0.0/16 src $WORLD "${hops[@]}" &&
        ip -n "$ext" -6 route replace 2001:db8:100::/40 src $WORLD6 \
            "${hops6[@]}"
}

# Prints the remotes of the Southbound database: one server, or a cluster.
sb_remotes() {
    local i remotes=unix:$SANDBOX/ovnsb_db.sock

    if [ "$SANDBOX_SB_SERVERS" -gt 1 ]; then
        remotes=unix:$SANDBOX/sb1.sock
        for ((i = 2; i <= SANDBOX_SB_SERVERS; i++)); do
            remotes+=,unix:$SANDBOX/sb$i.sock
        done
    fi
    echo "$remotes"
}

# Creates the databases and starts their servers, one each as on real nodes.
sandbox_databases() {
    local dir=$SANDBOX ovn=${OVN_PKGDATADIR:-/usr/share/ovn}

    ovsdb-tool create "$dir/conf.db" \
        "${OVS_PKGDATADIR:-/usr/share/openvswitch}/vswitch.ovsschema" &&
        ovsdb-tool create "$dir/nb.db" "$ovn/ovn-nb.ovsschema" &&
        server_start local && server_start nb || return
    if [ "$SANDBOX_SB_SERVERS" -gt 1 ]; then
        cluster_create "$ovn/ovn-sb.ovsschema"
    else
        ovsdb-tool create "$dir/sb.db" "$ovn/ovn-sb.ovsschema" &&
            server_start sb
    fi && sb init
}

# Makes a Southbound cluster from SCHEMA, and starts its servers.  They are in no
# hurry to elect a leader, as a loaded machine may make them wait; one that ends
# in order hands over at once.
cluster_create() {
    local dir=$SANDBOX i

    ovsdb-tool --election-timer=5000 create-cluster "$dir/sb1.db" "$1" \
        tcp:127.0.0.1:6651 &&
        server_start sb1 || return
    for ((i = 2; i <= SANDBOX_SB_SERVERS; i++)); do
        ovsdb-tool join-cluster "$dir/sb$i.db" OVN_Southbound \
            "tcp:127.0.0.1:665$i" tcp:127.0.0.1:6651 &&
            server_start "sb$i" || return
    done
}

# Starts the server of a database: local, nb, sb, or sbN of a cluster.  Their
# sockets have the names that OVS and OVN look for.  That of the Southbound
# also listens at tcp:127.0.0.1:6642 of hv, for what a unix socket cannot show:
# connections that are half open.  OPTIONS come after the usual ones.
#
# usage: server_start NAME [OPTION...]
server_start() {
    local name=$1 dir=$SANDBOX remotes

    shift
    case $name in
    local) remotes=(--remote="punix:$dir/db.sock"
        --private-key="db:Open_vSwitch,SSL,private_key"
        --certificate="db:Open_vSwitch,SSL,certificate"
        --ca-cert="db:Open_vSwitch,SSL,ca_cert" "$dir/conf.db") ;;
    nb) remotes=(--remote="punix:$dir/ovnnb_db.sock" "$dir/nb.db") ;;
    sb) remotes=(--remote="punix:$dir/ovnsb_db.sock"
        --remote=ptcp:6642:127.0.0.1 "$dir/sb.db") ;;
    *) remotes=(--remote="punix:$dir/$name.sock" "$dir/$name.db") ;;
    esac
    ns hv ovsdb-server -vconsole:err --detach --no-chdir \
        --pidfile="$dir/$name-db.pid" --log-file="$dir/$name-db.log" \
        --unixctl="$dir/$name-db.ctl" "$@" "${remotes[@]}"
}

# Starts OVS and OVN, with bridges br-int and br-ex.
sandbox_daemons() {
    local dp=$SANDBOX_DATAPATH

    vs --no-wait -- init -- set Open_vSwitch . \
        external_ids:system-id=here external_ids:hostname=here \
        external_ids:ovn-remote="\"$SANDBOX_SB\"" \
        external_ids:ovn-encap-type=geneve \
        external_ids:ovn-encap-ip=192.0.2.1 \
        external_ids:ovn-bridge-mappings=physnet1:br-ex \
        external_ids:ovn-bridge-datapath-type="$dp" \
        -- add-br br-int -- set Bridge br-int datapath_type="$dp" \
        fail-mode=secure other-config:disable-in-band=true || return
    [ "$OVN_XDP_DIRECT" = off ] || vs --no-wait set Open_vSwitch . \
        external_ids:ovn-xdp-direct="$OVN_XDP_DIRECT" || return
    bridge_add br-ex $BRIDGE_MAC && vswitchd_start && controller_start &&
        northd_start
}

# Starts ovn-northd.
northd_start() {
    ns hv ovn-northd -vconsole:err --detach --no-chdir \
        --pidfile="$SANDBOX/ovn-northd.pid" \
        --log-file="$SANDBOX/ovn-northd.log" \
        --unixctl="$SANDBOX/ovn-northd.ctl" \
        --ovnnb-db="unix:$SANDBOX/ovnnb_db.sock" \
        --ovnsb-db="$SANDBOX_SB"
}

# Adds a provider bridge.  It always has the same MAC address, as a real one
# has its NIC's: it is in OVN's and the VMs' neighbour tables.
#
# usage: bridge_add NAME MAC
bridge_add() {
    vs --no-wait add-br "$1" -- set Bridge "$1" \
        datapath_type="$SANDBOX_DATAPATH" other-config:hwaddr="\"$2\""
}

# Starts ovs-vswitchd, and waits until its bridges exist.  Its socket has the
# name that others look for, too.
vswitchd_start() {
    ns hv ovs-vswitchd -vconsole:err --detach --no-chdir \
        --pidfile="$SANDBOX/ovs-vswitchd.pid" \
        --log-file="$SANDBOX/ovs-vswitchd.log" \
        --unixctl="$SANDBOX/ovs-vswitchd.ctl" \
        "unix:$SANDBOX/db.sock" &&
        ln -sf ovs-vswitchd.ctl "$SANDBOX/ovs-vswitchd.$(
            cat "$SANDBOX/ovs-vswitchd.pid").ctl" &&
        vs wait-until Interface br-ex 'ofport>0' || return
    [ "$OVN_XDP_DIRECT" = off ] || windows_free
}

# Has OVN's conntrack not check TCP windows: layer L3 needs that, and
# ovs-vswitchd forgets it when it ends.
windows_free() {
    ovs-appctl -t "$SANDBOX/ovs-vswitchd.ctl" dpctl/ct-disable-tcp-seq-chk \
        >/dev/null
}

# Has ovn-controller derive all its flows anew, and waits for them.  Needed
# where a port with a distributed floating IP has left and come back: that of
# OVN 23.03 sometimes forgets the flows of its NAT for good.
controller_recompute() {
    ovn-appctl -t "$SANDBOX/ovn-controller.$(
        cat "$SANDBOX/ovn-controller.pid").ctl" recompute && ovn_sync
}

# Starts ovn-controller, with OPTIONS after the usual ones.
#
# usage: controller_start [OPTION...]
controller_start() {
    ns hv ovn-controller -vconsole:err --detach --no-chdir \
        --pidfile="$SANDBOX/ovn-controller.pid" \
        --log-file="$SANDBOX/ovn-controller.log" \
        "$@" "unix:$SANDBOX/db.sock"
}

# Prepares the bridge's own port for the way out of OVN: packets leave the
# bridge as for their next hop, and hv routes them.
sandbox_return_path() {
    local all

    mapfile -t all < <(seq 0 $((SANDBOX_NICS - 1)))
    world_via "${all[@]}" && router_leg br-ex
}

# Makes device DEV of hv answer for the gateways of provider networks.
router_leg() {
    local dev=$1

    parameters hv "net/ipv4/conf/$dev/proxy_arp=1" \
        "net/ipv4/conf/$dev/rp_filter=0" \
        "net/ipv4/neigh/$dev/proxy_delay=0" \
        "net/ipv6/conf/$dev/proxy_ndp=1" \
        "net/ipv6/conf/$dev/accept_dad=0" \
        "net/ipv6/neigh/$dev/proxy_delay=0" &&
        ip -n "$SANDBOX_ID-hv" link set "$dev" up && gateway6_answer "$dev"
}

# Ends the daemon whose process id is in NAME.pid, with signal SIGNAL.
#
# usage: daemon_end NAME SIGNAL
daemon_end() {
    local pid

    pid=$(cat "$SANDBOX/$1.pid") && kill -"$2" "$pid" && await 10 gone "$pid"
}

# Restarts ovs-vswitchd.  Its taps vanish with it on the userspace datapath.
vswitchd_restart() {
    daemon_end ovs-vswitchd TERM && vswitchd_start && router_leg br-ex &&
        ovn_sync
}

# Makes br-ex anew, with another index, for network 'public'.
bridge_again() {
    vs del-br br-ex && bridge_add br-ex $BRIDGE_MAC &&
        vs wait-until Interface br-ex 'ofport>0' &&
        router_leg br-ex && ovn_sync && way_out public
}
