/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/reconcile.c on the datapath in memory, behind a back end
 * that writes down every call and can be told to fail. */

#include <config.h>

#include "plugin/reconcile.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "openvswitch/dynamic-string.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vlog.h"
#include "packets.h"
#include "plugin/datapath-fake.h"
#include "plugin/desired.h"
#include "tests/plugin/values.h"
#include "timeval.h"
#include "util.h"

#define VM1 "fa:16:3e:bb:00:01"
#define VM2 "fa:16:3e:bb:00:02"

/* The calls so far, and which of them are to fail. */
static struct recorder {
    struct ds calls;            /* One word or two for each, with ", ". */
    const char *fail;           /* Calls that begin so fail... */
    int error;                  /* ...with this... */
    int times;                  /* ...so many times; -1: for ever. */
} recorder;

/* What every test works on. */
struct fixture {
    struct values values;       /* Chassis. */
    struct dp *dp;              /* Datapath in memory. */
    struct reconcile *reconcile; /* Under test. */
    struct dp_class class;      /* Back end that records. */
    long long int now;          /* Time of the next run. */
};

/* Has calls whose record begins with 'prefix' fail with 'error' the next
 * 'times' times. */
static void
fail_calls(const char *prefix, int error, int times)
{
    recorder.fail = prefix;
    recorder.error = error;
    recorder.times = times;
}

/* Writes down the call that 'format' describes.  Returns 0 or the error that
 * it is to fail with. */
static int OVS_PRINTF_FORMAT(1, 2)
record(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *call = xvasprintf(format, args);
    va_end(args);

    bool fails = recorder.times && recorder.fail
                 && !strncmp(call, recorder.fail, strlen(recorder.fail));
    ds_put_format(&recorder.calls, "%s%s%s", recorder.calls.length ? ", " : "",
                  call, fails ? "!" : "");
    free(call);
    if (fails && recorder.times > 0) {
        recorder.times--;
    }
    return fails ? recorder.error : 0;
}

/* Records put_endpoint(). */
static int
record_put_endpoint(struct dp *dp, const struct dp_endpoint *endpoint)
{
    char text[INET6_ADDRSTRLEN];

    ipv6_string_mapped(text, &endpoint->key.addr);
    int error = record("put %s>%d", text, (int) endpoint->action.ifindex);
    return error ? error : datapath_fake_class.put_endpoint(dp, endpoint);
}

/* Records del_endpoint(). */
static int
record_del_endpoint(struct dp *dp, const struct dp_key *key)
{
    char text[INET6_ADDRSTRLEN];

    ipv6_string_mapped(text, &key->addr);
    int error = record("del %s", text);
    return error ? error : datapath_fake_class.del_endpoint(dp, key);
}

/* Records put_target(). */
static int
record_put_target(struct dp *dp, int ifindex)
{
    int error = record("target %d", ifindex);
    return error ? error : datapath_fake_class.put_target(dp, ifindex);
}

/* Records del_target(). */
static int
record_del_target(struct dp *dp, int ifindex)
{
    int error = record("untarget %d", ifindex);
    return error ? error : datapath_fake_class.del_target(dp, ifindex);
}

/* Records attach_nic(). */
static int
record_attach_nic(struct dp *dp, const struct dp_nic *nic)
{
    int error = record("attach %s %s", nic->name,
                       nic->mode == DP_NATIVE ? "native" : "generic");
    return error ? error : datapath_fake_class.attach_nic(dp, nic);
}

/* Records detach_nic(). */
static int
record_detach_nic(struct dp *dp, const char *name)
{
    int error = record("detach %s", name);
    return error ? error : datapath_fake_class.detach_nic(dp, name);
}

/* Records attach_sink(). */
static int
record_attach_sink(struct dp *dp, const char *name, int ifindex)
{
    int error = record("sink %s", name);
    return error ? error : datapath_fake_class.attach_sink(dp, name, ifindex);
}

/* Records commit(). */
static int
record_commit(struct dp *dp)
{
    int error = record("commit");
    return error ? error : datapath_fake_class.commit(dp);
}

/* Opens a datapath for 'max_endpoints' in 'f' and starts the reconciliation,
 * or starts both again on what is there. */
