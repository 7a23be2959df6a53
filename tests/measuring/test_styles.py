"""Style transfer, with a network whose features are an image's pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from scipy.stats import binomtest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics.pairwise import cosine_similarity
from sklearn.preprocessing import StandardScaler

from grader.assignment import ImagesSpec, MeasureSpec
from grader.checks.images import CheckedImages
from grader.errors import CannotMeasure
from grader.judges.features import Extractor, Features
from grader.judges.weights import Weights
from grader.measuring import measure
from grader.measuring.context import Context
from grader.references.data import BadReference, Data

Pixels = NDArray[np.uint8]
SIDE = 4


class Reader:
    """Stands in for EfficientNet."""

    def run(self, name: str, images: Pixels, done: Callable[[int, int], None]) -> Features:
        assert name == "efficientnet-lite0"
        done(len(images), len(images))
        outputs = {"features": images.reshape(len(images), -1).astype(np.float32)}
        return Features(outputs, Weights("efficientnet_lite0", Path("w"), "0" * 64, True), ("cpu test",))


def _draw(rng: np.random.Generator, n: int, red: int) -> Pixels:
    """Pictures of random brightness whose red is raised in one domain."""
    pictures = rng.integers(40, 160, (n, SIDE, SIDE, 3))
    pictures[..., 0] += red
    return pictures.astype(np.uint8)


def _context(home: Path | None) -> Context:
    made = Context(Data(home, "data"), {}, cache=False)
    made._extractor = cast(Extractor, Reader())
    return made


def _images(id: str, pixels: Pixels, *names: str) -> CheckedImages:
    given = names or tuple(f"{i:02}.png" for i in range(len(pixels)))
    size = (pixels.shape[2], pixels.shape[1])
    spec = ImagesSpec(id, f"style/{id}", len(pixels), size, "RGB", "PNG", None, "", False)
    return CheckedImages(spec, given, tuple(p.tobytes() for p in pixels), ())


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name, red in (("source", 0), ("target", 60)):
        (tmp_path / name).mkdir()
        for i, picture in enumerate(_draw(rng, 40, red)):
            Image.fromarray(picture).save(tmp_path / name / f"{i:02}.png")
    return tmp_path


def _domain(**more: Any) -> MeasureSpec:
    fields: dict[str, Any] = {"against_reference": "source"} | more
    return MeasureSpec("d", "domain_accuracy", "output", "efficientnet-lite0", "target", 0, (), **fields)


def test_an_output_that_is_not_there_is_a_wrong_one(data: Path) -> None:
    outputs = _images("output", _draw(np.random.default_rng(1), 6, 60))
    some = measure(_domain(), replace(outputs, spec=replace(outputs.spec, count=24)), _context(data))
    assert measure(_domain(), outputs, _context(data)).value == 1.0 and some.value == 6 / 24 and some.n == 24
    wilson = binomtest(6, 24).proportion_ci(0.95, method="wilson")
    assert some.interval == pytest.approx((wilson.low, wilson.high)) and some.provenance["judged"] == 6


CONTENT = MeasureSpec("c", "content_similarity", "output", "efficientnet-lite0", "", 0, (), against="input")


def _of(data: Path, name: str) -> NDArray[np.float64]:
    return np.stack([np.asarray(Image.open(p)).reshape(-1) for p in sorted((data / name).iterdir())]).astype(float)


def test_the_domain_is_told_as_scikit_learn_tells_it(data: Path) -> None:
    outputs = np.concatenate([_draw(np.random.default_rng(i), 6, red) for i, red in ((1, 60), (2, 25), (3, 0))])
    taken = measure(_domain(), _images("output", outputs), _context(data))
    both = np.concatenate([_of(data, "source"), _of(data, "target")])
    scaler = StandardScaler().fit(both)
    theirs = LogisticRegression(C=1.0, tol=1e-10, max_iter=10_000).fit(
        scaler.transform(both), np.repeat([0, 1], [40, 40])
    )
    yes = theirs.predict(scaler.transform(outputs.reshape(18, -1))).astype(bool)
    assert taken.value == yes.mean() and 6 <= yes.sum() <= 12
    assert taken.details["taken_for_source"] == [f"{i:02}.png" for i in range(18) if not yes[i]]
    assert taken.details["taken_for_source_count"] == 18 - yes.sum()
    wilson = binomtest(int(yes.sum()), 18).proportion_ci(0.95, method="wilson")
    assert taken.interval == pytest.approx((wilson.low, wilson.high))
    assert taken.details["held_out_accuracy"] > 0.95 and "poor" not in taken.details["remark"]
    assert (taken.details["source_n"], taken.details["target_n"]) == (40, 40)


def test_domains_that_nobody_can_tell_apart(data: Path) -> None:
    for i, picture in enumerate(_draw(np.random.default_rng(9), 40, 0)):
        Image.fromarray(picture).save(data / "target" / f"{i:02}.png")
    taken = measure(_domain(), _images("output", _draw(np.random.default_rng(1), 12, 0)), _context(data))
    assert taken.details["held_out_accuracy"] < 0.9 and taken.details["remark"].endswith(
        "a poor judge of these domains"
    )


def test_pictures_of_other_sizes_and_fewer_of_them(data: Path) -> None:
    for path in (data / "source").iterdir():
        Image.open(path).resize((9, 7), Image.Resampling.NEAREST).save(path)
    taken = measure(
        _domain(reference_most=20), _images("output", _draw(np.random.default_rng(1), 5, 60)), _context(data)
    )
    assert taken.value is not None and (taken.details["source_n"], taken.details["target_n"]) == (20, 20)


def test_data_that_will_not_do(data: Path) -> None:
    images = _images("output", _draw(np.random.default_rng(1), 5, 60))
    with pytest.raises(CannotMeasure, match="elsewhere"):
        measure(_domain(against_reference="elsewhere"), images, _context(data))
    for path in sorted((data / "target").iterdir())[9:]:
        path.unlink()
    with pytest.raises(BadReference, match="expected 10 pictures or more, found 9"):
        measure(_domain(), images, _context(data))


def test_content_stays_or_goes() -> None:
    inputs = _draw(np.random.default_rng(0), 10, 0)
    outputs = inputs.copy()
    outputs[..., 0] += 60
    taken = measure(CONTENT, _images("output", outputs), _context(None), against=_images("input", inputs))
    cosine = cosine_similarity(outputs.reshape(10, -1).astype(float), inputs.reshape(10, -1).astype(float))
    assert taken.value == pytest.approx(np.diag(cosine).mean()) and taken.n == 10
    assert taken.details["others"] == pytest.approx(cosine[~np.eye(10, dtype=bool)].mean())
    assert taken.details["nearest_own"] == np.mean(cosine.argmax(1) == np.arange(10)) == 1
    assert taken.details["remark"].endswith("to other inputs; nearest to their own: 100 %")
    mixed = measure(CONTENT, _images("output", outputs[::-1].copy()), _context(None), against=_images("input", inputs))
    assert mixed.details["nearest_own"] == 0 and mixed.value is not None and mixed.value < cosine.min() + 0.1


def test_outputs_that_are_their_inputs() -> None:
    inputs = _draw(np.random.default_rng(0), 4, 0)
    outputs = inputs.copy()
    outputs[2:, ..., 0] += 60
    outputs[1] += 1  # saved once more
    taken = measure(CONTENT, _images("output", outputs), _context(None), against=_images("input", inputs))
    assert taken.details["unchanged"] == ["00.png", "01.png"] and taken.details["unchanged_count"] == 2
    assert taken.details["remark"].endswith("2 of 4 outputs are their inputs unchanged")


def test_images_are_matched_by_their_names() -> None:
    inputs = _draw(np.random.default_rng(0), 3, 0)
    of_inputs = _images("input", inputs, "a.png", "b.png", "c.png")
    outputs = _images("output", inputs[[2, 0, 1]].copy(), "c.png", "a.png", "z.png")
    taken = measure(CONTENT, outputs, _context(None), against=of_inputs)
    assert taken.n == 2 and taken.details["unchanged"] == ["c.png", "a.png"]
    strangers = _images("output", inputs, "x.png", "y.png", "z.png")
    for against in (of_inputs, None):
        none = measure(CONTENT, strangers, _context(None), against=against)
        assert (none.value, none.state) == (None, "fail") and "has an input of its name" in none.reason
