"""Copies from pictures on disk to warnings."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import grader
from fixtures.faces import face
from grader.measuring import copies, folders
from grader.results import Finding, ScoreReport

OWN = """schema = "grader/assignment/1"
id = "small"
title = "Faces"
data_folder = "data"
[[problem]]
id = "gan"
title = "Faces"
[[problem.deliverable]]
id = "faces"
kind = "images"
path = "gan"
count = 12
size = [64, 64]
copies_of = ["face/train", "face/test"]
"""


@pytest.fixture
def top(tmp_path: Path) -> Path:
    for folder, count in (("s/gan", 12), ("data/face/train", 30), ("data/face/test", 8)):
        (tmp_path / folder).mkdir(parents=True)
        for i in range(count):
            face(f"originality {folder} {i}").save(tmp_path / folder / f"{i:04d}.png")
    (tmp_path / "small.toml").write_text(OWN)
    return tmp_path


def test_images_that_are_meant_to_be_alike_are_not_compared_with_each_other(top: Path) -> None:
    image = face("a person")
    image.save(top / "s" / "gan" / "0000.png")
    image.point(lambda level: min(255, level + 2)).save(top / "s" / "gan" / "0001.png")
    assert "near-duplicates" in _found(_score(top))
    (top / "small.toml").write_text(OWN.replace("count = 12", "count = 12\nalike = true"))
    assert "near-duplicates" not in _found(_score(top))


def _score(top: Path, cache: bool = False) -> ScoreReport:
    return grader.score(top / "s", top / "small.toml", data=top / "data", cache=cache)


def _found(report: ScoreReport) -> dict[str, Finding]:
    return {f.rule: f for f in report.problems[0].findings}


def test_generated_images_are_left_alone(top: Path) -> None:
    report = _score(top)
    assert _found(report) == {} and report.state == "pass" and report.notes == ()


def test_copies_are_named_with_their_originals(top: Path) -> None:
    gan = top / "s" / "gan"
    shutil.copy(top / "data/face/train/0007.png", gan / "0001.png")
    with Image.open(top / "data/face/test/0003.png") as picture:
        picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT).save(gan / "0002.png")
    with Image.open(top / "data/face/train/0020.png") as picture:
        pale = Image.fromarray((np.asarray(picture) * 0.8 + 20).astype(np.uint8))
        pale.save(gan / "0005.png")
    report = _score(top)
    found = _found(report)["copied-images"]
    assert found.count == 3 and report.state == "fail"  # more than one in twenty is a copy to the pixel
    assert found.message.endswith("That is too much to earn points before a person has looked at it.")
    assert found.examples[0] == "0001.png = face/train/0007.png (the same pixels)"
    assert found.examples[1] == "0002.png = face/test/0003.png (the same pixels, mirrored)"
    assert found.examples[2].startswith("0005.png = face/train/0020.png (similarity ")
    assert found.images == (("0001.png",), ("0002.png",), ("0005.png",))
    assert "3 images" in found.message and "2 of them pixel by pixel" in found.message


def test_a_single_copy_is_a_warning(top: Path) -> None:
    shutil.copy(top / "data/face/train/0007.png", top / "s" / "gan" / "0001.png")
    report = _score(top)
    found = _found(report)["copied-images"]
    assert (found.count, found.severity, report.state) == (1, "warning", "pass")


def test_images_that_are_nearly_the_same(top: Path) -> None:
    gan = top / "s" / "gan"
    with Image.open(gan / "0003.png") as picture:
        pixels = np.asarray(picture).astype(int)
    noisy = np.clip(pixels + np.random.default_rng(0).integers(-4, 5, pixels.shape), 0, 255)
    Image.fromarray(noisy.astype(np.uint8)).save(gan / "0009.png")
    found = _found(_score(top))["near-duplicates"]
    assert found.count == 2 and found.examples[0].startswith("0003.png = 0009.png (similarity ")
    assert found.images == (("0003.png", "0009.png"),)


def test_what_cannot_be_looked_for_is_a_note(top: Path) -> None:
    shutil.rmtree(top / "data/face/train")
    report = _score(top)
    assert report.state == "pass"
    assert [n for n in report.notes if "Copies of face/train were not looked for" in n]
    (top / "data/face/test/0000.png").write_bytes(b"no picture")
    (top / "data/face/test/._0001.png").write_bytes(b"left by another system")
    shutil.copy(top / "data/face/test/0002.png", top / "s/gan/0001.png")
    report = _score(top)
    assert [n for n in report.notes if n.startswith("0000.png of ") and "can't be read" in n]
    assert _found(report)["copied-images"].count == 1  # the others were compared


def test_a_folder_is_read_once_until_it_changes(
    top: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path_factory.mktemp("own")))
    read: list[str] = []
    whole = folders._thumbnail_of

    def counted(path: Path, gray: bool = False) -> object:
        read.append(path.name)
        return whole(path, gray)

    monkeypatch.setattr(folders, "_thumbnail_of", counted)
    _score(top, cache=True)
    assert len(read) >= 38
    read.clear()
    _score(top, cache=True)
    assert read == []
    shutil.copy(top / "s/gan/0004.png", top / "data/face/train/0000.png")
    found = _found(_score(top, cache=True))["copied-images"]
    assert found.examples == ("0004.png = face/train/0000.png (the same pixels)",) and len(read) >= 30


def test_a_broken_search_hides_no_measure(top: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise MemoryError("too little")

    monkeypatch.setattr(copies, "copy_findings", broken)
    report = _score(top)
    assert report.state == "pass" and any("MemoryError" in note for note in report.notes)


def test_pictures_of_another_size_are_compared_too(top: Path) -> None:
    with Image.open(top / "s/gan/0006.png") as picture:
        picture.resize((178, 178), Image.Resampling.BICUBIC).save(top / "data/face/train/0001.png")
    assert _found(_score(top))["copied-images"].examples[0].startswith("0006.png = face/train/0001.png (similarity")


def test_equal_pixels_come_before_a_likeness(top: Path) -> None:
    shutil.copy(top / "data/face/train/0007.png", top / "s/gan/0000.png")
    with Image.open(top / "data/face/train/0007.png") as picture:
        brighter = np.minimum(np.asarray(picture).astype(int) + 30, 255).astype(np.uint8)
    Image.fromarray(brighter).save(top / "data/face/train/0001.png")
    Image.fromarray(brighter).save(top / "data/face/test/0001.png")
    found = _found(_score(top))["copied-images"]
    assert found.examples[0] == "0000.png = face/train/0007.png (the same pixels)"


@pytest.mark.parametrize("name", ["0000.png", "0011.png"])
def test_near_duplicates_do_not_depend_on_names(top: Path, name: str) -> None:
    gan = top / "s" / "gan"
    pixels = np.asarray(face("one")).astype(int)
    for path in gan.iterdir():
        Image.fromarray(pixels.astype(np.uint8)).save(path)
    near = np.clip(pixels + np.random.default_rng(0).integers(-4, 5, pixels.shape), 0, 255)
    Image.fromarray(near.astype(np.uint8)).save(gan / name)
    assert _found(_score(top))["near-duplicates"].count == 2  # the equal ones are one picture, and a rule of their own


def test_gray_submissions_are_compared_with_gray(top: Path) -> None:
    text = OWN.replace("size = [64, 64]", 'size = [64, 64]\nmode = "L"')
    (top / "small.toml").write_text(text)
    for path in (top / "s/gan").iterdir():
        face(f"gray {path.name}").convert("L").save(path)
    with Image.open(top / "data/face/train/0004.png") as picture:
        picture.convert("L").save(top / "s/gan/0003.png")
    found = _found(_score(top))["copied-images"]
    assert found.examples[0] == "0003.png = face/train/0004.png (the same pixels)"


def test_an_answer_without_a_network_is_not_kept_for_one_with_it(
    top: Path, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Everything lies in the border band, and the features decide."""
    monkeypatch.setenv("GRADER_CACHE", str(tmp_path_factory.mktemp("own")))
    monkeypatch.setattr("grader.metrics.copies.SAME", 2.0)
    shutil.copy(top / "data/face/train/0007.png", top / "s/gan/0001.png")
    with monkeypatch.context() as without:
        without.setattr(copies, "_network", lambda _: "")
        assert _found(_score(top, cache=True)) == {}
    assert _found(_score(top, cache=True))["copied-images"].count == 1


