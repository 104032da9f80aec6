# SPDX-License-Identifier: Apache-2.0
"""Random security groups, as Neutron writes them into OVN, and worse.

A Round is what the Northbound has at one time: port groups with ACLs, and
address sets.  It comes from a seed alone, so that what fails can be had again.
The modes of a round:

neutron    security groups that are stateful
stateless  security groups that are stateless, all of them
mixed      some of both
odd        with rules that Neutron's security groups do not have: drops of a
           higher priority, rejects, logs, labels, and matches of any kind
"""

import dataclasses
import ipaddress
import random

MODES = ("neutron", "neutron", "odd", "stateless", "mixed", "odd")
MARK = 20000  # The marker's open TCP port in round 0.
DROPS = "neutron_pg_drop"

# Ports at which rules begin and end.
PORTS = (1, 22, 53, 80, 443, 1023, 1024, 3306, 8000, 8080, 32768, 65535)
PREFIXES4 = (0, 1, 8, 12, 16, 19, 23, 24, 25, 28, 29, 30, 31, 32, 32)
PREFIXES6 = (0, 20, 32, 36, 48, 56, 63, 64, 65, 96, 112, 126, 127, 128, 128)


@dataclasses.dataclass
class Rule:
    """A row of ACL, and what its author had in mind, by which packets are
    made that nearly match."""
    match: str
    action: str = "allow-related"
    priority: int = 1002
    direction: str = "to-lport"
    columns: dict = dataclasses.field(default_factory=dict)
    family: int = 0            # 4, 6 or 0 for either.
    protocol: str = ""         # tcp, udp, sctp, icmp, a number, or any.
    sources: tuple = ()        # Networks.
    ports: tuple = ()          # Numbers at the borders, or ICMP types.


@dataclasses.dataclass
class Group:
    """A port group."""
    name: str
    ports: list
    rules: list


