# SPDX-License-Identifier: Apache-2.0
#
# Tests of idl/ with real ovsdb-servers.

unit_tests += \
	tests/db/test-acl-golden \
	tests/db/test-acl-rules \
	tests/db/test-nat-flow \
	tests/db/test-nb-db \
	tests/db/test-ovs-db \
	tests/db/test-ovs-samples \
	tests/db/test-sb-acl \
	tests/db/test-sb-acl-whole \
	tests/db/test-sb-changes \
	tests/db/test-sb-db \
	tests/db/test-sb-db-link \
	tests/db/test-sb-facts \
	tests/db/test-sb-path \
	tests/db/test-sb-ways \
	tests/db/test-sources

tests_libtest_a_SOURCES += \
	tests/db/db-dump.c tests/db/db-dump.h \
	tests/db/db-server.c tests/db/db-server.h \
	tests/db/path-bed.c tests/db/path-bed.h \
	tests/db/sbt.c tests/db/sbt.h

db_tests += tests/db/test-acl-ovn.sh tests/db/test-releases.sh

test_data += \
	tests/db/acl-ovn.py \
	tests/db/fixtures/nb-2303.db \
	tests/db/fixtures/nb-2403.db \
	tests/db/fixtures/sb-2303.db \
	tests/db/fixtures/sb-2403.db \
	tests/db/golden/acl-2303.txt \
	tests/db/golden/acl-2403.txt \
	tests/db/golden/acl-rules.txt \
	tests/db/golden/sb-2303-acl.txt \
	tests/db/golden/sb-2303-cmp1.json \
	tests/db/golden/sb-2303-gw1.json \
	tests/db/golden/sb-2403-acl.txt \
	tests/db/golden/sb-2403-cmp1.json \
	tests/db/golden/sb-2403-gw1.json \
	tests/db/releases.py
