"""Packed variables, and their fill values."""

import netCDF4
import numpy as np

__all__ = ["ATTRIBUTES", "LIMITS", "are_integers", "limit", "no_value", "unpacking"]

# Attributes of the packing; they may differ where a rule has values compared after unpacking.
ATTRIBUTES = ("scale_factor", "add_offset", "_FillValue", "missing_value", "_Unsigned")
LIMITS = ("valid_min", "valid_max", "valid_range")  # packed as the values are
_SCALING = ("scale_factor", "add_offset")


def no_value(variable):
    """Return the fill values of a variable, NaN left out: it is a class of its own.

    A variable without fill attributes has the NetCDF library's default of its type. Bytes have no
    default: they need all their values.
    """
    named = [
        np.asarray(variable.getncattr(name)).ravel()
        for name in ("_FillValue", "missing_value")
        if name in variable.ncattrs()
    ]
    values = [
        value
        for array in named
        if array.dtype.kind in "iuf"
        for value in _in_type_of(variable, array)
    ]
    kind = getattr(variable.dtype, "str", "")[1:]
    if not values and kind in netCDF4.default_fillvals and kind not in ("i1", "u1", "S1"):
        values = [np.dtype(kind).type(netCDF4.default_fillvals[kind])]
    return [value for value in values if value == value]


def _in_type_of(variable, values):
    """Return fill values in the type of the variable: -999.9 differs in single precision."""
    if getattr(variable.dtype, "kind", "") == "f":
        with np.errstate(over="ignore"):
            return values.astype(variable.dtype)
    if _is_unsigned(variable) and values.dtype.kind in "iu":
        return values.astype(variable.dtype)  # 255 means the byte -1
    return values


def unpacking(expected, actual):
    """Return a function for each of two variables that unpacks its values.

    Returns
    -------
    pair of functions or None
        Each unpacks an array of stored numbers to float64, or to integers where both variables
        hold integers and neither scales them. None if the packing is the same.
    """
    both = expected, actual
    if any(getattr(variable.datatype, "kind", "") not in ("i", "u", "f") for variable in both):
        return None
    if _packing(expected) == _packing(actual):
        return None
    exact = are_integers(*both)
    return _unpacker(expected, exact), _unpacker(actual, exact)


def limit(variable, name, unpack):
    """Return a limit of LIMITS unpacked, or None if the variable has no such number.

    https://docs.unidata.ucar.edu/nug/current/best_practices.html
    """
    value = np.asarray(variable.getncattr(name)) if name in variable.ncattrs() else None
    if value is None or value.dtype.kind not in "iuf":
        return None
    if value.dtype.itemsize == variable.dtype.itemsize and value.dtype.kind != "f":
        value = value.astype(variable.dtype)  # 200 may mean the byte -56
    return unpack(value) if value.dtype == variable.dtype else value.astype("f8")


def are_integers(*variables):
    """Return whether all variables hold integers and do not scale them."""
    return all(
        variable.dtype.kind in "iu" and _scaling(variable) == (1.0, 0.0) for variable in variables
    )


def _packing(variable):
    return (
        variable.dtype.newbyteorder("="),
        _is_unsigned(variable),
        *_scaling(variable),
        *no_value(variable),
    )


def _is_unsigned(variable):
    """Return whether signed integers of a classic format mean unsigned ones, bit for bit.

    https://docs.unidata.ucar.edu/nug/current/best_practices.html
    """
    flag = "_Unsigned" in variable.ncattrs() and str(variable.getncattr("_Unsigned")).lower()
    return getattr(variable.dtype, "kind", "") == "i" and flag == "true"


def _scaling(variable):
    return tuple(
        float(variable.getncattr(name)) if name in variable.ncattrs() else neutral
        for name, neutral in zip(_SCALING, (1.0, 0.0), strict=True)
    )


def _unpacker(variable, exact):
    scale, offset = _scaling(variable)
    meant = variable.dtype.newbyteorder("=")
    if _is_unsigned(variable):
        meant = np.dtype(f"u{meant.itemsize}")
    if exact:
        return lambda stored: stored.astype(meant)
    return lambda stored: stored.astype(meant).astype("f8") * scale + offset
