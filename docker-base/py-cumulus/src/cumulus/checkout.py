"""Whether an image was made of the files that are beside it now."""

import os
from pathlib import Path

from .completion import checksum

__all__ = ["RECORD", "changed_sources"]

RECORD = ".sources.sha256"  # in the image: a line a file it was made of, as sha256sum writes it
FOLDER = "sources"  # where the repository's service "test" shows the files as they are now


def changed_sources(home):
    """Return the names of sources that are not what the image was made of.

    Parameters
    ----------
    home : path-like
        Where process.py is, in the image. Without a record or a folder of sources there, as
        outside of images, nothing has changed.
    """
    record, folder = Path(home, RECORD), Path(home, FOLDER)
    if not record.is_file() or not folder.is_dir():
        return []
    made_of = {}
    for line in record.read_text(encoding="utf-8").splitlines():
        digest, _, path = line.partition("  ")
        made_of[path.removeprefix("/context/")] = digest
    now = {name: _checksum(folder / name) for name in {*made_of, *_names(folder, made_of)}}
    return sorted(name for name in now if now[name] != made_of.get(name))


def _names(folder, made_of):
    """Files in the folders that the image was made of; they may be new."""
    for top in {name.partition("/")[0] for name in made_of}:
        for place, folders, names in os.walk(folder / top):
            folders[:] = [one for one in folders if one != "__pycache__"]
            paths = (Path(place, name) for name in names)  # links are not in the record either
            yield from (one.relative_to(folder).as_posix() for one in paths if not one.is_symlink())


def _checksum(path):
    """The checksum of a file, or None where it cannot be read."""
    try:
        return checksum(path)
    except OSError:
        return None
