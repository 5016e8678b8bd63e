"""Latitudes and longitudes of a product that belong together, and the box around them."""

from dataclasses import dataclass, replace

import numpy as np

from ..logutils.logger import log_warning
from ..products.angles import angle
from ..products.large import LargeValues
from ..products.model import is_latitude, is_longitude
from .longitudes import (
    EASTMOST,
    GLOBE,
    WESTMOST,
    axis_longitudes,
    edges_of,
    enclosing_longitudes,
    goes_round,
    joined,
    shortest,
    to_180,
)
from .polygon import holds_pole, outline
from .selection import best, squeezed
from .thinning import Thinned, thin

__all__ = ["Positions", "Refused", "box_of", "from_coordinates", "located", "pair", "polygon_of"]

_RANGES = {"latitude": (-90, 90), "longitude": (WESTMOST, EASTMOST)}
_NAMES = {**dict.fromkeys(("lat", "latitude"), "latitude"),
          **dict.fromkeys(("lon", "long", "longitude"), "longitude")}  # fmt: skip


class Refused(Exception):
    """The product does not tell a part of its extent for certain; the message says why."""


@dataclass(frozen=True)
class Positions:
    """Latitudes and longitudes in degrees, and which of them are valid."""

    latitude: object
    longitude: object
    valid_north: np.ndarray
    valid_east: np.ndarray
    thinned: Thinned | None = None  # where only those samples are left that decide the extent

    @property
    def is_samples(self):
        """Whether each latitude has its longitude; otherwise they are the axes of a grid."""
        return self.latitude.dimensions == self.longitude.dimensions

    @property
    def is_swath(self):
        ndim = self.thinned.ndim if self.thinned else self.valid_north.ndim
        return self.is_samples and ndim == 2

    @property
    def goes_round(self):
        """Whether the longitudes of samples go round the Earth without a gap."""
        if self.thinned:
            return self.thinned.goes_round
        is_full = self.is_swath and self.valid_east.all()
        return is_full and goes_round(edges_of(self.longitude.values))

    @property
    def touches_pole(self):
        """Whether a sample is exactly on a pole, which has every longitude."""
        values = self.latitude.values
        return self.is_samples and any(
            bool(((values == pole) & self.valid_north).any()) for pole in (90, -90)
        )

    def holds_pole(self, pole):
        """Whether the north pole (1) or the south pole (-1) lies between the samples."""
        if self.thinned:
            return pole in self.thinned.poles
        return holds_pole(self.longitude.values, self.latitude.values, self.valid_north, pole)

    def outline(self):
        """Return the polygon as :func:`.polygon.outline` does."""
        if self.thinned:
            return self.thinned.outline()
        return outline(self.longitude.values, self.latitude.values, self.valid_north)

    def with_position(self):
        """Map the dimensions of samples, and each of them, to which have a position."""
        if self.thinned:
            known, along = {self.latitude.dimensions: self.thinned.mask}, self.thinned.along
        else:
            known, valid = {self.latitude.dimensions: self.valid_north}, self.valid_north
            axes = range(valid.ndim)
            along = [valid.any(axis=tuple(i for i in axes if i != axis)) for axis in axes]
        if len(along) > 1:
            known |= {
                (name,): some for name, some in zip(self.latitude.dimensions, along, strict=True)
            }
        return known


# --- which variables belong together ---------------------------------------------------------


def from_coordinates(product):
    """Return the positions that the CF coordinates of a product tell.

    Raises
    ------
    Refused
        A latitude or longitude contradicts itself or has no unit of an angle.
    """
    latitudes = _of_kind(product, is_latitude, "latitude")
    longitudes = _of_kind(product, is_longitude, "longitude")
    return pair(latitudes, longitudes)


def _of_kind(product, is_kind, kind):
    variables = [each for each in product.coordinates if is_kind(each.attributes)]
    chosen = best(product, variables)
    _refuse_nominal(product, chosen, variables)
    return [squeezed(in_degrees(variable, kind)) for variable in chosen]


def _refuse_nominal(product, chosen, variables):
    """A lone position that the data do not name may be that of a port beside a ship's track."""
    longer = [each for each in variables if each.values.size > 1]
    if longer and all(each.values.size == 1 and each.name not in product.used for each in chosen):
        raise Refused(
            f"{chosen[0].name!r} is a lone position beside {longer[0].name!r}, and no variable "
            "names either in coordinates"
        )


def in_degrees(variable, kind):
    """Return a latitude or longitude in degrees north or east.

    Raises
    ------
    Refused
        Name, standard name and units contradict each other, or the unit is of no angle.
    """
    name, units = variable.name, variable.attributes.get("units", "")
    unit = angle(units or "degrees")
    if unit is None:
        raise Refused(f"{name!r} has units {units!r}, which are of no angle")
    if kind != (unit.kind or kind) or kind != _NAMES.get(name.lower(), kind):
        raise Refused(f"{name!r} is taken for a {kind}, which its name or its units {units!r} deny")
    if unit.degrees == 1:
        return variable
    if isinstance(variable.values, LargeValues):
        values = variable.values.times(unit.degrees)
        return replace(variable, values=values, present=values)
    bounds = None if variable.bounds is None else variable.bounds * unit.degrees
    values = np.asarray(variable.values, "f8") * unit.degrees
    return replace(variable, values=values, bounds=bounds)


