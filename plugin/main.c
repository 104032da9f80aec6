/* SPDX-License-Identifier: Apache-2.0 */
/* ovn-xdpd: options and the main loop, nothing else. */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "command-line.h"
#include "daemon.h"
#include "dns-resolve.h"
#include "fatal-signal.h"
#include "memory.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "simap.h"
#include "stream-ssl.h"
#include "stream.h"
#include "svec.h"
#include "timeval.h"
#include "unixctl.h"
#include "util.h"

#include "plugin/commands.h"
#include "plugin/engine.h"
#include "plugin/limits.h"
#include "plugin/notifier.h"
#include "plugin/paths.h"
#include "rpc/server.h"

VLOG_DEFINE_THIS_MODULE(main);

/* Where programs and maps are pinned unless --pin-dir says otherwise. */
#define DEFAULT_PIN_DIR "/sys/fs/bpf/ovn-xdp"

/* Milliseconds without the control socket after the process ran out of file
 * descriptors. */
#define SCARCE_PAUSE_MS 1000

/* What the command line says, beyond what the libraries keep themselves. */
struct options {
    struct engine_options engine; /* For the engine. */
    char *unixctl;              /* Path of the unixctl socket. */
    char *rpc_socket;           /* Path of the JSON-RPC socket. */
    bool cleanup;               /* Take everything away, and end. */
};

/* Prints the options and exits. */
OVS_NO_RETURN static void
usage(void)
{
    printf("%s: XDP offload for the OVN chassis on this node\n"
           "usage: %s [OPTIONS] [OVS-DATABASE]\n"
           "where OVS-DATABASE is the local Open_vSwitch database\n"
           "(default: unix:%s/db.sock).\n",
           program_name, program_name, ovs_vswitchd_rundir());
    stream_usage("OVS-DATABASE", true, false, true);
    daemon_usage();
    vlog_usage();
    printf("\nOther options:\n"
           "  -n CHASSIS              custom chassis name\n"
           "  --rpc-socket=PATH       JSON-RPC socket (default: %s/%s.rpc)\n"
           "  --pin-dir=DIR           directory below a bpffs (default: %s)\n"
           "  --dry-run               compute and report, touch nothing\n"
           "  --cleanup               take away what a daemon left, and exit\n"
           "  -u, --unixctl=SOCKET    override default control socket name\n"
           "  -h, --help              display this help message\n"
           "  -V, --version           display version information\n",
           ovn_rundir(), program_name, DEFAULT_PIN_DIR);
    exit(EXIT_SUCCESS);
}

/* Prints what this program is and what it was built with, and exits. */
OVS_NO_RETURN static void
print_version(void)
{
    printf("ovn-xdpd (ovn-xdp) %s\nOpen vSwitch Library %s\n",
           PACKAGE_VERSION, OVS_VERSION);
    exit(EXIT_SUCCESS);
}

/* Options that have no letter. */
enum {
    OPT_RPC_SOCKET = UCHAR_MAX + 1,
    OPT_PIN_DIR,
    OPT_DRY_RUN,
    OPT_CLEANUP,
    OPT_PEER_CA_CERT,
    OPT_BOOTSTRAP_CA_CERT,
    VLOG_OPTION_ENUMS,
    DAEMON_OPTION_ENUMS,
    SSL_OPTION_ENUMS,
};

static const struct option long_options[] = {
    { "chassis", required_argument, NULL, 'n' },
    { "rpc-socket", required_argument, NULL, OPT_RPC_SOCKET },
    { "pin-dir", required_argument, NULL, OPT_PIN_DIR },
    { "dry-run", no_argument, NULL, OPT_DRY_RUN },
    { "cleanup", no_argument, NULL, OPT_CLEANUP },
    { "unixctl", required_argument, NULL, 'u' },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    VLOG_LONG_OPTIONS,
    DAEMON_LONG_OPTIONS,
    STREAM_SSL_LONG_OPTIONS,
    { "peer-ca-cert", required_argument, NULL, OPT_PEER_CA_CERT },
    { "bootstrap-ca-cert", required_argument, NULL, OPT_BOOTSTRAP_CA_CERT },
    { NULL, 0, NULL, 0 },
};

/* Returns 'path', relative to OVN's run-time directory unless absolute, or
 * "<program>'suffix'" in it if 'path' is NULL.  The caller frees it. */
static char *
rundir_path(const char *path, const char *suffix)
{
    return (path ? abs_file_name(ovn_rundir(), path)
            : xasprintf("%s/%s%s", ovn_rundir(), program_name, suffix));
}

/* Opens the log file 'path', by default the one in OVN's log directory.  Exits
 * if it was asked for by name and cannot be opened. */
static void
open_log(const char *path)
{
    char *name = path ? xstrdup(path)
                 : xasprintf("%s/%s.log", ovn_logdir(), program_name);
    int error = vlog_set_log_file(name);

    free(name);
    if (error && path) {
        exit(EXIT_FAILURE);
    }
}

/* Acts on an option of OVS's libraries whose default path is OVN's here, or
 * returns false. */
