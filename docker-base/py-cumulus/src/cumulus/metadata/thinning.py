"""Positions of large swaths and tracks, read part by part: the few samples that decide the extent.

Of all samples with a valid latitude and longitude those are kept that are an end of the latitudes,
or of the longitudes in one of many sectors of the circle.
"""

from dataclasses import dataclass, replace

import numpy as np

from ..logutils.logger import log_warning
from .longitudes import Sectors, goes_round
from .polygon import holds_pole, outline, spread

__all__ = ["Mask", "Thinned", "thin"]

_LONGEST = 1_000_000  # samples of an edge that is looked at
_LINES = 20  # of which the spacing is measured


class Mask:
    """Which samples have a position, one bit each."""

    def __init__(self, shape, bits=None):
        self.shape = shape
        size = int(np.prod(shape))
        self._bits = np.zeros(-(-size // 8), "u1") if bits is None else bits

    def __or__(self, other):
        return self if other is False else Mask(self.shape, self._bits | other._bits)

    __ror__ = __or__

    def _range(self, part):
        start = np.ravel_multi_index([each.start for each in part], self.shape)
        return int(start), int(np.prod([each.stop - each.start for each in part]))

    def set(self, part, flags):
        """Set the flags of a part, which is contiguous."""
        start, count = self._range(part)
        first, last = start // 8, -(-(start + count) // 8)
        bits = np.unpackbits(self._bits[first:last])
        bits[start - 8 * first :][:count] = flags.ravel()
        self._bits[first:last] = np.packbits(bits)

    def get(self, part):
        """Return the flags of a part, which is contiguous."""
        start, count = self._range(part)
        first, last = start // 8, -(-(start + count) // 8)
        flags = np.unpackbits(self._bits[first:last])[start - 8 * first :][:count].astype(bool)
        return flags.reshape([each.stop - each.start for each in part])


@dataclass(frozen=True)
class Thinned:
    """What positions told before they were thinned.

    Attributes
    ----------
    latitude, longitude : cumulus.products.Variable
        With all values, as LargeValues.
    mask : Mask
    along : tuple of numpy.ndarray of bool
        Which indices of each axis have a position.
    poles : frozenset of int
        1 and -1: those that lie between the samples.
    goes_round : bool
        Whether the longitudes go round the Earth without a gap.
    spacing : float
        Degrees between two samples, about.
    """

    latitude: object
    longitude: object
    mask: Mask
    along: tuple
    poles: frozenset
    goes_round: bool
    spacing: float

    @property
    def ndim(self):
        return len(self.mask.shape)

    def outline(self):
        """Return the polygon as :func:`.polygon.outline` does, from the rows that it looks at."""
        rows = spread(np.flatnonzero(self.along[0]))
        width = slice(0, self.mask.shape[1])
        parts = [(slice(int(row), int(row) + 1), width) for row in rows]
        east, north, valid = (
            np.concatenate([read(part) for part in parts] or [np.zeros((0, 1))])
            for read in (
                lambda part: self.longitude.values.read(part)[0],
                lambda part: self.latitude.values.read(part)[0],
                self.mask.get,
            )
        )
        return outline(east, north, valid.astype(bool))


def thin(latitude, longitude, limits):
    """Return latitude and longitude of the samples that decide the extent, and the Thinned.

    Parameters
    ----------
    latitude, longitude : cumulus.products.Variable
        Of the same dimensions, with LargeValues in degrees.
    limits : sequence of (float, float)
        The smallest and the largest valid latitude and longitude.
    """
    reading = _Reading(latitude, longitude, limits)
    for part in latitude.values.parts():
        reading.add(part)
    return reading.result()


class _Reading:
    """What the parts have told so far."""

    def __init__(self, latitude, longitude, limits):
        self._variables, self._limits = (latitude, longitude), limits
        self._shape = latitude.values.shape
        self._mask = Mask(self._shape)
        self._along = [np.zeros(length, bool) for length in self._shape]
        self._beyond = [0, 0]
        self._kept = []
        self._sectors = Sectors()
        self._poles, self._before = set(), None
        self._edges = {name: [] for name in ("top", "bottom", "left", "right")}
        self._steps = []
        self._is_full = True

    def add(self, part):
        north, east, valid, beyond = self._read(part)
        self._beyond = [known + more for known, more in zip(self._beyond, beyond, strict=True)]
        self._is_full &= bool(valid.all())
        self._mask.set(part, valid)
        for axis, length in enumerate(part):
            others = tuple(i for i in range(valid.ndim) if i != axis)
            self._along[axis][length] |= valid.any(axis=others)
        if valid.ndim == 2:
            self._add_poles(part, north, east, valid)
            self._add_edges(part, east)
        if valid.any():
            self._keep(north[valid], east[valid])

    def _read(self, part):
        """Latitudes and longitudes, which samples are valid, and how many of each are not."""
        arrays, valid, beyond = [], True, []
        for variable, (low, high) in zip(self._variables, self._limits, strict=True):
            values, present = variable.values.read(part)
            with np.errstate(invalid="ignore"):
                inside = (values >= low) & (values <= high)
            arrays.append(values)
            beyond.append(int((present & ~inside).sum()))
            valid = valid & present & inside
        return *arrays, valid, beyond

    def _keep(self, north, east):
        ends = np.unique([north.argmin(), north.argmax(), east.argmin(), east.argmax()])
        self._kept.append((north[ends], east[ends]))
        self._sectors.add(east)
        if len(self._steps) < _LINES:
            self._steps.append([_median_step(each[:10_000]) for each in (north, east)])

    def _add_poles(self, part, north, east, valid):
        """With the row before, and in parts of a row with the row and the column behind."""
        if part[1] != slice(0, self._shape[1]):
            wider = tuple(
                slice(each.start, min(each.stop + 1, length))
                for each, length in zip(part, self._shape, strict=True)
            )
            north, east, valid, _ = self._read(wider)
        elif self._before is not None:
            north, east, valid = (
                np.concatenate([row, block])
                for row, block in zip(self._before, (north, east, valid), strict=True)
            )
        self._before = tuple(each[-1:].copy() for each in (north, east, valid))
        self._poles |= {pole for pole in (1, -1) if holds_pole(east, north, valid, pole)}

    def _add_edges(self, part, east):
        rows, columns = part
        lines = {
            "top": (rows.start == 0, east[0]),
            "bottom": (rows.stop == self._shape[0], east[-1]),
            "left": (columns.start == 0, east[:, 0]),
            "right": (columns.stop == self._shape[1], east[:, -1]),
        }
        for name, (is_edge, line) in lines.items():
            if is_edge and max(self._shape) <= _LONGEST:
                self._edges[name].append(line.copy())  # a view would keep the part in memory

    def result(self):
        latitude, longitude = self._variables
        for variable, count, (low, high) in zip(
            self._variables, self._beyond, self._limits, strict=True
        ):
            if count:
                log_warning(
                    f"variable {variable.name}: {count} of {variable.values.size} values are not "
                    f"within {low} to {high} and were left out"
                )
        edges, is_dense = self._sectors.ends()
        north = np.concatenate([each for each, _ in self._kept] or [np.zeros(0)])
        east = np.concatenate([each for _, each in self._kept] + [edges])
        north = np.concatenate([north, np.repeat(north[:1], len(edges))])
        thinned = Thinned(
            latitude, longitude, self._mask, tuple(self._along), frozenset(self._poles),
            is_dense or self._is_grid_round(),
            max((float(np.median(each)) for each in zip(*self._steps, strict=True)), default=0.0),
        )  # fmt: skip
        return _of_values(latitude, north), _of_values(longitude, east), thinned

    def _is_grid_round(self):
        if len(self._shape) != 2 or not self._is_full or max(self._shape) > _LONGEST:
            return False
        return goes_round([np.concatenate(edge) for edge in self._edges.values()])


def _median_step(values):
    steps = np.abs((np.diff(values.astype("f8")) + 180) % 360 - 180)
    return float(np.median(steps)) if steps.size else 0.0


def _of_values(variable, values):
    return replace(variable, values=values, present=np.ones(values.shape, bool))
