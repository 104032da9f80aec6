#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what ovn-xdp drops with what OVN drops, by random policies.

usage: acl-proof.py NAMESPACE BPF-RUN OWN-MAC PEER-MAC BRIDGE-MAC <SUBJECTS

Each line of SUBJECTS is PORT ADDRESS MAC: a logical port, the address by which
it is reached from outside, and the MAC address by which OVN then takes it.
Port "marker" tells when ovn-xdp is in step.  OVN_XDP_PROOF may have SEED,
SEED:ROUNDS or SEED:ROUNDS:PACKETS: how often all ports get new policies, and
how many packets each port then gets.

OVN's verdict comes from ovn-trace, ovn-xdp's from the program on the NIC.  Ends
with lines "NAME NUMBER", for the script to judge:

policies, packets    how many there were
wrong                dropped, although OVN would or might deliver it, or would
                     answer or log it
late                 rounds in which ovn-xdp did not follow
dropped              dropped rightly
delivered            those that OVN delivers
missed               TCP SYNs to ports with Neutron's policies which OVN drops,
                     and ovn-xdp did not
uncounted            drops that "endpoints" does not show
"""

import collections
import os
import sys

from acl_packets import Maker, Packet, Subject
from acl_policies import MARK, Round
from acl_world import (Northbound, Program, Tracer, all_drops, await_, ctl,
                       outcome)

MARKER = "marker"


class Proof:
    """The comparison, and what has come of it."""

    def __init__(self, argv, lines):
        self.program = Program(argv[1], argv[2])
        self.macs = argv[3:5]
        self.bridge_mac = argv[5]
        self.northbound = Northbound()
        self.counts = collections.Counter()
        words = (os.environ.get("OVN_XDP_PROOF") or "1").split(":")
        self.seed, self.rounds, self.packets = (
            map(int, words + ["20", "50"][len(words) - 1:]))
        subjects = [Subject(*line.split()) for line in lines]
        self.marker = [s for s in subjects if s.port == MARKER][0]
        self.subjects = collections.defaultdict(list)
        for subject in subjects:
            if subject.port != MARKER:
                self.subjects[subject.port].append(subject)
        self.inside = {family: [s.address for s in subjects
                                if s.family == family] for family in (4, 6)}

    def verdict(self, packet):
        """Returns what the program does with 'packet'."""
        return self.program.verdict(packet.frame(*self.macs))

    def mark(self, number):
        """Returns what becomes of a packet to the marker's port NUMBER."""
        return self.verdict(Packet(self.marker, "syn", "198.51.100.1",
                                   dport=MARK + number))

    def in_step(self, number):
        """Tells whether ovn-xdp has the policies of round NUMBER, and drops.
        What it answers by RPC comes after all of that is written."""
        return (self.mark(number) != "drop" and self.mark(number - 1) == "drop"
                and bool(ctl("acls")))

    def run(self):
        """Does it all."""
        for number in range(self.rounds):
            round_ = Round(self.seed, number, list(self.subjects), MARKER,
                           tiers=self.northbound.tiers)
            self.northbound.replace(round_)
            if not await_(lambda n=number: self.in_step(n)):
                print(f"round {number} ({round_.mode}): not in step")
                self.counts["late"] += 1
                return
            self.compare(round_)

    def compare(self, round_):
        """Sends packets to all ports of 'round_'."""
        before = all_drops()
        dropped = self.counts["dropped"] + self.counts["wrong"]
        states = {port["logical_port"]: port for port in ctl("acls")}
        tracers = Tracer("new", "new"), Tracer("reply", "trk,est,rpl")
        maker = Maker(round_, self.inside)
        for port, subjects in self.subjects.items():
            self.counts["policies"] += 1
            enforced = states.get(port, {}).get("state") == "enforced"
            self.counts[f"ports-{round_.mode}"] += 1
            self.counts[f"enforced-{round_.mode}"] += enforced
            for i in range(self.packets):
                packet = maker.packet(subjects[i % len(subjects)])
                self.judge(round_, packet, tracers)
        for tracer in tracers:
            tracer.close()
        dropped = self.counts["dropped"] + self.counts["wrong"] - dropped
        if not await_(lambda: all_drops() - before == dropped, 2):
            shown = all_drops() - before
            print(f"round {round_.number}: {dropped} drops, {shown} shown")
            self.counts["uncounted"] += abs(shown - dropped)

    def outcomes(self, packet, tracers):
        """Returns what OVN may do with 'packet': all that is possible."""
        if packet.never():
            return {"delivered"}
        flow = packet.microflow("provnet-public", self.bridge_mac)
        asked = tracers[:1] if packet.clean_syn() else tracers
        return {outcome(tracer.trace("public", flow)) for tracer in asked}

    def judge(self, round_, packet, tracers):
        """Compares both verdicts on 'packet'."""
        outcomes = self.outcomes(packet, tracers)
        verdict = self.verdict(packet)
        counts, mode = self.counts, round_.mode
        counts["packets"] += 1
        counts["delivered"] += "delivered" in outcomes
        if verdict == "drop":
            right = outcomes == {"dropped"}
            counts["dropped" if right else "wrong"] += 1
            if not right:
                self.show(round_, packet, f"dropped, but {outcomes}")
        if (packet.clean_syn() and outcomes == {"dropped"}
                and packet.src not in self.inside[packet.family]):
            counts[f"syns-{mode}"] += 1
            counts[f"syns-dropped-{mode}"] += verdict == "drop"
            if verdict != "drop" and mode != "odd":
                counts["missed"] += 1
                self.show(round_, packet, "missed")
        if verdict != "drop" and outcomes == {"dropped"}:
            counts[f"passed-{packet.kind}"] += 1

    def show(self, round_, packet, what):
        """Prints all about a packet that was not as expected, the first ten
        times."""
        self.counts["shown"] += 1
        if self.counts["shown"] > 10:
            return
        port = packet.subject.port
        print(f"seed {self.seed} round {round_.number} ({round_.mode}): "
              f"{packet.kind} to {port} {what}: "
              f"{packet.microflow('provnet-public', self.bridge_mac)}")
        for rule in round_.rules_of(port):
            print(f"  {rule.priority} {rule.action} {rule.match} "
                  f"{rule.columns or ''}")
        for state in ctl("acls", port):
            print(f"  {state['state']} {state['reason']} "
                  f"{state['token']} {state['column']}")


def main(argv):
    """Runs the proof and prints what has come of it."""
    proof = Proof(argv, sys.stdin)
    for name in ("policies", "packets", "wrong", "late", "dropped", "delivered",
                 "missed", "uncounted"):
        proof.counts[name] = 0
    proof.run()
    for name, number in sorted(proof.counts.items()):
        print(name, number)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
