"""What a product holds, as far as checks and metadata need it, from one opening of the file.

The NetCDF library reads everything about every variable when it opens a file, which for a small
granule takes longer than converting it. So :mod:`.hdf5` looks at plain NetCDF-4 files
first; what it leaves (packed values, links, phony dimensions) goes to the NetCDF library, which
knows all rules.
"""

import os
import warnings
from dataclasses import dataclass, field

from .. import CumulusError
from ..logutils.logger import log_warning
from .classic import refuse_truncated
from .formats import file_family
from .obstacles import refuse_data_elsewhere

__all__ = ["Product", "Variable", "forget", "inspect", "is_latitude", "is_longitude"]

# CF-1.8, sections 4.1 and 4.2: the units that make a variable a latitude or longitude.
LATITUDE_UNITS = {"degrees_north", "degree_north", "degree_n", "degrees_n", "degreen", "degreesn"}
LONGITUDE_UNITS = {"degrees_east", "degree_east", "degree_e", "degrees_e", "degreee", "degreese"}
TEXTS = ("units", "standard_name", "axis", "calendar")


@dataclass(frozen=True)
class Variable:
    """A latitude, longitude or time.

    Attributes
    ----------
    group : str
        Path of its group.
    dimensions : tuple
        What tells its dimensions from others of the same file.
    is_coordinate : bool
        Its only dimension is named as it is.
    attributes : dict of str to str
        ``units``, ``standard_name``, ``axis`` and ``calendar``.
    values : numpy.ndarray
        Unpacked.
    present : numpy.ndarray of bool
        Which values are neither fill nor NaN nor infinite.
    bounds : numpy.ndarray or None
        Of the cell of each value (CF-1.8, section 7.1), NaN where there are none; the last
        dimension has the two ends or the corners.
    """

    name: str
    group: str
    dimensions: tuple
    is_coordinate: bool
    attributes: dict
    values: object
    present: object
    bounds: object = None


@dataclass(frozen=True)
class Product:
    """What a file holds; ``data_format`` is "NetCDF-4", "HDF5", "NetCDF-3" or "" for others.

    ``names`` are the paths of its variables, ``coordinates`` those that may be latitude, longitude
    or time, and ``used`` the names that variables give in their attribute ``coordinates``. It
    ``is_empty`` where no variable has room for any value.
    """

    data_format: str = ""
    names: tuple = ()
    coordinates: tuple = ()
    used: frozenset = field(default_factory=frozenset)
    is_empty: bool = False


_last = {}  # one file: what the check looked at, metadata need not open again


def inspect(path):
    """Look into a product.

    Raises
    ------
    CumulusError
        The file cannot be read.
    cumulus.products.obstacles.DataElsewhere
        Some of its data lie in other files, of which nothing is read.
    """
    try:
        state = os.stat(path)
        key = os.path.abspath(path), state.st_ino, state.st_size, state.st_mtime_ns
        if key not in _last:
            forget()
            family = file_family(path)
            if family == "HDF5":
                refuse_data_elsewhere(path)
            found = _plain(path) if family == "HDF5" else None
            _last[key] = found or (_with_netcdf(path, family) if family else Product())
        return _last[key]
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CumulusError(f"cannot read {str(path)!r}: {reason}") from error


def forget():
    """Let go of what the last product held."""
    _last.clear()


def is_latitude(attributes):
    """Whether attributes (texts by name) are those of a latitude (CF-1.8, section 4.1)."""
    return _is(attributes, "latitude", LATITUDE_UNITS)


def is_longitude(attributes):
    """Whether attributes (texts by name) are those of a longitude (CF-1.8, section 4.2)."""
    return _is(attributes, "longitude", LONGITUDE_UNITS)


def _is(attributes, standard_name, units):
    """A standard name decides; the uncertainty of a latitude, too, has degrees_north."""
    if said := attributes.get("standard_name"):
        return said.lower() == standard_name
    return attributes.get("units", "").lower() in units


def is_time(attributes, is_coordinate):
    """A standard name decides here, too: a forecast_reference_time is not the time of the data."""
    said = attributes.get("standard_name")
    named = said.lower() == "time" if said else attributes.get("axis") == "T" or is_coordinate
    return " since " in attributes.get("units", "") and named


