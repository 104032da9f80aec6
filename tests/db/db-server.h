/* SPDX-License-Identifier: Apache-2.0 */
/* Real ovsdb-servers for tests, without root, and transactions with them by
 * ovsdb-client, so that the code under test never talks to itself. */
#ifndef TESTS_DB_DB_SERVER_H
#define TESTS_DB_DB_SERVER_H 1

#include <stdbool.h>

struct db_server;

bool db_test_init(int argc, char *argv[]);
char *db_temp_dir(void);
void db_remove_dir(char *dir);
char *db_read_golden(const char *name);

struct db_server *db_server_create(const char *dir, const char *name);
void db_server_destroy(struct db_server *);
void db_server_use_fixture(struct db_server *, const char *name);
void db_server_use_schema(struct db_server *, const char *schema);
void db_server_edit_schema(struct db_server *, const char *const edits[]);

void db_server_start(struct db_server *);
void db_server_stop(struct db_server *);
void db_server_pause(const struct db_server *, bool paused);
void db_server_disconnect_all(const struct db_server *);
void db_server_limit_file(const struct db_server *, bool limited);
const char *db_server_remote(const struct db_server *);

char *db_server_transact(const struct db_server *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void db_server_exec(const struct db_server *, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void db_server_convert(const struct db_server *, const char *const edits[]);

#endif /* tests/db/db-server.h */
