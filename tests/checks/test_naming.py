from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from grader.assignment import ImagesSpec, NameField, NameFormat
from grader.checks.naming import check_names

NAMES = NameFormat("{digit}_{number:03}.png", (NameField("digit", 0, 2), NameField("number", 1, 5, 3)))
SPEC = ImagesSpec("digits", "acgan", 15, (28, 28), "RGB", "PNG", NAMES, "digit", True)
FREE = ImagesSpec("faces", "gan", 5, (64, 64), "RGB", "PNG", None, "", True)
ALL = NAMES.all_names()


def _found(files: list[str], spec: ImagesSpec = SPEC) -> list[tuple[str, int]]:
    return [(f.rule, f.count) for f in check_names(files, spec, "acgan").findings]


def test_exact_names() -> None:
    naming = check_names(ALL, SPEC, "acgan")
    assert naming.accepted == sorted(ALL) and naming.findings == []


def test_zero_based_is_one_sentence() -> None:
    files = [f"{d}_{n:03}.png" for d in range(3) for n in range(5)]
    (finding,) = check_names(files, SPEC, "acgan").findings
    assert finding.message == "15 files are numbered from 000; the format starts at 001."
    assert finding.count == 15 and finding.severity == "error"


def test_zero_based_in_one_class_only() -> None:
    files = [n for n in ALL if not n.startswith("1")] + [f"1_{n:03}.png" for n in range(5)]
    assert _found(files) == [("zero-based-numbers", 5)]


def test_a_zeroth_image_besides_all_others_is_no_shift() -> None:
    (finding,) = check_names([*ALL, "1_000.png"], SPEC, "acgan").findings
    assert finding.rule == "misnamed" and "below 001" in finding.message


def test_intentions_are_explained() -> None:
    files = [n for n in ALL if n != "1_003.png"]
    for wrong, rule, part in [
        ("1-003.png", "misnamed", "Rename 1-003.png to 1_003.png"),
        ("1_3.png", "misnamed", "zero padding"),
        ("1_003.PNG", "misnamed", "end in .PNG instead of .png"),
        ("1_003.jpg", "misnamed", "renaming does not convert"),
        ("003_1.png", "misnamed", "wrong order"),
        ("fake_1_003.png", "misnamed", "Rename fake_1_003.png to 1_003.png"),
    ]:
        (finding,) = check_names([*files, wrong], SPEC, "acgan").findings
        assert finding.rule == rule and part in finding.message + finding.help


def test_a_label_out_of_range() -> None:
    findings = check_names([*[n for n in ALL if n != "1_003.png"], "10_003.png"], SPEC, "acgan").findings
    assert [(f.rule, f.count) for f in findings] == [("misnamed", 1), ("missing-images", 1)]
    assert "digit outside of 0 to 2" in findings[0].message


def test_twice_the_same_number() -> None:
    assert _found([*ALL, "1-003.png"]) == [("misnamed", 1)]


def test_missing_extra_and_unbalanced() -> None:
    assert _found(ALL[:-2]) == [("missing-images", 2)]
    assert _found([*ALL, "1_006.png"]) == [("extra-images", 1)]
    moved = [n for n in ALL if n != "0_005.png"] + ["1_006.png"]
    (finding,) = check_names(moved, SPEC, "acgan").findings
    assert finding.rule == "unbalanced-classes" and finding.actual == "digit 0: 4, digit 1: 6"
    # In one and the same class it is a number beyond the end and a gap, not an imbalance.
    assert _found([n for n in ALL if n != "1_004.png"] + ["1_006.png"]) == [("missing-images", 1), ("extra-images", 1)]


def test_other_files_are_a_warning() -> None:
    (finding,) = check_names([*ALL, "log.txt", "notes.md"], SPEC, "acgan").findings
    assert finding.rule == "extra-file" and finding.severity == "warning" and finding.count == 2


def test_free_names_are_counted_and_cut_in_sorted_order() -> None:
    naming = check_names(["b.png", "a.png", "c.png", "f.png", "e.png", "d.png"], FREE, "gan")
    assert naming.accepted == ["a.png", "b.png", "c.png", "d.png", "e.png"]
    assert [(f.rule, f.count) for f in naming.findings] == [("extra-images", 1)]
    assert _found(["a.png", "b.png", "c.PNG"], FREE) == [("misnamed", 1), ("missing-images", 2)]


@given(st.lists(st.text(max_size=12), unique=True, max_size=20), st.sets(st.sampled_from(ALL)))
def test_any_names_account_for_every_missing_image(strange: list[str], present: set[str]) -> None:
    files = sorted(set(strange) | present)
    naming = check_names(files, SPEC, "acgan")
    assert naming.accepted == sorted(set(files) & set(ALL))
    for f in naming.findings:
        assert f.count >= 1 and all(t.isprintable() for t in (f.message, f.actual, f.help, f.expected))
    if len(naming.accepted) < len(ALL):
        assert any(f.severity == "error" for f in naming.findings)


@given(
    st.sets(st.tuples(st.integers(0, 2), st.integers(0, 7)), max_size=24),
    st.sampled_from(["{}_{:03}", "{}-{}", "{}_{}"]),
)
def test_numbered_names_in_any_spelling_never_raise(values: set[tuple[int, int]], spelling: str) -> None:
    files = [spelling.format(*v) + ".png" for v in values]
    naming = check_names(files, SPEC, "acgan")
    assert set(naming.accepted) <= set(ALL)
    assert bool(naming.findings) == (sorted(files) != sorted(ALL))
