# SPDX-License-Identifier: Apache-2.0
"""The rules of the house, as functions.

Each rule takes a Source and yields (line number, message) pairs.  'lint'
applies them to the tree, 'selftest' shows that each one can fail.  A rule is
known by the name of its function, with '-' for '_'.
"""

import os
import re
import shutil
import subprocess
import tempfile

ROOMS = ("bpf", "idl", "plugin", "rpc", "rpm", "tests")
APACHE = "SPDX-License-Identifier: Apache-2.0"
DUAL = "SPDX-License-Identifier: (BSD-2-Clause OR GPL-2.0-only)"

MAX_FILE_LINES = 800
MAX_FUNCTION_LINES = 100

# The view; names and sentences; names of folders.
RPC_SEES = ("plugin/view.h", "plugin/reason.h", "plugin/paths.h")

RULES = []


def rule(function):
    """Makes 'function' one of the rules."""
    RULES.append(function)
    return function


def name_of(function):
    """Returns the name under which a rule is reported."""
    return function.__name__.replace("_", "-")


class Source:
    """One file of the tree."""

    def __init__(self, path, text, siblings=(), makefiles="", top=None):
        self.path = path            # Relative to the top of the tree.
        self.text = text
        self.lines = text.split("\n")
        self.siblings = siblings    # Paths of all files of the tree.
        self.makefiles = makefiles  # Text of all makefiles, joined.
        self.top = top              # The tree, if it is a file of one.
        self.room = path.split("/")[0] if "/" in path else ""
        self.name = os.path.basename(path)

    def has_suffix(self, *suffixes):
        """Tells whether the name ends so."""
        return self.name.endswith(suffixes)

    @property
    def is_c(self):
        """C, of either side."""
        return self.has_suffix(".c", ".h")

    @property
    def is_bpf(self):
        """Code that the kernel's style and licence apply to."""
        return ".bpf." in self.name or (
            self.room == "bpf" and self.has_suffix(".c", ".h", ".def"))

    @property
    def is_user_c(self):
        """C of user space."""
        return self.is_c and not self.is_bpf

    @property
    def is_shell(self):
        """A script, or a library of scripts."""
        return (self.has_suffix(".sh", ".bash")
                or "/completions/" in self.path
                or bool(re.match(r"#!.*\b(ba)?sh\b", self.lines[0])))

    @property
    def is_python(self):
        """A Python program or module."""
        return (self.has_suffix(".py")
                or bool(re.match(r"#!.*\bpython3?\b", self.lines[0])))

    @property
    def is_man(self):
        """A manual page."""
        return bool(re.search(r"\.[1-8]$", self.name))

    def includes(self):
        """Yields (line number, what is included, '<' or '"')."""
        for number, line in enumerate(self.lines, 1):
            m = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
            if m:
                yield number, m.group(2), m.group(1)

    def functions(self):
        """Yields (first line of its head, line of '{', line of '}')."""
        start = None
        for number, line in enumerate(self.lines, 1):
            if line == "{":
                start = number
            elif line.startswith("}") and start:
                head = self.head_of(start)
                if head and "(" in "".join(self.lines[head - 1:start - 1]):
                    yield head, start, number
                start = None

    def head_of(self, brace):
        """Returns the first line of what stands right before 'brace'."""
        number = brace
        while number > 1:
            above = self.lines[number - 2]
            if not above or above.endswith((";", "*/", "}", "\f")) or (
                    above.startswith("#")):
                break
            number -= 1
        return number if number < brace else None


@rule
def spdx(source):
    """The licence stands on the first line, or below '#!'."""
    if source.has_suffix(".c", ".h", ".def", ".mk", ".m4", ".ac", ".am",
                         ".ann") or (
            source.is_shell or source.is_python or source.is_man):
        place = 1 if source.lines[0].startswith("#!") else 0
        line = source.lines[place] if place < len(source.lines) else ""
        if (DUAL if source.is_bpf else APACHE) not in line:
            yield place + 1, "the SPDX line of this room is not here"


