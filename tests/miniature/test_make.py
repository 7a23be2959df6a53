"""The miniature course and the committed submission are what their script makes."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fixtures.digits import DOMAINS
from fixtures.faces import ATTRIBUTES, attributes_of
from fixtures.make import main
from reference_models import dann, uda
from reference_models.core.measured import pixels_of
from reference_models.core.models import published
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


def test_committed_submission_is_what_the_solutions_hand_in(course: Path, tmp_path: Path) -> None:
    drawn: dict[str, str] = {}
    for name in ("dcgan", "acgan"):
        drawn |= json.loads((published(name)[0].folder / "metrics.json").read_text())["pixels_sha256"]
    assert pixels_of(GOOD) == drawn
    names = [f"gan/{i + 1:04d}.png" for i in range(1000)]
    names += [f"acgan/{digit}_{i + 1:03d}.png" for digit in range(10) for i in range(100)]
    for module in (dann, uda):
        module.generate(published(module.__name__.rpartition(".")[2]), tmp_path, course)
    tables = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.csv"))
    for table in tables:
        assert (tmp_path / table).read_text() == (GOOD / table).read_text()
    assert sorted(p.relative_to(GOOD).as_posix() for p in GOOD.rglob("*") if p.is_file()) == sorted(names + tables)
    assert len(tables) == 6


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


def test_the_other_homework_has_the_same_faces(course: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["make", str(tmp_path / "hw4_data"), "--assignment", "dlcv-spring2018-hw4"])
    main()

    def files(folder: Path) -> dict[str, bytes]:
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    assert files(tmp_path / "hw4_data") == files(course / "face")
    assert {p.name for p in (tmp_path / "hw4_data").iterdir()} == {"train", "test", "train.csv", "test.csv"}


def test_domains_differ() -> None:
    """Handwriting is gray on black, blends are colourful, street numbers are smooth and colourful."""
    means = {d: np.mean([np.asarray(draw(i % 10, f"x {i}")).mean() for i in range(30)]) for d, draw in DOMAINS.items()}
    assert means["usps"] < 60 < min(means["mnistm"], means["svhn"])

    def roughness(domain: str) -> float:
        images = [np.asarray(DOMAINS[domain](i % 10, f"x {i}"), np.float64) for i in range(30)]
        return float(np.mean([np.abs(np.diff(image, axis=0)).mean() for image in images]))

    assert roughness("mnistm") > 1.3 * roughness("svhn")
