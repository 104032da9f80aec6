/* SPDX-License-Identifier: Apache-2.0 */
/* Asks the XDP program that a NIC carries what it would do with frames; the
 * tests of ACLs call it.
 *
 * usage: bpf-run NIC
 *
 * Each line on standard input is a frame, in hexadecimal digits.  Each is
 * answered by a line: pass, drop, redirect, tx or aborted, or by "error" and
 * what is wrong.  It is the program of that very moment, with its maps, and it
 * counts as it does with frames from the wire; but the frame goes nowhere. */

#include <config.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Longest frame. */
#define MAX_FRAME 2048

/* The program of the last frame. */
struct program {
    uint32_t id;                /* 0: none. */
    int fd;                     /* Descriptor if there is one. */
};

/* Returns the value of hexadecimal digit 'c', -1 if it is none. */
static int
digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *place = c ? strchr(digits, c) : NULL;

    return place ? (int) (place - digits) : -1;
}

/* Reads the frame in 'line' into 'frame'.  Returns its length, or 0. */
static size_t
parse_frame(const char *line, uint8_t frame[MAX_FRAME])
{
    size_t n = 0;

    for (; digit(line[0]) >= 0 && digit(line[1]) >= 0; line += 2) {
        if (n >= MAX_FRAME) {
            return 0;
        }
        frame[n++] = digit(line[0]) * 16 + digit(line[1]);
    }
    return *line == '\n' || !*line ? n : 0;
}

/* Has 'program' be the one that the NIC with 'ifindex' carries now.  Returns 0
 * or an errno. */
static int
find_program(struct program *program, int ifindex)
{
    uint32_t id = 0;
    int error = -bpf_xdp_query_id(ifindex, 0, &id);

    if (error) {
        return error;
    }
    if (id == program->id && id) {
        return 0;
    }
    if (program->id) {
        close(program->fd);
    }
    program->id = 0;
    if (!id) {
        return ENOENT;
    }
    program->fd = bpf_prog_get_fd_by_id(id);
    if (program->fd < 0) {
        return errno;
    }
    program->id = id;
    return 0;
}

/* Runs 'program' with the 'n' bytes of 'frame', as if they had come in by the
 * NIC with 'ifindex'.  Stores the verdict in '*verdict'; returns 0 or an
 * errno. */
static int
run(const struct program *program, int ifindex, const uint8_t *frame,
    size_t n, uint32_t *verdict)
{
    struct xdp_md md = { .data_end = n, .ingress_ifindex = ifindex };
    LIBBPF_OPTS(bpf_test_run_opts, opts,
        .data_in = frame, .data_size_in = n,
        .ctx_in = &md, .ctx_size_in = sizeof md);
    int error = -bpf_prog_test_run_opts(program->fd, &opts);

    *verdict = opts.retval;
    return error;
}

/* Prints the answer to the frame in 'line' at 'ifindex'. */
static void
answer(struct program *program, int ifindex, const char *line)
{
    static const char *const verdicts[] = {
        [XDP_ABORTED] = "aborted", [XDP_DROP] = "drop", [XDP_PASS] = "pass",
        [XDP_TX] = "tx", [XDP_REDIRECT] = "redirect",
    };
    uint8_t frame[MAX_FRAME];
    size_t n = parse_frame(line, frame);
    uint32_t verdict = 0;
    int error;

    if (!n) {
        puts("error not a frame");
        return;
    }
    error = find_program(program, ifindex);
    if (!error) {
        error = run(program, ifindex, frame, n, &verdict);
    }
    if (error) {
        printf("error %s\n", strerror(error));
    } else if (verdict >= sizeof verdicts / sizeof *verdicts) {
        printf("error verdict %u\n", verdict);
    } else {
        puts(verdicts[verdict]);
    }
}

int
main(int argc, char *argv[])
{
    struct program program = { 0, -1 };
    char line[2 * MAX_FRAME + 3];
    int ifindex;

    if (argc != 2) {
        fprintf(stderr, "usage: %s NIC\n", argv[0]);
        return 2;
    }
    ifindex = if_nametoindex(argv[1]);
    if (!ifindex) {
        fprintf(stderr, "%s: %s\n", argv[1], strerror(errno));
        return 1;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    while (fgets(line, sizeof line, stdin)) {
        answer(&program, ifindex, line);
    }
    return 0;
}
