"""When and where: from names, from CF coordinates, and never invented."""

import tracemalloc
from datetime import UTC, datetime, timedelta

import netCDF4
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from netcdf_files import write_variables
from samples import extent_of, shared, write_product

from cumulus import CumulusError
from cumulus.extent import Box, Extent
from cumulus.metadata import longitudes
from cumulus.metadata.coordinates import cover
from cumulus.metadata.longitudes import axis_longitudes, enclosing_longitudes, joined
from cumulus.products import Product, Variable


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def corners(box):
    return box.west, box.south, box.east, box.north


@pytest.fixture
def product(tmp_path):
    def product(**content):
        return write_product(tmp_path / "p.nc", **content)

    return product


@pytest.fixture
def build(tmp_path):
    """Write variables given as name=(values, attributes[, dimensions])."""

    def build(fill=None, kind="f8", **variables):
        path = tmp_path / "p.nc"
        with netCDF4.Dataset(path, "w") as dataset:
            for name, (values, attributes, *dimensions) in variables.items():
                values = np.asarray(values)
                dims = dimensions[0] if dimensions else (name,)[: values.ndim]
                for dimension, length in zip(dims, values.shape, strict=True):
                    if dimension not in dataset.dimensions:
                        dataset.createDimension(dimension, length)
                variable = dataset.createVariable(name, kind, dims, fill_value=fill)
                variable.setncatts(attributes)
                variable[...] = values
        return path

    return build


NORTH, EAST = {"units": "degrees_north"}, {"units": "degrees_east"}
TIME = {"units": "seconds since 2012-09-06 12:00:00", "standard_name": "time"}
SAMPLES = ("n",)


# --- an oracle that nobody here made ---------------------------------------------------------


def test_dropsonde_agrees_with_the_inventory_of_ghrc():
    """GHRC's inventory: 2022-02-08 14:29:42 to 14:34:22, N 42.799, W -65.896."""
    extent = extent_of(shared("data/granules/IMPACTS_AVAPS_PQC_20220208_142943.nc"))
    assert extent.begin == utc(2022, 2, 8, 14, 29, 42)
    assert extent.end.replace(microsecond=0) == utc(2022, 2, 8, 14, 34, 22)
    assert round(extent.box.north, 3) == 42.799
    assert round(extent.box.west, 3) == -65.896


def test_granule_without_a_position_gets_no_box(caplog):
    """ISS_LIS has one lone longitude, and latitudes along a dimension of length zero."""
    extent = extent_of(shared("data/granules/ISS_LIS_BG_V3.0_20170702_000346_FIN.nc"))
    assert extent.box is None
    assert "no spatial extent found" in caplog.text


def test_granule_without_attributes_has_a_place_by_its_usual_names():
    extent = extent_of(shared("data/granules/IMPACTS_CRS_L1B_RevB_20200201_subset.h5"))
    assert extent.begin is None
    assert [round(edge, 3) for edge in corners(extent.box)] == [-79.072, 33.524, -71.749, 37.687]


# --- time ------------------------------------------------------------------------------------


def test_time_is_the_range_of_the_cf_coordinate(product):
    extent = extent_of(product(seconds=(30, 0)))
    assert (extent.begin, extent.end) == (utc(2012, 9, 6, 12), utc(2012, 9, 6, 12, 0, 30))


def test_day_fractions_are_rounded_to_milliseconds(build):
    days = {"units": "days since 2011-12-31 00:00:00", "standard_name": "time"}
    extent = extent_of(build(time=(250.5 + np.arange(40) * 10 / 86400, days)))
    assert (extent.begin, extent.end) == (utc(2012, 9, 6, 12), utc(2012, 9, 6, 12, 6, 30))


def test_fill_and_nan_are_no_times(build):
    extent = extent_of(build(fill=-9999.0, time=([-9999.0, np.nan, 5, 7], TIME)))
    assert (extent.begin, extent.end) == (utc(2012, 9, 6, 12, 0, 5), utc(2012, 9, 6, 12, 0, 7))


def test_times_of_samples_without_a_position_do_not_count(product):
    extent = extent_of(product(latitude=(20, 21, -9999.0), longitude=(1, 2, 3), seconds=(0, 5, 9)))
    assert extent.end == utc(2012, 9, 6, 12, 0, 5)


@pytest.mark.parametrize(
    ("times", "dimensions", "end"),
    [
        ([[0, 1], [2, 3], [4, 5]], ("n", "m"), 3),  # as the positions are
        ([[0, 1, 2], [3, 4, 5]], ("m", "n"), 4),
        ([[[0, 6], [1, 7]], [[2, 8], [3, 9]], [[4, 9], [5, 9]]], ("n", "m", "k"), 9),
        ([0, 1, 2], ("n",), 1),
        ([[5, 6], [7, 8]], ("k", "j"), 8),  # of something else
    ],
)
def test_times_of_several_dimensions_need_positions_too(build, times, dimensions, end):
    """Six samples, of which the last row has none, and the fill values two."""
    positions = [[1, 2], [3, 4], [-1, -1]]
    path = build(
        fill=-1, time=(times, TIME, dimensions),
        data=(positions, {"coordinates": "time"}, ("n", "m")),
        lat=(positions, NORTH, ("n", "m")), lon=(positions, EAST, ("n", "m")),
    )  # fmt: skip
    assert extent_of(path).end == utc(2012, 9, 6, 12, 0, end)


