"""Times that a product keeps as a reference and offsets from it.

A reference is a time of one value, such as midnight of the day. The times of the samples are then
in another variable: counted since the same reference, or as a difference to be added.
"""

import re
from dataclasses import replace
from datetime import timedelta

from ..products.catalogue import open_catalogue
from ..products.times import decode, is_time_unit
from .positions import Refused
from .selection import squeezed
from .temporal import interval_of

__all__ = ["may_have_offsets", "offset_times", "since"]

_DIFFERENCE = re.compile(r"(?:^|_)(?:d_?time|delta_?time|time_?offset)$")
# Names for which another look into the file is worth its time.
_HINT = re.compile(
    r"(?!.*(?:forecast|reference|bounds|bnds))"
    r".*(?:time|offset|delta|elapsed|second|milli|(?:^|_)dt(?:_|$))"
)
_SAYS_SO = re.compile(
    r"\b(?:difference|offset|elapsed)\b.{,20}\b(?:from|since)\b.{,20}\b(?:reference|base|start)"
)
_LONGEST = timedelta(days=31)
_SAME = timedelta(seconds=1)


def may_have_offsets(product, times):
    """Whether times are one value only, beside which the product may have offsets."""
    if sum(variable.values.size for variable in times) != 1 or not times[0].present.all():
        return False
    if product.unnamed or len(product.times) > 1:
        return True
    names = {path.rpartition("/")[2] for path in product.names} - {times[0].name}
    return any(_HINT.match(name.lower()) for name in names)


def offset_times(product, reference):
    """Return the times of the samples beside a reference, or [] where there are none.

    Parameters
    ----------
    product : cumulus.products.Product
    reference : cumulus.products.Variable
        A time of one value.

    Raises
    ------
    Refused
        There are several that differ, or one is too far from the reference.
    """
    try:
        (start,) = decode([float(reference.values.ravel()[0])], reference.attributes["units"],
                          reference.attributes["calendar"].lower() or "standard")  # fmt: skip
    except (ValueError, OverflowError):
        return []
    with open_catalogue(product) as catalogue:
        entries = [each for each in catalogue.entries if not each.is_scalar]
        entries = [each for each in entries if each.name != reference.name]
        counted = [each for each in entries if _counts_from(each, start)]
        added = [] if counted else [each for each in entries if is_difference(each)]
        times = [each.read_time() for each in counted] or [since(each, start) for each in added]
    times = [squeezed(each) for each in times if each is not None and each.present.any()]
    intervals = [interval_of([each], {}) for each in times]
    if not times or (None, None) in intervals:
        return []
    begins, ends = zip(*intervals, strict=True)
    names = ", ".join(repr(each.name) for each in times)
    if max(begins) - min(begins) > _SAME or max(ends) - min(ends) > _SAME:
        raise Refused(f"{names} are different offsets from {reference.name!r}")
    if added and max(abs(begins[0] - start), abs(ends[0] - start)) > _LONGEST:
        raise Refused(f"{names} is farther from {reference.name!r} than a month")
    return times


def _counts_from(entry, start):
    """Whether a variable counts since the reference, or has the name of a time and more values."""
    standard_name = entry.attributes.get("standard_name", "").lower()
    if " since " not in entry.units or standard_name not in ("", "time"):
        return False
    try:
        return standard_name == "time" or decode([0.0], entry.units, "standard") == [start]
    except (ValueError, OverflowError):
        return False


def is_difference(entry):
    """Whether a variable in plain units of time says that it is a difference to be added."""
    if not is_time_unit(entry.units):
        return False
    return bool(_DIFFERENCE.search(entry.name.lower()) or _SAYS_SO.search(entry.text))


def since(entry, start):
    """Return the times of a difference that is added to a moment."""
    variable = entry.read_time(units=f"{entry.units} since {start:%Y-%m-%d %H:%M:%S.%f}")
    return variable and replace(variable, attributes={**variable.attributes, "calendar": ""})
