"""Polygons around swaths: on the sphere, anywhere on it."""

import json
import math
import xml.etree.ElementTree as ElementTree

import netCDF4
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from samples import extent_of, write_product

from cumulus.collection.model import MetadataRules
from cumulus.metadata import make_record, polygon
from cumulus.metadata.coordinates import cover
from cumulus.metadata.echo10 import render_echo10
from cumulus.metadata.polygon import MOST_POINTS, holds_pole, outline
from cumulus.metadata.ummg import render_ummg
from cumulus.products import inspect


def turn(vectors, axis, degrees):
    """Rotate about an axis (Rodrigues)."""
    angle = math.radians(degrees)
    along = np.outer(vectors @ axis, axis)
    across = np.cross(axis, vectors)
    return along + (vectors - along) * math.cos(angle) + across * math.sin(angle)


def positions(latitude, longitude, heading, length, width, rows=30, columns=9):
    """Longitudes and latitudes of a swath along a great circle, centred on a point."""
    along = np.radians(np.linspace(-length / 2, length / 2, rows))[:, None]
    across = np.radians(np.linspace(-width / 2, width / 2, columns))[None, :]
    points = np.stack(
        np.broadcast_arrays(
            np.cos(across) * np.cos(along), np.cos(across) * np.sin(along), np.sin(across)
        ),
        axis=-1,
    ).reshape(-1, 3)
    points = turn(points, np.array([1.0, 0, 0]), heading)
    points = turn(points, np.array([0, 1.0, 0]), -latitude)
    points = turn(points, np.array([0, 0, 1.0]), longitude)
    east = np.degrees(np.arctan2(points[:, 1], points[:, 0]))
    north = np.degrees(np.arcsin(points[:, 2].clip(-1, 1)))
    return east.reshape(rows, columns), north.reshape(rows, columns)


def unit(longitude, latitude):
    x, y = math.radians(longitude), math.radians(latitude)
    return np.array([math.cos(y) * math.cos(x), math.cos(y) * math.sin(x), math.sin(y)])


def winding(ring, point):
    """How often the ring goes around a point, counter-clockwise seen from above.

    The bearings of its corners, as seen from the point, say so: not the code under test.
    """
    centre = unit(*point)
    helper = np.eye(3)[np.abs(centre).argmin()]
    right = np.cross(helper, centre)
    up = np.cross(centre, right)
    corners = [unit(*corner) for corner in ring]
    bearings = [math.atan2(corner @ up, corner @ right) for corner in corners]
    turns = np.diff(bearings)
    return round(((turns + math.pi) % (2 * math.pi) - math.pi).sum() / (2 * math.pi))


SWATHS = {
    "latitude": st.floats(-90, 90),
    "longitude": st.floats(-180, 180),
    "heading": st.floats(0, 360),
    "length": st.floats(2, 120),
    "width": st.floats(1, 25),
}


@given(**SWATHS)
def test_polygon_goes_once_around_the_inside_and_not_around_the_far_side(**swath):
    east, north = positions(**swath)
    ring = outline(east, north, np.ones(east.shape, bool))
    assert ring[0] == ring[-1]
    assert 4 <= len(ring) <= MOST_POINTS + 1
    assert len(set(ring)) == len(ring) - 1
    for row, column in ((15, 4), (8, 3), (22, 5)):
        assert winding(ring, (east[row, column], north[row, column])) == 1
    opposite = (swath["longitude"] + 180, -swath["latitude"])
    assert winding(ring, opposite) != 1 or swath["length"] > 90


@given(**SWATHS)
def test_corners_are_samples(**swath):
    east, north = positions(**swath)
    ring = outline(east, north, np.ones(east.shape, bool))
    samples = set(zip(east.ravel().tolist(), north.ravel().tolist(), strict=True))
    assert set(ring) <= samples