static void
start(struct fixture *f, uint32_t max_endpoints)
{
    struct dp_config config = { "reconcile", max_endpoints };

    if (f->dp) {
        reconcile_destroy(f->reconcile);
        f->class.close(f->dp, false);
    }
    assert_int_equal(f->class.open(&config, &f->dp), 0);
    f->reconcile = reconcile_create(&f->class, f->dp);
}

/* Prepares a struct fixture with a VM on the provider network. */
static int
setup(void **state)
{
    struct fixture *f = xzalloc(sizeof *f);

    ds_init(&recorder.calls);
    fail_calls(NULL, 0, 0);
    f->now = 1000000;
    f->class = datapath_fake_class;
    f->class.put_endpoint = record_put_endpoint;
    f->class.del_endpoint = record_del_endpoint;
    f->class.put_target = record_put_target;
    f->class.del_target = record_del_target;
    f->class.attach_nic = record_attach_nic;
    f->class.detach_nic = record_detach_nic;
    f->class.attach_sink = record_attach_sink;
    f->class.commit = record_commit;
    values_init_cloud(&f->values);
    values_add_vm(&f->values, "vm1", 1, VM1 " 172.24.100.50");
    start(f, 16);
    *state = f;
    return 0;
}

/* Frees a struct fixture, and what the datapath has "pinned". */
static int
teardown(void **state)
{
    struct fixture *f = *state;

    reconcile_destroy(f->reconcile);
    f->class.close(f->dp, true);
    values_destroy(&f->values);
    ds_destroy(&recorder.calls);
    free(f);
    return 0;
}

/* Derives what is desired and runs once.  Checks that the calls are 'expected'
 * and returns what the run does. */
static bool
run(struct fixture *f, const char *expected)
{
    struct values *values = &f->values;

    sset_destroy(&values->attached);
    sset_clone(&values->attached, reconcile_attached(f->reconcile));
    sset_destroy(&values->foreign);
    sset_clone(&values->foreign, reconcile_foreign(f->reconcile));
    sset_destroy(&values->native_failed);
    sset_clone(&values->native_failed,
               reconcile_native_failed(f->reconcile));

    struct desired *desired = values_derive(values);
    ds_clear(&recorder.calls);
    bool learned = reconcile_run(f->reconcile, desired, f->now);
    assert_string_equal(ds_cstr(&recorder.calls), expected);
    desired_destroy(desired);
    return learned;
}

/* As run(), for a run that learns nothing and leaves nothing to repeat. */
static void
run_clean(struct fixture *f, const char *expected)
{
    assert_false(run(f, expected));
    assert_int_equal(reconcile_problems(f->reconcile)->n, 0);
    assert_false(reconcile_is_due(f->reconcile, LLONG_MAX));
}

/* Returns true if the datapath of 'f' holds 'address'. */
static bool
holds(const struct fixture *f, const char *address)
{
    struct dp_key key = values_key(address);
    struct dp_counter counter;
    bool there = !f->class.endpoint_counter(f->dp, &key, &counter);

    assert_int_equal(there, reconcile_is_installed(f->reconcile, &key));
    return there;
}

/* Counts endpoints in '*n_'. */
static void
count_endpoint(const struct dp_endpoint *endpoint OVS_UNUSED, void *n_)
{
    size_t *n = n_;
    ++*n;
}

/* Returns how many endpoints the datapath of 'f' holds. */
static size_t
n_endpoints(const struct fixture *f)
{
    size_t n = 0;
    f->class.dump_endpoints(f->dp, count_endpoint, &n);
    return n;
}

/* The first run: target, endpoints, NICs; the earlier generation goes last.
 * After it, only what may do nothing is repeated. */
static void
test_first(void **state)
{
    struct fixture *f = *state;
    uint64_t generation = reconcile_generation(f->reconcile);

    assert_int_equal(reconcile_n_current(f->reconcile), 0);
    run_clean(f, "target 12, put 172.24.100.50>12, attach eth1 native, "
                 "commit");
    assert_true(holds(f, "172.24.100.50"));
    assert_int_equal(reconcile_n_current(f->reconcile), 1);
    assert_true(sset_contains(reconcile_attached(f->reconcile), "eth1"));
    assert_true(reconcile_generation(f->reconcile) > generation);

    generation = reconcile_generation(f->reconcile);
    run_clean(f, "attach eth1 native");
    run_clean(f, "attach eth1 native");
    assert_int_equal(reconcile_generation(f->reconcile), generation);
}

