"""A training run on disk: it goes on after kill -9, logs one JSON object a line, keeps the best and the last weights.

A run folder holds `settings.json`, `log.jsonl`, `last.pt` (everything that the next step needs), and the weights that
count, `best.safetensors` (by the validation part) and `last.safetensors`.
"""

from __future__ import annotations

import json
import pickle
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors.torch import save_file
from torch import Tensor

from grader.errors import GraderError

Values = dict[str, float]
Tell = Callable[[str], None]
SAVED_EVERY = 60.0  # seconds between two checkpoints


class RunError(GraderError):
    """A run can't begin or go on; the text says why and what to do."""


class Stateful(Protocol):
    """What a checkpoint keeps."""

    def state_dict(self) -> Any: ...

    def load_state_dict(self, state: Any, /) -> Any: ...


class Trainer(Protocol):
    """One family's training. All of its state is in `parts`; its chance comes from torch, or the step.

    `steps`: how many there are. `every`: steps between two validations. `selection`: the value of `validate` by which
    the best weights are chosen, the smaller the better, or None for none. `final`: the weights that count in the end,
    `best` or `last`: a rule that is fixed before the run.
    """

    @property
    def steps(self) -> int: ...
    @property
    def every(self) -> int: ...
    @property
    def selection(self) -> str | None: ...
    @property
    def final(self) -> str: ...
    @property
    def parts(self) -> Mapping[str, Stateful]: ...

    def update(self, step: int) -> Values:
        """One step of every optimizer; returns the losses."""

    def validate(self) -> Values:
        """What is measured between steps."""

    def weights(self) -> dict[str, Tensor]:
        """The weights that make the deliverable."""


@dataclass(frozen=True)
class Machine:
    """Where a run trains. `bfloat16`: autocast to it, twice as fast where a CPU or GPU has instructions for it."""

    device: torch.device
    bfloat16: bool

    def autocast(self) -> AbstractContextManager[Any]:
        """The context of a forward pass."""
        return torch.autocast(self.device.type, torch.bfloat16) if self.bfloat16 else nullcontext()


def choose_machine(device: torch.device, precision: str) -> Machine:
    """`precision`: `float32`, `bfloat16`, or `auto` for bfloat16 where the device is made for it."""
    if precision == "auto":
        made_for_it = torch.cuda.is_bf16_supported() if device.type == "cuda" else torch.cpu._is_avx512_bf16_supported()
        return Machine(device, device.type in ("cpu", "cuda") and made_for_it)
    return Machine(device, precision == "bfloat16")


def fit(trainer: Trainer, folder: Path, settings: Mapping[str, Any], seed: int, tell: Tell, every: int = 20) -> None:
    """Trains to the end, from the last checkpoint if there is one. `every`: steps that a line of the log sums up.

    Each step has its own seed, so an interrupted run ends in the same weights. Raises RunError.
    """
    if trainer.steps < 1:
        raise RunError("these settings make no step: give more images or steps, or a smaller batch")
    _claim(folder, settings)
    step, best, spent = _restore(trainer, folder)
    if step:
        tell(f"goes on from step {step} of {trainer.steps}")
    clock = _Clock(step, trainer.steps, spent)
    saved = time.monotonic()
    losses: dict[str, list[float]] = {}
    while step < trainer.steps:
        torch.manual_seed(seed * 1_000_003 + step)
        for name, value in trainer.update(step).items():
            losses.setdefault(name, []).append(value)
        step += 1
        validated = step % trainer.every == 0 or step == trainer.steps
        if step % every == 0 or validated:
            row = {name: sum(values) / len(values) for name, values in losses.items()}
            losses = {}
            if validated:
                row |= trainer.validate()
            spent = clock.spent()
            _log(folder, {"step": step} | spent | row)
            tell(clock.line(step, row))
            broken = [name for name, value in row.items() if value != value]
            if broken:
                raise RunError(f"step {step}: {', '.join(broken)} is not a number. Lower the rate, or use float32.")
            if validated and trainer.selection and row[trainer.selection] < best:
                best = row[trainer.selection]
                _write(folder / "best.safetensors", lambda path: save_file(_whole(trainer), path))
            if validated or time.monotonic() - saved > SAVED_EVERY:
                saved = time.monotonic()
                _save(trainer, folder, {"step": step, "best": best} | spent)
    _write(folder / "last.safetensors", lambda path: save_file(_whole(trainer), path))


