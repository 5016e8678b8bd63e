"""Axes of pictures: round ticks for values, samples and times."""

import datetime
import math
from dataclasses import dataclass

import numpy as np

from ...products.times import dates

__all__ = ["Axis", "count_axis", "index_axis", "sample_axis", "sample_indices", "value_axis"]

MOST = 6  # ticks of an axis
SAMPLES = 9  # of a coordinate variable: they tell whether it is even
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800)  # seconds
_STEPS += (3600, 7200, 10800, 21600, 43200)
_DAY = 86400
_NEAR = 1e-6  # of the axis; a tick this far outside is one of its ends


@dataclass(frozen=True)
class Axis:
    """An axis of a picture.

    Attributes
    ----------
    name : str
    ticks : tuple of (float, str)
        Share of the axis, from its first to its last end, and text.
    ascends : bool
        The first end is at the left, or at the bottom.
    """

    name: str
    ticks: tuple[tuple[float, str], ...] = ()
    ascends: bool = True


def value_axis(name, low, high, whole=False):
    """Return the axis of values from low to high; ``whole``: only whole numbers get ticks.

    Ticks that only a long number tells apart, such as seconds since 1970, are above a base, which
    the name gives.
    """
    values, step = _round_values(low, high, 1 if whole else 0)
    base = values[0] if values and max(abs(low), abs(high)) > 1e5 * step else 0.0
    sign = "+" if base else ""
    shares = [(value - low) / (high - low) for value in values]
    ticks = tuple(
        (share, f"{sign}{_text(value - base, step)}")
        for share, value in zip(shares, values, strict=True)
        if -_NEAR <= share <= 1 + _NEAR  # few floats lie between large, close limits
    )
    return Axis(f"{name} above {base:.12g}".strip() if base else name, ticks)


def count_axis(name, most):
    """Return a logarithmic axis of counts from 0 to ``most``; ticks are powers of ten."""
    powers = [10**power for power in range(int(math.log10(most)) + 1)]
    powers = powers[:: -(-len(powers) // MOST)]
    ticks = [(math.log1p(count) / math.log1p(most), f"{count:,}") for count in (0, *powers)]
    return Axis(name, tuple(tick for tick in ticks if tick[0] == 0 or tick[0] > 0.1))


def sample_indices(length):
    """Return up to SAMPLES indices that are spread evenly over a dimension."""
    return np.unique(np.linspace(0, length - 1, SAMPLES).round().astype(int))


def index_axis(name, length, first=0, ascends=True):
    """Return the axis of samples without a coordinate, which count from ``first``."""
    values, _ = _round_values(first, first + length - 1, 1)
    ticks = tuple(((value - first + 0.5) / length, f"{value:.0f}") for value in values)
    return Axis(name, ticks, ascends)


def sample_axis(name, length, values, units, calendar):
    """Return the axis of a dimension with a coordinate variable.

    Parameters
    ----------
    name : str
    length : int
        Number of samples.
    values : sequence of float
        The coordinate at `sample_indices`. Uneven coordinates have ticks at the first, the middle
        and the last of them.
    units, calendar : str
    """
    values = np.asarray(values, "f8")
    shares = (sample_indices(length) + 0.5) / length
    ascends = bool(values[0] <= values[-1])
    if " since " in units and np.isfinite(values).all():
        try:
            moments = dates(values.tolist(), units, calendar)
        except (ValueError, OverflowError):
            moments = None
        if moments is not None:
            return _time_axis(name, shares, moments, ascends)
    ticks = _even_ticks(shares, values, length, _round_values)
    if ticks is None:
        ticks = [(shares[i], f"{values[i]:.5g}") for i in _three(len(values))]
    else:
        ticks, step = ticks
        ticks = [(share, _text(value, step)) for share, value in ticks]
    return Axis(f"{name} ({units})" if units not in ("", "1") else name, tuple(ticks), ascends)


def _time_axis(name, shares, moments, ascends):
    midnight = moments[0].replace(hour=0, minute=0, second=0, microsecond=0)
    seconds = np.array([(moment - midnight).total_seconds() for moment in moments])
    one_day = moments[0].strftime("%Y-%m-%d") == moments[-1].strftime("%Y-%m-%d")
    name = f"{name} (UTC, {moments[0].strftime('%Y-%m-%d')})" if one_day else f"{name} (UTC)"
    ticks = _even_ticks(shares, seconds, len(shares), _round_seconds)
    if ticks is None:
        ticks, step = [(shares[i], seconds[i]) for i in _three(len(shares))], 1
    else:
        ticks, step = ticks
    form = "%H:%M:%S" if step < 60 else "%H:%M"
    if not one_day:
        form = "%Y-%m-%d" if ticks[-1][1] - ticks[0][1] >= 2 * _DAY else "%m-%d %H:%M"
    texts = (
        (share, (midnight + datetime.timedelta(seconds=float(value))).strftime(form))
        for share, value in ticks
    )
    return Axis(name, tuple(texts), ascends)


def _even_ticks(shares, values, length, round_values):
    """Return round values with their shares, and their step; None if samples are uneven."""
    span = values[-1] - values[0]
    if not np.isfinite(values).all() or span == 0:
        return None
    even = values[0] + (shares - shares[0]) / (shares[-1] - shares[0]) * span
    if np.abs(values - even).max() > abs(span) / max(length, 100):
        return None
    ticks, step = round_values(min(values[0], values[-1]), max(values[0], values[-1]))
    if len(ticks) < 2:
        return None
    slope = (shares[-1] - shares[0]) / span
    return [(shares[0] + (value - values[0]) * slope, value) for value in ticks], step


def _round_values(low, high, least=0):
    """Return at most MOST round numbers between low and high, and their distance."""
    if not (math.isfinite(low) and math.isfinite(high) and high > low):
        return [], 1
    rough = max((high - low) / (MOST - 1), least, 1e-300)
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(n * power for n in (1, 2, 5, 10) if n * power >= rough * (1 - 1e-9))
    return _multiples(low, high, step), step


def _round_seconds(low, high):
    rough = (high - low) / (MOST - 1)
    step = next((step for step in _STEPS if step >= rough), None)
    if step is None:
        step = max(1, round(_round_values(low / _DAY, high / _DAY, 1)[1])) * _DAY
    return _multiples(low, high, step), step


def _multiples(low, high, step):
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [number * step for number in range(first, last + 1)]


def _text(value, step):
    """Return a multiple of a step without the digits of its rounding."""
    return f"{0.0 if abs(value) < step / 2 else value:.6g}"


def _three(count):
    return 0, (count - 1) // 2, count - 1
