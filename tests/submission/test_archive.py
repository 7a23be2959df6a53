from __future__ import annotations

import os
import shutil
import stat
import struct
import zipfile
from pathlib import Path

import pytest

import grader
from grader.errors import SubmissionRefused, UsageError
from grader.submission import Limits, Unreadable, ZipSubmission, open_submission
from grader.submission.directory import TooManyEntries, examine_directory
from tests.conftest import GOOD


def _zip(tmp_path: Path, files: dict[str, bytes], name: str = "s.zip", method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = tmp_path / name
    with zipfile.ZipFile(path, "w", method) as z:
        for entry, content in files.items():
            z.writestr(entry, content)
    return path


def test_a_zip_works_like_a_folder(tmp_path: Path, course: Path) -> None:
    path = Path(shutil.make_archive(str(tmp_path / "good"), "zip", GOOD))
    zipped, folder = (grader.score(p, problems=["dann"], data=course) for p in (path, GOOD))
    assert zipped == folder and zipped.state == "pass" and zipped.points == 9


def test_a_zip_with_one_folder_around_everything(tmp_path: Path, course: Path) -> None:
    path = Path(shutil.make_archive(str(tmp_path / "good"), "zip", GOOD.parent, GOOD.name))
    report = grader.check(path, problems=["dann"], data=course)
    assert report.state == "pass" and report.findings == ()
    assert report.notes == ("Everything in the zip lies in submission/, which was taken as the top of the submission.",)


def test_a_zip_of_one_deliverable_is_not_unwrapped(tmp_path: Path, course: Path) -> None:
    path = Path(shutil.make_archive(str(tmp_path / "good"), "zip", GOOD, "dann"))
    assert grader.check(path, problems=["dann"], data=course).findings == ()


def test_listing(tmp_path: Path) -> None:
    with ZipSubmission(_zip(tmp_path, {"a/b/x": b"1", "a/y": b"2", "__MACOSX/a/y": b"", "a/.DS_Store": b""})) as view:
        assert list(view.folder(".") or {}) == ["a"]
        assert {n: e.kind for n, e in (view.folder("a") or {}).items()} == {"b": "folder", "y": "file"}
        assert view.read("a/b/x") == b"1" and view.folder("none") is None
        with pytest.raises(Unreadable, match="not a regular file"):
            view.read("a/b")


@pytest.mark.parametrize("name", ["/etc/passwd", "../x", "a/../../x", "a\\b", "C:x", "a/" * 20 + "x", "y" * 300])
def test_names_that_point_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SubmissionRefused):
        ZipSubmission(_zip(tmp_path, {name: b"1"}))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s.zip"
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("x", b"1")
        z.writestr("x", b"2")
    with pytest.raises(SubmissionRefused, match="one name twice"):
        ZipSubmission(path)
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("x", b"1")
        z.writestr("x/y", b"2")
    with pytest.raises(SubmissionRefused, match="one name twice"):
        ZipSubmission(path)


def test_links_inside_a_zip_are_not_read(tmp_path: Path) -> None:
    path = tmp_path / "s.zip"
    info = zipfile.ZipInfo("x")
    info.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as z:
        z.writestr(info, "/etc/passwd")
    with ZipSubmission(path) as view:
        assert (view.folder(".") or {})["x"].kind == "link"
        with pytest.raises(Unreadable):
            view.read("x")


def test_bombs_and_limits(tmp_path: Path) -> None:
    with ZipSubmission(_zip(tmp_path, {"x": bytes(10_000_000)})) as view:
        with pytest.raises(Unreadable, match="compressed more"):
            view.read("x")
        with pytest.raises(Unreadable, match="more than 100"):
            view.read("x", 100)
    with pytest.raises(SubmissionRefused, match="more than 1 entries"):
        ZipSubmission(_zip(tmp_path, {"x": b"", "y": b""}), Limits(entries=1))
    with pytest.raises(SubmissionRefused, match="too large"):
        ZipSubmission(_zip(tmp_path, {"x": b"1"}), Limits(zip_size=10))
    with ZipSubmission(_zip(tmp_path, {"x": b"1" * 50}, method=zipfile.ZIP_BZIP2)) as view, pytest.raises(Unreadable):
        view.read("x")


def test_damage(tmp_path: Path) -> None:
    path = _zip(tmp_path, {"x.txt": bytes(range(256)) * 40})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(SubmissionRefused, match="can't be read"):
        ZipSubmission(path)
    path.write_bytes(whole[:60] + b"\xff\xff" + whole[62:])
    with ZipSubmission(path) as view, pytest.raises(Unreadable, match="damaged"):
        view.read("x.txt")
    path.write_bytes(whole.replace(b"\x14\x00\x00\x00\x08\x00", b"\x14\x00\x01\x00\x08\x00"))  # the encrypted bit
    with ZipSubmission(path) as view, pytest.raises(Unreadable, match="encrypted"):
        view.read("x.txt")


def test_a_damaged_zip_is_a_finding_not_an_exception(tmp_path: Path) -> None:
    (tmp_path / "s.zip").write_bytes(b"no zip at all")
    report = grader.check(tmp_path / "s.zip")
    assert report.state == "fail" and [f.rule for f in report.findings] == ["bad-archive"]
    scored = grader.score(tmp_path / "s.zip", problems=["dann"])
    assert scored.state == "fail" and scored.points == 0 and scored.submission_digest == ""


