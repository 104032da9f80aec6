/* SPDX-License-Identifier: Apache-2.0 */
/* Tells when an address appears in a pinned map 'endpoints4', or vanishes from
 * it.
 *
 * usage: watch-map PIN
 *
 * Each line of standard input is answered by a line with CLOCK_MONOTONIC in
 * nanoseconds, at the moment when it has come true:
 *
 *     + ADDRESS N     the N addresses from there on are in the map
 *     - ADDRESS N     none of them is
 *
 * A map that is not pinned yet is waited for.  It looks as often as it can, so
 * that the figure is fine, and takes a processor for that. */
#include <config.h>

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <inttypes.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "bpf/abi.h"

/* Pause between two looks. */
#define PAUSE_NS 20000

/* Lets others run for a moment. */
static void
pause_shortly(void)
{
    const struct timespec ts = { .tv_nsec = PAUSE_NS };

    ppoll(NULL, 0, &ts, NULL);
}

/* Opens the map pinned at 'path', as soon as it is there. */
static int
open_map(const char *path)
{
    int fd;

    while ((fd = bpf_obj_get(path)) < 0) {
        pause_shortly();
    }
    return fd;
}

/* Waits until the 'n' addresses from 'first' on, in host order, are in map
 * 'fd' if 'present', and are not otherwise. */
static void
await(int fd, uint32_t first, uint32_t n, bool present)
{
    for (uint32_t i = 0; i < n; i++) {
        struct ox_key4 key = { .addr = htonl(first + i) };
        struct ox_endpoint value;

        while ((bpf_map_lookup_elem(fd, &key, &value) == 0) != present) {
            pause_shortly();
        }
    }
}

int
main(int argc, char *argv[])
{
    char sign, text[64];
    uint32_t n;

    if (argc != 2) {
        fprintf(stderr, "usage: watch-map PIN\n");
        return 1;
    }
    prctl(PR_SET_TIMERSLACK, 1);
    while (scanf(" %c %63s %"SCNu32, &sign, text, &n) == 3) {
        struct in_addr address;
        struct timespec now;
        int fd;

        if (inet_pton(AF_INET, text, &address) != 1) {
            fprintf(stderr, "%s: not an address\n", text);
            return 1;
        }
        fd = open_map(argv[1]);
        await(fd, ntohl(address.s_addr), n, sign == '+');
        clock_gettime(CLOCK_MONOTONIC, &now);
        close(fd);
        printf("%"PRId64"\n", (int64_t) now.tv_sec * 1000000000 + now.tv_nsec);
        fflush(stdout);
    }
    return 0;
}
