"""Times of products that CF knows in more than one way: the right moments, or none by name."""

from datetime import UTC, datetime

import numpy as np
import pytest
from netcdf_files import write_variables
from samples import extent_of

NO_TIME = np.iinfo("i8").min
SECONDS = {"units": "seconds since 2012-09-06 12:00:00", "standard_name": "time"}
NORTH, EAST = {"units": "degrees_north"}, {"units": "degrees_east"}


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


def times_of(path):
    extent = extent_of(path)
    return extent.begin, extent.end


@pytest.mark.parametrize("unit", ["nanoseconds", "microseconds", "milliseconds"])
@pytest.mark.parametrize("file_format", ["NETCDF4", "packed"])
def test_smallest_integer_is_no_time(tmp_path, unit, file_format):
    """Numpy's NaT, written without a _FillValue: the other times count."""
    scale = {"nanoseconds": 10**9, "microseconds": 10**6, "milliseconds": 10**3}[unit]
    times = np.array([1346932800 * scale, NO_TIME, 1346932805 * scale])
    attributes = {"units": f"{unit} since 1970-01-01", "standard_name": "time"}
    if file_format == "packed":
        attributes["missing_value"] = np.int64(7)  # the NetCDF library reads it then
    path = write_variables(tmp_path / "p.nc", time=(times, attributes))
    assert times_of(path) == (utc(2012, 9, 6, 12), utc(2012, 9, 6, 12, 0, 5))


def test_time_of_the_smallest_integer_alone_is_left_out(tmp_path, caplog):
    attributes = {"units": "microseconds since 1970-01-01", "standard_name": "time"}
    path = write_variables(tmp_path / "p.nc", time=(np.array([NO_TIME]), attributes))
    assert times_of(path) == (None, None)
    assert "'time' has no values" in caplog.text


@pytest.mark.parametrize("mark", [-9999, -999, -(2**31)])
def test_mark_that_no_attribute_declares_is_no_time(tmp_path, caplog, mark):
    """The record began in 1969: -9999 seconds since 1970."""
    times = np.array([1346932800, mark, 1346932805], "f8")
    about = {"units": "seconds since 1970-01-01", "standard_name": "time"}
    path = write_variables(tmp_path / "p.nc", time=(times, about))
    assert times_of(path) == (utc(2012, 9, 6, 12), utc(2012, 9, 6, 12, 0, 5))
    assert f"1 of 3 times are {mark:.1f}, an undeclared fill value" in caplog.text


def test_number_of_a_mark_among_negative_times_is_a_time(tmp_path):
    """Times before their reference: -999 is among -1000 and -998."""
    path = write_variables(tmp_path / "p.nc", time=(np.arange(-1000.0, -997), SECONDS))
    assert times_of(path) == (utc(2012, 9, 6, 11, 43, 20), utc(2012, 9, 6, 11, 43, 22))


@pytest.mark.parametrize("edges", [[[0, 0]] * 2, [[0, 60]] * 2], ids=["unset", "of another time"])
def test_bounds_that_do_not_hold_their_time_do_not_count(tmp_path, caplog, edges):
    """Bounds that nobody set are 0: the record began in 1970."""
    about = {"units": "seconds since 1970-01-01", "standard_name": "time", "bounds": "edges"}
    times = np.array([1346932800, 1346932805], "f8")
    cells = (np.array(edges, "f8"), {}, ("time", "nv"))
    path = write_variables(tmp_path / "p.nc", time=(times, about), edges=cells)
    assert times_of(path) == (utc(2012, 9, 6, 12), utc(2012, 9, 6, 12, 0, 5))
    assert "2 of 2 bounds do not hold their time" in caplog.text


def test_time_at_the_end_of_its_cell_has_the_whole_cell(tmp_path):
    """The mean of an hour may have the time at which the next one begins, or the next but one."""
    about = {**SECONDS, "bounds": "edges"}
    cells = (np.array([[0.0, 3600.0]]), {}, ("time", "nv"))
    path = write_variables(tmp_path / "p.nc", time=(np.array([3601.0]), about), edges=cells)
    assert times_of(path) == (utc(2012, 9, 6, 12), utc(2012, 9, 6, 13))


