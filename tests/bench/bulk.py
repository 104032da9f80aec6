# SPDX-License-Identifier: Apache-2.0
"""Bulk TCP, for cloud.sh.

usage: bulk.py sink PORT
       bulk.py send HOST PORT SECONDS
       bulk.py figures FILE

'sink' reads what comes on one connection after the other.  'send' prints how
many megabits per second a connection has taken.  'figures' prints figures of
lines "MODE MEGABITS", the first of which is the reference.
"""

import socket
import sys
import time

from figures import emit


def sink(port):
    """Reads for ever."""
    listener = socket.create_server(("", port))
    print("listening", flush=True)
    while True:
        connection, _ = listener.accept()
        with connection:
            while connection.recv(1 << 20):
                pass


def send(host, port, seconds):
    """Sends for 'seconds' and waits until the other side has read it all."""
    data = bytes(1 << 16)
    sent = 0
    start = time.monotonic()
    with socket.create_connection((host, port), timeout=15) as sock:
        while time.monotonic() < start + seconds:
            sock.sendall(data)
            sent += len(data)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)
    print(f"{sent * 8 / 1e6 / (time.monotonic() - start):.1f}")


def figures(path):
    """Prints the figures of the lines in file 'path'."""
    modes = {}
    with open(path, encoding="utf-8") as f:
        for line in f:
            mode, megabits = line.rsplit(maxsplit=1)
            modes.setdefault(mode, []).append(float(megabits))
    reference, *others = modes.items()
    for mode, samples in others:
        emit("bulk TCP from outside to a floating IP", mode, "Mbit/s", samples,
             reference)


def main(name, *args):
    """Does what the command line says."""
    if name == "sink":
        sink(int(args[0]))
    elif name == "send":
        send(args[0], int(args[1]), float(args[2]))
    else:
        figures(args[0])


if __name__ == "__main__":
    main(*sys.argv[1:])
