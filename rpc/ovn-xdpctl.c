/* SPDX-License-Identifier: Apache-2.0 */
/* ovn-xdpctl: asks ovn-xdpd one question and shows the answer.
 *
 * Its commands are the rows of rpc/method.def.  This file is options and exit
 * codes; rpc/client.c does the talking and rpc/writer.c the writing. */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <json-c/json.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "openvswitch/dynamic-string.h"
#include "util.h"

#include "plugin/paths.h"
#include "rpc/client.h"
#include "rpc/complete.h"
#include "rpc/limits.h"
#include "rpc/methods.h"
#include "rpc/print.h"
#include "rpc/result.h"
#include "rpc/writer.h"

/* What the shell asks for completion; not for people. */
#define COMPLETE_COMMAND "complete"

/* Options. */
static const struct option long_options[] = {
    { "socket", required_argument, NULL, 's' },
    { "format", required_argument, NULL, 'f' },
    { "timeout", required_argument, NULL, 't' },
    { "help", no_argument, NULL, 'h' },
    { "version", no_argument, NULL, 'V' },
    { NULL, 0, NULL, 0 },
};

/* Exit codes.  'health' uses them for ok, degraded and failed, 'explain' the
 * first two for what is offloaded and what is not. */
enum {
    EXIT_GOOD = 0,
    EXIT_ERROR = 1,
    EXIT_USAGE = 2,
    EXIT_HEALTH_FAILED = 2
};

/* The command line. */
struct options {
    char *socket;               /* Socket file. */
    enum writer_format format;  /* Form of output. */
    long long int timeout;      /* Milliseconds to wait, 0 for ever. */
};

static void parse_options(int argc, char *argv[], struct options *);
static int complete_line(int argc, char *argv[], struct options *);
static long long int parse_timeout(const char *);
static OVS_NO_RETURN void usage(void);
static OVS_NO_RETURN void usage_error(const char *format, ...)
    OVS_PRINTF_FORMAT(1, 2);
static enum rpc_method_id find_command(const char *name);
static void show_params(struct ds *, const struct rpc_method *);
static struct json_object *make_params(const struct rpc_method *,
                                       int argc, char *argv[]);
static const struct rpc_param *find_positional(const struct rpc_param *);
static struct json_object *make_param(const struct rpc_param *,
                                      const char *arg);
static int run_command(enum rpc_method_id, struct json_object *params,
                       const struct options *);
static int exit_code(enum rpc_method_id, struct json_object *result);
static int write_output(const char *);

/* Takes the command line apart and runs its command. */
int
main(int argc, char *argv[])
{
    struct json_object *params;
    struct options options;
    enum rpc_method_id id;
    int status;

    ovs_set_program_name(argv[0], PACKAGE_VERSION);
    parse_options(argc, argv, &options);
    if (optind == argc) {
        usage_error("no command given");
    }
    if (!strcmp(argv[optind], COMPLETE_COMMAND)) {
        return complete_line(argc - optind - 1, argv + optind + 1, &options);
    }
    id = find_command(argv[optind]);
    params = make_params(&rpc_methods[id], argc - optind - 1,
                         argv + optind + 1);
    status = run_command(id, params, &options);
    free(options.socket);
    return status;
}

/* Stores in 'options' what 'argc' and 'argv' say, up to the command. */
static void
parse_options(int argc, char *argv[], struct options *options)
{
    int c;

    options->socket = NULL;
    options->format = WRITER_TABLE;
    options->timeout = RPC_CLIENT_TIMEOUT * 1000;
    while ((c = getopt_long(argc, argv, "+s:f:t:hV", long_options,
                            NULL)) != -1) {
        switch (c) {
        case 's':
            free(options->socket);
            options->socket = xstrdup(optarg);
            break;
        case 'f':
            if (!writer_format_from_string(optarg, &options->format)) {
                usage_error("-f: \"%s\" is neither table nor json", optarg);
            }
            break;
        case 't':
            options->timeout = parse_timeout(optarg);
            break;
        case 'h':
            usage();
        case 'V':
            printf("%s %s\n", program_name, PACKAGE_VERSION);
            exit(write_output(""));
        default:
            usage_error("see above");
        }
    }
    if (!options->socket) {
        options->socket = xasprintf("%s/ovn-xdpd.rpc", ovn_rundir());
    }
}

/* Prints what the last of the 'argc' words 'argv', behind a "--", may become.
 * Returns the exit code. */
static int
complete_line(int argc, char *argv[], struct options *options)
{
    bool dashes = argc > 0 && !strcmp(argv[0], "--");

    complete(argc - dashes, argv + dashes, long_options, options->socket);
    free(options->socket);
    return write_output("");
}

/* Returns the milliseconds that 'arg', a number of seconds, stands for. */
static long long int
parse_timeout(const char *arg)
{
    char *end;
    double seconds;

    errno = 0;
    seconds = strtod(arg, &end);
    if (errno || end == arg || *end || !(seconds >= 0 && seconds < INT_MAX)) {
        usage_error("-t: \"%s\" is not a number of seconds", arg);
    }
    return seconds > 0 ? MAX(1, seconds * 1000) : 0;
}