/* Room is made before it is needed. */
static void
test_change(void **state)
{
    struct fixture *f = *state;

    run(f, "target 12, put 172.24.100.50>12, attach eth1 native, commit");
    values_remove_binding(&f->values, "vm1");
    values_add_vm(&f->values, "vm2", 1, VM2 " 172.24.100.51");
    run_clean(f, "del 172.24.100.50, put 172.24.100.51>12, "
                 "attach eth1 native");
    assert_false(holds(f, "172.24.100.50"));
    assert_true(holds(f, "172.24.100.51"));
}

/* A bridge that is created again: the new target comes first, the old one goes
 * last. */
static void
test_target_replaced(void **state)
{
    struct fixture *f = *state;

    run(f, "target 12, put 172.24.100.50>12, attach eth1 native, commit");
    values_device(&f->values, "br-ex")->ifindex = 99;
    run_clean(f, "target 99, put 172.24.100.50>99, attach eth1 native, "
                 "untarget 12");

    /* While it is missing the endpoint points nowhere. */
    values_remove_device(&f->values, "br-ex");
    run_clean(f, "put 172.24.100.50>0, attach eth1 native, untarget 99");
    assert_true(holds(f, "172.24.100.50"));
}

/* The kernel forgets a target with its device: it is inserted again. */
static void
test_target_lost(void **state)
{
    struct fixture *f = *state;

    run(f, "target 12, put 172.24.100.50>12, attach eth1 native, commit");
    dp_fake_remove_device(f->dp, 12);
    run_clean(f, "target 12, attach eth1 native");
}

/* The managed port: its outer end gets the sink before a NIC sends there, and
 * loses it when the port is not wanted any more. */
static void
test_sink(void **state)
{
    struct fixture *f = *state;

    values_set(&f->values, "ovn-xdp-bridge-port", "veth");
    run_clean(f, "put 172.24.100.50>0, attach eth1 native, commit");
    values_add_managed_port(&f->values, "br-ex");
    run_clean(f, "target 14, put 172.24.100.50>14, sink xdpo-br-ex, "
                 "attach eth1 native");
    assert_int_equal(reconcile_n_current(f->reconcile), 1);
    assert_int_equal(sset_count(reconcile_attached(f->reconcile)), 2);

    /* Not ready for a while: the sink stays. */
    values_iface(&f->values, "xdpi-br-ex")->ofport = 0;
    run_clean(f, "put 172.24.100.50>0, attach eth1 native, untarget 14");
    values_set(&f->values, "ovn-xdp-bridge-port", "internal");
    run_clean(f, "target 12, put 172.24.100.50>12, attach eth1 native, "
                 "detach xdpo-br-ex");

    /* From one straight to the other. */
    values_set(&f->values, "ovn-xdp-bridge-port", "veth");
    values_iface(&f->values, "xdpi-br-ex")->ofport = 3;
    run_clean(f, "target 14, put 172.24.100.50>14, sink xdpo-br-ex, "
                 "attach eth1 native, untarget 12");
    values_set(&f->values, "ovn-xdp-bridge-port", "internal");
    run_clean(f, "target 12, put 172.24.100.50>12, attach eth1 native, "
                 "detach xdpo-br-ex, untarget 14");
}

/* A sink that cannot be attached is tried again. */
static void
test_sink_fails(void **state)
{
    struct fixture *f = *state;

    values_set(&f->values, "ovn-xdp-bridge-port", "veth");
    values_add_managed_port(&f->values, "br-ex");
    fail_calls("sink", EBUSY, 1);
    assert_false(run(f, "target 14, put 172.24.100.50>14, sink xdpo-br-ex!, "
                        "attach eth1 native"));
    assert_int_equal(reconcile_problems(f->reconcile)->n, 1);
    assert_true(reconcile_is_due(f->reconcile, f->now + 250));
    run_clean(f, "sink xdpo-br-ex, attach eth1 native, commit");
}

