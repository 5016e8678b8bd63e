"""Facts, checksums and names of files, and how they are forced to the disk."""

import errno
import hashlib
import os
from dataclasses import dataclass

from . import CumulusError

__all__ = ["STATE", "FileFacts", "checksum", "files_of", "fsync", "look_at", "user_remedy"]

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
    state = os.stat(path)
    return FileFacts(os.path.basename(path), state.st_size, state.st_mtime_ns)


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


def _identity(directory):
    state = os.stat(directory)
    return state.st_dev, state.st_ino
