"""Time and place from a metadata file that comes with a granule.

JSON (UMM-G and others), XML (ECHO10 and others), ODL as in ECS ``.met`` files, and ``name = value``
lines are read in the same way: as names with values. The names of time and place are few, and the
same in all of them.
"""

import json
import re
import xml.etree.ElementTree as ElementTree
from collections import defaultdict
from pathlib import Path

from .. import CumulusError
from ..logutils.logger import log_warning

__all__ = ["read_sidecar"]

LARGEST = 16 << 20  # bytes; metadata is small
# Names in lower case; ECHO10 and UMM-G, ECS inventory metadata, ACDD, our own. A date and a time
# of two names are joined.
_NAMES = {
    "begin": ("beginningdatetime", "rangebeginningdate+rangebeginningtime", "time_coverage_start",
              "begin"),
    "end": ("endingdatetime", "rangeendingdate+rangeendingtime", "time_coverage_end", "end"),
    "west": ("westboundingcoordinate", "geospatial_lon_min", "west"),
    "south": ("southboundingcoordinate", "geospatial_lat_min", "south"),
    "east": ("eastboundingcoordinate", "geospatial_lon_max", "east"),
    "north": ("northboundingcoordinate", "geospatial_lat_max", "north"),
}  # fmt: skip
_LINE = re.compile(r"([A-Za-z][\w.]*)\s*[=:](.*)")


def read_sidecar(path):
    """Return the values of a file by our own names ``begin``, ``end``, ``west``, ...

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict of str to str
        A name with two different values is left out with a warning.

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
    values = defaultdict(dict)  # each value once, in order
    for name, value in _items(text.lstrip("\ufeff").strip()):
        if value.strip():
            values[name.lower()][value.strip()] = None
    values_by_key = {}
    for key, names in _NAMES.items():
        if texts := next(
            (candidates for name in names if (candidates := _joined(values, name))), None
        ):
            if len(texts) == 1:
                (values_by_key[key],) = texts
            else:
                log_warning(
                    f"sidecar {path.name}: {len(texts)} different values of {key}: not used"
                )
    return values_by_key


def _joined(values, name):
    if "+" not in name:
        return values.get(name)
    dates, times = (list(values.get(part, ())) for part in name.split("+"))
    if dates and times and len(dates) + len(times) > 2:
        return max(dates, times, key=len)  # ambiguous, as their pairs would be
    return [f"{day}T{clock}" for day in dates for clock in times]


def _items(text):
    """Yield every name with its value, as text, whatever language the file is in."""
    try:
        if text.startswith(("{", "[")):
            return list(_json_items(json.loads(text), ""))
        if text.startswith("<"):
            root = ElementTree.fromstring(text)
            return [(element.tag.rpartition("}")[2], element.text or "") for element in root.iter()]
    except (ValueError, RecursionError, ElementTree.ParseError):
        pass  # then, perhaps, lines
    return list(_odl_items(text))


def _json_items(value, name):
    if isinstance(value, dict):
        for key, child in value.items():
            yield from _json_items(child, key)
    elif isinstance(value, list):
        for child in value:
            yield from _json_items(child, name)
    elif value is not None:
        yield name, str(value)


def _odl_items(text):
    """``name = value`` lines; ODL has ``OBJECT = name`` and further down ``VALUE = value``."""
    name = ""
    for line in text.splitlines():
        if match := _LINE.fullmatch(line.strip()):
            key, value = match[1], match[2].strip().removesuffix(";").rstrip().strip("\"'")
            if key.upper() == "OBJECT":
                name = value
            elif key.upper() == "VALUE":
                yield name, value
            else:
                yield key, value
