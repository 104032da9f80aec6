#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Live migration between this chassis and a real second one: as source, as
# destination before and after the activation of the port, ended and rolled
# back.  An address is served where OVN delivers its packets, and only there.
# time-limit: 240
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"
# shellcheck source=tests/system/chassis.sh
. "$(dirname "$0")/chassis.sh"

vm=172.24.100.50
vm6=2001:db8:100::50
fip=172.24.100.111

# Has OVN want PORT on CHASSIS, a comma list whose first one is the main one.
#
# usage: request PORT CHASSIS [STRATEGY]
request() {
    nb lsp-set-options "$1" requested-chassis="$2" \
        ${3:+activation-strategy="$3"}
}

# Checks that ADDRESS is served here.
#
# usage: served WHEN ADDRESS...
served() {
    local address when=$1

    shift
    for address; do
        check "$when: $address is offloaded" await_offloaded "$address"
        check "$when: $address answers" warm "$address"
        check "$when: $address is reached through XDP" \
            pings_through_xdp "$address"
    done
}

# Checks that none of the addresses has anything to do with this chassis.
#
# usage: gone_from_here WHEN ADDRESS...
gone_from_here() {
    local address when=$1

    shift
    for address; do
        check "$when: $address is forgotten" await 10 no_endpoint "$address"
    done
    check "$when: nothing is reached here" unreachable "$@"
}

# A VM of a provider network leaves, step by step.
as_source() {
    ping_start $vm 10
    check "a ping runs" equal "exit status" $? 0
    request pvm here,there
    check "source: there prepares itself" await 15 bound_is pvm \
        additional_chassis there
    check "source: OVN is in step" ovn_sync
    check "source: the port is still here" bound_is pvm chassis here
    check "source: it is still served" pings $vm
    ping_stop
    echo "# prepared at the source: $ping_sent pings, $ping_lost lost"
    check "source: nothing is lost" equal lost "$ping_lost" 0
    served source $vm6
    request pvm there
    check "source: the port is there" await 15 bound_is pvm chassis there
    gone_from_here "source, migrated" $vm $vm6
}

# It comes back; OVN holds its packets back until it has said that it runs.
as_destination() {
    local before passed

    request pvm there,here rarp
    check "destination: here prepares itself" await 15 bound_is pvm \
        additional_chassis here
    check "destination: it waits for the activation" await 10 \
        endpoint_is $vm reason activation-pending
    check "destination: as pending" endpoint_is $vm6 state pending
    check "destination: OVN is in step" ovn_sync
    check "destination: nothing is redirected before" \
        through_xdp $vm 0 unreachable $vm $vm6
    check "destination: the VM says that it runs" rarp pvm
    served "destination, activated" $vm $vm6
    ping_start $vm 10
    check "a ping runs" equal "exit status" $? 0
    before=$(counted nic0 not-local)
    request pvm here
    check "destination: the port is here" await 15 bound_is pvm chassis here
    check "destination: as the only one" await 15 bound_is pvm \
        additional_chassis
    check "destination: OVN is in step" ovn_sync
    ping_stop
    passed=$(($(counted nic0 not-local) - before))
    echo "# ended at the destination: $ping_sent pings, $ping_lost lost," \
        "$passed frames not redirected"
    check "destination: next to nothing is lost" between lost \
        "$ping_lost" 0 20
    served "destination, migrated" $vm $vm6
}

# A migration to here that is given up, before and after the activation.
rolled_back() {
    request pvm there
    gone_from_here "away again" $vm $vm6
    request pvm there,here rarp
    check "roll-back: it waits for the activation" await 15 \
        endpoint_is $vm reason activation-pending
    request pvm there
    gone_from_here "rolled back before the activation" $vm $vm6
    request pvm there,here rarp
    check "roll-back: it waits again" await 15 \
        endpoint_is $vm reason activation-pending
    check "roll-back: the VM says that it runs" rarp pvm
    check "roll-back: it is served" await_offloaded $vm
    request pvm there
    gone_from_here "rolled back after the activation" $vm $vm6
    request pvm there,here
    served "without a strategy, at once" $vm $vm6
    request pvm here,there
    check "roles exchanged" await 15 bound_is pvm chassis here
    served "roles exchanged" $vm
    request pvm here
    check "roll-back at the source" await 15 bound_is pvm additional_chassis
    served "rolled back at the source" $vm $vm6
}

# A VM with a floating IP: OVN translates where the VM is bound, not where it
# is additional.
floating_ip() {
    request vm1 here,there rarp
    check "floating IP: there prepares itself" await 15 bound_is vm1 \
        additional_chassis there
    served "floating IP, source" $fip
    request vm1 there
    gone_from_here "floating IP, migrated" $fip
    request vm1 there,here rarp
    check "floating IP: here prepares itself" await 15 bound_is vm1 \
        additional_chassis here
    check "floating IP: it is not here yet" await 5 no_endpoint $fip
    check "floating IP: the VM says that it runs" rarp vm1
    request vm1 here
    check "floating IP: the port is here" await 15 bound_is vm1 chassis here
    check "floating IP: OVN has all its flows" controller_recompute
    served "floating IP, back" $fip
    ping_start $fip 10
    check "a ping runs" equal "exit status" $? 0
    request vm1 there
    check "requested elsewhere: the port goes" await 15 bound_is vm1 \
        chassis there
    request vm1 here
    check "requested here: the port comes back" await 15 bound_is vm1 \
        chassis here
    check "requested here: $fip is offloaded" await_offloaded $fip
    check "requested here: OVN has all its flows" controller_recompute
    check "requested here: $fip answers" await 20 \
        ns ext ping -n -q -c 1 -W 1 $fip
    ping_stop
    echo "# away and back: $ping_sent pings, $ping_lost lost"
}

sandbox_start
cloud_add || die "the cloud failed"
chassis_start there || die "the second chassis failed"
chassis_plug there pvm
chassis_plug there vm1
check "nothing is reached without ovn-xdp" unreachable $vm $vm6 $fip
check "ovn-xdpd starts" daemon_start || finish
config interfaces nic0
served "at first" $vm $vm6 $fip
as_source
as_destination
rolled_back
floating_ip
finish