@rule
def file_comment(source):
    """A file says what it is."""
    if not (source.is_c or source.is_shell or source.is_python):
        return
    for line in source.lines[:8]:
        if "SPDX" in line or line.startswith("#!"):
            continue
        if re.match(r'(/\*| \*|#|"""|\'\'\') *\w', line) and not re.match(
                r"#\s*(if|include|define)", line):
            return
    yield 1, "no comment below the licence says what this file is"


@rule
def line_length(source):
    """Lines are at most 79 columns, 100 in bpf/ and in scripts.

    A sentence of an X-macro list stays on one line, to be searched for.
    """
    if not (source.is_c or source.is_shell or source.is_python
            or source.has_suffix(".def", ".mk", ".m4")):
        return
    limit = 79 if source.is_user_c else 100
    for number, line in enumerate(source.lines, 1):
        sentence = source.has_suffix(".def") and re.match(r'\s*".*"\)$', line)
        if len(line.expandtabs(8)) > limit and not sentence:
            yield number, f"more than {limit} columns"


@rule
def white_space(source):
    """No tabs in user space, no blanks at the end of a line."""
    if not (source.is_c or source.is_shell or source.is_python):
        return
    for number, line in enumerate(source.lines, 1):
        if "\t" in line and not source.is_bpf:
            yield number, "a tab"
        if line != line.rstrip(" \t"):
            yield number, "blanks at the end"


@rule
def file_length(source):
    """No file is longer than can be read at once."""
    if (source.is_c or source.is_shell or source.is_python) and (
            len(source.lines) - 1 > MAX_FILE_LINES):
        yield MAX_FILE_LINES + 1, f"more than {MAX_FILE_LINES} lines"


@rule
def function_length(source):
    """No function is longer than two screens."""
    if source.is_c:
        for head, start, end in source.functions():
            if end - start + 1 > MAX_FUNCTION_LINES:
                yield head, f"a function of {end - start + 1} lines"


@rule
def function_comment(source):
    """Every function of a room is explained where it is defined."""
    if not source.has_suffix(".c", ".h") or source.room == "tests":
        return
    for head, _, _ in source.functions():
        if not source.lines[head - 2].endswith("*/"):
            yield head, "a function without a comment above it"


@rule
def function_head(source):
    """The name of a function of user space is at column 0."""
    if source.is_user_c:
        for head, start, _ in source.functions():
            lines = source.lines[head - 1:start - 1]
            named = [line for line in lines if re.match(r"\w+\(", line)]
            if not named:
                yield head, "the function's name is not at column 0"


@rule
def comment_style(source):
    """User space has no '//' comments."""
    if source.is_user_c:
        for number, line in enumerate(source.lines, 1):
            if re.search(r"(^|[^:\"'])//", re.sub(r'"(\\.|[^"])*"', "", line)):
                yield number, "a '//' comment"


@rule
def config_first(source):
    """A C file of user space includes <config.h>, then its own header."""
    if not (source.is_user_c and source.has_suffix(".c")):
        return
    found = [(number, what) for number, what, _ in source.includes()]
    if not found or found[0][1] != "config.h":
        yield found[0][0] if found else 1, "<config.h> is not included first"
        return
    own = source.path[:-1] + "h"
    if own in source.siblings and (len(found) < 2 or found[1][1] != own):
        yield found[0][0], f'"{own}" is not included second'


@rule
def header_guard(source):
    """A header's guard is its path, and its last line says so."""
    if not source.has_suffix(".h"):
        return
    guard = re.sub(r"\W", "_", source.path).upper()
    if f"#ifndef {guard}\n#define {guard}" not in source.text:
        yield 1, f"no guard {guard}"
    last = source.text.rstrip().split("\n")[-1]
    if last != f"#endif /* {source.path} */":
        yield len(source.lines) - 1, "the last line does not end the guard"


