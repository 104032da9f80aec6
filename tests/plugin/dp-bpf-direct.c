/* SPDX-License-Identifier: Apache-2.0 */
/* A port of layer L3 and its maps, for the tests of
 * plugin/datapath-bpf-direct*.c. */
#include <config.h>

#include "tests/plugin/dp-bpf-direct.h"

#include <bpf/bpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include "packets.h"
#include "util.h"

/* Length of the elements of 'direct_ports'. */
#define PORTS_SIZE (OX_MAX_DIRECT_PORTS * sizeof(struct ox_direct_port))

static const struct dp_class *const class = &datapath_bpf_class;

/* Opens the pinned map 'name'. */
int
direct_bed_open_map(const char *name)
{
    char *path = xasprintf(DIRECT_BED_PINS "/%s", name);
    int fd = bpf_obj_get(path);

    free(path);
    assert_true(fd >= 0);
    return fd;
}

/* Maps the pinned ports. */
struct ox_direct_port *
direct_bed_map_ports(void)
{
    int fd = direct_bed_open_map("direct_ports");
    void *ports = mmap(NULL, PORTS_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
                       fd, 0);

    assert_true(ports != MAP_FAILED);
    close(fd);
    return ports;
}

/* Undoes direct_bed_map_ports(). */
void
direct_bed_unmap_ports(struct ox_direct_port *ports)
{
    munmap(ports, PORTS_SIZE);
}

/* Returns the port of the external address, with tap 'out0'. */
struct dp_direct
direct_bed_make_port(void)
{
    return (struct dp_direct) {
        .external = in6_addr_mapped_ipv4(htonl(DIRECT_BED_EXTERNAL)),
        .fixed = in6_addr_mapped_ipv4(htonl(DIRECT_BED_FIXED)),
        .tap = if_nametoindex("out0"),
        .mac = ETH_ADDR_C(fa, 16, 3e, 00, 00, 0a),
        .mtu = 1500,
    };
}

/* Returns the key of an address in 'direct_addrs'. */
struct ox_direct_key
direct_bed_make_key(const struct in6_addr *addr, int ifindex)
{
    struct ox_direct_key key = { .ifindex = ifindex };

    memcpy(key.addr, addr, sizeof key.addr);
    return key;
}

/* Reads the element of 'direct_addrs' with 'addr' and 'ifindex'.  Returns
 * false if there is none. */
bool
direct_bed_read_addr(const struct in6_addr *addr, int ifindex,
          struct ox_direct_addr *value)
{
    struct ox_direct_key key = direct_bed_make_key(addr, ifindex);
    int fd = direct_bed_open_map("direct_addrs");
    bool found = !bpf_map_lookup_elem(fd, &key, value);

    close(fd);
    return found;
}

/* Returns the number of the port with the external address. */
uint32_t
direct_bed_number_of(const struct dp_direct *port)
{
    struct ox_direct_addr outside, inside;

    assert_true(direct_bed_read_addr(&port->external, 0, &outside));
    assert_true(direct_bed_read_addr(&port->fixed, port->tap, &inside));
    assert_int_equal(outside.port, inside.port);
    return outside.port;
}

/* Puts 'device' as a tap. */
int
direct_bed_put_tap(struct dp *dp, const char *device, enum dp_hook near)
{
    struct dp_direct_device tap = {
        .ifindex = if_nametoindex(device), .near = near, .xdp_target = true,
    };

    return class->put_direct_device(dp, &tap);
}

/* Opens the datapath, with the tap 'out0' and its port. */
struct dp *
direct_bed_open_with_port(enum dp_hook near)
{
    struct dp_direct port = direct_bed_make_port();
    struct dp *dp = dp_bed_open();

    assert_int_equal(direct_bed_put_tap(dp, "out0", near), 0);
    assert_int_equal(class->put_direct(dp, &port), 0);
    return dp;
}