def pair(latitudes, longitudes):
    """Return Positions of latitudes and longitudes, in degrees, that belong together.

    Raises
    ------
    Refused
        They have no units, and may be radians.
    """
    pairs = list(_pairs(latitudes, longitudes))
    thinned = [_thinned(*each) for each in pairs if _are_large(*each)]
    pairs = [each for each in pairs if not _are_large(*each)]
    valid = {}  # by identity, so that each is checked, and warned of, once
    for coordinates in pairs:
        for coordinate, limits in zip(coordinates, _RANGES.values(), strict=True):
            if id(coordinate) not in valid:
                valid[id(coordinate)] = _valid(coordinate, *limits)
    positions = []
    for latitude, longitude in pairs:
        north, east = valid[id(latitude)], valid[id(longitude)]
        if latitude.dimensions == longitude.dimensions:  # samples: each needs both
            north = east = north & east
        _refuse_radians(latitude, longitude, north, east)
        positions.append(Positions(latitude, longitude, north, east))
    return positions + thinned


def _are_large(*coordinates):
    return any(isinstance(each.values, LargeValues) for each in coordinates)


def _thinned(latitude, longitude):
    """Positions of samples that are too many for memory."""
    if latitude.dimensions != longitude.dimensions:
        raise Refused(f"{latitude.name!r} and {longitude.name!r} are axes of too many values")
    latitude, longitude, thinned = thin(latitude, longitude, list(_RANGES.values()))
    _refuse_radians(latitude, longitude, latitude.present, longitude.present)
    return Positions(latitude, longitude, latitude.present, longitude.present, thinned)


def _refuse_radians(latitude, longitude, valid_north, valid_east):
    """Without any units, small numbers may be degrees around 0 north, 0 east as well as radians."""
    if latitude.attributes.get("units") or longitude.attributes.get("units"):
        return
    north, east = (
        float(np.abs(variable.values[valid]).max(initial=0.0))
        for variable, valid in ((latitude, valid_north), (longitude, valid_east))
    )
    if 0 < north <= np.pi / 2 and east <= 2 * np.pi:
        names = f"{latitude.name!r} and {longitude.name!r}"
        raise Refused(f"{names} have no units, and may be radians as well as degrees")


def _pairs(latitudes, longitudes):
    """Yield latitudes and longitudes of the same samples, or of the same grid, in one group.

    Several (start_lat, end_lat, start_lon, end_lon) are paired in their order; none is left out.
    """
    for group, dimensions in dict.fromkeys((each.group, each.dimensions) for each in latitudes):
        own = [each for each in latitudes if (each.group, each.dimensions) == (group, dimensions)]
        near = [each for each in longitudes if each.group == group]
        others = [each for each in near if each.dimensions == dimensions]
        if not others and own[0].is_coordinate:
            others = [each for each in near if each.is_coordinate]
        if not others and len(own) == len(near) == 1 and _is_axis(own[0]) and _is_axis(near[0]):
            others = near
        for i in range(max(len(own), len(others)) if others else 0):
            yield own[min(i, len(own) - 1)], others[min(i, len(others) - 1)]


def _is_axis(variable):
    """Whether values can be the axis of a grid: one dimension, along which they rise or fall."""
    if variable.values.ndim != 1 or _are_large(variable) or not variable.present.all():
        return False
    steps = np.diff(variable.values.astype("f8"))
    return bool(np.all(steps > 0) or np.all(steps < 0))


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


# --- what they cover -------------------------------------------------------------------------


def box_of(positions):
    """Return west, south, east and north of positions in degrees, or None without any.

    West > east where the box crosses the antimeridian.

    Raises
    ------
    Refused
        The only position is 0 north, 0 east: a default that nobody set.
    """
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
        west_edge, east_edge, north_edge = *GLOBE, 90.0
    if south_edge < 0 and any(each.holds_pole(-1) for each in swaths):
        west_edge, east_edge, south_edge = *GLOBE, -90.0
    edges = west_edge, south_edge, east_edge, north_edge
    if edges == (0, 0, 0, 0):
        raise Refused(f"{positions[0].latitude.name!r} is 0 north, 0 east only, a default value")
    return edges


def _reach(variable, valid, most):
    """The valid values, each in a row, or the bounds of their cells where these make sense.

    Bounds further than ``most`` from their value do not: they are undeclared fill values.
    """
    chosen = variable.values.ravel() if valid.all() else variable.values[valid]  # perhaps a view
    values = chosen[:, np.newaxis]
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
        if each.goes_round:
            intervals.append(GLOBE)
        elif each.is_samples and (cells.size == 1 or len(cells) > 1):
            samples.append(cells.ravel())
        else:
            intervals.append(axis_longitudes(each.longitude.values[each.valid_east], cells))
    if samples:
        together = np.concatenate(samples) if len(samples) > 1 else samples[0]
        intervals.append(enclosing_longitudes(together))
    return joined(intervals)


def located(positions):
    """Map dimensions of samples, each alone and all together, to which have a position."""
    result = {}
    for each in positions:
        if each.is_samples:
            for key, some in each.with_position().items():
                result[key] = result.get(key, False) | some
    return result


def polygon_of(positions):
    """Return a polygon around the only swath, closed and counter-clockwise; () with a warning."""
    swaths = [each for each in positions if each.is_swath]
    if len(swaths) != 1:
        count = f"{len(swaths)} swaths of 2-D positions"
        log_warning(f"no polygon: the product has {count}, 1 is needed")
        return ()
    (swath,) = swaths
    ring = swath.outline()
    if isinstance(ring, str):
        log_warning(f"no polygon, a bounding box instead: {ring}")
        return ()
    return tuple((to_180(shortest(x), 180.0), shortest(y)) for x, y in ring)
