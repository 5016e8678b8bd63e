"""Axes of the report's pictures: round ticks at the right positions."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cumulus.compare.html.axes import (
    MOST,
    count_axis,
    index_axis,
    sample_axis,
    sample_indices,
    value_axis,
)


def texts(axis):
    return [text for _, text in axis.ticks]


@pytest.mark.parametrize(
    ("ends", "labels", "name"),
    [
        ((0.0, 10.0), ["0", "2", "4", "6", "8", "10"], "K"),
        ((284.6, 295.8), ["285", "290", "295"], "K"),
        ((-1.3, 1.3), ["-1", "0", "1"], "K"),
        ((-2e-9, 2e-9), ["-2e-09", "-1e-09", "0", "1e-09", "2e-09"], "K"),
        ((1581206400.0, 1581206440.0), ["+0", "+10", "+20", "+30", "+40"], "K above 1581206400"),
        ((-1000.004, -1000.0), ["+0", "+0.001", "+0.002", "+0.003", "+0.004"], "K above -1000.004"),
    ],
)
def test_values_have_round_ticks(ends, labels, name):
    """Numbers that only many digits tell apart are above a base."""
    axis = value_axis("K", *ends)
    assert (texts(axis), axis.name) == (labels, name)


@given(st.floats(-1e12, 1e12), st.floats(1e-9, 1e12))
@example(450359962737.40625, 0.0001)
def test_ticks_of_values_are_few_and_within_the_axis(low, span):
    """They differ from each other, too."""
    axis = value_axis("", low, low + span)
    shares = [share for share, _ in axis.ticks]
    assert len(shares) <= MOST + 1 and shares == sorted(shares)
    assert all(-1e-6 <= share <= 1 + 1e-6 for share in shares)


def test_whole_numbers_have_whole_ticks():
    assert texts(value_axis("", -0.04, 1.04, whole=True)) == ["0", "1"]


def test_counts_have_powers_of_ten():
    """The axis is logarithmic; a power too near to 0 is left out."""
    assert texts(count_axis("", 9)) == ["0", "1"]
    assert texts(count_axis("", 7200)) == ["0", "10", "100", "1,000"]
    assert texts(count_axis("", 1)) == ["0", "1"] and count_axis("", 1).ticks[1][0] == 1


@pytest.mark.parametrize(("first", "length"), [(0, 37), (1, 5000), (0, 2), (1, 7)])
def test_tick_of_an_index_is_in_the_middle_of_its_sample(first, length):
    for share, text in index_axis("n", length, first).ticks:
        assert share == pytest.approx((int(text) - first + 0.5) / length)


def axis_of(values, units="m", calendar="standard"):
    values = np.asarray(values, "f8")
    return sample_axis("x", len(values), values[sample_indices(len(values))], units, calendar)


@pytest.mark.parametrize("reverse", [False, True])
def test_tick_of_an_even_coordinate_is_at_its_value(reverse):
    """Its position among the samples is that of the value, whichever way they run."""
    values = 113 + 61.3 * np.arange(300)[:: -1 if reverse else 1]
    axis = axis_of(values)
    assert sorted(map(float, texts(axis))) == [5000, 10000, 15000]
    assert (axis.ascends, axis.name) == (not reverse, "x (m)")
    for share, text in axis.ticks:
        position = np.interp(float(text), np.sort(values), np.argsort(values))
        assert share == pytest.approx((position + 0.5) / 300)


def test_uneven_coordinate_has_ticks_at_samples():
    """A round value would be at a wrong position."""
    axis = axis_of([1, 2, 4, 8, 16])
    assert axis.ticks == ((0.1, "1"), (0.5, "4"), (0.9, "16"))


def test_coordinate_without_values_has_an_axis_all_the_same():
    assert texts(axis_of([np.nan] * 3)) == ["nan"] * 3


@pytest.mark.parametrize(
    ("step", "count", "units", "labels", "name"),
    [
        (7, 1200, "seconds since 2012-09-06 12:00:43",
         ["12:30", "13:00", "13:30", "14:00"], "x (UTC, 2012-09-06)"),
        (1, 20, "seconds since 2012-09-06 12:00:00",
         ["12:00:00", "12:00:05", "12:00:10", "12:00:15"], "x (UTC, 2012-09-06)"),
        (1, 31, "hours since 2012-09-06 00:00:00",
         ["09-06 00:00", "09-06 06:00", "09-06 12:00", "09-06 18:00", "09-07 00:00",
          "09-07 06:00"], "x (UTC)"),
        (1, 100, "days since 2012-01-01", ["2012-01-01", "2012-01-21", "2012-02-10",
                                           "2012-03-01", "2012-03-21"], "x (UTC)"),
    ],
    ids=["minutes", "seconds", "hours", "days"],
)  # fmt: skip
def test_times_have_round_ticks(step, count, units, labels, name):
    axis = axis_of(np.arange(count) * step, units)
    assert (texts(axis), axis.name) == (labels, name)
