"""Times that a product keeps as a reference and offsets from it.

A reference is a time of one value, such as midnight of the day. The times of the samples are then
in another variable: counted since the same reference, or as a difference to be added.
"""

import re
from dataclasses import replace

from ..logutils.logger import log_warning
from ..products.catalogue import open_catalogue
from ..products.times import decode, is_time_unit

__all__ = ["may_have_offsets", "offset_times", "since"]

_DIFFERENCE = re.compile(r"(?:^|_)(?:d_?time|delta_?time|time_?delta|time_?offset|time_?diff\w*)$")
# Names for which another look into the file is worth its time.
_HINT = re.compile(r"time|offset|delta|elapsed|second|milli|(?:^|_)dt(?:_|$)")
_SAYS_SO = re.compile(
    r"(?:difference|offset|elapsed|relative)\b.*\b(?:reference|base|start)"
    r"|offset from base_time|time since (?:the )?reference"
)
_MIDNIGHT = "%Y-%m-%d %H:%M:%S.%f"


def may_have_offsets(product, times):
    """Whether times are one value only, beside which the product may have offsets."""
    if sum(variable.values.size for variable in times) != 1 or not times[0].present.all():
        return False
    if product.unnamed or len(product.times) > 1:
        return True
    names = {path.rpartition("/")[2] for path in product.names} - {times[0].name}
    return any(_HINT.search(name.lower()) for name in names)


def offset_times(product, reference):
    """Return the times of the samples beside a reference, or [] where there are none.

    Parameters
    ----------
    product : cumulus.products.Product
    reference : cumulus.products.Variable
        A time of one value.
    """
    try:
        (start,) = decode([float(reference.values.ravel()[0])], reference.attributes["units"],
                          reference.attributes["calendar"].lower() or "standard")  # fmt: skip
    except (ValueError, OverflowError):
        return []
    with open_catalogue(product.path) as catalogue:
        entries = [each for each in catalogue.entries if not each.is_scalar]
        entries = [each for each in entries if each.name != reference.name]
        counted = [each for each in entries if _counts_from(each, start)]
        added = [each for each in entries if is_difference(each)]
        times = [each.read() for each in counted] or [since(each, start) for each in added[:1]]
        if len(added) > 1 and not counted:
            names = ", ".join(each.name for each in added)
            log_warning(f"several offsets from {reference.name!r}: {names}; none is used")
            return []
    return [each for each in times if each is not None and each.present.any()]


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
    variable = entry.read(units=f"{entry.units} since {start.strftime(_MIDNIGHT)}")
    return variable and replace(variable, attributes={**variable.attributes, "calendar": ""})
