"""Polygons, lines and points of metadata files, and the box that holds them."""

import math

from .. import CumulusError
from .longitudes import enclosing_longitudes, joined, to_180

__all__ = ["box_of_boxes", "box_of_shapes", "shapes_of_items", "shapes_of_tree"]

_HOLES = {"exclusivezone", "exclusionaryzone"}
_LONGITUDES = ("pointlongitude", "longitude")
_LATITUDES = ("pointlatitude", "latitude")
MOST_SHAPES = 500
_DIGITS = 9  # of a degree: less than rounding in the computation of great circles


def shapes_of_tree(node):
    """Yield the shapes in a tree of nodes: ECHO10, UMM-G and the XML of ECS.

    Parameters
    ----------
    node : cumulus.metadata.sidecar.Node

    Yields
    ------
    kind : str
        "boundary", "line" or "point".
    points : list of (str, str)
        Longitudes and latitudes, as they are written.
    """
    key = node.name.lower()
    if key in _HOLES:  # the box is that of the outer boundary
        return
    if key in ("boundary", "line", "lines"):
        kind = "boundary" if key == "boundary" else "line"
        if points := [point for each in node.walk() if (point := _point(each))]:
            yield kind, points
        return
    if key in ("point", "points") and (point := _point(node)):
        yield "point", [point]
    for child in node.children:
        yield from shapes_of_tree(child)


def _point(node):
    texts = {child.name.lower(): child.text.strip() for child in node.children}
    for east, north in zip(_LONGITUDES, _LATITUDES, strict=True):
        if texts.get(east) and texts.get(north):
            return texts[east], texts[north]
    return None


def shapes_of_items(items):
    """Yield the shapes among the names and values of an ODL file: its GRings and lone points.

    Parameters
    ----------
    items : list of (str, str)
        In the order of the file; a value in parentheses is a sequence.
    """
    rings = {"longitude": [], "latitude": [], "sequenceno": [], "exclusion": []}
    for name, value in items:
        key = name.lower()
        if key == "exclusiongringflag":
            rings["exclusion"].append(value.strip("\"' ").upper().startswith("Y"))
        elif key.removeprefix("gringpoint") in rings and key.startswith("gringpoint"):
            rings[key.removeprefix("gringpoint")].append(_sequence(value))
    if len(rings["longitude"]) != len(rings["latitude"]):
        raise CumulusError("not every GRing has longitudes and latitudes")
    for number, (east, north) in enumerate(zip(rings["longitude"], rings["latitude"], strict=True)):
        if len(rings["exclusion"]) == len(rings["longitude"]) and rings["exclusion"][number]:
            continue
        if len(east) != len(north):
            raise CumulusError(f"a GRing has {len(east)} longitudes and {len(north)} latitudes")
        points = list(zip(east, north, strict=True))
        if len(rings["sequenceno"]) == len(rings["longitude"]):
            points = _in_order(points, rings["sequenceno"][number])
        yield "boundary", points


def _sequence(value):
    return [text.strip("\"' ") for text in value.strip("() ").split(",") if text.strip()]


def _in_order(points, numbers):
    if len(numbers) != len(points):
        raise CumulusError(f"a GRing has {len(points)} points and {len(numbers)} sequence numbers")
    try:
        order = sorted(range(len(points)), key=lambda index: float(numbers[index]))
    except ValueError:
        raise CumulusError("the sequence numbers of a GRing are no numbers") from None
    return [points[index] for index in order]


