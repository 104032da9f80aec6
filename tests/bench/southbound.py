# SPDX-License-Identifier: Apache-2.0
"""Measures how the daemon follows a Southbound database, for southbound.sh.

usage: southbound.py [--quick]

Writes the database itself, as many ports as it likes, where ovn-northd and
ovn-controller would otherwise.  The environment says where things are.
"""

import ipaddress
import os
import subprocess
import sys
import time

from figures import emit
from pieces import Database, Watcher

SANDBOX = os.environ["SANDBOX"]
PINS = os.environ["SANDBOX_PINS"]
IN_HV = ["nsenter", f"--net=/run/netns/{os.environ['SANDBOX_ID']}-hv", "--"]
LOCAL_NET = int(ipaddress.IPv4Address("10.64.0.0"))
REMOTE_NET = int(ipaddress.IPv4Address("10.128.0.0"))
PER_NETWORK = 1000  # Remote ports on a network.


def address(number):
    """Returns the address of local port 'number'."""
    return str(ipaddress.IPv4Address(LOCAL_NET + number))


def insert(table, row, name=None):
    """Returns an operation."""
    operation = {"op": "insert", "table": table, "row": row}
    if name:
        operation["uuid-name"] = name
    return operation


def row_is(result):
    """Returns the condition that only the row meets that an insert has made.
    OVN names rows so too: the server looks through the table for anything
    else."""
    return [["_uuid", "==", result["uuid"]]]


def network_row(key, name):
    """Returns a row for a logical switch."""
    return {"tunnel_key": key, "external_ids": ["map", [["name", name]]]}


def port_row(datapath, key, name, ip, chassis):
    """Returns a row for the port of a VM."""
    octets = (number_of(ip) >> shift & 0xff for shift in (16, 8, 0))
    mac = "fa:16:3e:" + ":".join(f"{octet:02x}" for octet in octets)
    return {"datapath": datapath, "tunnel_key": key, "logical_port": name,
            "mac": f"{mac} {ip}", "chassis": chassis, "up": True}


def number_of(ip):
    """Returns an address as a number."""
    return int(ipaddress.IPv4Address(ip))


class Cloud:
    """What is in the database."""

    def __init__(self):
        self.sb = Database("OVN_Southbound", f"{SANDBOX}/ovnsb_db.sock")
        rows = self.sb.transact([
            {"op": "select", "table": "Chassis", "columns": ["_uuid"],
             "where": [["name", "==", "here"]]},
            insert("Encap", {"type": "geneve", "ip": "203.0.113.9",
                             "chassis_name": "other"}, "encap"),
            insert("Chassis", {"name": "other", "hostname": "other",
                               "encaps": ["named-uuid", "encap"]})])
        self.here = rows[0]["rows"][0]["_uuid"]
        self.other = rows[2]["uuid"]
        self.local = []     # What the server said of the local ports.
        self.remote = []    # Pairs of an operation and what came of it.

    def fill(self, n_local, n_remote):
        """Makes 'n_local' ports on this chassis and 'n_remote' elsewhere the
        only ones."""
        self.sb.transact([{"op": "delete", "table": table, "where": []}
                          for table in ("Port_Binding", "Datapath_Binding")])
        network = self.add_network(1, "public")
        self.sb.transact([insert("Port_Binding", {
            "datapath": network, "tunnel_key": 32767, "type": "localnet",
            "logical_port": "provnet-public", "mac": "unknown",
            "options": ["map", [["network_name", "physnet1"]]]})])
        self.local = self.sb.transact_many(
            insert("Port_Binding", port_row(
                network, 1 + i, f"local-{i}", address(i), self.here))
            for i in range(n_local))
        self.remote = []
        for first in range(0, n_remote, PER_NETWORK):
            self.add_remote(first, min(PER_NETWORK, n_remote - first))

    def add_network(self, key, name):
        """Adds a logical switch and returns its row."""
        return self.sb.transact([insert("Datapath_Binding",
                                        network_row(key, name))])[0]["uuid"]

    def add_remote(self, first, n):
        """Adds a network with 'n' ports on another chassis."""
        network = self.add_network(2 + first, f"tenant-{first}")
        inserts = []
        for i in range(first, first + n):
            ip = str(ipaddress.IPv4Address(REMOTE_NET + i))
            inserts.append(insert("Port_Binding", port_row(
                network, 1 + i - first, f"remote-{i}", ip, self.other)))
        self.remote += zip(inserts, self.sb.transact_many(inserts))

    def change(self, number, chassis, watcher):
        """Moves local port 'number' to 'chassis'.  Returns nanoseconds until
        the map has followed, and until the database has answered."""
        watcher.expect("+" if chassis == self.here else "-", address(number))
        start = time.monotonic_ns()
        self.sb.send([{"op": "update", "table": "Port_Binding",
                       "where": row_is(self.local[number]),
                       "row": {"chassis": chassis}}])
        self.sb.finish()
        answered = time.monotonic_ns()
        return watcher.when() - start, answered - start

    def churn(self, n):
        """Replaces 'n' ports of other chassis, ten at a time."""
        for i in range(0, min(n, len(self.remote)), 10):
            some = self.remote[i:i + 10]
            self.sb.transact([{"op": "delete", "table": "Port_Binding",
                               "where": row_is(result)}
                              for _, result in some])
            results = self.sb.transact([operation for operation, _ in some])
            self.remote[i:i + 10] = [
                (operation, result)
                for (operation, _), result in zip(some, results)]


