/* SPDX-License-Identifier: Apache-2.0 */
/* See plugin/paths.h.  libopenvswitch has ovs_rundir(), which knows only the
 * folders that the library was configured with. */

#include <config.h>

#include "plugin/paths.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util.h"

static const char *path_get(char **cache, const char *variable,
                            const char *otherwise);

/* Returns the run-time folder of OVN. */
const char *
ovn_rundir(void)
{
    static char *cache;

    return path_get(&cache, "OVN_RUNDIR", DEFAULT_OVN_RUNDIR);
}

/* Returns the log folder of OVN. */
const char *
ovn_logdir(void)
{
    static char *cache;

    return path_get(&cache, "OVN_LOGDIR", DEFAULT_OVN_LOGDIR);
}

/* Returns the configuration folder of OVN. */
const char *
ovn_sysconfdir(void)
{
    static char *cache;

    return path_get(&cache, "OVN_SYSCONFDIR", DEFAULT_OVN_SYSCONFDIR);
}

/* Returns the run-time folder of Open vSwitch. */
const char *
ovs_vswitchd_rundir(void)
{
    static char *cache;

    return path_get(&cache, "OVS_RUNDIR", DEFAULT_OVS_RUNDIR);
}

/* Returns the chassis name in the system-id-override file of ovn-controller,
 * or NULL if there is none.  The caller frees it. */
char *
read_system_id_override(void)
{
    char *name = xasprintf("%s/system-id-override", ovn_sysconfdir());
    FILE *file = fopen(name, "r");
    char *id = NULL;
    char line[256];

    free(name);
    if (file) {
        if (fgets(line, sizeof line, file)) {
            line[strcspn(line, "\r\n")] = '\0';
            id = line[0] ? xstrdup(line) : NULL;
        }
        fclose(file);
    }
    return id;
}

/* Returns the value of environment 'variable', or 'otherwise' if it has none.
 * Keeps it in '*cache': the environment may be changed later on. */
static const char *
path_get(char **cache, const char *variable, const char *otherwise)
{
    if (!*cache) {
        const char *value = getenv(variable);

        *cache = xstrdup(value && value[0] ? value : otherwise);
    }
    return *cache;
}
