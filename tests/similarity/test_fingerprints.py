from __future__ import annotations

import io
import pickle
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from grader.errors import UsageError
from grader.similarity import Fingerprint, read_fingerprint
from grader.similarity.fingerprints import pack, unpack
from tests.similarity.prints import Exam, of_images, pictures, script


def _whole() -> Fingerprint:
    exam = Exam(300)
    images = of_images(pictures(0), of_course=[3]).images
    return Fingerprint(images, (exam.table(exam.model(0.5)),), (script("x = 1\n" * 40),), "inside")


def test_what_is_packed_comes_back() -> None:
    before, found = _whole(), unpack(pack(_whole()))
    assert found.top == "inside"
    for name in ("problem", "deliverable", "path", "names", "alike"):
        assert getattr(found.images[0], name) == getattr(before.images[0], name)
    for name in ("digests", "details", "of_course"):
        assert np.array_equal(getattr(found.images[0], name), getattr(before.images[0], name))
    assert np.array_equal(found.tables[0].labels, before.tables[0].labels)
    assert np.array_equal(found.tables[0].truth, before.tables[0].truth)
    assert np.array_equal(found.scripts[0].hashes, before.scripts[0].hashes)
    assert (found.scripts[0].name, found.scripts[0].words) == ("train.py", 120)


def test_the_same_bytes_every_time() -> None:
    assert pack(_whole()) == pack(_whole())


def test_a_thousand_images_take_less_than_300_kb() -> None:
    assert len(pack(of_images(np.resize(pictures(0), (1000, 28, 28, 3))))) < 300_000


class _Trap:
    """Says so when it is unpickled."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("unpickled",)


def _with(name: str, content: bytes) -> bytes:
    """A fingerprint with one member replaced."""
    whole = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(pack(_whole()))) as before, zipfile.ZipFile(whole, "w") as after:
        for info in before.infolist():
            after.writestr(info.filename, content if info.filename == name else before.read(info))
    return whole.getvalue()


def _npy(array: np.ndarray, *, pickled: bool = False) -> bytes:
    whole = io.BytesIO()
    np.save(whole, array, allow_pickle=pickled)
    return whole.getvalue()


_HEAD = b'{"schema": "grader/fingerprint/1", "top": "", "images": [], "tables": [], "scripts": %s}'
HOSTILE = {
    "empty": b"",
    "text": b"not a zip",
    "cut off": pack(_whole())[:-40],
    "cut off early": pack(_whole())[:5000],
    "a pickle": pickle.dumps(_Trap()),
    "a pickle within": _with("details0.npy", _npy(np.array([_Trap()], object), pickled=True)),
    "another form": _with("details0.npy", _npy(np.zeros((40, 5), np.int8))),
    "another number": _with("details0.npy", _npy(np.zeros((39, 214), np.int8))),
    "another type": _with("labels0.npy", _npy(np.zeros(300))),
    "no JSON": _with("head.npy", _npy(np.frombuffer(b"{", np.uint8))),
    "a list": _with("head.npy", _npy(np.frombuffer(b"[]", np.uint8))),
    "another schema": _with("head.npy", _npy(np.frombuffer(b'{"schema": 1}', np.uint8))),
    "no part": _with("head.npy", _npy(np.frombuffer(_HEAD % b'[["a", 1, "b"], ["c", 1, "d"]]', np.uint8))),
    "rows of numbers": _with("head.npy", _npy(np.frombuffer(_HEAD % b"[[1, 2, 3]]", np.uint8))),
    "no rows": _with("head.npy", _npy(np.frombuffer(_HEAD % b"7", np.uint8))),
    "a way out": pack(replace(_whole(), top="../other")),
    "a script elsewhere": pack(replace(_whole(), scripts=(script("x", "../../etc/x.py"),))),
    "deep": _with("head.npy", _npy(np.frombuffer(b"[" * 100_000, np.uint8))),
}


@pytest.mark.parametrize("how", HOSTILE)
def test_a_hostile_file_is_refused(how: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "b0990001.npz"
    path.write_bytes(HOSTILE[how])
    with pytest.raises(UsageError, match="is no fingerprint"):
        read_fingerprint(path)
    assert "unpickled" not in capsys.readouterr().out


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="can't be read"):
        read_fingerprint(tmp_path / "none.npz")


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grader.similarity.fingerprints._LARGEST", 1 << 20)
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as z, z.open("head.npy", "w", force_zip64=True) as f:
        for _ in range(9):
            f.write(bytes(1 << 20))
    (tmp_path / "bomb.npz").write_bytes(whole.getvalue())
    with pytest.raises(UsageError, match="more than it can hold"):
        read_fingerprint(tmp_path / "bomb.npz")
