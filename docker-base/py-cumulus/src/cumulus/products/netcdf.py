"""Read a product with the NetCDF library, which knows all rules."""

import os

from .catalogue import ProductFile, entry_of, is_number
from .classic import refuse_truncated
from .model import GLOBALS, TEXTS, Product, is_unnamed_time, is_wanted
from .netcdf_variable import bounds_of, path_of, read_coordinate, readable_attributes, walk

__all__ = ["read_netcdf"]

_MOST_ENTRIES = 1000  # variables; to keep the attributes of more takes too much memory


def read_netcdf(path, family, has_provenance=False):
    """Return the Product that a file holds, by the NetCDF library.

    A file of the family "HDF5" that ``has_provenance`` need not be asked for it.
    """
    import netCDF4

    refuse_truncated(path)
    with netCDF4.Dataset(path) as dataset:
        seen = _Seen(path)
        for variable in walk(dataset):
            seen.add(variable)
        seen.add_unnamed_times()
        about = dict(readable_attributes(dataset, GLOBALS))
        if family == "NetCDF-3":
            data_format = family
        else:
            data_format = "NetCDF-4" if has_provenance else _hdf5_format(path, dataset)
    return seen.product(data_format, about)


class _Seen:
    """What a walk through all variables has seen so far."""

    def __init__(self, path):
        self._path, self._file = path, ProductFile(path)
        self._names, self._entries, self._used, self._is_empty = [], [], set(), True
        self._coordinates, self._unnamed = {}, {}
        self._bounding = set()  # bounds have the units of a coordinate, but are none

    def add(self, variable):
        path = path_of(variable)
        self._names.append(path)
        self._is_empty = self._is_empty and 0 in variable.shape
        readable = dict(readable_attributes(variable))
        self._used.update(str(readable.get("coordinates", "")).split())
        if not is_number(variable):
            return
        if len(self._names) <= _MOST_ENTRIES:
            self._entries.append(entry_of(variable, readable, self._file))
        attributes = {key: str(readable.get(key, "")).strip() for key in TEXTS}
        if is_wanted(attributes, variable.dimensions == (variable.name,)):
            bounds = bounds_of(variable)
            self._coordinates[path] = read_coordinate(variable, attributes, bounds, file=self._file)
            if bounds is not None and bounds.name != variable.name:
                self._bounding.add(path_of(bounds))
        elif is_unnamed_time(attributes):
            self._unnamed[path] = variable, attributes

    def add_unnamed_times(self):
        """Count those as coordinates that other variables name."""
        for path, (variable, attributes) in self._unnamed.items():
            if variable.name in self._used:
                bounds = bounds_of(variable)
                self._coordinates[path] = read_coordinate(
                    variable, attributes, bounds, file=self._file
                )

    def product(self, data_format, about):
        kept = tuple(
            coordinate
            for path, coordinate in self._coordinates.items()
            if coordinate and path not in self._bounding
        )
        return Product(
            data_format, tuple(self._names), kept, frozenset(self._used), self._is_empty,
            path=self._path, attributes=about, unnamed=tuple(self._unnamed),
            entries=tuple(self._entries) if len(self._names) <= _MOST_ENTRIES else None,
        )  # fmt: skip


def _hdf5_format(path, dataset):
    """A NetCDF-4 file is an HDF5 file that says its provenance, or has dimensions with names."""
    if _says_provenance(path):
        return "NetCDF-4"
    names = list(dataset.dimensions)
    # The library invents phony_dim_N for the dimensions that plain HDF5 does not have.
    real = names and not any(name.startswith("phony_dim_") for name in names)
    return "NetCDF-4" if real else "HDF5"


def _says_provenance(path):
    """Whether the attribute of provenance is there.

    The NetCDF library (4.9.3, 4.10.1) writes a byte behind the memory that it is given for this
    text, which ends the process there, or at some later granule.
    """
    try:
        from h5py import h5a, h5f
    except ImportError:
        return False
    return h5a.exists(h5f.open(os.fsencode(path), h5f.ACC_RDONLY), b"_NCProperties")