def test_positions_of_every_kind_make_a_time_count(build):
    """Two pairs of positions along one dimension: each says where some of the samples are."""
    path = build(
        fill=-1, time=([0, 1, 2, 3], TIME, SAMPLES),
        a_lat=([1, -1, -1, -1], NORTH, SAMPLES), a_lon=([1, 1, 1, 1], EAST, SAMPLES),
        b_lat=([-1, -1, 1, -1], NORTH, SAMPLES),
    )  # fmt: skip
    extent = extent_of(path)
    assert (extent.begin, extent.end) == (utc(2012, 9, 6, 12), utc(2012, 9, 6, 12, 0, 2))


@pytest.mark.parametrize(
    ("attributes", "why"),
    [
        ({"units": "seconds"}, "no temporal extent"),
        ({"units": "parsecs since 2012-09-06", "standard_name": "time"}, "cannot decode"),
        ({"units": "days since yesterday", "standard_name": "time"}, "cannot decode"),
        ({**TIME, "calendar": "360_day"}, "360_day"),
    ],
)
def test_time_that_cannot_be_decoded_is_left_out_with_a_warning(build, caplog, attributes, why):
    extent = extent_of(build(time=([0, 1], attributes)))
    assert (extent.begin, extent.end) == (None, None)
    assert why in caplog.text


def test_time_before_year_one_is_a_warning_of_the_granule_alone(build, caplog, recwarn):
    """Other libraries' warnings would go to standard error, without the granule's name."""
    path = build(time=([-1e6, 0], {"units": "days since 2000-01-01", "standard_name": "time"}))
    assert extent_of(path).begin is None
    assert "cannot decode its time" in caplog.text
    assert not recwarn.list


def test_last_moment_of_the_last_year_is_left_out_with_a_warning(build, caplog):
    attributes = {"units": "seconds since 9999-12-31 23:59:00", "standard_name": "time"}
    assert extent_of(build(time=([0, 59.9996], attributes))).begin is None
    assert "variable time: cannot decode its time" in caplog.text


@pytest.mark.parametrize(
    ("reference", "hour"),
    [
        ("2012-9-6 15:15:42.5 -6:00", 21),  # the form of CF's own example
        ("2012-09-06 15:15:42.5 -6", 21),
        ("2012-09-06T15:15:42.5-06", 21),
        ("2012-09-06 15:15:42.50 -0600", 21),
        ("2012-09-06 20:45:42.5 +0530", 15),
        ("2012-09-06 20:45:42.5 +530", 15),
        ("2012-09-07 04:15:42.5+13", 15),
        ("2012-09-06 15:15:42.5 +00:00", 15),
        ("2012-09-06 15:15:42.5 0:00", 15),  # UDUNITS; files of the ARM facility have it
        ("2012-09-06 20:45:42.5 05:30", 15),
        ("2012-09-06 15:15:42.5Z", 15),
        ("2012-09-06 15:15:42.5 utc", 15),
        ("2012-09-06 15:15:42.5 GMT", 15),
    ],
)
@pytest.mark.parametrize("calendar", ["standard", "proleptic_gregorian"])
def test_time_zone_of_the_reference_counts(build, reference, hour, calendar):
    attributes = {"units": f"seconds since {reference}", "calendar": calendar}
    assert extent_of(build(time=([0], attributes))).begin == utc(2012, 9, 6, hour, 15, 42, 500000)


@pytest.mark.parametrize(
    "reference", ["2012-250", "2012-250 12:00", "2012-09-06-06", "2012-09-06 12:00 +99:99",
                  "2012-09-06 12:00 +15", "2012-09-06 12:00 15:00", "2012-09-06 12:00 6",
                  "2012 12:00", "20120906"],
)  # fmt: skip
def test_reference_that_could_mean_another_day_gives_no_time(build, caplog, reference):
    """The 250th day of a year is no year with a zone."""
    assert extent_of(build(time=([0], {"units": f"days since {reference}"}))).begin is None
    assert "is not understood" in caplog.text


@pytest.mark.parametrize(
    ("units", "end"),
    [("nanoseconds", 1e9), ("microseconds", 1e6), ("weeks", 1 / 604800)],
)
def test_units_that_the_library_does_not_know_are_those_of_udunits(build, units, end):
    extent = extent_of(build(time=([0, end], {"units": f"{units} since 2012-09-06"})))
    assert (extent.begin, extent.end) == (utc(2012, 9, 6), utc(2012, 9, 6, 0, 0, 1))


def test_zone_counts_before_the_gregorian_calendar(build):
    extent = extent_of(build(time=([0], {"units": "days since 1500-01-01 12 -6:00"})))
    assert extent.begin == utc(1500, 1, 1, 18)


@pytest.mark.parametrize(
    "rest", [f"12:00:00 {zone}" for zone in ("EST", "MDT", "GMT-6", "PM", "TAI")] + ["1200"]
)
def test_reference_that_is_not_all_understood_gives_no_time(build, caplog, rest):
    extent = extent_of(build(time=([0, 1], {"units": f"seconds since 2012-09-06 {rest}"})))
    assert (extent.begin, extent.end) == (None, None)
    assert f"reference '2012-09-06 {rest}' is not understood" in caplog.text


@pytest.mark.parametrize("name", ["launch_time", "reference_time", "creation_time", "base_time"])
def test_any_count_since_something_is_not_the_time(build, name):
    attributes = {"units": "seconds since 1993-01-01"}
    assert extent_of(build(**{name: ([0, 1], attributes, ("n",))})).begin is None


