/* SPDX-License-Identifier: Apache-2.0 */
/* A server on the fake view, for tests of ovn-xdpctl.
 *
 * usage: fake-server SOCKET [empty|degraded|failed|many]
 *
 * Prints "ready" when it listens, and ends when standard input does. */

#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "openvswitch/poll-loop.h"
#include "util.h"

#include "rpc/server.h"
#include "tests/rpc/fake-view.h"

static void set_view(struct view *, const char *what);

int
main(int argc, char *argv[])
{
    struct view view = { .health = VIEW_OK };
    struct pollfd input = { .events = POLLIN };
    struct rpc_server *server;
    int error;

    ovs_set_program_name(argv[0], "0");
    if (argc < 2 || argc > 3) {
        ovs_fatal(0, "usage: %s SOCKET [empty|degraded|failed|many]",
                  argv[0]);
    }
    set_view(&view, argv[2]);
    error = rpc_server_create(argv[1], &view, &server);
    if (error) {
        ovs_fatal(error, "%s", argv[1]);
    }
    puts("ready");
    fflush(stdout);
    input.fd = dup(STDIN_FILENO); /* The poll loop does not like 0. */
    do {
        rpc_server_run(server);
        rpc_server_wait(server);
        poll_fd_wait(input.fd, POLLIN);
        poll_block();
    } while (!poll(&input, 1, 0));
    rpc_server_destroy(server);
    return EXIT_SUCCESS;
}

/* Makes 'view' as 'what', an argument, says; NULL is the usual view. */
static void
set_view(struct view *view, const char *what)
{
    if (!what) {
        return;
    } else if (!strcmp(what, "empty")) {
        view->empty = true;
    } else if (!strcmp(what, "degraded")) {
        view->health = VIEW_DEGRADED;
    } else if (!strcmp(what, "failed")) {
        view->health = VIEW_FAILED;
    } else if (!strcmp(what, "many")) {
        view->n_more = 65000;
    } else {
        ovs_fatal(0, "%s: what is that?", what);
    }
}
