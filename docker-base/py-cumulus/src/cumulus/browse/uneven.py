"""Curtains whose levels are at other altitudes in each profile."""

import numpy as np

__all__ = ["on_common_levels"]


def on_common_levels(values, heights, limit):
    """Bring profiles to the same altitudes: each cell takes the nearest level of its profile.

    Parameters
    ----------
    values, heights : array, (levels, profiles)
        NaN where there is none; the levels in any order.
    limit : int
        Largest number of altitudes.

    Returns
    -------
    picture : array, (altitudes, profiles)
        NaN in a gap, farther than one usual step from any level of the profile.
    altitudes : array
        Equally spaced and ascending, from the lowest to the highest level.

    Examples
    --------
    >>> values, heights = np.array([[1.0, 2], [3, 4]]), np.array([[0.0, 10], [10, 20]])
    >>> on_common_levels(values, heights, 10)[1].tolist()
    [0.0, 10.0, 20.0]
    >>> np.nan_to_num(on_common_levels(values, heights, 10)[0], nan=-1).tolist()
    [[1.0, -1.0], [3.0, 2.0], [-1.0, 4.0]]
    """
    known = heights[np.isfinite(heights)]
    if not known.size:
        return np.full((1, values.shape[1]), np.nan), np.zeros(1)
    step = _usual_step(heights)
    low, high = float(known.min()), float(known.max())
    count = int(min(limit, round((high - low) / step) + 1)) if step else 1
    altitudes = np.linspace(low, high, max(count, 2)) if high > low else np.array([low])
    reach = max(step, float(altitudes[1] - altitudes[0]) if len(altitudes) > 1 else 0.0)
    picture = np.full((len(altitudes), values.shape[1]), np.nan)
    for column, profile in enumerate(heights.T):
        order = np.argsort(profile, kind="stable")[: int(np.isfinite(profile).sum())]
        if order.size:
            levels = profile[order]
            closest = np.searchsorted((levels[1:] + levels[:-1]) / 2, altitudes)
            is_near = np.abs(levels[closest] - altitudes) < reach
            picture[is_near, column] = values[order[closest[is_near]], column]
    return picture, altitudes


def _usual_step(heights):
    """The usual distance of two levels of a profile; 0 where no profile has two."""
    steps = np.abs(np.diff(heights, axis=0))
    steps = steps[np.isfinite(steps) & (steps > 0)]
    return float(np.median(steps)) if steps.size else 0.0
