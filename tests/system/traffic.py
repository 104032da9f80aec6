#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small traffic programs for the system tests; traffic.sh calls them.

usage: traffic.py serve PORT
       traffic.py ping HOST COUNT [size=N] [ttl=N] [tos=N] [options=HEX] [df=1]
       traffic.py tcp-echo HOST PORT BYTES
       traffic.py tcp-talk HOST PORT SECONDS
       traffic.py udp-count HOST PORT COUNT RATE
       traffic.py rarp DEVICE
       traffic.py source DEVICE ADDRESS

'serve' answers on TCP by sending back what it gets, and on UDP by counting
the datagrams of each sender.  The others are its clients; they exit with 0 if
nothing was lost or changed.  'ping' differs from ping(8) in that it waits for
the last answer as long as for the first.
"""

import random
import selectors
import socket
import struct
import sys
import threading
import time

END = b"end"


def serve_tcp(listener):
    """Sends back whatever comes, one thread per connection."""
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=echo, args=(connection,), daemon=True).start()


def echo(connection):
    """Sends back what comes on 'connection' until its end."""
    with connection:
        try:
            while data := connection.recv(65536):
                connection.sendall(data)
        except OSError:
            pass


def serve_udp(sock):
    """Counts the different datagrams per sender; answers END with it, and
    with the first ranges of numbers that are missing."""
    seen = {}
    while True:
        data, sender = sock.recvfrom(2048)
        numbers = seen.setdefault(sender, set())
        if data.startswith(END):
            answer = f"{len(numbers)} {missing(numbers)}"
            sock.sendto(END + answer.encode(), sender)
        else:
            numbers.add(int(data))


def missing(numbers):
    """Returns the first ten ranges that 'numbers' lacks, as a text."""
    ranges = []
    expected = 0
    for number in sorted(numbers):
        if number != expected:
            ranges.append(f"{expected}-{number - 1}")
        expected = number + 1
    return ",".join(ranges[:10])


def serve(port):
    """Listens on TCP and UDP 'port', both address families, for ever."""
    listener = socket.create_server(
        ("::", port), family=socket.AF_INET6, dualstack_ipv6=True)
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.bind(("::", port))
    threading.Thread(target=serve_udp, args=(sock,), daemon=True).start()
    print("listening", flush=True)
    serve_tcp(listener)


def tcp_echo(host, port, size):
    """Sends 'size' random bytes and reads them back; they must be equal."""
    data = random.Random(size).randbytes(size)
    received = bytearray()
    start = time.monotonic()
    with socket.create_connection((host, port), timeout=2) as sock:
        sender = threading.Thread(target=sock.sendall, args=(data,))
        sender.start()
        while len(received) < size and (part := sock.recv(65536)):
            received += part
        sender.join()
    if received != data:
        print(f"sent {size} bytes, got {len(received)} back, not the same")
        return 1
    print(f"{size} bytes there and back in {time.monotonic() - start:.2f} s")
    return 0


def tcp_talk(host, port, seconds):
    """Exchanges a line every 10 ms on one connection for 'seconds'."""
    longest = 0.0
    lines = 0
    end = time.monotonic() + seconds
    with socket.create_connection((host, port), timeout=15) as sock:
        print("connected", flush=True)
        stream = sock.makefile("rwb")
        while (start := time.monotonic()) < end:
            line = f"line {lines}\n".encode()
            stream.write(line)
            stream.flush()
            if stream.readline() != line:
                print(f"connection broken after {lines} lines")
                return 1
            lines += 1
            longest = max(longest, time.monotonic() - start)
            time.sleep(0.01)
    print(f"{lines} lines, longest wait {longest * 1000:.0f} ms")
    return 0


def udp_connect(host, port):
    """Returns a UDP socket that is connected to the server."""
    address = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    sock = socket.socket(address[0], socket.SOCK_DGRAM)
    sock.connect(address[4])
    return sock


def udp_count(host, port, count, rate):
    """Sends 'count' datagrams at 'rate' per second; all must be counted."""
    sock = udp_connect(host, port)
    start = time.monotonic()
    for i in range(count):
        ahead = start + i / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        try:
            sock.send(b"%d" % i)
        except ConnectionRefusedError:
            pass
    received, lost = ask(sock)
    end = time.monotonic() + 10
    # The question may have overtaken datagrams that still wait for OVS.
    while received is not None and received < count and (
            time.monotonic() < end):
        time.sleep(0.1)
        received, lost = ask(sock)
    print(f"sent {count} received {received} lost {lost or '-'}")
    return 0 if received == count else 1


def ask(sock):
    """Asks the server how many datagrams it has and which ranges it lacks;
    None if it is silent."""
    poll = selectors.DefaultSelector()
    poll.register(sock, selectors.EVENT_READ)
    for _ in range(20):
        sock.send(END)
        if poll.select(0.2):
            received, lost = sock.recv(2048)[len(END):].decode().split(" ")
            return int(received), lost
    return None, ""


def ping_socket(host, options):
    """Returns a raw socket with 'options' that is connected to 'host', and
    the types of echo request and reply."""
    address = socket.getaddrinfo(host, None, type=socket.SOCK_RAW)[0]
    ip6 = address[0] == socket.AF_INET6
    level = socket.IPPROTO_IPV6 if ip6 else socket.IPPROTO_IP
    sock = socket.socket(address[0], socket.SOCK_RAW, socket.IPPROTO_ICMPV6
                         if ip6 else socket.IPPROTO_ICMP)
    # 10 and 23 are the two families' *_MTU_DISCOVER, which Python lacks.
    number = {"ttl": socket.IPV6_UNICAST_HOPS if ip6 else socket.IP_TTL,
              "tos": socket.IPV6_TCLASS if ip6 else socket.IP_TOS,
              "df": 23 if ip6 else 10}
    for name in number.keys() & options.keys():
        value = 2 if name == "df" else int(options[name], 0)
        sock.setsockopt(level, number[name], value)
    if "options" in options:
        sock.setsockopt(level, socket.IP_OPTIONS,
                        bytes.fromhex(options["options"]))
    sock.connect(address[4])
    return (sock, 128, 129) if ip6 else (sock, 8, 0)


def checksum(data):
    """Returns the Internet checksum of 'data', whose length is even."""
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    total = (total & 0xffff) + (total >> 16)
    return ~(total + (total >> 16)) & 0xffff


def ping(host, count, options):
    """Sends 'count' echo requests, one each 20 ms; all must be answered."""
    sock, request, reply = ping_socket(host, options)
    ident = random.randrange(0x10000)
    data = bytes(int(options.get("size", 56)) & ~1)
    waiting = set()
    start = time.monotonic()
    for i in range(count):
        message = struct.pack("!BBHHH", request, 0, 0, ident, i) + data
        sock.send(message[:2] + struct.pack("!H", checksum(message))
                  + message[4:])
        waiting.add(i)
        answers(sock, reply, ident, waiting, start + (i + 1) * 0.02, False)
    answers(sock, reply, ident, waiting, time.monotonic() + 2, True)
    print(f"{count} sent, {count - len(waiting)} answered")
    return 1 if waiting else 0


def answers(sock, reply, ident, waiting, end, early):
    """Removes from 'waiting' what is answered until 'end'; if 'early', no
    longer than until it is empty."""
    while (left := end - time.monotonic()) > 0 and (waiting or not early):
        sock.settimeout(left)
        try:
            data = sock.recv(65536)
        except TimeoutError:
            return
        if sock.family == socket.AF_INET:
            data = data[(data[0] & 15) * 4:]
        kind, _, _, ident_, number = struct.unpack("!BBHHH", data[:8])
        if kind == reply and ident_ == ident:
            waiting.discard(number)


def rarp(device):
    """Says by broadcast that this machine runs here now, as qemu does at the
    end of a live migration: a RARP request for its own MAC address."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
    sock.bind((device, 0))
    mac = sock.getsockname()[4]
    sock.send(bytes.fromhex("ffffffffffff") + mac
              + struct.pack("!HHHBBH", 0x8035, 1, 0x0800, 6, 4, 3)
              + mac + bytes(4) + mac + bytes(4) + bytes(18))
    return 0


