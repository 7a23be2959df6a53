"""Grids are taken apart: with and without padding, enlarged, transposed, through JPEG; plots are left whole."""

from __future__ import annotations

import io

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat
from torchvision.utils import make_grid

from fixtures.faces import face
from fixtures.hw4 import grid, plot
from grader.checks.tiles import blank, repeated, take_apart

FACES = [face(f"tile {i}") for i in range(32)]
TILE = (64, 64)


def _jpeg(image: Image.Image, quality: int = 75) -> Image.Image:
    held = io.BytesIO()
    image.save(held, "JPEG", quality=quality)
    return Image.open(io.BytesIO(held.getvalue())).convert("RGB")


@pytest.mark.parametrize(("columns", "size"), [(8, (530, 266)), (4, (266, 530))])
def test_what_torchvision_draws(columns: int, size: tuple[int, int]) -> None:
    batch = torch.from_numpy(np.stack([np.asarray(image) for image in FACES])).permute(0, 3, 1, 2)
    picture = Image.fromarray(make_grid(batch, nrow=columns).permute(1, 2, 0).numpy())
    assert picture.size == size
    found = take_apart(picture, (8, 4), TILE)
    assert found is not None and (found.columns, found.rows) == (columns, 32 // columns)
    assert [tile.tobytes() for tile in found.tiles] == [image.tobytes() for image in FACES]


@pytest.mark.parametrize("colour", ["black", "white", "#777"])
@pytest.mark.parametrize("quality", [95, 75, 50, 30])
@pytest.mark.parametrize(("count", "columns", "size"), [(20, 10, (662, 134)), (32, 8, (530, 266))])
def test_jpeg_grids(count: int, columns: int, size: tuple[int, int], quality: int, colour: str) -> None:
    picture = _jpeg(grid(FACES[:count], columns, colour=colour), quality)
    assert picture.size == size
    found = take_apart(picture, (columns, count // columns), TILE)
    assert found is not None and (found.columns, found.rows) == (columns, count // columns)
    for tile, image in zip(found.tiles, FACES, strict=False):
        assert max(ImageStat.Stat(ImageChops.difference(tile, image)).mean) < 25
    assert blank(found.tiles) == [] and repeated(found.tiles) == []


@pytest.mark.parametrize(("columns", "rows", "size"), [(8, 4, (512, 256)), (10, 2, (640, 128))])
def test_without_padding(columns: int, rows: int, size: tuple[int, int]) -> None:
    picture = _jpeg(grid(FACES[: columns * rows], columns, padding=0))
    found = take_apart(picture, (columns, rows), TILE)
    assert picture.size == size and found is not None and len(found.tiles) == columns * rows


@pytest.mark.parametrize("scale", [2, 3, 4])
@pytest.mark.parametrize("padding", [0, 2])
def test_enlarged_grids_come_back_in_the_size_asked_for(scale: int, padding: int) -> None:
    whole = grid(FACES, 8, padding)
    picture = whole.resize((whole.width * scale, whole.height * scale), Image.Resampling.NEAREST)
    found = take_apart(picture, (8, 4), TILE)
    assert found is not None and [t.tobytes() for t in found.tiles] == [f.tobytes() for f in FACES]


def test_lines_between_the_images_alone() -> None:
    whole = grid(FACES, 8, 3)
    found = take_apart(whole.crop((3, 3, whole.width - 3, whole.height - 3)), (8, 4), TILE)
    assert found is not None and found.tiles[31].tobytes() == FACES[31].tobytes()


@given(st.integers(1, 9), st.integers(1, 5), st.integers(1, 10))
def test_any_count_is_found_by_its_lines(columns: int, rows: int, padding: int) -> None:
    tiles = [image.resize((16, 16)) for image in FACES]
    count = columns * rows
    picture = grid([tiles[i % 32] for i in range(count)], columns, padding)
    found = take_apart(picture, (8, 4), (16, 16))
    if count == 1:
        assert found is None
    else:
        assert found is not None and (found.columns, found.rows) == (columns, rows)


def test_plots_and_other_pictures_are_no_grids() -> None:
    for size in ((640, 480), (662, 134), (512, 256), (1000, 600), (432, 288)):
        found = take_apart(_jpeg(plot((max(size[0], 200), max(size[1], 130)))), (8, 4), TILE)
        assert found is None, size
    assert take_apart(FACES[0].resize((640, 480)), (8, 4), TILE) is None
    assert take_apart(FACES[0].resize((530, 266)), (8, 4), TILE) is None  # the right size, but no lines
    assert take_apart(FACES[0].resize((662, 134)), (8, 4), TILE) is None


@pytest.mark.parametrize("quality", [95, 75, 50])
@pytest.mark.parametrize("padding", [0, 2])
def test_repeated_tiles_survive_jpeg(quality: int, padding: int) -> None:
    found = take_apart(_jpeg(grid([*FACES[:16], *FACES[:16]], 8, padding), quality), (8, 4), TILE)
    assert found is not None and repeated(found.tiles) == [(16 + i, i) for i in range(16)]


@pytest.mark.parametrize("colour", ["black", "white", "red"])
def test_blank_tiles_survive_jpeg_and_do_not_count_as_repeated(colour: str) -> None:
    empty = Image.new("RGB", TILE, colour)
    found = take_apart(_jpeg(grid([*FACES[:30], empty, empty], 8)), (8, 4), TILE)
    assert found is not None and blank(found.tiles) == [30, 31] and repeated(found.tiles) == []
