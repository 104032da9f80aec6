/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a command with what the unit of a service allows, where no systemd
 * runs: by way of daemon.sh the system tests start ovn-xdpd so.
 *
 * usage: confine UNIT FOLDER COMMAND...
 *
 * UNIT is the unit file.  FOLDER stands for all of the unit's ReadWritePaths
 * that are not the kernel's.  All that the section [Service] says is either
 * done as systemd does it or is of the list of what confines nothing; anything
 * else is an error, so that the unit cannot grow past the tests.
 *
 * The command keeps its process id, arguments, environment and network
 * namespace. */

#include <config.h>

#include "tests/system/confine.h"

#include <cap-ng.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "openvswitch/dynamic-string.h"
#include "smap.h"
#include "sset.h"
#include "svec.h"
#include "util.h"

/* Properties that confine nothing, or (the last line) not by the process but
 * by its control group. */
static const char *const indifferent[] = {
    "EnvironmentFile", "ExecStart", "ExecStartPre", "ExecStopPost",
    "NotifyAccess",
    "Restart", "RestartSec", "TimeoutStartSec", "TimeoutStopSec", "Type",
    "WatchdogSec",
    "MemoryMax", "TasksMax",
};

/* A property that is done here. */
struct property {
    const char *name;           /* In the unit. */
    const char *only;           /* The value that is done, NULL for any. */
    /* Does it.  'value' is what the unit says, its lines joined. */
    void (*apply)(const struct property *, const char *value);
    const char *word;           /* For 'apply': a path, or calls. */
    int number;                 /* For 'apply': the number of a limit. */
    void (*filter)(void);       /* For restrict_calls(). */
};

/* What the unit says. */
static struct smap unit = SMAP_INITIALIZER(&unit);

/* What stands for the unit's ReadWritePaths, and which are in force. */
static const char *stand_in;
static struct svec writable = SVEC_EMPTY_INITIALIZER;

/* The program, and a mount of it for where its place is hidden. */
static char *program_path;
static int program = -1;

/* Adds the words of 'list' to 'words'. */
static void
split(const char *list, struct svec *words)
{
    char *copy = xstrdup(list);
    char *save = NULL;

    for (char *word = strtok_r(copy, " \t", &save); word;
         word = strtok_r(NULL, " \t", &save)) {
        svec_add(words, word);
    }
    free(copy);
}

/* Returns true if 'path' is in one of the kernel's file systems. */
static bool
is_kernel_path(const char *path)
{
    return !strncmp(path, "/proc/", 6) || !strncmp(path, "/sys/", 5);
}

/* Notes what may be written to, and makes what stands for it a mount of its
 * own. */
static void
allow_paths(const struct property *p OVS_UNUSED, const char *value)
{
    struct svec words = SVEC_EMPTY_INITIALIZER;
    const char *word;
    size_t i;

    split(value, &words);
    SVEC_FOR_EACH (i, word, &words) {
        const char *path = word + (word[0] == '-');

        if (is_kernel_path(path) && !access(path, F_OK)) {
            svec_add(&writable, path);
        }
    }
    svec_destroy(&words);
    svec_add(&writable, stand_in);
    mounts_bind(stand_in);
}

/* Makes read-only what is listed, but for what may be written to.  Where the
 * kernel's file systems are mounted anew, that has been done.  What is in /dev
 * need not be a mount, and private_devices() keeps it as it is here. */
static void
deny_paths(const struct property *p OVS_UNUSED, const char *value)
{
    struct svec words = SVEC_EMPTY_INITIALIZER;
    const char *path;
    size_t i;

    SVEC_FOR_EACH (i, path, &writable) {
        if (is_kernel_path(path)) {
            mounts_bind(path);
        }
    }
    split(value, &words);
    SVEC_FOR_EACH (i, path, &words) {
        path += path[0] == '-';
        if (!strncmp(path, "/dev/", 5) && !access(path, F_OK)) {
            mounts_bind(path);
        }
        mounts_read_only(path, &writable);
    }
    svec_destroy(&words);
}

/* All is read-only but what is listed and what is no real file system. */
static void
protect_system(const struct property *p OVS_UNUSED,
               const char *value OVS_UNUSED)
{
    struct svec except = SVEC_EMPTY_INITIALIZER;

    svec_clone(&except, &writable);
    svec_add(&except, "/dev");
    svec_add(&except, "/proc");
    svec_add(&except, "/sys");
    mounts_read_only("/", &except);
    svec_destroy(&except);
}

