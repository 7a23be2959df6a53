"""Fuzzes the parsers.

    python -m tests.fuzz --target all --runs 100000 --seed 1
    python -m tests.fuzz --target png --input crash-6fa1…

With atheris (`pip install '.[fuzz]'`, Python 3.11 to 3.13) inputs are guided by what they reach; `--plain` changes
seeds blindly and needs nothing. Each target runs in a process of its own; an input that breaks a promise is kept in
`--keep` and ends that target. Prints one line of JSON a target. Exit code 1 if anything was found.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
import traceback
from pathlib import Path

_SLOW = 5  # seconds for one input
_MEMORY = 2048  # MiB


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__.split("\n", 1)[0])
    parser.add_argument("--target", default="all")
    parser.add_argument("--runs", type=int, default=10_000, help="inputs for each target; some take a share of it")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--plain", action="store_true", help="without atheris")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="where findings go")
    parser.add_argument("--input", type=Path, help="run one input and no more")
    parser.add_argument("--corpus", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.corpus is not None:
        _guided(args.target, args.runs, args.seed, args.corpus, args.keep)
    from tests.fuzz.targets import TARGETS

    if args.target != "all" and args.target not in TARGETS:
        parser.error(f"no target {args.target!r}; there are all, {', '.join(TARGETS)}")
    if args.input is not None:
        TARGETS[args.target].run(args.input.read_bytes())
        return
    args.keep.mkdir(parents=True, exist_ok=True)
    found = False
    for name in TARGETS if args.target == "all" else [args.target]:
        runs = max(1, int(args.runs * TARGETS[name].share))
        result = (_plain if args.plain else _process)(name, runs, args.seed, args.keep)
        print(json.dumps({"target": name, "seed": args.seed} | result), flush=True)
        found = found or bool(result["found"])
    sys.exit(found)


def _plain(name: str, runs: int, seed: int, keep: Path) -> dict[str, object]:
    from tests.fuzz.mutator import mutated
    from tests.fuzz.targets import TARGETS, seeds_of

    target = TARGETS[name]
    began, done = time.monotonic(), 0
    for done, data in enumerate(mutated(seeds_of(name), target.words, runs, seed, target.longest), 1):
        try:
            target.run(data)
        except Exception:
            traceback.print_exc()
            kept = keep / f"{name}-{seed}-{done}"
            kept.write_bytes(data)
            return {"runs": done, "seconds": round(time.monotonic() - began, 1), "found": str(kept)}
    return {"runs": done, "seconds": round(time.monotonic() - began, 1), "found": ""}


def _process(name: str, runs: int, seed: int, keep: Path) -> dict[str, object]:
    """Runs the target under atheris in a process of its own: libFuzzer ends the process that it runs in."""
    from tests.fuzz.targets import TARGETS, seeds_of

    target = TARGETS[name]
    with tempfile.TemporaryDirectory() as corpus:
        for i, content in enumerate(seeds_of(name)):
            (Path(corpus) / f"seed-{i}").write_bytes(content)
        (keep / f"{name}.words").write_text("".join(f'"{_quoted(word)}"\n' for word in target.words))
        command = [sys.executable, "-m", "tests.fuzz", "--target", name, "--corpus", corpus]
        command += ["--runs", str(runs), "--seed", str(seed), "--keep", str(keep)]
        began = time.monotonic()
        done = subprocess.run(command, capture_output=True, check=False)
    said = done.stderr.decode("utf-8", "replace")
    (keep / f"{name}.log").write_text(said + done.stdout.decode("utf-8", "replace"))
    counts = re.findall(r"^#([0-9]+)\t|stat::number_of_executed_units: ([0-9]+)", said, re.MULTILINE)
    executed = max((int(a or b) for a, b in counts), default=0)
    kept = re.search(r"Test unit written to (\S+)", said)
    found = kept[1] if kept else "" if done.returncode == 0 else f"exit code {done.returncode}, see {name}.log"
    return {"runs": executed, "seconds": round(time.monotonic() - began, 1), "found": found}


def _quoted(word: bytes) -> str:
    return "".join(chr(b) if 32 <= b < 127 and b not in b'"\\' else f"\\x{b:02x}" for b in word)


def _guided(name: str, runs: int, seed: int, corpus: Path, keep: Path) -> None:
    """Hands the target over to libFuzzer, which doesn't come back."""
    import atheris

    with atheris.instrument_imports(include=["grader", "tomllib", "zipfile"]):
        from tests.fuzz.targets import TARGETS, seeds_of
    for content in seeds_of(name):  # imports what the target imports, instrumented
        with atheris.instrument_imports(include=["grader", "tomllib", "zipfile"]):
            TARGETS[name].run(content)
    limits = [f"-runs={runs}", f"-seed={seed}", f"-timeout={_SLOW}", f"-rss_limit_mb={_MEMORY}"]
    places = [f"-dict={keep / f'{name}.words'}", f"-artifact_prefix={keep}/{name}-", str(corpus)]
    shape = [f"-max_len={TARGETS[name].longest}", "-print_final_stats=1", "-verbosity=1"]
    atheris.Setup([sys.argv[0], *limits, *shape, *places], TARGETS[name].run)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
