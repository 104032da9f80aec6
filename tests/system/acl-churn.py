#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Changes the policy of a port all the time, and looks at what is dropped.

usage: acl-churn.py NAMESPACE BPF-RUN OWN-MAC PEER-MAC PORT ADDRESS SECONDS

Some packets are let in by the policy at each moment, some at none; the rules,
the members of address sets and the prefixes around them come and go.  No
packet of the first kind may be dropped, whatever ovn-xdp is about to change.
Ends with lines "NAME NUMBER":

changes   transactions in the Northbound
asked     packets that are always let in
wrong     how many of them were dropped
denied    packets that are never let in
dropped   how many of them were dropped
"""

import collections
import random
import sys
import threading
import time

from acl_packets import Packet, Subject
from acl_world import Northbound, Program, insert

# In $friends all the time, and never in $enemies.
FRIENDS = ("203.0.113.5", "203.0.113.64/26", "11.0.0.1", "93.1.0.0/16")
LET_IN = (("203.0.113.5", 80), ("203.0.113.64", 80), ("203.0.113.127", 80),
          ("11.0.0.1", 80), ("93.1.255.255", 80), ("198.51.100.1", 22),
          ("203.0.113.5", 22), ("11.0.0.1", 22))
NEVER = (("198.51.100.1", 23), ("45.0.0.1", 80), ("45.0.0.1", 23))

# These come and go in $friends: around the members, within them, beside them.
GUESTS = ("203.0.113.0/24", "203.0.112.0/23", "203.0.113.4/31",
          "203.0.113.64/27", "203.0.113.96", "11.0.0.0/8", "11.0.0.0/31",
          "93.0.0.0/8", "93.1.128.0/17", "93.1.255.255", "128.0.0.0/2")

# And these in $enemies.
ENEMIES = ("203.0.113.6", "203.0.113.128/25", "11.0.0.2", "93.2.0.0/16",
           "45.0.0.0/8", "45.0.0.1", "198.51.100.2", "92.0.0.0/8")
PORTS = (80, 443, 1024, 8080)


class Churn:
    """The policy, and those who look."""

    def __init__(self, argv):
        self.world = argv[1:3]
        self.macs = argv[3:5]
        self.port = argv[5]
        self.subject = Subject(self.port, argv[6], "")
        self.seconds = float(argv[7])
        self.northbound = Northbound()
        self.random = random.Random(1)
        self.counts = collections.Counter(
            {"changes": 0, "asked": 0, "wrong": 0, "denied": 0, "dropped": 0})
        self.done = False

    def begin(self):
        """Makes the policy."""
        rules = [("rule0", 1002, "allow-related", "tcp.dst == 22"),
                 ("rule1", 1002, "allow-related",
                  "ip4.src == $friends && tcp && tcp.dst == 80"),
                 ("rule2", 1005, "drop", "ip4.src == $enemies && tcp"),
                 ("rule3", 1000, "drop", "")]
        self.northbound.transact(
            *({"op": "delete", "table": table, "where": []}
              for table in ("Port_Group", "Address_Set")),
            insert("Address_Set", name="friends",
                   addresses=["set", list(FRIENDS)]),
            insert("Address_Set", name="enemies", addresses=["set", []]),
            *(self.rule(*rule) for rule in rules),
            insert("Port_Group", name="churn",
                   ports=self.northbound.ports[self.port],
                   acls=["set", [["named-uuid", rule[0]] for rule in rules]]))

    @staticmethod
    def rule(name, priority, action, match):
        """Returns the operation that makes a rule."""
        match = f"outport == @churn && ip4 && {match}".removesuffix(" && ")
        return {**insert("ACL", match=match, priority=priority, action=action,
                         direction="to-lport"), "uuid-name": name}

    def change(self):
        """Makes a random change."""
        kind = self.random.randrange(6)
        if kind < 4:
            name, all_, base = (("friends", GUESTS, FRIENDS) if kind < 2
                                else ("enemies", ENEMIES, ()))
            count = self.random.randrange(len(all_) + 1)
            members = [*base, *self.random.sample(all_, count)]
            self.northbound.transact({
                "op": "update", "table": "Address_Set",
                "where": [["name", "==", name]],
                "row": {"addresses": ["set", members]}})
        elif kind == 4:
            port = self.random.choice(PORTS)
            self.add_rule("allow-related", 1003, self.random.choice((
                f"tcp && tcp.dst == {port}", f"tcp && tcp.dst == {port} && "
                "ip4.src == 11.0.0.0/8", f"udp && udp.dst >= {port}",
                "ip4.src == $friends && icmp4")))
        else:
            self.add_rule("drop", 1004, self.random.choice((
                "ip4.src == 92.0.0.0/7 && tcp.dst == 81", "tcp.dst == 21",
                "ip4.src == 203.0.113.5 && tcp.dst == 79",
                "ip4.src == $enemies")))
        self.counts["changes"] += 1

    def add_rule(self, action, priority, match):
        """Makes this the only rule of 'priority'."""
        if match.startswith("tcp && tcp.dst == 80"):
            match += " && ip4.src == $friends"
        old = self.northbound.transact({
            "op": "select", "table": "ACL", "columns": ["_uuid"],
            "where": [["priority", "==", priority]]})[0]["rows"]
        self.northbound.transact(
            self.rule("new", priority, action, match),
            {"op": "mutate", "table": "Port_Group", "where": [],
             "mutations": [["acls", "delete",
                            ["set", [row["_uuid"] for row in old]]],
                           ["acls", "insert",
                            ["set", [["named-uuid", "new"]]]]]})

    def look(self, packets, all_, bad):
        """Asks the program about 'packets' until the end."""
        program = Program(*self.world)
        frames = [(packet, Packet(self.subject, "syn", packet[0],
                                  dport=packet[1]).frame(*self.macs))
                  for packet in packets]
        while not self.done:
            for packet, frame in frames:
                self.counts[all_] += 1
                if program.verdict(frame) == "drop":
                    self.counts[bad] += 1
                    if bad == "wrong" and self.counts[bad] < 10:
                        print(f"dropped: {packet} after "
                              f"{self.counts['changes']} changes")
            time.sleep(0.001)

    def run(self):
        """Does it all."""
        self.begin()
        threads = [threading.Thread(target=self.look, args=args) for args in
                   ((LET_IN, "asked", "wrong"), (NEVER, "denied", "dropped"))]
        end = time.monotonic() + self.seconds
        for thread in threads:
            thread.start()
        try:
            while time.monotonic() < end:
                self.change()
                time.sleep(self.random.choice((0, 0.01, 0.05, 0.1)))
        finally:
            self.done = True
            for thread in threads:
                thread.join()


def main(argv):
    """Runs it and prints what has come of it."""
    churn = Churn(argv)
    churn.run()
    for name, number in churn.counts.items():
        print(name, number)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
