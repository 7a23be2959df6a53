"""What a shell script really uses: commands, variables and paths, found in its syntax tree, never in its text.

Also a program of its own (`parsing.py` starts it), which needs tree-sitter alone and nothing of the grader: reads a
script from standard input, writes its uses as JSON, or `null` where texts within texts are more than is read.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import astuple, dataclass
from typing import Literal

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

Kind = Literal["command", "variable", "path"]
# Commands whose arguments are a command again; shells, which run a text; and those whose arguments are just text.
_WRAPPERS = {
    *("sudo", "env", "xargs", "command", "builtin", "exec", "time", "nohup", "nice", "timeout", "setsid", "stdbuf"),
    *("coproc", "find"),
}
_SHELLS = {"bash", "sh"}
_TALKERS = {"echo", "printf", "awk", "sed", "grep"}
_LITERALS = {"word", "string", "raw_string", "ansi_c_string", "concatenation"}
_QUOTED = ("raw_string", "ansi_c_string")
_HARMLESS = re.compile(r"/dev/(null|stdin|stdout|stderr|tty|zero|u?random|fd/[0-9]+)")
# A lone "/" or a pattern such as "/*" is no path of a machine.
_ABSOLUTE = re.compile(r"(?:-{0,2}[\w-]+=)?((?:/[\w.~-]|~(?:/|$)|\$HOME\b|\$\{HOME\}).*)", re.DOTALL)
_NO_COMMAND = re.compile(r"-.*|[0-9.]+[smhd]?|\{\}|.*=.*", re.DOTALL)
_NESTING = 5
_LONGEST_WORD = 1024  # bytes: a longer one is no name and no path
_MOST_TEXT = 1 << 18  # bytes of all that evals and shells run within a script: each may hold all the others
SECONDS = 3  # of the processor, for one script: hundreds of times what the longest honest one needs
_MEMORY = 1 << 30  # bytes of addresses


@dataclass(frozen=True)
class Use:
    """One use in the script: a command's name, a variable that is set, or an absolute path; `line` counts from 1."""

    kind: Kind
    word: str
    line: int


class TooNested(Exception):
    """Texts that are run within each other add up to more than is read."""


@dataclass
class _Budget:
    """How many more bytes of such texts are read."""

    left: int = _MOST_TEXT

    def take(self, text: str) -> str:
        self.left -= len(text)
        if self.left < 0:
            raise TooNested
        return text


def uses(script: str) -> list[Use]:
    """Everything the script uses, by line. Raises TooNested.

    >>> [(u.kind, u.word) for u in uses("A=1 rm x  # cp\\necho 'mv y' > /tmp/z")]
    [('command', 'rm'), ('variable', 'A'), ('command', 'echo'), ('path', '/tmp/z')]
    """
    found = dict.fromkeys(_of_script(script, 0, 0, _Budget()))
    return sorted(found, key=lambda use: use.line)


def _of_script(script: str, offset: int, depth: int, budget: _Budget) -> Iterator[Use]:
    tree = Parser(Language(tree_sitter_bash.language())).parse(_below_256(script))
    nodes = [tree.root_node]
    while nodes:  # no recursion: a hostile script can nest deeper than Python's stack
        node = nodes.pop()
        line = node.start_point[0] + 1 + offset
        children = node.named_children
        if node.type == "command":
            yield from _of_command(node, line, depth, budget)
            if _name_of(node) in _TALKERS:
                children = [c for c in children if c.type not in (*_QUOTED, "word")]
                children = [part for c in children for part in (c.named_children if c.type == "string" else [c])]
        elif node.type in ("variable_assignment", "declaration_command", "unset_command", "for_statement"):
            names = [c for c in children if c.type == "variable_name"]
            yield from (Use("variable", _text(name), line) for name in names)
        elif node.type in _LITERALS:
            path = _ABSOLUTE.fullmatch(_plain(node))
            if path and not _HARMLESS.fullmatch(path[1]):
                yield Use("path", path[1], line)
            # Of a literal only what runs inside it is of interest: "$(rm x)".
            children = [c for c in children if c.type not in (*_QUOTED, "word", "string_content")]
        elif node.type in ("heredoc_body", "regex", "comment"):
            children = [c for c in children if c.type == "command_substitution"]
        nodes.extend(reversed(children))


