# SPDX-License-Identifier: Apache-2.0
"""A flood of SYNs, and how soon a changed rule is followed, for acl.sh.

usage: acl.py flood OWN-MAC PEER-MAC ADDRESS PORT
       acl.py figures BULK RATES
       acl.py changes NAMESPACE BPF-RUN OWN-MAC PEER-MAC ADDRESS [--quick]

'flood' sends as fast as it can out of wan0, from many addresses, until
SIGTERM, and prints how many frames per second that were.  'figures' prints
figures of lines "NAME MEGABITS", the first of which is the reference, and of
those rates.  'changes' opens and closes a port again and again, and measures
when the program of the NIC follows and when the last flow of ovn-controller
does: both follow the same transaction of ovn-northd.
"""

import os
import queue
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "system"))
# pylint: disable=wrong-import-position
from acl_packets import Packet, Subject  # noqa: E402
from acl_world import Northbound, Program, insert  # noqa: E402
from figures import emit  # noqa: E402

OPEN = 31999        # The port that is opened and closed.
QUIET = 0.3         # Seconds after which no more flows are expected.
SENDERS = 4096


def flood(own, peer, address, port):
    """Sends SYNs until SIGTERM."""
    frames = [Packet(Subject("", address, ""), "", f"198.18.{i >> 8}.{i & 255}",
                     dport=int(port)).frame(own, peer)
              for i in range(SENDERS)]
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind(("wan0", 0))
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    start = time.monotonic()
    sent = 0
    while not stopped:
        for frame in frames:
            try:
                sock.send(frame)
                sent += 1
            except OSError:
                pass  # The ring of the NIC is full.
    print(int(sent / (time.monotonic() - start)))


def print_figures(bulk, rates):
    """Prints figures of what acl.sh has noted."""
    samples = {}
    with open(bulk, encoding="ascii") as f:
        for line in f:
            name, megabits = line.rsplit(" ", 1)
            samples.setdefault(name, []).append(float(megabits))
    reference = next(iter(samples))
    for name, numbers in samples.items():
        if name != reference:
            emit("bulk TCP in a flood of SYNs to a closed port", name,
                 "Mbit/s", numbers, (reference, samples[reference]))
    with open(rates, encoding="ascii") as f:
        emit("bulk TCP in a flood of SYNs to a closed port", "the flood",
             "SYNs/s", [int(line) for line in f])


class Flows:
    """The flows of br-int about the port that come and go."""

    def __init__(self):
        self.times = queue.Queue()
        # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            ["ovs-ofctl", "monitor", "br-int", "watch:!initial"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        # The switch's answer: from here on it tells every change.
        self.process.stdout.readline()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """Notes when a flow about the port has changed."""
        for line in self.process.stderr:
            if f"tp_dst={OPEN}" in line:
                self.times.put(time.monotonic_ns())

    def last(self):
        """Returns when the last of the flows has changed, which some must."""
        latest = self.times.get(timeout=30)
        try:
            while True:
                latest = self.times.get(timeout=QUIET)
        except queue.Empty:
            return latest


def change(northbound, opened):
    """Opens the port, or closes it."""
    match = f"outport == @web && ip4 && tcp && tcp.dst == {OPEN}"
    if opened:
        northbound.transact(
            {**insert("ACL", match=match, priority=1002, direction="to-lport",
                      action="allow-related"), "uuid-name": "rule"},
            mutate("insert", ["named-uuid", "rule"]))
        return
    rows = northbound.transact({
        "op": "select", "table": "ACL", "columns": ["_uuid"],
        "where": [["match", "==", match]]})[0]["rows"]
    northbound.transact(mutate("delete", rows[0]["_uuid"]))


def mutate(mutator, uuid):
    """Returns the operation that changes the rules of group 'web'."""
    return {"op": "mutate", "table": "Port_Group",
            "where": [["name", "==", "web"]],
            "mutations": [["acls", mutator, ["set", [uuid]]]]}


def changes(namespace, bpf_run, own, peer, address, *options):
    """Prints how soon a changed rule is followed."""
    program = Program(namespace, bpf_run)
    frame = Packet(Subject("", address, ""), "", "198.51.100.1",
                   dport=OPEN).frame(own, peer)
    northbound = Northbound()
    flows = Flows()
    followed = {True: [], False: []}
    in_flows = {True: [], False: []}
    for i in range(4 if "--quick" in options else 60):
        opened = i % 2 == 0
        start = time.monotonic_ns()
        change(northbound, opened)
        while (program.verdict(frame) == "drop") == opened:
            if time.monotonic_ns() - start > 30e9:
                sys.exit("the rule is not followed")
            time.sleep(0.0001)
        followed[opened].append((time.monotonic_ns() - start) / 1e6)
        in_flows[opened].append((flows.last() - start) / 1e6)
    flows.process.terminate()
    for opened, name in ((True, "an allow rule comes"),
                         (False, "an allow rule goes")):
        emit("Northbound change to effect", name, "ms", followed[opened],
             ("ovn-controller's last flow", in_flows[opened]))


def main(argv):
    """Does what the first word says."""
    programs = {"flood": flood, "figures": print_figures, "changes": changes}
    if len(argv) < 2 or argv[1] not in programs:
        sys.exit(__doc__)
    programs[argv[1]](*argv[2:])


if __name__ == "__main__":
    main(sys.argv)
