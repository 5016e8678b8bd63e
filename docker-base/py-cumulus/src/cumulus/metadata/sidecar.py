"""Time and place from a metadata file that comes with a granule.

JSON (UMM-G and others), XML (ECHO10 and others), ODL as in ECS ``.met`` files, and ``name = value``
lines are read in the same way: as names with values. The names of time and place are few, and the
same in all of them. Polygons, lines and points need the nesting of a file: see :mod:`.shapes`.
"""

import json
import re
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from .. import CumulusError
from ..extent import EDGES
from ..logutils.logger import log_warning
from .shapes import box_of_boxes, box_of_shapes, shapes_of_items, shapes_of_tree

__all__ = ["Node", "read_sidecar"]

LARGEST = 16 << 20  # bytes; metadata is small
MOST_LINES = 1000  # of one value in parentheses
# Names in lower case; ECHO10 and UMM-G, ECS inventory metadata, ACDD, our own. A date and a time
# of two names are joined.
_NAMES = {
    "begin": ("beginningdatetime", "rangebeginningdate+rangebeginningtime", "time_coverage_start",
              "begin"),
    "end": ("endingdatetime", "rangeendingdate+rangeendingtime", "time_coverage_end", "end"),
    "instant": ("singledatetime", "calendardate+timeofday", "calendardate"),
    "west": ("westboundingcoordinate", "geospatial_lon_min", "west"),
    "south": ("southboundingcoordinate", "geospatial_lat_min", "south"),
    "east": ("eastboundingcoordinate", "geospatial_lon_max", "east"),
    "north": ("northboundingcoordinate", "geospatial_lat_max", "north"),
}  # fmt: skip
_LINE = re.compile(r"([A-Za-z][\w.]*)\s*[=:](.*)")


@dataclass
class Node:
    """An element of XML, or a value of JSON under its key."""

    name: str
    text: str = ""
    children: list = field(default_factory=list)

    def walk(self):
        """Yield this node and all below it, in order."""
        waiting = [self]
        while waiting:
            node = waiting.pop()
            yield node
            waiting += reversed(node.children)


def read_sidecar(path):
    """Return the values of a file by our own names ``begin``, ``end``, ``west``, ...

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict of str to str or float
        A name with two different values is left out with a warning. The edges are those of the
        bounding box, or else of the smallest box that holds the polygons, lines and points.

    Raises
    ------
    CumulusError
        The file cannot be read.
    """
    path = Path(path)
    try:
        if path.stat().st_size > LARGEST:
            raise CumulusError(f"sidecar {str(path)!r} is larger than {LARGEST >> 20} MB")
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise CumulusError(f"cannot read sidecar {str(path)!r}: {error.strerror}") from error
    items, shapes = _content(text.lstrip("\ufeff").strip())
    values = defaultdict(list)
    for name, value in items:
        if value.strip():
            values[name.lower()].append(value.strip())
    return _times(values, path.name) | _place(values, shapes, path.name)


def _times(values, name):
    """Return begin and end; one moment is both."""
    texts = {key: _texts(values, key) for key in ("begin", "end", "instant")}
    if not texts["begin"] and not texts["end"]:
        texts["begin"] = texts["end"] = texts["instant"]
    known = {}
    for key in ("begin", "end"):
        if len(texts[key]) == 1:
            (known[key],) = texts[key]
        elif texts[key]:
            _warn_of_several(name, texts[key], key)
    return known


def _place(values, shapes, name):
    texts = {key: _texts(values, key) for key in EDGES}
    if any(texts.values()):
        return _edges(values, texts, name)
    try:
        if shapes := list(shapes):
            return dict(zip(EDGES, box_of_shapes(shapes), strict=True))
    except CumulusError as error:
        log_warning(f"sidecar {name}: {error}: no place")
    return {}


def _edges(values, texts, name):
    """Return the edges of the bounding box; two of them are one at the antimeridian."""
    lists = [next((values[each] for each in _NAMES[key] if values.get(each)), []) for key in EDGES]
    are_whole = len({len(each) for each in lists}) == 1
    if are_whole and (box := box_of_boxes(list(zip(*lists, strict=True)))):
        return dict(zip(EDGES, box, strict=True))
    for key in EDGES:
        if len(texts[key]) > 1:
            _warn_of_several(name, texts[key], key)
    return {key: texts[key][0] for key in EDGES if len(texts[key]) == 1}


def _warn_of_several(name, texts, key):
    log_warning(f"sidecar {name}: {len(texts)} different values of {key}: not used")


def _texts(values, key):
    """Return the different values of the first name that has some."""
    joined = (_joined(values, name) for name in _NAMES[key])
    return next((texts for texts in joined if texts), [])


def _joined(values, name):
    if "+" not in name:
        return list(dict.fromkeys(values.get(name, ())))
    dates, times = (list(dict.fromkeys(values.get(part, ()))) for part in name.split("+"))
    if dates and times and len(dates) + len(times) > 2:
        return max(dates, times, key=len)  # ambiguous, as their pairs would be
    return [f"{day}T{clock}" for day in dates for clock in times]


def _content(text):
    """Return all names with their values, as texts in order, and the shapes, lazily."""
    try:
        root = None
        if text.startswith(("{", "[")):
            root = _json_node("", json.loads(text))
        elif text.startswith("<"):
            root = _xml_node(ElementTree.fromstring(text))
        if root:
            return [(node.name, node.text) for node in root.walk()], list(shapes_of_tree(root))
    except (ValueError, RecursionError, ElementTree.ParseError):
        pass  # then, perhaps, lines
    items = list(_odl_items(text))
    return items, shapes_of_items(items)


def _xml_node(element):
    children = [_xml_node(child) for child in element]
    return Node(element.tag.rpartition("}")[2], element.text or "", children)


def _json_node(name, value):
    """Return a node; the values of a list are nodes of the list's name."""
    if isinstance(value, dict):
        children = []
        for key, child in value.items():
            several = child if isinstance(child, list) else [child]
            children += [_json_node(key, each) for each in several]
        return Node(name, "", children)
    if isinstance(value, list):
        return Node(name, "", [_json_node(name, each) for each in value])
    return Node(name, "" if value is None else str(value))


def _odl_items(text):
    """``name = value`` lines; ODL has ``OBJECT = name`` and further down ``VALUE = value``."""
    name = ""
    for line in _whole_lines(text):
        if match := _LINE.fullmatch(line.strip()):
            key, value = match[1], match[2].strip().removesuffix(";").rstrip().strip("\"'")
            if key.upper() == "OBJECT":
                name = value
            elif key.upper() == "VALUE":
                yield name, value
            else:
                yield key, value


def _whole_lines(text):
    """Yield lines; a value in parentheses may go over several."""
    waiting = []
    for line in text.splitlines():
        if waiting or re.search(r"=\s*\([^)]*$", line):
            waiting.append(line.strip())
            if ")" not in line and len(waiting) < MOST_LINES:
                continue
            line, waiting = " ".join(waiting), []
        yield line
    yield from waiting
