/* SPDX-License-Identifier: Apache-2.0 */
/* How a database connection is doing, as plain values for 'plugin/'. */
#ifndef IDL_DB_STATUS_H
#define IDL_DB_STATUS_H 1

#include <stdbool.h>

/* States of a database connection.  Their wire names come from
 * db_state_to_string(). */
enum db_state {
    DB_DISABLED,                /* "disabled": no remote is configured. */
    DB_CONNECTING,              /* "connecting": not connected, retrying. */
    DB_SYNCING,                 /* "syncing": connected, contents or condition
                                 * not acknowledged yet. */
    DB_SYNCED,                  /* "synced": the view is current. */
};

/* Status of one database connection. */
struct db_status {
    const char *name;           /* "Open_vSwitch", "OVN_Southbound" or
                                 * "OVN_Northbound". */
    const char *remote;         /* Configured remotes; "" if none. */
    enum db_state state;        /* See above. */
    bool current;               /* The contents have been received on the
                                 * present connection.  A server that takes
                                 * connections but does not answer never
                                 * gets here. */
    long long int last_change;  /* time_msec() of the last change of contents
                                 * or of state; 0 if there was none. */
    int error;                  /* Why the last attempt to connect failed or
                                 * the last connection ended: an errno, EOF
                                 * (-1), or 0 for neither. */
};

const char *db_state_to_string(enum db_state);

#endif /* idl/db-status.h */
