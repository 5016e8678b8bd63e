"""The record of one product file, and its two renderings: ECHO10 (XML) and UMM-G (JSON)."""

import json
import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from datetime import UTC, datetime

from .. import CumulusError
from ..extent import Extent

__all__ = ["GranuleRecord", "render_echo10", "render_ummg"]

UMMG_VERSION = "1.6.6"
_MAX_UR = 250  # characters, as the other limits the narrower one of both schemas
_MAX_SHORT_NAME = 85
_MAX_VERSION = 80
_MAX_PRODUCER_ID = 128  # in ECHO10
_MAX_INPUT = 255
_MAX_URL = 1024
_MAX_REVISION = 50
_MAX_REVISION_ECHO10 = 10
_COMMIT = re.compile(r"[0-9a-f]{40}(\+?)")
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
    if revision := _short_revision(record.revision):
        _add(_add(root, "PGEVersionClass"), "PGEVersion", revision)
    _add_extent(root, record.extent)
    if record.input_granules:
        inputs = _add(root, "InputGranules")
        for name in record.input_granules:
            _add(inputs, "InputGranule", name)
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
        geometry = _add(horizontal, "Geometry")
        if extent.polygon:
            boundary = _add(_add(geometry, "GPolygon"), "Boundary")
            for longitude, latitude in extent.polygon[:0:-1]:  # clockwise, and not closed
                point = _add(boundary, "Point")
                _add(point, "PointLongitude", _decimal(longitude))
                _add(point, "PointLatitude", _decimal(latitude))
            return
        rectangle = _add(geometry, "BoundingRectangle")
        for name, value in _corners(extent.box).items():
            _add(rectangle, name, _decimal(value))


def _short_revision(revision):
    """ECHO10 has room for ten characters: a commit is abbreviated, anything longer left out."""
    if commit := _COMMIT.fullmatch(revision):
        return revision[: _MAX_REVISION_ECHO10 - len(commit[1])] + commit[1]
    return revision if len(revision) <= _MAX_REVISION_ECHO10 else ""


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
    precision = "milliseconds" if moment.microsecond >= 1000 else "seconds"
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec=precision)
    return f"{text}Z"


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
        if extent.polygon:  # counter-clockwise and closed
            points = [{"Longitude": x, "Latitude": y} for x, y in extent.polygon]
            geometry = {"GPolygons": [{"Boundary": {"Points": points}}]}
        content["SpatialExtent"] = {"HorizontalSpatialDomain": {"Geometry": geometry}}
    content["PGEVersionClass"] = {"PGEVersion": record.revision}
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