/* Hides the folders of people. */
static void
protect_home(const struct property *p OVS_UNUSED, const char *value OVS_UNUSED)
{
    mounts_hide("/home");
    mounts_hide("/root");
    mounts_hide("/run/user");
}

/* Empties the temporary folders, and puts the program there: it may have been
 * in a folder that is hidden. */
static void
private_tmp(const struct property *p OVS_UNUSED, const char *value OVS_UNUSED)
{
    const char *name = strrchr(program_path, '/');
    char *place = xasprintf("/tmp/%s", name ? name + 1 : program_path);

    mounts_cover("/tmp", "mode=1777", false, &writable);
    mounts_cover("/var/tmp", "mode=1777", false, &writable);
    mounts_put(program, place, false);
    free(program_path);
    program_path = place;
}

/* Leaves of /dev what every program may have. */
static void
private_devices(const struct property *p, const char *value OVS_UNUSED)
{
    static const char *const links[][2] = {
        { "/proc/self/fd", "/dev/fd" }, { "/proc/self/fd/0", "/dev/stdin" },
        { "/proc/self/fd/1", "/dev/stdout" },
        { "/proc/self/fd/2", "/dev/stderr" },
    };
    static const char *const folders[] = {
        "/dev/shm", "/dev/mqueue", "/dev/hugepages",
    };
    struct mount_attr attr = {
        .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC
    };
    struct svec keep = SVEC_EMPTY_INITIALIZER;

    split("/dev/null /dev/zero /dev/full /dev/random /dev/urandom /dev/tty "
          "/dev/pts", &keep);
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        if (!access(folders[i], F_OK)) {
            svec_add(&keep, folders[i]);
        }
    }
    mounts_cover("/dev", "mode=755", false, &keep);
    svec_destroy(&keep);
    for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
        mkdir(folders[i], 0755);
    }
    for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
        ignore(symlink(links[i][0], links[i][1]));
    }
    if (mount_setattr(AT_FDCWD, "/dev", 0, &attr, sizeof attr)) {
        ovs_fatal(errno, "/dev: cannot make it read-only");
    }
    calls_refuse(p->word);
}

/* Hides the processes of other users. */
static void
protect_processes(const struct property *p, const char *value OVS_UNUSED)
{
    if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV,
              "hidepid=invisible")) {
        ovs_fatal(errno, "%s", p->name);
    }
}

/* Makes a tree of mounts read-only. */
static void
read_only(const struct property *p, const char *value OVS_UNUSED)
{
    mounts_read_only(p->word, &writable);
}

/* Hides the kernel's modules. */
static void
protect_modules(const struct property *p, const char *value OVS_UNUSED)
{
    mounts_hide("/usr/lib/modules");
    mounts_hide("/lib/modules");
    calls_refuse(p->word);
}

/* Hides the kernel's log.  (/dev/kmsg is hidden by PrivateDevices.) */
static void
protect_logs(const struct property *p, const char *value OVS_UNUSED)
{
    mounts_hide("/proc/kmsg");
    calls_refuse(p->word);
}

/* Gives the name of the host a namespace of its own. */
static void
protect_hostname(const struct property *p OVS_UNUSED,
                 const char *value OVS_UNUSED)
{
    if (unshare(CLONE_NEWUTS)) {
        ovs_fatal(errno, "ProtectHostname");
    }
    calls_refuse("sethostname");
    calls_refuse("setdomainname");
}

/* Refuses a call or a group of them. */
static void
refuse(const struct property *p, const char *value OVS_UNUSED)
{
    calls_refuse(p->word);
}

/* Sets a limit, or what comes nearest to it of what this process may. */
static void
set_limit(const struct property *p, const char *value)
{
    struct rlimit now, limit;

    limit.rlim_cur = (!strcmp(value, "infinity") ? RLIM_INFINITY
                      : strtoull(value, NULL, 10));
    limit.rlim_max = limit.rlim_cur;
    if (setrlimit(p->number, &limit)) {
        getrlimit(p->number, &now);
        limit.rlim_max = now.rlim_max;
        limit.rlim_cur = MIN(limit.rlim_cur, now.rlim_max);
        if (setrlimit(p->number, &limit)) {
            ovs_fatal(errno, "%s", p->name);
        }
    }
}

/* Sets the mask of modes. */
static void
set_umask(const struct property *p OVS_UNUSED, const char *value)
{
    umask(strtoul(value, NULL, 8));
}

