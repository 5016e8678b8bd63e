"""Time and place that the attributes of a file tell: ACDD, and names that are as common."""

import re

from .. import CumulusError
from ..extent import Extent, from_mapping
from ..logutils.logger import log_warning
from ..products.angles import angle

__all__ = ["from_attributes"]

_TIMES = (
    ("time_coverage_start", "time_coverage_end"),
    ("begin_time", "end_time"),
    ("start_time", "stop_time"),
    ("start_time", "end_time"),
)
_EDGES = {"west": "geospatial_lon_min", "south": "geospatial_lat_min",
          "east": "geospatial_lon_max", "north": "geospatial_lat_max"}  # fmt: skip
_SMALLEST = 1e-9  # degrees; numbers nearer to 0 are memory that nobody set
_CLOCK = re.compile(r"\d{1,2}:\d\d(?::\d\d(?:\.\d*)?)?")
_POLYGON = re.compile(r"POLYGON\s*\(\(([^()]*)\)\)", re.IGNORECASE)


def from_attributes(attributes):
    """Make an extent of the attributes of a file; what they tell in part or in doubt is left out.

    Parameters
    ----------
    attributes : mapping
        Of some of cumulus.products.model.GLOBALS.

    Returns
    -------
    Extent
    """
    extent = Extent()
    for read in (_times, _edges):
        try:
            known = from_mapping(read(attributes), "attributes of the file")
        except CumulusError as error:
            log_warning(f"{error}: not used")
        else:
            extent = Extent(known.begin or extent.begin, known.end or extent.end,
                            known.box or extent.box)  # fmt: skip
    return extent


def _times(attributes):
    for first, last in _TIMES:
        begin, end = (_moment(attributes, name) for name in (first, last))
        if begin and end:
            return {"begin": begin, "end": end}
    return {}


def _moment(attributes, name):
    """A date and time, perhaps from two attributes (start_date, start_time); else ""."""
    text = str(attributes.get(name, "")).strip()
    if not _CLOCK.fullmatch(text):
        return text
    day = str(attributes.get(name.replace("_time", "_date"), "")).strip()
    return f"{day}T{text}" if day else ""


def _edges(attributes):
    values = {edge: attributes.get(name) for edge, name in _EDGES.items()}
    if None in values.values():
        return _bounds(attributes)
    try:
        numbers = {edge: float(value) for edge, value in values.items()}
    except ValueError:
        raise CumulusError("geospatial_lat_min and others are no numbers") from None
    if any(0 < abs(number) < _SMALLEST for number in numbers.values()):
        raise CumulusError(f"geospatial_lat_min and others are {tuple(numbers.values())}")
    if not any(numbers.values()):
        raise CumulusError("geospatial_lat_min and others are all 0, a default value")
    for edge, kind in zip(("west", "south", "east", "north"), ("lon", "lat") * 2, strict=True):
        numbers[edge] = round(numbers[edge] * _degrees(attributes, kind), 6)
    return numbers


def _degrees(attributes, kind):
    """Degrees north or east of one unit of geospatial_lat_min or geospatial_lon_min."""
    name = f"geospatial_{kind}_units"
    unit = angle(str(attributes.get(name, "degrees")))
    if unit is None or not (unit.kind or kind).startswith(kind):
        raise CumulusError(f"{name} is {attributes[name]!r}")
    return unit.degrees


def _bounds(attributes):
    """The box of geospatial_bounds, whose order of latitude and longitude has to be certain."""
    match = _POLYGON.search(str(attributes.get("geospatial_bounds", "")))
    if not match:
        return {}
    try:
        import numpy as np

        points = np.array([point.split()[:2] for point in match[1].split(",")], dtype="f8")
    except ValueError:
        raise CumulusError("geospatial_bounds is no polygon") from None
    first, second = points.T
    system = str(attributes.get("geospatial_bounds_crs", "")).upper().replace(" ", "")
    if system == "EPSG:4326" or np.abs(second).max() > 90 >= np.abs(first).max():
        north, east = first, second
    elif "CRS84" in system or np.abs(first).max() > 90 >= np.abs(second).max():
        north, east = second, first
    else:
        raise CumulusError(
            "geospatial_bounds does not tell which number is the latitude: geospatial_bounds_crs "
            "is missing"
        )
    sides = np.abs(np.diff(east, append=east[:1]))
    if sides.max() >= 180 and np.ptp(east) < 360:
        raise CumulusError(
            "geospatial_bounds has a side of 180 degrees or more: its way around the Earth is not "
            "certain; geospatial_lon_min and geospatial_lon_max tell it"
        )
    return {"west": east.min(), "south": north.min(), "east": east.max(), "north": north.max()}
