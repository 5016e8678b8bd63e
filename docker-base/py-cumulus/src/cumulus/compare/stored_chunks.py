"""Stored chunks of two HDF5 files: where they are the same, nothing need be inflated.

NetCDF-4 files are HDF5 files, and equal values that were written by the same program are stored
as the same bytes.
"""

import contextlib
import os

import h5py
import numpy as np
from h5py import h5f

__all__ = ["Chunks"]

BLOCK = 1 << 20  # bytes that are read at once of data without chunks


class Chunks:
    """Two files, looked into where both are HDF5.

    Parameters
    ----------
    sides : pair of cumulus.compare.hdf5.Beyond
    """

    def __init__(self, sides):
        self.sides = sides if all(one.file for one in sides) else ()
        self.handles = []

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        for one in self.sides:
            self.handles.append(self.stack.enter_context(open(one.path, "rb")))
        return self

    def __exit__(self, *_):
        self.stack.close()

    def text_types(self, where, attribute):
        """Return how each file stores a text attribute: "text" (NC_CHAR) or "string" (NC_STRING).

        The NetCDF library's Python interface gives both as the same.
        """
        if not self.sides:
            return "text", "text"
        return tuple(_text_type(one, attribute) for one in self._objects(where))

    def unequal(self, where, shape, places):
        """Yield those of the places of a variable in which stored bytes are not the same.

        Parameters
        ----------
        where : str
            Path of the variable.
        shape : tuple of int
        places : iterable of tuple of slices
        """
        first, second = self._comparable(where, shape)
        if first is None:
            yield from places
            return
        chunks = _chunks(first)
        if chunks is None:
            if not self._same_block(first, second):
                yield from places
            return
        grid = self._grid(first, second, chunks)
        for place in places:
            part = tuple(
                slice(one.start // size, -(-one.stop // size))
                for one, size in zip(place, chunks, strict=True)
            )
            if grid[part].any():
                yield place

    def _comparable(self, where, shape):
        """The HDF5 datasets of a variable, if equal stored bytes of them mean equal values."""
        # With a user block, data are not where their addresses say.
        if self.sides and not any(one.file.userblock_size for one in self.sides):
            first, second = self._objects(where)
            here = (h5f.get_name(one.file.id) for one in self.sides)
            if (h5f.get_name(first), h5f.get_name(second)) != tuple(here):
                return None, None  # an external link led there
            if first.shape == second.shape == shape and _stored_alike(first, second):
                return first, second
        return None, None

    def _same_block(self, first, second):
        """Whether two contiguous datasets hold the same bytes."""
        places, size = [one.get_offset() for one in (first, second)], first.get_storage_size()
        if places == [None, None]:  # nothing was ever written: all is the fill value
            return first.get_create_plist() == second.get_create_plist()
        if None in places or size != second.get_storage_size():
            return False
        return all(
            self._bytes(0, places[0] + start, min(BLOCK, size - start))
            == self._bytes(1, places[1] + start, min(BLOCK, size - start))
            for start in range(0, size, BLOCK)
        )

    def _grid(self, first, second, chunks):
        """Which chunks differ, as an array over the chunks."""
        counts = [-(-length // size) for length, size in zip(first.shape, chunks, strict=True)]
        maps = [_stored(dataset) for dataset in (first, second)]
        # A chunk that neither file has is the fill value; one that a single file has is read.
        grid = np.full(counts, first.get_create_plist() != second.get_create_plist())
        for offset in maps[0].keys() ^ maps[1].keys():
            grid[_place(offset, chunks)] = True
        # In the order of the file, so that it is read from front to end.
        for offset, one in sorted(maps[0].items(), key=lambda item: item[1].byte_offset):
            if other := maps[1].get(offset):
                same = (one.size, one.filter_mask) == (other.size, other.filter_mask)
                same = same and (
                    self._bytes(0, one.byte_offset, one.size)
                    == self._bytes(1, other.byte_offset, other.size)
                )
                grid[_place(offset, chunks)] = not same
        return grid

    def _objects(self, where):
        """The HDF5 objects behind a variable or group."""
        return tuple(one.object(where) for one in self.sides)

    def _bytes(self, side, place, size):
        return os.pread(self.handles[side].fileno(), size, place)


def _stored_alike(first, second):
    """Whether two datasets are stored in the same way."""
    types = first.get_type(), second.get_type()
    plain = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM)  # others point to elsewhere
    if types[0].get_class() not in plain or not types[0].equal(types[1]):
        return False
    lists = first.get_create_plist(), second.get_create_plist()
    if any(one.get_external_count() for one in lists):
        return False
    if not all(_places_are_known(one) for one in (first, second)):
        return False
    # Before h5py 3.8 or HDF5 1.12.3 looking chunks up takes too long.
    known = (h5py.h5d.CONTIGUOUS, *([h5py.h5d.CHUNKED] if hasattr(first, "chunk_iter") else []))
    return (
        lists[0].get_layout() == lists[1].get_layout()
        and lists[0].get_layout() in known
        and _chunks(first) == _chunks(second)
        and _filters(lists[0]) == _filters(lists[1])
    )


def _places_are_known(dataset):
    """Whether the HDF5 library says rightly which chunk is where.

    Up to 2.0 it does not in the index (an "extensible array") of data with a single unlimited
    dimension that is not the first, which the format has since 1.10.
    """
    longest = h5py.Dataset(dataset).maxshape
    return longest.count(None) != 1 or longest[0] is None


def _chunks(dataset):
    """The shape of a chunk, or None of a contiguous dataset."""
    properties = dataset.get_create_plist()
    return properties.get_chunk() if properties.get_layout() == h5py.h5d.CHUNKED else None


def _filters(properties):
    """The filters of a dataset, without their names."""
    count = properties.get_nfilters()
    return [properties.get_filter(number)[:3] for number in range(count)]


def _stored(dataset):
    """Where each chunk is stored: offset in the dataset -> size, address, filter mask."""
    found = {}
    dataset.chunk_iter(lambda chunk: found.__setitem__(chunk.chunk_offset, chunk))
    return found


def _place(offset, chunks):
    """The index of a chunk among the chunks."""
    return tuple(start // size for start, size in zip(offset, chunks, strict=True))


def _text_type(one, attribute):
    if not h5py.h5a.exists(one, attribute.encode()):
        return "text"  # the NetCDF library's own, such as _NCProperties
    kind = h5py.h5a.open(one, attribute.encode()).get_type()
    is_string = isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
    return "string" if is_string else "text"
