"""InfoGAN: sizes as reported, the codes' loss in closed form, what is handed in."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from reference_models import infogan
from reference_models.core.models import Model
from reference_models.core.runs import Machine
from reference_models.core.settings import as_json
from reference_models.infogan import (
    PRESETS,
    Both,
    Settings,
    Trainer,
    code_loss,
    enumerated,
    random_codes,
    read_codes,
)

CPU = Machine(torch.device("cpu"), bfloat16=False)
TINY = Settings(z=6, codes=2, values=3, continuous=1, width=4, d_width=4, batch=4, images=8, validations=1, judged=10)


def test_the_generators_take_as_many_numbers_as_reported() -> None:
    assert PRESETS["report3"].inputs == 64 + 5 * 10 == 114
    assert PRESETS["continuous"].inputs == 62 + 10 + 2


def test_codes_that_are_told_for_certain_cost_nothing() -> None:
    codes = torch.tensor([[0.0, 2.0, 0.5], [1.0, 1.0, -1.0]])
    told = torch.full((2, 7), -50.0)
    for row, (first, second, number) in enumerate(codes.tolist()):
        told[row, int(first)] = told[row, 3 + int(second)] = 50
        told[row, 6] = number
    assert float(code_loss(told, codes, TINY)) == pytest.approx(0, abs=1e-6)
    assert torch.equal(read_codes(told, TINY), codes)


def test_not_knowing_a_code_costs_its_entropy() -> None:
    codes = torch.tensor([[0.0, 2.0, 1.0], [1.0, 1.0, -1.0]])
    assert float(code_loss(torch.zeros(2, 7), codes, TINY)) == pytest.approx(2 * math.log(3) + 1)


def test_random_codes_are_in_range_and_the_same_for_a_seed() -> None:
    codes = random_codes(TINY, 500, seed=3)
    assert torch.equal(codes, random_codes(TINY, 500, seed=3)) and not torch.equal(codes, random_codes(TINY, 500, 4))
    for drawn in (codes, random_codes(TINY, 500)):
        assert drawn.shape == (500, 3) and set(drawn[:, :2].flatten().tolist()) == {0.0, 1.0, 2.0}
        assert drawn[:, 2].abs().max() <= 1 and drawn[:, 2].std() > 0.4


@pytest.mark.parametrize("preset", PRESETS)
def test_a_step_moves_every_weight(preset: str) -> None:
    torch.manual_seed(0)
    trainer = Trainer(replace(PRESETS[preset], width=4, d_width=4, batch=4), None, 0, CPU)
    networks = (trainer.generator, trainer.discriminator)
    before = [{name: p.clone() for name, p in network.named_parameters()} for network in networks]
    values = trainer.update(0)
    assert all(math.isfinite(value) for value in values.values())
    for network, old in zip(networks, before, strict=True):
        assert all(not torch.equal(p, old[name]) for name, p in network.named_parameters() if p.dim() > 1)


def test_validation_reads_the_codes() -> None:
    trainer = Trainer(TINY, None, 0, CPU)
    found = trainer.validate()
    assert set(found) == {"fd_validation", "reads_codes"} and 0 <= found["reads_codes"] <= 1
    both = Both(TINY)
    both.load_state_dict(trainer.weights())


def test_nothing_but_one_code_differs_in_a_row() -> None:
    noise, codes, names = enumerated(TINY, rows=5)
    assert len(names) == len(set(names)) == len(noise) == len(codes) == 3 * 3 * 5
    of_name = dict(zip(names, zip(noise.tolist(), codes.tolist(), strict=True), strict=True))
    for code in range(3):
        for row in range(5):
            of_value = [of_name[f"c{code}_v{value}_r{row}.png"] for value in range(3)]
            assert all(each[0] == of_value[0][0] for each in of_value)
            columns = np.array([each[1] for each in of_value])
            assert columns[:, code].tolist() == ([0, 1, 2] if code < 2 else [-1, 0, 1])
            assert (np.delete(columns, code, 1) == np.delete(columns, code, 1)[0]).all()


def _model(folder: Path) -> Model:
    torch.manual_seed(0)
    both = Both(TINY)
    for weight in both.generator.parameters():
        if weight.dim() > 1:
            torch.nn.init.normal_(weight, 0, 0.5)
    (folder / "log.jsonl").write_text('{"step": 1, "loss_d": 1.0}\n{"step": 2, "loss_d": 0.5}\n')
    return Model(folder, {"settings": json.loads(json.dumps(as_json(TINY)))}, both.state_dict())


def test_what_is_handed_in(tmp_path: Path) -> None:
    told = infogan.generate([_model(tmp_path)], tmp_path, None)
    names = {f"c{c}_v{v}_r{r}.png" for c in range(3) for v in range(3) for r in range(20)}
    assert {path.name for path in (tmp_path / "infogan").iterdir()} == names | {"codes.csv"} and "180 faces" in told
    with open(tmp_path / "infogan" / "codes.csv", newline="") as f:
        rows = {row["image_name"]: int(row["label"]) for row in csv.DictReader(f)}
    assert set(rows) == names and set(rows.values()) <= {0, 1, 2}


def test_figures_have_the_names_of_the_homework(tmp_path: Path) -> None:
    made = infogan.figures([_model(tmp_path)], tmp_path, None)
    assert [path.name for path in made] == ["fig4_1.jpg", "fig4_2.jpg", "infogan_curves.png"]
    with Image.open(made[0]) as sheet:
        assert sheet.size == (3 * 66 + 2, 10 * 66 + 2)