/* What failed is tried again, ever more slowly, and at once after success. */
static void
test_backoff(void **state)
{
    struct fixture *f = *state;
    static const int waits[] = { 250, 500, 1000, 2000, 4000, 8000, 8000 };

    fail_calls("put 172", EIO, ARRAY_SIZE(waits));
    for (size_t i = 0; i < ARRAY_SIZE(waits); i++) {
        assert_false(run(f, i ? "put 172.24.100.50>12!, attach eth1 native"
                            : "target 12, put 172.24.100.50>12!, "
                              "attach eth1 native"));
        assert_int_equal(reconcile_problems(f->reconcile)->n, 1);
        assert_int_equal(reconcile_problems(f->reconcile)->list[0].class,
                         REASON_DATAPATH_ERROR);
        assert_non_null(strstr(
            reconcile_problems(f->reconcile)->list[0].message,
            "172.24.100.50"));
        assert_false(holds(f, "172.24.100.50"));
        assert_false(reconcile_is_due(f->reconcile, f->now + waits[i] - 1));
        assert_true(reconcile_is_due(f->reconcile, f->now + waits[i]));
        f->now += waits[i];
    }
    run_clean(f, "put 172.24.100.50>12, attach eth1 native, commit");

    fail_calls("target", ENOSPC, 1);
    values_device(&f->values, "br-ex")->ifindex = 99;
    assert_false(run(f, "target 99!, put 172.24.100.50>99, "
                        "attach eth1 native, untarget 12"));
    assert_true(reconcile_is_due(f->reconcile, f->now + 250));
    run_clean(f, "target 99, attach eth1 native");
}

/* The loop wakes up when it is time, and only if there is anything to do. */
static void
test_wait(void **state)
{
    struct fixture *f = *state;
    long long int start_time;

    f->now = time_msec() - 1000;
    fail_calls("put", EIO, 1);
    run(f, "target 12, put 172.24.100.50>12!, attach eth1 native");
    start_time = time_msec();
    poll_timer_wait(20000);
    reconcile_wait(f->reconcile);
    poll_block();
    assert_true(time_msec() - start_time < 10000);
    run_clean(f, "put 172.24.100.50>12, attach eth1 native, commit");
    start_time = time_msec();
    poll_timer_wait(30);
    reconcile_wait(f->reconcile);
    poll_block();
    assert_true(time_msec() - start_time >= 30);
}

/* A deletion that fails is repeated; one of what is not there is done. */
static void
test_delete_fails(void **state)
{
    struct fixture *f = *state;

    run(f, "target 12, put 172.24.100.50>12, attach eth1 native, commit");
    values_remove_binding(&f->values, "vm1");
    fail_calls("del", EIO, 1);
    run(f, "del 172.24.100.50!, attach eth1 native");
    assert_true(reconcile_is_due(f->reconcile, f->now + 250));
    assert_true(holds(f, "172.24.100.50"));
    fail_calls("del", ENOENT, 1);
    run_clean(f, "del 172.24.100.50!, attach eth1 native");
    run_clean(f, "attach eth1 native");
}

/* Adds 'n' VM addresses to 'values' from 10.0.0.1 on. */
static void
add_addresses(struct values *values, int n)
{
    for (int i = 1; i <= n; i++) {
        char *name = xasprintf("many%d", i);
        char *mac = xasprintf(VM2" 10.0.0.%d", i);

        values_add_vm(values, name, 1, mac);
        free(name);
        free(mac);
    }
}

/* Runs once, whatever the calls are. */
static void
run_any(struct fixture *f)
{
    struct desired *desired = values_derive(&f->values);

    assert_false(reconcile_run(f->reconcile, desired, f->now));
    desired_destroy(desired);
}

/* A full map is said to be, is no reason to try again, and takes in what did
 * not fit as soon as there is room. */