def _of_command(node: Node, line: int, depth: int, budget: _Budget) -> Iterator[Use]:
    """The command's own name, and the commands that it runs in turn."""
    name = _name_of(node)
    yield Use("command", name, line)
    arguments = [c for c in node.named_children if c.type in _LITERALS]
    words = [_plain(a) for a in arguments]
    yield from _run_by_wrapper(name, words, line)
    if name.startswith("python"):
        modules = [w[2:] for w in words if w.startswith("-m") and len(w) > 2]
        modules += [after for before, after in itertools.pairwise(words) if before == "-m"]
        yield from (Use("command", module, line) for module in modules)
    if depth < _NESTING:
        for text, row in _scripts(name, words, arguments, budget):
            yield from _of_script(text, line - 1 + row - node.start_point[0], depth + 1, budget)


def _run_by_wrapper(name: str, words: list[str], line: int) -> Iterator[Use]:
    """What `sudo rm x`, `env A=1 rm x`, `find . -exec rm {} ;` and `alias r=rm` run."""
    if name == "alias":
        yield from (Use("command", _base(w.partition("=")[2].split(" ")[0]), line) for w in words if "=" in w)
    if name not in _WRAPPERS or (name == "command" and {"-v", "-V"} & set(words)):
        return
    if name == "find":
        started = [after for before, after in itertools.pairwise(words) if before in ("-exec", "-execdir", "-ok")]
        yield from (Use("command", _base(word), line) for word in started)
        return
    yield from (Use("variable", w.partition("=")[0], line) for w in words if re.match(r"\w+=", w))
    command = next((w for w in words if not _NO_COMMAND.fullmatch(w)), None)
    if command is not None:
        yield Use("command", _base(command), line)


def _scripts(name: str, words: list[str], arguments: list[Node], budget: _Budget) -> Iterator[tuple[str, int]]:
    """Texts that the command runs as a script, with the rows that they start in."""
    if not arguments:
        return
    if name == "eval":
        yield " ".join(budget.take(_whole(a)) for a in arguments), arguments[0].start_point[0]
    elif name == "trap" or (name in _SHELLS and any(re.fullmatch("-[a-z]*c", w) for w in words)):
        quoted = (a for a in arguments if a.type in ("string", *_QUOTED))
        yield from ((budget.take(_whole(a)), a.start_point[0]) for a in quoted)


def _name_of(command: Node) -> str:
    name = command.child_by_field_name("name")
    if name is None:
        return ""
    # The name node wraps the word, which may be quoted.
    return _base(_plain(name.named_children[0] if name.named_child_count == 1 else name))


def _base(word: str) -> str:
    return word.rpartition("/")[2]


def _below_256(script: str) -> bytes:
    """The script for the parser, each byte as one character: its scanner looks characters up in C's tables without
    a look at their size, so that a letter beyond 255 reads outside of them, and now and then ends the process.
    """
    return script.encode("utf-8", "surrogateescape").decode("latin-1").encode("utf-8")


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace").encode("latin-1", "replace").decode("utf-8", "replace")


def _plain(node: Node) -> str:
    """A word without its quotes and backslashes; empty where it is too long for one.

    Words nest: to read each in full would take a time that grows with the square of the script's length.
    """
    return _whole(node) if node.end_byte - node.start_byte <= _LONGEST_WORD else ""


def _whole(node: Node) -> str:
    """A text without its quotes and backslashes: `"rm"`, `\\rm`, `'r'm` and `$'rm'` are all rm."""
    text = _text(node)
    if node.type == "raw_string":
        return text[1:-1]
    if node.type == "ansi_c_string":
        return text[2:-1]
    if node.type == "concatenation":
        return "".join(_whole(part) for part in node.children)
    return re.sub(r"\\(.)", r"\1", text.replace('"', "").replace("\\\n", ""), flags=re.DOTALL)


def main() -> None:
    """Parses one script under limits: open brackets in each other take a time that grows with their square."""
    _limit()
    try:
        found = [astuple(use) for use in uses(sys.stdin.buffer.read().decode("utf-8", "surrogateescape"))]
    except TooNested:
        found = None
    json.dump(found, sys.stdout)
    sys.stdout.flush()


def _limit() -> None:
    """Memory, time, no file written, no process started; as far as the system knows such limits."""
    try:
        import resource
    except ImportError:  # Windows
        return
    for name, limit in (("AS", _MEMORY), ("CPU", SECONDS), ("FSIZE", 0), ("CORE", 0), ("NPROC", 0)):
        with suppress(AttributeError, ValueError, OSError):  # a system without it, or with a lower one
            resource.setrlimit(getattr(resource, f"RLIMIT_{name}"), (limit, limit))


if __name__ == "__main__":
    main()
    os._exit(0)  # nothing is left to tidy up