def test_a_name_that_is_no_text_in_the_local_header(tmp_path: Path) -> None:
    path = _zip(tmp_path, {"dann/mnistm-usps.csv": b"image_name,label\n" * 9})
    content = bytearray(path.read_bytes())
    content[7] |= 8  # "the name is UTF-8"
    content[30] = 0xFF
    path.write_bytes(bytes(content))
    with ZipSubmission(path) as view, pytest.raises(Unreadable, match="damaged"):
        view.read("dann/mnistm-usps.csv")
    assert grader.check(path, problems=["dann"]).state == "fail"


def test_a_directory_of_millions_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = _zip(tmp_path, {f"{i:04d}": b"" for i in range(500)})
    with pytest.raises(SubmissionRefused, match="more than 10 entries"):
        ZipSubmission(path, Limits(entries=10))


def test_the_directory_that_is_examined_is_the_one_that_is_read(tmp_path: Path) -> None:
    """Records in comments, in the last record, at the very end: `zipfile` and the limits must mean the same one."""
    plain = _zip(tmp_path, {"x": b"1", "y": b"2"}).read_bytes()
    end = plain.rindex(b"PK\5\6")
    record = plain[end:-2]
    hidden = b"PK\5\6" + bytes(16) + b"\1\0"  # as a comment, a record that says it has one byte of comment
    tried = {
        "comment": plain[:-2] + b"\5\0hello",
        "record in a comment": plain[:-2] + struct.pack("<H", len(hidden) + 1) + hidden + b"x",
        "signature in a comment": record + b"\6\0PK\5\6xx",
        "something after it": plain + b"\0" * 30,
        "nothing before it": plain[end:],
        "signature for a start": plain[: end + 16] + b"PK\5\6" + plain[-2:],
    }
    for name, content in tried.items():
        (tmp_path / "t.zip").write_bytes(content)
        try:
            with zipfile.ZipFile(tmp_path / "t.zip") as z:
                wanted = len(z.infolist())
        except zipfile.BadZipFile:
            wanted = -1
        with open(tmp_path / "t.zip", "rb") as f:
            try:
                examine_directory(f, 2)
            except zipfile.BadZipFile:
                assert wanted < 1, name
                continue
            if wanted > 0:
                with pytest.raises(TooManyEntries):
                    examine_directory(f, wanted - 1)


def test_equal_damage_of_many_files_is_told_in_one_line(tmp_path: Path) -> None:
    files = {f"gan/{i}.png": bytes(range(256)) * 4 for i in range(3)}
    path = _zip(tmp_path, files, method=zipfile.ZIP_STORED)
    path.write_bytes(path.read_bytes().replace(bytes(range(256)) * 4, bytes(1024)))
    found = [f for f in grader.check(path, problems=["gan"]).findings if f.rule == "unreadable"]
    assert [(f.count, f.actual) for f in found] == [(3, "the zip is damaged there (3)")]


def test_what_is_no_regular_file_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "s.zip")
    with pytest.raises(UsageError, match="not a regular file"):
        ZipSubmission(tmp_path / "s.zip")


def test_names_that_other_systems_take_for_one(tmp_path: Path, course: Path) -> None:
    shutil.copytree(GOOD / "dann", tmp_path / "top" / "dann")
    table = next((tmp_path / "top" / "dann").glob("*.csv"))
    (table.parent / table.name.upper()).write_bytes(table.read_bytes())
    (tmp_path / "top" / "Notes.txt").touch()
    (tmp_path / "top" / "notes.txt").touch()  # nobody's business
    zipped = shutil.make_archive(str(tmp_path / "good"), "zip", tmp_path / "top")
    for place in (tmp_path / "top", zipped):
        (finding,) = grader.check(place, problems=["dann"], data=course).findings
        assert (finding.rule, finding.path, finding.count) == ("clashing-names", "dann", 1)
        assert finding.examples == (f"{table.name.upper()} = {table.name}",)
        scored = grader.score(place, problems=["dann"], data=course)
        assert scored.state == "fail" and scored.points == 6 and scored.problems[0].would_earn == 9


def test_folders_that_other_systems_take_for_one(tmp_path: Path, course: Path) -> None:
    """Nothing in either of them earns anything: which one is meant, depends on who unpacks it."""
    for name in ("dann", "Dann"):
        shutil.copytree(GOOD / "dann", tmp_path / name)
    scored = grader.score(tmp_path, problems=["dann"], data=course)
    assert scored.points == 0 and {f.deliverable for f in scored.problems[0].findings} >= {"usps-svhn", "svhn-mnistm"}
    ungraded = [f for f in grader.check(tmp_path, problems=["gan"]).findings if f.rule == "clashing-names"]
    assert [(f.problem, f.deliverable) for f in ungraded] == [("", "")]


def test_accents_of_one_and_of_two_characters(tmp_path: Path) -> None:
    for name in ("caf\u00e9.png", "cafe\u0301.png", "stra\u00dfe.png", "STRASSE.png", "else.png"):
        (tmp_path / name).touch()
    with open_submission(tmp_path) as view:
        view.folder(".")
        assert {frozenset(names) for names in view.clashes()["."]} == {
            frozenset({"caf\u00e9.png", "cafe\u0301.png"}),
            frozenset({"stra\u00dfe.png", "STRASSE.png"}),
        }
