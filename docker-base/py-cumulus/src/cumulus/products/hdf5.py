"""Read plain NetCDF-4 files with h5py: the fast half of :mod:`cumulus.products`.

Opening every variable and reading its attributes takes most of the time. The granules of a
collection have the same layout: if an earlier file had the same groups and names, and exactly one
latitude, one longitude and one time, only these three are opened, and their attributes must be the
same. No other variable may have become a coordinate: the file must hold the telling words as often
as before, and variables that have some of them are examined again.
"""

import os
import re
from dataclasses import dataclass, replace

import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5l, h5o

from .hdf5_variable import (
    NotPlain,
    globals_of,
    is_number,
    is_scale,
    is_stored_here,
    read_variable,
    text_of,
)
from .model import TEXTS, Product, is_latitude, is_longitude, is_unnamed_time, is_wanted
from .obstacles import points_elsewhere

__all__ = ["read_plain"]

_DEEPEST = 20  # groups within groups; a deeper file has a circle of links
_MOST_LAYOUTS = 8
_ALIKE = 200_000  # bytes; in a larger file the values take most of the time
_BARE_DIMENSION = "This is a netCDF dimension but not a netCDF variable"
# Metadata is never deflated, and a text stands behind the name of its attribute.
_MAPPING = b"grid_mapping_name"
# The last is that of every time that counts since a reference.
_WORDS = (b"deg", b"itude", _BARE_DIMENSION.lower().encode(), _MAPPING, b" since ")
# Each begins with its own word, to which the search jumps.
_MARKED = tuple(
    re.compile(name + rb"\0[^a-z]{,40}[a-z_ ]{,24}?(?:deg|itude| since )")  # of its own text
    for name in (b"units", b"standard_name")
)
_MARKS = ("deg", "latitude", "longitude", " since ")  # every coordinate has one of these


@dataclass(frozen=True)
class _Layout:
    """How a file is built.

    ``groups`` maps the path of each group to the names in it, ``coordinates`` the path of each
    coordinate to its attributes. ``almost`` are the paths of variables that have telling words,
    but are no coordinates because of their type, axis, dimension or exact attributes; ``unnamed``
    are those that have the units of a time and no name. ``has_mapping``: some have the attribute
    of a grid_mapping; ``has_since``: some may have a text with " since ".
    """

    groups: dict
    names: tuple
    coordinates: dict
    used: frozenset
    almost: tuple
    unnamed: tuple
    has_mapping: bool
    has_since: bool = True


_layouts = {}  # names in the root group, and how often there are which words -> _Layout


def read_plain(path):
    """Read a NetCDF-4 file that says its provenance.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    product : cumulus.products.Product or None
        None: the NetCDF library has to look; it also names a real fault.
    is_whole : bool
        Whether the file is known to hold all of its data; so does the file of every product.
    has_provenance : bool
        False where that is not known.
    """
    is_whole = has_provenance = False
    try:
        file = h5f.open(os.fsencode(path), h5f.ACC_RDONLY)
        root = h5g.open(file, b"/")
        if not h5a.exists(root, b"_NCProperties"):
            return None, is_whole, has_provenance
        has_provenance = True
        content = _small_content(path)
        is_whole = content is not None and not points_elsewhere(content)
        key = _key(content, root) if is_whole else None
        if key in _layouts and (product := _read_alike(root, _layouts[key])):
            return product, is_whole, has_provenance
        groups, datasets = {}, {}
        _collect(root, "/", groups, datasets)
        is_whole = True
        layout = _survey(groups, datasets)
        if key and not key[-1]:
            layout = replace(layout, has_since=False)
        product = _read_alike(root, layout)
        if key and _counts(layout.coordinates.values()) == [1, 1, 1]:
            if len(_layouts) >= _MOST_LAYOUTS:
                _layouts.clear()
            _layouts[key] = layout
        return product, is_whole, has_provenance
    except (NotPlain, OSError, RuntimeError, KeyError, ValueError, TypeError):
        return None, is_whole, has_provenance


def _small_content(path):
    """The bytes of a small file; None for a large one, which is walked through faster."""
    if os.path.getsize(path) > _ALIKE:
        return None
    with open(path, "rb") as file:
        return file.read()


def _key(content, root):
    """What files that are built alike have in common."""
    content = content.lower()
    marked = (len(pattern.findall(content)) for pattern in _MARKED)
    return tuple(root), *marked, *map(content.count, _WORDS)


