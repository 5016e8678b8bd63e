"""The HTML report of a comparison: complete, safe, bounded, with true pictures."""

import base64
import os
import re
import resource
import shutil
import struct
import subprocess
import sys
import zlib
from datetime import datetime
from html.parser import HTMLParser

import netCDF4
import numpy as np
import pytest
from html_reports import pair, report
from samples import COLLECTION, SOURCE, write_product

from cumulus import CumulusError
from cumulus.__main__ import main
from cumulus.collection import load
from cumulus.compare import compare
from cumulus.compare.html import PICTURES, write_html
from cumulus.compare.html.colours import CHANGED, DIFFERENCE, LEVELS, VALUES, paint, paint_colours
from cumulus.compare.html.fields import BINS, COLUMNS, ROWS, read_column, read_field
from cumulus.compare.html.pictures import pictures_of
from cumulus.compare.html.text import escape, lines_diff, marked, ordinal
from cumulus.compare.png import read

VOID = {"meta", "img", "br", "image", "rect", "path", "circle", "input", "link"}


class Page(HTMLParser):
    """Collects the elements of a report, and checks that each is closed where it should be."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.open, self.text = [], [], ""
        self.feed(text)
        self.close()
        assert not self.open, f"not closed: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attributes for name, attributes in self.elements if name == tag]


def field_of(folders):
    comparison = compare(*folders)
    (result,) = comparison.files
    difference = next(
        difference for difference in result.differences if difference.category == "value"
    )
    return read_field(comparison.paths(result), difference.variable, difference.values), difference


def one_value(values):
    values[7, 3] += 5


def test_report_is_one_sound_page(tmp_path):
    """Every element is closed, every id is unique, every reference has its target on the page."""
    page = Page(report(tmp_path, pair(tmp_path, one_value, units="degC")))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        assert set(attributes.get("aria-labelledby", "").split()) <= set(ids)
        target = attributes.get("href", "#")
        if target.startswith("#"):
            assert target[1:] in ["", *ids]
        else:
            assert target.startswith("data:image/png;base64,")
    assert page.all("html") == [{"lang": "en"}]


def test_report_needs_no_network_and_no_script(tmp_path):
    """The page fetches and runs nothing, and its policy forbids both."""
    text = report(tmp_path, pair(tmp_path, one_value))
    page = Page(text)
    assert not page.all("script") and not page.all("link")
    assert "@import" not in text and "url(" not in text
    assert not [
        name for _, attributes in page.elements for name in attributes if name.startswith("on")
    ]
    policy = next(
        attributes["content"] for attributes in page.all("meta") if "http-equiv" in attributes
    )
    assert "default-src 'none'" in policy
    assert not re.findall(r"(?:src|href)=\"(?!data:image/png;base64,|#)", text)


def test_every_picture_has_a_text_alternative(tmp_path):
    page = Page(report(tmp_path, pair(tmp_path, one_value)))
    assert len(page.all("svg")) == len(page.all("desc")) == len(page.all("title")) - 1 == 4
    assert all(
        attributes["role"] == "img" and attributes["aria-labelledby"]
        for attributes in page.all("svg")
    )
    assert "Difference of field (K), actual minus expected" in page.text


def test_landmarks_and_headings_give_a_way_through(tmp_path):
    page = Page(report(tmp_path, pair(tmp_path, one_value)))
    assert len(page.all("main")) == len(page.all("header")) == len(page.all("h1")) == 1
    assert page.all("nav") == [{"aria-label": "Files that differ"}]
    assert page.all("a")[0] == {"class": "skip", "href": "#files"}
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[:4] == [1, 2, 2, 3]


@pytest.mark.parametrize("name", [
    "<img src=x onerror=alert(1)>.txt", '"><script>alert(1)<_script>.txt', "a&b'.txt",
    "line\nbreak.txt", "right\u202eto left.txt",
])  # fmt: skip
def test_hostile_names_are_only_text(tmp_path, name):
    folders = pair(tmp_path, one_value)
    (folders[1] / name).write_text("x")
    text = report(tmp_path, folders)
    page = Page(text)
    assert not page.all("script") and not page.all("img")
    assert name.replace("\u202e", "\\u202e") in page.text and "\u202e" not in text


def test_name_that_is_no_text_is_written_as_codes(tmp_path):
    folders = pair(tmp_path, one_value)
    with open(bytes(folders[1]) + b"/\xff.txt", "w") as file:
        file.write("x")
    assert "\\udcff.txt" in Page(report(tmp_path, folders)).text


def test_hostile_attributes_are_only_text(tmp_path):
    hostile = {"long_name": "</code><script>x</script>", "note": "\x1b[2J"}
    page = Page(report(tmp_path, pair(tmp_path, None, **hostile)))
    assert not page.all("script") and "</code><script>x</script>" in page.text
    assert "\\u001b[2J" in page.text


def test_what_differs_in_an_attribute_is_marked(tmp_path):
    text = report(tmp_path, pair(tmp_path, None, long_name="a meadow"))
    assert "a <del>field</del>" in text and "a <ins>meadow</ins>" in text


def test_type_of_an_attribute_is_told_where_its_text_is_equal(tmp_path):
    """An integer 1 and a real 1 have the same text."""
    folders = pair(tmp_path, None)
    for folder, value in zip(folders, (np.int32(1), np.int64(1)), strict=True):
        with netCDF4.Dataset(folder / "a.nc", "a") as dataset:
            dataset.setncattr("level", value)
    text = Page(report(tmp_path, folders)).text
    assert "int32" in text and "int64" in text


def test_missing_variable_and_file_sets_are_named(tmp_path):
    folders = pair(tmp_path, None)
    with netCDF4.Dataset(folders[0] / "a.nc", "a") as dataset:
        dataset.createVariable("lost", "f4", ("time",))
    (folders[0] / "gone.txt").write_text("x")
    (folders[1] / "added.txt").write_text("x")
    text = Page(report(tmp_path, folders)).text
    assert "/lost" in text and "is missing" in text
    assert "gone.txt missing" in text and "added.txt extra" in text


def test_equal_products_are_said_to_be_equal(tmp_path):
    page = Page(report(tmp_path, pair(tmp_path, None)))
    assert "All products are as expected" in page.text and "1equal" in page.text
    assert not page.all("svg") and not page.all("nav")


def test_unreadable_file_does_not_keep_the_others_from_the_report(tmp_path):
    folders = pair(tmp_path, one_value)
    for folder, end in zip(folders, (b"x", b"y"), strict=True):
        (folder / "broken.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + end * 100)
    page = Page(report(tmp_path, folders))
    assert "could not all be compared" in page.text and len(page.all("svg")) == 4


def test_product_that_changed_since_is_described_without_a_picture(tmp_path):
    """The report reads the files again and does not fail if a file is gone."""
    folders = pair(tmp_path, one_value)
    comparison = compare(*folders)
    (folders[1] / "a.nc").unlink()
    write_html(comparison, tmp_path / "report.html")
    text = (tmp_path / "report.html").read_text()
    assert "Not drawn" in text and "1 of 1,200 values" in text


def test_same_comparison_gives_the_same_bytes(tmp_path):
    """Of the same date."""
    comparison, path = compare(*pair(tmp_path, one_value)), tmp_path / "report.html"
    contents = set()
    for _ in range(2):
        write_html(comparison, path, written=datetime(2026, 12, 1, 8, 30))
        contents.add(path.read_bytes())
    assert len(contents) == 1


def test_head_names_collection_image_and_date(tmp_path, monkeypatch):
    """Outside of an image there is no revision, without a collection no name."""
    comparison, path = compare(*pair(tmp_path, one_value)), tmp_path / "report.html"
    (tmp_path / "collection.toml").write_text(COLLECTION)
    written = datetime(2026, 12, 1, 8, 30)
    monkeypatch.setenv("IMAGE_REVISION", "0a1b2c<3>")
    write_html(comparison, path, load(tmp_path / "collection.toml"), written)
    head = "hs3cpl version 1, image revision 0a1b2c&lt;3&gt;, 2026-12-01 08:30:00 UTC<br>"
    assert head in path.read_text()
    monkeypatch.delenv("IMAGE_REVISION")
    write_html(comparison, path, written=written)
    assert '<p class="quiet">2026-12-01 08:30:00 UTC<br>' in path.read_text()


# Pictures


def decoded(picture, tmp_path):
    path = tmp_path / "picture.png"
    path.write_bytes(picture)
    return read(path)


def test_painted_levels_are_read_back_as_their_colours(tmp_path):
    levels = np.array([[0, LEVELS - 1], [250, CHANGED]], "u1")
    pixels = decoded(paint(levels, VALUES), tmp_path)
    assert pixels[0, 0].tolist() == [*VALUES[0], 255]
    assert pixels[0, 1].tolist() == [*VALUES[-1], 255]
    assert pixels[1, 0, 3] == 0 and pixels[1, 1].tolist() == [214, 0, 147, 255]


def test_painted_pixels_are_read_back(tmp_path):
    pixels = np.arange(2 * 3 * 4, dtype="u1").reshape(2, 3, 4) + 1
    np.testing.assert_array_equal(decoded(paint_colours(pixels), tmp_path), pixels)


HALF = LEVELS // 2


@pytest.mark.parametrize("scale", [VALUES, DIFFERENCE[:HALF], DIFFERENCE[HALF:][::-1]],
                         ids=["values", "smaller", "larger"])  # fmt: skip
def test_colours_are_told_apart_by_lightness_alone(scale):
    """Larger values stay visible without red and green, and in grey."""
    lightness = scale.astype("f8") @ [0.2126, 0.7152, 0.0722]
    assert (np.diff(lightness) >= -0.6).all() and lightness[-1] - lightness[0] > 100


def test_field_holds_both_sides(tmp_path):
    field, _ = field_of(pair(tmp_path, one_value))
    expected = np.arange(1200.0).reshape(40, 30)
    np.testing.assert_array_equal(field.expected, expected)
    assert field.actual[7, 3] == expected[7, 3] + 5 and field.differs.sum() == 1
    assert (field.rows.worst, field.columns.worst) == (7, 3)
    assert [text for _, text in field.rows.axis.ticks] == ["12:00", "12:02", "12:04", "12:06"]
    assert field.rows.axis.name == "time (UTC, 2012-09-06)"


@pytest.mark.parametrize("worst", [(0, 0), (999, 1200), (501, 777), (437, 3)])
def test_worst_difference_stays_visible_in_a_large_field(tmp_path, worst):
    """A single wrong value of a million is in the picture with both of its values."""

    def change(values):
        values[worst] += 3e6

    field, difference = field_of(pair(tmp_path, change, (1000, 1201)))
    assert field.expected.shape <= (ROWS, COLUMNS) and difference.values.index == worst
    cell = worst[0] // field.rows.step, worst[1] // field.columns.step
    assert field.differs.sum() == 1 and field.differs[cell]
    assert field.expected[cell] == np.float32(worst[0] * 1201 + worst[1])
    assert field.actual[cell] == np.float32(field.expected[cell] + 3e6)


def test_every_cell_and_bin_holds_what_all_values_give(tmp_path):
    """Where every value differs, each cell has its worst pair, and the histogram every value."""
    rng = np.random.default_rng(3)
    before = np.arange(1000 * 1201, dtype="f4").reshape(1000, 1201)
    offsets = rng.normal(0, 1e5, before.shape)

    def change(values):
        values += offsets.astype("f4")

    field, difference = field_of(pair(tmp_path, change, before.shape))
    distances = (before + offsets.astype("f4")).astype("f8") - before
    down, across = field.rows.step, field.columns.step
    for row, column in np.ndindex(field.expected.shape):
        cell = np.s_[row * down : (row + 1) * down, column * across : (column + 1) * across]
        worst = np.abs(distances[cell]).argmax()
        assert field.expected[row, column] == before[cell].flat[worst]
        shown = field.actual[row, column] - field.expected[row, column]
        assert shown == distances[cell].flat[worst]
    largest = difference.values.largest
    differing = distances[distances != 0]
    counts, _ = np.histogram(differing, np.linspace(-largest, largest, BINS + 1))
    assert field.counts.tolist() == counts.tolist()


def test_value_that_vanished_is_visible_among_larger_differences(tmp_path):
    """A cell with both kinds shows the pair with a missing number."""

    def change(values):
        values[:, :] += 1
        values[500, 600] = -9.0

    field, _ = field_of(pair(tmp_path, change, (1000, 1200)))
    assert field.changed.sum() == 1
    assert np.isnan(field.actual[500 // field.rows.step, 600 // field.columns.step])


def test_difference_within_the_tolerance_is_not_shown_as_one(tmp_path):
    from cumulus.collection import CompareRules

    def change(values):
        values[3, 3] += 0.001
        values[9, 9] += 50

    comparison = compare(*pair(tmp_path, change), CompareRules(atol=0.1))
    (result,) = comparison.files
    field = read_field(comparison.paths(result), "/field", result.differences[0].values)
    assert np.argwhere(field.differs).tolist() == [[9, 9]]


def test_packed_values_are_called_stored(tmp_path):
    """Stored values are compared, so that no unit would be right."""
    folders = pair(tmp_path, None)
    for number, folder in enumerate(folders):
        with netCDF4.Dataset(folder / "a.nc", "a") as dataset:
            packed = dataset.createVariable("packed", "i2", ("time", "z"))
            packed.setncatts({"scale_factor": 0.5, "units": "K"})
            packed.set_auto_scale(False)
            packed[:] = 100 + number
    field, _ = field_of(folders)
    assert field.stored and field.expected.max() == 100
    text = report(tmp_path, folders)
    assert ">stored values</text>" in text and ">K</text>" not in text


def test_units_are_at_every_scale_of_values(tmp_path):
    """At three colour bars, and at the axis of the histogram."""
    text = report(tmp_path, pair(tmp_path, one_value))
    assert text.count(">K</text>") == 3
    assert text.count(">actual minus expected K</text>") == 1


def flags(tmp_path, kind, **attributes):
    """Write products with a variable of whole numbers, and return the report."""
    folders = pair(tmp_path, None)
    for number, folder in enumerate(folders):
        with netCDF4.Dataset(folder / "a.nc", "a") as dataset:
            flag = dataset.createVariable("flag", kind, ("time",))
            flag.setncatts(attributes)
            flag.set_auto_scale(False)
            flag[:] = np.arange(40) // 10
            flag[15] = 1 + number
    return report(tmp_path, folders)


def test_flags_are_drawn_as_steps(tmp_path):
    """Whole numbers have ticks at whole numbers, and no dashed line."""
    text = flags(tmp_path, "i1")
    path = re.search(r'class="actual step" d="([^"]+)"', text)[1]
    assert set(re.findall("[A-Za-z]", path)) == {"M", "H", "V"} and path.count("H") == 40
    assert "Expected (wide) and actual" in text and "dashed)" not in text
    assert ">0.5</text>" not in text


@pytest.mark.parametrize(("kind", "attributes"), [("f4", {}), ("i2", {"scale_factor": 0.1})])
def test_measurements_are_drawn_as_lines(tmp_path, kind, attributes):
    """Packed integers are measurements, too."""
    text = flags(tmp_path, kind, **attributes)
    assert "Expected (dashed) and actual" in text and 'class="actual step"' not in text


def test_line_runs_with_the_labels_of_a_descending_coordinate(tmp_path):
    """Samples run from left to right, and so do their times, here the latest first."""
    folders = pair(tmp_path, lambda values: values.__setitem__(slice(0, 5), 90), (40,))
    for folder in folders:
        with netCDF4.Dataset(folder / "a.nc", "a") as dataset:
            dataset["time"][:] = dataset["time"][::-1]
    text = report(tmp_path, folders)
    left = {label: float(x) for x, label in re.findall(r'<text x="([\d.]+)"[^>]*>(12:0\d)<', text)}
    assert left["12:06"] < left["12:02"]
    marks = re.search(r'class="outside" d="M([\d.]+)', text)[1]
    assert float(marks) < left["12:06"]


def test_histogram_counts_every_difference(tmp_path):
    def change(values):
        values[0, :5] += 100
        values[1, :3] -= 100
        values[2, :2] += 1

    field, _ = field_of(pair(tmp_path, change))
    assert field.counts.sum() == 10 and field.counts[-1] == 5 and field.counts[0] == 3
    assert field.counts[BINS // 2] == 2


def test_field_of_three_dimensions_is_shown_where_the_worst_is(tmp_path):
    def change(values):
        values[2, 3, 4] += 1000

    field, _ = field_of(pair(tmp_path, change, (4, 6, 8)))
    assert field.fixed == (("time", 2),) and field.differs[3, 4]


@pytest.mark.parametrize("shape", [(1, 1200), (1200, 1), (1000,), (1,)])
def test_one_dimension_is_a_line_and_a_single_value_no_picture(tmp_path, shape):
    def change(values):
        values.flat[-1] += 7

    field, _ = field_of(pair(tmp_path, change, shape))
    if shape == (1,):
        assert field is None
        return
    assert field.is_line and field.differs[0, -1]
    assert len(pictures_of(field, "field", "p")) == 3


def test_time_runs_from_left_to_right_and_height_upwards(tmp_path):
    """The pixel of a value has the position of its coordinates."""

    def change(values):
        values[39, 29] += 5000  # latest and highest

    field, _ = field_of(pair(tmp_path, change))
    difference = pictures_of(field, "field", "p")[2]
    picture = base64.b64decode(re.search(r"base64,([^\"]+)", difference)[1])
    pixels = decoded(picture, tmp_path)
    assert pixels.shape[:2] == (30, 40)
    assert pixels[0, 39].tolist()[:3] == DIFFERENCE[-1].tolist()
    assert (pixels[1:] == [250, 250, 248, 255]).all(axis=2).mean() > 0.99


def test_ring_marks_the_worst(tmp_path):
    field, _ = field_of(pair(tmp_path, one_value))
    rings = re.findall(r'<circle cx="([\d.]+)" cy="([\d.]+)"', pictures_of(field, "field", "p")[2])
    x, y = 56 + (7.5 / 40) * 252, 22 + (26.5 / 30) * 152
    assert {(f"{x:.1f}", f"{y:.1f}")} == set(rings)


def test_png_pictures_are_shown_with_their_differing_pixels(tmp_path):
    folders = tmp_path / "expected", tmp_path / "actual"
    pixels = np.full((900, 700, 4), 255, "u1")
    for folder in folders:
        folder.mkdir()
        (folder / "a.png").write_bytes(paint_colours(pixels))
        pixels[333, 555, :3] = 0
    page = Page(report(tmp_path, folders))
    addresses = [attributes["src"] for attributes in page.all("img")]
    assert len(addresses) == 3 and all(attributes["alt"] for attributes in page.all("img"))
    contrast = decoded(base64.b64decode(addresses[2].partition(",")[2]), tmp_path)
    assert (contrast[..., :3] == (214, 0, 147)).all(axis=2).sum() == 1


# Bounds


def test_size_is_bounded_however_large_and_different_the_products_are(tmp_path):
    """The limit holds for noise, which deflates least, in more variables than are drawn."""
    folders = tmp_path / "expected", tmp_path / "actual"
    random = np.random.default_rng(1)
    for folder in folders:
        folder.mkdir()
        with netCDF4.Dataset(folder / "a.nc", "w") as dataset:
            dataset.createDimension("y", 300)
            dataset.createDimension("x", 500)
            for number in range(PICTURES + 3):
                variable = dataset.createVariable(f"v{number}", "f4", ("y", "x"))
                variable[:] = random.random((300, 500))
    text = report(tmp_path, folders)
    assert len(text) < PICTURES * 400_000
    assert "3 further differences are not drawn" in text


@pytest.mark.slow
def test_memory_does_not_grow_with_the_field(tmp_path):
    folders = pair(tmp_path, one_value, (200, 900))
    report(tmp_path, folders)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for folder, factor in zip(folders, (1, 2), strict=True):
        with netCDF4.Dataset(folder / "a.nc", "w") as dataset:
            dataset.createDimension("y", 40_000)
            dataset.createDimension("x", 900)
            variable = dataset.createVariable("field", "f8", ("y", "x"))
            for start in range(0, 40_000, 1000):
                variable[start : start + 1000] = np.full((1000, 900), float(start * factor))
    report(tmp_path, folders)
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 150, f"{grown} MB for two fields of 288 MB"


def test_long_texts_are_cut_and_cost_little():
    expected, _ = marked("x " * 100_000, "y " * 100_000)
    assert len(expected) < 10_000 and "200000 characters" in expected
    lines = "".join(f"{number}: line\n" for number in range(100_000))
    html, shown = lines_diff(lines, "")
    assert len(html) < 40_000 and html.count("<del>") == shown < 100_000
    long = "x" * 100_000
    html, shown = lines_diff(f"1: {long}a{long}\n", f"1: {long}b{long}\n")
    assert len(html) < 1000 and "xax" in html and "xbx" in html and shown == 1


def test_lines_of_a_text_have_numbers_and_what_is_not_shown_is_counted(tmp_path):
    """Each expected line is above the actual line, with its number."""
    folders = tmp_path / "expected", tmp_path / "actual"
    for folder, word in zip(folders, ("old", "new"), strict=True):
        folder.mkdir()
        lines = [f"{word} {n}" if n % 2 else "same" for n in range(1, 1001)]
        (folder / "a.txt").write_text("\n".join(lines))
    page = Page(report(tmp_path, folders))
    assert "500 of 1000 lines differ" in page.text and "- 3: old 3+ 3: new 3" in page.text
    assert "Shown: the first 100 lines that differ." in page.text


def test_many_files_do_not_make_a_report_without_bounds(tmp_path, monkeypatch):
    """Files beyond the limit are named, so that every link of the list has a target."""
    monkeypatch.setattr("cumulus.compare.html.FULL", 20_000)
    monkeypatch.setattr("cumulus.compare.html.LISTED", 100)
    folders = tmp_path / "expected", tmp_path / "actual"
    for folder in folders:
        folder.mkdir()
        for number in range(120):
            (folder / f"{number}.json").write_text(f'{{"a": "{folder.name}"}}')
    page = Page(report(tmp_path, folders))
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    assert all(attributes["href"].removeprefix("#") in ids for attributes in page.all("a"))
    assert "this report is full" in page.text and "20 further files are not listed" in page.text


def test_invisible_characters_are_written_as_codes():
    assert escape("a\x00b\u200bc<d>\u202e\U000e0001") == (
        "a\\u0000b\\u200bc&lt;d&gt;\\u202e\\U000e0001"
    )


# The command


def test_command_writes_the_report_and_keeps_its_status(tmp_path, capsys):
    folders = [str(folder) for folder in pair(tmp_path, one_value)]
    target = tmp_path / "reports" / "report.html"
    assert main(["compare", *folders, "--html", str(target)]) == 1
    assert "1 of 1,200 values" in target.read_text()
    assert "1 of 1200 values differ" in capsys.readouterr().out
    assert [path.name for path in target.parent.iterdir()] == ["report.html"]


def test_service_test_writes_the_report_among_what_is_no_product(repository):
    """The report is in OUTPUT/.cumulus; a failed run leaves no old report."""
    granule = repository.granule()
    folders = repository.input, repository.output, repository.expected
    target = repository.output / ".cumulus" / "comparison.html"
    argv = [sys.executable, "-m", "cumulus", "test", "--home", repository.home, "--html", target]
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}

    def run_test():
        done = subprocess.run([*argv, *folders], env=environment, timeout=60, check=False)
        return done.returncode

    repository.run()
    for name in repository.products():
        shutil.copy(repository.output / name, repository.expected)
    write_product(granule, latitude=(30, 31))
    assert run_test() == 1 and "/lat" in target.read_text()
    granule.write_text("fail:")
    assert run_test() == 2 and not target.exists()


def test_report_that_cannot_be_written_is_one_sentence(tmp_path, capsys):
    folders = [str(folder) for folder in pair(tmp_path, one_value)]
    (tmp_path / "file").write_text("")
    assert main(["compare", *folders, "--html", str(tmp_path / "file" / "report.html")]) == 2
    assert "cannot write" in capsys.readouterr().err
    with pytest.raises(CumulusError, match="cannot write"):
        write_html(compare(*folders), tmp_path)


def test_picture_files_are_sound(tmp_path):
    """Every chunk of a painted PNG image has its checksum."""
    data = paint(np.zeros((3, 5), "u1"), VALUES)
    offset = 8
    while offset < len(data):
        (length,) = struct.unpack(">I", data[offset : offset + 4])
        content = data[offset + 4 : offset + 8 + length]
        (checksum,) = struct.unpack(">I", data[offset + 8 + length : offset + 12 + length])
        assert checksum == zlib.crc32(content)
        offset += 12 + length
    assert offset == len(data)


def test_large_numbers_that_differ_little_are_told_apart_beside_the_axis(tmp_path):
    """Seconds since 1970 are shown above a common base."""
    folders = pair(tmp_path, None, (40,))
    for folder in folders:
        with netCDF4.Dataset(folder / "a.nc", "a") as dataset:
            time = dataset.createVariable("start", "f8", ("time",))
            time[:] = 1581206400 + np.arange(40) + (folder == folders[1])
    text = Page(report(tmp_path, folders)).text
    assert "above 1581206400" in text and "1.581e+09" not in text


@pytest.mark.parametrize(
    ("count", "text"), [(1, "1st"), (2, "2nd"), (3, "3rd"), (11, "11th"), (22, "22nd")]
)
def test_every_second_is_not_every_2th(count, text):
    assert ordinal(count) == text


# --- tables ----------------------------------------------------------------------------------


def write_tables(tmp_path, *tables):
    """Write a directory of expected and a directory of actual products with a table each."""
    folders = tmp_path / "expected", tmp_path / "actual"
    for folder, rows in zip(folders, tables, strict=True):
        folder.mkdir()
        lines = [",".join(map(str, row)) for row in rows]
        (folder / "track.csv").write_text("\n".join(lines) + "\n")
    return folders


def test_column_is_drawn_with_the_worst_row_in_its_place(tmp_path):
    """With more rows than cells, a cell shows its row that differs."""
    rows = [("time", "height"), *((n, n / 2 + 0.25) for n in range(5000))]
    other = [*rows[:3001], (3000, 9000.25), *rows[3002:]]
    folders = write_tables(tmp_path, rows, other)
    (difference,) = compare(*folders).files[0].differences
    paths = [folder / "track.csv" for folder in folders]
    field = read_column(paths, "height", difference.values)
    assert field.is_line and field.columns.length == 5000
    cell = 3000 // field.columns.step
    assert field.differs[0].nonzero()[0].tolist() == [cell]
    assert (field.expected[0, cell], field.actual[0, cell]) == (1500.25, 9000.25)
    texts = [text for _, text in field.columns.axis.ticks]
    assert texts == ["1000", "2000", "3000", "4000", "5000"]
    page = Page(report(tmp_path, folders))
    assert "Expected and actual: height" in page.text and "Not drawn" not in page.text


def test_column_that_the_other_table_has_elsewhere_is_found(tmp_path):
    expected = [("a", "b"), (1.5, 2.5), (3.5, 4.5)]
    folders = write_tables(tmp_path, expected, [("b", "a"), (2.5, 1.5), (4.5, 3.25)])
    differences = compare(*folders).files[0].differences
    values = next(difference.values for difference in differences if difference.variable == "a")
    field = read_column([folder / "track.csv" for folder in folders], "a", values)
    assert field.expected.tolist() == [[1.5, 3.5]] and field.actual.tolist() == [[1.5, 3.25]]


def test_column_of_words_is_not_drawn(tmp_path):
    folders = write_tables(tmp_path, [("a",), ("x",), ("y",)], [("a",), ("x",), ("z",)])
    page = Page(report(tmp_path, folders))
    assert not page.all("svg") and "Not drawn" not in page.text
