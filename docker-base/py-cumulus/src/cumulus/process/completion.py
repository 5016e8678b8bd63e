"""Completion records: what each granule was made from, so that a rerun makes only the others."""

import hashlib
import json
import os
from dataclasses import astuple
from pathlib import Path

from .. import CumulusError, __version__
from ..files import STATE, FileFacts, checksum, look_at

__all__ = ["Completions", "code_fingerprint"]

FOLDER = "granules"  # in STATE
_CODE = ("_convert", "process.py", "collection.toml")
# A file can change twice within one tick of a file system's clock. The time of change identifies
# only files that were left alone for longer than this. FAT has the coarsest clock.
_TICK_NS = 2 * 10**9
# There is no record, it is no record, or it was cut off when the machine stopped.
_NO_RECORD = (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError)


def code_fingerprint(home, collection):
    """Return a hash of the code and configuration that make products.

    It covers the converter, process.py, collection.toml with the identity that the environment
    gives, the variables of [granule].environment, every file in src/, also behind links, and the
    version and code of py-cumulus.

    Parameters
    ----------
    home : path-like
        Where process.py is.
    collection : cumulus.collection.Collection
    """
    home, library = Path(home), Path(__file__).parents[1]
    identity = [__version__, collection.short_name, collection.version, collection.provider]
    variables = {name: os.environ.get(name) for name in collection.environment}
    digest = hashlib.sha256(json.dumps([identity, variables]).encode())
    code = [(home, home / name) for name in _CODE]
    code += [(home, path) for path in _files_below(home / "src")]
    for root, path in code + [(library, path) for path in _files_below(library)]:
        try:
            entry = [str(path.relative_to(root)), checksum(path)]
        except FileNotFoundError:
            continue  # a collection may have no converter
        except OSError as error:
            raise CumulusError(f"cannot read {str(path)!r}: {error.strerror}") from error
        digest.update(json.dumps(entry).encode())
    return digest.hexdigest()


def _files_below(folder, above=()):
    """Return all files, in the order of their names; links are followed, but never in a circle."""
    real = os.path.realpath(folder)
    if real in above or not folder.is_dir():
        return []
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise CumulusError(f"cannot read {str(folder)!r}: {error.strerror}") from error
    files = []
    for path in entries:
        if path.is_file():
            files.append(path)
        elif path.name != "__pycache__":
            files += _files_below(path, (*above, real))
    return files


class Completions:
    """The completion records of an output directory, for the code that is about to run.

    Parameters
    ----------
    outdir : path-like
    fingerprint : str
        Of :func:`code_fingerprint`.
    """

    def __init__(self, outdir, fingerprint):
        self._outdir, self._fingerprint = Path(outdir), fingerprint
        self._folder = self._outdir / STATE / FOLDER

    def prepare(self):
        """Make the folder of the records."""
        self._folder.mkdir(exist_ok=True)

    def up_to_date(self, granule_id, inputs, names, reads=True):
        """Return the facts of a granule's files if its products are up to date, else None.

        They are if the record exists, code and inputs are those that it names, and every product
        is the file that was delivered. A file of the same size and time of change counts as
        unchanged, as for make and rsync: reading a whole archive to skip it would take as long as
        processing it. Where only the time differs, the content decides.

        Parameters
        ----------
        granule_id : str
        inputs : mapping of str to path-like
        names : mapping of str to str
            File name of each product.
        reads : bool
            Whether files are read whose time differs; otherwise they count as changed.

        Returns
        -------
        inputs, products : dict of str to FileFacts
        """
        try:
            record = self._read(granule_id)
            if (record["fingerprint"], record["granule"]) != (self._fingerprint, granule_id):
                return None
            old, made = _facts_of(record["inputs"]), _facts_of(record["products"])
            paths = {key: os.path.join(self._outdir, name) for key, name in names.items()}
            rests = record["started_ns"] - _TICK_NS
            if _same(old, inputs, rests, reads=reads) and _same(
                made, paths, links=False, reads=reads
            ):
                return old, made
        except _NO_RECORD:
            return None
        return None

    def product_names(self, granule_id):
        """Return the names of the products in a granule's record; empty without a record."""
        try:
            made = _facts_of(self._read(granule_id)["products"]).values()
            return [facts.name for facts in made if facts.name == os.path.basename(facts.name)]
        except _NO_RECORD:
            return []

    def write(self, granule_id, started_ns, inputs, products):
        """Record that the products of a granule were delivered.

        The record is not forced to the disk: without it, after a loss of power, the granule is
        processed again.
        """
        record = {
            "granule": granule_id,
            "fingerprint": self._fingerprint,
            "started_ns": started_ns,
            "inputs": {role: astuple(facts) for role, facts in inputs.items()},
            "products": {key: astuple(facts) for key, facts in products.items()},
        }
        path = self._path(granule_id)
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(record, separators=(",", ":")), encoding="utf-8")
        os.replace(temporary, path)

    def forget(self, granule_id):
        """Remove a granule's record."""
        self._path(granule_id).unlink(missing_ok=True)

    def _read(self, granule_id):
        """Return a granule's record; what is a pipe by that name is not waited for."""
        with open(self._path(granule_id), "rb", opener=_open_at_once) as file:
            return json.loads(file.read())

    def _path(self, granule_id):
        """Return the record's path; the id may be too long for a file name, or hold a slash."""
        name = hashlib.sha256(os.fsencode(granule_id)).hexdigest()[:40]
        return self._folder / f"{name}.json"


def _open_at_once(path, flags):
    return os.open(path, flags | os.O_NONBLOCK)


def _facts_of(recorded):
    """Return the FileFacts of a record; those of earlier versions have names for their fields."""
    return {
        key: FileFacts(**facts) if isinstance(facts, dict) else FileFacts(*facts)
        for key, facts in recorded.items()
    }


def _same(facts, paths, rests=None, links=True, reads=True):
    """Whether the files are those of the record; times of change after ``rests`` are no proof."""
    if facts.keys() != paths.keys():
        return False
    for key, old in facts.items():
        path = paths[key]
        now = look_at(path)
        if (now.name, now.size) != (old.name, old.size) or (not links and os.path.islink(path)):
            return False
        is_proof = rests is None or now.mtime_ns < rests
        if is_proof and now.mtime_ns == old.mtime_ns:
            continue
        if not reads or checksum(path) != old.sha256:
            return False
    return True
