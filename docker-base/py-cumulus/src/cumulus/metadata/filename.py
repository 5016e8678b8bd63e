"""Extents from the file names of granules."""

import re
from datetime import UTC, datetime, timedelta

from .. import CumulusError
from ..extent import EDGES, Extent, make_box
from ..logutils.logger import log_warning

__all__ = ["doubt", "from_groups", "readings"]

_DAYS = {"yyyymmdd": "%Y%m%d", "yyyyddd": "%Y%j", "yymmdd": "%y%m%d", "yyddd": "%y%j"}
_CLOCKS = {"hh": "%H", "hhmm": "%H%M", "hhmmss": "%H%M%S", "hhmmsss": "%H%M%S"}
_FORMS = {
    **_DAYS,
    **{day + clock: _DAYS[day] + _CLOCKS[clock] for day in _DAYS for clock in _CLOCKS},
    "hhmm": "%H%M",
    "hhmmss": "%H%M%S",
}
# What so many digits are where no group says more. hhmmsss has tenths of a second, as the names of
# GOES-R have; that form and yyyymmddhhmmss have 14 digits both.
_USUAL = {
    4: ("hhmm",),
    5: ("yyddd",),
    6: ("hhmmss",),
    7: ("yyyyddd",),
    8: ("yyyymmdd",),
    10: ("yyyymmddhh",),
    12: ("yyyymmddhhmm",),
    13: ("yyyydddhhmmss",),
    14: ("yyyymmddhhmmss", "yyyydddhhmmsss"),
}
_TIMES = re.compile(rf"(date|begin|end)(?:_({'|'.join(sorted(_FORMS, key=len, reverse=True))}))?")


def from_groups(groups):
    """Make an extent of the named groups of the id pattern.

    ``date`` is a day and alone means the whole day; ``begin`` and ``end`` are a time of that day
    (hhmm, hhmmss) or a date and time of their own. An end before its begin is on the next day. The
    number of digits tells the form: see :data:`_USUAL`; a group such as ``begin_yyyydddhhmmsss``
    says it. ``lat`` and ``lon`` are a point, ``west``, ``south``, ``east`` and ``north`` a box, in
    degrees with a sign or a letter, not both (``-20.5``, ``N20.5``, ``060W``).

    A time that can be read in two ways is left out, with a warning.
    """
    extents = readings(groups)
    if len(extents) == 1:
        return extents[0]
    log_warning(f"file name: {doubt(extents)}")
    return Extent(box=extents[0].box)


def doubt(extents):
    """Say that the times of a file name have two readings, and what to do about it."""
    moments = " or ".join(f"{extent.begin or extent.end:%Y-%m-%d %H:%M:%S}" for extent in extents)
    return (
        f"its time is {moments}, which is not certain: name the form in [granule] id, such as "
        "(?P<begin_yyyymmddhhmmss>...) or (?P<begin_yyyydddhhmmsss>...)"
    )


def readings(groups):
    """Return the extents that the named groups can mean: one, or two where a time is in doubt."""
    box = None
    try:
        box = _box(groups)
    except (ValueError, CumulusError) as error:
        log_warning(f"file name: {error}")
    extents, problems = [], []
    for choice in (0, -1):
        try:
            begin, end = _times(groups, choice)
            if begin and end and end < begin:
                raise ValueError(f"end {end} lies before begin {begin}")
        except (ValueError, OverflowError) as error:
            problems.append(str(error))
        else:
            extents.append(Extent(begin, end, box))
    if not extents:
        log_warning(f"file name: {problems[0]}")
        return [Extent(box=box)]
    return list(dict.fromkeys(extents))


def _times(groups, choice):
    texts = {}
    for name, text in groups.items():
        if text and (match := _TIMES.fullmatch(name)):
            texts[match[1]] = text, match[2]
    day, length = _parse(*texts["date"], choice) if "date" in texts else (None, None)
    begin, end = (
        _parse(*texts[name], choice, day)[0] if name in texts else None for name in ("begin", "end")
    )
    if day and begin is None and end is None:
        return day, day + length - timedelta(seconds=1)
    if day and begin and end and end < begin and end.date() == day.date():
        end += timedelta(days=1)
    return begin, end


def _parse(text, form, choice, day=None):
    """The moment of a text, and how long the day, hour, minute or second is that it names."""
    digits = re.sub(r"[-_.:TZ]", "", text)
    if not (digits.isdecimal() and digits.isascii()):
        raise ValueError(f"{text!r} is no date or time")
    forms = [form] if form else _forms(text, digits, day)
    form = forms[choice]
    if len(digits) != len(form):
        raise ValueError(f"{text!r} is not of the form {form}")
    has_tenths = form.endswith("sss")
    try:
        moment = datetime.strptime(digits[:-1] if has_tenths else digits, _FORMS[form])
        if moment.strftime(_FORMS[form]) != (digits[:-1] if has_tenths else digits):
            raise ValueError("day 366 of a common year, which strptime takes for 1 January")
    except ValueError:
        raise ValueError(f"{text!r} is no existing date or time") from None
    if has_tenths:
        moment += timedelta(milliseconds=100 * int(digits[-1]))
    if form in ("hhmm", "hhmmss"):
        if day is None:
            raise ValueError(f"{text!r} is a time without the group date")
        moment = datetime.combine(day, moment.time())
    clock = re.sub(r"^y+(?:ddd|mmdd)", "", form)
    length = {"": timedelta(days=1), "hh": timedelta(hours=1), "hhmm": timedelta(minutes=1)}
    return moment.replace(tzinfo=UTC), length.get(clock, timedelta(seconds=1))


def _forms(text, digits, day):
    """The forms that so many digits can have; a separator behind the day decides."""
    forms = _USUAL.get(len(digits), ())
    if not day:
        forms = [form for form in forms if form not in ("hhmm", "hhmmss")]
    parts = [len(part) for part in re.split(r"[-_.:TZ]", text)]
    if len(forms) > 1 and len(parts) > 1:
        is_day_of_year = parts[0] == 7 or parts[:2] == [4, 3]
        forms = [form for form in forms if ("ddd" in form) == is_day_of_year]
    if not forms:
        known = ", ".join(form for each in _USUAL.values() for form in each)
        raise ValueError(f"{text!r} is no date or time; known are {known}")
    return forms


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
