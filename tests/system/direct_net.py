# SPDX-License-Identifier: Apache-2.0
"""What the tests of layer L3 share: sockets in any namespace of the sandbox,
and bytes that say where they belong."""

import contextlib
import ctypes
import os
import random
import socket
import struct

CLONE_NEWNET = 0x40000000
SO_RCVBUFFORCE = 33     # Python lacks its name.

# The length of a block of a stream: a prime, so that no buffer's length is a
# divisor of it.
BLOCK = 65521

# Counters of a namespace, by file below /proc/net and group.  Of the first no
# packet may be counted.
FAULTS = (("snmp", "Tcp", "InCsumErrors"), ("snmp", "Udp", "InCsumErrors"),
          ("snmp", "Icmp", "InCsumErrors"), ("snmp6", "", "Udp6InCsumErrors"),
          ("snmp6", "", "Icmp6InCsumErrors"))
REMARKS = (("snmp", "Tcp", "RetransSegs"), ("netstat", "TcpExt", "TCPOFOQueue"),
           ("netstat", "TcpExt", "TCPDSACKRecv"))

_libc = ctypes.CDLL(None, use_errno=True)


def _enter(file):
    """Makes the namespace of the open 'file' that of this thread."""
    if _libc.setns(file.fileno(), CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def within(name):
    """Has what follows happen in namespace 'name'.  A socket stays where it
    was made."""
    path = f"/run/netns/{os.environ['SANDBOX_ID']}-{name}"
    with open("/proc/thread-self/ns/net", "rb") as own, (
            open(path, "rb")) as other:
        _enter(other)
        try:
            yield
        finally:
            _enter(own)


def listener(name, kind, port, address=""):
    """Returns a socket of 'kind' at 'port' of namespace 'name', of all its
    addresses of both families, or only of 'address'."""
    family = socket.AF_INET if address and ":" not in address else (
        socket.AF_INET6)
    with within(name):
        sock = socket.socket(family, kind)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if kind == socket.SOCK_DGRAM:
        sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20)
    if not address:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.bind((address, port))
    if kind == socket.SOCK_STREAM:
        sock.listen(64)
    return sock


def opener(name, kind, address, port, own=0):
    """Returns a socket of 'kind' in namespace 'name' that is connected to
    'address' and 'port', from port 'own' unless it is 0."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with within(name):
        sock = socket.socket(family, kind)
    if own:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", own))
    sock.settimeout(5)
    sock.connect((address, port))
    return sock


def wire(name, device):
    """Returns a socket that sends and receives frames of a device."""
    with within(name):
        sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                             socket.htons(3))
    sock.bind((device, 3))
    return sock


def pin_passing(path):
    """Pins at 'path' an XDP program that passes everything."""
    code = ctypes.create_string_buffer(
        bytes.fromhex("b7000000020000009500000000000000"))  # r0 = 2; exit
    licence = ctypes.create_string_buffer(b"Dual BSD/GPL")
    name = ctypes.create_string_buffer(path.encode())
    load = struct.pack("=IIQQIIQ", 6, 2, ctypes.addressof(code),
                       ctypes.addressof(licence), 0, 0, 0) + bytes(88)
    fd = _bpf(5, load)
    _bpf(6, struct.pack("=QI", ctypes.addressof(name), fd) + bytes(4))


def _bpf(command, attributes):
    """Calls bpf(2)."""
    result = _libc.syscall(321, command, attributes, len(attributes))
    if result < 0:
        raise OSError(ctypes.get_errno(), "bpf")
    return result


def counter(name, file, group, field):
    """Returns a counter of the kernel in namespace 'name'."""
    with within(name), open(f"/proc/thread-self/net/{file}",
                            encoding="ascii") as f:
        lines = f.read().splitlines()
    if not group:
        return sum(int(line.split()[1]) for line in lines
                   if line.split()[0] == field)
    heads, values = (line.split() for line in lines
                     if line.startswith(group + ":"))
    return int(values[heads.index(field)])


class Stream:
    """A stream of bytes that are the same in each run.  Each block of it
    begins with its number, so that no two places of it look the same."""

    def __init__(self, seed):
        self.block = random.Random(seed).randbytes(BLOCK)

    def piece(self, start, size):
        """Returns 'size' bytes from 'start' on."""
        parts = []
        while size > 0:
            number, offset = divmod(start, BLOCK)
            part = (struct.pack("!Q", number) + self.block[8:])[
                offset:offset + size]
            parts.append(part)
            start += len(part)
            size -= len(part)
        return b"".join(parts)

    def first_wrong(self, start, data):
        """Returns the place of the first byte of 'data' that is another than
        that of the stream from 'start' on, or None."""
        expected = self.piece(start, len(data))
        if data == expected:
            return None
        return start + next(i for i, (a, b) in enumerate(zip(data, expected))
                            if a != b)


class Tally:
    """What became of numbered datagrams."""

    def __init__(self):
        self.seen = set()
        self.last = -1      # Greatest number.
        self.twice = 0
        self.wrong = 0      # Not as it was sent.
        self.late = 0       # After a greater number.
        self.distance = 0   # How much greater that was at most.

    def add(self, number):
        """Takes note of a datagram."""
        if number in self.seen:
            self.twice += 1
            return
        self.seen.add(number)
        if number < self.last:
            self.late += 1
            self.distance = max(self.distance, self.last - number)
        self.last = max(self.last, number)

    def text(self, sent):
        """Returns all of it in words, given how many were sent."""
        return (f"sent {sent} lost {sent - len(self.seen)} twice {self.twice}"
                f" wrong {self.wrong} late {self.late} by {self.distance}")
