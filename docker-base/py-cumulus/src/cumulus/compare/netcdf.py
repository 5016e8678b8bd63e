"""Differences of two NetCDF or HDF5 files: structure, attributes, and every stored value."""

import warnings

import h5py
import netCDF4
import numpy as np

from ..products.classic import refuse_truncated
from ..products.times import is_time_unit
from . import packing
from .attributes import attributes_of, same, type_name
from .documents import same_bytes
from .hdf5 import HDF5File, HDF5Variable, is_complete
from .located import Coordinates
from .model import Difference, Unreadable
from .numbers import names_time
from .stored_chunks import Chunks
from .values import BLOCK, Tally, blocks, show, whole

__all__ = ["differences"]

# Errors that netCDF4 raises for damaged and for unsupported content.
_LIBRARY_ERRORS = (OSError, RuntimeError, ValueError, AttributeError, LookupError, TypeError)


def differences(expected, actual, rules):
    """Return the differences.

    Returns
    -------
    list of cumulus.compare.model.Difference

    Raises
    ------
    cumulus.compare.Unreadable
        A file does not open, is truncated, or holds content that cannot be compared.
    """
    alike = same_bytes(expected, actual)
    if alike and is_complete(expected):  # the NetCDF library need not open it
        return []
    with _Opened(expected) as first, _Opened(actual) as second:
        if alike and not h5py.is_hdf5(expected):
            return []
        try:
            with (
                HDF5File(expected) as expected_file,
                HDF5File(actual) as actual_file,
                Chunks((expected_file, actual_file)) as chunks,
            ):
                comparison = _Comparison(rules, chunks, (expected_file, actual_file))
                differences = comparison.groups(first.dataset, second.dataset)
                return [*_formats(first.dataset, second.dataset), *differences]
        except _LIBRARY_ERRORS as error:
            raise Unreadable(
                f"cannot read {str(expected)!r} or {str(actual)!r}: {error}"
            ) from error


class _Opened:
    """A netCDF4 dataset that gives values as they are stored."""

    def __init__(self, path):
        self.path = path

    def __enter__(self):
        # The library keeps 64 MB of inflated chunks a variable; reading from front to end needs
        # only those of a block.
        usual = netCDF4.get_chunk_cache()
        netCDF4.set_chunk_cache(2 * BLOCK)
        try:
            refuse_truncated(self.path)
            with warnings.catch_warnings(action="ignore"):  # `HDF5File` shows what is left out
                self.dataset = netCDF4.Dataset(self.path)
        except _LIBRARY_ERRORS as error:
            raise Unreadable(f"cannot open {str(self.path)!r}: {error}") from error
        finally:
            netCDF4.set_chunk_cache(*usual)
        self.dataset.set_auto_maskandscale(False)
        self.dataset.set_auto_chartostring(False)
        return self

    def __exit__(self, *_):
        self.dataset.close()


