#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The Southbound is out of reach while VMs leave, for good or to another
# chassis, and come back.  What was known last stays in force until the
# Southbound says otherwise, also for a daemon that is started meanwhile, and
# not a moment longer.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
vm=172.24.100.50

# Succeeds if ADDRESS... are offloaded, and the Southbound is reported as down.
kept() {
    local address

    has_problem database-down || return
    for address in "$@"; do
        endpoint_is "$address" state offloaded || return
    done
}

# Starts the flow to the VM that stays, 500 datagrams per second.
flow_begins() {
    flow_start $fip 500
    check "$1: datagrams to another VM are on their way" \
        equal "exit status" $? 0
}

# Ends the flow, which must not have ended by itself and has lost nothing.
flow_ends() {
    check_not "$1: datagrams are still on their way" gone "$flow_pid"
    check "$1: not one was lost" flow_whole
}

# A VM is deleted while the server of the Southbound is away.
deleted() {
    flow_begins deleted
    check "deleted: the Southbound's server ends" daemon_end sb-db TERM
    check "deleted: this is reported" await 10 has_problem database-down
    check "deleted: its port is unplugged" vm_unplug vm9
    check "deleted: it is gone from the Northbound" nb lsp-del vm9
    check "deleted: no more answers" unreachable 172.24.100.99
    check "deleted: its addresses are kept" kept 172.24.100.99 \
        2001:db8:100::99 $vm $fip
    check "deleted: the Southbound is back" server_start sb
    check "deleted: its IPv4 address goes" await 20 no_endpoint 172.24.100.99
    check "deleted: its IPv6 address goes" await 20 \
        no_endpoint 2001:db8:100::99
    check "deleted: the other VM's stays" endpoint_is $vm state offloaded
    flow_ends deleted
}

# This chassis is cut off from the Southbound, where the rest of the cloud works
# on: a VM is bound to another chassis meanwhile.
migrated() {
    vs set Open_vSwitch . external_ids:ovn-remote=tcp:127.0.0.1:6642
    check "migrated: connected by TCP" await 10 database_remote_is \
        tcp:127.0.0.1:6642
    check "migrated: all is well" await 10 ctl health
    flow_begins migrated
    check "migrated: the connection is cut" sb_remote remove
    check "migrated: this is reported" await 10 has_problem database-down
    check "migrated: the VM is gone from here" vm_unplug pvm
    check "migrated: it is on another chassis" vm_bind elsewhere
    check "migrated: OVN agrees" await 10 bound_to elsewhere
    check "migrated: its addresses are kept" kept $vm 2001:db8:100::50
    check "migrated: its packets go to the bridge as before" \
        goes_to_bridge $vm
    check "migrated: the connection is back" sb_remote add
    check "migrated: the address goes" await 20 no_endpoint $vm
    check "migrated: all is well" await 10 ctl health
    flow_ends migrated
}

# The VM comes back while the connection is cut again.
returned() {
    flow_begins returned
    check "returned: the connection is cut" sb_remote remove
    check "returned: this is reported" await 10 has_problem database-down
    check "returned: the VM is told to come back" nb lsp-set-options pvm \
        requested-chassis=here
    check "returned: it does" vm_plug pvm
    check "returned: its address is not here yet" no_endpoint $vm
    check "returned: the connection is back" sb_remote add
    check "returned: its address is" await 20 endpoint_is $vm state offloaded
    check "returned: OVN is in step" ovn_sync
    check "returned: it answers" warm $vm
    check "returned: through XDP" pings_through_xdp $vm
    flow_ends returned
    vs set Open_vSwitch . external_ids:ovn-remote="$SANDBOX_SB"
}

# Daemons die and start while no database is there.
started_alone() {
    flow_begins "started alone"
    check "started alone: the daemon is killed" daemon_kill
    check "started alone: the Southbound's server ends" daemon_end sb-db TERM
    check "started alone: a new daemon starts" daemon_start
    check "started alone: it serves nothing by itself" failed
    check "started alone: but packets go on" datagrams_go_on
    check "started alone: the local server ends" daemon_end local-db TERM
    check "started alone: this daemon is killed" daemon_kill
    check "started alone: another one starts" daemon_start
    check "started alone: it serves nothing by itself" failed
    check "started alone: but packets go on" datagrams_go_on
    check "started alone: the local server is back" server_start local
    check "started alone: still nothing without the Southbound" await 10 \
        only_southbound
    check "started alone: the Southbound is back" server_start sb
    check "started alone: all is well" await 20 ctl health
    check "started alone: $fip is offloaded" await_offloaded $fip
    flow_ends "started alone"
}

# Succeeds if "health" says failed, exit status 2, for want of a database.
failed() {
    local out status

    out=$(ctl health)
    status=$?
    grep database-down <<<"$out" && equal "exit status" "$status" 2
}

# Succeeds if the Southbound is all that is missing.
only_southbound() {
    failed && inverted grep Open_vSwitch <<<"$(ctl health)"
}

# Waits until 'ext' has sent 100 more frames.  Where they go is asked when the
# daemon knows again: flow_ends.
datagrams_go_on() {
    await 10 frames_sent $(($(frames ext wan0 tx) + 100))
}

# Succeeds if 'ext' has sent COUNT frames.
frames_sent() {
    [ "$(frames ext wan0 tx)" -ge "$1" ]
}

# Succeeds if pings to ADDRESS, which nobody answers, are redirected.
goes_to_bridge() {
    through_xdp "$1" 3 unreachable "$1"
}

# Does OPERATION, add or remove, with the TCP remote of the Southbound.
sb_remote() {
    ovn-appctl -t "$SANDBOX/sb-db.ctl" "ovsdb-server/$1-remote" \
        ptcp:6642:127.0.0.1
}

# Succeeds if the daemon's connection to the Southbound is to REMOTE.
database_remote_is() {
    equal remote "$(ctl -f json status | json "[b['remote']
        for b in d['databases'] if b['name'] == 'OVN_Southbound'][0]")" "$1"
}

# Has VM pvm moved to CHASSIS, as far as the Southbound is concerned.
vm_bind() {
    nb --wait=sb lsp-set-options pvm requested-chassis="$1" &&
        sb lsp-unbind pvm -- lsp-bind pvm "$1"
}

# Succeeds if the Southbound says that VM pvm is on CHASSIS.
bound_to() {
    local uuid

    uuid=$(sb --bare --columns=_uuid find Chassis name="$1") &&
        equal chassis "$(sb --bare --columns=chassis find Port_Binding \
            logical_port=pvm)" "$uuid"
}

sandbox_start
queue_deeply br-ex
cloud_add || die "the cloud failed"
chassis_add elsewhere
vm_add vm9 public fa:16:3e:00:01:99 172.24.100.99/24 172.24.100.1 \
    2001:db8:100::99/64 2001:db8:100::1 || die "the VM failed"
flow_serve vm1 || die "the counter failed"
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
check "$fip is offloaded" await_offloaded $fip
check "172.24.100.99 is offloaded" await_offloaded 172.24.100.99
check "all is well" await 10 ctl health
warm $fip
deleted
migrated
returned
started_alone
finish
