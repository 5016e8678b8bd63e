"""The coordinates of a product, and the picture that each variable makes with them.

CF attributes come first. Usual names count where a variable has no such attributes.
"""

import itertools
from dataclasses import dataclass

from ..products.model import is_latitude, is_longitude
from .sampling import line

__all__ = ["Roles", "View", "long_axes"]

# CF-1.8, section 4.3.
_VERTICAL = {"altitude", "height", "height_above_mean_sea_level", "air_pressure", "depth"}
_ALTITUDES = ("altitude", "height", "gpsalt", "alt", "bin_alt", "level", "range", "pressure")
_RANKS = ("curtain", "map", "swath", "grid", "profile", "series")


@dataclass(frozen=True)
class View:
    """A variable with the coordinates of its picture; ``kind`` as in Scene, "" if none fits.

    ``axes`` are the dimensions that are drawn, by number: upwards and to the right, or along the
    line. Of all other dimensions the first element is drawn.
    """

    variable: object
    kind: str = ""
    x: object = None
    y: object = None
    latitude: object = None
    longitude: object = None
    axes: tuple[int, ...] = ()

    @property
    def rank(self):
        """Order in which variables are tried if none is chosen: curtains, tracks, measurements."""
        order = _RANKS.index(self.kind) if self.kind else len(_RANKS)
        return order, self.latitude is None, self.variable.dtype.kind != "f"

    @property
    def along(self):
        """Whether a track is drawn beside the picture."""
        return self.kind in ("curtain", "grid", "profile", "series")


class Roles:
    """The numeric variables of a dataset, in all its groups, by their role."""

    def __init__(self, dataset):
        self.paths = {}
        self._walk(dataset)
        variables = list(self.paths.values())
        self.latitudes = _of_role(variables, is_latitude, "latitude", "lat")
        self.longitudes = _of_role(variables, is_longitude, "longitude", "lon")
        self.times = sorted(filter(_is_time, variables), key=_is_no_axis)
        self.verticals = list(filter(_is_vertical, variables))

    def _walk(self, group):
        for name, variable in group.variables.items():
            if getattr(variable.dtype, "kind", "O") in "iuf":
                self.paths[f"{group.path.rstrip('/')}/{name}".lstrip("/")] = variable
        for child in group.groups.values():
            self._walk(child)

    def find(self, path):
        return self.paths.get(path.strip("/"))

    def data(self):
        """The variables that are not coordinates, in the order of the file."""
        roles = (self.latitudes, self.longitudes, self.times, self.verticals)
        coordinates = {id(variable) for role in roles for variable in role}
        return [
            variable
            for variable in self.paths.values()
            if id(variable) not in coordinates
            and variable.size > 1
            and variable.dimensions != (variable.name,)
        ]

    def tracks(self):
        """Yield each latitude along one dimension with its longitude, the longest first."""
        for latitude in sorted(self.latitudes, key=lambda latitude: -latitude.size):
            for longitude in self.longitudes:
                axes = long_axes(latitude)
                if len(axes) == 1 and self._runs_along(latitude, axes[0], longitude):
                    yield latitude, longitude
                    break

    def view(self, variable, chosen=False):
        """Return the View of a variable; dimensions of length 1 do not count.

        A chosen variable without coordinates is drawn over its indices.
        """
        axes = long_axes(variable)
        if variable.size == 0 or not axes:
            return View(variable)
        if len(axes) == 1:
            return self._line(variable, axes[0], chosen)
        # The last two dimensions come first, in either order.
        pairs = [axes[-2:], axes[:-3:-1], *itertools.permutations(axes, 2)]
        return (
            self._map_or_swath(variable, pairs)
            or self._curtain(variable, pairs[: 2 if len(axes) == 2 else None], chosen)
            or self._grid(variable, axes, chosen)
            or View(variable)
        )

    def _map_or_swath(self, variable, pairs):
        latitudes = self._near(variable, self.latitudes)
        longitudes = self._near(variable, self.longitudes)
        for latitude, longitude, (y, x) in itertools.product(latitudes, longitudes, pairs):
            north, east = long_axes(latitude), long_axes(longitude)
            if len(north) == len(east) == 1:
                kind = "map"
                match = self._runs_along(variable, y, latitude)
                match = match and self._runs_along(variable, x, longitude)
            else:
                kind = "swath"
                match = len(north) == 2 and _shape(latitude) == _shape(longitude)
                match = match and _match(variable, y, latitude, north[0])
                match = match and _match(variable, x, latitude, north[1])
            if match:
                return View(variable, kind, longitude, latitude, axes=(y, x))
        return None

    def _curtain(self, variable, pairs, chosen):
        for x, y in pairs:
            time, latitude, longitude = (
                self._along(variable, x, role)
                for role in (self.times, self.latitudes, self.longitudes)
            )
            altitude = self._along(variable, y, self.verticals)
            if altitude is None and len(long_axes(variable)) == 2:
                altitude = self._over(variable, (y, x))
            located = time is not None or latitude is not None
            if altitude is not None and located and (chosen or len(long_axes(variable)) == 2):
                return View(variable, "curtain", time, altitude, latitude, longitude, (y, x))
        return None

    def _grid(self, variable, axes, chosen):
        """A field over whatever coordinates its dimensions have, time or X to the right."""
        y, x = axes[-2:]
        up, right = (self._own(variable, axis) for axis in (y, x))
        if not chosen and (up is None or right is None or len(axes) > 2):
            return None
        if up is right is None or _is_horizontal(up) or (_is_upright(right) and up is not None):
            y, x, up, right = x, y, right, up
        latitude, longitude = (
            self._along(variable, x, role) for role in (self.latitudes, self.longitudes)
        )
        return View(variable, "grid", right, up, latitude, longitude, (y, x))

    def _line(self, variable, axis, chosen):
        time, altitude, latitude, longitude = (
            self._along(variable, axis, role)
            for role in (self.times, self.verticals, self.latitudes, self.longitudes)
        )
        if altitude is not None and _is_sounding(altitude):
            return View(variable, "profile", time, altitude, latitude, longitude, (axis,))
        if chosen or time is not None or latitude is not None:
            x = time if time is not None else self._own(variable, axis)
            return View(variable, "series", x, None, latitude, longitude, (axis,))
        return View(variable)

    def _own(self, variable, axis):
        """Any coordinate along a dimension: by its role, its name or the attribute coordinates."""
        roles = (self.times, self.verticals, self.latitudes, self.longitudes)
        for candidates in roles:
            if (coordinate := self._along(variable, axis, candidates)) is not None:
                return coordinate
        dimension = variable.dimensions[axis]
        own = [other for other in self.paths.values() if other.dimensions == (dimension,)]
        names = {dimension, *str(getattr(variable, "coordinates", "")).split()}
        return self._along(variable, axis, [other for other in own if other.name in names])

    def _along(self, variable, axis, candidates):
        """The coordinate along a dimension; the attribute ``coordinates`` chooses among several."""
        for other in self._near(variable, candidates):
            if other is not variable and self._runs_along(variable, axis, other):
                return other
        return None

    def _over(self, variable, axes):
        """The altitude over two dimensions, where each profile has levels of its own."""
        wanted = {variable.dimensions[axis] for axis in axes}
        for other in self._near(variable, self.verticals):
            names = [other.dimensions[axis] for axis in long_axes(other)]
            if other is not variable and len(names) == 2 and set(names) == wanted:
                return other
        return None

    @staticmethod
    def _runs_along(variable, axis, other):
        axes = long_axes(other) or ((0,) if other.ndim == 1 else ())
        return len(axes) == 1 and _match(variable, axis, other, axes[0])

    def _near(self, variable, candidates):
        named = str(getattr(variable, "coordinates", "")).split()
        group = variable.group().path
        return sorted(
            candidates, key=lambda other: (other.name not in named, other.group().path != group)
        )


