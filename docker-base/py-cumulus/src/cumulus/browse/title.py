"""The time in the title of a browse image."""

import re
from datetime import datetime

import numpy as np

from ..products.times import decode

__all__ = ["times_of"]

_COVERAGE = "time_coverage_start", "time_coverage_end"  # attributes of ACDD-1.3
_DATE = re.compile(r"\d{4}-\d\d-\d\d(T| )\d\d:\d\d:\d\d(\.\d+)?Z?")


def times_of(dataset, scene):
    """Begin and end of a picture in UTC, "" where they are unknown.

    They come from the time axis of the picture, else from ``time_coverage_start`` and ``_end``.

    Parameters
    ----------
    dataset : netCDF4.Dataset
    scene : Scene
    """
    if scene.x is not None and scene.x.times:
        known = scene.x.values[np.isfinite(scene.x.values)]
        if known.size:
            try:
                return _interval(*decode([float(known.min()), float(known.max())], *scene.x.times))
            except (ValueError, OverflowError):
                return ""
    texts = [str(getattr(dataset, name, "")).strip() for name in _COVERAGE]
    if not all(map(_DATE.fullmatch, texts)):
        return ""
    try:
        return _interval(*(datetime.fromisoformat(text.rstrip("Z")[:19]) for text in texts))
    except ValueError:
        return ""


def _interval(begin, end):
    """
    >>> _interval(datetime(2012, 9, 6, 12, 1, 40), datetime(2012, 9, 6, 13, 2))
    '2012-09-06 12:01:40 to 13:02:00 UTC'
    """
    first, last = (f"{time:%Y-%m-%d %H:%M:%S}" for time in (begin, end))
    if first == last:
        return f"{first} UTC"
    return f"{first} to {last[11:] if first[:10] == last[:10] else last} UTC"
