"""The repository around a submission: its scripts and the report."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

from grader.assignment import DocumentSpec, ScriptSpec, ShellRules
from grader.checks import rules
from grader.checks.rules import Rule
from grader.results import Finding
from grader.submission import Submission, Unreadable
from grader.text import listing, printable

if TYPE_CHECKING:
    from grader.checks.shell import Use

LARGEST_SCRIPT = 256 * 1024
_SECONDS = 3
_MOST_WORDS = 20  # findings of one rule in a script; what is beyond is one more
_MOST_DOCUMENTS = 3  # that are read


def check_script(submission: Submission, spec: ScriptSpec, shell: ShellRules) -> list[Finding]:
    """Presence, syntax and the published shell rules of one script, which is read and never run."""
    entry = submission.entry(spec.path)
    if entry is None:
        return [missing_script(submission, spec)] if spec.required else []
    try:
        content = submission.read(spec.path, LARGEST_SCRIPT)
        text = content.decode("utf-8", "surrogateescape")
        if "\0" in text:
            raise Unreadable("it is no text (it holds zero bytes)")
    except Unreadable as e:
        rule = rules.UNREADABLE if entry.kind == "file" else rules.NOT_A_FILE
        actual = str(e) if entry.kind == "file" else f"a {entry.kind}"
        advice = f"Put the script itself at {spec.path}."
        return [_finding(rule, spec, f"{spec.path} can't be read.", "a shell script", actual, advice)]
    found: list[Finding] = []
    if not text.strip():
        message, advice = f"{spec.path} is empty.", "Write the command that the course is to run."
        return [_finding(rules.UNREADABLE, spec, message, "a shell script", "nothing", advice)]
    if text.startswith("\ufeff"):
        message, advice = f"{spec.path} starts with a byte order mark.", "Save it as plain UTF-8."
        found.append(_finding(rules.SHELL_SYNTAX, spec, message, "plain UTF-8", "a byte order mark", advice, [1]))
        text = text[1:]
    if "\r" in text:
        message, advice = f"{spec.path} has Windows line ends (CRLF).", "Save it with LF line ends: dos2unix."
        found.append(_finding(rules.SHELL_SYNTAX, spec, message, "LF line ends", "CRLF", advice, [1]))
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return found + _syntax(text, spec) + _shell_rules(text, spec, shell)


def can_parse() -> bool:
    """True if bash is here, so that scripts can be parsed."""
    return shutil.which("bash") is not None


def check_document(submission: Submission, spec: DocumentSpec) -> list[Finding]:
    """A PDF whose name is in the format, and is one inside."""
    pattern = re.compile("[A-Za-z0-9]+".join(map(re.escape, spec.path.split("<id>"))))
    files = [e.name for e in (submission.folder(".") or {}).values() if e.kind == "file"]
    named = [name for name in files if pattern.fullmatch(name)]
    if named:
        return [f for name in named[:_MOST_DOCUMENTS] if (f := _not_pdf(submission, spec, name))]
    if not spec.required:
        return []
    others = [name for name in files if name.lower().endswith(".pdf")]
    finding = rules.MISSING_REPORT.finding(
        problem=spec.problem,
        path=spec.path,
        message=f"There is no report {spec.path} at the top.",
        expected=f"{spec.path}, with your student number for <id>",
        actual=listing(others) if others else "no PDF",
        help=f"Rename {printable(others[0])} to {spec.path}." if others else "Add the report as a PDF.",
        examples=others,
    )
    return [finding]


def _not_pdf(submission: Submission, spec: DocumentSpec, name: str) -> Finding | None:
    try:
        # The header may stand anywhere in the first kilobyte (ISO 32000, annex H).
        good, actual = b"%PDF-" in submission.read(name)[:1024], "another kind of file"
    except Unreadable as e:
        good, actual = False, str(e)
    if good:
        return None
    return rules.NOT_A_PDF.finding(
        problem=spec.problem,
        path=name,
        message=f"{printable(name)} is no PDF.",
        expected="a PDF",
        actual=actual,
        help="Export the report as PDF.",
    )


def missing_script(submission: Submission, spec: ScriptSpec) -> Finding:
    """The finding that a script isn't there, with what is likely to be it."""
    names = list(submission.folder(".") or {})
    near = [n for n in names if n.lower().endswith(".sh")]
    same = next((n for n in near if n.lower() == spec.path.lower()), None)
    help_ = f"Rename {printable(same)} to {spec.path}." if same else "Add it at the top of the repository."
    actual = listing(near) if near else "no .sh file there"
    return _finding(rules.MISSING_SCRIPT, spec, f"{spec.path} is not there.", spec.path, actual, help_)


