"""All variables of a product with their attributes: for rules that the coordinates do not answer.

Values are read only for the variables that a rule chooses.
"""

from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from math import prod

from .. import CumulusError
from .model import TEXTS
from .netcdf import path_of, read_coordinate, readable_attributes, walk

__all__ = ["Catalogue", "Entry", "open_catalogue"]

_WHOLE = 1_000_000  # values; of a longer time only the ends are kept


@dataclass(frozen=True)
class Entry:
    """A numeric variable before its values are read.

    ``attributes`` are its text attributes, ``numbers`` its numeric ones.
    """

    path: str
    name: str
    dimensions: tuple
    shape: tuple
    attributes: dict
    numbers: dict
    _variable: object = field(repr=False, compare=False)

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

    def read(self):
        """Return the cumulus.products.Variable with all values, or None with a warning."""
        return read_coordinate(self._variable, self._texts())

    def read_time(self, units=None):
        """Return the Variable of a time, or None with a warning; ``units`` replace its own.

        Of more than a million values only the smallest and the largest are kept.
        """
        texts = self._texts()
        if units is not None:
            texts["units"] = units
        if prod(self.shape) <= _WHOLE or len(self.shape) < 2:
            return read_coordinate(self._variable, texts)
        return _ends(self._variable, texts, self.shape)

    def _texts(self):
        return {key: self.attributes.get(key, "") for key in TEXTS}


class Catalogue:
    """The entries of an open product."""

    def __init__(self, dataset):
        self.entries = [_entry(each) for each in walk(dataset) if _is_number(each)]
        self._by_path = {entry.path.strip("/"): entry for entry in self.entries}

    def find(self, path):
        """Return the entry at a path, or None."""
        return self._by_path.get(path.strip("/"))


@contextmanager
def open_catalogue(path):
    """Open the product at a path as a Catalogue.

    Raises
    ------
    CumulusError
        The file cannot be read.
    """
    import netCDF4

    try:
        dataset = netCDF4.Dataset(path)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CumulusError(f"cannot read {str(path)!r}: {reason}") from error
    with dataset:
        yield Catalogue(dataset)


def _entry(variable):
    attributes = dict(readable_attributes(variable))
    texts = {key: value.strip() for key, value in attributes.items() if isinstance(value, str)}
    numbers = {key: value for key, value in attributes.items() if not isinstance(value, str)}
    path, name = path_of(variable), variable.name
    return Entry(path, name, variable.dimensions, variable.shape, texts, numbers, variable)


def _is_number(variable):
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
