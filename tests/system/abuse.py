#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Clients of ovn-xdpd that do not behave, for test-rpc-limits.sh.

usage: abuse.py SOCKET CASE [PID]

Each case is a function below.  While it runs, a witness with a connection of
its own asks for the daemon's health all the time, and must get an answer each
time.  PID is that of the daemon, for the cases that look at it.  Exits with 0
if the daemon did as it should.
"""

import json
import os
import random
import resource
import select
import socket
import sys
import threading
import time

PATIENCE = 20  # Seconds for what should take none, on a loaded machine.
LIMIT = 256 * 1024
CLIENTS = 64


class Client:
    """A connection to the daemon."""

    def __init__(self, path):
        self.sock = socket.socket(socket.AF_UNIX)
        # Waits while the queue is full, which it does not after settimeout().
        self.sock.connect(path)
        self.sock.settimeout(PATIENCE)
        self.file = self.sock.makefile("rb")

    def send(self, data):
        """Sends bytes or text; an end of the connection is no error."""
        try:
            self.sock.sendall(data.encode() if isinstance(data, str)
                              else data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def reply(self):
        """Returns the next reply, None at the end of the connection."""
        line = self.file.readline()
        return json.loads(line) if line else None

    def ask(self, method="health.get"):
        """Returns the result of a method."""
        self.send(request(method))
        return self.reply()["result"]

    def must_end(self):
        """The connection ends without another byte."""
        rest = self.file.read()
        assert not rest, f"more came: {rest[:100]}"

    def must_refuse(self, word):
        """The daemon says what is wrong, and ends the connection."""
        error = self.reply()
        assert error and error["id"] is None, error
        assert error["error"]["data"]["class"] == word, error
        self.must_end()

    def close(self):
        """Ends the connection."""
        self.file.close()
        self.sock.close()


class Witness(threading.Thread):
    """A client that behaves."""

    def __init__(self, path):
        super().__init__(daemon=True)
        self.client = Client(path)
        self.answers = 0
        self.longest = 0.0
        self.error = None
        self.stop = threading.Event()

    def run(self):
        """Asks until stopped."""
        try:
            while not self.stop.is_set():
                start = time.monotonic()
                assert "status" in self.client.ask()
                self.longest = max(self.longest, time.monotonic() - start)
                self.answers += 1
                self.stop.wait(0.02)
        except (OSError, ValueError, TypeError, KeyError,
                AssertionError) as error:
            self.error = error


def request(method, number=1):
    """Returns the text of a request."""
    return json.dumps({"jsonrpc": "2.0", "method": method, "id": number})


def empty(path, _):
    """Not one byte."""
    for _ in range(100):
        client = Client(path)
        client.sock.shutdown(socket.SHUT_WR)
        client.must_end()
        client.close()
    for _ in range(500):
        Client(path).close()


def large(path, _):
    """Beyond 256 KiB a request is refused; one that fits is not."""
    for size in LIMIT + 1, 300 * 1024:
        client = Client(path)
        client.send('{"jsonrpc": "2.0", "params": ["' + "x" * size)
        client.must_refuse("request-too-large")
    client = Client(path)
    text = request("health.get")
    client.send(text[:1] + " " * (LIMIT - len(text)) + text[1:])
    assert "result" in client.reply()


def deep(path, _):
    """Beyond 32 levels a request is refused; its end need not come."""
    for opening in "[", '{"a":', '[{"a":':
        client = Client(path)
        client.send(opening * 1000)
        client.must_refuse("request-too-deep")
    client = Client(path)
    client.send("[" * 32 + "]" * 32)
    assert client.reply()[0]["error"]["data"]["class"] == "invalid-request"
    assert "status" in client.ask()


def garbage(path, _):
    """What is no JSON is refused, however it goes on."""
    source = random.Random(1)
    for _ in range(50):
        client = Client(path)
        client.send(request("health.get") + "\n")
        client.send(b"\xff" + source.randbytes(source.randrange(100000)))
        assert "result" in client.reply()
        client.must_refuse("parse-error")
        client.close()


def half(path, _):
    """Half a request, and nothing for a long time; then the rest."""
    text = request("status.get")
    clients = [Client(path) for _ in range(CLIENTS // 2)]
    for number, client in enumerate(clients):
        client.send(text[:number + 1])
    assert "status" in Client(path).ask()
    for number, client in enumerate(clients):
        client.send(text[number + 1:])
    for client in clients:
        assert "chassis" in client.reply()["result"]


def mute(path, _):
    """A client that asks for 40 MiB and reads nothing is disconnected."""
    client = Client(path)
    one = json.loads(request("rpc.discover"))
    size = len(json.dumps(client.ask("rpc.discover")))
    count = 40 * 1024 * 1024 // size
    text = json.dumps([one] * count)
    assert len(text) < LIMIT, "the reply to rpc.discover is too small"
    client.send(text)
    events = select.poll()
    events.register(client.sock, select.POLLHUP)
    assert events.poll(3 * PATIENCE * 1000), "not disconnected"
    got = len(client.file.read())
    assert got < 16 * 1024 * 1024, f"{got} bytes were sent all the same"


def slow(path, _):
    """A client that reads slowly gets all of it."""
    client = Client(path)
    client.send(json.dumps([json.loads(request("rpc.discover", number))
                            for number in range(100)]) + request("rpc.hello"))
    data = b""
    while data.count(b"\n") < 2:
        data += client.sock.recv(20000)
        time.sleep(0.01)
    replies = json.loads(data.split(b"\n")[0])
    assert [reply["id"] for reply in replies] == list(range(100))


def crowd(path, _):
    """64 clients are served, the 65th is told; the witness is one of them."""
    clients = [Client(path) for _ in range(CLIENTS - 1)]
    for client in clients:
        assert "status" in client.ask()
    for _ in range(10):
        Client(path).must_refuse("too-many-connections")
    for client in clients:
        assert "status" in client.ask()
    clients.pop().close()
    deadline = time.monotonic() + PATIENCE
    while True:
        client = Client(path)
        client.send(request("health.get"))
        if "result" in (client.reply() or {}):
            break
        assert time.monotonic() < deadline, "no room for another one"


def batch(path, _):
    """A batch is answered in one line, without its notifications."""
    client = Client(path)
    call = {"jsonrpc": "2.0", "method": "rpc.hello"}
    client.send(json.dumps([dict(call, id=i) if i % 2 else call
                            for i in range(1000)]))
    assert [reply["id"] for reply in client.reply()] == list(
        range(1, 1000, 2))
    client.send(json.dumps([call] * 1000) + json.dumps(call)
                + request("health.get", "next"))
    assert client.reply()["id"] == "next"
    client.send(json.dumps([1, {"foo": "bar"}, dict(call, id="x", params={
        "nix": 1}), dict(call, id="y", method="nix"), dict(call, id="z")]))
    assert [(r["id"], r.get("error", {}).get("code"))
            for r in client.reply()] == [
        (None, -32600), (None, -32600), ("x", -32602), ("y", -32601),
        ("z", None)]


def descriptors(path, pid):
    """Without descriptors clients wait, and the daemon does not spin."""
    old = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    client = Client(path)
    assert "status" in client.ask()
    # A new descriptor is the lowest that is free: that one is forbidden.
    used = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    free = min(set(range(len(used) + 1)) - used)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free, old[1]))
    try:
        waiting = [Client(path) for _ in range(10)]
        for other in waiting:
            other.send(request("health.get"))
        before = cpu_seconds(pid)
        ready, _, _ = select.select([w.sock for w in waiting], [], [], 2)
        spent = cpu_seconds(pid) - before
        assert len(ready) < len(waiting), "there were descriptors"
        assert spent < 1, f"{spent} s of a processor to wait 2 s"
        assert "status" in client.ask()
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, old)
    for other in waiting:
        assert "result" in other.reply()


def cpu_seconds(pid):
    """Returns the time that a process has had of the processors."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


CASES = {function.__name__: function for function in (
    empty, large, deep, garbage, half, mute, slow, crowd, batch, descriptors)}


def main(argv):
    """Runs a case."""
    path, name = argv[1:3]
    pid = int(argv[3]) if argv[3:] else None
    witness = Witness(path)
    witness.start()
    try:
        CASES[name](path, pid)
        # One more answer, from after all that.
        seen = witness.answers
        deadline = time.monotonic() + PATIENCE
        while witness.answers <= seen and witness.is_alive():
            assert time.monotonic() < deadline, "the witness waits"
            time.sleep(0.01)
    finally:
        witness.stop.set()
    witness.join(PATIENCE)
    print(f"witness: {witness.answers} answers, the longest after "
          f"{witness.longest:.3f} s")
    assert not witness.error, f"witness: {witness.error!r}"


if __name__ == "__main__":
    main(sys.argv)