def test_time_in_a_group_is_found(tmp_path):
    with netCDF4.Dataset(tmp_path / "g.nc", "w") as dataset:
        group = dataset.createGroup("geo")
        group.createDimension("time", 2)
        variable = group.createVariable("time", "f8", ("time",))
        variable.setncatts(TIME)
        variable[:] = [0, 1]
    assert extent_of(tmp_path / "g.nc").begin == utc(2012, 9, 6, 12)


# --- bounds of cells (CF-1.8, section 7.1) ---------------------------------------------------

HOURS = {"units": "hours since 2012-09-06 00:00:00", "standard_name": "time", "bounds": "edges"}
CELLS = ("time", "nv")


def test_time_of_a_mean_is_that_of_its_bounds(build):
    extent = extent_of(build(time=([12, 36], HOURS), edges=([[0, 24], [24, 48]], {}, CELLS)))
    assert (extent.begin, extent.end) == (utc(2012, 9, 6), utc(2012, 9, 8))


def test_single_time_without_a_dimension_has_bounds_too(build):
    extent = extent_of(build(time=(12.0, HOURS), edges=([0, 24], {}, ("nv",))))
    assert (extent.begin, extent.end) == (utc(2012, 9, 6), utc(2012, 9, 7))


def test_climatology_reaches_from_its_first_to_its_last_year(build):
    attributes = {"units": "days since 2012-01-01", "standard_name": "time", "climatology": "edges"}
    extent = extent_of(build(time=([15], attributes), edges=([[0, 396]], {}, CELLS)))
    assert (extent.begin, extent.end) == (utc(2012, 1, 1), utc(2013, 1, 31))


@pytest.mark.parametrize(
    ("edges", "attributes", "dimensions", "why"),
    [
        ([[0, 24], [24, 48]], {"units": "days since 2012-09-06"}, CELLS, "other units"),
        ([[0, 24], [24, 48]], {"calendar": "noleap"}, CELLS, "other units"),
        ([0, 24], {}, ("nv",), "not of the shape"),
        ([[0, 24]] * 3, {}, ("n", "nv"), "not of the shape"),
        ([[np.nan, -1], [-1, np.inf]], {}, CELLS, ""),
    ],
)
def test_bounds_that_cannot_be_those_of_the_time_do_not_count(
    build, caplog, edges, attributes, dimensions, why
):
    path = build(fill=-1, time=([12, 36], HOURS), edges=(edges, attributes, dimensions))
    extent = extent_of(path)
    assert (extent.begin, extent.end) == (utc(2012, 9, 6, 12), utc(2012, 9, 7, 12))
    assert why in caplog.text


@pytest.mark.parametrize("name", ["/details/edges", "details/edges"])
def test_bounds_may_be_named_by_their_path(tmp_path, caplog, name):
    """Sentinel-5P keeps bounds in another group."""
    times = {"time": ([12.0, 36.0], {**HOURS, "bounds": name})}
    edges = ([[0.0, 24.0], [24.0, 48.0]], {}, CELLS)
    path = write_variables(tmp_path / "p.nc", **times, groups={"details": {"edges": edges}})
    extent = extent_of(path)
    assert (extent.begin, extent.end) == (utc(2012, 9, 6), utc(2012, 9, 8))
    assert "not in the product" not in caplog.text


def test_bounds_that_are_not_there_are_a_warning(build, caplog):
    assert extent_of(build(time=([12], HOURS))).begin == utc(2012, 9, 6, 12)
    assert "its bounds 'edges' are not in the product" in caplog.text


@pytest.mark.parametrize(
    ("latitudes", "longitudes", "box"),
    [
        (([-45, 45], 90), ([-90, 90], 180), (-180, -90, 180, 90)),
        (([0], 180), ([180], 360), (-180, -90, 180, 90)),
        (([0.5], 1), ([0.5], 1), (0, 0, 1, 1)),
        (([10.5, 11.5], 1), ([-179.5, -178.5], 1), (-180, 10, -178, 12)),
        (([10.5, 11.5], 1), ([-180, -179], 1), (179.5, 10, -178.5, 12)),
        (([10.5, 11.5], 1), ([359.5, 0.5], 1), (-1, 10, 1, 12)),
        (([11.5, 10.5], 1), ([1.5, 0.5, -0.5], 1), (-1, 10, 2, 12)),
        (([90, 89], 1), ([0, 1], 1), (-0.5, 88.5, 1.5, 90)),
        (([20], 0.1), ([0, 40, 80], 1), (-0.5, 19.95, 80.5, 20.05)),
    ],
)
def test_cells_of_a_grid_reach_to_their_bounds(build, latitudes, longitudes, box):
    (north, height), (east, width) = latitudes, longitudes
    path = build(
        lat=(north, {**NORTH, "bounds": "north"}), lon=(east, {**EAST, "bounds": "east"}),
        north=([[y - height / 2, y + height / 2] for y in north], NORTH, ("lat", "nv")),
        east=([[x - width / 2, x + width / 2] for x in east], EAST, ("lon", "nv")),
    )  # fmt: skip
    assert corners(extent_of(path).box) == box


