"""Colours against tags, with a judge that reads them from two pixels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.stats import binomtest

from grader.assignment import FigureSpec, MeasureSpec, Problem
from grader.checks.figures import CheckedFigure, as_images
from grader.checks.tags import tag_findings
from grader.errors import CannotMeasure
from grader.judges.anime_tags import EYES, HAIR
from grader.judges.features import Extractor, Features
from grader.judges.weights import Weights
from grader.measuring import measure
from grader.measuring.context import Context
from grader.references.data import BadReference, Data
from grader.references.tags import BrokenTags

PUBLISHED = ("blue hair red eyes", "green hair blue eyes", "blue hair green eyes", "pink hair red eyes")


class Reader:
    """Stands in for the judge: the first value of an image is the index of its hair, the second of its eyes."""

    def run(self, name: str, images: NDArray[np.uint8], done: Callable[[int, int], None]) -> Features:
        assert name == "anime-tags"
        done(len(images), len(images))
        flat = images.reshape(len(images), -1)
        outputs: Mapping[str, NDArray[np.float32]] = {
            "hair": np.eye(len(HAIR), dtype=np.float32)[flat[:, 0]],
            "eyes": np.eye(len(EYES), dtype=np.float32)[flat[:, 1]],
        }
        return Features(outputs, Weights("anime_tags", Path("w"), "0" * 64, True), ("cpu test",))


def _context(home: Path | None = None) -> Context:
    made = Context(Data(home, "data"), {}, cache=False)
    made._extractor = cast(Extractor, Reader())
    return made


def _figure(*drawn: tuple[str, str], columns: int = 2) -> CheckedFigure:
    spec = FigureSpec("samples", "samples/cgan.png", (2, 2), (4, 4), True)
    tiles = []
    for hair, eyes in drawn:
        tile = np.zeros(48, np.uint8)
        tile[:2] = HAIR.index(hair), EYES.index(eyes)
        tiles.append(tile.tobytes())
    return CheckedFigure(spec, (), columns, len(tiles) // columns, tuple(tiles), True)


def _spec(metric: str = "hair_accuracy", **more: Any) -> MeasureSpec:
    fields: dict[str, Any] = {"published_tags": PUBLISHED} | more
    return MeasureSpec(metric, metric, "samples", "anime-tags", "", 0, (), **fields)


def _problem(*measures: MeasureSpec) -> Problem:
    return Problem("text2image", "Faces by tags", (_figure(*RIGHT).spec,), measures)


RIGHT = (("blue", "red"), ("green", "blue"), ("blue", "green"), ("pink", "red"))


def test_right_colours() -> None:
    for metric in ("hair_accuracy", "eye_accuracy"):
        taken = measure(_spec(metric), _figure(*RIGHT), _context())
        assert taken.value == 1 and taken.n == 4 and taken.details["wrong_tags"] == []
        assert taken.provenance["tags"] == "as published" and taken.provenance["judge"] == "anime_tags"
    assert taken.details["per_class"] == {"red": 1.0, "blue": 1.0, "green": 1.0}


def test_wrong_ones_are_told_image_by_image() -> None:
    figure = _figure(("blue", "red"), ("aqua", "blue"), ("black", "red"), ("pink", "red"))
    hair = measure(_spec(), figure, _context())
    assert hair.value == 0.5 and hair.details["remark"] == "2 of 4 images"
    assert hair.details["wrong_tags"] == [("row 1, column 2", "green", "aqua"), ("row 2, column 1", "blue", "black")]
    assert hair.details["misread"] == {"row 1, column 2": "aqua hair", "row 2, column 1": "black hair"}
    assert hair.details["per_class"] == {"blue": 0.5, "green": 0.0, "pink": 1.0}
    wilson = binomtest(2, 4).proportion_ci(0.95, method="wilson")
    assert hair.interval == pytest.approx((wilson.low, wilson.high))
    eyes = measure(_spec("eye_accuracy"), figure, _context())
    assert eyes.value == 0.75 and eyes.details["wrong_tags"] == [("row 2, column 1", "green", "red")]


def test_a_grid_of_another_size() -> None:
    fewer = measure(_spec(), _figure(*RIGHT[:2]), _context())
    assert fewer.value == 0.5 and fewer.n == 4  # images that are not there are wrong ones
    more = measure(_spec(), _figure(*RIGHT, ("red", "red"), ("red", "red")), _context())
    assert more.value == 1 and more.n == 4
    whole = measure(_spec(), _figure(), _context())
    assert (whole.value, whole.state) == (None, "fail") and "samples/cgan.png can be judged" in whole.reason


def test_the_datas_tags_come_first(tmp_path: Path) -> None:
    lines = [
        "1,red hair red eyes",
        "2,red hair red eyes",
        "3,long hair:5\tred hair:3\tred eyes:1",
        "4,red hair red eyes",
    ]
    (tmp_path / "tags.txt").write_text("\n".join(lines))
    figure = _figure(*[("red", "red")] * 4)
    taken = measure(_spec(tags="tags.txt"), figure, _context(tmp_path))
    assert taken.value == 1 and taken.provenance["tags"] == "tags.txt"
    assert measure(_spec(tags="other.txt"), figure, _context(tmp_path)).value == 0  # the published ones
    assert measure(_spec(tags="tags.txt"), figure, _context()).provenance["tags"] == "as published"
    with pytest.raises(CannotMeasure, match=r"other\.txt"):
        measure(_spec(tags="other.txt", published_tags=()), figure, _context(tmp_path))


@pytest.mark.parametrize(
    ("lines", "told", "count"),
    [
        (["1,blue hair red eyes"] * 4, "line 2: the id 1 stands above already", 3),
        ([f"{n},red hair red eyes" for n in (4, 3, 2, 1)], "from 1 to 4 line by line: in place 1 stands 4", 1),
        ([f"{n},red hair red eyes" for n in (1, 3, 2, 4)], "in place 2 stands 3", 1),
        ([f"{n},red hair red eyes" for n in (0, 1, 2, 3)], "ids outside of 1 to 4: 0", 1),
        ([f"{n},red hair red eyes" for n in (1, 2, 99, 4)], "ids outside of 1 to 4: 99", 1),
        (["1,blue hair red eyes", "2,grey hair red eyes"], "unknown colour of hair: 'grey'", 1),
        (["1,blue hair red eyes"], "it holds tags of 1 image, and 4 are asked for", 1),
        (["1,hat:3\tsmile:2"], "the tags of 1 name no one colour", 1),
        ([], "it holds tags of 0 images, and 4 are asked for", 1),
    ],
)
def test_broken_tags(lines: list[str], told: str, count: int, tmp_path: Path) -> None:
    (tmp_path / "tags.txt").write_text("\n".join(lines))
    spec, images = _spec(tags="tags.txt"), as_images(_figure(*RIGHT))
    with pytest.raises(BrokenTags, match=r"tags\.txt can't be used") as raised:
        measure(spec, images, _context(tmp_path))
    assert isinstance(raised.value, BadReference) and told in " ".join(raised.value.faults)
    (finding,) = tag_findings(_problem(spec), Data(tmp_path, "data"))
    assert (finding.rule, finding.severity, finding.count) == ("broken-tags", "warning", count)
    assert finding.path == "tags.txt" and told in " ".join(finding.examples)
    assert (
        finding.message == "The tags of the data (tags.txt) can't be used; no points rest on them."
        and "course's list" in finding.help
    )


def test_fine_tags_and_absent_ones_are_no_finding(tmp_path: Path) -> None:
    nowhere, here = Data(None, "data"), Data(tmp_path, "data")
    assert tag_findings(_problem(_spec()), nowhere) == []
    assert tag_findings(_problem(_spec(tags="t.txt", published_tags=())), here) == []
    (tmp_path / "t.txt").write_text("".join(f"{n},red hair red eyes\n" for n in range(1, 5)))
    assert tag_findings(_problem(_spec(tags="t.txt")), here) == []


def test_a_list_that_is_no_text(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_bytes(b"\xff\xfe\x00")
    (finding,) = tag_findings(_problem(_spec(tags="t.txt")), Data(tmp_path, "data"))
    assert "can't be read" in finding.actual
    with pytest.raises(BadReference, match="can't be read"):
        measure(_spec(tags="t.txt"), as_images(_figure(*RIGHT)), _context(tmp_path))


def test_one_list_of_two_measures_is_told_once(tmp_path: Path) -> None:
    (tmp_path / "t.txt").write_text("1,grey hair red eyes\n")
    both = [_spec(metric, tags="t.txt") for metric in ("hair_accuracy", "eye_accuracy")]
    assert len(tag_findings(_problem(*both), Data(tmp_path, "data"))) == 1
