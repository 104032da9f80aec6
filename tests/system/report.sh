# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What a test script says: one line per case, and the exit status.  Sourced
# by sandbox.sh and by the scripts that need no sandbox.

report_cases=0
report_failed=0

# Prints the lines of standard input as remarks.
remark() {
    sed 's/^/# /'
}

# Ends the script as one that cannot run here, for the reason given.
skip_all() {
    printf '%s\n' "$*"
    exit 77
}

# Counts the case NAME as skipped for REASON.
#
# usage: check_skip NAME REASON
check_skip() {
    report_cases=$((report_cases + 1))
    printf 'ok %d - %s # SKIP %s\n' $report_cases "$1" "$2"
}

# Ends the script: something that is no test case went wrong.
die() {
    printf 'not ok %d - %s\n' $((report_cases + 1)) "$*"
    exit 1
}

# Counts the case NAME as passed if COMMAND succeeds; if it fails, shows what
# it printed.
#
# usage: check NAME COMMAND...
check() {
    local name=$1 output status

    shift
    report_cases=$((report_cases + 1))
    output=$("$@" 2>&1)
    status=$?
    if [ $status -eq 0 ]; then
        printf 'ok %d - %s\n' $report_cases "$name"
        return 0
    fi
    report_failed=$((report_failed + 1))
    printf 'not ok %d - %s\n' $report_cases "$name"
    printf 'exit status %d of: %s\n%s\n' $status "$*" "$output" | remark
    return 1
}

# As check, but COMMAND must fail.
check_not() {
    local name=$1

    shift
    check "$name" inverted "$@"
}

# Succeeds if COMMAND fails.
inverted() {
    ! "$@"
}

# Succeeds if the two words are equal, and shows them if not.
#
# usage: equal WHAT ACTUAL EXPECTED
equal() {
    [ "$2" = "$3" ] && return 0
    printf '%s is %s, expected %s\n' "$1" "'$2'" "'$3'"
    return 1
}

# Succeeds if LOW <= ACTUAL <= HIGH, and shows them if not.
#
# usage: between WHAT ACTUAL LOW HIGH
between() {
    [ "$2" -ge "$3" ] && [ "$2" -le "$4" ] && return 0
    printf '%s is %s, expected %s to %s\n' "$1" "$2" "$3" "$4"
    return 1
}

# Runs COMMAND until it succeeds, for what no event announces.  Shows the last
# output if it never does.
#
# usage: await SECONDS COMMAND...
await() {
    local end=$((${EPOCHREALTIME/[.,]/} + $1 * 1000000)) output

    shift
    while ! output=$("$@" 2>&1); do
        if [ "${EPOCHREALTIME/[.,]/}" -gt "$end" ]; then
            printf 'in vain: %s\n%s\n' "$*" "$output"
            return 1
        fi
        sleep 0.03
    done
}

# Ends the script with the status that its cases ask for.
finish() {
    [ $report_cases -gt 0 ] || die "no case was run"
    [ $report_failed -eq 0 ]
    exit
}
