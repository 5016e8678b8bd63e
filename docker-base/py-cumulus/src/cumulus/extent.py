"""Time and place of a granule's observations. All times are UTC; unknown parts are None."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from . import CumulusError

__all__ = ["DECIMALS", "EDGES", "KEYS", "Box", "Extent", "from_mapping", "make_box"]

EDGES = ("west", "south", "east", "north")
KEYS = ("begin", "end", *EDGES)
DECIMALS = 6  # of a degree: 0.1 m


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
    """Begin, end and place of the observations; None is unknown.

    ``polygon`` is a closed, counter-clockwise ring of (longitude, latitude), and empty where there
    is none. A time without a zone is UTC.
    """

    begin: datetime | None = None
    end: datetime | None = None
    box: Box | None = None
    polygon: tuple = ()

    def __post_init__(self):
        for name in ("begin", "end"):
            moment = getattr(self, name)
            if moment:
                object.__setattr__(self, name, _in_utc(moment))
        if self.begin and self.end and self.end < self.begin:
            raise CumulusError(f"the end {self.end} lies before the begin {self.begin}")
        ring = self.polygon
        if ring and (len(ring) < 4 or ring[0] != ring[-1]):
            raise CumulusError(f"a polygon of {len(ring)} points that is not a closed ring")
        for longitude, latitude in ring:
            Box(longitude, latitude, longitude, latitude)  # checks the ranges


def _in_utc(moment):
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:
        raise CumulusError(f"{moment} is not within the years 1 to 9999 in UTC") from None


def make_box(known):
    """Make a box of a mapping with the names in EDGES; None where it has none of them.

    Longitudes may go up to 360; what spans 360 degrees or more goes round the Earth.

    Raises
    ------
    CumulusError
        Some are missing, are no numbers, or are out of range.
    """
    given = [key for key in EDGES if known.get(key) is not None]
    if not given:
        return None
    if len(given) < len(EDGES):
        missing = ", ".join(key for key in EDGES if key not in given)
        raise CumulusError(f"{', '.join(given)} without {missing}")
    try:
        west, south, east, north = (float(known[key]) for key in EDGES)
    except (TypeError, ValueError, OverflowError):
        raise CumulusError("west, south, east and north must be numbers") from None
    if west >= -180 and east <= 360 and round(east - west, DECIMALS) >= 360:
        return Box(-180.0, south, 180.0, north)  # from 0 to 360 is not from 0 to 0
    return Box(_wrap(west), south, _wrap(east), north)


def _wrap(longitude):
    """Bring 0 to 360 degrees to -180 to 180; other values are kept, and refused by Box."""
    return longitude - 360 if 180 < longitude <= 360 else longitude


def from_mapping(known, origin):
    """Make an extent of what a person wrote: a mapping with some of the names in KEYS.

    Times are ``datetime``, ``date`` (the whole day) or ISO 8601 text; edges are degrees, where
    longitudes may go up to 360. An :class:`Extent` stays as it is, None is unknown.

    Raises
    ------
    CumulusError
        A name is unknown, a value is no time or number, or the values contradict each other.
    """
    if known is None or isinstance(known, Extent):
        return known or Extent()
    try:
        unknown = set(known) - set(KEYS)
        if unknown:
            raise CumulusError(f"{sorted(unknown)[0]!r} is not known: expected {', '.join(KEYS)}")
        begin, end = (_moment(known.get(key), key) for key in ("begin", "end"))
        return Extent(begin, end, make_box(known))
    except (CumulusError, TypeError) as error:
        raise CumulusError(f"{origin}: {error}") from error


# The end of a day, as ISO 8601 has it, and a leap second: neither is a time for datetime.
_MIDNIGHT = re.compile(r"(.{8,10}[T ])24:?00(:?00(?:[.,]0+)?)?(Z|[+-]\d\d:?\d\d)?")
_LEAP = re.compile(r"(.{8,10}[T ]\d\d:?59:?)60((?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?)")


def _regular(text):
    """Return a time that datetime knows, and what is to be added to it."""
    if match := _MIDNIGHT.fullmatch(text):
        return f"{match[1]}00:00{match[3] or ''}", timedelta(days=1)
    if match := _LEAP.fullmatch(text):  # the second after 23:59:59 begins the next day, too
        return f"{match[1]}59{match[2]}", timedelta(seconds=1)
    return text, timedelta()


def _moment(value, key):
    if isinstance(value, str):
        text, more = _regular(value.strip())
        is_day = len(text.replace("-", "")) == 8  # 2012-09-06 or 20120906
        try:
            value = (date if is_day else datetime).fromisoformat(text) + more
        except (ValueError, OverflowError):
            raise CumulusError(f"{key} {value!r} is no date or time (ISO 8601)") from None
    if value is None or isinstance(value, datetime):
        return value
    if isinstance(value, date):
        last = time(23, 59, 59) if key == "end" else time()
        return datetime.combine(value, last, UTC)
    raise CumulusError(f"{key} must be a date and time, not {value!r}")
