#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Databases behind ssl: the files of the command line and of the local
# database, certificates that change while all runs, and those that nobody
# trusts.  The Southbound lets its clients do no more than the role
# ovn-controller allows to the chassis of their certificate.
# time-limit: 270
set -u
# shellcheck source=tests/system/sandbox.sh
. "$(dirname "$0")/sandbox.sh"

fip=172.24.100.111
remote=ssl:127.0.0.1:6643
n_follows=0

# Makes an authority NAME: NAME.key, NAME.crt.
authority() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
        -nodes -days 2 -subj "/CN=$1" -keyout "$pki/$1.key" \
        -out "$pki/$1.crt" 2>>"$pki/log"
}

# Makes a key and a certificate NAME for CHASSIS, signed by AUTHORITY.
#
# usage: certificate NAME CHASSIS AUTHORITY
certificate() {
    openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 \
        -nodes -subj "/CN=$2" -keyout "$pki/$1.key" -out "$pki/$1.csr" \
        2>>"$pki/log" &&
        openssl x509 -req -days 2 -in "$pki/$1.csr" -CA "$pki/$3.crt" \
            -CAkey "$pki/$3.key" -CAcreateserial -out "$pki/$1.crt" \
            2>>"$pki/log"
}

# Replaces TO of the files in use by FROM, as a tool for certificates would:
# by a new file.
#
# usage: put FROM TO
put() {
    cp "$pki/$1" "$pki/new" && mv "$pki/new" "$pki/$2"
}

# Makes all certificates, and the files in use: server.* of the database server
# with trusted.crt, own.* of this chassis.  The daemon itself makes ca.crt.
make_pki() {
    mkdir "$pki" && authority one && authority two &&
        certificate server server one && certificate first here one &&
        certificate second here two && certificate third here one &&
        certificate stranger elsewhere one &&
        put first.key own.key && put first.crt own.crt &&
        cat "$pki/one.crt" "$pki/two.crt" >"$pki/both.crt" &&
        put both.crt trusted.crt
}

# Starts the server of the Southbound anew, behind ssl: as well, with role
# ovn-controller for those who come that way.
central_ssl() {
    daemon_end sb-db TERM && server_start sb \
        --remote=db:OVN_Southbound,SB_Global,connections \
        --private-key="$pki/server.key" \
        --certificate="$pki/server.crt" --ca-cert="$pki/trusted.crt" \
        --peer-ca-cert="$pki/one.crt" &&
        sb set-connection role=ovn-controller pssl:6643:127.0.0.1
}

# Has the server of the Southbound drop all connections.
drop() {
    ovn-appctl -t "$SANDBOX/sb-db.ctl" ovsdb-server/reconnect
}

# Succeeds if the Southbound connection is in STATE.
southbound_is() {
    equal "Southbound database" "$(ctl -f json status |
        json "d['databases'][1]['state']")" "$1"
}

# Prints the message of the problem of class CLASS.
problem() {
    ctl -f json status |
        json "[p['message'] for p in d['problems'] if p['class'] == '$1'][0]"
}

# Succeeds if that message has TEXT in it.
problem_says() {
    grep -F -- "$2" <<<"$(problem "$1")"
}

# Checks that a change in the Southbound database arrives: another floating IP
# of vm2.
follows() {
    local address=172.24.100.$((120 + n_follows++))

    check "$1: the database is synced" await 30 southbound_is synced
    nb --wait=sb lr-nat-add r1 dnat_and_snat "$address" 10.1.0.12
    check "$1: an address is added" await_offloaded "$address"
    check "$1: files and connections are well" await 20 all_well
}

# Succeeds if nothing is said of files and connections.
all_well() {
    inverted has_problem tls-files && inverted has_problem database-down
}

# A new pair arrives, first the key, then the certificate; then the server
# trusts nobody but the authority of the new one; then it trusts nobody that
# this chassis has a certificate of.
rotated() {
    put second.key own.key
    drop
    check "half a pair is a problem" await 10 has_problem tls-files
    check "the message names the file" problem_says tls-files own.key
    check "the old pair stays in force" await 30 southbound_is synced
    put second.crt own.crt
    put two.crt trusted.crt
    drop
    follows "new pair"
    put one.crt trusted.crt
    drop
    check "a pair that the server does not trust" await 20 \
        problem_says database-down "check private key, certificate"
    check "meanwhile all goes on" pings_through_xdp $fip
    put first.crt own.crt
    put first.key own.key
    follows "trusted again"
}

# The server is one that this chassis does not trust.
untrusted() {
    put two.crt ca.crt
    drop
    check "another authority: the message says what to look at" await 20 \
        problem_says database-down "CA certificate"
    check "health is degraded" equal health \
        "$(ctl -f json health | json "d['status']")" degraded
    check "meanwhile all goes on" pings_through_xdp $fip
    echo nonsense >"$pki/ca.crt"
    check "no certificate at all" await 10 has_problem tls-files
    put one.crt ca.crt
    follows "trusted server"
}

