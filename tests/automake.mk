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

# What else is built for them, but not once more with sanitizers.
check_needs =

# What measures, run by "make bench": programs and scripts, and programs that
# these need.
bench_programs =
bench_scripts =
bench_helpers =

# What scripts share, and all else that tests read.
test_data = tests/tap.sh

# What test programs share, all in one library.
check_LIBRARIES = tests/libtest.a
tests_libtest_a_SOURCES =

# The lists above grow in here.
include tests/bench/automake.mk
include tests/bpf/automake.mk
include tests/db/automake.mk
include tests/guest/automake.mk
include tests/lint/automake.mk
include tests/plugin/automake.mk
include tests/rpc/automake.mk
include tests/rpm/automake.mk
include tests/system/automake.mk

# What a test program may link: everything but the two main().
LDADD = \
	tests/libtest.a \
	rpc/librpc.a plugin/libplugin.a idl/libidl.a plugin/libplugin.a \
	$(OVS_LDADD) $(BPF_LDADD) $(JSON_C_LIBS) $(SYSTEMD_LIBS) $(CMOCKA_LIBS)

check_PROGRAMS += $(unit_tests) $(root_units)
check_PROGRAMS += $(bench_programs) $(bench_helpers)
EXTRA_DIST += tests/run-tests \
	$(lint_tests) $(db_tests) $(root_tests) $(bench_scripts) $(test_data)

# "make check TESTS='tests/plugin/test-diff'" runs only what it names.
run_tests = OVSDIR='$(OVSDIR)' \
	PYTHONDONTWRITEBYTECODE=yes $(PYTHON3) $(srcdir)/tests/run-tests \
	--srcdir='$(srcdir)' --builddir=. --logdir=tests/logs \
	$(RUN_TESTS_FLAGS)
if SANITIZERS
run_tests += --sanitized
endif

# Scripts that run once more with layer L3 on.  Their names then begin with
# "direct/".  With "make check DIRECT=all" so do those of 'beside_direct'.
direct_tests = $(filter-out $(without_direct) $(beside_direct_$(DIRECT)), \
	$(filter tests/system/%,$(root_tests)))
beside_direct_ = $(beside_direct)

# "make check SANITIZED=yes" runs these once more with sanitizers, in a build
# of its own below this one.  Their names then begin with "sanitized/".  The
# scripts in which layer L3 has a part have it on there.
sanitized_direct = $(filter $(direct_tests),$(sanitized_root_tests))
sanitized_db = $(filter-out $(mostly_ovn),$(db_tests))
sanitized_tests = \
	$(unit_tests:%=sanitized:unit:%) $(sanitized_db:%=sanitized:db:%) \
	$(patsubst %,sanitized:root:%, \
	  $(filter-out $(sanitized_direct),$(sanitized_root_tests))) \
	$(sanitized_direct:%=sanitized:direct:root:%)
sanitized_root_tests = \
	tests/plugin/test-datapath-bpf \
	tests/plugin/test-datapath-bpf-acl \
	tests/plugin/test-datapath-bpf-attach \
	tests/plugin/test-datapath-bpf-opened \
	tests/plugin/test-datapath-bpf-watch \
	tests/plugin/test-netdevs \
	tests/system/test-acl.sh \
	tests/system/test-bad-days.sh \
	tests/system/test-changes.sh \
	tests/system/test-endpoints.sh \
	tests/system/test-rpc.sh

# Scripts of tests/db/ in which nearly all is done by OVN.
mostly_ovn = tests/db/test-acl-ovn.sh tests/db/test-releases.sh

# What these need.
sanitized_programs = $(filter-out $(bench_programs) \
	$(filter-out $(sanitized_root_tests),$(root_units)),$(check_PROGRAMS))

sanitized/Makefile: config.status
	$(AM_V_GEN)$(MKDIR_P) $(@D) && eval "set -- $$(./config.status --config)" \
	  && cd $(@D) && $(abs_top_srcdir)/configure "$$@" --enable-sanitizers \
	  --quiet </dev/null
sanitized: sanitized/Makefile
	$(AM_V_at)$(MAKE) -C sanitized all
	$(AM_V_at)$(MAKE) -C sanitized $(sanitized_programs)
check-programs: $(check_PROGRAMS)
.PHONY: check-programs sanitized

# "make check RECHECK=yes" runs what failed once more, alone, at the end.
recheck_yes = --recheck

# "make check INSTALLED=yes" has the system tests and that of the guest run the
# programs of the package, as they are on a node; those of a build with
# sanitizers stay that build's.
if_installed_yes = installed-root
installed_yes = --installed='$(abs_builddir)/installed'

# These then run only with sanitizers: OVN does most of what they take, and
# does it once.
only_sanitized_yes = $(sanitized_db) $(sanitized_direct)

if_sanitized_yes = sanitized
check-local: $(if_sanitized_$(SANITIZED)) \
	$(if_installed_$(INSTALLED)) $(check_needs)
	$(AM_V_at)$(run_tests) $(recheck_$(RECHECK)) \
	  $(installed_$(INSTALLED)) --only='$(TESTS)' \
	  $(unit_tests:%=unit:%) $(lint_tests:%=lint:%) \
	  $(root_units:%=root:%) $(root_tests:%=root:%) \
	  $(patsubst %,db:%, \
	    $(filter-out $(only_sanitized_$(SANITIZED)),$(db_tests))) \
	  $(patsubst %,direct:root:%, \
	    $(filter-out $(only_sanitized_$(SANITIZED)),$(direct_tests))) \
	  $(if $(if_sanitized_$(SANITIZED)),$(sanitized_tests))

lint:
	$(AM_V_at)$(run_tests) $(lint_tests:%=lint:%)
.PHONY: lint

# Measures; needs root.  Not a test: nothing fails by being slow.  "make bench
# BENCH_FLAGS=--quick" takes a minute, --only=WORD runs the parts so named.
bench: all $(bench_programs) $(bench_helpers)
	$(AM_V_at)OVN_XDP_SRCDIR='$(abs_srcdir)' \
	  OVN_XDP_BUILDDIR='$(abs_builddir)' PYTHON3='$(PYTHON3)' \
	  PYTHONDONTWRITEBYTECODE=yes $(PYTHON3) $(srcdir)/$(bench_driver) \
	  --json=bench.json $(BENCH_FLAGS) \
	  $(bench_programs:%=$(abs_builddir)/%) \
	  $(bench_scripts:%=$(abs_srcdir)/%)
.PHONY: bench

clean_folders += tests/logs tests/system/other-abi sanitized
