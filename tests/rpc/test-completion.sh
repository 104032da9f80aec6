#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Bash completion, by the functions that bash itself would call.

set -u

tmp=${OVN_XDP_TMP:-$(mktemp -d)}
fake_server=$OVN_XDP_BUILDDIR/tests/rpc/fake-server
export OVN_RUNDIR=$tmp
export OVS_RUNDIR=$tmp
socket=$tmp/ovn-xdpd.rpc
# shellcheck source=tests/tap.sh
. "$OVN_XDP_SRCDIR/tests/tap.sh"

mkdir -p "$tmp/bin"
ln -sf "$(realpath "$OVN_XDP_BUILDDIR/rpc/ovn-xdpctl")" \
    "$(realpath "$OVN_XDP_BUILDDIR/plugin/ovn-xdpd")" "$tmp/bin"
PATH=$tmp/bin:$PATH

# As bash loads them, by the name of the command.
# shellcheck source=rpc/completions/ovn-xdpctl
. "$OVN_XDP_SRCDIR/rpc/completions/ovn-xdpctl"
# shellcheck source=plugin/completions/ovn-xdpd
. "$OVN_XDP_SRCDIR/plugin/completions/ovn-xdpd"

# Notes what a completion function asks of bash.
compopt() {
    asked+=("$*")
}

# press_tab LINE: leaves in COMPREPLY what is offered with the cursor at the
# end of LINE.  Bash splits the line at its word breaks.
press_tab() {
    local function
    COMP_LINE=$1
    COMP_POINT=${#COMP_LINE}
    mapfile -t COMP_WORDS < <(grep -oE '[^ :=]+|[:=]+' <<<"$1")
    [[ $1 == *[\ :=] ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    asked=()
    COMPREPLY=(nonsense)
    function=$(complete -p "${COMP_WORDS[0]}" | sed 's/.* -F \([^ ]*\).*/\1/')
    "$function" "${COMP_WORDS[0]}" "${COMP_WORDS[COMP_CWORD]}" \
        "${COMP_WORDS[COMP_CWORD - 1]}"
}

# offers NAME LINE [WORD...]: for LINE the WORDs are offered, and no others.
offers() {
    local name=$1
    press_tab "$2"
    shift 2
    [ "${COMPREPLY[*]}" = "$*" ] || echo "$COMP_LINE: ${COMPREPLY[*]}"
    [ "${COMPREPLY[*]}" = "$*" ]
    result "$name" $?
}

# asks NAME OPTION: the last completion asked bash for OPTION.
asks() {
    [ "${asked[*]-}" = "-o $2" ]
    result "$1" $?
}

# commands: all commands that --help tells of, sorted.
commands() {
    ovn-xdpctl --help | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p' | sort
}

coproc server { exec "$fake_server" "$socket"; }
server_in=${server[1]} server_pid=${server_PID:-}
read -r _ <&"${server[0]}"

mapfile -t all < <(commands)
[ "${#all[@]}" -ge 6 ]
result "there are commands" $?
offers "every command" "ovn-xdpctl " "${all[@]}"
offers "a command" "ovn-xdpctl he" health
offers "a command after options" "ovn-xdpctl -f json -t 5 he" health
offers "no such command" "ovn-xdpctl xyz"
offers "nothing after a wrong command" "ovn-xdpctl xyz "
offers "options" "ovn-xdpctl --" --format= --help --socket= --timeout= \
    --version
offers "an option with a value" "ovn-xdpctl --fo" --format=
asks "which is followed by no blank" nospace
offers "values of -f" "ovn-xdpctl -f " json table
offers "one of them" "ovn-xdpctl -f j" json
offers "values of --format=" "ovn-xdpctl --format=" json table
offers "one of them, behind =" "ovn-xdpctl --format=t" table
offers "values of --format" "ovn-xdpctl --format " json table
offers "no values of -t" "ovn-xdpctl -t "
offers "files for -s" "ovn-xdpctl -s /tm"
asks "which bash knows" default
offers "files for --socket=" "ovn-xdpctl --socket=/tm"
asks "too" default

offers "addresses and ports" "ovn-xdpctl endpoints " \
    2001:db8::10 203.0.113.10 203.0.113.11 vm1 vm2 vm3
offers "those that begin so" "ovn-xdpctl endpoints 203.0.113.1" \
    203.0.113.10 203.0.113.11
offers "an IPv6 address" "ovn-xdpctl endpoints 2001:db8" db8::10
offers "an IPv6 address, further" "ovn-xdpctl endpoints 2001:db8::" 10
offers "a port" "ovn-xdpctl endpoints vm2" vm2
offers "ports, and no addresses" "ovn-xdpctl acls " vm1 vm2 vm3
offers "options of a command" "ovn-xdpctl flows -" --endpoint= --limit=
offers "one of them" "ovn-xdpctl flows --li" --limit=
offers "no arguments where there are options only" "ovn-xdpctl flows "
offers "values of an option" "ovn-xdpctl flows --endpoint vm" vm1 vm2 vm3
offers "values of an option behind =" "ovn-xdpctl flows --endpoint=vm1" vm1
offers "no values of a number" "ovn-xdpctl flows --limit "
offers "another option after the first" "ovn-xdpctl flows --limit 3 --en" \
    --endpoint=
offers "no options of another command" "ovn-xdpctl acls --"
offers "nothing after the last argument" "ovn-xdpctl endpoints vm2 "
offers "nothing for a command without" "ovn-xdpctl status "
offers "the words that an argument may be" "ovn-xdpctl metrics " \
    openmetrics prometheus
press_tab "ovn-xdpctl features "
[[ " ${COMPREPLY[*]} " == *" eth1 "* ]]
result "NICs of the daemon" $?
[[ " ${COMPREPLY[*]} " == *" lo "* ]]
result "and other devices" $?
offers "of the daemon that -s names" \
    "ovn-xdpctl -s $tmp/nobody endpoints 203"
offers "of the daemon behind --socket=" \
    "ovn-xdpctl --socket=$socket endpoints vm3" vm3

breaks=$COMP_WORDBREAKS
COMP_WORDBREAKS=${COMP_WORDBREAKS//:/}
offers "an IPv6 address where colons break no words" \
    "ovn-xdpctl endpoints 2001:db8" 2001:db8::10
COMP_WORDBREAKS=$breaks

exec {server_in}>&-
wait "$server_pid"
offers "commands without a daemon" "ovn-xdpctl st" stats status
offers "no addresses without a daemon" "ovn-xdpctl endpoints 203"

# A daemon that is stuck: the answer must not be waited for.
coproc stuck { exec python3 -c '
import socket, sys
listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("ready", flush=True)
sys.stdin.read()' "$socket"; }
stuck_in=${stuck[1]} stuck_pid=${stuck_PID:-}
read -r _ <&"${stuck[0]}"
before=${EPOCHREALTIME/[.,]/}
offers "no addresses from a daemon that is stuck" "ovn-xdpctl endpoints 203"
[ $((${EPOCHREALTIME/[.,]/} - before)) -lt 9000000 ]
result "which is not waited for" $?
exec {stuck_in}>&-
wait "$stuck_pid"

offers "options of the daemon" "ovn-xdpd --rpc" --rpc-socket=
asks "with a value" nospace
offers "an option without a value" "ovn-xdpd --dry" --dry-run
offers "options that OVS's library has" "ovn-xdpd --bootstrap-ca" \
    --bootstrap-ca-cert=
offers "files for the daemon" "ovn-xdpd --log-file=/tm"
asks "which bash knows, too" default

exit "$failed"
