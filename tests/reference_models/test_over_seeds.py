"""Counts over seeds: figures as they are handed in, intervals of all images, what is compared with what."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from grader.judges.anime_tags import EYES, HAIR
from reference_models import over_seeds, text2image
from reference_models.anime_gan import PRESETS, Generator
from reference_models.core.settings import as_json

cv2 = pytest.importorskip("cv2")


class Finds:
    """Stands in for a cascade: so many faces in each picture, one after the other."""

    def __init__(self, *numbers: int) -> None:
        self.numbers = list(numbers)

    def faces(self, picture: Any) -> list[tuple[int, int, int, int]]:
        assert picture.shape == (480, 640, 3)
        return [(0, 0, 1, 1)] * self.numbers.pop(0)


def noise(seed: int) -> Any:
    return np.random.RandomState(seed).randint(0, 256, (25, 64, 64, 3), np.uint8)


def test_figures_are_drawn_as_they_are_handed_in_and_counted() -> None:
    figures = list(over_seeds.figures_of(noise, [1, 2, 3]))
    assert [figure.size for figure in figures] == [(640, 480)] * 3
    found = over_seeds.count(figures, Finds(25, 27, 20))  # type: ignore[arg-type]
    assert found["faces"] == {"mean": 24.0, "sd": 3.6056, "least": 20.0, "greatest": 27.0}
    assert (found["hits"], found["n"]) == (70, 75)  # two faces are more than there are images
    assert found["interval"][0] < 70 / 75 < found["interval"][1]


def test_colours_are_read_from_the_images_of_the_figure() -> None:
    class Reads:
        """Always blue hair; red eyes for the images of the third tag, else green."""

        def run(self, name: str, images: Any, done: Any) -> Any:  # noqa: ARG002
            assert name == "anime-tags" and images.shape == (25, 64, 64, 3)
            hair, eyes = np.zeros((25, len(HAIR))), np.zeros((25, len(EYES)))
            hair[:, HAIR.index("blue")] = 1
            eyes[np.arange(25), [EYES.index("red" if 10 <= i < 15 else "green") for i in range(25)]] = 1
            return type("Told", (), {"outputs": {"hair": hair, "eyes": eyes}})

    figures = list(over_seeds.figures_of(noise, [1, 2]))
    found = over_seeds.read_colours(figures, Reads())  # type: ignore[arg-type]
    assert (found["hair"]["share"], found["eyes"]["share"]) == (0.6, 0.4)  # three of five tags, two of five
    assert found["eyes"]["by_tag"]["blue hair red eyes"] == 1 and found["eyes"]["by_tag"]["green hair red eyes"] == 0
    assert found["hair"]["n"] == 50 and found["hair"]["sd"] == 0


def test_a_comparison_is_of_trainings_with_equal_seeds() -> None:
    def trained(*hits: int) -> list[dict[str, int]]:
        return [{"training_seed": seed, "hits": h, "n": 100} for seed, h in enumerate(hits)]

    found = over_seeds.compare("tips", {"base": trained(90, 80, 70), "tip1-without": trained(70, 90)})
    assert list(found) == ["tip1"]  # the other models are not there
    rows = found["tip1"]["trainings"]
    assert [(row["training_seed"], row["difference"]) for row in rows] == [(0, 0.2), (1, -0.1)]
    assert rows[0]["interval"][0] > 0 and rows[1]["interval"][1] > -0.1
    assert found["tip1"]["mean"] == 0.05 and found["tip1"]["sd"] == pytest.approx(0.2121, abs=1e-4)
    assert over_seeds.compare("anime_gan", {"cpu": trained(90)}) == {}


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(0)
    tiny = replace(PRESETS["cpu"], width=8, z=6)
    from safetensors.torch import save_file

    run = tmp_path / "run"
    run.mkdir()
    config = {"family": "anime_gan", "preset": "cpu", "seed": 4, "final": "last", "settings": dict(as_json(tiny))}
    (run / "settings.json").write_text(json.dumps(config))
    save_file({n: t.contiguous() for n, t in Generator(tiny).state_dict().items()}, run / "last.safetensors")
    cascade = Path(cv2.data.haarcascades) / "haarcascade_frontalface_default.xml"
    command = ["x", "anime_gan", "--run", str(run), "--seeds", "2", "--judge", f"anime_cascade={cascade}"]
    monkeypatch.setattr("sys.argv", [*command, "--out", str(tmp_path / "table.json")])
    over_seeds.main()
    table = json.loads((tmp_path / "table.json").read_text())
    assert json.loads(capsys.readouterr().out) == table
    assert table["anime_gan"]["seeds"] == 2 and table["anime_gan"]["models"]["cpu"][0]["n"] == 50
    assert table["anime_gan"]["models"]["cpu"][0]["training_seed"] == 4


def test_each_family_draws_its_faces() -> None:
    assert set(over_seeds.FAMILIES) == {"anime_gan", "text2image", "gan_variants", "tips"}
    for family, pairs in over_seeds.COMPARED.items():
        presets = over_seeds.FAMILIES[family].PRESETS
        assert all(preset in presets for pair in pairs.values() for preset in pair)
    assert len(text2image.wanted_tags(None)) == over_seeds.TILES
