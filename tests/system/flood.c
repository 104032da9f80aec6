/* SPDX-License-Identifier: Apache-2.0 */
/* Numbered datagrams at a steady rate, each accounted for at both ends; the
 * system tests call it by way of traffic.sh.
 *
 * usage: flood count PORT
 *        flood send ADDRESS PORT RATE [SECONDS]
 *
 * 'count' listens on UDP 'PORT' of both address families and notes which
 * numbers it has received.  'send' sends RATE datagrams per second until
 * SIGTERM or for SECONDS.  What is late is made up for, so that it is time and
 * not the processor that paces it; but the kernel takes back to back what is
 * made up for.  At last it asks the other end what has arrived, again and
 * again since question and answer may be lost, and prints one line:
 *
 *     sent N asked N rate N received N twice N missing RANGES
 *
 * The exit status is 0 if all that was sent has arrived once. */

#include <config.h>

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* How many datagrams one system call sends or receives at most. */
#define BATCH 32

/* Numbers go up to here: an hour at 20,000 per second. */
#define MAX_NUMBERS (1u << 27)

/* Ranges of missing numbers in an answer. */
#define MAX_RANGES 10

/* How often and at what interval, in ms, the sender asks what has arrived. */
#define MAX_QUESTIONS 100
#define QUESTION_MS 100

/* The datagram that asks what has arrived since the counter's start. */
#define QUESTION UINT32_MAX

/* A datagram. */
struct datagram {
    uint32_t number;            /* Network byte order, or QUESTION. */
    uint32_t run;               /* Which sender; 'count' starts anew with
                                 * another one. */
};

/* An answer, as text: RECEIVED TWICE RANGES. */
#define ANSWER_LEN 512

/* What one sender's datagrams have come to. */
struct tally {
    uint8_t *seen;              /* One bit per number. */
    uint32_t run;               /* Which sender. */
    uint32_t end;               /* Greatest number + 1. */
    uint32_t received;          /* Different numbers. */
    uint32_t twice;             /* Datagrams that were here before. */
};

/* Set by SIGTERM. */
static volatile sig_atomic_t stopped;

/* Handles SIGTERM. */
static void
stop(int signal_number)
{
    (void) signal_number;
    stopped = 1;
}

