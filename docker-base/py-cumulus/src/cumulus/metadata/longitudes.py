"""Intervals of longitudes: degrees east from -180 to 180, west > east across the antimeridian."""

import numpy as np

from ..extent import DECIMALS

__all__ = [
    "EASTMOST",
    "GLOBE",
    "WESTMOST",
    "Sectors",
    "axis_longitudes",
    "edges_of",
    "enclosing_longitudes",
    "goes_round",
    "joined",
    "shortest",
    "to_180",
]

GLOBE = (-180.0, 180.0)
# An axis that begins anywhere from -360 to 180 may go once round the Earth; numbers beyond are
# undeclared fill values.
WESTMOST, EASTMOST = -360, 540
_BLOCK = 1_000_000  # values that are looked at together
_SECTORS = 36_000  # of the circle; of each that many values keep their ends only
_SAME = 1e-4  # degrees: gaps between stored longitudes that differ by less are equally large


def enclosing_longitudes(longitudes):
    """Return west and east of the smallest interval that holds all longitudes.

    Parameters
    ----------
    longitudes : array of numbers
        Degrees east, counted modulo 360, in any order; at least one.

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
    stored = np.unique(_ends_of_sectors(np.asarray(longitudes)))
    # As they are from -180 to 180, where the antimeridian itself is what the file calls it.
    antimeridian = -180.0 if stored[0] == -180 else 180.0
    plain = (stored.astype("f8") + 180) % 360 - 180
    plain[plain == -180] = antimeridian
    order = np.argsort(plain, kind="stable")
    gaps = np.append(plain[order][1:], plain[order][0] + 360) - plain[order]
    before = int(np.argmax(gaps))  # the smallest interval ends before the largest gap
    if gaps[-1] >= gaps[before] - _SAME:
        before = len(order) - 1
    west = shortest(stored[order[(before + 1) % len(order)]])
    east = shortest(stored[order[before]])
    if before == len(order) - 1:
        return to_180(west, antimeridian), to_180(east, antimeridian)
    return to_180(west, -180.0), to_180(east, 180.0)


def _ends_of_sectors(longitudes):
    """Return those of many longitudes that may be the ends of the largest gap; few ones all."""
    if longitudes.size <= _BLOCK:
        return longitudes
    flat, sectors = longitudes.ravel(), Sectors()
    for start in range(0, flat.size, _BLOCK):
        sectors.add(flat[start : start + _BLOCK])
    ends, is_dense = sectors.ends()
    return longitudes if is_dense else ends


class Sectors:
    """The ends of longitudes in each of many sectors of the circle.

    A gap wider than two sectors lies between the ends of two sectors. Where there is none, the
    longitudes go round the Earth densely.
    """

    def __init__(self):
        self._low, self._high = np.full(_SECTORS, np.inf), np.full(_SECTORS, -np.inf)
        self._lowest = self._highest = None

    def add(self, longitudes):
        """Add an array of longitudes of one dimension, in degrees east."""
        if self._lowest is None:
            self._lowest, self._highest = (np.zeros(_SECTORS, longitudes.dtype) for _ in range(2))
        plain = (longitudes.astype("f8") + 180) % 360
        sector = np.minimum((plain * (_SECTORS / 360)).astype("i4"), _SECTORS - 1)
        _keep(self._low, self._lowest, np.less, np.minimum, sector, plain, longitudes)
        _keep(self._high, self._highest, np.greater, np.maximum, sector, plain, longitudes)

    def ends(self):
        """Return the ends, as they are stored, and whether there is no gap between them."""
        used = np.isfinite(self._low)
        if not used.any():
            return np.zeros(0), False
        low, high = self._low[used], self._high[used]
        gaps = np.append(low[1:], low[0] + 360) - high
        is_dense = bool(gaps.max() < 2 * 360 / _SECTORS)
        return np.concatenate([self._lowest[used], self._highest[used]]), is_dense


def _keep(ends, stored, is_beyond, extreme, sector, plain, block):
    """Move the ends of sectors to those of a block, and keep the values as they are stored."""
    new = ends.copy()
    extreme.at(new, sector, plain)
    moved = is_beyond(new, ends)
    if moved.any():
        at_end = np.flatnonzero(moved[sector] & (plain == new[sector]))
        stored[sector[at_end]] = block[at_end]
        ends[:] = new


def axis_longitudes(longitudes, cells=None):
    """Return west and east of the axis of a grid, which reaches from its first to its last value.

    The width of its cells may be unknown: if one more step leads to the first value again, the grid
    goes round the Earth, as 0, 1, ... 359 does.

    Parameters
    ----------
    longitudes : numpy.ndarray
        Degrees east, counted modulo 360, in the order of the axis; at least one.
    cells : numpy.ndarray, optional
        Ends of each cell, shape (longitudes, ends), where they are known.

    Returns
    -------
    west, east : float
        As those of `enclosing_longitudes`, which also takes values that are no axis because they
        neither rise nor fall throughout, such as 0, 1, 2, 358, 359.

    Examples
    --------
    >>> axis_longitudes(np.array([170.0, 175.0, 180.0, -175.0]))
    (170.0, -175.0)
    >>> axis_longitudes(np.arange(0.0, 360.0, 90.0))
    (-180.0, 180.0)
    """
    cells = longitudes[:, np.newaxis] if cells is None else cells
    axis = np.unwrap(longitudes.astype("f8"), period=360)
    steps = np.diff(axis)
    if not (np.all(steps > 0) or np.all(steps < 0)):
        return enclosing_longitudes(cells)
    if np.ptp(cells, axis=1).max() >= 360 - _SAME:  # one cell from 0 to 360
        return GLOBE
    # Bring the ends of a cell to the turn of the axis; an end half a turn away is kept.
    turned = cells + 360 * np.rint(0.99 * (axis[:, np.newaxis] - cells) / 360)
    span = float(np.ptp(turned))
    if span >= 360 - _SAME or (cells.shape[1] == 1 and _closes(steps)):
        return GLOBE
    if span < _SAME:
        return enclosing_longitudes(cells)
    west, east = (cells.flat[find(turned)] for find in (np.argmin, np.argmax))
    return to_180(shortest(west), -180.0), to_180(shortest(east), 180.0)


def edges_of(longitudes):
    """Return the four edges of two-dimensional longitudes."""
    return longitudes[0], longitudes[-1], longitudes[:, 0], longitudes[:, -1]


def goes_round(edges):
    """Return whether two-dimensional longitudes are a grid that goes round the Earth.

    Parameters
    ----------
    edges : sequence of numpy.ndarray
        Degrees east along its edges.

    Examples
    --------
    >>> goes_round(edges_of(np.tile(np.arange(20.0, 380.0, 10.0), (3, 1))))
    True
    """
    for line in edges:
        steps = np.diff(np.unwrap(line.astype("f8"), period=360))
        is_even = len(steps) > 2 and np.ptp(steps) <= 0.01 * abs(steps[0])
        if is_even and (abs(steps.sum()) >= 360 - _SAME or _closes(steps)):
            return True
    return False


def _closes(steps):
    """Whether one more step leads to the first value again."""
    step = float(np.median(np.abs(steps))) if len(steps) else 0.0
    return abs(360 - abs(steps.sum()) - step) <= 0.01 * step + _SAME


def joined(intervals):
    """Return west and east of the smallest interval that holds all of these; at least one.

    Examples
    --------
    >>> joined([(170.0, 175.0), (178.0, -178.0)])
    (170.0, -178.0)
    """
    if len(intervals) == 1 or GLOBE in intervals:
        return GLOBE if GLOBE in intervals else intervals[0]

    def reaches(start):
        """How far to go from there to have come to the end of each, and where that is."""
        return max(((west - start) % 360 + (east - west) % 360, east) for west, east in intervals)

    west = min((west for west, _ in intervals), key=reaches)
    width, east = reaches(west)
    return GLOBE if width >= 360 else (west, east)


def to_180(longitude, antimeridian):
    """Express a longitude from -180 to 180; the antimeridian itself as the caller wants it."""
    wrapped = round((longitude + 180) % 360 - 180, DECIMALS)
    return antimeridian if abs(wrapped) == 180 else wrapped + 0.0


def shortest(value):
    """The shortest decimal that is stored as this value: 20.05 rather than 20.049999237060547."""
    return round(float(str(value)), DECIMALS) + 0.0
