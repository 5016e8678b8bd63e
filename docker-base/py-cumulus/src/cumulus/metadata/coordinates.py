"""What a product covers in time and space.

The CF coordinates are asked first. Other rules need another look into the file, and are asked only
for a part that the coordinates do not tell. What remains in doubt is left out with its reason.
"""

from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import numpy as np

from .. import CumulusError
from ..products.catalogue import open_catalogue
from ..products.large import LargeValues
from ..products.model import is_latitude, is_longitude
from .offsets import may_have_offsets, offset_times
from .positions import Refused, box_of, from_coordinates, located, polygon_of
from .projection import projected_positions
from .radar import gate_positions, is_radar_volume
from .temporal import chosen_times, interval_of, of_samples
from .usual import (
    have_usual_positions,
    may_have_usual_times,
    named_positions,
    named_times,
    usual_positions,
    usual_times,
)

__all__ = ["PARTS", "Cover", "Names", "cover"]

PARTS = ("time", "place")


@dataclass(frozen=True)
class Names:
    """Paths of the variables that collection.toml names, where the general rule takes others."""

    time: str = ""
    latitude: str = ""
    longitude: str = ""


@dataclass(frozen=True)
class Cover:
    """What a product covers; None or empty is unknown.

    Attributes
    ----------
    edges : tuple of float or None
        West, south, east, north in degrees; west > east across the antimeridian.
    begin, end : datetime.datetime or None
        UTC.
    polygon : tuple of (longitude, latitude)
        On request: around a swath, closed and counter-clockwise.
    reasons : dict of str to str
        Why "time" or "place" is unknown.
    is_certain : bool
        Whether the time is that of CF coordinates, and not of a rule that others may contradict.
    """

    edges: tuple | None = None
    begin: datetime | None = None
    end: datetime | None = None
    polygon: tuple = ()
    reasons: dict = field(default_factory=dict)
    is_certain: bool = True
    _times: tuple = field(default=(), repr=False, compare=False)
    _positions: tuple = field(default=(), repr=False, compare=False)

    def step(self):
        """Return the time between two samples, about."""
        most = max((variable.values.size for variable in self._times), default=0)
        return (self.end - self.begin) / (most - 1) if most > 1 else timedelta(0)

    def spacing(self):
        """Return the degrees between two samples, about: the median of neighbours."""
        medians = [0.0]
        for each in self._positions:
            if each.thinned:
                medians.append(each.thinned.spacing)
                continue
            for values, valid in (
                (each.latitude.values, each.valid_north),
                (each.longitude.values, each.valid_east),
            ):
                steps = np.abs((np.diff(values[valid].astype("f8")) + 180) % 360 - 180)
                medians.append(float(np.median(steps)) if steps.size else 0.0)
        return max(medians)


def cover(product, polygon=False, names=None, wanted=PARTS):
    """Return what a product, in all its groups, covers.

    Parameters
    ----------
    product : cumulus.products.Product
    polygon : bool
        Whether to draw a polygon around the samples, too.
    names : Names, optional
        The variables that count instead of those that the rules would choose.
    wanted : collection of str
        Of "time" and "place": for which other rules are asked where the coordinates do not answer.

    Returns
    -------
    Cover
    """
    with ExitStack() as stack:
        for each in product.coordinates:
            if isinstance(each.values, LargeValues):
                stack.callback(each.values.close)
        return _Search(product, names or Names(), wanted, stack).cover(polygon)


class _Search:
    """One way through a product: candidates, then an extent or the reason why there is none."""

    def __init__(self, product, names, wanted, stack):
        self._product, self._names, self._wanted, self._stack = product, names, wanted, stack
        self._opened = None
        self._reasons = {}
        self._is_certain = True

    @property
    def _catalogue(self):
        """All variables of the product, opened when the first rule asks for them."""
        if self._opened is None:
            self._opened = self._stack.enter_context(open_catalogue(self._product))
        return self._opened

    def cover(self, polygon):
        positions, edges = self._first("place", self._place_rules(), box_of)
        where = located(positions)
        times, begin, end = self._times(where)
        ring = polygon_of(positions) if polygon and edges else ()
        return Cover(
            edges, begin, end, ring, self._reasons, self._is_certain, tuple(times), tuple(positions)
        )

    def _first(self, part, rules, result_of):
        """Candidates and result of the first rule that has one; a doubt ends the search."""
        for rule in rules:
            try:
                candidates = rule()
                result = result_of(candidates) if candidates else None
            except (Refused, CumulusError) as refusal:
                self._reasons[part] = str(refusal)
                return [], None
            if result is not None:
                return candidates, result
        self._reasons.setdefault(part, _why_unknown(self._product, part))
        return [], None

    def _place_rules(self):
        product, names = self._product, self._names
        if names.latitude and names.longitude:
            return [lambda: named_positions(self._catalogue, names.latitude, names.longitude)]
        if is_radar_volume(product.names):
            return [lambda: gate_positions(self._catalogue)]
        rules = [self._coordinate_positions]
        if "place" in self._wanted and product.path:
            if have_usual_positions(product.names):
                rules.append(lambda: usual_positions(self._catalogue))
            rules.append(self._projected)
        return rules

    def _coordinate_positions(self):
        """Beside a projected grid a lone position is that of the satellite, not of the data."""
        positions = from_coordinates(self._product)
        names = {path.rpartition("/")[2].lower() for path in self._product.names}
        is_lone = all(each.latitude.values.ndim == 0 for each in positions)
        if positions and is_lone and {"x", "y"} <= names and self._product.path:
            return self._projected() or positions
        return positions

    def _projected(self):
        return projected_positions(self._catalogue) if self._product.has_mapping else []

    def _times(self, where):
        def known(times):
            times = of_samples(times, where)
            begin, end = interval_of(times, where)
            return (times, begin, end) if begin else None

        names, product = self._names, self._product
        if names.time:
            rules = [lambda: named_times(self._catalogue, names.time)]
        else:
            rules = [self._coordinate_times]
            if "time" in self._wanted and product.path and may_have_usual_times(product):
                rules.append(self._usual_times)
        _, result = self._first("time", rules, known)
        return result or ([], None, None)

    def _usual_times(self):
        self._is_certain = False
        return usual_times(self._catalogue)

    def _coordinate_times(self):
        times = chosen_times(self._product)
        if self._product.path and may_have_offsets(self._product, times):
            return offset_times(self._product, times[0]) or times
        return times


def _why_unknown(product, part):
    """Why the coordinates of a product do not tell the "time" or the "place"."""
    coordinates = product.coordinates
    if part == "time":
        times = product.times
        return _wrong(times, "time", "such as 'seconds since 2000-01-01'") or _unusable(times)
    latitudes = [each for each in coordinates if is_latitude(each.attributes)]
    longitudes = [each for each in coordinates if is_longitude(each.attributes)]
    return (
        _wrong(latitudes, "latitude", "'degrees_north'")
        or _wrong(longitudes, "longitude", "'degrees_east'")
        or f"{_unusable(latitudes + longitudes)}, or not the same dimensions"
    )


def _wrong(variables, name, units):
    """What is wrong with all coordinates of a kind; empty where nothing is seen."""
    if not variables:
        return f"no variable has units {units}, and standard_name {name!r}"
    without = [variable.name for variable in variables if not variable.present.any()]
    return f"{without[0]!r} has no values" if len(without) == len(variables) else ""


def _unusable(variables):
    """Coordinates of which earlier warnings tell more."""
    return f"{', '.join(variable.name for variable in variables)}: no valid values"
