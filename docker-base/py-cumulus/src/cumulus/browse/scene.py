"""Describe the browse image of a product, for :mod:`.plot` to draw.

A variable of time and altitude becomes a curtain beside its track, one of latitude and longitude a
map, one along a track a profile or a series beside it. Memory does not grow with the product: only
the samples that a picture of bounded size can show are kept while reading.
"""

import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import CumulusError
from ..collection.model import BrowseRules
from ..logutils.logger import log_warning
from ..products.classic import refuse_truncated
from ..products.obstacles import refuse_data_elsewhere
from ..products.times import decode
from .roles import Roles, long_axes
from .sampling import evenly, line, nearest, sample, unwrap
from .title import times_of

__all__ = ["Axis", "Scene", "write_browse"]

COLUMNS, ROWS = 1000, 500  # largest numbers of cells: about the pixels of a picture
WIDEST = 100  # letters of a line of the title
MOST_LEVELS = 4 * ROWS  # of a profile, where each has altitudes of its own
POINTS = 5000  # largest number of samples of a line or a track


def write_browse(product, image, rules=None, collection=""):
    """Draw a product as a PNG image of 1200 x 675 pixels; the same product gives the same bytes.

    Parameters
    ----------
    product : path-like
        NetCDF or HDF5.
    image : path-like
        Path of the image. It is written under another name and renamed when it is complete.
    rules : cumulus.collection.BrowseRules, optional
        Table [browse] of collection.toml; by default the first variable that makes a picture.
    collection : str, optional
        Short name and version, for the title beside the granule's name and its time.

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
        parts = (collection, scene.title, times_of(dataset, scene))
        title = " · ".join(filter(None, parts))
        if len(title) > WIDEST:
            title = "\n".join(title.rsplit(" · ", 1))
        scene = replace(scene, title=title)
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
        "curtain" (values[y, x]), "map" (the same, of longitude and latitude), "grid" (the same, of
        other coordinates), "swath" (values, x and y of the same shape),
        "profile" (values over y), "series" (values over x), "track".
    values : array or None
        NaN where a value is missing.
    x, y : Axis or None
    track : tuple of two arrays
        Longitude and latitude; empty if the product has none.
    note : str
        Which part of the variable is shown, "" for all of it.
    """

    kind: str
    title: str
    label: str = ""
    values: object = None
    x: Axis | None = None
    y: Axis | None = None
    track: tuple = field(default=((), ()))
    note: str = ""


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
        if views:
            names = ", ".join(view.variable.name for view in views[:3])
            log_warning(
                f"{title}: only the track is drawn: no coordinates of a picture belong to {names}"
                f"{', ...' if len(views) > 3 else ''}"
            )
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
    track = _track(view.latitude, view.longitude) if view.along else ((), ())
    scene = Scene(view.kind, title, _label(variable, ""), track=track, note=_note(view))
    if view.kind in ("profile", "series"):
        step = max(1, -(-variable.shape[view.axes[0]] // POINTS))
        x, y = (_axis(axis, step) for axis in (view.x, view.y))
        return replace(scene, values=line(variable, step, view.axes[0]), x=x, y=y)
    if view.kind == "swath":
        return replace(scene, **_swath(view))
    if view.kind == "curtain" and len(long_axes(view.y)) == 2:
        return replace(scene, **_uneven(view))
    return replace(scene, **_raster(view))


def _note(view):
    """Which part of the variable the picture shows, "" if it shows all."""
    variable = view.variable
    others = [axis for axis in long_axes(variable) if axis not in view.axes]
    parts = [f"{variable.dimensions[axis]}: first of {variable.shape[axis]}" for axis in others]
    if view.kind == "swath":
        steps = [-(-variable.shape[axis] // ROWS) for axis in view.axes]
        if max(steps) > 1:
            parts.append(f"every {_ordinal(steps[0])} row and {_ordinal(steps[1])} column")
    return "; ".join(parts)


def _ordinal(number):
    """
    >>> [_ordinal(number) for number in (1, 2, 3, 11, 22)]
    ['1st', '2nd', '3rd', '11th', '22nd']
    """
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def _swath(view):
    """Values and positions of the pixels of a swath; NaN where either is missing."""
    rows, columns = (evenly(view.variable.shape[axis], ROWS) for axis in view.axes)
    values = sample(view.variable, view.axes, rows, columns)
    east, north = (sample(axis, long_axes(axis), rows, columns) for axis in (view.x, view.y))
    located = (abs(north) <= 90) & (abs(east) <= 540)  # some products count on beyond 360
    east[~located] = north[~located] = float("nan")
    x, y = Axis(unwrap(east), _label(view.x)), Axis(north, _label(view.y))
    return {"values": values, "x": x, "y": y}


def _uneven(view):
    """A curtain with an altitude of each sample, on altitudes that all its profiles share."""
    import numpy as np

    from .uneven import on_common_levels

    variable, (up, right) = view.variable, view.axes
    indices, axis = _cells(view, right, view.x, COLUMNS)
    levels, columns = evenly(variable.shape[up], MOST_LEVELS), np.maximum(indices, 0)
    axes = [view.y.dimensions.index(variable.dimensions[number]) for number in (up, right)]
    heights = sample(view.y, tuple(axes), levels, columns)
    values, altitudes = on_common_levels(
        sample(variable, view.axes, levels, columns), heights, ROWS
    )
    values[:, indices < 0] = np.nan
    return {"values": values, "y": Axis(altitudes, _label(view.y)), "x": axis}


def _raster(view):
    """A field on two 1-D axes: each cell of the picture takes the nearest sample."""
    import numpy as np

    limits = (ROWS, COLUMNS)
    picked, axes = zip(*map(_cells, [view] * 2, view.axes, (view.y, view.x), limits), strict=True)
    rows, columns = (np.maximum(indices, 0) for indices in picked)
    values = sample(view.variable, view.axes, rows, columns)
    values[picked[0] < 0] = np.nan
    values[:, picked[1] < 0] = np.nan
    return {"values": values, "y": axes[0], "x": axes[1]}


def _cells(view, number, coordinate, limit):
    """Samples along a dimension for equally spaced cells, -1 in a gap, and the Axis of these."""
    import numpy as np

    if coordinate is None:
        values = np.arange(view.variable.shape[number], dtype="f8")
    else:
        values = line(coordinate)
    if view.kind == "map" and coordinate is view.x:
        values = unwrap(values)
    indices, positions = nearest(values, limit)
    times = None if coordinate is None else _times(coordinate)
    return indices, Axis(positions, _label(coordinate, "index"), times)


def _axis(variable, step):
    if variable is None:
        return None
    return Axis(line(variable, step), _label(variable), _times(variable))


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

    if latitude is None or longitude is None or latitude.size != longitude.size:
        return (), ()
    step = max(1, -(-latitude.size // POINTS))
    north, east = line(latitude, step), line(longitude, step)
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
