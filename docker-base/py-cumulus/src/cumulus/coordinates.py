"""What a product's CF coordinates cover in time and space.

Only coordinates that are marked as such count; what they do not say is None.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from .logutils import log_warning
from .moments import decode
from .outline import holds_pole, outline
from .products import is_latitude, is_longitude, is_time

__all__ = ["Cover", "cover", "enclosing_longitudes"]

_REAL_CALENDARS = {"standard", "gregorian", "proleptic_gregorian"}
_DECIMALS = 6  # of a degree: 0.1 m
_SAME = 1e-4  # degrees: gaps between stored longitudes that differ by less are equally large


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
    """Coordinates that other variables use come before others; all of the best kind count."""
    used = [one for one in found if one.is_coordinate or one.name in product.used]
    return used or found


def _places(product):
    found = product.coordinates
    longitudes = _best(product, [one for one in found if is_longitude(one.attributes)])
    places = []
    for latitude in _best(product, [one for one in found if is_latitude(one.attributes)]):
        longitude = _partner(latitude, longitudes)
        if longitude is None:
            continue
        north, east = _valid(latitude, -90, 90), _valid(longitude, -180, 360)
        if latitude.dimensions == longitude.dimensions:  # samples: each needs both
            north = east = north & east
        places.append(_Place(latitude, longitude, north, east))
    return places


def _partner(latitude, longitudes):
    """The longitude of the same samples, or of the same grid (both 1-D coordinates, one group)."""
    for one in longitudes:
        if one.group == latitude.group:
            if one.dimensions == latitude.dimensions:
                return one
            if one.is_coordinate and latitude.is_coordinate:
                return one
    return None


def _valid(variable, low, high):
    """Which values are present and within their range; the others are reported."""
    with np.errstate(invalid="ignore"):
        inside = (variable.values >= low) & (variable.values <= high)
    if count := int((variable.present & ~inside).sum()):
        left_out = f"{count} of {variable.values.size} values are not within {low} to {high}"
        log_warning(f"variable {variable.name}: {left_out} and were left out")
    return variable.present & inside


def _edges(places):
    north = [one.latitude.values[one.valid_north] for one in places]
    east = [one.longitude.values[one.valid_east] for one in places]
    if not any(map(len, north)) or not any(map(len, east)):
        return None
    north, east = np.concatenate(north), np.concatenate(east)
    west_edge, east_edge = enclosing_longitudes(east)
    south_edge, north_edge = _shortest(north.min()), _shortest(north.max())
    # Around a pole there are samples of every longitude, and the pole itself between them.
    swaths = [one for one in places if one.is_swath]
    if north_edge > 0 and any(one.holds_pole(1) for one in swaths):
        west_edge, east_edge, north_edge = -180.0, 180.0, 90.0
    if south_edge < 0 and any(one.holds_pole(-1) for one in swaths):
        west_edge, east_edge, south_edge = -180.0, 180.0, -90.0
    return west_edge, south_edge, east_edge, north_edge


def _located(places):
    """Map each dimension of samples to which of them, along it, have a position."""
    located = {}
    for one in places:
        if one.is_samples:
            for axis, dimension in enumerate(one.latitude.dimensions):
                others = tuple(i for i in range(one.valid_north.ndim) if i != axis)
                located[dimension] = one.valid_north.any(axis=others)
    return located


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
    return tuple((_to_180(_shortest(x), 180.0), _shortest(y)) for x, y in found)


def enclosing_longitudes(longitudes):
    """Return west and east of the smallest interval that holds all longitudes.

    Parameters
    ----------
    longitudes : array of numbers
        Degrees east, from -180 to 360, in any order; at least one.

    Returns
    -------
    west, east : float
        From -180 to 180; west > east when the interval crosses the antimeridian. Among equally
        small intervals one that does not cross it is taken.

    Examples
    --------
    >>> enclosing_longitudes([179.5, -179.5, 180.25])
    (179.5, -179.5)
    >>> enclosing_longitudes([350.0, 10.0])
    (-10.0, 10.0)
    """
    stored = np.unique(np.asarray(longitudes))
    # As they are from -180 to 180, where the antimeridian itself is what the file calls it.
    antimeridian = -180.0 if stored[0] == -180 else 180.0
    plain = (stored.astype("f8") + 180) % 360 - 180
    plain[plain == -180] = antimeridian
    order = np.argsort(plain, kind="stable")
    gaps = np.append(plain[order][1:], plain[order][0] + 360) - plain[order]
    before = int(np.argmax(gaps))  # the smallest interval ends before the largest gap
    if gaps[-1] >= gaps[before] - _SAME:
        before = len(order) - 1
    west = _shortest(stored[order[(before + 1) % len(order)]])
    east = _shortest(stored[order[before]])
    if before == len(order) - 1:
        return _to_180(west, antimeridian), _to_180(east, antimeridian)
    return _to_180(west, -180.0), _to_180(east, 180.0)


def _to_180(longitude, antimeridian):
    """Express a longitude from -180 to 180; the antimeridian itself as the caller wants it."""
    wrapped = round((longitude + 180) % 360 - 180, _DECIMALS)
    return antimeridian if abs(wrapped) == 180 else wrapped + 0.0


def _shortest(value):
    """The shortest decimal that is stored as this value: 20.05 rather than 20.049999237060547."""
    return round(float(str(value)), _DECIMALS) + 0.0


def _times(product, located):
    """Return begin and end of the product's CF time coordinates.

    Where the samples along the time dimension have positions, only those with a valid one count:
    when and where speak of the same samples, as GHRC's inventory does for dropsondes.
    """
    found = [one for one in product.coordinates if is_time(one.attributes, one.is_coordinate)]
    moments = []
    for variable in _best(product, found):
        calendar = variable.attributes["calendar"].lower() or "standard"
        if calendar not in _REAL_CALENDARS:
            log_warning(f"variable {variable.name}: calendar {calendar} has no UTC")
            continue
        valid = variable.present
        if len(variable.dimensions) == 1:
            positions = located.get(variable.dimensions[0])
            if positions is not None and (valid & positions).any():
                valid = valid & positions
        values = variable.values[valid]
        if values.size:
            ends = [float(values.min()), float(values.max())]
            moments += _decode(variable, ends, calendar)
    return (min(moments), max(moments)) if moments else (None, None)


def _decode(variable, values, calendar):
    """Turn CF time values into moments, to the nearest millisecond; an unknown unit gives none."""
    try:
        moments = decode(values, variable.attributes["units"], calendar)
    except (ValueError, OverflowError) as error:
        log_warning(f"variable {variable.name}: cannot decode its time: {error}")
        return []
    return [_to_millisecond(one) for one in moments]


def _to_millisecond(moment):
    whole = moment.replace(microsecond=0)
    return whole + timedelta(milliseconds=round(moment.microsecond / 1000))
