# SPDX-License-Identifier: Apache-2.0
"""What the proof of ACLs talks to: the Northbound, ovn-trace, and ovn-xdp.

All of it is in the sandbox whose folder the variable SANDBOX names.
"""

import json
import os
import re
import socket
import subprocess
import time

FOLDER = os.environ.get("SANDBOX", "")
NIC = "nic0"
LONGEST = 20  # Seconds to wait for anything.


class Rpc:
    """A JSON-RPC peer of OVS at a unix socket."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(2 * LONGEST)
        self.sock.connect(path)
        self.text = ""
        self.decoder = json.JSONDecoder()

    def call(self, method, *params):
        """Returns the result of 'method'."""
        request = {"id": 0, "method": method, "params": params}
        self.sock.sendall(json.dumps(request).encode())
        while (answer := self.receive()).get("method"):
            self.sock.sendall(json.dumps({
                "id": answer["id"], "result": answer["params"],
                "error": None}).encode())  # An echo request.
        if answer["error"]:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def receive(self):
        """Returns the next message."""
        while True:
            try:
                message, end = self.decoder.raw_decode(self.text)
                self.text = self.text[end:].lstrip()
                return message
            except ValueError:
                data = self.sock.recv(1 << 20)
                if not data:
                    raise RuntimeError("a peer is gone") from None
                self.text += data.decode()


class Northbound:
    """The Northbound database: port groups, ACLs and address sets."""

    def __init__(self):
        self.rpc = Rpc(f"{FOLDER}/ovnnb_db.sock")
        schema = self.rpc.call("get_schema", "OVN_Northbound")
        self.tiers = "tier" in schema["tables"]["ACL"]["columns"]
        rows = self.transact({"op": "select", "table": "Logical_Switch_Port",
                              "where": [], "columns": ["_uuid", "name"]})
        self.ports = {row["name"]: row["_uuid"] for row in rows[0]["rows"]}

    def transact(self, *operations):
        """Does 'operations' and returns their results."""
        results = self.rpc.call("transact", "OVN_Northbound", *operations)
        for result in results:
            if result.get("error"):
                raise RuntimeError(f"Northbound: {result}")
        return results

    def replace(self, round_):
        """Makes 'round_' all that there is of groups and sets, and waits
        until the Southbound says so too."""
        operations = [{"op": "delete", "table": table, "where": []}
                      for table in ("Port_Group", "Address_Set")]
        for name, addresses in round_.sets.items():
            operations.append(insert("Address_Set", name=name,
                                     addresses=["set", addresses]))
        n_rules = 0
        for group in round_.groups:
            names = []
            for rule in group.rules:
                names.append(["named-uuid", f"rule{n_rules}"])
                operations.append({**insert(
                    "ACL", match=rule.match, action=rule.action,
                    priority=rule.priority, direction=rule.direction,
                    **rule.columns), "uuid-name": f"rule{n_rules}"})
                n_rules += 1
            operations.append(insert(
                "Port_Group", name=group.name, acls=["set", names],
                ports=["set", [self.ports[p] for p in group.ports]]))
        operations.append({"op": "mutate", "table": "NB_Global", "where": [],
                           "mutations": [["nb_cfg", "+=", 1]]})
        operations.append({"op": "select", "table": "NB_Global", "where": [],
                           "columns": ["nb_cfg"]})
        number = self.transact(*operations)[-1]["rows"][0]["nb_cfg"]
        self.transact({"op": "wait", "timeout": LONGEST * 1000,
                       "table": "NB_Global", "where": [], "until": "==",
                       "columns": ["sb_cfg"], "rows": [{"sb_cfg": number}]})


def insert(table, **columns):
    """Returns the operation that adds a row."""
    return {"op": "insert", "table": table, "row": columns}


class Tracer:
    """An ovn-trace that knows the Southbound of now, and for which whatever
    it asks of conntrack is STATE."""

    # It takes one of these for each question, and does not begin again.
    QUESTIONS = 8000

    def __init__(self, name, state):
        self.pidfile = f"{FOLDER}/{name}.pid"
        path = f"{FOLDER}/{name}.ctl"
        subprocess.run(
            ["ovn-trace", *[f"--ct={state}"] * self.QUESTIONS, "--detach",
             "--no-chdir", f"--pidfile={self.pidfile}", f"--unixctl={path}",
             "-vconsole:off",
             f"--db=unix:{FOLDER}/ovnsb_db.sock"], check=True)
        self.rpc = Rpc(path)
        self.n_asked = 0

    def trace(self, datapath, microflow):
        """Returns the summary of what becomes of 'microflow'."""
        text = self.rpc.call("trace", "--summary", datapath, microflow)
        self.n_asked += text.count("ct_")
        if self.n_asked > self.QUESTIONS:
            raise RuntimeError("ovn-trace has no state left")
        return text

    def close(self):
        """Ends it."""
        self.rpc.call("exit")
        await_(lambda: not os.path.exists(self.pidfile))


def outcome(text):
    """Returns what a trace says: "delivered", "answered", "logged" or, if
    nobody sees anything of the packet, "dropped"."""
    types = set(re.findall(r'output to "[^"]*", type "([^"]*)"', text))
    if "" in types:
        return "delivered"
    if "localnet" in types or re.search(r"(tcp_reset|icmp4|icmp6|reject) \{",
                                        text):
        return "answered"
    return "logged" if "log(" in text else "dropped"


class Program:
    """The program of the NIC: what it does with a frame."""

    def __init__(self, namespace, bpf_run):
        # pylint: disable=consider-using-with
        self.child = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{namespace}", "--", bpf_run, NIC],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def verdict(self, frame):
        """Returns what it does with 'frame'."""
        self.child.stdin.write(frame.hex() + "\n")
        self.child.stdin.flush()
        answer = self.child.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise RuntimeError(f"{NIC}'s program: {answer}")
        return answer


def run(*words):
    """Runs a command, and returns what it prints."""
    return subprocess.run(words, check=True, capture_output=True,
                          text=True).stdout


def refresh():
    """Has OVS forget all connections, and all flows that it has derived from
    those which were there before."""
    for command in ("revalidator/purge", "dpctl/flush-conntrack"):
        run("ovs-appctl", "-t", f"{FOLDER}/ovs-vswitchd.ctl", command)


def set_acl(mode):
    """Has ovn-xdp-acl be 'mode'."""
    run("ovs-vsctl", "--timeout=20", "set", "Open_vSwitch", ".",
        f"external_ids:ovn-xdp-acl={mode}")
    assert await_(lambda: ctl("status")["config"]["ovn-xdp-acl"] == mode)


def settle():
    """Has ovn-xdp take connections opened before it looked as none."""
    with open(f"{FOLDER}/ovn-xdpd.pid", encoding="ascii") as f:
        pid = f.read().strip()
    run("ovn-appctl", "-t", f"{FOLDER}/ovn-xdpd.{pid}.ctl", "acl/settle")


def ctl(*words):
    """Returns the answer of ovn-xdpctl."""
    return json.loads(run(os.environ["OVN_XDPCTL"], "-s",
                          f"{FOLDER}/ovn-xdpd.rpc", "-f", "json", *words))


def all_drops():
    """Returns how many packets "endpoints" says were dropped."""
    return sum(endpoint["drops"] for endpoint in ctl("endpoints"))


def await_(done, seconds=LONGEST):
    """Waits until 'done' returns true, and returns whether it did."""
    end = time.monotonic() + seconds
    while not done():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
