"""Open ranges end where the student's images do, and one image for each takes the names of the data."""

from __future__ import annotations

from dataclasses import replace

import pytest

from grader.assignment import ImagesSpec, NameField, NameFormat
from grader.assignment.specs import ANY_SIZE
from grader.checks.naming import check_names
from grader.checks.narrowing import narrowed

PAIRS = NameFormat("{attribute}_{number:03}.png", (NameField("attribute", 0, 1), NameField("number", 1, 500, 3, 10)))
SPEC = ImagesSpec("pairs", "acgan", 1000, (64, 64), "RGB", "PNG", PAIRS, "attribute", True)
FIXED = NameFormat(PAIRS.template, (NameField("attribute", 0, 1), NameField("number", 1, 10, 3)))
CODES = NameFormat(
    "c{code}_v{value}_r{row}.png",
    (NameField("code", 0, 9, 1, 0), NameField("value", 0, 9, 1, 1), NameField("row", 0, 99, 1, 1)),
)
EACH = NameFormat("{number:05}.png", (NameField("number", 40000, 42620, 5),))
REBUILT = ImagesSpec("r", "vae/r", 2621, (64, 64), "RGB", "PNG", EACH, "", True, one_for_each="test")


def _pairs(numbers: range, form: str = "{}_{:03}.png") -> list[str]:
    return [form.format(a, n) for a in (0, 1) for n in numbers]


def test_the_least_and_the_words_for_it() -> None:
    assert (SPEC.least, SPEC.amount) == (20, "20 to 1000 images")
    assert PAIRS.smallest.span() == "0_001.png to 1_010.png"
    assert REBUILT.amount == "one image for each picture of test/"


@pytest.mark.parametrize(
    ("names", "end"),
    [
        (_pairs(range(1, 501)), 500),
        (_pairs(range(1, 13)), 12),
        (_pairs(range(1, 10)), 10),  # fewer than the least
        (_pairs(range(50)), 50),  # from 0: the last is one higher
        (_pairs(range(1, 31), "{}-{}.PNG"), 30),
        ([f"{n:03}_{a}.png" for a in (0, 1) for n in range(1, 41)], 40),  # the numbers in the wrong order
        ([*_pairs(range(1, 13)), "0_777.png", "notes.txt"], 12),  # beyond the range, and no image
        ([], 10),
        (["0_020.png"], 20),
    ],
)
def test_numbers_end_where_the_images_do(names: list[str], end: int) -> None:
    found = narrowed(names, SPEC)
    assert found.names is not None and found.names.fields[1].high == end
    assert found.count == len(found.names) == 2 * end


def test_each_range_of_a_product_has_its_own_end() -> None:
    spec = replace(SPEC, names=CODES, label="", count=10000)
    names = [f"c{c}_v{v}_r{r}.png" for c in range(5) for v in range(10) for r in range(20)]
    found = narrowed(names, spec)
    assert found.names is not None and found.names.all_names() == names and found.count == 1000
    assert check_names(names, found, "infogan").findings == []
    (finding,) = check_names(names[:-1], narrowed(names[:-1], spec), "infogan").findings
    assert finding.rule == "missing-images" and finding.examples == ("c4_v9_r19.png",)
    assert finding.help.endswith("the highest number that is there: code 4, value 9, row 19.")


def test_prescribed_names_stay_as_they_are() -> None:
    fixed = replace(SPEC, names=FIXED, count=len(FIXED))
    assert narrowed(_pairs(range(1, 300)), fixed) is fixed
    anything = replace(SPEC, names=None, label="")
    assert narrowed(["a.png"], anything) is anything


def test_one_for_each_takes_the_names_of_the_data() -> None:
    of = frozenset(f"{n}.png" for n in (40003, 40004, 40007))
    spec = narrowed(["40003.png"], REBUILT, of)
    assert spec.count == 3 and spec.names is not None and spec.names.span() == "40003.png to 40007.png"
    naming = check_names(["40003.png", "40005.png", "40007.PNG"], spec, "vae", of)
    assert naming.accepted == ["40003.png"]
    found = {f.rule: f.examples for f in naming.findings}
    assert found == {
        "misnamed": ("40007.PNG",),
        "missing-counterparts": ("40004.png",),
        "extra-images": ("40005.png",),
    }


def test_without_data_what_is_there_is_all() -> None:
    names = ["40003.png", "40009.png"]
    spec = narrowed(names, REBUILT)
    assert spec.count == 2
    naming = check_names(names, spec, "vae")
    assert naming.accepted == names and naming.findings == []
    assert narrowed([], REBUILT) is REBUILT


def test_any_names_within_what_is_asked_for() -> None:
    spec = ImagesSpec("input", "style/input", 100, ANY_SIZE, "RGB", "PNG", None, "", False, at_least=10)
    for there, count in ((4, 10), (10, 10), (37, 37), (100, 100), (130, 100)):
        names = [f"{n}.png" for n in range(there)]
        found = narrowed([*names, "notes.txt"], spec)
        assert found.count == count
        naming = check_names(names, found, "style")
        assert len(naming.accepted) == min(there, 100)
        assert [(f.rule, f.count) for f in naming.findings] == {
            4: [("missing-images", 6)],
            130: [("extra-images", 30)],
        }.get(there, [])


def test_the_names_of_another_folder() -> None:
    of = frozenset(("a.png", "b.png", "c.png", "d.png"))
    spec = ImagesSpec("output", "style/output", 100, ANY_SIZE, "RGB", "PNG", None, "", False, same_names="input")
    found = narrowed(["a.png"], spec, of)
    assert found.count == 4
    naming = check_names(["a.png", "b.jpg", "fake_c.png", "notes.txt"], found, "style", of)
    assert naming.accepted == ["a.png"]
    assert {f.rule: f.examples for f in naming.findings} == {
        "extra-file": ("notes.txt",),
        "misnamed": ("b.jpg",),
        "missing-counterparts": ("c.png", "d.png"),
        "extra-images": ("fake_c.png",),
    }
    assert all("named as those of input are" in f.expected for f in naming.findings if f.rule != "misnamed")
