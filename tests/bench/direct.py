# SPDX-License-Identifier: Apache-2.0
"""Figures of layer L3, for direct.sh.

usage: direct.py FILE

Each line of FILE is a sample: what it is about, whether layer L3 was "on" or
"off" (or "bare": a program that only redirects), and the number.  A subject
"processor, ..." is what ovs-vswitchd took during the one that it names.
"""

import sys

from figures import emit

SLOW = "by way of OVN"
STREAMS = {"1": "1 flow", "1024": "1,024 flows"}
BULK = {"in": "from outside to a floating IP", "out": "from a VM to outside"}
ANSWERS = {"answer": "where the scheduler puts both",
           "answer on one": "both on one CPU"}
OTHERS = {"answer": "short answers", "answer on one": "short answers, one CPU",
          "connections": "new connections"}


def read(path):
    """Returns samples by subject and mode."""
    samples = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            subject, mode, value = line.rstrip("\n").split("\t")
            samples.setdefault((subject, mode), []).append(float(value))
    return samples


class Figures:
    """Prints figures of samples."""

    def __init__(self, samples):
        self.samples = samples

    def emit(self, group, unit, subject, name, goal=None, scale=1):
        """Prints what layer L3 makes of 'subject'."""
        on, off = ([x * scale for x in self.samples[subject, mode]]
                   for mode in ("on", "off"))
        emit(group, name, unit, on, (SLOW, off), goal)

    def streams(self):
        """Prints how many packets arrive, beside what a program that only
        redirects delivers, and beside OVN."""
        group, unit = "packets of 60 bytes to a VM", "million per second"
        for subject, name in STREAMS.items():
            on, bare = (self.samples[f"by turns, {subject}", mode]
                        for mode in ("on", "bare"))
            emit(group + " and a bare redirect", name, unit, on,
                 ("bare redirect", bare), {"least": .9})
        for subject, name in STREAMS.items():
            self.emit(group, unit, subject, name)

    def connections(self):
        """Prints what TCP gains."""
        for subject, name in BULK.items():
            self.emit("bulk TCP, direct", "Mbit/s", subject, name,
                      {"least": 5})
        for subject, name in ANSWERS.items():
            # Two CPUs wake each other up, however short the way is.
            goal = {"ratio": .2} if subject == "answer on one" else None
            self.emit("TCP, 64 bytes and as many back", "us", subject, name,
                      goal, 1e-3)
        self.emit("new TCP connections", "per second", "connections", "direct",
                  {"least": .9})

    def processor(self):
        """Prints what ovs-vswitchd does meanwhile."""
        for subject, name in (STREAMS | BULK | OTHERS).items():
            self.emit("processor time of ovs-vswitchd", "% of a processor",
                      f"processor, {subject}", name)


def main(path):
    """Prints all figures."""
    figures = Figures(read(path))
    figures.streams()
    figures.connections()
    figures.processor()


if __name__ == "__main__":
    main(*sys.argv[1:])