@pytest.mark.parametrize("flip", [np.fliplr, np.flipud, np.transpose])
def test_order_of_the_samples_does_not_matter(flip):
    east, north = positions(10, 20, 30, 20, 5)
    ring = outline(flip(east), flip(north), np.ones(flip(east).shape, bool))
    assert winding(ring, (20, 10)) == 1


def test_samples_without_a_position_are_outside():
    east, north = positions(0, 179, 90, 20, 10, rows=21, columns=11)
    valid = np.ones(east.shape, bool)
    valid[:, :5] = False  # half of the swath
    ring = outline(east, north, valid)
    assert winding(ring, (east[10, 8], north[10, 8])) == 1
    assert winding(ring, (east[10, 2], north[10, 2])) == 0


def test_straight_swath_has_its_four_corners():
    """Its sides are great circles, which the plane that touches the globe shows as lines."""
    right, up = np.meshgrid(np.linspace(-0.2, 0.2, 50), np.linspace(-0.5, 0.5, 200))
    east, north = np.degrees(np.arctan(right)), np.degrees(np.arctan(up / np.hypot(1, right)))
    ring = outline(east, north, np.ones(east.shape, bool))
    assert set(ring) == {(east[i, j], north[i, j]) for i in (0, -1) for j in (0, -1)}
    assert len(ring) == 5


@pytest.mark.parametrize(
    ("length", "width", "valid", "reason"),
    [
        (200, 10, np.ones((30, 9), bool), "too much of the Earth"),
        (20, 0, np.ones((30, 9), bool), "no area"),
        (20, 5, np.eye(1, 9, 3, dtype=bool).repeat(30, 0), "no area"),
        (20, 5, np.arange(30)[:, None].repeat(9, 1) == 7, "no area"),
    ],
)
def test_what_has_no_polygon_says_why(length, width, valid, reason):
    east, north = positions(40, 170, 20, length, width)
    assert reason in outline(east, north, valid)


def test_swath_that_crosses_itself_has_no_polygon():
    east = np.array([[0.0, 1], [1, 0]])
    north = np.array([[0.0, 0], [1, 1]])
    assert "crosses itself" in outline(east, north, np.ones((2, 2), bool))


@given(sign=st.sampled_from([-1, 1]), **{**SWATHS, "latitude": st.floats(70, 90)})
def test_pole_is_within_a_swath_if_its_edge_goes_around_it(sign, latitude, **swath):
    east, north = positions(sign * latitude, **swath)
    edge = [(i, 0) for i in range(30)] + [(29, j) for j in range(9)]
    edge += [(i, 8) for i in range(29, -1, -1)] + [(0, j) for j in range(8, -1, -1)]
    around = winding([(east[index], north[index]) for index in edge], (0, sign * 90)) != 0
    valid = np.ones(east.shape, bool)
    assert holds_pole(east, north, valid, sign) == around
    assert holds_pole(east % 360, north, valid, sign) == around
    assert not holds_pole(east, north, valid, -sign)


@pytest.mark.parametrize(
    "east",
    [[[0, 90], [180, 90]], [[0, 0, 0], [180, 180, 180]], [[-90, 0], [90, 0]]],
    ids=["one side", "all columns", "negative"],
)
def test_pole_on_the_side_of_a_cell_is_within(east):
    """Samples 180 degrees of longitude apart have the pole between them; it was missed."""
    east = np.array(east, float)
    north = np.full(east.shape, 86.0)
    assert holds_pole(east, north, np.ones(east.shape, bool), 1)


# --- from a product to its records -----------------------------------------------------------


@pytest.fixture
def product(tmp_path):
    def product(latitude=10, longitude=179.5, heading=80, length=20.0, columns=9, fill=False):
        east, north = positions(latitude, longitude, heading, length, 8, columns=columns)
        path = tmp_path / "swath.nc"
        with netCDF4.Dataset(path, "w") as dataset:
            dataset.createDimension("scan", 30)
            dataset.createDimension("pixel", columns)
            for name, values in (("longitude", east), ("latitude", north)):
                variable = dataset.createVariable(name, "f4", ("scan", "pixel"), fill_value=-999)
                variable.standard_name = name
                variable[:] = values
                if fill:
                    variable[:3] = -999
        return path

    return product


