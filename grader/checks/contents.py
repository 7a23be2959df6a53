"""The files of an image folder: each one read and examined, and what is wrong with them, one finding a mistake."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import replace

from grader.assignment import ImagesSpec
from grader.assignment.specs import ANY_SIZE
from grader.checks import rules
from grader.checks.pictures import Faults, Picture, ask, declared_size, decodable, finish, structure
from grader.checks.rule import MOST_EQUAL, too_many
from grader.checks.rules import Rule
from grader.results import Finding
from grader.submission import Submission, Unreadable
from grader.text import listing, plural

_LARGEST = 4 * 2**20  # bytes of one picture: a hundred times what these sizes need
_SIDES = (16, 1024)  # pixels a side, where any size will do
_MOST_BYTES = 400_000_000  # of the pixels of a folder, where any size will do
_BEYOND = f"beyond {_MOST_BYTES:,} bytes of pixels in all"


class Contents:
    """Collects what is wrong with each file, so that one mistake in many files is one finding."""

    def __init__(self, submission: Submission, spec: ImagesSpec, problem: str) -> None:
        self._submission = submission
        self._spec = spec
        self._problem = problem
        self._faults: dict[Rule, list[tuple[str, str]]] = defaultdict(list)
        self._constant: list[str] = []
        self._first: dict[tuple[bytes, int], str] = {}
        self._copies: list[tuple[str, str]] = []
        self._any_size = spec.any_size
        self._sizes: dict[str, tuple[int, int]] = {}
        self._kept = 0
        self.pixels: dict[str, bytes] = {}
        self._asked: tuple[str, Faults, ImagesSpec, bool] | None = None  # the file that is being decoded

    def add(self, name: str, *, judged: bool) -> None:
        """Reads, examines and remembers one file."""
        if self._any_size and self._kept > _MOST_BYTES:
            self._faults[rules.WRONG_SIZE].append((name, _BEYOND))
            return
        try:
            content = self._submission.read(f"{self._spec.path}/{name}", _LARGEST)
        except Unreadable as e:
            self._faults[rules.UNREADABLE].append((name, str(e)))
            return
        spec = self._spec
        if self._any_size:
            size = declared_size(content)
            if size is not None and not all(_SIDES[0] <= n <= _SIDES[1] for n in size):
                self._faults[rules.WRONG_SIZE].append((name, f"{size[0]}x{size[1]}"))
                return
            spec = replace(spec, size=size or spec.size)
            self._sizes[name] = spec.size
        faults = structure(content, spec)
        before = self._finished()  # only now: while the decoder worked on the file before, this one was examined
        if decodable(faults):
            ask(content, spec, self._submission.decoder)
            self._asked = name, faults, spec, judged
        else:
            self._note(name, faults)
        self._remember(before)

    def _finished(self) -> tuple[str, Picture, bool] | None:
        """What became of the file that the decoder was asked for."""
        if self._asked is None:
            return None
        (name, faults, spec, judged), self._asked = self._asked, None
        return name, finish(faults, spec, self._submission.decoder), judged

    def _remember(self, decoded: tuple[str, Picture, bool] | None) -> None:
        if decoded is None:
            return
        name, picture, judged = decoded
        self._note(name, picture.faults)
        if picture.pixels is None:
            return
        self._kept += len(picture.pixels)
        if self._any_size and self._kept > _MOST_BYTES:
            self._note(name, ((rules.WRONG_SIZE, _BEYOND),))
            return
        if judged:
            self.pixels[name] = picture.pixels
        if picture.constant:
            self._constant.append(name)
        key = hashlib.sha256(picture.pixels).digest(), self._spec.repeated_as(name)
        first = self._first.setdefault(key, name)
        if first != name:
            self._copies.append((name, first))

    def _note(self, name: str, faults: Faults) -> None:
        for rule, actual in faults:
            self._faults[rule].append((name, actual))

    def settle(self) -> ImagesSpec:
        """Ends the examination. The spec with the size that most images have, where any will do: others are faulty."""
        self._remember(self._finished())
        sizes = Counter(self._sizes[name] for name in self._sizes if self._sizes[name] != ANY_SIZE)
        if sizes:
            (size, _), *_ = sizes.most_common(1)
            for name, (width, height) in self._sizes.items():
                if (width, height) not in (size, ANY_SIZE):
                    self._faults[rules.WRONG_SIZE].append((name, f"{width}x{height}"))
                    self.pixels.pop(name, None)
            self._spec = replace(self._spec, size=size)
        return self._spec

    def digests(self) -> dict[bytes, str]:
        """A name by the hash of each picture's pixels; pictures of one colour are left out."""
        plain = set(self._constant)
        return {key: name for (key, _), name in self._first.items() if name not in plain}

    def findings(self) -> list[Finding]:
        """Errors in the order of the rules, then warnings."""
        spec = self._spec
        width, height = spec.size
        sides = f"one size for all, {_SIDES[0]} to {_SIDES[1]} pixels a side"
        shape = f"{width}x{height} pixels, which most have" if self._any_size else f"{width}x{height} pixels"
        expected = {
            rules.WRONG_SIZE: (sides, "have a size that can't be judged")
            if spec.any_size
            else (shape, f"are not {width}x{height}"),
            rules.WRONG_MODE: (f"8-bit {spec.mode} without alpha", f"are not plain {spec.mode}"),
            rules.WRONG_DEPTH: ("8 bits a channel", "have more than 8 bits a channel"),
            rules.WRONG_FORMAT: (spec.format, f"are no {spec.format} files, whatever their names say"),
            rules.UNREADABLE: (f"a whole {spec.format} file", "can't be read"),
            rules.ANIMATED: ("a single picture", "are animated"),
        }
        helps = {
            rules.WRONG_SIZE: f"Save all images of the folder in one size, {_SIDES[0]} to {_SIDES[1]} pixels a side."
            if self._any_size
            else f"Generate or crop to {width}x{height} before saving.",
            rules.WRONG_MODE: f"Convert before saving: image.convert('{spec.mode}').",
            rules.WRONG_DEPTH: "Convert the array to uint8 (0 to 255) before saving.",
            rules.WRONG_FORMAT: f"Save them with Image.save('name.{spec.format.lower()}').",
            rules.UNREADABLE: "Generate or copy these files again; each counts as missing.",
            rules.ANIMATED: "Save one frame for each file.",
        }
        found = []
        for rule, (wanted, what) in expected.items():
            if pairs := self._faults.get(rule):
                kinds = Counter(actual for _, actual in pairs)
                actual = listing([f"{kind} ({n})" for kind, n in kinds.most_common()], 4)
                found.append(self._finding(rule, [n for n, _ in pairs], what, wanted, actual, helps[rule]))
        if names := self._constant:
            what, advice = "have a single colour", "Look at them; check how values are scaled before saving."
            shown = [(name,) for name in names]
            found.append(self._finding(rules.CONSTANT_IMAGE, names, what, "pictures", "one colour", advice, shown))
        if self._copies:
            copies = [f"{name} = {first}" for name, first in self._copies]
            what, advice = "repeat the pixels of another", "Use fresh noise for every image."
            if spec.alike:
                advice = "They may resemble each other, but not be the same: look at these."
            actual, rule = listing(copies, 2), rules.DUPLICATE_IMAGES
            grave = not spec.alike and too_many(len(copies), len(self._first) + len(copies), MOST_EQUAL)
            found.append(self._finding(rule, copies, what, "all different", actual, advice, self._copies, grave))
        return found

    def _finding(
        self,
        rule: Rule,
        names: list[str],
        what: str,
        expected: str,
        actual: str,
        advice: str,
        images: Iterable[tuple[str, ...]] = (),
        grave: bool = False,
    ) -> Finding:
        count, path = len(names), self._spec.path
        return rule.finding(
            problem=self._problem,
            deliverable=self._spec.id,
            path=f"{path}/{names[0].split(' = ')[0]}" if count == 1 else path,
            message=f"{plural(count, 'image')} in {path}/ {_singular(what) if count == 1 else what}.",
            expected=expected,
            actual=actual,
            help=advice,
            count=count,
            examples=names,
            images=images,
            grave=grave,
        )


def _singular(what: str) -> str:
    for many, one in (("are ", "is "), ("have ", "has "), ("repeat ", "repeats ")):
        if what.startswith(many):
            return one + what.removeprefix(many)
    return what
