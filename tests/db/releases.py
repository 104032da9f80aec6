# SPDX-License-Identifier: Apache-2.0
"""Southbound databases of other OVN releases, made from one of ours.

For tests/db/test-releases.sh:

    releases.py list
        prints the releases, oldest first.
    releases.py make FIXTURE GOLDEN RELEASE STEP DIR
        writes into DIR, for RELEASE or "as-is": sb.db, which is FIXTURE with
        the tables, columns and rows of that release, at STEP; for each step
        STEP.json, the transaction that leads to it, and STEP-CHASSIS.txt, the
        endpoints that a chassis has then.  GOLDEN with "-CHASSIS.json" added
        names the right answers for FIXTURE as it is.
    releases.py rows
        prints the endpoints in JSON on standard input like STEP-CHASSIS.txt.

A STEP says where the ports are and adds an address of its own to each
chassis, so that an answer cannot be mistaken for that of an earlier step.
What RELEASE had was read from its ovn-sb.ovsschema and its northd.
"""

import hashlib
import json
import sys

VM = "55555555-aaaa-4000-8000-000000000005"          # On the provider network.
FIP_VM = "33333333-aaaa-4000-8000-000000000003"      # Distributed address.
TENANT_VM = "44444444-aaaa-4000-8000-000000000004"   # Centralised address.
ROUTER_PORT = "lrp-11111111-aaaa-4000-8000-000000000001"
GATEWAY = "cr-" + ROUTER_PORT
SWITCH_PORT = "11111111-aaaa-4000-8000-000000000001"  # Peer of ROUTER_PORT.
LOCALNET = "provnet-66666666"
VIP = "172.24.100.200"                               # Of the load balancer.
ROUTER_IP = "172.24.100.229"
NONE = ["set", []]
ROUTER_MAC = "fa:16:3e:77:7f:9c"
# Floating IPs that are not announced, beside which they are like: address,
# solicited-node address, where it is resident, MAC if distributed.
IPV6 = (("2001:db8:ff::112", "ff02::1:ff00:112", FIP_VM, "fa:16:3e:aa:00:03"),
        ("2001:db8:ff::113", "ff02::1:ff00:113", GATEWAY, None))
LIKE = {"2001:db8:ff::112": "172.24.100.112",
        "2001:db8:ff::113": "172.24.100.113"}

FIELDS = ("address", "mac", "kind", "logical_port", "network", "bridge",
          "vlan")

# Those that the fixture has.
FLOATING = (("172.24.100.112", None, FIP_VM, "fa:16:3e:aa:00:03"),
            ("172.24.100.113", None, GATEWAY, None),
            ("172.24.100.114", None, GATEWAY, None),
            (ROUTER_IP, None, GATEWAY, None))

# Releases, their schema versions, and what came with each: a table, or a
# column as TABLE.COLUMN.  The databases are made from one of 24.03, so that up
# to there all that came later is taken away, and from there all is added.
BASE = "24.03"
HISTORY = (
    # Less than any release had.
    ("bare", "1.0.0", ""),
    ("20.03", "2.7.0",
     "Logical_Flow.external_ids Port_Binding.nat_addresses"
     " Port_Binding.virtual_parent"
     " Port_Binding.parent_port Port_Binding.tag HA_Chassis_Group HA_Chassis"
     " Port_Group Address_Set Meter Gateway_Chassis IGMP_Group Encap.options"
     " Service_Monitor IP_Multicast Controller_Event"
     " Chassis.transport_zones"),
    ("20.06", "2.8.0", "Chassis.other_config"),
    ("20.09", "2.10.0", "Chassis_Private"),
    ("20.12", "20.12.0", "Load_Balancer Logical_DP_Group"
     " Datapath_Binding.load_balancers Logical_Flow.logical_dp_group"),
    ("21.03", "20.16.1",
     "Port_Binding.up BFD FDB Load_Balancer.options"),
    ("21.06", "20.17.0", ""),
    ("21.09", "20.20.0", "Logical_Flow.tags Logical_Flow.controller_meter"),
    ("21.12", "20.21.0", "Port_Binding.requested_chassis"),
    ("22.03", "20.21.0", ""),
    ("22.06", "20.23.0",
     "Port_Binding.additional_chassis Port_Binding.additional_encap"
     " Port_Binding.port_security Port_Binding.requested_additional_chassis"
     " Static_MAC_Binding"),
    ("22.09", "20.25.0",
     "Load_Balancer.datapath_group MAC_Binding.timestamp"),
    ("22.12", "20.27.0",
     "Mirror Port_Binding.mirror_rules Chassis_Template_Var"),
    ("23.03", "20.27.0", ""),
    ("23.06", "20.27.2", ""),
    ("23.09", "20.27.4", "FDB.timestamp"),
    (BASE, "20.33.0", "DNS.options BFD.chassis_name IGMP_Group.chassis_name"
     " Load_Balancer.lr_datapath_group Load_Balancer.ls_datapath_group"
     " Service_Monitor.chassis_name"),
    ("24.09", "20.37.0", "Logical_Flow.flow_desc IGMP_Group.protocol"),
    ("25.03", "20.41.0", "ACL_ID Advertised_Route ECMP_Nexthop Learned_Route"
     " SSL.ssl_ciphersuites"),
    ("25.09", "21.5.0",
     "Datapath_Binding.type Datapath_Binding.nb_uuid"
     " Port_Binding.mirror_port Service_Monitor.remote"
     " Service_Monitor.ic_learned"),
    ("26.03", "21.8.0", "Advertised_MAC_Binding Service_Monitor.mac"
     " Service_Monitor.type Service_Monitor.logical_input_port"),
    # What nobody has invented yet.
    ("next", "99.0.0", "Port_Binding.unheard_of Chassis.unheard_of"
     " Datapath_Binding.unheard_of Unheard_Of"),
)
RELEASES = [release for release, _, _ in HISTORY]

