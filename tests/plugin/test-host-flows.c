/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of plugin/host-flows.c: every question is answered, by an answer that
 * was given after it, whatever the other side does.  A real ovs-vswitchd is
 * asked in tests/system/test-explain.sh. */

#include <config.h>

#include "plugin/host-flows.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>
#include <cmocka.h>

#include "fatal-signal.h"
#include "openvswitch/ofp-flow.h"
#include "openvswitch/ofp-msgs.h"
#include "openvswitch/ofpbuf.h"
#include "openvswitch/poll-loop.h"
#include "openvswitch/vconn.h"
#include "plugin/bridge-flows.h"
#include "plugin/limits.h"
#include "sset.h"
#include "timeval.h"
#include "util.h"

/* How long anything may take, in ms. */
#define DEADLINE_MS 20000

/* A make-believe ovs-vswitchd with bridge "br", and what asks it. */
struct fixture {
    char *folder;               /* Run-time folder. */
    char *socket;               /* Socket of the bridge. */
    struct pvconn *listener;    /* Listens there, or NULL. */
    struct vconn *vconn;        /* Connection to it, or NULL. */
    struct ofpbuf *request;     /* Request on it, or NULL. */
    int n_flows;                /* Flows that it has. */
    struct host_flows *hf;      /* Under test. */
    struct sset bridges;        /* "br". */
};

/* Prepares a struct fixture, listening. */
static int
setup(void **state)
{
    const char *tmp = getenv("OVN_XDP_TMP");
    struct fixture *f = xzalloc(sizeof *f);

    f->folder = xasprintf("%s", tmp ? tmp : "/tmp");
    f->socket = xasprintf("%s/br.mgmt", f->folder);
    f->hf = host_flows_create(f->folder);
    host_flows_set_timeout(f->hf, DEADLINE_MS);
    sset_init(&f->bridges);
    sset_add(&f->bridges, "br");

    char *name = xasprintf("punix:%s", f->socket);
    assert_int_equal(pvconn_open(name, 0, 0, &f->listener), 0);
    free(name);
    *state = f;
    return 0;
}

/* Frees a struct fixture. */
static int
teardown(void **state)
{
    struct fixture *f = *state;

    host_flows_destroy(f->hf);
    ofpbuf_delete(f->request);
    vconn_close(f->vconn);
    pvconn_close(f->listener);
    unlink(f->socket);
    sset_destroy(&f->bridges);
    free(f->socket);
    free(f->folder);
    free(f);
    return 0;
}

/* Accepts a connection, if there is none, and receives a request on it, if
 * there is none. */
static void
serve(struct fixture *f)
{
    if (!f->vconn && f->listener) {
        pvconn_accept(f->listener, &f->vconn);
    }
    if (f->vconn) {
        vconn_run(f->vconn);
    }
    if (f->vconn && !f->request) {
        struct ofpbuf *message;

        if (!vconn_connect(f->vconn) && !vconn_recv(f->vconn, &message)) {
            f->request = message;
        }
    }
}

/* Answers the request with 'n_flows' flows, unless the other side hangs up. */
static void
answer(struct fixture *f)
{
    struct ofputil_flow_stats fs = { .priority = 7 };
    struct ovs_list replies;
    struct ofpbuf *reply;

    match_init_catchall(&fs.match);
    ofpmp_init(&replies, f->request->data);
    for (int i = 0; i < f->n_flows; i++) {
        ofputil_append_flow_stats_reply(&fs, &replies, NULL);
    }
    LIST_FOR_EACH_POP (reply, list_node, &replies) {
        int error;

        /* The other side must read for this one to write. */
        while ((error = vconn_send(f->vconn, reply)) == EAGAIN) {
            host_flows_run(f->hf);
            vconn_run(f->vconn);
        }
        if (error) {
            assert_int_equal(error, EPIPE);
            ofpbuf_delete(reply);
        }
    }
    ofpbuf_delete(f->request);
    f->request = NULL;
}

/* Hangs up. */
static void
hang_up(struct fixture *f)
{
    vconn_close(f->vconn);
    f->vconn = NULL;
}

/* Runs both sides once and waits for an event, if no request has come. */
static void
turn(struct fixture *f, long long int deadline)
{
    host_flows_run(f->hf);
    serve(f);
    if (f->request) {
        return;
    }
    host_flows_wait(f->hf);
    if (f->vconn) {
        vconn_run_wait(f->vconn);
        vconn_recv_wait(f->vconn);
    } else if (f->listener) {
        pvconn_wait(f->listener);
    }
    assert_true(time_msec() < deadline);
    poll_timer_wait_until(deadline);
    poll_block();
}

