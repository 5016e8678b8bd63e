"""Compare stored values block by block, keeping only counts and the worst value."""

import math

import numpy as np

from .model import Values
from .numbers import names_time, shortened

__all__ = ["BLOCK", "Tally", "blocks", "show", "whole"]

BLOCK = 1 << 22  # bytes of a block: bounds memory to about 100 MB
PIECE = 1 << 17  # values that are judged at once
SHOWN = 120  # characters of a value in a report
_CLASSES = ("fill", "NaN", "+inf", "-inf", "valid")
_FILL, _VALID = 0, 4


def blocks(variable):
    """Yield indices (tuples of slices) of bounded blocks that together cover the variable.

    Blocks follow the variable's chunks, so that, if possible, no chunk is inflated twice.
    """
    shape = variable.shape
    if 0 in shape:
        return
    chunks = variable.chunking()
    sizes = chunks if isinstance(chunks, list | tuple) else [1] * len(shape)
    dtype = variable.dtype
    # Texts and sequences have no known size.
    size = 64 if getattr(dtype, "hasobject", True) else max(1, dtype.itemsize)
    steps, room = [], max(1, BLOCK // size)
    for length, chunk in reversed(list(zip(shape, sizes, strict=True))):
        step = length if length <= room else max(room // chunk, 1) * chunk
        # A chunk is inflated whole in any case, but never more is read than the room allows.
        steps.insert(0, max(1, min(step, length, room)))
        room = max(1, room // steps[0])
    counts = [math.ceil(length / step) for length, step in zip(shape, steps, strict=True)]
    for number in _numbers(counts):
        yield tuple(
            slice(i * step, min((i + 1) * step, length))
            for i, step, length in zip(number, steps, shape, strict=True)
        )


def _numbers(counts):
    """Yield every index of an array of this shape in order, without building a list."""
    if not counts:
        yield ()
        return
    for first in range(counts[0]):
        for rest in _numbers(counts[1:]):
            yield first, *rest


class Tally:
    """Counts the differences between the values of two variables.

    Parameters
    ----------
    tolerance : cumulus.collection.Tolerance
        For numbers that are valid in both.
    expected_fill, actual_fill : sequence of numbers
        Fill values.
    exact_integers : bool
        Integers within a compound or a sequence have no tolerance.
    unpack : pair of functions, optional
        Unpacks the stored values of each side; fill values stay fill values.
    for_times : cumulus.collection.Tolerance, optional
        For fields of a compound whose names mean times; default: ``tolerance``.
    """

    def __init__(
        self,
        tolerance,
        expected_fill=(),
        actual_fill=(),
        exact_integers=False,
        unpack=None,
        for_times=None,
    ):
        self.tolerance = tolerance
        self.for_times = for_times or tolerance
        self.fills = list(expected_fill), list(actual_fill)
        self.exact_integers = exact_integers
        self.unpack = unpack
        self.differing = 0
        self.changes = {}  # (expected class, actual class) -> count
        self.largest = self.relative = None
        self.worst = None  # (is a valid pair, size of the difference, index, expected, actual)

    def add(self, expected, actual, slices):
        """Compare a block; ``slices`` is its index in the variable."""
        start = [part.start for part in slices]
        a, b = np.asarray(expected), np.asarray(actual)
        if a.dtype.kind in "biufc" and b.dtype.kind in "biufc":
            self._numbers(a, b, start)
            return
        mask = ~self._agree(a, b, self.tolerance)
        if count := int(np.count_nonzero(mask)):
            self.differing += count
            self._remember(False, 0.0, int(np.argmax(mask)), start, a, b)

    def _agree(self, a, b, tolerance):
        """Return an array that tells which values of any type agree within the tolerance."""
        if a.dtype.names and a.size:
            same = np.ones(a.shape, bool)
            for name in a.dtype.names:
                own = self.for_times if names_time(name) else tolerance
                field = self._agree(a[name], b[name], own)
                same &= field.reshape(*a.shape, -1).all(axis=-1)
            return same
        if a.dtype.kind == "O":
            pairs = zip(a.flat, b.flat, strict=True)
            agreeing = [self._object(x, y, tolerance) for x, y in pairs]
            return np.array(agreeing, bool).reshape(a.shape)
        same = _equal(a, b)
        if a.dtype.kind in "SUV" or same.all():
            return same
        same[~same] = ~self._judge(a[~same], b[~same], tolerance)[0]
        return same

    def _object(self, expected, actual, tolerance):
        """Return whether two texts, or two sequences of numbers, agree."""
        if not isinstance(expected, np.ndarray) or not isinstance(actual, np.ndarray):
            return type(expected) is type(actual) and expected == actual
        return expected.shape == actual.shape and bool(
            self._agree(expected, actual, tolerance).all()
        )

    def _numbers(self, a, b, start):
        suspects = np.flatnonzero(~_equal(a, b) if self.unpack is None else np.ones(a.shape, bool))
        # Piece by piece: judging takes many times the memory of the values.
        for first in range(0, suspects.size, PIECE):
            self._suspects(a, b, suspects[first : first + PIECE], start)

    def _suspects(self, a, b, suspects, start):
        x, y = a.reshape(-1)[suspects], b.reshape(-1)[suspects]
        different, valid, classes, size, relative = self._judge(x, y, self.tolerance)
        if not different.any():
            return
        self.differing += int(np.count_nonzero(different))
        pairs, counts = np.unique(
            classes[0][different] * len(_CLASSES) + classes[1][different], return_counts=True
        )
        for pair, count in zip(pairs, counts, strict=True):
            pair = divmod(int(pair), len(_CLASSES))
            if pair != (_VALID, _VALID):
                self.changes[pair] = self.changes.get(pair, 0) + int(count)
        both = different & valid
        if both.any():
            self.largest = max(self.largest or 0.0, float(size[both].max()))
            self.relative = max(self.relative or 0.0, float(relative[both].max()))
            at = int(np.argmax(np.where(both, size, -1)))
            self._remember(True, float(size[at]), int(suspects[at]), start, a, b)
        else:
            self._remember(False, 0.0, int(suspects[np.argmax(different)]), start, a, b)

    def _judge(self, x, y, tolerance):
        """Return which of some unequal numbers differ beyond the tolerance, and by how much."""
        classes = _classify(x, self.fills[0]), _classify(y, self.fills[1])
        valid = (classes[0] == _VALID) & (classes[1] == _VALID)
        if self.unpack:
            absent = (classes[0] == classes[1]) & ~valid
            x, y = self.unpack[0](x), self.unpack[1](y)
        else:
            # Both are fill, and the fill values differ: the attributes are reported already.
            absent = (classes[0] == _FILL) & (classes[1] == _FILL)
            absent &= self.fills[0] != self.fills[1]
        rtol, atol = tolerance.rtol, tolerance.atol
        if self.exact_integers and x.dtype.kind in "iu":
            rtol = atol = 0.0
        size = _distance(x, y)
        magnitude = np.abs(x.astype("c16" if x.dtype.kind == "c" else "f8"))
        with np.errstate(all="ignore"):
            near = size <= atol + rtol * magnitude
            relative = np.where(magnitude > 0, size / magnitude, np.inf)
        if atol == 0 and rtol == 0:
            # Unequal numbers may have a distance that rounds to 0.
            near = np.zeros(x.shape, bool) if self.unpack is None else x == y
        return ~((valid & near) | absent), valid, classes, size, relative

    def _remember(self, valid, size, at, start, a, b):
        if self.worst is None or (valid, size) > self.worst[:2]:
            index = np.unravel_index(at, a.shape)
            position = tuple(int(i) + offset for i, offset in zip(index, start, strict=True))
            self.worst = valid, size, position, *show(a[index], b[index])

    def result(self, **about):
        """Return the `Values` of the differences, or None; ``about`` are its further fields."""
        if not self.differing:
            return None
        _, _, position, expected, actual = self.worst
        changes = {
            f"{_CLASSES[i]} -> {_CLASSES[j]}": n for (i, j), n in sorted(self.changes.items())
        }
        return Values(
            index=position,
            expected=expected,
            actual=actual,
            differing=self.differing,
            largest=self.largest,
            relative=self.relative,
            changes=changes,
            rtol=float(self.tolerance.rtol),
            atol=float(self.tolerance.atol),
            unpacked=self.unpack is not None,
            **about,
        )


def _equal(a, b):
    same = np.asarray(a == b)
    if a.dtype.kind in "fc" and b.dtype.kind in "fc":
        same |= np.isnan(a) & np.isnan(b)
    return same


def _classify(values, fills):
    classes = np.full(values.shape, _VALID, "i1")
    if values.dtype.kind == "f":
        classes[np.isnan(values)] = 1
        classes[np.isposinf(values)] = 2
        classes[np.isneginf(values)] = 3
    for fill in fills:
        classes[values == fill] = _FILL
    return classes


def _distance(x, y):
    """Return the absolute difference as float; of integers it is exact until rounded once."""
    if x.dtype.kind in "iu" and y.dtype == x.dtype:
        # Modulo 2**64 the subtraction cannot overflow.
        return (np.maximum(x, y).astype("u8") - np.minimum(x, y).astype("u8")).astype("f8")
    wide = "c16" if "c" in (x.dtype.kind, y.dtype.kind) else "f8"
    with np.errstate(all="ignore"):
        return np.abs(x.astype(wide) - y.astype(wide))


def show(expected, actual):
    """Return two values as short texts that show the first difference."""
    return shortened(_text(expected), _text(actual), SHOWN)


def _text(value):
    if isinstance(value, np.bytes_ | np.str_ | np.complexfloating):
        value = value.item()
    return whole(value) if isinstance(value, np.ndarray | np.generic) else repr(value)


def whole(value):
    """Return a value as text; an array has all of its numbers with all of their digits."""
    if not isinstance(value, np.ndarray):
        return str(value)
    return np.array2string(
        value, max_line_width=np.inf, threshold=value.size + 1, floatmode="unique"
    )
