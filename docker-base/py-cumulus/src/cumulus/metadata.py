"""Metadata records of a product: ECHO10 (XML) and UMM-G (JSON).

One record is collected from the product, two functions render it.
"""

import hashlib
import json
import os
import re
import tempfile
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from . import CumulusError
from .extents import Extent, find_extent
from .formats import netcdf_format

__all__ = ["GranuleRecord", "make_record", "write_metadata", "write_record", "write_ummg"]

UMMG_VERSION = "1.6.6"
_MAX_UR = 250  # characters, in both schemas
_MAX_PRODUCER_ID = 128  # in ECHO10
_MAX_INPUT = 255  # in ECHO10


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

    def __post_init__(self):
        for what, text in (("file name", self.granule_ur), ("short name", self.short_name)):
            if re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", text):
                raise CumulusError(f"{what} {text!r} holds characters that metadata cannot hold")
        if len(self.granule_ur) > _MAX_UR:
            raise CumulusError(
                f"file name {self.granule_ur[:40]!r}... has {len(self.granule_ur)} characters; "
                f"a GranuleUR has {_MAX_UR} at most"
            )


def write_metadata(filename, dataid, dataname="", outdir="./", **details):
    """Write the ECHO10 record of a product to ``<outdir>/<basename>.meta.xml``.

    Parameters
    ----------
    filename : path-like
        The product.
    dataid : str
        Short name of the collection.
    dataname : str, optional
        Accepted as it always was; nothing is made of it.
    outdir : path-like, optional
        An existing directory.
    **details
        ``version``, ``provider``, ``time_sources``, ``groups``, ``input_granules``,
        ``access_url``, ``names``: see :func:`make_record`.

    Returns
    -------
    str
        Path of the record.

    Raises
    ------
    CumulusError
        ``dataid`` is empty, the product cannot be read, or the record cannot be written.
    """
    path = os.path.join(outdir, os.path.basename(filename) + ".meta.xml")
    write_record(make_record(filename, dataid, **details), path, "metadata")
    return path


def write_ummg(filename, dataid, outdir="./", **details):
    """Write the UMM-G record of a product to ``<outdir>/<name without its suffix>.cmr.json``.

    Parameters and errors are those of :func:`write_metadata`.

    Returns
    -------
    str
        Path of the record.
    """
    path = os.path.join(outdir, Path(filename).stem + ".cmr.json")
    write_record(make_record(filename, dataid, **details), path, "cmr")
    return path


