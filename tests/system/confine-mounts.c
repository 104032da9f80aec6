/* SPDX-License-Identifier: Apache-2.0 */
/* The mounts that the command sees, as systemd makes them of a unit's
 * properties (systemd 252, src/core/namespace.c). */

#include <config.h>

#include "tests/system/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "openvswitch/dynamic-string.h"
#include "svec.h"
#include "util.h"

/* Returns a mount of 'path' with all below it that is mounted nowhere yet, to
 * be put somewhere. */
static int
take(const char *path)
{
    int fd = open_tree(AT_FDCWD, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC
                       | AT_RECURSIVE);

    if (fd < 0) {
        ovs_fatal(errno, "%s", path);
    }
    return fd;
}

/* Leaves the host's mounts alone from here on; new ones still arrive.  Returns
 * a mount of 'program', for mounts_put(). */
int
mounts_private(const char *program)
{
    if (unshare(CLONE_NEWNS)
        || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL)) {
        ovs_fatal(errno, "no mounts of its own");
    }
    return take(program);
}

/* Makes a mount of folder 'path', to be treated apart from what it is in. */
void
mounts_bind(const char *path)
{
    if (mount(path, path, NULL, MS_BIND | MS_REC, NULL)) {
        ovs_fatal(errno, "%s: cannot bind it", path);
    }
}

/* Returns true if 'path' is 'folder' or below it. */
static bool
is_within(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    return (!strncmp(path, folder, len)
            && (!path[len] || path[len] == '/' || folder[len - 1] == '/'));
}

/* Returns true if 'path' is one of 'folders' or below one. */
static bool
is_within_any(const char *path, const struct svec *folders)
{
    const char *folder;
    size_t i;

    SVEC_FOR_EACH (i, folder, folders) {
        if (is_within(path, folder)) {
            return true;
        }
    }
    return false;
}

/* Turns "\040" and the like of mountinfo into what they stand for. */
static void
unescape(char *s)
{
    char *to = s;

    for (; *s; s++, to++) {
        *to = *s;
        if (*s == '\\' && strlen(s) >= 4) {
            *to = strtol((char[]) { s[1], s[2], s[3], '\0' }, NULL, 8);
            s += 3;
        }
    }
    *to = '\0';
}

/* Appends to 'points' where there are mounts. */
static void
mount_points(struct svec *points)
{
    FILE *info = fopen("/proc/self/mountinfo", "re");
    struct ds line = DS_EMPTY_INITIALIZER;

    while (info && !ds_get_line(&line, info)) {
        char *path;

        if (sscanf(ds_cstr(&line), "%*d %*d %*s %*s %ms", &path) == 1) {
            unescape(path);
            svec_add_nocopy(points, path);
        }
    }
    if (!info || svec_is_empty(points)) {
        ovs_fatal(errno, "what is mounted is not known");
    }
    fclose(info);
    ds_destroy(&line);
}

/* Makes 'path', a mount, and all mounts below it read-only, except for what is
 * within 'except'.  What another mount lies above is not there. */
void
mounts_read_only(const char *path, const struct svec *except)
{
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
    struct svec points = SVEC_EMPTY_INITIALIZER;
    const char *point;
    size_t i;

    mount_points(&points);
    SVEC_FOR_EACH (i, point, &points) {
        if (is_within(point, path) && !is_within_any(point, except)
            && mount_setattr(AT_FDCWD, point, AT_SYMLINK_NOFOLLOW, &attr,
                             sizeof attr)
            && errno != ENOENT && errno != EINVAL) {
            ovs_fatal(errno, "%s: cannot make it read-only", point);
        }
    }
    svec_destroy(&points);
}

/* Makes an empty file 'path', or a folder, and all folders that it is in. */
static void
make_place(const char *path, bool is_folder)
{
    char *folder = xstrdup(path);

    for (char *p = folder + 1; (p = strchr(p, '/')); p++) {
        *p = '\0';
        mkdir(folder, 0755);
        *p = '/';
    }
    free(folder);
    if (is_folder) {
        mkdir(path, 0755);
    } else {
        close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0755));
    }
}

/* Puts mount 'fd' at 'path', which need not be there, and closes it. */
void
mounts_put(int fd, const char *path, bool is_folder)
{
    make_place(path, is_folder);
    if (move_mount(fd, "", AT_FDCWD, path, MOVE_MOUNT_F_EMPTY_PATH)) {
        ovs_fatal(errno, "%s: cannot mount it", path);
    }
    close(fd);
}

/* Puts an empty file system with mount options 'options' in the place of
 * folder 'path', if there is one.  Of what was in there only 'keep' remains.
 */
void
mounts_cover(const char *path, const char *options, bool read_only,
             const struct svec *keep)
{
    struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
    struct stat st;
    int *kept;
    size_t i;

    if (lstat(path, &st) || !S_ISDIR(st.st_mode)) {
        return;
    }
    kept = xcalloc(keep->n, sizeof *kept);
    for (i = 0; i < keep->n; i++) {
        kept[i] = (is_within(keep->names[i], path) ? take(keep->names[i])
                   : -1);
    }
    if (mount("tmpfs", path, "tmpfs", MS_NOSUID, options)) {
        ovs_fatal(errno, "%s: cannot cover it", path);
    }
    for (i = 0; i < keep->n; i++) {
        if (kept[i] >= 0) {
            if (fstat(kept[i], &st)) {
                ovs_fatal(errno, "%s", keep->names[i]);
            }
            mounts_put(kept[i], keep->names[i], S_ISDIR(st.st_mode));
        }
    }
    free(kept);
    if (read_only && mount_setattr(AT_FDCWD, path, 0, &attr, sizeof attr)) {
        ovs_fatal(errno, "%s: cannot make it read-only", path);
    }
}

/* Puts something empty in the place of file or folder 'path', if there is one.
 */
void
mounts_hide(const char *path)
{
    static const struct svec nothing = SVEC_EMPTY_INITIALIZER;
    struct stat st;

    if (lstat(path, &st)) {
        return;
    }
    if (S_ISDIR(st.st_mode)) {
        mounts_cover(path, "mode=000,size=4k", true, &nothing);
    } else if (mount("/dev/null", path, NULL, MS_BIND, NULL)) {
        ovs_fatal(errno, "%s: cannot hide it", path);
    }
}
