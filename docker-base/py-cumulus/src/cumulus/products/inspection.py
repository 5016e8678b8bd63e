"""What a product holds, as far as checks and metadata need it, from one opening of the file.

The NetCDF library reads everything about every variable when it opens a file, which for a small
granule takes longer than converting it. So :mod:`.hdf5` looks at plain NetCDF-4 files
first; what it leaves (packed values, links, phony dimensions) goes to the NetCDF library, which
knows all rules.
"""

import os

from .. import CumulusError
from .formats import file_family
from .model import Product
from .netcdf import read_netcdf
from .obstacles import refuse_data_elsewhere

__all__ = ["forget", "inspect"]

_last = {}  # one file: what the check looked at, metadata need not open again


def inspect(path):
    """Look into a product.

    Raises
    ------
    CumulusError
        The file cannot be read.
    cumulus.products.obstacles.DataElsewhere
        Some of its data lie in other files, of which nothing is read.
    """
    try:
        state = os.stat(path)
        key = os.path.abspath(path), state.st_ino, state.st_size, state.st_mtime_ns
        if key not in _last:
            forget()
            family = file_family(path)
            if family == "HDF5":
                refuse_data_elsewhere(path)
            found = _plain(path) if family == "HDF5" else None
            _last[key] = found or (read_netcdf(path, family) if family else Product())
        return _last[key]
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CumulusError(f"cannot read {str(path)!r}: {reason}") from error


def forget():
    """Let go of what the last product held."""
    _last.clear()


def _plain(path):
    try:
        from .hdf5 import read_plain
    except ImportError:  # h5py is not installed
        return None
    return read_plain(path)
