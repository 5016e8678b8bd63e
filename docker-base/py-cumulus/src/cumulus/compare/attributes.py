"""All attributes of NetCDF and HDF5 files, with every byte of their texts."""

import codecs

import numpy as np

from ..collection.model import Tolerance
from .hdf5 import Attribute
from .values import Tally

__all__ = ["attributes_of", "same", "type_name"]

_EXACT = "cumulus_exact"  # name of the encoding for texts of attributes: see `_decoded`
_ZERO = "\udc00"  # replaces a zero byte; surrogateescape never gives it
codecs.register(
    lambda name: codecs.CodecInfo(None, _decoded, name=name) if name == _EXACT else None
)


def attributes_of(where, holder, side):
    """Yield name and value of every attribute of a variable or group.

    Parameters
    ----------
    where : str
        Its path.
    holder : netCDF4.Variable, netCDF4.Dataset or cumulus.compare.hdf5.HDF5Variable
        The variable or group.
    side : cumulus.compare.hdf5.HDF5File
        Its file.
    """
    shown = holder.ncattrs()
    for name in shown:
        yield name, _value(where, name, holder, side)
    yield from side.attributes(where, shown).items()


def _value(where, name, holder, side):
    value = holder.getncattr(name, encoding=_EXACT)
    if isinstance(value, list):
        value = side.texts(where, name) or value
        return [_text(text) for text in value]
    return _text(value) if isinstance(value, str) else value


def _text(decoded):
    """Undo what `_decoded` did to zero bytes; zero bytes at the end are padding."""
    return decoded.replace(_ZERO, "\0").rstrip("\0")


def _decoded(content, errors="strict"):
    """Decode a text with all of its bytes: netCDF4 would drop zero bytes."""
    text = bytes(content).decode("utf-8", "surrogateescape")
    return text.replace("\0", _ZERO), len(content)


def type_name(value):
    """Return the type of an attribute as text."""
    if isinstance(value, Attribute):
        return value.kind
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        return "list of texts"
    return np.asarray(value).dtype.newbyteorder("=").name


def same(expected, actual):
    """Return whether two attributes of the same type are equal."""
    if isinstance(expected, str | list):  # NumPy drops null characters at the end
        return expected == actual
    if isinstance(expected, Attribute):
        expected, actual = expected.value, actual.value
        tally = Tally(Tolerance(rtol=0.0, atol=0.0))
        if expected.shape == actual.shape:
            tally.add(expected, actual, [slice(0, None)] * expected.ndim)
        return expected.shape == actual.shape and not tally.differing
    a, b = np.asarray(expected), np.asarray(actual)
    if a.shape != b.shape:
        return False
    if a.dtype.kind == "f":
        return np.array_equal(a, b, equal_nan=True)
    return bool(np.all(a == b))