def _read_alike(root, layout):
    """Read a file that should have this layout; None where its layout differs."""
    for path, names in layout.groups.items():
        if path != "/" and tuple(h5g.open(root, path.encode())) != names:
            return None
    for path in layout.almost:
        dataset = h5o.open(root, path.encode())
        attributes = {key: text_of(dataset, key) for key in TEXTS}
        is_unnamed = path in layout.unnamed
        if _is_coordinate(dataset, attributes) or is_unnamed_time(attributes) != is_unnamed:
            return None
    variables = []
    for path, attributes in layout.coordinates.items():
        dataset = h5o.open(root, path.encode())
        if {key: text_of(dataset, key) for key in TEXTS} != attributes:
            return None
        variables.append(read_variable(path, dataset, attributes))
    variables = _filled_up(variables)
    is_empty = not any(variable.values.size for variable in variables) and all(
        0 in h5o.open(root, name.encode()).shape for name in layout.names
    )
    return Product(
        "NetCDF-4", layout.names, tuple(variables), layout.used, is_empty,
        attributes=globals_of(root), unnamed=layout.unnamed, has_mapping=layout.has_mapping,
        has_since=layout.has_since,
    )  # fmt: skip


def _filled_up(variables):
    """Extend variables to the longest along an unlimited dimension, as the library does.

    The library (4.9) returns uninitialised memory where the second dimension is unlimited.
    """
    lengths = {}
    for variable in variables:
        for dimension, length in zip(variable.dimensions, variable.values.shape, strict=True):
            lengths[dimension] = max(length, lengths.get(dimension, 0))
    return [
        _extended(variable, tuple(lengths[key] for key in variable.dimensions))
        for variable in variables
    ]


def _extended(variable, shape):
    written = variable.values.shape
    if shape == written:
        return variable
    values, present = np.zeros(shape, variable.values.dtype), np.zeros(shape, bool)
    part = tuple(map(slice, written))
    values[part], present[part] = variable.values, variable.present
    return replace(variable, values=values, present=present)


# --- the layout ------------------------------------------------------------------------------


def _survey(groups, datasets):
    coordinates, almost = {}, {}
    for path, dataset in datasets.items():
        attributes = {key: text_of(dataset, key) for key in TEXTS[:2]}
        text = " ".join(attributes.values()).lower()
        if not any(word in text for word in _MARKS):
            continue  # two attributes are enough to exclude almost every variable
        if _is_named_outside(path, groups):
            raise NotPlain  # only the library knows whether a dimension has its name
        attributes |= {key: text_of(dataset, key) for key in TEXTS[2:]}
        if _is_coordinate(dataset, attributes):
            coordinates[path] = attributes
        else:
            almost[path] = attributes
    unnamed = [path for path, attributes in almost.items() if is_unnamed_time(attributes)]
    used = frozenset()
    # Then the attribute coordinates of the data decides.
    if unnamed or max(_counts(coordinates.values())) > 1:
        texts = (text_of(dataset, "coordinates") for dataset in datasets.values())
        used = frozenset(name for text in texts for name in text.split())
    for path in unnamed:
        if path.rpartition("/")[2] in used and is_number(datasets[path]):
            coordinates[path] = almost.pop(path)
    has_mapping = any(h5a.exists(dataset, _MAPPING) for dataset in datasets.values())
    return _Layout(
        groups, tuple(datasets), coordinates, used, tuple(almost), tuple(unnamed), has_mapping
    )


def _is_named_outside(path, groups):
    """Whether a group around that of a variable has something of the same name."""
    name = path.rpartition("/")[2]
    return any(
        path.startswith(group) and name.encode() in names and group + name != path
        for group, names in groups.items()
    )


def _is_coordinate(dataset, attributes):
    is_axis = is_scale(dataset) and len(dataset.shape) == 1
    return is_number(dataset) and is_wanted(attributes, is_axis)


def _collect(group, path, groups, datasets, depth=0):
    """Open all groups and datasets.

    Raises
    ------
    NotPlain
        There is a link, or a dataset that is not stored here: both may lead into other files.
    """
    groups[path] = tuple(group)
    # Such a name is none of NetCDF.
    if depth > _DEEPEST or any(raw.startswith(b"_nc4_non_coord_") for raw in groups[path]):
        raise NotPlain
    children = []
    for raw in groups[path]:
        name = raw.decode()
        if group.links.get_info(raw).type != h5l.TYPE_HARD:
            raise NotPlain
        child = h5o.open(group, raw)
        if isinstance(child, h5g.GroupID):
            children.append((child, f"{path}{name}/"))
        elif isinstance(child, h5d.DatasetID):
            if not is_stored_here(child):
                raise NotPlain
            if not (is_scale(child) and text_of(child, "NAME").startswith(_BARE_DIMENSION)):
                datasets[path + name] = child
    for child, child_path in children:
        _collect(child, child_path, groups, datasets, depth + 1)


def _counts(coordinates):
    """How many latitudes, longitudes and times there are."""
    kinds = (is_latitude, is_longitude, lambda attributes: " since " in attributes["units"])
    return [sum(map(kind, coordinates)) for kind in kinds]