def long_axes(variable):
    """The dimensions of a variable, by number, that are longer than 1."""
    return tuple(axis for axis, size in enumerate(variable.shape) if size > 1)


def _shape(variable):
    return [(variable.dimensions[axis], variable.shape[axis]) for axis in long_axes(variable)]


def _is_horizontal(variable):
    """Whether a coordinate belongs to the right of a picture."""
    if variable is None:
        return False
    names = ("projection_x_coordinate", "grid_longitude", "longitude")
    marked = getattr(variable, "axis", "") in ("T", "X") or _is_time(variable)
    return marked or getattr(variable, "standard_name", "") in names


def _is_upright(variable):
    """Whether a coordinate belongs to the side of a picture."""
    if variable is None:
        return False
    names = ("projection_y_coordinate", "grid_latitude", "latitude")
    marked = getattr(variable, "axis", "") in ("Y", "Z") or _is_vertical(variable)
    return marked or getattr(variable, "standard_name", "") in names


def _match(variable, axis, other, other_axis):
    """Whether two variables share a dimension; in plain HDF5 files only its length is known."""
    names = variable.dimensions[axis], other.dimensions[other_axis]
    if variable.shape[axis] != other.shape[other_axis]:
        return False
    return names[0] == names[1] or any(name.startswith("phony_dim_") for name in names)


def _is_sounding(altitude):
    """Whether an instrument rises or falls all the way, as a sonde does, not an aircraft."""
    import numpy as np

    values = line(altitude, max(1, altitude.size // 1000))
    steps = np.sign(np.diff(values[np.isfinite(values)]))
    return steps.size > 1 and bool(abs(steps.sum()) > 0.8 * steps.size)


def _of_role(variables, is_marked, *names):
    return [variable for variable in variables if _is(variable, is_marked, *names)]


def _is(variable, is_marked, *names):
    """Whether attributes of CF say so, or, without such attributes, the name."""
    given = {key: str(getattr(variable, key, "")).strip() for key in ("units", "standard_name")}
    return is_marked(given) or (not any(given.values()) and variable.name.lower() in names)


def _is_time(variable):
    return " since " in str(getattr(variable, "units", "")) or variable.name.lower() in (
        "time", "timeutc", "utc",
    )  # fmt: skip


def _is_no_axis(variable):
    """Key that sorts the coordinate variable of a dimension first."""
    return variable.dimensions != (variable.name,)


def _is_vertical(variable):
    if getattr(variable, "axis", "") == "Z" or getattr(variable, "standard_name", "") in _VERTICAL:
        return True
    usual = getattr(variable, "standard_name", "") == "" and variable.name.lower() in _ALTITUDES
    return usual or getattr(variable, "positive", "") in ("up", "down")