def make_record(
    filename,
    dataid,
    *,
    version=None,
    provider="",
    time_sources=("product",),
    groups=None,
    input_granules=(),
    access_url="",
    names=None,
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
        Fills ``{provider}`` in ``access_url``.
    time_sources : sequence of str
        "filename" and "product" in the order in which they are asked.
    groups : mapping of str to str, optional
        What the granule's file name says: ``id``, and for "filename" ``date``, ``begin``, ``end``.
    input_granules : sequence of str
        Names of the files that the product was made from.
    access_url : str
        Template of the download address; the placeholders are ``{short_name}``, ``{version}``,
        ``{provider}``, ``{file}`` and the keys of ``groups`` and ``names``.
    names : mapping of str to str, optional
        File name of each product, for ``access_url``.

    Returns
    -------
    GranuleRecord
    """
    if not dataid or not str(dataid).strip():
        raise CumulusError(
            "write_metadata needs dataid, the collection's short name "
            "(short_name in collection.toml, or the environment variable SHORT_NAME)"
        )
    product = Path(filename)
    version = version or os.environ.get("VERSION") or "1"
    try:
        size, sha256 = product.stat().st_size, _sha256(product)
        data_format = netcdf_format(product)
    except OSError as error:
        raise CumulusError(f"cannot read {str(product)!r}: {error.strerror or error}") from error
    values = {"short_name": dataid, "version": version, "provider": provider}
    values |= {"file": product.name, **(groups or {}), **(names or {})}
    return GranuleRecord(
        granule_ur=product.name,
        short_name=str(dataid),
        version=str(version),
        written=datetime.now(UTC).replace(microsecond=0),
        size=size,
        sha256=sha256,
        data_format=data_format,
        extent=find_extent(product, time_sources, groups),
        input_granules=tuple(input_granules),
        access_url=_fill(access_url, values),
    )


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fill(template, values):
    try:
        return template.format(**{key: quote(str(one), safe="") for key, one in values.items()})
    except (KeyError, IndexError) as error:
        raise CumulusError(
            f"access_url: placeholder {error} is not known in {template!r}"
        ) from error


def render_echo10(record):
    """Return the record as ECHO10 text; the schema wants its elements in exactly this order."""
    root = ElementTree.Element("Granule")
    _add(root, "GranuleUR", record.granule_ur)
    _add(root, "InsertTime", _iso(record.written))
    _add(root, "LastUpdate", _iso(record.written))
    collection = _add(root, "Collection")
    _add(collection, "ShortName", record.short_name)
    _add(collection, "VersionId", record.version)
    data = _add(root, "DataGranule")
    _add(data, "SizeMBDataGranule", repr(record.size / 2**20))
    checksum = _add(data, "Checksum")
    _add(checksum, "Value", record.sha256)
    _add(checksum, "Algorithm", "SHA-256")
    if len(record.granule_ur) <= _MAX_PRODUCER_ID:
        _add(data, "ProducerGranuleId", record.granule_ur)
    _add(data, "DayNightFlag", "UNSPECIFIED")
    _add(data, "ProductionDateTime", _iso(record.written))
    _add_extent(root, record.extent)
    if record.input_granules:
        inputs = _add(root, "InputGranules")
        for name in record.input_granules:
            _add(inputs, "InputGranule", name[:_MAX_INPUT])
    if record.access_url:
        _add(_add(_add(root, "OnlineAccessURLs"), "OnlineAccessURL"), "URL", record.access_url)
    _add(root, "Orderable", "true")
    if record.data_format:
        _add(root, "DataFormat", record.data_format)
    ElementTree.indent(root)
    # A carriage return is lost on reading unless it is escaped.
    body = ElementTree.tostring(root, encoding="unicode").replace("\r", "&#13;")
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _add_extent(root, extent):
    if extent.begin:
        times = _add(_add(root, "Temporal"), "RangeDateTime")
        _add(times, "BeginningDateTime", _iso(extent.begin))
        if extent.end:
            _add(times, "EndingDateTime", _iso(extent.end))
    if extent.box:
        horizontal = _add(_add(root, "Spatial"), "HorizontalSpatialDomain")
        rectangle = _add(_add(horizontal, "Geometry"), "BoundingRectangle")
        for name, value in _corners(extent.box).items():
            _add(rectangle, name, _decimal(value))


def _add(parent, name, text=None):
    element = ElementTree.SubElement(parent, name)
    element.text = text
    return element


def _decimal(value):
    """XML Schema's decimal has no exponent."""
    whole, _, fraction = f"{value:.6f}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"


def _corners(box):
    return {
        "WestBoundingCoordinate": box.west,
        "NorthBoundingCoordinate": box.north,
        "EastBoundingCoordinate": box.east,
        "SouthBoundingCoordinate": box.south,
    }


def _iso(moment):
    """UTC, with milliseconds only where there are some."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
    milliseconds = moment.microsecond // 1000
    return f"{text}.{milliseconds:03d}Z" if milliseconds else f"{text}Z"


def render_ummg(record):
    """Return the record as UMM-G text (JSON)."""
    written = _iso(record.written)
    file = {
        "Name": record.granule_ur,
        "SizeInBytes": record.size,
        "Checksum": {"Value": record.sha256, "Algorithm": "SHA-256"},
    }
    if record.data_format:
        file["Format"] = record.data_format
    content = {
        "GranuleUR": record.granule_ur,
        "ProviderDates": [{"Date": written, "Type": "Insert"}, {"Date": written, "Type": "Update"}],
        "CollectionReference": {"ShortName": record.short_name, "Version": record.version},
        "DataGranule": {
            "ArchiveAndDistributionInformation": [file],
            "DayNightFlag": "Unspecified",
            "ProductionDateTime": written,
            "Identifiers": [
                {"Identifier": record.granule_ur, "IdentifierType": "ProducerGranuleId"}
            ],
        },
    }
    extent = record.extent
    if extent.begin:
        times = {"BeginningDateTime": _iso(extent.begin)}
        if extent.end:
            times["EndingDateTime"] = _iso(extent.end)
        content["TemporalExtent"] = {"RangeDateTime": times}
    if extent.box:
        geometry = {"BoundingRectangles": [_corners(extent.box)]}
        content["SpatialExtent"] = {"HorizontalSpatialDomain": {"Geometry": geometry}}
    if record.input_granules:
        content["InputGranules"] = list(record.input_granules)
    if record.access_url:
        content["RelatedUrls"] = [{"URL": record.access_url, "Type": "GET DATA"}]
    content["MetadataSpecification"] = {
        "URL": f"https://cdn.earthdata.nasa.gov/umm/granule/v{UMMG_VERSION}",
        "Name": "UMM-G",
        "Version": UMMG_VERSION,
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


RENDERERS = {"metadata": render_echo10, "cmr": render_ummg}  # by name of the product


def write_record(record, path, product):
    """Write a record, ECHO10 as product "metadata" or UMM-G as product "cmr".

    It appears at ``path`` whole or not at all.
    """
    _write(RENDERERS[product](record), path)


def _write(text, path):
    directory = os.path.dirname(path) or "."
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=".cumulus-", dir=directory)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", newline="\n") as file:
                os.fchmod(descriptor, 0o666 & ~_umask())
                file.write(text)
            os.replace(temporary, path)
        except BaseException:
            os.unlink(temporary)
            raise
    except OSError as error:
        raise CumulusError(f"cannot write {str(path)!r}: {error.strerror}") from error


def _umask():
    current = os.umask(0)
    os.umask(current)
    return current