class _Comparison:
    """Walks two files side by side.

    Parameters
    ----------
    rules : cumulus.collection.CompareRules
    chunks : cumulus.compare.stored_chunks.Chunks
    sides : pair of cumulus.compare.hdf5.HDF5File
    """

    def __init__(self, rules, chunks, sides):
        self.rules = rules
        self.chunks = chunks
        self.sides = sides
        self.coordinates = Coordinates()

    def groups(self, expected, actual):
        where = expected.path
        inside = where.rstrip("/") + "/"
        both = expected, actual
        lengths = ({name: _length(d) for name, d in group.dimensions.items()} for group in both)
        yield from _texts(where, "dimension", "dimension", *lengths)
        yield from self.attributes(where, expected, actual)
        datasets, types, links = zip(
            *(side.members(where, group) for side, group in zip(self.sides, both, strict=True)),
            strict=True,
        )
        yield from _types(where, both, types)
        yield from _texts(where, "link", "attribute", *links)
        expected_variables, actual_variables = (
            {**group.variables, **hidden} for group, hidden in zip(both, datasets, strict=True)
        )
        yield from _names(inside, "variable", expected_variables, actual_variables)
        for name, variable in expected_variables.items():
            if name in actual_variables:
                yield from self.variables(inside + name, variable, actual_variables[name])
        yield from _names(inside, "group", expected.groups, actual.groups)
        for name, group in expected.groups.items():
            if name in actual.groups:
                yield from self.groups(group, actual.groups[name])

    def attributes(self, where, expected, actual, passed_over=()):
        """Compare type and value of every attribute that is not ignored."""
        expected_values, actual_values = (
            {
                name: value
                for name, value in attributes_of(where, holder, side)
                if name not in passed_over and not self.rules.ignores_attribute(where, name)
            }
            for holder, side in zip((expected, actual), self.sides, strict=True)
        )
        yield from _missing_and_extra(where, "attribute", expected_values, actual_values)
        for name, value in expected_values.items():
            if name not in actual_values:
                continue
            actual_value = actual_values[name]
            types = type_name(value), type_name(actual_value)
            if types == ("text", "text"):
                types = self.chunks.text_types(where, name)
            head = f"{where}: attribute {name}: expected "
            if types[0] != types[1]:
                message = f"{head}type {types[0]}, actual {types[1]}"
            elif not same(value, actual_value):
                shown = show(value, actual_value)
                message = f"{head}{shown[0]}, actual {shown[1]}"
            else:
                continue
            yield Difference("attribute", where, message, name, whole(value), whole(actual_value))

    def variables(self, where, *shown):
        expected, actual = (
            side.variable(where, variable) for side, variable in zip(self.sides, shown, strict=True)
        )
        unpack = packing.unpacking(expected, actual) if self.rules.unpacks(where) else None
        passed_over = ()
        if unpack:
            both = where, expected, actual, unpack
            alike = (name for name in packing.LIMITS if self.same_limit(name, *both))
            passed_over = (*packing.ATTRIBUTES, *alike)
        yield from self.attributes(where, expected, actual, passed_over)
        types = _type_of(expected), _type_of(actual)
        if types[0] != types[1] and not unpack:
            message = f"{where}: expected type {types[0]}, actual {types[1]}"
            yield Difference("dtype", where, message, "", *types)
        if expected.dimensions != actual.dimensions:
            both = expected.dimensions, actual.dimensions
            message = f"{where}: expected dimensions {both[0]}, actual {both[1]}"
            yield Difference("shape", where, message, "", *map(str, both))
        if expected.shape != actual.shape:
            both = expected.shape, actual.shape
            message = f"{where}: expected shape {both[0]}, actual {both[1]}"
            yield Difference("shape", where, message, "", *map(str, both))
        elif self.rules.ignores_variable(where):
            return
        elif types[0] == types[1] or _both_numbers(expected, actual):
            yield from self.values(where, expected, actual, unpack)

    def same_limit(self, name, where, expected, actual, unpack):
        """Return whether a limit of valid values is the same after unpacking."""
        limits = [
            packing.limit(variable, name, function)
            for variable, function in zip((expected, actual), unpack, strict=True)
        ]
        if any(value is None for value in limits) or limits[0].shape != limits[1].shape:
            return False
        tolerance = self.rules.tolerance_for(where, _kind(where, expected, actual, unpack))
        return np.allclose(*limits[::-1], rtol=max(tolerance.rtol, 1e-12), atol=tolerance.atol)

    def values(self, where, expected, actual, unpack):
        own = self.rules.tolerance(where)
        tally = Tally(
            self.rules.tolerance_for(where, _kind(where, expected, actual, unpack)),
            packing.no_value(expected),
            packing.no_value(actual),
            exact_integers=own.rtol is None and own.atol is None,
            unpack=unpack,
            for_times=self.rules.tolerance_for(where, "time"),
        )
        all_blocks = blocks(expected)
        if unpack is None:
            all_blocks = self.chunks.unequal(where, expected.shape, all_blocks)
        for block in all_blocks:
            tally.add(expected[block], actual[block], block)
        if not tally.differing:
            return
        worst = tally.worst[2]
        values = tally.result(
            total=int(np.prod(expected.shape, dtype="u8")),
            shape=expected.shape,
            dimensions=expected.dimensions,
            units=str(getattr(expected, "units", "")),
            coordinates=self.coordinates.at(expected, worst) if expected.dimensions else {},
        )
        message = f"{where}: {values}"
        yield Difference("value", where, message, "", values.expected, values.actual, values)


