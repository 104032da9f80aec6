# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# Reporting of cases for test scripts that need no sandbox.  Sourced; ends the
# script's part of the protocol of tests/run-tests, "ok N - NAME" and so on.
# (Scripts with a sandbox have tests/system/report.sh.)

# Scripts exit with 'failed'.
# shellcheck disable=SC2034
n_cases=0 failed=0

# result NAME STATUS: reports a case; STATUS 0 is good.
result() {
    n_cases=$((n_cases + 1))
    if [ "$2" -eq 0 ]; then
        echo "ok $n_cases - $1"
    else
        echo "not ok $n_cases - $1"
        # shellcheck disable=SC2034
        failed=1
    fi
}
