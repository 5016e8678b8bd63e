"""Read a product in a bounded way: only the samples that a picture can show are kept."""

from ..products.model import NO_TIME

__all__ = ["as_floats", "evenly", "line", "nearest", "sample", "unwrap"]

BLOCK = 1 << 23  # bytes that are read at once


def nearest(coordinate, limit):
    """Choose samples for equally spaced cells.

    Parameters
    ----------
    coordinate : array, 1-D
        In any order; NaN where there is none.
    limit : int
        Largest number of cells.

    Returns
    -------
    indices : array of int
        Of the sample nearest to each cell; -1 in a gap, farther than one usual step from any.
    positions : array of float
        Centres of the cells, ascending.

    Examples
    --------
    >>> nearest([30.0, 20.0, 10.0], 10)
    (array([2, 1, 0]), array([10., 20., 30.]))
    """
    import numpy as np

    coordinate = np.asarray(coordinate, "f8")
    order = np.argsort(coordinate, kind="stable")[: int(np.isfinite(coordinate).sum())]
    ordered = coordinate[order]
    if ordered.size < 2 or ordered[0] == ordered[-1]:
        return order[:1], ordered[:1]
    steps = np.diff(ordered)
    usual = float(np.median(steps[steps > 0]))
    wanted = int(min(limit, round((ordered[-1] - ordered[0]) / usual) + 1))
    positions = np.linspace(ordered[0], ordered[-1], max(wanted, 2))
    right = np.clip(np.searchsorted(ordered, positions), 1, ordered.size - 1)
    left_is_nearer = positions - ordered[right - 1] <= ordered[right] - positions
    closest = right - left_is_nearer
    reach = max(usual, positions[1] - positions[0])
    indices = np.where(np.abs(ordered[closest] - positions) <= reach, order[closest], -1)
    return indices, positions


def evenly(size, limit):
    """Indices of at most ``limit`` samples with equal steps."""
    import numpy as np

    return np.arange(0, size, max(1, -(-size // limit)))


def sample(variable, axes, rows, columns):
    """The values at rows and columns of two dimensions, at index 0 of all others.

    The variable is read block by block, so that memory holds the picture and one block.

    Parameters
    ----------
    variable : netCDF4.Variable
    axes : tuple of int
        Numbers of the dimensions of the rows and of the columns, in any order.
    rows, columns : array of int

    Returns
    -------
    array, (rows, columns)
        NaN where a value is missing.
    """
    import numpy as np

    if axes[0] > axes[1]:
        return sample(variable, axes[::-1], columns, rows).T
    width = variable.shape[axes[1]] * max(variable.dtype.itemsize, 8)
    step = max(1, BLOCK // max(width, 1))
    result = np.empty((len(rows), len(columns)))
    for start in range(int(rows.min(initial=0)), int(rows.max(initial=-1)) + 1, step):
        inside = (rows >= start) & (rows < start + step)
        if inside.any():
            chosen = rows[inside]
            part = [0] * variable.ndim
            part[axes[0]], part[axes[1]] = _rows(variable, chosen), slice(None)
            block = variable[tuple(part)][:, columns]
            result[inside] = as_floats(block)[(chosen - chosen.min()) // (part[axes[0]].step)]
    return result


def _rows(variable, chosen):
    """The slice of chosen rows, or of all between them where chunks hold these anyway."""
    import numpy as np

    is_chunked = variable.chunking() != "contiguous"
    steps = np.unique(np.diff(chosen))
    step = int(steps[0]) if steps.size == 1 and steps[0] > 0 and not is_chunked else 1
    return slice(int(chosen.min()), int(chosen.max()) + 1, step)


def line(variable, step=1, axis=None):
    """Every ``step``-th value along a dimension, by default the longest, at index 0 of others."""
    part = [0] * variable.ndim
    longest = max(range(variable.ndim), key=lambda number: variable.shape[number])
    part[longest if axis is None else axis] = slice(None, None, step)
    return as_floats(variable[tuple(part)])


def as_floats(values):
    """Values as an array of float64, NaN where one is missing."""
    import numpy as np

    values = np.ma.filled(np.ma.asarray(values).astype("f8"), np.nan)
    values[values == NO_TIME] = np.nan
    return values


def unwrap(east):
    """Longitudes without the jump at the antimeridian, unless they surround the globe.

    >>> import numpy as np
    >>> unwrap(np.array([170.0, -170.0, np.nan])).tolist()
    [170.0, 190.0, nan]
    """
    import numpy as np

    known = east[np.isfinite(east)]
    if known.size and np.ptp(known) > 180 and np.ptp(known % 360) < 0.9 * np.ptp(known):
        return east % 360
    return east