# Types of columns that are added, where what the column means asks for one.
STRING = {"key": "string", "min": 0, "max": 1}
TYPES = {
    "Datapath_Binding.type": {
        "key": {"type": "string",
                "enum": ["set", ["logical-router", "logical-switch"]]},
        "min": 0, "max": 1},
    "Datapath_Binding.nb_uuid": {"key": "uuid", "min": 0, "max": 1},
    "Port_Binding.mirror_port": STRING,
    "Logical_Flow.flow_desc": STRING,
}
MAP = {"key": "string", "value": "string", "min": 0, "max": "unlimited"}

# Where ports are at each step: a number, chassis, additional chassis, whether
# they are up.
STEPS = {
    "claimed": (1, {VM: "cmp1", FIP_VM: "cmp1", TENANT_VM: "gw1",
                    GATEWAY: "gw1"}, {}, True),
    "migrating": (2, {VM: "gw1", FIP_VM: "cmp1", TENANT_VM: "gw1",
                      GATEWAY: "gw1"}, {VM: "cmp1"}, True),
    "exchanged": (3, {VM: "gw1", FIP_VM: "gw1", TENANT_VM: "cmp1",
                      GATEWAY: "cmp1"}, {}, True),
    "down": (4, {VM: "cmp1", FIP_VM: "cmp1", TENANT_VM: "gw1",
                 GATEWAY: "gw1"}, {}, False),
    "again": (5, {VM: "cmp1", FIP_VM: "cmp1", TENANT_VM: "gw1",
                  GATEWAY: "gw1"}, {}, True),
}


def step_address(step, port):
    """Returns the address that STEP adds to PORT."""
    return f"198.51.100.{STEPS[step][0] + (100 if port == GATEWAY else 0)}"


def has(release, since):
    """Tells whether RELEASE is SINCE or later."""
    return RELEASES.index(release) >= RELEASES.index(since)


