"""Time and place that attributes of the file tell, and sources that disagree."""

from datetime import UTC, datetime

import numpy as np
import pytest
from netcdf_files import write_variables
from samples import extent_of

from cumulus.extent import Box, Extent
from cumulus.metadata.agreement import boxes_agree, times_agree
from cumulus.metadata.attributes import from_attributes

NORTH, EAST = {"units": "degrees_north"}, {"units": "degrees_east"}
TIME = {"units": "seconds since 2012-09-06 12:00:00", "standard_name": "time"}


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


SEVEN = (utc(2012, 9, 6, 7), utc(2012, 9, 6, 8))
TIMES = {
    "ACDD": ({"time_coverage_start": "2012-09-06T07:00:00Z",
              "time_coverage_end": "2012-09-06T08:00:00Z"}, SEVEN),
    "begin and end": ({"begin_time": "2012-09-06 07:00:00",
                       "end_time": "2012-09-06 08:00:00"}, SEVEN),
    "dates apart": ({"start_date": "2012-09-06", "start_time": "07:00:00",
                     "stop_date": "2012-09-06", "stop_time": "08:00:00"}, SEVEN),
    "days": ({"time_coverage_start": "2012-09-06", "time_coverage_end": "2012-09-07"},
             (utc(2012, 9, 6), utc(2012, 9, 7, 23, 59, 59))),
    "a begin alone": ({"time_coverage_start": "2012-09-06T07:00:00Z"}, (None, None)),
    "a time without a day": ({"start_time": "07:00:00", "stop_time": "08:00:00"}, (None, None)),
    "no times": ({"time_coverage_start": "unknown", "time_coverage_end": "n/a"}, (None, None)),
    "an end before its begin": ({"begin_time": "2012-09-06T08:00:00Z",
                                 "end_time": "2012-09-06T07:00:00Z"}, (None, None)),
}  # fmt: skip


@pytest.mark.parametrize(("attributes", "interval"), TIMES.values(), ids=TIMES.keys())
def test_attributes_of_the_file_tell_times(attributes, interval):
    extent = from_attributes(attributes)
    assert (extent.begin, extent.end) == interval


def edges(west, south, east, north, **others):
    names = ("lon_min", "lat_min", "lon_max", "lat_max")
    values = zip(names, (west, south, east, north), strict=True)
    return {f"geospatial_{name}": value for name, value in values} | others


POLYGON = "POLYGON ((20.0 -120.0, 20.0 -110.0, 30.0 -110.0, 20.0 -120.0))"
SMALL = "POLYGON ((20 10, 20 11, 30 11, 20 10))"
CRS = "geospatial_bounds_crs"
PLACES = {
    "numbers": (edges(-60.0, 20.0, -58.0, 22.0), (-60, 20, -58, 22)),
    "texts": (edges("-60", "20", "-58", "22"), (-60, 20, -58, 22)),
    "across the antimeridian": (edges(170.0, 0.0, -170.0, 1.0), (170, 0, -170, 1)),
    "the globe": (edges(0.0, -90.0, 360.0, 90.0), (-180, -90, 180, 90)),
    "radians": (edges(0.0, 0.0, 0.017453293, 0.017453293, geospatial_lat_units="radian",
                      geospatial_lon_units="radian"), (0, 0, 1, 1)),
    "memory that nobody set": (edges(-60.0, 20.0, -58.0, 2e-44), None),
    "all zero": (edges(0.0, 0.0, 0.0, 0.0), None),
    "a side missing": ({"geospatial_lat_min": 1.0}, None),
    "south of the pole": (edges(0.0, -91.0, 1.0, 0.0), None),
    "other units": (edges(0.0, 0.0, 1.0, 1.0, geospatial_lat_units="m"), None),
    "no numbers": (edges("west", 0.0, 1.0, 1.0), None),
    "a polygon": ({"geospatial_bounds": POLYGON}, (-120, 20, -110, 30)),
    "a polygon in doubt": ({"geospatial_bounds": SMALL}, None),
    "a polygon of EPSG:4326": ({"geospatial_bounds": SMALL, CRS: "EPSG:4326"}, (10, 20, 11, 30)),
    "a polygon of all longitudes": (
        {"geospatial_bounds": "POLYGON ((-90 -180, -90 180, 90 180, 90 -180, -90 -180))"},
        (-180, -90, 180, 90)),
    "a polygon beyond 180": (
        {"geospatial_bounds": "POLYGON ((10 170, 20 170, 20 190, 10 190, 10 170))"},
        (170, 10, -170, 20)),
    # It was the box that goes the other way round, 340 degrees wide and beside the data.
    "a polygon across the antimeridian": (
        {"geospatial_bounds": "POLYGON ((10 170, 20 170, 20 -170, 10 -170, 10 170))"}, None),
    "a polygon of CRS84": ({"geospatial_bounds": SMALL, CRS: "OGC:CRS84"}, (20, 10, 30, 11)),
}  # fmt: skip


