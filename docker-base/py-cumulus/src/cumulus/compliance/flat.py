"""Copy a product without its groups, so that the checker, which reads no groups, sees it all."""

import re

import netCDF4
import numpy as np

from .references import coordinate_beside, dimension_paths, path_of, resolve_references

__all__ = ["flat_names", "flatten"]

BLOCK = 1 << 23  # bytes that are copied at once
LARGEST = 1 << 28  # bytes of a variable whose values are copied


def flat_names(dataset):
    """Names in the flat copy by absolute path; the root group keeps its names.

    A coordinate variable that lies below the group of its dimension (lateral search) takes the
    name of the dimension, which makes it a coordinate variable of the copy.
    """
    names, taken = {}, {*dataset.variables, *dataset.dimensions}
    for group in all_groups(dataset):
        for name in (*group.dimensions, *group.variables):
            path = path_of(group, name)
            if group.parent is None:
                names[path] = name
            elif path not in names:
                names[path] = _unique(path, taken)
    for group in all_groups(dataset):
        for dimension in group.dimensions.values():
            path = path_of(group, dimension.name)
            coordinate = coordinate_beside(dimension)
            if coordinate and coordinate != path:
                names[coordinate] = names[path]
    return names


def all_groups(dataset):
    """The root group and all groups in it, each before its own groups."""
    groups = [dataset]
    for group in groups:
        groups += group.groups.values()
    return groups


def flatten(dataset, target, names):
    """Write the flat copy of a dataset and return what it lacks.

    Parameters
    ----------
    dataset : netCDF4.Dataset
    target : path-like
    names : dict
        As :func:`flat_names` returns it.

    Returns
    -------
    tuple of str
        What could not be copied, each with its reason.
    """
    lacking = []
    with netCDF4.Dataset(target, "w") as flat:
        flat.setncatts({name: dataset.getncattr(name) for name in dataset.ncattrs()})
        for group in all_groups(dataset):
            for dimension in group.dimensions.values():
                flat.createDimension(names[path_of(group, dimension.name)], len(dimension))
        for group in all_groups(dataset):
            for variable in group.variables.values():
                lacking += _copy(variable, flat, names)
    return tuple(lacking)


def _copy(variable, flat, names):
    """Copy a variable and yield what could not be copied."""
    path = path_of(variable.group(), variable.name)
    datatype = variable.datatype
    plain = variable.dtype is str or not isinstance(
        datatype, netCDF4.CompoundType | netCDF4.VLType
    )
    if not plain:
        kind = "compound" if isinstance(datatype, netCDF4.CompoundType) else "variable-length"
        yield f"variable {path}: it is of a {kind} type"
        return
    dimensions = tuple(names[dimension] for dimension in dimension_paths(variable))
    fill = getattr(variable, "_FillValue", None)
    copy = flat.createVariable(names[path], variable.dtype, dimensions, fill_value=fill)
    for attribute in variable.ncattrs():
        if attribute == "_FillValue":
            continue
        try:
            _copy_attribute(variable, attribute, copy, names)
        except (OSError, RuntimeError, TypeError, ValueError, KeyError, AttributeError) as error:
            yield f"attribute {attribute} of {path}: {error}"
    size = variable.size * getattr(variable.dtype, "itemsize", 8)
    if size <= LARGEST:
        try:
            _copy_values(variable, copy)
        except (OSError, RuntimeError) as error:  # damaged, or of a filter that is not installed
            yield f"values of {path}: {error}"
    elif variable.ndim == 1 or "actual_range" in variable.ncattrs():  # the checker reads those
        yield f"values of {path}: {size >> 20} MiB are more than {LARGEST >> 20} MiB"


def _copy_attribute(variable, attribute, copy, names):
    value = variable.getncattr(attribute)
    if isinstance(value, str):
        references, _ = resolve_references(variable, attribute, value)
        if any(path for _, path in references):
            value = " ".join(
                names[path] + ":" * word.endswith(":") if path else word
                for word, path in references
            )
        elif attribute in ("bounds", "climatology"):
            return  # they name nothing, on which checks of the checker fail
    copy.setncattr(attribute, value)


def _copy_values(variable, copy):
    for side in (variable, copy):
        side.set_auto_maskandscale(False)
        side.set_auto_chartostring(False)
    if variable.ndim == 0 or variable.size == 0:
        if variable.size:
            copy[...] = variable[...]
        return
    row = variable.size // variable.shape[0] * getattr(variable.dtype, "itemsize", 8)
    step = max(1, BLOCK // row)
    for start in range(0, variable.shape[0], step):
        part = slice(start, start + step)
        copy[part] = np.asarray(variable[part])


def _unique(path, taken):
    """A name of letters, digits and underscores for a path."""
    name = re.sub(r"[^A-Za-z0-9_]", "_", path.strip("/").replace("/", "__"))[:200]
    name = name if name[0].isalpha() else f"g{name}"
    number, result = 1, name
    while result in taken:
        number += 1
        result = f"{name}_{number}"
    taken.add(result)
    return result