class Daemon:
    """ovn-xdpd."""

    def __init__(self):
        self.ctl = f"{SANDBOX}/ovn-xdpd.ctl"
        self.started = time.monotonic_ns()
        # nsenter becomes the daemon, so that the process is the daemon's.
        self.process = subprocess.Popen(
            IN_HV + [os.environ["OVN_XDPD"], "-vconsole:err", "--no-chdir",
                     "--log-file", f"--pin-dir={PINS}",
                     f"--unixctl={self.ctl}", f"unix:{SANDBOX}/db.sock"],
            stdin=subprocess.DEVNULL)

    def stop(self):
        """Ends it and takes the datapath away."""
        subprocess.run(["ovs-appctl", "-t", self.ctl, "exit", "--cleanup"],
                       check=True)
        self.process.wait()

    def resident(self):
        """Returns its resident memory in MiB."""
        path = f"/proc/{self.process.pid}/status"
        with open(path, encoding="ascii") as f:
            fields = dict(line.split(":", 1) for line in f)
        return int(fields["VmRSS"].split()[0]) / 1024

    def settle(self):
        """Waits until it has had nothing to do for half a second."""
        last, since = self.cpu(), time.monotonic()
        while time.monotonic() < since + 0.5:
            time.sleep(0.1)
            if self.cpu() != last:
                last, since = self.cpu(), time.monotonic()

    def cpu(self):
        """Returns how many milliseconds of processor time it has had."""
        tasks = f"/proc/{self.process.pid}/task"
        total = 0
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/schedstat", encoding="ascii") as f:
                total += int(f.read().split()[0])
        return total / 1e6


def measure_changes(cloud, watcher, n_local, n_changes):
    """Measures changes of single ports."""
    cloud.fill(n_local, 0)
    daemon = Daemon()
    watcher.expect("+", address(0), n_local)
    watcher.when()
    followed, answered = [], []
    for i in range(n_changes):
        number = i // 2 * 7919 % n_local
        chassis = ["set", []] if i % 2 == 0 else cloud.here
        map_ns, reply_ns = cloud.change(number, chassis, watcher)
        followed.append(map_ns / 1e6)
        answered.append(reply_ns / 1e6)
    daemon.stop()
    emit("Southbound change to map entry", f"{n_local} local endpoints", "ms",
         followed, ("the database's answer", answered), {"max": 5})


def measure_start(cloud, watcher, n_local, n_starts):
    """Returns the milliseconds from start to the last entry."""
    cloud.fill(n_local, 0)
    times = []
    for _ in range(n_starts):
        daemon = Daemon()
        watcher.expect("+", address(0), n_local)
        times.append((watcher.when() - daemon.started) / 1e6)
        daemon.stop()
    return times


def measure_size(cloud, watcher, n_remote, n_churn, seconds):
    """Returns figures of the daemon with 100 local ports in a cloud: MiB, and
    processor time in ms per second idle and per 1000 changes of others."""
    cloud.fill(100, n_remote)
    daemon = Daemon()
    watcher.expect("+", address(0), 100)
    watcher.when()
    daemon.settle()
    begun, before = time.monotonic(), daemon.cpu()
    while time.monotonic() < begun + seconds:
        time.sleep(0.1)
    idle = (daemon.cpu() - before) / (time.monotonic() - begun)
    before = daemon.cpu()
    cloud.churn(n_churn)
    daemon.settle()
    churn = (daemon.cpu() - before) * 1000 / n_churn
    resident = daemon.resident()
    daemon.stop()
    return resident, idle, churn


def report_sizes(small, large, n_large):
    """Prints the figures of two clouds, the large beside the small."""
    names = ((f"resident, 100 of {n_large}", "MiB", {"max": 40}),
             (f"idle, 100 of {n_large}", "ms per s", None),
             (f"1000 changes elsewhere, 100 of {n_large}", "ms", None))
    for (name, unit, goal), one, other in zip(names, small, large):
        emit(f"ovn-xdpd in a large cloud ({unit})", name, unit, [other],
             ("100 of 1000", [one]), goal)


def main():
    """Measures everything."""
    quick = "--quick" in sys.argv[1:]
    cloud = Cloud()
    watcher = Watcher(PINS)
    for n_local in (10, 1000) if quick else (10, 1000, 10000):
        measure_changes(cloud, watcher, n_local, 40 if quick else 600)
    many = 1000 if quick else 10000
    few = measure_start(cloud, watcher, 10, 1 if quick else 5)
    emit("start to fully programmed", f"{many} local endpoints", "ms",
         measure_start(cloud, watcher, many, 1 if quick else 5),
         ("10 endpoints", few), {"max": 1000})
    large = 3000 if quick else 100000
    small = measure_size(cloud, watcher, 1000, 100 if quick else 1000,
                         1 if quick else 5)
    report_sizes(small, measure_size(cloud, watcher, large,
                                     100 if quick else 1000,
                                     1 if quick else 5), large)
    watcher.close()


if __name__ == "__main__":
    main()
