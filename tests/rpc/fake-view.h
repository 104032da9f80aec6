/* SPDX-License-Identifier: Apache-2.0 */
/* A view on a daemon that does not exist, for tests of rpc/.
 *
 * It takes the place of plugin/view.c.  Its contents are fixed; what varies is
 * in struct view. */
#ifndef TESTS_RPC_FAKE_VIEW_H
#define TESTS_RPC_FAKE_VIEW_H 1

#include <stdbool.h>
#include <stddef.h>

#include "plugin/view.h"

/* What the fake daemon is like. */
struct view {
    bool empty;                 /* Has nothing configured. */
    enum view_health_code health; /* Its health. */
    size_t n_more;              /* Endpoints besides the usual ones. */
    const char *chassis;        /* Its name, or NULL for "hv1". */
    unsigned int patience;      /* Turns that a question about bridges
                                 * takes. */
};

#endif /* tests/rpc/fake-view.h */
