"""The coordinates of a value: what the coordinate variables hold at its index."""

import numpy as np

from ..products.times import dates

__all__ = ["Coordinates"]

_NAMES = {"time", "latitude", "longitude", "altitude", "height", "air_pressure", "depth"}


class Coordinates:
    """The coordinates of one file; each group is searched once for variables marked as such."""

    def __init__(self):
        self._marked = {}  # path of a group -> dimension -> names

    def at(self, variable, index):
        """Return the coordinates of a value of a NetCDF variable, as texts with units.

        Coordinates are the variables with the name of a dimension and those that the attribute
        ``coordinates`` names. For a dimension without either, they are the variables along it that
        CF marks as coordinates.

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
        for coordinate in self._coordinates(variable, positions):
            try:
                at = tuple(positions[dimension] for dimension in coordinate.dimensions)
                texts[coordinate.name] = _text(coordinate, coordinate[at or ...])
            except (OSError, RuntimeError, TypeError, ValueError, OverflowError):
                continue  # a damaged coordinate: the values are reported without it
        return texts

    def _coordinates(self, variable, positions):
        groups = _upwards(variable.group())
        listed = str(getattr(variable, "coordinates", "")).split()
        named = set()  # dimensions that have a coordinate
        for name in dict.fromkeys([*positions, *listed]):
            coordinate = _nearest(groups, name)
            if coordinate is None:
                continue
            named.update([name], coordinate.dimensions if name in listed else ())
            if coordinate.name != variable.name and set(coordinate.dimensions) <= set(positions):
                yield coordinate
        for dimension in positions:
            if dimension not in named:
                yield from self._along(dimension, groups, variable.name)

    def _along(self, dimension, groups, but):
        """Yield the marked variables along a dimension, those of outer groups first."""
        names = (
            name for group in reversed(groups) for name in self._marked_in(group).get(dimension, ())
        )
        for name in dict.fromkeys(names):
            coordinate = _nearest(groups, name)
            if (
                coordinate.dimensions == (dimension,)
                and coordinate.name != but
                and _is_marked(coordinate)
            ):
                yield coordinate

    def _marked_in(self, group):
        """Return the names of a group's marked variables by their only dimension."""
        if group.path not in self._marked:
            marked = self._marked[group.path] = {}
            for name, variable in group.variables.items():
                if len(variable.dimensions) == 1 and _is_marked(variable):
                    marked.setdefault(variable.dimensions[0], []).append(name)
        return self._marked[group.path]


def _upwards(group):
    """Return a group and the groups above it."""
    groups = []
    while group is not None:
        groups.append(group)
        group = group.parent
    return groups


def _nearest(groups, name):
    """Return the variable of a name in the first group that has it, else None."""
    return next((group.variables[name] for group in groups if name in group.variables), None)


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