@rule
def allocation(source):
    """Memory is asked of OVS's functions, which never return NULL."""
    if source.is_user_c and source.room != "tests":
        for number, line in enumerate(source.lines, 1):
            m = re.search(r"(?<!\w)(malloc|calloc|realloc|strn?dup"
                          r"|v?asprintf)\(", line)
            if m:
                yield number, f"{m.group(1)}() instead of x{m.group(1)}()"


def is_libbpf(what):
    """Tells whether a header is that of a BPF library or of a program."""
    return (re.match(r"(bpf/(libbpf\w*|bpf|btf)\.h|xdp/)", what)
            or what.endswith(".skel.h"))


def forbidden_in_pure(what):
    """Tells whether desired and diff, being pure, must not see a header."""
    return (is_libbpf(what) or what.startswith(("bpf/", "rpc/", "linux/"))
            or what in ("ovsdb-idl.h", "timeval.h", "time.h", "sys/time.h",
                        "stdio.h", "unistd.h", "fcntl.h", "sys/socket.h",
                        "socket-util.h", "netlink.h", "netlink-socket.h",
                        "stream.h", "openvswitch/poll-loop.h",
                        "openvswitch/vlog.h", "unixctl.h"))


def wrong_bpf_include(room, what, quote):
    """Returns why a BPF file may not include 'what', or None."""
    if room == "tests" and what.startswith("tests/bpf/"):
        return None
    allowed = {"<": r"(linux|asm)/|bpf/bpf_\w+\.h$|std(bool|def)\.h$",
               '"': r"(bpf/)?[\w-]+\.(h|def)$"}[quote]
    return None if re.match(allowed, what) and not is_libbpf(what) else (
        "bpf/ includes UAPI and its own headers only")


def wrong_include(source, what):
    """Returns why a file of user space may not include 'what', or None."""
    path, room = source.path, source.room
    pure = re.match(r"plugin/(desired|diff)[\w-]*\.[ch]$", path)
    back_end = (path.startswith("plugin/datapath-bpf")
                or room == "tests" and "bpf" in path)
    ours = what.split("/")[0] if what.split("/")[0] in ROOMS else None
    if re.match(r"idl/(ovs|sb|nb)-idl\.h$", what) and room != "idl":
        return "generated IDL headers are for idl/ only"
    if what == "ovsdb-idl.h" and room != "idl":
        return "ovsdb-idl is for idl/ only"
    if is_libbpf(what) and not back_end:
        return "libbpf is for plugin/datapath-bpf*.c only"
    if pure and forbidden_in_pure(what):
        return "desired and diff are pure: no database, BPF, clock or I/O"
    if what.startswith("json-c/") and "rpc" not in path:
        return "json-c is for rpc/ only"
    if what == "openvswitch/json.h" and "rpc" in path:
        return "OVS's JSON is not json-c's: see build-aux/ovs.syms"
    if room == "tests":
        return None
    if ours == "bpf" and not is_libbpf(what) and what not in (
            "bpf/abi.h", "bpf/reason.def"):
        return "bpf/abi.h and bpf/reason.def are all that both sides share"
    if room == "rpc" and (ours in ("bpf", "idl") or ours == "plugin" and (
            what not in RPC_SEES)):
        return "rpc/ sees " + ", ".join(RPC_SEES) + " only"
    if room == "idl" and ours in ("plugin", "rpc", "bpf"):
        return "idl/ knows no room to its right"
    if room == "plugin" and ours == "rpc" and path != "plugin/main.c":
        return "plugin/ knows no room to its right, but for main.c"
    return None


@rule
def room_rules(source):
    """A room includes what it may know of."""
    if source.is_c:
        for number, what, quote in source.includes():
            reason = (wrong_bpf_include(source.room, what, quote)
                      if source.is_bpf
                      else wrong_include(source, what))
            if reason:
                yield number, f"includes {what}: {reason}"


