"""Facts, checksums and names of files, and how they are forced to the disk."""

import errno
import hashlib
import os
import stat
import unicodedata
from dataclasses import dataclass

from . import CumulusError

__all__ = [
    "STATE",
    "FileFacts",
    "checksum",
    "files_of",
    "find_link",
    "fsync",
    "has_control_character",
    "look_at",
    "refuse_links",
    "refuse_state_links",
    "user_remedy",
]

STATE = ".cumulus"  # folder in an output directory; dot entries are never products


@dataclass(frozen=True)
class FileFacts:
    """Identify a file's content: by size and time of change quickly, by SHA-256 for certain."""

    name: str
    size: int
    mtime_ns: int
    sha256: str = ""


def look_at(path):
    """Return the facts of a file as they are now, without reading it."""
    status = os.stat(path)
    return FileFacts(os.path.basename(path), status.st_size, status.st_mtime_ns)


def checksum(path):
    """Return the SHA-256 of a file's content."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


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


def has_control_character(name):
    """Return whether a name has a line break or another control character.

    Logs, manifests and catalogues take such a name for two, or for another one.
    """
    if name.isprintable():  # no such character is; this is the quick answer for common names
        return False
    return any(unicodedata.category(character) in ("Cc", "Zl", "Zp") for character in name)


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


def files_of(directory):
    """Return the names of a directory's files, those in subdirectories included."""

    def fail(error):
        raise CumulusError(f"cannot read directory {error.filename!r}: {error.strerror}")

    names = set()
    above = {os.fspath(directory): ()}  # path -> identities of the directories above it
    for folder, subfolders, files in os.walk(directory, onerror=fail, followlinks=True):
        here = (*above.pop(folder), _identity(folder))
        inside = [os.path.join(folder, name) for name in subfolders if not name.startswith(".")]
        # A link to a directory above itself would never end.
        inside = [path for path in inside if _identity(path) not in here]
        above |= dict.fromkeys(inside, here)
        subfolders[:] = map(os.path.basename, inside)
        for name in files:
            if not name.startswith("."):
                names.add(os.path.relpath(os.path.join(folder, name), directory))
    return names


def refuse_state_links(outdir):
    """Refuse an output directory whose state folder is a link, or holds one.

    Whoever writes there, such as a program in a container, may have fewer rights than this process,
    which would read or write elsewhere through a link, and wait for ever for a pipe.

    Raises
    ------
    CumulusError
        The state folder or an entry of it is neither a regular file nor a folder.
    """
    if problem := _find_state_link(outdir):
        raise CumulusError(problem)


def refuse_links(outdir):
    """Refuse an output directory that holds a link, among its products or in its state folder.

    Raises
    ------
    CumulusError
        A product or its folder is a link, or the state folder is not as it should be.
    """
    if problem := find_link(outdir):
        raise CumulusError(problem)


def find_link(outdir):
    """Return a sentence on the first link that an output directory holds, or an empty text."""
    for parent, directories, files in os.walk(outdir):
        directories[:] = [name for name in directories if not name.startswith(".")]
        for name in sorted((*directories, *files)):
            path = os.path.join(parent, name)
            if not name.startswith(".") and os.path.islink(path):
                return f"{path} is a link, and products are regular files: remove it"
    return _find_state_link(outdir)


def _find_state_link(outdir):
    folder = os.path.join(outdir, STATE)
    if os.path.isdir(folder) and not os.path.islink(folder):
        paths = [os.path.join(folder, name) for name in sorted(os.listdir(folder))]
    else:
        paths = [folder]
    for path in filter(os.path.lexists, paths):
        mode = os.lstat(path).st_mode
        if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            return f"{path} is neither a regular file nor a folder: remove it"
    return ""


def _identity(directory):
    status = os.stat(directory)
    return status.st_dev, status.st_ino