@pytest.mark.parametrize("is_coordinate", [True, False])
def test_lone_time_of_another_group_is_not_that_of_the_samples(tmp_path, is_coordinate):
    """ICESat-2 keeps the last turn of the satellite as a time: records began 36 hours early."""
    name = "crossing_time" if is_coordinate else "n"
    path = write_variables(
        tmp_path / "p.nc",
        groups={
            "heights": {
                "delta_time": (np.arange(3.0), SECONDS, ("delta_time",)),
                "lat_ph": (np.arange(3.0), {**NORTH, "standard_name": "latitude"}, ("delta_time",)),
                "lon_ph": (np.arange(3.0), {**EAST, "standard_name": "longitude"}, ("delta_time",)),
            },
            "orbit_info": {"crossing_time": (np.array([-129600.0]), SECONDS, (name,))},
        },
    )
    assert times_of(path) == (utc(2012, 9, 6, 12), utc(2012, 9, 6, 12, 0, 2))


@pytest.mark.parametrize(
    ("name", "is_said"),
    [("time_tai", True), ("TAI93", True), ("GPS_time", True), ("details", False)],
)
def test_name_of_another_time_scale_is_a_warning(tmp_path, caplog, name, is_said):
    """Such a time is 37 s or 18 s from UTC, or is not: the file does not tell for certain."""
    path = write_variables(tmp_path / "p.nc", **{name: (np.arange(3.0), SECONDS, ("n",))})
    assert times_of(path) == (utc(2012, 9, 6, 12), utc(2012, 9, 6, 12, 0, 2))
    assert ("leap seconds" in caplog.text) == is_said


# --- references and offsets ------------------------------------------------------------------

DAY = {"units": "seconds since 2019-09-21", "standard_name": "time"}
LATER = (utc(2019, 9, 21, 1), utc(2019, 9, 21, 1, 0, 2))
HOUR = np.array([3_600_000, 3_601_000, 3_602_000])
OFFSETS = {
    "milliseconds since the day": {"units": "milliseconds since 2019-09-21"},
    "with a standard name": {"units": "milliseconds since 2019-09-21", "standard_name": "time"},
    "to be added": {"units": "milliseconds", "long_name": "offset from reference start time"},
    "to be added, by its name": {"units": "millisecond"},
}


@pytest.mark.parametrize("about", OFFSETS.values(), ids=OFFSETS.keys())
@pytest.mark.parametrize("shape", [(3,), (1, 3)])
def test_times_are_those_of_the_samples_and_not_the_reference(tmp_path, about, shape):
    """The record said midnight for a whole orbit."""
    dimensions = ("time", "scanline")[-len(shape) :]
    path = write_variables(
        tmp_path / "p.nc",
        time=(np.array([0.0]), DAY),
        delta_time=(HOUR.reshape(shape), about, dimensions),
    )
    assert times_of(path) == LATER


def test_difference_in_packed_seconds_is_added(tmp_path):
    """As GHRSST has it: time plus sst_dtime."""
    about = {"units": "seconds", "scale_factor": 0.5, "add_offset": 3600.0,
             "_FillValue": np.int16(-32768),
             "comment": "time plus sst_dtime gives seconds after the reference"}  # fmt: skip
    path = write_variables(
        tmp_path / "p.nc",
        time=(np.array([0]), {**DAY, "units": "seconds since 2019-09-21 00:00:00"}),
        sst_dtime=(np.array([[[0, 4], [-32768, 2]]], "i2"), about, ("time", "nj", "ni")),
    )
    assert times_of(path) == LATER


def test_large_difference_is_read_block_by_block(tmp_path, monkeypatch):
    monkeypatch.setattr("cumulus.products.catalogue._WHOLE", 4)
    test_difference_in_packed_seconds_is_added(tmp_path)


def test_forecast_reference_and_other_counts_are_no_offsets(tmp_path):
    """A lone time stays what it is beside times with another meaning."""
    path = write_variables(
        tmp_path / "p.nc",
        time=(np.array([60.0]), SECONDS),
        forecast_reference_time=(np.array([0.0]), {**SECONDS, "standard_name":
                                 "forecast_reference_time"}, ("time",)),
        launch=(np.array([5.0, 9.0]), {"units": "seconds since 2001-01-01"}, ("n",)),
        averaging=(np.array([60.0]), {"units": "seconds"}, ("time",)),
    )  # fmt: skip
    assert times_of(path) == (utc(2012, 9, 6, 12, 1), utc(2012, 9, 6, 12, 1))


