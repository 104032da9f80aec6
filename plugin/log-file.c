/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the log file takes what is written to it.  The library that writes
 * it does not look, and a daemon that tells its troubles to a full disk had
 * better say that somewhere else. */

#include <config.h>

#include "plugin/log-file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/statvfs.h>

#include "openvswitch/vlog.h"
#include "util.h"

/* Returns 0 if the file system of 'path' has room for one more line, ENOSPC
 * if it is full, or another positive errno if nobody can tell. */
static int
check_room(const char *path)
{
    struct statvfs fs;

    if (statvfs(path, &fs)) {
        return errno;
    }
    return fs.f_bfree ? 0 : ENOSPC;
}

/* Adds a problem to 'problems' if there is a log file and its disk is
 * full. */
void
log_file_check(struct problems *problems)
{
    char *path = vlog_get_log_file();
    char *dir = path ? dir_name(path) : NULL;

    if (dir && check_room(dir) == ENOSPC) {
        problems_add(problems, REASON_LOG_FILE,
                     "%s: no space is left: what is logged is lost until "
                     "there is", path);
    }
    free(dir);
    free(path);
}
