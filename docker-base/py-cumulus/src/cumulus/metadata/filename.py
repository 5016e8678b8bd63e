"""Extents from the file names of granules."""

import re
from datetime import UTC, datetime, timedelta

from .. import CumulusError
from ..extent import EDGES, Extent, make_box
from ..logutils.logger import log_warning

__all__ = ["from_groups"]


def from_groups(groups):
    """Make an extent of the named groups of the id pattern.

    ``date`` is yyyymmdd or yyyyddd, alone it means the whole day; ``begin`` and ``end`` are a
    time of that day (hhmm, hhmmss) or a date and time of their own. An end before its begin is
    on the next day. ``lat`` and ``lon`` are a point, ``west``, ``south``, ``east`` and ``north`` a
    box, in degrees with a sign or a letter, not both (``-20.5``, ``N20.5``, ``060W``).
    """
    begin = end = box = None
    try:
        begin, end = _name_times(groups)
    except (ValueError, OverflowError) as error:
        log_warning(f"file name: {error}")
    try:
        box = _box(groups)
    except (ValueError, CumulusError) as error:
        log_warning(f"file name: {error}")
    if begin and end and end < begin:
        log_warning(f"file name: end {end} lies before begin {begin}")
        begin = end = None
    return Extent(begin, end, box)


def _name_times(groups):
    day = _parse(groups["date"]) if groups.get("date") else None
    begin = _parse(groups["begin"], day) if groups.get("begin") else None
    end = _parse(groups["end"], day) if groups.get("end") else None
    if day and begin is None and end is None:
        return day, day + timedelta(days=1, seconds=-1)
    if day and begin and end and end < begin and end.date() == day.date():
        end += timedelta(days=1)
    return begin, end


def _parse(text, day=None):
    digits = re.sub(r"[-_.:TZ]", "", text)
    formats = {4: "%H%M", 6: "%H%M%S"} if day else {}
    formats |= {7: "%Y%j", 8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
    if not (digits.isdecimal() and digits.isascii()) or len(digits) not in formats:
        raise ValueError(f"{text!r} is no date or time; known are yyyymmdd, yyyyddd, hhmmss")
    try:
        moment = datetime.strptime(digits, formats[len(digits)])
        if len(digits) >= 7 and moment.year != int(digits[:4]):
            raise ValueError("day 366 of a common year, which strptime takes for 1 January")
    except ValueError:
        raise ValueError(f"{text!r} is no existing date or time") from None
    if len(digits) < 7:
        moment = datetime.combine(day, moment.time())
    return moment.replace(tzinfo=UTC)


def _box(groups):
    known = {key: groups[key] for key in EDGES if groups.get(key)}
    if groups.get("lat") and groups.get("lon"):
        known = dict.fromkeys(("south", "north"), groups["lat"])
        known |= dict.fromkeys(("west", "east"), groups["lon"])
    return make_box({
        key: _degrees(text, "NS" if key in ("south", "north") else "EW")
        for key, text in known.items()
    })  # fmt: skip


def _degrees(text, letters):
    match = re.fullmatch(
        rf"([{letters}])?([-+]?\d+(?:\.\d+)?)([{letters}])?", text.upper(), re.ASCII
    )
    if not match or sum(map(bool, (match[1], match[2][0] in "+-", match[3]))) > 1:
        form = "20.5, -20.5 or N20.5" if letters == "NS" else "60, -60 or 060W"
        raise ValueError(f"{text!r} is no number of degrees, such as {form}")
    number = float(match[2])
    return -number if (match[1] or match[3] or "") in ("S", "W") and number else number
