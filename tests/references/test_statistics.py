from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from grader.errors import UsageError
from grader.metrics.fid import frechet_distance, gaussian
from grader.references.statistics import ReferenceFile, read_reference


def _file(n: int, features: bool = False) -> tuple[ReferenceFile, np.ndarray]:
    found = np.random.default_rng(n).normal(size=(n, 12)).astype(np.float32)
    kept = found if features else None
    about = ("face/test", "pytorch-fid", "inception", "a" * 64, "b" * 64)
    return ReferenceFile(*about, gaussian(found.astype(np.float64)), kept, "0.1.0"), found


@pytest.mark.parametrize("n", [5, 200])
def test_round_trip(tmp_path: Path, n: int) -> None:
    file, features = _file(n, features=n > 100)
    (tmp_path / "r.npz").write_bytes(file.to_bytes())
    back = read_reference(tmp_path / "r.npz")
    assert back.describe() == file.describe() and back.gaussian.n == n
    other = gaussian(np.random.default_rng(1).normal(size=(50, 12)) + 0.3)
    assert frechet_distance(other, back.gaussian) == pytest.approx(frechet_distance(other, file.gaussian), rel=1e-6)
    assert (back.features is None) == (n < 100)
    if back.features is not None:
        assert np.array_equal(back.features, features)


def test_statistics_of_few_pictures_hold_no_pictures_features() -> None:
    file, features = _file(5)
    rows = np.load(__import__("io").BytesIO(file.to_bytes()))["factor"] * 2
    centred = features - features.mean(0)
    distances = np.abs(rows[:, None] - centred[None]).max(2)
    assert distances.min() > 0.1


@pytest.mark.parametrize("content", [b"", b"nothing", b"PK\x03\x04"])
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.npz").write_bytes(content)
    with pytest.raises(UsageError, match="no reference file"):
        read_reference(tmp_path / "r.npz")
    with pytest.raises(UsageError, match="can't be read"):
        read_reference(tmp_path / "none.npz")


def test_an_npz_of_something_else(tmp_path: Path) -> None:
    np.savez(tmp_path / "r.npz", mu=np.zeros(3), sigma=np.eye(3))
    with pytest.raises(UsageError, match="no reference file"):
        read_reference(tmp_path / "r.npz")
    np.savez(tmp_path / "r.npz", about=np.array({"a": 1}, dtype=object), mean=np.zeros(2), factor=np.zeros((2, 2)))
    with pytest.raises(UsageError, match="no reference file"):
        read_reference(tmp_path / "r.npz")


def _changed(tmp_path: Path, **arrays: object) -> Path:
    file, _ = _file(200, features=True)
    found = dict(np.load(__import__("io").BytesIO(file.to_bytes())))
    np.savez(tmp_path / "r.npz", **(found | arrays))
    return tmp_path / "r.npz"


def test_values_that_are_not_finite_are_refused(tmp_path: Path) -> None:
    for name, shape in (("mean", (12,)), ("factor", (12, 12)), ("features", (200, 12))):
        bad = np.ones(shape)
        bad.flat[0] = np.nan
        with pytest.raises(UsageError, match="not finite"):
            read_reference(_changed(tmp_path, **{name: bad}))


def test_counts_that_make_no_sense_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="statistics of"):
        read_reference(_changed(tmp_path, features=np.ones((7, 12))))
    with pytest.raises(UsageError, match="other shapes"):
        read_reference(_changed(tmp_path, mean=np.ones(3)))


def test_a_damaged_stream_is_refused(tmp_path: Path) -> None:
    """The archive's directory is whole, so that only unpacking meets the damage."""
    content = bytearray(_file(5)[0].to_bytes())
    start = content.index(b"about.npy") + 60
    content[start : start + 20] = b"\xff" * 20
    (tmp_path / "r.npz").write_bytes(content)
    with pytest.raises(UsageError, match="is no reference file"):
        read_reference(tmp_path / "r.npz")
