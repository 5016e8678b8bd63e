"""Plain NetCDF-4 files by way of h5py: the fast half of :mod:`cumulus.products`.

Opening every variable of a file and reading its attributes is what takes time. The granules of a
collection are built alike: where a file before had the same groups and names, and in it just one
latitude, one longitude and one time, only these three are opened, and must still be what they were.
Nor may another variable have become one of them: the words that tell them are as often in the file,
in as many of the attributes that count, and what has some of them is looked at again.
"""

import os
import re
from dataclasses import dataclass, replace

import h5py
import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5l, h5o, h5r, h5s, h5t

from .model import TEXTS, Product, Variable, is_latitude, is_longitude, is_wanted

__all__ = ["read_plain"]

# Attributes that change what stored values mean, or what they cover: the NetCDF library applies
# them, or is asked for the bounds.
_MASKING = (b"scale_factor", b"add_offset", b"missing_value", b"valid_min", b"valid_max",
            b"valid_range", b"_Unsigned", b"bounds", b"climatology")  # fmt: skip
_DEEPEST = 20  # groups within groups; more is a circle
_MOST_LAYOUTS = 8
_ALIKE = 200_000  # bytes; in a larger file opening every variable is not what takes time
_BARE_DIMENSION = "This is a netCDF dimension but not a netCDF variable"
# Metadata is never deflated, and a text stands behind the name of its attribute.
_WORDS = (b"degree", b"itude", b" since ", _BARE_DIMENSION.lower().encode())
_MARKED = re.compile(
    rb"(?:units|standard_name)\0[^a-z]{,40}[a-z_ ]{,24}?(?:degree|itude| since )"  # of its own text
)
_MARKS = ("degree", "latitude", "longitude", " since ")  # one is in each that counts


class _NotPlain(Exception):
    """Something that only the NetCDF library understands."""


@dataclass(frozen=True)
class _Layout:
    """How a file is built.

    ``groups`` maps the path of each group to the names in it, ``coordinates`` the path of each
    coordinate to its attributes. ``almost`` are paths of what only its type, axis, dimension or
    more exact words keep from being one.
    """

    groups: dict
    names: tuple
    coordinates: dict
    used: frozenset
    almost: tuple


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
    """Read a file that should have this layout; None where it has not."""
    for place, names in layout.groups.items():
        if place != "/" and tuple(h5g.open(root, place.encode())) != names:
            return None
    for place in layout.almost:
        dataset = h5o.open(root, place.encode())
        if _is_coordinate(dataset, {key: _text(dataset, key) for key in TEXTS}):
            return None
    found = []
    for place, attributes in layout.coordinates.items():
        dataset = h5o.open(root, place.encode())
        if {key: _text(dataset, key) for key in TEXTS} != attributes:
            return None
        found.append(_variable(place, dataset, attributes))
    found = _filled_up(found)
    is_empty = not any(one.values.size for one in found) and all(
        0 in h5o.open(root, name.encode()).shape for name in layout.names
    )
    return Product("NetCDF-4", layout.names, tuple(found), layout.used, is_empty)


def _filled_up(variables):
    """Make variables as long as the longest along an unlimited dimension, as the library does.

    Where the second dimension is an unlimited one, the library (4.9) fills up with other memory.
    """
    lengths = {}
    for one in variables:
        for dimension, length in zip(one.dimensions, one.values.shape, strict=True):
            lengths[dimension] = max(length, lengths.get(dimension, 0))
    return [_extended(one, tuple(lengths[key] for key in one.dimensions)) for one in variables]


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
    coordinates, almost = {}, []
    for path, dataset in datasets.items():
        attributes = {key: _text(dataset, key) for key in TEXTS[:2]}
        said = " ".join(attributes.values()).lower()
        if not any(word in said for word in _MARKS):
            continue  # two attributes tell this of almost every variable
        if _is_named_outside(path, groups):
            raise _NotPlain  # it may be named as its dimension, of which only the library knows
        attributes |= {key: _text(dataset, key) for key in TEXTS[2:]}
        if _is_coordinate(dataset, attributes):
            coordinates[path] = attributes
        else:
            almost.append(path)
    used = frozenset()
    if max(_counts(coordinates.values())) > 1:  # which of them the data name decides
        texts = (_text(one, "coordinates") for one in datasets.values())
        used = frozenset(name for text in texts for name in text.split())
    return _Layout(groups, tuple(datasets), coordinates, used, tuple(almost))


