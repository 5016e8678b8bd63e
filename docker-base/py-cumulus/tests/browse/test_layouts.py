"""Browse images of fields in any order of dimensions, with their axes and their title."""

import itertools

import netCDF4
import numpy as np
import pytest

from cumulus.browse import plot
from cumulus.browse.scene import describe, write_browse
from cumulus.collection import BrowseRules

SIZES = {"time": 6, "z": 4, "lat": 4, "lon": 6, "one": 1, "x": 6, "y": 4, "channel": 3}
UNITS = {
    "time": {"units": "seconds since 2012-09-06"},
    "z": {"units": "m", "axis": "Z"},
    "lat": {"units": "degrees_north"},
    "lon": {"units": "degrees_east"},
    "x": {"units": "m", "standard_name": "projection_x_coordinate"},
    "y": {"units": "m", "standard_name": "projection_y_coordinate"},
    "channel": {"units": "GHz"},
}


def field(path, dimensions, **attributes):
    """A field whose value is 10 * (index to the right) + (index upwards)."""
    right = next(name for name in ("time", "lon", "x") if name in dimensions)
    up = next(name for name in ("z", "lat", "y") if name in dimensions)
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.setncatts(attributes)
        for name in dict.fromkeys(dimensions):
            dataset.createDimension(name, SIZES[name])
            if name in UNITS:
                coordinate = dataset.createVariable(name, "f8", (name,))
                coordinate[:] = np.arange(SIZES[name])
                coordinate.setncatts(UNITS[name])
        shapes = [np.ones(SIZES[name]) for name in dimensions]
        weights = {right: 10, up: 1}
        for number, name in enumerate(dimensions):
            shapes[number] = weights.get(name, 100) * np.arange(SIZES[name])
        total = sum(np.ix_(*shapes))
        dataset.createVariable("field", "f8", dimensions)[:] = total
    return path


def scene(path, **rules):
    with netCDF4.Dataset(path) as dataset:
        return describe(dataset, "title", BrowseRules(**rules))


PAIRS = {("z", "time"): "curtain", ("lat", "lon"): "map", ("y", "x"): "grid"}


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
@pytest.mark.parametrize("leading", [(), ("one",), ("one", "one")], ids=["", "1", "1,1"])
@pytest.mark.parametrize("order", [1, -1], ids=["as is", "turned"])
def test_order_of_dimensions_does_not_change_the_picture(tmp_path, pair, leading, order):
    """Nor do dimensions of length 1; both axes have their coordinates."""
    shown = scene(field(tmp_path / "a.nc", (*leading, *pair[::order])))
    assert shown.kind == PAIRS[pair]
    np.testing.assert_array_equal(shown.values, 10 * np.arange(6) + np.arange(4)[:, None])
    labels = [axis.label.split(" (")[0] for axis in (shown.y, shown.x)]
    assert labels == list(pair)


@pytest.mark.parametrize(
    "dimensions", list(itertools.permutations(("z", "time", "channel"))), ids="-".join
)
def test_chosen_field_of_three_dimensions_says_what_it_shows(tmp_path, dimensions):
    """Time and altitude are drawn wherever they are; of the third, the first element."""
    shown = scene(field(tmp_path / "a.nc", dimensions), variable="field")
    assert (shown.kind, shown.note) == ("curtain", "channel: first of 3")
    np.testing.assert_array_equal(shown.values, 10 * np.arange(6) + np.arange(4)[:, None])


@pytest.mark.parametrize("turned", [False, True], ids=["as is", "turned"])
def test_swath_takes_positions_of_the_other_order_or_with_leading_dimensions(tmp_path, turned):
    """Pixels keep their positions."""
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as dataset:
        for name, size in (("one", 1), ("line", 5), ("pixel", 3)):
            dataset.createDimension(name, size)
        for name, units in (("lat", "degrees_north"), ("lon", "degrees_east")):
            variable = dataset.createVariable(name, "f8", ("one", "line", "pixel"))
            variable.units = units
            variable[:] = np.arange(15.0).reshape(1, 5, 3)
        order = ("pixel", "line") if turned else ("line", "pixel")
        values = np.arange(15.0).reshape(5, 3)
        dataset.createVariable("value", "f8", order)[:] = values.T if turned else values
    shown = scene(tmp_path / "a.nc")
    assert shown.kind == "swath"
    np.testing.assert_array_equal(shown.values, shown.x.values)


def test_labels_of_the_figure_are_those_of_the_coordinates(tmp_path, monkeypatch):
    """Never "index", where a dimension has a coordinate."""
    figures = []
    monkeypatch.setattr(
        "matplotlib.figure.Figure.savefig", lambda figure, *_, **__: figures.append(figure)
    )
    path = field(tmp_path / "a.nc", ("z", "channel", "time"))
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.createVariable("spectrum", "f8", ("time", "channel"))[:] = 1.0
    plot.draw(scene(path, variable="spectrum"), BrowseRules(), tmp_path / "a.png")
    axes = figures[0].axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("time (UTC)", "channel (GHz)")


@pytest.mark.parametrize(
    ("dimensions", "attributes", "time"),
    [
        (("z", "time"), {}, " · 2012-09-06 00:00:00 to 00:00:05 UTC"),
        (("lat", "lon"), {"time_coverage_start": "2020-01-01T23:59:59Z",
                          "time_coverage_end": "2020-01-02T00:00:00Z"},
         " · 2020-01-01 23:59:59 to 2020-01-02 00:00:00 UTC"),
        (("lat", "lon"), {"time_coverage_start": "yesterday", "time_coverage_end": "today"}, ""),
        (("lat", "lon"), {}, ""),
    ],
    ids=["axis", "attributes", "no date", "unknown"],
)  # fmt: skip
def test_title_is_collection_granule_and_time(tmp_path, monkeypatch, dimensions, attributes, time):
    """A time that the product does not say for certain is left out."""
    titles = []
    draw = plot.draw

    def keep(shown, rules, path):
        titles.append(shown.title)
        draw(shown, rules, path)

    monkeypatch.setattr(plot, "draw", keep)
    path = field(tmp_path / "a.nc", dimensions, **attributes)
    write_browse(path, tmp_path / "a.png", collection="HS3 1")
    assert titles == [f"HS3 1 · a{time}"]
