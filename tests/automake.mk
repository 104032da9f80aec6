# SPDX-License-Identifier: Apache-2.0
#
# The tests.  One that is a program is one line in the automake.mk of its room
# and a C file of the same name, tests/ROOM/test-MODULE.c; a script is one line
# there and the script.  CONTRIBUTING.md says what a script prints.

# Programs that need nothing.
unit_tests =

# Programs that load BPF, and so need root.
root_units =

# Scripts that read the sources.
lint_tests =

# Scripts that start ovsdb-server, and need no root.
db_tests =

# Scripts that need root.
root_tests =

# What measures, run by "make bench": programs and scripts.
bench_programs =
bench_scripts =

# What scripts share, and all else that tests read.
test_data = tests/tap.sh

# What test programs share, all in one library.
check_LIBRARIES = tests/libtest.a
tests_libtest_a_SOURCES =

# The lists above grow in here.
include tests/bpf/automake.mk
include tests/db/automake.mk
include tests/guest/automake.mk
include tests/lint/automake.mk
include tests/plugin/automake.mk
include tests/rpc/automake.mk
include tests/system/automake.mk

# What a test program may link: everything but the two main().
LDADD = \
	tests/libtest.a \
	rpc/librpc.a plugin/libplugin.a idl/libidl.a plugin/libplugin.a \
	$(OVS_LDADD) $(BPF_LDADD) $(JSON_C_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += $(unit_tests) $(root_units)
EXTRA_PROGRAMS += $(bench_programs)
CLEANFILES += $(bench_programs)
EXTRA_DIST += tests/run-tests \
	$(lint_tests) $(db_tests) $(root_tests) $(bench_scripts) $(test_data)

# "make check TESTS='tests/plugin/test-diff'" runs only what it names.
run_tests = OVSDIR='$(OVSDIR)' \
	PYTHONDONTWRITEBYTECODE=yes $(PYTHON3) $(srcdir)/tests/run-tests \
	--srcdir='$(srcdir)' --builddir=. --logdir=tests/logs \
	$(RUN_TESTS_FLAGS)
if SANITIZERS
run_tests += --slow
endif

check-local:
	$(AM_V_at)$(run_tests) --only='$(TESTS)' \
	  $(unit_tests:%=unit:%) $(lint_tests:%=lint:%) \
	  $(db_tests:%=db:%) $(root_units:%=root:%) $(root_tests:%=root:%)

lint:
	$(AM_V_at)$(run_tests) $(lint_tests:%=lint:%)
.PHONY: lint

# Measures; needs root.  Not a test: nothing fails by being slow.
bench: all $(bench_programs)
	$(AM_V_at)for bench in $(bench_programs:%=$(abs_builddir)/%) \
	    $(bench_scripts:%=$(abs_srcdir)/%); do \
	  OVN_XDP_SRCDIR='$(abs_srcdir)' OVN_XDP_BUILDDIR='$(abs_builddir)' \
	    $$bench || exit 1; \
	done
.PHONY: bench

clean-local:
	-rm -rf tests/logs
