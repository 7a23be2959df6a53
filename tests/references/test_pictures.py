from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from grader.references.data import BadReference
from grader.references.pictures import list_pictures, read_picture, read_pictures

RGB = np.random.default_rng(0).integers(0, 256, (6, 5, 3), dtype=np.uint8)


def _save(path: Path, pixels: np.ndarray, **options: object) -> Path:
    Image.fromarray(pixels).save(path, **options)  # type: ignore[arg-type]
    return path


def test_colour_and_gray(tmp_path: Path) -> None:
    assert np.array_equal(read_picture(_save(tmp_path / "a.png", RGB)), RGB)
    gray = read_picture(_save(tmp_path / "b.png", RGB[..., 0]))
    assert gray.shape == (6, 5, 3) and all(np.array_equal(gray[..., c], RGB[..., 0]) for c in range(3))


def test_alpha_that_hides_nothing_is_dropped(tmp_path: Path) -> None:
    opaque = np.dstack([RGB, np.full((6, 5), 255, np.uint8)])
    assert np.array_equal(read_picture(_save(tmp_path / "a.png", opaque)), RGB)
    opaque[2, 3, 3] = 254
    with pytest.raises(BadReference, match="transparent"):
        read_picture(_save(tmp_path / "b.png", opaque))


def test_a_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    Image.fromarray(RGB).quantize(8).save(tmp_path / "a.png")
    assert read_picture(tmp_path / "a.png").shape == (6, 5, 3)
    Image.fromarray(RGB).quantize(8).save(tmp_path / "b.png", transparency=0)
    with pytest.raises(BadReference, match="transparent"):
        read_picture(tmp_path / "b.png")


def test_sixteen_bits_are_refused(tmp_path: Path) -> None:
    _save(tmp_path / "gray.png", RGB[..., 0].astype(np.uint16) * 257)
    Image.fromarray(RGB[..., 0].astype(np.float32)).save(tmp_path / "float.tiff")
    # Pillow writes no 16-bit colour: the depth of the header is changed by hand, which is all that a reader sees first.
    content = bytearray(_save(tmp_path / "colour.png", RGB).read_bytes())
    content[24] = 16
    (tmp_path / "colour.png").write_bytes(content)
    for name in ("gray.png", "float.tiff", "colour.png"):
        with pytest.raises(BadReference, match=r"8 bits|can't be read"):
            read_picture(tmp_path / name)


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(BadReference, match="found 0"):
        list_pictures(tmp_path)
    for name in ("b.png", "a.PNG", "c.txt"):
        _save(tmp_path / name, RGB, format="PNG")
    assert [p.name for p in list_pictures(tmp_path)] == ["a.PNG", "b.png"]
    _save(tmp_path / "d.png", RGB[:4])
    with pytest.raises(BadReference, match="another size"):
        read_pictures(list_pictures(tmp_path))
    with pytest.raises(BadReference, match="can't be read"):
        list_pictures(tmp_path / "none")
