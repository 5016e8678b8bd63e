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

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5l, h5o, h5r, h5s, h5t

from .memory import ensure_fits
from .model import (
    GLOBALS,
    NO_TIME,
    TEXTS,
    Product,
    Variable,
    is_latitude,
    is_longitude,
    is_unnamed_time,
    is_wanted,
)

__all__ = ["read_plain"]

# Attributes that change the meaning of stored values, or what the values cover: these are left to
# the NetCDF reader.
_MASKING = (b"scale_factor", b"add_offset", b"missing_value", b"valid_min", b"valid_max",
            b"valid_range", b"_Unsigned", b"bounds", b"climatology")  # fmt: skip
_DEEPEST = 20  # groups within groups; a deeper file has a circle of links
_MOST_LAYOUTS = 8
_ALIKE = 200_000  # bytes; in a larger file the values take most of the time
_BARE_DIMENSION = "This is a netCDF dimension but not a netCDF variable"
# Metadata is never deflated, and a text stands behind the name of its attribute.
_WORDS = (b"deg", b"itude", b" since ", _BARE_DIMENSION.lower().encode())
_MARKED = re.compile(
    rb"(?:units|standard_name)\0[^a-z]{,40}[a-z_ ]{,24}?(?:deg|itude| since )"  # of its own text
)
_MARKS = ("deg", "latitude", "longitude", " since ")  # every coordinate has one of these


class _NotPlain(Exception):
    """The file has something that only the NetCDF library understands."""


@dataclass(frozen=True)
class _Layout:
    """How a file is built.

    ``groups`` maps the path of each group to the names in it, ``coordinates`` the path of each
    coordinate to its attributes. ``almost`` are the paths of variables that have telling words,
    but are no coordinates because of their type, axis, dimension or exact attributes; ``unnamed``
    are those that have the units of a time and no name.
    """

    groups: dict
    names: tuple
    coordinates: dict
    used: frozenset
    almost: tuple
    unnamed: tuple


_layouts = {}  # names in the root group, and how often there are which words -> _Layout


def read_plain(path):
    """Read a NetCDF-4 file that says its provenance.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    cumulus.products.Product or None
        None: the NetCDF library has to look; it also names a real fault.
    """
    try:
        file = h5f.open(os.fsencode(path), h5f.ACC_RDONLY)
        root = h5g.open(file, b"/")
        if not h5a.exists(root, b"_NCProperties"):
            return None
        key = _key(path, root)
        if key in _layouts and (product := _read_alike(root, _layouts[key])):
            return product
        layout = _survey(root)
        product = _read_alike(root, layout)
        if key and _counts(layout.coordinates.values()) == [1, 1, 1]:
            if len(_layouts) >= _MOST_LAYOUTS:
                _layouts.clear()
            _layouts[key] = layout
        return product
    except (_NotPlain, OSError, RuntimeError, KeyError, ValueError, TypeError):
        return None


def _key(path, root):
    """What files that are built alike have in common; None for a large file."""
    if os.path.getsize(path) > _ALIKE:
        return None
    with open(path, "rb") as file:
        content = file.read().lower()
    return tuple(root), len(_MARKED.findall(content)), *map(content.count, _WORDS)


