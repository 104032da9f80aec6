#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a hostile world and a hostile VM send, for test-direct-hostile.sh.

usage: direct_hostile.py off|on

Prints a line NAME VALUE for each case: what came of it.  The values have to be
the same whether packets are forwarded directly (on) or not, since OVN would
deliver just that; where they are not, lines after it that begin with '#' say
more.  Lines "NAME ! TEXT" are faults in any case.

The sandbox is that of the script: SANDBOX_ID; OVN_XDPCTL and SANDBOX lead to
the daemon.
"""

import errno
import json
import os
import socket
import struct
import subprocess
import sys
import time

from acl_packets import ACK, FIN, RST, SYN, Packet, Subject, checksum, mac
from direct_net import listener, opener, wire, within

PORT = 7100         # Open to the world.
CLOSED = 7999
WORLD = "198.51.100.1"
FIP, FIP2, FIP4 = "172.24.100.111", "172.24.100.112", "172.24.100.114"
FIXED, FIXED2 = "10.1.0.11", "10.1.0.12"
MAC, MAC2 = "fa:16:3e:00:01:11", "fa:16:3e:00:01:12"
GATEWAY = "fa:16:3e:00:01:fe" # Of VMs behind router r1.
MANY = 20           # Packets where one might get lost.

CASES = []


def case(function):
    """Makes 'function' one of the cases."""
    CASES.append(function)
    return function


class World:
    """What the cases work with."""

    def __init__(self, mode):
        self.direct = mode == "on"
        self.wan = wire("ext", "wan0")
        self.own = self.wan.getsockname()[4].hex(":")
        self.nic = wire("hv", "nic0").getsockname()[4].hex(":")
        self.port = 20000 + (time.monotonic_ns() >> 20) % 20000
        self.faults = []

    def sport(self):
        """Returns a port of the world that no case has had."""
        self.port += 1
        return self.port

    def flows(self):
        """Returns the flows."""
        if not self.direct:
            return []
        done = subprocess.run(
            [os.environ["OVN_XDPCTL"], "-s",
             f"{os.environ['SANDBOX']}/ovn-xdpd.rpc", "-f", "json", "flows",
             "--limit", "10000"],
            check=True, capture_output=True, text=True)
        return json.loads(done.stdout)["flows"]

    def used(self, sport, protocol="udp"):
        """Returns how many flows of the world's port are taken off."""
        return sum(flow["state"] == "used" and flow["protocol"] == protocol
                   and sport in (flow["near"]["source_port"],
                                 flow["near"]["destination_port"])
                   for flow in self.flows())

    def inward(self, sport, dst=FIP, dport=PORT, own=None, **words):
        """Returns a frame from the world."""
        return Packet(Subject("", dst, ""), "", words.pop("src", WORLD),
                      sport=sport, dport=dport, **words).frame(
                          own or self.nic, self.own)

    def send(self, frame, times=MANY):
        """Sends a frame from outside some times."""
        for _ in range(times):
            self.wan.send(frame)


class Eyes:
    """Looks at what comes in by a device."""

    def __init__(self, name, device):
        self.sock = wire(name, device)
        self.sock.setblocking(False)

    def count(self, wanted, at_least=0, patience=0.3):
        """Returns how many frames come of which 'wanted' is true, until none
        has come for 'patience' seconds."""
        n, end = 0, time.monotonic() + patience
        if at_least:
            end += 2
        while (left := end - time.monotonic()) > 0:
            self.sock.settimeout(left)
            try:
                frame, (_, _, kind, _, _) = self.sock.recvfrom(2048)
            except (TimeoutError, BlockingIOError):
                break
            if kind != socket.PACKET_OUTGOING and wanted(frame):
                n += 1
                end = time.monotonic() + patience
        return n

    def close(self):
        """Closes the eyes."""
        self.sock.close()


def having(marker):
    """Returns a function that tells whether a frame has 'marker'."""
    return lambda frame: marker in frame


def tcp_with(flag, sport):
    """Returns a function that tells whether a frame is an IPv4 TCP segment
    with 'flag' from port 'sport'."""
    def wanted(frame):
        return (frame[12:14] == b"\x08\x00" and frame[23] == 6
                and frame[34:36] == struct.pack("!H", sport)
                and bool(frame[47] & flag))
    return wanted


