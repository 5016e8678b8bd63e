"""The content of an HDF5 file that the NetCDF library leaves out or shows in part, read with h5py.

The library skips types that it does not know without a message, shows only the first letter of a
text within a compound, and crashes on numbers of unusual sizes. The classes here have the same
attributes and methods as those of netCDF4, so that both are compared in the same way.
"""

import contextlib
import itertools
from dataclasses import dataclass

import h5py
import numpy as np
from h5py import h5a, h5d, h5ds, h5g, h5l, h5o, h5t

from ..products.obstacles import find_data_elsewhere
from .model import Unreadable
from .values import whole

__all__ = ["Attribute", "HDF5File", "HDF5Variable", "is_complete"]

# Attributes that the NetCDF library writes for itself: provenance, and the dimensions of variables.
_LIBRARY = {b"_NCProperties", b"_nc3_strict", b"_Netcdf4Dimid", b"_Netcdf4Coordinates",
            b"DIMENSION_LIST", b"REFERENCE_LIST"}  # fmt: skip
_SCALE = {b"CLASS", b"NAME"}  # of a dimension scale
_EMPTY_FAILS = "from NULL pointer"  # h5py 3.13 fails so on an empty sequence of compounds
_DECODED = "utf-8", "surrogateescape"  # keeps bytes that are not UTF-8


@dataclass(frozen=True, repr=False)
class Attribute:
    """An attribute of a type that the NetCDF library does not know."""

    kind: str
    value: np.ndarray

    def __repr__(self):
        return whole(self.value)


class HDF5Variable:
    """A dataset read with h5py, with the part of a netCDF4.Variable that the comparison uses.

    Parameters
    ----------
    dataset : h5py.h5d.DatasetID
    where : str
        Its path.
    shown : netCDF4.Variable, optional
        The same dataset in the NetCDF library, which gives its dimensions and attributes.
    """

    def __init__(self, dataset, where, shown=None):
        kind = dataset.get_type()
        is_text = kind.get_class() == h5t.STRING
        self.kind = "string" if is_text else _type_text(kind, where)
        self.shown, self.where = shown, where
        self.data = h5py.Dataset(dataset)
        self.reader = self.data.asstr(*_DECODED) if is_text else self.data
        with _named(where, self.kind):
            self.dtype = self.data.dtype.base
        is_number = kind.get_class() in (h5t.INTEGER, h5t.FLOAT)
        self.datatype = self.dtype if is_number else None
        self.shape = (0,) if self.data.shape is None else self.data.shape + self.data.dtype.shape
        self.dimensions = shown.dimensions if shown is not None else ()

    def __getattr__(self, name):  # such as units, coordinates, group
        return getattr(self.shown, name)

    def __getitem__(self, index):
        inner = len(self.data.shape)  # further indices go into the array of each element
        with _named(self.where, self.kind):
            try:
                return self.reader[index[:inner] or ...][(..., *index[inner:])]
            except ValueError as error:
                if _EMPTY_FAILS not in str(error):
                    raise
                return _one_by_one(self.data, index)

    def chunking(self):
        """Return the lengths of a chunk, as netCDF4.Variable does."""
        return self.data.chunks and [*self.data.chunks, *self.data.dtype.shape]

    def ncattrs(self):
        """Return the attributes that the NetCDF library shows; a hidden dataset has none."""
        return self.shown.ncattrs() if self.shown is not None else []


def _one_by_one(data, slices):
    """Read sequences one by one; a sequence that h5py fails on is empty."""
    ranges = [range(part.start, part.stop) for part in slices]
    values = np.empty([len(part) for part in ranges], object)
    for at, index in zip(np.ndindex(values.shape), itertools.product(*ranges), strict=True):
        try:
            values[at] = data[index]
        except ValueError as error:
            if _EMPTY_FAILS not in str(error):
                raise
            values[at] = np.empty(0, h5py.check_vlen_dtype(data.dtype))
    return values