def _kind(where, expected, actual, unpack):
    """Return the kind of a variable's values, as in `CompareRules.tolerance_for`."""
    if packing.are_integers(expected, actual) if unpack else _is_integer(expected):
        return "integer"
    units = str(getattr(expected, "units", "")).lower()
    if " since " in units:
        return "time"
    # With other units it is no time: a "day-time temperature" has the units K.
    may_be_one = not units or is_time_unit(units)
    return "time" if may_be_one and names_time(where.rpartition("/")[2]) else "measurement"


def _is_integer(variable):
    return getattr(variable.dtype, "kind", "") in ("i", "u")


def _formats(*datasets):
    """Compare the formats: a program may read only one of them."""
    expected, actual = (dataset.data_model for dataset in datasets)
    if expected != actual:
        message = f"expected the format {expected}, actual {actual}"
        yield Difference("kind", "", message, "format", expected, actual)


def _missing_and_extra(where, what, expected, actual):
    """Name what only one side has; ``where`` is the path of the group or variable around it."""
    for name in expected:
        if name not in actual:
            message = f"{where}: {what} {name} is missing"
            yield Difference("missing", where, message, name, str(expected[name]))
    for name in actual:
        if name not in expected:
            message = f"{where}: {what} {name} is extra"
            yield Difference("extra", where, message, name, "", str(actual[name]))


def _names(inside, what, expected, actual):
    """Name variables and groups that only one side has, each under its own path."""
    for name in [*expected, *actual]:
        if name not in actual:
            yield Difference("missing", inside + name, f"{inside}: {what} {name} is missing", name)
        elif name not in expected:
            yield Difference("extra", inside + name, f"{inside}: {what} {name} is extra", name)


def _length(dimension):
    kind = "unlimited" if dimension.isunlimited() else "fixed"
    return f"length {len(dimension)} ({kind})"


def _types(where, both, hidden):
    """Compare user-defined types; the values of such types are compared with their variables."""
    for kind in ("cmptypes", "vltypes", "enumtypes"):
        definitions = (_definitions(getattr(group, kind)) for group in both)
        yield from _texts(where, "type", "dtype", *definitions)
    yield from _texts(where, "type", "dtype", *hidden)


def _texts(where, what, category, expected, actual):
    """Compare two mappings of names to descriptions."""
    yield from _missing_and_extra(where, what, expected, actual)
    for name, text in expected.items():
        if name in actual and actual[name] != text:
            message = f"{where}: {what} {name}: expected {text}, actual {actual[name]}"
            yield Difference(category, where, message, name, text, actual[name])


def _definitions(types):
    return {
        name: str(kind.enum_dict) if isinstance(kind, netCDF4.EnumType) else _type_text(kind.dtype)
        for name, kind in types.items()
    }


def _type_text(dtype):
    if dtype is str:
        return "string"
    dtype = dtype.newbyteorder("=")
    return str(dtype) if dtype.names else dtype.name


def _type_of(variable):
    """Return the type as text, without byte order: that does not change a number."""
    if isinstance(variable, HDF5Variable):
        return variable.kind
    kind = variable.datatype
    if kind is str:
        return "string"
    if isinstance(kind, netCDF4.VLType):
        return f"variable-length {_type_text(kind.dtype)}"
    if isinstance(kind, netCDF4.EnumType):
        return f"enumeration {kind.name} of {_type_text(kind.dtype)}"
    return _type_text(kind.dtype if isinstance(kind, netCDF4.CompoundType) else variable.dtype)


def _both_numbers(*variables):
    return all(getattr(variable.datatype, "kind", "") in tuple("iuf") for variable in variables)