@pytest.mark.parametrize("dimensions", [None, SAMPLES, ()])
@pytest.mark.parametrize(
    ("east", "edges", "west_edge", "east_edge"),
    [
        (0, (0, 360), -180, 180),
        (0, (-180, 180), -180, 180),
        (180, (360, 0), -180, 180),
        (105, (10, 200), 10, -160),
        (0, (330, 30), -30, 30),
        (105, (105, 105), 105, 105),
    ],
)
def test_lone_cell_is_as_wide_as_its_bounds(build, dimensions, east, edges, west_edge, east_edge):
    """Of a zonal mean, or of the mean over a region, with or without dimensions."""
    north, east, edges = (np.array(number, ndmin=dimensions != ()) for number in (0, east, edges))
    own = [("lat",), ("lon",)] if dimensions is None else [dimensions] * 2
    path = build(
        lat=(north, {**NORTH, "bounds": "north"}, own[0]),
        lon=(east, {**EAST, "bounds": "east"}, own[1]),
        north=(np.reshape([-90, 90], (*north.shape, 2)), {}, (*own[0], "nv")),
        east=(np.reshape(edges, (*east.shape, 2)), {}, (*own[1], "nv")),
    )  # fmt: skip
    assert corners(extent_of(path).box) == (west_edge, -90, east_edge, 90)


def test_ends_of_cells_count_whatever_turn_they_were_stored_with(build):
    path = build(
        lat=([0], NORTH), lon=([178.5, 179.5], {**EAST, "bounds": "east"}),
        east=([[178, 179], [179, -180]], {}, ("lon", "nv")),
    )  # fmt: skip
    assert corners(extent_of(path).box) == (178, 0, 180, 0)


def test_bounds_that_stand_for_nothing_are_no_place(build):
    path = build(
        lat=([5, 6], {**NORTH, "bounds": "north"}), lon=([7, 8], {**EAST, "bounds": "east"}),
        north=([[4.5, -999], [5.5, 6.5]], {}, ("lat", "nv")),
        east=([[6.5, 9999], [-9999, 8.5]], {}, ("lon", "nv")),
    )  # fmt: skip
    assert corners(extent_of(path).box) == (6.5, 4.5, 8.5, 6.5)


def test_corners_of_cells_that_are_no_grid_count(build):
    """An unstructured mesh: each cell has its centre and three corners."""
    cells = ("cell", "corner")
    path = build(
        lat=([1, 2], {**NORTH, "bounds": "north"}, cells[:1]),
        lon=([179, -179], {**EAST, "bounds": "east"}, cells[:1]),
        north=([[0, 1, 2], [1, 2, 3]], NORTH, cells),
        east=([[178, 179, 180], [-180, -179, -178]], EAST, cells),
    )  # fmt: skip
    assert corners(extent_of(path).box) == (178, 0, -178, 3)


# --- file names ------------------------------------------------------------------------------

DAY = {"date": "20120906"}


@pytest.mark.parametrize(
    ("groups", "begin", "end"),
    [
        (DAY, utc(2012, 9, 6), utc(2012, 9, 6, 23, 59, 59)),
        ({"date": "2012-09-06"}, utc(2012, 9, 6), utc(2012, 9, 6, 23, 59, 59)),
        ({"date": "2012250"}, utc(2012, 9, 6), utc(2012, 9, 6, 23, 59, 59)),
        ({**DAY, "begin": "1200", "end": "1215"}, utc(2012, 9, 6, 12), utc(2012, 9, 6, 12, 15)),
        ({**DAY, "begin": "2330", "end": "0030"}, utc(2012, 9, 6, 23, 30), utc(2012, 9, 7, 0, 30)),
        (
            {"begin": "20120906T120000Z", "end": "20120907T000000Z"},
            utc(2012, 9, 6, 12),
            utc(2012, 9, 7),
        ),
    ],
)  # fmt: skip
def test_file_name_gives_the_time(product, groups, begin, end):
    extent = extent_of(product(), ("filename", "product"), groups)
    assert (extent.begin, extent.end) == (begin, end)


def test_file_name_without_an_end_takes_the_end_of_the_product(product):
    extent = extent_of(product(), ("filename", "product"), {"begin": "20120906115900"})
    assert (extent.begin, extent.end) == (utc(2012, 9, 6, 11, 59), utc(2012, 9, 6, 12, 1))


def test_first_source_that_answers_wins(product):
    assert extent_of(product(), ("product", "filename"), DAY).begin == utc(2012, 9, 6, 12)


@pytest.mark.parametrize(
    "date",
    ["20121332", "2012", "2013366", "2012367", "06Sep12",
     "\uff12\uff10\uff11\uff12\uff10\uff19\uff10\uff16"],
)  # fmt: skip
def test_file_name_that_is_no_date_is_left_out_with_a_warning(product, caplog, date):
    assert extent_of(product(), ("filename",), {"date": date}).begin is None
    assert "file name" in caplog.text


def test_end_before_begin_is_left_out_with_a_warning(product, caplog):
    groups = {"begin": "20130101T000000"}  # later than the product's end
    assert extent_of(product(), ("filename", "product"), groups).begin is None
    assert "lies before begin" in caplog.text


# --- place -----------------------------------------------------------------------------------


def test_box_of_a_track(product):
    extent = extent_of(product(latitude=(20, 21), longitude=(-60, -58)))
    assert corners(extent.box) == (-60, 20, -58, 21)


def test_single_point(product):
    extent = extent_of(product(latitude=(-90,), longitude=(0,), seconds=(0,)))
    assert corners(extent.box) == (-180, -90, 180, -90)
    assert extent.begin == extent.end


