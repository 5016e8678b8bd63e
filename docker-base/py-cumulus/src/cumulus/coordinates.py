"""What a product's CF coordinates cover in time and space.

Only coordinates that are marked as such count; what they do not say is None.
"""

from datetime import UTC, datetime, timedelta

import netCDF4
import numpy as np

from .logutils import log_warning

__all__ = ["cover", "enclosing_longitudes"]

# CF-1.8, sections 4.1 and 4.2: the units that make a variable a latitude or longitude.
_LATITUDE_UNITS = {"degrees_north", "degree_north", "degree_n", "degrees_n", "degreen", "degreesn"}
_LONGITUDE_UNITS = {"degrees_east", "degree_east", "degree_e", "degrees_e", "degreee", "degreese"}
_REAL_CALENDARS = {"standard", "gregorian", "proleptic_gregorian"}
_DECIMALS = 6  # of a degree: 0.1 m
_SAME = 1e-4  # degrees: gaps between stored longitudes that differ by less are equally large


def cover(dataset):
    """Return what the coordinates of a dataset, in all its groups, cover.

    Parameters
    ----------
    dataset : netCDF4.Dataset

    Returns
    -------
    edges : tuple of float or None
        West, south, east, north in degrees; west > east across the antimeridian.
    begin, end : datetime.datetime or None
        UTC.
    """
    variables = list(_walk(dataset))
    edges, located = _position(variables)
    return edges, *_times(variables, located)


def _walk(group):
    yield from group.variables.values()
    for child in group.groups.values():
        yield from _walk(child)


def _attribute(variable, name):
    return str(getattr(variable, name, "")).strip()


def _is_numeric(variable):
    return getattr(variable.dtype, "kind", "O") in "iuf"


def _is_coordinate(variable):
    return variable.dimensions == (variable.name,)


def _is_named(variables, variable):
    """Another variable names this one in its attribute ``coordinates``."""
    return any(variable.name in _attribute(one, "coordinates").split() for one in variables)


def _is_latitude(variable):
    units = _attribute(variable, "units").lower()
    return _attribute(variable, "standard_name") == "latitude" or units in _LATITUDE_UNITS


def _is_longitude(variable):
    units = _attribute(variable, "units").lower()
    return _attribute(variable, "standard_name") == "longitude" or units in _LONGITUDE_UNITS


def _best(variables, found):
    """Coordinates that other variables use come before others; all of the best kind count."""
    used = [one for one in found if _is_coordinate(one) or _is_named(variables, one)]
    return used or found


def _position(variables):
    """Return the edges of the bounding box, and which samples along a dimension have a position.

    The second result maps the identity of a dimension to an array of bool.
    """
    numeric = [one for one in variables if _is_numeric(one)]
    longitudes = [one for one in numeric if _is_longitude(one)]
    latitudes, all_longitudes, located = [], [], {}
    for latitude in _best(variables, [one for one in numeric if _is_latitude(one)]):
        longitude = _partner(latitude, _best(variables, longitudes))
        if longitude is None:
            continue
        north, east = latitude[...], longitude[...]
        valid_north = _valid(latitude, north, -90, 90)
        valid_east = _valid(longitude, east, -180, 360)
        if latitude.dimensions == longitude.dimensions:  # samples: each needs both
            valid_north = valid_east = valid_north & valid_east
            for axis, dimension in enumerate(latitude.get_dims()):
                others = tuple(i for i in range(valid_north.ndim) if i != axis)
                located[_identity(dimension)] = valid_north.any(axis=others)
        latitudes.append(np.ma.getdata(north)[valid_north])
        all_longitudes.append(np.ma.getdata(east)[valid_east])
    if not latitudes:
        return None, {}
    north, east = np.concatenate(latitudes), np.concatenate(all_longitudes)
    if north.size == 0 or east.size == 0:
        return None, {}
    west_edge, east_edge = enclosing_longitudes(east)
    return (west_edge, _shortest(north.min()), east_edge, _shortest(north.max())), located


def _partner(latitude, longitudes):
    """The longitude of the same samples, or of the same grid (both 1-D coordinates, one group)."""
    for one in longitudes:
        if one.group() is latitude.group() or one.group().path == latitude.group().path:
            if one.dimensions == latitude.dimensions:
                return one
            if _is_coordinate(one) and _is_coordinate(latitude):
                return one
    return None


def _identity(dimension):
    return dimension.group().path, dimension.name


