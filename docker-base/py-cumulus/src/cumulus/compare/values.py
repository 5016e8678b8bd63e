"""Compare stored values block by block, remembering only counts and the worst place."""

import math

import numpy as np

__all__ = ["Tally", "blocks", "show"]

BLOCK = 1 << 23  # bytes of a block: memory stays within some 100 MB whatever the file's size
SHOWN = 120  # characters of a value in a report
_CLASSES = ("fill", "NaN", "+inf", "-inf", "valid")
_FILL, _VALID = 0, 4


def blocks(variable):
    """Yield indices (tuples of slices) that together cover the variable, each a bounded block.

    Blocks follow the variable's chunks, so that none is inflated twice where that can be had.
    """
    shape = variable.shape
    if 0 in shape:
        return
    chunks = variable.chunking()
    sizes = chunks if isinstance(chunks, list | tuple) else [1] * len(shape)
    size = getattr(variable.dtype, "itemsize", None) or 64  # of texts nobody knows it
    steps, room = [], max(1, BLOCK // size)
    for length, chunk in reversed(list(zip(shape, sizes, strict=True))):
        step = length if length <= room else max(room // chunk, 1) * chunk
        # A chunk is inflated whole in any case; but never read more than the room allows.
        steps.insert(0, max(1, min(step, length, room)))
        room = max(1, room // steps[0])
    counts = [math.ceil(length / step) for length, step in zip(shape, steps, strict=True)]
    for number in _numbers(counts):
        yield tuple(
            slice(i * step, min((i + 1) * step, length))
            for i, step, length in zip(number, steps, shape, strict=True)
        )


def _numbers(counts):
    """Yield every index of an array of this shape, in order, however large it is."""
    if not counts:
        yield ()
        return
    for first in range(counts[0]):
        for rest in _numbers(counts[1:]):
            yield first, *rest


class Tally:
    """What differs between the values of two variables.

    Parameters
    ----------
    tolerance : cumulus.collection.Tolerance
        For values that are valid in both.
    expected_fill, actual_fill : sequence of numbers
        Values that stand for no value.
    """

    def __init__(self, tolerance, expected_fill=(), actual_fill=()):
        self.tolerance = tolerance
        self.fills = list(expected_fill), list(actual_fill)
        self.total = self.differing = 0
        self.changes = {}  # (expected class, actual class) -> count
        self.largest = self.relative = 0.0
        self.worst = None  # (is a valid pair, size of the difference, index, expected, actual)

    def add(self, expected, actual, place):
        """Compare one block; ``place`` are its slices in the variable."""
        start = [one.start for one in place]
        a, b = np.asarray(expected), np.asarray(actual)
        self.total += a.size
        if a.dtype.names:
            self._compound(a, b, start)
        elif a.dtype.kind == "O" or a.dtype.kind in "SU":
            self._texts(a, b, start)
        else:
            self._numbers(a, b, start)

    def _compound(self, a, b, start):
        same = np.ones(a.shape, bool)
        for name in a.dtype.names:
            if a.dtype[name].names:
                same &= np.array(
                    [
                        x.tobytes() == y.tobytes()
                        for x, y in zip(a[name].flat, b[name].flat, strict=True)
                    ]
                ).reshape(a.shape)
                continue
            field = _equal(a[name], b[name])
            same &= field.reshape(*a.shape, -1).all(axis=-1)
        self._unequal(a, b, ~same, start)

    def _texts(self, a, b, start):
        if a.dtype.kind == "O":
            pairs = zip(a.flat, b.flat, strict=True)
            same = np.array([self._same_object(x, y) for x, y in pairs], bool).reshape(a.shape)
        else:
            same = a == b
        self._unequal(a, b, ~same, start)

    def _same_object(self, one, other):
        if not isinstance(one, np.ndarray):
            return one == other
        if one.shape != other.shape:
            return False
        inner = Tally(self.tolerance, *self.fills)
        inner.add(one, other, (slice(0, one.size),))
        return inner.differing == 0

    def _unequal(self, a, b, mask, start):
        if count := int(mask.sum()):
            self.differing += count
            if self.worst is None:
                index = tuple(int(i) for i in np.argwhere(mask)[0])
                self._remember(False, 0.0, index, start, a, b)

    def _numbers(self, a, b, start):
        suspects = ~_equal(a, b)
        if not suspects.any():
            return
        indices = np.argwhere(suspects)
        x, y = a[suspects], b[suspects]
        classes = _classify(x, self.fills[0]), _classify(y, self.fills[1])
        valid = (classes[0] == _VALID) & (classes[1] == _VALID)
        # Both no value, under fill values that differ: the attributes say so already.
        absent = (classes[0] == _FILL) & (classes[1] == _FILL) & (self.fills[0] != self.fills[1])
        size = _distance(x, y)
        magnitude = np.abs(x.astype("f8"))
        with np.errstate(all="ignore"):
            near = size <= self.tolerance.atol + self.tolerance.rtol * magnitude
            relative = np.where(magnitude > 0, size / magnitude, np.inf)
        if self.tolerance.atol == 0 and self.tolerance.rtol == 0:
            near[:] = False  # they are not equal: no rounding of the distance makes them so
        different = ~((valid & near) | absent)
        if not different.any():
            return
        self.differing += int(different.sum())
        for pair in zip(classes[0][different], classes[1][different], strict=True):
            if pair != (_VALID, _VALID):
                self.changes[pair] = self.changes.get(pair, 0) + 1
        both = different & valid
        if both.any():
            self.largest = max(self.largest, float(size[both].max()))
            self.relative = max(self.relative, float(relative[both].max()))
            at = int(np.argmax(np.where(both, size, -1)))
            self._remember(True, float(size[at]), indices[at], start, a, b)
        else:
            self._remember(False, 0.0, indices[int(np.argmax(different))], start, a, b)

    def _remember(self, valid, size, index, start, a, b):
        if self.worst is None or (valid, size) > self.worst[:2]:
            index = tuple(int(i) for i in index)
            place = tuple(i + offset for i, offset in zip(index, start, strict=True))
            self.worst = valid, size, place, a[index], b[index]

    def lines(self, where):
        """Return what differs: one or two lines, none if all is equal."""
        if not self.differing:
            return []
        _, _, place, expected, actual = self.worst
        at = "".join(f"[{i}]" for i in place)
        text = (
            f"{where}: {self.differing} of {self.total} values differ; "
            f"worst at {at or 'the only value'}: expected {show(expected)}, found {show(actual)}"
        )
        if self.largest:
            text += f"; largest difference {self.largest:.6g}, relative {self.relative:.6g}"
        lines = [text]
        if self.changes:
            pairs = sorted(self.changes.items())
            turned = ", ".join(f"{n} {_CLASSES[i]} -> {_CLASSES[j]}" for (i, j), n in pairs)
            lines.append(f"{where}: values that changed their class: {turned}")
        return lines


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
    """Absolute difference as float; of integers exact before it is rounded once."""
    if x.dtype.kind in "iu" and y.dtype == x.dtype:
        # Modulo 2**64 the subtraction cannot overflow.
        return (np.maximum(x, y).astype("u8") - np.minimum(x, y).astype("u8")).astype("f8")
    with np.errstate(all="ignore"):
        return np.abs(x.astype("f8") - y.astype("f8"))


def show(value):
    """Return a value as a short text."""
    if isinstance(value, np.generic) and not isinstance(value, np.void):
        value = value.item()
    text = str(value) if isinstance(value, np.ndarray | np.void) else repr(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."
