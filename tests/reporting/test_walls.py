"""Sprite sheets: the pixels that a browser gets are those that were judged."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image

from grader.reporting import walls as module
from grader.reporting.walls import Sheet, walls
from tests.reporting.pictures import DIGITS, digits, images


def _picture(sheet: Sheet) -> Image.Image:
    kind, _, content = sheet.uri.partition(",")
    assert kind == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def test_small_walls_keep_every_pixel() -> None:
    names = [n for n in DIGITS.all_names() if n[0] in "27" and n not in ("2_001.png", "7_055.png")]
    folder = images(names, (28, 28), DIGITS)
    (wall,) = walls({("acgan", "digits"): folder}, {})
    assert [sheet.caption for sheet in wall.sheets] == ["2: 99 images, 1 missing", "7: 99 images, 1 missing"]
    assert set(wall.places) == set(names) and not wall.judged and wall.left_out == 0
    decoded = {sheet.id: _picture(sheet).convert("RGB") for sheet in wall.sheets}
    for name, pixels in zip(folder.names, folder.pixels, strict=True):
        sheet, cell = wall.places[name]
        crop = decoded[sheet.id].crop((cell.x, cell.y, cell.x + 28, cell.y + 28))
        assert crop.tobytes() == pixels
        number = int(name[2:5]) - 1  # the place says the number, whatever is missing
        assert (cell.x, cell.y) == (number % 10 * 28, number // 10 * 28)
    assert wall.sheets[0].gaps == "M0 0h28v28h-28z" and wall.sheets[1].gaps == "M112 140h28v28h-28z"


def test_a_thousand_of_noise_lose_quality_and_size_before_they_grow_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUDGET", 20_000)
    (wall,) = walls({("gan", "faces"): images([f"{i}.png" for i in range(120)], (64, 64))}, {})
    assert sum(len(base64.b64decode(sheet.uri.partition(",")[2])) for sheet in wall.sheets) <= 20_000
    first = wall.sheets[0]
    assert (first.width, first.height) == (640, 640) and _picture(first).width < 640
    assert [sheet.title for sheet in wall.sheets] == ["1–100", "101–120"]
    assert wall.sheets[1].height == 128 and wall.sheets[1].gaps == ""


def test_walls_share_what_a_page_may_hold() -> None:
    made = walls(
        {("gan", "faces"): images(["a.png"] * 40, (64, 64)), ("acgan", "digits"): digits()},
        {("acgan", "digits"): {"3_004.png": "8"}},
    )
    assert [wall.problem for wall in made] == ["gan", "acgan"] and made[1].misread == 1
    assert sum(len(sheet.uri) for wall in made for sheet in wall.sheets) < module.BUDGET * 4 / 3 + 1000


def test_large_gray_and_many_images() -> None:
    (wall,) = walls({("vae", "faces"): images([f"{i}.png" for i in range(1200)], (128, 32), mode="L")}, {})
    assert wall.left_out == 200 and len(wall.sheets) == 10
    assert wall.sheets[0].cell == (64, 16) and wall.sheets[0].width == 640


def test_no_images_no_wall() -> None:
    assert walls({("gan", "faces"): images([], (64, 64))}, {}) == []
