"""A metadata record as UMM-G (JSON)."""

import json

from .record import corners, iso_time

__all__ = ["render_ummg"]

UMMG_VERSION = "1.6.6"


def render_ummg(record):
    """Return the record as UMM-G text (JSON)."""
    written = iso_time(record.written)
    file = {
        "Name": record.file_name,
        "SizeInBytes": record.size,
        "Size": record.size_mb,
        "SizeUnit": "MB",
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
                {"Identifier": record.file_name, "IdentifierType": "ProducerGranuleId"}
            ],
        },
    }
    if constraints := record.access_constraints:
        content["AccessConstraints"] = {"Value": constraints.value}
        if constraints.description:
            content["AccessConstraints"]["Description"] = constraints.description
    extent = record.extent
    if record.instant:
        content["TemporalExtent"] = {"SingleDateTime": iso_time(record.instant)}
    elif extent.begin:
        times = {"BeginningDateTime": iso_time(extent.begin)}
        if extent.end:
            times["EndingDateTime"] = iso_time(extent.end)
        content["TemporalExtent"] = {"RangeDateTime": times}
    if extent.box:
        geometry = {"BoundingRectangles": [corners(extent.box)]}
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
