"""The record of one product file: what is known about it, from every source."""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from .. import CumulusError
from ..collection.model import AccessConstraints, MetadataRules
from ..extent import Extent
from ..files import checksum, has_control_character
from ..logutils.logger import log_warning
from ..products.inspection import inspect
from .formats import format_of
from .sources import PARTS, Evidence, find_extent_and_gaps

__all__ = ["Details", "GranuleRecord", "make_record"]

# Characters: the smaller limit of the two schemas.
_MAX_UR = 250
_MAX_SHORT_NAME = 85
_MAX_VERSION = 80
_MAX_INPUT = 255
_MAX_URL = 1024
_MAX_REVISION = 50
_MAX_FORMAT = 80
# What neither XML 1.0 nor UTF-8 can hold.
_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True)
class GranuleRecord:
    """What is known about one product file; the renderers add nothing to it.

    Attributes
    ----------
    granule_ur : str
        Identifies the granule in CMR.
    file_name : str
        Name of the product, the ProducerGranuleId; by default as ``granule_ur``.
    size : int
        Bytes.
    revision : str
        Of the image or code that made the product.
    gaps : mapping of str to str
        Why a part of the extent is unknown, by "time" and "place"; no record says it.
    """

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
    revision: str = "unknown"
    file_name: str = ""
    access_constraints: AccessConstraints | None = None
    gaps: Mapping = field(default_factory=dict)

    def __post_init__(self):
        object.__setattr__(self, "file_name", self.file_name or self.granule_ur)
        texts = [
            ("GranuleUR", self.granule_ur, _MAX_UR),
            ("the product's name", self.file_name, _MAX_INPUT),
            ("DataFormat", self.data_format, _MAX_FORMAT),
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

    @property
    def size_mb(self):
        """10^6 bytes, to the 0.01 as CMR shows it; smaller files have three digits that count."""
        megabytes = self.size / 1e6
        return round(megabytes, 2) if megabytes >= 1 else float(f"{megabytes:.3g}")

    @property
    def instant(self):
        """The moment of observations that begin and end at the same time, else None."""
        begin, end = self.extent.begin, self.extent.end
        return begin if begin and end and iso_time(begin) == iso_time(end) else None


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
        The table [metadata] of collection.toml; by default every source in the usual order.
    spatial : str, optional
        Kind of geometry that the collection has, see cumulus.collection.Collection.
    groups : mapping of str to str, optional
        Named groups of the granule's file name: ``id``, and for "filename" ``date``, ``begin``,
        ``end`` and others.
    sidecar : path-like, optional
        The file of the source "sidecar".
    input_granules : sequence of str
        Names of the files that the product was made from.
    names : mapping of str to str, optional
        File name of each product, for the access URL and the granule's id.
    revision : str, optional
        Of the code that made the product; by default the environment variable IMAGE_REVISION,
        which the image sets, else "unknown".
    """

    version: str | None = None
    provider: str = ""
    extent: Extent | Mapping | None = None
    rules: MetadataRules | None = None
    spatial: str = ""
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
    try:
        return _record(path, str(dataid), product or inspect(path), known)
    except OSError as error:
        raise CumulusError(f"cannot read {str(path)!r}: {error.strerror or error}") from error


def _record(path, dataid, product, known):
    """Return the GranuleRecord of an inspected product, with the Details of its caller."""
    rules = known.rules or MetadataRules()
    version = str(known.version or os.environ.get("VERSION") or "1")
    values = {"short_name": dataid, "version": version, "provider": known.provider}
    values |= {"file": path.name, **(known.groups or {}), **(known.names or {})}
    evidence = Evidence(known.groups, known.extent, known.sidecar)
    parts = ("time",) if known.spatial == "none" else PARTS
    extent, gaps = find_extent_and_gaps(path, rules, evidence, product, parts)
    return GranuleRecord(
        granule_ur=_fill("granule_id", rules.granule_id, values) or path.name,
        file_name=path.name,
        short_name=dataid,
        version=version,
        written=datetime.now(UTC).replace(microsecond=0),
        size=path.stat().st_size,
        sha256=checksum(path),
        data_format=format_of(path, rules.format, product),
        extent=_fit(extent, known.spatial, path.name),
        input_granules=tuple(dict.fromkeys(known.input_granules)),  # UMM-G wants each once
        access_url=_fill("access_url", rules.access_url, _quoted(values)),
        access_constraints=rules.access_constraints,
        gaps=gaps,
        revision=known.revision or os.environ.get("IMAGE_REVISION") or "unknown",
    )


def _fit(extent, spatial, name):
    """Return the extent with the geometry that CMR accepts in a granule of the collection."""
    if spatial == "cartesian" and extent.polygon:
        log_warning(f"{name}: a box, no polygon, because the collection is cartesian")
        return replace(extent, polygon=())
    return extent


def _quoted(values):
    """Quote values for an address; file names that are not UTF-8 are quoted byte by byte."""
    return {
        key: quote(str(value), safe="", errors="surrogateescape") for key, value in values.items()
    }


def _fill(key, template, values):
    """Put values into the template of a key of [metadata]."""
    try:
        return template.format(**values)
    except (KeyError, IndexError) as error:
        raise CumulusError(f"{key}: placeholder {error} is not known in {template!r}") from error
    except (ValueError, AttributeError, TypeError) as error:  # braces that do not match, {a.b}
        raise CumulusError(f"{key}: {template!r} is no template: {error}") from error