def test_two_differences_leave_the_time_out(tmp_path, caplog):
    path = write_variables(
        tmp_path / "p.nc",
        time=(np.array([0.0]), DAY),
        a_dtime=(np.array([1.0, 2]), {"units": "s"}, ("n",)),
        b_dtime=(np.array([3.0, 4]), {"units": "s"}, ("n",)),
    )
    assert times_of(path) == (None, None)
    assert "'a_dtime', 'b_dtime' are different offsets from 'time'" in caplog.text


@pytest.mark.parametrize(
    "units", ["seconds since 2019-09-21 00:59:00", "seconds"], ids=["counted", "added"]
)
def test_base_time_and_time_offset_are_the_times(tmp_path, units):
    """As ARM's files have them, here without the time that CF knows."""
    path = write_variables(
        tmp_path / "p.nc",
        base_time=(1569027540, {"units": "seconds since 1970-1-1 0:00:00 0:00"}),
        time_offset=(np.array([60.0, 62]), {"units": units, "long_name": "Time offset from "
                     "base_time"}, ("time",)),
    )  # fmt: skip
    assert times_of(path) == LATER


# --- two times -------------------------------------------------------------------------------

TIMES = np.array([0.0, 2])
TAI = {"units": "seconds since 2012-09-06 12:00:37", "standard_name": "time"}
TRACK = ("n",)
NOON = (utc(2012, 9, 6, 12), utc(2012, 9, 6, 12, 0, 2))


@pytest.mark.parametrize("named", ["first", "second"])
def test_time_that_the_data_name_counts(tmp_path, named):
    other = {"first": "second", "second": "first"}[named]
    path = write_variables(
        tmp_path / "p.nc",
        **{named: (TIMES, SECONDS, TRACK), other: (TIMES, TAI, TRACK)},
        data=(TIMES, {"units": "K", "coordinates": named}, TRACK),
    )
    assert times_of(path) == NOON


UTC_TIMES = {
    "by its name": ("utc_time", {}, "tai_time", {}),
    "by its long name": ("a", {"long_name": "UTC of the sample"}, "b", {}),
    "as the other is GPS": ("time_a", {}, "gps_time", {}),
    "as the dimension's own is TAI": ("utc", {}, "n", {"long_name": "TAI time"}),
}


@pytest.mark.parametrize(("name", "about", "other", "more"), UTC_TIMES.values(), ids=UTC_TIMES)
def test_time_that_says_utc_counts(tmp_path, name, about, other, more):
    path = write_variables(
        tmp_path / "p.nc",
        **{other: (TIMES, {**TAI, **more}, TRACK), name: (TIMES, {**SECONDS, **about}, TRACK)},
    )
    assert times_of(path) == NOON


def test_two_times_that_nothing_tells_apart_are_left_out_by_name(tmp_path, caplog):
    path = write_variables(
        tmp_path / "p.nc", a=(TIMES, SECONDS, TRACK), b=(TIMES, TAI, TRACK)
    )
    assert times_of(path) == (None, None)
    assert "'a' and 'b' are times of the same samples" in caplog.text


def test_two_times_that_are_equal_are_one(tmp_path):
    minutes = {"units": "minutes since 2012-09-06 12:00", "standard_name": "time"}
    path = write_variables(
        tmp_path / "p.nc", a=(TIMES, SECONDS, TRACK), b=(TIMES / 60, minutes, TRACK)
    )
    assert times_of(path) == NOON


def test_time_with_units_alone_that_the_data_name_is_a_time(tmp_path):
    path = write_variables(
        tmp_path / "p.nc",
        obs=(TIMES, {"units": SECONDS["units"]}, TRACK),
        start=(TIMES - 1e6, {"units": SECONDS["units"]}, TRACK),
        data=(TIMES, {"units": "K", "coordinates": "obs"}, TRACK),
    )
    assert times_of(path) == NOON


def test_reference_with_a_zero_behind_it_is_utc(tmp_path):
    about = {"units": "hours since 2012-9-6 12:0:0 0", "standard_name": "time"}
    path = write_variables(tmp_path / "p.nc", time=(TIMES / 3600, about))
    assert times_of(path) == NOON


# --- months ----------------------------------------------------------------------------------

MONTHS = {"units": "months since 1978-01-01 00:00:00", "standard_name": "time"}


