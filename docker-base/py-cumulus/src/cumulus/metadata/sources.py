"""When and where a granule was observed, from the sources that collection.toml lists.

What no source knows is None; nothing is ever guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path

from .. import CumulusError
from ..collection.model import MetadataRules
from ..extent import EDGES, Box, Extent, from_mapping
from ..logutils.logger import log_warning
from ..products.inspection import inspect
from ..products.model import is_latitude, is_longitude, is_time
from .filename import from_groups
from .sidecar import read_sidecar

__all__ = ["Evidence", "find_extent", "from_product", "from_sidecar", "why_unknown"]


@dataclass(frozen=True)
class Evidence:
    """What tells time and place beside the product and collection.toml.

    Attributes
    ----------
    groups : mapping of str to str, optional
        The source "filename": what the id pattern's named groups matched.
    extent : Extent or mapping, optional
        The source "function": the answer of the handler's own function.
    sidecar : path-like, optional
        The source "sidecar": a metadata file that comes with the granule.
    """

    groups: Mapping | None = None
    extent: Extent | Mapping | None = None
    sidecar: str | PathLike | None = None


def find_extent(path, rules=None, evidence=None, product=None):
    """Find the extent of a product: the first source that knows a part of it is used.

    Parameters
    ----------
    path : path-like
        The product.
    rules : cumulus.collection.MetadataRules, optional
        The order of the sources. Begin and end may come from different ones.
    evidence : Evidence, optional
    product : cumulus.products.Product, optional
        What the file holds, where the caller has inspected it already.

    Returns
    -------
    Extent
        Unknown parts are None, each with a logged warning.
    """
    return _Search(path, rules or MetadataRules(), evidence or Evidence(), product).extent()


class _Search:
    """Asks each source once, and only when its turn comes."""

    def __init__(self, path, rules, evidence, product):
        self._path, self._rules, self._evidence = path, rules, evidence
        self._inspected = product
        self._answers = {}

    def extent(self):
        name, rules = Path(self._path).name, self._rules
        begin, end = (self._first(rules.time, part) for part in ("begin", "end"))
        if begin and end and end < begin:
            log_warning(f"{name}: end {end} lies before begin {begin}: no temporal extent")
            begin = end = None
        elif begin is None:
            end = None  # the metadata formats have no range without a begin
            log_warning(f"{name}: no temporal extent found in {self._asked(rules.time, 'time')}")
        elif end is None:
            asked = ", ".join(rules.time)
            log_warning(f"{name}: a begin, but no end of the temporal extent in {asked}")
        box = self._first(rules.place, "box")
        if box is None:
            log_warning(f"{name}: no spatial extent found in {self._asked(rules.place, 'place')}")
            return Extent(begin, end)
        located = next(self._answer(source) for source in rules.place if self._answer(source).box)
        return Extent(begin, end, located.box, located.polygon)

    def _first(self, sources, part):
        """A part of the extent from the first source that knows it."""
        answers = (getattr(self._answer(source), part) for source in sources)
        return next((answer for answer in answers if answer), None)

    def _answer(self, source):
        if source not in self._answers:
            self._answers[source] = getattr(self, f"_{source}")()
        return self._answers[source]

    def _function(self):
        return from_mapping(self._evidence.extent, "the handler's function")

    def _filename(self):
        return from_groups(self._evidence.groups or {})

    def _sidecar(self):
        return from_sidecar(self._evidence.sidecar)

    def _product(self):
        return from_product(self._inspect(), self._rules.polygon)

    def _fixed(self):
        return from_mapping(self._rules.fixed, "[metadata.fixed]")

    def _inspect(self):
        self._inspected = self._inspected or inspect(self._path)
        return self._inspected

    def _asked(self, sources, part):
        """Name the sources, and say why the product, if it is one of them, does not know."""
        asked = ", ".join(sources)
        if "product" not in sources or not (product := self._inspect()).data_format:
            return asked
        return f"{asked}; product: {why_unknown(product, part)}"


def from_sidecar(path):
    """Make an extent of a metadata file beside the primary input; None: there is no such file."""
    if path is None:
        return Extent()
    values, extent = read_sidecar(path), Extent()
    for part in (("begin", "end"), EDGES):  # where one part is wrong, the other may be right
        try:
            known = from_mapping({key: values[key] for key in part if key in values}, str(path))
        except CumulusError as error:
            log_warning(f"sidecar {error}")
        else:
            extent = Extent(
                known.begin or extent.begin, known.end or extent.end, known.box or extent.box
            )
    return extent


def from_product(product, polygon=False):
    """Make an extent of a product's CF coordinates."""
    if not product.coordinates:
        return Extent()
    from .coordinates import cover

    covered = cover(product, polygon)
    box = Box(*covered.edges) if covered.edges else None
    return Extent(covered.begin, covered.end, box, covered.polygon)


def why_unknown(product, part):
    """Return why the coordinates of a product do not tell the "time" or the "place"."""
    coordinates = product.coordinates
    if part == "time":
        times = [each for each in coordinates if is_time(each.attributes, each.is_coordinate)]
        return _wrong(times, "time", "such as 'seconds since 2000-01-01'") or _unusable(times)
    latitudes = [each for each in coordinates if is_latitude(each.attributes)]
    longitudes = [each for each in coordinates if is_longitude(each.attributes)]
    return (
        _wrong(latitudes, "latitude", "'degrees_north'")
        or _wrong(longitudes, "longitude", "'degrees_east'")
        or f"{_unusable(latitudes + longitudes)}, or not the same dimensions"
    )


def _wrong(variables, name, units):
    """What is wrong with all coordinates of a kind; empty where nothing is seen."""
    if not variables:
        return f"no variable has units {units}, and standard_name {name!r}"
    without = [variable.name for variable in variables if not variable.present.any()]
    return f"{without[0]!r} has no values" if len(without) == len(variables) else ""


def _unusable(variables):
    """Coordinates of which earlier warnings tell more."""
    return f"{', '.join(variable.name for variable in variables)}: no valid values"