def test_float32_gives_the_number_that_was_meant(build):
    samples = ("n",)
    path = build(kind="f4", lat=([20, 21.95], NORTH, samples), lon=([301.95, 302.1], EAST, samples))
    assert corners(extent_of(path).box) == (-58.05, 20, -57.9, 21.95)


def test_sample_without_one_of_its_coordinates_does_not_count(product):
    extent = extent_of(
        product(latitude=(20, 30, -9999.0), longitude=(1, np.nan, 3), seconds=(0,) * 3)
    )
    assert corners(extent.box) == (1, 20, 1, 20)


def test_values_out_of_range_are_left_out_with_a_warning(product, caplog):
    extent = extent_of(product(latitude=(20, 91, 22), longitude=(1, 2, -999), seconds=(0,) * 3))
    assert corners(extent.box) == (1, 20, 1, 20)
    assert "variable lat: 1 of 3 values are not within -90 to 90" in caplog.text
    assert "variable lon: 1 of 3 values are not within -360 to 540" in caplog.text


def test_grid_has_coordinates_of_different_lengths(build):
    extent = extent_of(build(lat=([-10, 0, 10], NORTH), lon=([350, 0, 5, 10], EAST)))
    assert corners(extent.box) == (-10, -10, 10, 10)


def test_packed_coordinates_are_unpacked(tmp_path):
    path = tmp_path / "p.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("n", 3)
        for name, attributes in (("lat", NORTH), ("lon", EAST)):
            variable = dataset.createVariable(name, "i2", ("n",), fill_value=-32768)
            variable.setncatts({**attributes, "scale_factor": 0.01})
            variable.set_auto_maskandscale(False)
            variable[:] = [1001, 2002, -32768]
    assert corners(extent_of(path).box) == (10.01, 10.01, 20.02, 20.02)


def test_latitude_alone_is_no_place(build, caplog):
    assert extent_of(build(lat=([1, 2], NORTH))).box is None
    assert "no spatial extent found" in caplog.text


def test_coordinates_that_data_name_come_before_others(build):
    samples = ("n",)
    path = build(
        start_lat=(80.0, NORTH), start_lon=(80.0, EAST),
        lat=([1, 2], NORTH, samples), lon=([3, 4], EAST, samples),
        data=([0, 0], {"coordinates": "lat lon"}, samples),
    )  # fmt: skip
    assert corners(extent_of(path).box) == (3, 1, 4, 2)


TRACK = {"lat": ([40, 41], NORTH, SAMPLES), "lon": ([5, 6], EAST, SAMPLES)}


@pytest.mark.parametrize(
    ("name", "values", "attributes"),
    [
        ("lat0", 10.0, {**NORTH, "standard_name": "deployment_latitude"}),
        ("lat_uncertainty", [0.01, 0.01], NORTH),
        ("lat_uncertainty", [0.01, 0.01], {**NORTH, "standard_name": "latitude standard_error"}),
        ("subsolar_latitude", [-23.0, -23.0], NORTH),
        ("lon_uncertainty", [0.01, 0.01], EAST),
        ("lon0", 10.0, {**EAST, "standard_name": "deployment_longitude"}),
    ],
)
@pytest.mark.parametrize("named", [True, False])
def test_degrees_north_of_something_else_is_no_position(build, name, values, attributes, named):
    names = {"lat": "latitude", "lon": "longitude"}
    track = {
        key: (numbers, marks | ({"standard_name": names[key]} if named else {}), dims)
        for key, (numbers, marks, dims) in TRACK.items()
    }
    other = {name: (values, attributes, SAMPLES[: np.ndim(values)])}
    assert corners(extent_of(build(**other, **track)).box) == (5, 40, 6, 41)
    assert corners(extent_of(build(**track, **other)).box) == (5, 40, 6, 41)


def test_latitude_of_something_else_alone_is_no_place(build, caplog):
    other = {**NORTH, "standard_name": "deployment_latitude"}
    assert extent_of(build(lat=([1, 2], other, SAMPLES), lon=TRACK["lon"])).box is None
    assert "no spatial extent found" in caplog.text


def test_latitudes_of_any_name_count_where_none_has_a_usual_one(build):
    path = build(top_lat=([40, 41], NORTH, SAMPLES), low_lat=([38, 39], NORTH, SAMPLES),
                 mid_lon=([5, 6], EAST, SAMPLES))  # fmt: skip
    assert corners(extent_of(path).box) == (5, 38, 6, 41)


@pytest.mark.parametrize("coordinates", ["", "lat lon launch_lat launch_lon"])
def test_launch_that_is_marked_better_does_not_stand_for_the_track(build, coordinates):
    path = build(
        **TRACK, launch_lat=(39.5, {**NORTH, "standard_name": "latitude"}, ()),
        launch_lon=(4.5, {**EAST, "standard_name": "longitude"}, ()),
        lat_uncertainty=([0.01, 0.01], NORTH, SAMPLES),
        data=([0, 0], {"coordinates": coordinates}, SAMPLES),
    )  # fmt: skip
    assert corners(extent_of(path).box) == (4.5, 39.5, 6, 41)


def test_box_holds_every_pair_of_positions(build, caplog):
    path = build(
        start_lat=([40, 41], NORTH, SAMPLES), end_lat=([42, 43], NORTH, SAMPLES),
        start_lon=([5, 6], EAST, SAMPLES), end_lon=([7, 8], EAST, SAMPLES),
        far_lon=([9, 999], EAST, SAMPLES),
    )  # fmt: skip
    assert corners(extent_of(path).box) == (5, 40, 9, 43)
    assert caplog.text.count("variable far_lon: 1 of 2 values") == 1


