"""Diversity within the images of each tag: one face a tag, repeated, is a collapse that the whole grid hides."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fixtures.anime import TAGS, anime_face
from grader.assignment import FigureSpec, MeasureSpec
from grader.checks.figures import CheckedFigure, as_images
from grader.errors import CannotMeasure
from grader.measuring import measure
from grader.measuring.context import Context
from grader.measuring.diversity import collapse_findings
from grader.references.data import Data
from grader.references.tags import BrokenTags
from grader.results import Measurement

SPEC = FigureSpec("samples", "samples/cgan.png", (5, 5), (64, 64), True)
TEXTS = tuple(f"{hair} hair {eyes} eyes" for hair, eyes in TAGS)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("data")
    (home / "real").mkdir()
    for n in range(40):
        anime_face(f"real {n}", *TAGS[n % 25]).save(home / "real" / f"{n}.png")
    return home


def _measured(data: Path, tiles: list[Image.Image], **more: Any) -> tuple[Measurement, list[str]]:
    fields: dict[str, Any] = {"published_tags": TEXTS} | more
    spec = MeasureSpec("v", "vendi_score", "samples", "efficientnet-lite0", "real", 0, (), **fields)
    figure = CheckedFigure(SPEC, (), 5, len(tiles) // 5, tuple(t.tobytes() for t in tiles), True)
    taken = measure(spec, figure, Context(Data(data, "data"), {}))
    return taken, [e for f in collapse_findings("text2image", as_images(figure), taken) for e in f.examples]


def _faces(*, repeated: bool) -> list[Image.Image]:
    """A face for each place, or one for each tag, with a noise of its own in each place."""
    rng = np.random.default_rng(0)
    faces = []
    for n, tag in enumerate(TAGS):
        pixels = np.asarray(anime_face(f"made {n // 5 if repeated else n}", *tag)).astype(int)
        faces.append(Image.fromarray(np.clip(pixels + rng.integers(-4, 5, pixels.shape), 0, 255).astype(np.uint8)))
    return faces


def test_one_face_for_each_tag_is_told(data: Path) -> None:
    whole, _ = _measured(data, _faces(repeated=True), published_tags=())
    taken, told = _measured(data, _faces(repeated=True))
    # Drawn faces of one tag resemble each other more than real ones do, so that the two lie nearer than they would.
    assert taken.details["mean_share_of_reference"] < min(0.6, whole.details["mean_share_of_reference"] - 0.05)
    assert len(told) == 5 and told[0].startswith("asked for as row ")
    assert set(taken.details["per_class"]) == {f"asked for as row {row}, column 1" for row in range(1, 6)}


def test_different_faces_are_not(data: Path) -> None:
    taken, told = _measured(data, _faces(repeated=False))
    assert taken.details["mean_share_of_reference"] > 0.75 and told == []
    assert taken.value is not None and 1 < taken.value <= 5


def test_tags_that_tell_no_groups(data: Path) -> None:
    different = tuple(f"{hair} hair {eyes} eyes" for hair in ("blue", "red", "pink", "green", "aqua") for eyes in EYES)
    with pytest.raises(CannotMeasure, match="no tag stands twice"):
        _measured(data, _faces(repeated=False), published_tags=different)
    (data / "t.txt").write_text("1,blue hair blue eyes\n")
    with pytest.raises(BrokenTags):
        _measured(data, _faces(repeated=False), tags="t.txt")


EYES = ("blue", "green", "red", "pink", "aqua")


def test_without_the_datas_pictures_nothing_is_compared(tmp_path: Path) -> None:
    taken, told = _measured(tmp_path, _faces(repeated=True))
    assert taken.value is not None and "share_of_reference" not in taken.details and told == []