# Row SSL comes before the command line, which comes again when it goes.
by_row() {
    vs set-ssl "$pki/second.key" "$pki/second.crt" "$pki/two.crt"
    drop
    check "row: it comes first" await 20 has_problem database-down
    vs -- --bootstrap set-ssl "$pki/first.key" "$pki/first.crt" \
        "$pki/boot.crt"
    follows "row, bootstrap"
    check "row: the authority's certificate is kept" diff "$pki/boot.crt" \
        "$pki/one.crt"
    vs del-ssl
    drop
    follows "row removed"
}

# Prints what clients have asked the Southbound by ssl: since TIME, a method
# each line.
asked_since() {
    awk -v since="$1" '$1 > since && /ssl:.*received request/' \
        "$SANDBOX/sb-db.log" | grep -o 'method="[a-z_]*"' | sort -u
}

# Checks that the daemon only reads, when it alone comes by ssl:.
reads_only() {
    local now asked

    check "$1: ovn-controller ends" daemon_end ovn-controller TERM
    now=$(date -u +%Y-%m-%dT%H:%M:%S.%3NZ)
    ovn-appctl -t "$SANDBOX/sb-db.ctl" vlog/set jsonrpc:file:dbg
    drop
    follows "$1"
    ovn-appctl -t "$SANDBOX/sb-db.ctl" vlog/set jsonrpc:file:info
    asked=$(asked_since "$now")
    check "$1: the daemon asks" grep -q monitor_cond <<<"$asked"
    check_not "$1: and never writes" grep -E 'transact|lock|steal' \
        <<<"$asked"
}

# Succeeds if ovn-controller was told that its role does not allow a write.
controller_denied() {
    grep -q "RBAC rules for client .* prohibit" "$SANDBOX/ovn-controller.log"
}

# ovn-controller and the daemon use the files of row SSL.  The name in the
# certificate says as which chassis ovn-controller may write; a reader may have
# any.
by_role() {
    put first.key row.key
    put first.crt row.crt
    vs set-ssl "$pki/row.key" "$pki/row.crt" "$pki/one.crt"
    reads_only "own role"
    check "own role: ovn-controller starts" controller_start
    check "own role: it may write" ovn_sync
    put third.key row.key
    put third.crt row.crt
    drop
    follows "own role, new pair"
    check "own role, new pair: ovn-controller may write" ovn_sync
    check_not "own role: nothing was denied" controller_denied
    put stranger.key row.key
    put stranger.crt row.crt
    drop
    follows "role of another"
    sb clear Chassis here other_config
    check "role of another: ovn-controller may not write" await 20 \
        controller_denied
    check "$fip is reached through XDP" pings_through_xdp $fip
    check_not "the daemon was never denied anything" \
        grep -iE 'RBAC|permission|transaction' "$SANDBOX/ovn-xdpd.log"
    put first.key row.key
    put first.crt row.crt
    drop
    # Each try waits for 20 seconds.
    check "own role again: ovn-controller may write" await 40 ovn_sync
    vs del-ssl
}

# The local database, too.
local_database() {
    check "the daemon stops" daemon_stop
    vs set-ssl "$pki/server.key" "$pki/server.crt" "$pki/one.crt"
    ovs-appctl -t "$SANDBOX/local-db.ctl" ovsdb-server/add-remote \
        pssl:6640:127.0.0.1
    DAEMON_DATABASE=ssl:127.0.0.1:6640
    check "a daemon starts, local database behind ssl:" daemon_start \
        -p "$pki/first.key" -c "$pki/first.crt" -C "$pki/one.crt"
    check "it is the same" await 10 equal "local database" "$(ctl -f json \
        status | json "d['databases'][0]['remote']")" ssl:127.0.0.1:6640
    follows "local database behind ssl:"
    check "$fip is reached through XDP" pings_through_xdp $fip
}

command -v openssl >/dev/null || skip_all "needs openssl"
sandbox_start
pki=$SANDBOX/pki
make_pki || die "openssl failed"
cloud_add || die "the cloud failed"
central_ssl || die "the central databases failed"
daemon_end ovn-controller TERM
controller_start -p "$pki/first.key" -c "$pki/first.crt" -C "$pki/one.crt"
vs set Open_vSwitch . external_ids:ovn-remote=$remote
check "nothing is reached without ovn-xdp" unreachable $fip
check "ovn-xdpd starts" daemon_start -p "$pki/own.key" -c "$pki/own.crt" \
    --bootstrap-ca-cert="$pki/ca.crt" || finish
config interfaces nic0
follows "at first"
check "the first certificate was believed and kept" diff "$pki/ca.crt" \
    "$pki/one.crt"
warm $fip
check "$fip is reached through XDP" pings_through_xdp $fip
rotated
untrusted
by_row
by_role
local_database
finish
