# SPDX-License-Identifier: Apache-2.0
"""Measures how long a floating IP takes from the Northbound database into the
map, beside how long ovn-controller takes to install its flows, for cloud.sh.

usage: northbound.py [--quick]

Both follow the same transaction of ovn-northd.
"""

import os
import queue
import subprocess
import sys
import threading
import time

from figures import emit
from pieces import Database, Watcher

SANDBOX = os.environ["SANDBOX"]
FIP = "172.24.100.120"
QUIET = 0.3         # Seconds after which no more flows are expected.


class Flows:
    """The flows of br-int that come and go."""

    def __init__(self):
        self.times = queue.Queue()
        self.process = subprocess.Popen(
            ["ovs-ofctl", "monitor", "br-int", "watch:!initial"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True)
        # The switch's answer: from here on it tells every change.
        self.process.stdout.readline()
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        """Notes when a flow about FIP has changed."""
        for line in self.process.stderr:
            if FIP in line:
                self.times.put(time.monotonic_ns())

    def last(self):
        """Returns when the last of the flows has changed, which some must."""
        latest = self.times.get(timeout=30)
        try:
            while True:
                latest = self.times.get(timeout=QUIET)
        except queue.Empty:
            return latest

    def close(self):
        """Ends it."""
        self.process.terminate()
        self.process.wait()


def change(db, added):
    """Adds FIP to router r1, distributed as Neutron does it, or takes it
    away."""
    where = [["name", "==", "r1"]]
    if added:
        db.transact([
            {"op": "insert", "table": "NAT", "uuid-name": "nat",
             "row": {"type": "dnat_and_snat", "external_ip": FIP,
                     "logical_ip": "10.1.0.12", "logical_port": "vm2",
                     "external_mac": "fa:16:3e:00:01:12"}},
            {"op": "mutate", "table": "Logical_Router", "where": where,
             "mutations": [["nat", "insert", ["set", [
                 ["named-uuid", "nat"]]]]]}])
        return
    rows = db.transact([{"op": "select", "table": "NAT", "columns": ["_uuid"],
                         "where": [["external_ip", "==", FIP]]}])
    uuid = rows[0]["rows"][0]["_uuid"]
    db.transact([{"op": "mutate", "table": "Logical_Router", "where": where,
                  "mutations": [["nat", "delete", ["set", [uuid]]]]}])


def main():
    """Adds and removes the floating IP again and again."""
    db = Database("OVN_Northbound", f"{SANDBOX}/ovnnb_db.sock")
    watcher = Watcher(os.environ["SANDBOX_PINS"])
    flows = Flows()
    in_map, in_flows = [], []
    for i in range(4 if "--quick" in sys.argv[1:] else 40):
        watcher.expect("-" if i % 2 else "+", FIP)
        start = time.monotonic_ns()
        change(db, i % 2 == 0)
        in_map.append((watcher.when() - start) / 1e6)
        in_flows.append((flows.last() - start) / 1e6)
    flows.close()
    watcher.close()
    emit("Northbound change to effect", "floating IP in the map", "ms", in_map,
         ("ovn-controller's last flow", in_flows))


if __name__ == "__main__":
    main()
