#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Sends real packets through OVN, with ovn-xdp-acl=off and =drop.

usage: acl-delivery.py SANDBOX-ID BPF-RUN OWN-MAC PEER-MAC BRIDGE-MAC <SUBJECTS

SUBJECTS is as for acl-proof.py, and so are the policies and packets; but that
no two rules of one priority contradict, since it is open what OVN then does.  Each
packet goes out of 'ext' as a frame, with a number in it; it is delivered if
it comes out of OVN at the port that it is for.  One that is not is sent up to
three times, since a busy machine may lose it.  Ends with lines "NAME NUMBER":

packets    how many different ones there were
delivered  how many of them OVN delivered when nothing was dropped
lost       how many of those not, when ovn-xdp dropped
more       how many only then, which would be odd
dropped    frames that the program said it would drop
counted    frames that "endpoints" says were dropped
misjudged  packets of which ovn-trace says something else than what happens
           to the first packet of a connection: the other proof relies on it
late       rounds in which ovn-xdp did not follow
"""

import collections
import ctypes
import os
import select
import socket
import struct
import subprocess
import sys
import time

from acl_packets import Maker, Packet, Subject
from acl_policies import MARK, Round
from acl_world import (NIC, Northbound, Program, Tracer, all_drops, await_,
                       outcome, refresh, run, set_acl, settle)

MARKER = "marker"
ROUNDS = (0, 2, 3, 4)   # One of each mode.
PACKETS = 25            # To each port in a round.
TRIES = 3
MAGIC = b"deliver!"
BATCH = 50              # Frames that no queue is too short for.


def device_socket(namespace, device):
    """Returns a socket for all frames of 'device' in 'namespace'."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net", "rb") as home, open(
            f"/run/netns/{namespace}", "rb") as away:
        if libc.setns(away.fileno(), 0):
            sys.exit(f"{namespace}: {os.strerror(ctypes.get_errno())}")
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                             socket.htons(3))
        sock.bind((device, 3))
        libc.setns(home.fileno(), 0)
    sock.setblocking(False)
    return sock


