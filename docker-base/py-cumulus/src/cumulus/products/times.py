"""CF times as moments in UTC: counts since a reference, which may name a time zone."""

import re
import warnings
from datetime import UTC, datetime, timedelta

__all__ = ["dates", "decode", "is_month", "is_time_unit", "split_units"]

_UNITS = {"week": 604800, "day": 86400, "hour": 3600, "hr": 3600, "h": 3600, "minute": 60,
          "min": 60, "second": 1, "sec": 1, "s": 1, "millisecond": 1e-3, "microsecond": 1e-6,
          "nanosecond": 1e-9}  # fmt: skip
_GREGORIAN = datetime(1582, 10, 15, tzinfo=UTC)
# CF-1.8, section 4.4, and UDUNITS: 1992-10-8 15:15:42.5 -6:00. The whole text must match: the
# library ignores a zone, or an hour, that it does not know.
_REFERENCE = re.compile(
    r"(?P<year>-?\d{1,4})(?:-(?P<month>\d{1,2})(?:-(?P<day>\d{1,2})"
    r"(?:(?:T|\s+)(?P<hour>\d{1,2})(?::(?P<minute>\d{1,2})(?::(?P<second>\d{1,2})"
    r"(?P<fraction>\.\d*)?)?)?)?"
    # A zone from -14 to 14 hours; after a date alone it stands apart: 2000-001 is the first day.
    # One such as 0:00, which ARM's files have, needs no sign behind a time of the day.
    # A lone 0 behind the time is the zone of UTC.
    r"(?:\s*(?:Z|UTC?|GMT)|(?(second)\s+0{1,2}|(?!))|(?(hour)\s*|\s+)(?P<sign>[+-]|(?(hour)(?<=\s)(?=\d\d?:\d)|(?!)))"
    r"(?P<hours>1[0-4]|0?\d)"
    r"(?P<minutes>:[0-5]?\d|[0-5]\d)?)?)?)?",
    re.IGNORECASE,
)


def decode(values, units, calendar):
    """Turn CF time values into moments.

    Parameters
    ----------
    values : sequence of float
    units, calendar : str
        As CF has them; the calendar is one of those of the real world.

    Returns
    -------
    list of datetime.datetime

    Raises
    ------
    ValueError, OverflowError
        The unit or the reference is not known, or a moment is beyond the years 1 to 9999.
    """
    unit, reference, offset = split_units(units)
    if is_month(units):
        return [moment - offset for moment in _decode_months(values, reference)]
    moments = _decode_plain(values, unit, reference)
    if moments is not None:
        return [moment - offset for moment in moments]
    return [
        datetime(*date.timetuple()[:6], date.microsecond, tzinfo=UTC)
        for date in dates(values, units, calendar)
    ]


def dates(values, units, calendar):
    """Turn CF time values into dates in UTC of their own calendar, which may have a 30 February.

    Parameters and errors are those of :func:`decode`.

    Returns
    -------
    list of cftime.datetime
    """
    import netCDF4  # knows every unit, date and calendar

    unit, reference, offset = split_units(units)
    with warnings.catch_warnings(action="ignore"):  # that a calendar has no year 0
        moments = netCDF4.num2date(values, f"{unit} since {reference}", calendar)
        return [date - offset for date in moments]


def split_units(units):
    """Return the unit, the reference in full without its zone, and the zone's offset from UTC.

    Raises
    ------
    ValueError
        The reference is not understood.

    Examples
    --------
    >>> split_units("seconds since 1992-10-8 15:15:42.5 -6:00")
    ('seconds', '1992-10-08 15:15:42.500000', datetime.timedelta(days=-1, seconds=64800))
    """
    unit, _, text = units.partition(" since ")
    parts = _REFERENCE.fullmatch(text.strip())
    if not parts:
        raise ValueError(f"the reference {text.strip()!r} is not understood")
    year, *others = (
        int(parts[name] or default)
        for name, default in (("year", 1), ("month", 1), ("day", 1), ("hour", 0), ("minute", 0),
                              ("second", 0))
    )  # fmt: skip
    micro = int(f"{(parts['fraction'] or '.')[1:]:0<6.6}")
    date = "{:04d}-{:02d}-{:02d} {:02d}:{:02d}:{:02d}".format(year, *others)
    minutes = int((parts["minutes"] or "0").lstrip(":"))
    zone = timedelta(hours=int(parts["hours"] or 0), minutes=minutes)
    return unit.strip(), f"{date}.{micro:06d}", -zone if parts["sign"] == "-" else zone


def is_month(units):
    """Return whether CF units count months."""
    return units.partition(" since ")[0].strip().lower() in ("month", "months")


def _decode_months(values, reference):
    """Whole months since a day that every month has."""
    start = datetime.fromisoformat(reference).replace(tzinfo=UTC)
    if start.day > 28 or any(value != int(value) for value in values):
        raise ValueError("only whole months since a day from 1 to 28 are certain")
    counts = [12 * start.year + start.month - 1 + int(value) for value in values]
    return [start.replace(year=count // 12, month=count % 12 + 1) for count in counts]


def is_time_unit(text):
    """Return whether a text is a unit of time, such as "s" or "Days"."""
    return _seconds(text) is not None


def _seconds(unit):
    return _UNITS.get(unit.lower().removesuffix("s") or unit)


def _decode_plain(values, unit, reference):
    """Decode what needs no calendar arithmetic; None for anything else."""
    seconds = _seconds(unit)
    if seconds is None:
        return None
    try:
        start = datetime.fromisoformat(reference).replace(tzinfo=UTC)
        moments = [start + timedelta(seconds=value * seconds) for value in values]
    except (ValueError, OverflowError):
        return None
    # Before that day the standard calendar was another one.
    return moments if min(start, *moments) >= _GREGORIAN else None
