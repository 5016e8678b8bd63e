"""Whether all of a classic NetCDF file is there: the library reads zeros beyond the file's end.

Only the header is read, which says where the data of each variable lie.
https://docs.unidata.ucar.edu/netcdf-c/current/file_format_specifications.html#classic_format_spec
"""

import os
from math import prod

__all__ = ["refuse_truncated"]

_WIDTHS = {b"CDF\x01": (4, 4), b"CDF\x02": (4, 8), b"CDF\x05": (8, 8)}  # of counts, of offsets
_WINDOW = 65536  # bytes of the header that are read together
_SIZES = (0, 1, 1, 2, 4, 4, 8, 1, 2, 4, 8, 8)  # of the types, bytes; 0 is no type


def refuse_truncated(path):
    """Make sure that a classic NetCDF file is not cut off; files of other formats pass.

    Raises
    ------
    OSError
        Its end is missing, its header makes no sense, or it cannot be read.
    """
    with open(path, "rb") as file:
        widths = _WIDTHS.get(file.read(4))
        if widths is None:
            return
        size = os.fstat(file.fileno()).st_size
        needed = _Header(file, size, *widths).length()
    if needed > size:
        raise OSError(f"the file is truncated: {needed} bytes are expected, {size} are there")


class _Header:
    """Reads the header from where the records are counted."""

    def __init__(self, file, size, count_width, offset_width):
        self._file, self._size = file, size
        self._count_width, self._offset_width = count_width, offset_width
        self._at = self._start = file.tell()
        self._window = b""

    def length(self):
        """Bytes of the file up to the last value of its variables; padding there may be absent."""
        records = self._number(self._count_width)
        if records == 256**self._count_width - 1:
            records = 0  # a stream: the library counts them itself, by the file's size
        lengths = [self._dimension() for _ in range(self._list())]
        self._skip_attributes()
        variables = [self._variable(lengths) for _ in range(self._list())]
        steps = [size for _, size, is_record in variables if is_record]
        # Records are padded to 4 bytes each variable, unless only one has them.
        step = steps[0] if len(steps) == 1 else sum(map(_padded, steps))
        ends = [self._at]
        for begin, size, is_record in variables:
            if size and (records or not is_record):
                ends.append(begin + size + (step * (records - 1) if is_record else 0))
        return max(ends)

    def _variable(self, lengths):
        """Where the data begin, their bytes (of one record), and whether there are records."""
        self._skip_name()
        rank = self._number(self._count_width)
        numbers = [self._number(self._count_width) for _ in range(self._checked(rank))]
        self._skip_attributes()
        size = self._type_size()
        self._number(self._count_width)  # its size: redundant, and too small for large ones
        begin = self._number(self._offset_width)
        if any(number >= len(lengths) for number in numbers):
            raise OSError("the header is damaged: a variable has a dimension that is not there")
        shape = [lengths[number] for number in numbers]
        is_record = shape[:1] == [0]
        return begin, size * prod(shape[1:] if is_record else shape), is_record

    def _dimension(self):
        self._skip_name()
        return self._number(self._count_width)

    def _skip_attributes(self):
        for _ in range(self._list()):
            self._skip_name()
            size = self._type_size()
            self._skip(size * self._number(self._count_width))

    def _skip_name(self):
        self._skip(self._number(self._count_width))

    def _list(self):
        """How many entries a list has, after its tag."""
        self._number(4)
        return self._checked(self._number(self._count_width))

    def _checked(self, count):
        """A number of things that take four bytes each, or more."""
        if 4 * count > self._size:
            raise OSError("the file is truncated within its header")
        return count

    def _type_size(self):
        number = self._number(4)
        if not 0 < number < len(_SIZES):
            raise OSError(f"the header is damaged: there is no type {number}")
        return _SIZES[number]

    def _number(self, width):
        begin = self._at - self._start
        raw = self._window[begin : begin + width]
        if len(raw) < width:
            self._file.seek(self._at)
            self._start, self._window = self._at, self._file.read(_WINDOW)
            raw = self._window[:width]
            if len(raw) < width:
                raise OSError("the file is truncated within its header")
        self._at += width
        return int.from_bytes(raw)

    def _skip(self, size):
        self._at += _padded(size)
        if self._at > self._size:
            raise OSError("the file is truncated within its header")


def _padded(size):
    return -(-size // 4) * 4
