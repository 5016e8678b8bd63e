"""What a product holds, as far as checks and metadata need it."""

from dataclasses import dataclass, field

from .angles import angle

__all__ = ["Product", "Variable", "is_latitude", "is_longitude"]

NO_TIME = -(2**63)  # NaT of numpy and pandas, which files have without declaring it as a fill value
TEXTS = ("units", "standard_name", "axis", "calendar")
# Attributes of a file that tell time and place: ACDD, and names that are as common.
GLOBALS = (
    "time_coverage_start", "time_coverage_end", "begin_time", "end_time", "start_time", "stop_time",
    "begin_date", "end_date", "start_date", "stop_date",
    "geospatial_lat_min", "geospatial_lat_max", "geospatial_lon_min", "geospatial_lon_max",
    "geospatial_lat_units", "geospatial_lon_units", "geospatial_bounds", "geospatial_bounds_crs",
)  # fmt: skip


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
    values : numpy.ndarray or cumulus.products.large.LargeValues
        Unpacked.
    present : numpy.ndarray of bool or cumulus.products.large.LargeValues
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
    ``is_empty`` where no variable has room for any value. ``path`` is that of the file,
    ``attributes`` those of its GLOBALS that it has, and ``unnamed`` the paths of variables with
    units of time, but without the name, axis or dimension of a time. ``has_mapping``: a variable
    may be a grid_mapping; ``has_since``: a text may have " since ". ``entries`` are those of
    :mod:`.catalogue`, None where they are not read yet.
    """

    data_format: str = ""
    names: tuple = ()
    coordinates: tuple = ()
    used: frozenset = field(default_factory=frozenset)
    is_empty: bool = False
    path: object = ""
    attributes: dict = field(default_factory=dict)
    unnamed: tuple = ()
    has_mapping: bool = True
    has_since: bool = True
    entries: tuple | None = field(default=None, repr=False, compare=False)

    @property
    def times(self):
        """Those of the coordinates that are times; names that the data use are the last resort."""
        times = [each for each in self.coordinates if is_time(each.attributes, each.is_coordinate)]
        return times or [each for each in self.coordinates if is_unnamed_time(each.attributes)]


def is_latitude(attributes):
    """Whether attributes (texts by name) are those of a latitude (CF-1.8, section 4.1)."""
    return _is(attributes, "latitude")


def is_longitude(attributes):
    """Whether attributes (texts by name) are those of a longitude (CF-1.8, section 4.2)."""
    return _is(attributes, "longitude")


def _is(attributes, kind):
    """The standard name decides if there is one: an uncertainty of latitudes has their units."""
    if name := attributes.get("standard_name"):
        return name.lower() == kind
    unit = angle(attributes.get("units", ""))
    return unit is not None and unit.kind == kind


def is_time(attributes, is_coordinate):
    """Whether attributes are those of a time of the data, which forecast_reference_time is not."""
    name = attributes.get("standard_name")
    named = name.lower() == "time" if name else attributes.get("axis") == "T" or is_coordinate
    return " since " in attributes.get("units", "") and named


def is_unnamed_time(attributes):
    """Whether attributes have nothing of a time but the units."""
    return " since " in attributes["units"] and not attributes["standard_name"]


def is_wanted(attributes, is_coordinate):
    """Whether a variable may be a latitude, a longitude or a time."""
    is_position = is_latitude(attributes) or is_longitude(attributes)
    return is_position or is_time(attributes, is_coordinate)
