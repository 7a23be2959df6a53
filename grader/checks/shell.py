"""What a shell script really uses: commands, variables and paths, found in its syntax tree, never in its text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import tree_sitter_bash
from tree_sitter import Language, Node, Parser

Kind = Literal["command", "variable", "path"]
# Commands whose arguments are a command again; shells, which run a text; and those whose arguments are just text.
_WRAPPERS = {"sudo", "env", "xargs", "command", "builtin", "exec", "time", "nohup", "nice", "timeout", "find"}
_SHELLS = {"bash", "sh", "eval"}
_TALKERS = {"echo", "printf", "awk", "sed", "grep"}
_LITERALS = {"word", "string", "raw_string", "concatenation"}
_HARMLESS = re.compile(r"/dev/(null|stdin|stdout|stderr|tty|zero|u?random|fd/[0-9]+)")
_ABSOLUTE = re.compile(r"(?:-{0,2}[\w-]+=)?((?:/|~|\$HOME\b|\$\{HOME\}).*)", re.DOTALL)
_NESTING = 5


@dataclass(frozen=True)
class Use:
    """One use in the script: a command's name, a variable that is set, or an absolute path; `line` counts from 1."""

    kind: Kind
    word: str
    line: int


def uses(script: str) -> list[Use]:
    """Everything the script uses, by line.

    >>> [(u.kind, u.word) for u in uses("A=1 rm x  # cp\\necho 'mv y' > /tmp/z")]
    [('command', 'rm'), ('variable', 'A'), ('command', 'echo'), ('path', '/tmp/z')]
    """
    found = dict.fromkeys(_of_script(script, 0, 0))
    return sorted(found, key=lambda use: use.line)


def _of_script(script: str, offset: int, depth: int) -> Iterator[Use]:
    tree = Parser(Language(tree_sitter_bash.language())).parse(script.encode("utf-8", "surrogateescape"))
    nodes = [tree.root_node]
    while nodes:  # no recursion: a hostile script can nest deeper than Python's stack
        node = nodes.pop()
        line = node.start_point[0] + 1 + offset
        children = node.named_children
        if node.type == "command":
            yield from _of_command(node, line, depth)
            if _name_of(node) in _TALKERS:
                children = [c for c in children if c.type not in ("word", "raw_string")]
                children = [part for c in children for part in (c.named_children if c.type == "string" else [c])]
        elif node.type in ("variable_assignment", "declaration_command", "unset_command"):
            names = [c for c in children if c.type == "variable_name"]
            yield from (Use("variable", _text(name), line) for name in names)
        elif node.type in _LITERALS:
            path = _ABSOLUTE.fullmatch(_plain(node))
            if path and not _HARMLESS.fullmatch(path[1]):
                yield Use("path", path[1], line)
            # Of a literal only what runs inside it is of interest: "$(rm x)".
            children = [c for c in children if c.type not in ("word", "raw_string", "string_content")]
        elif node.type in ("heredoc_body", "regex", "comment"):
            children = [c for c in children if c.type == "command_substitution"]
        nodes.extend(reversed(children))


def _of_command(node: Node, line: int, depth: int) -> Iterator[Use]:
    """The command's own name, and the commands that it runs in turn."""
    name = _name_of(node)
    yield Use("command", name, line)
    arguments = [c for c in node.named_children if c.type in _LITERALS]
    words = [_plain(a) for a in arguments]
    if name in _WRAPPERS:
        for word in words:
            variable, equals, _ = word.partition("=")
            yield Use("variable" if equals else "command", variable if equals else _base(word), line)
    if name.startswith("python") and "-m" in words[:-1]:
        yield Use("command", words[words.index("-m") + 1], line)
    if name in _SHELLS and (name == "eval" or "-c" in words) and depth < _NESTING:
        for argument in arguments:
            if argument.type in ("string", "raw_string"):
                yield from _of_script(
                    _plain(argument), argument.start_point[0] + line - node.start_point[0] - 1, depth + 1
                )


def _name_of(command: Node) -> str:
    name = command.child_by_field_name("name")
    if name is None:
        return ""
    # The name node wraps the word, which may be quoted.
    return _base(_plain(name.named_children[0] if name.named_child_count == 1 else name))


def _base(word: str) -> str:
    return word.rpartition("/")[2]


def _text(node: Node) -> str:
    return (node.text or b"").decode("utf-8", "replace")


def _plain(node: Node) -> str:
    """A word without its quotes and backslashes: `"rm"`, `\\rm` and `'rm'` are all rm."""
    text = _text(node)
    if node.type == "raw_string":
        return text[1:-1]
    return re.sub(r"\\(.)", r"\1", text.replace('"', ""))
