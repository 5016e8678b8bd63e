"""The record of one product file: what is known about it, from every source."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from .. import CumulusError
from ..collection.model import MetadataRules
from ..extent import Extent
from ..files import checksum, has_control_character
from ..products.inspection import inspect
from .sources import Evidence, find_extent

__all__ = ["Details", "GranuleRecord", "make_record"]

# Characters: the smaller limit of the two schemas.
_MAX_UR = 250
_MAX_SHORT_NAME = 85
_MAX_VERSION = 80
_MAX_INPUT = 255
_MAX_URL = 1024
_MAX_REVISION = 50
# What neither XML 1.0 nor UTF-8 can hold.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class GranuleRecord:
    """What is known about one product file; the renderers add nothing to it."""

    granule_ur: str
    short_name: str
    version: str
    written: datetime
    size: int
    sha256: str
    data_format: str = ""
    extent: Extent = field(default_factory=Extent)
    input_granules: tuple[str, ...] = ()
    access_url: str = ""
    revision: str = "unknown"  # of the image or code that made it

    def __post_init__(self):
        texts = [
            ("GranuleUR", self.granule_ur, _MAX_UR),
            ("ShortName", self.short_name, _MAX_SHORT_NAME),
            ("VersionId", self.version, _MAX_VERSION),
            ("PGEVersion", self.revision, _MAX_REVISION),
            ("URL", self.access_url, _MAX_URL),
            *(("InputGranule", name, _MAX_INPUT) for name in self.input_granules),
        ]
        for what, text, longest in texts:
            if _UNWRITABLE.search(text):
                raise CumulusError(f"{what} {text!r} holds characters that metadata cannot hold")
            if len(text) > longest:
                raise CumulusError(
                    f"{what} {text[:40]!r}... has {len(text)} characters, {longest} are allowed"
                )


def corners(box):
    return {
        "WestBoundingCoordinate": box.west,
        "NorthBoundingCoordinate": box.north,
        "EastBoundingCoordinate": box.east,
        "SouthBoundingCoordinate": box.south,
    }


def iso_time(moment):
    """UTC, with milliseconds only where there are some."""
    precision = "milliseconds" if moment.microsecond >= 1000 else "seconds"
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision)
    return f"{text}Z"


@dataclass(frozen=True)
class Details:
    """What the caller knows of a granule beside its product.

    Attributes
    ----------
    version : str, optional
        VersionId of the collection; by default the environment variable VERSION, else "1".
    provider : str, optional
        Fills ``{provider}`` in the access URL.
    extent : Extent or mapping, optional
        The source "function": what the caller knows of ``begin`` and ``end`` (UTC) and ``west``,
        ``south``, ``east`` and ``north``.
    rules : MetadataRules, optional
        In which order the sources are asked, fixed values, polygon, access URL; by default every
        source in the usual order.
    groups : mapping of str to str, optional
        Named groups of the granule's file name: ``id``, and for "filename" ``date``, ``begin``,
        ``end`` and others.
    sidecar : path-like, optional
        The file of the source "sidecar".
    input_granules : sequence of str
        Names of the files that the product was made from.
    names : mapping of str to str, optional
        File name of each product, for the access URL.
    revision : str, optional
        Of the code that made the product; by default the environment variable IMAGE_REVISION,
        which the image sets, else "unknown".
    """

    version: str | None = None
    provider: str = ""
    extent: Extent | Mapping | None = None
    rules: MetadataRules | None = None
    groups: Mapping | None = None
    sidecar: str | os.PathLike | None = None
    input_granules: Sequence[str] = ()
    names: Mapping | None = None
    revision: str | None = None


def make_record(filename, dataid, product=None, **details):
    """Collect the record of a product.

    Parameters
    ----------
    filename : path-like
        The product.
    dataid : str
        Short name of the collection.
    product : cumulus.products.Product, optional
        What the file holds, where the caller has inspected it already.
    **details
        The attributes of :class:`Details`.

    Returns
    -------
    GranuleRecord

    Raises
    ------
    CumulusError
        ``dataid`` is empty, the product cannot be read or has a control character in its name, or
        something contradicts itself.
    """
    if not dataid or not str(dataid).strip():
        raise CumulusError(
            "write_metadata needs dataid, the collection's short name "
            "(short_name in collection.toml, or the environment variable SHORT_NAME)"
        )
    path, known = Path(filename), Details(**details)
    if has_control_character(path.name):
        raise CumulusError(
            f"the name {path.name!r} cannot be a GranuleUR: it has a line break or control "
            "character; rename the file"
        )
    rules = known.rules or MetadataRules()
    version = str(known.version or os.environ.get("VERSION") or "1")
    product = product or inspect(path)
    values = {"short_name": dataid, "version": version, "provider": known.provider}
    values |= {"file": path.name, **(known.groups or {}), **(known.names or {})}
    evidence = Evidence(known.groups, known.extent, known.sidecar)
    try:
        return GranuleRecord(
            granule_ur=path.name,
            short_name=str(dataid),
            version=version,
            written=datetime.now(UTC).replace(microsecond=0),
            size=path.stat().st_size,
            sha256=checksum(path),
            data_format=product.data_format,
            extent=find_extent(path, rules, evidence, product),
            input_granules=tuple(dict.fromkeys(known.input_granules)),  # UMM-G wants each once
            access_url=_fill(rules.access_url, values),
            revision=known.revision or os.environ.get("IMAGE_REVISION") or "unknown",
        )
    except OSError as error:
        raise CumulusError(f"cannot read {str(path)!r}: {error.strerror or error}") from error


def _fill(template, values):
    """Put values into the template; file names that are not UTF-8 are quoted byte by byte."""
    quoted = {
        key: quote(str(value), safe="", errors="surrogateescape") for key, value in values.items()
    }
    try:
        return template.format(**quoted)
    except (KeyError, IndexError) as error:
        raise CumulusError(
            f"access_url: placeholder {error} is not known in {template!r}"
        ) from error
    except (ValueError, AttributeError, TypeError) as error:  # braces that do not match, {a.b}
        raise CumulusError(f"access_url: {template!r} is no template: {error}") from error
