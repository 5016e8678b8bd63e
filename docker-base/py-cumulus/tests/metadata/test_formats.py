"""Formats of products, in GCMD's words."""

import pytest

from cumulus.metadata.formats import format_of
from cumulus.products import Product

ICARTT = (
    "36, 1001, V02_2016\nThornhill, Lee\nNASA\nAVAPS\nIMPACTS\n1, 1\n"
    "2020, 02, 20, 2020, 05, 07\n0\nTime_Start, seconds\n1\n"
)
CASES = {
    "ICARTT": (ICARTT, "ICARTT"),
    "ICARTT of Windows": (ICARTT.replace("\n", "\r\n"), "ICARTT"),
    "two numbers that begin a table": ("36, 1001\n37, 1002\n" * 5, "ASCII"),
    "NASA Ames, which spaces separate": (ICARTT.replace(", ", " "), "ASCII"),
    "columns": ("time alt\n0 1\n1 2\n", "ASCII"),
    "comma-separated values": ("time,alt\n0,1\n1,2\n", "ASCII"),
    "text beyond ASCII": ("Höhe in m\n1\n", ""),
    "XML": ("<a/>", "XML"),
    "JSON": ('{"a": 1}', "JSON"),
    "HDF4": ("\x0e\x03\x13\x01" + "\0" * 20, "HDF4"),
    "unknown bytes": ("\0\1\2", ""),
}


@pytest.mark.parametrize(("content", "keyword"), CASES.values(), ids=CASES.keys())
def test_format_is_told_by_the_content(tmp_path, content, keyword):
    """A format that the content does not tell for certain is left out."""
    path = tmp_path / "product.dat"
    path.write_bytes(content.encode())
    assert format_of(path, "auto", Product()) == keyword
    assert format_of(path, "", Product()) == ""  # a repository without the key
    assert format_of(path, "GRIB2", Product()) == "GRIB2"
