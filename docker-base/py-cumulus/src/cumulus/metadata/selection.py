"""Which of several coordinates of a kind count."""

from dataclasses import replace

import numpy as np

from ..products.large import LargeValues

__all__ = ["best", "squeezed"]

_USUAL = {"lat", "latitude", "lon", "long", "longitude", "time"}


def best(product, variables):
    """Return the coordinates of the best kind.

    Coordinates that other variables use come before the rest. Those with a standard name or a usual
    name come first, since `lat_uncertainty` may have the units of `lat`, and `satellite_lat` in
    another group, too. The
    coordinate of a dimension may have any name, and so may a coordinate that a variable names, if
    none has a standard name.
    """
    used = [each for each in variables if each.is_coordinate or each.name in product.used]
    groups = {}
    for variable in used or variables:
        groups.setdefault(variable.group, []).append(variable)
    chosen = [each for group in groups.values() for each in _most_marked(group, bool(used))]
    if used:
        return chosen
    return [each for each in chosen if _is_marked(each)] or chosen


def _most_marked(variables, are_used):
    if are_used and not any(each.attributes["standard_name"] for each in variables):
        return variables
    return [each for each in variables if _is_marked(each)] or variables


def _is_marked(variable):
    has_name = variable.attributes["standard_name"] or variable.name.lower() in _USUAL
    return has_name or variable.is_coordinate


def squeezed(variable):
    """Return a variable without its dimensions of length 1, which tell its values nothing.

    A variable of one dimension keeps it.
    """
    shape = variable.values.shape
    if len(shape) < 2 or 1 not in shape:
        return variable
    if isinstance(variable.values, LargeValues):
        dimensions = tuple(
            name for name, length in zip(variable.dimensions, shape, strict=True) if length != 1
        )
        values = variable.values.squeezed()
        return replace(variable, dimensions=dimensions, values=values, present=values)
    axes = [axis for axis, length in enumerate(shape) if length != 1]
    index = tuple(slice(None) if axis in axes else 0 for axis in range(len(shape)))
    bounds = None if variable.bounds is None else np.asarray(variable.bounds)[index]
    return replace(
        variable,
        dimensions=tuple(variable.dimensions[axis] for axis in axes),
        values=variable.values[index],
        present=variable.present[index],
        bounds=bounds,
    )
