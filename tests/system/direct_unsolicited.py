#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What nobody has asked for, and what somebody has, for
test-direct-unsolicited.sh.

usage: direct_unsolicited.py off|on VM ADDRESS

VM is reached by ADDRESS, and allows UDP port 7100 only.  Prints a line NAME
VALUE for each case: how many packets of it the VM has got, or what else came
of it.  The values have to be the same with OVN alone (off) and when packets are
dropped early and forwarded directly (on).  Then lines "NAME dropped VALUE" and
"NAME answers VALUE" follow it: how many packets were dropped in the driver, and
how many passed there as answers.

The sandbox is that of the script: SANDBOX_ID; OVN_XDPCTL and SANDBOX lead to
the daemon.
"""

import json
import os
import socket
import subprocess
import sys
import time

from acl_packets import ACK, FIN, RST, SYN
from direct_hostile import Eyes, World, having
from direct_net import listener, opener, within

OPEN = 7100         # Allowed to the world.
CLOSED = 7999
N = 5               # Packets of each kind.
LONG = 100          # Packets of a stream: what a socket has room for.
WORLDS = {4: "198.51.100.1", 6: "2001:db8:ffff::1"}
ICMP = {4: (1, 8, 0, 3), 6: (58, 128, 129, 1)}

CASES = []


def case(function):
    """Makes 'function' one of the cases."""
    CASES.append(function)
    return function


class Here(World):
    """What the cases work with."""

    def __init__(self, mode, vm, address):
        super().__init__(mode)
        self.vm, self.address = vm, address
        self.family = 6 if ":" in address else 4
        self.world = WORLDS[self.family]

    def counted(self, reason):
        """Returns how many frames nic0 has counted for 'reason'."""
        done = subprocess.run(
            [os.environ["OVN_XDPCTL"], "-s",
             f"{os.environ['SANDBOX']}/ovn-xdpd.rpc", "-f", "json",
             "interfaces"], check=True, capture_output=True, text=True)
        return sum(row["counters"].get(reason, 0)
                   for row in json.loads(done.stdout) if row["name"] == "nic0")

    def gets(self, name, frames, expected=0, **words):
        """Sends 'frames', or one made of 'words' some times, and yields what
        came of it."""
        frames = frames or [self.inward(
            words.pop("sport", None) or self.sport(), self.address,
            words.pop("dport", CLOSED), src=self.world, payload=b"unasked",
            **words)] * N
        before = [self.counted(r) for r in ("acl-drop", "acl-answer")]
        eyes = Eyes(self.vm, "eth0")
        for number, frame in enumerate(frames):
            self.wan.send(frame)
            # As much as Open vSwitch takes on a loaded machine.
            if number % 10 == 9:
                time.sleep(0.01)
        yield name, eyes.count(having(b"unasked"), expected)
        eyes.close()
        if self.direct:
            for word, reason, was in (("dropped", "acl-drop", before[0]),
                                      ("answers", "acl-answer", before[1])):
                yield f"{name} {word}", self.counted(reason) - was

    def asks(self, port, own=0):
        """Has the VM send a datagram to 'port' of the world.  Returns its
        port."""
        with opener(self.vm, socket.SOCK_DGRAM, self.world, port,
                    own) as sock:
            sock.send(b"question")
            return sock.getsockname()[1]


@case
def unsolicited(here):
    """Nobody has asked for it."""
    icmp, request, reply, _ = ICMP[here.family]
    yield from here.gets("udp", None, protocol=17)
    yield from here.gets("request", None, protocol=icmp, dport=request)
    yield from here.gets("reply", None, protocol=icmp, dport=reply)
    for name, flags in (("syn", SYN), ("ack", ACK), ("syn-ack", SYN | ACK),
                        ("fin", FIN | ACK), ("rst", RST)):
        yield from here.gets(name, None, flags=flags)


@case
def allowed(here):
    """Rules allow it."""
    for name, value in here.gets("allowed", None, N, protocol=17,
                                 dport=OPEN):
        # OVN may send one twice that waited for the VM's MAC address.
        yield name, value if " " in name else min(value, N)


@case
def asked(here):
    """The VM has asked for some of it."""
    port = here.sport()
    own = here.asks(port)
    yield from here.gets("answer", None, N, protocol=17, sport=port,
                         dport=own)
    yield from here.gets("other-source-port", None, protocol=17,
                         sport=port + 1, dport=own)
    yield from here.gets("other-port", None, protocol=17, sport=port,
                         dport=own + 1)
    yield from here.gets("other-protocol", None, sport=port, dport=own,
                         flags=ACK)


@case
def stream(here):
    """The VM speaks once, the world for long."""
    port = here.sport()
    own = here.asks(port)
    frame = here.inward(port, here.address, own, src=here.world,
                        payload=b"unasked", protocol=17)
    for name, value in here.gets("stream", [frame] * LONG, LONG):
        # Of what comes at once Open vSwitch may lose a few on a loaded machine,
        # with OVN alone and before layer L3 knows the flow.
        if " " not in name:
            yield name, "most" if value >= LONG * 3 // 4 else value
        elif name.endswith("dropped"):
            yield name, value


@case
def large(here):
    """A question and an answer in fragments."""
    port = here.sport()
    with listener("ext", socket.SOCK_DGRAM, port) as theirs, (
            opener(here.vm, socket.SOCK_DGRAM, here.world, port)) as mine:
        mine.send(b"q" * 3000)
        theirs.settimeout(2)
        mine.settimeout(2)
        data, peer = theirs.recvfrom(4000)
        good = len(data) == 3000
        for size in (3000, 100, 3000, 100):
            theirs.sendto(b"a" * size, peer)
            good += len(mine.recv(4000)) == size
        yield "fragments", good


@case
def fragments(here):
    """Nobody has asked for these, and OVN does not let them pass either."""
    for which in ("first", "later"):
        yield from here.gets(f"{which}-fragment", None, protocol=17,
                             fragment=which)


@case
def echo(here):
    """The VM pings the world."""
    with within(here.vm):
        done = subprocess.run(
            ["ping", "-n", "-q", "-c", "20", "-i", "0.02", "-W", "2",
             here.world], capture_output=True, text=True, check=False)
    yield "ping", "answered" if " 0% packet loss" in done.stdout else (
        done.stdout.replace(" ", "_").replace("\n", "/"))


@case
def tcp(here):
    """A connection of the VM's, and segments of it and beside it."""
    port = here.sport()
    with listener("ext", socket.SOCK_STREAM, port) as server, (
            opener(here.vm, socket.SOCK_STREAM, here.world, port)) as mine:
        theirs, _ = server.accept()
        good = 0
        for i in range(40):
            mine.send(b"%4d" % i)
            theirs.send(theirs.recv(10))
            good += mine.recv(10) == b"%4d" % i
        yield "tcp", good
        own = mine.getsockname()[1]
        yield from here.gets("beside", None, sport=port, dport=own + 1,
                             flags=ACK)
        theirs.send(b"more")
        yield "push", mine.recv(10).decode()
        theirs.close()
        yield "end", len(mine.recv(10))


@case
def refused(here):
    """What ICMP says of a port that nobody listens at."""
    n = 0
    with opener(here.vm, socket.SOCK_DGRAM, here.world, CLOSED) as sock:
        sock.settimeout(1)
        for _ in range(N):
            try:
                sock.send(b"?")
                sock.recv(1)
            except ConnectionRefusedError:
                n += 1
            except TimeoutError:
                pass
    yield "refused", "yes" if n else "no"
    icmp, _, _, error = ICMP[here.family]
    yield from here.gets("error", None, protocol=icmp, dport=error)


def main(mode, vm, address):
    """Runs all cases."""
    here = Here(mode, vm, address)
    for function in CASES:
        try:
            for name, value in function(here):
                print(name, value, flush=True)
        except OSError as failure:
            print(f"{function.__name__} ! {failure!r}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
