"""How complete products get from scratch into the output directory."""

import contextlib
import os
from pathlib import Path

from .. import CumulusError
from ..files import fsync
from .signals import signals_held

__all__ = ["deliver", "ensure_complete", "keep_products", "remove_products"]


def remove_products(outdir, names):
    """Remove earlier products, the primary first: where it is, the granule is complete."""
    removed = False
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            Path(outdir, name).unlink()
            removed = True
    if removed:
        fsync(outdir)


def deliver(products, outdir, map_=map):
    """Move complete products to the output directory, companions first, the primary (first) last.

    The content of all is on the disk before they get their names, and so are the companions' names
    before the primary's. The caller forces that name to the disk: :func:`fsync` of the directory.

    Parameters
    ----------
    products : mapping of str to pathlib.Path
        Files in scratch that :func:`ensure_complete` accepts; each keeps its name.
    outdir : path-like
    map_ : callable, optional
        ``map`` of an executor: the file system writes files that are forced to the disk at the
        same time by one commit, in a third of the time.

    Raises
    ------
    OSError
    """
    for _ in map_(fsync, products.values()):
        pass
    primary, *companions = products.values()
    with signals_held():  # a request to stop waits for these few renames
        for path in companions:
            os.replace(path, Path(outdir, path.name))
        fsync(outdir)
        os.replace(primary, Path(outdir, primary.name))


def keep_products(products, folder):
    """Move what there is of a failed granule's products to a folder, for somebody to look at.

    Parameters
    ----------
    products : mapping of str to pathlib.Path
    folder : pathlib.Path
        On the same file system; made where it is absent.

    Returns
    -------
    pathlib.Path or None
        The primary product's new path; None where it was not made, and then nothing is kept.
    """
    primary, *companions = products.values()
    if not primary.is_file() or primary.is_symlink():
        return None
    folder.mkdir(exist_ok=True)
    for path in companions:
        if path.is_file() and not path.is_symlink():
            os.replace(path, folder / path.name)
    os.replace(primary, folder / primary.name)
    return folder / primary.name


def ensure_complete(products):
    """Make sure that every declared product is a non-empty regular file without other links.

    Parameters
    ----------
    products : mapping of str to pathlib.Path

    Raises
    ------
    CumulusError
        A product is missing, empty or a link.
    """
    for key, path in products.items():
        if not path.is_file() or path.is_symlink():
            problem = f"product {key!r} was not made: expected the file {path.name!r}"
            hint = "; add granule.browse() to process_granule" if key == "browse" else ""
            raise CumulusError(problem + hint)
        state = path.stat()
        if state.st_size == 0:
            raise CumulusError(f"product {key!r} is empty: the file {path.name!r} has no content")
        if state.st_nlink > 1:  # a change of the other file would change the product
            raise CumulusError(
                f"product {key!r} is a hard link of another file: copy that to {path.name!r}"
            )
