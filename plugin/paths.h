/* SPDX-License-Identifier: Apache-2.0 */
/* Where OVN and Open vSwitch keep their files.  Each folder is that
 * of the environment variable of the same name, or else the one that
 * configure was told; static strings. */
#ifndef PLUGIN_PATHS_H
#define PLUGIN_PATHS_H 1

const char *ovn_rundir(void);           /* OVN_RUNDIR. */
const char *ovn_logdir(void);           /* OVN_LOGDIR. */
const char *ovn_sysconfdir(void);       /* OVN_SYSCONFDIR. */
const char *ovs_vswitchd_rundir(void);  /* OVS_RUNDIR. */

char *read_system_id_override(void);

#endif /* plugin/paths.h */
