# SPDX-License-Identifier: Apache-2.0
"""Asks ovn-trace about the matches that test-acl-random prints.

Usage: acl-ovn.py CASES FIXTURE FOLDER

Each match becomes a logical flow of one switch, which a register tells from
the others.  ovn-trace reads flows as ovn-controller does: it leaves out those
that it cannot read, and says so."""

import json
import re
import shutil
import subprocess
import sys
import uuid

# Address sets that the matches name.
SETS = (("four", ["10.1.0.0/16"]), ("empty", []), ("six", ["2001:db8::/32"]),
        ("void", []))

# Matches, and whether OVN refuses them: what acl-term.c, acl-match.c and
# acl-flow.c rely on.
KNOWN = (
    ("ip4.src == $six", True),
    ("ip4.src == {0.0.0.0/0, $six}", True),
    ("tcp && udp && ip4.src == $nonesuch", True),
    ("outport == @nonesuch", True),
    ('outport == {"p", @nonesuch}', True),
    ("!tcp", True),
    ("icmp4.type != 3", True),
    ("tcp.dst < {1}", True),
    ("tcp.dst == 022", True),
    ("tcp && udp || ip4", True),
    ("ip6.src == 1.2.3.4", False),
    ("ip4 && ip4.src != $empty", False),
    ("tcp.dst == {22 80,}", False),
)


def read_cases(name):
    """Returns matches, as [text, understood, refused], and packets, as
    (index of its match, text, result)."""
    matches, packets = [], []
    with open(name) as lines:
        for line in lines:
            fields = line.rstrip("\n").split("\t")
            if fields[0] == "match":
                matches.append((fields[1], fields[2] == "1",
                                fields[3] == "1"))
            else:
                packets.append((len(matches) - 1, fields[1],
                                fields[2] == "1"))
    return matches, packets


def insert(table, row, name=None):
    """Returns an operation that inserts 'row'."""
    op = {"op": "insert", "table": table, "row": row}
    if name:
        op["uuid-name"] = name
    return op


def operations(texts):
    """Returns what makes a switch with a flow for each of 'texts'."""
    ids = [["logical-switch", str(uuid.uuid4())], ["name", "asked"]]
    switch = ["named-uuid", "switch"]
    ops = ["OVN_Southbound",
           insert("Datapath_Binding", {"tunnel_key": 99,
                                       "external_ids": ["map", ids]},
                  "switch"),
           insert("Port_Binding", {"logical_port": "p", "datapath": switch,
                                   "tunnel_key": 1, "type": ""})]
    for name, addresses in SETS:
        ops.append(insert("Address_Set", {"name": name,
                                          "addresses": ["set", addresses]}))
    for i, text in enumerate(texts):
        ops.append(insert("Logical_Flow", {
            "logical_datapath": switch, "pipeline": "ingress", "table_id": 0,
            "priority": 100, "match": "reg9 == %d && (%s)" % (i, text),
            "actions": "next;",
            "external_ids": ["map", [["stage-name", "asked"]]]}))
    return ops


def ask(folder, i, packet):
    """Returns True if the flow 'i' matches 'packet'."""
    flow = 'inport == "p" && reg9 == %d && %s' % (i, packet)
    out = subprocess.run(["ovs-appctl", "-t", folder + "/trace.ctl", "trace",
                          "asked", flow], capture_output=True, text=True)
    if "ingress(dp=" not in out.stdout:
        sys.exit("%s: %s%s" % (flow, out.stdout, out.stderr))
    return "priority 100" in out.stdout


def start(folder, fixture, texts):
    """Starts ovn-trace; returns the indices of what it does not read."""
    shutil.copy(fixture, folder + "/sb.db")
    remote = folder + "/sb.sock"
    subprocess.run(["ovsdb-server", "--detach", "--no-chdir",
                    "--pidfile=%s/sb.pid" % folder, "--remote=punix:" + remote,
                    "--unixctl=%s/sb.ctl" % folder, "-vconsole:off",
                    "--log-file=%s/sb.log" % folder, folder + "/sb.db"],
                   check=True)
    out = subprocess.run(["ovsdb-client", "transact", "unix:" + remote,
                          json.dumps(operations(texts))], check=True,
                         capture_output=True, text=True).stdout
    if '"error"' in out:
        sys.exit(out)
    log = folder + "/trace.log"
    subprocess.run(["ovn-trace", "--db=unix:" + remote, "--detach",
                    "--no-chdir", "--pidfile=%s/trace.pid" % folder,
                    "--unixctl=%s/trace.ctl" % folder, "-vconsole:off",
                    "--log-file=" + log], check=True)
    ask(folder, 0, "ip4")
    with open(log) as lines:
        return {int(n) for n in
                re.findall(r"reg9 == (\d+) && .*parsing expression failed",
                           lines.read())}


def report(number, name, faults):
    """Prints the case 'name'."""
    for fault in faults[:5]:
        print("%s" % (fault,))
    print("%sok %d - %s" % ("not " if faults else "", number, name))


def main(cases, fixture, folder):
    """Compares, and reports."""
    matches, packets = read_cases(cases)
    texts = [match[0] for match in matches] + [text for text, _ in KNOWN]
    refused = start(folder, fixture, texts)

    report(1, "refused", [
        text for i, (text, _, refuse) in enumerate(matches)
        if refuse != (i in refused)])
    report(2, "understood", [
        text for i, (text, understood, _) in enumerate(matches)
        if understood and i in refused])
    report(3, "known", [
        text for i, (text, refuse) in enumerate(KNOWN)
        if refuse != (len(matches) + i in refused)])
    report(4, "packets", [
        (texts[i], packet, result) for i, packet, result in packets
        if ask(folder, i, packet) != result])


if __name__ == "__main__":
    main(*sys.argv[1:])
