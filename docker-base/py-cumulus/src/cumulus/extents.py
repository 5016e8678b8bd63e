"""When and where a granule was observed, from its file name or from the product's CF coordinates.

What cannot be found is None; nothing is ever guessed. All times are UTC.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import CumulusError
from .formats import NETCDF, kind_of
from .logutils import log_warning

__all__ = ["Box", "Extent", "find_extent"]


@dataclass(frozen=True)
class Box:
    """Bounding rectangle in degrees; west > east where it crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self):
        if not (-90 <= self.south <= self.north <= 90):
            raise CumulusError(f"latitudes {self.south} to {self.north} are not within -90 to 90")
        if not (-180 <= self.west <= 180 and -180 <= self.east <= 180):
            raise CumulusError(f"longitudes {self.west}, {self.east} are not within -180 to 180")


@dataclass(frozen=True)
class Extent:
    """Begin and end of the observations and where they are; None is unknown."""

    begin: datetime | None = None
    end: datetime | None = None
    box: Box | None = None

    def __post_init__(self):
        if self.begin and self.end and self.end < self.begin:
            raise CumulusError(f"the end {self.end} lies before the begin {self.begin}")


def find_extent(product, sources=("product",), groups=None):
    """Find the extent of a product.

    Parameters
    ----------
    product : path-like
    sources : sequence of str
        Where begin and end come from, the first that answers wins: "filename", "product".
    groups : mapping of str to str, optional
        For "filename": what the id pattern's groups ``date``, ``begin`` and ``end`` matched.

    Returns
    -------
    Extent
        Unknown parts are None, each with a logged warning.
    """
    found, name = _product_extent(product), Path(product).name
    begin = end = None
    for source in sources:
        answer = _name_times(groups or {}) if source == "filename" else (found.begin, found.end)
        begin, end = begin or answer[0], end or answer[1]
    if begin and end and end < begin:
        log_warning(f"{name}: end {end} lies before begin {begin}: no temporal extent")
        begin = end = None
    elif begin is None:
        end = None  # the metadata formats have no range without a begin
        log_warning(f"{name}: no temporal extent found in {' or '.join(sources)}")
    if found.box is None:
        log_warning(f"{name}: no spatial extent found in the product's coordinates")
    return replace(found, begin=begin, end=end)


def _name_times(groups):
    """Return begin and end as the named groups say them.

    ``date`` is yyyymmdd or yyyyddd, alone it means the whole day; ``begin`` and ``end`` are a
    time of that day (hhmm, hhmmss) or a date and time of their own. An end before its begin is
    on the next day.
    """
    try:
        date = _parse(groups.get("date")) if groups.get("date") else None
        begin = _parse(groups.get("begin"), date) if groups.get("begin") else None
        end = _parse(groups.get("end"), date) if groups.get("end") else None
    except ValueError as error:
        log_warning(f"file name: {error}")
        return None, None
    if date and begin is None and end is None:
        return date, date + timedelta(days=1, seconds=-1)
    if date and begin and end and end < begin and end.date() == date.date():
        end += timedelta(days=1)
    return begin, end


def _parse(text, date=None):
    digits = re.sub(r"[-_.:TZ]", "", text)
    formats = {4: "%H%M", 6: "%H%M%S"} if date else {}
    formats |= {7: "%Y%j", 8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
    if not digits.isdecimal() or len(digits) not in formats:
        raise ValueError(f"{text!r} is no date or time; known are yyyymmdd, yyyyddd, hhmmss")
    try:
        moment = datetime.strptime(digits, formats[len(digits)])
    except ValueError:
        raise ValueError(f"{text!r} is no existing date or time") from None
    if len(digits) < 7:
        moment = datetime.combine(date, moment.time())
    return moment.replace(tzinfo=UTC)


def _product_extent(product):
    if kind_of(product) != NETCDF:
        return Extent()
    import netCDF4

    from . import coordinates

    try:
        with netCDF4.Dataset(product) as dataset:
            edges, begin, end = coordinates.cover(dataset)
    except (OSError, RuntimeError) as error:
        raise CumulusError(f"cannot read {str(product)!r}: {error}") from error
    return Extent(begin, end, Box(*edges) if edges else None)
