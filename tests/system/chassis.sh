# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# A second chassis for what needs a real one: it has a local database,
# ovs-vswitchd and ovn-controller of its own in a namespace of its own, a
# tunnel to the first one and no NIC, so that what is there is not reached from
# 'ext'.  Sourced by the scripts that need it, after sandbox.sh.

# Runs ovs-vsctl on the second chassis NAME.
#
# usage: vs_of NAME ARGUMENT...
vs_of() {
    local dir=$SANDBOX/$1

    shift
    ovs-vsctl --db="unix:$dir/db.sock" --timeout=20 "$@"
}

# Starts chassis NAME, with tunnels between it and the first one.  It prefers
# nothing and claims what OVN gives it.
chassis_start() {
    local name=$1 dir=$SANDBOX/$1

    mkdir "$dir" && ip netns add "$SANDBOX_ID-$name" &&
        ip -n "$SANDBOX_ID-$name" link set lo up &&
        ip link add under0 netns "$SANDBOX_ID-hv" type veth \
            peer name under0 netns "$SANDBOX_ID-$name" &&
        ns hv ethtool -K under0 tx off >/dev/null &&
        ns "$name" ethtool -K under0 tx off >/dev/null &&
        ip -n "$SANDBOX_ID-hv" link set under0 up &&
        ip -n "$SANDBOX_ID-$name" link set under0 up || return
    underlay vs hv 10.255.0.1 &&
        vs set Open_vSwitch . external_ids:ovn-encap-ip=10.255.0.1 || return
    ovsdb-tool create "$dir/conf.db" \
        "${OVS_PKGDATADIR:-/usr/share/openvswitch}/vswitch.ovsschema" &&
        ns "$name" ovsdb-server -vconsole:err --detach --no-chdir \
            --pidfile="$dir/local-db.pid" --log-file="$dir-local-db.log" \
            --unixctl="$dir/local-db.ctl" --remote="punix:$dir/db.sock" \
            "$dir/conf.db" || return
    vs_of "$name" --no-wait -- init -- set Open_vSwitch . \
        external_ids:system-id="$name" external_ids:hostname="$name" \
        external_ids:ovn-remote="unix:$SANDBOX/ovnsb_db.sock" \
        external_ids:ovn-encap-type=geneve \
        external_ids:ovn-encap-ip=10.255.0.2 \
        external_ids:ovn-bridge-datapath-type=netdev \
        -- add-br br-int -- set Bridge br-int datapath_type=netdev \
        fail-mode=secure other-config:disable-in-band=true &&
        chassis_vswitchd_start "$name" &&
        underlay "vs_of $name" "$name" 10.255.0.2 &&
        chassis_controller_start "$name" && sb wait-until Chassis "$name" && ovn_sync
}

# Starts ovn-controller of chassis NAME.
chassis_controller_start() {
    local name=$1 dir=$SANDBOX/$1

    OVS_RUNDIR=$dir OVN_RUNDIR=$dir ns "$name" ovn-controller \
        -vconsole:err --detach --no-chdir \
        --pidfile="$dir/ovn-controller.pid" \
        --log-file="$dir-controller.log" "unix:$dir/db.sock"
}

# Has chassis NAME die as by a power cut: nothing is said to anybody.
chassis_die() {
    daemon_end "$1/ovn-controller" KILL && daemon_end "$1/ovs-vswitchd" KILL
}

# Has chassis NAME come back after that.
chassis_return() {
    chassis_vswitchd_start "$1" &&
        ip -n "$SANDBOX_ID-$1" addr replace 10.255.0.2/24 dev br-under &&
        ip -n "$SANDBOX_ID-$1" link set br-under up &&
        chassis_controller_start "$1"
}

# Starts ovs-vswitchd of chassis NAME.
chassis_vswitchd_start() {
    local name=$1 dir=$SANDBOX/$1

    OVS_RUNDIR=$dir ns "$name" ovs-vswitchd -vconsole:err --detach \
        --no-chdir --pidfile="$dir/ovs-vswitchd.pid" \
        --log-file="$dir-vswitchd.log" --unixctl="$dir/ovs-vswitchd.ctl" \
        "unix:$dir/db.sock" && vs_of "$name" wait-until Interface br-int \
        'ofport>0'
}

# Makes the bridge through which tunnels of the userspace datapath leave: VSCTL
# is the client of the database of the chassis in namespace NAME, whose tunnels
# end at ADDRESS.
#
# usage: underlay VSCTL NAME ADDRESS
underlay() {
    # VSCTL is one or two words.
    # shellcheck disable=SC2086
    $1 add-br br-under -- set Bridge br-under datapath_type=netdev \
        -- add-port br-under under0 &&
        $1 wait-until Interface br-under 'ofport>0' &&
        ip -n "$SANDBOX_ID-$2" addr add "$3/24" dev br-under &&
        ip -n "$SANDBOX_ID-$2" link set br-under up
}

# Plugs a device for logical port PORT into chassis NAME: half a VM, which can
# be bound but says nothing.
#
# usage: chassis_plug NAME PORT
chassis_plug() {
    vs_of "$1" add-port br-int "tap-$2" \
        -- set Interface "tap-$2" type=internal external_ids:iface-id="$2"
}

# Prints the names of the chassis in COLUMN of the binding of PORT.
#
# usage: bound PORT COLUMN
bound() {
    local uuid name names=()

    for uuid in $(sb --bare --columns="$2" find Port_Binding \
        logical_port="$1"); do
        name=$(sb --bare get Chassis "$uuid" name) && names+=("$name")
    done
    echo "${names[*]}"
}

# Succeeds if COLUMN of the binding of PORT is chassis NAME, or none without
# NAME.
#
# usage: bound_is PORT COLUMN [NAME]
bound_is() {
    equal "$2 of $1" "$(bound "$1" "$2")" "${3:-}"
}
