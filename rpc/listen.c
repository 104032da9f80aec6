/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/listen.h. */

#include <config.h>

#include "rpc/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fatal-signal.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "util.h"

#include "rpc/limits.h"

VLOG_DEFINE_THIS_MODULE(rpc_listen);

/* Members of this group may use the socket, where the group exists. */
#define RPC_GROUP "ovn-xdp"

static int check_unused(const char *path);
static int set_permissions(const char *path);

/* Listens on a new socket file 'path', mode 0660 whatever the umask, and
 * stores its non-blocking descriptor in '*fdp'.  A socket file left by a dead
 * daemon is replaced.  Returns 0 or a positive errno: EADDRINUSE if somebody
 * answers there already, EEXIST if 'path' is something else than a socket. */
int
rpc_listen(const char *path, int *fdp)
{
    int error;
    int fd;

    error = check_unused(path);
    if (error) {
        return error;
    }
    fd = make_unix_socket(SOCK_STREAM, true, path, NULL);
    if (fd < 0) {
        return -fd;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);

    /* Nobody can connect before listen(), so there is no moment at which the
     * file is open to others than it should be. */
    error = set_permissions(path);
    if (!error && listen(fd, RPC_MAX_CONNECTIONS)) {
        error = errno;
    }
    if (error) {
        fatal_signal_unlink_file_now(path);
        close(fd);
        return error;
    }
    *fdp = fd;
    return 0;
}

/* Returns 0 if 'path' may be bound: nothing is there, or a socket that nobody
 * listens on. */
static int
check_unused(const char *path)
{
    struct stat st;
    int fd;

    if (lstat(path, &st)) {
        return errno == ENOENT ? 0 : errno;
    }
    if (!S_ISSOCK(st.st_mode)) {
        return EEXIST;
    }
    fd = make_unix_socket(SOCK_STREAM, true, NULL, path);
    if (fd >= 0) {
        close(fd);
        return EADDRINUSE;
    }

    /* EAGAIN, which make_unix_socket() calls EPROTO: the queue of somebody
     * who listens is full. */
    return (fd == -ECONNREFUSED || fd == -ENOENT ? 0
            : fd == -EPROTO ? EADDRINUSE
            : -fd);
}

/* Gives the socket file 'path' its mode and group.  Returns 0 or a positive
 * errno. */
static int
set_permissions(const char *path)
{
    const struct group *group = getgrnam(RPC_GROUP);

    if (group && chown(path, -1, group->gr_gid)) {
        VLOG_WARN("%s: cannot give to group %s (%s)",
                  path, RPC_GROUP, ovs_strerror(errno));
    }
    return chmod(path, 0660) ? errno : 0;
}
