/* SPDX-License-Identifier: Apache-2.0 */
/* Filters of system calls, as systemd makes them of a unit's properties
 * (systemd 252, src/shared/seccomp-util.c). */

#include <config.h>

#include "tests/system/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/personality.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/shash.h"
#include "sset.h"
#include "util.h"

#define REFUSE SCMP_ACT_ERRNO(EPERM)

/* What "@name" means: name to 'struct sset' of calls and of other groups. */
static struct shash groups = SHASH_INITIALIZER(&groups);

/* Asks systemd what its groups of system calls are. */
void
calls_load_groups(void)
{
    FILE *list = popen("systemd-analyze --no-pager syscall-filter 2>/dev/null",
                       "re");
    struct ds line = DS_EMPTY_INITIALIZER;
    struct sset *group = NULL;

    while (list && !ds_get_line(&line, list)) {
        char *word = ds_cstr(&line) + strspn(ds_cstr(&line), " ");

        if (line.string[0] == '@') {
            group = xmalloc(sizeof *group);
            sset_init(group);
            shash_add(&groups, word, group);
        } else if (group && *word && *word != '#') {
            sset_add(group, word);
        }
    }
    ds_destroy(&line);
    if (!list || pclose(list) || shash_is_empty(&groups)) {
        ovs_fatal(0, "systemd-analyze does not say its groups");
    }
}

/* Adds to 'calls' what 'word', a call or a "@group", stands for. */
void
calls_expand(const char *word, struct sset *calls)
{
    const struct sset *group = shash_find_data(&groups, word);
    const char *member;

    if (word[0] != '@') {
        sset_add(calls, word);
    } else if (!group) {
        ovs_fatal(0, "unknown group %s", word);
    } else {
        SSET_FOR_EACH (member, group) {
            calls_expand(member, calls);
        }
    }
}

/* Returns a new filter that does 'action' with what no rule is for. */
static scmp_filter_ctx
filter_new(uint32_t action)
{
    scmp_filter_ctx filter = seccomp_init(action);

    if (!filter
        || seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ALLOW)
        || seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2)) {
        ovs_fatal(0, "no filter of system calls");
    }
    return filter;
}

/* Has 'filter' do 'action' with 'call' where all 'n' comparisons hold.  A call
 * that this machine does not know can do no harm. */
static void
filter_add(scmp_filter_ctx filter, uint32_t action, const char *call,
           unsigned int n, const struct scmp_arg_cmp *comparisons)
{
    int number = seccomp_syscall_resolve_name(call);
    int error;

    if (number == __NR_SCMP_ERROR) {
        return;
    }
    error = seccomp_rule_add_array(filter, action, number, n, comparisons);
    if (error && error != -EDOM) {
        ovs_fatal(-error, "%s: no rule for it", call);
    }
}

/* As filter_add(), where argument 'arg' has all bits of 'bits'. */
static void
filter_add_bits(scmp_filter_ctx filter, const char *call, unsigned int arg,
                uint64_t bits)
{
    struct scmp_arg_cmp all = SCMP_CMP(arg, SCMP_CMP_MASKED_EQ, bits, bits);

    filter_add(filter, REFUSE, call, 1, &all);
}

/* Puts 'filter' in force, and frees it. */
static void
filter_load(scmp_filter_ctx filter)
{
    int error = seccomp_load(filter);

    if (error) {
        ovs_fatal(-error, "a filter of system calls is not accepted");
    }
    seccomp_release(filter);
}

/* Kills on any call but 'calls'. */
void
calls_allow_only(const struct sset *calls)
{
    scmp_filter_ctx filter = filter_new(SCMP_ACT_KILL_PROCESS);
    const char *call;

    SSET_FOR_EACH (call, calls) {
        filter_add(filter, SCMP_ACT_ALLOW, call, 0, NULL);
    }
    filter_load(filter);
}

/* Refuses 'word', a call or a "@group". */
void
calls_refuse(const char *word)
{
    scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);
    struct sset calls = SSET_INITIALIZER(&calls);
    const char *call;

    calls_expand(word, &calls);
    SSET_FOR_EACH (call, &calls) {
        filter_add(filter, REFUSE, call, 0, NULL);
    }
    sset_destroy(&calls);
    filter_load(filter);
}

