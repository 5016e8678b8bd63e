"""Which variables of a product are its coordinates, and what picture a variable can make with them.

CF attributes come first; names that everybody uses are taken where a product has none.
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
    """A variable with the coordinates of a picture; ``kind`` as in Scene, empty if none."""

    variable: object
    kind: str = ""
    x: object = None
    y: object = None
    latitude: object = None
    longitude: object = None

    @property
    def rank(self):
        """What comes first is shown where nothing was chosen: curtains, tracks, measurements."""
        place = _RANKS.index(self.kind) if self.kind else len(_RANKS)
        return place, self.latitude is None, self.variable.dtype.kind != "f"

    @property
    def along(self):
        """Whether the picture has a track beside it."""
        return self.kind in ("curtain", "profile", "series")


class Roles:
    """The numeric variables of a dataset, in all its groups, by what they are."""

    def __init__(self, dataset):
        self.paths = {}
        self._walk(dataset)
        variables = list(self.paths.values())
        self.latitudes = [one for one in variables if _is(one, is_latitude, "latitude", "lat")]
        self.longitudes = [one for one in variables if _is(one, is_longitude, "longitude", "lon")]
        self.times = sorted((one for one in variables if _is_time(one)), key=_is_no_axis)
        self.verticals = [one for one in variables if _is_vertical(one)]

    def _walk(self, group):
        for name, variable in group.variables.items():
            if getattr(variable.dtype, "kind", "O") in "iuf":
                self.paths[f"{group.path.rstrip('/')}/{name}".lstrip("/")] = variable
        for child in group.groups.values():
            self._walk(child)

    def find(self, path):
        return self.paths.get(path.strip("/"))

    def data(self):
        """The variables that are no coordinates, in the order of the file."""
        known = {id(one) for kind in (self.latitudes, self.longitudes, self.times, self.verticals)
                 for one in kind}  # fmt: skip
        return [one for one in self.paths.values() if id(one) not in known and one.size > 1]

    def tracks(self):
        """Yield each latitude along one dimension with its longitude, the longest first."""
        for latitude in sorted(self.latitudes, key=lambda one: -one.size):
            for longitude in self.longitudes:
                if latitude.ndim == 1 and latitude.size and _match(latitude, 0, longitude, 0):
                    yield latitude, longitude
                    break

    def view(self, variable, chosen=False):
        """Return the View of a variable; a chosen one is drawn over its indices if need be."""
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
        placed = altitude is not None and (time is not None or latitude is not None)
        if chosen or (variable.ndim == 2 and placed):
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
        """The coordinate along one dimension of a variable; one that it names comes first."""
        for one in self._near(variable, candidates):
            if one is not variable and one.ndim == 1 and _match(variable, axis, one, 0):
                return one
        return None

    def _near(self, variable, candidates):
        named = str(getattr(variable, "coordinates", "")).split()
        group = variable.group().path
        return sorted(
            candidates, key=lambda one: (one.name not in named, one.group().path != group)
        )


def _match(one, axis, other, other_axis):
    """Whether two variables share a dimension; plain HDF5 files only tell its length."""
    names = one.dimensions[axis], other.dimensions[other_axis]
    if one.shape[axis] != other.shape[other_axis]:
        return False
    return names[0] == names[1] or any(name.startswith("phony_dim_") for name in names)


def _is_sounding(altitude):
    """Whether an instrument rises or falls all the way, as a sonde does, not an aircraft."""
    import numpy as np

    values = np.ma.compressed(altitude[:: max(1, altitude.shape[0] // 1000)])
    steps = np.sign(np.diff(values))
    return steps.size > 1 and bool(abs(steps.sum()) > 0.8 * steps.size)


def _is(variable, is_marked, *names):
    """Marked as CF has it, or called so where nothing is said."""
    said = {key: str(getattr(variable, key, "")).strip() for key in ("units", "standard_name")}
    return is_marked(said) or (not any(said.values()) and variable.name.lower() in names)


def _is_time(variable):
    return " since " in str(getattr(variable, "units", "")) or variable.name.lower() in (
        "time", "timeutc", "utc",
    )  # fmt: skip


def _is_no_axis(variable):
    """Times that are a dimension's own come first."""
    return variable.dimensions != (variable.name,)


def _is_vertical(variable):
    if getattr(variable, "axis", "") == "Z" or getattr(variable, "standard_name", "") in _VERTICAL:
        return True
    named = getattr(variable, "standard_name", "") == "" and variable.name.lower() in _ALTITUDES
    return named or getattr(variable, "positive", "") in ("up", "down")
