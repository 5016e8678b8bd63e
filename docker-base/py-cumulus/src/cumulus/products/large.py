"""Values too many to be held in memory: they are read part by part, each time they are needed."""

from math import prod

__all__ = ["MOST", "LargeValues", "is_large", "parts_of"]

MOST = 4_000_000  # values of a variable that are held in memory
_PART = 500_000  # values that are read together


def is_large(shape):
    """Return whether an array of this shape has more values than are held in memory."""
    return prod(shape) > MOST


def parts_of(shape, most, multiple=1):
    """Yield slices of the parts of an array, each contiguous, of about ``most`` values.

    Parameters
    ----------
    shape : tuple of int
    most : int
    multiple : int
        Of the first axis where that is possible: the length of a stored chunk.

    Examples
    --------
    >>> list(parts_of((3, 2), 4))
    [(slice(0, 2, None), slice(0, 2, None)), (slice(2, 3, None), slice(0, 2, None))]
    """
    length, *others = shape
    width = prod(others)
    if width > most:
        for index in range(length):
            for inner in parts_of(others, most):
                yield slice(index, index + 1), *inner
        return
    step = max(1, most // max(1, width))
    if multiple * width <= 4 * most:  # else a chunk takes too much memory
        step = max(step // multiple, 1) * multiple
    for start in range(0, length, step):
        yield slice(start, min(start + step, length)), *(slice(0, other) for other in others)


class LargeValues:
    """The values of a variable, in place of an array.

    Parameters
    ----------
    read : callable
        Returns values and which of them are present of a tuple of slices.
    close : callable
        Closes the file, which the next reading opens again.
    shape : tuple of int
    chunk : int
        Length of a stored chunk along the first axis.
    degrees : float
        What the values are multiplied by.
    """

    def __init__(self, read, close, shape, chunk=1, degrees=1.0):
        self._read, self.close = read, close
        self._stored, self._chunk, self._degrees = shape, chunk, degrees
        self.shape = shape

    @property
    def ndim(self):
        return len(self.shape)

    @property
    def size(self):
        return prod(self.shape)

    def times(self, degrees):
        """Return these values, multiplied."""
        result = LargeValues(
            self._read, self.close, self._stored, self._chunk, self._degrees * degrees
        )
        result.shape = self.shape
        return result

    def squeezed(self):
        """Return these values without dimensions of length 1."""
        result = self.times(1.0)
        result.shape = tuple(length for length in self.shape if length != 1)
        return result

    def parts(self):
        """Yield the slices of parts that are read together."""
        is_first = self._stored[0] != 1 or self.ndim == len(self._stored)
        return parts_of(self.shape, _PART, self._chunk if is_first else 1)

    def read(self, part):
        """Return the values of a part, and which of them are present."""
        slices = iter(part)
        is_squeezed = self.ndim < len(self._stored)
        full = tuple(
            slice(0, 1) if is_squeezed and length == 1 else next(slices) for length in self._stored
        )
        values, present = self._read(full)
        if is_squeezed:
            shape = [each.stop - each.start for each in part]
            values, present = values.reshape(shape), present.reshape(shape)
        return (values if self._degrees == 1 else values.astype("f8") * self._degrees), present

    def ends(self):
        """Return the smallest and the largest value that is present; None where none is."""
        known = [
            (chosen.min(), chosen.max())
            for values, present in map(self.read, self.parts())
            if (chosen := values[present]).size
        ]
        if not known:
            return None
        return min(low for low, _ in known), max(high for _, high in known)

    def any(self):
        """Return whether any value is present."""
        return any(present.any() for _, present in map(self.read, self.parts()))

    def all(self):
        """Return whether all values are present."""
        return all(present.all() for _, present in map(self.read, self.parts()))
