"""When and where a granule was observed, from whatever knows it.

What cannot be found is None; nothing is ever guessed.
"""

from pathlib import Path

from .. import CumulusError
from ..extent import EDGES, Box, Extent, from_mapping
from ..logutils.logger import log_warning
from ..products.model import is_latitude, is_longitude, is_time
from .filename import from_groups

__all__ = ["find_extent", "from_product", "from_sidecar", "why_unknown"]


def find_extent(
    product,
    time=("product",),
    groups=None,
    *,
    place=("product",),
    extent=None,
    sidecar=None,
    fixed=None,
    polygon=False,
):
    """Find the extent of a product.

    Parameters
    ----------
    product : path-like
    time, place : sequence of str
        Where it comes from, the first that answers wins: "function", "filename", "sidecar",
        "product", "fixed". Begin and end may come from different ones.
    groups : mapping of str to str, optional
        For "filename": what the id pattern's named groups matched.
    extent : Extent or mapping, optional
        For "function": what the handler's own function found.
    sidecar : path-like, optional
        For "sidecar": the file that says it.
    fixed : Extent or mapping, optional
        For "fixed".
    polygon : bool
        Whether to draw one around a swath, where the place comes from the product.

    Returns
    -------
    Extent
        Unknown parts are None, each with a logged warning.
    """
    ask = {
        "function": lambda: from_mapping(extent, "the handler's function"),
        "filename": lambda: from_groups(groups or {}),
        "sidecar": lambda: from_sidecar(sidecar),
        "product": lambda: from_product(product, polygon),
        "fixed": lambda: from_mapping(fixed, "[metadata.fixed]"),
    }
    answers = {}

    def answer(source):
        if source not in answers:  # each is asked once, and only when its turn comes
            answers[source] = ask[source]()
        return answers[source]

    name = Path(product).name
    begin = next((one for source in time if (one := answer(source).begin)), None)
    end = next((one for source in time if (one := answer(source).end)), None)
    if begin and end and end < begin:
        log_warning(f"{name}: end {end} lies before begin {begin}: no temporal extent")
        begin = end = None
    elif begin is None:
        end = None  # the metadata formats have no range without a begin
        log_warning(f"{name}: no temporal extent found in {_asked(time, product, 'time')}")
    elif end is None:
        log_warning(f"{name}: a begin, but no end of the temporal extent in {', '.join(time)}")
    located = next((one for source in place if (one := answer(source)).box), Extent())
    if located.box is None:
        log_warning(f"{name}: no spatial extent found in {_asked(place, product, 'place')}")
    return Extent(begin, end, located.box, located.polygon)


def _asked(sources, path, what):
    """Name the sources, and say why the product, if it is one of them, does not know."""
    from ..products.inspection import inspect

    said = ", ".join(sources)
    if "product" not in sources or not (product := inspect(path)).data_format:
        return said
    return f"{said}; product: {why_unknown(product, what)}"


def from_sidecar(path):
    """Make an extent of what a file beside the primary one says; None: there is no such file."""
    if path is None:
        return Extent()
    from .sidecar import read_sidecar

    found, extent = read_sidecar(path), Extent()
    for part in (("begin", "end"), EDGES):  # where one is wrong, the other may be right
        try:
            known = from_mapping({key: found[key] for key in part if key in found}, str(path))
        except CumulusError as error:
            log_warning(f"sidecar {error}")
        else:
            extent = Extent(
                known.begin or extent.begin, known.end or extent.end, known.box or extent.box
            )
    return extent


def from_product(path, polygon=False):
    """Make an extent of a product's CF coordinates."""
    from ..products.inspection import inspect

    product = inspect(path)
    if not product.coordinates:
        return Extent()
    from .coordinates import cover

    found = cover(product, polygon)
    box = Box(*found.edges) if found.edges else None
    return Extent(found.begin, found.end, box, found.polygon)


def why_unknown(product, what):
    """Return why the coordinates of a product say nothing, to whoever can mend it.

    Parameters
    ----------
    product : cumulus.products.Product
    what : "time" or "place"
    """
    found = product.coordinates
    if what == "time":
        times = [one for one in found if is_time(one.attributes, one.is_coordinate)]
        return _wrong(times, "time", "such as 'seconds since 2000-01-01'") or _unusable(times)
    latitudes = [one for one in found if is_latitude(one.attributes)]
    longitudes = [one for one in found if is_longitude(one.attributes)]
    return (
        _wrong(latitudes, "latitude", "'degrees_north'")
        or _wrong(longitudes, "longitude", "'degrees_east'")
        or f"{_unusable(latitudes + longitudes)}, or not the same dimensions"
    )


def _wrong(found, name, units):
    """What is wrong with all coordinates of a kind; empty where nothing is seen."""
    if not found:
        return f"no variable has units {units}, and standard_name {name!r}"
    without = [one.name for one in found if not one.present.any()]
    return f"{without[0]!r} has no values" if len(without) == len(found) else ""


def _unusable(found):
    """What warnings have told in full."""
    return f"{', '.join(one.name for one in found)}: no valid values"
