/* SPDX-License-Identifier: Apache-2.0 */
/* Reads the external_ids keys of the local database into struct settings.
 *
 * One table row per ovn-xdp-* key; the keys shared with ovn-controller are
 * read as ovn-controller reads them. */

#include <config.h>

#include "plugin/settings.h"

#include <net/if.h>
#include <stdlib.h>
#include <string.h>

#include "packets.h"
#include "stream.h"
#include "util.h"

#include "plugin/addresses.h"
#include "plugin/limits.h"

/* Parses 'value' of 'key' into 'settings'.  Returns NULL or, leaving
 * 'settings' as it was, what is wrong with the value; the caller frees it. */
typedef char *settings_parse_cb(struct settings *settings, const char *value);

/* A key that ovn-xdp defines. */
struct settings_key {
    const char *name;           /* Key of external_ids. */
    const char *fallback;       /* Value when it is not set. */
    settings_parse_cb *parse;   /* Parser. */
};

static char *parse_interfaces(struct settings *, const char *);
static char *parse_exclude(struct settings *, const char *);
static char *parse_mode(struct settings *, const char *);
static char *parse_port(struct settings *, const char *);
static char *parse_acl(struct settings *, const char *);
static char *parse_max_endpoints(struct settings *, const char *);
static char *parse_stale_timeout(struct settings *, const char *);
static char *parse_nb_remote(struct settings *, const char *);
static char *parse_direct(struct settings *, const char *);
static char *parse_nic_hook(struct settings *, const char *);
static char *parse_vm_hook(struct settings *, const char *);
static char *parse_confirm_ms(struct settings *, const char *);
static char *parse_max_flows(struct settings *, const char *);

static const struct settings_key settings_keys[] = {
    { "ovn-xdp-interfaces", "", parse_interfaces },
    { "ovn-xdp-exclude", "", parse_exclude },
    { "ovn-xdp-mode", "auto", parse_mode },
    { "ovn-xdp-bridge-port", "auto", parse_port },
    { "ovn-xdp-acl", "count", parse_acl },
    { "ovn-xdp-max-endpoints", OVS_STRINGIZE(DEFAULT_MAX_ENDPOINTS),
      parse_max_endpoints },
    { "ovn-xdp-stale-timeout", "0", parse_stale_timeout },
    { "ovn-xdp-nb-remote", "", parse_nb_remote },
    { "ovn-xdp-direct", "off", parse_direct },
    { "ovn-xdp-nic-hook", "auto", parse_nic_hook },
    { "ovn-xdp-vm-hook", "auto", parse_vm_hook },
    { "ovn-xdp-confirm-ms", OVS_STRINGIZE(DEFAULT_CONFIRM_MS),
      parse_confirm_ms },
    { "ovn-xdp-max-flows", OVS_STRINGIZE(DEFAULT_MAX_FLOWS),
      parse_max_flows },
};

static const char *const mode_names[] = {
    [MODE_AUTO] = "auto", [MODE_NATIVE] = "native",
    [MODE_GENERIC] = "generic",
};

static const char *const port_names[] = {
    [PORT_AUTO] = "auto", [PORT_INTERNAL] = "internal", [PORT_VETH] = "veth",
};

static const char *const acl_names[] = {
    [DP_ACL_OFF] = "off", [DP_ACL_COUNT] = "count", [DP_ACL_DROP] = "drop",
};

static const char *const hook_names[] = {
    [HOOK_AUTO] = "auto", [HOOK_XDP] = "xdp", [HOOK_TC] = "tc",
};

/* Returns the value that external_ids uses for 'mode'. */
const char *
settings_mode_to_string(enum settings_mode mode)
{
    return mode_names[mode];
}

/* Returns the value that external_ids uses for 'port'. */
const char *
settings_port_to_string(enum settings_port port)
{
    return port_names[port];
}

/* Returns the value that external_ids uses for 'acl'. */
const char *
settings_acl_to_string(enum dp_acl_mode acl)
{
    return acl_names[acl];
}

/* Returns the value that external_ids uses for 'hook'. */
const char *
settings_hook_to_string(enum settings_hook hook)
{
    return hook_names[hook];
}