class Pair:
    """A server in a VM and a client in the world that talk by turns."""

    def __init__(self, world, kind, name="vm1", address=FIP):
        self.world, self.kind, self.sport = world, kind, world.sport()
        self.server = listener(name, kind, PORT)
        self.mine = opener("ext", kind, address, PORT, self.sport)
        self.theirs, self.peer = self.server, None
        if kind == socket.SOCK_STREAM:
            self.server.settimeout(3)
            self.theirs, _ = self.server.accept()
        for sock in (self.mine, self.theirs):
            sock.settimeout(1)

    def talk(self, times=10):
        """Returns how many questions were answered rightly."""
        good = 0
        self.forget()
        for i in range(times):
            word = b"%8d %5d" % (i, self.sport)
            try:
                self.mine.send(word)
                data, self.peer = self.theirs.recvfrom(100)
                if self.kind == socket.SOCK_STREAM:
                    self.theirs.send(data + b"!")
                else:
                    self.theirs.sendto(data + b"!", self.peer)
                good += self.mine.recv(100) == word + b"!"
            except OSError:
                if self.kind == socket.SOCK_STREAM:
                    break
        return good

    def forget(self):
        """Drops datagrams that somebody else has sent to the server."""
        if self.kind == socket.SOCK_DGRAM:
            self.theirs.setblocking(False)
            try:
                while self.theirs.recv(2000):
                    pass
            except BlockingIOError:
                pass
            self.theirs.settimeout(1)

    def hot(self):
        """Talks until both directions are taken off, if they are at all."""
        protocol = "tcp" if self.kind == socket.SOCK_STREAM else "udp"
        for _ in range(20):
            if self.talk() != 10:
                break
            if not self.world.direct or (
                    self.world.used(self.sport, protocol) == 2):
                return self
        raise OSError(f"{protocol} from {self.sport}: does not become direct")

    def close(self):
        """Ends both."""
        for sock in (self.mine, self.theirs, self.server):
            sock.close()


def spoil(frame, place):
    """Returns 'frame' with the checksum at 'place' made wrong."""
    return frame[:place] + bytes((frame[place] ^ 0x55,)) + frame[place + 1:]


@case
def forged_segments(world):
    """RST, FIN and SYN by somebody who does not know the numbers."""
    for name, flags in (("rst", RST), ("fin", FIN | ACK), ("syn", SYN)):
        pair = Pair(world, socket.SOCK_STREAM).hot()
        eyes = Eyes("vm1", "eth0")
        frame = world.inward(pair.sport, flags=flags)
        world.send(spoil(frame, 50), 5)
        seen = eyes.count(tcp_with(flags & ~ACK, pair.sport))
        yield f"{name}-with-wrong-checksum", seen
        if world.direct and not seen and world.used(pair.sport, "tcp") != 2:
            yield f"{name}-with-wrong-checksum", "! has changed the flow"
        world.send(frame, 1)
        yield name, eyes.count(tcp_with(flags & ~ACK, pair.sport), 1)
        yield f"{name}-survived", pair.talk()
        eyes.close()
        pair.close()


@case
def spoofed_by_vm(world):
    """vm1 sends as vm2, whose flow is taken off, and with other MACs."""
    pair = Pair(world, socket.SOCK_DGRAM, "vm2", FIP2).hot()
    mine = Pair(world, socket.SOCK_DGRAM).hot()
    tap, eyes = wire("vm1", "eth0"), Eyes("ext", "wan0")
    for name, src, peer, sport in (
            ("ip", FIXED2, MAC, pair.sport),
            ("ip-and-mac", FIXED2, MAC2, pair.sport),
            ("mac", FIXED, MAC2, mine.sport),
            ("nobody", "10.1.0.99", MAC, pair.sport),
            ("fip", FIP2, MAC, pair.sport)):
        frame = Packet(Subject("", WORLD, ""), "", src, sport=PORT,
                       dport=sport, protocol=17,
                       payload=b"spoof" + name.encode()).frame(GATEWAY, peer)
        for _ in range(MANY):
            tap.send(frame)
        yield f"spoofed-{name}", eyes.count(having(b"spoof"))
    frame = Packet(Subject("", WORLD, ""), "", FIXED, sport=PORT,
                   dport=mine.sport, protocol=17,
                   payload=b"honest").frame(GATEWAY, MAC)
    for _ in range(MANY):
        tap.send(frame)
    yield "honest", eyes.count(having(b"honest"), MANY)
    yield "victim", pair.talk()
    for what in (tap, eyes, pair, mine):
        what.close()