def test_box_holds_every_grid_of_a_group(build, caplog):
    path = build(lat=([1, 2], NORTH), lon=([5, 6], EAST), lat_b=([8, 99], NORTH),
                 lon_b=([9, 10], EAST))  # fmt: skip
    assert corners(extent_of(path).box) == (5, 1, 10, 8)
    assert caplog.text.count("variable lat_b: 1 of 2 values") == 1


def test_every_group_has_its_own_kind_of_names(tmp_path):
    """What is marked better in one group does not outdo another group's positions."""
    with netCDF4.Dataset(tmp_path / "g.nc", "w") as dataset:
        for name, first, marks in (("a", 1, {"standard_name": "latitude"}), ("b", 50, {})):
            group = dataset.createGroup(name)
            group.createDimension("n", 2)
            for key, attributes in (("lat", {**NORTH, **marks}), ("lon", EAST)):
                variable = group.createVariable(key, "f8", ("n",))
                variable.setncatts(attributes)
                variable[:] = [first, first + 1]
    assert corners(extent_of(tmp_path / "g.nc").box) == (1, 1, 51, 51)


def test_reference_time_of_a_forecast_is_not_the_time_of_the_data(build):
    other = {"units": "days since 1990-01-01", "standard_name": "forecast_reference_time"}
    for extra in ({}, {"axis": "T"}):
        path = build(start=(0.0, {**other, **extra}), time=([0, 1], TIME))
        assert extent_of(path).begin == utc(2012, 9, 6, 12)


def test_text_file_has_no_extent(tmp_path):
    (tmp_path / "a.txt").write_text("text")
    assert extent_of(tmp_path / "a.txt") == Extent()


def test_damaged_product_is_one_sentence(tmp_path):
    (tmp_path / "a.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + b"x" * 100)
    with pytest.raises(CumulusError, match=r"cannot read '.*a.nc'"):
        extent_of(tmp_path / "a.nc")


# --- longitudes are a circle -----------------------------------------------------------------

AXES = {
    "20 to 379": (np.arange(20, 380), (-180, 180)),
    "20 to 420": (np.arange(20, 421), (-180, 180)),
    "74.16 to 434.15": (74.16 + np.arange(36_000) / 100, (-180, 180)),
    "-279.5 to 79.5": (np.arange(-279.5, 80), (-180, 180)),
    "350 to 370": (np.arange(350, 371), (-10, 10)),
    "365 to 379": (np.arange(365, 380), (5, 19)),
    "-200 to -170": (np.arange(-200, -169), (160, -170)),
}


@pytest.mark.parametrize(("axis", "edges"), AXES.values(), ids=AXES.keys())
@pytest.mark.parametrize("turn", [1, -1], ids=["eastward", "westward"])
@pytest.mark.parametrize("ndim", [1, 2])
def test_axis_beyond_the_usual_ranges_is_counted_on_the_circle(build, axis, edges, turn, ndim):
    """The part of an axis beyond 360 was cut off, and the rest published as the box."""
    north, east = np.array([0, 1]), axis[::turn]
    if ndim == 1:
        path = build(lat=(north, NORTH), lon=(east, EAST))
    else:
        north, east = np.meshgrid(north, east, indexing="ij")
        path = build(lat=(north, NORTH, ("y", "x")), lon=(east, EAST, ("y", "x")))
    assert corners(extent_of(path).box) == (edges[0], 0, edges[1], 1)


def test_all_samples_of_a_track_beyond_360_count(build):
    """The latitudes of the samples beyond 360 degrees were lost with their longitudes."""
    path = build(lat=([0, 1, 9], NORTH, SAMPLES), lon=([355, 360, 365], EAST, SAMPLES))
    assert corners(extent_of(path).box) == (-5, 0, 5, 9)


@pytest.mark.parametrize("pole", [90, -90])
def test_sample_on_a_pole_has_every_longitude(build, pole):
    path = build(lat=([pole - pole / 90, pole], NORTH, SAMPLES), lon=([7, 8], EAST, SAMPLES))
    south, north = sorted((pole, pole - pole / 90))
    assert corners(extent_of(path).box) == (-180, south, 180, north)


def test_longitude_that_is_an_undeclared_fill_value_is_left_out(build, caplog):
    path = build(lat=([0, 1, 2], NORTH, SAMPLES), lon=([1, 2, 999], EAST, SAMPLES))
    assert corners(extent_of(path).box) == (1, 0, 2, 1)
    assert "1 of 3 values are not within -360 to 540" in caplog.text


# --- longitudes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("longitudes", "edges"),
    [
        ([-60, -58], (-60, -58)),
        ([300, 302], (-60, -58)),
        ([179, -179], (179, -179)),
        ([179, 181], (179, -179)),
        ([170, 180], (170, 180)),
        ([-180, -170], (-180, -170)),
        ([180, -170], (-180, -170)),
        ([180], (180, 180)),
        ([-180, 180], (-180, -180)),
        ([0], (0, 0)),
        ([360], (0, 0)),
        ([350, 10], (-10, 10)),
        (list(range(-180, 180)), (-180, 179)),
        (list(range(-180, 181)), (-180, 179)),
        (list(range(360)), (-179, 180)),
        ([0, 90, 180, 270], (-90, 180)),
    ],
)  # fmt: skip
def test_longitude_interval(longitudes, edges):
    assert enclosing_longitudes(np.array(longitudes, "f8")) == edges


