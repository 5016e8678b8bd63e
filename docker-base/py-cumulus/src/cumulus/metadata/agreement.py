"""Whether two sources agree: one interval or box has to hold the other, give or take a sample."""

from datetime import timedelta

from ..extent import Box

__all__ = ["boxes_agree", "times_agree"]

_SECOND = timedelta(seconds=1)
_HOUR = timedelta(hours=1)
_DEGREES = 0.01


def times_agree(first, second, sample=_SECOND):
    """Return whether two extents agree in time.

    Parameters
    ----------
    first, second : Extent
        With a begin. Without an end, it is the nominal time of the other: within it, or before it
        by at most its length or an hour.
    sample : datetime.timedelta
        Between two samples.
    """
    if first.end is None or second.end is None:
        nominal, known = (first, second) if first.end is None else (second, first)
        end = known.end or known.begin
        early = max(end - known.begin, _HOUR, sample)
        return known.begin - early < nominal.begin <= end + sample
    return _holds(first, second, sample) or _holds(second, first, sample)


def _holds(outer, inner, sample):
    return outer.begin - sample <= inner.begin and inner.end <= outer.end + sample


def boxes_agree(first, second, sample=_DEGREES):
    """Return whether one of two boxes holds the other, but for a sample in degrees.

    Examples
    --------
    >>> boxes_agree(Box(170, 0, -170, 10), Box(175, 2, 178, 3))
    True
    >>> boxes_agree(Box(170, 0, -170, 10), Box(165, 2, 178, 3))
    False
    """
    return _covers(first, second, sample) or _covers(second, first, sample)


def _covers(outer: Box, inner: Box, sample):
    if not (outer.south - sample <= inner.south and inner.north <= outer.north + sample):
        return False
    width, inner_width = _width(outer), _width(inner)
    if width >= 360 - sample:
        return True
    start = (inner.west - outer.west + sample) % 360
    return start + inner_width <= width + 2 * sample


def _width(box):
    return 360.0 if (box.west, box.east) == (-180, 180) else (box.east - box.west) % 360