/* Initializes 'settings' to the defaults, with no chassis and no NIC. */
void
settings_init(struct settings *settings)
{
    *settings = (struct settings) {
        .remote = xstrdup(""),
        .nb_remote = xstrdup(""),
        .mappings_text = xstrdup(""),
        .probe_interval = DEFAULT_PROBE_INTERVAL_MS,
        .acl = DP_ACL_COUNT,
        .max_endpoints = DEFAULT_MAX_ENDPOINTS,
        .confirm_ms = DEFAULT_CONFIRM_MS,
        .max_flows = DEFAULT_MAX_FLOWS,
    };
    smap_init(&settings->mappings);
    sset_init(&settings->interfaces);
    sset_init(&settings->exclude);
}

/* Frees what 'settings' holds, not 'settings' itself. */
void
settings_destroy(struct settings *settings)
{
    if (settings) {
        free(settings->chassis);
        free(settings->remote);
        free(settings->nb_remote);
        free(settings->mappings_text);
        smap_destroy(&settings->mappings);
        sset_destroy(&settings->interfaces);
        sset_destroy(&settings->exclude);
    }
}

/* Returns the value of 'key' in 'ids', preferring "'key'-'chassis'", or
 * 'fallback' if neither is there. */
static const char *
get_value(const struct smap *ids, const char *chassis, const char *key,
          const char *fallback)
{
    if (chassis) {
        char *own = xasprintf("%s-%s", key, chassis);
        const char *value = smap_get(ids, own);
        free(own);
        if (value) {
            return value;
        }
    }
    return smap_get_def(ids, key, fallback);
}

/* Replaces '*dst' by a copy of 'src'. */
static void
replace_string(char **dst, const char *src)
{
    char *copy = nullable_xstrdup(src);
    free(*dst);
    *dst = copy;
}

/* Returns the index of 'value' among the 'n' strings in 'names', or -1. */
static int
find_name(const char *const names[], size_t n, const char *value)
{
    for (size_t i = 0; i < n; i++) {
        if (!strcmp(names[i], value)) {
            return i;
        }
    }
    return -1;
}

/* Parses ovn-xdp-mode. */
static char *
parse_mode(struct settings *settings, const char *value)
{
    int mode = find_name(mode_names, ARRAY_SIZE(mode_names), value);
    if (mode < 0) {
        return xstrdup("expected auto, native or generic");
    }
    settings->mode = mode;
    return NULL;
}

/* Parses ovn-xdp-bridge-port. */
static char *
parse_port(struct settings *settings, const char *value)
{
    int port = find_name(port_names, ARRAY_SIZE(port_names), value);
    if (port < 0) {
        return xstrdup("expected auto, internal or veth");
    }
    settings->port = port;
    return NULL;
}

/* Parses ovn-xdp-acl. */
static char *
parse_acl(struct settings *settings, const char *value)
{
    int acl = find_name(acl_names, ARRAY_SIZE(acl_names), value);
    if (acl < 0) {
        return xstrdup("expected count, drop or off");
    }
    settings->acl = acl;
    return NULL;
}

/* Parses ovn-xdp-direct. */
static char *
parse_direct(struct settings *settings, const char *value)
{
    bool on = !strcmp(value, "on");

    if (!on && strcmp(value, "off")) {
        return xstrdup("expected off or on");
    }
    settings->direct = on;
    return NULL;
}

/* Parses 'value', the name of a hook, into '*hookp'. */
static char *
parse_hook(enum settings_hook *hookp, const char *value)
{
    int hook = find_name(hook_names, ARRAY_SIZE(hook_names), value);

    if (hook < 0) {
        return xstrdup("expected auto, xdp or tc");
    }
    *hookp = hook;
    return NULL;
}

/* Parses ovn-xdp-nic-hook. */
static char *
parse_nic_hook(struct settings *settings, const char *value)
{
    return parse_hook(&settings->nic_hook, value);
}

/* Parses ovn-xdp-vm-hook. */
static char *
parse_vm_hook(struct settings *settings, const char *value)
{
    return parse_hook(&settings->vm_hook, value);
}

