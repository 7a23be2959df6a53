"""Runs on disk: the same weights with and without an interruption, and clear words for what can't go on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from reference_models.core import runs
from reference_models.core.runs import RunError, Stateful, Values, choose_machine, fit, read_log

SETTINGS = {"family": "line", "settings": {"rate": 0.1}}


class Line:
    """Fits y = 2x with noise of its own; validates by the distance from 2."""

    steps, every, selection, final = 60, 15, "off", "best"

    def __init__(self, stop: int | None = None, broken: int | None = None) -> None:
        self.network = nn.Linear(1, 1)
        with torch.no_grad():
            self.network.weight.fill_(-1)
            self.network.bias.fill_(0)
        self.optimizer = torch.optim.Adam(self.network.parameters(), 0.1)
        self.parts: Mapping[str, Stateful] = {"network": self.network, "optimizer": self.optimizer}
        self.stop, self.broken = stop, broken

    def update(self, step: int) -> Values:
        if step == self.stop:
            os.kill(os.getpid(), signal.SIGKILL)
        x = torch.randn(8, 1)
        loss = (self.network(x) - 2 * x).square().mean()
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return {"loss": float("nan") if step == self.broken else loss.item()}

    def validate(self) -> Values:
        return {"off": abs(self.network.weight.item() - 2)}

    def weights(self) -> dict[str, Tensor]:
        return self.network.state_dict()


def quiet(_: str) -> None:
    pass


def killed(folder: Path, step: int) -> None:
    """A process that trains in the folder and is killed before that step."""
    code = (
        "from pathlib import Path; from reference_models.core import runs; runs.SAVED_EVERY = 0\n"
        "from tests.reference_models.core.test_runs import Line, SETTINGS\n"
        f"runs.fit(Line(stop={step}), Path({str(folder)!r}), SETTINGS, 5, print, every=5)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=120, check=False)
    assert ended.returncode == -signal.SIGKILL, ended.stderr.decode()


def test_a_killed_run_ends_in_the_same_weights_and_log(tmp_path: Path) -> None:
    fit(Line(), tmp_path / "whole", SETTINGS, 5, quiet, every=5)
    for step in (3, 22, 44):
        killed(tmp_path / "killed", step)
    told: list[str] = []
    fit(Line(), tmp_path / "killed", SETTINGS, 5, told.append, every=5)
    assert told[0] == "goes on from step 40 of 60"
    for name in ("last.safetensors", "best.safetensors"):
        whole, resumed = (load_file(tmp_path / run / name) for run in ("whole", "killed"))
        assert all(torch.equal(whole[key], resumed[key]) for key in whole), name
    rows = [
        [{**row, "seconds": 0, "cpu_seconds": 0} for row in read_log(tmp_path / run)] for run in ("whole", "killed")
    ]
    assert rows[0] == rows[1]
    assert [row["step"] for row in rows[0]] == list(range(5, 61, 5))


def test_a_line_of_the_log_that_was_cut_off(tmp_path: Path) -> None:
    killed(tmp_path, 22)
    with open(tmp_path / "log.jsonl", "a") as f:
        f.write('{"step": 25, "lo')
    fit(Line(), tmp_path, SETTINGS, 5, quiet, every=5)
    assert [row["step"] for row in read_log(tmp_path)] == list(range(5, 61, 5))


def test_another_seed_gives_other_weights(tmp_path: Path) -> None:
    for seed in (1, 2):
        fit(Line(), tmp_path / str(seed), SETTINGS, seed, quiet)
    one, two = (load_file(tmp_path / name / "last.safetensors") for name in "12")
    assert not torch.equal(one["weight"], two["weight"])


def test_best_is_the_smallest_validation(tmp_path: Path) -> None:
    fit(Line(), tmp_path, SETTINGS, 0, quiet)
    least = min(row["off"] for row in read_log(tmp_path) if "off" in row)
    assert abs(float(load_file(tmp_path / "best.safetensors")["weight"]) - 2) == pytest.approx(least, rel=1e-4)


def test_without_a_selection_only_the_last_weights_are_kept(tmp_path: Path) -> None:
    line = Line()
    line.selection = None  # type: ignore[assignment]  # the protocol allows it
    fit(line, tmp_path, SETTINGS, 0, quiet)
    assert (tmp_path / "last.safetensors").exists() and not (tmp_path / "best.safetensors").exists()


def test_other_settings_are_refused(tmp_path: Path) -> None:
    fit(Line(), tmp_path, SETTINGS, 0, quiet)
    with pytest.raises(RunError, match=r"other settings: rate 0\.1 there, 0\.2 now\. Give another --out"):
        fit(Line(), tmp_path, {"family": "line", "settings": {"rate": 0.2}}, 0, quiet)


def test_a_folder_with_something_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("of a published model")
    with pytest.raises(RunError, match="no run"):
        fit(Line(), tmp_path, SETTINGS, 0, quiet)
    assert [path.name for path in tmp_path.iterdir()] == ["log.jsonl"]


def test_settings_that_make_no_step(tmp_path: Path) -> None:
    line = Line()
    line.steps = 0
    with pytest.raises(RunError, match="no step"):
        fit(line, tmp_path, SETTINGS, 0, quiet)


@pytest.mark.parametrize("content", [b"5\n", b'{"step": []}\n', b"no json\n", b"\xff\n", b"[1]\n"])
def test_a_log_that_is_something_else(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "log.jsonl").write_bytes(content)
    with pytest.raises(RunError, match="expected"):
        read_log(tmp_path)


def test_a_value_that_is_no_number_ends_the_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="step 20: loss is not a number"):
        fit(Line(broken=17), tmp_path, SETTINGS, 0, quiet)
    assert not (tmp_path / "last.safetensors").exists()


def test_a_damaged_checkpoint_is_named(tmp_path: Path) -> None:
    fit(Line(), tmp_path, SETTINGS, 0, quiet)
    (tmp_path / "last.pt").write_bytes(b"no checkpoint")
    with pytest.raises(RunError, match=r"last\.pt can't be used"):
        fit(Line(), tmp_path, SETTINGS, 0, quiet)


def test_a_folder_that_cant_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RunError, match="can't be written"):
        fit(Line(), tmp_path / "file" / "run", SETTINGS, 0, quiet)


def test_the_line_shows_rate_and_time_left(tmp_path: Path) -> None:
    told: list[str] = []
    fit(Line(), tmp_path, SETTINGS, 0, told.append, every=5)
    assert told[0].startswith("step 5/60  loss ") and " steps/s " in told[0] and told[0].endswith(" min left")


def test_a_log_that_isnt_there(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="train one first"):
        read_log(tmp_path)


def test_settings_are_kept(tmp_path: Path) -> None:
    fit(Line(), tmp_path, SETTINGS, 0, quiet)
    assert json.loads((tmp_path / "settings.json").read_text()) == SETTINGS


def test_machines() -> None:
    cpu = torch.device("cpu")
    assert choose_machine(cpu, "bfloat16").bfloat16 and not choose_machine(cpu, "float32").bfloat16
    with choose_machine(cpu, "bfloat16").autocast():
        assert nn.Linear(2, 2)(torch.zeros(1, 2)).dtype == torch.bfloat16
    with choose_machine(cpu, "float32").autocast():
        assert nn.Linear(2, 2)(torch.zeros(1, 2)).dtype == torch.float32
    assert runs.choose_machine(torch.device("mps"), "auto").bfloat16 is False
