"""What a product holds, as far as checks and metadata need it, from one opening of the file.

The NetCDF library reads all metadata of every variable when it opens a file. For a small granule
that takes longer than the conversion. So :mod:`.hdf5` reads plain NetCDF-4 files; other files
(packed values, links, phony dimensions) go to the NetCDF library, which knows all rules.
"""

from dataclasses import replace

from .. import CumulusError
from .formats import file_family
from .model import Product
from .netcdf import read_netcdf
from .obstacles import refuse_data_elsewhere

__all__ = ["inspect"]


def inspect(path):
    """Look into a product.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    cumulus.products.Product
        Empty for a file that is neither NetCDF nor HDF5.

    Raises
    ------
    CumulusError
        The file cannot be read.
    cumulus.products.obstacles.DataElsewhere
        Some of its data lie in other files, which are never read.
    """
    try:
        family = file_family(path)
        if not family:
            return Product()
        has_provenance = False
        if family == "HDF5":
            product, is_whole, has_provenance = _plain(path)
            if product:
                return replace(product, path=path)
            if not is_whole:
                refuse_data_elsewhere(path)
        return read_netcdf(path, family, has_provenance)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CumulusError(f"cannot read {str(path)!r}: {reason}") from error


def _plain(path):
    try:
        from .hdf5 import read_plain
    except ImportError:  # h5py is not installed
        return None, False, False
    return read_plain(path)