/* Joins groups.  Those that the package would make may be missing here. */
static void
join_groups(const struct property *p, const char *value)
{
    struct svec words = SVEC_EMPTY_INITIALIZER;
    const char *word;
    gid_t ids[32];
    size_t n = 0;
    size_t i;

    split(value, &words);
    SVEC_FOR_EACH (i, word, &words) {
        struct group *group = getgrnam(word);

        if (group && n < ARRAY_SIZE(ids)) {
            ids[n++] = group->gr_gid;
        }
    }
    svec_destroy(&words);
    if (setgroups(n, ids)) {
        ovs_fatal(errno, "%s", p->name);
    }
}

/* Takes all capabilities away but those listed: the others from what this
 * process can ever get, so that the command gets what is left. */
static void
bound_capabilities(const struct property *p, const char *value)
{
    struct sset keep = SSET_INITIALIZER(&keep);

    sset_from_delimited_string(&keep, value, " ");
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
    capng_get_caps_process();
    for (int cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++) {
        const char *plain = capng_capability_to_name(cap);
        char *name = xasprintf("CAP_%s", plain ? plain : "");

        for (char *c = name; *c; c++) {
            *c = *c >= 'a' && *c <= 'z' ? *c - 'a' + 'A' : *c;
        }
        if (!sset_find_and_delete(&keep, name)
            && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0)) {
            ovs_fatal(errno, "%s: cannot give it away", name);
        }
        capng_update(CAPNG_DROP, CAPNG_INHERITABLE, cap);
        free(name);
    }
    if (!sset_is_empty(&keep)) {
        ovs_fatal(0, "%s: %s is not known", p->name, SSET_FIRST(&keep));
    }
    if (capng_apply(CAPNG_SELECT_CAPS)) {
        ovs_fatal(errno, "%s", p->name);
    }
}

/* Has no program that the command executes give it anything. */
static void
no_new_privileges(const struct property *p, const char *value OVS_UNUSED)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)) {
        ovs_fatal(errno, "%s", p->name);
    }
}

/* Refuses families of sockets. */
static void
restrict_families(const struct property *p OVS_UNUSED, const char *value)
{
    struct sset families = SSET_INITIALIZER(&families);

    sset_from_delimited_string(&families, value, " ");
    calls_refuse_families(&families);
    sset_destroy(&families);
}

/* Refuses what 'filter' of the table refuses. */
static void
restrict_calls(const struct property *p, const char *value OVS_UNUSED)
{
    p->filter();
}

/* Allows the calls that are listed, less those with a "~", and those that
 * every program may use. */
static void
filter_calls(const struct property *p, const char *value)
{
    struct sset calls = SSET_INITIALIZER(&calls);
    struct svec words = SVEC_EMPTY_INITIALIZER;
    const char *word;
    size_t i;

    if (value[0] == '~' || strchr(value, ':')) {
        ovs_fatal(0, "%s: only a list of what is allowed is done", p->name);
    }
    calls_expand("@default", &calls);
    split(value, &words);
    SVEC_FOR_EACH (i, word, &words) {
        struct sset some = SSET_INITIALIZER(&some);
        const char *call;

        calls_expand(word + (word[0] == '~'), &some);
        SSET_FOR_EACH (call, &some) {
            if (word[0] == '~') {
                sset_find_and_delete(&calls, call);
            } else {
                sset_add(&calls, call);
            }
        }
        sset_destroy(&some);
    }
    svec_destroy(&words);
    calls_allow_only(&calls);
}

/* What is done, in this order: first what needs privileges, at last what
 * forbids the rest. */
static const struct property properties[] = {
    { "LimitNOFILE", NULL, set_limit, .number = RLIMIT_NOFILE },
    { "LimitMEMLOCK", NULL, set_limit, .number = RLIMIT_MEMLOCK },
    { "SupplementaryGroups", NULL, join_groups },
    { "ReadWritePaths", NULL, allow_paths },
    { "ProtectSystem", "strict", protect_system },
    { "PrivateTmp", "yes", private_tmp },
    { "ProtectHome", "yes", protect_home },
    { "ProtectProc", "invisible", protect_processes },
    { "ReadOnlyPaths", NULL, deny_paths },
    { "ProtectControlGroups", "yes", read_only, "/sys/fs/cgroup" },
    { "UMask", NULL, set_umask },
    { "CapabilityBoundingSet", NULL, bound_capabilities },
    { "NoNewPrivileges", "yes", no_new_privileges },
    { "PrivateDevices", "yes", private_devices, "@raw-io" },
    { "ProtectKernelModules", "yes", protect_modules, "@module" },
    { "ProtectKernelLogs", "yes", protect_logs, "syslog" },
    { "ProtectClock", "yes", refuse, "@clock" },
    { "ProtectHostname", "yes", protect_hostname },
    { "RestrictAddressFamilies", NULL, restrict_families },
    { "MemoryDenyWriteExecute", "yes", restrict_calls,
      .filter = calls_refuse_new_code },
    { "RestrictRealtime", "yes", restrict_calls,
      .filter = calls_refuse_realtime },
    { "RestrictSUIDSGID", "yes", restrict_calls,
      .filter = calls_refuse_set_id_bits },
    { "RestrictNamespaces", "yes", restrict_calls,
      .filter = calls_refuse_namespaces },
    { "SystemCallArchitectures", "native", restrict_calls,
      .filter = calls_refuse_foreign_architectures },
    { "LockPersonality", "yes", restrict_calls,
      .filter = calls_refuse_other_personality },
    { "SystemCallFilter", NULL, filter_calls },
};

