# SPDX-License-Identifier: Apache-2.0
"""Random packets to a port, most of which nearly match one of its rules."""

import dataclasses
import ipaddress
import struct

from acl_policies import PORTS

SYN, RST, ACK, FIN, ECE_CWR = 2, 4, 16, 1, 0xc0
KINDS = (("syn", 62), ("udp", 8), ("icmp", 7), ("ack", 4), ("synack", 3),
         ("fin", 2), ("sctp", 4), ("number", 3), ("fragment", 3),
         ("options", 2), ("hop", 2), ("short", 1))
NUMBERS = {"tcp": 6, "udp": 17, "sctp": 132}


def checksum(data):
    """Returns the Internet checksum of 'data'."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


@dataclasses.dataclass
class Subject:
    """A logical port as it is reached from outside, by one address."""
    port: str                  # Its name.
    address: str               # Of the endpoint.
    mac: str                   # By which OVN takes packets to it.

    @property
    def family(self):
        """4 or 6."""
        return ipaddress.ip_address(self.address).version


@dataclasses.dataclass
class Packet:
    """A packet as 'ext' sends it."""
    subject: Subject
    kind: str
    src: str
    sport: int = 40000
    dport: int = 0             # ICMP: type.
    code: int = 0              # Of ICMP.
    flags: int = SYN           # Of TCP.
    protocol: int = 6
    ttl: int = 64
    fragment: str = ""         # first or later.
    options: bytes = b""       # Of IPv4; IPv6: the header behind the first.
    payload: bytes = b""
    cut: int = 0               # Bytes that are missing at the end.

    @property
    def family(self):
        """4 or 6."""
        return self.subject.family

    def never(self):
        """Tells whether the program must pass the packet in any case: what
        becomes of it cannot be known in the driver."""
        return bool(self.fragment or self.options or self.cut
                    or self.ttl <= 1)

    def clean_syn(self):
        """Tells whether it opens a connection, and nothing is unusual."""
        return (self.protocol == 6 and not self.never() and self.ttl > 2
                and self.flags & (SYN | RST | ACK | FIN) == SYN)

    def layer4(self):
        """Returns all behind the IP header."""
        src, dst = (ipaddress.ip_address(a).packed
                    for a in (self.src, self.subject.address))
        ports = struct.pack("!HH", self.sport, self.dport)
        if self.protocol == 6:
            data = ports + struct.pack("!IIBBHHH", 1, 0, 0x50, self.flags,
                                       1024, 0, 0) + self.payload
            place = 16
        elif self.protocol == 17:
            data = ports + struct.pack("!HH", 8 + len(self.payload), 0)
            data += self.payload
            place = 6
        elif self.protocol == 132:
            return ports + struct.pack("!II", 0, 0) + self.payload
        elif self.protocol in (1, 58):
            data = struct.pack("!BBHHH", self.dport, self.code, 0, 7, 7)
            data += self.payload
            place = 2
        else:
            return bytes(8) + self.payload
        pseudo = src + dst + struct.pack("!II", len(data), self.protocol)
        total = checksum((b"" if self.protocol == 1 else pseudo) + data)
        return data[:place] + struct.pack("!H", total) + data[place + 2:]

    def frame(self, own, peer):
        """Returns the frame from MAC address 'peer' to the NIC with 'own'."""
        data = self.layer4()
        src, dst = (ipaddress.ip_address(a).packed
                    for a in (self.src, self.subject.address))
        if self.family == 4:
            bits = {"first": 0x2000, "later": 185}.get(self.fragment, 0)
            length = 20 + len(self.options)
            head = struct.pack(
                "!BBHHHBBH", 0x40 + length // 4, 0, length + len(data), 1,
                bits, self.ttl, self.protocol, 0) + src + dst + self.options
            head = head[:10] + struct.pack("!H", checksum(head)) + head[12:]
        else:
            protocol = self.protocol
            if self.options:
                data = bytes((protocol, 0, 1, 4)) + bytes(4) + data
                protocol = 0
            elif self.fragment:
                bits = 1 if self.fragment == "first" else 185 << 3
                data = struct.pack("!BBHI", protocol, 0, bits, 1) + data
                protocol = 44
            head = struct.pack("!IHBB", 6 << 28, len(data), protocol,
                               self.ttl) + src + dst
        kind = b"\x08\x00" if self.family == 4 else b"\x86\xdd"
        whole = mac(own) + mac(peer) + kind + head + data
        return whole[:len(whole) - self.cut]

    def microflow(self, inport, peer):
        """Returns the packet as ovn-trace knows it, once the kernel or XDP
        has brought it to the bridge, from MAC address 'peer'."""
        v = self.family
        words = [f'inport == "{inport}"', f"eth.src == {peer}",
                 f"eth.dst == {self.subject.mac}",
                 f"ip{v}.src == {self.src}",
                 f"ip{v}.dst == {self.subject.address}",
                 f"ip.ttl == {self.ttl - 1}"]
        name = {6: "tcp", 17: "udp", 132: "sctp"}.get(self.protocol)
        if name:
            words += [f"{name}.src == {self.sport}",
                      f"{name}.dst == {self.dport}"]
            if name == "tcp":
                words.append(f"tcp.flags == {self.flags}")
        elif self.protocol in (1, 58):
            words += [f"icmp{v}.type == {self.dport}",
                      f"icmp{v}.code == {self.code}"]
        else:
            words.append(f"ip.proto == {self.protocol}")
        return " && ".join(words)


def mac(text):
    """Returns the bytes of a MAC address."""
    return bytes.fromhex(text.replace(":", ""))


def beside(net, rnd):
    """Returns an address at a border of 'net', in it or not, or within."""
    first, last = int(net.network_address), int(net.broadcast_address)
    number = rnd.choice((first, last, first - 1, last + 1,
                         rnd.randint(first, last)))
    address = type(net.network_address)(number % (1 << net.max_prefixlen))
    return address if routable(address) else None


def routable(address):
    """Tells whether packets from 'address' may come from outside."""
    if address.version == 4:
        first = int(address) >> 24
        return (first not in (0, 10, 127, 172, 192, 169) and first < 224)
    return str(address).startswith("2001:db8:f") or (
        int(address) >> 125 == 1 and not str(address).startswith("2001:db8:"))


class Maker:
    """Makes packets to ports of a round."""

    def __init__(self, round_, inside):
        self.round = round_
        self.random = round_.random
        self.inside = inside   # Addresses of other ports, by family.

    def packet(self, subject):
        """Returns a packet to 'subject'."""
        rnd = self.random
        rules = [rule for rule in self.round.rules_of(subject.port)
                 if rule.family in (0, subject.family)]
        rule = rnd.choice(rules) if rules and rnd.random() < 0.85 else None
        names, weights = zip(*KINDS)
        kind = rnd.choices(names, weights)[0]
        packet = Packet(subject, kind, self.source(rule, subject.family),
                        sport=rnd.choice((1023, 1024, 40000)),
                        dport=self.port(rule),
                        payload=rnd.randbytes(rnd.choice((0, 0, 3, 64))))
        self.shape(packet, rule)
        return packet

    def source(self, rule, family):
        """Returns the address of a sender."""
        rnd = self.random
        nets = list(rule.sources) if rule else []
        if nets and rnd.random() < 0.85:
            address = beside(rnd.choice(nets), rnd)
            if address:
                return str(address)
        if rnd.random() < 0.05:
            return rnd.choice(self.inside[family])
        while True:
            address = beside(self.round.network(family), rnd)
            if address:
                return str(address)

    def port(self, rule):
        """Returns a port at the border of what 'rule' allows, or any."""
        rnd = self.random
        if rule and rule.ports and rnd.random() < 0.85:
            return (rnd.choice(rule.ports)
                    + rnd.choice((0, 0, 0, -1, 1))) % 65536
        return rnd.choice((*PORTS, rnd.randrange(65536)))

    def shape(self, packet, rule):
        """Makes 'packet' one of its kind."""
        rnd, kind = self.random, packet.kind
        if kind == "syn" and rnd.random() < 0.1:
            packet.flags |= ECE_CWR
        elif kind in ("udp", "sctp"):
            packet.protocol = NUMBERS[kind]
            if kind == "udp" and rnd.random() < 0.4:
                packet.sport, packet.dport = rnd.choice(
                    ((53, 40000), (53, packet.dport), (67, 68), (547, 546),
                     (40000, 53)))
        elif kind == "icmp":
            packet.protocol = 1 if packet.family == 4 else 58
            packet.dport = (rnd.choice(rule.ports) if rule and rule.ports
                            and rule.protocol == "icmp"
                            else rnd.choice((0, 3, 8, 128, 129)))
            packet.code = rnd.choice((0, 0, 1))
        elif kind == "number":
            packet.protocol = rnd.choice((4, 47, 50, 89, 112, 253))
        elif kind in ("ack", "synack", "fin"):
            packet.flags = {"ack": ACK, "synack": SYN | ACK,
                            "fin": FIN | ACK}[kind]
        elif kind == "fragment":
            packet.fragment = rnd.choice(("first", "later"))
            packet.protocol = rnd.choice((6, 17))
        elif kind == "options":
            packet.options = b"\x01\x01\x01\x00"
        elif kind == "hop":
            packet.ttl = rnd.choice((1, 2, 2, 3))
        elif kind == "short":
            packet.payload = b""
            packet.cut = rnd.choice((1, 4, 16))
