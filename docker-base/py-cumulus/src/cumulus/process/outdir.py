"""The output directory: its lock and its scratch.

Scratch is on the file system of the output directory, so that one rename makes a product appear
under its name, whole.
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
from ..files import STATE, refuse_state_links, user_remedy
from ..logutils.logger import log_warning

__all__ = ["ensure_writable", "scratch_space"]

_DYING = 2  # seconds in which the workers of a killed run end
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.ENOTSUP)


def ensure_writable(indir, outdir):
    """Make sure that products can be written, or say what to change.

    Raises
    ------
    CumulusError
        The directory is absent, not writable, or the input directory itself, or a link is in
        its state folder.
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
    refuse_state_links(outdir)
    try:
        (outdir / STATE).mkdir(exist_ok=True)
        with open(outdir / STATE / "lock", "w"), tempfile.TemporaryFile(dir=outdir / STATE):
            pass
        is_elsewhere = os.stat(outdir / STATE).st_dev != os.stat(outdir).st_dev
    except OSError as error:
        raise CumulusError(_not_writable(outdir, error)) from error
    if is_elsewhere:
        raise CumulusError(
            f"{str(outdir / STATE)!r} is on another file system than {str(outdir)!r}: products "
            "cannot be moved whole; remove that folder, and the next run makes it again"
        )


def _not_writable(outdir, error):
    state = outdir / STATE
    folder = state if state.exists() and os.access(outdir, os.W_OK) else outdir
    problem = f"cannot write to {str(folder)!r} as uid {os.geteuid()}: {error.strerror}"
    return problem + user_remedy(folder, error)


@contextlib.contextmanager
def scratch_space(outdir):
    """Give the only run of an output directory its scratch, and remove that afterwards.

    Yields
    ------
    scratch : pathlib.Path
    lock : file
        Keeps other runs out while any process has it open, workers of a killed run included.

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
    """Lock the directory; False where its file system has no locks."""
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
                f"no lock for {str(outdir)!r} ({error.strerror}): start no second run there, it "
                "would damage this one; scratch of killed runs is kept",
                "process",
            )
            return False
        time.sleep(0.05)
