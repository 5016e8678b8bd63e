"""What a product holds, as far as checks and metadata need it."""

from dataclasses import dataclass, field

__all__ = ["Product", "Variable", "is_latitude", "is_longitude"]

# CF-1.8, sections 4.1 and 4.2: the units that make a variable a latitude or longitude.
LATITUDE_UNITS = {"degrees_north", "degree_north", "degree_n", "degrees_n", "degreen", "degreesn"}
LONGITUDE_UNITS = {"degrees_east", "degree_east", "degree_e", "degrees_e", "degreee", "degreese"}
NO_TIME = -(2**63)  # NaT of numpy and pandas, which files have without declaring it as a fill value
TEXTS = ("units", "standard_name", "axis", "calendar")


@dataclass(frozen=True)
class Variable:
    """A latitude, longitude or time.

    Attributes
    ----------
    group : str
        Path of its group.
    dimensions : tuple
        Identifies its dimensions within the file.
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


def is_latitude(attributes):
    """Whether attributes (texts by name) are those of a latitude (CF-1.8, section 4.1)."""
    return _is(attributes, "latitude", LATITUDE_UNITS)


def is_longitude(attributes):
    """Whether attributes (texts by name) are those of a longitude (CF-1.8, section 4.2)."""
    return _is(attributes, "longitude", LONGITUDE_UNITS)


def _is(attributes, standard_name, units):
    """The standard name decides if there is one: an uncertainty of latitudes has their units."""
    if name := attributes.get("standard_name"):
        return name.lower() == standard_name
    return attributes.get("units", "").lower() in units


def is_time(attributes, is_coordinate):
    """Whether attributes are those of a time of the data, which forecast_reference_time is not."""
    name = attributes.get("standard_name")
    named = name.lower() == "time" if name else attributes.get("axis") == "T" or is_coordinate
    return " since " in attributes.get("units", "") and named


def is_wanted(attributes, is_coordinate):
    """Whether a variable may be a latitude, a longitude or a time."""
    is_position = is_latitude(attributes) or is_longitude(attributes)
    return is_position or is_time(attributes, is_coordinate)