class Round:
    """What the Northbound has; see above."""

    def __init__(self, seed, number, ports, marker, *, ties=True,
                 tiers=False):
        self.random = random.Random(f"{seed} {number}")
        self.number = number
        self.mode = MODES[number % len(MODES)]
        self.marker = marker
        self.ties = ties       # Rules of a priority may contradict.
        self.tiers = tiers     # OVN knows tiers.
        self.sets = {}
        self.groups = []
        self.make_sets()
        self.make_groups(ports)

    def chance(self, percent):
        """Returns true in so many of 100 cases."""
        return self.random.randrange(100) < percent

    def network(self, family):
        """Returns a random network somewhere outside."""
        rnd = self.random
        if family == 4:
            bits = rnd.choice((11, 45, 93, 128, 198, 203)) << 24
            bits |= rnd.getrandbits(24)
            return ipaddress.ip_network((bits, rnd.choice(PREFIXES4)),
                                        strict=False)
        bits = (0x20010db8f << 92) | (rnd.getrandbits(12) << 80)
        bits |= rnd.getrandbits(80)
        return ipaddress.ip_network((bits, rnd.choice(PREFIXES6)),
                                    strict=False)

    def make_sets(self):
        """Makes address groups of both families."""
        for i in range(3):
            for family in (4, 6):
                count = self.random.choice((0, 1, 2, 5, 40))
                self.sets[f"ag_{i}_ip{family}"] = sorted({
                    str(net.network_address) if self.chance(50) else str(net)
                    for net in (self.network(family) for _ in range(count))
                    if net.prefixlen > 0})

    def make_groups(self, ports):
        """Makes security groups and puts 'ports' into them."""
        rnd = self.random
        for i in range(6):
            name = f"pg_{i}_{self.number}"
            self.groups.append(Group(name, [], []))
        plain = [port for port in ports if self.chance(90)]
        for port in plain:
            for group in rnd.sample(self.groups, rnd.choice((1, 1, 1, 2, 3))):
                group.ports.append(port)
        for group in self.groups:
            stateless = self.mode == "stateless" or (
                self.mode == "mixed" and self.chance(40))
            allow = "allow-stateless" if stateless else "allow-related"
            self.fill(group, allow)
        self.add_odd(ports)
        allow = ("allow-stateless" if self.mode == "stateless"
                 else "allow-related")
        self.groups.append(Group("pg_marker", [self.marker], [Rule(
            "outport == @pg_marker && ip4 && ip4.src == 0.0.0.0/0 && "
            f"tcp && tcp.dst == {MARK + self.number}", allow)]))
        self.groups.append(Group(DROPS, plain + [self.marker], [
            Rule(f"inport == @{DROPS} && ip", "drop", 1000, "from-lport"),
            Rule(f"outport == @{DROPS} && ip", "drop", 1000)]))

    def fill(self, group, allow):
        """Gives 'group' its rules."""
        for family in (4, 6):
            group.rules.append(Rule(
                f"inport == @{group.name} && ip{family}", allow,
                direction="from-lport"))
        for _ in range(self.random.choice((0, 1, 2, 4, 8, 20))):
            rule = self.neutron_rule(group)
            rule.action = allow
            if rule.match not in [r.match for r in group.rules]:
                group.rules.append(rule)

    def neutron_rule(self, group):
        """Returns a rule of a security group."""
        family = self.random.choice((4, 4, 6))
        rule = Rule(f"outport == @{group.name} && ip{family}", family=family)
        self.add_source(rule, group)
        self.add_protocol(rule)
        return rule

    def add_source(self, rule, group):
        """Has 'rule' ask for a source, or not."""
        kind = self.random.choice(("any", "any", "cidr", "cidr", "group",
                                   "set"))
        field = f"ip{rule.family}.src"
        if kind == "cidr":
            net = self.network(rule.family)
            rule.match += f" && {field} == {net}"
            rule.sources = (net,)
        elif kind == "group":
            other = self.random.choice([*self.groups, group])
            rule.match += f" && {field} == ${other.name}_ip{rule.family}"
        elif kind == "set":
            name = f"ag_{self.random.randrange(3)}_ip{rule.family}"
            rule.match += f" && {field} == ${name}"
            rule.sources = tuple(map(ipaddress.ip_network, self.sets[name]))

    def add_protocol(self, rule):
        """Has 'rule' ask for a protocol, or not."""
        kind = self.random.choice(("", "tcp", "tcp", "tcp", "tcp", "udp",
                                   "sctp", "icmp", "number"))
        rule.protocol = kind
        if kind in ("tcp", "udp", "sctp"):
            rule.match += f" && {kind}"
            self.add_ports(rule)
        elif kind == "icmp":
            rule.match += f" && icmp{rule.family}"
            if self.chance(60):
                kind = self.random.choice((0, 3, 8, 128, 129, 135))
                rule.match += f" && icmp{rule.family}.type == {kind}"
                rule.ports = (kind,)
                if self.chance(50):
                    rule.match += f" && icmp{rule.family}.code == 0"
        elif kind == "number":
            number = self.random.choice((4, 47, 50, 51, 89, 112, 6, 17))
            rule.protocol = str(number)
            rule.match += f" && ip.proto == {number}"

    def add_ports(self, rule):
        """Has a rule of TCP, UDP or SCTP ask for ports, or not."""
        low, high = sorted(self.random.sample(PORTS, 2))
        name = rule.protocol
        kind = self.random.randrange(10)
        if kind < 4:
            rule.match += f" && {name}.dst == {low}"
            rule.ports = (low,)
        elif kind < 8:
            rule.match += f" && {name}.dst >= {low} && {name}.dst <= {high}"
            rule.ports = (low, high)

    def add_odd(self, ports):
        """Adds what other users of OVN write, in the odd rounds."""
        if self.mode != "odd":
            return
        for group in self.groups:
            for rule in group.rules:
                if rule.direction == "to-lport" and self.chance(4):
                    self.make_noted(rule)
            for _ in range(self.random.choice((0, 0, 1, 2))):
                group.rules.append(self.odd_rule(group, ports))

    def make_noted(self, rule):
        """Has OVN log or mark what 'rule' allows."""
        if self.chance(50):
            rule.columns.update(log=True, severity="info", name="seen")
        else:
            rule.columns.update(label=self.random.randrange(1, 1 << 32))

    def odd_rule(self, group, ports):
        """Returns a rule with an unusual action, match, or both."""
        rule = self.neutron_rule(group)
        if self.chance(60):
            rule = self.odd_match(group, ports)
        rule.action = self.random.choice(
            ("drop", "drop", "drop", "allow-related", "allow", "reject"))
        rule.priority = self.random.choice((900, 1001, 1002, 1003, 1500))
        if not self.ties:
            rule.priority = {"drop": 1003, "reject": 1500}.get(rule.action,
                                                               1400)
        if self.tiers:
            rule.columns["tier"] = self.random.choice((0, 0, 1, 2))
        if rule.action == "drop" and self.chance(15):
            rule.columns.update(log=True, severity="info", name="dropped")
        return rule

    def odd_match(self, group, ports):
        """Returns a rule whose match no security group has."""
        family = self.random.choice((4, 4, 6))
        field = f"ip{family}.src"
        one, two = self.network(family), self.network(family)
        low, high = sorted(self.random.sample(PORTS, 2))
        texts = (
            f"{field} == {{{one}, {two}}}",
            f"({field} == {one} || {field} == {two}) && tcp.dst == {low}",
            f"{field} != {one} && tcp",
            f"!({field} == {one}) && tcp.dst == {low}",
            f"ip{family} && tcp.dst == {{{low}, {high}}}",
            f"ip{family} && tcp.dst != {low}",
            f"ip{family} && {low} <= tcp.dst <= {high}",
            f"ip{family} && tcp.dst > {low}",
            f"ip{family} && tcp.src >= 1024 && tcp.dst == {low}",
            f"ip{family} && !tcp",
            f"ip{family} && (tcp.dst == {low} || udp.dst == {high})",
            f"{field} == $ag_1_ip{family} && tcp",
            f"{field} != $ag_1_ip{family} && tcp.dst >= {low}",
            f"ip{family} && ip.ttl == 63",
            f"ip{family} && tcp.flags == 2",
            f"ip{family} && ip.is_frag",
            f"icmp{family}.type == {{8, 128}}",
            f"tcp && eth.src == 02:00:00:00:01:00 && {field} == {one}",
            "tcp && inport == \"provnet-public\"",
            f"(inport == @pg_marker || {field} == {one})",
            "1")
        match = self.random.choice(texts)
        port = self.random.choice(ports)
        where = self.random.choice((
            f"outport == @{group.name}", f"outport == @{group.name}",
            f'outport == "{port}"', f'outport == {{"{port}", "{ports[0]}"}}'))
        return Rule(f"{where} && {match}", family=family, protocol="tcp",
                    sources=(one, two), ports=(low, high))

    def rules_of(self, port):
        """Returns the rules towards 'port', and all that name single ports."""
        return [rule for group in self.groups for rule in group.rules
                if rule.direction == "to-lport"
                and (port in group.ports or f'"{port}"' in rule.match)]
