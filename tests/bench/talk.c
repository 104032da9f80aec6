/* SPDX-License-Identifier: Apache-2.0 */
/* Short messages over TCP: how long an answer takes, and how many connections
 * are made in a second.  Python would take longer than the network.
 *
 * usage: talk serve PORT
 *        talk ask ADDRESS PORT COUNT
 *        talk call ADDRESS PORT COUNT
 *
 * 'serve' sends back each message.  'ask' sends COUNT messages, one after the
 * other on one connection, and prints for each how many nanoseconds its
 * answer took.  'call' makes COUNT connections, several at a time, for one
 * message and its answer each, and prints how many that were in a second. */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* Length of a message. */
#define MESSAGE_LEN 64

/* Connections that are served at a time, and made at a time. */
#define SERVERS 16
#define CALLERS 8

/* Messages whose answers are not measured: the connection is new. */
#define UNTIMED 200

/* Longest time that an answer may take, in s. */
#define PATIENCE_S 10

/* Who is called. */
static struct addrinfo *peer;

/* Connections that are still to be made. */
static atomic_int calls_left;

/* Ends the program: 'what' failed, for the reason in errno. */
static void
fail(const char *what)
{
    fprintf(stderr, "talk: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* Nanoseconds of the monotonic clock. */
static int64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Has 'sock' send each message at once, and give up waiting at some time. */
static void
set_options(int sock)
{
    const struct timeval patience = { .tv_sec = PATIENCE_S };

    if (setsockopt(sock, IPPROTO_TCP, TCP_NODELAY, &(int) { 1 }, sizeof(int))
        || setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &patience,
                      sizeof patience)) {
        fail("setsockopt");
    }
}

/* Sends a message back if one comes on 'sock'. */
static bool
answer(int sock)
{
    char message[MESSAGE_LEN];

    return (recv(sock, message, sizeof message, MSG_WAITALL)
            == sizeof message
            && send(sock, message, sizeof message, 0) == sizeof message);
}

/* Serves one connection after the other of socket '*listenerp' for ever. */
static void *
serve_some(void *listenerp)
{
    int listener = *(int *) listenerp;

    for (;;) {
        int sock = accept(listener, NULL, NULL);

        if (sock < 0) {
            continue;
        }
        set_options(sock);
        while (answer(sock)) {
            continue;
        }
        close(sock);
    }
    return NULL;
}

/* Serves at 'port' for ever. */
static void
serve(uint16_t port)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in sin = {
        .sin_family = AF_INET,
        .sin_port = htons(port),
    };

    if (listener < 0
        || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &(int) { 1 },
                      sizeof(int))
        || bind(listener, (const struct sockaddr *) &sin, sizeof sin)
        || listen(listener, SOMAXCONN)) {
        fail("listening");
    }
    printf("listening\n");
    fflush(stdout);
    for (int i = 1; i < SERVERS; i++) {
        pthread_t thread;

        if (pthread_create(&thread, NULL, serve_some, &listener)) {
            fail("pthread_create");
        }
    }
    serve_some(&listener);
}

/* Connects to the peer. */
static int
dial(void)
{
    int sock = socket(peer->ai_family, SOCK_STREAM, 0);

    if (sock < 0) {
        fail("socket");
    }
    set_options(sock);
    if (connect(sock, peer->ai_addr, peer->ai_addrlen)) {
        fail("connect");
    }
    return sock;
}

/* Sends a message to 'sock' and waits for the answer. */
static void
say(int sock)
{
    char message[MESSAGE_LEN] = "";

    if (send(sock, message, sizeof message, 0) != sizeof message
        || recv(sock, message, sizeof message, MSG_WAITALL)
        != sizeof message) {
        fail("no answer");
    }
}

/* Says 'count' messages, and prints how long the answers took. */
static void
ask(int count)
{
    int64_t *took = calloc(count, sizeof *took);
    int sock = dial();

    if (!took) {
        fail("calloc");
    }
    for (int i = -UNTIMED; i < count; i++) {
        int64_t start = now_ns();

        say(sock);
        if (i >= 0) {
            took[i] = now_ns() - start;
        }
    }
    for (int i = 0; i < count; i++) {
        printf("%"PRId64"\n", took[i]);
    }
    free(took);
    close(sock);
}

/* Makes one connection after the other, as long as there are to be more. */
static void *
call_some(void *aux)
{
    while (atomic_fetch_sub(&calls_left, 1) > 0) {
        int sock = dial();

        say(sock);
        close(sock);
    }
    return aux;
}

/* Makes 'count' connections, and prints how many that are in a second. */
static void
call(int count)
{
    pthread_t threads[CALLERS];
    int64_t start = now_ns();

    calls_left = count;
    for (int i = 0; i < CALLERS; i++) {
        if (pthread_create(&threads[i], NULL, call_some, NULL)) {
            fail("pthread_create");
        }
    }
    for (int i = 0; i < CALLERS; i++) {
        pthread_join(threads[i], NULL);
    }
    printf("%.0f\n", count * 1e9 / (now_ns() - start));
}

/* See the top of this file. */
int
main(int argc, char *argv[])
{
    const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

    signal(SIGPIPE, SIG_IGN);
    if (argc == 3 && !strcmp(argv[1], "serve")) {
        serve(atoi(argv[2]));
    } else if (argc == 5 && (!strcmp(argv[1], "ask")
                             || !strcmp(argv[1], "call"))) {
        if (getaddrinfo(argv[2], argv[3], &hints, &peer)) {
            fail(argv[2]);
        }
        (argv[1][0] == 'a' ? ask : call)(atoi(argv[4]));
        return EXIT_SUCCESS;
    }
    fprintf(stderr, "usage: %s serve PORT | ask ADDRESS PORT COUNT "
            "| call ADDRESS PORT COUNT\n", argv[0]);
    return 2;
}
