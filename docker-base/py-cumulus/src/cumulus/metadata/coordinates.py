"""What a product's CF coordinates cover in time and space.

Only variables that are marked as coordinates count; unknown parts are None.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from ..logutils.logger import log_warning
from ..products.model import is_latitude, is_longitude, is_time
from ..products.times import decode
from .longitudes import (
    EASTMOST,
    GLOBE,
    WESTMOST,
    axis_longitudes,
    enclosing_longitudes,
    goes_round,
    joined,
    shortest,
    to_180,
)
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
class _Positions:
    """Latitudes and longitudes that belong together, and which of them are valid."""

    latitude: object
    longitude: object
    valid_north: np.ndarray
    valid_east: np.ndarray

    @property
    def is_samples(self):
        """Whether each latitude has its longitude; otherwise they are the axes of a grid."""
        return self.latitude.dimensions == self.longitude.dimensions

    @property
    def is_swath(self):
        return self.is_samples and self.valid_north.ndim == 2

    @property
    def touches_pole(self):
        """Whether a sample is exactly on a pole, which has every longitude."""
        return self.is_samples and bool(
            (np.abs(self.latitude.values[self.valid_north]) == 90).any()
        )

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
    positions = _positions(product)
    edges = _edges(positions)
    begin, end = _times(product, _located(positions))
    return Cover(edges, begin, end, _polygon(positions) if polygon and edges else ())


def _best(product, coordinates):
    """The coordinates of the best kind.

    Coordinates that other variables use come before the rest. Within a group, those with a standard
    name or a usual name come first, since `lat_uncertainty` may have the units of `lat`. The
    coordinate of a dimension may have any name, and so may a coordinate that a variable names, if
    none has a standard name.
    """
    used = [
        coordinate
        for coordinate in coordinates
        if coordinate.is_coordinate or coordinate.name in product.used
    ]
    groups = {}
    for coordinate in used or coordinates:
        groups.setdefault(coordinate.group, []).append(coordinate)
    return [
        coordinate for group in groups.values() for coordinate in _most_marked(group, bool(used))
    ]


def _most_marked(coordinates, are_used):
    if are_used and not any(coordinate.attributes["standard_name"] for coordinate in coordinates):
        return coordinates
    return [coordinate for coordinate in coordinates if _is_marked(coordinate)] or coordinates


def _is_marked(coordinate):
    return (
        coordinate.attributes["standard_name"]
        or coordinate.is_coordinate
        or coordinate.name.lower() in _USUAL
    )


def _positions(product):
    coordinates = product.coordinates
    latitudes = _best(
        product, [coordinate for coordinate in coordinates if is_latitude(coordinate.attributes)]
    )
    longitudes = _best(
        product, [coordinate for coordinate in coordinates if is_longitude(coordinate.attributes)]
    )
    pairs = list(_pairs(latitudes, longitudes))
    valid = {}  # by identity, so that each is checked, and warned of, once
    for latitude, longitude in pairs:
        for coordinate, low, high in ((latitude, -90, 90), (longitude, WESTMOST, EASTMOST)):
            if id(coordinate) not in valid:
                valid[id(coordinate)] = _valid(coordinate, low, high)
    positions = []
    for latitude, longitude in pairs:
        north, east = valid[id(latitude)], valid[id(longitude)]
        if latitude.dimensions == longitude.dimensions:  # samples: each needs both
            north = east = north & east
        positions.append(_Positions(latitude, longitude, north, east))
    return positions


def _pairs(latitudes, longitudes):
    """Yield latitudes and longitudes of the same samples, or of the same grid, in one group.

    Several (start_lat, end_lat, start_lon, end_lon) are paired in their order; none is left out.
    """
    for group, dimensions in dict.fromkeys(
        (coordinate.group, coordinate.dimensions) for coordinate in latitudes
    ):
        own = [
            coordinate
            for coordinate in latitudes
            if (coordinate.group, coordinate.dimensions) == (group, dimensions)
        ]
        near = [coordinate for coordinate in longitudes if coordinate.group == group]
        others = [coordinate for coordinate in near if coordinate.dimensions == dimensions]
        if not others and own[0].is_coordinate:
            others = [coordinate for coordinate in near if coordinate.is_coordinate]
        for i in range(max(len(own), len(others)) if others else 0):
            yield own[min(i, len(own) - 1)], others[min(i, len(others) - 1)]


def _valid(variable, low, high):
    """Which values are present and within their range; a warning counts the others."""
    if not variable.present.any():
        return variable.present
    with np.errstate(invalid="ignore"):
        inside = (variable.values >= low) & (variable.values <= high)
    if count := int((variable.present & ~inside).sum()):
        left_out = f"{count} of {variable.values.size} values are not within {low} to {high}"
        log_warning(f"variable {variable.name}: {left_out} and were left out")
    return variable.present & inside


def _edges(positions):
    positions = [each for each in positions if each.valid_north.any() and each.valid_east.any()]
    if not positions:
        return None
    reached = [_ends(_reach(each.latitude, each.valid_north, 90)) for each in positions]
    south_edge = max(min(south for south, _ in reached), -90.0)
    north_edge = min(max(north for _, north in reached), 90.0)
    west_edge, east_edge = _sides(positions)
    if any(each.touches_pole for each in positions):
        west_edge, east_edge = GLOBE
    # Around a pole there are samples of every longitude, and the pole itself between them.
    swaths = [each for each in positions if each.is_swath]
    if north_edge > 0 and any(each.holds_pole(1) for each in swaths):
        west_edge, east_edge, north_edge = -180.0, 180.0, 90.0
    if south_edge < 0 and any(each.holds_pole(-1) for each in swaths):
        west_edge, east_edge, south_edge = -180.0, 180.0, -90.0
    return west_edge, south_edge, east_edge, north_edge


def _reach(variable, valid, most):
    """The valid values, each in a row, or the bounds of their cells where these make sense.

    Bounds further than ``most`` from their value do not: they are undeclared fill values.
    """
    values = variable.values[valid][:, np.newaxis]
    if variable.bounds is None:
        return values
    bounds = variable.bounds[valid]
    return np.where(np.abs(bounds - values) <= most, bounds, values)


def _ends(values):
    return shortest(values.min()), shortest(values.max())


def _sides(positions):
    """West and east of samples anywhere, and of grids from one end of their axis to the other."""
    intervals, samples = [], []
    for each in positions:
        cells = _reach(each.longitude, each.valid_east, 360)
        # A lone cell may be any part of the globe; the corners of many cells enclose them.
        if each.is_swath and each.valid_east.all() and goes_round(each.longitude.values):
            intervals.append(GLOBE)
        elif each.is_samples and (cells.size == 1 or len(cells) > 1):
            samples.append(cells.ravel())
        else:
            intervals.append(axis_longitudes(each.longitude.values[each.valid_east], cells))
    if samples:
        together = np.concatenate(samples) if len(samples) > 1 else samples[0]
        intervals.append(enclosing_longitudes(together))
    return joined(intervals)


def _located(positions):
    """Map dimensions of samples, each alone and all together, to which have a position."""
    located = {}
    for each in positions:
        if each.is_samples:
            dimensions, valid = each.latitude.dimensions, each.valid_north
            known = {dimensions: valid}
            for axis, dimension in enumerate(dimensions):
                others = tuple(i for i in range(valid.ndim) if i != axis)
                known[dimension,] = valid.any(axis=others)
            for key, some in known.items():
                located[key] = located.get(key, False) | some
    return located


def _has_position(variable, located):
    """Which times belong to samples with a position; all times where that is unknown."""
    if variable.dimensions in located:
        return located[variable.dimensions]
    known = np.ones(variable.present.shape, bool)
    for axis, dimension in enumerate(variable.dimensions):
        if (dimension,) in located:
            others = [i for i in range(known.ndim) if i != axis]
            known &= np.expand_dims(located[dimension,], others)
    return known


def _polygon(positions):
    swaths = [each for each in positions if each.is_swath]
    if len(swaths) != 1:
        log_warning(
            f"no polygon: the product has {len(swaths)} swaths of 2-D positions instead of one"
        )
        return ()
    (swath,) = swaths
    ring = outline(swath.longitude.values, swath.latitude.values, swath.valid_north)
    if isinstance(ring, str):
        log_warning(f"no polygon, a bounding box instead: {ring}")
        return ()
    return tuple((to_180(shortest(x), 180.0), shortest(y)) for x, y in ring)


def _times(product, located):
    """Return begin and end of the product's CF time coordinates.

    Where the samples of a time have positions, only samples with a valid position count, as in
    GHRC's inventory of dropsondes: time and place describe the same samples.
    """
    times = [
        coordinate
        for coordinate in product.coordinates
        if is_time(coordinate.attributes, coordinate.is_coordinate)
    ]
    moments = []
    for variable in _best(product, times):
        calendar = variable.attributes["calendar"].lower() or "standard"
        if calendar not in _REAL_CALENDARS:
            log_warning(f"variable {variable.name}: calendar {calendar} has no UTC")
            continue
        valid = variable.present & _has_position(variable, located)
        if not valid.any():
            valid = variable.present  # the positions belong to something else
        values = _reach(variable, valid, np.inf)
        if values.size:
            ends = [float(values.min()), float(values.max())]
            moments += _decode(variable, ends, calendar)
    return (min(moments), max(moments)) if moments else (None, None)


def _decode(variable, values, calendar):
    """Turn CF time values into moments, to the nearest millisecond; an unknown unit gives none."""
    try:
        moments = decode(values, variable.attributes["units"], calendar)
        return [
            _to_millisecond(moment) for moment in moments
        ]  # OverflowError at the end of year 9999
    except (ValueError, OverflowError) as error:
        log_warning(f"variable {variable.name}: cannot decode its time: {error}")
        return []


def _to_millisecond(moment):
    whole = moment.replace(microsecond=0)
    return whole + timedelta(milliseconds=round(moment.microsecond / 1000))
