"""NetCDF files written anew for tests, as another program would write them."""

import netCDF4
import numpy as np


def rewritten(path, source, *, skip=(), kinds=None, dimensions=None):
    """Copy a file variable by variable, ``skip`` excepted, with other types or dimension names."""
    with netCDF4.Dataset(source) as old, netCDF4.Dataset(path, "w") as new:
        old.set_auto_maskandscale(False)
        _copy(old, new, skip, kinds or {}, dimensions or {})
    return path


def _copy(old, new, skip, kinds, names):
    new.setncatts(old.__dict__)
    for name, dimension in old.dimensions.items():
        length = None if dimension.isunlimited() else len(dimension)
        new.createDimension(names.get(name, name), length)
    for name, variable in old.variables.items():
        if name in skip:
            continue
        attributes = dict(variable.__dict__)
        kind, fill = kinds.get(name, variable.dtype), attributes.pop("_FillValue", None)
        if kind is not str:
            kind = np.dtype(kind).newbyteorder("=")
        along = [names.get(name, name) for name in variable.dimensions]
        copy = new.createVariable(name, kind, along, fill_value=fill)
        copy.set_auto_maskandscale(False)
        copy.setncatts(attributes)
        copy[...] = variable[...]
    for name, group in old.groups.items():
        _copy(group, new.createGroup(name), skip, kinds, names)


def write_variables(path, attributes=None, groups=None, file_format="NETCDF4", **variables):
    """Write variables given as name=(values, attributes[, dimensions]), each of its values' type.

    ``attributes`` are those of the file. ``groups`` maps a group's name to its variables.
    """
    with netCDF4.Dataset(path, "w", format=file_format) as dataset:
        dataset.setncatts(attributes or {})
        _write_group(dataset, variables)
        for name, members in (groups or {}).items():
            _write_group(dataset.createGroup(name), members)
    return path


def _write_group(group, variables):
    for name, (values, attributes, *dimensions) in variables.items():
        values, attributes = np.asarray(values), dict(attributes)
        names = dimensions[0] if dimensions else (name,)[: values.ndim]
        for dimension, length in zip(names, values.shape, strict=True):
            if dimension not in group.dimensions:
                group.createDimension(dimension, length)
        fill = attributes.pop("_FillValue", None)
        kind = str if values.dtype.kind in "UO" else values.dtype
        variable = group.createVariable(name, kind, names, fill_value=fill)
        variable.setncatts(attributes)
        variable.set_auto_maskandscale(False)
        variable[...] = values
