"""What files without CF attributes have in common: usual names, and references in other attributes.

These rules are asked only where the CF coordinates of a product do not answer. A rule in doubt is
refused.
"""

import re
from datetime import UTC, datetime

import numpy as np

from ..products.angles import angle
from ..products.large import LargeValues
from ..products.model import is_latitude, is_longitude
from ..products.times import decode, is_time_unit
from .offsets import is_difference, since
from .positions import Refused, in_degrees, pair
from .selection import squeezed
from .temporal import interval_of

__all__ = [
    "have_usual_positions",
    "may_have_usual_times",
    "named_positions",
    "named_times",
    "usual_positions",
    "usual_times",
]

_LATITUDES = {"lat", "lats", "latitude", "latitudes", "xlat", "nav_lat"}
_LONGITUDES = {"lon", "lons", "long", "longitude", "longitudes", "xlong", "nav_lon"}
# Names of times that are not those of the samples.
_OTHER_TIMES = re.compile(
    r"ref|base|launch|creat|process|product|epoch|forecast|init|calib|orbit|modif|valid|deploy"
)
_SINCE = re.compile(r"(\w+) since (\d{4}-\d{1,2}-\d{1,2}.*)", re.IGNORECASE)
_SANE = datetime(1900, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


# --- positions -------------------------------------------------------------------------------


def named_positions(catalogue, latitude, longitude):
    """Return the positions of the variables that collection.toml names.

    Raises
    ------
    Refused
        A variable is not in the product, or its units are not those of its kind.
    """
    variables = [_named(catalogue, path) for path in (latitude, longitude)]
    north, east = (
        squeezed(in_degrees(variable, kind))
        for variable, kind in zip(variables, ("latitude", "longitude"), strict=True)
    )
    if positions := pair([north], [east]):
        return positions
    raise Refused(f"{latitude!r} and {longitude!r} are neither samples nor the axes of a grid")


def _named(catalogue, path):
    entry = catalogue.find(path)
    variable = entry and entry.read(in_memory=False)
    if variable is None:
        raise Refused(f"the product has no numeric variable {path!r}")
    return variable


def have_usual_positions(names):
    """Return whether variables, by their paths, have usual names of a latitude and a longitude."""
    lone = {path.rpartition("/")[2].lower() for path in names}
    return not (lone.isdisjoint(_LATITUDES) or lone.isdisjoint(_LONGITUDES))


def usual_positions(catalogue):
    """Return the positions of variables with usual names that have no units, or plain degrees.

    Raises
    ------
    Refused
        The units of one contradict its name, or the values are not those of positions.
    """
    positions = []
    groups = dict.fromkeys(each.path.rpartition("/")[0] for each in catalogue.entries)
    for group in groups:
        own = [each for each in catalogue.entries if each.path.rpartition("/")[0] == group]
        latitudes = [each for each in own if _has_name(each, _LATITUDES, "latitude")]
        longitudes = [each for each in own if _has_name(each, _LONGITUDES, "longitude")]
        if len(latitudes) == len(longitudes) == 1 and not _are_cf(latitudes[0], longitudes[0]):
            north = squeezed(_read_position(latitudes[0], "latitude"))
            east = squeezed(_read_position(longitudes[0], "longitude"))
            positions += pair([north], [east])
    return positions


def _has_name(entry, names, kind):
    return entry.name.lower() in names and entry.attributes.get("standard_name", kind) == kind


def _are_cf(latitude, longitude):
    """Whether both are marked as CF wants it: then their values are what is wrong."""
    return is_latitude(latitude.attributes) and is_longitude(longitude.attributes)


def _read_position(entry, kind):
    variable = entry.read(in_memory=False)
    if variable is None:
        raise Refused(f"{entry.name!r} cannot be read")
    variable = in_degrees(variable, kind)
    most = 90 if kind == "latitude" else 360
    ends = _ends(variable)
    if not any(ends):
        raise Refused(f"{entry.name!r} has no values but 0")
    if np.abs(ends).max() > most and not angle(entry.units):
        raise Refused(f"{entry.name!r} has values beyond {most} degrees, and no units")
    return variable


def _ends(variable):
    """The smallest and the largest value; () where there is none."""
    if isinstance(variable.values, LargeValues):
        return variable.values.ends() or ()
    values = variable.values[variable.present]
    return (values.min(), values.max()) if values.size else ()


# --- times -----------------------------------------------------------------------------------


def named_times(catalogue, path):
    """Return the times of the variable that collection.toml names.

    Raises
    ------
    Refused
        It is not in the product, or tells no reference.
    """
    entry = catalogue.find(path)
    if entry is None:
        raise Refused(f"the product has no numeric variable {path!r}")
    variable = entry.read_time(units=_full_units(entry) or entry.units)
    if variable is None or " since " not in variable.attributes["units"]:
        raise Refused(f"{path!r} has no units such as 'seconds since 2000-01-01'")
    return [squeezed(variable)]


def may_have_usual_times(product):
    """Return whether :func:`usual_times` may know a time: by units, or by a name."""
    counting = (" since " in each.attributes["units"] for each in product.coordinates)
    named = ("time" in path.rpartition("/")[2].lower() for path in product.names)
    return bool(product.unnamed) or any(counting) or (product.has_since and any(named))


def usual_times(catalogue):
    """Return times that are known by their units alone, or by a reference in another attribute.

    Raises
    ------
    Refused
        They contradict each other, or lie in no sane range.
    """
    entries = [each for each in catalogue.entries if not each.attributes.get("standard_name")]
    entries = [each for each in entries if not _OTHER_TIMES.search(each.name.lower())]
    samples = [each for each in entries if not each.is_scalar]
    for units_of in (_own_units, _full_units):
        known = [(each, units) for each in samples if (units := units_of(each))]
        if known:
            return _sane([each.read_time(units=units) for each, units in known])
    return _sane(_based(catalogue))


def _own_units(entry):
    return entry.units if " since " in entry.units else ""


def _full_units(entry):
    """The units of a time that has its reference in another attribute, such as long_name."""
    if "time" not in entry.name.lower():
        return ""
    for name, text in entry.attributes.items():
        match = _SINCE.search(text)
        if match and is_time_unit(match[1]) and _is_same_unit(entry, name, match[1]):
            return f"{match[1]} since {match[2].strip()}"
    return ""


def _is_same_unit(entry, name, unit):
    """Whether the unit beside the reference is that of the variable, as far as it has one."""
    own = entry.units if name != "units" else ""
    if not own:
        return True
    return is_time_unit(own) and decode([1.0], f"{own} since 2000-01-01", "standard") == decode(
        [1.0], f"{unit} since 2000-01-01", "standard"
    )


def _based(catalogue):
    """Times of ARM's files: a scalar base_time, and a difference in seconds."""
    base = next((each for each in catalogue.entries if each.name == "base_time"), None)
    differences = [each for each in catalogue.entries if is_difference(each) and not each.is_scalar]
    if base is None or not base.is_scalar or " since " not in base.units or len(differences) != 1:
        return []
    start, _ = interval_of([base.read_time()], {})
    return [since(differences[0], start)] if start else []


def _sane(times):
    """Times of which the longest holds all others, within the years of observations."""
    times = [squeezed(each) for each in times if each is not None and each.present.any()]
    intervals = [interval_of([each], {}) for each in times]
    known = [(end - begin, begin, end) for begin, end in intervals if begin]
    if len(known) < len(times):
        raise Refused(f"{times[0].name!r} cannot be decoded")
    if not known:
        return []
    _, begin, end = max(known)
    names = ", ".join(repr(each.name) for each in times)
    if any(first < begin or last > end for _, first, last in known):
        raise Refused(f"{names} are different times, and none has the standard_name of a time")
    if begin < _SANE[0] or end > _SANE[1]:
        days = f"{begin:%Y-%m-%d} to {end:%Y-%m-%d}"
        raise Refused(f"{names} would be from {days}: the units are wrong")
    return times
