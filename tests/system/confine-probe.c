/* SPDX-License-Identifier: Apache-2.0 */
/* Tries what a service may be forbidden, and prints a line of what came of
 * each attempt: "ok", an error, or the signal that it ended with.
 *
 * usage: confine-probe FOLDER
 *
 * FOLDER is one that the service may write to.  Nothing that is tried does any
 * harm where it is allowed: it concerns but the process that tries it, or the
 * arguments are such that the kernel refuses them with another error. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARRAY_SIZE(array) (sizeof (array) / sizeof (array)[0])

/* What the daemon itself does. */
static union bpf_attr map = {
    .map_type = BPF_MAP_TYPE_ARRAY,
    .key_size = 4,
    .value_size = 4,
    .max_entries = 1,
};

/* A system call to try. */
struct probe {
    const char *name;           /* Name in the output. */
    long int number;            /* Of the call. */
    long int args[6];           /* Its arguments. */
};

#define P(STRING) ((long int) (intptr_t) (STRING))

static const struct probe probes[] = {
    { "socket AF_UNIX", SYS_socket, { AF_UNIX, SOCK_STREAM } },
    { "socket AF_INET", SYS_socket, { AF_INET, SOCK_STREAM } },
    { "socket AF_INET6", SYS_socket, { AF_INET6, SOCK_STREAM } },
    { "socket AF_NETLINK", SYS_socket, { AF_NETLINK, SOCK_RAW } },
    { "socket AF_PACKET", SYS_socket, { AF_PACKET, SOCK_RAW } },
    { "socket AF_VSOCK", SYS_socket, { AF_VSOCK, SOCK_STREAM } },
    { "socket AF_XDP", SYS_socket, { AF_XDP, SOCK_RAW } },
    { "socket 99", SYS_socket, { 99, SOCK_RAW } },
    { "raw socket", SYS_socket, { AF_INET, SOCK_RAW, 1 } },
    { "bpf map", SYS_bpf, { BPF_MAP_CREATE, P(&map), sizeof map } },
    { "bpf ids", SYS_bpf, { BPF_PROG_GET_NEXT_ID, P(&map), sizeof map } },
    { "perf event", SYS_perf_event_open },
    { "mount", SYS_mount, { P("a"), P("/nowhere"), P("tmpfs") } },
    { "umount", SYS_umount2, { P("/nowhere") } },
    { "open_tree", SYS_open_tree, { -1, P("/nowhere") } },
    { "pivot_root", SYS_pivot_root, { P("/nowhere"), P("/nowhere") } },
    { "chroot", SYS_chroot, { P("/") } },
    { "unshare mounts", SYS_unshare, { CLONE_NEWNS } },
    { "unshare users", SYS_unshare, { CLONE_NEWUSER } },
    { "unshare files", SYS_unshare, { CLONE_FILES } },
    { "setns", SYS_setns, { -1 } },
    { "clone3", SYS_clone3 },
    { "clone into namespace", SYS_clone, { CLONE_NEWNET | CLONE_SIGHAND } },
    { "ptrace", SYS_ptrace, { 99 } },
    { "process_vm_readv", SYS_process_vm_readv, { 1 } },
    { "mmap w+x", SYS_mmap, { 0, 4096, PROT_WRITE | PROT_EXEC,
                              MAP_PRIVATE | MAP_ANONYMOUS, -1 } },
    { "mmap w", SYS_mmap, { 0, 4096, PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                            -1 } },
    { "mprotect x", SYS_mprotect, { 0, 0, PROT_EXEC } },
    { "shmat x", SYS_shmat, { -1, 0, 0100000 } },
    { "keyctl", SYS_keyctl, { 0, -1 } },
    { "reboot", SYS_reboot },
    { "swapon", SYS_swapon, { P("/nowhere") } },
    { "kexec", SYS_kexec_load, { 0, 99 } },
    { "init_module", SYS_init_module },
    { "delete_module", SYS_delete_module, { P("nothing") } },
    { "syslog", SYS_syslog, { 10 } },
    { "clock_settime", SYS_clock_settime },
    { "adjtimex", SYS_adjtimex, { 1 } },
    { "sethostname", SYS_sethostname, { 0, -1 } },
    { "personality same", SYS_personality, { 0xffffffff } },
    { "personality other", SYS_personality, { 0x40000 } },
    { "scheduler", SYS_sched_setscheduler, { 0, SCHED_FIFO } },
    { "scheduler batch", SYS_sched_setscheduler, { 0, SCHED_BATCH } },
    { "chmod suid", SYS_chmod, { P("/nowhere"), S_ISUID } },
    { "mkdir sgid", SYS_mkdir, { P("/nowhere/x"), S_ISGID } },
    { "creat suid", SYS_open, { P("/nowhere/x"), O_CREAT | O_WRONLY,
                                S_ISUID | 0644 } },
    { "openat2", SYS_openat2 },
    { "setuid", SYS_setuid, { 7 } },
    { "setgroups", SYS_setgroups },
    { "capset", SYS_capset },
    { "kill", SYS_kill, { 1, 0 } },
    { "priority", SYS_setpriority, { PRIO_PROCESS, 0, -5 } },
    { "acct", SYS_acct, { P("/nowhere") } },
    { "quotactl", SYS_quotactl, { -1 } },
    { "userfaultfd", SYS_userfaultfd, { -1 } },
    { "io_uring", SYS_io_uring_setup },
    { "open_by_handle_at", SYS_open_by_handle_at, { -1 } },
    { "fanotify", SYS_fanotify_init, { -1 } },
    { "memfd", SYS_memfd_create, { P("x"), 0 } },
    { "a call that is none", 9999 },
    { "write in /etc", SYS_access, { P("/etc"), W_OK } },
    { "write in /usr", SYS_access, { P("/usr"), W_OK } },
    { "write in /var", SYS_access, { P("/var"), W_OK } },
    { "write in /run", SYS_access, { P("/run"), W_OK } },
    { "write in /home", SYS_access, { P("/home"), W_OK } },
    { "write in /dev", SYS_access, { P("/dev"), W_OK } },
    { "write in /dev/shm", SYS_access, { P("/dev/shm"), W_OK } },
    { "write in /dev/mqueue", SYS_access, { P("/dev/mqueue"), W_OK } },
    { "write in /dev/hugepages", SYS_access, { P("/dev/hugepages"), W_OK } },
    { "write in /tmp", SYS_access, { P("/tmp"), W_OK } },
    { "make a control group", SYS_access, { P("/sys/fs/cgroup"), W_OK } },
    { "write in /sys", SYS_access, { P("/sys"), W_OK } },
    { "write in /sys/fs/bpf", SYS_access, { P("/sys/fs/bpf"), W_OK } },
    { "write in /proc", SYS_access, { P("/proc"), W_OK } },
    { "core_pattern", SYS_open, { P("/proc/sys/kernel/core_pattern"),
                                  O_WRONLY } },
    { "sysrq-trigger", SYS_open, { P("/proc/sysrq-trigger"), O_WRONLY } },
    { "disable_ipv6", SYS_open, { P("/proc/sys/net/ipv6/conf/lo/disable_ipv6"),
                                  O_WRONLY } },
    { "/dev/null", SYS_open, { P("/dev/null"), O_RDWR } },
    { "/dev/mem", SYS_open, { P("/dev/mem"), O_RDWR } },
    { "/dev/kmsg", SYS_open, { P("/dev/kmsg"), O_RDWR } },
    { "/dev/net/tun", SYS_open, { P("/dev/net/tun"), O_RDWR } },
    { "/proc/kmsg", SYS_open, { P("/proc/kmsg"), O_RDONLY } },
    { "rp_filter", SYS_open, { P("/proc/sys/net/ipv4/conf/lo/rp_filter") } },
};

