"""A collection's repository: its data folders, where its sample comes from, and its manifest."""

import contextlib
import fcntl
import os
import re
import shutil
import tomllib
from pathlib import Path

from .. import CumulusError
from ..files import files_of, fsync
from .manifest import manifest_text, read_manifest, states_of

__all__ = ["FOLDERS", "Repository", "copy_file"]

FOLDERS = ("input", "output")


class Repository:
    """The sample of a repository.

    Parameters
    ----------
    home : path-like
        Folder of the repository, which holds collection.toml and data/.
    """

    def __init__(self, home):
        self.home = Path(home).resolve()
        self.data = self.home / "data"
        self.manifest = self.data / "MANIFEST.sha256"
        # The manifest that data/ last agreed with, on this machine.
        self.known = self.data / ".known.sha256"
        self.expected = self.data / "output"
        self.actual = self.data / "test-output"

    def source(self):
        """Return where the sample comes from: an S3 URI (str), a folder of this repository (Path),
        or None for the starter sample.
        """
        path = self.home / "collection.toml"
        try:
            settings = tomllib.loads(path.read_text(encoding="utf-8-sig"))
            uri = str(settings.get("sample", {}).get("uri", ""))
        except (AttributeError, OSError, ValueError) as error:
            raise CumulusError(f"cannot read {path.name}: {error}") from error
        if not uri or re.fullmatch(r"s3://[^/]+(/.*)?", uri):
            return uri or None
        folder = (self.home / uri).resolve()
        inside = folder != self.home and folder.is_relative_to(self.home)
        usable = inside and not folder.is_relative_to(self.data) and ".git" not in folder.parts
        if "://" in uri or not usable or (folder.exists() and not folder.is_dir()):
            raise CumulusError(
                f"{path.name}: [sample] uri must be s3://BUCKET/PREFIX, a folder of this "
                f"repository such as tests/sample, or empty, not {uri!r}"
            )
        return folder

    def make_folders(self):
        """Make the folders of data/ that are missing, and refuse links that cannot serve.

        Raises
        ------
        CumulusError
            A folder of data/ is a link to nothing, to a file, or into another folder of data/.
        """
        folders = [self.data / name for name in (*FOLDERS, "test-output")]
        for folder in folders:
            if folder.is_symlink() and not folder.is_dir():
                raise CumulusError(
                    f"data/{folder.name} is a link to {os.readlink(folder)!r}, which is not a "
                    "folder: make that folder, or remove the link"
                )
            folder.mkdir(parents=True, exist_ok=True)
        for folder in folders:
            for other in folders:
                if folder != other and folder.resolve().is_relative_to(other.resolve()):
                    raise CumulusError(
                        f"data/{folder.name} leads into data/{other.name}: each of them needs a "
                        "folder of its own"
                    )

    def files(self, folder=None):
        """Return the names of all sample and expected files of a folder, by default data/, sorted.

        Those that count are those which the comparison counts; what is not a file is left out.
        """
        folder = folder or self.data
        return sorted(
            f"{kind}/{name}"
            for kind in FOLDERS
            if (folder / kind).is_dir()
            for name in files_of(folder / kind)
            if (folder / kind / name).is_file()
        )

    def states(self, folder=None):
        """Return the states of all sample and expected files of a folder, by name."""
        folder = folder or self.data
        return states_of(self.files(folder), folder)

    def recorded(self):
        """Return the states that the committed manifest records; None where there is none yet."""
        return read_manifest(self.manifest)

    def write_manifest(self):
        """Replace the manifest in one step by what is in data/ now."""
        partial = self.manifest.with_name(f".{self.manifest.name}.part")
        partial.write_text(manifest_text(self.states()), encoding="utf-8")
        partial.replace(self.manifest)
        self.remember()

    def remember(self):
        """Note that data/ agrees with the manifest."""
        copy_file(self.manifest, self.known)

    def owners(self, recorded):
        """Return the names of the owner's own files, which nothing overwrites.

        They are recorded neither now nor in the manifest with which data/ last agreed. A file of
        that earlier manifest is merely old: somebody accepted another, and git pull brought that.
        """
        known = read_manifest(self.known) or {}
        return [
            name
            for name, now in self.states().items()
            if now not in ((recorded or {}).get(name), known.get(name))
        ]

    def drift(self, recorded):
        """Yield how data/ differs from what the manifest records, a line a file."""
        now = self.states()
        for name in sorted(recorded.keys() | now.keys()):
            if recorded.get(name) != now.get(name):
                how = "differs"
                if name not in now:
                    how = "is not here"
                elif name not in recorded:
                    how = "is not recorded"
                yield f"data/{name} {how}"

    def remedy(self, recorded):
        """Return what to do where data/ differs from what the manifest records."""
        now = self.states()
        own = [name for name in now if now[name] != recorded.get(name)]
        own_inputs = [name for name in own if name.startswith("input/")]
        if own_inputs and not any(name.startswith("output/") for name in now):
            return "bin/accept-products records it, when the products in data/test-output are right"
        anew = "if data/ is right: bin/fetch-data --manifest, and commit the manifest"
        if recorded.keys() - now.keys():
            return f"bin/fetch-data brings what is not here; {anew}"
        return anew

    @contextlib.contextmanager
    def locked(self):
        """Keep a second program from changing data/ at the same time, until this one ends."""
        folder = os.open(self.data, os.O_RDONLY)
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            yield
        except BlockingIOError:
            raise CumulusError(
                "another bin/accept-products or bin/fetch-data is at work on data/: wait for it"
            ) from None
        finally:
            os.close(folder)


def copy_file(original, target):
    """Copy a file by way of a temporary name: an interrupted copy never passes for the file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{os.getpid()}.part")  # the file's own name might be too long
    try:
        shutil.copyfile(original, partial)
        fsync(partial)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