/* Refuses sockets of other families than 'allowed'. */
void
calls_refuse_families(const struct sset *allowed)
{
    static const struct {
        const char *name;
        int number;
    } known[] = {
        { "AF_UNIX", AF_UNIX }, { "AF_INET", AF_INET },
        { "AF_INET6", AF_INET6 }, { "AF_NETLINK", AF_NETLINK },
        { "AF_PACKET", AF_PACKET },
    };
    scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);
    uint32_t action = SCMP_ACT_ERRNO(EAFNOSUPPORT);
    bool may[AF_MAX] = { false };
    size_t n = 0;

    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (sset_contains(allowed, known[i].name)) {
            may[known[i].number] = true;
            n++;
        }
    }
    if (n != sset_count(allowed)) {
        ovs_fatal(0, "RestrictAddressFamilies: one of them is not known");
    }
    for (int family = 0; family < AF_MAX; family++) {
        if (!may[family]) {
            struct scmp_arg_cmp it = SCMP_A0(SCMP_CMP_EQ, family);

            filter_add(filter, action, "socket", 1, &it);
        }
    }
    struct scmp_arg_cmp more = SCMP_A0(SCMP_CMP_GE, AF_MAX);
    filter_add(filter, action, "socket", 1, &more);
    filter_load(filter);
}

/* Refuses to make or to enter namespaces.  clone3() cannot be looked into, and
 * the C library does without it. */
void
calls_refuse_namespaces(void)
{
    static const int flags[] = {
        CLONE_NEWCGROUP, CLONE_NEWIPC, CLONE_NEWNET, CLONE_NEWNS,
        CLONE_NEWPID, CLONE_NEWUSER, CLONE_NEWUTS,
    };
    scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);

    filter_add(filter, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
    filter_add(filter, REFUSE, "setns", 0, NULL);
    for (size_t i = 0; i < ARRAY_SIZE(flags); i++) {
        filter_add_bits(filter, "unshare", 0, flags[i]);
        filter_add_bits(filter, "clone", 0, flags[i]);
    }
    filter_load(filter);
}

/* Refuses memory that is written first and executed later. */
void
calls_refuse_new_code(void)
{
    scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);

    filter_add_bits(filter, "mmap", 2, PROT_EXEC | PROT_WRITE);
    filter_add_bits(filter, "mprotect", 2, PROT_EXEC);
    filter_add_bits(filter, "pkey_mprotect", 2, PROT_EXEC);
    filter_add_bits(filter, "shmat", 2, SHM_EXEC);
    filter_load(filter);
}

/* Refuses schedulers that would starve others. */
void
calls_refuse_realtime(void)
{
    scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);

    for (int policy = 0; policy <= SCHED_DEADLINE; policy++) {
        if (policy != SCHED_OTHER && policy != SCHED_BATCH
            && policy != SCHED_IDLE) {
            struct scmp_arg_cmp it = SCMP_A1(SCMP_CMP_EQ, policy);

            filter_add(filter, REFUSE, "sched_setscheduler", 1, &it);
        }
    }
    struct scmp_arg_cmp more = SCMP_A1(SCMP_CMP_GT, SCHED_DEADLINE);
    filter_add(filter, REFUSE, "sched_setscheduler", 1, &more);
    filter_load(filter);
}

/* Refuses files that run as somebody else. */
void
calls_refuse_set_id_bits(void)
{
    static const struct {
        const char *name;
        unsigned int mode_arg;
    } calls[] = {
        { "chmod", 1 }, { "fchmod", 1 }, { "fchmodat", 2 }, { "mkdir", 1 },
        { "mkdirat", 2 }, { "mknod", 1 }, { "mknodat", 2 }, { "creat", 1 },
        { "open", 2 }, { "openat", 3 },
    };
    scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);

    for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
        unsigned int arg = calls[i].mode_arg;
        bool opens = !strncmp(calls[i].name, "open", 4);
        struct scmp_arg_cmp both[2] = {
            { .arg = arg, .op = SCMP_CMP_MASKED_EQ },
            SCMP_CMP(arg - 1, SCMP_CMP_MASKED_EQ, O_CREAT, O_CREAT),
        };

        both[0].datum_a = both[0].datum_b = S_ISUID;
        filter_add(filter, REFUSE, calls[i].name, opens ? 2 : 1, both);
        both[0].datum_a = both[0].datum_b = S_ISGID;
        filter_add(filter, REFUSE, calls[i].name, opens ? 2 : 1, both);
    }
    filter_add(filter, SCMP_ACT_ERRNO(ENOSYS), "openat2", 0, NULL);
    filter_load(filter);
}

/* Refuses to be another system than this one. */
void
calls_refuse_other_personality(void)
{
    scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);
    struct scmp_arg_cmp other = SCMP_A0(SCMP_CMP_NE, personality(0xffffffff));

    filter_add(filter, REFUSE, "personality", 1, &other);
    filter_load(filter);
}

/* Kills on calls of another architecture. */
void
calls_refuse_foreign_architectures(void)
{
    scmp_filter_ctx filter = filter_new(SCMP_ACT_ALLOW);

    if (seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH,
                         SCMP_ACT_KILL_THREAD)) {
        ovs_fatal(0, "SystemCallArchitectures: not possible");
    }
    filter_load(filter);
}
