"""Units of angles: degrees, radians and others, with or without a direction.

CF-1.8, sections 4.1 and 4.2, and UDUNITS; spelled directions such as "deg West" are known, too.
"""

import math
import re
from dataclasses import dataclass
from functools import lru_cache

__all__ = ["Angle", "angle"]

_DEGREES = {
    **dict.fromkeys(("degree", "degrees", "deg", "degs", "°"), 1.0),
    **dict.fromkeys(("arcdeg", "arc_degree", "arc_degrees"), 1.0),
    **dict.fromkeys(("radian", "radians", "rad"), math.degrees(1)),
    **dict.fromkeys(("milliradian", "milliradians", "mrad"), math.degrees(1e-3)),
    **dict.fromkeys(("arcminute", "arcminutes", "arc_minute", "arc_minutes", "arcmin"), 1 / 60),
    **dict.fromkeys(("arcsecond", "arcseconds", "arc_second", "arc_seconds", "arcsec"), 1 / 3600),
    **dict.fromkeys(("gon", "grad", "grade", "grads", "grades"), 0.9),
}
_DIRECTED = re.compile(r"(?:degrees?|deg|°|arc_?degrees?)[ _]?(north|n|south|s|east|e|west|w)")
_DIRECTIONS = {"n": ("latitude", 1), "s": ("latitude", -1),
               "e": ("longitude", 1), "w": ("longitude", -1)}  # fmt: skip


@dataclass(frozen=True)
class Angle:
    """A unit of angles.

    ``degrees`` are those north or east in one unit; ``kind`` is "latitude" or "longitude" where the
    unit has a direction, and empty otherwise.
    """

    degrees: float
    kind: str = ""


@lru_cache(maxsize=256)
def angle(units):
    """Return the angle that a text is the unit of, or None.

    Examples
    --------
    >>> angle("deg West")
    Angle(degrees=-1.0, kind='longitude')
    >>> angle("degrees")  # and not a degree south
    Angle(degrees=1.0, kind='')
    """
    text = units.strip().lower()
    if text in _DEGREES:
        return Angle(_DEGREES[text])
    if match := _DIRECTED.fullmatch(text):
        kind, sign = _DIRECTIONS[match[1][0]]
        return Angle(float(sign), kind)
    return None
