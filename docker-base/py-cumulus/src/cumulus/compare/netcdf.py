"""Differences of two NetCDF or HDF5 files: structure, attributes, and every stored value."""

import warnings

import netCDF4
import numpy as np

from ..collection import Tolerance
from . import Unreadable
from .documents import same_bytes
from .values import Tally, blocks, show

__all__ = ["differences"]

# A relative tolerance makes no sense for a count from an arbitrary epoch: 1e-6 of the seconds
# since 1970 is half an hour. Times may differ by rounding only.
_TIME = 4 * float(np.finfo("f8").eps)

# What netCDF4 raises for content that is damaged, or that it does not support.
_LIBRARY_ERRORS = (OSError, RuntimeError, ValueError, AttributeError, KeyError, TypeError)


def differences(expected, actual, rules):
    """Return the differences, one line each.

    Raises
    ------
    cumulus.compare.Unreadable
        A file does not open, breaks off, or holds what the NetCDF library cannot show.
    """
    with _Opened(expected) as first, _Opened(actual) as second:
        if same_bytes(expected, actual):
            return []
        for path, dataset in ((expected, first), (actual, second)):
            if dataset.unsupported:
                raise Unreadable(f"cannot compare {str(path)!r}: {dataset.unsupported}")
        try:
            return list(_Comparison(rules).groups(first.dataset, second.dataset))
        except _LIBRARY_ERRORS as error:
            raise Unreadable(
                f"cannot read {str(expected)!r} or {str(actual)!r}: {error}"
            ) from error


