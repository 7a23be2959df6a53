"""Cascades: the same boxes as OpenCV called directly, and what is said where there is none."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from fixtures.faces import face
from grader.errors import CannotMeasure, UsageError
from grader.judges.cascades import read_cascade
from grader.judges.fetching import check_layout
from grader.judges.weights import Weights, find_weights
from tests.conftest import ROOT

PHOTOS = Path(cv2.__file__).parent / "data" / "haarcascade_frontalface_default.xml"


def wall(columns: int = 5, rows: int = 5, gap: int = 8) -> NDArray[np.uint8]:
    """Drawn faces on white, some of which the cascade of photos takes for faces."""
    picture = np.full((rows * (64 + gap), columns * (64 + gap), 3), 255, np.uint8)
    for row in range(rows):
        for column in range(columns):
            y, x = row * (64 + gap), column * (64 + gap)
            picture[y : y + 64, x : x + 64] = np.asarray(face(f"x{row}{column}"))
    return picture


def weights(path: Path, judge: str = "anime_cascade") -> Weights:
    """A file as a judge's weights."""
    return Weights(judge, path, hashlib.sha256(path.read_bytes()).hexdigest(), False)


def test_the_same_faces_as_opencv_finds(tmp_path: Path) -> None:
    """The course's program: it reads the file itself."""
    picture = wall()
    cv2.imwrite(str(tmp_path / "grid.png"), picture[..., ::-1])
    read: Any = cv2.imread(str(tmp_path / "grid.png"), cv2.IMREAD_COLOR)
    gray = cv2.equalizeHist(cv2.cvtColor(read, cv2.COLOR_BGR2GRAY))
    theirs: Any = cv2.CascadeClassifier(str(PHOTOS)).detectMultiScale(
        gray, scaleFactor=1.1, minNeighbors=5, minSize=(24, 24)
    )
    ours = read_cascade(weights(PHOTOS)).faces(picture)
    assert sorted(ours) == sorted((x, y, x + w, y + h) for x, y, w, h in theirs.tolist()) and len(ours) > 5
    assert [box[1] for box in ours] == sorted(box[1] for box in ours)


def test_a_picture_without_faces() -> None:
    cascade = read_cascade(weights(PHOTOS))
    assert cascade.faces(np.zeros((50, 40, 3), np.uint8)) == []
    assert cascade.faces(np.full((10, 10, 3), 9, np.uint8)) == []  # smaller than any face
    assert cascade.version == cv2.__version__


def test_opencvs_own_cascade_is_found_and_known() -> None:
    found = find_weights("face_cascade", {})
    assert found.path == PHOTOS and found.known and check_layout(found)


def test_the_anime_cascade_is_not_shipped() -> None:
    with pytest.raises(CannotMeasure, match=r"anime_cascade: `grader weights fetch anime_cascade`, or pass --judge"):
        find_weights("anime_cascade", {})


@pytest.mark.parametrize(
    "content",
    [b"", b"no xml", b"<html></html>", b"<?xml version='1.0'?>\n<opencv_storage>\n</opencv_storage>\n", b"\xff\xfe"],
)
def test_a_damaged_file(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "c.xml").write_bytes(content)
    with pytest.raises(UsageError, match=r"--judge anime_cascade: .*c\.xml is no cascade that OpenCV can read"):
        read_cascade(weights(tmp_path / "c.xml"))


def test_half_a_file(tmp_path: Path) -> None:
    (tmp_path / "c.xml").write_bytes(PHOTOS.read_bytes()[:100_000])
    with pytest.raises(UsageError, match="no cascade"):
        read_cascade(weights(tmp_path / "c.xml"))


def test_without_opencv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(CannotMeasure, match=r"needs OpenCV: pip install 'vision-grader\[faces\]'"):
        read_cascade(weights(PHOTOS))
    assert not check_layout(weights(PHOTOS))


def test_an_opencv_without_cascades(monkeypatch: pytest.MonkeyPatch) -> None:
    newer = types.ModuleType("cv2")
    newer.__version__ = "5.0.0"  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cv2", newer)
    with pytest.raises(CannotMeasure, match=r"needs OpenCV 4, and 5\.0\.0 has no cascades any more: pip install"):
        read_cascade(weights(PHOTOS))


def test_a_check_imports_no_opencv(tmp_path: Path) -> None:
    code = "import sys, grader; grader.check(sys.argv[1]); sys.exit(any(m in sys.modules for m in ('cv2', 'numpy')))"
    done = subprocess.run([sys.executable, "-c", code, tmp_path], cwd=ROOT, capture_output=True, timeout=60)
    assert done.returncode == 0, done.stderr