/* Parses 'value', a number from 'min' to 'max', into '*np'. */
static char *
parse_number(uint32_t *np, const char *value, unsigned int min,
             unsigned int max)
{
    unsigned int n;

    if (!str_to_uint(value, 10, &n) || n < min || n > max) {
        return xasprintf("expected a number from %u to %u", min, max);
    }
    *np = n;
    return NULL;
}

/* Parses ovn-xdp-max-endpoints. */
static char *
parse_max_endpoints(struct settings *settings, const char *value)
{
    return parse_number(&settings->max_endpoints, value,
                        MIN_MAX_ENDPOINTS, MAX_MAX_ENDPOINTS);
}

/* Parses ovn-xdp-max-flows. */
static char *
parse_max_flows(struct settings *settings, const char *value)
{
    return parse_number(&settings->max_flows, value,
                        MIN_MAX_FLOWS, MAX_MAX_FLOWS);
}

/* Parses ovn-xdp-confirm-ms. */
static char *
parse_confirm_ms(struct settings *settings, const char *value)
{
    return parse_number(&settings->confirm_ms, value,
                        MIN_CONFIRM_MS, MAX_CONFIRM_MS);
}

/* Parses ovn-xdp-stale-timeout. */
static char *
parse_stale_timeout(struct settings *settings, const char *value)
{
    unsigned int n;

    if (!str_to_uint(value, 10, &n)
        || (n && (n < MIN_STALE_TIMEOUT || n > MAX_STALE_TIMEOUT))) {
        return xasprintf("expected seconds, 0 or from %d to %d",
                         MIN_STALE_TIMEOUT, MAX_STALE_TIMEOUT);
    }
    settings->stale_timeout = n;
    return NULL;
}

/* Returns true if the kernel would accept 'name' for a network device. */
static bool
is_device_name(const char *name)
{
    return strlen(name) < IFNAMSIZ && strcmp(name, ".") && strcmp(name, "..")
           && !name[strcspn(name, "/: \t\r\n")];
}

/* Parses ovn-xdp-interfaces. */
static char *
parse_interfaces(struct settings *settings, const char *value)
{
    struct sset names = SSET_INITIALIZER(&names);
    const char *name;

    sset_from_delimited_string(&names, value, ", ");
    SSET_FOR_EACH (name, &names) {
        if (!is_device_name(name)) {
            char *error = xasprintf("\"%s\" cannot be a network device", name);
            sset_destroy(&names);
            return error;
        }
    }
    bool is_auto = sset_find_and_delete(&names, "auto");
    if (is_auto && !sset_is_empty(&names)) {
        sset_destroy(&names);
        return xstrdup("\"auto\" must stand alone");
    }
    settings->interfaces_auto = is_auto;
    sset_swap(&settings->interfaces, &names);
    sset_destroy(&names);
    return NULL;
}

/* Adds 'item' of ovn-xdp-exclude to 'set', addresses in canonical form. */
static void
add_excluded(struct sset *set, const char *item)
{
    struct in6_addr ip;

    if (address_parse(item, &ip)) {
        char text[INET6_ADDRSTRLEN];
        ipv6_string_mapped(text, &ip);
        sset_add(set, text);
    } else {
        sset_add(set, item);
    }
}

/* Parses ovn-xdp-exclude.  Whatever is not an address is a logical port. */
static char *
parse_exclude(struct settings *settings, const char *value)
{
    struct sset items = SSET_INITIALIZER(&items);
    const char *item;

    sset_from_delimited_string(&items, value, ", ");
    sset_clear(&settings->exclude);
    SSET_FOR_EACH (item, &items) {
        add_excluded(&settings->exclude, item);
    }
    sset_destroy(&items);
    return NULL;
}

/* Returns NULL if each element of 'value', a comma list, is a way to connect
 * to a database, or what is wrong; the caller frees it. */
static char *
check_remotes(const char *value)
{
    struct sset remotes = SSET_INITIALIZER(&remotes);
    char *error = NULL;
    const char *remote;

    sset_from_delimited_string(&remotes, value, ",");
    SSET_FOR_EACH (remote, &remotes) {
        if (!error && stream_verify_name(remote)) {
            error = xasprintf("\"%s\" is not a connection method such as "
                              "tcp:IP:PORT, ssl:IP:PORT or unix:FILE", remote);
        }
    }
    sset_destroy(&remotes);
    return error;
}

