"""What kind of file a path holds, by its content and never by its name."""

import json
import xml.etree.ElementTree as ElementTree

__all__ = ["BYTES", "JSON", "NETCDF", "XML", "file_family", "kind_of"]

NETCDF, XML, JSON, BYTES = "NetCDF/HDF5", "XML", "JSON", "bytes"

_HDF5 = b"\x89HDF\r\n\x1a\n"
_CLASSIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
# An HDF5 file may begin with a user block: its signature then stands at 512 bytes or a doubling.
_PROVENANCE = "_NCProperties"  # attribute that the NetCDF library gives each file that it makes
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


def file_family(path):
    """Return "HDF5" (which NetCDF-4 is, too), "NetCDF-3", or "" for anything else."""
    with open(path, "rb") as file:
        head = file.read(_USER_BLOCKS[-1] + len(_HDF5))
    if head.startswith(_CLASSIC):
        return "NetCDF-3"
    return "HDF5" if _is_hdf5(head) else ""
