"""What in a sound HDF5 file keeps the NetCDF library from reading any of it, which it does not say.

The HDF5 library reads such files; only names and links are looked at here.
"""

from pathlib import Path

__all__ = ["find_obstacle"]


def find_obstacle(path):
    """Return, in words, what the NetCDF library stumbles over, or None if nothing is known.

    Parameters
    ----------
    path : path-like
        An HDF5 file, which may be damaged.
    """
    try:
        import h5py

        with h5py.File(Path(path), "r") as file:
            return _within(file["/"], set())
    except (ImportError, OSError, RuntimeError, KeyError, ValueError, TypeError):
        return None


def _within(group, seen):
    import h5py

    for name in group:
        place = f"{group.name.rstrip('/')}/{name}"
        link = group.get(name, getlink=True)
        if isinstance(link, h5py.ExternalLink):
            return f"{place!r} is a link into another file"
        try:
            one = group[name]
        except KeyError:
            return f"{place!r} is a link to nothing"
        if isinstance(link, h5py.SoftLink):
            continue  # what it leads to has a place of its own
        if isinstance(one, h5py.Dataset) and one.shape is None:
            return f"{place!r} has no dataspace"
        if isinstance(one, h5py.Group) and one.id not in seen:
            seen.add(one.id)
            if found := _within(one, seen):
                return found
    return None
