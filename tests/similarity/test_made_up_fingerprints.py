"""Fingerprints that somebody made up, as they may come from another machine's results."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from grader.errors import UsageError
from grader.similarity import read_fingerprint
from grader.similarity.descriptors import WIDTH
from grader.similarity.fingerprints import SCHEMA, Fingerprint, Images, pack


def _npy(array: NDArray[Any]) -> bytes:
    whole = io.BytesIO()
    np.lib.format.write_array(whole, array, allow_pickle=True)
    return whole.getvalue()


def _zip(parts: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as z:
        for name, content in parts.items():
            z.writestr(name, content)
    return whole.getvalue()


def _with_header(header: str) -> bytes:
    text = header.encode()
    return _zip({"head.npy": b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text})


def _with_head(text: str) -> bytes:
    return _zip({"head.npy": _npy(np.frombuffer(text.encode(), np.uint8))})


def _encrypted() -> bytes:
    found = bytearray(_zip({"head.npy": _npy(np.zeros(3, np.uint8))}))
    found[found.find(b"PK\x03\x04") + 6] |= 1  # the flag of encryption, in both headers
    found[found.find(b"PK\x01\x02") + 8] |= 1
    return bytes(found)


def _images(path: str, name: str) -> Images:
    one = np.zeros((1, 16), np.uint8), np.ones((1, WIDTH), np.int8), np.zeros(1, np.bool_)
    return Images("acgan", "digits", path, (name,), False, *one)


_SHAPE = "{'descr': '|u1', 'fortran_order': False, 'shape': (%s,), }\n"
_EMPTY: dict[str, Any] = {"schema": SCHEMA, "top": "", "images": [], "tables": [], "scripts": []}
_MADE_UP = {
    "empty": b"",
    "no zip": b"x" * 100,
    "cut off": pack(Fingerprint((_images("acgan", "1.png"),)))[:300],
    "pickle": _zip({"head.npy": _npy(np.array([{}], object))}),
    "encrypted": _encrypted(),
    "open bracket": _with_header("{'descr': '|u1', 'shape': (3L,\n"),
    "many brackets": _with_header("(" * 9000),
    "larger than memory": _with_header(_SHAPE % "99999999999999"),
    "larger than a number": _with_header(_SHAPE % "99999999999999999999999"),
    "deep": _with_head("[" * 100_000),
    "no object": _with_head("[]"),
    "another schema": _with_head(json.dumps(_EMPTY | {"schema": "grader/fingerprint/0"})),
    "endless script": _zip(
        {
            "head.npy": _npy(np.frombuffer(json.dumps(_EMPTY | {"scripts": [["a", 1e999, "b"]]}).encode(), np.uint8)),
            "hashes0.npy": _npy(np.zeros(1, np.uint32)),
        }
    ),
    "name that leads out": pack(Fingerprint((_images("acgan", "../../secret.png"),))),
    "folder that leads out": pack(Fingerprint((_images("/etc", "1.png"),))),
    "top that leads out": pack(Fingerprint(top="..")),
}


@pytest.mark.parametrize("what", _MADE_UP)
def test_what_is_no_fingerprint_is_refused_in_words(what: str, tmp_path: Path) -> None:
    path = tmp_path / "ada.npz"
    path.write_bytes(_MADE_UP[what])
    with pytest.raises(UsageError, match=r"ada\.npz is no fingerprint .* Take it away and"):
        read_fingerprint(path)


def test_a_name_with_two_dots_in_it_is_harmless(tmp_path: Path) -> None:
    path = tmp_path / "ada.npz"
    path.write_bytes(pack(Fingerprint((_images("hw2/acgan", "1..2.png"),), top="a..b")))
    assert read_fingerprint(path).images[0].names == ("1..2.png",)
