"""Stored chunks of two HDF5 files: chunks with the same bytes need not be inflated.

NetCDF-4 files are HDF5 files. The same program stores equal values as the same bytes.
"""

import contextlib
import os

import h5py
import numpy as np
from h5py import h5f

__all__ = ["Chunks"]

BLOCK = 1 << 20  # bytes that are read at once from data without chunks


class Chunks:
    """The stored chunks of two files, where both are HDF5.

    Parameters
    ----------
    sides : pair of cumulus.compare.hdf5.HDF5File
    """

    def __init__(self, sides):
        self.sides = sides if all(side.file for side in sides) else ()
        self.handles = []

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        for side in self.sides:
            self.handles.append(self.stack.enter_context(open(side.path, "rb")))
        return self

    def __exit__(self, *_):
        self.stack.close()

    def text_types(self, where, attribute):
        """Return how each file stores a text attribute: "text" (NC_CHAR) or "string" (NC_STRING).

        netCDF4 does not tell them apart.
        """
        if not self.sides:
            return "text", "text"
        return tuple(_text_type(holder, attribute) for holder in self._objects(where))

    def unequal(self, where, shape, blocks):
        """Yield the blocks of a variable whose stored bytes are not the same.

        Parameters
        ----------
        where : str
            Path of the variable.
        shape : tuple of int
        blocks : iterable of tuple of slices
        """
        first, second = self._comparable(where, shape)
        if first is None:
            yield from blocks
            return
        chunks = _chunks(first)
        if chunks is None:
            if not self._same_block(first, second):
                yield from blocks
            return
        grid = self._grid(first, second, chunks)
        for block in blocks:
            part = tuple(
                slice(part.start // size, -(-part.stop // size))
                for part, size in zip(block, chunks, strict=True)
            )
            if grid[part].any():
                yield block

    def _comparable(self, where, shape):
        """Return the HDF5 datasets of a variable, if equal bytes of them mean equal values."""
        # With a user block, addresses are not offsets in the file.
        if self.sides and not any(side.file.userblock_size for side in self.sides):
            first, second = self._objects(where)
            here = (h5f.get_name(side.file.id) for side in self.sides)
            if (h5f.get_name(first), h5f.get_name(second)) != tuple(here):
                return None, None  # an external link led there
            if first.shape == second.shape == shape and _stored_alike(first, second):
                return first, second
        return None, None

    def _same_block(self, first, second):
        """Return whether two contiguous datasets hold the same bytes."""
        offsets, size = (
            [dataset.get_offset() for dataset in (first, second)],
            first.get_storage_size(),
        )
        if offsets == [None, None]:  # never written: all values are the fill value
            return first.get_create_plist() == second.get_create_plist()
        if None in offsets or size != second.get_storage_size():
            return False
        return all(
            self._bytes(0, offsets[0] + start, min(BLOCK, size - start))
            == self._bytes(1, offsets[1] + start, min(BLOCK, size - start))
            for start in range(0, size, BLOCK)
        )

    def _grid(self, first, second, chunks):
        """Return an array over the chunks that tells which of them differ."""
        counts = [-(-length // size) for length, size in zip(first.shape, chunks, strict=True)]
        maps = [_stored(dataset) for dataset in (first, second)]
        # A chunk that neither file has is filled; a chunk that only one file has is read.
        grid = np.full(counts, first.get_create_plist() != second.get_create_plist())
        for offset in maps[0].keys() ^ maps[1].keys():
            grid[_chunk_index(offset, chunks)] = True
        # Sorted by address: the file is read from front to end.
        for offset, chunk in sorted(maps[0].items(), key=lambda item: item[1].byte_offset):
            if actual_chunk := maps[1].get(offset):
                same = (chunk.size, chunk.filter_mask) == (
                    actual_chunk.size,
                    actual_chunk.filter_mask,
                )
                same = same and (
                    self._bytes(0, chunk.byte_offset, chunk.size)
                    == self._bytes(1, actual_chunk.byte_offset, actual_chunk.size)
                )
                grid[_chunk_index(offset, chunks)] = not same
        return grid

    def _objects(self, where):
        """Return the HDF5 objects behind a variable or group."""
        return tuple(side.object(where) for side in self.sides)

    def _bytes(self, side, offset, size):
        return os.pread(self.handles[side].fileno(), size, offset)


def _stored_alike(first, second):
    """Return whether two datasets are stored in the same way."""
    types = first.get_type(), second.get_type()
    plain = (h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM)  # other types point to data elsewhere
    if types[0].get_class() not in plain or not types[0].equal(types[1]):
        return False
    lists = first.get_create_plist(), second.get_create_plist()
    if any(properties.get_external_count() for properties in lists):
        return False
    if not all(_offsets_are_known(dataset) for dataset in (first, second)):
        return False
    # Before h5py 3.8 or HDF5 1.12.3 a look-up of chunks takes too long.
    known = (h5py.h5d.CONTIGUOUS, *([h5py.h5d.CHUNKED] if hasattr(first, "chunk_iter") else []))
    return (
        lists[0].get_layout() == lists[1].get_layout()
        and lists[0].get_layout() in known
        and _chunks(first) == _chunks(second)
        and _filters(lists[0]) == _filters(lists[1])
    )


def _offsets_are_known(dataset):
    """Return whether the HDF5 library gives right offsets of chunks.

    Up to 2.0 they are wrong for data with a single unlimited dimension that is not the first,
    whose index is an "extensible array" (since format 1.10).
    """
    longest = h5py.Dataset(dataset).maxshape
    return longest.count(None) != 1 or longest[0] is None


def _chunks(dataset):
    """Return the shape of a chunk, or None for a contiguous dataset."""
    properties = dataset.get_create_plist()
    return properties.get_chunk() if properties.get_layout() == h5py.h5d.CHUNKED else None


def _filters(properties):
    """Return the filters of a dataset, without their names."""
    count = properties.get_nfilters()
    return [properties.get_filter(number)[:3] for number in range(count)]


def _stored(dataset):
    """Return each chunk (size, address, filter mask) by its offset in the dataset."""
    chunks = {}
    dataset.chunk_iter(lambda chunk: chunks.__setitem__(chunk.chunk_offset, chunk))
    return chunks


def _chunk_index(offset, chunks):
    """Return the index of a chunk among the chunks."""
    return tuple(start // size for start, size in zip(offset, chunks, strict=True))


def _text_type(holder, attribute):
    if not h5py.h5a.exists(holder, attribute.encode()):
        return "text"  # an attribute of the NetCDF library, such as _NCProperties
    kind = h5py.h5a.open(holder, attribute.encode()).get_type()
    is_string = isinstance(kind, h5py.h5t.TypeStringID) and kind.is_variable_str()
    return "string" if is_string else "text"