def _is_named_outside(path, groups):
    """Whether a group around that of a variable has something of the same name."""
    name = path.rpartition("/")[2]
    return any(
        path.startswith(place) and name.encode() in names and place + name != path
        for place, names in groups.items()
    )


def _is_coordinate(dataset, attributes):
    is_number = dataset.get_type().get_class() in (h5t.INTEGER, h5t.FLOAT)
    return is_number and is_wanted(attributes, _is_scale(dataset) and len(dataset.shape) == 1)


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
        one = h5o.open(group, raw)
        if isinstance(one, h5g.GroupID):
            children.append((one, f"{path}{name}/"))
        elif isinstance(one, h5d.DatasetID) and not (
            _is_scale(one) and _text(one, "NAME").startswith(_BARE_DIMENSION)
        ):
            datasets[path + name] = one
    for child, place in children:
        _collect(child, place, groups, datasets, depth + 1)


def _counts(found):
    """How many latitudes, longitudes and times there are."""
    kinds = (is_latitude, is_longitude, lambda attributes: " since " in attributes["units"])
    return [sum(map(kind, found)) for kind in kinds]


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
        found = np.ravel(h5py.AttributeManager(h5py.Dataset(dataset))[name])
        if len(found) != 1:
            raise _NotPlain
        return str(found[0]).strip()
    found = np.empty((), dtype=f"S{size}")
    attribute.read(found, kind)  # as it is stored: no type to be made
    return found.item().decode("utf-8", "replace").strip()


def _variable(path, dataset, attributes):
    if any(h5a.exists(dataset, name) for name in _MASKING):
        raise _NotPlain
    group, _, name = path.rpartition("/")
    # Where none was written one fill value stands for all: a file of some KB may have billions.
    is_written = dataset.get_storage_size() > 0
    values = np.empty(dataset.shape if is_written else (), dataset.dtype)
    if is_written:
        dataset.read(h5s.ALL, h5s.ALL, values)
    else:
        dataset.get_create_plist().get_fill_value(values)
    present = np.isfinite(values) & (values != _fill(dataset, values.dtype))
    values, present = (np.broadcast_to(one, dataset.shape) for one in (values, present))
    dimensions = _dimensions(dataset)
    is_coordinate = dimensions == (_identity(dataset),)
    return Variable(name, group or "/", dimensions, is_coordinate, attributes, values, present)


def _fill(dataset, dtype):
    if not h5a.exists(dataset, b"_FillValue"):
        if dtype.itemsize == 1:
            raise _NotPlain  # whether every byte may be data is the library's to know
        import netCDF4  # has the library's default fill values

        return netCDF4.default_fillvals[dtype.str[1:]]
    found = _read(dataset, b"_FillValue")
    if found.size != 1 or found.dtype.kind not in "iuf":
        raise _NotPlain
    return found.ravel()[0]


def _dimensions(dataset):
    """A dimension is known by the object that is its scale: its name takes long to find."""
    if not dataset.shape:
        return ()
    if not h5a.exists(dataset, b"DIMENSION_LIST"):
        if _is_scale(dataset) and len(dataset.shape) == 1:
            return (_identity(dataset),)
        raise _NotPlain
    scales = (h5r.dereference(one[0], dataset) for one in _read(dataset, b"DIMENSION_LIST"))
    return tuple(_identity(one) for one in scales)


def _identity(dataset):
    return h5g.get_objinfo(dataset).objno


def _read(dataset, name):
    attribute = h5a.open(dataset, name)
    found = np.empty(attribute.shape, attribute.dtype)
    attribute.read(found)
    return found