/* Calls by the gate of 32-bit programs, where there is one. */
static long int
foreign_call(void)
{
#ifdef __x86_64__
    long int result;

    __asm__ volatile ("int $0x80" : "=a" (result) : "a" (20) : "memory");
    return result > 0 ? 0 : result;
#else
    return 0;
#endif
}

/* Tries 'probe', or what foreign_call() does if it is NULL, in a process of
 * its own, and prints what came of it. */
static void
try(const struct probe *probe)
{
    const long int *args = probe ? probe->args : NULL;
    int status;
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (!pid) {
        struct rlimit none = { 0, 0 };
        long int result;

        setrlimit(RLIMIT_CORE, &none);
        if (probe) {
            result = syscall(probe->number, args[0], args[1], args[2],
                             args[3], args[4], args[5]);
            result = result == -1 ? errno : 0;
        } else {
            result = foreign_call();
        }
        _exit(result);
    }
    printf("%s: ", probe ? probe->name : "32-bit call");
    if (waitpid(pid, &status, 0) != pid) {
        printf("lost\n");
    } else if (WIFSIGNALED(status)) {
        printf("killed by %s\n", strsignal(WTERMSIG(status)));
    } else {
        status = WEXITSTATUS(status);
        printf("%s\n", status ? strerrorname_np(status) : "ok");
    }
}

/* Prints what the kernel says of this process. */
static void
print_status(void)
{
    static const char *const wanted[] = {
        "Cap", "NoNewPrivs:", "Seccomp:", "Umask:", "Groups:", "Uid:", "Gid:",
    };
    FILE *file = fopen("/proc/self/status", "r");
    struct rlimit limit;
    char line[256];

    while (file && fgets(line, sizeof line, file)) {
        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
            if (!strncmp(line, wanted[i], strlen(wanted[i]))) {
                fputs(line, stdout);
            }
        }
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    printf("NOFILE: %ju %ju\n", (uintmax_t) limit.rlim_cur,
           (uintmax_t) limit.rlim_max);
    getrlimit(RLIMIT_MEMLOCK, &limit);
    printf("MEMLOCK: %ju %ju\n", (uintmax_t) limit.rlim_cur,
           (uintmax_t) limit.rlim_max);
}

/* Tries all. */
int
main(int argc, char *argv[])
{
    struct probe folder = {
        "write in the folder", SYS_access, { P(argv[1]), W_OK }
    };

    if (argc != 2) {
        return 2;
    }
    print_status();
    for (size_t i = 0; i < ARRAY_SIZE(probes); i++) {
        try(&probes[i]);
    }
    try(NULL);
    try(&folder);
    return 0;
}
