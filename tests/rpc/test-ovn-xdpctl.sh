#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# ovn-xdpctl as users meet it: what it prints and how it exits.  It talks to
# tests/rpc/fake-server, and to servers that do not behave.

set -u

tmp=${OVN_XDP_TMP:-$(mktemp -d)}
ctl=$OVN_XDP_BUILDDIR/rpc/ovn-xdpctl
data=$OVN_XDP_SRCDIR/tests/rpc/data
fake_server=$OVN_XDP_BUILDDIR/tests/rpc/fake-server
export OVN_RUNDIR=$tmp
socket=$tmp/ovn-xdpd.rpc
# shellcheck source=tests/tap.sh
. "$OVN_XDP_SRCDIR/tests/tap.sh"

# run ARGUMENT...: runs ovn-xdpctl; leaves $code, $tmp/out, $tmp/err.
run() {
    "$ctl" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
    code=$?
}

# expect NAME CODE: the last run ended with CODE, printed standard input and
# complained of nothing.
expect() {
    cat >"$tmp/expected"
    diff -u "$tmp/expected" "$tmp/out" && [ ! -s "$tmp/err" ] &&
        [ "$code" -eq "$2" ]
    result "$1" $?
}

# expect_complaint NAME CODE WORD...: the last run ended with CODE, printed
# nothing but one line of complaint, which has all of the words.
expect_complaint() {
    local name=$1 status=0 word
    [ "$code" -eq "$2" ] || status=1
    shift 2
    [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" -eq 1 ] || status=1
    for word in "$@"; do
        grep -qF -e "$word" "$tmp/err" || status=1
    done
    [ "$status" -eq 0 ] || cat "$tmp/out" "$tmp/err"
    result "$name" "$status"
}

# start COMMAND...: starts a server, which says "ready" and ends when its
# standard input does.
start() {
    coproc server { exec "$@"; }
    server_in=${server[1]}
    read -r _ <&"${server[0]}"
}

# stop: ends the server.
stop() {
    exec {server_in}>&-
    wait "${server_PID:-}"
}

# start_saying TEXT: starts a server that answers each request with TEXT,
# whatever it was, and closes.  An empty TEXT is no answer at all; "-" leaves
# the connection open without one.
start_saying() {
    start python3 -c '
import os, selectors, socket, sys
path, text = sys.argv[1:]
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen()
events = selectors.DefaultSelector()
events.register(listener, selectors.EVENT_READ)
events.register(0, selectors.EVENT_READ)
print("ready", flush=True)
kept = []
while True:
    ready = [key.fd for key, _ in events.select()]
    if 0 in ready:
        break
    client, _ = listener.accept()
    client.makefile("rb").readline()
    kept.append(client)
    if text != "-":
        client.sendall(text.encode())
        kept.pop().close()
os.unlink(path)
' "$socket" "$1"
}

start "$fake_server" "$socket"

run status
expect "status" 0 <<'EOF'
Chassis:    hv1
Version:    0.0.1, up 1 h 2 min 5 s
Endpoints:  1 offloaded, 1 pending, 1 ineligible
Interfaces: 1 attached
Direct:     1 addresses, 4 flows, 2 of them used, 1 active; confirmed every 500 ms
Generation: 42

Database       State      Changed Remote
-------------- ---------- ------- ------------------
Open_vSwitch   synced     3 s ago unix:/run/db.sock
OVN_Southbound connecting never   ssl:192.0.2.1:6642

Setting            Value
------------------ ---------
ovn-xdp-interfaces eth0,eth1
ovn-xdp-exclude    -

Problem       Message
------------- ----------------------------
database-down OVN_Southbound is connecting
EOF

run health
expect "health, ok" 0 <<'EOF'
ok
EOF

run explain 203.0.113.10
expect "explain" 0 <<'EOF'
203.0.113.10: redirect offloaded, acl enforced, direct ineligible (direct-conntrack)
Check       OK Detail
----------- -- ---------------
known       ok OVN has said so
slow-path   NO it loops
bridge-flow ?  no answer

What would change that:
slow-path: ip route add
EOF

run explain vm9
expect "explain what is not here" 0 <<'EOF'
vm9: redirect unknown, acl pass-only, direct off
Check       OK Detail
----------- -- ---------------
known       NO OVN has said so
slow-path   NO it loops
bridge-flow ?  no answer

What would change that:
slow-path: ip route add
EOF

run explain 10.0.0.256
expect_complaint "explain what is no address" 1 10.0.0.256

run explain
expect_complaint "explain nothing" 2 "ADDRESS|LPORT"

run interfaces
expect "interfaces" 0 <"$data/interfaces.txt"

run endpoints
expect "endpoints" 0 <"$data/endpoints.txt"

run endpoints vm1
expect "endpoints of one port" 0 <"$data/endpoints-vm1.txt"

run endpoints nowhere
expect "endpoints of an unknown port" 0 <<'EOF'
No endpoints.
EOF

run acls
expect "acls" 0 <"$data/acls.txt"
run acls vm3
expect "acls of one port" 0 <"$data/acls-vm3.txt"
run acls nowhere
expect_complaint "acls of no port" 1 '"nowhere"'

run flows
expect "flows" 0 <"$data/flows.txt"
run flows --endpoint vm3
expect "flows of one port" 0 <"$data/flows-vm3.txt"
run flows --endpoint=2001:db8::10
expect "flows of one address" 0 <"$data/flows-vm3.txt"
run flows --limit 1 --endpoint=vm3
expect "some flows of one port" 0 <"$data/flows-vm3-1.txt"
run flows --endpoint nowhere
expect "flows of nobody" 0 <<'EOF'
No flows.
EOF
run flows --limit
expect_complaint "a limit without a number" 2 "--limit" "N"
run flows --limit=x
expect_complaint "a limit that is no number" 2 '"x"'
run flows --limit=0
expect_complaint "a limit out of range" 1 "1 to 10000"
run flows --limits=1
expect_complaint "an option that there is not" 2 '"--limits=1"'
run flows vm3
expect_complaint "an argument that is none" 2 '"vm3"'
run acls --endpoint=vm3
expect_complaint "an option of another command" 1 '"--endpoint=vm3"'

run stats
expect "stats" 0 <"$data/stats.txt"

run features
sed -i 's/^\(json-c *\)[0-9.]*$/\1X/' "$tmp/out"
expect "features" 0 <"$data/features.txt"
run features eth7
expect_complaint "features of no device" 1 '"eth7"'

# -f json: the result, as one document, for every command.
for command in status health interfaces endpoints acls flows stats metrics \
    features; do
    run -f json "$command"
    [ "$code" -eq 0 ] && [ ! -s "$tmp/err" ] &&
        python3 -c '
import json, sys
result = json.load(sys.stdin)
first = {"status": lambda r: r["chassis"] == "hv1",
         "health": lambda r: r["status"] == "ok",
         "interfaces": lambda r: [i["name"] for i in r] == ["eth0", "eth1"],
         "endpoints": lambda r: len(r) == 3 and r[0]["vlan"] is None,
         "acls": lambda r: r[2]["column"] == 17,
         "flows": lambda r: r["flows"][0]["state"] == "used",
         "stats": lambda r: r["redirect_errors"] == {"ENXIO": 5},
         "features": lambda r: r["kernel"]["release"] == "6.1.0",
         "metrics": lambda r: r.endswith("# EOF\n")}
sys.exit(not first[sys.argv[1]](result))
' "$command" <"$tmp/out"
    result "json: $command" $?
done

run --format=json --socket="$socket" --timeout 5 endpoints vm3
python3 -c 'import json, sys; sys.exit(len(json.load(sys.stdin)) != 1)' \
    <"$tmp/out"
result "long options" $?

"$ctl" status >/dev/full 2>"$tmp/err"
[ $? -eq 1 ] && grep -q "cannot write" "$tmp/err"
result "output that cannot be written" $?

# What can be wrong with a command line.
run
expect_complaint "no command" 2 "no command" "--help"
run nonsense
expect_complaint "unknown command" 2 '"nonsense"'
run rpc.hello
expect_complaint "a method is no command" 2 '"rpc.hello"'
run status extra
expect_complaint "unexpected argument" 2 '"extra"'
run -f xml status
expect_complaint "unknown format" 2 '"xml"'
for timeout in "" x 1x -1 nan; do
    run -t "$timeout" status
    expect_complaint "timeout '$timeout'" 2 "not a number of seconds"
done
run --nonsense status
[ "$code" -eq 2 ] && grep -q -e "--help" "$tmp/err" && [ ! -s "$tmp/out" ]
result "unknown option" $?

run --version
[ "$code" -eq 0 ] && grep -qE '^ovn-xdpctl [0-9.]+$' "$tmp/out"
result "--version" $?
run --help
[ "$code" -eq 0 ] && grep -qF "endpoints [ADDRESS|LPORT]" "$tmp/out" &&
    grep -qF "$socket" "$tmp/out"
result "--help" $?

stop

# Other states of the daemon.
start "$fake_server" "$socket" empty
run status
expect "status, nothing configured" 0 <<'EOF'
Chassis:    unknown
Version:    0.0.1, up 1 h 2 min 5 s
Endpoints:  1 offloaded, 1 pending, 1 ineligible
Interfaces: 1 attached
Direct:     off
Generation: 42

No databases.

No settings.

No problems.
EOF
run interfaces
expect "no interfaces" 0 <<'EOF'
No interfaces (see ovn-xdp-interfaces in ovn-xdpd(8)).
EOF
run endpoints
expect "no endpoints" 0 <<'EOF'
No endpoints.
EOF
run acls
expect "no acls" 0 <<'EOF'
No ports of VMs.
EOF
run stats
expect "no stats" 0 <<'EOF'
No packets on any interface.

No endpoints.

No redirect errors.
EOF
stop

start "$fake_server" "$socket" degraded
run health
expect "health, degraded" 1 <<'EOF'
degraded
database-down: Open_vSwitch is connecting
database-down: OVN_Southbound is connecting
EOF
stop

start "$fake_server" "$socket" failed
run health
expect "health, failed" 2 <<'EOF'
failed
database-down: Open_vSwitch is connecting
database-down: OVN_Southbound is connecting
EOF
run -f json health
python3 -c '
import json, sys
result = json.load(sys.stdin)
sys.exit(result["status"] != "failed"
         or result["reasons"] != ["database-down"])' <"$tmp/out" &&
    [ "$code" -eq 2 ]
result "json: health, failed" $?
stop

start "$fake_server" "$socket" many
run -t 60 endpoints
[ "$code" -eq 0 ] && [ "$(grep -c '^10\.' "$tmp/out")" -eq 65000 ]
result "65,003 endpoints" $?
run acls
expect "acls without rules" 0 <<'EOF'
vm1: enforced, new connections only
vm2: pass-only (acl-pending)
vm3: pass-only (acl-match): "ip.ttl" at column 17

There are too many rules for one list.  Ask for those of one port: acls LPORT.

acl-pending: The port's rules have not been received or written yet.
acl-match: The match of a rule has a part that is not understood.
EOF
run -f json acls
python3 -c '
import json, sys
rules = [port["rules"] for port in json.load(sys.stdin)]
sys.exit(rules != [None, [], None])' <"$tmp/out"
result "json: acls without rules" $?
run flows
[ "$code" -eq 0 ] && [ "$(grep -c -E '^(in|out) ' "$tmp/out")" -eq 1000 ] &&
    grep -q '^These are 1000 of 65004 flows: ' "$tmp/out"
result "flows, of many" $?
run acls vm3
expect "acls of one port of many" 0 <"$data/acls-vm3.txt"
stop

# No daemon, or one that does not answer as it should.
run status
expect_complaint "no daemon" 1 "$socket" "No such file" "is ovn-xdpd running?"
run health
expect_complaint "health without a daemon" 2 "is ovn-xdpd running?"
run -s "$tmp/other" status
expect_complaint "no daemon, -s" 1 "$tmp/other"

start "$fake_server" "$socket"
if [ "$(id -u)" -eq 0 ]; then
    # A copy, as nobody may not get at the build directory either.
    cp "$ctl" "$tmp/ctl"
    chmod 0755 "$tmp" "$tmp/ctl"
    setpriv --reuid=65534 --regid=65534 --clear-groups \
        "$tmp/ctl" status >"$tmp/out" 2>"$tmp/err"
    code=$?
else
    chmod 0 "$socket"
    run status
fi
expect_complaint "no permission" 1 "$socket" "Permission denied" \
    "group ovn-xdp"
stop

start_saying -
run -t 0.2 status
expect_complaint "no answer in time" 1 "$socket" "no answer in time"
stop

start_saying ""
run status
expect_complaint "closed without an answer" 1 "$socket" "closed"
stop

start_saying $'hello\n'
run status
expect_complaint "not JSON" 1 "$socket" "not JSON-RPC"
stop

start_saying $'{"jsonrpc":"2.0","id":1}\n'
run status
expect_complaint "neither result nor error" 1 "$socket" "neither"
stop

start_saying '{"jsonrpc":"2.0","error":{"code":-32601,"message":"no method",
"data":{"class":"method-not-found"}},"id":1}'$'\n'
run status
expect_complaint "an error" 1 "$socket" "no method"
stop

start_saying '{"jsonrpc":"2.0","id":1,"new":1,"result":[{"address":"192.0.2.1",
"new":{"a":[1]},"kind":"new-kind","vlan":7,"reason":"new-reason"}]}'$'\n'
run endpoints
expect "members that are new or missing" 0 <<'EOF'
Address   Kind     Logical port Network Bridge VLAN MAC State Reason     Direct Packets Bytes Drops
--------- -------- ------------ ------- ------ ---- --- ----- ---------- ------ ------- ----- -----
192.0.2.1 new-kind -            -       -         7 -   -     new-reason -            -     -     -
EOF
stop

exit "$failed"
