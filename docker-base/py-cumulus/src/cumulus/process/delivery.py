"""Scratch directories, and the way of complete products out of them.

Everything happens on the file system of the output directory, so that a product appears under its
name by one rename, whole or not at all.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

from .. import CumulusError
from ..logutils.logger import log_warning
from .signals import signals_held

__all__ = [
    "STATE",
    "check_made",
    "check_output_directory",
    "deliver",
    "fsync",
    "remove_products",
    "scratch_space",
    "user_remedy",
]

STATE = ".cumulus"  # in the output directory; dot entries are never products
_DYING = 2  # seconds in which the workers of a run that was killed have ended
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP)


def check_output_directory(indir, outdir):
    """Make sure that products can be written, or say what to change.

    Raises
    ------
    CumulusError
        The directory is absent, not writable, or the input directory itself.
    """
    outdir = Path(outdir)
    if not outdir.is_dir():
        what = "is not a directory" if outdir.exists() else "does not exist: create it first"
        raise CumulusError(f"output directory {str(outdir)!r} {what}")
    if os.path.samefile(indir, outdir):  # through links and mounts, too
        raise CumulusError(
            f"input and output are the same directory, {str(outdir)!r}: "
            "products would replace inputs"
        )
    try:
        (outdir / STATE).mkdir(exist_ok=True)
        with open(outdir / STATE / "lock", "w"), tempfile.TemporaryFile(dir=outdir / STATE):
            pass
        elsewhere = os.stat(outdir / STATE).st_dev != os.stat(outdir).st_dev
    except OSError as error:
        raise CumulusError(_not_writable(outdir, error)) from error
    if elsewhere:
        raise CumulusError(
            f"{str(outdir / STATE)!r} is on another file system than {str(outdir)!r}: products "
            "could not be moved there whole; remove it, it is made anew"
        )


def _not_writable(outdir, error):
    state = outdir / STATE
    place = state if state.exists() and os.access(outdir, os.W_OK) else outdir
    problem = f"cannot write to {str(place)!r} as uid {os.geteuid()}: {error.strerror}"
    return problem + user_remedy(place, error)


def user_remedy(path, error):
    """Say what to change where the directory is another user's, to end a sentence with."""
    owner = os.stat(path)
    if not isinstance(error, PermissionError) or owner.st_uid == os.geteuid():
        return ""
    user = f"{owner.st_uid}:{owner.st_gid}"
    return (
        f"; it belongs to uid {owner.st_uid}: add the line UID_GID={user} to .env, "
        f"or -u {user} to docker run"
    )


@contextlib.contextmanager
def scratch_space(outdir):
    """Give the only run of an output directory its scratch, and remove that afterwards.

    Yields
    ------
    scratch : pathlib.Path
    lock : file
        Keeps other runs out as long as any process has it open: also until the workers of a run
        that was killed are gone.

    Raises
    ------
    CumulusError
        Another run has the directory.
    """
    state = Path(outdir, STATE)
    with open(state / "lock", "w") as lock:
        if _is_alone(lock, outdir):
            for leftover in state.glob("scratch-*"):  # of a run that was killed
                shutil.rmtree(leftover, ignore_errors=True)
        scratch = Path(tempfile.mkdtemp(prefix="scratch-", dir=state))
        try:
            yield scratch, lock
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def _is_alone(lock, outdir):
    """Whether no other run is there or will come, which some file systems cannot tell."""
    deadline = time.monotonic() + _DYING
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise CumulusError(
                    f"another run is writing to {str(outdir)!r}: wait for its end, or use another "
                    "output directory"
                ) from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise
            log_warning(
                f"no lock for {str(outdir)!r} ({error.strerror}): nothing keeps a second run out, "
                "which would damage this one, and scratch of runs that were killed stays",
                "process",
            )
            return False
        time.sleep(0.05)


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


def fsync(path):
    """Have the kernel write a file's content, or a directory's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        # Some network and user-space file systems do it for files alone.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP) or not os.path.isdir(path):
            raise
    finally:
        os.close(descriptor)
