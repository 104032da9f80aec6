/* SPDX-License-Identifier: Apache-2.0 */
/* The window for rpc/: what kernel, libraries and devices can do. */

#include <config.h>

#include "plugin/view.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "sset.h"
#include "util.h"

#include "plugin/desired.h"
#include "plugin/feature.h"
#include "plugin/netdevs.h"
#include "plugin/view-private.h"

/* Returns the 'n' features 'texts' with their 'answers'; the caller frees
 * them. */
static struct view_feature *
make_features(const struct feature_text *texts,
              const enum feature_answer *answers, size_t n)
{
    struct view_feature *features = xcalloc(n, sizeof *features);

    for (size_t i = 0; i < n; i++) {
        features[i] = (struct view_feature) {
            .name = texts[i].wire,
            .available = (answers[i] == FEATURE_UNKNOWN ? -1
                          : answers[i] == FEATURE_PRESENT),
            .enables = texts[i].enables,
            .without = texts[i].without,
        };
    }
    return features;
}

/* Fills what 'f' says of the kernel and of libbpf. */
static void
get_kernel(const struct view *view, struct view_features *f)
{
    enum feature_answer answers[N_KERNEL_FEATURES] = { FEATURE_UNKNOWN };
    struct utsname name;

    f->libopenvswitch = OVS_VERSION;
    f->libbpf = view->class->probe(answers);
    answers[KERNEL_NETDEV_FAMILY] = (netdevs_has_family(view->netdevs)
                                     ? FEATURE_PRESENT : FEATURE_ABSENT);
    f->kernel = xstrdup(uname(&name) ? "" : name.release);
    f->n_kernel_features = N_KERNEL_FEATURES;
    f->kernel_features = make_features(kernel_features, answers,
                                       N_KERNEL_FEATURES);
}

/* Returns the answer 'yes', or that nobody can tell if it is only a guess. */
static enum feature_answer
answer(bool yes, bool guess)
{
    return (guess && !yes ? FEATURE_UNKNOWN
            : yes ? FEATURE_PRESENT
            : FEATURE_ABSENT);
}

/* Appends 'dev' to the devices of 'f'. */
static void
add_device(const struct view *view, const struct netdev_info *dev,
           struct view_features *f)
{
    enum feature_answer answers[N_DRIVER_FEATURES];
    struct netdevs_abilities abilities;

    netdevs_probe(view->netdevs, dev, &abilities);
    answers[DRIVER_NATIVE_XDP] = answer(dev->native, abilities.guessed);
    answers[DRIVER_RX_SG] = answer(abilities.rx_sg, abilities.guessed);
    answers[DRIVER_NDO_XMIT] = answer(dev->ndo_xmit, abilities.guessed);
    answers[DRIVER_NDO_XMIT_SG] = answer(dev->ndo_xmit_sg, abilities.guessed);
    answers[DRIVER_VLAN_TAGS] = answer(!dev->strips_vlan, false);
    answers[DRIVER_VLAN_HINT] = answer(dev->tag_hint, false);

    f->devices = xrealloc(f->devices,
                          (f->n_devices + 1) * sizeof *f->devices);
    f->devices[f->n_devices++] = (struct view_device) {
        .name = xstrdup(dev->name),
        .driver = xstrdup(abilities.driver),
        .n_features = N_DRIVER_FEATURES,
        .features = make_features(driver_features, answers,
                                  N_DRIVER_FEATURES),
    };
}

/* Adds the devices that matter to 'view' to those of 'f': NICs that settings
 * name or find, and targets of redirects. */
static void
add_devices(const struct view *view, struct view_features *f)
{
    const struct desired *desired = view->desired;
    struct sset names = SSET_INITIALIZER(&names);
    const char **sorted;

    for (size_t i = 0; desired && i < desired->n_interfaces; i++) {
        sset_add(&names, desired->interfaces[i].name);
    }
    for (size_t i = 0; desired && i < desired->n_bridges; i++) {
        sset_add(&names, desired->bridges[i].device);
    }
    sorted = sset_sort(&names);
    for (size_t i = 0; i < sset_count(&names); i++) {
        const struct netdev_info *dev = netdevs_find(view->netdevs,
                                                     sorted[i]);
        if (dev) {
            add_device(view, dev, f);
        }
    }
    free(sorted);
    sset_destroy(&names);
}

/* Fills '*f', of devices only with 'interface' unless that is NULL.  Returns
 * 0, or ENODEV and leaves '*f' alone if there is no such device. */
int
view_get_features(const struct view *view, const char *interface,
                  struct view_features *f)
{
    const struct netdev_info *dev = NULL;

    if (interface) {
        dev = netdevs_find(view->netdevs, interface);
        if (!dev) {
            return ENODEV;
        }
    }
    memset(f, 0, sizeof *f);
    get_kernel(view, f);
    if (dev) {
        add_device(view, dev, f);
    } else {
        add_devices(view, f);
    }
    return 0;
}

/* Frees what 'f' holds. */
void
view_features_uninit(struct view_features *f)
{
    for (size_t i = 0; i < f->n_devices; i++) {
        free(f->devices[i].name);
        free(f->devices[i].driver);
        free(f->devices[i].features);
    }
    free(f->devices);
    free(f->kernel_features);
    free(f->kernel);
}
