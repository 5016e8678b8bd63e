"""The collection's sample: the files of data/, the manifest that records them, and where they come from.

What bin/fetch-data and bin/accept-products share; needs nothing but Python.
"""

import fcntl
import hashlib
import os
import re
import shutil
import tomllib
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "data"
MANIFEST = DATA / "MANIFEST.sha256"
KNOWN = DATA / ".known.sha256"  # the manifest that data/ last agreed with, on this machine
FOLDERS = ("input", "output")


class Problem(Exception):
    """What could not be done, in one sentence."""


def source():
    """Where the sample comes from: an S3 URI, a folder of this repository (a Path), or None: the starter sample."""
    path = ROOT / "collection.toml"
    try:
        uri = tomllib.loads(path.read_text(encoding="utf-8-sig")).get("sample", {}).get("uri", "")
    except (OSError, ValueError) as error:
        raise Problem(f"cannot read {path.name}: {error}") from error
    if not uri or re.fullmatch(r"s3://[^/]+(/.*)?", str(uri)):
        return uri or None
    folder = (ROOT / str(uri)).resolve()
    inside = folder != ROOT and folder.is_relative_to(ROOT) and not folder.is_relative_to(DATA)
    if "://" in str(uri) or not inside or ".git" in folder.parts or (folder.exists() and not folder.is_dir()):
        raise Problem(f"{path.name}: [sample] uri must be s3://BUCKET/PREFIX, a folder of this repository such as "
                      f"tests/sample, or empty, not {uri!r}")
    return folder


def names(folder, around=()):
    """What `cumulus compare` counts in a folder, as paths relative to it: all that is no folder, be it a file or not.

    Links to folders are followed, but not back to one that they are in. What begins with a dot never counts.
    """
    around = (*around, os.path.realpath(folder))
    for entry in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
        path = os.path.join(folder, entry)
        if entry.startswith("."):
            continue
        if not os.path.isdir(path):
            yield entry
        elif os.path.realpath(path) not in around:
            yield from (f"{entry}/{name}" for name in names(path, around))


def files(folder=DATA):
    """Every sample and expected file of a folder, as paths relative to it, in a fixed order."""
    return sorted(f"{kind}/{name}" for kind in FOLDERS for name in names(folder / kind)
                  if (folder / kind / name).is_file())


def state(path):
    """What the manifest says of a file: hash, and size in bytes."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size


def describe(names, folder=DATA):
    """The state of files, by name."""
    return {name: state(folder / name) for name in names}


def read_manifest(path=MANIFEST):
    """A manifest in the same form, by default the committed one; None where there is none yet."""
    try:
        lines = path.read_text(encoding="utf-8", errors="backslashreplace").splitlines()
    except FileNotFoundError:
        return None
    rows = [re.fullmatch(r"([0-9a-f]{64}) +([0-9]+) (.+)", line) for line in lines]
    if None in rows:
        raise Problem(f"line {rows.index(None) + 1} of data/{path.name} is no hash, size and name: "
                      "mend it, or write it anew: bin/fetch-data --manifest")
    return {row[3]: (row[1], int(row[2])) for row in rows}


def manifest_text(states):
    """The manifest: a line a file, hash, size in bytes, name."""
    refuse_odd_names(states)
    return "".join(f"{digest} {size:>12} {name}\n" for name, (digest, size) in sorted(states.items()))


def refuse_odd_names(names):
    if odd := [name for name in names if not name.isprintable()]:
        raise Problem(f"a file name with a line break or the like cannot stand in the manifest: {odd[0]!r}")


def write_manifest():
    """Replace the manifest in one step by what is in data/ now."""
    partial = MANIFEST.with_name(f".{MANIFEST.name}.part")
    partial.write_text(manifest_text(describe(files())), encoding="utf-8")
    partial.replace(MANIFEST)
    remember()


def remember():
    """Note that data/ agrees with the manifest."""
    copy(MANIFEST, KNOWN)


def owners(recorded):
    """Files that neither the manifest records nor an earlier one did, with which data/ agreed: nothing overwrites them.

    A file of the earlier manifest is merely old: a colleague accepted another, and the manifest came with git pull.
    """
    known = read_manifest(KNOWN) or {}
    return [name for name, now in describe(files()).items()
            if now not in ((recorded or {}).get(name), known.get(name))]


def drift(recorded):
    """How data/ differs from what the manifest records, one line a file."""
    now = describe(files())
    for name in sorted(recorded.keys() | now.keys()):
        if recorded.get(name) != now.get(name):
            how = "is not here" if name not in now else "is not recorded" if name not in recorded else "differs"
            yield f"data/{name} {how}"


def remedy(recorded):
    """What to do where data/ differs from what the manifest records."""
    now = describe(files())
    own = [name for name in now if name.startswith("input/") and now[name] != recorded.get(name)]
    if own and not any(name.startswith("output/") for name in now):
        return "bin/accept-products records it, when the products in data/test-output are right"
    anew = "if data/ is right: bin/fetch-data --manifest, and commit the manifest"
    return f"bin/fetch-data brings what is not here; {anew}" if recorded.keys() - now.keys() else anew


def copy(original, target):
    """Copy a file by way of a temporary name, so that an interrupted copy never passes for the file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{os.getpid()}.part")  # a name of the file's own length might be too long
    try:
        shutil.copyfile(original, partial)
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def locked():
    """Keep a second program from changing data/ at the same time; the lock ends with the process."""
    folder = os.open(DATA, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Problem("another bin/accept-products or bin/fetch-data is at work on data/: wait for it") from None
    finally:
        os.close(folder)
