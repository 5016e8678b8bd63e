"""The format of a product, in the words of the GCMD keywords."""

import re

from ..products.formats import JSON, PNG, TABLE, TEXT, XML, kind_of

__all__ = ["AUTO", "format_of"]

AUTO = "auto"
_WORDS = {"NetCDF-3": "netCDF-3", "NetCDF-4": "netCDF-4", XML: "XML", JSON: "JSON", PNG: "PNG"}
_HDF4 = b"\x0e\x03\x13\x01"
_HEAD = 16384
# ICARTT: the first line has the number of header lines and the file format index, the seventh the
# dates of the data and of their revision.
_ICARTT_FIRST = re.compile(rb"\s*(\d+)\s*,\s*(?:1001|2110|2310)\s*(?:,\s*V\d\d_\d{4}\s*)?")
_ICARTT_DATES = re.compile(rb"\s*\d{4}(?:\s*,\s*\d{1,2}){2}\s*,\s*\d{4}(?:\s*,\s*\d{1,2}){2}\s*")


def format_of(path, rule, product):
    """Return the format of a product for its records; "" where it is not known.

    Parameters
    ----------
    path : path-like
    rule : str
        ``[metadata] format``: "auto", the format itself, or empty, as records had it before there
        was such a key: NetCDF and HDF5 alone, as the library writes them.
    product : cumulus.products.Product

    Raises
    ------
    OSError
        The file cannot be read.
    """
    if rule != AUTO:
        return rule or product.data_format
    if product.data_format:
        return _WORDS.get(product.data_format, product.data_format)
    kind = kind_of(path)
    return _format_of_text(path) if kind in (TABLE, TEXT) else _WORDS.get(kind) or _binary(path)


def _head(path):
    with open(path, "rb") as file:
        return file.read(_HEAD)


def _binary(path):
    return "HDF4" if _head(path).startswith(_HDF4) else ""


def _format_of_text(path):
    head = _head(path)
    lines = head.splitlines()
    if len(lines) > 7 and _ICARTT_FIRST.fullmatch(lines[0]) and _ICARTT_DATES.fullmatch(lines[6]):
        return "ICARTT"
    return "ASCII" if head.isascii() else ""
