/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program, moves its wall clock by the seconds that are in
 * the file which OVN_XDP_SHIFT names, whenever they change.  The monotonic
 * clock stays as it is. */

#include <config.h>

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

/* Returns the seconds in the file, 0 if there is none. */
static long int
read_shift(void)
{
    const char *path = getenv("OVN_XDP_SHIFT");
    int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    char text[32];
    ssize_t n;

    if (fd < 0) {
        return 0;
    }
    n = read(fd, text, sizeof text - 1);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    return atol(text);
}

/* As the C library's. */
int
clock_gettime(clockid_t id, struct timespec *ts)
{
    int retval = syscall(SYS_clock_gettime, id, ts);

    if (!retval && (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)) {
        ts->tv_sec += read_shift();
    }
    return retval;
}

/* As the C library's. */
int
gettimeofday(struct timeval *restrict tv, void *restrict tz)
{
    struct timespec ts;

    (void) tz;
    clock_gettime(CLOCK_REALTIME, &ts);
    tv->tv_sec = ts.tv_sec;
    tv->tv_usec = ts.tv_nsec / 1000;
    return 0;
}

/* As the C library's. */
time_t
time(time_t *tp)
{
    struct timespec ts;

    clock_gettime(CLOCK_REALTIME, &ts);
    if (tp) {
        *tp = ts.tv_sec;
    }
    return ts.tv_sec;
}
