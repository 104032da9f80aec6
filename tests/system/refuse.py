#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a program on a machine that is short of something.

usage: refuse.py memory|descriptors=SOFT,HARD COMMAND...

memory: the kernel has none for BPF maps.
descriptors: 1,000 are open of the SOFT ones that it may have; HARD if it asks.
"""

import ctypes
import errno
import os
import platform
import resource
import struct
import sys

SYS_BPF = {"x86_64": 321, "aarch64": 280, "ppc64le": 361, "s390x": 351}
BPF_MAP_CREATE = 0


def refuse_maps():
    """Has bpf(BPF_MAP_CREATE) fail with ENOMEM."""
    steps = (
        (0x20, 0, 0, 0),                        # Number of the system call.
        (0x15, 0, 3, SYS_BPF[platform.machine()]),
        (0x20, 0, 0, 16 + 4 * (sys.byteorder == "big")),  # First argument.
        (0x15, 0, 1, BPF_MAP_CREATE),
        (0x06, 0, 0, 0x00050000 | errno.ENOMEM),
        (0x06, 0, 0, 0x7fff0000))
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    lines = ctypes.create_string_buffer(code, len(code))
    program = struct.pack("@HP", len(steps), ctypes.addressof(lines))
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, program, 0, 0):
        sys.exit(f"seccomp: {os.strerror(ctypes.get_errno())}")


def take_descriptors(soft, hard):
    """Opens 1,000 files that the next program inherits."""
    fd = 0
    while fd < 999:
        fd = os.open("/dev/null", os.O_RDONLY)
        os.set_inheritable(fd, True)
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def main(argv):
    """Takes what is to be taken, and becomes the program."""
    what, _, limits = argv[1].partition("=")
    if what == "memory":
        refuse_maps()
    else:
        take_descriptors(*(int(limit) for limit in limits.split(",")))
    os.execvp(argv[2], argv[2:])


if __name__ == "__main__":
    main(sys.argv)
