"""The record of one product file: what is known about it, from every source."""

import os
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from .. import CumulusError
from ..collection.model import MetadataRules
from ..extent import Extent
from ..files import checksum
from ..products import inspection
from .sources import find_extent

__all__ = ["GranuleRecord", "make_record"]

_MAX_UR = 250  # characters, as the other limits the narrower one of both schemas
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


def make_record(
    filename,
    dataid,
    *,
    version=None,
    provider="",
    extent=None,
    rules=None,
    groups=None,
    sidecar=None,
    input_granules=(),
    names=None,
    revision=None,
):
    """Collect the record of a product.

    Parameters
    ----------
    filename : path-like
        The product.
    dataid : str
        Short name of the collection.
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
        What the granule's file name says: ``id``, and for "filename" ``date``, ``begin``, ``end``
        and others.
    sidecar : path-like, optional
        The file of the source "sidecar".
    input_granules : sequence of str
        Names of the files that the product was made from.
    names : mapping of str to str, optional
        File name of each product, for the access URL.
    revision : str, optional
        Of the code that made the product; by default the environment variable IMAGE_REVISION,
        which the image sets, else "unknown".

    Returns
    -------
    GranuleRecord

    Raises
    ------
    CumulusError
        ``dataid`` is empty, the product cannot be read, or something contradicts itself.
    """
    if not dataid or not str(dataid).strip():
        raise CumulusError(
            "write_metadata needs dataid, the collection's short name "
            "(short_name in collection.toml, or the environment variable SHORT_NAME)"
        )
    product, rules = Path(filename), rules or MetadataRules()
    version = str(version or os.environ.get("VERSION") or "1")
    found = inspection.inspect(product)
    values = {"short_name": dataid, "version": version, "provider": provider}
    values |= {"file": product.name, **(groups or {}), **(names or {})}
    try:
        return GranuleRecord(
            granule_ur=product.name,
            short_name=str(dataid),
            version=version,
            written=datetime.now(UTC).replace(microsecond=0),
            size=product.stat().st_size,
            sha256=checksum(product),
            data_format=found.data_format,
            extent=find_extent(
                product,
                rules.time,
                groups,
                place=rules.place,
                extent=extent,
                sidecar=sidecar,
                fixed=rules.fixed,
                polygon=rules.polygon,
            ),
            input_granules=tuple(dict.fromkeys(input_granules)),  # UMM-G wants each once
            access_url=_fill(rules.access_url, values),
            revision=revision or os.environ.get("IMAGE_REVISION") or "unknown",
        )
    except OSError as error:
        raise CumulusError(f"cannot read {str(product)!r}: {error.strerror or error}") from error
    finally:
        inspection.forget()


def _fill(template, values):
    """Put values into the template; names of files count byte by byte, be they UTF-8 or not."""
    quoted = {
        key: quote(str(one), safe="", errors="surrogateescape") for key, one in values.items()
    }
    try:
        return template.format(**quoted)
    except (KeyError, IndexError) as error:
        raise CumulusError(
            f"access_url: placeholder {error} is not known in {template!r}"
        ) from error
    except (ValueError, AttributeError, TypeError) as error:  # braces that do not match, {a.b}
        raise CumulusError(f"access_url: {template!r} is no template: {error}") from error
