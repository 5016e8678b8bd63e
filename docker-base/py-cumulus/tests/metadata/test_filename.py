"""Dates and times of file names: each form as it is, and none for another."""

from datetime import UTC, datetime

import numpy as np
import pytest
from netcdf_files import write_variables
from samples import extent_of

from cumulus.metadata.filename import from_groups


def utc(*parts):
    return datetime(*parts, tzinfo=UTC)


DAYS = {
    "yyddd": ("20123", utc(2020, 5, 2), utc(2020, 5, 2, 23, 59, 59)),
    "yyyyddd": ("2020123", utc(2020, 5, 2), utc(2020, 5, 2, 23, 59, 59)),
    "yyyymmddhh": ("2012090613", utc(2012, 9, 6, 13), utc(2012, 9, 6, 13, 59, 59)),
}


@pytest.mark.parametrize(("text", "begin", "end"), DAYS.values(), ids=DAYS.keys())
def test_date_means_all_of_it(text, begin, end):
    extent = from_groups({"date": text})
    assert (extent.begin, extent.end) == (begin, end)


MOMENTS = {
    "yyyydddhhmmss": ({"begin": "2020123010203"}, utc(2020, 5, 2, 1, 2, 3)),
    "yyyymmddhhmmss that is no day of a year": ({"begin": "20120906120000"}, utc(2012, 9, 6, 12)),
    "separated": ({"begin": "20201230_102034"}, utc(2020, 12, 30, 10, 20, 34)),
    "a day of the year, separated": ({"begin": "2020123T010203"}, utc(2020, 5, 2, 1, 2, 3)),
    "the group says so": (
        {"begin_yyyydddhhmmsss": "20201230102034"}, utc(2020, 5, 2, 1, 2, 3, 400000),
    ),
    "the group says the other": (
        {"begin_yyyymmddhhmmss": "20201230102034"}, utc(2020, 12, 30, 10, 20, 34),
    ),
    "yymmdd, which only a group can say": (
        {"date_yymmdd": "120906", "begin": "1200"}, utc(2012, 9, 6, 12),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("groups", "begin"), MOMENTS.values(), ids=MOMENTS.keys())
def test_digits_are_read_in_their_form(groups, begin):
    assert from_groups(groups).begin == begin


def test_digits_with_two_readings_are_left_out_with_the_remedy(caplog):
    """Day 123 of GOES-R was read as 30 December."""
    extent = from_groups({"begin": "20201230102034", "end": "20201230107034"})
    assert (extent.begin, extent.end) == (
        utc(2020, 5, 2, 1, 2, 3, 400000),
        utc(2020, 5, 2, 1, 7, 3, 400000),
    )  # as 30 December, the end has 70 minutes
    assert from_groups({"begin": "20201230102034"}).begin is None
    assert "2020-12-30 10:20:34 or 2020-05-02 01:02:03" in caplog.text
    assert "(?P<begin_yyyydddhhmmsss>...)" in caplog.text


@pytest.mark.parametrize(
    "moment", [utc(2020, 5, 2, 1, 2, 3, 400000), utc(2020, 12, 30, 10, 20, 34)], ids=["day", "date"]
)
def test_digits_with_two_readings_mean_what_agrees_with_the_product(tmp_path, moment):
    about = {"units": "seconds since 2020-01-01", "standard_name": "time"}
    seconds = (moment - utc(2020, 1, 1)).total_seconds()
    path = write_variables(tmp_path / "p.nc", time=(np.array([seconds, seconds + 60]), about))
    extent = extent_of(path, ("filename", "product"), {"begin": "20201230102034"})
    assert extent.begin == moment


@pytest.mark.parametrize(
    "groups",
    [{"date": "20366"}, {"date": "19366"}, {"date": "120906"}, {"begin": "1200"},
     {"begin_yyyydddhhmmss": "20121"}],
)  # fmt: skip
def test_day_that_does_not_exist_is_left_out(groups):
    begin = from_groups(groups).begin
    assert begin == (utc(2020, 12, 31) if groups == {"date": "20366"} else None)