LONGITUDE = st.integers(-360_000, 540_000).map(lambda number: number / 1000)


def width(west, east):
    return (east - west) % 360 if west != east else 0.0


@given(st.lists(LONGITUDE, min_size=1, max_size=20))
def test_longitude_interval_holds_all_and_is_the_smallest(longitudes):
    west, east = enclosing_longitudes(np.array(longitudes))
    assert -180 <= west <= 180
    assert -180 <= east <= 180
    size = 360.0 if (west, east) == (-180, 180) else width(west, east)
    assert all((longitude - west + 1e-7) % 360 <= size + 2e-7 for longitude in longitudes)
    # No interval that starts at one of the longitudes is smaller.
    smallest = min(
        max((longitude - start) % 360 for longitude in longitudes) for start in longitudes
    )
    assert size <= smallest + 2e-4


@given(st.lists(LONGITUDE, min_size=1, max_size=10), st.randoms(use_true_random=False))
def test_longitude_interval_does_not_depend_on_order_or_turns(longitudes, random):
    other = [
        longitude - 360 if longitude > 180 and random.random() < 0.5 else longitude
        for longitude in longitudes
    ]
    random.shuffle(other)
    assert enclosing_longitudes(np.array(other)) == enclosing_longitudes(np.array(longitudes))


@pytest.mark.parametrize(
    ("axis", "edges"),
    [
        (np.linspace(-180, 180, 361), (-180, 180)),
        (np.linspace(-180, 180, 37), (-180, 180)),
        (np.linspace(0, 360, 37), (-180, 180)),
        (np.linspace(-180, 180, 145), (-180, 180)),
        (np.arange(-175, 176, 14), (-175, 175)),
        (np.arange(360), (-180, 180)),
        (np.arange(359.5, 0, -1), (-180, 180)),
        (np.arange(0, 360, 0.01, "f4"), (-180, 180)),
        (np.arange(0, 359), (0, -2)),
        (np.arange(0, 351), (0, -10)),
        (np.arange(170, 191), (170, -170)),
        (np.arange(180, 191), (-180, -170)),
        (np.arange(170, 181), (170, 180)),
        (np.array([170, 175, 180, -175, -170]), (170, -170)),
        (np.array([-170, -175, 180, 175, 170]), (170, -170)),
        (np.array([350, 0, 5, 10]), (-10, 10)),
        (np.array([10, 20, 40, 350]), (-10, 40)),
        (np.array([0, 1, 2, 358, 359]), (-2, 2)),
        (np.array([-90, 90]), (-180, 180)),
        (np.array([20.05, 20.1], "f4"), (20.05, 20.1)),
        (np.array([180]), (180, 180)),
        (np.array([360]), (0, 0)),
    ],
)
def test_axis_of_a_grid_reaches_from_end_to_end(axis, edges):
    assert axis_longitudes(axis) == edges
    assert axis_longitudes(axis[::-1]) == edges


@given(st.integers(-180, 179), st.integers(2, 300), st.integers(1, 20), st.sampled_from([0, 1]))
def test_regular_axis_of_any_place_and_length(first, count, step, turned):
    """From first to last, however it is stored, or the globe; what others call it is no matter."""
    axis = first + np.arange(count) * step
    span = (count - 1) * step
    edges = axis_longitudes(np.where(axis > 180, (axis + 180) % 360 - 180, axis)[:: 1 - 2 * turned])
    if span >= 360 or span + step == 360:
        assert edges == (-180, 180)
    else:
        assert ((edges[0] - first) % 360, (edges[1] - axis[-1]) % 360) == (0, 0)


@given(
    st.integers(-360, 720), st.integers(1, 90), st.integers(1, 40), st.booleans(),
    st.sampled_from(["f4", "f8"]), st.sampled_from([-180, 0]), st.sampled_from([-180, 0]),
)  # fmt: skip
def test_regular_cells_of_any_place_and_width(first, count, width, falls, kind, low, cell_low):
    """In half degrees; centres and bounds are each stored from -180 or from 0, as it comes."""
    ends = first + width * np.arange(count + 1)
    if ends[-1] - first > 720:
        return
    bounds = (np.stack([ends[:-1], ends[1:]], axis=1) / 2 - cell_low) % 360 + cell_low
    centres = ((ends[:-1] + ends[1:]) / 4 - low) % 360 + low
    turn = slice(None, None, -1 if falls else 1)
    edges = axis_longitudes(centres[turn].astype(kind), bounds[turn].astype(kind))
    if ends[-1] - first == 720:
        assert edges == (-180, 180)
    else:
        west, east = edges
        assert ((west - ends[0] / 2) % 360, (east - ends[-1] / 2) % 360) == (0, 0)


def test_grid_of_the_globe_has_the_box_of_the_globe(build):
    path = build(lat=(np.arange(-90, 91), NORTH), lon=(np.arange(-180, 180), EAST))
    assert corners(extent_of(path).box) == (-180, -90, 180, 90)


INTERVAL = st.tuples(st.integers(-179, 180), st.integers(-179, 180))


