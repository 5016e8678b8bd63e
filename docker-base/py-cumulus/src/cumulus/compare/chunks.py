"""Stored chunks of two HDF5 files: where they are the same, nothing need be inflated.

NetCDF-4 files are HDF5 files, and equal values that were written by the same program are stored
as the same bytes. Without h5py every value is read, with the same result in more time.
"""

import contextlib
import os

import numpy as np

__all__ = ["Chunks"]


class Chunks:
    """Two files, opened where both are HDF5 and h5py is there."""

    def __init__(self, expected, actual):
        self.paths = expected, actual
        self.files = self.handles = None

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        try:
            import h5py

            if all(h5py.is_hdf5(path) for path in self.paths):
                self.files = [self.stack.enter_context(h5py.File(p, "r")) for p in self.paths]
                self.handles = [self.stack.enter_context(open(p, "rb")) for p in self.paths]
        except (ImportError, OSError):
            self.files = None
        return self

    def __exit__(self, *_):
        self.stack.close()

    def text_types(self, where, attribute):
        """Return how each file stores a text attribute: "text" (NC_CHAR) or "string" (NC_STRING).

        The NetCDF library's Python interface gives both as the same.
        """
        return tuple(_text_type(file, where, attribute) for file in self.files or ((), ()))

    def unequal(self, where, places):
        """Yield those of the places of a variable in which stored bytes are not the same.

        Parameters
        ----------
        where : str
            Path of the variable.
        places : iterable of tuple of slices
        """
        differs = self._grid(where)
        if differs is None:
            yield from places
            return
        grid, chunks = differs
        for place in places:
            part = tuple(
                slice(one.start // size, -(-one.stop // size))
                for one, size in zip(place, chunks, strict=True)
            )
            if grid[part].any():
                yield place

    def _grid(self, where):
        """Which chunks differ, as an array over the chunks, and a chunk's shape; None: unknown."""
        try:
            first, second = (file[where].id for file in self.files or ())
        except (KeyError, ValueError, AttributeError):
            return None
        if any(file.userblock_size for file in self.files) or not _comparable(first, second):
            return None
        chunks = first.get_create_plist().get_chunk()
        shape = [-(-length // size) for length, size in zip(first.shape, chunks, strict=True)]
        grid = np.ones(shape, bool)  # a chunk that one file lacks has to be read
        maps = [_stored(dataset) for dataset in (first, second)]
        # In the order of the file, so that it is read from front to end.
        for offset, one in sorted(maps[0].items(), key=lambda item: item[1].byte_offset):
            other = maps[1].get(offset)
            if other and (one.size, one.filter_mask) == (other.size, other.filter_mask):
                at = tuple(o // size for o, size in zip(offset, chunks, strict=True))
                grid[at] = self._bytes(0, one) != self._bytes(1, other)
        return grid, chunks

    def _bytes(self, side, chunk):
        return os.pread(self.handles[side].fileno(), chunk.size, chunk.byte_offset)


def _comparable(first, second):
    """Whether equal stored bytes of two datasets mean equal values."""
    import h5py

    types = first.get_type(), second.get_type()
    plain = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM)  # others point to elsewhere
    if types[0].get_class() not in plain or not types[0].equal(types[1]):
        return False
    lists = first.get_create_plist(), second.get_create_plist()
    if any(one.get_layout() != h5py.h5d.CHUNKED for one in lists):
        return False
    return lists[0].get_chunk() == lists[1].get_chunk() and _filters(lists[0]) == _filters(lists[1])


def _filters(properties):
    """The filters of a dataset, without their names."""
    count = properties.get_nfilters()
    return [properties.get_filter(number)[:3] for number in range(count)]


def _stored(dataset):
    """Where each chunk is stored: offset in the dataset -> size, address, filter mask."""
    found = {}
    dataset.chunk_iter(lambda chunk: found.__setitem__(chunk.chunk_offset, chunk))
    return found


def _text_type(file, where, attribute):
    import h5py

    try:
        kind = h5py.h5a.open(file[where].id, attribute.encode()).get_type()
        is_string = isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
    except (KeyError, ValueError, RuntimeError):
        return "text"
    return "string" if is_string else "text"