@case
def wrong_way(world):
    """Frames of a flow that is taken off, to other MACs and in VLANs."""
    pair = Pair(world, socket.SOCK_DGRAM).hot()
    eyes = Eyes("vm1", "eth0")
    words = {"protocol": 17, "payload": b"stray"}
    frame = world.inward(pair.sport, own="02:00:00:00:77:77", **words)
    world.send(frame)
    yield "other-mac", eyes.count(having(b"stray"))
    frame = world.inward(pair.sport, **words)
    world.send(frame[:12] + b"\x81\x00\x00\x65" + frame[12:])
    yield "in-vlan", eyes.count(having(b"stray"))
    for ttl in (1, 2, 3):
        world.send(world.inward(pair.sport, ttl=ttl, **words))
        yield f"ttl-{ttl}", eyes.count(having(b"stray"),
                                       MANY if ttl == 3 else 0)
    world.send(world.inward(pair.sport, fragment="later", **words))
    yield "later-fragment", eyes.count(having(b"stray"))
    eyes.close()
    yield "still-there", pair.talk()
    pair.close()


@case
def misshapen(world):
    """What the VM's sockets get of packets with wrong sums and lengths."""
    pair = Pair(world, socket.SOCK_DGRAM).hot()
    frame = world.inward(pair.sport, protocol=17, payload=b"x" * 10)
    length = bytearray(frame)
    length[38:40] = struct.pack("!H", 8 + 300)
    for name, bad in (("ip-sum", spoil(frame, 24)),
                      ("udp-sum", spoil(frame, 40)),
                      ("udp-length", bytes(length)),
                      ("cut", frame[:40]),
                      ("trailer", frame + b"\xee" * 20)):
        world.send(bad)
        got = []
        pair.theirs.settimeout(0.3)
        try:
            while True:
                got.append(pair.theirs.recv(2000))
        except TimeoutError:
            pass
        yield f"misshapen-{name}", len(got)
        if any(data != b"x" * 10 for data in got):
            yield f"misshapen-{name}", "! other bytes"
    pair.theirs.settimeout(1)
    yield "misshapen-still-there", pair.talk()
    pair.close()


def from_inside(world, name, src, dst, vm, sport):
    """Sends to 'dst' as if 'src', an address of this chassis, were outside."""
    eyes = Eyes(vm, "eth0")
    world.send(world.inward(sport, dst, src=src, protocol=17,
                            payload=b"inside"))
    seen = eyes.count(having(b"inside"), 1)
    eyes.close()
    yield name, "some" if seen else "none"
    if any(flow["near"]["source"] == src for flow in world.flows()):
        yield name, "! a flow from there"


@case
def hairpin(world):
    """From one floating IP of the chassis to another, and forged ones."""
    sport = world.sport()
    yield from from_inside(world, "fip-from-outside", FIP2, FIP, "vm1", sport)
    yield from from_inside(world, "own-fip", FIP, FIP, "vm1", sport)
    with listener("vm2", socket.SOCK_DGRAM, PORT) as theirs, (
            opener("vm1", socket.SOCK_DGRAM, FIP2, PORT, sport)) as mine:
        theirs.settimeout(1)
        mine.settimeout(1)
        good = 0
        for i in range(MANY):
            mine.send(b"%d" % i)
            data, peer = theirs.recvfrom(100)
            theirs.sendto(data, peer)
            good += mine.recv(100) == data
        yield "hairpin", good
        yield from from_inside(world, "hairpin-forged", FIP, FIP2, "vm2",
                               sport)
        yield from from_inside(world, "hairpin-answer-forged", FIP2, FIP,
                               "vm1", PORT)


