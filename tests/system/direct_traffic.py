#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Traffic between two namespaces, each byte and number of which is checked.

usage: direct_traffic.py bulk CLIENT SERVER ADDRESS SIZE up|down|both
       direct_traffic.py udp CLIENT SERVER ADDRESS COUNT RATE there|echo
       direct_traffic.py length CLIENT SERVER ADDRESS LENGTH
       direct_traffic.py short CLIENT SERVER ADDRESS COUNT
       direct_traffic.py reuse CLIENT SERVER ADDRESS COUNT
       direct_traffic.py sums NAME...
       direct_traffic.py watch CLIENT SERVER ADDRESS [own=PORT]
       direct_traffic.py pin PATH

CLIENT and SERVER are names of namespaces of the sandbox SANDBOX_ID; ADDRESS is
that by which the client reaches the server.  Exit status 0: nothing was lost,
doubled or changed; 3: datagrams were lost, but no more than that.

'bulk' is one TCP connection of SIZE bytes, or until a file exists if SIZE is
"until=FILE"; 'short' is many that say little, half closed at last, and 'reuse'
many from the same port.  'udp' sends datagrams of
all sizes that fit, which the server sends back if 'echo'.  'length' sends short
ones and then some of LENGTH bytes, IPv4, not to be fragmented, by one flow, and
prints how many of each came back.  'sums' fails if a
namespace has received a packet with a wrong checksum.  'pin' pins an XDP program
that passes all.

