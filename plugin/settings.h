/* SPDX-License-Identifier: Apache-2.0 */
/* Configuration: Open_vSwitch.external_ids as typed values.
 *
 * Pure: text in, values and problems out.  A key whose value cannot be used
 * keeps its last good value and is reported. */
#ifndef PLUGIN_SETTINGS_H
#define PLUGIN_SETTINGS_H 1

#include <stdbool.h>
#include <stdint.h>
#include "plugin/datapath.h"
#include "plugin/problems.h"
#include "smap.h"
#include "sset.h"

/* Values of ovn-xdp-mode. */
enum settings_mode {
    MODE_AUTO,                  /* "auto": native where NIC and target can. */
    MODE_NATIVE,                /* "native". */
    MODE_GENERIC                /* "generic". */
};

/* Values of ovn-xdp-bridge-port. */
enum settings_port {
    PORT_AUTO,                  /* "auto": what the devices can do. */
    PORT_INTERNAL,              /* "internal": the bridge's own device. */
    PORT_VETH                   /* "veth": the managed port. */
};

/* Values of ovn-xdp-nic-hook and ovn-xdp-vm-hook. */
enum settings_hook {
    HOOK_AUTO,                  /* "auto": what devices and datapath can do. */
    HOOK_XDP,                   /* "xdp". */
    HOOK_TC                     /* "tc". */
};

/* Settings in force. */
struct settings {
    char *chassis;              /* Chassis name, or NULL while unknown. */
    char *remote;               /* ovn-remote, "" if unset. */
    char *nb_remote;            /* ovn-xdp-nb-remote, "" if unset. */
    int probe_interval;         /* ovn-remote-probe-interval in ms. */
    char *mappings_text;        /* ovn-bridge-mappings as configured. */
    struct smap mappings;       /* Network name to bridge name. */
    bool interfaces_auto;       /* ovn-xdp-interfaces is "auto". */
    struct sset interfaces;     /* NICs named there otherwise. */
    struct sset exclude;        /* ovn-xdp-exclude: canonical addresses and
                                 * logical ports. */
    enum settings_mode mode;    /* ovn-xdp-mode. */
    enum settings_port port;    /* ovn-xdp-bridge-port. */
    uint32_t max_endpoints;     /* ovn-xdp-max-endpoints. */
    enum dp_acl_mode acl;       /* ovn-xdp-acl. */
    uint32_t stale_timeout;     /* ovn-xdp-stale-timeout in s, 0 for never. */
    bool direct;                /* ovn-xdp-direct is "on". */
    enum settings_hook nic_hook; /* ovn-xdp-nic-hook. */
    enum settings_hook vm_hook; /* ovn-xdp-vm-hook. */
    uint32_t confirm_ms;        /* ovn-xdp-confirm-ms. */
    uint32_t max_flows;         /* ovn-xdp-max-flows. */
};

void settings_init(struct settings *);
void settings_destroy(struct settings *);
void settings_update(struct settings *, const struct smap *external_ids,
                     const char *chassis, struct problems *);
const char *settings_mode_to_string(enum settings_mode);
const char *settings_port_to_string(enum settings_port);
const char *settings_acl_to_string(enum dp_acl_mode);
const char *settings_hook_to_string(enum settings_hook);

#endif /* plugin/settings.h */