def _valid(variable, values, low, high):
    """Which values are neither fill nor NaN nor outside of their range; the last are reported."""
    data = np.ma.getdata(values)
    present = ~np.ma.getmaskarray(values) & np.isfinite(data)
    inside = (data >= low) & (data <= high)
    if count := int((present & ~inside).sum()):
        left_out = f"{count} of {data.size} values are not within {low} to {high}"
        log_warning(f"variable {variable.name}: {left_out} and were left out")
    return present & inside


def enclosing_longitudes(longitudes):
    """Return west and east of the smallest interval that holds all longitudes.

    Parameters
    ----------
    longitudes : array of numbers
        Degrees east, from -180 to 360, in any order; at least one.

    Returns
    -------
    west, east : float
        From -180 to 180; west > east when the interval crosses the antimeridian. Among equally
        small intervals one that does not cross it is taken.

    Examples
    --------
    >>> enclosing_longitudes([179.5, -179.5, 180.25])
    (179.5, -179.5)
    >>> enclosing_longitudes([350.0, 10.0])
    (-10.0, 10.0)
    """
    stored = np.unique(np.asarray(longitudes))
    # As they are from -180 to 180, where the antimeridian itself is what the file calls it.
    antimeridian = -180.0 if stored[0] == -180 else 180.0
    plain = (stored.astype("f8") + 180) % 360 - 180
    plain[plain == -180] = antimeridian
    order = np.argsort(plain, kind="stable")
    gaps = np.append(plain[order][1:], plain[order][0] + 360) - plain[order]
    before = int(np.argmax(gaps))  # the smallest interval ends before the largest gap
    if gaps[-1] >= gaps[before] - _SAME:
        before = len(order) - 1
    west = _shortest(stored[order[(before + 1) % len(order)]])
    east = _shortest(stored[order[before]])
    if before == len(order) - 1:
        return _to_180(west, antimeridian), _to_180(east, antimeridian)
    return _to_180(west, -180.0), _to_180(east, 180.0)


def _to_180(longitude, antimeridian):
    """Express a longitude from -180 to 180; the antimeridian itself as the caller wants it."""
    wrapped = round((longitude + 180) % 360 - 180, _DECIMALS)
    return antimeridian if abs(wrapped) == 180 else wrapped + 0.0


def _shortest(value):
    """The shortest decimal that is stored as this value: 20.05 rather than 20.049999237060547."""
    return round(float(str(value)), _DECIMALS) + 0.0


def _times(variables, located):
    """Return begin and end of the product's CF time coordinates.

    Where the samples along the time dimension have positions, only those with a valid one count:
    when and where speak of the same samples, as GHRC's inventory does for dropsondes.
    """
    found = [one for one in variables if _is_numeric(one) and _is_time(one)]
    used = [one for one in found if _is_coordinate(one) or _is_named(variables, one)]
    moments = []
    for variable in used or found:
        if _attribute(variable, "calendar").lower() not in {"", *_REAL_CALENDARS}:
            log_warning(f"variable {variable.name}: calendar {variable.calendar} has no UTC")
            continue
        values = variable[...]
        valid = ~np.ma.getmaskarray(values) & np.isfinite(np.ma.getdata(values))
        if len(variable.dimensions) == 1:
            positions = located.get(_identity(variable.get_dims()[0]))
            if positions is not None and (valid & positions).any():
                valid &= positions
        values = np.ma.getdata(values)[valid]
        if values.size:
            moments += _decode(variable, [values.min(), values.max()])
    return (min(moments), max(moments)) if moments else (None, None)


def _is_time(variable):
    if " since " not in _attribute(variable, "units"):
        return False
    named = _attribute(variable, "standard_name") == "time" or _attribute(variable, "axis") == "T"
    return named or _is_coordinate(variable)


def _decode(variable, values):
    """Turn CF time values into moments, to the nearest millisecond; an unknown unit gives none."""
    calendar = _attribute(variable, "calendar").lower() or "standard"
    moments = []
    try:
        for value in netCDF4.num2date([float(value) for value in values], variable.units, calendar):
            whole = datetime(value.year, value.month, value.day, value.hour, value.minute,
                             value.second, tzinfo=UTC)  # fmt: skip
            moments.append(whole + timedelta(milliseconds=round(value.microsecond / 1000)))
    except (ValueError, OverflowError) as error:
        log_warning(f"variable {variable.name}: cannot decode its time: {error}")
        return []
    return moments
