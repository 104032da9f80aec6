/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of layer L3 in the datapath: those that are wanted are there,
 * and what failed is tried again. */
#ifndef PLUGIN_DIRECT_DEVICES_H
#define PLUGIN_DIRECT_DEVICES_H 1

#include <stdbool.h>
#include "plugin/datapath.h"

struct direct_devices;

struct direct_devices *direct_devices_create(const struct dp_class *,
                                             struct dp *);
void direct_devices_destroy(struct direct_devices *);

/* direct_devices_want() puts a device into the datapath, if it is not there as
 * wanted; it returns 0 or the positive errno with which the device could not
 * be had.  Between begin() and finish() each device has to be wanted that is
 * to stay. */
void direct_devices_begin(struct direct_devices *);
int direct_devices_want(struct direct_devices *,
                        const struct dp_direct_device *, long long int now);
void direct_devices_finish(struct direct_devices *);

/* Has the datapath put back what somebody else may have removed unheard, of
 * some devices each time.  Returns true if one of them cannot be had any more,
 * and who needs it is to be judged anew. */
bool direct_devices_refresh(struct direct_devices *, long long int now);

int direct_devices_error(const struct direct_devices *, int ifindex);
bool direct_devices_is_due(const struct direct_devices *, long long int now);
void direct_devices_wait(const struct direct_devices *);

#endif /* plugin/direct-devices.h */
