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
        along = [names.get(one, one) for one in variable.dimensions]
        copy = new.createVariable(name, kind, along, fill_value=fill)
        copy.set_auto_maskandscale(False)
        copy.setncatts(attributes)
        copy[...] = variable[...]
    for name, group in old.groups.items():
        _copy(group, new.createGroup(name), skip, kinds, names)