class Database:
    """An ovsdb-server file, read whole."""

    def __init__(self, name):
        self.schema = None
        self.tables = {}
        with open(name, "rb") as f:
            while header := f.readline():
                record = json.loads(f.read(int(header.split()[2])))
                if self.schema is None:
                    self.schema = record
                else:
                    self.apply(record)

    def apply(self, record):
        """Takes over the changes of one transaction."""
        for table, rows in record.items():
            if table.startswith("_"):
                continue
            known = self.tables.setdefault(table, {})
            for uuid, row in rows.items():
                if row is None:
                    del known[uuid]
                else:
                    known.setdefault(uuid, {}).update(row)

    def write(self, name):
        """Makes a file of it."""
        with open(name, "wb") as f:
            for record in (self.schema, self.tables):
                text = json.dumps(record).encode() + b"\n"
                digest = hashlib.sha1(text).hexdigest()
                f.write(f"OVSDB JSON {len(text)} {digest}\n".encode() + text)

    def remove_table(self, table):
        """Takes TABLE away, and the columns that refer to it."""
        del self.schema["tables"][table]
        self.tables.pop(table, None)
        for other, schema in self.schema["tables"].items():
            for column, value in list(schema["columns"].items()):
                if f'"refTable": "{table}"' in json.dumps(value):
                    self.remove_column(other, column)

    def remove_column(self, table, column):
        """Takes COLUMN of TABLE away, if it still is there."""
        schema = self.schema["tables"][table]
        schema["columns"].pop(column, None)
        for row in self.tables.get(table, {}).values():
            row.pop(column, None)

    def add(self, what):
        """Adds the table or column WHAT."""
        tables = self.schema["tables"]
        table, _, column = what.partition(".")
        if column:
            tables[table]["columns"][column] = {"type": TYPES.get(what, MAP)}
        else:
            tables[table] = {"isRoot": True,
                             "columns": {"external_ids": {"type": MAP}}}

    def remove(self, what):
        """Takes the table or column WHAT away."""
        table, _, column = what.partition(".")
        if column:
            self.remove_column(table, column)
        elif table in self.schema["tables"]:
            self.remove_table(table)

    def find(self, table, column, value):
        """Returns the UUID of the one row of TABLE with VALUE."""
        (uuid,) = (uuid for uuid, row in self.tables[table].items()
                   if row[column] == value)
        return uuid

    def binding(self, port):
        """Returns the Port_Binding row of PORT."""
        return self.tables["Port_Binding"][
            self.find("Port_Binding", "logical_port", port)]

    def add_binding(self, port, like, **values):
        """Adds a Port_Binding row for PORT, as LIKE's but for VALUES."""
        number = len(self.tables["Port_Binding"])
        self.tables["Port_Binding"][
            f"00000000-0000-4000-8000-{number:012}"] = {
                **self.binding(like), "logical_port": port,
                "tunnel_key": 100 + number, **values}


def drift_schema(db, release):
    """Gives DB the schema of RELEASE."""
    for version, _, news in reversed(HISTORY):
        if not has(BASE, version) or has(release, version):
            continue
        for what in news.split():
            db.remove(what)
    for version, number, news in HISTORY:
        if not has(BASE, version) and has(release, version):
            for what in news.split():
                db.add(what)
        if version == release:
            db.schema["version"] = number
    if not has(release, "20.12") and release != "bare":
        # Each flow had one datapath.
        flow = db.schema["tables"]["Logical_Flow"]["columns"]
        flow["logical_datapath"]["type"]["min"] = 1
        rows = db.tables["Logical_Flow"]
        for uuid in [uuid for uuid, row in rows.items()
                     if row.get("logical_datapath", NONE) == NONE]:
            del rows[uuid]
    db.schema.pop("cksum", None)


def drift_nat_addresses(db, release):
    """Gives DB what northd of RELEASE writes into nat_addresses."""
    strings = db.binding(SWITCH_PORT).get("nat_addresses")
    if not strings:
        return
    mark = " is_chassis_resident(\"" + GATEWAY
    if not has(release, "22.03"):
        # No exclude-lb-vips-from-garp yet.
        strings = ["set", [s.replace(mark, f" {VIP}{mark}")
                           if ROUTER_IP not in s else s for s in strings[1]]]
    if release == "23.06":
        # Without nat-addresses=router.
        strings = ["set", []]
    if has(release, "25.09"):
        # With exclude-router-ips-from-garp.
        strings = ["set", [s for s in strings[1] if ROUTER_IP not in s]]
    db.binding(SWITCH_PORT)["nat_addresses"] = strings


