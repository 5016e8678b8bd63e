"""What kind of file a path holds, by its content and never by its name."""

import csv
import errno
import json
import os
import stat
import xml.etree.ElementTree as ElementTree

__all__ = [
    "BYTES",
    "EMPTY",
    "JSON",
    "NETCDF",
    "PNG",
    "TABLE",
    "TEXT",
    "XML",
    "delimiter_of",
    "file_family",
    "kind_of",
]

NETCDF, XML, JSON, PNG = "NetCDF/HDF5", "XML", "JSON", "PNG"
TABLE, TEXT, BYTES, EMPTY = "table", "text", "bytes", "an empty file"

DELIMITERS = ",;\t"
_CONTROL = bytes([*range(32), 127])

_HDF5 = b"\x89HDF\r\n\x1a\n"
_CLASSIC = (b"CDF\x01", b"CDF\x02", b"CDF\x05")
# An HDF5 file may begin with a user block: its signature then stands at 512 bytes or a doubling.
_USER_BLOCKS = (512, 1024, 2048, 4096, 8192)


def kind_of(path):
    """Return the kind of a file's content: NETCDF includes HDF5, BYTES is anything unknown.

    Raises
    ------
    OSError
        The file cannot be read, or is no regular file: opening a pipe could wait for ever.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "no regular file", os.fspath(path))
    with open(path, "rb") as file:
        head = file.read(16384)
        if head.startswith(_CLASSIC) or _is_hdf5(head):
            return NETCDF
        if head.startswith(b"\x89PNG\r\n\x1a\n"):
            return PNG
        if not head:
            return EMPTY
        first = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
        if first not in (b"<", b"{", b"["):
            return _kind_of_text(head)
        content = head + file.read()
    try:
        if first == b"<":
            ElementTree.fromstring(content)
            return XML
        json.loads(content)
        return JSON
    except (ElementTree.ParseError, ValueError, LookupError, RecursionError):
        return _kind_of_text(head)  # looks like a document but is none


def _kind_of_text(head):
    """Text has no control characters but white space; the encoding may be any."""
    if head.translate(None, b"\t\n\v\f\r") != head.translate(None, _CONTROL):
        return BYTES
    return TABLE if delimiter_of(head.decode("utf-8", "replace")) else TEXT


def delimiter_of(text):
    """Return what separates the columns of a table that begins so, or "" if it is none.

    A table has at least two rows, and all have the same number of columns, two or more.
    """
    lines = text.splitlines()
    if len(text) > 16000:
        lines.pop()  # may be broken off
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:  # a cell beyond what a table may hold
            continue
        if len(rows) > 1 and len(rows[0]) > 1 and len({len(row) for row in rows}) == 1:
            return delimiter
    return ""


def _is_hdf5(head):
    return any(head[start : start + 8] == _HDF5 for start in (0, *_USER_BLOCKS))


def file_family(path):
    """Return "HDF5" (which NetCDF-4 is, too), "NetCDF-3", or "" for anything else."""
    with open(path, "rb") as file:
        head = file.read(_USER_BLOCKS[-1] + len(_HDF5))
    if head.startswith(_CLASSIC):
        return "NetCDF-3"
    return "HDF5" if _is_hdf5(head) else ""
