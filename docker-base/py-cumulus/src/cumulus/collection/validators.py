"""What values of collection.toml may be, and on which line of it a key stands.

A check returns the value to keep, or raises ValueError with what is allowed.
"""

import re
import tomllib
from datetime import date

from .. import CumulusError
from ..extent import EDGES, KEYS
from .model import PARTS, SOURCES, SPATIAL, AccessConstraints


def text(value):
    if not isinstance(value, str):
        raise ValueError('a text in quotes, such as "1"')
    return value


def name(value):
    if not text(value).strip():
        raise ValueError("a text that is not empty")
    return value


def texts(value):
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError('a list of texts, such as ["history"]')
    return tuple(value)


def variables(value):
    for item in texts(value):
        if not re.fullmatch(r"[A-Za-z_]\w*", item, re.ASCII):
            raise ValueError(f'a list of environment variables, such as ["GAIN"]; {item!r} is none')
    return tuple(value)


def directories(value):
    for item in texts(value):
        if not item.startswith("/"):
            raise ValueError(f'a list of absolute paths, such as ["/archive"]; {item!r} is none')
    return tuple(value)


def number(value, smallest=0.0):
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= smallest:
        raise ValueError("a number that is not negative")
    if value == float("inf"):
        raise ValueError("a number that is not infinite: all would be equal")
    return value


def share(value):
    if not number(value) <= 1:
        raise ValueError("a share between 0 and 1, such as 0.001")
    return value


def truth(value):
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def limit(value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number greater than 0")
    if not 0 < value < float("inf"):
        raise ValueError("a number greater than 0")
    return value


def interval(value):
    if not isinstance(value, list) or [type(item) in (int, float) for item in value] != [
        True,
        True,
    ]:
        raise ValueError("two numbers, such as [0, 1]")
    if not float("-inf") < value[0] < value[1] < float("inf"):
        raise ValueError("two numbers, the smaller one first")
    return tuple(value)


def scale(value):
    if value not in ("linear", "log"):
        raise ValueError('"linear" or "log"')
    return value


def regex(value):
    try:
        pattern = re.compile(text(value), re.DOTALL)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from error
    if "id" not in pattern.groupindex:
        raise ValueError("a regular expression with the named group (?P<id>...)")
    return pattern


def xpaths(value):
    import xml.etree.ElementTree as ElementTree

    for path in texts(value):
        try:
            ElementTree.fromstring("<x><x/></x>").findall(path)
        except (SyntaxError, KeyError, TypeError) as error:  # TypeError: unbalanced [[
            raise ValueError(f"a list of element paths; {path!r} is none ({error})") from error
        # ElementTree takes them, for the root itself, what is around an element, or nothing at all.
        if not path.strip("./") or ".." in path.split("/") or path.count("{") != path.count("}"):
            raise ValueError(f"a list of paths of elements within the root; {path!r} is none")
    return tuple(value)


def find_line(text, where):
    """Return the line (from 1) at which the key stands, or None if the text does not have it.

    TOML readers give no positions. Every prefix of whole statements is itself valid TOML, so the
    key's statement is the one with which the key first appears.
    """
    lines = text.splitlines(keepends=True)
    start = 0  # lines read so far that parse
    for end in range(1, len(lines) + 1):
        try:
            content = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        for key in where:
            content = content.get(key, None) if isinstance(content, dict) else None
        if content is not None:
            return start + 1
        start = end
    return None


def short_name(value):
    return _limited(value, 85)


def version(value):
    return _limited(value, 80)


def _limited(value, longest):
    if len(name(value)) > longest or not value.isprintable() or value != value.strip():
        raise ValueError(f"one line of at most {longest} characters, no space at either end")
    return value


def provider(value):
    if not re.fullmatch(r"([A-Z][A-Z0-9_]*)?", text(value)):
        raise ValueError('capital letters, digits and _, such as "GHRC_DAAC"')
    return value


def sources(value):
    """Check an order of sources."""
    allowed = f"a list of {', '.join(SOURCES)}"
    for item in texts(value):
        if item not in SOURCES:
            raise ValueError(f"{allowed}, not {item!r}")
    if not value or len(set(value)) < len(value):
        raise ValueError(f"{allowed}, each once")
    return tuple(value)


def spatial(value):
    if value not in SPATIAL:
        raise ValueError(" or ".join(f'"{item}"' for item in SPATIAL))
    return value


def parts(value):
    """Check which parts of an extent are required."""
    for item in texts(value):
        if item not in PARTS:
            raise ValueError(f'a list of "time" and "place", not {item!r}')
    return tuple(value)


def access_constraints(value):
    """Check a table such as ``{ value = 0, description = "public" }``."""
    allowed = 'a table, such as { value = 0, description = "public" }'
    if not isinstance(value, dict) or not {"value"} <= set(value) <= {"value", "description"}:
        raise ValueError(allowed)
    number, description = value["value"], value.get("description", "")
    if isinstance(number, bool) or not isinstance(number, int | float) or not abs(number) < 1e15:
        raise ValueError(f"{allowed}: its value is a number")
    if not isinstance(description, str) or len(description) > 1024:
        raise ValueError(f"{allowed}: its description is a text of at most 1024 characters")
    if not description.isprintable():
        raise ValueError(f"{allowed}: its description is one line without control characters")
    return AccessConstraints(number, description)


def keyword(value):
    """Check a format, such as "ICARTT" (UMM-G and ECHO10: at most 80 characters)."""
    return _limited(value, 80)


def address(value):
    if text(value) and not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*://\S+", value):
        raise ValueError('empty, or an address without spaces, such as "https://host/{data}"')
    return value


def moment(value):
    """Check a time, such as 2012-09-06T12:00:00Z, or a day."""
    if not isinstance(value, date):  # a datetime is one, too
        raise ValueError("a date or a date and time without quotes, such as 2012-09-06T12:00:00Z")
    return value


def degrees(value):
    if isinstance(value, bool) or not isinstance(value, int | float) or not -180 <= value <= 360:
        raise ValueError("a number of degrees")
    return float(value)


def fixed(table):
    """Make the extent of a checked table [metadata.fixed].

    Raises
    ------
    ValueError
        Its parts contradict each other.
    """
    from ..extent import from_mapping

    try:
        return from_mapping(table, "an extent that is whole and possible")
    except CumulusError as error:
        raise ValueError(str(error)) from error


# key -> (check, required), as in cumulus.collection
METADATA = {
    "time": (sources, False),
    "place": (sources, False),
    "sidecar": (text, False),
    "time_variable": (text, False),
    "latitude_variable": (text, False),
    "longitude_variable": (text, False),
    "polygon": (truth, False),
    "required": (parts, False),
    "granule_id": (name, False),
    "access_url": (address, False),
    "format": (keyword, False),
    "access_constraints": (access_constraints, False),
}
FIXED = {key: (degrees if key in EDGES else moment, False) for key in KEYS}
