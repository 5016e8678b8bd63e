"""The tables [collection] and [metadata] of collection.toml: what may stand in them."""

import re
from dataclasses import dataclass, field
from datetime import date

from .. import CumulusError
from ..extent import EDGES, KEYS, Extent
from .validators import name, text, texts, truth

__all__ = ["SOURCES", "MetadataRules"]

SOURCES = ("function", "filename", "sidecar", "product", "fixed")


@dataclass(frozen=True)
class MetadataRules:
    """Where extents come from, and the download address.

    Attributes
    ----------
    time, place : tuple of str
        Sources in the order in which they are asked.
    sidecar : str
        Role of the input file that says when and where; empty: there is none.
    polygon : bool
        Draw a polygon around a swath.
    access_url : str
        Template.
    fixed : Extent
        What is the same for every granule.
    """

    time: tuple[str, ...] = SOURCES
    place: tuple[str, ...] = SOURCES
    sidecar: str = ""
    polygon: bool = False
    access_url: str = ""
    fixed: Extent = field(default_factory=Extent)


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
    from ..metadata.sources import from_mapping

    try:
        return from_mapping(table, "an extent that is whole and possible")
    except CumulusError as error:
        raise ValueError(str(error)) from error


# key -> (check, required), as in cumulus.collection
TABLE = {
    "time": (sources, False),
    "place": (sources, False),
    "sidecar": (text, False),
    "polygon": (truth, False),
    "access_url": (address, False),
}
FIXED = {key: (degrees if key in EDGES else moment, False) for key in KEYS}