def test_polygon_is_drawn_only_on_request(product):
    path = product()
    assert cover(inspect(path)).polygon == ()
    assert len(cover(inspect(path), polygon=True).polygon) >= 5


@pytest.mark.parametrize(
    ("latitude", "box"),
    [(89, (-180, None, 180, 90)), (-89, (-180, -90, 180, None)), (70, (None, None, None, None))],
)
def test_box_of_a_swath_around_a_pole_holds_the_pole(product, latitude, box):
    found_box = extent_of(product(latitude, columns=8)).box
    for value, expected in zip(
        (found_box.west, found_box.south, found_box.east, found_box.north), box, strict=True
    ):
        assert value == expected if expected else abs(value) not in (90, 180)


@pytest.mark.parametrize("centre", [(10, 179.5), (89, 0), (-90, 10), (0, 0)])
def test_records_hold_the_polygon_in_the_order_of_their_format(product, centre):
    """UMM-G: counter-clockwise and closed; ECHO10: clockwise and open."""
    record = make_record(product(*centre), "x", rules=MetadataRules(polygon=True))
    geometry = json.loads(render_ummg(record))["SpatialExtent"]["HorizontalSpatialDomain"]
    assert list(geometry["Geometry"]) == ["GPolygons"]
    points = geometry["Geometry"]["GPolygons"][0]["Boundary"]["Points"]
    ring = [(point["Longitude"], point["Latitude"]) for point in points]
    assert ring[0] == ring[-1]
    assert winding(ring, (centre[1], centre[0])) == 1
    echo10 = [
        (float(point.findtext("PointLongitude")), float(point.findtext("PointLatitude")))
        for point in ElementTree.fromstring(render_echo10(record)).iter("Point")
    ]
    assert len(echo10) == len(set(echo10)) == len(ring) - 1
    assert winding([*echo10, echo10[0]], (centre[1], centre[0])) == -1


def test_fill_values_are_left_out_of_the_polygon(product):
    path = product(fill=True)
    with netCDF4.Dataset(path) as dataset:
        gone = positions(10, 179.5, 80, 20.0, 8)
        kept = float(dataset["longitude"][15, 4]), float(dataset["latitude"][15, 4])
    ring = extent_of(path, polygon=True).polygon
    assert winding(ring, (gone[0][0, 4], gone[1][0, 4])) == 0
    assert winding(ring, kept) == 1


def test_swath_without_a_polygon_keeps_its_box_and_a_warning(product, caplog):
    extent = extent_of(product(length=250.0), polygon=True)
    assert extent.polygon == ()
    assert extent.box is not None
    assert "a bounding box instead: it spans too much" in caplog.text


def test_track_has_no_polygon(tmp_path, caplog):
    extent = extent_of(write_product(tmp_path / "t.nc"), polygon=True)
    assert (extent.polygon, extent.box is None) == ((), False)
    assert "no polygon: the product has 0 swaths" in caplog.text


@pytest.mark.parametrize("samples", [9, 18, 45], ids=lambda count: f"blocks of {count}")
@pytest.mark.parametrize("centre", [88.5, 90, 80], ids=lambda centre: f"centre at {centre}")
def test_pole_between_two_blocks_of_rows_is_found(monkeypatch, samples, centre):
    """A swath is looked at in blocks of rows, and no cell between two blocks is left out."""
    east, north = positions(centre, 30, 20, 20, 8)
    valid = np.ones(east.shape, bool)
    expected = holds_pole(east, north, valid, 1)
    monkeypatch.setattr(polygon, "_BLOCK", samples)
    assert expected == (centre != 80)
    assert holds_pole(east, north, valid, 1) == expected