def box_of_shapes(shapes):
    """Return west, south, east and north of the smallest box that holds all shapes.

    The sides of polygons and lines are great circles, which reach beyond the latitudes of their
    ends.

    Raises
    ------
    CumulusError
        A coordinate is no number or out of range, or a polygon has two readings.
    """
    lone, sides, latitudes = [], [], []
    for kind, texts in shapes:
        points = [_degrees(*each) for each in texts]
        if kind == "point":
            lone += points
        elif len(sides) == MOST_SHAPES:
            raise CumulusError(f"more than {MOST_SHAPES} polygons and lines")
        else:
            interval, reached = _bounds(points, kind)
            sides.append(interval)
            latitudes += min(reached), max(reached)
    if lone:
        sides.append(enclosing_longitudes([longitude for longitude, _ in lone]))
        latitudes += [latitude for _, latitude in lone]
    west, east = joined(sides)
    return west, min(latitudes), east, max(latitudes)


def _degrees(east, north):
    try:
        longitude, latitude = float(east), float(north)
    except ValueError:
        raise CumulusError(f"a point {east}, {north} is no longitude and latitude") from None
    if not (-180 <= longitude <= 360 and -90 <= latitude <= 90):
        raise CumulusError(f"longitude {east} and latitude {north} are out of range")
    return longitude, latitude


def _bounds(points, kind):
    """Return the longitudes of a shape, west and east, and the latitudes that it reaches."""
    latitudes = [latitude for _, latitude in points]
    ends = points[1:] + points[:1] if kind == "boundary" else points[1:]
    position = low = high = points[0][0]
    for start, end in zip(points, ends, strict=False):
        step = (end[0] - start[0] + 180) % 360 - 180
        if step == -180 and abs(start[1]) < 90 and abs(end[1]) < 90:
            raise CumulusError("a side of a polygon is 180 degrees long: its way is not certain")
        position += step
        low, high = min(low, position), max(high, position)
        latitudes += _extremes(start, end)
    if kind == "boundary" and abs(position - points[0][0]) > 180:
        return (-180.0, 180.0), [*latitudes, _pole(latitudes)]
    if high - low >= 360:
        return (-180.0, 180.0), latitudes
    return (to_180(low, -180.0), to_180(high, 180.0)), latitudes


def _pole(latitudes):
    """Return the latitude of the pole that a polygon goes around."""
    if min(latitudes) <= 0 <= max(latitudes):
        raise CumulusError("a polygon goes around the Earth: which pole it holds is not certain")
    return math.copysign(90.0, latitudes[0])


def _extremes(start, end):
    """Return the latitude at which a great circle turns between two points, if it does."""
    p, q = _vector(*start), _vector(*end)
    normal = _cross(p, q)
    length = math.hypot(*normal)
    if length < 1e-12:  # the same point
        return []
    normal = [value / length for value in normal]
    flat = math.hypot(normal[0], normal[1])
    if flat < 1e-12:  # the equator
        return []
    turns = []
    for sign in (1, -1):
        top = [-sign * normal[2] * normal[0] / flat, -sign * normal[2] * normal[1] / flat]
        top.append(sign * flat)
        if _dot(_cross(p, top), normal) > 0 and _dot(_cross(top, q), normal) > 0:
            turns.append(round(math.degrees(math.asin(top[2])), _DIGITS))
    return turns


def _vector(longitude, latitude):
    east, north = math.radians(longitude), math.radians(latitude)
    return math.cos(north) * math.cos(east), math.cos(north) * math.sin(east), math.sin(north)


def _cross(a, b):
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )


def _dot(a, b):
    return sum(x * y for x, y in zip(a, b, strict=True))


def box_of_boxes(boxes):
    """Return the one box that several are: equal ones, or two that meet at the antimeridian.

    Parameters
    ----------
    boxes : sequence of (west, south, east, north) as texts

    Returns
    -------
    tuple or None
        None: they are several places.
    """
    several = list(dict.fromkeys(boxes))
    if len(several) == 1:
        return several[0]
    if len(several) != 2:
        return None
    try:
        numbers = [[float(text) for text in box] for box in several]
    except ValueError:
        return None
    for first, second in (numbers, numbers[::-1]):
        if first[2] == 180 and second[0] == -180 and first[0] > second[2]:
            south, north = min(first[1], second[1]), max(first[3], second[3])
            return first[0], south, second[2], north
    return None
