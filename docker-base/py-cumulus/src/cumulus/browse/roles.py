"""The coordinates of a product, and the picture that each variable makes with them.

CF attributes come first. Usual names count where a variable has no such attributes.
"""

from dataclasses import dataclass

from ..products.model import is_latitude, is_longitude

__all__ = ["Roles", "View"]

# CF-1.8, section 4.3.
_VERTICAL = {"altitude", "height", "height_above_mean_sea_level", "air_pressure", "depth"}
_ALTITUDES = ("altitude", "height", "gpsalt", "alt", "bin_alt", "level", "range", "pressure")
_RANKS = ("curtain", "map", "swath", "profile", "series")


@dataclass(frozen=True)
class View:
    """A variable with the coordinates of its picture; ``kind`` as in Scene, "" if none fits."""

    variable: object
    kind: str = ""
    x: object = None
    y: object = None
    latitude: object = None
    longitude: object = None

    @property
    def rank(self):
        """Order in which variables are tried if none is chosen: curtains, tracks, measurements."""
        order = _RANKS.index(self.kind) if self.kind else len(_RANKS)
        return order, self.latitude is None, self.variable.dtype.kind != "f"

    @property
    def along(self):
        """Whether a track is drawn beside the picture."""
        return self.kind in ("curtain", "profile", "series")


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
            if id(variable) not in coordinates and variable.size > 1
        ]

    def tracks(self):
        """Yield each latitude along one dimension with its longitude, the longest first."""
        for latitude in sorted(self.latitudes, key=lambda latitude: -latitude.size):
            for longitude in self.longitudes:
                if latitude.ndim == 1 and latitude.size and _match(latitude, 0, longitude, 0):
                    yield latitude, longitude
                    break

    def view(self, variable, chosen=False):
        """Return the View of a variable.

        A chosen variable without coordinates is drawn over its indices.
        """
        if variable.size == 0 or variable.ndim == 0:
            return View(variable)
        if variable.ndim == 1:
            return self._line(variable, chosen)
        rows, columns = variable.ndim - 2, variable.ndim - 1
        for latitude in self._near(variable, self.latitudes):
            for longitude in self._near(variable, self.longitudes):
                if latitude.ndim == longitude.ndim == 1:
                    north = _match(variable, rows, latitude, 0)
                    if north and _match(variable, columns, longitude, 0):
                        return View(variable, "map", longitude, latitude)
                elif latitude.shape == longitude.shape == variable.shape[rows:]:
                    return View(variable, "swath", longitude, latitude)
        altitude = self._along(variable, columns, self.verticals)
        time = self._along(variable, rows, self.times)
        latitude = self._along(variable, rows, self.latitudes)
        longitude = self._along(variable, rows, self.longitudes)
        located = altitude is not None and (time is not None or latitude is not None)
        if chosen or (variable.ndim == 2 and located):
            return View(variable, "curtain", time, altitude, latitude, longitude)
        return View(variable)

    def _line(self, variable, chosen):
        time, altitude, latitude, longitude = (
            self._along(variable, 0, kind)
            for kind in (self.times, self.verticals, self.latitudes, self.longitudes)
        )
        if altitude is not None and _is_sounding(altitude):
            return View(variable, "profile", time, altitude, latitude, longitude)
        if chosen or time is not None or latitude is not None:
            return View(variable, "series", time, None, latitude, longitude)
        return View(variable)

    def _along(self, variable, axis, candidates):
        """The coordinate along a dimension; the attribute ``coordinates`` chooses among several."""
        for other in self._near(variable, candidates):
            if other is not variable and other.ndim == 1 and _match(variable, axis, other, 0):
                return other
        return None

    def _near(self, variable, candidates):
        named = str(getattr(variable, "coordinates", "")).split()
        group = variable.group().path
        return sorted(
            candidates, key=lambda other: (other.name not in named, other.group().path != group)
        )


def _match(variable, axis, other, other_axis):
    """Whether two variables share a dimension; in plain HDF5 files only its length is known."""
    names = variable.dimensions[axis], other.dimensions[other_axis]
    if variable.shape[axis] != other.shape[other_axis]:
        return False
    return names[0] == names[1] or any(name.startswith("phony_dim_") for name in names)


def _is_sounding(altitude):
    """Whether an instrument rises or falls all the way, as a sonde does, not an aircraft."""
    import numpy as np

    values = np.ma.compressed(altitude[:: max(1, altitude.shape[0] // 1000)])
    steps = np.sign(np.diff(values))
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
