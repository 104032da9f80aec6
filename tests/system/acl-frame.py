#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Single packets to a port, for the tests of ACLs.

usage: acl-frame.py print OWN-MAC PEER-MAC ADDRESS PORT [KEY=VALUE...]
       acl-frame.py send OWN-MAC PEER-MAC ADDRESS PORT [KEY=VALUE...]
                    [via=DEVICE] [vlan=TAG]
       acl-frame.py open ADDRESS PORT OWN-PORT
       acl-frame.py await SECONDS SOURCE-PORT PORT

'print' prints a frame, for bpf-run; 'send' sends it out of wan0, or DEVICE.
Without KEYs it is a SYN from the world outside.  KEYs are members of a Packet;
with a TAG the frame has a VLAN tag.  'open'
sends a SYN to ADDRESS and waits for no answer.  'await' prints "listening",
and succeeds if a TCP packet with these ports comes in by eth0.
"""

import socket
import struct
import sys
import time

from acl_packets import Packet, Subject

WORLD = {4: "198.51.100.1", 6: "2001:db8:ffff::1"}


def packet(address, port, *pairs):
    """Returns the packet that is asked for."""
    subject = Subject("", address, "")
    values = dict(pair.split("=", 1) for pair in pairs)
    for name, kind in Packet.__dataclass_fields__.items():
        if name in values and kind.type is int:
            values[name] = int(values[name], 0)
        elif name in values and kind.type is bytes:
            values[name] = bytes.fromhex(values[name])
    values.setdefault("src", WORLD[subject.family])
    return Packet(subject, "", dport=int(port), **values)


def send(frame, via):
    """Sends 'frame' out of the device 'via'."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((via, 0))
    sock.send(frame)
    return 0


def open_(address, port, own):
    """Sends a SYN by a socket that is then closed before it is answered."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(("", int(own)))
        sock.setblocking(False)
        sock.connect_ex((address, int(port)))
    return 0


def await_(seconds, source, port):
    """Waits for a TCP packet from port 'source' to 'port'."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
    sock.bind(("eth0", 3))
    print("listening", flush=True)
    ports = struct.pack("!HH", int(source), int(port))
    end = time.monotonic() + float(seconds)
    while (left := end - time.monotonic()) > 0:
        sock.settimeout(left)
        try:
            frame, (_, _, kind, _, _) = sock.recvfrom(2048)
        except TimeoutError:
            break
        ip6 = frame[12:14] == b"\x86\xdd"
        place = 54 if ip6 else 14 + (frame[14] & 15) * 4
        if (kind != socket.PACKET_OUTGOING
                and frame[20 if ip6 else 23] == 6
                and frame[place:place + 4] == ports):
            return 0
    return 1


def main(argv):
    """Does what the first word says."""
    try:
        word, *args = argv[1:]
        if word == "open":
            return open_(*args)
        if word == "await":
            return await_(*args)
        own, peer, *words = args
        pairs = dict(pair.split("=", 1) for pair in words[2:])
        ours = ("via=", "vlan=")
        words = [word for word in words if not word.startswith(ours)]
        frame = packet(*words).frame(own, peer)
        if "vlan" in pairs:
            tag = struct.pack("!HH", 0x8100, int(pairs["vlan"]))
            frame = frame[:12] + tag + frame[12:]
        if word == "send":
            return send(frame, pairs.get("via", "wan0"))
        if word == "print":
            print(frame.hex())
            return 0
    except (ValueError, TypeError) as error:
        print(error, file=sys.stderr)
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