static bool
parse_path_option(int c, const char *arg)
{
    char *path;

    switch (c) {
    case OPT_PIDFILE:
        path = rundir_path(arg, ".pid");
        set_pidfile(path);
        free(path);
        return true;
    case OPT_LOG_FILE:
        open_log(arg);
        return true;
    default:
        return false;
    }
}

/* Stores in 'files' what option 'c' names, as an absolute path: the files are
 * read again later, when the process may be in another folder.  Or returns
 * false.  The strings live as long as the process. */
static bool
parse_tls_option(int c, const char *arg, struct tls_files *files)
{
    switch (c) {
    case 'p':
        files->private_key = abs_file_name(NULL, arg);
        return true;
    case 'c':
        files->certificate = abs_file_name(NULL, arg);
        return true;
    case 'C':
    case OPT_BOOTSTRAP_CA_CERT:
        files->bootstrap = c == OPT_BOOTSTRAP_CA_CERT;
        files->ca_cert = (!files->bootstrap && !strcmp(arg, "none")
                          ? arg : abs_file_name(NULL, arg));
        return true;
    default:
        return false;
    }
}

/* Acts on option 'c' of OVS's libraries, or exits if there is no such
 * option. */
static void
parse_library_option(int c)
{
    switch (c) {
    VLOG_OPTION_HANDLERS
    DAEMON_OPTION_HANDLERS
    STREAM_SSL_OPTION_HANDLERS
    case OPT_PEER_CA_CERT:
        stream_ssl_set_peer_ca_cert_file(optarg);
        break;
    case 'h':
        usage();
    case 'V':
        print_version();
    default:
        exit(EXIT_FAILURE);
    }
}

/* Parses the command line into 'options'; exits on an error. */
static void
parse_options(int argc, char *argv[], struct options *options)
{
    /* Static: not a leak where an option exits. */
    static char *short_options;
    int c;

    short_options = ovs_cmdl_long_options_to_short_options(long_options);
    while ((c = getopt_long(argc, argv, short_options, long_options,
                            NULL)) != -1) {
        if (c == 'n') {
            options->engine.chassis = optarg;
        } else if (c == 'u') {
            free(options->unixctl);
            options->unixctl = rundir_path(optarg, NULL);
        } else if (c == OPT_RPC_SOCKET) {
            free(options->rpc_socket);
            options->rpc_socket = rundir_path(optarg, NULL);
        } else if (c == OPT_PIN_DIR) {
            options->engine.pin_dir = optarg;
        } else if (c == OPT_DRY_RUN) {
            options->engine.dry_run = true;
        } else if (c == OPT_CLEANUP) {
            options->cleanup = true;
        } else if (!parse_tls_option(c, optarg, &options->engine.tls)
                   && !parse_path_option(c, optarg)) {
            parse_library_option(c);
        }
    }
    free(short_options);

    if (argc - optind > 1) {
        VLOG_FATAL("at most one argument, the database, is expected; "
                   "use --help for usage");
    }
    if (options->cleanup && options->engine.dry_run) {
        VLOG_FATAL("--cleanup and --dry-run exclude each other");
    }
    options->engine.ovs_remote = argv[optind];
}

/* Fills in what 'options' leaves to defaults.  The strings live as long as the
 * process. */
static void
set_defaults(struct options *options)
{
    if (!options->engine.ovs_remote) {
        options->engine.ovs_remote = xasprintf("unix:%s/db.sock",
                                               ovs_vswitchd_rundir());
    }
    if (!options->engine.pin_dir) {
        options->engine.pin_dir = DEFAULT_PIN_DIR;
    }
    if (!options->engine.chassis) {
        options->engine.chassis = read_system_id_override();
    }
    if (!options->rpc_socket) {
        options->rpc_socket = rundir_path(NULL, ".rpc");
    }
}

/* Creates the unixctl server at 'path', by default "<program>.<pid>.ctl". */
static struct unixctl_server *
create_unixctl(const char *path)
{
    struct unixctl_server *server;
    char *suffix = xasprintf(".%ld.ctl", (long int) getpid());
    char *name = path ? xstrdup(path) : rundir_path(NULL, suffix);
    int error = unixctl_server_create(name, &server);

    if (error) {
        VLOG_FATAL("%s: cannot create control socket (%s)", name,
                   ovs_strerror(error));
    }
    free(name);
    free(suffix);
    return server;
}

/* Creates the JSON-RPC server at 'path', answering from 'engine'. */
static struct rpc_server *
create_rpc(const char *path, const struct engine *engine)
{
    struct rpc_server *server;
    int error = rpc_server_create(path, engine_view(engine), &server);

    if (error) {
        VLOG_FATAL("%s: cannot create JSON-RPC socket (%s)", path,
                   ovs_strerror(error));
    }
    return server;
}

/* Answers memory/show when it was asked. */
static void
run_memory(const struct engine *engine)
{
    memory_run();
    if (memory_should_report()) {
        struct simap usage = SIMAP_INITIALIZER(&usage);
        engine_get_memory_usage(engine, &usage);
        memory_report(&usage);
        simap_destroy(&usage);
    }
}