def source(device, address):
    """Prints the source MAC of the next IPv4 packet from 'address' that comes
    in by 'device'."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                         socket.htons(0x0800))
    sock.bind((device, 0x0800))
    sock.settimeout(20)
    while True:
        frame, (_, _, kind, _, _) = sock.recvfrom(2048)
        if kind != socket.PACKET_OUTGOING and (
                frame[26:30] == socket.inet_aton(address)):
            print(frame[6:12].hex(":"))
            return 0


def main(argv):
    """Runs the program that the first argument names."""
    try:
        name, *args = argv[1:]
        if name == "serve":
            return serve(int(args[0]))
        if name == "ping":
            return ping(args[0], int(args[1]),
                        dict(arg.split("=") for arg in args[2:]))
        if name == "tcp-echo":
            return tcp_echo(args[0], int(args[1]), int(args[2]))
        if name == "tcp-talk":
            return tcp_talk(args[0], int(args[1]), float(args[2]))
        if name == "rarp":
            return rarp(args[0])
        if name == "source":
            return source(args[0], args[1])
        if name == "udp-count":
            return udp_count(args[0], int(args[1]), int(args[2]),
                             float(args[3]))
    except OSError as error:
        print(f"{' '.join(argv[1:])}: {error}")
        return 1
    except (ValueError, IndexError):
        pass
    print(__doc__, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv))
