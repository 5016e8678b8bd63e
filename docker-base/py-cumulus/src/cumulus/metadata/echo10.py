"""A metadata record as ECHO10 (XML)."""

import re
import xml.etree.ElementTree as ElementTree

from .record import corners, iso_time

__all__ = ["render_echo10"]

_MAX_PRODUCER_ID = 128  # in ECHO10
_MAX_REVISION_ECHO10 = 10
_COMMIT = re.compile(r"[0-9a-f]{40}(\+?)")


def render_echo10(record):
    """Return the record as ECHO10 text; the schema wants its elements in exactly this order."""
    root = ElementTree.Element("Granule")
    _add(root, "GranuleUR", record.granule_ur)
    _add(root, "InsertTime", iso_time(record.written))
    _add(root, "LastUpdate", iso_time(record.written))
    collection = _add(root, "Collection")
    _add(collection, "ShortName", record.short_name)
    _add(collection, "VersionId", record.version)
    if constraints := record.access_constraints:
        _add(root, "RestrictionFlag", _number(constraints.value))
        if constraints.description:
            _add(root, "RestrictionComment", constraints.description)
    data = _add(root, "DataGranule")
    _add(data, "DataGranuleSizeInBytes", str(record.size))
    _add(data, "SizeMBDataGranule", _number(record.size_mb))
    checksum = _add(data, "Checksum")
    _add(checksum, "Value", record.sha256)
    _add(checksum, "Algorithm", "SHA-256")
    if len(record.file_name) <= _MAX_PRODUCER_ID:
        _add(data, "ProducerGranuleId", record.file_name)
    _add(data, "DayNightFlag", "UNSPECIFIED")
    _add(data, "ProductionDateTime", iso_time(record.written))
    if revision := _short_revision(record.revision):
        _add(_add(root, "PGEVersionClass"), "PGEVersion", revision)
    _add_times(root, record)
    _add_place(root, record.extent)
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


def _add_times(root, record):
    extent = record.extent
    if record.instant:
        _add(_add(root, "Temporal"), "SingleDateTime", iso_time(record.instant))
    elif extent.begin:
        times = _add(_add(root, "Temporal"), "RangeDateTime")
        _add(times, "BeginningDateTime", iso_time(extent.begin))
        if extent.end:
            _add(times, "EndingDateTime", iso_time(extent.end))


def _add_place(root, extent):
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
        for name, value in corners(extent.box).items():
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


def _number(value):
    """Return a number without an exponent; a file of one byte has 0.000001 MB."""
    return str(value) if isinstance(value, int) else _decimal(value)


def _decimal(value):
    """XML Schema's decimal has no exponent."""
    whole, _, fraction = f"{value:.6f}".partition(".")
    return f"{whole}.{fraction.rstrip('0') or '0'}"
