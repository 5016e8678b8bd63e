"""Which variables are the times of a product, and from when to when they reach."""

import re
from datetime import timedelta
from itertools import product as product_of

import numpy as np

from ..logutils.logger import log_warning
from ..products.catalogue import open_catalogue
from ..products.large import LargeValues
from ..products.times import decode, is_month
from .positions import Refused
from .selection import best, squeezed
from .thinning import Mask

__all__ = ["chosen_times", "interval_of", "of_samples"]

_REAL_CALENDARS = {"standard", "gregorian", "proleptic_gregorian"}
_OTHER_SCALES = ("tai", "gps")
_WORDS = frozenset(_OTHER_SCALES)  # where they are whole words of a name
_SAME = timedelta(seconds=1)
# What files write where they have no value: nines, and the smallest integers of 16 and 32 bits.
MARKS = (-999, -9999, -99999, -999999, -9999999, -(2**15), -(2**31), 1 - 2**31)


def chosen_times(product):
    """Return the CF times of a product that count.

    Raises
    ------
    Refused
        Two times of the same samples differ, and nothing tells which of them is UTC.
    """
    chosen = {}  # by identity
    for variable in best(product, product.times):
        rivals = [each for each in product.times if _is_rival(each, variable)]
        winner = _utc_of(product, variable, rivals) if rivals else variable
        chosen[id(winner)] = winner
    for each in chosen.values():
        if not _WORDS.isdisjoint(re.split(r"[^a-z]+", each.name.lower())):
            log_warning(
                f"variable {each.name}: its name says TAI or GPS, which leap seconds divide from "
                "UTC: they are not subtracted"
            )
    return [squeezed(variable) for variable in chosen.values()]


def _is_rival(other, variable):
    """Whether two variables with the name of a time are of the same samples."""
    are_named = all(each.attributes["standard_name"] for each in (other, variable))
    where = [(each.group, each.dimensions) for each in (other, variable)]
    return other is not variable and are_named and where[0] == where[1]


def _utc_of(product, variable, rivals):
    """That of several times which the data name, or which says UTC."""
    times = [variable, *rivals]
    named = [each for each in times if each.name in product.used]
    if len(named) == 1:
        return named[0]
    with open_catalogue(product) as catalogue:
        texts = {id(each): _text(catalogue, each) for each in times}
    utc = [each for each in times if "utc" in texts[id(each)]]
    if len(utc) == 1:
        return utc[0]
    plain = [each for each in times if not any(s in texts[id(each)] for s in _OTHER_SCALES)]
    if len(plain) == 1:
        return plain[0]
    if _are_equal(times):
        return variable
    names = " and ".join(repr(each.name) for each in times)
    raise Refused(
        f"{names} are times of the same samples, and none is named in coordinates or says UTC"
    )


def _text(catalogue, variable):
    entry = catalogue.find(f"{variable.group}/{variable.name}")
    return entry.text if entry else variable.name.lower()


def _are_equal(times):
    begins, ends = zip(*(interval_of([each], {}) for each in times), strict=True)
    if None in begins:
        return False
    return max(begins) - min(begins) <= _SAME and max(ends) - min(ends) <= _SAME


def interval_of(times, located):
    """Return begin and end (UTC) of times; None and None without any.

    Where the samples of a time have positions, only samples with a valid position count, as in
    GHRC's inventory of dropsondes: time and place describe the same samples.

    Parameters
    ----------
    times : sequence of cumulus.products.Variable
    located : mapping
        Which samples have a position: see :func:`.positions.located`.
    """
    moments = []
    for variable in times:
        calendar = variable.attributes["calendar"].lower() or "standard"
        if calendar not in _REAL_CALENDARS:
            log_warning(f"variable {variable.name}: calendar {calendar} has no UTC")
            continue
        if isinstance(variable.values, LargeValues):
            ends = _ends_of_large(variable, located)
            moments += _decode(variable, ends, calendar) if ends else []
            continue
        present = _set_times(variable)
        valid = present & _has_position(variable, located)
        if not valid.any():
            valid = present  # the positions belong to something else
        values = _cells(variable, valid)
        if values.size:
            ends = [float(values.min()), float(values.max())]
            moments += _decode(variable, ends, calendar)
    return (min(moments), max(moments)) if moments else (None, None)


