"""The content of collection.toml, as objects."""

import fnmatch
import re
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from ..extent import Extent

__all__ = [
    "PARTS",
    "SOURCES",
    "SPATIAL",
    "AccessConstraints",
    "BrowseRules",
    "Collection",
    "CompareRules",
    "Limits",
    "MetadataRules",
    "Tolerance",
    "matches",
]

SOURCES = ("function", "filename", "sidecar", "product", "attributes", "fixed")
PARTS = ("time", "place")
SPATIAL = ("geodetic", "cartesian", "none")  # CMR's GranuleSpatialRepresentation
# A relative tolerance makes no sense for a count from an arbitrary epoch: 1e-6 of the seconds
# since 1970 is half an hour. Times may differ by rounding only.
_ROUNDING = 4 * sys.float_info.epsilon
LARGE = 10_000  # days since 1970, Julian days and seconds since any epoch are larger


@dataclass(frozen=True)
class AccessConstraints:
    """A number that CMR's access rules ask for, and what it means to people."""

    value: float
    description: str = ""


@dataclass(frozen=True)
class MetadataRules:
    """Where extents come from, and what else the records say.

    Attributes
    ----------
    time, place : tuple of str
        Sources in the order in which they are asked.
    sidecar : str
        Role of the input file that tells time and place; empty: there is none.
    time_variable, latitude_variable, longitude_variable : str
        Paths of the product's variables that count; empty: the general rule chooses.
    polygon : bool
        Draw a polygon around a swath.
    required : tuple of str
        "time" (begin and end), "place": a granule whose record lacks one fails.
    granule_id : str
        Template of the GranuleUR; empty: the name of the product.
    access_url : str
        Template.
    format : str
        Of the product; "auto": from the file, in GCMD's words; empty: the same for NetCDF and HDF5
        alone, in the words of the NetCDF library.
    access_constraints : AccessConstraints or None
    fixed : Extent
        Values that are the same for every granule.
    """

    time: tuple[str, ...] = SOURCES
    place: tuple[str, ...] = SOURCES
    sidecar: str = ""
    time_variable: str = ""
    latitude_variable: str = ""
    longitude_variable: str = ""
    polygon: bool = False
    required: tuple[str, ...] = ()
    granule_id: str = ""
    access_url: str = ""
    format: str = ""
    access_constraints: AccessConstraints | None = None
    fixed: Extent = field(default_factory=Extent)


@dataclass(frozen=True)
class Tolerance:
    """How far valid numbers may lie apart, ``|a - e| <= atol + rtol * |e|``; None: not set.

    ``unpack``: numbers are compared after unpacking where the packing differs.
    """

    rtol: float | None = None
    atol: float | None = None
    unpack: bool | None = None


# What changes with every run, or with the time, size or code of a product.
_VOLATILE_ATTRIBUTES = ("history", "date_created", "_NCProperties")
_VOLATILE_XPATHS = (
    "InsertTime",
    "LastUpdate",
    "DataGranule/DataGranuleSizeInBytes",
    "DataGranule/SizeMBDataGranule",
    "DataGranule/Checksum",
    "DataGranule/ProductionDateTime",
    "PGEVersionClass/PGEVersion",
)
_VOLATILE_KEYS = (
    "ProviderDates/Date",
    "DataGranule/ProductionDateTime",
    "DataGranule/ArchiveAndDistributionInformation/SizeInBytes",
    "DataGranule/ArchiveAndDistributionInformation/Size",
    "DataGranule/ArchiveAndDistributionInformation/Checksum/Value",
    "PGEVersionClass/PGEVersion",
)


# Where the first does not count, a record may have the others, which an expected record that was
# accepted before they were written lacks.
_LATER = {
    "DataGranule/SizeMBDataGranule": ("DataGranule/DataGranuleSizeInBytes",),
    "DataGranule/ArchiveAndDistributionInformation/SizeInBytes": (
        "DataGranule/ArchiveAndDistributionInformation/Size",
        "DataGranule/ArchiveAndDistributionInformation/SizeUnit",
    ),
}


