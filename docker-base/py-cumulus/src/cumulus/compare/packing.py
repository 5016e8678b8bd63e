"""Packed variables, and the values that stand for no value."""

import netCDF4
import numpy as np

__all__ = ["ATTRIBUTES", "no_value", "unpacking"]

# What says how numbers are packed; it may differ where a rule has them compared unpacked.
ATTRIBUTES = ("scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned")
_SCALING = ("scale_factor", "add_offset")


def no_value(variable):
    """Return the numbers that stand for no value; they equal only themselves.

    Where a variable names none, it is the NetCDF library's own for the type. Of bytes it is not:
    they need all their values.
    """
    named = [
        np.asarray(variable.getncattr(name)).ravel()
        for name in ("_FillValue", "missing_value")
        if name in variable.ncattrs()
    ]
    values = [value for array in named if array.dtype.kind in "iuf" for value in array]
    kind = getattr(variable.dtype, "str", "")[1:]
    if not values and kind in netCDF4.default_fillvals and kind not in ("i1", "u1", "S1"):
        values = [np.dtype(kind).type(netCDF4.default_fillvals[kind])]
    return values


def unpacking(expected, actual):
    """Return what unpacks each of two variables whose packing differs, or None.

    Returns
    -------
    pair of functions or None
        Each turns an array of stored numbers into numbers (float64).
    """
    both = expected, actual
    if any(getattr(one.datatype, "kind", "") not in ("i", "u", "f") for one in both):
        return None
    if _packing(expected) == _packing(actual):
        return None
    return _unpacker(expected), _unpacker(actual)


def _packing(variable):
    return variable.dtype.newbyteorder("="), *_scaling(variable), *no_value(variable)


def _scaling(variable):
    return tuple(
        float(variable.getncattr(name)) if name in variable.ncattrs() else neutral
        for name, neutral in zip(_SCALING, (1.0, 0.0), strict=True)
    )


def _unpacker(variable):
    scale, offset = _scaling(variable)
    return lambda stored: stored.astype("f8") * scale + offset