def answer(release, address, solicited, resident, mac):
    """Returns match and actions by which northd of RELEASE answers for the
    NAT address ADDRESS where RESIDENT is."""
    old = not has(release, "20.09")
    mac = mac or (ROUTER_MAC if old else "xreg0[0..47]")
    port, where = f'"{ROUTER_PORT}"', f' && is_chassis_resident("{resident}")'
    if solicited:
        dst = f"ip6.dst == {{{address}, {solicited}}}"
        both = f"nd_ns && {dst}" if old else f"{dst} && nd_ns"
        match = f"inport == {port} && {both} && nd.target == {address}"
        actions = (f"nd_na {{ eth.src = {mac}; ip6.src = {address};"
                   f" nd.target = {address}; nd.tll = {mac}; outport = inport;"
                   " flags.loopback = 1; output; };")
        return match + where, ("eth.dst = eth.src; " if old else "") + actions
    both = (f"arp.tpa == {address} && arp.op == 1" if old
            else f"arp.op == 1 && arp.tpa == {address}")
    head = ("arp.op = 2; /* ARP reply */ arp.tha = arp.sha;"
            f" eth.src = {mac};" if old else
            f"eth.src = {mac}; arp.op = 2; /* ARP reply */ arp.tha = arp.sha;")
    return (f"inport == {port} && {both}{where}",
            f"eth.dst = eth.src; {head} arp.sha = {mac}; arp.tpa = arp.spa;"
            f" arp.spa = {address}; outport = inport; flags.loopback = 1;"
            " output;")


def vip_match(release):
    """Returns how northd of RELEASE matches new connections to the VIP."""
    if not has(release, "21.09"):
        match = f"ct.new && ip && ip4.dst == {VIP} && tcp && tcp.dst == 80"
    elif not has(release, "23.06"):
        related = "!ct.rel && " if has(release, "23.03") else ""
        match = (f"ct.new && {related}ip4 && reg0 == {VIP} && tcp"
                 " && reg9[16..31] == 80")
    elif not has(release, "25.09"):
        match = (f"ct.new && !ct.rel && ip4 && ip4.dst == {VIP} && tcp"
                 " && tcp.dst == 80")
    else:
        match = (f"ct.new && !ct.rel && ip4 && ip4.dst == {VIP}"
                 " && reg1[16..23] == 6 && reg1[0..15] == 80")
    return f'{match} && is_chassis_resident("{GATEWAY}")'


def drift_flows(db, release):
    """Has the flows of DB say what northd of RELEASE would, and adds some for
    floating IPs of IPv6."""
    flows = db.tables.get("Logical_Flow")
    if release == "bare":
        return
    like = None
    for row in flows.values():
        match = row["match"]
        for nat in FLOATING:
            if match == answer(BASE, *nat)[0]:
                like = row
                row["match"], row["actions"] = answer(release, *nat)
        if match == vip_match(BASE):
            row["match"] = vip_match(release)
    texts = [answer(release, *nat) for nat in IPV6]
    if has(release, "next"):
        texts.append((f'inport == "{ROUTER_PORT}" && arp.op == 1'
                      " && arp.tpa == 203.0.113.4 && unheard.of == 1"
                      f' && is_chassis_resident("{GATEWAY}")',
                      like["actions"]))
    for i, (match, actions) in enumerate(texts):
        flows[f"00000000-0000-4000-8001-{i:012}"] = {
            **like, "match": match, "actions": actions}


def drift_bindings(db, release, me):
    """Adds to DB the bindings of kinds that RELEASE introduced, on chassis
    ME where they can be bound."""
    bound = {"chassis": ["uuid", me], "up": True}
    foreign = {"mac": "fa:16:3e:cc:00:01 203.0.113.1", **bound}
    if has(release, "24.09"):
        # The switch port's own redirect port, of centralize_routing.
        db.add_binding("cr-" + SWITCH_PORT, GATEWAY, mac="router",
                       datapath=db.binding(SWITCH_PORT)["datapath"],
                       options=["map", [["distributed-port", SWITCH_PORT]]],
                       **bound)
    if has(release, "25.03"):
        # A port between two switches.
        db.add_binding("switch-to-switch", SWITCH_PORT,
                       options=["map", [["peer", "other-switch"]]],
                       mac="unknown", nat_addresses=["set", []])
    if has(release, "25.09"):
        db.add_binding("mp-" + VM, VM, type="mirror", mirror_port=VM,
                       **foreign)
    if has(release, "next"):
        db.add_binding("unheard-of", VM, type="unheard-of", nat_addresses=(
            f'fa:16:3e:cc:00:01 203.0.113.2 is_chassis_resident("{VM}")'),
            unheard_of=["map", [["a", "b"]]], **foreign)


def drift_datapaths(db, release):
    """Moves what DB says of datapaths to where RELEASE keeps it."""
    if not has(release, "25.09"):
        return
    for row in db.tables["Datapath_Binding"].values():
        ids = dict(row["external_ids"][1])
        for kind in ("logical-switch", "logical-router"):
            if kind in ids:
                row.update(type=kind, nb_uuid=["uuid", ids[kind]])
        row["external_ids"] = ["map", []]


