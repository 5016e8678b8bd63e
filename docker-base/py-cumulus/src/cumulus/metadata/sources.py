"""When and where a granule was observed, from the sources that collection.toml lists.

What no source knows is None; nothing is ever guessed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from os import PathLike
from pathlib import Path

from .. import CumulusError
from ..collection.model import MetadataRules
from ..extent import EDGES, Box, Extent, from_mapping
from ..logutils.logger import log_warning
from ..products.inspection import inspect
from .agreement import boxes_agree, times_agree
from .attributes import from_attributes
from .filename import doubt, readings
from .sidecar import read_sidecar

__all__ = ["Evidence", "find_extent", "find_extent_and_gaps", "from_sidecar"]

PARTS = ("time", "place")
_SECOND = timedelta(seconds=1)
_DEGREES = 0.01


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
    return find_extent_and_gaps(path, rules, evidence, product)[0]


def find_extent_and_gaps(path, rules=None, evidence=None, product=None, parts=PARTS):
    """Find the extent of a product, and why a part of it is unknown.

    Parameters are those of :func:`find_extent`, and ``parts``: which of "time" and "place" are
    looked for.

    Returns
    -------
    extent : Extent
    gaps : dict of str to str
        By "time" (begin or end) and "place": the reason, as the warning has it.
    """
    search = _Search(path, rules or MetadataRules(), evidence or Evidence(), product, parts)
    return search.extent(), search.gaps


class _Search:
    """Asks each source once."""

    def __init__(self, path, rules, evidence, product, parts):
        self._path, self._rules, self._evidence = path, rules, evidence
        self._inspected, self._parts = product, parts
        self.gaps = {}
        self._answers = {}
        self._cover = None
        self._name = Path(path).name

    def extent(self):
        orders = {part: _order(getattr(self._rules, part)) for part in self._parts}
        self._leave_out_doubts(orders)
        begin, end = self._find_time(orders) if "time" in orders else (None, None)
        located = self._find_place(orders) if "place" in orders else Extent()
        for part, order in orders.items():
            self._warn_of_disagreement(part, order)
        return Extent(begin, end, located.box, located.polygon)

    def _find_time(self, orders):
        begin, end = (self._first(orders["time"], part) for part in ("begin", "end"))
        if begin and end and end < begin:
            self._miss("time", f"end {end} lies before begin {begin}: no temporal extent")
            return None, None
        if begin is None:
            self._miss("time", f"no temporal extent found in {self._asked(orders, 'time')}")
            return None, None  # the metadata formats have no range without a begin
        if end is None:
            asked = ", ".join(orders["time"])
            self._miss("time", f"a begin, but no end of the temporal extent in {asked}")
        return begin, end

    def _find_place(self, orders):
        answers = [self._answer(source) for source in orders["place"]]
        located = next((answer for answer in answers if answer.box), Extent())
        if located.box is None:
            self._miss("place", f"no spatial extent found in {self._asked(orders, 'place')}")
        return located

    def _miss(self, part, reason):
        self.gaps[part] = reason
        log_warning(f"{self._name}: {reason}")

    def _first(self, order, part):
        """A part of the extent from the first source that knows it."""
        answers = (getattr(self._answer(source), part) for source in order)
        return next((answer for answer in answers if answer), None)

    def _answer(self, source):
        if source not in self._answers:
            self._answers[source] = getattr(self, f"_{source}")()
        return self._answers[source]

    # --- the sources -------------------------------------------------------------------------

    def _function(self):
        return from_mapping(self._evidence.extent, "the handler's function")

    def _filename(self):
        """A name with two readings means the one that agrees with another source."""
        extents = readings(self._evidence.groups or {})
        if len(extents) == 1:
            return extents[0]
        for source in ("function", "sidecar", "product", "attributes"):
            known = self._answer(source)
            agreeing = [each for each in extents if known.begin and times_agree(each, known)]
            if len(agreeing) == 1:
                return agreeing[0]
        log_warning(f"{self._name}: file name: {doubt(extents)}")
        return Extent(box=extents[0].box)

    def _sidecar(self):
        return from_sidecar(self._evidence.sidecar)

    def _product(self):
        """Rules beyond the coordinates are asked for what no source before the product knows."""
        wanted = []
        for part, key in zip(PARTS, ("begin", "box"), strict=True):
            if part not in self._parts:
                continue
            order = _order(getattr(self._rules, part))
            before = order[: order.index("product")] if "product" in order else order
            answers = [self._answers.get(source) or Extent() for source in before]
            if "product" in order and not any(getattr(answer, key) for answer in answers):
                wanted.append(part)
        self._cover = cover_product(self._inspect(), self._rules, wanted)
        covered = self._cover
        box = Box(*covered.edges) if covered.edges else None
        return Extent(covered.begin, covered.end, box, covered.polygon)

    def _attributes(self):
        return from_attributes(self._inspect().attributes)

    def _fixed(self):
        return from_mapping(self._rules.fixed, "[metadata.fixed]")

    def _inspect(self):
        self._inspected = self._inspected or inspect(self._path)
        return self._inspected

    # --- what they say together --------------------------------------------------------------

    def _leave_out_doubts(self, orders):
        """A time that the product does not tell by CF counts only if no other source denies it."""
        for order in orders.values():
            for source in order:
                self._answer(source)
        known = self._answers.get("product")
        if known is None or known.begin is None or self._cover.is_certain:
            return
        for source in ("function", "filename", "sidecar", "attributes"):
            other = self._answers.get(source)
            if other and other.begin and not times_agree(known, other, self._step()):
                log_warning(
                    f"{self._name}: the product's time {_interval(known)} has no CF attributes and "
                    f"disagrees with {source}, {_interval(other)}: it is left out"
                )
                self._answers["product"] = Extent(None, None, known.box, known.polygon)
                return

    def _warn_of_disagreement(self, part, order):
        key = "begin" if part == "time" else "box"
        known = [(source, answer) for source in order
                 if getattr(answer := self._answer(source), key)]  # fmt: skip
        if not known:
            return
        (used, extent), *others = known
        for source, other in others:
            if part == "time":
                agree, show = times_agree(extent, other, self._step()), _interval
            else:
                agree, show = boxes_agree(extent.box, other.box, self._spacing()), _box
            if not agree:
                log_warning(
                    f"{self._name}: {used} and {source} disagree on the {part}: {used} has "
                    f"{show(extent)}, {source} has {show(other)}; {used} is used"
                )

    def _step(self):
        return max(_SECOND, self._cover.step()) if self._cover else _SECOND

    def _spacing(self):
        return max(_DEGREES, self._cover.spacing()) if self._cover else _DEGREES

    def _asked(self, orders, part):
        """Name the sources, and say why the product, if it is one of them, does not know."""
        asked = ", ".join(orders[part])
        reasons = self._cover.reasons if self._cover and self._inspect().data_format else {}
        return f"{asked}; product: {reasons[part]}" if part in reasons else asked


def _order(sources):
    """The sources to ask: attributes of the file come last where a list does not name them."""
    return sources if "attributes" in sources else (*sources, "attributes")


def _interval(extent):
    moments = (moment for moment in (extent.begin, extent.end) if moment)
    return " to ".join(f"{moment:%Y-%m-%dT%H:%M:%SZ}" for moment in moments)


def _box(extent):
    box = extent.box
    return f"west {box.west}, south {box.south}, east {box.east}, north {box.north}"


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


def cover_product(product, rules, wanted):
    """Return what a product covers, as :func:`cumulus.metadata.coordinates.cover` does."""
    from .coordinates import Cover, Names, cover

    if not product.names:
        return Cover()
    names = Names(rules.time_variable, rules.latitude_variable, rules.longitude_variable)
    return cover(product, rules.polygon, names, wanted)
