"""One variable of a NetCDF-4 file, and the attributes of the file, as h5py reads them."""

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5r, h5s, h5t

from .large import is_large
from .memory import ensure_fits
from .model import GLOBALS, NO_TIME, Variable

__all__ = [
    "NotPlain",
    "globals_of",
    "is_number",
    "is_scale",
    "is_stored_here",
    "read_variable",
    "text_of",
]

# Attributes that change the meaning of stored values, or what the values cover: these are left to
# the NetCDF reader.
_MASKING = (b"scale_factor", b"add_offset", b"missing_value", b"valid_min", b"valid_max",
            b"valid_range", b"_Unsigned", b"bounds", b"climatology")  # fmt: skip
# The library's default fill values by type, as netcdf.h has them; to import netCDF4 for them takes
# 16 MB and longer than the record.
FILL_VALUES = {
    "i2": -32767, "i4": -2147483647, "i8": -9223372036854775806,
    "u2": 65535, "u4": 4294967295, "u8": 18446744073709551614,
    "f4": 9.969209968386869e36, "f8": 9.969209968386869e36,
}  # fmt: skip


class NotPlain(Exception):
    """The file has something that only the NetCDF library understands."""


def is_number(dataset):
    """Return whether a dataset holds integers or floating-point numbers."""
    return dataset.get_type().get_class() in (h5t.INTEGER, h5t.FLOAT)


def is_scale(dataset):
    """Return whether a dataset is a dimension scale."""
    return h5a.exists(dataset, b"CLASS")


def is_stored_here(dataset):
    """Return whether a dataset is neither virtual nor stored in another file."""
    stored = dataset.get_create_plist()
    return stored.get_layout() != h5d.VIRTUAL and not stored.get_external_count()


def text_of(dataset, name):
    """Return a text attribute, or "" where there is none."""
    raw = name.encode()
    if not h5a.exists(dataset, raw):
        return ""
    attribute = h5a.open(dataset, raw)
    kind = attribute.get_type()
    if not isinstance(kind, h5t.TypeStringID):
        return ""  # a number is none of the texts that are looked for
    size = kind.get_size()
    if kind.is_variable_str() or attribute.get_storage_size() != size:
        texts = np.ravel(h5py.AttributeManager(h5py.Dataset(dataset))[name])
        if len(texts) != 1:
            raise NotPlain
        return str(texts[0]).strip()
    text = np.empty((), dtype=f"S{size}")
    attribute.read(text, kind)  # as it is stored: no type has to be built
    return text.item().decode("utf-8", "replace").strip()


def globals_of(root):
    """Return the attributes of the file that tell time and place: texts and single numbers."""
    attributes = {}
    for key in GLOBALS:
        if h5a.exists(root, key.encode()):
            attributes[key] = text_of(root, key) or _number(root, key)
    return attributes


def _number(root, key):
    attribute = h5a.open(root, key.encode())
    if attribute.get_type().get_class() not in (h5t.INTEGER, h5t.FLOAT):
        return ""
    values = _read(root, key.encode()).ravel()
    return values[0].item() if values.size == 1 else ""


def read_variable(path, dataset, attributes):
    """Return the cumulus.products.Variable of a dataset.

    Raises
    ------
    NotPlain
        Its values need the rules of the NetCDF library, or are too many for memory.
    """
    if any(h5a.exists(dataset, name) for name in _MASKING):
        raise NotPlain
    group, _, name = path.rpartition("/")
    # A small file may declare billions of unwritten values: one fill value is broadcast then.
    is_written = dataset.get_storage_size() > 0
    if is_written and is_large(dataset.shape):
        raise NotPlain
    if is_written:
        ensure_fits(path, dataset.shape, dataset.dtype.itemsize)
    values = np.empty(dataset.shape if is_written else (), dataset.dtype)
    if is_written:
        dataset.read(h5s.ALL, h5s.ALL, values)
    else:
        dataset.get_create_plist().get_fill_value(values)
    present = np.isfinite(values) & (values != _fill(dataset, values.dtype)) & (values != NO_TIME)
    values, present = (np.broadcast_to(array, dataset.shape) for array in (values, present))
    dimensions = _dimensions(dataset)
    is_coordinate = dimensions == (_identity(dataset),)
    return Variable(name, group or "/", dimensions, is_coordinate, attributes, values, present)


def _fill(dataset, dtype):
    if not h5a.exists(dataset, b"_FillValue"):
        if dtype.itemsize == 1:
            raise NotPlain  # only the library knows whether every byte may be data
        return FILL_VALUES[dtype.str[1:]]
    fill = _read(dataset, b"_FillValue")
    if fill.size != 1 or fill.dtype.kind not in "iuf":
        raise NotPlain
    return fill.ravel()[0]


def _dimensions(dataset):
    """Dimensions, identified by the object of their scale: to find their names takes long."""
    if not dataset.shape:
        return ()
    if not h5a.exists(dataset, b"DIMENSION_LIST"):
        if is_scale(dataset) and len(dataset.shape) == 1:
            return (_identity(dataset),)
        raise NotPlain
    scales = (
        h5r.dereference(references[0], dataset) for references in _read(dataset, b"DIMENSION_LIST")
    )
    return tuple(_identity(scale) for scale in scales)


def _identity(dataset):
    return h5g.get_objinfo(dataset).objno


def _read(dataset, name):
    attribute = h5a.open(dataset, name)
    values = np.empty(attribute.shape, attribute.dtype)
    attribute.read(values)
    return values
