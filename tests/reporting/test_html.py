"""The HTML page, read by an HTML parser: what is in it, and what can't be."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree.ElementTree import Element

import html5lib
import pytest

import grader.reporting
from grader.reporting import render
from tests.reporting.pictures import DIGITS, HOSTILE_NAME, digits, images, whole
from tests.reporting.reports import ABOUT, ALL, CHECKED, EVIL, FAIR, MANY, NOTHING, measure, quoting, score, verdict

LARGEST_PAGE = 4_000_000  # bytes
REPORT, SHOWN = whole()
PAGES = {name: (report, ABOUT) for name, report in ALL.items()} | {"whole": (REPORT, SHOWN)}


def _page(name: str) -> str:
    return render("html", *PAGES[name])


def _parse(page: str) -> Element:
    parser = html5lib.HTMLParser(strict=True, namespaceHTMLElements=False)  # any mistake in the syntax raises
    parsed: Element = parser.parse(page)
    return parsed


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _all(root: Element, tag: str) -> Iterator[Element]:
    return (e for e in root.iter() if isinstance(e.tag, str) and _tag(e) == tag)


def _text(element: Element) -> str:
    return " ".join(" ".join(element.itertext()).split())


def _parents(root: Element) -> dict[Element, Element]:
    return {child: parent for parent in root.iter() for child in parent}


@pytest.fixture(scope="module", params=PAGES)
def root(request: pytest.FixtureRequest) -> Element:
    return _parse(_page(request.param))


def test_nothing_runs_and_nothing_is_fetched(root: Element) -> None:
    tags = {_tag(e) for e in root.iter() if isinstance(e.tag, str)}
    assert not tags & {"script", "iframe", "object", "embed", "form", "base", "img", "audio", "video", "foreignObject"}
    for element in root.iter():
        for name, value in element.attrib.items():
            name = name.rpartition("}")[2].lower()
            assert not name.startswith("on") and name not in ("style", "srcset", "srcdoc", "action", "ping")
            if name in ("href", "src"):
                assert value.startswith(("#", "data:image/webp;base64,")) or value == "data:,"
    (style,) = _all(root, "style")
    assert "url(" not in (style.text or "") and "@import" not in (style.text or "")


def test_the_policy_allows_this_style_alone(root: Element) -> None:
    (style,) = _all(root, "style")
    digest = base64.b64encode(hashlib.sha256((style.text or "").encode()).digest()).decode()
    (policy,) = (m.get("content", "") for m in _all(root, "meta") if m.get("http-equiv"))
    assert policy.split("; ") == [
        "default-src 'none'",
        "img-src data:",
        f"style-src 'sha256-{digest}'",
        "base-uri 'none'",
        "form-action 'none'",
    ]


def test_headings_and_landmarks(root: Element) -> None:
    levels = [int(_tag(e)[1]) for e in root.iter() if isinstance(e.tag, str) and re.fullmatch("h[1-6]", _tag(e))]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    for landmark in ("header", "main", "footer"):
        assert sum(1 for _ in _all(root, landmark)) == 1
    (html,) = _all(root, "html")
    assert html.get("lang") == "en" and _text(next(_all(root, "title")))


def test_names_for_who_cannot_see(root: Element) -> None:
    parents = _parents(root)
    ids = [e.get("id") for e in root.iter() if e.get("id")]
    assert len(ids) == len(set(ids))
    for element in root.iter():
        for name, value in element.attrib.items():
            if name.rpartition("}")[2] in ("href", "aria-labelledby") and not value.startswith("data:"):
                assert value.removeprefix("#") in ids
    for svg in _all(root, "svg"):
        if _tag(parents[svg]) != "svg":
            assert svg.get("aria-hidden") == "true" or (svg.get("role") == "img" and svg.get("aria-label"))
    for box in _all(root, "input"):
        label = parents[box]
        assert _tag(label) == "label" and _text(label)
        group = parents[label]
        assert _tag(group) == "fieldset" and _tag(group[0]) == "legend" and _text(group[0])
    for table in _all(root, "table"):
        assert all(th.get("scope") in ("row", "col") for th in _all(table, "th"))
    for scrolled in (e for e in root.iter() if e.get("class") == "scroll"):
        assert scrolled.get("tabindex") == "0" and scrolled.get("aria-label")


@pytest.mark.parametrize("name", ["evil", "evil check"])
def test_hostile_texts_are_texts(name: str) -> None:
    page = _page(name)
    text = _text(next(_all(_parse(page), "body")))
    assert "<script>alert(1)</script>" in text and "{{7*7}}" in text
    assert max(map(len, re.findall("A+", page))) <= 1000


def test_hostile_texts_leave_the_structure_as_it_is() -> None:
    def structure(text: str, many: str) -> list[tuple[str, list[str]]]:
        page = _parse(render("html", quoting(text, many), ABOUT))
        return [(e.tag, sorted(e.attrib)) for e in page.iter() if isinstance(e.tag, str)]

    assert structure(MANY, MANY) == structure("harmless", "harmless")


def test_what_the_page_says() -> None:
    root = _parse(_page("whole"))
    (main,), (header,) = _all(root, "main"), _all(root, "header")
    assert _text(header).startswith("Score by grader hw2 DLCV fall 2021, homework 2: GAN, ACGAN, DANN fail 10 of 15 p")
    links = {a.get("href"): _text(a) for a in _all(header, "a")}
    assert links["#problem-2"] == "fail acgan Problem acgan 1 error and 1 warning 5/5"
    said = _text(main)
    for text in (
        "3 of 1000 images are missing.",
        "Expected 1000 images",
        "Found 997 images: not there 0_001.png",
        "Generate the missing images.",
        "rule missing-images",
        "99.80 % 95 % interval 89.80–109.80 % n = 1000",
        "simple ≥ 40 %: reached, 5 of 5 points",
        "better than 3 of 8 reported results",
        "skipped: no weights here",
        "protocol course-classifier",
        "88 % of real images'",
        "versions torch 2",
        "gan from the report 15",
    ):
        assert text in said, text
    facts = _text(next(_all(root, "footer")))
    assert "2026-11-22 10:30 UTC" in facts and "0" * 64 in facts and "1" * 64 in facts


def test_two_sides_of_one_thing_stand_side_by_side() -> None:
    ids = ("fid", "domain_accuracy", "content_similarity", "content_similarity.b")
    measures = [dataclasses.replace(measure(id.partition(".")[0], value=0.5), id=id, deliverable="out") for id in ids]
    measures[3] = dataclasses.replace(measures[3], deliverable="other")
    root = _parse(render("html", score(verdict("style", "pass", *measures)), ABOUT))
    pairs = [e for e in _all(root, "div") if e.get("class") == "pair"]
    assert [[_text(h).split()[-1] for h in _all(pair, "h3")] for pair in pairs] == [list(ids[1:3])]
    assert [_text(h).split()[-1] for h in _all(root, "h3") if _text(h).split()[-1] in ids] == list(ids)


def test_findings_errors_first_with_their_images() -> None:
    root = _parse(_page("whole"))
    found = [e for e in root.iter() if (e.get("class") or "").startswith("finding ")]
    assert [e.get("class") for e in found] == ["finding error", "finding warning"]
    crops = list(_all(found[1], "svg"))
    assert [svg.get("aria-label") for svg in crops] == ["1_007.png", "1_010.png"]
    # The seventh image of a row of ten, 28 pixels each.
    assert [svg.get("viewBox") for svg in crops] == ["168 0 28 28", "252 0 28 28"]
    assert not list(_all(found[0], "svg"))


def test_the_confusion_matrix_is_a_table() -> None:
    root = _parse(_page("whole"))
    (table,) = (t for t in _all(root, "table") if t.get("class") == "confusion")
    rows = [[_text(cell) for cell in row] for row in _all(table, "tr")]
    assert rows[0] == ["", *map(str, range(10))]
    assert rows[1] == ["0", "99", "0", "0", "0", "0", "1", "0", "0", "0", "0"]
    assert rows[8] == ["7", "0", "1", "0", "0", "0", "0", "0", "99", "0", "0"]
    shades = [cell.get("class") for cell in list(_all(table, "tr"))[1]][1:]
    assert shades[0] == "right-5" and shades[5] == "wrong-1" and shades[1] == "none"


def test_misread_digits_are_marked_and_listed() -> None:
    root = _parse(_page("whole"))
    marked = [rect for rect in _all(root, "rect") if rect.get("class") == "misread"]
    assert [_text(rect) for rect in marked] == ["0_003.png read as 5", "7_012.png read as 1"]
    assert [(r.get("x"), r.get("y")) for r in marked] == [("56", "0"), ("28", "28")]
    (listed,) = (e for e in root.iter() if e.get("class") == "misreadlist")
    assert [_text(e) for e in _all(listed, "figcaption")] == ["0_003.png read as 5", "7_012.png read as 1"]
    captions = [_text(e) for e in _all(root, "figcaption")]
    assert "3: 0 misread, 1 missing" in captions and "0: 1 misread" in captions
    titles = [_text(e) for e in _all(root, "title")]
    assert HOSTILE_NAME.replace("\u202e", "\\u202e") in titles


def test_predictions_show_no_single_row() -> None:
    """The labels of the tables may be hidden: nothing but sums may be seen of them."""
    root = _parse(_page("whole"))
    (section,) = (e for e in _all(root, "section") if e.get("id") == "problem-3")
    assert not [e for e in section.iter() if "misread" in (e.get("class") or "")] and ".png" not in _text(section)


def test_a_check_and_an_empty_submission() -> None:
    checked, nothing = (_text(next(_all(_parse(_page(name)), "body"))) for name in ("checked", "nothing"))
    assert "Check by grader hw2 fail 1 error, 1 warning" in checked and "points" not in checked
    assert "3 of 1000 images are missing." in nothing and "Problem" not in nothing
    assert CHECKED.state == NOTHING.state == "fail"


def test_only_so_many_findings() -> None:
    root = _parse(render("html", EVIL, ABOUT))
    assert sum(e.get("class", "").startswith("finding ") for e in root.iter()) == 50
    assert "and 31 more, which the JSON report has" in _text(root)


def test_a_full_submission_of_noise_fits() -> None:
    faces = images([f"{i:04d}.png" for i in range(1000)], (64, 64))
    wrong = {name: str((int(name[0]) + 1) % 10) for name in DIGITS.all_names()}
    page = render("html", *whole({("gan", "faces"): faces, ("acgan", "digits"): digits()}, wrong))
    assert 1_000_000 < len(page.encode()) <= LARGEST_PAGE


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(a: str, b: str) -> float:
    low, high = sorted((_luminance(a), _luminance(b)))
    return (high + 0.05) / (low + 0.05)


def test_the_formula_of_contrast() -> None:
    assert _contrast("#ffffff", "#000000") == pytest.approx(21) and _contrast("#777777", "#ffffff") < 4.5
    assert _contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.005)  # the WCAG's own example of enough


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_texts_stand_out(scheme: int) -> None:
    css = (Path(grader.reporting.__file__).parent / "templates" / "page.css").read_text()
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    assert len(blocks) == 2
    colours = dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6})", blocks[scheme]))
    pairs = [(text, back) for text in ("text", "muted", "accent") for back in ("page", "card")]
    pairs += [(name, f"{name}-soft") for name in ("good", "bad", "warn", "odd")]
    pairs += [("muted", "rail"), ("page", "text"), ("bad", "card")]
    for text, back in pairs:
        assert _contrast(colours[text], colours[back]) >= 4.5, (text, back)
    for mark in ("fill", "dot"):  # what is no text needs 3
        assert _contrast(colours[mark], colours["card"]) >= 3, mark


def test_nothing_of_the_fair_report_is_left_out() -> None:
    said = _text(_parse(_page("fair")))
    for problem in FAIR.problems:
        assert problem.id in said and all(m.id in said for m in problem.measures)
    assert FAIR.manual[0].title in said and dataclasses.asdict(FAIR)["assignment"] in said
