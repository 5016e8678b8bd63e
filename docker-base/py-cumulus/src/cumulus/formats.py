"""What kind of file a path holds, by its content and never by its name."""

import json
import xml.etree.ElementTree as ElementTree

__all__ = ["BYTES", "JSON", "NETCDF", "XML", "kind_of", "netcdf_format"]

NETCDF, XML, JSON, BYTES = "NetCDF/HDF5", "XML", "JSON", "bytes"

_HDF5 = b"\x89HDF\r\n\x1a\n"
_CLASSIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
# An HDF5 file may begin with a user block: its signature then stands at 512 bytes or a doubling.
_USER_BLOCKS = (512, 1024, 2048, 4096, 8192)


def kind_of(path):
    """Return NETCDF (which includes HDF5), XML, JSON or BYTES for a file's content.

    Raises
    ------
    OSError
        The file cannot be read.
    """
    with open(path, "rb") as file:
        head = file.read(16384)
        if head.startswith(_CLASSIC) or _is_hdf5(head):
            return NETCDF
        first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        if first not in (b"<", b"{", b"["):
            return BYTES
        content = head + file.read()
    try:
        if first == b"<":
            ElementTree.fromstring(content)
            return XML
        json.loads(content)
        return JSON
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError):
        return BYTES  # looks like a document but is none


def _is_hdf5(head):
    return any(head[start : start + 8] == _HDF5 for start in (0, *_USER_BLOCKS))


def netcdf_format(path):
    """Return "NetCDF-4", "HDF5", "NetCDF-3", or "" for anything else, by looking into the file.

    A NetCDF-4 file is an HDF5 file; what tells them apart is the provenance that the NetCDF
    library writes, or for older files dimensions with names of their own.
    """
    with open(path, "rb") as file:
        head = file.read(16384)
    if head.startswith(_CLASSIC):
        return "NetCDF-3"
    if not _is_hdf5(head):
        return ""
    import netCDF4

    with netCDF4.Dataset(path) as dataset:
        try:
            dataset.getncattr("_NCProperties")
            return "NetCDF-4"
        except AttributeError:
            names = list(dataset.dimensions)
    # The library invents phony_dim_N for the dimensions that plain HDF5 does not have.
    real = names and not any(name.startswith("phony_dim_") for name in names)
    return "NetCDF-4" if real else "HDF5"