def _read_alike(root, layout):
    """Read a file that should have this layout; None where its layout differs."""
    for path, names in layout.groups.items():
        if path != "/" and tuple(h5g.open(root, path.encode())) != names:
            return None
    for path in layout.almost:
        dataset = h5o.open(root, path.encode())
        attributes = {key: _text(dataset, key) for key in TEXTS}
        is_unnamed = path in layout.unnamed
        if _is_coordinate(dataset, attributes) or is_unnamed_time(attributes) != is_unnamed:
            return None
    variables = []
    for path, attributes in layout.coordinates.items():
        dataset = h5o.open(root, path.encode())
        if {key: _text(dataset, key) for key in TEXTS} != attributes:
            return None
        variables.append(_variable(path, dataset, attributes))
    variables = _filled_up(variables)
    is_empty = not any(variable.values.size for variable in variables) and all(
        0 in h5o.open(root, name.encode()).shape for name in layout.names
    )
    return Product(
        "NetCDF-4", layout.names, tuple(variables), layout.used, is_empty,
        attributes=_globals(root), unnamed=layout.unnamed,
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


def _survey(root):
    groups, datasets = {}, {}
    _collect(root, "/", groups, datasets)
    coordinates, almost = {}, {}
    for path, dataset in datasets.items():
        attributes = {key: _text(dataset, key) for key in TEXTS[:2]}
        text = " ".join(attributes.values()).lower()
        if not any(word in text for word in _MARKS):
            continue  # two attributes are enough to exclude almost every variable
        if _is_named_outside(path, groups):
            raise _NotPlain  # only the library knows whether a dimension has its name
        attributes |= {key: _text(dataset, key) for key in TEXTS[2:]}
        if _is_coordinate(dataset, attributes):
            coordinates[path] = attributes
        else:
            almost[path] = attributes
    unnamed = [path for path, attributes in almost.items() if is_unnamed_time(attributes)]
    used = frozenset()
    # Then the attribute coordinates of the data decides.
    if unnamed or max(_counts(coordinates.values())) > 1:
        texts = (_text(dataset, "coordinates") for dataset in datasets.values())
        used = frozenset(name for text in texts for name in text.split())
    for path in unnamed:
        if path.rpartition("/")[2] in used and _is_number(datasets[path]):
            coordinates[path] = almost.pop(path)
    return _Layout(groups, tuple(datasets), coordinates, used, tuple(almost), tuple(unnamed))


def _is_named_outside(path, groups):
    """Whether a group around that of a variable has something of the same name."""
    name = path.rpartition("/")[2]
    return any(
        path.startswith(group) and name.encode() in names and group + name != path
        for group, names in groups.items()
    )


def _is_number(dataset):
    return dataset.get_type().get_class() in (h5t.INTEGER, h5t.FLOAT)


def _is_coordinate(dataset, attributes):
    is_axis = _is_scale(dataset) and len(dataset.shape) == 1
    return _is_number(dataset) and is_wanted(attributes, is_axis)


def _collect(group, path, groups, datasets, depth=0):
    groups[path] = tuple(group)
    children = []
    for raw in groups[path]:
        name = raw.decode()
        if (
            depth > _DEEPEST
            or name.startswith("_nc4_non_coord_")  # not its name in NetCDF
            or group.links.get_info(raw).type != h5l.TYPE_HARD
        ):
            raise _NotPlain
        child = h5o.open(group, raw)
        if isinstance(child, h5g.GroupID):
            children.append((child, f"{path}{name}/"))
        elif isinstance(child, h5d.DatasetID) and not (
            _is_scale(child) and _text(child, "NAME").startswith(_BARE_DIMENSION)
        ):
            datasets[path + name] = child
    for child, child_path in children:
        _collect(child, child_path, groups, datasets, depth + 1)


def _counts(coordinates):
    """How many latitudes, longitudes and times there are."""
    kinds = (is_latitude, is_longitude, lambda attributes: " since " in attributes["units"])
    return [sum(map(kind, coordinates)) for kind in kinds]


# --- one variable ----------------------------------------------------------------------------


def _is_scale(dataset):
    return h5a.exists(dataset, b"CLASS")


def _text(dataset, name):
    """A text attribute; "" where there is none."""
    raw = name.encode()
    if not h5a.exists(dataset, raw):
        return ""
    attribute = h5a.open(dataset, raw)
    kind = attribute.get_type()
    if not isinstance(kind, h5t.TypeStringID):
        return ""  # a number is none of the texts that are looked for
    size = kind.get_size()
    if kind.is_variable_str() or attribute.get_storage_size() != size:
        texts = np.ravel(h5py.AttributeManager(h5py.Dataset(dataset))[name])
        if len(texts) != 1:
            raise _NotPlain
        return str(texts[0]).strip()
    text = np.empty((), dtype=f"S{size}")
    attribute.read(text, kind)  # as it is stored: no type has to be built
    return text.item().decode("utf-8", "replace").strip()


def _globals(root):
    """Attributes of the file that tell time and place: texts, and numbers of one value."""
    attributes = {}
    for key in GLOBALS:
        if h5a.exists(root, key.encode()):
            attributes[key] = _text(root, key) or _number(root, key)
    return attributes


def _number(root, key):
    attribute = h5a.open(root, key.encode())
    if attribute.get_type().get_class() not in (h5t.INTEGER, h5t.FLOAT):
        return ""
    values = _read(root, key.encode()).ravel()
    return values[0].item() if values.size == 1 else ""


def _variable(path, dataset, attributes):
    if any(h5a.exists(dataset, name) for name in _MASKING):
        raise _NotPlain
    group, _, name = path.rpartition("/")
    # A small file may declare billions of unwritten values: one fill value is broadcast then.
    is_written = dataset.get_storage_size() > 0
    if is_written:
        ensure_fits(path, dataset.shape, dataset.dtype.itemsize)
    values = np.empty(dataset.shape if is_written else (), dataset.dtype)
    if is_written:
        dataset.read(h5s.ALL, h5s.ALL, values)
    else:
        dataset.get_create_plist().get_fill_value(values)
    present = np.isfinite(values) & (values != _fill(dataset, values.dtype)) & (values != NO_TIME)
    values, present = (np.broadcast_to(array, dataset.shape) for array in (values, present))
    dimensions = _dimensions(dataset)
    is_coordinate = dimensions == (_identity(dataset),)
    return Variable(name, group or "/", dimensions, is_coordinate, attributes, values, present)


def _fill(dataset, dtype):
    if not h5a.exists(dataset, b"_FillValue"):
        if dtype.itemsize == 1:
            raise _NotPlain  # only the library knows whether every byte may be data
        import netCDF4  # has the library's default fill values

        return netCDF4.default_fillvals[dtype.str[1:]]
    fill = _read(dataset, b"_FillValue")
    if fill.size != 1 or fill.dtype.kind not in "iuf":
        raise _NotPlain
    return fill.ravel()[0]


def _dimensions(dataset):
    """Dimensions, identified by the object of their scale: to find their names takes long."""
    if not dataset.shape:
        return ()
    if not h5a.exists(dataset, b"DIMENSION_LIST"):
        if _is_scale(dataset) and len(dataset.shape) == 1:
            return (_identity(dataset),)
        raise _NotPlain
    scales = (
        h5r.dereference(references[0], dataset) for references in _read(dataset, b"DIMENSION_LIST")
    )
    return tuple(_identity(scale) for scale in scales)


def _identity(dataset):
    return h5g.get_objinfo(dataset).objno


def _read(dataset, name):
    attribute = h5a.open(dataset, name)
    values = np.empty(attribute.shape, attribute.dtype)
    attribute.read(values)
    return values