@given(st.lists(INTERVAL, min_size=1, max_size=6))
def test_joined_intervals_hold_each_and_are_the_smallest(intervals):
    """Against whole degrees, counted one by one."""
    held = {degree % 360 for west, east in intervals
            for degree in range(west, west + (east - west) % 360 + 1)}  # fmt: skip
    west, east = joined(intervals)
    whole = (west, east) == (-180, 180)
    size = 360 if whole else (east - west) % 360
    assert whole or all((degree - west) % 360 <= size for degree in held)
    starts = {degree for degree, _ in intervals}
    assert size <= min(max((degree - start) % 360 for degree in held) for start in starts) or whole
    assert not whole or all(
        max((w - start) % 360 + (e - w) % 360 for w, e in intervals) >= 360 for start in starts
    )


@pytest.mark.parametrize("box", [(0, -91, 0, 0), (0, 1, 0, 0), (-181, 0, 0, 0), (0, 0, 181, 0)])
def test_box_checks_its_ranges(box):
    with pytest.raises(CumulusError):
        Box(*box)


def test_extent_checks_its_order():
    with pytest.raises(CumulusError, match="before the begin"):
        Extent(begin=utc(2013, 1, 1), end=utc(2012, 1, 1))


@pytest.mark.parametrize(
    "ring", [((0, 0), (1, 0), (0, 0)), ((0, 0), (1, 0), (1, 1), (0, 1)), ((0, 91),) * 4]
)
def test_extent_checks_its_polygon(ring):
    with pytest.raises(CumulusError, match=r"closed ring|not within"):
        Extent(polygon=ring)


def test_time_without_a_zone_is_utc():
    assert Extent(begin=datetime(2012, 9, 6)).begin == utc(2012, 9, 6)
    assert Extent(end=datetime(2012, 9, 6)).end == utc(2012, 9, 6)


# --- whole products, any coordinates ---------------------------------------------------------

DEGREES = st.floats(-400, 400, width=32)
POSITIONS = st.lists(st.tuples(DEGREES, DEGREES), min_size=1, max_size=12)


@given(POSITIONS, st.sampled_from(["f4", "f8"]), st.data())
def test_box_of_any_track_holds_its_valid_samples_and_nothing_makes_it_invalid(
    tmp_path_factory, positions, kind, data
):
    """Values out of range, fill and NaN at any place; the box is right, or there is none."""
    odd = st.sampled_from([None, -999.0, float("nan"), float("inf")])
    columns = [
        [value if (bad := data.draw(odd)) is None else bad for value in column]
        for column in zip(*positions, strict=True)
    ]
    path = tmp_path_factory.mktemp("track") / "p.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("n", len(positions))
        for name, values, attributes in zip(("lat", "lon"), columns, (NORTH, EAST), strict=True):
            variable = dataset.createVariable(name, kind, ("n",), fill_value=-999)
            variable.setncatts(attributes)
            variable[:] = values
    valid = [
        (float(np.dtype(kind).type(y)), float(np.dtype(kind).type(x)))
        for y, x in zip(*columns, strict=True)
        if -90 <= y <= 90 and -360 <= x <= 540
    ]
    near = 1e-6 if kind == "f8" else 2e-5  # the shortest decimal that is stored as the value
    box = extent_of(path).box
    if {(round(north, 6), round(east, 6) % 360) for north, east in valid} <= {(0, 0)}:
        assert box is None
        return
    for north, east in valid:
        assert box.south - near <= north <= box.north + near
        whole = (box.west, box.east) == (-180, 180)
        assert whole or (east - box.west + 2 * near) % 360 <= (box.east - box.west) % 360 + 4 * near


@given(
    st.sampled_from(["seconds", "minutes", "hours", "days", "milliseconds", "s", "min", "h"]),
    st.datetimes(datetime(1600, 1, 1), datetime(2100, 1, 1)),
    st.lists(st.floats(0, 4e4), min_size=1, max_size=5),
)
def test_times_agree_with_the_netcdf_library(unit, reference, values):
    """What is decoded without the library is what the library decodes, to a millisecond."""
    units = f"{unit} since {reference.replace(microsecond=0)}"
    attributes = {"units": units, "standard_name": "time", "axis": "", "calendar": ""}
    values = np.array(values)
    variable = Variable(
        "time", "/", ("/time",), True, attributes, values, np.ones(values.shape, bool)
    )
    covered = cover(Product("NetCDF-4", ("/time",), (variable,)))
    wanted = netCDF4.num2date([values.min(), values.max()], units, "standard")
    for moment, date in zip((covered.begin, covered.end), wanted, strict=True):
        expected = datetime(*date.timetuple()[:6], date.microsecond, tzinfo=UTC)
        assert abs(moment - expected) <= timedelta(milliseconds=1)


# --- many samples ----------------------------------------------------------------------------


@given(
    st.integers(0, 2**31), st.sampled_from([0.05, 5, 90, 200, 340, 359.9, 360]),
    st.floats(-360, 180), st.sampled_from(["f4", "f8"]), st.sampled_from([None, 1]),
)  # fmt: skip
def test_sides_of_many_samples_are_those_of_all(seed, width, west, kind, decimals):
    """Blocks, of which the ends of narrow sectors are kept, give the interval of all samples."""
    values = west + np.random.default_rng(seed).random(3000) * width
    values = (values if decimals is None else np.round(values, decimals)).astype(kind)
    expected = enclosing_longitudes(values)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(longitudes, "_BLOCK", 700)
        assert enclosing_longitudes(values) == expected


def test_sides_of_many_samples_take_little_memory():
    """Of 4 million longitudes 32 MB of further memory is enough for their sides."""
    values = np.linspace(-100, 100, 4_000_000)
    tracemalloc.start()
    try:
        assert enclosing_longitudes(values) == (-100.0, 100.0)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40e6
