"""What is handed in, on disk."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from reference_models.core.deliverables import write_labels, write_pictures


def test_pictures_replace_those_of_an_earlier_run(tmp_path: Path) -> None:
    pictures = np.random.RandomState(0).randint(0, 256, (2, 5, 4, 3)).astype(np.uint8)
    write_pictures(tmp_path / "gan", ["1.png", "3.png"], pictures)
    (tmp_path / "gan" / "notes.txt").write_text("kept")
    write_pictures(tmp_path / "gan", ["1.png", "2.png"], pictures)
    assert sorted(p.name for p in (tmp_path / "gan").iterdir()) == ["1.png", "2.png", "notes.txt"]
    assert np.array_equal(np.asarray(Image.open(tmp_path / "gan" / "2.png")), pictures[1])


def test_labels_are_in_order_with_a_header(tmp_path: Path) -> None:
    write_labels(tmp_path / "dann" / "a-b.csv", {"1.png": 3, "0.png": 7})
    assert (tmp_path / "dann" / "a-b.csv").read_bytes() == b"image_name,label\n0.png,7\n1.png,3\n"