/* Runs until a request has come. */
static void
await_request(struct fixture *f)
{
    long long int deadline = time_msec() + DEADLINE_MS;

    ovs_assert(!f->request);
    while (!f->request) {
        turn(f, deadline);
    }
}

/* Runs until 'question' is answered. */
static void
await_answer(struct fixture *f, uint64_t question)
{
    long long int deadline = time_msec() + DEADLINE_MS;

    for (;;) {
        host_flows_run(f->hf);
        if (host_flows_is_answered(f->hf, question)) {
            break;
        }
        turn(f, deadline);
    }
    hang_up(f);
}

/* Checks that the flows of "br" are 'n', or 'error'. */
static void
check_flows(struct fixture *f, size_t n, int error)
{
    const struct bridge_flows *flows = host_flows_find(f->hf, "br");

    assert_non_null(flows);
    assert_int_equal(flows->error, error);
    assert_int_equal(flows->n, n);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(flows->flows[i].priority, 7);
        assert_true(flows->flows[i].drops);
    }
}

/* One question, one answer; many flows in several messages. */
static void
test_answer(void **state)
{
    static const int numbers[] = { 0, 3, 5000 };
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++) {
        uint64_t question = host_flows_ask(f->hf, &f->bridges);

        assert_false(host_flows_is_answered(f->hf, question));
        f->n_flows = numbers[i];
        await_request(f);
        assert_false(host_flows_is_answered(f->hf, question));
        answer(f);
        await_answer(f, question);
        check_flows(f, numbers[i], 0);
    }
    assert_null(host_flows_find(f->hf, "other"));
}

/* A question that comes while another is being answered gets an answer of its
 * own, and the first answer stays meanwhile; two that come together share
 * one. */
static void
test_numbering(void **state)
{
    struct fixture *f = *state;
    uint64_t first, second, third;

    first = host_flows_ask(f->hf, &f->bridges);
    await_request(f);
    second = host_flows_ask(f->hf, &f->bridges);
    third = host_flows_ask(f->hf, &f->bridges);
    f->n_flows = 1;
    answer(f);
    await_answer(f, first);
    assert_false(host_flows_is_answered(f->hf, second));
    check_flows(f, 1, 0);
    await_request(f);
    check_flows(f, 1, 0);
    f->n_flows = 2;
    answer(f);
    await_answer(f, second);
    assert_true(host_flows_is_answered(f->hf, third));
    check_flows(f, 2, 0);
}

/* Somebody who reads the request and does not answer it: the question is given
 * up in time. */
static void
test_silence(void **state)
{
    struct fixture *f = *state;
    long long int start = time_msec();
    uint64_t question;

    host_flows_set_timeout(f->hf, HOST_FLOWS_TIMEOUT_MS);
    question = host_flows_ask(f->hf, &f->bridges);
    await_request(f);
    ofpbuf_delete(f->request);
    f->request = NULL;
    await_answer(f, question);
    check_flows(f, 0, ETIMEDOUT);
    assert_true(time_msec() - start >= HOST_FLOWS_TIMEOUT_MS);

    /* The next question is a new chance. */
    host_flows_set_timeout(f->hf, DEADLINE_MS);
    question = host_flows_ask(f->hf, &f->bridges);
    f->n_flows = 4;
    await_request(f);
    answer(f);
    await_answer(f, question);
    check_flows(f, 4, 0);
}

/* Nobody listens, and somebody who hangs up. */
static void
test_nobody(void **state)
{
    struct fixture *f = *state;
    uint64_t question = host_flows_ask(f->hf, &f->bridges);

    await_request(f);
    ofpbuf_delete(f->request);
    f->request = NULL;
    hang_up(f);
    await_answer(f, question);
    check_flows(f, 0, ECONNRESET);

    pvconn_close(f->listener);
    f->listener = NULL;
    unlink(f->socket);
    question = host_flows_ask(f->hf, &f->bridges);
    await_answer(f, question);
    check_flows(f, 0, ENOENT);
}

/* More flows than anybody wants to look at. */
static void
test_too_many(void **state)
{
    struct fixture *f = *state;
    uint64_t question = host_flows_ask(f->hf, &f->bridges);

    f->n_flows = MAX_BRIDGE_FLOWS + 1;
    await_request(f);
    answer(f);
    await_answer(f, question);
    check_flows(f, 0, E2BIG);
}

#define TEST(NAME) cmocka_unit_test_setup_teardown(NAME, setup, teardown)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answer),
        TEST(test_numbering),
        TEST(test_silence),
        TEST(test_nobody),
        TEST(test_too_many),
    };

    fatal_ignore_sigpipe();
    return cmocka_run_group_tests_name("host-flows", tests, NULL, NULL);
}