@dataclass(frozen=True)
class CompareRules:
    """Table [compare]: what a comparison tolerates and what it ignores.

    The defaults of ``ignore_attributes``, ``ignore_xpaths`` and ``ignore_keys`` name what differs
    between two runs of the same code. An explicit list replaces the default; the list of the same
    name with ``also_`` adds to either.
    """

    rtol: float = 0.0
    atol: float = 0.0
    ignore_attributes: tuple[str, ...] = _VOLATILE_ATTRIBUTES
    ignore_xpaths: tuple[str, ...] = _VOLATILE_XPATHS
    ignore_keys: tuple[str, ...] = _VOLATILE_KEYS
    ignore_variables: tuple[str, ...] = ()
    ignore_files: tuple[str, ...] = ()
    unpack: bool = False
    pixel_atol: float = 0
    pixel_share: float = 0.0
    # path of a variable, or name of a column -> Tolerance
    variables: MappingProxyType = field(default_factory=lambda: MappingProxyType({}))

    def tolerance(self, name):
        """Return the rule of a variable, by its path, or of a column of a table."""
        return self.variables.get(name.strip("/"), Tolerance())

    def tolerance_for(self, name, kind):
        """Return the tolerance of a variable or column: its own rule, else the general one.

        The general one is for a "measurement". An "integer" (flags, counts, identifiers, stored
        values of packed variables) is compared exactly, and a "time" up to rounding. A "large"
        number, which may be a time, may differ as much as one of LARGE.
        """
        own = self.tolerance(name)
        if kind == "large" and (own.rtol, own.atol) != (None, None):
            kind = "measurement"
        general = {
            "measurement": (self.rtol, self.atol),
            "integer": (0.0, 0.0),
            "time": (min(self.rtol, _ROUNDING), 0.0),
            "large": (min(self.rtol, _ROUNDING), self.atol + LARGE * self.rtol),
        }
        rtol, atol = general[kind]
        return Tolerance(
            rtol if own.rtol is None else own.rtol, atol if own.atol is None else own.atol
        )

    def unpacks(self, name):
        """Return whether a variable may be packed otherwise than expected."""
        own = self.tolerance(name).unpack
        return self.unpack if own is None else own

    def ignores_attribute(self, where, name):
        """Return whether an attribute of the variable or group at ``where`` may differ.

        An entry with a slash is the path of one attribute, any other a name wherever it is.
        """
        path = f"{where.rstrip('/')}/{name}"
        return any(
            path == f"/{entry.lstrip('/')}" if "/" in entry else name == entry
            for entry in self.ignore_attributes
        )

    def may_be_extra(self, ignored):
        """Return the paths that a record may have and an expected one lack.

        Parameters
        ----------
        ignored : tuple of str
            ``ignore_xpaths`` or ``ignore_keys``.
        """
        return {later for path in ignored for later in _LATER.get(path.strip("/"), ())}

    def ignores_variable(self, name):
        """Return whether the values of a variable, or the cells of a column, may differ."""
        return any(matches(name, pattern) for pattern in self.ignore_variables)

    def ignores_file(self, name):
        """Return whether a file does not count at all."""
        return any(matches(name, pattern) for pattern in self.ignore_files)


def matches(name, pattern):
    """Return whether the path of a variable or file matches a pattern of [compare]."""
    name, pattern = name.strip("/"), pattern.strip("/")
    return name == pattern or fnmatch.fnmatchcase(name, pattern)  # a name may hold brackets


@dataclass(frozen=True)
class BrowseRules:
    """Table [browse]: what the browse image shows.

    Attributes
    ----------
    variable : str
        Path of a variable; empty: the first that has the coordinates of a curtain or a map.
    range : tuple of float
        Smallest and largest value of the colours; empty: from the values.
    scale : str
        "linear" or "log".
    colormap : str
    """

    variable: str = ""
    range: tuple[float, ...] = ()
    scale: str = "linear"
    colormap: str = "viridis"


@dataclass(frozen=True)
class Limits:
    """Table [limits]: what one conversion may use."""

    seconds: float = 600
    memory_mb: float = 4096
    output_mb: float = 20000


@dataclass(frozen=True)
class Collection:
    """A checked collection.toml.

    Attributes
    ----------
    id_pattern : re.Pattern
        Matches the whole name of a primary input file; its group ``id`` is the granule's id.
    inputs, products : mapping of str to str
        File name pattern of each role, file name template of each product. The product "data"
        is the first and primary one.
    spatial : str
        One of SPATIAL, as the collection's record in CMR has it; empty: not said.
    environment : tuple of str
        Names of environment variables that process.py reads.
    links : tuple of str
        Directories outside of the input directory that links there may lead into.
    expected : tuple of str
        Paths of variables that every product "data" has.
    """

    short_name: str
    version: str
    id_pattern: re.Pattern
    inputs: MappingProxyType
    products: MappingProxyType
    provider: str = ""
    title: str = ""
    spatial: str = ""
    metadata: MetadataRules = field(default_factory=MetadataRules)
    compare: CompareRules = field(default_factory=CompareRules)
    browse: BrowseRules = field(default_factory=BrowseRules)
    limits: Limits = field(default_factory=Limits)
    environment: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    expected: tuple[str, ...] = ()
    sample_uri: str = ""
    path: Path = Path("collection.toml")
