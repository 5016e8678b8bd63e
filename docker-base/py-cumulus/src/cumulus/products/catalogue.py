"""All variables of a product with their attributes: for rules that the coordinates do not answer.

Values are read only for the variables that a rule chooses.
"""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import prod

from .. import CumulusError
from .model import TEXTS
from .netcdf_variable import path_of, read_coordinate, readable_attributes, walk

__all__ = ["Catalogue", "Entry", "ProductFile", "entry_of", "is_number", "open_catalogue"]

_WHOLE = 1_000_000  # values; of a longer time only the ends are kept


class ProductFile:
    """A product that the NetCDF library opens when the first variable is asked for."""

    def __init__(self, path):
        self._path, self._dataset = path, None

    def dataset(self):
        """Return the netCDF4.Dataset.

        Raises
        ------
        CumulusError
            The file cannot be read.
        """
        import netCDF4

        try:
            self._dataset = self._dataset or netCDF4.Dataset(self._path)
        except (OSError, RuntimeError) as error:
            reason = getattr(error, "strerror", None) or error
            raise CumulusError(f"cannot read {str(self._path)!r}: {reason}") from error
        return self._dataset

    def variable(self, path):
        """Return the netCDF4.Variable at a path."""
        *groups, name = path.strip("/").split("/")
        group = self.dataset()
        for each in groups:
            group = group.groups[each]
        return group.variables[name]

    def close(self):
        """Close the file; the next variable opens it again."""
        dataset, self._dataset = self._dataset, None
        if dataset is not None:
            dataset.close()


@dataclass(frozen=True)
class Entry:
    """A numeric variable before its values are read.

    ``attributes`` are its text attributes, ``numbers`` its numeric ones, ``file`` where it is.
    """

    path: str
    name: str
    dimensions: tuple
    shape: tuple
    attributes: dict
    numbers: dict
    file: ProductFile = field(repr=False, compare=False)

    @property
    def units(self):
        return self.attributes.get("units", "")

    @property
    def text(self):
        """Name and text attributes, in lower case, in which a rule looks for words."""
        return " ".join((self.name, *self.attributes.values())).lower()

    @property
    def is_scalar(self):
        return not self.dimensions

    def read(self, in_memory=True):
        """Return the cumulus.products.Variable with all values, or None with a warning.

        Where they need not be ``in_memory``, many of them are LargeValues.
        """
        file = None if in_memory else self.file
        return read_coordinate(self.file.variable(self.path), self._texts(), file=file)

    def read_time(self, units=None):
        """Return the Variable of a time, or None with a warning; ``units`` replace its own.

        Of more than a million values only the smallest and the largest are kept.
        """
        texts = self._texts()
        if units is not None:
            texts["units"] = units
        variable = self.file.variable(self.path)
        if prod(self.shape) <= _WHOLE or len(self.shape) < 2:
            return read_coordinate(variable, texts, file=self.file)
        return _ends(variable, texts, self.shape)

    def _texts(self):
        return {key: self.attributes.get(key, "") for key in TEXTS}


class Catalogue:
    """The entries of a product."""

    def __init__(self, entries):
        self.entries = entries
        self._by_path = {entry.path.strip("/"): entry for entry in entries}

    def find(self, path):
        """Return the entry at a path, or None."""
        return self._by_path.get(path.strip("/"))


@contextmanager
def open_catalogue(product):
    """Open a cumulus.products.Product as a Catalogue; entries that it has are not read again.

    Raises
    ------
    CumulusError
        The file cannot be read.
    """
    entries = product.entries
    if entries is None:
        file = ProductFile(product.path)
        entries = tuple(
            entry_of(variable, dict(readable_attributes(variable)), file)
            for variable in walk(file.dataset())
            if is_number(variable)
        )
    try:
        yield Catalogue(entries)
    finally:
        if entries:
            entries[0].file.close()


def entry_of(variable, attributes, file):
    """Return the Entry of a netCDF4.Variable with these attributes in a ProductFile."""
    texts = {key: value.strip() for key, value in attributes.items() if isinstance(value, str)}
    numbers = {key: value for key, value in attributes.items() if not isinstance(value, str)}
    path, name = path_of(variable), variable.name
    return Entry(path, name, variable.dimensions, variable.shape, texts, numbers, file)


def is_number(variable):
    """Return whether a netCDF4.Variable holds integers or floating-point numbers."""
    return getattr(variable.dtype, "kind", "O") in "iuf"


def _ends(variable, texts, shape):
    """The smallest and the largest value of a large variable, read block by block."""
    import numpy as np

    axis = next(axis for axis, length in enumerate(shape) if length > 1)
    step = max(1, _WHOLE * shape[axis] // prod(shape))
    parts = []
    for start in range(0, shape[axis], step):
        block = read_coordinate(
            variable, texts, part=(*[slice(None)] * axis, slice(start, start + step))
        )
        if block is not None and block.present.any():
            valid = block.values[block.present]
            parts.append((valid.min(), valid.max()))
    ends = np.array([min(low for low, _ in parts), max(high for _, high in parts)] if parts else [])
    first = read_coordinate(variable, texts, part=(slice(0, 0),))
    if first is None:
        return None
    return replace(
        first, dimensions=("ends",), values=ends, present=np.ones(ends.shape, bool), bounds=None
    )
