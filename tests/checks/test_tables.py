from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.assignment import TableSpec
from grader.checks.tables import CheckedTable, check_table
from grader.submission import open_submission

SPEC = TableSpec("t", "dann/t.csv", ("image_name", "label"), (0, 9), "digits/usps/test.csv", 5, True)
ANSWERS = {f"{i:05d}.png": i for i in range(5)}
GOOD = "image_name,label\n" + "".join(f"{n},{v}\n" for n, v in ANSWERS.items())


def _check(tmp_path: Path, content: bytes | str, answers: dict[str, int] | None = ANSWERS) -> CheckedTable:
    (tmp_path / "dann").mkdir(exist_ok=True)
    (tmp_path / "dann" / "t.csv").write_bytes(content.encode() if isinstance(content, str) else content)
    with open_submission(tmp_path) as view:
        return check_table(view, SPEC, "dann", answers, elsewhere=set())


def _rules(table: CheckedTable) -> list[tuple[str, int]]:
    return [(f.rule, f.count) for f in table.findings]


def test_a_good_table(tmp_path: Path) -> None:
    table = _check(tmp_path, GOOD)
    assert table.findings == () and dict(table.predictions) == ANSWERS


@pytest.mark.parametrize(
    "text", [GOOD.replace("\n", "\r\n"), GOOD + "\n\n", GOOD[:-1], GOOD.replace("00001.png", '"00001.png"')]
)
def test_line_ends_blank_lines_and_quotes_are_fine(tmp_path: Path, text: str) -> None:
    table = _check(tmp_path, text)
    assert table.findings == () and dict(table.predictions) == ANSWERS


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " "])
def test_delimiters_are_recognised_and_rows_still_judged(tmp_path: Path, delimiter: str) -> None:
    table = _check(tmp_path, GOOD.replace(",", delimiter))
    assert _rules(table) == [("csv-delimiter", 1)] and dict(table.predictions) == ANSWERS


@pytest.mark.parametrize("label", ["3.0", "NaN", "", " 3", "03", "+3", "-1", "10", "3\u0663", "1e0", "0x3", "9" * 400])
def test_labels_are_compared_as_text(tmp_path: Path, label: str) -> None:
    table = _check(tmp_path, GOOD.replace("00003.png,3", f"00003.png,{label}"))
    assert _rules(table) == [("csv-bad-label", 1)] and "00003.png" not in table.predictions
    assert table.findings[0].line == 5


def test_blanks_beside_labels_are_called_so(tmp_path: Path) -> None:
    blanks, mixed = GOOD.replace(".png,", ".png, "), GOOD.replace(".png,", ".png, ").replace(" 3", " 3.0")
    assert _check(tmp_path, blanks).findings[0].help.startswith("Write no blank before or after a label")
    assert _check(tmp_path, mixed).findings[0].help.startswith("Convert to int")


def test_missing_doubled_and_unknown_rows(tmp_path: Path) -> None:
    table = _check(tmp_path, GOOD.replace("00004.png,4\n", "00003.png,3\n77777.png,1\n"))
    assert _rules(table) == [("csv-doubled-rows", 1), ("csv-unknown-rows", 1), ("csv-missing-rows", 1)]
    # Both rows of the doubled image agree with the truth, and still it can't be judged.
    assert set(table.predictions) == {"00000.png", "00001.png", "00002.png", "77777.png"}
    assert "lines 5, 6" in table.findings[0].actual


@pytest.mark.parametrize("wrong", ["test/{0}", "usps\\{0}", "{1}", "{2}"])
def test_systematic_names_are_one_finding_with_the_remedy(tmp_path: Path, wrong: str) -> None:
    rows = "".join(wrong.format(n, n[:-4], int(n[:-4])) + f",{v}\n" for n, v in ANSWERS.items())
    table = _check(tmp_path, "image_name,label\n" + rows)
    assert _rules(table) == [("csv-unknown-rows", 5)]
    assert table.findings[0].help.startswith("Write 00000.png for ")


def test_without_labels_names_are_not_compared(tmp_path: Path) -> None:
    table = _check(tmp_path, GOOD + "99999.png,1\n", answers=None)
    assert table.findings == () and len(table.predictions) == 6


def test_headers(tmp_path: Path) -> None:
    without = _check(tmp_path, GOOD.partition("\n")[2])
    assert _rules(without) == [("csv-header", 1)] and dict(without.predictions) == ANSWERS
    swapped = _check(tmp_path, GOOD.replace("image_name,label", "label,image_name"))
    assert ("csv-header", 1) in _rules(swapped)
    assert _rules(_check(tmp_path, ""))[0] == ("csv-header", 1)
    assert _rules(_check(tmp_path, "\n" + GOOD))[0] == ("csv-header", 1)


