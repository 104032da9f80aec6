/* SPDX-License-Identifier: Apache-2.0 */
/* See rpc/complete.h.  Commands come from rpc/method.def, options from those
 * of the program, names and addresses from the daemon if it answers soon. */

#include <config.h>

#include "rpc/complete.h"

#include <getopt.h>
#include <json-c/json.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sset.h"
#include "util.h"

#include "rpc/client.h"
#include "rpc/methods.h"
#include "rpc/print.h"

/* Milliseconds that the daemon has to answer: somebody waits at a prompt. */
#define COMPLETE_TIMEOUT 500

/* The words in front of the one to complete. */
struct line {
    const char *socket;         /* Where to ask. */
    int value_of;               /* Letter of the option whose value is next, or
                                 * 0. */
    const struct rpc_method *method; /* The command, or NULL before it. */
    size_t n_args;              /* Arguments of the command so far. */
    const struct rpc_param *param; /* The option of the command whose value is
                                 * next, or NULL. */
    bool bad;                   /* There is no such command. */
};

static void parse_word(struct line *, const char *word,
                       const struct option *);
static const struct option *find_option(const struct option *,
                                        const char *word, const char **value);
static void take_option(struct line *, const struct option *,
                        const char *value);
static void take_command(struct line *, const char *word);
static void add_words(struct sset *, const struct line *, const char *last,
                      const struct option *);
static void add_values(struct sset *, int option, const char *prefix);
static void add_options(struct sset *, const struct option *);
static void add_commands(struct sset *);
static void take_argument(struct line *, const char *word);
static void add_arguments(struct sset *, const struct line *,
                          const char *last);
static void add_option_values(struct sset *, const struct line *,
                              const struct rpc_param *);
static void add_param(struct sset *, const struct line *,
                      const struct rpc_param *);
static void add_literals(struct sset *, const char *metavar);
static void add_members(struct sset *, const struct line *,
                        const char *method, const char *member);
static void add_devices(struct sset *);
static bool is_plain(const char *);

/* Prints what may come next.  See rpc/complete.h. */
void
complete(int n, char *words[], const struct option *options,
         const char *socket)
{
    struct sset found = SSET_INITIALIZER(&found);
    const char *last = n > 0 ? words[n - 1] : "";
    struct line line = { .socket = socket };
    const char **sorted;
    size_t i;

    for (i = 0; i + 1 < n; i++) {
        parse_word(&line, words[i], options);
    }
    add_words(&found, &line, last, options);
    sorted = sset_sort(&found);
    for (i = 0; i < sset_count(&found); i++) {
        if (!strncmp(sorted[i], last, strlen(last))
            || !strcmp(sorted[i], COMPLETE_FILES)) {
            puts(sorted[i]);
        }
    }
    free(sorted);
    sset_destroy(&found);
}

/* Takes notice of 'word' in front of the one to complete. */
static void
parse_word(struct line *line, const char *word, const struct option *options)
{
    if (line->value_of) {
        if (line->value_of == 's') {
            line->socket = word;
        }
        line->value_of = 0;
    } else if (line->param) {
        line->param = NULL;
    } else if (line->method) {
        take_argument(line, word);
    } else if (word[0] == '-') {
        const char *value;
        const struct option *option = find_option(options, word, &value);

        if (option) {
            take_option(line, option, value);
        }
    } else {
        take_command(line, word);
    }
}

/* Returns the one of 'options' that 'word' is, or NULL; stores the value that
 * 'word' gives it, or NULL. */
static const struct option *
find_option(const struct option *options, const char *word,
            const char **value)
{
    bool is_long = word[1] == '-';
    size_t length = is_long ? strcspn(word + 2, "=") : 1;
    const char *rest = is_long ? word + 2 + length : word + 2;

    *value = *rest ? rest + is_long : NULL;
    if (!word[1]) {
        return NULL;
    }
    for (; options->name; options++) {
        if (is_long
            ? (!strncmp(options->name, word + 2, length)
               && !options->name[length])
            : options->val == word[1]) {
            return options;
        }
    }
    return NULL;
}

/* Takes notice of 'option' with 'value', or NULL if that comes next. */
static void
take_option(struct line *line, const struct option *option,
            const char *value)
{
    if (option->has_arg == no_argument) {
        return;
    } else if (!value) {
        line->value_of = option->val;
    } else if (option->val == 's') {
        line->socket = value;
    }
}

/* Takes notice of the command 'word'. */
static void
take_command(struct line *line, const char *word)
{
    int id;

    for (id = 0; id < N_RPC_METHODS; id++) {
        if (rpc_methods[id].command && !strcmp(rpc_methods[id].command,
                                               word)) {
            line->method = &rpc_methods[id];
            return;
        }
    }
    line->bad = true;
}

/* Takes notice of 'word', an argument or option of the command. */
static void
take_argument(struct line *line, const char *word)
{
    const char *value;
    const struct rpc_param *param = rpc_method_find_option(line->method, word,
                                                           &value);

    if (!param) {
        line->n_args++;
    } else if (!value) {
        line->param = param;
    }
}

