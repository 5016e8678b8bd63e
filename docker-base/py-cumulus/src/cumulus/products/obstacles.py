"""What keeps a sound HDF5 file from being read: data in other files, and what netCDF cannot open.

Only names, links and the way in which datasets are stored are looked at here; no value is read, and
no link into another file is followed.
"""

import os
import re
from pathlib import Path

from .. import CumulusError

__all__ = [
    "DataElsewhere",
    "find_data_elsewhere",
    "find_obstacle",
    "points_elsewhere",
    "refuse_data_elsewhere",
]

# What h5py raises for content that is damaged, or that the HDF5 library does not support.
_LIBRARY_ERRORS = (OSError, RuntimeError, KeyError, ValueError, TypeError)
_SMALL = 700_000  # bytes; to search a larger file takes longer than to open its datasets
# A file that matches none of these points into no other file, whatever else it holds. Structures
# of HDF5 are stored as they are, except for links in a compressed fractal heap.
# https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html
_SIGNS = (
    re.compile(rb"HEAP"),  # local heap: has the names of the files of external storage
    re.compile(rb"\x01[\x08-\x0f\x18-\x1f]\x40"),  # link message, version 1, of type 64: external
    re.compile(rb"FRHP\0..(?!\0\0)", re.DOTALL),  # fractal heap with filters
    # Layout message (8) of version 4 or later and class 3, virtual; 3, 5 or 7 bytes of the
    # message's head lie between, as its version has them.
    re.compile(rb"\x08(?:.{3}|.{5}|\0.{6})[\x04-\x07]\x03", re.DOTALL),
)


class DataElsewhere(CumulusError):
    """Some data of a file lie in other files, which are never read."""


def refuse_data_elsewhere(path):
    """Make sure that an HDF5 file holds all of its data; files of other formats pass.

    External links, external storage and virtual datasets let a file show any other file that the
    process may read. A virtual dataset of the same file's data (source ".") passes.

    Parameters
    ----------
    path : path-like

    Raises
    ------
    DataElsewhere
        The message names the dataset or link, its kind, and the other file.
    OSError
        The file cannot be read, or is damaged.
    """
    if not _may_point_elsewhere(path):
        return
    from h5py import h5f

    if not h5f.is_hdf5(os.fsencode(path)):
        return
    try:
        what = find_data_elsewhere(h5f.open(os.fsencode(path), h5f.ACC_RDONLY))
    except OSError:
        raise
    except _LIBRARY_ERRORS as error:
        raise OSError(f"the HDF5 library cannot open all of it: {error}") from error
    if what:
        raise DataElsewhere(
            f"{Path(path).name!r} does not hold all of its data: {what}; nothing outside a "
            "granule is read: write the values into the granule itself"
        )


def _may_point_elsewhere(path):
    """Whether bytes of a small file look as if it did; opening it would take much longer."""
    if os.path.getsize(path) > _SMALL:
        return True
    return points_elsewhere(Path(path).read_bytes())


def points_elsewhere(content):
    """Return whether the bytes of an HDF5 file look as if some of its data lay in other files."""
    return any(sign.search(content) for sign in _SIGNS)


def find_data_elsewhere(file):
    """Return what of an HDF5 file's data lies in another file, and in which; None if nothing.

    Parameters
    ----------
    file : h5py.h5f.FileID

    Raises
    ------
    OSError, RuntimeError, KeyError, ValueError, TypeError
        By h5py, for a damaged file.
    """
    from h5py import h5d, h5l, h5o

    def of_link(name, link):
        if link.type == h5l.TYPE_EXTERNAL:
            target = os.fsdecode(file.links.get_val(name)[0])
            return f"{_path(name)!r} is a link into another file, {target!r} (external link)"
        if link.type not in (h5l.TYPE_HARD, h5l.TYPE_SOFT):
            return f"{_path(name)!r} is a user-defined link, which may lead anywhere"
        return None

    def of_object(name, info):
        if info.type != h5o.TYPE_DATASET:
            return None
        stored, dataset = h5d.open(file, name).get_create_plist(), f"dataset {_path(name)!r}"
        if stored.get_external_count():
            target = os.fsdecode(stored.get_external(0)[0])
            return f"{dataset} is stored in another file, {target!r} (external storage)"
        target = _other_source(stored) if stored.get_layout() == h5d.VIRTUAL else None
        return target and f"{dataset} shows another file, {target!r} (virtual dataset)"

    # Both visit every group once, circles of hard links included.
    return file.links.visit(of_link, info=True) or h5o.visit(file, of_object, info=True)


def _other_source(stored):
    """The first source of a virtual dataset that is another file; "." is the file itself."""
    sources = map(stored.get_virtual_filename, range(stored.get_virtual_count()))
    return next((source for source in sources if source != "."), None)


def find_obstacle(path):
    """Return a description of what the NetCDF library cannot open, or None if nothing is known.

    Parameters
    ----------
    path : path-like
        An HDF5 file without data elsewhere, which may be damaged.
    """
    try:
        from h5py import h5f

        return _obstacle(h5f.open(os.fsencode(path), h5f.ACC_RDONLY))
    except (ImportError, *_LIBRARY_ERRORS):
        return None


def _obstacle(file):
    from h5py import h5d, h5l, h5o, h5s

    def of_link(name, link):
        if link.type == h5l.TYPE_SOFT and not _leads_somewhere(file, name):
            return f"{_path(name)!r} is a link to nothing"
        is_known = link.type in (h5l.TYPE_HARD, h5l.TYPE_SOFT)
        return None if is_known else f"{_path(name)!r} is a user-defined link"

    def of_object(name, info):
        if info.type != h5o.TYPE_DATASET:
            return None
        space = h5d.open(file, name).get_space()
        is_null = space.get_simple_extent_type() == h5s.NULL
        return f"{_path(name)!r} has no dataspace" if is_null else None

    return file.links.visit(of_link, info=True) or h5o.visit(file, of_object, info=True)


def _leads_somewhere(file, name):
    from h5py import h5o

    try:
        h5o.get_info(file, name)
        return True
    except _LIBRARY_ERRORS:
        return False


def _path(name):
    return f"/{os.fsdecode(name)}"