/* Prints what there is to know about the command line, and exits. */
static void
usage(void)
{
    int id;

    printf("%s: queries ovn-xdpd\n"
           "usage: %s [-s SOCKET] [-f table|json] [-t SECONDS] COMMAND ...\n"
           "\nCommands:\n", program_name, program_name);
    for (id = 0; id < N_RPC_METHODS; id++) {
        const struct rpc_method *method = &rpc_methods[id];
        struct ds ds = DS_EMPTY_INITIALIZER;

        if (method->command) {
            ds_put_cstr(&ds, method->command);
            show_params(&ds, method);
            printf("  %-26s", ds_cstr(&ds));
            if (ds.length > 26) {
                printf("\n%28s", "");
            }
            printf(" %s\n", method->summary);
        }
        ds_destroy(&ds);
    }
    printf("\nOptions:\n"
           "  -s, --socket=SOCKET        "
           "socket of ovn-xdpd (default: %s/ovn-xdpd.rpc)\n"
           "  -f, --format=table|json    "
           "form of output (default: table)\n"
           "  -t, --timeout=SECONDS      "
           "time to wait, 0 for ever (default: %d)\n"
           "  -h, --help                 this text\n"
           "  -V, --version              version\n",
           ovn_rundir(), RPC_CLIENT_TIMEOUT);
    exit(write_output(""));
}

/* Appends the arguments and options that 'method' takes to 'ds'. */
static void
show_params(struct ds *ds, const struct rpc_method *method)
{
    const struct rpc_param *param;

    for (param = method->params; param->name; param++) {
        if (param->option) {
            ds_put_format(ds, " [--%s %s]", param->name, param->metavar);
        } else {
            ds_put_format(ds, param->required ? " %s" : " [%s]",
                          param->metavar);
        }
    }
}

/* Prints what is wrong with the command line, by 'format', and exits. */
static void
usage_error(const char *format, ...)
{
    va_list args;

    fprintf(stderr, "%s: ", program_name);
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, " (use --help for help)\n");
    exit(EXIT_USAGE);
}

/* Returns the method that command 'name' calls. */
static enum rpc_method_id
find_command(const char *name)
{
    int id;

    for (id = 0; id < N_RPC_METHODS; id++) {
        const char *command = rpc_methods[id].command;

        if (command && !strcmp(command, name)) {
            return id;
        }
    }
    usage_error("unknown command \"%s\"", name);
}

/* Returns the parameters for 'method' made of its 'argc' arguments 'argv';
 * the caller owns them. */
static struct json_object *
make_params(const struct rpc_method *method, int argc, char *argv[])
{
    struct json_object *params = json_object_new_object();
    const struct rpc_param *param = find_positional(method->params);
    int i;

    for (i = 0; i < argc; i++) {
        const char *value;
        const struct rpc_param *option
            = rpc_method_find_option(method, argv[i], &value);

        if (option && !value && ++i >= argc) {
            usage_error("%s: --%s needs %s", method->command, option->name,
                        option->metavar);
        } else if (option) {
            result_add(params, option->name,
                       make_param(option, value ? value : argv[i]));
        } else if (param->name) {
            result_add(params, param->name, make_param(param, argv[i]));
            param = find_positional(param + 1);
        } else {
            usage_error("%s: unexpected argument \"%s\"",
                        method->command, argv[i]);
        }
    }
    if (param->name && param->required) {
        usage_error("%s: %s is missing", method->command, param->metavar);
    }
    return params;
}

/* Returns the first of 'params' that is no option of the command; the last,
 * which has no name, if there is none. */
static const struct rpc_param *
find_positional(const struct rpc_param *params)
{
    while (params->name && params->option) {
        params++;
    }
    return params;
}

/* Returns 'arg' as the value of 'param'. */
static struct json_object *
make_param(const struct rpc_param *param, const char *arg)
{
    struct json_object *value;

    if (param->type == RPC_PARAM_STRING) {
        return result_string(arg);
    }
    value = json_tokener_parse(arg);
    if (!value) {
        usage_error("%s: \"%s\" is not a value", param->metavar, arg);
    }
    return value;
}

/* Calls method 'id' with 'params', which is taken over, and shows the result.
 * Returns the exit code. */
static int
run_command(enum rpc_method_id id, struct json_object *params,
            const struct options *options)
{
    const struct rpc_method *method = &rpc_methods[id];
    struct ds out = DS_EMPTY_INITIALIZER;
    struct json_object *result;
    int code, error;
    char *message;

    if (client_call(options->socket, method->name, params, options->timeout,
                    &result, &message) != CLIENT_RESULT) {
        fprintf(stderr, "%s: %s\n", program_name, message);
        free(message);

        /* A daemon that does not answer is not in good health. */
        return id == RPC_METHOD_health ? EXIT_HEALTH_FAILED : EXIT_ERROR;
    }
    writer_put(options->format, id, result, &out);
    code = exit_code(id, result);
    json_object_put(result);
    error = write_output(ds_cstr(&out));
    ds_destroy(&out);
    return error ? error : code;
}

/* Returns the exit code for 'result' of method 'id'. */
static int
exit_code(enum rpc_method_id id, struct json_object *result)
{
    if (id == RPC_METHOD_health) {
        const char *status = print_text(result, "status");

        return (!strcmp(status, "ok") ? EXIT_GOOD
                : !strcmp(status, "degraded") ? EXIT_ERROR
                : EXIT_HEALTH_FAILED);
    }
    return EXIT_GOOD;
}

/* Writes 'text' to standard output.  Returns the exit code. */
static int
write_output(const char *text)
{
    if (fputs(text, stdout) == EOF || fflush(stdout)) {
        fprintf(stderr, "%s: cannot write (%s)\n",
                program_name, ovs_strerror(errno));
        return EXIT_ERROR;
    }
    return EXIT_GOOD;
}
