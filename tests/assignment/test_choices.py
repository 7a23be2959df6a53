"""Choices, logs and folders of one size, as an assignment writes them, and what is said of wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.assignment import Choice, FigureSpec, ImagesSpec, LogSpec, load_assignment
from grader.errors import AssignmentError

OWN = """schema = "grader/assignment/1"
id = "my-course"
title = "Mine"
data_folder = "data"

[[problem]]
id = "variants"
title = "Variants"

[[problem.deliverable]]
id = "input"
kind = "images"
path = "input"
count = 100
least = 10
size = "one"

[[problem.deliverable]]
id = "output"
kind = "images"
path = "output"
same_names = "input"
size = "one"

[[problem.choice]]
id = "losses"
title = "Losses"
least = 1
options = ["lsgan", "wgan_gp"]

[[problem.choice.deliverable]]
id = "{option}_grid"
kind = "figure"
path = "{option}/grid.png"
grid = [5, 5]
tile = [64, 64]

[[problem.choice.deliverable]]
id = "{option}_log"
kind = "log"
path = "{option}/log.csv"
columns = ["step", "loss"]
least = 5

[[problem.choice.measure]]
id = "diversity.{option}"
deliverable = "{option}_grid"
"""


def _load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    load_assignment(path)


def test_each_option_is_written_out(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(OWN)
    (problem,) = load_assignment(tmp_path / "own.toml").problems
    ids = {"lsgan": ("lsgan_grid", "lsgan_log"), "wgan_gp": ("wgan_gp_grid", "wgan_gp_log")}
    assert problem.choices == (Choice("losses", "Losses", 1, ("lsgan", "wgan_gp"), ids),)
    input_, output, *rest = problem.deliverables
    assert rest == [
        FigureSpec("lsgan_grid", "lsgan/grid.png", (5, 5), (64, 64), False),
        LogSpec("lsgan_log", "lsgan/log.csv", ("step", "loss"), 5, False),
        FigureSpec("wgan_gp_grid", "wgan_gp/grid.png", (5, 5), (64, 64), False),
        LogSpec("wgan_gp_log", "wgan_gp/log.csv", ("step", "loss"), 5, False),
    ]
    assert [(m.id, m.metric, m.deliverable) for m in problem.measures] == [
        ("diversity.lsgan", "diversity", "lsgan_grid"),
        ("diversity.wgan_gp", "diversity", "wgan_gp_grid"),
    ]
    assert isinstance(input_, ImagesSpec) and isinstance(output, ImagesSpec)
    assert (input_.any_size, input_.least, input_.count, input_.amount) == (True, 10, 100, "10 to 100 images")
    assert (output.same_names, output.least, output.count, output.amount) == (
        "input",
        10,
        100,
        "one image for each of input",
    )


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ("least = 1\n", "least = 0\n", ["choice[0].least", "1 to 2; found 0"]),
        ("least = 1\n", "least = 3\n", ["1 to 2; found 3"]),
        ("least = 1\n", "", ["needs the key 'least'"]),
        ('["lsgan", "wgan_gp"]', '["lsgan", "lsgan"]', ["options", "different words"]),
        ('["lsgan", "wgan_gp"]', '["lsgan", "../gan"]', ["options", "different words"]),
        ('["lsgan", "wgan_gp"]', "[]", ["options", "different words"]),
        ('path = "{option}/grid.png"', 'path = "grid.png"', ["deliverable[0].path", "{option}"]),
        ('id = "{option}_grid"', 'id = "grid"', ["deliverable[0].id", "{option}"]),
        ('id = "{option}_log"', 'id = "{option}_grid"', ["stands twice"]),
        ('path = "{option}/log.csv"', 'path = "{option}/log.csv"\nrequired = true', ["required", "must be whole"]),
        ('id = "diversity.{option}"', 'id = "diversity"', ["measure[0].id", "{option} in it"]),
        ('deliverable = "{option}_grid"', 'deliverable = "{option}_gird"', ["Did you mean 'lsgan_grid'?"]),
        (
            'deliverable = "{option}_grid"',
            'deliverable = "{option}_log"',
            ["an image folder, which 'lsgan_log' is not"],
        ),
        ('title = "Losses"', 'title = "Losses"\npoints = 2', ["points", "is not a key of this table"]),
        ('columns = ["step", "loss"]', 'columns = ["step"]', ["columns", "at least one other"]),
        ('columns = ["step", "loss"]', 'columns = ["step", "step"]', ["different column names"]),
        ('columns = ["step", "loss"]', 'columns = ["step", "a,b"]', ["between the commas", "'a,b'"]),
        ('columns = ["step", "loss"]', 'columns = ["step", " loss"]', ["between the commas", "' loss'"]),
        ("least = 5", "least = 1", ["least", "2 to 100000; found 1"]),
        ('path = "{option}/log.csv"', 'path = "{option}/log.txt"', ["ends in .csv"]),
        ('same_names = "input"', 'same_names = "inputs"', ["stands above this one: input"]),
        ('same_names = "input"', 'same_names = "input"\ncount = 9', ["count", "is not a key"]),
        ('size = "one"', 'size = "two"', ["expected one of one"]),
        ("least = 10", "least = 101", ["how many images are enough, 1 to 100; found 101"]),
    ],
)
def test_wrong_files_say_what_is_expected(old: str, new: str, parts: list[str], tmp_path: Path) -> None:
    assert old in OWN
    with pytest.raises(AssignmentError) as caught:
        _load(tmp_path, OWN.replace(old, new, 1))
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def test_least_is_of_images_without_prescribed_names(tmp_path: Path) -> None:
    names = '[problem.deliverable.names]\ntemplate = "{n:03}.png"\nn = [1, 100]\n'
    with pytest.raises(AssignmentError, match=r"names\.least"):
        _load(tmp_path, OWN.replace('size = "one"\n', f'size = "one"\n{names}', 1).replace("count = 100\n", ""))