def _finding(
    rule: Rule, spec: ScriptSpec, message: str, expected: str, actual: str, help: str, lines: list[int] | None = None
) -> Finding:
    return rule.finding(
        problem=spec.problem,
        path=spec.path,
        message=message,
        expected=expected,
        actual=actual,
        help=help,
        count=len(lines or [1]),
        examples=[f"line {n}" for n in lines or []],
        line=lines[0] if lines else None,
    )


def _syntax(text: str, spec: ScriptSpec) -> list[Finding]:
    """What `bash -n` says. The text goes in through stdin: bash neither opens a file of the submission nor runs it."""
    bash = shutil.which("bash")
    if bash is None:
        return []
    try:
        done = subprocess.run(
            [bash, "--norc", "--noprofile", "-n"],
            input=text.encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=_SECONDS,
            env={"PATH": os.defpath, "LC_ALL": "C"},
            check=False,
        )
    except subprocess.TimeoutExpired:
        return [_unparsed(spec, f"bash -n took more than {_SECONDS} seconds")]
    if done.returncode == 0:
        return []
    if done.returncode < 0:  # ended by a signal, as with thousands of substitutions in each other
        return [_unparsed(spec, "bash itself ended when it read the script")]
    said = done.stderr.decode("utf-8", "replace").splitlines()
    first = re.sub(r"^.*?bash: ", "", said[0]) if said else "no reason given"
    match = re.search(r"line ([0-9]+)", first)
    line = int(match[1]) if match else 1
    message, advice = f"{spec.path} has a syntax error.", f"Run `bash -n {spec.path}` and mend the line it names."
    return [_finding(rules.SHELL_SYNTAX, spec, message, "a script that bash can parse", first, advice, [line])]


def _unparsed(spec: ScriptSpec, why: str) -> Finding:
    return _finding(rules.SHELL_SYNTAX, spec, f"{spec.path} can't be parsed.", "a script", why, "Simplify it.")


def _broken_rule(use: Use, shell: ShellRules) -> Rule | None:
    """The rule that one use breaks. Of the forbidden words those in capitals are variables, the others commands."""
    if use.kind == "path":
        return None if shell.absolute_paths else rules.ABSOLUTE_PATH
    if use.word in shell.forbidden and use.word.isupper() == (use.kind == "variable"):
        return rules.FORBIDDEN_COMMAND
    return rules.USE_INSTEAD if use.kind == "command" and use.word in shell.instead else None


def _shell_rules(text: str, spec: ScriptSpec, shell: ShellRules) -> list[Finding]:
    from grader.checks.parsing import Unparsed, uses_within_limits
    from grader.checks.shell import TooNested

    by_rule: dict[Rule, dict[str, list[int]]] = {}
    try:
        for use in uses_within_limits(text):
            rule = _broken_rule(use, shell)
            if rule is not None:
                by_rule.setdefault(rule, {}).setdefault(use.word, []).append(use.line)
    except TooNested:
        message = f"{spec.path} runs texts within texts, more than can be read."
        advice = "Write the commands out, without eval."
        return [_finding(rules.SHELL_SYNTAX, spec, message, "commands", "evals of evals", advice)]
    except Unparsed as e:
        return [_unparsed(spec, str(e))]
    found = []
    for rule, lines in by_rule.items():
        words = list(lines)
        found += [_use_finding(rule, word, lines[word], spec, shell) for word in words[:_MOST_WORDS]]
        if rest := words[_MOST_WORDS:]:
            message = f"{spec.path} has {len(rest)} more of these: {listing(rest)}."
            where = sorted(n for word in rest for n in lines[word])
            found.append(_finding(rule, spec, message, "none of them", listing(rest), "Write it without them.", where))
    return found


def _use_finding(rule: Rule, word: str, where: list[int], spec: ScriptSpec, shell: ShellRules) -> Finding:
    """A finding about one command, variable or path in some lines."""
    shown = printable(word)
    place = f"line{'s' if len(where) > 1 else ''} {listing([str(n) for n in where])}"
    if rule is rules.ABSOLUTE_PATH:
        said = "names an absolute path", "paths from $1, $2 or relative to the repository", "Use a relative path."
    elif rule is rules.USE_INSTEAD:
        other = shell.instead[word]
        said = f"calls {shown}", f"{other} instead of {shown}", f"Write {other}."
    else:
        said = f"uses {shown}", f"a script without {listing(shell.forbidden, 20)}", f"Do without {shown}."
    return _finding(rule, spec, f"{spec.path} {said[0]} in {place}.", said[1], f"{shown}, {place}", said[2], where)