static void
test_full(void **state)
{
    struct fixture *f = *state;

    start(f, 4);
    assert_false(reconcile_is_full(f->reconcile));
    add_addresses(&f->values, 5);
    run_any(f);
    assert_true(reconcile_is_full(f->reconcile));
    assert_int_equal(n_endpoints(f), 4);
    assert_int_equal(values_count_problems(reconcile_problems(f->reconcile),
                                           REASON_MAP_FULL), 1);
    assert_false(reconcile_is_due(f->reconcile, LLONG_MAX));

    /* What is there can still be changed. */
    values_device(&f->values, "br-ex")->mtu = 9000;
    run_any(f);
    assert_int_equal(n_endpoints(f), 4);

    values_remove_binding(&f->values, "many1");
    values_remove_binding(&f->values, "many2");
    run_any(f);
    assert_false(reconcile_is_full(f->reconcile));
    assert_int_equal(reconcile_problems(f->reconcile)->n, 0);
    assert_int_equal(n_endpoints(f), 4);
    assert_true(holds(f, "172.24.100.50"));
    assert_true(holds(f, "10.0.0.3"));
    assert_true(holds(f, "10.0.0.4"));
    assert_true(holds(f, "10.0.0.5"));
}

/* A foreign program: learned once, left alone, tried again when something has
 * changed. */
static void
test_foreign(void **state)
{
    struct fixture *f = *state;

    dp_fake_set_foreign(f->dp, 11, true);
    assert_true(run(f, "target 12, put 172.24.100.50>12, "
                       "attach eth1 native"));
    assert_true(sset_contains(reconcile_foreign(f->reconcile), "eth1"));
    assert_true(sset_is_empty(reconcile_native_failed(f->reconcile)));
    assert_int_equal(reconcile_attach_error(f->reconcile, "eth1"), EBUSY);
    run_clean(f, "commit");
    assert_int_equal(reconcile_n_current(f->reconcile), 0);
    assert_int_equal(reconcile_attach_error(f->reconcile, "eth1"), 0);
    run_clean(f, "");

    reconcile_forget_foreign(f->reconcile);
    assert_true(run(f, "attach eth1 native"));
    run_clean(f, "");
    dp_fake_set_foreign(f->dp, 11, false);
    reconcile_forget_failures(f->reconcile);
    run_clean(f, "attach eth1 native");
}

/* A driver that refuses native mode: learned, and generic mode instead. */
static void
test_native_refused(void **state)
{
    struct fixture *f = *state;

    fail_calls("attach eth1 native", EOPNOTSUPP, -1);
    assert_true(run(f, "target 12, put 172.24.100.50>12, "
                       "attach eth1 native!"));
    assert_true(sset_contains(reconcile_native_failed(f->reconcile), "eth1"));
    assert_int_equal(reconcile_attach_error(f->reconcile, "eth1"),
                     EOPNOTSUPP);
    run_clean(f, "attach eth1 generic, commit");

    /* Events do not bring the next attempt, which would lose frames... */
    reconcile_forget_foreign(f->reconcile);
    run_clean(f, "attach eth1 generic");

    /* ...but the operator does, and another device. */
    reconcile_forget_failures(f->reconcile);
    assert_true(run(f, "attach eth1 native!"));
    run_clean(f, "attach eth1 generic");
    values_remove_device(&f->values, "eth1");
    dp_fake_remove_device(f->dp, 11);
    run_clean(f, "detach eth1");
    values_add_device(&f->values, "eth1", "");
    fail_calls(NULL, 0, 0);
    run_clean(f, "attach eth1 native");
}

/* Where native mode is demanded, a refusal is a failure: it is reported, the
 * earlier generation stays, and nothing is tried until somebody asks. */
static void
test_native_demanded(void **state)
{
    struct fixture *f = *state;

    values_set(&f->values, "ovn-xdp-mode", "native");
    fail_calls("attach eth1 native", EOPNOTSUPP, 1);
    assert_true(run(f, "target 12, put 172.24.100.50>12, "
                       "attach eth1 native!"));
    assert_false(run(f, ""));
    assert_int_equal(reconcile_problems(f->reconcile)->n, 1);
    assert_int_equal(reconcile_problems(f->reconcile)->list[0].class,
                     REASON_ATTACH_FAILED);
    assert_int_equal(reconcile_attach_error(f->reconcile, "eth1"),
                     EOPNOTSUPP);
    assert_false(reconcile_is_due(f->reconcile, f->now + 60000));
    reconcile_forget_failures(f->reconcile);
    run_clean(f, "attach eth1 native, commit");
}

