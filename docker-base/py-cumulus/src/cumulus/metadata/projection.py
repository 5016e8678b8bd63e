"""Where a grid in the plane of a map projection is: CF's grid_mapping with axes x and y.

Formulas: Snyder, Map Projections: A Working Manual (USGS Professional Paper 1395), and for
geostationary satellites the GOES-R Product Users' Guide, volume 3, section 5.1.2.8.
"""

from dataclasses import replace

import numpy as np

from .positions import Refused, pair

__all__ = ["projected_positions"]

_CELLS = 65_536  # that are looked at together
_NO_PLANES = ("latitude_longitude", "radar_lidar_radial_scan")
_METRES = {"m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0, "km": 1000.0}
_RADIANS = {"rad": 1.0, "radian": 1.0, "radians": 1.0, "microradian": 1e-6}


def projected_positions(catalogue):
    """Return the positions at the edge of each projected grid that is on the Earth.

    Raises
    ------
    Refused
        The projection is not supported, or its figure of the Earth is not told.
    """
    mapping = _mapping(catalogue)
    if mapping is None:
        return []
    name = mapping.attributes["grid_mapping_name"]
    if name not in _INVERSES:
        raise Refused(f"the grid_mapping {name!r} is not supported")
    x, y = (_axis(catalogue, axis, name) for axis in "xy")
    numbers = {key: float(np.ravel(value)[0]) for key, value in mapping.numbers.items()
               if np.size(value)}  # fmt: skip
    inverse = _INVERSES[name](_Parameters(name, mapping, numbers))
    east, north, has_pole = _edges(inverse, x.values.astype("f8"), y.values.astype("f8"))
    if not north.size:
        raise Refused("no cell of the projected grid is on the Earth")
    return _as_positions(x, north, east, has_pole)


def _mapping(catalogue):
    """The grid_mapping in a plane that variables name, or the only one where none is named."""
    mappings = [each for each in catalogue.entries if each.attributes.get("grid_mapping_name")]
    mappings = [each for each in mappings if each.attributes["grid_mapping_name"] not in _NO_PLANES]
    texts = (each.attributes.get("grid_mapping", "") for each in catalogue.entries)
    named = {word.rstrip(":").rpartition("/")[2] for text in texts for word in text.split()}
    chosen = [each for each in mappings if each.name in named] or mappings
    if len({repr((each.attributes, each.numbers)) for each in chosen}) > 1:
        names = " and ".join(repr(each.name) for each in chosen)
        raise Refused(f"{names} are several grid_mappings, and only one can be that of the grid")
    return chosen[0] if chosen else None


def _axis(catalogue, axis, name):
    wanted = f"projection_{axis}_coordinate"
    lines = [each for each in catalogue.entries if len(each.shape) == 1]
    entries = [each for each in lines if each.attributes.get("standard_name") == wanted]
    if len(entries) != 1:
        raise Refused(f"the projected grid has {len(entries)} variables {wanted!r}")
    units = _RADIANS if name == "geostationary" else _METRES
    if entries[0].units not in units:
        raise Refused(f"{entries[0].name!r} has units {entries[0].units!r}")
    variable = entries[0].read()
    if variable is None or not variable.present.all() or not variable.values.size:
        raise Refused(f"{entries[0].name!r} has missing values")
    return replace(variable, values=variable.values * units[entries[0].units])


def _edges(inverse, x, y):
    """Longitudes and latitudes of the outermost cells of each row that are on the Earth.

    Also whether a pole (1 north, -1 south, else 0) lies within the grid.
    """
    cells = {(row, column) for row in (0, len(y) - 1) for column in range(len(x))}
    columns = np.arange(len(x))
    some = max(1, _CELLS // max(1, len(x)))
    for start in range(0, len(y), some):  # some rows in memory at a time
        is_on_earth = np.isfinite(inverse(x, y[start : start + some, np.newaxis])[1])
        for row in np.flatnonzero(is_on_earth.any(axis=1)):
            valid = columns[is_on_earth[row]]
            cells |= {(start + int(row), int(valid[0])), (start + int(row), int(valid[-1]))}
    rows, columns = np.array(sorted(cells)).T
    east, north = inverse(x[columns], y[rows])
    known = np.isfinite(east) & np.isfinite(north)
    return east[known], north[known], inverse.pole_within(x, y)


def _as_positions(template, north, east, pole):
    if pole:
        east, north = np.append(east, 0.0), np.append(north, 90.0 * pole)
    latitude, longitude = (
        replace(template, name=name, dimensions=("edge",), values=values,
                present=np.ones(values.size, bool), bounds=None)
        for name, values in (("latitude", north), ("longitude", east))
    )  # fmt: skip
    return pair([latitude], [longitude])


class _Parameters:
    """The attributes of a grid_mapping."""

    def __init__(self, name, mapping, numbers):
        self.name, self._mapping, self._numbers = name, mapping, numbers

    def number(self, key, default=None):
        if key in self._numbers:
            return self._numbers[key]
        if default is None:
            raise Refused(f"the grid_mapping {self.name!r} has no {key!r}")
        return default

    def ellipsoid(self):
        """Semi-major axis in metres and eccentricity."""
        numbers = self._numbers
        if "earth_radius" in numbers:
            return numbers["earth_radius"], 0.0
        major = self.number("semi_major_axis")
        if numbers.get("inverse_flattening"):
            minor = major * (1 - 1 / numbers["inverse_flattening"])
        else:
            minor = self.number("semi_minor_axis")
        return major, np.sqrt(max(0.0, 1 - (minor / major) ** 2))

    def parallels(self):
        """The standard parallels in degrees, one or two."""
        self.number("standard_parallel")
        return np.ravel(self._mapping.numbers["standard_parallel"])

    @property
    def sweep(self):
        return self._mapping.attributes.get("sweep_angle_axis", "y")


class _Geostationary:
    def __init__(self, given):
        self._major, eccentricity = given.ellipsoid()
        self._minor = self._major * np.sqrt(1 - eccentricity**2)
        self._height = given.number("perspective_point_height") + self._major
        self._centre = given.number("longitude_of_projection_origin")
        self._is_x = given.sweep == "x"
        if given.number("latitude_of_projection_origin", 0.0):
            raise Refused("the geostationary grid_mapping is not above the equator")

    def __call__(self, x, y):
        ratio = (self._major / self._minor) ** 2
        if self._is_x:
            ahead, aside, up = np.cos(x) * np.cos(y), np.sin(x), np.cos(x) * np.sin(y)
        else:
            ahead, aside, up = np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)
        a = ahead**2 + aside**2 + ratio * up**2
        b = -2 * self._height * ahead
        c = self._height**2 - self._major**2
        with np.errstate(invalid="ignore"):
            reach = (-b - np.sqrt(b**2 - 4 * a * c)) / (2 * a)  # NaN where the view misses
        inward = self._height - reach * ahead
        east = np.arctan2(reach * aside, inward)
        north = np.arctan2(ratio * reach * up, np.hypot(inward, reach * aside))
        return self._centre + np.degrees(east), np.degrees(north)

    def pole_within(self, x, y):
        return 0


class _Conic:
    """Lambert conformal conic, and polar stereographic as its limit at the pole."""

    def __init__(self, given):
        self._major, self._e = given.ellipsoid()
        self._false = given.number("false_easting", 0.0), given.number("false_northing", 0.0)
        self._set_cone(given)

    def _set_cone(self, given):
        parallels = given.parallels()
        first, last = np.radians([parallels[0], parallels[-1]])
        self._centre = given.number("longitude_of_central_meridian")
        origin = np.radians(given.number("latitude_of_projection_origin"))
        self._n = np.sin(first)
        if first != last:
            self._n = np.log(self._m(first) / self._m(last)) / np.log(
                self._t(first) / self._t(last)
            )
        self._f = self._m(first) / (self._n * self._t(first) ** self._n)
        self._rho = self._major * self._f * self._t(origin) ** self._n

    def _m(self, north):
        return np.cos(north) / np.sqrt(1 - (self._e * np.sin(north)) ** 2)

    def _t(self, north):
        part = self._e * np.sin(north)
        return np.tan(np.pi / 4 - north / 2) / ((1 - part) / (1 + part)) ** (self._e / 2)

    def __call__(self, x, y):
        x, y = x - self._false[0], self._rho - (y - self._false[1])
        sign = np.sign(self._n)
        t = (np.hypot(x, y) / (self._major * abs(self._f))) ** (1 / abs(self._n))
        t = t if sign > 0 else 1 / np.maximum(t, 1e-12)
        east = np.degrees(np.arctan2(sign * x, sign * y) / self._n)
        return self._centre + east, np.degrees(self._latitude(t))

    def _latitude(self, t):
        north = np.pi / 2 - 2 * np.arctan(t)
        for _ in range(8):
            part = self._e * np.sin(north)
            north = np.pi / 2 - 2 * np.arctan(t * ((1 - part) / (1 + part)) ** (self._e / 2))
        return north

    def pole_within(self, x, y):
        at = self._false[0], self._false[1] + self._rho
        is_within = x.min() <= at[0] <= x.max() and y.min() <= at[1] <= y.max()
        return int(np.sign(self._n)) if is_within else 0


class _PolarStereographic(_Conic):
    def _set_cone(self, given):
        pole = given.number("latitude_of_projection_origin")
        if abs(pole) != 90:
            raise Refused("the polar stereographic grid_mapping has no pole as its origin")
        self._centre = given.number("straight_vertical_longitude_from_pole")
        self._n, self._rho = np.sign(pole), 0.0
        parallel = abs(np.radians(given.number("standard_parallel", 90.0)))
        if parallel < np.pi / 2:
            scale = self._m(parallel) / self._t(parallel)
        else:
            e = self._e
            scale = 2 / np.sqrt((1 + e) ** (1 + e) * (1 - e) ** (1 - e))
            scale *= given.number("scale_factor_at_projection_origin", 1.0)
        self._f = self._n * scale


_INVERSES = {
    "geostationary": _Geostationary,
    "lambert_conformal_conic": _Conic,
    "polar_stereographic": _PolarStereographic,
}