/* Ends the program, saying that 'what' has failed. */
static void
fail(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

/* Returns the monotonic clock in ns. */
static int64_t
now_ns(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

/* Counting. */

/* Adds datagram 'number' to 'tally'. */
static void
tally_add(struct tally *tally, uint32_t number)
{
    uint8_t bit = 1u << number % 8;

    if (number >= MAX_NUMBERS) {
        return;
    } else if (tally->seen[number / 8] & bit) {
        tally->twice++;
        return;
    }
    tally->seen[number / 8] |= bit;
    tally->received++;
    if (number >= tally->end) {
        tally->end = number + 1;
    }
}

/* Forgets what 'tally' has, and starts with the datagrams of 'run'. */
static void
tally_start(struct tally *tally, uint32_t run)
{
    memset(tally->seen, 0, tally->end / 8 + 1);
    tally->run = run;
    tally->end = tally->received = tally->twice = 0;
}

/* Writes to 'text', of ANSWER_LEN bytes, what 'tally' has.  A range that ends
 * with the greatest number that was received is never missing; the sender
 * knows what it has sent. */
static void
tally_format(const struct tally *tally, char *text)
{
    int n = snprintf(text, ANSWER_LEN, "%"PRIu32" %"PRIu32" ",
                     tally->received, tally->twice);
    int ranges = 0;

    for (uint32_t i = 0; i < tally->end && ranges < MAX_RANGES; i++) {
        uint32_t first = i;
        while (!(tally->seen[i / 8] & 1u << i % 8)) {
            i++;
        }
        if (i > first) {
            n += snprintf(text + n, ANSWER_LEN - n, "%s%"PRIu32"-%"PRIu32,
                          ranges++ ? "," : "", first, i - 1);
        }
    }
    snprintf(text + n, ANSWER_LEN - n, "%s", ranges ? "" : "-");
}

/* Takes note in 'tally' of 'd' which came to 'sock' from 'from', or answers
 * it. */
static void
receive(int sock, struct tally *tally, const struct datagram *d,
        const struct msghdr *from)
{
    uint32_t number = ntohl(d->number);
    char answer[ANSWER_LEN];

    if (d->run != tally->run) {
        tally_start(tally, d->run);
    }
    if (number != QUESTION) {
        tally_add(tally, number);
        return;
    }
    tally_format(tally, answer);
    /* The sender asks again if the answer is lost. */
    (void) sendto(sock, answer, strlen(answer), MSG_DONTWAIT,
                  from->msg_name, from->msg_namelen);
}

/* Returns a UDP socket at 'port' that loses nothing for want of room. */
static int
listen_at(uint16_t port)
{
    int sock = socket(AF_INET6, SOCK_DGRAM, 0);
    int buffer = 128 << 20;
    struct sockaddr_in6 sin6 = {
        .sin6_family = AF_INET6,
        .sin6_port = htons(port),
    };

    if (sock < 0
        || setsockopt(sock, SOL_SOCKET, SO_RCVBUFFORCE, &buffer,
                      sizeof buffer)
        || setsockopt(sock, IPPROTO_IPV6, IPV6_V6ONLY, &(int) { 0 },
                      sizeof(int))
        || bind(sock, (struct sockaddr *) &sin6, sizeof sin6)) {
        fail("socket");
    }
    return sock;
}

/* Counts what comes to 'port' for ever. */
static void
count(uint16_t port)
{
    struct tally tally = { .seen = calloc(1, MAX_NUMBERS / 8 + 1) };
    struct sockaddr_in6 from[BATCH];
    struct datagram data[BATCH];
    struct iovec iov[BATCH];
    struct mmsghdr messages[BATCH];
    int sock = listen_at(port);

    if (!tally.seen) {
        fail("calloc");
    }
    printf("listening\n");
    fflush(stdout);
    for (;;) {
        for (int i = 0; i < BATCH; i++) {
            iov[i] = (struct iovec) { &data[i], sizeof data[i] };
            messages[i].msg_hdr = (struct msghdr) {
                .msg_name = &from[i],
                .msg_namelen = sizeof from[i],
                .msg_iov = &iov[i],
                .msg_iovlen = 1,
            };
        }
        int n = recvmmsg(sock, messages, BATCH, MSG_WAITFORONE, NULL);
        for (int i = 0; i < n; i++) {
            if (messages[i].msg_len == sizeof data[i]) {
                receive(sock, &tally, &data[i], &messages[i].msg_hdr);
            }
        }
    }
}

/* Sending. */

/* Returns a UDP socket, and stores into '*to' and '*to_len' where 'address'
 * and 'port' are.  It is not connected, so that what ICMP says of one datagram
 * does not fail the next. */
static int
find(const char *address, const char *port, struct sockaddr_storage *to,
     socklen_t *to_len)
{
    struct addrinfo hints = { .ai_socktype = SOCK_DGRAM }, *info;

    if (getaddrinfo(address, port, &hints, &info)) {
        fail(address);
    }
    int sock = socket(info->ai_family, SOCK_DGRAM, 0);
    if (sock < 0) {
        fail("socket");
    }
    memcpy(to, info->ai_addr, info->ai_addrlen);
    *to_len = info->ai_addrlen;
    freeaddrinfo(info);
    return sock;
}

/* Sends 'n' datagrams of 'run' to 'to', the first with number 'first', until
 * the kernel takes no more.  Returns how many it took. */
static uint32_t
send_some(int sock, const struct sockaddr_storage *to, socklen_t to_len,
          uint32_t run, uint32_t first, uint32_t n)
{
    struct datagram data[BATCH];
    struct iovec iov[BATCH];
    struct mmsghdr messages[BATCH];

    for (uint32_t i = 0; i < n; i++) {
        data[i] = (struct datagram) { htonl(first + i), run };
        iov[i] = (struct iovec) { &data[i], sizeof data[i] };
        messages[i].msg_hdr = (struct msghdr) {
            .msg_name = (void *) to,
            .msg_namelen = to_len,
            .msg_iov = &iov[i],
            .msg_iovlen = 1,
        };
    }
    int sent = sendmmsg(sock, messages, n, 0);
    return sent > 0 ? sent : 0;
}

/* Asks 'to' what of 'run' has arrived.  Stores the answer into 'answer', of
 * ANSWER_LEN bytes, and returns how many questions that took, or returns 0 if
 * there is no answer. */
static int
ask(int sock, const struct sockaddr_storage *to, socklen_t to_len,
    uint32_t run, char *answer)
{
    for (int i = 0; i < MAX_QUESTIONS; i++) {
        struct datagram question = { htonl(QUESTION), run };
        struct pollfd pfd = { .fd = sock, .events = POLLIN };

        (void) sendto(sock, &question, sizeof question, 0,
                      (const struct sockaddr *) to, to_len);
        if (poll(&pfd, 1, QUESTION_MS) > 0) {
            ssize_t n = recv(sock, answer, ANSWER_LEN - 1, 0);
            if (n > 0) {
                char other[ANSWER_LEN];

                answer[n] = '\0';
                /* What answers the other questions must not find the port
                 * closed: the one that answers would be told so, by frames
                 * that nobody has counted. */
                for (int j = 0; j < i && poll(&pfd, 1, QUESTION_MS) > 0; j++) {
                    (void) recv(sock, other, sizeof other, 0);
                }
                return i + 1;
            }
        }
    }
    return 0;
}

/* Sends to 'to' datagrams of 'run', 'rate' per second, for 'seconds' or until
 * SIGTERM.  Returns how many, and stores into '*took' how many ns it took. */
static uint32_t
send_all(int sock, const struct sockaddr_storage *to, socklen_t to_len,
         uint32_t run, double rate, double seconds, int64_t *took)
{
    int64_t start = now_ns(), end = start + seconds * 1e9;
    uint32_t sent = 0;
    int64_t now;

    while (now = now_ns(), now < end && !stopped && sent < MAX_NUMBERS) {
        uint32_t due = (now - start) / 1e9 * rate;
        if (due > sent) {
            uint32_t n = due - sent < BATCH ? due - sent : BATCH;
            sent += send_some(sock, to, to_len, run, sent, n);
        } else {
            ppoll(NULL, 0, &(struct timespec) { .tv_nsec = 500000 }, NULL);
        }
    }
    *took = now - start;
    return sent;
}

/* Sends as the usage at the top of this file says.  Returns an exit status. */
static int
send_to(const char *address, const char *port, double rate, double seconds)
{
    struct sockaddr_storage to;
    socklen_t to_len;
    int sock = find(address, port, &to, &to_len);
    uint32_t run = getpid();
    uint32_t received = 0, twice = 0;
    char answer[ANSWER_LEN];
    int64_t took;

    uint32_t sent = send_all(sock, &to, to_len, run, rate, seconds, &took);
    int asked = ask(sock, &to, to_len, run, answer);
    if (!asked
        || sscanf(answer, "%"SCNu32" %"SCNu32, &received, &twice) != 2) {
        printf("sent %"PRIu32" and no answer\n", sent);
        return EXIT_FAILURE;
    }
    printf("sent %"PRIu32" asked %d rate %.0f received %"PRIu32
           " twice %"PRIu32" missing %s\n", sent, asked, sent / (took / 1e9),
           received, twice, strrchr(answer, ' ') + 1);
    return received == sent && !twice ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* See the top of this file. */
int
main(int argc, char *argv[])
{
    signal(SIGTERM, stop);
    if (argc == 3 && !strcmp(argv[1], "count")) {
        signal(SIGTERM, SIG_DFL);
        count(atoi(argv[2]));
    } else if ((argc == 5 || argc == 6) && !strcmp(argv[1], "send")) {
        return send_to(argv[2], argv[3], atof(argv[4]),
                       argc == 6 ? atof(argv[5]) : 3600);
    }
    fprintf(stderr, "usage: %s count PORT | send ADDRESS PORT RATE "
            "[SECONDS]\n", argv[0]);
    return 2;
}
