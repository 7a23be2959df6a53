"""Assignment files: the default one as published, one of one's own, and wrong ones."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.assignment import FigureSpec, ImagesSpec, TableSpec, assignment_ids, load_assignment
from grader.assignment.toml import Source
from grader.errors import AssignmentError, UsageError

OWN = """schema = "grader/assignment/1"
id = "my-course"
title = "Mine"
data_folder = "data"

[[problem]]
id = "digits"
title = "Digits"

[[problem.deliverable]]
id = "images"
kind = "images"
path = "out/digits"
size = [28, 28]
label = "digit"
[problem.deliverable.names]
template = "{digit}_{number:02}.png"
digit = [0, 9]
number = [0, 4]

[[problem.measure]]
id = "digit_accuracy"
deliverable = "images"

[[baseline]]
measure = "digit_accuracy"
name = "bar"
value = 0.5
points = 2.5
source = "me"
"""


def _load(tmp_path: Path, text: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text)
    load_assignment(path)


def test_default_assignment_is_as_published() -> None:
    loaded = load_assignment()
    assert loaded.id == "dlcv-fall2021-hw2" and [p.id for p in loaded.problems] == ["gan", "acgan", "dann"]
    baselines = {
        m.id: [(b.name, b.value, b.op, b.points) for b in m.baselines]
        for p in loaded.problems
        for m in p.measures
        if m.baselines
    }
    assert baselines == {
        "fid": [("simple", 35.0, "le", 5), ("strong", 30.0, "le", 5)],
        "inception_score": [("simple", 2.0, "ge", 5), ("strong", 2.15, "ge", 5)],
        "digit_accuracy": [("simple", 0.7, "ge", 10), ("strong", 0.8, "ge", 5)],
        "target_accuracy.mnistm-usps": [("simple", 0.72, "ge", 3)],
        "target_accuracy.svhn-mnistm": [("simple", 0.42, "ge", 3)],
        "target_accuracy.usps-svhn": [("simple", 0.28, "ge", 3)],
    }
    points = {p.id: sum(b.points for m in p.measures for b in m.baselines) for p in loaded.problems}
    assert points == {"gan": 20, "acgan": 15, "dann": 9}
    manual = {p: sum(m.points for m in loaded.manual if m.problem == p) for p in points}
    assert manual == {"gan": 15, "acgan": 15, "dann": 32}  # 26, and 6 of the bonus
    images = [d for p in loaded.problems for d in p.deliverables if isinstance(d, ImagesSpec)]
    assert [(d.path, d.count, d.size, d.mode) for d in images] == [
        ("gan", 1000, (64, 64), "RGB"),
        ("acgan", 1000, (28, 28), "RGB"),
    ]
    tables = [d for d in loaded.problems[2].deliverables if isinstance(d, TableSpec)]
    assert [d.path for d in tables if d.required] == [
        "dann/mnistm-usps.csv",
        "dann/svhn-mnistm.csv",
        "dann/usps-svhn.csv",
    ]
    assert {d.answers: d.answers_count for d in tables} == {
        "digits/usps/test.csv": 2007,
        "digits/mnistm/test.csv": 10000,
        "digits/svhn/test.csv": 26032,
    }
    assert len(tables) == 12


def test_reported_results_are_those_of_the_table() -> None:
    by_id = {r.id: r.values for r in load_assignment().reported}
    assert len(by_id) == 9
    assert by_id["r1"]["fid"] == 24.74 and by_id["r1"]["target_accuracy.usps-svhn"] == 0.2875
    assert "digit_accuracy" not in by_id["r4"] and by_id["r7"]["target_accuracy.improved.svhn-mnistm"] == 0.654


def test_every_shipped_assignment_loads() -> None:
    for name in assignment_ids():
        assert load_assignment(name).id == name


def test_own_assignment_with_inline_baselines(tmp_path: Path) -> None:
    path = tmp_path / "own.toml"
    path.write_text(OWN)
    loaded = load_assignment(path)
    (measure,) = loaded.problems[0].measures
    assert measure.baselines[0].value == 0.5 and measure.baselines[0].points == 2.5
    (spec,) = loaded.problems[0].deliverables
    assert isinstance(spec, ImagesSpec) and spec.count == 50 and spec.label_field == 0


def test_own_assignment_with_its_own_baselines_file(tmp_path: Path) -> None:
    head, baseline = OWN.split("[[baseline]]")
    (tmp_path / "values.toml").write_text('schema = "grader/baselines/1"\n[[baseline]]' + baseline)
    (tmp_path / "own.toml").write_text(head.replace('title = "Mine"', 'title = "Mine"\nbaselines = "values.toml"'))
    assert load_assignment(tmp_path / "own.toml").problems[0].measures[0].baselines[0].value == 0.5


def test_digest_changes_with_a_baseline(tmp_path: Path) -> None:
    (tmp_path / "a.toml").write_text(OWN)
    (tmp_path / "b.toml").write_text(OWN.replace("value = 0.5", "value = 0.6"))
    assert load_assignment(tmp_path / "a.toml").digest != load_assignment(tmp_path / "b.toml").digest


@pytest.mark.parametrize(
    ("old", "new", "line", "parts"),
    [
        ("value = 0.5", "valeu = 0.5", 25, ["needs the key 'value'", "'valeu'"]),
        ("value = 0.5", "value = 50", 28, ["value", "0 to 1", "70 % is 0.70"]),
        ("value = 0.5", 'value = "0.5"', 28, ["value", "expected a number", "the text '0.5'"]),
        ("value = 0.5", "value = nan", 28, ["finite"]),
        ("value = 0.5", "value = true", 28, ["expected a number", "true"]),
        ('measure = "digit_accuracy"', 'measure = "digit_acuracy"', 26, ["Did you mean 'digit_accuracy'?"]),
        ("size = [28, 28]", "size = [28]", 14, ["two whole numbers"]),
        ('kind = "images"', 'kind = "image"', 12, ["images, log, table", "Did you mean 'images'?"]),
        ('label = "digit"', 'label = "digits"', 15, ["digit, number", "Did you mean 'digit'?"]),
        ("digit = [0, 9]", "digit = [9, 0]", 18, ["not above"]),
        ("{digit}_{number:02}.png", "{digit}_{digit}.png", 17, ["different names"]),
        ("{digit}_{number:02}.png", "{digit}_{number:02}.jpg", 17, ["ends in .png"]),
        ('path = "out/digits"', 'path = "../digits"', 13, ["relative path"]),
        ('path = "out/digits"', 'path = "/digits"', 13, ["relative path"]),
        ('title = "Digits"', 'title = "Digits"\ncolour = 3', 9, ["colour", "is not a key of this table"]),
        ('schema = "grader/assignment/1"', 'schema = "grader/assignment/2"', 1, ["grader/assignment/1"]),
        ('deliverable = "images"', 'deliverable = "imags"', 23, ["Did you mean 'images'?"]),
        ('id = "my-course"', 'id = "My Course"', 2, ["lower-case"]),
        ('label = "digit"\n', "", 20, ["'label'"]),
        ("size = [28, 28]", "size = [28, 28]\ncount = 3", 15, ["50"]),
        ('data_folder = "data"', 'data_folder = "data"\nbaselines = "none.toml"', 5, ["no such file"]),
        ("{digit}_{number:02}.png", "{digit}{number:02}.png", 17, ["something other than digits between two numbers"]),
        ("{digit}_{number:02}.png", "{digit}_{number:099999}.png", 17, ["9 digits at most"]),
        ("number = [0, 4]", "number = [0, 9223372036854775807]", 19, ["two whole numbers"]),
        ("digit = [0, 9]", "digit = [1, 10]", 23, ["labels from 0 to 9"]),
        ("size = [28, 28]", "size = [0, 28]", 14, ["1 to 4096 pixels"]),
        ("size = [28, 28]", "size = [32, 28]", 23, ["28x28 RGB"]),
        ("points = 2.5", "points = -1", 29, ["0 or more"]),
        ("points = 2.5", "points = 1" + 400 * "0", 29, ["a huge number"]),
        ("points = 2.5", "points = 0x" + 4000 * "f", 29, ["a huge number"]),
        ("size = [28, 28]", 'size = [28, 28]\ncopies_of = ["a", "../b"]', 15, ["copies_of", "relative path", "../b"]),
        ('deliverable = "images"', 'deliverable = "images"\nreference_labels = "a.csv"', 24, ["needs a 'reference'"]),
        ('deliverable = "images"', 'deliverable = "images"\nreference_file = "r.npz"', 24, ["no such file", "r.npz"]),
        ('id = "digit_accuracy"', 'id = "digit_acuracy"', 22, ["is no metric", "Did you mean 'digit_accuracy'?"]),
    ],
)
def test_wrong_files_name_key_line_and_remedy(tmp_path: Path, old: str, new: str, line: int, parts: list[str]) -> None:
    assert old in OWN
    with pytest.raises(AssignmentError) as caught:
        _load(tmp_path, OWN.replace(old, new))
    message = str(caught.value)
    assert f"own.toml:{line}: " in message, message
    for part in parts:
        assert part in message


def test_wrong_toml_names_the_line(tmp_path: Path) -> None:
    with pytest.raises(AssignmentError, match=r"not valid TOML.*line 3"):
        _load(tmp_path, "a = 1\nb = 2\nc = = 3\n")


def test_files_that_are_no_text(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(AssignmentError, match="UTF-8"):
        load_assignment(tmp_path / "own.toml")
    with pytest.raises(AssignmentError, match="can't be read"):
        load_assignment(tmp_path / "none.toml")
    (tmp_path / "large.toml").write_text("#" * 1_000_001)
    with pytest.raises(AssignmentError, match="larger than"):
        load_assignment(tmp_path / "large.toml")


def test_twice_the_same_id(tmp_path: Path) -> None:
    with pytest.raises(AssignmentError, match="stands twice"):
        _load(tmp_path, OWN + OWN[OWN.index("[[problem]]") : OWN.index("[[baseline]]")])


def test_unknown_assignment_and_problem() -> None:
    with pytest.raises(UsageError, match=r"Did you mean 'dlcv-fall2021-hw2'"):
        load_assignment("dlcv-fall2021-hw3")
    with pytest.raises(UsageError, match=r"no problem 'acgna'.*Did you mean 'acgan'"):
        load_assignment().only(["acgna"])


def test_only_keeps_what_belongs_to_the_problem() -> None:
    cut = load_assignment().only(["dann", "gan"])
    assert [p.id for p in cut.problems] == ["gan", "dann"]
    assert {m.problem for m in cut.manual} == {"gan", "dann"}
    assert [f.path for f in cut.repository] == ["hw2_p1.sh", "hw2_p3.sh", "hw2_bonus.sh", "hw2_<id>.pdf"]


keys = st.text("abc", min_size=1, max_size=3)
values = st.one_of(st.integers(0, 9), st.lists(st.integers(0, 9), max_size=2))
documents = st.dictionaries(keys, values, min_size=1, max_size=4)


@settings(max_examples=30)
@given(st.lists(documents, min_size=1, max_size=3))
def test_line_of_finds_the_line_of_every_key(tables: list[dict[str, object]]) -> None:
    lines: list[str] = []
    where: dict[tuple[str | int, ...], int] = {}
    for i, table in enumerate(tables):
        lines += ["# a comment", "[[table]]"]
        for key, value in table.items():
            where["table", i, key] = len(lines) + 1
            # A list over several lines: its key stands on the first.
            text = repr(value) if isinstance(value, int) else "[\n" + "".join(f"  {v},\n" for v in value) + "]"  # type: ignore[attr-defined]  # a list
            lines += f"{key} = {text}".split("\n")
    text = "\n".join(lines)
    source = Source("x.toml", text, {})
    for key_path, line in where.items():
        assert source.line_of(key_path) == line


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (OWN + OWN[OWN.index("[[baseline]]") :], "has a baseline 'bar' already"),
        (OWN + '[[manual]]\nproblem = "digits"\ntitle = "x"\npoints = -1\n', "0 or more points"),
        (OWN + '[repository]\n[[repository.document]]\npath = "a/b_<id>.pdf"\n', "without a folder"),
        (OWN + '[[reported]]\nid = "r"\nvalues.digit_accuracy = 91\n', "a fraction from 0 to 1"),
        ("x = " + "a." * 5000 + "b = 1", "a line of more than"),
        ("x" + ".a" * 31 + " = 1\n" + OWN, "tables or lists more than 30 deep"),
        (OWN.replace("[28, 28]", f"[0x{'f' * 4900}, 28]"), "found a list with a huge number"),
        (OWN.replace('"my-course"', f"0x{'f' * 4900}"), "found a huge number"),
        ('"\\u001b[2J\\n" = 1\n' + OWN, r"\\x1b\[2J\\n: is not a key"),
        (OWN.replace("}_{", "}0{"), "other than digits between two numbers"),
        (OWN + '[repository]\n[[repository.document]]\npath = "<id>_<id>.pdf"\n', "'<id>' once at most"),
    ],
)
def test_other_wrong_files(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(AssignmentError, match=said):
        _load(tmp_path, text)


def test_a_label_without_names(tmp_path: Path) -> None:
    start, end = OWN.index("[problem.deliverable.names]"), OWN.index("[[problem.measure]]")
    with pytest.raises(AssignmentError, match="a label is a part of the names"):
        _load(tmp_path, OWN[:start] + OWN[end:])


def test_a_long_file_is_searched_quickly(tmp_path: Path) -> None:
    """Thousands of lines: bisection parses a dozen prefixes, not all of them."""
    filler = "".join(f"# line {i}\n" for i in range(6000))
    with pytest.raises(AssignmentError, match=r"own\.toml:60\d\d: baseline\[0\]\.value"):
        _load(tmp_path, filler + OWN.replace("value = 0.5", "value = 5"))


def test_the_line_of_an_error_is_not_sought_for_ever(tmp_path: Path) -> None:
    """Any prefix that ends in the long list is broken, so that each would be parsed."""
    text = OWN.replace("size = [28, 28]", "size = 5\nx = [\n" + "1,\n" * 20_000 + "]")
    with pytest.raises(AssignmentError, match=r"own\.toml:[0-9]+: problem\[0\]\.deliverable\[0\]\.size: expected"):
        _load(tmp_path, text)


MORE = """
[[problem.deliverable]]
id = "grid"
kind = "figure"
path = "grid.jpg"
grid = [8, 4]
tile = [64, 64]

