#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The manual pages say something about every command, option, key, error and
# reason that the programs have.

set -u

tmp=${OVN_XDP_TMP:-$(mktemp -d)}
daemon=$OVN_XDP_BUILDDIR/plugin/ovn-xdpd
ctl=$OVN_XDP_BUILDDIR/rpc/ovn-xdpctl
generator=$OVN_XDP_SRCDIR/plugin/reasons-man.py
reasons=$OVN_XDP_SRCDIR/bpf/reason.def
# shellcheck source=tests/tap.sh
. "$OVN_XDP_SRCDIR/tests/tap.sh"

# text PAGE: the words of a page, with plain hyphens and without fonts.
text() {
    sed -e '/^\.\\"/d' -e 's/\\f[BIR]//g' -e 's/\\-/-/g' "$1"
}

# has_all NAME PAGE [LEAST]: the page has each of the words on standard input,
# of which there are at least LEAST (default 1).
has_all() {
    local word status=0 n=0
    text "$2" >"$tmp/text"
    while read -r word; do
        n=$((n + 1))
        grep -qE -- "(^|[^-a-z])$word([^-a-z]|\$)" "$tmp/text" || {
            echo "$2: nothing of $word"
            status=1
        }
    done
    [ "$n" -ge "${3:-1}" ] || {
        echo "only $n words to look for"
        status=1
    }
    result "$1" "$status"
}

page8=$OVN_XDP_SRCDIR/rpc/ovn-xdpctl.8
has_all "ovn-xdpctl(8): commands" "$page8" 5 < <(
    "$ctl" --help | sed -n 's/^  \([a-z]\{1,\}\) .*/\1/p')
has_all "ovn-xdpctl(8): options" "$page8" 5 < <(
    "$ctl" --help | grep -oE -- '--[a-z-]+')
has_all "ovn-xdpctl(8): errors" "$page8" 9 < <(
    grep -oE 'RPC_ERROR\([A-Z_]+, "[a-z-]+"' "$OVN_XDP_SRCDIR/rpc/error.h" |
    cut -d '"' -f 2)
has_all "ovn-xdpctl(8): methods" "$page8" 7 < <(
    sed -n 's/^\(METHOD\|COMMAND\)([a-z]*, "\([a-z.]*\)".*/\2/p' \
        "$OVN_XDP_SRCDIR/rpc/method.def")

page8=$OVN_XDP_SRCDIR/plugin/ovn-xdpd.8
has_all "ovn-xdpd(8): options" "$page8" 15 < <(
    "$daemon" --help | grep -oE -- '(^|[ ,])--[a-z-]+[a-z]' | tr -d ' ,')
has_all "ovn-xdpd(8): keys" "$page8" 10 < <(
    grep -ohE '"ovn-(xdp|remote|bridge)[a-z-]*"' \
        "$OVN_XDP_SRCDIR/plugin/settings.c" | tr -d '"')
has_all "ovn-xdpd(8): runtime commands" "$page8" 4 < <(
    grep -ohE 'unixctl_command_register\("[a-z-]+"' \
        "$OVN_XDP_SRCDIR/plugin/commands.c" | cut -d '"' -f 2)

python3 "$generator" "$reasons" >"$tmp/page" &&
    groff -ww -z -man -Tutf8 "$tmp/page" >"$tmp/warnings" 2>&1 &&
    [ ! -s "$tmp/warnings" ]
result "ovn-xdp-reasons(7): no warnings" $?
has_all "ovn-xdp-reasons(7): reasons" "$tmp/page" 40 < <(
    sed -n '/_REASON(/{N;s/^[A-Z_]*([A-Z_0-9]*,[^"]*"\([a-z-]*\)".*/\1/p}' \
    "$reasons" | grep .)

# A row that the generator does not understand must not be lost silently.
{ cat "$reasons"; echo 'STATE_REASON(NEW, WORD, "Sentence.")'; } >"$tmp/def"
! python3 "$generator" "$tmp/def" >"$tmp/page" 2>"$tmp/error" &&
    grep -q "understood" "$tmp/error"
result "a row that cannot be read" $?

exit "$failed"