def test_one_training_picture_is_enough(top: Path) -> None:
    for path in (top / "data/face/train").iterdir():
        if path.name != "0007.png":
            path.unlink()
    shutil.copy(top / "data/face/train/0007.png", top / "s/gan/0001.png")
    assert _found(_score(top))["copied-images"].count == 1


def test_what_is_meant_to_be_alike_is_no_near_duplicate() -> None:
    """Both images of a pair show one person; two pairs that do are still told."""
    from grader.assignment import ImagesSpec, NameField, NameFormat
    from grader.checks.images import CheckedImages
    from grader.measuring.context import Context
    from grader.references.data import Data

    form = NameFormat("{attribute}_{number:03}.png", (NameField("attribute", 0, 1), NameField("number", 1, 6, 3)))
    spec = ImagesSpec("pairs", "acgan", 12, (64, 64), "RGB", "PNG", form, "attribute", True)
    drawn = {}
    for name, (label, number) in zip(form.all_names(), form.all_values(), strict=True):
        pixels = np.asarray(face(f"pair {min(number, 5)}")).copy()  # 5 and 6 are one person
        pixels[60:62, number : number + 3] = 250 if label else 200
        drawn[name] = pixels.tobytes()
    images = CheckedImages(spec, tuple(drawn), tuple(drawn.values()), ())
    context = Context(Data(None, "data"), {}, cache=False)

    def named(metrics: set[str]) -> set[tuple[str, ...]]:
        free = copies.meant_to_differ_in(images, metrics)
        found = copies.copy_findings("acgan", images, context, free=free)
        return {pair for f in found for pair in f.images}

    every = named(set())
    assert ("0_001.png", "1_001.png") in every
    some = named({"pair_flip"})
    assert some == {(a, b) for a, b in every if a[2:] != b[2:]} and some
    assert all({a[2:], b[2:]} == {"005.png", "006.png"} for a, b in some)


def test_images_of_one_row_are_meant_to_be_alike() -> None:
    from tests.measuring.faces import CODES, person, pictures

    images = pictures(CODES, lambda v: person(v[2]))
    assert copies.meant_to_differ_in(images, {"code_nmi", "fid"}) == ("code", "value")
    assert copies.meant_to_differ_in(images, {"fid"}) == ()
