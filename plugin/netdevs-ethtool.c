/* SPDX-License-Identifier: Apache-2.0 */
/* ethtool requests by ioctl. */
#include <config.h>

#include "plugin/netdevs-ethtool.h"

#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <string.h>

#include "socket-util.h"
#include "util.h"

/* Sends the ethtool request 'data' for the device 'name'.  Returns 0 or a
 * positive errno. */
static int
ethtool_ioctl(const char *name, void *data)
{
    struct ifreq ifr;

    memset(&ifr, 0, sizeof ifr);
    ovs_strzcpy(ifr.ifr_name, name, sizeof ifr.ifr_name);
    ifr.ifr_data = data;
    return af_inet_ioctl(SIOCETHTOOL, &ifr);
}

/* Stores in '*value' what the ethtool command 'command', one that reads a
 * single number (ETHTOOL_GGRO...), says of the device 'name'.  Returns 0 or
 * a positive errno, and stores 0 then.  EOPNOTSUPP: the device does not know
 * the command; ENODEV: there is no such device. */
int
netdevs_ethtool_get(const char *name, uint32_t command, uint32_t *value)
{
    struct ethtool_value request = { .cmd = command };
    int error = ethtool_ioctl(name, &request);

    *value = error ? 0 : request.data;
    return error;
}

/* Sets by the ethtool command 'command', one that writes a single number
 * (ETHTOOL_SGRO...), 'value' on the device 'name'.  Returns 0 or a positive
 * errno, as netdevs_ethtool_get(). */
int
netdevs_ethtool_set(const char *name, uint32_t command, uint32_t value)
{
    struct ethtool_value request = { .cmd = command, .data = value };

    return ethtool_ioctl(name, &request);
}

/* Stores the name of the driver of the device 'name' in the 'size' bytes at
 * 'driver'.  Returns 0 or a positive errno, and stores "" then. */
int
netdevs_ethtool_driver(const char *name, char *driver, size_t size)
{
    struct ethtool_drvinfo request;
    int error;

    memset(&request, 0, sizeof request);
    request.cmd = ETHTOOL_GDRVINFO;
    error = ethtool_ioctl(name, &request);
    ovs_strlcpy(driver, error ? "" : request.driver, size);
    return error;
}

/* Returns true if the device 'name' takes VLAN tags off the frames it
 * receives (rx-vlan-offload). */
bool
netdevs_ethtool_strips_vlan(const char *name)
{
    uint32_t flags;

    netdevs_ethtool_get(name, ETHTOOL_GFLAGS, &flags);
    return (flags & ETH_FLAG_RXVLAN) != 0;
}
