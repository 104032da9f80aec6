#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the commands of manual pages and of README.md, for test-guide.sh.

usage: guide.py commands FILE [SECTION]
       guide.py match EXPECTED OUTPUT

'commands' prints what FILE, or its SECTION, shows in examples, a line each: a
letter, a tab, and text.  S begins a section (of a manual page: .SH or .SS), E
an example, C is a command, O a line of output that it should have.  An example
of a page of section 7 has commands behind "# ", and output below them; in
others each line is a command.  One that ends with "|", "&&" or a backslash
goes on in the next line.

'match' fails, and says of which line, unless the lines of the file EXPECTED
are in the file OUTPUT, in that order.  Each may be part of a line; "..." in it
is anything, and blanks do not count.
"""

import re
import sys


def plain(line):
    """Returns a line of roff as it is shown."""
    line = re.sub(r"\\f[BIRP]", "", line)
    for escape, text in (("\\-", "-"), ("\\(aq", "'"), ("\\(dq", '"'),
                         ("\\&", ""), ("\\e", "\\")):
        line = line.replace(escape, text)
    return line


def man_lines(text):
    """Yields (letter, text) of a manual page: S, E, or L for a line of an
    example."""
    inside = False
    for line in text.splitlines():
        macro = re.match(r"\.(SH|SS|EX|EE|nf|fi|RS|RE)\b *(.*)", line)
        if macro and macro.group(1) in ("SH", "SS"):
            yield "S", plain(macro.group(2).strip('"'))
        elif macro and macro.group(1) in ("EX", "nf"):
            inside = True
            yield "E", ""
        elif macro and macro.group(1) in ("EE", "fi"):
            inside = False
        elif inside and not macro:
            yield "L", plain(line)


def markdown_lines(text):
    """Yields the same of a page of Markdown."""
    inside = False
    for line in text.splitlines():
        if line.startswith("#"):
            yield "S", line.lstrip("# ")
        elif line.startswith("    "):
            if not inside:
                yield "E", ""
            yield "L", line[4:]
        inside = line.startswith("    ")


def commands(path, only):
    """Yields (letter, text) for what 'commands' prints."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    prompt = "# " if path.endswith(".7") else ""
    lines = (markdown_lines if path.endswith(".md") else man_lines)(text)
    section = None
    begun = ""
    for letter, line in lines:
        if letter == "S":
            section = line
        if only and section != only:
            continue
        if letter != "L":
            yield letter, line
        elif begun or line.startswith(prompt):
            begun += line if begun else line[len(prompt):]
            if re.search(r"(\\|\||&&)$", begun):
                begun = begun.rstrip("\\") + " "
            else:
                yield "C", begun
                begun = ""
        else:
            yield "O", line


def match(expected, output):
    """Prints the first line of 'expected' that is not where it ought to be in
    'output', and what is; returns whether there is none."""
    with open(output, encoding="utf-8", errors="replace") as f:
        found = [" ".join(line.split()) for line in f]
    position = 0
    with open(expected, encoding="utf-8") as f:
        wanted = [" ".join(line.split()) for line in f]
    for line in wanted:
        pattern = ".*".join(re.escape(part) for part in line.split("..."))
        while position < len(found) and not re.search(pattern,
                                                      found[position]):
            position += 1
        if position == len(found):
            print(f"no line '{line}' in:", *found, sep="\n")
            return False
        position += 1
    return True


def main():
    """Does what the arguments say."""
    if sys.argv[1] == "match":
        return 0 if match(sys.argv[2], sys.argv[3]) else 1
    for letter, text in commands(*(sys.argv[2:] + [None])[:2]):
        print(f"{letter}\t{text}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
