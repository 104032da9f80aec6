#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the manual page ovn-xdp-reasons(7) from bpf/reason.def.

usage: reasons-man.py REASON.DEF >PAGE
"""

import re
import sys

REASON = re.compile(
    r'^(PACKET|STATE)_REASON\(\w+,\s*"([^"]*)",\s*"([^"]*)"\)', re.MULTILINE)

HEAD = r""".\" Generated from bpf/reason.def.
.TH ovn\-xdp\-reasons 7 "" "ovn\-xdp" "ovn\-xdp Manual"
.SH NAME
ovn\-xdp\-reasons \- why ovn\-xdp does what it does
.SH DESCRIPTION
Each frame that a program of
.BR ovn\-xdpd (8)
sees is counted under one reason, which says what became of it, and each
address, NIC or target that is not offloaded has one.
They appear in all output of
.BR ovn\-xdpctl (8).
Their words do not change.
"""

PACKETS = r""".SH "REASONS OF FRAMES"
Counted by NIC:
.B redirected
is the aim; a frame with any other reason was passed on to Linux unchanged,
except that
.B port\-sink
and
.B acl\-drop
mean it was dropped.
.BR acl\-count ,
.BR acl\-lease ,
.B acl\-answer
and
.B acl\-inside
are counted besides, of frames that have another reason as well.
"""

STATES = r""".SH "REASONS OF STATES"
Of an endpoint, an interface or a target, and classes of problems.
No reason, an empty word, means that nothing stands in the way.
"""

FOOT = r""".SH "SEE ALSO"
.BR ovn\-xdp (7),
.BR ovn\-xdpd (8),
.BR ovn\-xdpctl (8)
"""


def escape(text):
    """Returns 'text' such that groff shows it as it is."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in (".", "'") else text


def entries(reasons, kind):
    """Returns the paragraphs of the reasons of a kind."""
    return "".join(f".TP\n.B {escape(word)}\n{escape(sentence)}\n"
                   for its_kind, word, sentence in reasons
                   if its_kind == kind and word)


def main():
    """Reads the file that the command line names, and prints the page."""
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    with open(sys.argv[1], encoding="utf-8") as f:
        text = f.read()
    reasons = REASON.findall(text)
    rows = len(re.findall(r"^(?:PACKET|STATE)_REASON\(", text, re.MULTILINE))
    if not reasons or len(reasons) != rows:
        sys.exit(f"{sys.argv[1]}: {rows} rows, {len(reasons)} understood")
    sys.stdout.write(HEAD + PACKETS + entries(reasons, "PACKET") + STATES
                     + entries(reasons, "STATE") + FOOT)


if __name__ == "__main__":
    main()
