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
