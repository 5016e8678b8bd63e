"""Why a product's coordinates do not say when or where it was observed."""

from ..products.inspection import is_latitude, is_longitude, is_time

__all__ = ["why_unknown"]


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
