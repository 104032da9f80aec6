/* SPDX-License-Identifier: Apache-2.0 */
/* Devices that are wanted by somebody, with what the datapath said of each. */

#include <config.h>

#include "plugin/direct-devices.h"

#include <limits.h>
#include <stdlib.h>

#include "hash.h"
#include "openvswitch/hmap.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "util.h"

#include "plugin/limits.h"

VLOG_DEFINE_THIS_MODULE(direct_devices);

/* Devices that are looked after in one call of direct_devices_refresh(), in
 * turns: to ask the kernel about each takes up to 0.1 ms. */
#define REFRESH_DEVICES 32

/* A device. */
struct device {
    struct hmap_node node;      /* In struct direct_devices, by ifindex. */
    struct dp_direct_device want; /* As asked for last. */
    int error;                  /* Why the datapath has it not, or 0. */
    long long int retry_at;     /* Then, when to try again. */
    bool wanted;                /* In this round. */
};

/* See plugin/direct-devices.h. */
struct direct_devices {
    const struct dp_class *class; /* Back end. */
    struct dp *dp;              /* Datapath, borrowed. */
    struct hmap devices;        /* Of struct device. */
    struct hmap_position turn;  /* Which of them is looked after next. */
    bool swept;                 /* What an earlier daemon left is gone. */
};

/* Creates what has devices put into 'dp' of 'class'. */
struct direct_devices *
direct_devices_create(const struct dp_class *class, struct dp *dp)
{
    struct direct_devices *dd = xzalloc(sizeof *dd);

    dd->class = class;
    dd->dp = dp;
    hmap_init(&dd->devices);
    return dd;
}

/* Frees 'dd'.  The datapath stays as it is. */
void
direct_devices_destroy(struct direct_devices *dd)
{
    struct device *device;

    if (dd) {
        HMAP_FOR_EACH_POP (device, node, &dd->devices) {
            free(device);
        }
        hmap_destroy(&dd->devices);
        free(dd);
    }
}

/* Returns the device 'ifindex', or NULL. */
static struct device *
find_device(const struct direct_devices *dd, int ifindex)
{
    struct device *device;

    HMAP_FOR_EACH_WITH_HASH (device, node, hash_int(ifindex, 0),
                             &dd->devices) {
        if (device->want.ifindex == ifindex) {
            return device;
        }
    }
    return NULL;
}

/* Begins a round in which each device is wanted that is to stay. */
void
direct_devices_begin(struct direct_devices *dd)
{
    struct device *device;

    HMAP_FOR_EACH (device, node, &dd->devices) {
        device->wanted = false;
    }
}

/* Returns true if 'a' and 'b' are the same. */
static bool
device_equals(const struct dp_direct_device *a,
              const struct dp_direct_device *b)
{
    return (a->ifindex == b->ifindex && a->is_nic == b->is_nic
            && a->near == b->near && a->xdp_target == b->xdp_target
            && a->stale_timeout == b->stale_timeout
            && a->track == b->track);
}

/* Puts 'device' into the datapath at 'now'. */
static void
put_device(struct direct_devices *dd, struct device *device,
           long long int now)
{
    device->error = dd->class->put_direct_device(dd->dp, &device->want);
    if (device->error) {
        static struct vlog_rate_limit rl = VLOG_RATE_LIMIT_INIT(1, 5);

        VLOG_WARN_RL(&rl, "device %d: cannot forward directly (%s)",
                     device->want.ifindex, ovs_strerror(device->error));
        device->retry_at = now + RETRY_MAX_MS;
    }
}

/* Returns true if 'device' may be there no more.  What is at the TC ingress of
 * a NIC goes with the NIC's program, by whose row it knows the NIC; and where
 * TC has no links, by an event of which nobody tells. */
static bool
may_be_gone(const struct device *device)
{
    return (!device->error && device->want.is_nic
            && device->want.near == DP_HOOK_TC);
}

/* Wants 'want' at 'now', see plugin/direct-devices.h. */
int
direct_devices_want(struct direct_devices *dd,
                    const struct dp_direct_device *want, long long int now)
{
    struct device *device = find_device(dd, want->ifindex);
    bool fresh = !device;

    if (fresh) {
        device = xzalloc(sizeof *device);
        hmap_insert(&dd->devices, &device->node, hash_int(want->ifindex, 0));
    }
    if (fresh || !device_equals(&device->want, want) || may_be_gone(device)
        || (device->error && now >= device->retry_at)) {
        device->want = *want;
        put_device(dd, device, now);
    }
    device->wanted = true;
    return device->error;
}

/* Puts back at 'now' what may be gone of some devices, in turns.  Returns true
 * if one of them cannot be had any more. */
static bool
refresh_some(struct direct_devices *dd, long long int now)
{
    size_t n = MIN(hmap_count(&dd->devices), REFRESH_DEVICES);
    bool lost = false;

    while (n > 0) {
        struct hmap_node *node = hmap_at_position(&dd->devices, &dd->turn);

        /* Behind the last one it begins anew. */
        if (node) {
            struct device *device = CONTAINER_OF(node, struct device, node);

            if (!device->error) {
                put_device(dd, device, now);
                lost |= device->error != 0;
            }
            n--;
        }
    }
    return lost;
}

/* Puts back what may be gone, see plugin/direct-devices.h. */
bool
direct_devices_refresh(struct direct_devices *dd, long long int now)
{
    struct device *device;

    HMAP_FOR_EACH (device, node, &dd->devices) {
        if (may_be_gone(device)) {
            put_device(dd, device, now);
        }
    }
    return refresh_some(dd, now);
}

/* Ends the round, see plugin/direct-devices.h. */
void
direct_devices_finish(struct direct_devices *dd)
{
    struct device *device;

    HMAP_FOR_EACH_SAFE (device, node, &dd->devices) {
        if (!device->wanted) {
            dd->class->del_direct_device(dd->dp, device->want.ifindex);
            hmap_remove(&dd->devices, &device->node);
            free(device);
        }
    }
    if (!dd->swept) {
        dd->class->sweep_direct_devices(dd->dp);
        dd->swept = true;
    }
}

/* Returns why the datapath has device 'ifindex' not, or 0. */
int
direct_devices_error(const struct direct_devices *dd, int ifindex)
{
    const struct device *device = find_device(dd, ifindex);

    return device ? device->error : 0;
}

/* Returns when a device is to be tried again, or LLONG_MAX. */
static long long int
next_retry(const struct direct_devices *dd)
{
    long long int next = LLONG_MAX;
    const struct device *device;

    HMAP_FOR_EACH (device, node, &dd->devices) {
        if (device->error) {
            next = MIN(next, device->retry_at);
        }
    }
    return next;
}

/* Returns true if it is time for a round, though nothing changed. */
bool
direct_devices_is_due(const struct direct_devices *dd, long long int now)
{
    return now >= next_retry(dd);
}

/* Makes poll_block() wake up then. */
void
direct_devices_wait(const struct direct_devices *dd)
{
    if (next_retry(dd) != LLONG_MAX) {
        poll_timer_wait_until(next_retry(dd));
    }
}
