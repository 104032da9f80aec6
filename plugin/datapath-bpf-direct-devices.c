/* SPDX-License-Identifier: Apache-2.0 */
/* The devices of layer L3: what is attached to taps, and to NICs apart from
 * their XDP hook.  The far side comes first and goes last: while packets are
 * taken off at the near side, somebody at the far side sees what OVN does.
 *
 * Pins that no device of this daemon has are those of an earlier one. */
#include <config.h>

#include "plugin/datapath-bpf.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_link.h>
#include <unistd.h>

#include "openvswitch/vlog.h"
#include "timeval.h"
#include "util.h"

VLOG_DEFINE_THIS_MODULE(datapath_direct_devices);

/* Names of the filters among others in their places: "oxfa" and "oxnr". */
#define FAR_HANDLE 0x6f786661
#define NEAR_HANDLE 0x6f786e72

/* A device. */
struct bpf_device {
    struct ovs_list node;       /* In struct l3. */
    struct dp_direct_device device; /* As the caller knows it. */
    struct tc_program far;      /* At its egress. */
    struct tc_program near;     /* At its ingress, if it is attached. */
    int xdp_fd;                 /* Or a link of XDP there, or -1. */
    int xdp_prog;               /* Program that it runs. */
    char *xdp_pin;              /* Path of the pin of that. */
    bool gap;                   /* Something of it was just attached that was
                                 * not there before. */
    long long int since;        /* time_msec() since when its programs note
                                 * what VMs send, 1: since an earlier daemon;
                                 * 0: they do not. */
    long long int reap_at;      /* The caller has deleted it: when the far side
                                 * goes.  0: it has not. */
};

/* Returns the path of the pin 'kind' of device 'ifindex'.  The caller frees
 * it. */
static char *
pin_path(const struct dp *dp, const char *kind, int ifindex)
{
    return xasprintf("%s/direct/%s-%d", dp->pin_dir, kind, ifindex);
}

/* Returns the device 'ifindex', or NULL. */
static struct bpf_device *
find(const struct l3 *l3, int ifindex)
{
    struct bpf_device *d;

    LIST_FOR_EACH (d, node, &l3->devices) {
        if (d->device.ifindex == ifindex) {
            return d;
        }
    }
    return NULL;
}

/* Makes 'far' and 'near' programs of device 'ifindex', not attached yet. */
static void
init_programs(const struct dp *dp, int ifindex, struct tc_program *far,
              struct tc_program *near)
{
    tc_init(far, ifindex, true, FAR_HANDLE, pin_path(dp, "far", ifindex));
    tc_init(near, ifindex, false, NEAR_HANDLE, pin_path(dp, "near", ifindex));
}

/* Returns a new device for 'want', with nothing attached. */
static struct bpf_device *
create(struct dp *dp, const struct dp_direct_device *want)
{
    struct bpf_device *d = xzalloc(sizeof *d);

    d->device = *want;
    d->xdp_fd = -1;
    d->xdp_pin = pin_path(dp, "xdp", want->ifindex);
    init_programs(dp, want->ifindex, &d->far, &d->near);
    ovs_list_push_back(&dp->l3.devices, &d->node);
    return d;
}

/* Frees 'd', which stays attached. */
static void
destroy(struct bpf_device *d)
{
    if (d->xdp_fd >= 0) {
        close(d->xdp_fd);
    }
    tc_close(&d->near);
    tc_close(&d->far);
    free(d->xdp_pin);
    free(d);
}

/* Returns true if programs of 'd' note what VMs send. */
static bool
tracks(struct dp *dp, const struct bpf_device *d)
{
    return d->device.track && !opened_open(dp);
}

/* Has 't' of 'd' run the program that 'choice' means. */
static int
put_tc(struct dp *dp, struct bpf_device *d, struct tc_program *t,
       const struct l3_choice *choice)
{
    uint32_t before;
    int error, prog;

    error = l3_load(dp, choice, &prog);
    if (error) {
        return error;
    }
    if (t->id && tc_is_alive(t)) {
        tc_repair_pin(t);
        return t->prog == prog ? 0 : tc_replace(t, prog);
    } else if (t->id) {
        VLOG_WARN("%s: was detached, attached again", t->pin);
        tc_detach(t);
    }
    error = tc_attach(t, prog, &before);
    d->gap |= !before;
    return error;
}

