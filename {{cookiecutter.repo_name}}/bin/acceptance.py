"""Replace the expected products, the manifest and the record of reasons together, or not at all.

Everything is prepared beside what it replaces. Renaming the prepared data/.accepting.part to data/.accepting decides:
a run that ends before, however it ends, has changed nothing; one that ends after is completed by `finish`, which
bin/accept-products and bin/fetch-data call first. data/output itself is exchanged in one step: at every moment it
holds all of the old products or all of the new ones.
"""

import ctypes
import os
import shutil
import sys
from pathlib import Path

from sample_data import (
    DATA,
    MANIFEST,
    Problem,
    copy,
    describe,
    files,
    remember,
    source,
    state,
)

RECORD = DATA / "ACCEPTED.md"
READY = DATA / ".accepting"
PART = DATA / ".accepting.part"
INODE = "inode-of-the-new-output"


class Behind(Problem):
    """The products are accepted, and not everything follows them yet."""


def output():
    """The folder of the expected products itself, which data/output may be a link to."""
    return (DATA / "output").resolve()


def staged():
    """The folder that takes its place; beside it, because only within a file system can they be exchanged."""
    return output().with_name(".output.accepting")


def replaced():
    """Where the old one goes on systems that cannot exchange two folders."""
    return output().with_name(".output.replaced")


def prepare(changes, actual, manifest, record):
    """Make the new data/output, manifest and record ready; nothing that is in use is touched.

    `changes` gives for each product to take its state, as it was shown, or None for one to remove.
    """
    clear()
    shutil.copytree(output(), staged(), symlinks=True, copy_function=link)
    # Removals first: a folder may take the place of a file, and the other way round.
    for name, wanted in sorted(changes.items(), key=lambda change: change[1] is not None):
        refuse_link(name)
        if wanted is None:
            remove(staged(), name)
        else:
            copy(actual / name, staged() / name)
            if state(staged() / name) != wanted:
                raise Problem(f"data/test-output/{name} changed while it was being accepted; nothing was accepted")
    PART.mkdir()
    for path, text in ((MANIFEST, manifest), (RECORD, record)):
        write(PART / path.name, text)
    write(PART / INODE, str(staged().stat().st_ino))
    for folder in (*(path for path in staged().rglob("*") if path.is_dir()), staged(), staged().parent, PART):
        fsync(folder)


def refuse_link(name):
    """What is in a folder elsewhere would change at once, and no single step can exchange that."""
    for folder in Path(name).parents:
        if (staged() / folder).is_symlink():
            raise Problem(f"data/output/{folder} is a link, and accepting would change {name} where it leads to: "
                          "put the folder itself there; nothing was accepted")


def decide():
    """The one step that cannot be half done."""
    PART.rename(READY)
    fsync(DATA)


def finish():
    """Carry out what was decided and not completed, if anything was."""
    if READY.is_dir():
        try:
            complete()
        except (OSError, Problem) as error:
            raise Behind(f"the products are accepted, but not everything follows them yet: {error}; when that is "
                         "mended, run bin/accept-products again") from error
    clear()


def complete():
    """Each step may be repeated."""
    # Once exchanged, the folder beside is the old one.
    if staged().is_dir() and staged().stat().st_ino == int((READY / INODE).read_text()):
        exchange(staged(), output())
        fsync(output().parent)
    for path in (MANIFEST, RECORD):
        if (READY / path.name).exists():
            (READY / path.name).replace(path)
    remember()
    mirror()
    fsync(DATA)
    shutil.rmtree(PART, ignore_errors=True)
    READY.rename(PART)


def clear():
    """Remove what an attempt that was never decided, or one that is complete, left behind."""
    for folder in (PART, staged(), replaced()):
        if folder.exists():
            shutil.rmtree(folder)


def mirror():
    """Where the sample is kept in a folder of this repository, make it equal to data/; returns what changed there."""
    folder = source()
    if folder is None or isinstance(folder, str):
        return []
    for left in folder.rglob(".*.part"):  # of a copy that was killed
        left.unlink()
    now, old = describe(files()), describe(files(folder), folder)
    different = [name for name in now.keys() | old.keys() if now.get(name) != old.get(name)]
    for name in sorted(different, key=lambda name: name in now):
        if name in now:
            copy(DATA / name, folder / name)
        else:
            remove(folder, name)
    return different


def remove(folder, name):
    """Remove a file, and the folders that it leaves empty: a file may take the place of one."""
    (folder / name).unlink()
    for one in Path(name).parents[:-1]:
        try:
            (folder / one).rmdir()
        except OSError:  # it is not empty
            break


def link(original, target):
    """A second name for an unchanged product; a copy where the file system has no such thing."""
    try:
        os.link(original, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(original, target, follow_symlinks=False)


def exchange(new, old):
    """Let two folders change places in one step; where the system cannot, in two, which `finish` can resume."""
    if old.exists():
        if exchanged_by_system(new, old):
            return
        shutil.rmtree(replaced(), ignore_errors=True)
        old.rename(replaced())
    new.rename(old)


def exchanged_by_system(new, old):
    """Whether the system exchanged them: Linux with renameat2, macOS with renamex_np."""
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(new), os.fsencode(old)
    swap, here = 2, -100  # RENAME_EXCHANGE and RENAME_SWAP; AT_FDCWD
    try:
        if sys.platform == "darwin":
            return library.renamex_np(*names, swap) == 0
        return library.renameat2(here, names[0], here, names[1], swap) == 0
    except AttributeError:  # a C library without it
        return False


def write(path, text):
    with path.open("w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())


def fsync(folder):
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
