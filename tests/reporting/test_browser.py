"""The page in a real browser: nothing is fetched, filters filter, nothing is too wide, every text can be read."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from grader.reporting import render
from tests.reporting.pictures import whole
from tests.reporting.reports import ABOUT, ALL

CHROMIUM = os.environ.get("CHROMIUM") or next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None
)
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium here; $CHROMIUM may name one"),
]
OPTIONS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]

# For each text that can be seen: its contrast with what lies behind it.
CONTRAST = """() => {
  const paint = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
  const rgba = colour => {
    paint.clearRect(0, 0, 1, 1); paint.fillStyle = colour; paint.fillRect(0, 0, 1, 1);
    return [...paint.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) => {
    const [x, y, z] = [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const behind = element => {
    for (let e = element; e; e = e.parentElement) {
      const found = rgba(getComputedStyle(e).backgroundColor);
      if (found[3] === 255) return found;
    }
    return [255, 255, 255];
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.closest('title')) continue;
    const style = getComputedStyle(element);
    const text = rgba(element.closest('svg') ? style.fill : style.color);
    const [low, high] = [light(text), light(behind(element))].sort((a, b) => a - b);
    found.push([walker.currentNode.data.trim().slice(0, 60), (high + 0.05) / (low + 0.05)]);
  }
  return found;
}"""
# What is wider than the window, but for what scrolls in a box of its own.
TOO_WIDE = """() => [...document.body.querySelectorAll('*')]
  .filter(e => !e.closest('.scroll, .hidden, .skip, .sheets, svg'))
  .filter(e => e.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .map(e => e.outerHTML.slice(0, 100))"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=OPTIONS)
        yield found
        found.close()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("pages")
    for name, (report, about) in ({n: (r, ABOUT) for n, r in ALL.items()} | {"whole": whole()}).items():
        (made / f"{name}.html").write_text(render("html", report, about))
    return made


@pytest.fixture
def page(browser: Browser, folder: Path) -> Iterator[Page]:
    context = browser.new_context()
    opened = context.new_page()
    opened.goto((folder / "whole.html").as_uri())
    yield opened
    context.close()


@pytest.mark.parametrize("name", [*ALL, "whole"])
def test_no_complaint_and_no_request(name: str, browser: Browser, folder: Path) -> None:
    complaints: list[str] = []
    asked: list[str] = []
    context = browser.new_context()
    opened = context.new_page()
    opened.on("console", lambda message: complaints.append(message.text))
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("dialog", lambda dialog: complaints.append(dialog.message))
    opened.on("request", lambda request: asked.append(request.url))
    address = (folder / f"{name}.html").as_uri()
    opened.goto(address, wait_until="load")
    assert complaints == [] and [url for url in asked if not url.startswith("data:")] == [address]
    assert opened.evaluate("getComputedStyle(document.querySelector('h1')).fontWeight") == "650"  # the style applies
    context.close()


@pytest.mark.parametrize("name", [*ALL, "whole"])
@pytest.mark.parametrize("width", [360, 768, 1200])
def test_nothing_is_wider_than_the_window(width: int, name: str, browser: Browser, folder: Path) -> None:
    opened = browser.new_page(viewport={"width": width, "height": 800})
    opened.goto((folder / f"{name}.html").as_uri())
    opened.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    assert opened.evaluate("document.documentElement.scrollWidth") <= width
    assert opened.evaluate(TOO_WIDE) == []
    opened.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out(scheme: Literal["light", "dark"], page: Page) -> None:
    page.emulate_media(color_scheme=scheme)
    page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
    found = page.evaluate(CONTRAST)
    assert len(found) > 200 and [(text, ratio) for text, ratio in found if ratio < 4.5] == []
    back = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert (sum(map(int, back.removeprefix("rgb(").rstrip(")").split(","))) < 200) is (scheme == "dark")


def test_paper_is_light_and_has_no_filters(page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".filter").first.is_hidden()
    assert page.pdf(format="A4").startswith(b"%PDF")


def test_findings_are_filtered_by_severity(page: Page) -> None:
    errors, warnings = page.locator(".finding.error"), page.locator(".finding.warning")
    assert errors.is_visible() and warnings.is_visible()
    page.get_by_role("radio", name="1 error").check()
    assert errors.is_visible() and warnings.is_hidden()
    page.get_by_role("radio", name="1 warning").check()
    assert errors.is_hidden() and warnings.is_visible()
    page.get_by_role("radio", name="all 2").check()
    assert errors.is_visible() and warnings.is_visible()


def test_the_wall_of_digits_is_filtered(page: Page) -> None:
    wall = page.locator(".wall", has=page.get_by_role("heading", name="acgan"))

    def shown(what: str) -> list[str]:
        return [e.inner_text() for e in wall.locator(what).all() if e.is_visible()]

    assert len(shown(".sheet")) == 10 and len(shown(".misreadlist li")) == 2
    wall.get_by_role("radio", name="misread only").check()
    assert shown(".sheet") == ["0: 1 misread", "7: 1 misread"] and len(shown(".misreadlist li")) == 2
    assert wall.locator(".veil").first.is_visible()
    wall.get_by_role("radio", name="7", exact=True).check()
    assert shown(".sheet") == ["7: 1 misread"] and shown(".misreadlist li") == ["7_012.png\nread as 1"]
    assert wall.locator(".veil").nth(7).is_hidden()
    other = page.locator(".wall", has=page.get_by_role("heading", name="gan/"))
    assert other.locator(".sheet").first.is_visible()


def test_filters_work_by_keyboard_and_show_where_they_are(page: Page) -> None:
    page.keyboard.press("Tab")
    assert page.locator(".skip").evaluate("e => e === document.activeElement")
    for _ in range(4):  # three problems, then the filter
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "pick-all"
    label = page.locator("label:has(:focus-visible)")
    assert label.evaluate("e => getComputedStyle(e).outlineStyle") == "solid"
    page.keyboard.press("ArrowRight")
    assert page.locator(".finding.warning").is_hidden() and page.locator(".finding.error").is_visible()


def test_images_are_drawn(page: Page) -> None:
    """A crop shows noise, not an empty box: the sheet was decoded and is placed by its cell."""
    crop = page.locator(".crop").first
    found = crop.screenshot()
    box = crop.bounding_box()
    assert len(found) > 2000 and box is not None and box["width"] == 72


def test_the_policy_is_in_force(browser: Browser, folder: Path) -> None:
    """Even if a tag slipped through, it could neither run nor load nor change how the page looks."""
    slipped = (
        "<script>document.title = 'ran'</script><img src=x onerror=\"document.title = 'ran'\">"
        "<style>h1 { color: rgb(1, 2, 3) }</style><img src='https://example.invalid/x.png'>"
    )
    path = folder / "slipped.html"
    path.write_text((folder / "fair.html").read_text().replace("<h1>", slipped + "<h1>"))
    opened = browser.new_page()
    asked: list[str] = []
    opened.on("requestfinished", lambda request: asked.append(request.url))
    opened.goto(path.as_uri())
    assert opened.title().startswith("FAIL") and [u for u in asked if not u.startswith("data:")] == [path.as_uri()]
    assert opened.evaluate("getComputedStyle(document.querySelector('h1')).color") != "rgb(1, 2, 3)"
    opened.close()
