"""One variable of a product, and attributes, as the NetCDF library reads them."""

import warnings
from contextlib import suppress
from dataclasses import replace

from ..logutils.logger import log_warning
from .large import LargeValues, is_large
from .memory import ensure_fits
from .model import NO_TIME, Variable

__all__ = ["bounds_of", "path_of", "read_coordinate", "readable_attributes", "walk"]


def read_coordinate(variable, attributes, bounds=None, part=..., file=None):
    """Return the cumulus.products.Variable that a netCDF4.Variable holds, or None with a warning.

    Parameters
    ----------
    variable : netCDF4.Variable
    attributes : dict of str to str
        Those of the Variable.
    bounds : netCDF4.Variable, optional
    part : index, optional
        Which values to read; all by default.
    file : cumulus.products.catalogue.ProductFile, optional
        Where too many values for memory, without bounds, stay as LargeValues.
    """
    if file is not None and bounds is None and is_large(variable.shape):
        return _large(variable, attributes, file)
    stored = _read(variable, part)
    if stored is None:
        return None
    values, present = _unmasked(stored)
    cells = None if bounds is None else _cells(variable, bounds)
    dims = tuple(f"{d.group().path.rstrip('/')}/{d.name}" for d in variable.get_dims())
    is_coordinate = variable.dimensions == (variable.name,)
    group = variable.group().path
    return Variable(variable.name, group, dims, is_coordinate, attributes, values, present, cells)


def _large(variable, attributes, file):
    """The Variable of LargeValues; None, with a warning, if they cannot be unpacked."""
    path = path_of(variable)
    ensure_fits(path, variable.shape, variable.dtype.itemsize)
    variable_alone = read_coordinate(variable, attributes, part=(slice(0, 0),) * variable.ndim)
    if variable_alone is None:
        return None

    def read(part):
        with warnings.catch_warnings(action="ignore"):  # they are logged by now
            return _unmasked(file.variable(path)[part])

    chunks = variable.chunking()
    chunk = chunks[0] if isinstance(chunks, (list, tuple)) else 1
    values = LargeValues(read, file.close, variable.shape, chunk)
    return replace(variable_alone, values=values, present=values)


def _unmasked(stored):
    """Values, and which of them are present."""
    import numpy as np

    values = np.ma.getdata(stored)
    return values, ~np.ma.getmaskarray(stored) & np.isfinite(values) & (values != NO_TIME)


def _read(variable, part=...):
    """The values of a variable; None, with a warning, if they cannot be unpacked."""
    import numpy as np

    shape = np.broadcast_to(False, variable.shape)[part].shape  # a view, without memory of its own
    ensure_fits(path_of(variable), shape, variable.dtype.itemsize)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            stored = variable[part]
    except (TypeError, ValueError) as error:  # of numpy, for attributes of a wrong type
        log_warning(f"variable {variable.name} was left out: cannot unpack it: {error}")
        return None
    texts = [" ".join(str(warning.message).split()) for warning in caught]
    for text in texts:
        log_warning(f"variable {variable.name}: {text}")
    return None if any("no unpacking" in text for text in texts) else stored


def readable_attributes(item, wanted=None):
    """Yield name and value of attributes of a variable or group, as far as the library reads them.

    ``wanted`` are the names that count; all by default.
    """
    try:
        names = item.ncattrs()
    except AttributeError:
        return
    for name in names if wanted is None else set(names).intersection(wanted):
        with suppress(AttributeError, KeyError, ValueError, RuntimeError):
            yield name, item.getncattr(name)


def path_of(variable):
    """Return the path of a netCDF4.Variable in its file."""
    return f"{variable.group().path.rstrip('/')}/{variable.name}"


def bounds_of(variable):
    """Return what a variable names as its bounds (CF-1.8, sections 7.1 and 7.4), or None."""
    name = str(getattr(variable, "bounds", getattr(variable, "climatology", ""))).strip()
    group = variable.group()
    while name and group is not None:
        with suppress(IndexError, KeyError):  # a name, or a path from here or from the root
            if (is_at_root := group.parent is None) or not name.startswith("/"):
                return group[name.lstrip("/") if is_at_root else name]
        group = group.parent
    if name:
        log_warning(f"variable {variable.name}: its bounds {name!r} are not in the product")
    return None


def _cells(variable, bounds):
    """The values of bounds; None, with a warning, if they do not fit this variable."""
    import numpy as np

    if variable.ndim > 1:
        return None  # positions of so many samples need no bounds
    kind = getattr(bounds.dtype, "kind", "O")
    attributes = [
        (getattr(bounds, key, ""), getattr(variable, key, "")) for key in ("units", "calendar")
    ]
    differs = any(str(own) not in ("", str(wanted)) for own, wanted in attributes)
    if bounds.ndim != variable.ndim + 1 or bounds.shape[:-1] != variable.shape or kind not in "iuf":
        log_warning(f"variable {variable.name}: {bounds.name} is not of the shape of bounds")
        return None
    if differs:
        log_warning(f"variable {variable.name}: its bounds {bounds.name} have other units")
        return None
    stored = _read(bounds)
    if stored is None:
        return None
    values = np.ma.filled(stored if stored.dtype.kind == "f" else stored.astype("f8"), np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def walk(group):
    """Yield every netCDF4.Variable of a group and of the groups in it."""
    yield from group.variables.values()
    for child in group.groups.values():
        yield from walk(child)
