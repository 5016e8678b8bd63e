"""Describe the browse image of a product, for :mod:`.plot` to draw.

A variable of time and altitude becomes a curtain beside its track, one of latitude and longitude a
map, one along a track a profile or a series beside it. Memory does not grow with the product: only
the samples that a picture of bounded size can show are kept while reading.
"""

import os
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from .. import CumulusError
from ..collection.model import BrowseRules
from ..products.classic import refuse_truncated
from ..products.obstacles import refuse_data_elsewhere
from ..products.times import decode
from .sampling import as_floats, evenly, nearest, sample, unwrap

__all__ = ["Axis", "Scene", "write_browse"]

COLUMNS, ROWS = 1000, 500  # largest numbers of cells: about the pixels of a picture
POINTS = 5000  # largest number of samples of a line or a track


def write_browse(product, image, rules=None):
    """Draw a product as a PNG image of 1200 x 675 pixels; the same product gives the same bytes.

    Parameters
    ----------
    product : path-like
        NetCDF or HDF5.
    image : path-like
        Path of the image. It is written under another name and renamed when it is complete.
    rules : cumulus.collection.BrowseRules, optional
        Table [browse] of collection.toml; by default the first variable that makes a picture.

    Raises
    ------
    CumulusError
        The product has nothing to draw or lacks the variable, some of its data lie in other files,
        or matplotlib is not installed.
    """
    rules = rules or BrowseRules()
    from . import plot

    plot.check(rules)
    with _opened(product) as dataset:
        scene = describe(dataset, Path(product).stem, rules)
    _require_positions(scene)
    partial = Path(image).with_name(f".{os.getpid()}.browse.part")
    try:
        plot.draw(scene, rules, partial)
        os.replace(partial, image)
    except OSError as error:
        name = Path(image).name
        raise CumulusError(f"cannot write the browse image {name!r}: {error}") from error
    finally:
        partial.unlink(missing_ok=True)


@dataclass(frozen=True)
class Axis:
    """Values along one side of a picture (1-D array), and the label beside it.

    ``times`` are (units, calendar) where the values are CF times.
    """

    values: object
    label: str
    times: tuple[str, str] | None = None


@dataclass(frozen=True)
class Scene:
    """The content of an image.

    Attributes
    ----------
    kind : str
        "curtain" (values[y, x]), "map" (the same, of longitude and latitude), "swath" (values, x
        and y of the same shape), "profile" (values over y), "series" (values over x), "track".
    values : array or None
        NaN where a value is missing.
    x, y : Axis or None
    track : tuple of two arrays
        Longitude and latitude; empty if the product has none.
    """

    kind: str
    title: str
    label: str = ""
    values: object = None
    x: Axis | None = None
    y: Axis | None = None
    track: tuple = field(default=((), ()))


@contextmanager
def _opened(product):
    import netCDF4

    try:
        refuse_truncated(product)
        refuse_data_elsewhere(product)
        dataset = netCDF4.Dataset(product)
    except OSError as error:
        raise CumulusError(f"cannot open {str(product)!r} for its browse image: {error}") from error
    try:
        yield dataset
    except (RuntimeError, IndexError) as error:
        raise CumulusError(f"cannot read {str(product)!r} for its browse image: {error}") from error
    finally:
        dataset.close()


def describe(dataset, title, rules):
    """Return the Scene of a dataset under the rules of [browse]."""
    from .roles import Roles

    roles = Roles(dataset)
    if rules.variable:
        chosen = roles.find(rules.variable)
        if chosen is None:
            known = ", ".join(sorted(roles.paths)[:8]) or "none"
            raise CumulusError(
                f"[browse] variable {rules.variable!r} is no numeric variable of {title!r}; "
                f"its numeric variables are {known}{', ...' if len(roles.paths) > 8 else ''}"
            )
        views = [roles.view(chosen, chosen=True)]
    else:
        views = sorted(map(roles.view, roles.data()), key=lambda view: view.rank)
    if views and views[0].kind:
        return _scene(views[0], title)
    for latitude, longitude in roles.tracks():
        return Scene("track", title, track=_track(latitude, longitude))
    what = f"variable {rules.variable!r}" if rules.variable else "any variable"
    raise CumulusError(
        f"cannot draw {what} of {title!r}: expected coordinates of time and altitude, or latitude "
        "and longitude; choose a variable in collection.toml: [browse] variable"
    )


