"""A polygon around a swath: through samples at its edge, on the sphere.

The samples at the edge are projected so that great circles, the sides of a polygon in CMR, become
straight lines; then they are thinned. Poles and the antimeridian need no special care. A swath that
spans half the Earth has no such projection.
"""

import heapq

import numpy as np

__all__ = ["MOST_POINTS", "holds_pole", "outline", "spread"]

MOST_POINTS = 40  # the closing one, equal to the first, is not counted
_SIDE = 250  # samples of each of the four sides that are looked at
_BLOCK = 1_000_000  # samples that are looked at together
_POLAR = 60  # degrees; samples around a pole lie beyond, however coarse they are
_WIDEST = np.cos(np.radians(80))  # a gnomonic picture ends at 90 degrees from its centre


def outline(longitudes, latitudes, valid, most=MOST_POINTS):
    """Draw a polygon around a swath.

    Parameters
    ----------
    longitudes, latitudes : numpy.ndarray
        Degrees, shape (rows, columns) in the order in which the swath was scanned.
    valid : numpy.ndarray of bool
        Which samples have a position.
    most : int
        Corners at most.

    Returns
    -------
    list of (longitude, latitude) or str
        As they are stored, counter-clockwise as seen from above, the first again at the end; or
        the reason why there is no polygon.
    """
    rows, columns = _ring(valid)
    if len(rows) < 3:
        return "its samples span no area"
    longitudes, latitudes = longitudes[rows, columns], latitudes[rows, columns]
    vectors = _vectors(longitudes, latitudes)
    centre = vectors.mean(axis=0)
    length = np.linalg.norm(centre)
    if length < 1e-6 or (vectors @ centre).min() < _WIDEST * length:
        return "it spans too much of the Earth"
    plane = _project(vectors, centre / length)
    corners = _thin(plane, most)
    area = _area(plane[corners])
    if len(corners) < 3 or abs(area) < 1e-12:
        return "its samples span no area"
    if not _is_simple(plane[corners]):
        return "its edge crosses itself"
    if area < 0:
        corners = corners[::-1]
    return [(longitudes[i], latitudes[i]) for i in (*corners, corners[0])]


def holds_pole(longitudes, latitudes, valid, pole):
    """Whether a pole lies between samples of a swath.

    It lies within four neighbours around which the longitude turns once, or on the side of two
    whose longitudes are 180 degrees apart: the great circle through them leads over the pole.

    Parameters
    ----------
    longitudes, latitudes : numpy.ndarray
        Degrees, shape (rows, columns) in the order in which the swath was scanned.
    valid : numpy.ndarray of bool
        Which samples have a position.
    pole : int
        1 is the north pole, -1 the south pole.
    """
    rows = max(1, _BLOCK // max(1, valid.shape[1]))
    parts = (slice(start, start + rows + 1) for start in range(0, len(valid), rows))
    return any(
        _part_holds_pole(longitudes[part], latitudes[part], valid[part], pole) for part in parts
    )


def _part_holds_pole(longitudes, latitudes, valid, pole):
    with np.errstate(invalid="ignore"):
        near = valid & ((latitudes > _POLAR) if pole > 0 else (latitudes < -_POLAR))
    if not near.any():
        return False
    part = tuple(_span(near.any(axis=axis)) for axis in (1, 0))
    east, near = longitudes[part].astype("f8"), near[part]
    cells = near[:-1, :-1] & near[:-1, 1:] & near[1:, 1:] & near[1:, :-1]
    corners = [
        array[cells] for array in (east[:-1, :-1], east[:-1, 1:], east[1:, 1:], east[1:, :-1])
    ]
    steps = [(corners[i] - corners[i - 1] + 180) % 360 - 180 for i in range(4)]
    on_a_side = any((step == -180).any() for step in steps)
    return on_a_side or bool((np.abs(sum(steps)) > 180).any())


def _span(flags):
    first, last = np.flatnonzero(flags)[[0, -1]]
    return slice(first, last + 1)


def _ring(valid):
    """Rows and columns of the samples at the edge, in order, each once."""
    filled = np.flatnonzero(valid.any(axis=1))
    first = valid.argmax(axis=1)
    last = valid.shape[1] - 1 - valid[:, ::-1].argmax(axis=1)
    if len(filled) < 2 or not (first < last)[filled].any():
        return (), ()
    top, bottom = filled[0], filled[-1]
    across_top, across_bottom = (spread(np.flatnonzero(valid[row])) for row in (top, bottom))
    down = spread(filled)
    ring = [(top, column) for column in across_top]
    ring += [(row, last[row]) for row in down]
    ring += [(bottom, column) for column in across_bottom[::-1]]
    ring += [(row, first[row]) for row in down[::-1]]
    return np.array(list(dict.fromkeys(ring))).T


def spread(indices):
    """Return at most _SIDE of the indices, evenly, both ends among them."""
    if len(indices) <= _SIDE:
        return indices
    return indices[np.linspace(0, len(indices) - 1, _SIDE).round().astype(int)]


def _vectors(longitudes, latitudes):
    east, north = np.radians(longitudes.astype("f8")), np.radians(latitudes.astype("f8"))
    flat = np.cos(north)
    return np.stack([flat * np.cos(east), flat * np.sin(east), np.sin(north)], axis=1)


def _project(vectors, centre):
    """Gnomonic projection, seen from above."""
    helper = np.eye(3)[np.abs(centre).argmin()]
    right = np.cross(helper, centre)
    right /= np.linalg.norm(right)
    up = np.cross(centre, right)
    return np.stack([vectors @ right, vectors @ up], axis=1) / (vectors @ centre)[:, None]


def _thin(points, most):
    """Indices of the corners that remain after removing those with the smallest triangles.

    The triangle is that of a corner and its neighbours (Visvalingam and Whyatt 1993,
    doi:10.1179/000870493786962263). Corners without any area are always removed.
    """
    count = left = len(points)
    points = points.tolist()
    before, after = list(range(-1, count - 1)), [*range(1, count), 0]
    before[0] = count - 1
    sizes = [_triangle(points, before[i], i, after[i]) for i in range(count)]
    heap = [(size, i) for i, size in enumerate(sizes)]
    heapq.heapify(heap)
    gone = set()
    while heap and left > 3:
        size, i = heapq.heappop(heap)
        if i in gone or size != sizes[i]:
            continue  # an old entry
        if left <= most and size > 1e-13:
            break
        gone.add(i)
        left -= 1
        after[before[i]], before[after[i]] = after[i], before[i]
        for j in (before[i], after[i]):
            sizes[j] = _triangle(points, before[j], j, after[j])
            heapq.heappush(heap, (sizes[j], j))
    return [i for i in range(count) if i not in gone]


def _triangle(points, a, b, c):
    (ax, ay), (bx, by), (cx, cy) = points[a], points[b], points[c]
    return abs((bx - ax) * (cy - ay) - (cx - ax) * (by - ay)) / 2


def _area(points):
    x, y = points.T
    return float((x * np.roll(y, -1) - np.roll(x, -1) * y).sum() / 2)


def _is_simple(points):
    """Whether sides touch at common corners only."""
    count = len(points)
    sides = [(points[i], points[(i + 1) % count]) for i in range(count)]
    for i in range(count):
        for j in range(i + 2, count):
            if (j + 1) % count != i and _cross(*sides[i], *sides[j]):
                return False
    return True


def _cross(a, b, c, d):
    def side(p, q, r):
        return (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0])

    return side(a, b, c) * side(a, b, d) <= 0 and side(c, d, a) * side(c, d, b) <= 0
