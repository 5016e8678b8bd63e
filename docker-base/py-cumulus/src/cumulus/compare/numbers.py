"""Numbers that stand in texts: which ones are measurements, and when two of them agree."""

import math
import re

from ..collection import Tolerance

__all__ = ["EXACT", "NUMBER", "near", "number"]

EXACT = Tolerance(rtol=0.0, atol=0.0)
_PARTS = ("rtol", "atol")

# A number that nothing like a letter touches: the 532 of ATB_532 is none. The possessive ++ and *+
# keep the time linear: without them each of a million digits is tried as the end of a number.
NUMBER = re.compile(r"(?<![\w.])[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?(?![\w.])")
_REAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+(?:\.\d*)?(?=[eE]))(?:[eE][+-]?\d+)?", re.ASCII)


def number(text):
    """Return a text as a finite number, or None."""
    if not NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def near(expected, actual, tolerance, for_integers=EXACT):
    """Return whether two texts are numbers that agree within the tolerance.

    As in a NetCDF file, a general tolerance is for measurements: that a text is one is seen from
    its decimal point or exponent, on either side. For integers there is another.

    >>> near("1.0000001", "1", Tolerance(rtol=1e-6, atol=0))
    True
    >>> near("10000001", "10000002", Tolerance(rtol=1e-6, atol=0))
    False
    """
    measured = _REAL.fullmatch(expected) or _REAL.fullmatch(actual)
    rtol, atol = (getattr(tolerance if measured else for_integers, name) for name in _PARTS)
    if not (rtol or atol):
        return False
    a, b = number(expected), number(actual)
    return a is not None and b is not None and abs(a - b) <= atol + rtol * abs(a)