/* Returns true if the link 'fd' of XDP is that of device 'ifindex' of this
 * network namespace. */
static bool
xdp_fits(int fd, int ifindex)
{
    struct link_info info;
    struct hook hook;

    return (!link_get_info(fd, &info) && info.ifindex == ifindex
            && !hook_get(ifindex, &hook)
            && hook.native_id == info.program_id);
}

/* Takes over the link of XDP of 'd' that an earlier daemon has pinned.  ENOENT
 * if there is none, or none that can be used. */
static int
adopt_xdp(struct bpf_device *d, int prog)
{
    int error, fd;

    error = pins_get(d->xdp_pin, &fd);
    if (!error && (fd < 0 || !xdp_fits(fd, d->device.ifindex)
                   || bpf_link_update(fd, prog, NULL))) {
        error = ENOENT;
    }
    if (!error) {
        d->xdp_fd = fd;
        d->xdp_prog = prog;
    } else if (fd >= 0) {
        bpf_link_detach(fd);
        close(fd);
    }
    return error;
}

/* Gives 'd' a new link of XDP.  EBUSY: a foreign program is there; EOPNOTSUPP:
 * the driver takes none, or not this one. */
static int
create_xdp(struct bpf_device *d, int prog)
{
    LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
    struct hook hook;
    int error, fd;

    error = hook_get(d->device.ifindex, &hook);
    if (error || hook.taken) {
        return error ? error : EBUSY;
    }
    fd = bpf_link_create(prog, d->device.ifindex, BPF_XDP, &opts);
    if (fd < 0) {
        return fd == -EEXIST ? EBUSY : fd == -EINVAL ? EOPNOTSUPP : -fd;
    }
    error = pins_put(fd, d->xdp_pin);
    if (error) {
        close(fd);
    } else {
        d->xdp_fd = fd;
        d->xdp_prog = prog;
        d->gap = true;
    }
    return error;
}

/* Has nothing more be left to the program at the TC ingress of device
 * 'ifindex', which is about to go. */
static void
unset_near_tc(struct dp *dp, int ifindex)
{
    struct bpf_nic *nic = nic_find_index(dp, ifindex);

    if (nic) {
        nic_set_near_tc(dp, nic, false);
    }
}

/* Detaches the link of XDP of 'd', if there is one, perhaps of an earlier
 * daemon, and unpins it. */
static void
remove_xdp(struct bpf_device *d)
{
    if (d->xdp_fd >= 0) {
        bpf_link_detach(d->xdp_fd);
        close(d->xdp_fd);
        d->xdp_fd = -1;
    }
    if (!access(d->xdp_pin, F_OK)) {
        pins_remove_link(d->xdp_pin);
    }
}

/* The same for its program at TC ingress. */
static void
remove_near_tc(struct dp *dp, struct bpf_device *d)
{
    unset_near_tc(dp, d->device.ifindex);
    if (d->near.id || !access(d->near.pin, F_OK)) {
        tc_detach(&d->near);
    }
}

/* Has the link of XDP of 'd' run 'prog' from the next packet on. */
static int
update_xdp(struct bpf_device *d, int prog)
{
    int error = -bpf_link_update(d->xdp_fd, prog, NULL);

    if (!error) {
        d->xdp_prog = prog;
    }
    return error;
}

