"""Where a value is: what the coordinate variables say at its index."""

import numpy as np

from ..products.times import dates

__all__ = ["coordinates_at"]

_NAMES = {"time", "latitude", "longitude", "altitude", "height", "air_pressure", "depth"}


def coordinates_at(variable, index):
    """Return the coordinates of a value of a NetCDF variable, as texts with units.

    Coordinates are the variables that are named like a dimension, those that the attribute
    ``coordinates`` names, and for a dimension without either a variable along it that CF marks as
    a coordinate.

    Parameters
    ----------
    variable : netCDF4.Variable
    index : tuple of int

    Returns
    -------
    dict of str to str
    """
    place = dict(zip(variable.dimensions, index, strict=True))
    found = {}
    for one in _coordinates(variable, place):
        try:
            at = tuple(place[dimension] for dimension in one.dimensions)
            found[one.name] = _text(one, one[at] if at else one[...])
        except (OSError, RuntimeError, TypeError, ValueError, OverflowError):
            continue  # a damaged coordinate: the difference of the values is worth its line anyway
    return found


def _coordinates(variable, place):
    visible = _visible(variable.group())
    listed = str(getattr(variable, "coordinates", "")).split()
    for name in dict.fromkeys([*place, *listed]):
        one = visible.get(name)
        if one is not None and one.name != variable.name and set(one.dimensions) <= set(place):
            yield one
    named = {d for name in listed if name in visible for d in visible[name].dimensions}
    for dimension in place:
        if dimension in visible or dimension in named:
            continue
        along = (one for one in visible.values() if one.dimensions == (dimension,))
        yield from (one for one in along if one.name != variable.name and _is_marked(one))


def _visible(group):
    """Variables of a group and of those above it; the nearest of a name counts."""
    found = {}
    while group is not None:
        found = {**group.variables, **found}
        group = group.parent
    return found


def _is_marked(variable):
    units = str(getattr(variable, "units", ""))
    name = str(getattr(variable, "standard_name", ""))
    return name in _NAMES or " since " in units or "axis" in variable.ncattrs()


def _text(variable, stored):
    units = str(getattr(variable, "units", ""))
    if isinstance(stored, str) or np.asarray(stored).dtype.kind not in "iuf":
        return str(stored)
    value = np.asarray(stored)[()]
    value = value * getattr(variable, "scale_factor", 1) + getattr(variable, "add_offset", 0)
    if " since " in units and np.isfinite(value):
        calendar = str(getattr(variable, "calendar", "standard"))
        (time,) = dates([value], units, calendar)
        fraction = f"{time.microsecond / 1e6:.3f}"[1:] if time.microsecond >= 500 else ""
        return f"{time.strftime('%Y-%m-%dT%H:%M:%S')}{fraction.rstrip('.0')}Z"
    return f"{float(value):.7g} {units}".strip()
