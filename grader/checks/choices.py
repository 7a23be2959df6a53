"""Choices of a problem: which options are there, which are begun, and whether they are enough."""

from __future__ import annotations

import posixpath
from collections.abc import Mapping

from grader.assignment import Choice, Deliverable, ImagesSpec, Problem
from grader.checks import rules
from grader.results import Finding
from grader.submission import Submission
from grader.text import are, bare, listing, plural


def begun(submission: Submission, problem: Problem) -> set[str]:
    """Ids of optional deliverables that are asked for none the less, since something that belongs to them is there.

    These are the files of an option of which there is one, or anything in a folder of its own, and folders whose images
    have the same names.
    """
    paths = {d.id: d.path for d in problem.deliverables}
    found: set[str] = set()
    for choice in problem.choices:
        for option in choice.options:
            ids = choice.deliverables[option]
            if any(submission.entry(paths[i]) for i in ids) or _in_folders(submission, choice, option, paths):
                found |= set(ids)
    for spec in problem.deliverables:
        if isinstance(spec, ImagesSpec) and spec.same_names:
            pair = {spec.id, spec.same_names}
            if any(submission.entry(paths[i]) for i in pair):
                found |= pair
    return found


def check_choices(submission: Submission, problem: Problem) -> list[Finding]:
    """Findings about choices of which too few options are whole, and options with one file twice.

    The deliverables must have been checked: files are told apart by what was read of them.
    """
    specs = {d.id: d for d in problem.deliverables}
    few = [_too_few(submission, c, specs, problem.id) for c in problem.choices]
    return [*(f for f in few if f is not None), *_same_files(submission, problem)]


def _in_folders(submission: Submission, choice: Choice, option: str, paths: Mapping[str, str]) -> bool:
    """True if a folder that holds files of this option alone has anything in it."""
    folders = {o: {posixpath.dirname(paths[i]) for i in choice.deliverables[o]} for o in choice.options}
    others = {""}.union(*(folders[o] for o in choice.options if o != option))
    return any(submission.peek(folder) for folder in folders[option] - others)


def _same_files(submission: Submission, problem: Problem) -> list[Finding]:
    """A warning that names the files of an option that equal another one of it."""
    paths, same = {d.id: d.path for d in problem.deliverables}, []
    for ids in (ids for choice in problem.choices for ids in choice.deliverables.values()):
        first: dict[str, str] = {}
        for path in (paths[i] for i in ids):
            digest = submission.digest_of(path)
            if digest and (other := first.setdefault(digest, path)) != path:
                same.append((path, other))
    if not same:
        return []
    pairs = [f"{a} = {b}" for a, b in same]
    finding = rules.SAME_FILES.finding(
        problem=problem.id,
        path=same[0][0] if len(same) == 1 else posixpath.commonpath([posixpath.dirname(path) for path, _ in same]),
        message=f"{plural(len(same), 'file')} of {problem.id} {are(len(same))} the same as another of the same option.",
        expected="files of two trainings",
        actual=listing(pairs, 2),
        help="Hand in what each of the two trainings made.",
        count=len(same),
        examples=pairs,
    )
    return [finding]


def _too_few(submission: Submission, choice: Choice, specs: Mapping[str, Deliverable], problem: str) -> Finding | None:
    there = {o: [i for i in ids if submission.entry(specs[i].path)] for o, ids in choice.deliverables.items()}
    whole = [o for o in choice.options if len(there[o]) == len(choice.deliverables[o])]
    if len(whole) >= choice.least:
        return None
    half = [
        f"{o} ({len(there[o])} of {len(choice.deliverables[o])} files)"
        for o in choice.options
        if 0 < len(there[o]) < len(choice.deliverables[o])
    ]
    alike = [
        f"{folder}/ (looks like {o})"
        for o, ids in choice.deliverables.items()
        if not there[o]
        for folder in _respelled(submission, o, {posixpath.dirname(specs[i].path) for i in ids})
    ]
    kinds = {"whole": whole, "begun": half, "under another name": alike}
    found = "; ".join(f"{kind}: {listing(names, 10)}" for kind, names in kinds.items() if names)
    n, first = len(whole), [specs[i].path for i in choice.deliverables[choice.options[0]]]
    advice = f"For each one hand in, as for {choice.options[0]}: {', '.join(first)}."
    return rules.TOO_FEW_OPTIONS.finding(
        problem=problem,
        path=posixpath.commonpath([posixpath.dirname(s.path) for i, s in specs.items() if _of(choice, i)]) or ".",
        message=f"{choice.title}: {f'{n} {are(n)}' if n else 'none is'} there, at least {choice.least} "
        f"{are(choice.least)} asked for. One counts when all its files are there.",
        expected=f"at least {choice.least} of {', '.join(choice.options)}",
        actual=found or "none of them",
        help=f"Rename {listing(alike)}. {advice}" if alike else advice,
        examples=[*half, *alike],
    )


def _respelled(submission: Submission, option: str, folders: set[str]) -> list[str]:
    """Folders whose names differ from that of an option's own in case and punctuation alone."""
    found = []
    for folder in sorted(folders):
        home, name = posixpath.split(folder)
        if bare(name) != bare(option):
            continue
        near = [e.name for e in submission.peek(home or ".").values() if e.kind == "folder" and e.name != name]
        found += [posixpath.join(home, other) for other in near if bare(other) == bare(name)]
    return found


def _of(choice: Choice, deliverable: str) -> bool:
    return any(deliverable in ids for ids in choice.deliverables.values())