/* Tells a parent that waits in --detach that all is well, once the datapath is
 * ours or, at 'deadline', if the local database keeps silent.  Returns true
 * when done. */
static bool
complete_start(const struct engine *engine, long long int deadline)
{
    if (engine_is_open(engine) || time_msec() >= deadline) {
        daemonize_complete();
        return true;
    }
    poll_timer_wait_until(deadline);
    return false;
}

/* Returns true if there is a file descriptor left for who connects to the
 * control socket.  Without one its library would try for ever, without a
 * pause. */
static bool
has_descriptors(void)
{
    static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 1);
    int fd = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 0);

    if (fd < 0) {
        VLOG_WARN_RL(&rl, "no file descriptor is left (%s): nobody can "
                     "connect for now", ovs_strerror(errno));
        return false;
    }
    close(fd);
    return true;
}

/* Serves until told to exit. */
static void
main_loop(struct engine *engine, struct unixctl_server *unixctl,
          struct rpc_server *rpc, struct notifier *notifier,
          const struct commands *commands)
{
    long long int deadline = time_msec() + START_TIMEOUT_MS;
    bool started = false;

    while (!commands->exiting) {
        run_memory(engine);
        bool scarce = !has_descriptors();
        if (engine_run(engine)) {
            VLOG_FATAL("%s", engine_failure(engine));
        }
        rpc_server_run(rpc);
        if (!scarce) {
            unixctl_server_run(unixctl);
        }
        notifier_run(notifier, engine_progress(engine), engine_view(engine),
                     time_msec());
        started = started || complete_start(engine, deadline);

        memory_wait();
        engine_wait(engine);
        rpc_server_wait(rpc);
        if (!scarce) {
            unixctl_server_wait(unixctl);
        } else {
            poll_timer_wait(SCARCE_PAUSE_MS);
        }
        notifier_wait(notifier);
        if (commands->exiting) {
            poll_immediate_wake();
        }
        poll_block();
    }
}

/* Takes everything away.  Returns NULL, or lines that say what stays.  The
 * caller frees them. */
static char *
clean_up(struct engine *engine)
{
    struct svec remains = SVEC_EMPTY_INITIALIZER;

    engine_cleanup(engine, &remains);
    char *lines = remains.n ? svec_join(&remains, "\n", "") : NULL;
    svec_destroy(&remains);
    return lines;
}

/* Does what --cleanup asks for.  Returns the exit status. */
static int
run_cleanup(const struct options *options)
{
    struct engine *engine;
    int error = engine_create(&options->engine, &engine);

    if (error) {
        ovs_fatal(error, "cannot start");
    }
    char *remains = clean_up(engine);
    engine_destroy(engine);
    if (remains) {
        ovs_fatal(0, "not everything is gone:\n%s", remains);
    }
    return EXIT_SUCCESS;
}

/* Allows this process as many file descriptors as it may allow itself: some
 * may be taken before it is started. */
static void
raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (!getrlimit(RLIMIT_NOFILE, &limit)
        && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        ignore(setrlimit(RLIMIT_NOFILE, &limit));
    }
}

/* Makes standard input, output and error be open: OVS's poll loop takes file
 * descriptor 0 for a mistake, and a log line must not end in a socket. */
static void
open_standard_fds(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDWR);
    } while (fd >= STDIN_FILENO && fd <= STDERR_FILENO);
    if (fd >= 0) {
        close(fd);
    }
}

/* Sets everything up in the order that OVS's daemons keep, and serves. */
int
main(int argc, char *argv[])
{
    struct options options = { .unixctl = NULL };
    struct commands commands = { .exiting = false };
    struct engine *engine;

    open_standard_fds();
    raise_descriptor_limit();
    ovs_cmdl_proctitle_init(argc, argv);
    set_program_name(argv[0]);
    service_start(&argc, &argv);
    parse_options(argc, argv, &options);
    set_defaults(&options);
    fatal_ignore_sigpipe();
    if (options.cleanup) {
        return run_cleanup(&options);
    }

    struct notifier *notifier = notifier_create();
    daemonize_start(DAEMONIZE_START_ARGS);
    /* Names of remotes are looked up beside the main loop, which may not wait
     * for a name server that is silent. */
    dns_resolve_init(true);
    notifier_start(notifier, time_msec());
    struct unixctl_server *unixctl = create_unixctl(options.unixctl);
    int error = engine_create(&options.engine, &engine);
    if (error) {
        VLOG_FATAL("cannot start (%s)", ovs_strerror(error));
    }
    commands_register(&commands, engine);
    struct rpc_server *rpc = create_rpc(options.rpc_socket, engine);

    main_loop(engine, unixctl, rpc, notifier, &commands);

    notifier_stopping(notifier);
    rpc_server_destroy(rpc);
    char *remains = commands.cleanup ? clean_up(engine) : NULL;
    engine_destroy(engine);
    commands_reply(&commands, remains);
    free(remains);
    unixctl_server_destroy(unixctl);
    notifier_destroy(notifier);
    dns_resolve_destroy();
    free(options.unixctl);
    free(options.rpc_socket);
    service_stop();
    return EXIT_SUCCESS;
}
