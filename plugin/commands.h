/* SPDX-License-Identifier: Apache-2.0 */
/* The unixctl commands that ovn-controller users expect. */
#ifndef PLUGIN_COMMANDS_H
#define PLUGIN_COMMANDS_H 1

#include <stdbool.h>
#include <stddef.h>

struct engine;
struct unixctl_conn;

/* What the commands ask of the main loop. */
struct commands {
    bool exiting;               /* "exit" was called. */
    bool cleanup;               /* ...with --cleanup. */
    struct unixctl_conn **conns; /* Waiting for the end. */
    size_t n_conns;             /* Number of elements in 'conns'. */
};

void commands_register(struct commands *, struct engine *);

/* Answers those who asked to exit, with an error unless that is NULL. */
void commands_reply(struct commands *, const char *error);

#endif /* plugin/commands.h */