def test_months_with_bounds_are_months_of_the_calendar(tmp_path):
    path = write_variables(
        tmp_path / "p.nc",
        time=(np.array([1, 2]), {**MONTHS, "bounds": "edges"}),
        edges=(np.array([[0, 1], [1, 2]]), {}, ("time", "nv")),
    )
    assert times_of(path) == (utc(1978, 1, 1), utc(1978, 3, 1))


@pytest.mark.parametrize(
    ("edges", "reason"),
    [(None, "without bounds"), ([[0, 0.5], [0.5, 2]], None), ([[0, 0.5], [0.5, 1.5]], "whole")],
)
def test_months_that_are_not_certain_are_left_out(tmp_path, caplog, edges, reason):
    variables = {"time": (np.array([1, 2]), MONTHS)}
    if edges:
        variables["time"] = (np.array([1, 2]), {**MONTHS, "bounds": "edges"})
        variables["edges"] = (np.array(edges), {}, ("time", "nv"))
    begin, _ = times_of(write_variables(tmp_path / "p.nc", **variables))
    assert (begin is None) == (reason is not None)
    assert reason is None or reason in caplog.text


# --- without CF attributes -------------------------------------------------------------------


@pytest.mark.parametrize("key", ["long_name", "comment", "UNITS", "description"])
def test_reference_in_another_attribute_counts(tmp_path, key):
    about = {"units": "seconds", key: SECONDS["units"]}
    assert times_of(write_variables(tmp_path / "p.nc", time=(TIMES, about))) == NOON


def test_units_alone_are_a_time_of_samples(tmp_path):
    """Scalars of the orbit, and times of something else, do not count."""
    about = {"units": SECONDS["units"]}
    path = write_variables(
        tmp_path / "p.nc",
        sample_seconds=(TIMES, about, TRACK), part=(np.array([1.0]), about, ("m",)),
        orbit_end=(5000.0, about), refTimeSec=(TIMES + 9e6, about, TRACK),
        launch_time=(TIMES - 9e6, about, TRACK),
    )  # fmt: skip
    assert times_of(path) == NOON


WRONG = {
    "seconds that say days": (
        {"time": (np.array([1582761600, 1582847984]), {"Units": "days since 1970-01-01"})},
        "'time' cannot be decoded",
    ),
    "days beyond all sense": (
        {"obs": (np.array([0.0, 86400]), {"units": "days since 2000-01-01"}, TRACK)},
        "'obs' would be from 2000-01-01 to 2236-07-22: the units are wrong",
    ),
    "two that differ": (
        {"a": (TIMES, {"units": SECONDS["units"]}, TRACK),
         "b": (TIMES + 1, {"units": SECONDS["units"]}, TRACK)},
        "'a', 'b' are different times",
    ),
    "another unit beside the reference": (
        {"time": (TIMES, {"units": "hours", "long_name": "seconds since 2012-09-06"})},
        "no variable has units such as",
    ),
    "no reference": ({"time": (TIMES, {"units": "s", "long_name": "seconds in epoch"})},
                     "no variable has units such as"),
}  # fmt: skip


@pytest.mark.parametrize(("variables", "reason"), WRONG.values(), ids=WRONG.keys())
def test_time_in_doubt_is_left_out_by_name(tmp_path, caplog, variables, reason):
    assert times_of(write_variables(tmp_path / "p.nc", **variables)) == (None, None)
    assert reason in caplog.text


def test_named_time_counts_instead_of_others(tmp_path):
    path = write_variables(
        tmp_path / "p.nc",
        time=(TIMES + 9e6, SECONDS), view_time=(TIMES, {"units": SECONDS["units"]}, ("time",)),
    )  # fmt: skip
    extent = extent_of(path, time_variable="view_time")
    assert (extent.begin, extent.end) == NOON


@pytest.mark.parametrize(
    ("name", "reason"),
    [("x", "no numeric variable 'x'"), ("data", "'data' has no units such as")],
)
def test_named_time_that_is_none_is_left_out_by_name(tmp_path, caplog, name, reason):
    path = write_variables(
        tmp_path / "p.nc", time=(TIMES, SECONDS), data=(TIMES, {"units": "K"}, ("time",))
    )
    assert extent_of(path, time_variable=name).begin is None
    assert reason in caplog.text