/* What is not the driver's refusal says nothing about native mode. */
static void
test_native_not_refused(void **state)
{
    struct fixture *f = *state;
    static const int errors[] = { ENODEV, ENOMEM, EPERM, ENOSPC };

    run(f, "target 12, put 172.24.100.50>12, attach eth1 native, commit");
    for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
        fail_calls("attach", errors[i], 1);
        assert_false(run(f, "attach eth1 native!"));
        assert_true(sset_is_empty(reconcile_native_failed(f->reconcile)));
        assert_int_equal(reconcile_problems(f->reconcile)->n, 1);
        assert_true(reconcile_is_due(f->reconcile, f->now + 8000));
        assert_int_equal(reconcile_attach_error(f->reconcile, "eth1"),
                         errors[i]);
    }
    run_clean(f, "attach eth1 native");
}

/* Generic mode can fail, too, and does not harm other NICs. */
static void
test_generic_fails(void **state)
{
    struct fixture *f = *state;

    values_set(&f->values, "ovn-xdp-mode", "generic");
    values_set(&f->values, "ovn-xdp-interfaces", "eth1,eth2");
    values_add_device(&f->values, "eth2", "");
    fail_calls("attach eth1", EINVAL, 1);
    assert_false(run(f, "target 12, put 172.24.100.50>12, "
                        "attach eth1 generic!, attach eth2 generic"));
    assert_int_equal(reconcile_n_current(f->reconcile), 1);
    assert_true(reconcile_is_due(f->reconcile, f->now + 250));
    run_clean(f, "attach eth1 generic, attach eth2 generic, commit");
    assert_int_equal(reconcile_n_current(f->reconcile), 2);
}

/* A NIC that is not wanted any more, or is gone. */
static void
test_detach(void **state)
{
    struct fixture *f = *state;

    run(f, "target 12, put 172.24.100.50>12, attach eth1 native, commit");
    values_set(&f->values, "ovn-xdp-interfaces", NULL);
    fail_calls("detach", EIO, 1);
    run(f, "detach eth1!");
    assert_int_equal(reconcile_problems(f->reconcile)->n, 1);
    assert_true(reconcile_is_due(f->reconcile, f->now + 250));
    run_clean(f, "detach eth1");
    assert_int_equal(reconcile_n_current(f->reconcile), 0);
    run_clean(f, "");

    values_set(&f->values, "ovn-xdp-interfaces", "eth1");
    run_clean(f, "attach eth1 native");
    values_remove_device(&f->values, "eth1");
    fail_calls("detach", ENODEV, 1);
    run_clean(f, "detach eth1!");
    dp_fake_remove_device(f->dp, 11);
    run_clean(f, "detach eth1");
    run_clean(f, "");
}

/* Endpoints and NICs of an earlier daemon stay until the first run, which
 * changes only what is different and sweeps what is stale. */
static void
test_adoption(void **state)
{
    struct fixture *f = *state;

    values_add_vm(&f->values, "vm2", 1, VM2 " 172.24.100.51 172.24.100.52");
    run_any(f);
    ds_clear(&recorder.calls);
    start(f, 16);
    assert_string_equal(ds_cstr(&recorder.calls), "");
    assert_true(reconcile_has_adopted(f->reconcile));
    assert_int_equal(n_endpoints(f), 3);
    assert_true(holds(f, "172.24.100.50"));
    assert_true(sset_contains(reconcile_attached(f->reconcile), "eth1"));
    assert_int_equal(reconcile_n_current(f->reconcile), 0);

    values_remove_binding(&f->values, "vm1");
    run_clean(f, "del 172.24.100.50, attach eth1 native, commit");
    assert_int_equal(n_endpoints(f), 2);
    assert_int_equal(reconcile_n_current(f->reconcile), 1);
}

