/* SPDX-License-Identifier: Apache-2.0 */
/* The pin directory: that it is on a bpffs, that only one daemon uses it, and
 * what lies in it. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "openvswitch/vlog.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_pins);

static int make_dirs(const char *dir);
static bool is_mount(int fd);

/* Creates 'pin_dir' and what is missing above it, and locks it.  The lock goes
 * with the process.  Stores a file descriptor of the directory in '*lock_fdp'.
 * EBUSY: another process has the lock.  ENODEV: it is not on a bpffs.  EISDIR:
 * it is where one is mounted, with pins of others in it.  EROFS, EACCES: it
 * cannot be written. */
int
pins_lock(const char *pin_dir, int *lock_fdp)
{
    for (;;) {
        struct stat locked, found;
        int error, fd;

        error = make_dirs(pin_dir);
        if (error) {
            return error;
        }
        fd = open(pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0) {
            return errno;
        }
        if (is_mount(fd)) {
            close(fd);
            return EISDIR;
        }
        if (flock(fd, LOCK_EX | LOCK_NB)) {
            error = errno == EWOULDBLOCK ? EBUSY : errno;
            close(fd);
            return error;
        }

        /* Another daemon's cleanup may have removed it in the meantime. */
        if (!fstat(fd, &locked) && !stat(pin_dir, &found)
            && locked.st_ino == found.st_ino
            && locked.st_dev == found.st_dev) {
            *lock_fdp = fd;
            return 0;
        }
        close(fd);
    }
}

/* Returns true if a file system is mounted on the directory 'fd'. */
static bool
is_mount(int fd)
{
    struct stat here, above;

    return (!fstat(fd, &here) && !fstatat(fd, "..", &above, 0)
            && here.st_dev != above.st_dev);
}

/* Creates the directory 'dir' if it is missing; its parent exists. */
int
pins_make_dir(const char *dir)
{
    if (mkdir(dir, 0700) && errno != EEXIST) {
        int error = errno;

        VLOG_ERR("%s: cannot create the directory (%s)%s", dir,
                 ovs_strerror(error),
                 error == EPERM ? "; a bpffs takes no name with a dot" : "");
        return error;
    }
    return 0;
}

/* Adds the paths of what is in directory 'dir' to 'paths', sorted; none if
 * there is no such directory. */
void
pins_list(const char *dir, struct svec *paths)
{
    struct dirent *entry;
    DIR *stream;

    stream = opendir(dir);
    if (!stream) {
        return;
    }
    while ((entry = readdir(stream)) != NULL) {
        if (entry->d_name[0] != '.') {
            svec_add_nocopy(paths, xasprintf("%s/%s", dir, entry->d_name));
        }
    }
    closedir(stream);
    svec_sort(paths);
}

/* Adds to 'paths' the directory 'dir', if it is there, and all that is below
 * it. */
void
pins_list_all(const char *dir, struct svec *paths)
{
    struct svec inside = SVEC_EMPTY_INITIALIZER;
    const char *path;
    size_t i;

    if (!access(dir, F_OK)) {
        svec_add(paths, dir);
    }
    pins_list(dir, &inside);
    SVEC_FOR_EACH (i, path, &inside) {
        pins_list_all(path, paths);
    }
    svec_destroy(&inside);
}

/* Returns true if 'path' is where an object is pinned, or nothing is there:
 * somebody may have made a directory or a symbolic link instead. */
bool
pins_is_pin(const char *path)
{
    struct stat status;

    return lstat(path, &status) || S_ISREG(status.st_mode);
}

/* Opens what is pinned as 'path', stored in '*fdp', or -1.  Returns 0, also if
 * nothing is there, or a positive errno, with which nobody can tell whether
 * there is something. */
int
pins_get(const char *path, int *fdp)
{
    int fd = bpf_obj_get(path);

    *fdp = fd < 0 ? -1 : fd;
    if (fd < 0 && fd != -ENOENT) {
        VLOG_ERR("%s: cannot open the pin (%s)", path, ovs_strerror(-fd));
        return -fd;
    }
    return 0;
}

/* Removes the pin 'path', if it is there. */
void
pins_remove(const char *path)
{
    if (unlink(path) && errno != ENOENT) {
        VLOG_WARN("%s: cannot remove the pin (%s)", path,
                  ovs_strerror(errno));
    }
}

/* Detaches the link that is pinned as 'path', if it is one, and removes the
 * pin. */
void
pins_remove_link(const char *path)
{
    int fd = bpf_obj_get(path);

    if (fd >= 0) {
        bpf_link_detach(fd);
        close(fd);
    }
    pins_remove(path);
}

/* Removes the directory 'dir' and the pins in it, if it is there. */
void
pins_remove_dir(const char *dir)
{
    struct svec paths = SVEC_EMPTY_INITIALIZER;
    const char *path;
    size_t i;

    pins_list(dir, &paths);
    SVEC_FOR_EACH (i, path, &paths) {
        pins_remove(path);
    }
    svec_destroy(&paths);
    if (rmdir(dir) && errno != ENOENT) {
        VLOG_WARN("%s: cannot remove the directory (%s)", dir,
                  ovs_strerror(errno));
    }
}

/* Returns 0 if the existing directory 'dir' is on a bpffs and may be written,
 * ENODEV if it is not on one, or another positive errno. */
static int
check_bpffs(const char *dir)
{
    struct statfs fs;

    if (statfs(dir, &fs)) {
        return errno;
    } else if ((unsigned int) fs.f_type != BPF_FS_MAGIC) {
        return ENODEV;
    }
    return access(dir, W_OK | X_OK) ? errno : 0;
}

/* Creates 'dir' and what is missing above it, on a bpffs only. */
static int
make_dirs(const char *dir)
{
    struct stat status;
    char *parent;
    int error;

    if (!stat(dir, &status)) {
        return S_ISDIR(status.st_mode) ? check_bpffs(dir) : ENOTDIR;
    } else if (errno != ENOENT) {
        return errno;
    }
    parent = dir_name(dir);
    error = make_dirs(parent);
    free(parent);
    return error ? error : pins_make_dir(dir);
}

/* Pins the object 'fd' as 'path', in the place of what is there, and in a
 * directory that is made again if somebody has removed it. */
int
pins_put(int fd, const char *path)
{
    char *dir = dir_name(path);
    int error = make_dirs(dir);

    free(dir);
    if (!error) {
        pins_remove(path);
        error = -bpf_obj_pin(fd, path);
    }
    if (error) {
        VLOG_ERR("%s: cannot pin (%s)", path, ovs_strerror(error));
    }
    return error;
}