def test_bytes_that_are_no_csv(tmp_path: Path) -> None:
    for content in (
        GOOD.encode("utf-16"),
        b"image_name,label\n\x00",
        b"image_name,label\n\xff\xfe,1\n",
        b"x" * (9 << 20),
    ):
        table = _check(tmp_path, content)
        assert table.findings[0].rule == "csv-unreadable" and not table.predictions
    assert _check(tmp_path, "image_name,label\n" + '"' + "x" * 200_000).findings[0].rule == "csv-unreadable"


def test_where_else_it_may_be(tmp_path: Path) -> None:
    with open_submission(tmp_path) as view:
        assert check_table(view, SPEC, "dann", ANSWERS, elsewhere=set()).findings[0].rule == "missing-deliverable"
    (tmp_path / "t.csv").write_text(GOOD)
    with open_submission(tmp_path) as view:
        (finding,) = check_table(view, SPEC, "dann", ANSWERS, elsewhere=set()).findings
        assert finding.rule == "misplaced" and finding.path == "t.csv"
        optional = TableSpec("t", "dann/t.csv", SPEC.columns, (0, 9), SPEC.answers, 5, False)
        assert check_table(view, optional, "dann", ANSWERS, elsewhere=set()).findings == ()
    (tmp_path / "dann").mkdir()
    (tmp_path / "dann" / "T.CSV").write_text(GOOD)
    with open_submission(tmp_path) as view:
        (finding,) = check_table(view, SPEC, "dann", ANSWERS, elsewhere=set()).findings
        assert finding.rule == "misnamed" and finding.path == "dann/T.CSV"
        # A file that is another deliverable's is not taken for this one.
        (finding,) = check_table(view, SPEC, "dann", ANSWERS, elsewhere={"dann/T.CSV", "t.csv"}).findings
        assert finding.rule == "missing-deliverable"


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    (tmp_path / "dann" / "t.csv").mkdir(parents=True)
    with open_submission(tmp_path) as view:
        table = check_table(view, SPEC, "dann", ANSWERS, elsewhere=set())
    assert _rules(table) == [("not-a-regular-file", 1)]


text = st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=6)
rows = st.lists(st.tuples(st.one_of(st.sampled_from(sorted(ANSWERS)), text), text), max_size=8)


@given(rows)
def test_what_is_judged_agrees_with_a_plain_reading(
    tmp_path_factory: pytest.TempPathFactory, table: list[tuple[str, str]]
) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["image_name", "label"])
    writer.writerows(table)
    checked = _check(tmp_path_factory.mktemp("t"), out.getvalue())
    names = [name for name, _ in table]
    for name, label in checked.predictions.items():
        assert names.count(name) == 1 and (name, str(label)) in table
    if not checked.findings:
        assert dict(checked.predictions).keys() == ANSWERS.keys()


@given(st.binary(max_size=300))
def test_any_bytes_give_findings_and_never_raise(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    table = _check(tmp_path_factory.mktemp("t"), content)
    assert table.findings
    for f in table.findings:
        assert (
            f.actual.isprintable()
            and f.message.isprintable()
            and f.help.isprintable()
            and all(e.isprintable() for e in f.examples)
        )


def test_a_folder_in_another_case_or_a_link_is_named(tmp_path: Path) -> None:
    (tmp_path / "DANN").mkdir()
    with open_submission(tmp_path) as view:
        assert check_table(view, SPEC, "dann", ANSWERS, elsewhere=set()).findings[0].actual == "a folder DANN"
    (tmp_path / "DANN").rmdir()
    (tmp_path / "dann").symlink_to("elsewhere")
    with open_submission(tmp_path) as view:
        (finding,) = check_table(view, SPEC, "dann", ANSWERS, elsewhere=set()).findings
        assert finding.actual == "a link dann, which is not followed"


def test_a_table_about_images_of_the_submission(tmp_path: Path) -> None:
    spec = TableSpec("answers", "infogan/codes.csv", ("image_name", "label"), (0, 9), "", 0, True, "codes", "value")
    answers = {f"c0_v{v}_r0.png": v for v in range(3)}

    def found(text: str | None) -> list[tuple[str, str, str]]:
        (tmp_path / "infogan").mkdir(exist_ok=True)
        if text is not None:
            (tmp_path / "infogan" / "codes.csv").write_text(text)
        with open_submission(tmp_path) as view:
            checked = check_table(view, spec, "infogan", answers, elsewhere=set(), about="infogan")
        return [(f.rule, f.message, f.help) for f in checked.findings]

    ((rule, _, advice),) = found(None)
    assert rule == "missing-deliverable" and advice == "Write the predictions for the images of infogan/ there."
    assert found("image_name,label\n" + "".join(f"{name},{label}\n" for name, label in answers.items())) == []
    unknown, missing = found("image_name,label\nc0_v0_r0.png,0\nc0_v1_r0.png,1\nnobody.png,2\n")
    assert unknown[1:] == (
        "1 row of infogan/codes.csv is for no image of infogan/.",
        "Name the images of infogan/, exactly as their files are named.",
    )
    assert missing[:2] == ("csv-missing-rows", "1 of 3 images has no row in infogan/codes.csv.")