[[problem.deliverable]]
id = "each"
kind = "images"
path = "out/each"
size = [64, 64]
one_for_each = "test"
alike = true
[problem.deliverable.names]
template = "{n:05}.png"
n = [40000, 40009]

[[problem.deliverable]]
id = "codes"
kind = "images"
path = "out/codes"
size = [64, 64]
repeats = "code"
[problem.deliverable.names]
template = "c{code}_r{row}.png"
code = [0, 9]
row = [0, 99]
[problem.deliverable.names.least]
row = 1

[[problem.deliverable]]
id = "answers"
kind = "table"
path = "out/codes/answers.csv"
images = "codes"
field = "code"
required = false
"""
WHOLE = OWN.replace("[[problem.measure]]", MORE + "\n[[problem.measure]]")


def test_figures_open_ranges_and_tables_about_images(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(WHOLE)
    _, grid, each, codes, answers = load_assignment(tmp_path / "own.toml").problems[0].deliverables
    assert grid == FigureSpec("grid", "grid.jpg", (8, 4), (64, 64), True) and grid.format == "JPEG"
    assert isinstance(each, ImagesSpec) and (each.one_for_each, each.count, each.alike) == ("test", 10, True)
    assert isinstance(codes, ImagesSpec) and codes.names is not None
    assert [f.least for f in codes.names.fields] == [None, 1] and (codes.count, codes.least) == (1000, 20)
    assert [codes.repeated_as(name) for name in ("c3_r1.png", "c0_r1.png", "other.png")] == [3, 0, 0]
    assert each.repeated_as("40003.png") == 0
    assert isinstance(answers, TableSpec)
    assert (answers.images, answers.field, answers.labels, answers.answers) == ("codes", "code", (0, 9), "")


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        ('path = "grid.jpg"', 'path = "grid.pdf"', ["path", ".jpg, .jpeg, .png"]),
        ("grid = [8, 4]", "grid = [0, 4]", ["columns and rows from 1 to 20"]),
        ("grid = [8, 4]", "grid = [1, 1]", ["more than one image"]),
        ("grid = [8, 4]\n", "", ["needs 'grid', columns and rows"]),
        ("tile = [64, 64]", "", ["needs the key 'tile'"]),
        ("tile = [64, 64]", "tile = [0, 64]", ["1 to 4096 pixels"]),
        ("row = 1\n", "row = 100\n", ["names.least.row", "0 to 99; found 100"]),
        ("row = 1\n", "rows = 1\n", ["rows", "Did you mean 'row'?"]),
        ('repeats = "code"', 'repeats = "codes"', ["repeats", "Did you mean 'code'?"]),
        ("c{code}_r{row}", "c{least}_r{row}", ["'least' is a key of this table"]),
        ('one_for_each = "test"', 'one_for_each = "../test"', ["relative path"]),
        ("{n:05}.png", "{n:05}_{code}.png", ["needs the key 'code'"]),
        ("n = [40000, 40009]", "n = [40000, 40009]\n[problem.deliverable.names.least]\nn = 40001", ["one number"]),
        ('images = "codes"', 'images = "code"', ["stands above this one: images, each, codes"]),
        ('field = "code"', 'field = "value"', ["expected one of code, row"]),
        ('field = "code"', 'field = "code"\nanswers = "a.csv"', ["answers", "is not a key of this table"]),
        ('deliverable = "images"', 'deliverable = "grid"', ["measures an image folder, which 'grid' is not"]),
        ('deliverable = "images"', 'deliverable = "answers"', ["measures an image folder"]),
        (
            "number = [0, 4]",
            "number = [0, 4]\n[problem.deliverable.names.least]\ndigit = 1",
            ["a class is always there"],
        ),
    ],
)
def test_wrong_deliverables_say_what_is_expected(old: str, new: str, parts: list[str], tmp_path: Path) -> None:
    assert old in WHOLE
    with pytest.raises(AssignmentError) as caught:
        _load(tmp_path, WHOLE.replace(old, new, 1))
    for part in parts:
        assert part in str(caught.value), str(caught.value)


def test_the_homework_of_2018_is_as_published() -> None:
    loaded = load_assignment("dlcv-spring2018-hw4")
    assert [p.id for p in loaded.problems] == ["vae", "gan", "acgan", "infogan"]
    everything = [d for p in loaded.problems for d in p.deliverables]
    figures = [d for d in everything if isinstance(d, FigureSpec)]
    names = ("fig1_2", "fig1_3", "fig1_4", "fig1_5", "fig2_2", "fig2_3", "fig3_2", "fig3_3", "fig4_1", "fig4_2")
    assert [d.path for d in figures] == [f"{name}.jpg" for name in names]
    grids = {d.id: d.grid for d in figures if d.grid}
    assert grids == {"fig1_3": (10, 2), "fig1_4": (8, 4), "fig2_3": (8, 4), "fig3_3": (10, 2)}
    images = [d for d in everything if isinstance(d, ImagesSpec)]
    assert [(d.path, d.count, d.least) for d in images] == [
        ("vae/reconstruction", 2621, 2621),
        ("vae/random", 1000, 1000),
        ("gan", 1000, 1000),
        ("acgan", 1000, 20),
        ("infogan", 10000, 4),
    ]
    assert all(d.size == (64, 64) and d.mode == "RGB" for d in images)
    assert [(m.problem, m.points) for m in loaded.manual] == [("vae", 6), ("gan", 5), ("acgan", 4), ("infogan", 0)]
    bonus = loaded.problems[3].deliverables
    assert not any(d.required for d in bonus) and all(d.required for p in loaded.problems[:3] for d in p.deliverables)
    assert not any(b.points for p in loaded.problems for m in p.measures for b in m.baselines)


def test_reported_errors_are_converted_to_one_scale() -> None:
    by_id = {r.id: r.values for r in load_assignment("dlcv-spring2018-hw4").reported}
    # As printed: a sum over 64 * 64 * 3 values on [-1, 1], a mean on [-1, 1], and means on [0, 1].
    errors = [215.99 / (64 * 64 * 3) / 4, 0.0197 / 4, 0.0050, 0.005205, 0.00709]
    assert [by_id[f"r{i}"]["reconstruction_mse"] for i in range(1, 6)] == pytest.approx(errors, rel=1e-3)
    assert [by_id[f"r{i}"]["psnr"] for i in range(1, 6)] == pytest.approx(
        [-10 * math.log10(e) for e in errors], abs=0.006
    )