class Delivery:
    """The packets and what becomes of them."""

    def __init__(self, argv, lines):
        self.program = Program(f"{argv[1]}-hv", argv[2])
        self.macs = argv[3:5]
        self.bridge_mac = argv[5]
        self.northbound = Northbound()
        self.counts = collections.Counter()
        self.subjects = [Subject(*line.split()) for line in lines]
        self.marker = [s for s in self.subjects if s.port == MARKER][0]
        self.ports = sorted({s.port for s in self.subjects} - {MARKER})
        self.out = device_socket(f"{argv[1]}-ext", "wan0")
        self.out.setblocking(True)
        self.inputs = {device_socket(f"{argv[1]}-hv", f"tap-{port}"): port
                       for port in [*self.ports, MARKER]}
        self.number = 0        # Of the last sentinel.
        self.marked = 0        # Number of the last one that arrived.

    def mark(self, number, payload=b""):
        """Returns the frame of a packet to the marker's port NUMBER."""
        return Packet(self.marker, "syn", "198.51.100.1", dport=MARK + number,
                      payload=payload).frame(*self.macs)

    def receive(self, arrived):
        """Adds what is here to 'arrived', as pairs of port and number."""
        for sock in select.select(list(self.inputs), [], [], 0.01)[0]:
            port = self.inputs[sock]
            while True:
                try:
                    frame = sock.recv(4096)
                except BlockingIOError:
                    break
                place = frame.rfind(MAGIC)
                if place < 0:
                    continue
                number = struct.unpack_from("!I", frame, place + 8)[0]
                if port == MARKER:
                    self.marked = number
                else:
                    arrived.add((port, number))

    def flush(self, round_, arrived):
        """Waits until OVN has done what came before.  It does one after the
        other, so a packet to the marker comes out last."""
        self.number += 1
        end = time.monotonic() + 20
        while self.marked != self.number:
            if time.monotonic() > end:
                raise RuntimeError("the marker gets nothing")
            self.out.send(self.mark(round_.number, MAGIC + struct.pack(
                "!I", self.number)))
            for _ in range(20):
                self.receive(arrived)
                if self.marked == self.number:
                    break

    def send(self, round_, packets):
        """Sends 'packets', and returns the numbers of those delivered, and
        how often each was sent."""
        arrived, sent = set(), collections.Counter()
        for _ in range(TRIES):
            missing = [n for n, packet in enumerate(packets)
                       if (packet.subject.port, n) not in arrived]
            for i in range(0, len(missing), BATCH):
                for n in missing[i:i + BATCH]:
                    self.out.send(packets[n].frame(*self.macs))
                    sent[n] += 1
                self.flush(round_, arrived)
        return {n for port, n in arrived
                if packets[n].subject.port == port}, sent

    def packets(self, round_):
        """Returns the packets of 'round_', with their numbers in them."""
        inside = {family: [s.address for s in self.subjects
                           if s.family == family] for family in (4, 6)}
        maker = Maker(round_, inside)
        packets = []
        for port in self.ports:
            subjects = [s for s in self.subjects if s.port == port]
            for i in range(PACKETS):
                packet = maker.packet(subjects[i % len(subjects)])
                packet.cut = 0
                if packet.dport == 53:
                    packet.dport = 54  # OVN's DNS takes its time.
                packet.payload = MAGIC + struct.pack("!I", len(packets))
                packets.append(packet)
        return packets

    def closed(self, verdict):
        """Tells whether the program's verdict on the marker's closed port is
        'verdict'."""
        return self.program.verdict(self.mark(-1)) == verdict

    def start_dropping(self, number):
        """Has ovn-xdp drop what round NUMBER says; tells whether it does."""
        refresh()
        set_acl("drop")
        settle()
        return (await_(lambda: self.closed("drop")) and
                await_(lambda: self.program.verdict(
                    self.mark(number)) == "redirect"))

    def round(self, number):
        """Does round NUMBER."""
        round_ = Round(os.environ.get("OVN_XDP_PROOF") or "1", number,
                       self.ports, MARKER, ties=False,
                       tiers=self.northbound.tiers)
        self.northbound.replace(round_)
        run("ovn-nbctl", "--timeout=20", "--wait=hv", "sync")
        set_acl("off")
        if not await_(lambda: self.closed("redirect")):
            print("not off")
            self.counts["late"] += 1
        packets = self.packets(round_)
        refresh()
        without, _ = self.send(round_, packets)
        self.compare(packets, without)
        if not self.start_dropping(number):
            print(f"round {number} ({round_.mode}): not in step")
            self.counts["late"] += 1
            return
        drops = {n for n, packet in enumerate(packets)
                 if self.program.verdict(packet.frame(*self.macs)) == "drop"}
        before = all_drops()
        with_, sent = self.send(round_, packets)
        self.note(round_, packets, without, with_)
        self.counts["dropped"] += sum(sent[n] for n in drops)
        self.counts["counted"] += all_drops() - before

    def compare(self, packets, delivered):
        """Compares the numbers of those 'delivered' with what ovn-trace says
        of 'packets'."""
        tracer = Tracer("new", "new")
        for n, packet in enumerate(packets):
            flow = packet.microflow("provnet-public", self.bridge_mac)
            if packet.never() or not packet.dport:
                continue  # Port 0 is none for conntrack.
            said = outcome(tracer.trace("public", flow)) == "delivered"
            if n in delivered and not said or (
                    said and n not in delivered and packet.clean_syn()):
                print(f"ovn-trace says {said}: {flow}")
                self.counts["misjudged"] += 1
        tracer.close()

    def note(self, round_, packets, without, with_):
        """Counts what was delivered in both cases."""
        self.counts["packets"] += len(packets)
        self.counts["delivered"] += len(without)
        self.counts["lost"] += len(without - with_)
        self.counts["more"] += len(with_ - without)
        for n in without ^ with_:
            print(f"round {round_.number} ({round_.mode}): delivered only "
                  f"{'without' if n in without else 'with'}: "
                  f"{packets[n].microflow(NIC, self.macs[1])}")


def main(argv):
    """Does all rounds and prints what has come of them."""
    delivery = Delivery(argv, sys.stdin)
    for name in ("packets", "delivered", "lost", "more", "dropped", "counted",
                 "late", "misjudged"):
        delivery.counts[name] = 0
    for number in ROUNDS:
        try:
            delivery.round(number)
        except subprocess.CalledProcessError as error:
            sys.exit(f"{error}: {error.stderr}")
    for name, number in delivery.counts.items():
        print(name, number)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
