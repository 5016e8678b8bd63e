"""List the files of an input directory, and say why an entry cannot be an input."""

import os
from stat import S_IFDIR, S_IFIFO, S_IFMT, S_IFSOCK, S_ISREG

from .. import CumulusError
from ..files import user_remedy

__all__ = ["list_files"]


def list_files(indir):
    """Return the files of a directory; names that begin with a dot do not count.

    Parameters
    ----------
    indir : path-like

    Returns
    -------
    names : list of str
        Sorted names of regular files, and of links to them.
    unusable : dict of str to str
        Names of other entries, and why each of them cannot be an input.

    Raises
    ------
    CumulusError
        The directory is absent or unreadable.
    """
    names, unusable = [], {}
    try:
        with os.scandir(indir) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if problem := _problem(entry):
                    unusable[entry.name] = problem
                else:
                    names.append(entry.name)
    except FileNotFoundError as error:
        raise CumulusError(f"input directory {str(indir)!r} does not exist") from error
    except NotADirectoryError as error:
        raise CumulusError(f"input {str(indir)!r} is not a directory") from error
    except OSError as error:
        raise CumulusError(
            f"cannot read input directory {str(indir)!r} as uid {os.geteuid()}: {error.strerror}"
            + user_remedy(indir, error)
        ) from error
    return sorted(names), unusable


def _problem(entry):
    """Return why a directory entry cannot be an input; None where it can."""
    try:
        mode = entry.stat().st_mode
    except OSError as error:
        return f"cannot read {entry.name!r}: {error.strerror}"
    return None if S_ISREG(mode) else f"{entry.name!r} is a {_kind(mode)}, not a file"


def _kind(mode):
    kinds = {S_IFDIR: "directory", S_IFIFO: "pipe", S_IFSOCK: "socket"}
    return kinds.get(S_IFMT(mode), "device")
