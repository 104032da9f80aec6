# SPDX-License-Identifier: Apache-2.0
"""What the programs of the bench share: a client of OVSDB, and the watcher of
the map of endpoints."""

import itertools
import json
import os
import socket
import subprocess

BATCH = 2000        # Operations in a transaction of transact_many().


class Database:
    """A connection to the database 'name' behind the socket 'path'."""

    def __init__(self, name, path):
        self.name = name
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(path)
        self.buffer = ""
        self.decoder = json.JSONDecoder()
        self.ids = itertools.count()

    def receive(self):
        """Returns the next message."""
        while True:
            try:
                message, end = self.decoder.raw_decode(self.buffer)
                self.buffer = self.buffer[end:].lstrip()
                return message
            except ValueError:
                data = self.sock.recv(1 << 20)
                if not data:
                    raise ConnectionError("the database has gone") from None
                self.buffer += data.decode()

    def send(self, operations):
        """Sends a transaction, whose result finish() takes."""
        request = {"method": "transact", "id": next(self.ids),
                   "params": [self.name] + operations}
        self.sock.sendall(json.dumps(request).encode())

    def finish(self):
        """Waits for the result of the transaction that was sent."""
        while True:
            message = self.receive()
            if message.get("method") == "echo":
                message = {"id": message["id"], "error": None,
                           "result": message["params"]}
                self.sock.sendall(json.dumps(message).encode())
                continue
            errors = [r for r in message["result"] if r and "error" in r]
            if message["error"] or errors:
                raise ValueError(f"{message['error']} {errors}")
            return message["result"]

    def transact(self, operations):
        """Does a transaction."""
        self.send(operations)
        return self.finish()

    def transact_many(self, operations):
        """Does many operations, in several transactions.  Returns the results
        of all."""
        operations = list(operations)
        results = []
        for i in range(0, len(operations), BATCH):
            results += self.transact(operations[i:i + BATCH])
        return results


class Watcher:
    """watch-map."""

    def __init__(self, pins):
        build = os.environ["OVN_XDP_BUILDDIR"]
        self.process = subprocess.Popen(
            [f"{build}/tests/bpf/watch-map", f"{pins}/gen-1/endpoints4"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def expect(self, sign, first, n=1):
        """Watches for 'n' addresses, the first of which is 'first', to appear
        (sign "+") or to vanish ("-")."""
        self.process.stdin.write(f"{sign} {first} {n}\n")
        self.process.stdin.flush()

    def when(self):
        """Waits until it has come true, and returns when that was."""
        return int(self.process.stdout.readline())

    def close(self):
        """Ends it."""
        self.process.stdin.close()
        self.process.wait()