def read_log(folder: Path) -> list[dict[str, float]]:
    """The rows of a run's log. Raises RunError if there is none, or if it is something else."""
    try:
        lines = (folder / "log.jsonl").read_text().splitlines(keepends=True)
    except OSError:
        raise RunError(f"{folder}: expected a run with log.jsonl; train one first") from None
    except UnicodeDecodeError:
        raise RunError(f"{folder / 'log.jsonl'}: expected a run's log") from None
    try:
        rows = [json.loads(line) for line in lines if line.endswith("\n")]  # the last one may have been cut off
        return [{str(name): float(value) for name, value in row.items()} for row in rows]
    except (ValueError, TypeError, AttributeError):
        raise RunError(f"{folder / 'log.jsonl'}: expected a JSON object with numbers in each line") from None


class _Clock:
    """Time spent, rate and time left; time before an interruption counts, the interruption doesn't."""

    def __init__(self, first: int, total: int, before: Values) -> None:
        self.first, self.total, self.before = first, total, before
        self.began, self.cpu_began = time.monotonic(), time.process_time()

    def spent(self) -> Values:
        """Seconds by the wall's clock, and those that the processor's cores worked."""
        now = {"seconds": time.monotonic() - self.began, "cpu_seconds": time.process_time() - self.cpu_began}
        return {name: round(self.before.get(name, 0.0) + value, 1) for name, value in now.items()}

    def line(self, step: int, row: Values) -> str:
        rate = (step - self.first) / max(1e-9, time.monotonic() - self.began)
        told = "  ".join(f"{name} {value:.4g}" for name, value in row.items())
        return f"step {step}/{self.total}  {told}  {rate:.2f} steps/s  {(self.total - step) / rate / 60:.1f} min left"


def _claim(folder: Path, settings: Mapping[str, Any]) -> None:
    text = json.dumps(settings, indent=2, sort_keys=True) + "\n"
    kept = folder / "settings.json"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not kept.exists():
            if any(folder.iterdir()):
                raise RunError(f"{folder} holds something that is no run. Give another --out.")
            _write(kept, lambda path: path.write_text(text))
        elif kept.read_text(errors="replace") != text:
            raise RunError(
                f"{folder} holds a run with other settings{_difference(kept, settings)}. Give another --out."
            )
    except OSError as e:
        raise RunError(f"{folder}: can't be written: {e.strerror}") from None


def _difference(kept: Path, settings: Mapping[str, Any]) -> str:
    try:
        old, new = (dict(values) | values.pop("settings") for values in (json.loads(kept.read_text()), dict(settings)))
        names = sorted(name for name in {*old, *new} - {"settings"} if old.get(name) != new.get(name))
        return ": " + ", ".join(f"{name} {old.get(name)!r} there, {new.get(name)!r} now" for name in names)
    except (ValueError, TypeError, KeyError, AttributeError):
        return ""


def _restore(trainer: Trainer, folder: Path) -> tuple[int, float, Values]:
    if not (folder / "last.pt").exists():
        (folder / "log.jsonl").unlink(missing_ok=True)
        return 0, float("inf"), {}
    try:
        state = torch.load(folder / "last.pt", weights_only=True)
        for name, part in trainer.parts.items():
            part.load_state_dict(state[name])
        step = int(state["step"])
        # Lines of steps that will be made again.
        rows = [row for row in read_log(folder) if row["step"] <= step]
        _write(folder / "log.jsonl", lambda path: path.write_text("".join(json.dumps(row) + "\n" for row in rows)))
        return step, float(state["best"]), {name: float(state[name]) for name in ("seconds", "cpu_seconds")}
    except (
        OSError,
        RuntimeError,
        KeyError,
        ValueError,
        TypeError,
        AttributeError,
        EOFError,
        pickle.UnpicklingError,
    ) as e:
        why = f"{folder / 'last.pt'} can't be used ({type(e).__name__})"
        raise RunError(f"{why}. Delete the folder, or give another --out.") from e


def _save(trainer: Trainer, folder: Path, state: dict[str, Any]) -> None:
    state |= {name: part.state_dict() for name, part in trainer.parts.items()}
    _write(folder / "last.pt", lambda path: torch.save(state, path))


def _log(folder: Path, row: Mapping[str, float]) -> None:
    with open(folder / "log.jsonl", "a") as f:
        f.write(json.dumps({name: float(f"{value:.6g}") for name, value in row.items()}) + "\n")


def _whole(trainer: Trainer) -> dict[str, Tensor]:
    return {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in trainer.weights().items()}


def _write(path: Path, writer: Callable[[Path], object]) -> None:
    """In one step: who reads sees the old file or the new one."""
    new = path.with_name(path.name + ".new")
    writer(new)
    new.replace(path)
