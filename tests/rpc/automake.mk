# SPDX-License-Identifier: Apache-2.0
#
# Tests of rpc/.  The fake view stands in for plugin/view.c: what is tested
# here links the library of its room and nothing of plugin/.

unit_tests += \
	tests/rpc/test-frame \
	tests/rpc/test-fuzz \
	tests/rpc/test-grid \
	tests/rpc/test-jsonrpc \
	tests/rpc/test-listen \
	tests/rpc/test-methods \
	tests/rpc/test-openmetrics \
	tests/rpc/test-server \
	tests/rpc/test-utf8

RPC_TEST_LDADD = rpc/librpc.a $(OVS_LDADD) $(JSON_C_LIBS) $(CMOCKA_LIBS)

tests_rpc_test_frame_LDADD = $(RPC_TEST_LDADD)
tests_rpc_test_fuzz_SOURCES = \
	tests/rpc/fake-view.c \
	tests/rpc/fake-view.h \
	tests/rpc/test-fuzz.c
tests_rpc_test_fuzz_LDADD = $(RPC_TEST_LDADD)
tests_rpc_test_grid_SOURCES = tests/rpc/test-grid.c rpc/grid.c
tests_rpc_test_grid_LDADD = $(RPC_TEST_LDADD)
tests_rpc_test_jsonrpc_LDADD = $(RPC_TEST_LDADD)
tests_rpc_test_listen_LDADD = $(RPC_TEST_LDADD)
tests_rpc_test_methods_SOURCES = \
	tests/rpc/fake-view.c \
	tests/rpc/fake-view.h \
	tests/rpc/test-methods.c
tests_rpc_test_methods_LDADD = $(RPC_TEST_LDADD)
tests_rpc_test_openmetrics_LDADD = $(RPC_TEST_LDADD)
tests_rpc_test_server_SOURCES = \
	tests/rpc/fake-view.c \
	tests/rpc/fake-view.h \
	tests/rpc/test-server.c
tests_rpc_test_server_LDADD = $(RPC_TEST_LDADD)
tests_rpc_test_utf8_LDADD = $(RPC_TEST_LDADD)

db_tests += \
	tests/rpc/test-completion.sh \
	tests/rpc/test-dashboard.sh \
	tests/rpc/test-man-pages.sh \
	tests/rpc/test-metrics.sh \
	tests/rpc/test-ovn-xdpctl.sh
root_tests += tests/rpc/test-node-exporter.sh
test_data += \
	tests/rpc/check-dashboard.py \
	tests/rpc/check-metrics.py \
	tests/rpc/check-scrape.py \
	tests/rpc/metrics.sh \
	tests/rpc/data/acls.txt \
	tests/rpc/data/acls-vm3.txt \
	tests/rpc/data/endpoints-vm1.txt \
	tests/rpc/data/endpoints.txt \
	tests/rpc/data/features.txt \
	tests/rpc/data/flows.txt \
	tests/rpc/data/flows-vm3.txt \
	tests/rpc/data/flows-vm3-1.txt \
	tests/rpc/data/interfaces.txt \
	tests/rpc/data/stats.txt

# What that talks to.
check_PROGRAMS += tests/rpc/fake-server
tests_rpc_fake_server_SOURCES = \
	tests/rpc/fake-server.c \
	tests/rpc/fake-view.c \
	tests/rpc/fake-view.h
tests_rpc_fake_server_LDADD = rpc/librpc.a $(OVS_LDADD) $(JSON_C_LIBS)