/* Parses ovn-xdp-nb-remote. */
static char *
parse_nb_remote(struct settings *settings, const char *value)
{
    char *error = check_remotes(value);

    if (!error) {
        replace_string(&settings->nb_remote, value);
    }
    return error;
}

/* Parses ovn-remote. */
static void
parse_remote(struct settings *settings, const char *value,
             struct problems *problems)
{
    char *error = check_remotes(value);

    if (error) {
        problems_add(problems, REASON_BAD_VALUE, "ovn-remote=\"%s\": %s; "
                     "\"%s\" stays in force", value, error,
                     settings->remote);
        free(error);
        return;
    }
    replace_string(&settings->remote, value);
}

/* Parses ovn-bridge-mappings as ovn-controller does: the first bad element is
 * the end, since ovn-controller plugs no patch port for those behind it
 * either.  Of two elements for one network the later one counts. */
static void
parse_mappings(struct settings *settings, const char *value,
               struct problems *problems)
{
    char *copy = xstrdup(value);
    char *next = copy;
    char *element;

    replace_string(&settings->mappings_text, value);
    smap_clear(&settings->mappings);
    while ((element = strsep(&next, ",")) && (*element || next)) {
        char *bridge = element;
        const char *network = strsep(&bridge, ":");
        if (!*network || !bridge || !*bridge) {
            problems_add(problems, REASON_BAD_VALUE,
                         "ovn-bridge-mappings=\"%s\": \"%s\" is not "
                         "NETWORK:BRIDGE; it and what follows is ignored, as "
                         "by ovn-controller", value, network);
            break;
        }
        smap_replace(&settings->mappings, network, bridge);
    }
    free(copy);
}

/* Parses ovn-remote-probe-interval as ovn-controller does: 0 is off, and less
 * than a second is a second. */
static void
parse_probe_interval(struct settings *settings, const char *value,
                     struct problems *problems)
{
    int ms;

    if (!str_to_int(value, 10, &ms) || ms < 0) {
        problems_add(problems, REASON_BAD_VALUE,
                     "ovn-remote-probe-interval=\"%s\": expected "
                     "milliseconds; %d stays in force", value,
                     settings->probe_interval);
        return;
    }
    settings->probe_interval = ms ? MAX(ms, 1000) : 0;
}

/* Brings 'settings' up to date with 'ids', the local external_ids.  'chassis'
 * is the chassis name by option or override file, or NULL to take system-id.
 * Adds to 'problems' what could not be used. */
void
settings_update(struct settings *settings, const struct smap *ids,
                const char *chassis, struct problems *problems)
{
    if (!chassis) {
        const char *system_id = smap_get_def(ids, "system-id", "");
        chassis = system_id[0] ? system_id : NULL;
    }
    replace_string(&settings->chassis, chassis);
    chassis = settings->chassis;
    if (!chassis) {
        problems_add(problems, REASON_NO_SYSTEM_ID, "%s",
                     reason_sentence(REASON_NO_SYSTEM_ID));
    }

    parse_remote(settings, get_value(ids, chassis, "ovn-remote", ""),
                 problems);
    parse_probe_interval(settings,
                         get_value(ids, chassis, "ovn-remote-probe-interval",
                                   OVS_STRINGIZE(DEFAULT_PROBE_INTERVAL_MS)),
                         problems);
    parse_mappings(settings,
                   get_value(ids, chassis, "ovn-bridge-mappings", ""),
                   problems);

    for (size_t i = 0; i < ARRAY_SIZE(settings_keys); i++) {
        const struct settings_key *key = &settings_keys[i];
        const char *value = get_value(ids, chassis, key->name, key->fallback);
        char *error = key->parse(settings, value);
        if (error) {
            problems_add(problems, REASON_BAD_VALUE,
                         "%s=\"%s\": %s; the last good value stays in force",
                         key->name, value, error);
            free(error);
        }
    }
}