def step_rows(db, release, step):
    """Returns the new values of the bindings of DB at STEP, by port."""
    _, chassis, additional, up = STEPS[step]
    release = BASE if release == "as-is" else release
    rows = {}
    for port, name in chassis.items():
        row = rows[port] = {
            "chassis": ["uuid", db.find("Chassis", "name", name)]}
        if has(release, "21.03"):
            row["up"] = up
        if has(release, "22.06"):
            row["additional_chassis"] = ["set", [
                ["uuid", db.find("Chassis", "name", additional[port])]
            ] if port in additional else []]
        if port in (VM, GATEWAY):
            row["mac"] = db.binding(port)["mac"] + " " + step_address(step,
                                                                      port)
    return rows


def drift(db, release):
    """Gives DB all that RELEASE has."""
    drift_schema(db, release)
    drift_nat_addresses(db, release)
    drift_datapaths(db, release)
    drift_flows(db, release)
    drift_bindings(db, release, db.find("Chassis", "name", "cmp1"))
    columns = db.schema["tables"]["Port_Binding"]["columns"]
    for row in db.tables["Port_Binding"].values():
        for column in set(row) - set(columns):
            del row[column]


def transaction(rows):
    """Returns the transaction that updates ROWS of Port_Binding."""
    return json.dumps(["OVN_Southbound"] + [
        {"op": "update", "table": "Port_Binding",
         "where": [["logical_port", "==", port]], "row": row}
        for port, row in rows.items()])


def format_rows(endpoints):
    """Returns as text what of ENDPOINTS must be the same everywhere."""
    return "".join(
        json.dumps({field: row[field] for field in FIELDS}) + "\n"
        for row in sorted(endpoints, key=lambda row: row["address"]))


def read_golden(golden, chassis):
    """Returns the right answer of CHASSIS for the fixture of GOLDEN."""
    with open(f"{golden}-{chassis}.json", encoding="utf-8") as f:
        return json.load(f)


def drift_answer(rows, release):
    """Returns how the answer ROWS of both chassis together differs where
    RELEASE cannot say the same."""
    if release == "as-is":
        return rows
    if release == "bare":
        # Neither floating IPs nor tags can be written down.
        return [{**row, "vlan": None} for row in rows
                if row["kind"] in ("vm", "router")]
    return rows + [
        {**next(row for row in rows if row["address"] == LIKE[address]),
         "address": address} for address, *_ in IPV6]


def expected(golden, release, step, chassis):
    """Returns the right answer of CHASSIS at STEP; see above."""
    _, where, additional, _ = STEPS[step]
    if release != "as-is" and not has(release, "22.06"):
        additional = {}
    rows = drift_answer(
        read_golden(golden, "gw1") + read_golden(golden, "cmp1"), release)
    for port in (VM, GATEWAY):
        like = next(row for row in rows if row["logical_port"] == port
                    and row["kind"] in ("vm", "router"))
        rows.append({**like, "address": step_address(step, port)})
    return [row for row in rows
            if chassis in (where[row["logical_port"]],
                           additional.get(row["logical_port"]))]


def write(name, text):
    """Writes TEXT into the file NAME."""
    with open(name, "w", encoding="utf-8") as f:
        f.write(text)


def make(fixture, golden, release, first, directory):
    """Writes files into DIRECTORY; see above."""
    db = Database(fixture)
    if release != "as-is":
        drift(db, release)
    for step in STEPS:
        write(f"{directory}/{step}.json",
              transaction(step_rows(db, release, step)))
        for chassis in ("gw1", "cmp1"):
            write(f"{directory}/{step}-{chassis}.txt",
                  format_rows(expected(golden, release, step, chassis)))
    for port, row in step_rows(db, release, first).items():
        db.binding(port).update(row)
    db.write(f"{directory}/sb.db")


def main(command, *args):
    """Does what the file's comment says."""
    if command == "list":
        print("\n".join(RELEASES))
    elif command == "make":
        make(*args)
    elif command == "rows":
        sys.stdout.write(format_rows(json.load(sys.stdin)))
    else:
        sys.exit(f"{command}: no such command")


if __name__ == "__main__":
    main(*sys.argv[1:])
