"""The coordinates of a value: what the coordinate variables hold at its index."""

import numpy as np

from ..products.times import dates

__all__ = ["coordinates_at"]

_NAMES = {"time", "latitude", "longitude", "altitude", "height", "air_pressure", "depth"}


def coordinates_at(variable, index):
    """Return the coordinates of a value of a NetCDF variable, as texts with units.

    Coordinates are the variables with the name of a dimension and those that the attribute
    ``coordinates`` names. For a dimension without either, they are the variables along it that CF
    marks as coordinates.

    Parameters
    ----------
    variable : netCDF4.Variable
    index : tuple of int

    Returns
    -------
    dict of str to str
    """
    positions = dict(zip(variable.dimensions, index, strict=True))
    texts = {}
    for coordinate in _coordinates(variable, positions):
        try:
            at = tuple(positions[dimension] for dimension in coordinate.dimensions)
            texts[coordinate.name] = _text(coordinate, coordinate[at] if at else coordinate[...])
        except (OSError, RuntimeError, TypeError, ValueError, OverflowError):
            continue  # a damaged coordinate: the values are reported without it
    return texts


def _coordinates(variable, positions):
    visible = _visible(variable.group())
    listed = str(getattr(variable, "coordinates", "")).split()
    for name in dict.fromkeys([*positions, *listed]):
        coordinate = visible.get(name)
        if (
            coordinate is not None
            and coordinate.name != variable.name
            and set(coordinate.dimensions) <= set(positions)
        ):
            yield coordinate
    named = {d for name in listed if name in visible for d in visible[name].dimensions}
    for dimension in positions:
        if dimension in visible or dimension in named:
            continue
        along = (
            coordinate for coordinate in visible.values() if coordinate.dimensions == (dimension,)
        )
        yield from (
            coordinate
            for coordinate in along
            if coordinate.name != variable.name and _is_marked(coordinate)
        )


def _visible(group):
    """Return the variables of a group and the groups above it; the nearest of a name counts."""
    variables = {}
    while group is not None:
        variables = {**group.variables, **variables}
        group = group.parent
    return variables


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