@case
def closed_ports(world):
    """Floods of what OVN drops: no flow comes of it."""
    eyes, before = Eyes("vm1", "eth0"), len(world.flows())
    for protocol in (17, 6):
        frames = [world.inward(sport, dport=CLOSED, protocol=protocol,
                               payload=b"closed")
                  for sport in range(1024, 4024)]
        for number, frame in enumerate(frames):
            world.wan.send(frame)
            if number % 100 == 99:
                time.sleep(0.01)
        yield f"closed-{protocol}", eyes.count(having(b"closed"))
    if any(flow["near"]["destination_port"] == CLOSED
           for flow in world.flows()):
        yield "closed", f"! flows, {before} before"
    eyes.close()


@case
def refused(world):
    """What ICMP says of a port that nobody listens at."""
    for name, near, address in (("world", "ext", FIP), ("vm", "vm1", WORLD)):
        with opener(near, socket.SOCK_DGRAM, address, PORT + 1) as sock:
            n = 0
            for _ in range(MANY):
                try:
                    sock.send(b"?")
                    sock.settimeout(1)
                    sock.recv(1)
                except ConnectionRefusedError:
                    n += 1
                except TimeoutError:
                    pass
            # The kernel does not refuse each one.
            yield f"refused-{name}", "yes" if n >= 5 else n


@case
def overlapping(world):
    """Two tenants with the same addresses and ports."""
    pairs = [Pair(world, socket.SOCK_DGRAM)]
    world.port -= 1
    pairs.append(Pair(world, socket.SOCK_DGRAM, "vm4", FIP4))
    assert pairs[0].sport == pairs[1].sport
    good = 0
    for _ in range(30):
        for pair in pairs:
            good += pair.talk(1)
    yield "overlapping-udp", good
    if world.direct and world.used(pairs[0].sport) != 4:
        yield "overlapping-udp", "! not direct"
    for pair in pairs:
        pair.close()
    pairs = [Pair(world, socket.SOCK_STREAM)]
    world.port -= 1
    pairs.append(Pair(world, socket.SOCK_STREAM, "vm4", FIP4))
    good = sum(pair.talk(1) for _ in range(30) for pair in pairs)
    yield "overlapping-tcp", good
    for pair in pairs:
        pair.close()


@case
def simultaneous(world):
    """Both ends open the connection at once: OVN's matter, but what comes of
    it must be right, and a connection in order must go afterwards."""
    sport = world.sport()
    ends = [unconnected("ext", sport), unconnected("vm1", PORT)]
    for sock, peer in zip(ends, ((FIP, PORT), (WORLD, sport))):
        sock.setblocking(False)
        sock.connect_ex(peer)
    time.sleep(0.1)
    good = 0
    for _ in range(10):
        try:
            ends[0].send(b"over")
            ends[1].settimeout(0.3)
            good += ends[1].recv(100) == b"over"
        except OSError:
            break
    for sock in ends:
        sock.close()
    print(f"# simultaneous open: {good} of 10")
    pair = Pair(world, socket.SOCK_STREAM)
    yield "after-simultaneous", pair.talk()
    pair.close()


def unconnected(name, own):
    """Returns a TCP socket at port 'own' in namespace 'name'."""
    with within(name):
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    sock.bind(("", own))
    return sock


@case
def reused(world):
    """The same tuple again, as soon as it is free, and as another one."""
    pair = Pair(world, socket.SOCK_STREAM).hot()
    good = 0
    for linger in (1, 1, 0, 1):
        if linger:
            pair.mine.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                 struct.pack("ii", 1, 0))
        else:
            # The server's end is the first to close, and waits.
            pair.theirs.shutdown(socket.SHUT_RDWR)
            pair.mine.recv(1)
        pair.close()
        pair = again(world)
        good += pair.talk()
    pair.close()
    yield "reused", good


def again(world):
    """Returns a TCP connection from the same port as the last one, as soon as
    the kernel has done with that."""
    end = time.monotonic() + 2
    while True:
        world.port -= 1
        try:
            return Pair(world, socket.SOCK_STREAM)
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL or time.monotonic() > end:
                raise
            time.sleep(0.01)


def main(mode):
    """Runs all cases."""
    world = World(mode)
    for function in CASES:
        try:
            for name, value in function(world):
                print(name, value, flush=True)
        except (OSError, AssertionError) as error:
            print(f"{function.__name__} ! {error!r}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
