/* SPDX-License-Identifier: Apache-2.0 */
/* The unixctl commands beyond those that OVS's libraries register. */

#include <config.h>

#include "plugin/commands.h"

#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "unixctl.h"
#include "util.h"

#include "plugin/engine.h"

/* "exit [--cleanup]": answers once everything is done. */
static void
cmd_exit(struct unixctl_conn *conn, int argc, const char *argv[],
         void *commands_)
{
    struct commands *commands = commands_;

    if (argc > 1 && strcmp(argv[1], "--cleanup")) {
        unixctl_command_reply_error(conn, "the only argument is --cleanup");
        return;
    }
    commands->exiting = true;
    commands->cleanup |= argc > 1;
    commands->conns = xrealloc(commands->conns, (commands->n_conns + 1)
                                                * sizeof *commands->conns);
    commands->conns[commands->n_conns++] = conn;
}

/* "connection-status": of the Southbound database. */
static void
cmd_connection_status(struct unixctl_conn *conn, int argc OVS_UNUSED,
                      const char *argv[] OVS_UNUSED, void *engine)
{
    struct ds ds = DS_EMPTY_INITIALIZER;

    engine_connection_status(engine, &ds);
    unixctl_command_reply(conn, ds_cstr(&ds));
    ds_destroy(&ds);
}

/* "recompute": derive everything anew. */
static void
cmd_recompute(struct unixctl_conn *conn, int argc OVS_UNUSED,
              const char *argv[] OVS_UNUSED, void *engine)
{
    engine_recompute(engine);
    unixctl_command_reply(conn, NULL);
}

/* "sb-cluster-state-reset": after a Southbound cluster was rebuilt. */
static void
cmd_reset(struct unixctl_conn *conn, int argc OVS_UNUSED,
          const char *argv[] OVS_UNUSED, void *engine)
{
    engine_reset_min_index(engine);
    unixctl_command_reply(conn, NULL);
}

/* "nb-cluster-state-reset": after a Northbound cluster was rebuilt. */
static void
cmd_nb_reset(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[] OVS_UNUSED, void *engine)
{
    engine_reset_nb_min_index(engine);
    unixctl_command_reply(conn, NULL);
}

/* "acl/settle": for tests, which do not wait for connections to be over. */
static void
cmd_settle(struct unixctl_conn *conn, int argc OVS_UNUSED,
           const char *argv[] OVS_UNUSED, void *engine)
{
    engine_settle(engine);
    unixctl_command_reply(conn, NULL);
}

/* "direct/suppress-events true|false": for tests of what confirmation does
 * alone. */
static void
cmd_suppress(struct unixctl_conn *conn, int argc OVS_UNUSED,
             const char *argv[], void *engine)
{
    bool suppress = !strcmp(argv[1], "true");

    if (!suppress && strcmp(argv[1], "false")) {
        unixctl_command_reply_error(conn, "the argument is true or false");
        return;
    }
    engine_suppress_direct_events(engine, suppress);
    unixctl_command_reply(conn, NULL);
}

/* Registers the commands, which act on 'engine' and fill 'commands'; both must
 * live as long as the unixctl server. */
void
commands_register(struct commands *commands, struct engine *engine)
{
    unixctl_command_register("exit", "[--cleanup]", 0, 1, cmd_exit, commands);
    unixctl_command_register("connection-status", "", 0, 0,
                             cmd_connection_status, engine);
    unixctl_command_register("recompute", "", 0, 0, cmd_recompute, engine);
    unixctl_command_register("acl/settle", "", 0, 0, cmd_settle, engine);
    unixctl_command_register("direct/suppress-events", "true|false", 1, 1,
                             cmd_suppress, engine);
    unixctl_command_register("sb-cluster-state-reset", "", 0, 0, cmd_reset,
                             engine);
    unixctl_command_register("nb-cluster-state-reset", "", 0, 0, cmd_nb_reset,
                             engine);
}

/* Answers those who asked to exit. */
void
commands_reply(struct commands *commands, const char *error)
{
    for (size_t i = 0; i < commands->n_conns; i++) {
        if (error) {
            unixctl_command_reply_error(commands->conns[i], error);
        } else {
            unixctl_command_reply(commands->conns[i], NULL);
        }
    }
    free(commands->conns);
    commands->conns = NULL;
    commands->n_conns = 0;
}
