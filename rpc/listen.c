/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/listen.h. */

#include <config.h>

#include "rpc/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fatal-signal.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "socket-util.h"
#include "util.h"

#include "rpc/limits.h"

VLOG_DEFINE_THIS_MODULE(rpc_listen);

/* Members of this group may use the socket, where the group exists. */
#define RPC_GROUP "ovn-xdp"

/* The mode of the socket file, and the umask that gives it that. */
#define RPC_MODE 0660
#define RPC_UMASK 0117

/* How often a file is made anew that does not get right by that. */
#define RPC_MAX_REPAIRS 3

/* See rpc/listen.h. */
struct rpc_listener {
    char *path;                 /* Of the socket file. */
    char *new_path;             /* Of one that is about to take its place. */
    int fd;                     /* The socket. */
    struct stat file;           /* Its file when it was made. */
    gid_t group;                /* What its group should be; -1: does not
                                 * matter. */
    int inotify_fd;             /* Tells of changes of the file, or -1. */
    int watch;                  /* Its watch on the file, or -1. */
    int n_repairs;              /* Repairs in a row that did not help. */
};

static int check_unused(const char *path);
static int open_socket(struct rpc_listener *, const char *path, int *fdp);

/* Listens on 'path'.  See rpc/listen.h. */
int
rpc_listener_create(const char *path, struct rpc_listener **listenerp)
{
    const struct group *group = getgrnam(RPC_GROUP);
    int error = check_unused(path);

    if (error) {
        return error;
    }
    struct rpc_listener *l = xzalloc(sizeof *l);
    l->path = xstrdup(path);
    l->new_path = xasprintf("%s.new", path);
    l->fd = l->watch = -1;
    l->group = group ? group->gr_gid : (gid_t) -1;
    l->inotify_fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    error = open_socket(l, path, &l->fd);
    if (error) {
        rpc_listener_destroy(l);
        return error;
    }
    *listenerp = l;
    return 0;
}

/* Removes the socket file.  See rpc/listen.h. */
void
rpc_listener_destroy(struct rpc_listener *l)
{
    if (!l) {
        return;
    }
    if (l->fd >= 0) {
        fatal_signal_unlink_file_now(l->path);
        close(l->fd);
    }
    if (l->inotify_fd >= 0) {
        close(l->inotify_fd);
    }
    free(l->path);
    free(l->new_path);
    free(l);
}

/* Returns the socket.  See rpc/listen.h. */
int
rpc_listener_fd(const struct rpc_listener *l)
{
    return l->fd;
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

/* Makes the socket file 'path' with its mode.  Returns the socket, or a
 * negative errno. */
static int
bind_socket(const char *path)
{
    mode_t old = umask(RPC_UMASK);
    int fd = make_unix_socket(SOCK_STREAM, true, path, NULL);

    umask(old);
    return fd;
}

/* Gives the socket file 'path' to its group.  Whoever owns the folder may have
 * put a symbolic link in its place, which must not be followed. */
static void
set_group(const struct rpc_listener *l, const char *path)
{
    if (l->group != (gid_t) -1 && lchown(path, -1, l->group)) {
        VLOG_WARN("%s: cannot give to group %s (%s)",
                  path, RPC_GROUP, ovs_strerror(errno));
    }
}

/* Has 'l' learn of changes of the file 'path', and of no other.  Without that
 * nothing is mended, and all else works. */
static void
watch_file(struct rpc_listener *l, const char *path)
{
    if (l->inotify_fd < 0) {
        return;
    }
    if (l->watch >= 0) {
        inotify_rm_watch(l->inotify_fd, l->watch);
    }
    l->watch = inotify_add_watch(l->inotify_fd, path,
                                 IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF);
    if (l->watch < 0) {
        VLOG_WARN("%s: cannot be watched (%s)", path, ovs_strerror(errno));
    }
}

/* Makes a socket file 'path' that listens, and stores its descriptor in
 * '*fdp'.  From then on this is the file that is watched.  Returns 0 or a
 * positive errno. */
static int
open_socket(struct rpc_listener *l, const char *path, int *fdp)
{
    int error = 0;
    int fd;

    fd = bind_socket(path);
    if (fd < 0) {
        return -fd;
    }
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    watch_file(l, path);

    /* Nobody can connect before listen(), so there is no moment at which the
     * file is open to others than it should be. */
    set_group(l, path);
    if (lstat(path, &l->file) || listen(fd, RPC_MAX_CONNECTIONS)) {
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

/* Returns true if 'st' is as a socket file of 'l' should be. */
static bool
is_right(const struct rpc_listener *l, const struct stat *st)
{
    return (st->st_uid == geteuid()
            && (l->group == (gid_t) -1 || st->st_gid == l->group)
            && (st->st_mode & 07777) == RPC_MODE);
}

/* Returns true if the file of 'l' should be made anew: it is gone, or no
 * longer as it should be.  Another file in its place is left alone. */
static bool
needs_repair(struct rpc_listener *l)
{
    struct stat st;

    if (lstat(l->path, &st)) {
        return errno == ENOENT;
    } else if (st.st_dev != l->file.st_dev || st.st_ino != l->file.st_ino) {
        VLOG_WARN("%s: another file has taken the place of the socket",
                  l->path);
        return false;
    } else if (is_right(l, &st)) {
        l->n_repairs = 0;
        return false;
    }
    return l->n_repairs++ < RPC_MAX_REPAIRS;
}

/* Puts a new socket in the place of that of 'l'.  Returns the old one, or -1
 * if that is still in use. */
static int
replace_socket(struct rpc_listener *l)
{
    struct stat old_file = l->file;
    int old = l->fd;
    int error;
    int fd;

    unlink(l->new_path);
    error = open_socket(l, l->new_path, &fd);
    if (!error && rename(l->new_path, l->path)) {
        error = errno;
        fatal_signal_unlink_file_now(l->new_path);
        close(fd);
    }
    if (error) {
        VLOG_WARN("%s: cannot be made anew (%s)", l->path,
                  ovs_strerror(error));
        l->file = old_file;
        watch_file(l, l->path);
        return -1;
    }
    fatal_signal_remove_file_to_unlink(l->new_path);
    VLOG_INFO("%s: made anew, as somebody had changed it", l->path);
    l->fd = fd;
    return old;
}

/* Puts the file right.  See rpc/listen.h. */
int
rpc_listener_run(struct rpc_listener *l)
{
    char events[1024];
    bool any = false;

    while (l->inotify_fd >= 0
           && read(l->inotify_fd, events, sizeof events) > 0) {
        any = true;
    }
    return any && needs_repair(l) ? replace_socket(l) : -1;
}

/* Makes poll_block() wake up when somebody changes the file. */
void
rpc_listener_wait(const struct rpc_listener *l)
{
    if (l->inotify_fd >= 0) {
        poll_fd_wait(l->inotify_fd, POLLIN);
    }
}