def of_samples(times, located):
    """Return the times of the samples that have a position, or all where no position is a sample's.

    A lone time of another group is not theirs: an orbit's crossing of the equator, the last turn
    of the satellite.

    Parameters are those of :func:`interval_of`.
    """
    groups = {
        each.group for each in times
        if any(key in located for key in (each.dimensions, *((name,) for name in each.dimensions)))
    }  # fmt: skip
    if not groups:
        return times
    return [each for each in times if each.values.size > 1 or each.group in groups]


def _set_times(variable):
    """Which values are present, without marks such as -9999 that no attribute declares.

    A mark among values of which no other is negative is no time; a warning counts them.
    """
    if not variable.values.size or variable.values.min() >= 0:  # all marks are negative
        return variable.present
    marks = variable.present & np.isin(variable.values, MARKS)
    others = variable.values[variable.present & ~marks]
    if not marks.any() or (others.size and others.min() < 0):
        return variable.present
    _warn_of_marks(variable, int(marks.sum()), variable.values[marks].flat[0])
    return variable.present & ~marks


def _warn_of_marks(variable, count, mark):
    log_warning(
        f"variable {variable.name}: {count} of {variable.values.size} times are "
        f"{mark}, an undeclared fill value, and were left out"
    )


def _ends_of_large(variable, located):
    """The first and the last of times that are too many for memory, as floats; [] without any.

    Marks and positions count as they do for other times.
    """
    ranges = {}  # by whether they are marks, and have a position
    count, mark = 0, None
    for part in variable.values.parts():
        values, present = variable.values.read(part)
        is_mark = present & np.isin(values, MARKS)
        if is_mark.any():
            mark = values[is_mark].flat[0] if mark is None else mark
            count += int(is_mark.sum())
        known = _has_position(variable, located, part)
        for key in product_of((False, True), repeat=2):
            chosen = values[present & (is_mark == key[0]) & (known == key[1])]
            if chosen.size:
                ranges.setdefault(key, []).extend((chosen.min(), chosen.max()))
    times = [value for (is_mark, _), ends in ranges.items() if not is_mark for value in ends]
    if count and not (times and min(times) < 0):
        _warn_of_marks(variable, count, mark)
        ranges = {key: ends for key, ends in ranges.items() if not key[0]}
    located_ends = [value for (_, known), ends in ranges.items() if known for value in ends]
    chosen = located_ends or [value for ends in ranges.values() for value in ends]
    return [float(min(chosen)), float(max(chosen))] if chosen else []


def _has_position(variable, located, part=None):
    """Which times, of a part or all, belong to samples with a position; all if none is known."""
    if part is None:
        part = tuple(slice(0, length) for length in variable.present.shape)
    if variable.dimensions in located:
        return _flags(located[variable.dimensions], part)
    known = np.ones([each.stop - each.start for each in part], bool)
    for axis, dimension in enumerate(variable.dimensions):
        if (dimension,) in located:
            others = [i for i in range(known.ndim) if i != axis]
            some = _flags(located[dimension,], part[axis : axis + 1])
            known &= np.expand_dims(some, others)
    return known


def _flags(flags, part):
    return flags.get(part) if isinstance(flags, Mask) else flags[part]


def _cells(variable, valid):
    """The valid values, or the bounds of their cells where these are known."""
    values = variable.values[valid]
    if variable.bounds is None:
        return values
    bounds = variable.bounds[valid].astype("f8")
    values = values[:, np.newaxis]
    bounds = np.where(np.isfinite(bounds), bounds, values)
    length = np.ptp(bounds, axis=-1, keepdims=True)  # a time may lie a cell before or after its own
    low, high = (reach(bounds, axis=-1, keepdims=True) for reach in (np.min, np.max))
    holds = (low - length <= values) & (values <= high + length)
    if count := int((~holds).sum()):
        log_warning(
            f"variable {variable.name}: {count} of {holds.size} bounds do not hold their time and "
            "were left out"
        )
    return np.where(holds, bounds, values)


def _decode(variable, values, calendar):
    """Turn CF time values into moments, to the nearest millisecond; an unknown unit gives none."""
    units = variable.attributes["units"]
    try:
        if is_month(units) and variable.bounds is None:
            raise ValueError(f"{units!r} without bounds does not tell when a month ends")
        return [_to_millisecond(moment) for moment in decode(values, units, calendar)]
    except (ValueError, OverflowError) as error:  # OverflowError at the end of year 9999
        log_warning(f"variable {variable.name}: cannot decode its time: {error}")
        return []


def _to_millisecond(moment):
    whole = moment.replace(microsecond=0)
    return whole + timedelta(milliseconds=round(moment.microsecond / 1000))
