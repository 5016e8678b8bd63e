"""Where the gates of a radar volume are (CF/Radial), rather than its antenna.

The height and the distance of a gate follow from the beam, which is bent by the air as if the
Earth's radius were 4/3 as large (Doviak and Zrnic 1993, equations 2.28b and 2.28c).
"""

from dataclasses import replace

import numpy as np

from .positions import Positions, Refused, pair

__all__ = ["gate_positions", "is_radar_volume"]

_EARTH = 6_371_000.0  # metres
_BENT = 4 / 3 * _EARTH
_GATES = 65  # of each ray, the first and the last among them
_METRES = {"m": 1.0, "meter": 1.0, "meters": 1.0, "metre": 1.0, "metres": 1.0,
           "km": 1000.0, "kilometers": 1000.0, "kilometres": 1000.0}  # fmt: skip


def is_radar_volume(names):
    """Whether variables, by their paths, are those of a CF/Radial volume."""
    names = {name.strip("/") for name in names}
    is_radial = {"range", "azimuth", "elevation", "latitude", "longitude"} <= names
    return is_radial and any(name.startswith("sweep_") for name in names)


def gate_positions(catalogue):
    """Return the positions of all gates.

    Raises
    ------
    Refused
        Rays, gates or the antenna are not told as CF/Radial has them.
    """
    azimuth, elevation = (_values(catalogue, name) for name in ("azimuth", "elevation"))
    if azimuth.shape != elevation.shape or azimuth.ndim != 1:
        raise Refused("azimuth and elevation of the radar are not those of the same rays")
    latitude, longitude = (_antenna(catalogue, name, azimuth.shape)
                           for name in ("latitude", "longitude"))  # fmt: skip
    height = _antenna(catalogue, "altitude", azimuth.shape, default=0.0)
    distance = _gates(catalogue)
    rays = np.isfinite(azimuth + elevation + latitude + longitude)
    if not rays.any() or not distance.size:
        raise Refused("the radar has no ray with azimuth, elevation and position")
    ground = _ground_distance(distance, elevation[rays], np.nan_to_num(height[rays]))
    north, east = _moved(latitude[rays], longitude[rays], azimuth[rays], ground)
    return _positions(catalogue, north, east)


def _values(catalogue, name):
    """Values of a variable as numbers, NaN where there are none."""
    entry = catalogue.find(name)
    variable = entry and entry.read()
    if variable is None:
        raise Refused(f"the radar's {name!r} cannot be read")
    return np.where(variable.present, variable.values, np.nan).astype("f8")


def _antenna(catalogue, name, shape, default=np.nan):
    """Of each ray; a radar that stands still has one value."""
    if catalogue.find(name) is None:
        return np.full(shape, default)
    values = _values(catalogue, name)
    if values.size == 1:
        return np.full(shape, values.ravel()[0])
    if values.shape != shape:
        raise Refused(f"the radar's {name!r} is neither one value nor one a ray")
    return values


def _gates(catalogue):
    """Distances of some gates in metres, the nearest and the farthest among them."""
    units = catalogue.find("range").units.lower()
    if units not in _METRES:
        raise Refused(f"the radar's range has units {units!r}, which are of no length")
    distance = np.unique(_values(catalogue, "range") * _METRES[units])
    distance = distance[np.isfinite(distance)]
    return distance[np.linspace(0, len(distance) - 1, min(_GATES, len(distance))).astype(int)]


def _ground_distance(distance, elevation, height):
    """Along the ground in metres, shape (rays, gates)."""
    angle, radius = np.radians(elevation)[:, np.newaxis], (_BENT + height)[:, np.newaxis]
    up, away = radius + distance * np.sin(angle), distance * np.cos(angle)
    return _BENT * np.arctan2(away, up)


def _moved(latitude, longitude, azimuth, ground):
    """Latitudes and longitudes at a distance in a direction, shape (rays, gates)."""
    north, east, bearing = (np.radians(each)[:, np.newaxis]
                            for each in (latitude, longitude, azimuth))  # fmt: skip
    angle = ground / _EARTH
    sine = np.sin(north) * np.cos(angle) + np.cos(north) * np.sin(angle) * np.cos(bearing)
    turn = np.arctan2(
        np.sin(bearing) * np.sin(angle) * np.cos(north), np.cos(angle) - np.sin(north) * sine
    )
    return np.degrees(np.arcsin(sine)), np.degrees(east + turn)


def _positions(catalogue, north, east):
    """The gates as samples of one dimension."""
    template = catalogue.find("latitude").read()
    latitude, longitude = (
        replace(template, name=name, dimensions=("gate",), values=values.ravel(),
                present=np.ones(values.size, bool), bounds=None)
        for name, values in (("latitude", north), ("longitude", east))
    )  # fmt: skip
    positions: list[Positions] = pair([latitude], [longitude])
    return positions
