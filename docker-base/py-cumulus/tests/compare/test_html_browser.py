"""The HTML report in a real browser: readable, reachable by keyboard, quiet on the network."""

import re

import numpy as np
import pytest
from browser import Browser
from html_reports import pair, report

from cumulus.compare.png import read

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    """Write a report with all of its parts, long names and texts included."""
    folder = tmp_path_factory.mktemp("report")

    def change(values):
        values[5:9, 10:20] += 200
        values[20, 3] = -9.0

    folders = pair(folder, change, units="degC", long_name="words " * 60, note="x" * 500)
    for name in (f"{'long' * 50}.txt", "<img src=http:nowhere onerror=alert(1)>.txt"):
        for number, target in enumerate(folders):
            (target / name).write_text(f"line\n{number}" + "y" * 300)
    report(folder, folders)
    return folder / "report.html"


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    chromium = Browser(tmp_path_factory.mktemp("chromium"))
    yield chromium
    chromium.close()


WIDTHS = pytest.mark.parametrize("width", [360, 768, 1440])
SCHEMES = pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])


@WIDTHS
def test_nothing_is_wider_than_the_window(browser, page, width):
    """No text, picture or table makes a reader scroll sideways."""
    browser.open(page, width)
    assert browser.value("document.documentElement.scrollWidth") <= width
    wide = browser.value(
        "[...document.querySelectorAll('main *')]"
        f".filter(element => element.getBoundingClientRect().right > {width} + 1)"
        ".map(element => element.tagName + ' ' + element.textContent.slice(0, 40))"
    )
    assert wide == []


@pytest.mark.parametrize("width, columns", [(360, 1), (768, 2), (1440, 4)])
def test_pictures_stand_side_by_side_where_there_is_room(browser, page, width, columns):
    """The histogram, which is the last of four, is beside its difference."""
    browser.open(page, width)
    corners = browser.value(
        "[...document.querySelectorAll('.pictures svg')].map(element => {"
        "const box = element.getBoundingClientRect();"
        "return [Math.round(box.left), Math.round(box.top)]; })"
    )
    assert len(corners) == 4 and len({left for left, _ in corners}) == columns
    assert (corners[2][1] == corners[3][1]) == (columns > 1)


@WIDTHS
def test_text_in_pictures_is_large_enough(browser, page, width):
    """Text has at least 10 CSS pixels, on a telephone too."""
    browser.open(page, width)
    heights = browser.value(
        "[...document.querySelectorAll('svg')].map(element => "
        "11 * element.getBoundingClientRect().width / element.viewBox.baseVal.width)"
    )
    assert min(heights) >= 10


def contrast(first, second):
    """Return the contrast of two colours as WCAG 2 defines it."""
    levels = []
    for colour in (first, second):
        channels = [int(number) / 255 for number in re.findall(r"\d+", colour)[:3]]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        levels.append(0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])
    return (max(levels) + 0.05) / (min(levels) + 0.05)


@SCHEMES
def test_text_stands_out_from_its_background(browser, page, dark):
    """Every text has a contrast of 4.5 to 1 (WCAG 2 AA), in light and in dark."""
    browser.open(page, 1440, dark)
    pairs = browser.value("""
        [...document.querySelectorAll('body *')].filter(element => element.checkVisibility() &&
            [...element.childNodes].some(child => child.nodeType === 3 && child.data.trim()))
        .map(element => {
            let behind = element;
            const empty = 'rgba(0, 0, 0, 0)';
            while (behind.parentElement && getComputedStyle(behind).backgroundColor === empty)
                behind = behind.parentElement;
            const style = getComputedStyle(element);
            return [element.namespaceURI.endsWith('svg') ? style.fill : style.color,
                    getComputedStyle(behind).backgroundColor, element.textContent.slice(0, 30)];
        })""")
    assert len(pairs) > 40
    poor = [(round(contrast(a, b), 2), text) for a, b, text in pairs if contrast(a, b) < 4.5]
    assert poor == []


@SCHEMES
def test_page_follows_light_and_dark(browser, page, tmp_path, dark):
    """Most pixels of the page are light, or dark."""
    browser.open(page, 360, dark)
    browser.picture(tmp_path / "page.png")
    pixels = read(tmp_path / "page.png")[..., :3]
    assert pixels.shape[1] == 360 and (np.median(pixels) < 60) == dark


def test_keyboard_reaches_everything_in_the_order_of_the_page(browser, page):
    """The order is skip link, list of files, each file to unfold; the focus is visible."""
    browser.open(page, 1440)
    reached = []
    for _ in range(12):
        browser.press("Tab")
        reached.append(browser.value(
            "[document.activeElement.tagName, document.activeElement.className,"
            " getComputedStyle(document.activeElement).outlineStyle]"
        ))  # fmt: skip
        if reached[-1][0] == "BODY":
            reached.pop()
            break
    assert reached[0][:2] == ["A", "skip"]
    assert [tag for tag, _, _ in reached] == ["A"] * 4 + ["SUMMARY"] * 3
    assert all(outline == "solid" for _, _, outline in reached)


def test_keyboard_folds_a_file(browser, page):
    browser.open(page, 1440)
    for _ in range(5):
        browser.press("Tab")
    before = browser.value("document.activeElement.parentElement.open")
    browser.press("Enter")
    assert browser.value("document.activeElement.parentElement.open") is (not before)


def test_nothing_is_asked_of_the_network_and_nothing_is_refused(browser, page):
    """The page loads only itself, and breaks no rule of its policy."""
    browser.open(page, 1440)
    asked = [event["params"]["request"]["url"] for event in browser.events
             if event.get("method") == "Network.requestWillBeSent"]  # fmt: skip
    assert [url for url in asked if not url.startswith("data:")] == [page.absolute().as_uri()]
    assert [event for event in browser.events if event.get("method") == "Log.entryAdded"] == []
    assert browser.value("document.images.length + document.scripts.length") == 0


def test_pictures_are_described_to_those_who_do_not_see_them(browser, page):
    """A screen reader gets role, name and description of each picture."""
    browser.open(page, 1440)
    nodes = browser.call("Accessibility.getFullAXTree")["nodes"]
    pictures = [node for node in nodes if node.get("role", {}).get("value") in ("image", "img")]
    named = [node["name"]["value"] for node in pictures if not node["ignored"]]
    for what in ("Expected: ", "Actual: ", "Difference: ", "Histogram of differences: "):
        assert any(name.startswith(what) for name in named), named
    landmarks = {node["role"]["value"] for node in nodes if "role" in node}
    assert {"banner", "main", "navigation", "contentinfo"} <= landmarks
