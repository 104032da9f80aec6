# SPDX-License-Identifier: Apache-2.0
#
# What measures, beside bench-nic of tests/bpf: "make bench" runs it all.

bench_driver = tests/bench/run
bench_scripts += \
	tests/bench/acl.sh \
	tests/bench/cloud.sh \
	tests/bench/direct.sh \
	tests/bench/southbound.sh
bench_helpers += tests/bench/talk tests/bpf/watch-map
tests_bench_talk_LDADD = -lpthread

root_tests += tests/bench/test-bench.sh
CLEANFILES += bench.json
EXTRA_DIST += \
	$(bench_driver) \
	tests/bench/acl.py \
	tests/bench/bulk.py \
	tests/bench/direct.py \
	tests/bench/figures.py \
	tests/bench/northbound.py \
	tests/bench/pieces.py \
	tests/bench/southbound.py
