"""Corners of the pixels of a swath, from the positions of their centres.

Positions are averaged as vectors, so that neither the antimeridian nor a pole disturbs them. Arrays
are (rows, columns, 3) for vectors and (rows, columns) for degrees.
"""

import itertools

import numpy as np

__all__ = ["corners", "polygons", "segments"]

_GAP = 3.0  # usual distances between rows that make a gap
_MOST_SEGMENTS = 100
_AT_POLE = 1e-3  # degrees


def segments(longitude, latitude):
    """Slices of the rows between gaps, so that no pixel is stretched over a gap."""
    rows = _vectors(longitude, latitude)
    with np.errstate(invalid="ignore"):
        lengths = np.sqrt(((rows[1:] - rows[:-1]) ** 2).sum(axis=2))
    known = np.isfinite(lengths)
    sums, counts = np.where(known, lengths, 0).sum(axis=1), known.sum(axis=1)
    steps = np.where(counts > 0, sums / np.maximum(counts, 1), 0)
    usual = np.median(steps[steps > 0]) if (steps > 0).any() else np.inf
    cuts = [0, *(np.flatnonzero(steps > _GAP * usual) + 1).tolist(), len(rows)]
    if len(cuts) > _MOST_SEGMENTS:
        return [slice(0, len(rows))]
    return [slice(start, end) for start, end in itertools.pairwise(cuts)]


def corners(longitude, latitude):
    """Return the corners between pixels, extrapolated by half a pixel at the edges.

    Parameters
    ----------
    longitude, latitude : array, (rows, columns)
        Centres in degrees, NaN where a position is missing.

    Returns
    -------
    longitude, latitude : array, (rows + 1, columns + 1)
        Degrees; longitudes in -180..180. NaN where no pixel beside the corner has a position.
    """
    centres = _fill(_vectors(longitude, latitude))
    padded = _pad(_pad(centres, 0), 1)
    missing = np.isnan(padded).any(axis=2)
    padded[missing] = 0  # which does not count in a sum of directions
    total = padded[:-1, :-1] + padded[1:, :-1]
    total += padded[:-1, 1:]
    total += padded[1:, 1:]
    x, y, z = np.moveaxis(total, 2, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        north = np.degrees(np.arctan2(z, np.hypot(x, y)))
    east = np.degrees(np.arctan2(y, x))
    nowhere = missing[:-1, :-1] & missing[1:, :-1] & missing[:-1, 1:] & missing[1:, 1:]
    east[nowhere] = north[nowhere] = np.nan
    return east, north


def polygons(east, north, west):
    """Split pixels into plain ones and ones that the edge of a map cuts.

    Parameters
    ----------
    east, north : array, (rows + 1, columns + 1)
        Corners in degrees, longitudes in west..west + 360.
    west : float
        Longitude of the left edge of the map.

    Returns
    -------
    plain : array of bool, (rows, columns)
        Pixels that can be drawn between their corners as they are.
    cut : list of (int, int, array)
        Row, column and outline (n, 2) of all other pixels that have corners, once in each turn of
        the globe: what lies beyond the map is for clipping. A pixel around a pole reaches from
        edge to edge.
    """
    x, y = _outlines(east), _outlines(north)
    turns = _nearest_turn(np.diff(np.concatenate([x, x[:1]]), axis=0))
    known = np.isfinite(x).all(axis=0) & np.isfinite(y).all(axis=0)
    with np.errstate(invalid="ignore"):
        plain = known & (np.ptp(x, axis=0) <= 180)
        touching = known & (np.abs(y) > 90 - _AT_POLE).any(axis=0)
        around_pole = known & (np.abs(turns.sum(axis=0)) > 180) & ~touching
    plain &= ~around_pole & ~touching
    cut = []
    for row, column in np.argwhere(known & ~plain):
        outline = np.column_stack([x[:, row, column], y[:, row, column]])
        if around_pole[row, column]:
            cut.append((row, column, _polar_cap(outline, west)))
            continue
        if touching[row, column]:
            outline = _open_pole(outline)
        outline[:, 0] = outline[0, 0] + _nearest_turn(outline[:, 0] - outline[0, 0])
        cut += [(row, column, outline + np.array([turn, 0])) for turn in (-360, 0, 360)]
    return plain, cut


def _nearest_turn(degrees):
    return (degrees + 180) % 360 - 180


def _open_pole(outline):
    """Give a corner at a pole, which has any longitude, those of the corners beside it."""
    points = []
    for number, (_, latitude) in enumerate(outline):
        if abs(latitude) > 90 - _AT_POLE:
            before, after = outline[number - 1], outline[(number + 1) % len(outline)]
            points += [(before[0], latitude), (after[0], latitude)]
        else:
            points.append(outline[number])
    return np.array(points)


def _polar_cap(outline, west):
    outline = outline[np.argsort(outline[:, 0])]
    pole = np.copysign(90, outline[:, 1].mean())
    edge = outline[[0, -1], 1].mean()
    return np.array(
        [[west, pole], [west, edge], *outline, [west + 360, edge], [west + 360, pole]]
    )


def _outlines(grid):
    """The four corners of each pixel, in their order around it."""
    return np.stack([grid[:-1, :-1], grid[:-1, 1:], grid[1:, 1:], grid[1:, :-1]])


def _vectors(longitude, latitude):
    east, north = np.radians(longitude), np.radians(latitude)
    return np.stack(
        [np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=2
    )


def _fill(centres):
    """Extrapolate missing centres from two neighbours; pixels beside them keep their size."""
    for axis in (0, 1):
        moved = np.moveaxis(centres, axis, 0).copy()
        missing = np.isnan(moved).any(axis=2)
        for line in (moved, moved[::-1]):
            gaps = missing if line is moved else missing[::-1]
            guess = np.full_like(line, np.nan)
            guess[2:] = 2 * line[1:-1] - line[:-2]
            line[gaps] = np.where(np.isnan(line[gaps]), guess[gaps], line[gaps])
        centres = np.moveaxis(moved, 0, axis)
    return centres


def _pad(centres, axis):
    """Extrapolate one line beyond each edge; a single line gets pixels as long as wide."""
    line = np.moveaxis(centres, axis, 0)
    if len(line) > 1:
        before, after = 2 * line[0] - line[1], 2 * line[-1] - line[-2]
    else:
        along = np.gradient(line[0], axis=0) if line.shape[1] > 1 else np.full_like(line[0], 1e-3)
        across = np.cross(line[0], along)
        before, after = line[0] - across, line[0] + across
    return np.moveaxis(np.concatenate([before[None], line, after[None]]), 0, axis)