/* Has 'd' have a link of XDP. */
static int
put_xdp(struct dp *dp, struct bpf_device *d)
{
    const struct l3_choice choice = {
        .program = L3_VM_NEAR, .stale_timeout = d->device.stale_timeout,
        .track = tracks(dp, d) };
    int error, prog;

    error = l3_load(dp, &choice, &prog);
    if (error) {
        return error;
    }
    if (d->xdp_fd >= 0 && !xdp_fits(d->xdp_fd, d->device.ifindex)) {
        VLOG_WARN("%s: was detached, attached again", d->xdp_pin);
        remove_xdp(d);
    } else if (d->xdp_fd >= 0) {
        if (access(d->xdp_pin, F_OK) && !pins_put(d->xdp_fd, d->xdp_pin)) {
            VLOG_WARN("%s: was removed, pinned again", d->xdp_pin);
        }
        return d->xdp_prog == prog ? 0 : update_xdp(d, prog);
    }
    error = adopt_xdp(d, prog);
    return error == ENOENT ? create_xdp(d, prog) : error;
}

/* Has 'd', a tap, have a program at its TC ingress. */
static int
put_tap_near_tc(struct dp *dp, struct bpf_device *d)
{
    const struct l3_choice choice = {
        .program = L3_VM_NEAR_TC, .stale_timeout = d->device.stale_timeout,
        .track = tracks(dp, d) };

    return put_tc(dp, d, &d->near, &choice);
}

/* The same for a NIC, whose XDP program leaves nothing to it before it is
 * there. */
static int
put_nic_near_tc(struct dp *dp, struct bpf_device *d)
{
    struct bpf_nic *nic = nic_find_index(dp, d->device.ifindex);
    struct l3_choice choice = {
        .program = L3_NIC_NEAR_TC, .stale_timeout = d->device.stale_timeout };
    int error, error2;

    if (!nic || nic->slot == SLOT_NONE) {
        return ENOENT;
    }
    if (d->near.id && !tc_is_alive(&d->near)) {
        nic_set_near_tc(dp, nic, false);
    }
    choice.slot = nic->slot;
    error = put_tc(dp, d, &d->near, &choice);
    error2 = nic_set_near_tc(dp, nic, !error);
    return error ? error : error2;
}

/* Attaches the near side of 'd', and only then removes another one. */
static int
put_near(struct dp *dp, struct bpf_device *d)
{
    const struct dp_direct_device *want = &d->device;
    int error = 0;

    if (want->near == DP_HOOK_TC) {
        error = (want->is_nic ? put_nic_near_tc(dp, d)
                 : put_tap_near_tc(dp, d));
    } else if (want->near == DP_HOOK_XDP && !want->is_nic) {
        error = put_xdp(dp, d);
    }
    if (!error && want->near != DP_HOOK_TC) {
        remove_near_tc(dp, d);
    }
    if (!error && (want->is_nic || want->near != DP_HOOK_XDP)) {
        remove_xdp(d);
    }
    return error;
}

/* Makes the device of 'd' one that XDP may redirect to, or no longer. */
static int
put_target(const struct l3 *l3, const struct bpf_device *d)
{
    uint32_t key = d->device.ifindex;
    int fd = l3->fds[L3_DEVICES];
    uint32_t value;
    int error = 0;

    if (!d->device.xdp_target) {
        bpf_map_delete_elem(fd, &key);
    } else if (bpf_map_lookup_elem(fd, &key, &value)) {
        error = -bpf_map_update_elem(fd, &key, &key, BPF_ANY);
    }
    return error == E2BIG ? ENOSPC : error == EINVAL ? ENODEV : error;
}

/* Detaches and unpins all of 'd' but the far side: nothing is taken off there
 * any more, nor sent there. */
static void
remove_near(struct dp *dp, struct bpf_device *d)
{
    uint32_t key = d->device.ifindex;

    remove_xdp(d);
    remove_near_tc(dp, d);
    if (dp->l3.open) {
        bpf_map_delete_elem(dp->l3.fds[L3_DEVICES], &key);
    }
}

/* Detaches and unpins all of 'd', and frees it. */
static void
remove_device(struct dp *dp, struct bpf_device *d)
{
    remove_near(dp, d);
    tc_detach(&d->far);
    ovs_list_remove(&d->node);
    destroy(d);
}

/* Attaches the far side of 'd'.  That of a NIC knows by its row in 'nics' of
 * which bridge it is a port; without one it is of none. */
