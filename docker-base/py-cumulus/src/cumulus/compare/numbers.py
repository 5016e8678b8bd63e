"""Numbers in texts: their kind, and whether two of them agree."""

import math
import re

from ..collection.model import LARGE

__all__ = ["NUMBER", "kind", "names_time", "near", "number", "shortened"]

# A number without a letter beside it: the 532 of ATB_532 is no number. The possessive ++ and *+
# keep the time linear: without them each of a million digits is tried as the end of a number.
NUMBER = re.compile(r"(?<![\w.])[+-]?(?:\d++\.?\d*+|\.\d++)(?:[eE][+-]?\d++)?(?![\w.])")
_REAL = re.compile(r"[+-]?(?:\d+\.\d*|\.\d+|\d+(?:\.\d*)?(?=[eE]))(?:[eE][+-]?\d+)?", re.ASCII)
_TIME = re.compile("time|date|julian|jday|epoch", re.IGNORECASE)
# Words that contain such a name and mean no time: altimeter, centimeter, validated.
_OTHER = re.compile("timet(?:er|re|ry)|maritime|validat|candidat", re.IGNORECASE)


def number(text):
    """Return a text as a finite number, or None."""
    if not NUMBER.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) else None


def names_time(name):
    """Return whether the name of a variable, column or key means a time.

    >>> [names_time(name) for name in ("Start_Time", "JulianDay", "altimeter", "altimeter_time")]
    [True, True, False, True]
    """
    return bool(_TIME.search(_OTHER.sub("", name)))


def kind(expected, actual, is_time=False):
    """Return the kind of two numbers in texts, as in `CompareRules.tolerance_for`.

    A decimal point or an exponent, on either side, makes a measurement. Texts do not name the
    epoch of their numbers, so any "large" number may be a time.

    >>> kind("10000001", "10000002"), kind("1.0000001", "1"), kind("1580561999.5", "1")
    ('integer', 'measurement', 'large')
    """
    if not (_REAL.fullmatch(expected) or _REAL.fullmatch(actual)):
        return "integer"
    if is_time:
        return "time"
    value = number(expected)
    return "large" if value is not None and abs(value) >= LARGE else "measurement"


def near(expected, actual, tolerance):
    """Return whether two texts are numbers that agree within the tolerance."""
    if not (tolerance.rtol or tolerance.atol):
        return False
    a, b = number(expected), number(actual)
    if a is None or b is None:
        return False
    return abs(a - b) <= tolerance.atol + tolerance.rtol * abs(a)


def shortened(expected, actual, most):
    """Return two unequal texts, cut around the first character that differs.

    >>> shortened("x" * 100 + "a" + "y" * 100, "x" * 100 + "b", 11)
    ('...xxxxxayyyyy...', '...xxxxxb')
    """
    pairs = enumerate(zip(expected, actual, strict=False))
    first_unequal = next((i for i, (a, b) in pairs if a != b), min(len(expected), len(actual)))
    start = max(0, first_unequal - most // 2) if max(len(expected), len(actual)) > most else 0
    return tuple(
        "..." * (start > 0) + text[start : start + most] + "..." * (len(text) > start + most)
        for text in (expected, actual)
    )