/* Adds to 'found' what may be in the place of 'last', behind 'line'. */
static void
add_words(struct sset *found, const struct line *line, const char *last,
          const struct option *options)
{
    if (line->bad) {
        return;
    } else if (line->value_of) {
        add_values(found, line->value_of, "");
    } else if (line->param) {
        add_param(found, line, line->param);
    } else if (line->method) {
        add_arguments(found, line, last);
    } else if (last[0] == '-') {
        const char *value;
        const struct option *option = find_option(options, last, &value);

        if (option && option->has_arg && value && last[1] == '-') {
            char *prefix = xasprintf("--%s=", option->name);

            add_values(found, option->val, prefix);
            free(prefix);
        } else {
            add_options(found, options);
        }
    } else {
        add_commands(found);
    }
}

/* Adds the values that the option with letter 'option' may have, each behind
 * 'prefix'. */
static void
add_values(struct sset *found, int option, const char *prefix)
{
    if (option == 'f') {
        sset_add_and_free(found, xasprintf("%stable", prefix));
        sset_add_and_free(found, xasprintf("%sjson", prefix));
    } else if (option == 's') {
        sset_add(found, COMPLETE_FILES);
    }
}

/* Adds the 'options'. */
static void
add_options(struct sset *found, const struct option *options)
{
    for (; options->name; options++) {
        sset_add_and_free(found, xasprintf("--%s%s", options->name,
                                           options->has_arg ? "=" : ""));
    }
}

/* Adds the commands. */
static void
add_commands(struct sset *found)
{
    int id;

    for (id = 0; id < N_RPC_METHODS; id++) {
        if (rpc_methods[id].command) {
            sset_add(found, rpc_methods[id].command);
        }
    }
}

/* Adds what may be in the place of 'last', behind the command of 'line': its
 * next argument, or one of its options, for which it begins with '-'. */
static void
add_arguments(struct sset *found, const struct line *line, const char *last)
{
    const struct rpc_param *param;
    const char *value;
    size_t i = 0;

    param = rpc_method_find_option(line->method, last, &value);
    if (param && value) {
        add_option_values(found, line, param);
        return;
    }
    for (param = line->method->params; param->name; param++) {
        if (param->option) {
            if (last[0] == '-') {
                sset_add_and_free(found, xasprintf("--%s=", param->name));
            }
        } else if (i++ == line->n_args) {
            add_param(found, line, param);
        }
    }
}

/* Adds the values of 'param', an option of the command of 'line', each behind
 * its name. */
static void
add_option_values(struct sset *found, const struct line *line,
                  const struct rpc_param *param)
{
    struct sset values = SSET_INITIALIZER(&values);
    const char *value;

    add_param(&values, line, param);
    SSET_FOR_EACH (value, &values) {
        sset_add_and_free(found, xasprintf("--%s=%s", param->name, value));
    }
    sset_destroy(&values);
}

/* Adds what 'param' of the command of 'line' may be: its name in the usage
 * says of what kind it is. */
static void
add_param(struct sset *found, const struct line *line,
          const struct rpc_param *param)
{
    if (param->type == RPC_PARAM_BOOLEAN) {
        sset_add(found, "true");
        sset_add(found, "false");
    }
    add_literals(found, param->metavar);
    if (strstr(param->metavar, "ADDRESS")) {
        add_members(found, line, "endpoint.list", "address");
    }
    if (strstr(param->metavar, "LPORT")) {
        add_members(found, line, "endpoint.list", "logical_port");
    }
    if (strstr(param->metavar, "INTERFACE")) {
        add_members(found, line, "interface.list", "name");
        add_devices(found);
    }
}

/* Adds the words of 'metavar' that are meant as they stand, in small
 * letters. */
static void
add_literals(struct sset *found, const char *metavar)
{
    struct sset words = SSET_INITIALIZER(&words);
    const char *word;

    sset_from_delimited_string(&words, metavar, "|");
    SSET_FOR_EACH (word, &words) {
        if (word[0] >= 'a' && word[0] <= 'z') {
            sset_add(found, word);
        }
    }
    sset_destroy(&words);
}

/* Adds 'member' of each element that 'method' gives, if the daemon answers. */
static void
add_members(struct sset *found, const struct line *line, const char *method,
            const char *member)
{
    struct json_object *result;
    char *message;
    size_t i;

    if (client_call(line->socket, method, json_object_new_object(),
                    COMPLETE_TIMEOUT, &result, &message) != CLIENT_RESULT) {
        free(message);
        return;
    }
    for (i = 0; i < print_length(result); i++) {
        const char *word = print_text(json_object_array_get_idx(result, i),
                                      member);

        if (is_plain(word)) {
            sset_add(found, word);
        }
    }
    json_object_put(result);
}

/* Adds the network devices of this machine. */
static void
add_devices(struct sset *found)
{
    struct if_nameindex *devices = if_nameindex();
    size_t i;

    for (i = 0; devices && devices[i].if_name; i++) {
        if (is_plain(devices[i].if_name)) {
            sset_add(found, devices[i].if_name);
        }
    }
    if (devices) {
        if_freenameindex(devices);
    }
}

/* Returns true if 'word' means the same to a shell with and without quotes. */
static bool
is_plain(const char *word)
{
    return word[0] && !word[strspn(word, "abcdefghijklmnopqrstuvwxyz"
                                   "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "0123456789_.:@%+,/-")];
}
