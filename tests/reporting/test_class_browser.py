"""The class page in a real browser: it sorts and filters, nothing is too wide, every text can be read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from grader.reporting.class_page import render_class, render_leaderboard
from tests.reporting import test_browser as one
from tests.reporting.test_class_page import _class

pytestmark = one.pytestmark
browser = one.browser
NAMES = [f"student{i}" for i in range(10)] + ["x" * 200]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("class")
    found = _class(NAMES)
    found["students"][2]["measures"]["acgan.digit_accuracy"]["value"] = None
    (made / "index.html").write_text(render_class(found, {"new": ["student1"], "gone": [], "changed": []}))
    (made / "leaderboard.html").write_text(render_leaderboard(found, {n: n[:9] for n in NAMES}))
    return made


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    told: list[str] = []
    opened.on("console", lambda message: told.append(message.text))
    opened.goto((folder / "index.html").as_uri())
    yield opened
    opened.close()
    assert not told


def _column(page: Page) -> list[str]:
    return page.locator("tbody th").all_inner_texts()


def test_a_column_is_sorted_both_ways_by_keyboard(page: Page) -> None:
    head = page.get_by_role("button", name="Digit accuracy")
    before = _column(page)
    head.focus()
    page.keyboard.press("Enter")
    without = before[2]  # what has no value comes last, whatever the direction
    assert _column(page) == [n for n in before if n != without] + [without]
    page.keyboard.press("Enter")
    assert _column(page) == [n for n in before[::-1] if n != without] + [without]
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"


def test_a_click_on_a_head_sorts_by_what_it_says(page: Page) -> None:
    """By what is shown in that column, read from the page: values as numbers, names as people count."""
    heads = page.locator("table.sortable thead tr:last-child th")
    nth = next(n for n, title in enumerate(heads.all_inner_texts()) if title.lower().startswith("digit accuracy"))
    heads.nth(nth).click()
    cells = page.locator(f"table.sortable tbody tr > :nth-child({nth + 1})").all_inner_texts()
    values = [float(cell.split()[0]) for cell in cells[:-1]]
    assert len(set(values)) > 5 and values == sorted(values) and cells[-1].strip() == "–"
    heads.nth(nth).click()
    again = page.locator(f"table.sortable tbody tr > :nth-child({nth + 1})").all_inner_texts()
    assert [float(cell.split()[0]) for cell in again[:-1]] == values[::-1] and again[-1].strip() == "–"
    heads.first.click()
    assert _column(page)[:10] == [f"student{i}" for i in range(10)]
    assert heads.first.get_attribute("aria-sort") == "ascending" and page.locator("th[aria-sort]").count() == 1


def test_rows_are_filtered_by_state_and_name(page: Page) -> None:
    page.get_by_label("Name").fill("STUDENT4")
    assert page.locator("tbody tr:visible th").all_inner_texts() == ["student4"]
    page.get_by_label("Name").fill("")
    assert page.locator("tbody tr:visible").count() == len(NAMES)


@pytest.mark.parametrize("name", ["index", "leaderboard"])
@pytest.mark.parametrize("width", [320, 1280])
def test_nothing_is_wider_than_the_window(width: int, name: str, browser: Browser, folder: Path) -> None:
    opened = browser.new_page(viewport={"width": width, "height": 900})
    opened.goto((folder / f"{name}.html").as_uri())
    wide = one.TOO_WIDE.replace(".scroll,", ".scroll, .roll,")
    assert opened.evaluate(wide) == []
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out(scheme: Literal["light", "dark"], page: Page) -> None:
    page.emulate_media(color_scheme=scheme)
    faint = [(text, ratio) for text, ratio in page.evaluate(one.CONTRAST) if ratio < 4.5]
    assert not faint
