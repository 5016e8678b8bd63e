"""Read both sides of a difference again, reduced to the cells of a picture.

Each cell shows the pair of values that differs most among its samples, so that the worst difference
is visible in a field of any size. Memory is bounded by a block.
"""

import itertools
import warnings
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

import netCDF4
import numpy as np

from ..hdf5 import HDF5File, HDF5Variable
from ..text import column_pairs
from .axes import Axis, index_axis, sample_axis, sample_indices

__all__ = ["Field", "read_column", "read_field"]

COLUMNS, ROWS = 400, 240  # cells of a picture at most
BINS = 41  # of a histogram; the middle bin is around zero
BLOCK = 1 << 16  # values of each side that are read at once; larger arrays leave the heap each time
_BACKGROUND = -0.5  # score of a pair that is not compared; a cell without a pair has -1
_VALID, _MASKED, _NAN, _UP, _DOWN = range(5)


@dataclass(frozen=True)
class Side:
    """A dimension of a picture: its axis, its cells, and the index of the worst value."""

    axis: Axis
    length: int
    step: int = 1
    worst: int = 0
    is_time: bool = False

    @property
    def cells(self):
        return -(-self.length // self.step)


@dataclass(frozen=True)
class Field:
    """Both sides of a variable in the cells of a picture.

    Attributes
    ----------
    expected, actual : array of float, (rows, columns)
        The pair that differs most within each cell; NaN where there is no value.
    differs : array of bool
        The pair differs beyond the tolerance.
    changed : array of bool
        Only one side of the pair is a finite number.
    rows, columns : Side
        ``rows`` of a line has the length 1.
    fixed : tuple of (str, int)
        Indices of the worst value along the dimensions that are not shown.
    counts : array of int
        Histogram of the differences beyond the tolerance, from -largest to largest.
    largest : float
    stored : bool
        The values are packed: scale_factor and add_offset are not applied.
    whole : bool
        The values are flags or counts, not measurements: whole numbers that nothing scales.
    """

    expected: np.ndarray
    actual: np.ndarray
    differs: np.ndarray
    changed: np.ndarray
    rows: Side
    columns: Side
    fixed: tuple = ()
    counts: np.ndarray = field(default_factory=lambda: np.zeros(BINS, int))
    largest: float = 0.0
    stored: bool = False
    whole: bool = False

    @property
    def is_line(self):
        return self.rows.length == 1


def read_field(paths, path, values):
    """Return the Field of a variable of two NetCDF or HDF5 files; None if it cannot be drawn.

    Parameters
    ----------
    paths : (path-like, path-like)
        Expected and actual file.
    path : str
        Of the variable.
    values : cumulus.compare.model.Values
        The result of the comparison.
    """
    with ExitStack() as stack:
        with warnings.catch_warnings(action="ignore"):  # it names the types that it skips
            both = [stack.enter_context(netCDF4.Dataset(file))[path] for file in paths]
        numeric = all(
            getattr(variable.datatype, "kind", "") in ("i", "u", "f") for variable in both
        )
        for file, variable in zip(paths, both, strict=True):
            side = stack.enter_context(HDF5File(file))
            numeric = numeric and not isinstance(side.variable(path, variable), HDF5Variable)
        shown = [axis for axis, length in enumerate(both[0].shape) if length > 1][-2:]
        if not numeric or not shown or both[0].shape != both[1].shape:
            return None
        for variable in both:  # stored values, unless the comparison itself unpacked them
            variable.set_auto_scale(values.unpacked)
        field = _read(both, shown, values)
        packed = any({"scale_factor", "add_offset"} & set(variable.ncattrs()) for variable in both)
        whole = not packed and all(variable.dtype.kind in "iu" for variable in both)
        return replace(field, stored=packed and not values.unpacked, whole=whole)


def read_column(paths, name, values):
    """Return the Field of a column of two tables; None if it holds no numbers that differ.

    Parameters are those of :func:`read_field`, with the name of a column.
    """
    (length,) = values.shape
    if values.largest is None or length < 2:
        return None
    step = -(-length // COLUMNS)
    rows = Side(index_axis("row", length, first=1), length, step, values.index[0])
    gathered = _Gathered(Side(Axis(""), 1), rows, values)
    pairs = column_pairs(paths, name)
    size = max(1, BLOCK // step) * step  # whole cells
    for left in range(0, length, size):
        block = np.array(list(itertools.islice(pairs, size)), "f8")
        gathered.add(0, left, *np.ma.asarray(block.T[:, np.newaxis]))
    field = gathered.field(())
    numbers = np.concatenate([field.expected.ravel(), field.actual.ravel()])
    numbers = numbers[np.isfinite(numbers)]
    return replace(field, whole=bool((numbers == np.round(numbers)).all()))


def _read(both, shown, values):
    variable = both[0]
    fixed = tuple(
        (variable.dimensions[axis], values.index[axis])
        for axis in range(variable.ndim)
        if axis not in shown and variable.shape[axis] > 1
    )
    limits = (ROWS, COLUMNS)[-len(shown) :]
    sides = [_side(variable, axis, values.index[axis], limit)
             for axis, limit in zip(shown, limits, strict=True)]  # fmt: skip
    rows, columns = sides if len(sides) == 2 else (Side(Axis(""), 1), sides[0])
    gathered = _Gathered(rows, columns, values)
    for first, last in _slabs(rows.length, max(1, BLOCK // columns.length)):
        width = max(1, BLOCK // (last - first) // columns.step) * columns.step
        for left, right in _slabs(columns.length, width):
            parts = slice(left, right), slice(first, last)
            ranges = dict(zip(reversed(shown), parts, strict=False))  # a line has no rows
            block_index = tuple(
                ranges.get(axis, values.index[axis]) for axis in range(variable.ndim)
            )
            blocks = (
                np.ma.asarray(stored[block_index]).reshape(last - first, right - left)
                for stored in both
            )
            gathered.add(first, left, *blocks)
    return gathered.field(fixed)


def _slabs(length, step):
    for start in range(0, length, step):
        yield start, min(start + step, length)


def _side(variable, axis, worst, limit):
    name, length = variable.dimensions[axis], variable.shape[axis]
    step = -(-length // limit)
    coordinate = _coordinate(variable, name)
    if coordinate is None:
        # Without a coordinate the first row is at the top, as in a table.
        is_across = axis == variable.ndim - 1
        return Side(index_axis(f"{name} (index)", length, ascends=is_across), length, step, worst)
    units = str(getattr(coordinate, "units", ""))
    calendar = str(getattr(coordinate, "calendar", "standard"))
    values = [float(_plain(coordinate[int(index)])) for index in sample_indices(length)]
    drawn = sample_axis(name, length, values, units, calendar)
    return Side(drawn, length, step, worst, " since " in units)


def _coordinate(variable, dimension):
    group = variable.group()
    while group is not None:
        coordinate = group.variables.get(dimension)
        if coordinate is not None:
            numeric = getattr(coordinate.dtype, "kind", "") in ("i", "u", "f")
            return coordinate if numeric and coordinate.dimensions == (dimension,) else None
        group = group.parent
    return None


def _plain(values):
    return np.ma.filled(np.ma.asarray(values).astype("f8"), np.nan)


class _Gathered:
    """The pair of each cell that differs most so far, and the histogram of all differences."""

    def __init__(self, rows, columns, values):
        self.rows, self.columns, self.values = rows, columns, values
        shape = rows.cells, columns.cells
        self.score = np.full(shape, -1.0)
        self.pair = np.full((2, *shape), np.nan)
        self.changed = np.zeros(shape, bool)
        finite = values.largest is not None and np.isfinite(values.largest)
        self.largest = float(values.largest) if finite else 0.0
        self.counts = np.zeros(BINS, int)

    def add(self, top, left, expected, actual):
        """Add a block; ``left`` is the first column of a cell."""
        self._background(top, left, expected, actual)
        # Equal rows need no arithmetic; in most files, most rows are equal.
        same = np.ma.getdata(expected) == np.ma.getdata(actual)
        same &= np.ma.getmaskarray(expected) == np.ma.getmaskarray(actual)
        rows = np.flatnonzero(~same.all(axis=1))
        if 0 < rows.size < len(expected):
            expected, actual = expected[rows], actual[rows]
        if rows.size:
            self._differing(top + rows, left, expected, actual)

    def _background(self, top, left, expected, actual):
        """Fill each new cell with its first pair."""
        down, across = self.rows.step, self.columns.step
        firsts = [block[-top % down :: down, ::across] for block in (expected, actual)]
        if not firsts[0].size:
            return
        row, column = -(-top // down), left // across
        cells = tuple(slice(i, i + n) for i, n in zip((row, column), firsts[0].shape, strict=True))
        free = self.score[cells] < _BACKGROUND
        for side, values in zip(self.pair, firsts, strict=True):
            side[cells][free] = _classified(values)[0][free]
        self.score[cells][free] = _BACKGROUND

    def _differing(self, rows, left, expected, actual):
        (x, classes), (y, others) = (_classified(block) for block in (expected, actual))
        changed = classes != others
        valid = (classes == _VALID) & (others == _VALID)
        with np.errstate(all="ignore"):
            shift = y - x
            distance = np.abs(shift)
            limit = self.values.atol
            if self.values.rtol:
                limit = limit + self.values.rtol * np.abs(x)
            outside = (distance > limit) & valid
            share = distance
            share /= self.largest or 1.0
            np.minimum(share, 1.0, out=share)
        if self.largest and outside.any():
            self.counts += _histogram(shift if outside.all() else shift[outside], self.largest)
        # A changed class ranks above a difference beyond the tolerance, that above one within.
        share[~outside] *= 0.5
        share[outside] += 1.0
        share[~valid] = 0.0
        share[changed] = 9.0
        self._keep(rows, left // self.columns.step, share, x, y, changed)

    def _keep(self, rows, first, score, x, y, changed):
        """Keep the pair of the highest score of each cell."""
        width = score.shape[1]
        cells = -(-width // self.columns.step)
        padded = np.full((len(rows), cells * self.columns.step), -2.0)
        padded[:, :width] = score
        best = padded.reshape(len(rows), cells, -1).argmax(axis=2)
        best += np.arange(cells) * self.columns.step
        scores = np.take_along_axis(score, best, axis=1)
        row = _highest(rows, self.rows.step, scores)
        column = np.take_along_axis(best, row, axis=0)
        cell = np.unique(rows // self.rows.step), slice(first, first + cells)
        better = score[row, column] > self.score[cell]
        kept = ((self.score, score), (self.changed, changed), *zip(self.pair, (x, y), strict=True))
        for array, values in kept:
            array[cell] = np.where(better, values[row, column], array[cell])

    def field(self, fixed):
        return Field(
            *self.pair, self.score >= 1, self.changed, self.rows, self.columns, fixed, self.counts,
            self.largest,
        )  # fmt: skip


def _highest(rows, step, scores):
    """Return, for each cell that has rows and each column, the first row of the highest score.

    Parameters
    ----------
    rows : array of int, (n,)
        Ascending indices; ``step`` rows share a cell.
    scores : array of float, (n, columns)

    Returns
    -------
    array of int, (cells, columns)
        Positions in ``rows``.
    """
    _, starts, numbers = np.unique(rows // step, return_index=True, return_inverse=True)
    highest = np.maximum.reduceat(scores, starts, axis=0)
    positions = np.arange(len(rows))[:, np.newaxis]
    candidates = np.where(scores == highest[numbers], positions, len(rows))
    return np.minimum.reduceat(candidates, starts, axis=0)


def _histogram(values, largest):
    """Return how many values lie in each of the bins from -largest to largest."""
    values = np.clip(values, -largest, largest)
    if 1e-300 < largest < 1e300:  # NumPy counts by arithmetic, without sorting
        return np.histogram(values, BINS, (-largest, largest))[0]
    return np.histogram(values, np.linspace(-largest, largest, BINS + 1))[0]


def _classified(values):
    """Return the values as float, NaN where there is no finite number, and their classes."""
    data = np.ma.getdata(values).astype("f8")
    classes = np.full(data.shape, _VALID, "i1")
    if not np.isfinite(data).all():
        classes[np.isnan(data)] = _NAN
        classes[np.isposinf(data)] = _UP
        classes[np.isneginf(data)] = _DOWN
    if np.ma.is_masked(values):
        classes[np.ma.getmaskarray(values)] = _MASKED
    if classes.any():
        data[classes != _VALID] = np.nan
    return data, classes