def is_wanted(attributes, is_coordinate):
    """Whether a variable may be a latitude, a longitude or a time."""
    place = is_latitude(attributes) or is_longitude(attributes)
    return place or is_time(attributes, is_coordinate)


def _plain(path):
    try:
        from .hdf5 import read_plain
    except ImportError:  # h5py is not installed
        return None
    return read_plain(path)


# --- with the NetCDF library -----------------------------------------------------------------


def _with_netcdf(path, family):
    import netCDF4

    refuse_truncated(path)
    names, coordinates, used, is_empty = [], {}, set(), True
    bounding = set()  # bounds have the units of a coordinate, but are none
    with netCDF4.Dataset(path) as dataset:
        for one in _walk(dataset):
            names.append(_path(one))
            is_empty &= 0 in one.shape
            used.update(str(getattr(one, "coordinates", "")).split())
            attributes = {key: str(getattr(one, key, "")).strip() for key in TEXTS}
            numeric = getattr(one.dtype, "kind", "O") in "iuf"
            if numeric and is_wanted(attributes, one.dimensions == (one.name,)):
                bounds = _bounds(one)
                coordinates[_path(one)] = _coordinate(one, attributes, bounds)
                if bounds is not None and bounds.name != one.name:
                    bounding.add(_path(bounds))
        data_format = family if family == "NetCDF-3" else _hdf5_format(path, dataset)
    found = tuple(one for path, one in coordinates.items() if one and path not in bounding)
    return Product(data_format, tuple(names), found, frozenset(used), is_empty)


def _coordinate(one, attributes, bounds):
    import numpy as np

    stored = _read(one)
    if stored is None:
        return None
    values = np.ma.getdata(stored)
    present = ~np.ma.getmaskarray(stored) & np.isfinite(values)
    cells = None if bounds is None else _cells(one, bounds)
    dims = tuple(f"{d.group().path.rstrip('/')}/{d.name}" for d in one.get_dims())
    is_coordinate = one.dimensions == (one.name,)
    group = one.group().path
    return Variable(one.name, group, dims, is_coordinate, attributes, values, present, cells)


def _read(variable):
    """The values of a variable; None, with a warning, where they cannot be unpacked."""
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            stored = variable[...]
    except (TypeError, ValueError) as error:  # of numpy, for attributes of a wrong type
        log_warning(f"variable {variable.name} was left out: cannot unpack it: {error}")
        return None
    texts = [" ".join(str(one.message).split()) for one in said]
    for text in texts:
        log_warning(f"variable {variable.name}: {text}")
    return None if any("no unpacking" in text for text in texts) else stored


def _path(variable):
    return f"{variable.group().path.rstrip('/')}/{variable.name}"


def _bounds(variable):
    """The variable that a coordinate names as its bounds (CF-1.8, sections 7.1 and 7.4)."""
    name = str(getattr(variable, "bounds", getattr(variable, "climatology", ""))).strip()
    group = variable.group()
    while name and group is not None:
        if name in group.variables:
            return group.variables[name]
        group = group.parent
    if name:
        log_warning(f"variable {variable.name}: its bounds {name!r} are not in the product")
    return None


def _cells(variable, bounds):
    """The values of bounds; None, with a warning, where they cannot be those of this variable."""
    import numpy as np

    if variable.ndim > 1:
        return None  # positions of that many samples tell well enough where they are
    kind = getattr(bounds.dtype, "kind", "O")
    said = [(getattr(bounds, key, ""), getattr(variable, key, "")) for key in ("units", "calendar")]
    differs = any(str(own) not in ("", str(wanted)) for own, wanted in said)
    if bounds.ndim != variable.ndim + 1 or bounds.shape[:-1] != variable.shape or kind not in "iuf":
        log_warning(f"variable {variable.name}: {bounds.name} has not the form of its bounds")
        return None
    if differs:
        log_warning(f"variable {variable.name}: its bounds {bounds.name} have other units")
        return None
    stored = _read(bounds)
    if stored is None:
        return None
    values = np.ma.filled(stored if stored.dtype.kind == "f" else stored.astype("f8"), np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _walk(group):
    yield from group.variables.values()
    for child in group.groups.values():
        yield from _walk(child)


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
