# SPDX-License-Identifier: Apache-2.0
#
# Tests of bpf/: all of them need root.

root_units += \
	tests/bpf/test-acl \
	tests/bpf/test-acl-proof \
	tests/bpf/test-flow-far \
	tests/bpf/test-flow-foreign \
	tests/bpf/test-flow-left \
	tests/bpf/test-flow-near \
	tests/bpf/test-flow-probe \
	tests/bpf/test-flow-tap \
	tests/bpf/test-flow-tc \
	tests/bpf/test-guard \
	tests/bpf/test-live \
	tests/bpf/test-model \
	tests/bpf/test-nic \
	tests/bpf/test-opened \
	tests/bpf/test-sent \
	tests/bpf/test-sent-drop \
	tests/bpf/test-sent-exit \
	tests/bpf/test-sink \
	tests/bpf/test-stale

tests_libtest_a_SOURCES += \
	tests/bpf/bed.c \
	tests/bpf/bed.h \
	tests/bpf/figure.c \
	tests/bpf/figure.h \
	tests/bpf/flow-bed.c \
	tests/bpf/flow-bed.h \
	tests/bpf/flow-frame.c \
	tests/bpf/flow-frame.h \
	tests/bpf/packet.c \
	tests/bpf/packet.h \
	tests/bpf/rules.c \
	tests/bpf/rules.h \
	tests/bpf/sent-bed.c \
	tests/bpf/sent-bed.h \
	tests/bpf/shot.c \
	tests/bpf/shot.h

tests_bpf_test_nic_SOURCES = \
	tests/bpf/cases-frame.c \
	tests/bpf/cases-ip4.c \
	tests/bpf/cases-ip6.c \
	tests/bpf/cases.h \
	tests/bpf/test-nic.c

tests_bpf_test_model_SOURCES = \
	tests/bpf/model-acl.c \
	tests/bpf/model.c \
	tests/bpf/model.h \
	tests/bpf/test-model.c \
	tests/bpf/wild-acl.c \
	tests/bpf/wild.c \
	tests/bpf/wild.h

# What the NIC program costs per frame, and how far a frame then gets.
bench_programs += \
	tests/bpf/bench-acl \
	tests/bpf/bench-flow \
	tests/bpf/bench-nic \
	tests/bpf/bench-path
contest_sources = \
	tests/bpf/bench.h \
	tests/bpf/contest.c \
	tests/bpf/contest.h
drain_sources = \
	$(contest_sources) \
	tests/bpf/drain.c \
	tests/bpf/drain.h
tests_bpf_bench_acl_SOURCES = tests/bpf/bench-acl.c $(contest_sources)
tests_bpf_bench_flow_SOURCES = tests/bpf/bench-flow.c $(drain_sources)
tests_bpf_bench_nic_SOURCES = tests/bpf/bench-nic.c $(drain_sources)
tests_bpf_bench_path_SOURCES = tests/bpf/bench-path.c tests/bpf/bench.h
tests/bpf/bench-acl.$(OBJEXT): tests/bpf/bench.skel.h
tests/bpf/bench-flow.$(OBJEXT): tests/bpf/bench.skel.h
tests/bpf/bench-nic.$(OBJEXT): tests/bpf/bench.skel.h
tests/bpf/contest.$(OBJEXT): tests/bpf/bench.skel.h
tests/bpf/drain.$(OBJEXT): tests/bpf/bench.skel.h
tests/bpf/bench-path.$(OBJEXT): tests/bpf/bench.skel.h

# How many frames go through a whole node.
bench_helpers += tests/bpf/stream
tests_bpf_stream_SOURCES = tests/bpf/stream.c tests/bpf/stream.h
tests/bpf/stream.$(OBJEXT): tests/bpf/stream.skel.h

EXTRA_DIST += tests/bpf/bench.bpf.c tests/bpf/stream.bpf.c
CLEANFILES += \
	tests/bpf/bench.bpf.d \
	tests/bpf/bench.bpf.o \
	tests/bpf/bench.skel.h \
	tests/bpf/stream.bpf.d \
	tests/bpf/stream.bpf.o \
	tests/bpf/stream.skel.h
.SECONDARY: tests/bpf/bench.bpf.o tests/bpf/stream.bpf.o
-include tests/bpf/bench.bpf.d
-include tests/bpf/stream.bpf.d
