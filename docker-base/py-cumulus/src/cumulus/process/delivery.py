"""The way of complete products out of scratch."""

import contextlib
import os
from pathlib import Path

from .. import CumulusError
from ..files import fsync
from .signals import signals_held

__all__ = ["check_made", "deliver", "remove_products"]


def remove_products(outdir, names):
    """Remove earlier products, the primary (first) one first, so that none stands without it."""
    removed = False
    for name in names:
        with contextlib.suppress(FileNotFoundError):
            Path(outdir, name).unlink()
            removed = True
    if removed:
        fsync(outdir)


def deliver(products, outdir, map_=map):
    """Move complete products to the output directory, companions first, the primary (first) last.

    Their content is on the disk before they have their names, and the companions before the
    primary. The primary's own name is, after :func:`fsync` of the directory.

    Parameters
    ----------
    products : mapping of str to pathlib.Path
        Files in scratch that :func:`check_made` has seen; each keeps its name.
    outdir : path-like
    map_ : callable, optional
        ``map`` of an executor: files that are forced to the disk at the same time are written by
        one commit of the file system, which takes a third of the time.

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


def check_made(products):
    """Make sure that every declared product is there, a file of its own that is not empty.

    Raises
    ------
    CumulusError
    """
    for key, path in products.items():
        if not path.is_file() or path.is_symlink():
            problem = f"product {key!r} was not made: expected the file {path.name!r}"
            hint = "; add granule.browse() to process_granule" if key == "browse" else ""
            raise CumulusError(problem + hint)
        state = path.stat()
        if state.st_size == 0:
            raise CumulusError(f"product {key!r} is empty: the file {path.name!r} has no content")
        if state.st_nlink > 1:  # whoever changes the other one would change the product
            raise CumulusError(
                f"product {key!r} is a hard link of another file: copy that to {path.name!r}"
            )
