#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Very many flows from the world to a floating IP, for test-direct-many.sh.

usage: direct_many.py ADDRESS PORT FLOWS RATE

Sends RATE datagrams per second from as many addresses and ports outside as
make FLOWS flows, one after the other, round and round, until standard input
ends.  A server in vm1 takes them, and answers none.  Prints "running" once each
flow has had one.  For a line "last START MAX" it prints after how many
milliseconds the last datagram came in, counted from START in seconds since
1970: once none has come for a second, or MAX milliseconds are over.  For a line
"lost" it prints how many of those that it has sent since the last such line
have not come in.

The sandbox is that of the script: SANDBOX_ID.
"""

import select
import socket
import sys
import time

from acl_packets import Packet, Subject
from direct_net import counter, listener, wire

SOURCES = 64            # Addresses outside.
FIRST_PORT = 10000      # The first of the ports of each.
PAUSE = 0.002           # Seconds between bursts.
BURST = 100             # Datagrams at once: a veth's ring has room for 256.
QUIET = 1.0             # Seconds without a datagram that are an end.


def frames_of(address, port, flows):
    """Returns a frame of each flow, and the socket to send it by."""
    wan = wire("ext", "wan0")
    own = wan.getsockname()[4].hex(":")
    nic = wire("hv", "nic0").getsockname()[4].hex(":")
    subject = Subject("", address, "")
    return wan, [
        Packet(subject, "", f"198.51.100.{128 + i % SOURCES}",
               sport=FIRST_PORT + i // SOURCES, dport=port,
               protocol=17, payload=bytes(18)).frame(nic, own)
        for i in range(flows)]


class Sender:
    """Sends, and looks what comes in."""

    def __init__(self, address, port, flows, rate):
        self.wan, self.frames = frames_of(address, port, flows)
        self.rate = rate
        self.begun = time.monotonic()
        self.sent = self.told = self.come_told = 0
        self.come = self.arrived()
        self.changed = time.time()  # When the last one was seen to come in.

    @staticmethod
    def arrived():
        """Returns how many datagrams vm1 has got."""
        return sum(counter("vm1", "snmp", "Udp", field)
                   for field in ("InDatagrams", "InErrors"))

    def step(self):
        """Sends what is due, and looks once."""
        due = int((time.monotonic() - self.begun) * self.rate)
        # What is late is left out: a burst would be lost on its way.
        due = min(due, self.sent + BURST)
        for i in range(self.sent, due):
            self.wan.send(self.frames[i % len(self.frames)])
        if due == self.sent + BURST:
            self.begun = time.monotonic() - due / self.rate
        self.sent = due
        come = self.arrived()
        if come != self.come:
            self.come, self.changed = come, time.time()
        time.sleep(PAUSE)

    def last(self, start, limit):
        """Returns when the last datagram came, in ms after 'start'."""
        while time.time() < start + limit and (
                time.time() < max(start, self.changed) + QUIET):
            self.step()
        return round((self.changed - start) * 1000)

    def lost(self):
        """Returns how many are missing since the last call."""
        sent, self.told = self.sent - self.told, self.sent
        end = time.monotonic() + QUIET
        while self.come - self.come_told < sent and time.monotonic() < end:
            time.sleep(PAUSE)
            come = self.arrived()
            if come != self.come:
                self.come, self.changed = come, time.time()
                end = time.monotonic() + QUIET
        come, self.come_told = self.come - self.come_told, self.come
        self.begun = time.monotonic() - self.sent / self.rate
        return sent - come


def main(address, port, flows, rate):
    """Does what the script says on standard input."""
    server = listener("vm1", socket.SOCK_DGRAM, int(port))
    sender = Sender(address, int(port), int(flows), int(rate))
    while sender.sent < int(flows):
        sender.step()
    print("running", flush=True)
    while True:
        if not select.select([sys.stdin], [], [], 0)[0]:
            sender.step()
            continue
        words = sys.stdin.readline().split()
        if not words:
            break
        if words[0] == "last":
            print(sender.last(float(words[1]), int(words[2]) / 1000),
                  flush=True)
        else:
            print(sender.lost(), flush=True)
    server.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
