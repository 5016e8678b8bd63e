"""List the files of an input directory, and say why an entry cannot be an input."""

import os
from stat import S_IFDIR, S_IFIFO, S_IFMT, S_IFSOCK, S_ISLNK, S_ISREG

from .. import CumulusError
from ..files import has_control_character, user_remedy

__all__ = ["link_problem", "list_files"]

_SYSTEM = ("/dev", "/proc", "/sys")  # no link may lead there, whatever collection.toml allows


def list_files(indir, links=()):
    """Return the files of a directory; names that begin with a dot do not count.

    Parameters
    ----------
    indir : path-like
    links : sequence of str, optional
        Directories outside of ``indir`` that its links may lead into.

    Returns
    -------
    names : list of str
        Sorted names of regular files, and of links to such files that may be followed.
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
                if problem := _problem(entry, links):
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
    return sorted(names), dict(sorted(unusable.items()))


def _problem(entry, links):
    """Return why an entry of the input directory cannot be an input; None where it can."""
    name = entry.name
    try:
        mode = entry.stat().st_mode
    except OSError as error:
        return f"cannot read {name!r}: {error.strerror}"
    if not S_ISREG(mode):
        return f"{name!r} is a {_kind(mode)}, not a file"
    if has_control_character(name):
        return f"the name {name!r} has a line break or control character: rename the file"
    return link_problem(entry.path, links) if entry.is_symlink() else None


def link_problem(path, links=()):
    """Return why a path in the input directory is a link that is not followed; else None.

    A link to a file elsewhere would publish whatever this process can read there.

    Parameters
    ----------
    path : path-like
    links : sequence of str, optional
        Directories outside of the input directory that links may lead into.

    Raises
    ------
    OSError
    """
    if not S_ISLNK(os.lstat(path).st_mode):
        return None
    indir, name = os.path.split(path)
    target = os.path.realpath(path)
    allowed = map(os.path.realpath, (indir, *links))
    if any(_is_in(target, folder) for folder in _SYSTEM) or not any(
        _is_in(target, folder) for folder in allowed
    ):
        return (
            f"{name!r} is a link out of the input directory, to {target!r}, and is not followed: "
            "copy the file, or add its directory to links in [granule] of collection.toml"
        )
    return None


def _is_in(path, folder):
    return path.startswith(os.path.join(folder, ""))


def _kind(mode):
    kinds = {S_IFDIR: "directory", S_IFIFO: "pipe", S_IFSOCK: "socket"}
    return kinds.get(S_IFMT(mode), "device")