static int
put_far(struct dp *dp, struct bpf_device *d)
{
    struct l3_choice choice = { .program = L3_VM_FAR,
                                .track = tracks(dp, d) };

    if (d->device.is_nic) {
        const struct bpf_nic *nic = nic_find_index(dp, d->device.ifindex);

        choice.program = L3_NIC_FAR;
        choice.slot = nic ? nic->slot : SLOT_NONE;
    }
    return put_tc(dp, d, &d->far, &choice);
}

/* Has the far side of the NIC 'ifindex' know its row in 'nics', which has just
 * become its own.  If that fails, it is of no bridge. */
void
l3_devices_note_row(struct dp *dp, int ifindex)
{
    struct bpf_device *d = find(&dp->l3, ifindex);

    if (d && d->device.is_nic) {
        put_far(dp, d);
    }
}

/* Notes since when the programs of 'd', which are attached if 'attached', note
 * what VMs send.  'is_new': this daemon had none there before. */
static void
follow(struct dp *dp, struct bpf_device *d, bool attached, bool is_new)
{
    if (!attached || !tracks(dp, d)) {
        d->since = 0;
    } else if (d->gap || (!is_new && !d->since)) {
        d->since = time_msec();
    } else if (is_new) {
        d->since = dp->opened.adopted ? 1 : time_msec();
    }
}

/* Attaches what 'd' needs.  'is_new': this daemon had nothing there before. */
static int
attach_device(struct dp *dp, struct bpf_device *d, bool is_new)
{
    const long long int before = d->since;
    int error;

    d->gap = false;
    error = put_far(dp, d);
    if (!error) {
        error = put_target(&dp->l3, d);
    }
    if (!error) {
        error = put_near(dp, d);
    }
    follow(dp, d, !error, is_new);
    if (d->since != before) {
        l3_ports_follow_tap(dp, d->device.ifindex);
    }
    return error;
}

/* Returns since when programs of device 'ifindex' note what VMs send, as
 * 'since' in struct bpf_device. */
long long int
l3_devices_tracks_since(const struct dp *dp, int ifindex)
{
    const struct bpf_device *d = find(&dp->l3, ifindex);

    return d && !d->reap_at ? d->since : 0;
}

/* See 'put_direct_device' in plugin/datapath.h.  What is attached stays if the
 * error is one that may pass: the next attempt takes it over by its pin, as
 * that of an earlier daemon. */
int
l3_devices_put(struct dp *dp, const struct dp_direct_device *want)
{
    struct bpf_device *d;
    bool is_new;
    int error;

    error = l3_open(dp);
    if (error) {
        return error;
    }
    d = find(&dp->l3, want->ifindex);
    is_new = !d || d->reap_at;
    if (!d) {
        d = create(dp, want);
    }
    d->reap_at = 0;
    d->device = *want;
    error = attach_device(dp, d, is_new);
    if (error && is_new) {
        if (load_may_pass(error)) {
            ovs_list_remove(&d->node);
            destroy(d);
        } else {
            remove_device(dp, d);
        }
    } else if (is_new) {
        VLOG_DBG("device %d: forwards directly", want->ifindex);
    }
    return error;
}

/* See 'del_direct_device' in plugin/datapath.h. */
int
l3_devices_del(struct dp *dp, int ifindex)
{
    struct bpf_device *d = find(&dp->l3, ifindex);

    if (!d || d->reap_at) {
        return ENOENT;
    }
    d->reap_at = time_msec() + L3_REAP_MS;
    d->since = 0;
    l3_ports_follow_tap(dp, ifindex);
    remove_near(dp, d);
    return 0;
}

/* Removes what is left of devices that were deleted early enough before 'now'.
 * Returns when to do so again, or LLONG_MAX. */
long long int
l3_devices_reap(struct dp *dp, long long int now)
{
    long long int next = LLONG_MAX;
    struct bpf_device *d;

    LIST_FOR_EACH_SAFE (d, node, &dp->l3.devices) {
        if (d->reap_at && d->reap_at <= now) {
            remove_device(dp, d);
        } else if (d->reap_at) {
            next = MIN(next, d->reap_at);
        }
    }
    return next;
}