/* An adopted NIC that nobody wants any more, and an adopted sink. */
static void
test_adopted_devices(void **state)
{
    struct fixture *f = *state;
    struct dp_nic stale = { .name = "eth9", .ifindex = 99 };
    struct dp_nic sink = { .name = "xdpo-br-ex", .ifindex = 98 };

    assert_false(reconcile_has_adopted(f->reconcile));
    dp_fake_adopt_nic(f->dp, &stale, false);
    dp_fake_adopt_nic(f->dp, &sink, true);
    start(f, 16);
    assert_int_equal(sset_count(reconcile_attached(f->reconcile)), 2);
    assert_int_equal(reconcile_n_current(f->reconcile), 0);
    assert_true(reconcile_has_adopted(f->reconcile));
    fail_calls("detach eth9", EIO, 1);
    run_any(f);
    assert_null(strstr(ds_cstr(&recorder.calls), "commit"));
    ds_clear(&recorder.calls);
    run_clean(f, "attach eth1 native, detach eth9, commit");
    assert_int_equal(sset_count(reconcile_attached(f->reconcile)), 1);
}

/* A program may want the heartbeat until it is replaced or detached, whatever
 * is desired meanwhile; so may one that another daemon has left. */
static void
test_timed(void **state)
{
    struct fixture *f = *state;

    assert_false(reconcile_is_timed(f->reconcile));
    run_any(f);
    assert_false(reconcile_is_timed(f->reconcile));
    values_set(&f->values, "ovn-xdp-stale-timeout", "5");
    run_any(f);
    assert_true(reconcile_is_timed(f->reconcile));
    values_set(&f->values, "ovn-xdp-stale-timeout", "0");
    fail_calls("attach eth1", EMFILE, 1);
    run_any(f);
    assert_true(reconcile_is_timed(f->reconcile));
    run_any(f);
    assert_false(reconcile_is_timed(f->reconcile));

    start(f, 16);
    assert_true(reconcile_is_timed(f->reconcile));
    fail_calls("attach eth1", EMFILE, 1);
    run_any(f);
    assert_true(reconcile_is_timed(f->reconcile));
    run_any(f);
    assert_false(reconcile_is_timed(f->reconcile));
}

/* The earlier generation goes once, and not before a run without failure. */
static void
test_commit(void **state)
{
    struct fixture *f = *state;
    static const char *const failing[] = { "target", "put", "attach" };

    for (size_t i = 0; i < ARRAY_SIZE(failing); i++) {
        start(f, 16 + i);
        dp_fake_remove_device(f->dp, 12);
        fail_calls(failing[i], ENOMEM, 1);
        ds_clear(&recorder.calls);
        run_any(f);
        assert_non_null(strstr(ds_cstr(&recorder.calls), "!"));
        assert_null(strstr(ds_cstr(&recorder.calls), "commit"));
        ds_clear(&recorder.calls);
        run_any(f);
        assert_non_null(strstr(ds_cstr(&recorder.calls), "commit"));
        ds_clear(&recorder.calls);
        run_any(f);
        assert_null(strstr(ds_cstr(&recorder.calls), "commit"));
    }

    start(f, 100);
    fail_calls("commit", EIO, 1);
    run(f, "target 12, put 172.24.100.50>12, attach eth1 native, commit!");
    assert_true(reconcile_is_due(f->reconcile, f->now + 250));
    run_clean(f, "attach eth1 native, commit");
    run_clean(f, "attach eth1 native");
}

/* Runs the tests. */
int
main(void)
{
#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)
    static const struct CMUnitTest tests[] = {
        TEST(test_first),
        TEST(test_change),
        TEST(test_target_replaced),
        TEST(test_target_lost),
        TEST(test_sink),
        TEST(test_sink_fails),
        TEST(test_backoff),
        TEST(test_wait),
        TEST(test_delete_fails),
        TEST(test_full),
        TEST(test_foreign),
        TEST(test_native_refused),
        TEST(test_native_demanded),
        TEST(test_native_not_refused),
        TEST(test_generic_fails),
        TEST(test_detach),
        TEST(test_adoption),
        TEST(test_adopted_devices),
        TEST(test_timed),
        TEST(test_commit),
    };
#undef TEST

    vlog_set_levels(NULL, VLF_CONSOLE, VLL_OFF);
    reconcile_destroy(NULL);
    return cmocka_run_group_tests_name("reconcile", tests, NULL, NULL);
}