'watch' is TCP and UDP both ways, a record every 4 ms, and prints "running" once
all of it is received.  A line "stop START QUIET MAX" on standard input ends it
once nothing has come for QUIET ms, or after MAX ms.  It then prints for each
stream, there and back, when the last record came and which was the longest gap,
in ms, since START (in seconds since 1970).
"""

import os
import random
import selectors
import socket
import struct
import sys
import threading
import time

from direct_net import (FAULTS, REMARKS, Stream, Tally, counter, listener,
                        opener, pin_passing)

PORT = 7100
STEP = 0.004        # Seconds between two records of a watch.
RECORD = struct.Struct("!IIQ")

# Layer-3 lengths up to the MTU, and those at which something changes.
LENGTHS = (28, 29, 30, 46, 47, 60, 63, 64, 65, 127, 128, 576, 1000, 1279,
           1280, 1281, 1419, 1498, 1499, 1500)


class Way:
    """One direction of a bulk connection."""

    def __init__(self, seed, size, wanted):
        self.stream = Stream(seed)
        self.end = None         # File that ends it, instead of 'size'.
        self.size = 0           # Bytes to send, or sent.
        if wanted and size.startswith("until="):
            self.end = size[6:]
        elif wanted:
            self.size = int(size)
        self.sent = 0
        self.received = 0
        self.fault = None
        self.over = threading.Event()

    def send(self, sock, other):
        """Sends all of it.  If that is nothing, the connection is not half
        closed before all of 'other' has come."""
        while not os.path.exists(self.end) if self.end else (
                self.sent < self.size):
            n = 1 << 18
            if not self.end:
                n = min(n, self.size - self.sent)
            sock.sendall(self.stream.piece(self.sent, n))
            self.sent += n
        if not self.sent:
            other.over.wait(60)
        sock.shutdown(socket.SHUT_WR)

    def receive(self, sock):
        """Receives all of it, and compares."""
        try:
            self.compare(sock)
        finally:
            self.over.set()

    def compare(self, sock):
        """Compares what comes."""
        while data := sock.recv(1 << 18):
            wrong = self.stream.first_wrong(self.received, data)
            if wrong is not None:
                self.fault = f"byte {wrong} is wrong"
                return
            self.received += len(data)

    def judge(self):
        """Returns what was wrong in the end, or None."""
        if self.fault is None and (
                self.received != self.sent or self.sent < self.size):
            return f"{self.sent} bytes were sent, {self.received} received"
        return self.fault


def in_threads(*calls):
    """Runs functions, each with its arguments, beside each other."""
    def run(function, *args):
        try:
            function(*args)
        except OSError as error:
            print(error)

    threads = [threading.Thread(target=run, args=call) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def remarks(client, server, before=None):
    """Returns the counters of both namespaces that say how smoothly it went,
    or how much greater they are than 'before'."""
    now = [counter(name, *what) for name in (client, server)
           for what in REMARKS]
    return [a - b for a, b in zip(now, before)] if before else now


def bulk(client, server, address, size, ways):
    """See the top of this file."""
    up, down = Way(1, size, ways != "down"), Way(2, size, ways != "up")
    before = remarks(client, server)
    with listener(server, socket.SOCK_STREAM, PORT) as door, (
            opener(client, socket.SOCK_STREAM, address, PORT)) as mine:
        door.settimeout(5)
        theirs, _ = door.accept()
        mine.settimeout(20)
        theirs.settimeout(20)
        start = time.monotonic()
        with theirs:
            in_threads((up.send, mine, down), (down.receive, mine),
                       (down.send, theirs, up), (up.receive, theirs))
    took = time.monotonic() - start
    total = up.received + down.received
    counts = remarks(client, server, before)
    print(f"{total} bytes, {total * 8 / 1e6 / took:.0f} Mbit/s;"
          f" retransmitted {counts[0] + counts[3]},"
          f" out of order {counts[1] + counts[4]},"
          f" needlessly {counts[2] + counts[5]}")
    faults = [f"{name}: {way.judge()}" for way, name in (
        (up, "up"), (down, "down")) if way.judge()]
    print("\n".join(faults), end="")
    return 1 if faults else 0


class Datagrams:
    """Datagrams of a run, known by their numbers."""

    def __init__(self, ip6):
        self.stream = Stream(3)
        self.run = os.getpid()
        head = (48 if ip6 else 28) + 8
        self.sizes = [max(length - head, 0) for length in LENGTHS]
        random.Random(4).shuffle(self.sizes)

    def make(self, number):
        """Returns datagram 'number'."""
        size = self.sizes[number % len(self.sizes)]
        return struct.pack("!II", self.run, number) + self.stream.piece(
            number * 1999, size)

    def take(self, data, tally):
        """Adds a datagram that was received to 'tally'."""
        number = struct.unpack("!II", data[:8])[1] if len(data) >= 8 else None
        if number is None or data != self.make(number):
            tally.wrong += 1
        else:
            tally.add(number)


def drain(sock, datagrams, tally, send_back):
    """Takes what has come to 'sock'."""
    while True:
        try:
            data, sender = sock.recvfrom(2048)
        except BlockingIOError:
            return
        except ConnectionRefusedError:
            continue
        datagrams.take(data, tally)
        if send_back:
            sock.sendto(data, sender)


def udp(client, server, address, count, rate, kind):
    """See the top of this file."""
    count, rate = int(count), float(rate)
    echo = kind == "echo"
    datagrams = Datagrams(":" in address)
    there, back = Tally(), Tally()
    with listener(server, socket.SOCK_DGRAM, PORT) as theirs, (
            opener(client, socket.SOCK_DGRAM, address, PORT)) as mine:
        theirs.setblocking(False)
        mine.setblocking(False)
        poll = selectors.DefaultSelector()
        poll.register(theirs, selectors.EVENT_READ)
        poll.register(mine, selectors.EVENT_READ)
        start = time.monotonic()
        sent, end = 0, start + count / rate + 2
        while (now := time.monotonic()) < end:
            if sent < count and now >= start + sent / rate:
                mine.send(datagrams.make(sent))
                sent += 1
            elif len(there.seen) == count and (
                    not echo or len(back.seen) == count):
                # Whatever comes twice comes soon.
                end = min(end, now + 0.2)
            poll.select(max(0, min(start + sent / rate, end) - now)
                        if sent < count else max(0, end - now))
            drain(theirs, datagrams, there, echo)
            drain(mine, datagrams, back, False)
    print(f"there: {there.text(count)}")
    print(f"back: {back.text(count if echo else 0)}")
    if there.twice or there.wrong or back.twice or back.wrong:
        return 1
    whole = len(there.seen) == count and len(back.seen) == count * echo
    return 0 if whole else 3


def length(client, server, address, size):
    """See the top of this file."""
    came = {}
    sizes = [1] * 40 + [int(size) - 28] * 10
    with listener(server, socket.SOCK_DGRAM, PORT) as theirs, (
            opener(client, socket.SOCK_DGRAM, address, PORT)) as mine:
        # Not to be fragmented, whatever the kernel has heard of the path:
        # IP_MTU_DISCOVER and IP_PMTUDISC_PROBE, which Python lacks.
        mine.setsockopt(socket.IPPROTO_IP, 10, 3)
        theirs.setsockopt(socket.IPPROTO_IP, 10, 3)
        theirs.setblocking(False)
        mine.setblocking(False)
        poll = selectors.DefaultSelector()
        poll.register(theirs, selectors.EVENT_READ)
        poll.register(mine, selectors.EVENT_READ)
        for n in sizes:
            try:
                mine.send(bytes(n))
            except OSError as error:
                print(f"{n} bytes: {error}")
            end = time.monotonic() + (0.02 if n == 1 else 0.2)
            while (left := end - time.monotonic()) > 0:
                poll.select(left)
                return_all(theirs, mine, came)
    print(f"{came.pop(1, 0)} short, {sum(came.values())} of {size}")


def return_all(theirs, mine, came):
    """Sends back what has come to 'theirs', and counts in 'came', by size, what
    has come back to 'mine'.  What is said about packets that were too long is
    an error of the socket, once."""
    try:
        data, sender = theirs.recvfrom(2048)
        theirs.sendto(data, sender)
    except OSError:
        pass
    try:
        size = len(mine.recv(2048))
        came[size] = came.get(size, 0) + 1
    except OSError:
        pass


def serve_short(door, count):
    """Answers 'count' connections with what they have said until they were
    half closed, twice."""
    for _ in range(count):
        sock, _ = door.accept()
        with sock:
            sock.settimeout(5)
            data = b""
            while part := sock.recv(1 << 16):
                data += part
            sock.sendall(data + data)


def short(client, server, address, count, own=0):
    """See the top of this file."""
    count = int(count)
    stream, good = Stream(5), 0
    sizes = random.Random(6)
    with listener(server, socket.SOCK_STREAM, PORT) as door:
        door.settimeout(5)
        thread = threading.Thread(target=serve_short, args=(door, count),
                                  daemon=True)
        thread.start()
        for i in range(count):
            data = stream.piece(i * 7919, sizes.choice((1, 100, 3000, 60000)))
            with opener(client, socket.SOCK_STREAM, address, PORT,
                        own) as sock:
                if own:
                    # The server has closed by then; no TIME_WAIT here.
                    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                    struct.pack("ii", 1, 0))
                sock.sendall(data)
                sock.shutdown(socket.SHUT_WR)
                answer = b""
                while part := sock.recv(1 << 16):
                    answer += part
            good += answer == data + data
        thread.join()
    print(f"{good} of {count} connections went well")
    return 0 if good == count else 1


def sums(*names):
    """See the top of this file."""
    bad = 0
    for name in names:
        for what in FAULTS:
            n = counter(name, *what)
            if n:
                print(f"{name}: {what[1]}{what[2]} is {n}")
                bad = 1
    return bad


class Flow:
    """One direction of one protocol of a watch."""

    def __init__(self, name):
        self.name = name
        self.sock = None       # That which sends.
        self.to = None         # Of a datagram, unless connected.
        self.sent = 0
        self.buffer = b""      # What TCP has not taken yet.
        self.partial = b""     # What is no whole record yet.
        self.times = []        # When records have come.
        self.tally = Tally()
        self.broken = ""

    def send(self):
        """Sends the next record."""
        if not self.sock or self.broken:
            return
        record = RECORD.pack(0x6f786f78, self.sent & 0xffffffff,
                             self.sent * 0x9e3779b97f4a7c15 % (1 << 64))
        self.sent += 1
        try:
            if self.name.startswith("tcp"):
                self.buffer += record
                self.buffer = self.buffer[self.sock.send(self.buffer):]
            elif self.to:
                self.sock.sendto(record, self.to)
            else:
                self.sock.send(record)
        except BlockingIOError:
            pass
        except (ConnectionRefusedError, PermissionError):
            pass
        except OSError as error:
            # A datagram may find no route for a while.
            if self.name.startswith("tcp"):
                self.broken = os.strerror(error.errno)

    def take(self, data):
        """Takes what the other end has received."""
        now = time.time()
        data = self.partial + data
        whole = len(data) // RECORD.size * RECORD.size
        for head, number, check in RECORD.iter_unpack(data[:whole]):
            if head != 0x6f786f78 or check != (
                    number * 0x9e3779b97f4a7c15 % (1 << 64)):
                self.tally.wrong += 1
            self.tally.add(number)
            self.times.append(now)
        self.partial = data[whole:] if self.name.startswith("tcp") else b""

    def text(self, start, end):
        """Returns what is to be said of it."""
        times = [t for t in self.times if t >= start]
        last = f"{(times[-1] - start) * 1000:.0f}" if times else "0"
        points = [start, *times, end]
        gap = max(b - a for a, b in zip(points, points[1:]))
        state = self.broken.replace(" ", "-").lower() or "whole"
        return (f"{self.name} last {last} gap {gap * 1000:.0f}"
                f" after {len(times)} {state} {self.tally.text(self.sent)}")


class Watch:
    """Four flows between two namespaces."""

    def __init__(self, client, server, address, own=0):
        self.poll = selectors.DefaultSelector()
        self.flows = {name: Flow(name) for name in (
            "udp-there", "udp-back", "tcp-there", "tcp-back")}
        self.theirs = listener(server, socket.SOCK_DGRAM, PORT)
        self.mine = opener(client, socket.SOCK_DGRAM, address, PORT, own)
        with listener(server, socket.SOCK_STREAM, PORT) as door:
            caller = opener(client, socket.SOCK_STREAM, address, PORT, own)
            door.settimeout(5)
            called, _ = door.accept()
        for sock in (caller, called):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for sock, inward, outward in (
                (self.theirs, "udp-there", "udp-back"),
                (self.mine, "udp-back", "udp-there"),
                (called, "tcp-there", "tcp-back"),
                (caller, "tcp-back", "tcp-there")):
            sock.setblocking(False)
            self.poll.register(sock, selectors.EVENT_READ,
                               self.flows[inward])
            if sock is not self.theirs:
                self.flows[outward].sock = sock
        self.poll.register(sys.stdin, selectors.EVENT_READ, None)

    def receive(self, sock, flow):
        """Takes what has come to 'sock'."""
        try:
            data, sender = sock.recvfrom(65536)
        except BlockingIOError:
            return
        except OSError as error:
            if sock.type == socket.SOCK_STREAM:
                self.close(sock, flow, os.strerror(error.errno))
            return
        if sock is self.theirs:
            back = self.flows["udp-back"]
            back.sock, back.to = sock, sender
        elif not data:
            self.close(sock, flow, "closed")
            return
        flow.take(data)

    def close(self, sock, flow, why):
        """Takes note that a TCP connection has ended."""
        flow.broken = why
        self.poll.unregister(sock)

    def run(self):
        """Runs until a line on standard input ends it."""
        due, stop, running = time.monotonic(), None, False
        while not stop or not self.is_over(*stop):
            now = time.monotonic()
            if now >= due:
                due = max(due + STEP, now)
                for flow in self.flows.values():
                    flow.send()
            for key, _ in self.poll.select(max(0, due - now)):
                if key.data:
                    self.receive(key.fileobj, key.data)
                else:
                    stop = [float(w) for w in sys.stdin.readline().split()[1:]]
                    self.poll.unregister(sys.stdin)
            if not running and all(len(flow.times) > 20
                                   for flow in self.flows.values()):
                running = True
                print("running", flush=True)
        end = time.time()
        for flow in self.flows.values():
            print(flow.text(stop[0], end))
        return 1 if any(flow.tally.twice or flow.tally.wrong
                        for flow in self.flows.values()) else 0

    def is_over(self, start, quiet, longest):
        """Tells whether the watch has to end."""
        now = time.time()
        last = max(flow.times[-1] for flow in self.flows.values()
                   if flow.times)
        return now > start + longest / 1000 or (
            quiet and now > max(last, start) + quiet / 1000)


def watch(client, server, address, own="own=0"):
    """See the top of this file."""
    return Watch(client, server, address, int(own[4:])).run()


def main(name, *args):
    """Does what the first word says."""
    try:
        if name == "reuse":
            return short(*args, own=PORT + 1)
        return {"bulk": bulk, "udp": udp, "length": length,
                "short": short, "sums": sums, "watch": watch, "pin": pin_passing}[name](*args) or 0
    except OSError as error:
        print(f"{name} {' '.join(args)}: {error}")
        return 1
    except (KeyError, TypeError, ValueError) as error:
        print(f"{error}\n{__doc__}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:] or [""]))