@pytest.mark.parametrize(("attributes", "box"), PLACES.values(), ids=PLACES.keys())
def test_attributes_of_the_file_tell_a_place(attributes, box):
    """What they tell in part, or in doubt, is left out."""
    assert from_attributes(attributes).box == (box and Box(*box))


ACDD = {**TIMES["ACDD"][0], **edges(-60.0, 20.0, -58.0, 22.0)}


@pytest.mark.parametrize("file_format", ["NETCDF4", "NETCDF3_CLASSIC"])
@pytest.mark.parametrize("order", [("product",), ("product", "attributes"), ("attributes",)])
def test_attributes_answer_where_the_coordinates_do_not(tmp_path, file_format, order):
    """Also where an older list of sources does not name them."""
    path = write_variables(
        tmp_path / "p.nc", ACDD, file_format=file_format, data=(np.array([1.0]), {})
    )
    extent = extent_of(path, order, place=order)
    assert (extent.begin, extent.end) == SEVEN
    assert extent.box == Box(-60, 20, -58, 22)


def product(tmp_path, attributes, seconds=(0, 1, 2), east=(1, 2, 3)):
    return write_variables(
        tmp_path / "p.nc", attributes,
        time=(np.array(seconds), TIME), lat=(np.arange(3.0), NORTH, ("time",)),
        lon=(np.array(east, "f8"), EAST, ("time",)),
    )  # fmt: skip


def test_coordinates_come_before_attributes(tmp_path):
    """Attributes may cover the orbit or the month."""
    extent = extent_of(product(tmp_path, ACDD))
    assert (extent.begin.hour, extent.box.west) == (12, 1)


def test_sources_that_disagree_are_a_warning_with_both(tmp_path, caplog):
    extent_of(product(tmp_path, ACDD))
    assert (
        "product and attributes disagree on the time: product has 2012-09-06T12:00:00Z to "
        "2012-09-06T12:00:02Z, attributes has 2012-09-06T07:00:00Z to 2012-09-06T08:00:00Z; "
        "product is used"
    ) in caplog.text
    assert "disagree on the place: product has west 1.0, south 0.0" in caplog.text


def test_file_name_of_another_day_is_a_warning(tmp_path, caplog):
    order = ("filename", "product")
    extent = extent_of(product(tmp_path, {}), order, {"date": "20120907"})
    assert extent.begin == utc(2012, 9, 7)
    assert "filename and product disagree on the time" in caplog.text


def test_sources_that_agree_are_silent(tmp_path, caplog):
    about = {"time_coverage_start": "2012-09-06T12:00:00Z",
             "time_coverage_end": "2012-09-06T12:00:02Z", **edges(1.0, 0.0, 3.0, 2.0)}  # fmt: skip
    extent_of(product(tmp_path, about), ("filename", "product"), {"date": "20120906"})
    assert caplog.text == ""


def test_time_of_units_alone_that_another_source_denies_is_left_out(tmp_path, caplog):
    """Without CF attributes a product's time has to agree with any other source."""
    path = write_variables(
        tmp_path / "p.nc", TIMES["ACDD"][0],
        seconds=(np.array([0.0, 5]), {"units": TIME["units"]}, ("n",)),
    )  # fmt: skip
    extent = extent_of(path)
    assert (extent.begin, extent.end) == SEVEN
    assert "disagrees with attributes, 2012-09-06T07:00:00Z to 2012-09-06T08:00:00Z" in caplog.text


def interval(begin, end=None):
    return Extent(utc(2012, 9, 6, 12, begin), None if end is None else utc(2012, 9, 6, 12, end))


@pytest.mark.parametrize(
    ("first", "second", "agree"),
    [
        (interval(0, 9), interval(2, 3), True),
        (interval(2, 3), interval(0, 9), True),
        (interval(0, 5), interval(3, 9), False),
        (interval(0, 5), interval(6, 9), False),
        (interval(3), interval(0, 9), True),
        (interval(0), interval(3, 9), True),
        (Extent(utc(2012, 9, 5, 12)), interval(0, 9), False),
        (Extent(utc(2012, 9, 6, 13)), interval(0, 9), False),
    ],
)
def test_times_agree_if_one_holds_the_other(first, second, agree):
    assert times_agree(first, second) is agree
    assert times_agree(second, first) is agree


@pytest.mark.parametrize(
    ("first", "second", "agree"),
    [
        (Box(0, 0, 9, 9), Box(1, 1, 2, 2), True),
        (Box(0, 0, 9, 9), Box(8, 1, 10, 2), False),
        (Box(0, 0, 9, 9), Box(1, 8, 2, 10), False),
        (Box(-180, -90, 180, 90), Box(170, 0, -170, 1), True),
        (Box(170, 0, -170, 9), Box(175, 1, -175, 2), True),
        (Box(0, 0, 9, 9), Box(-0.005, 0, 9.005, 5), True),
    ],
)
def test_boxes_agree_if_one_holds_the_other(first, second, agree):
    assert boxes_agree(first, second) is agree
    assert boxes_agree(second, first) is agree
