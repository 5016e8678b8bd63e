"""What a product's CF coordinates cover in time and space.

Only coordinates that are marked as such count; what they do not say is None.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from ..logutils.logger import log_warning
from ..products.model import is_latitude, is_longitude, is_time
from ..products.times import decode
from .longitudes import axis_longitudes, enclosing_longitudes, joined, shortest, to_180
from .polygon import holds_pole, outline

__all__ = ["Cover", "cover"]

_USUAL = {"lat", "latitude", "lon", "long", "longitude", "time"}
_REAL_CALENDARS = {"standard", "gregorian", "proleptic_gregorian"}


@dataclass(frozen=True)
class Cover:
    """What coordinates cover; None or empty is unknown.

    Attributes
    ----------
    edges : tuple of float or None
        West, south, east, north in degrees; west > east across the antimeridian.
    begin, end : datetime.datetime or None
        UTC.
    polygon : tuple of (longitude, latitude)
        On request: around a swath, closed and counter-clockwise.
    """

    edges: tuple | None = None
    begin: datetime | None = None
    end: datetime | None = None
    polygon: tuple = ()


@dataclass(frozen=True)
class _Place:
    """Latitudes and longitudes that belong together, and which of them are valid."""

    latitude: object
    longitude: object
    valid_north: np.ndarray
    valid_east: np.ndarray

    @property
    def is_samples(self):
        """Each latitude has its longitude; else they are the axes of a grid."""
        return self.latitude.dimensions == self.longitude.dimensions

    @property
    def is_swath(self):
        return self.is_samples and self.valid_north.ndim == 2

    def holds_pole(self, pole):
        """Whether the north pole (1) or the south pole (-1) lies between the samples."""
        return holds_pole(self.longitude.values, self.latitude.values, self.valid_north, pole)


def cover(product, polygon=False):
    """Return what the coordinates of a product, in all its groups, cover.

    Parameters
    ----------
    product : cumulus.products.Product
    polygon : bool
        Whether to draw a polygon around the samples, too.

    Returns
    -------
    Cover
    """
    places = _places(product)
    edges = _edges(places)
    begin, end = _times(product, _located(places))
    return Cover(edges, begin, end, _polygon(places) if polygon and edges else ())


def _best(product, found):
    """The coordinates that count; all of the best kind do.

    Those that other variables use come before others. In a group those with their standard name or
    a usual one do (`lat_uncertainty` may have the units of `lat`): but the coordinate of a
    dimension is one by any name, and so is what a variable names where none has a standard name.
    """
    used = [one for one in found if one.is_coordinate or one.name in product.used]
    groups = {}
    for one in used or found:
        groups.setdefault(one.group, []).append(one)
    return [one for group in groups.values() for one in _most_marked(group, bool(used))]


def _most_marked(found, are_used):
    if are_used and not any(one.attributes["standard_name"] for one in found):
        return found
    return [one for one in found if _is_marked(one)] or found


def _is_marked(one):
    return one.attributes["standard_name"] or one.is_coordinate or one.name.lower() in _USUAL


def _places(product):
    found = product.coordinates
    latitudes = _best(product, [one for one in found if is_latitude(one.attributes)])
    longitudes = _best(product, [one for one in found if is_longitude(one.attributes)])
    pairs = list(_pairs(latitudes, longitudes))
    valid = {}  # by identity, so that each is looked at, and complained of, once
    for latitude, longitude in pairs:
        for one, low, high in ((latitude, -90, 90), (longitude, -180, 360)):
            if id(one) not in valid:
                valid[id(one)] = _valid(one, low, high)
    places = []
    for latitude, longitude in pairs:
        north, east = valid[id(latitude)], valid[id(longitude)]
        if latitude.dimensions == longitude.dimensions:  # samples: each needs both
            north = east = north & east
        places.append(_Place(latitude, longitude, north, east))
    return places


def _pairs(latitudes, longitudes):
    """Yield latitudes and longitudes of the same samples, or of the same grid, in one group.

    Where there are several (start_lat, end_lat, start_lon, end_lon) the first belong together, and
    so on; none is left out.
    """
    for group, dimensions in dict.fromkeys((one.group, one.dimensions) for one in latitudes):
        own = [one for one in latitudes if (one.group, one.dimensions) == (group, dimensions)]
        near = [one for one in longitudes if one.group == group]
        others = [one for one in near if one.dimensions == dimensions]
        if not others and own[0].is_coordinate:
            others = [one for one in near if one.is_coordinate]
        for i in range(max(len(own), len(others)) if others else 0):
            yield own[min(i, len(own) - 1)], others[min(i, len(others) - 1)]


def _valid(variable, low, high):
    """Which values are present and within their range; the others are reported."""
    if not variable.present.any():
        return variable.present
    with np.errstate(invalid="ignore"):
        inside = (variable.values >= low) & (variable.values <= high)
    if count := int((variable.present & ~inside).sum()):
        left_out = f"{count} of {variable.values.size} values are not within {low} to {high}"
        log_warning(f"variable {variable.name}: {left_out} and were left out")
    return variable.present & inside


def _edges(places):
    places = [one for one in places if one.valid_north.any() and one.valid_east.any()]
    if not places:
        return None
    reached = [_ends(_reach(one.latitude, one.valid_north, 90)) for one in places]
    south_edge = max(min(south for south, _ in reached), -90.0)
    north_edge = min(max(north for _, north in reached), 90.0)
    west_edge, east_edge = _sides(places)
    # Around a pole there are samples of every longitude, and the pole itself between them.
    swaths = [one for one in places if one.is_swath]
    if north_edge > 0 and any(one.holds_pole(1) for one in swaths):
        west_edge, east_edge, north_edge = -180.0, 180.0, 90.0
    if south_edge < 0 and any(one.holds_pole(-1) for one in swaths):
        west_edge, east_edge, south_edge = -180.0, 180.0, -90.0
    return west_edge, south_edge, east_edge, north_edge


def _reach(variable, valid, most):
    """The valid values, one a row, or the bounds of their cells where these make sense.

    They do not where they are more than ``most`` away, as values are that stand for none.
    """
    values = variable.values[valid][:, np.newaxis]
    if variable.bounds is None:
        return values
    bounds = variable.bounds[valid]
    return np.where(np.abs(bounds - values) <= most, bounds, values)


def _ends(values):
    return shortest(values.min()), shortest(values.max())


def _sides(places):
    """West and east: samples lie anywhere, the axis of a grid reaches from one end to the other."""
    found, samples = [], []
    for one in places:
        cells = _reach(one.longitude, one.valid_east, 360)
        # A lone cell may be any part of the globe; of many the corners tell where they are.
        if one.is_samples and (cells.size == 1 or len(cells) > 1):
            samples.append(cells.ravel())
        else:
            found.append(axis_longitudes(one.longitude.values[one.valid_east], cells))
    if samples:
        together = np.concatenate(samples) if len(samples) > 1 else samples[0]
        found.append(enclosing_longitudes(together))
    return joined(found)


def _located(places):
    """Map dimensions of samples, each alone and all together, to which have a position."""
    located = {}
    for one in places:
        if one.is_samples:
            dimensions, valid = one.latitude.dimensions, one.valid_north
            known = {dimensions: valid}
            for axis, dimension in enumerate(dimensions):
                others = tuple(i for i in range(valid.ndim) if i != axis)
                known[dimension,] = valid.any(axis=others)
            for key, some in known.items():
                located[key] = located.get(key, False) | some
    return located


def _has_position(variable, located):
    """Which times are of samples that have a position, where that is known; else all."""
    if variable.dimensions in located:
        return located[variable.dimensions]
    found = np.ones(variable.present.shape, bool)
    for axis, dimension in enumerate(variable.dimensions):
        if (dimension,) in located:
            others = [i for i in range(found.ndim) if i != axis]
            found &= np.expand_dims(located[dimension,], others)
    return found


def _polygon(places):
    swaths = [one for one in places if one.is_swath]
    if len(swaths) != 1:
        log_warning(f"no polygon: the product has {len(swaths)} swaths of 2-D positions, not one")
        return ()
    (swath,) = swaths
    found = outline(swath.longitude.values, swath.latitude.values, swath.valid_north)
    if isinstance(found, str):
        log_warning(f"no polygon, a bounding box instead: {found}")
        return ()
    return tuple((to_180(shortest(x), 180.0), shortest(y)) for x, y in found)


def _times(product, located):
    """Return begin and end of the product's CF time coordinates.

    Where the samples along the dimensions of a time have positions, only those with a valid one
    count: when and where speak of the same samples, as GHRC's inventory does for dropsondes.
    """
    found = [one for one in product.coordinates if is_time(one.attributes, one.is_coordinate)]
    moments = []
    for variable in _best(product, found):
        calendar = variable.attributes["calendar"].lower() or "standard"
        if calendar not in _REAL_CALENDARS:
            log_warning(f"variable {variable.name}: calendar {calendar} has no UTC")
            continue
        valid = variable.present & _has_position(variable, located)
        if not valid.any():
            valid = variable.present  # then they are times of something else
        values = _reach(variable, valid, np.inf)
        if values.size:
            ends = [float(values.min()), float(values.max())]
            moments += _decode(variable, ends, calendar)
    return (min(moments), max(moments)) if moments else (None, None)


def _decode(variable, values, calendar):
    """Turn CF time values into moments, to the nearest millisecond; an unknown unit gives none."""
    try:
        moments = decode(values, variable.attributes["units"], calendar)
        return [_to_millisecond(one) for one in moments]  # the last of year 9999 has no next
    except (ValueError, OverflowError) as error:
        log_warning(f"variable {variable.name}: cannot decode its time: {error}")
        return []


def _to_millisecond(moment):
    whole = moment.replace(microsecond=0)
    return whole + timedelta(milliseconds=round(moment.microsecond / 1000))
