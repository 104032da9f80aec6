#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Small traffic programs for the system tests; traffic.sh calls them.

usage: traffic.py serve PORT
       traffic.py tcp-echo HOST PORT BYTES
       traffic.py tcp-talk HOST PORT SECONDS
       traffic.py udp-count HOST PORT COUNT RATE

'serve' answers on TCP by sending back what it gets, and on UDP by counting
the datagrams of each sender.  The others are its clients; they exit with 0 if
nothing was lost or changed.
"""

import random
import selectors
import socket
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
    """Counts the different datagrams per sender; answers END with it."""
    seen = {}
    while True:
        data, sender = sock.recvfrom(2048)
        numbers = seen.setdefault(sender, set())
        if data.startswith(END):
            sock.sendto(END + str(len(numbers)).encode(), sender)
        else:
            numbers.add(data)


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
    received = ask(sock)
    print(f"sent {count} received {received}")
    return 0 if received == count else 1


def ask(sock):
    """Asks the server how many datagrams it has; None if it is silent."""
    poll = selectors.DefaultSelector()
    poll.register(sock, selectors.EVENT_READ)
    for _ in range(20):
        sock.send(END)
        if poll.select(0.2):
            return int(sock.recv(64)[len(END):])
    return None


def main(argv):
    """Runs the program that the first argument names."""
    try:
        name, *args = argv[1:]
        if name == "serve":
            return serve(int(args[0]))
        if name == "tcp-echo":
            return tcp_echo(args[0], int(args[1]), int(args[2]))
        if name == "tcp-talk":
            return tcp_talk(args[0], int(args[1]), float(args[2]))
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