def _require_positions(scene):
    """Refuse coordinates that hold fill values and NaN alone."""
    import numpy as np

    axes = [(axis.label, axis.values) for axis in (scene.x, scene.y) if axis is not None]
    if scene.kind == "track":
        axes = [("the track", scene.track[0])]
    for label, values in axes:
        if not np.isfinite(values).any():
            raise CumulusError(f"cannot draw {scene.title!r}: {label} has no valid value")


def _scene(view, title):
    variable = view.variable
    label = _label(variable, "")
    track = _track(view.latitude, view.longitude) if view.along else ((), ())
    if view.kind in ("profile", "series"):
        step = max(1, -(-variable.shape[0] // POINTS))
        x, y = (_axis(axis, slice(None, None, step)) for axis in (view.x, view.y))
        return Scene(view.kind, title, label, as_floats(variable[::step]), x, y, track)
    if view.kind == "swath":
        rows, columns = (evenly(size, ROWS) for size in variable.shape[-2:])
        east, north = (sample(axis, rows, columns) for axis in (view.x, view.y))
        x, y = Axis(unwrap(east), _label(view.x)), Axis(north, _label(view.y))
        return Scene(view.kind, title, label, sample(variable, rows, columns), x, y, track)
    return _raster(view, title, label, track)


def _raster(view, title, label, track):
    """A field on two 1-D axes: each cell of the picture takes the nearest sample."""
    import numpy as np

    along, across = (view.x, view.y) if view.kind == "curtain" else (view.y, view.x)
    sizes = view.variable.shape[-2:]
    most = (COLUMNS, ROWS) if view.kind == "curtain" else (ROWS, COLUMNS)
    picked, axes = [], []
    for size, limit, coordinate in zip(sizes, most, (along, across), strict=True):
        values = np.arange(size, dtype="f8") if coordinate is None else as_floats(coordinate[...])
        if view.kind == "map" and coordinate is view.x:
            values = unwrap(values)
        indices, positions = nearest(values, limit)
        picked.append(indices)
        times = None if coordinate is None else _times(coordinate)
        axes.append(Axis(positions, _label(coordinate, "index"), times))
    rows, columns = (np.maximum(indices, 0) for indices in picked)
    values = sample(view.variable, rows, columns)
    values[picked[0] < 0] = np.nan
    values[:, picked[1] < 0] = np.nan
    if view.kind == "curtain":
        return Scene(view.kind, title, label, values.T, axes[0], axes[1], track)
    return Scene(view.kind, title, label, values, axes[1], axes[0], track)


def _axis(variable, part):
    if variable is None:
        return None
    return Axis(as_floats(variable[part]), _label(variable), _times(variable))


def _times(variable):
    """Units and calendar of a CF time whose dates are those of the Gregorian calendar."""
    units = str(getattr(variable, "units", ""))
    calendar = str(getattr(variable, "calendar", "standard")).lower()
    if calendar not in ("standard", "gregorian", "proleptic_gregorian"):
        return None
    try:
        decode([0.0], units, calendar)
    except (ValueError, OverflowError):
        return None  # a count, not a date
    return units, calendar


def _track(latitude, longitude):
    import numpy as np

    if latitude is None or longitude is None or latitude.ndim != 1:
        return (), ()
    step = slice(None, None, max(1, -(-latitude.shape[0] // POINTS)))
    north, east = as_floats(latitude[step]), as_floats(longitude[step])
    valid = np.isfinite(north) & np.isfinite(east) & (np.abs(north) <= 90) & (np.abs(east) <= 360)
    north, east = north[valid], east[valid]
    return unwrap(east), north


def _label(variable, default=""):
    """Label of an axis or a colour bar: the variable's long name and units."""
    if variable is None:
        return default
    name = str(getattr(variable, "long_name", "") or variable.name)
    units = str(getattr(variable, "units", ""))
    return f"{name} ({units})" if units not in ("", "1") and " since " not in units else name