class _Opened:
    """A dataset that gives stored values, and what the library said it cannot show of it."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            try:
                self.dataset = netCDF4.Dataset(self.path)
            except _LIBRARY_ERRORS as error:
                raise Unreadable(f"cannot open {str(self.path)!r}: {error}") from error
        self.unsupported = "; ".join(
            str(one.message) for one in said if "unsup" in str(one.message)
        )
        self.dataset.set_auto_maskandscale(False)
        self.dataset.set_auto_chartostring(False)
        return self

    def __exit__(self, *_):
        self.dataset.close()


class _Comparison:
    """Walks two files side by side under one set of rules."""

    def __init__(self, rules):
        self.rules = rules

    def groups(self, expected, actual):
        where = expected.path.rstrip("/") + "/"
        yield from _dimensions(where, expected.dimensions, actual.dimensions)
        yield from self.attributes(where, expected, actual)
        yield from _types(where, expected, actual)
        yield from _names(f"{where}: variable", expected.variables, actual.variables)
        for name, variable in expected.variables.items():
            if name in actual.variables:
                yield from self.variables(where + name, variable, actual.variables[name])
        yield from _names(f"{where}: group", expected.groups, actual.groups)
        for name, group in expected.groups.items():
            if name in actual.groups:
                yield from self.groups(group, actual.groups[name])

    def attributes(self, where, expected, actual):
        """Compare type and value of every attribute that is not ignored."""
        wanted, found = (self._attributes(one) for one in (expected, actual))
        yield from _names(f"{where}: attribute", wanted, found)
        for name, value in wanted.items():
            if name in found:
                other = found[name]
                if _type_name(value) != _type_name(other):
                    types = f"type {_type_name(value)}, found {_type_name(other)}"
                    yield f"{where}: attribute {name}: expected {types}"
                elif not _same(value, other):
                    yield f"{where}: attribute {name}: expected {show(value)}, found {show(other)}"

    def _attributes(self, one):
        names = [name for name in one.ncattrs() if name not in self.rules.ignore_attributes]
        return {name: one.getncattr(name) for name in names}

    def variables(self, where, expected, actual):
        yield from self.attributes(where, expected, actual)
        types = _type_of(expected), _type_of(actual)
        if types[0] != types[1]:
            yield f"{where}: expected type {types[0]}, found {types[1]}"
        if expected.dimensions != actual.dimensions:
            dimensions = f"dimensions {expected.dimensions}, found {actual.dimensions}"
            yield f"{where}: expected {dimensions}"
        if expected.shape != actual.shape:
            yield f"{where}: expected shape {expected.shape}, found {actual.shape}"
        elif types[0] == types[1] or _both_numbers(expected, actual):
            tally = Tally(self.tolerance(where, expected), _special(expected), _special(actual))
            for place in blocks(expected):
                tally.add(expected[place], actual[place], place)
            yield from tally.lines(where)

    def tolerance(self, where, variable):
        """Return the tolerance of a variable: its own rule, else the general one.

        The general one is for measurements: integers (flags, counts, identifiers) are compared
        exactly, and times up to rounding.
        """
        own = self.rules.variables.get(where.strip("/"), Tolerance())
        rtol, atol = self.rules.rtol, self.rules.atol
        if getattr(variable.dtype, "kind", "") in "iu":
            rtol = atol = 0.0
        elif " since " in str(getattr(variable, "units", "")):
            rtol, atol = min(rtol, _TIME), 0.0
        return Tolerance(
            rtol if own.rtol is None else own.rtol, atol if own.atol is None else own.atol
        )


def _names(what, expected, actual):
    for name in expected:
        if name not in actual:
            yield f"{what} {name} is missing"
    for name in actual:
        if name not in expected:
            yield f"{what} {name} is extra"


def _dimensions(where, expected, actual):
    yield from _names(f"{where}: dimension", expected, actual)
    for name, one in expected.items():
        if name not in actual:
            continue
        other = actual[name]
        if len(one) != len(other):
            yield f"{where}: dimension {name}: expected length {len(one)}, found {len(other)}"
        if one.isunlimited() != other.isunlimited():
            wanted = "unlimited" if one.isunlimited() else "fixed"
            yield f"{where}: dimension {name}: expected to be {wanted}"


def _types(where, expected, actual):
    """Compare user-defined types; what uses them is compared as a variable."""
    for kind in ("cmptypes", "vltypes", "enumtypes"):
        yield from _names(f"{where}: type", getattr(expected, kind), getattr(actual, kind))
    for name, one in expected.enumtypes.items():
        other = actual.enumtypes.get(name)
        if other is not None and one.enum_dict != other.enum_dict:
            yield f"{where}: type {name}: expected {one.enum_dict}, found {other.enum_dict}"


def _type_of(variable):
    """The type as text, without byte order: how a number is stored is not what it is."""
    kind = variable.datatype
    if kind is str:
        return "string"
    if isinstance(kind, netCDF4.VLType):
        inner = "string" if kind.dtype is str else kind.dtype.newbyteorder("=").str
        return f"variable-length {inner}"
    if isinstance(kind, netCDF4.EnumType):
        return f"enumeration {kind.name} of {kind.dtype.newbyteorder('=').str}"
    if isinstance(kind, netCDF4.CompoundType):
        return str(kind.dtype.newbyteorder("="))
    return variable.dtype.newbyteorder("=").name


def _both_numbers(*variables):
    return all(getattr(one.datatype, "kind", "") in tuple("iuf") for one in variables)


def _special(variable):
    """Values that stand for 'no value': they equal only themselves, whatever the tolerance."""
    attributes = [
        np.asarray(variable.getncattr(name)).ravel()
        for name in ("_FillValue", "missing_value")
        if name in variable.ncattrs()
    ]
    return [value for array in attributes if array.dtype.kind in "iuf" for value in array]


def _type_name(value):
    if isinstance(value, str):
        return "text"
    if isinstance(value, list):
        return "list of texts"
    return np.asarray(value).dtype.newbyteorder("=").name


def _same(one, other):
    if isinstance(one, str | list):  # NumPy would not see null characters at the end
        return one == other
    a, b = np.asarray(one), np.asarray(other)
    if a.shape != b.shape:
        return False
    if a.dtype.kind == "f":
        return np.array_equal(a, b, equal_nan=True)
    return bool(np.all(a == b))