/* Returns the ifindex of the device that 'pin' belongs to, or 0 if it is the
 * pin of none.  Stores whether it is that of a program at TC, and then whether
 * at its egress. */
static int
parse_pin(const char *pin, bool *is_tc, bool *is_far)
{
    const char *name = strrchr(pin, '/') + 1;
    char kind[5];
    int ifindex;
    int n = 0;

    if (!ovs_scan(name, "%4[a-z]-%d%n", kind, &ifindex, &n) || name[n]) {
        return 0;
    }
    *is_far = !strcmp(kind, "far");
    *is_tc = *is_far || !strcmp(kind, "near");
    return *is_tc || !strcmp(kind, "xdp") ? ifindex : 0;
}

/* Detaches and unpins what 'pin' stands for, if no device of 'dp' has it. */
static void
sweep_pin(struct dp *dp, const char *pin)
{
    bool is_tc, is_far;
    int ifindex = parse_pin(pin, &is_tc, &is_far);

    if (!ifindex || !pins_is_pin(pin) || find(&dp->l3, ifindex)) {
        return;
    }
    if (is_tc) {
        struct tc_program far, near;

        if (!is_far) {
            unset_near_tc(dp, ifindex);
        }
        init_programs(dp, ifindex, &far, &near);
        tc_sweep(is_far ? &far : &near);
        tc_close(&far);
        tc_close(&near);
    } else {
        pins_remove_link(pin);
    }
}

/* Detaches what is at the TC ingress of the NIC 'ifindex', perhaps of an
 * earlier daemon.  It knows the NIC by its row in 'nics', which is about to
 * become that of another one. */
void
l3_devices_remove_near(struct dp *dp, int ifindex)
{
    struct bpf_device *d = find(&dp->l3, ifindex);

    if (d) {
        remove_near_tc(dp, d);
    } else {
        char *pin = pin_path(dp, "near", ifindex);

        if (!access(pin, F_OK)) {
            sweep_pin(dp, pin);
        }
        free(pin);
    }
}

/* Removes the devices from the map that are none of 'l3'. */
static void
sweep_targets(const struct l3 *l3)
{
    uint32_t keys[OX_MAX_DIRECT_DEVICES], *last = NULL;
    size_t n = 0;

    while (n < OX_MAX_DIRECT_DEVICES
           && !bpf_map_get_next_key(l3->fds[L3_DEVICES], last, &keys[n])) {
        last = &keys[n++];
    }
    for (size_t i = 0; i < n; i++) {
        if (!find(l3, keys[i])) {
            bpf_map_delete_elem(l3->fds[L3_DEVICES], &keys[i]);
        }
    }
}

/* Detaches and unpins what belongs to no device of 'dp', the far sides last:
 * their names come first. */
static void
sweep_pins(struct dp *dp)
{
    struct svec pins = SVEC_EMPTY_INITIALIZER;
    char *dir = l3_dir(dp);

    pins_list(dir, &pins);
    for (size_t i = pins.n; i-- > 0; ) {
        sweep_pin(dp, pins.names[i]);
    }
    svec_destroy(&pins);
    free(dir);
}

/* See 'sweep_direct_devices' in plugin/datapath.h.  A daemon that does not use
 * layer L3 leaves nothing of it. */
void
l3_devices_sweep(struct dp *dp)
{
    tracked_sweep(dp);
    if (dp->l3.open) {
        sweep_pins(dp);
        sweep_targets(&dp->l3);
    } else {
        l3_remove_all(dp);
    }
}

/* Forgets the devices, which stay attached. */
void
l3_devices_destroy(struct l3 *l3)
{
    struct bpf_device *d;

    LIST_FOR_EACH_POP (d, node, &l3->devices) {
        destroy(d);
    }
}

/* Detaches and unpins all, adopted or not. */
void
l3_devices_remove_all(struct dp *dp)
{
    struct bpf_device *d;

    LIST_FOR_EACH_SAFE (d, node, &dp->l3.devices) {
        remove_device(dp, d);
    }
    sweep_pins(dp);
}