class HDF5File:
    """A file opened with h5py; a file that is not HDF5 has no hidden content."""

    def __init__(self, path):
        self.path, self.file = path, None
        self.last_object = None, None  # path and object of the last look-up

    def __enter__(self):
        if h5py.is_hdf5(self.path):
            self.file = h5py.File(self.path, "r")
        return self

    def __exit__(self, *_):
        if self.file:
            self.file.close()

    def object(self, where):
        """Return the HDF5 object behind a variable or group.

        A variable that has the name of a dimension and is not its coordinate is stored under
        another name: the scale of the dimension has the first.
        """
        if self.last_object[0] != where:
            group, _, name = where.rpartition("/")
            other = f"{group}/_nc4_non_coord_{name}".encode()
            path = other if name and other in self.file.id else where.encode()
            self.last_object = where, h5o.open(self.file.id, path)
        return self.last_object[1]

    def variable(self, where, shown):
        """Return the variable itself if the NetCDF library shows it whole, else its dataset."""
        if self.file is None or isinstance(shown, HDF5Variable):
            return shown
        dataset = self.object(where)
        return shown if _is_plain(dataset.get_type()) else HDF5Variable(dataset, where, shown)

    def attributes(self, where, shown):
        """Return the attributes of a variable or group that are not in ``shown``, by name."""
        if self.file is None:
            return {}
        holder, names = self.object(where), set()
        h5a.iterate(holder, names.add)
        names -= _LIBRARY
        names -= {name.encode(*_DECODED) for name in shown}
        if names & _SCALE and isinstance(holder, h5d.DatasetID) and h5ds.is_scale(holder):
            names -= _SCALE
        return {name.decode(*_DECODED): _attribute(holder, name, where) for name in sorted(names)}

    def texts(self, where, name):
        """Return the stored texts of an attribute with fixed-length texts, else None.

        The NetCDF library ends a text of fixed length at its first zero byte.
        """
        if self.file is None:
            return None
        attribute = h5a.open(self.object(where), name.encode(*_DECODED))
        kind = attribute.get_type()
        if kind.get_class() != h5t.STRING or kind.is_variable_str():
            return None
        values = np.empty(attribute.shape, attribute.dtype)
        attribute.read(values)
        return [text.decode(*_DECODED) for text in values.ravel().tolist()]

    def members(self, where, group):
        """Return the members of a group that the NetCDF library does not show.

        Returns
        -------
        datasets, types, links : dict
            Name to `HDF5Variable`, to a description, to the target.
        """
        hidden = datasets, types, links = {}, {}, {}
        if self.file is None:
            return hidden
        here = self.object(where)
        shown = {*group.variables, *group.groups, *group.cmptypes, *group.vltypes, *group.enumtypes}
        for raw in here:
            name = raw.decode(*_DECODED)
            if name.removeprefix("_nc4_non_coord_") in shown:
                continue
            inside = where.rstrip("/") + "/" + name
            if target := _target(here, raw):
                links[name] = target
                continue
            member = h5o.open(here, raw)
            if isinstance(member, h5g.GroupID):
                raise Unreadable(
                    f"cannot compare {str(self.path)!r}: the NetCDF library does not show the "
                    f"group {inside}"
                )
            if isinstance(member, h5t.TypeID):
                types[name] = _type_text(member, inside)
            elif name not in group.dimensions or not h5ds.is_scale(member):
                datasets[name] = HDF5Variable(member, inside)
        return hidden


def is_complete(path):
    """Return whether every attribute of an HDF5 file opens, and no data are in other files.

    External links, external storage and virtual datasets show the content of other files.
    """

    def look_at_attributes(name):
        member = h5o.open(file.id, name)
        h5a.iterate(member, lambda attribute: h5a.open(member, attribute).get_type() and None)

    try:
        with h5py.File(path, "r") as file:
            if find_data_elsewhere(file.id):
                return False
            look_at_attributes(b".")
            h5o.visit(file.id, look_at_attributes)
            return True
    except (OSError, RuntimeError, ValueError, TypeError, KeyError):
        return False


def _is_plain(kind):
    """Return whether the NetCDF library reads a type without loss."""
    if kind.get_class() == h5t.STRING:  # a letter each: NC_CHAR
        return not kind.is_variable_str() and kind.get_size() == 1
    sizes = {h5t.INTEGER: (1, 2, 4, 8), h5t.FLOAT: (4, 8)}
    return kind.get_size() in sizes.get(kind.get_class(), ())


def _target(group, name):
    """Return the target of a soft, external or user-defined link; empty for a hard link."""
    link = group.links.get_info(name)
    if link.type == h5l.TYPE_HARD:
        return ""
    if link.type in (h5l.TYPE_SOFT, h5l.TYPE_EXTERNAL):
        return str(group.links.get_val(name))
    return f"a link of type {link.type}"


@contextlib.contextmanager
def _named(where, kind):
    """Name the dataset or attribute that cannot be read: damage, or a type unknown to NumPy."""
    try:
        yield
    except (OSError, TypeError, ValueError) as error:
        raise Unreadable(f"cannot read {where} ({kind}): {error}") from error


def _attribute(holder_id, raw, where):
    name = raw.decode(*_DECODED)
    where = f"{where}: attribute {name}"
    kind = _type_text(h5a.open(holder_id, raw).get_type(), where)
    holder = (
        h5py.Group(holder_id) if isinstance(holder_id, h5g.GroupID) else h5py.Dataset(holder_id)
    )
    with _named(where, kind):
        value = holder.attrs[name]
    if isinstance(value, h5py.Empty):
        return Attribute(f"{kind}, empty", np.empty(0))
    return Attribute(kind, np.asarray(value))


def _type_text(kind, where):
    """Describe a type, without its byte order and the offsets of its members."""
    group = kind.get_class()
    bits = 8 * kind.get_size()
    if group == h5t.INTEGER:
        return f"{'u' * (kind.get_sign() == h5t.SGN_NONE)}int{bits}"
    if group == h5t.STRING:
        return "string" if kind.is_variable_str() else "text"
    if group == h5t.COMPOUND:
        members = (
            f"{kind.get_member_name(i).decode(*_DECODED)}: "
            f"{_type_text(kind.get_member_type(i), where)}"
            for i in range(kind.get_nmembers())
        )
        return f"{{{', '.join(members)}}}"
    if group == h5t.ENUM:
        members = {
            kind.get_member_name(i).decode(*_DECODED): kind.get_member_value(i)
            for i in range(kind.get_nmembers())
        }
        return f"enumeration {members} of {_type_text(kind.get_super(), where)}"
    if group == h5t.VLEN:
        return f"variable-length {_type_text(kind.get_super(), where)}"
    if group == h5t.ARRAY:
        return f"{_type_text(kind.get_super(), where)}{list(kind.get_array_dims())}"
    if group == h5t.OPAQUE:
        return f"opaque {kind.get_tag().decode(*_DECODED)!r} of {bits // 8} bytes"
    if group == h5t.REFERENCE:
        raise Unreadable(f"cannot compare {where}: it holds references")
    return {h5t.FLOAT: "float", h5t.BITFIELD: "bitfield"}.get(group, "time") + str(bits)