@rule
def no_sleep(source):
    """A test awaits an event; asking again may take a pause of 0.1 s.

    What a traffic generator computes to keep its rate is no such wait."""
    if source.room != "tests" or source.path.startswith("tests/lint/"):
        return
    for number, line in enumerate(source.lines, 1):
        code = re.sub(r"(^|\s)#.*", "", line) if source.is_shell else line
        if (source.is_shell and re.search(r"(^|[\s;&|(])sleep\s+(?!0\.(0\d|1\b))", code)
                or source.is_python and re.search(
                    r"\bsleep\((?!0\.(0\d|1\b))\d", code)
                or source.is_c and re.search(r"\b(u|nano|xnano)?sleep\(",
                                             code)):
            yield number, "a sleep"


@rule
def strict_shell(source):
    """A script stops at unset variables, and is of bash."""
    if not source.is_shell or not source.lines[0].startswith("#!"):
        return
    if source.lines[0] == "#!/bin/busybox sh":
        return  # The guest's initial file system has no other.
    if source.lines[0] != "#!/usr/bin/env bash":
        yield 1, "not '#!/usr/bin/env bash'"
    if not re.search(r"^set -[a-z]*u", source.text, re.MULTILINE):
        yield 1, "no 'set -u'"


@rule
def portable_text(source):
    """No file knows the machine it was written on."""
    where = r"(^|[\s\"'=(:])/(home|root|work|mnt)/[a-z]"
    for number, line in enumerate(source.lines, 1):
        if re.search(where, line):
            yield number, "names a path of one machine"


@rule
def listed_in_makefile(source):
    """A file is built or distributed: some makefile names it."""
    if source.room in ROOMS and source.name != "automake.mk" and not re.search(
            rf"(^|[\s=]){re.escape(source.path)}(\s|\\|$)", source.makefiles,
            re.MULTILINE) and not is_default_source(source):
        yield 1, "no automake.mk names this file"


def is_default_source(source):
    """Tells whether automake takes a file as that of a listed program."""
    return source.has_suffix(".c") and re.search(
        rf"(^|[\s=]){re.escape(source.path[:-2])}(\s|\\|$)",
        source.makefiles, re.MULTILINE)


def complaints(command, source):
    """Yields what a tool says about a file, one per line."""
    with tempfile.TemporaryDirectory() as folder:
        file = source.path
        if not source.top:
            file = os.path.join(folder, source.name)
            with open(file, "w", encoding="utf-8") as f:
                f.write(source.text)
        done = subprocess.run(command + [file], stdin=subprocess.DEVNULL,
                              cwd=source.top, capture_output=True, text=True,
                              check=False)
    said = done.stderr if "groff" in command[0] else done.stdout + done.stderr
    for line in said.splitlines():
        m = re.match(r"[^:]*?:?[^:]+:(\d+):\s*(.*)", line)
        yield (int(m.group(1)), m.group(2)) if m else (1, line)
    if done.returncode and not said:
        yield 1, f"{command[0]} failed"


@rule
def shellcheck(source):
    """shellcheck finds nothing."""
    if source.is_shell:
        dialect = "dash" if "busybox" in source.lines[0] else "bash"
        yield from complaints(
            ["shellcheck", "-x", "-P", "SCRIPTDIR:.", "-f", "gcc",
             "-e", "SC2317,SC2119,SC2120", "-s", dialect], source)


@rule
def manual_page(source):
    """groff formats a manual page without a warning."""
    if source.is_man:
        yield from complaints(["groff", "-ww", "-z", "-t", "-man", "-Tutf8"],
                              source)


def tool_missing(function):
    """Returns the program that a rule needs and that is not here."""
    tool = {"shellcheck": "shellcheck", "manual_page": "groff"}.get(
        function.__name__)
    return tool if tool and not shutil.which(tool) else None
