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
#include "timeval.h"
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

/* Milliseconds from one that could not be made to the next try. */
#define RPC_RETRY_MS 1000

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
    bool changed;               /* The file has to be looked at. */
    long long int look_at;      /* But not before this time. */
};

/* For what may go wrong again and again. */
static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(5, 5);

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

/* Returns true if 'st' is of the file that 'l' has made. */
static bool
is_own(const struct rpc_listener *l, const struct stat *st)
{
    return st->st_dev == l->file.st_dev && st->st_ino == l->file.st_ino;
}

/* Removes the socket file, unless another one is in its place.  See
 * rpc/listen.h. */
void
rpc_listener_destroy(struct rpc_listener *l)
{
    struct stat st;

    if (!l) {
        return;
    }
    if (l->fd >= 0) {
        if (lstat(l->path, &st) || is_own(l, &st)) {
            fatal_signal_unlink_file_now(l->path);
        } else {
            fatal_signal_remove_file_to_unlink(l->path);
        }
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
                                 IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF
                                 | IN_DONT_FOLLOW);
    if (l->watch < 0) {
        VLOG_WARN_RL(&rl, "%s: cannot be watched (%s)", path,
                     ovs_strerror(errno));
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
 * longer as it should be.  Another file in its place is left alone, also at
 * the end. */
static bool
needs_repair(struct rpc_listener *l)
{
    struct stat st;

    if (lstat(l->path, &st)) {
        return true;
    } else if (!is_own(l, &st)) {
        VLOG_WARN_RL(&rl, "%s: another file has taken the place of the socket",
                     l->path);
        fatal_signal_remove_file_to_unlink(l->path);
        return false;
    } else if (is_right(l, &st)) {
        l->n_repairs = 0;
        return false;
    }
    return l->n_repairs < RPC_MAX_REPAIRS;
}

/* Puts a new socket in the place of that of 'l'.  Returns the old one, or -1
 * if that is still in use: for want of descriptors, or of the folder.  Then it
 * is tried again later; nothing need happen to the file meanwhile. */
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
        VLOG_WARN_RL(&rl, "%s: cannot be made anew (%s)", l->path,
                     ovs_strerror(error));
        l->file = old_file;
        watch_file(l, l->path);
        l->changed = true;
        l->look_at = time_msec() + RPC_RETRY_MS;
        return -1;
    }
    fatal_signal_remove_file_to_unlink(l->new_path);
    fatal_signal_add_file_to_unlink(l->path);
    l->n_repairs++;
    VLOG_INFO("%s: made anew, as somebody had changed it", l->path);
    l->fd = fd;
    return old;
}

/* Puts the file right.  See rpc/listen.h. */
int
rpc_listener_run(struct rpc_listener *l)
{
    char events[1024];

    while (l->inotify_fd >= 0
           && read(l->inotify_fd, events, sizeof events) > 0) {
        l->changed = true;
    }
    if (!l->changed || time_msec() < l->look_at) {
        return -1;
    }
    l->changed = false;
    return needs_repair(l) ? replace_socket(l) : -1;
}

/* Makes poll_block() wake up when somebody changes the file, and when it is
 * time for another try. */
void
rpc_listener_wait(const struct rpc_listener *l)
{
    if (l->inotify_fd >= 0) {
        poll_fd_wait(l->inotify_fd, POLLIN);
    }
    if (l->changed) {
        poll_timer_wait_until(l->look_at);
    }
}
