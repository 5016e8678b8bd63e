"""Whether an image, or the products of a run, were made of the present sources."""

import contextlib
import os
from pathlib import Path, PurePosixPath

from .files import STATE, checksum, refuse_state_links

__all__ = ["RECORD", "changed_since_run", "changed_sources", "record_sources"]

RECORD = ".sources.sha256"  # in the image: a line a file it was made of, as sha256sum writes it
FOLDER = "sources"  # where the repository's service "test" mounts the present files
RUN_RECORD = "sources.sha256"  # in STATE of an output directory, in the same form
CONTEXT = "/context/"
# What an image is made of, as in a repository's .dockerignore.
SOURCES = (
    "Dockerfile",
    "apt.txt",
    "collection.toml",
    "convert",
    "process.py",
    "requirements.txt",
    "src",
)


def changed_sources(home):
    """Return the names of sources that have changed since the image was built.

    Parameters
    ----------
    home : path-like
        Where process.py is, in the image. Without a record or a folder of sources there, as
        outside of images, no change is known.
    """
    record, folder = Path(home, RECORD), Path(home, FOLDER)
    if not record.is_file() or not folder.is_dir():
        return []
    return _changed(record, folder)


def record_sources(home, outdir):
    """Record of which sources a run makes its products: the image's, or those beside process.py.

    Parameters
    ----------
    home : path-like
        Where process.py is.
    outdir : path-like
        Output directory of the run, whose state directory exists.
    """
    home, record = Path(home), Path(outdir, STATE, RUN_RECORD)
    with contextlib.suppress(OSError):  # a full disk fails no granule, and no record claims nothing
        record.unlink(missing_ok=True)
        if (home / RECORD).is_file():
            text = (home / RECORD).read_text(encoding="utf-8")
        else:
            files = (name for name in SOURCES if (home / name).is_file())
            names = sorted({*files, *_names(home, SOURCES)})
            text = "".join(f"{_checksum(home / name)}  {CONTEXT}{name}\n" for name in names)
        record.write_text(text, encoding="utf-8")


def changed_since_run(outdir, folder):
    """Return the names of sources that have changed since a run made its products.

    Parameters
    ----------
    outdir : path-like
        Output directory of the run. Without a record there, no change is known.
    folder : path-like
        The repository.
    """
    refuse_state_links(outdir)
    record = Path(outdir, STATE, RUN_RECORD)
    return _changed(record, Path(folder)) if record.is_file() else []


def _changed(record, folder):
    """Names of files in a folder that differ from a record, new and absent files included."""
    made_of = {}
    for line in record.read_text(encoding="utf-8", errors="replace").splitlines():
        digest, _, path = line.partition("  ")
        name = PurePosixPath(path.removeprefix(CONTEXT))
        # A program in a container may have written the record: it names nothing outside the folder.
        if name.parts and not name.is_absolute() and ".." not in name.parts:
            made_of[str(name)] = digest
    names = {*made_of, *_names(folder, [*made_of, *SOURCES])}
    now = {name: _checksum(folder / name) for name in names}
    return sorted(name for name in now if now[name] != made_of.get(name))


def _names(folder, sources):
    """Files in the folders that hold sources; they may be new."""
    for top in {name.partition("/")[0] for name in sources}:
        for parent, subfolders, names in os.walk(folder / top):
            subfolders[:] = [name for name in subfolders if name != "__pycache__"]
            paths = (Path(parent, name) for name in names)
            files = (path for path in paths if not path.is_symlink())  # as in the record
            yield from (path.relative_to(folder).as_posix() for path in files)


def _checksum(path):
    """The checksum of a file, or None where it cannot be read."""
    try:
        return checksum(path)
    except OSError:
        return None
