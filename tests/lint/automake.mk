# SPDX-License-Identifier: Apache-2.0
#
# What reads the sources and the programs, and tests of the tests.

lint_tests += \
	tests/lint/check-symbols \
	tests/lint/lint \
	tests/lint/reasons \
	tests/lint/runner-selftest \
	tests/lint/selftest

test_data += tests/lint/rules.py