/* Returns property 'name', or NULL if that is not done here. */
static const struct property *
find_property(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(properties); i++) {
        if (!strcmp(name, properties[i].name)) {
            return &properties[i];
        }
    }
    return NULL;
}

/* Returns true if property 'name' confines nothing. */
static bool
is_indifferent(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(indifferent); i++) {
        if (!strcmp(name, indifferent[i])) {
            return true;
        }
    }
    return false;
}

/* Notes that the unit says 'value' of 'name'.  Lists grow, nothing at all
 * empties them, and a "~" is for each word of its line. */
static void
note(const char *name, char *value)
{
    const struct property *p = find_property(name);
    struct ds all = DS_EMPTY_INITIALIZER;
    const char *sign = value[0] == '~' ? "~" : "";
    char *save = NULL;

    if (!p && !is_indifferent(name)) {
        ovs_fatal(0, "%s is not known here: do it, or say that it confines "
                  "nothing", name);
    }
    if (p && !p->only && value[0]) {
        ds_put_cstr(&all, smap_get_def(&unit, name, ""));
    }
    for (char *word = strtok_r(value + strlen(sign), " \t", &save); word;
         word = strtok_r(NULL, " \t", &save)) {
        ds_put_format(&all, "%s%s%s", all.length ? " " : "", sign, word);
    }
    smap_replace(&unit, name, ds_cstr(&all));
    ds_destroy(&all);
}

/* Reads the section [Service] of unit file 'name'. */
static void
read_unit(const char *name)
{
    FILE *file = fopen(name, "re");
    struct ds line = DS_EMPTY_INITIALIZER;
    struct ds more = DS_EMPTY_INITIALIZER;
    bool in_service = false;

    if (!file) {
        ovs_fatal(errno, "%s", name);
    }
    while (!ds_get_line(&line, file)) {
        while (ds_chomp(&line, '\\') && !ds_get_line(&more, file)) {
            ds_put_cstr(&line, ds_cstr(&more));
        }
        char *text = ds_cstr(&line);
        char *value = strchr(text, '=');

        if (text[0] == '[') {
            in_service = !strcmp(text, "[Service]");
        } else if (in_service && text[0] && !strchr("#;", text[0])) {
            if (!value) {
                ovs_fatal(0, "%s: not understood: %s", name, text);
            }
            *value = '\0';
            note(text, value + 1);
        }
    }
    ds_destroy(&more);
    ds_destroy(&line);
    fclose(file);
}

/* Does what the unit says of 'p'. */
static void
apply(const struct property *p)
{
    const char *value = smap_get(&unit, p->name);

    if (!value || (p->only && !strcmp(value, "no"))) {
        return;
    }
    if (p->only && strcmp(value, p->only)) {
        ovs_fatal(0, "%s=%s is not done here", p->name, value);
    }
    p->apply(p, value);
}

/* Runs the command. */
int
main(int argc, char *argv[])
{
    set_program_name(argv[0]);
    if (argc < 4) {
        ovs_fatal(0, "usage: %s UNIT FOLDER COMMAND...", argv[0]);
    }
    stand_in = argv[2];
    read_unit(argv[1]);
    calls_load_groups();
    signal(SIGPIPE, SIG_IGN);
    program_path = xstrdup(argv[3]);
    program = mounts_private(program_path);
    for (size_t j = 0; j < ARRAY_SIZE(properties); j++) {
        apply(&properties[j]);
    }
    execv(program_path, &argv[3]);
    ovs_fatal(errno, "%s", program_path);
}
