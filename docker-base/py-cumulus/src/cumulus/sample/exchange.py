"""Replace the expected products, the manifest and the record of reasons together, or not at all.

Everything is prepared beside what it replaces. Renaming the prepared data/.accepting.part to
data/.accepting decides: a run that ends before, however it ends, has changed nothing; `finish`
completes one that ends after. bin/accept-products and bin/fetch-data call it first. data/output
itself is exchanged in one step: at every moment it holds all of the old products or all of the new.
"""

import ctypes
import os
import shutil
import sys
from pathlib import Path

from .. import CumulusError
from ..files import fsync
from .manifest import state_of
from .repository import copy_file

__all__ = ["Behind", "Exchange"]

_INODE = "inode-of-the-new-output"


class Behind(CumulusError):
    """The products are accepted, and not everything follows them yet."""


class Exchange:
    """The exchange of a repository's expected products.

    Parameters
    ----------
    repository : cumulus.sample.repository.Repository
        Its data/output may be a link to a folder elsewhere, which is then exchanged.
    """

    def __init__(self, repository):
        self.repository = repository
        self.record = repository.data / "ACCEPTED.md"
        self.ready = repository.data / ".accepting"
        self.part = repository.data / ".accepting.part"
        self.output = repository.expected.resolve()
        # Beside it, because only within a file system can two folders be exchanged.
        self.staged = self.output.with_name(f".{self.output.name}.accepting")
        # For the old folder, on systems that cannot exchange two.
        self.replaced = self.output.with_name(f".{self.output.name}.replaced")

    def prepare(self, changes, manifest, record):
        """Make the new data/output, manifest and record ready; nothing that is in use is touched.

        Parameters
        ----------
        changes : dict
            For each product to take its state as it was shown, for one to remove None; by name.
        manifest, record : str
            The new text of data/MANIFEST.sha256 and data/ACCEPTED.md.

        Raises
        ------
        CumulusError
            A product changed in the meantime, or the folders cannot be exchanged.
        """
        self.clear()
        if self.output.is_mount():
            raise CumulusError(
                f"data/output is the root of a file system ({self.output}), which cannot be "
                "exchanged: let it be a link to a folder in there; nothing was accepted"
            )
        shutil.copytree(self.output, self.staged, symlinks=True, copy_function=_link)
        # Removals first: a folder may replace a file, and the other way round.
        for name, wanted in sorted(changes.items(), key=lambda change: change[1] is not None):
            self._stage(name, wanted)
        self.part.mkdir()
        for path, text in ((self.repository.manifest, manifest), (self.record, record)):
            _write(self.part / path.name, text)
        _write(self.part / _INODE, str(self.staged.stat().st_ino))
        folders = [path for path in self.staged.rglob("*") if path.is_dir()]
        for folder in (*folders, self.staged, self.staged.parent, self.part):
            fsync(folder)

    def _stage(self, name, wanted):
        """Bring a product of data/test-output into the new folder, or remove it there."""
        for folder in Path(name).parents:
            if (self.staged / folder).is_symlink():  # no single step could exchange what is there
                raise CumulusError(
                    f"data/output/{folder} is a link, and accepting would change {name} in the "
                    "folder that it leads to: replace the link by that folder; nothing was accepted"
                )
        if wanted is None:
            _remove(self.staged, name)
            return
        copy_file(self.repository.actual / name, self.staged / name)
        if state_of(self.staged / name) != wanted:
            raise CumulusError(
                f"data/test-output/{name} changed while it was being accepted; "
                "nothing was accepted"
            )

    def decide(self):
        """Take the one step that cannot be half done."""
        self.part.rename(self.ready)
        fsync(self.repository.data)

    def finish(self):
        """Carry out what was decided and not completed, if anything was.

        Raises
        ------
        Behind
            Something is in the way.
        """
        if self.ready.is_dir():
            try:
                self._complete()
            except (OSError, CumulusError) as error:
                raise Behind(
                    "the products are accepted, but not everything follows them yet: "
                    f"{error}; when that is mended, run bin/accept-products again"
                ) from error
        self.clear()

    def _complete(self):
        """Do what was decided; each step may be repeated."""
        # Once exchanged, the folder beside is the old one.
        inode = int((self.ready / _INODE).read_text())
        if self.staged.is_dir() and self.staged.stat().st_ino == inode:
            _exchange(self.staged, self.output, self.replaced)
            fsync(self.output.parent)
        for path in (self.repository.manifest, self.record):
            if (self.ready / path.name).exists():
                (self.ready / path.name).replace(path)
        self.repository.remember()
        self.mirror()
        fsync(self.repository.data)
        shutil.rmtree(self.part, ignore_errors=True)
        self.ready.rename(self.part)

    def clear(self):
        """Remove what an attempt that was never decided, or that is complete, left behind."""
        for folder in (self.part, self.staged, self.replaced):
            if folder.exists():
                shutil.rmtree(folder)

    def mirror(self):
        """Make a sample in a folder of this repository equal to data/; return what changed."""
        folder = self.repository.source()
        if folder is None or isinstance(folder, str):
            return []
        for partial in folder.rglob(".*.part"):  # of a copy that was killed
            partial.unlink()
        now, old = self.repository.states(), self.repository.states(folder)
        names = [name for name in now.keys() | old.keys() if now.get(name) != old.get(name)]
        for name in sorted(names, key=lambda name: name in now):
            if name in now:
                copy_file(self.repository.data / name, folder / name)
            else:
                _remove(folder, name)
        return names


def _remove(folder, name):
    """Remove a file, and the folders that it leaves empty: a file may replace such a folder."""
    (folder / name).unlink()
    for parent in Path(name).parents[:-1]:
        try:
            (folder / parent).rmdir()
        except OSError:  # it is not empty
            break


def _link(original, target):
    """Give an unchanged product a second name; copy it where the file system has no such thing."""
    try:
        os.link(original, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(original, target, follow_symlinks=False)


def _exchange(new, old, replaced):
    """Exchange two folders in one step; where the system cannot, in two that can be resumed."""
    if old.exists():
        if exchanged_by_system(new, old):
            return
        shutil.rmtree(replaced, ignore_errors=True)
        old.rename(replaced)
    new.rename(old)


def exchanged_by_system(new, old):
    """Whether the system exchanged two folders: Linux by renameat2, macOS by renamex_np."""
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(new), os.fsencode(old)
    swap, here = 2, -100  # RENAME_EXCHANGE and RENAME_SWAP; AT_FDCWD
    try:
        if sys.platform == "darwin":
            return library.renamex_np(*names, swap) == 0
        return library.renameat2(here, names[0], here, names[1], swap) == 0
    except AttributeError:  # a C library without it
        return False


def _write(path, text):
    path.write_text(text, encoding="utf-8")
    fsync(path)
