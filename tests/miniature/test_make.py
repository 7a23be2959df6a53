"""The miniature course and the committed submission are what their script makes."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.digits import DOMAINS, mnistm
from fixtures.faces import ATTRIBUTES, attributes_of, face
from fixtures.make import WRONG, make_submission
from tests.conftest import GOOD


def _same(path: Path, drawn: Image.Image) -> bool:
    with Image.open(path) as image:
        return image.mode == drawn.mode and image.tobytes() == drawn.tobytes()


def test_course_layout(course: Path) -> None:
    assert len(list((course / "face/train").glob("*.png"))) == 200
    assert sorted(p.name for p in (course / "face/test").iterdir())[0] == "40000.png"
    for domain, mode in (("mnistm", "RGB"), ("usps", "L"), ("svhn", "RGB")):
        for part, count in (("train", 200), ("test", 100)):
            with open(course / "digits" / domain / f"{part}.csv", newline="") as f:
                rows = list(csv.DictReader(f))
            assert len(rows) == count and list(rows[0]) == ["image_name", "label"]
            labels = [int(r["label"]) for r in rows]
            assert np.bincount(labels).tolist() == [count // 10] * 10
            for row in rows[:5]:
                path = course / "digits" / domain / part / row["image_name"]
                with Image.open(path) as image:
                    assert image.size == (28, 28) and image.mode == mode
                assert _same(path, DOMAINS[domain](int(row["label"]), f"{part} {row['image_name']}"))


def test_committed_submission_is_what_the_script_draws() -> None:
    for i in range(0, 1000, 97):
        assert _same(GOOD / "gan" / f"{i + 1:04d}.png", face(f"gan {i}"))
        name = f"{i // 100}_{i % 100 + 1:03d}.png"
        assert _same(GOOD / "acgan" / name, mnistm(i // 100, f"acgan {name}", slack=0.8))


@pytest.mark.slow
def test_committed_submission_is_complete(tmp_path: Path) -> None:
    make_submission(tmp_path)
    names = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert names == sorted(p.relative_to(GOOD) for p in GOOD.rglob("*") if p.is_file())
    for name in names:
        if name.suffix == ".csv":
            assert (tmp_path / name).read_text() == (GOOD / name).read_text()
        else:
            with Image.open(tmp_path / name) as image:
                assert _same(GOOD / name, image)


def test_share_of_wrong_predictions(course: Path) -> None:
    for direction, share in WRONG.items():
        target = direction.split("-")[1]
        answers = (course / "digits" / target / "test.csv").read_text().splitlines()
        given = (GOOD / "dann" / f"{direction}.csv").read_text().splitlines()
        wrong = sum(a != b for a, b in zip(answers, given, strict=True))
        assert abs(wrong / 100 - share) < 0.1


def test_attributes(course: Path) -> None:
    with open(course / "face/test.csv", newline="") as f:
        rows = list(csv.DictReader(f))
    assert list(rows[0]) == ["image_name", *ATTRIBUTES] and len(ATTRIBUTES) == 13
    for row in rows:
        has = attributes_of(f"test {row['image_name']}")
        assert all(row[a] == ("1.0" if has[a] else "0.0") for a in ATTRIBUTES)
        assert sum(has[a] for a in ("Black_Hair", "Blond_Hair", "Brown_Hair")) <= 1
    smiling = sum(row["Smiling"] == "1.0" for row in rows)
    assert 25 <= smiling <= 65


def test_domains_differ() -> None:
    """Handwriting is gray on black, blends are colourful, street numbers are smooth and colourful."""
    means = {d: np.mean([np.asarray(draw(i % 10, f"x {i}")).mean() for i in range(30)]) for d, draw in DOMAINS.items()}
    assert means["usps"] < 60 < min(means["mnistm"], means["svhn"])

    def roughness(domain: str) -> float:
        images = [np.asarray(DOMAINS[domain](i % 10, f"x {i}"), np.float64) for i in range(30)]
        return float(np.mean([np.abs(np.diff(image, axis=0)).mean() for image in images]))

    assert roughness("mnistm") > 1.3 * roughness("svhn")
