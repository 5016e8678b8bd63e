"""When and where a granule was observed, from its file name or from the product's CF coordinates.

What cannot be found is None; nothing is ever guessed. All times are UTC.
"""

import logging
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import CumulusError
from .formats import NETCDF, kind_of
from .logutils import make_log_string

__all__ = ["Box", "Extent", "enclosing_longitudes", "find_extent"]

_log = logging.getLogger(__name__)

# CF-1.8, sections 4.1 and 4.2: the units that make a variable a latitude or longitude.
_LATITUDE_UNITS = {"degrees_north", "degree_north", "degree_n", "degrees_n", "degreen", "degreesn"}
_LONGITUDE_UNITS = {"degrees_east", "degree_east", "degree_e", "degrees_e", "degreee", "degreese"}
_REAL_CALENDARS = {"standard", "gregorian", "proleptic_gregorian"}
_DECIMALS = 6  # of a degree: 0.1 m
_SAME = 1e-4  # degrees: gaps between stored longitudes that differ by less are equally large


@dataclass(frozen=True)
class Box:
    """Bounding rectangle in degrees; west > east where it crosses the antimeridian."""

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self):
        if not (-90 <= self.south <= self.north <= 90):
            raise CumulusError(f"latitudes {self.south} to {self.north} are not within -90 to 90")
        if not (-180 <= self.west <= 180 and -180 <= self.east <= 180):
            raise CumulusError(f"longitudes {self.west}, {self.east} are not within -180 to 180")


@dataclass(frozen=True)
class Extent:
    """Begin and end of the observations and where they are; None is unknown."""

    begin: datetime | None = None
    end: datetime | None = None
    box: Box | None = None

    def __post_init__(self):
        if self.begin and self.end and self.end < self.begin:
            raise CumulusError(f"the end {self.end} lies before the begin {self.begin}")


def find_extent(product, sources=("product",), groups=None):
    """Find the extent of a product.

    Parameters
    ----------
    product : path-like
    sources : sequence of str
        Where begin and end come from, the first that answers wins: "filename", "product".
    groups : mapping of str to str, optional
        For "filename": what the id pattern's groups ``date``, ``begin`` and ``end`` matched.

    Returns
    -------
    Extent
        Unknown parts are None, each with a logged warning.
    """
    found, name = _product_extent(product), Path(product).name
    begin = end = None
    for source in sources:
        answer = _name_times(groups or {}) if source == "filename" else (found.begin, found.end)
        begin, end = begin or answer[0], end or answer[1]
    if begin and end and end < begin:
        _warn(f"{name}: end {end} lies before begin {begin}: no temporal extent")
        begin = end = None
    elif begin is None:
        end = None  # the metadata formats have no range without a begin
        _warn(f"{name}: no temporal extent found in {' or '.join(sources)}")
    if found.box is None:
        _warn(f"{name}: no spatial extent found in the product's coordinates")
    return replace(found, begin=begin, end=end)


def _warn(message):
    _log.warning(make_log_string(process="metadata", message=message))


# --- the file name ---------------------------------------------------------------------------


def _name_times(groups):
    """Return begin and end as the named groups say them.

    ``date`` is yyyymmdd or yyyyddd, alone it means the whole day; ``begin`` and ``end`` are a
    time of that day (hhmm, hhmmss) or a date and time of their own. An end before its begin is
    on the next day.
    """
    try:
        date = _parse(groups.get("date")) if groups.get("date") else None
        begin = _parse(groups.get("begin"), date) if groups.get("begin") else None
        end = _parse(groups.get("end"), date) if groups.get("end") else None
    except ValueError as error:
        _warn(f"file name: {error}")
        return None, None
    if date and begin is None and end is None:
        return date, date + timedelta(days=1, seconds=-1)
    if date and begin and end and end < begin and end.date() == date.date():
        end += timedelta(days=1)
    return begin, end


def _parse(text, date=None):
    digits = re.sub(r"[-_.:TZ]", "", text)
    formats = {4: "%H%M", 6: "%H%M%S"} if date else {}
    formats |= {7: "%Y%j", 8: "%Y%m%d", 12: "%Y%m%d%H%M", 14: "%Y%m%d%H%M%S"}
    if not digits.isdecimal() or len(digits) not in formats:
        raise ValueError(f"{text!r} is no date or time; known are yyyymmdd, yyyyddd, hhmmss")
    try:
        moment = datetime.strptime(digits, formats[len(digits)])
    except ValueError:
        raise ValueError(f"{text!r} is no existing date or time") from None
    if len(digits) < 7:
        moment = datetime.combine(date, moment.time())
    return moment.replace(tzinfo=UTC)


# --- the product -----------------------------------------------------------------------------


def _product_extent(product):
    if kind_of(product) != NETCDF:
        return Extent()
    import netCDF4

    try:
        with netCDF4.Dataset(product) as dataset:
            variables = list(_walk(dataset))
            box, located = _position(variables)
            begin, end = _times(variables, located)
    except (OSError, RuntimeError) as error:
        raise CumulusError(f"cannot read {str(product)!r}: {error}") from error
    return Extent(begin, end, box)


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
    """Return the bounding box, and for coordinates along one dimension which samples have one.

    The second result maps the identity of a dimension to an array of bool.
    """
    import numpy as np

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
    return Box(west_edge, _shortest(north.min()), east_edge, _shortest(north.max())), located


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
    import numpy as np

    data = np.ma.getdata(values)
    present = ~np.ma.getmaskarray(values) & np.isfinite(data)
    inside = (data >= low) & (data <= high)
    if count := int((present & ~inside).sum()):
        left_out = f"{count} of {data.size} values are not within {low} to {high}"
        _warn(f"variable {variable.name}: {left_out} and were left out")
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
    import numpy as np

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
    import numpy as np

    found = [one for one in variables if _is_numeric(one) and _is_time(one)]
    used = [one for one in found if _is_coordinate(one) or _is_named(variables, one)]
    moments = []
    for variable in used or found:
        if _attribute(variable, "calendar").lower() not in {"", *_REAL_CALENDARS}:
            _warn(f"variable {variable.name}: calendar {variable.calendar} has no UTC")
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
    import netCDF4

    calendar = _attribute(variable, "calendar").lower() or "standard"
    moments = []
    try:
        for value in netCDF4.num2date([float(value) for value in values], variable.units, calendar):
            whole = datetime(value.year, value.month, value.day, value.hour, value.minute,
                             value.second, tzinfo=UTC)  # fmt: skip
            moments.append(whole + timedelta(milliseconds=round(value.microsecond / 1000)))
    except (ValueError, OverflowError) as error:
        _warn(f"variable {variable.name}: cannot decode its time: {error}")
        return []
    return moments
