"""Completion records: what a granule was made from, so that a rerun makes only what has changed."""

import hashlib
import json
import os
from pathlib import Path
from time import time_ns

from .. import CumulusError, __version__
from ..files import STATE, FileFacts, checksum, look_at

__all__ = ["Completions", "code_fingerprint"]

FOLDER = "granules"  # in STATE
_CODE = ("_convert", "process.py", "collection.toml")
# A file can change twice within one tick of a file system's clock; only what rests longer than
# this is known by its time of change. FAT has the coarsest clock.
_TICK_NS = 2 * 10**9


def code_fingerprint(home, collection):
    """Return a hash of what turns inputs into products.

    That is the converter, process.py, collection.toml with the identity that the environment
    gives, the variables of [granule].environment, everything in src/, also behind links, and
    py-cumulus itself: its version and its code.

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
    """All files, in the order of their names; links are followed, but never in a circle."""
    real = os.path.realpath(folder)
    if real in above or not folder.is_dir():
        return []
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        raise CumulusError(f"cannot read {str(folder)!r}: {error.strerror}") from error
    found = []
    for path in entries:
        if path.is_file():
            found.append(path)
        elif path.name != "__pycache__":
            found += _files_below(path, (*above, real))
    return found


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
        """Make the place for the records."""
        self._folder.mkdir(exist_ok=True)

    def standing(self, granule_id, inputs, names):
        """Return the facts of a granule's products if they stand, None if it has to be processed.

        They stand if the record is there, code and inputs are those that it names, and every
        product is the file that was delivered. A file of the same size and time of change counts
        as unchanged, as for make and rsync: reading a whole archive to skip it would take as long
        as processing it. Where only the time differs, the content decides.

        Parameters
        ----------
        granule_id : str
        inputs : mapping of str to path-like
        names : mapping of str to str
            File name of each product.

        Returns
        -------
        inputs, products : dict of str to FileFacts
        """
        try:
            record = json.loads(self._path(granule_id).read_text(encoding="utf-8"))
            if (record["fingerprint"], record["granule"]) != (self._fingerprint, granule_id):
                return None
            old = {role: FileFacts(**one) for role, one in record["inputs"].items()}
            made = {key: FileFacts(**one) for key, one in record["products"].items()}
            paths = {key: self._outdir / name for key, name in names.items()}
            rests = record["started_ns"] - _TICK_NS
            if _same(old, inputs, rests) and _same(made, paths, links=False):
                return old, made
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None  # there is none, or it was cut off when the machine stopped
        return None

    def product_names(self, granule_id):
        """Return the names of the products that a granule's record speaks of; empty without one."""
        try:
            record = json.loads(self._path(granule_id).read_text(encoding="utf-8"))
            names = [one["name"] for one in record["products"].values()]
            return [one for one in names if one == os.path.basename(one)]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return []

    def write(self, granule_id, started_ns, inputs, products):
        """Record that the products of a granule were delivered.

        It is not forced to the disk: after a loss of power the worst is a granule that is
        processed again.
        """
        record = {
            "granule": granule_id,
            "fingerprint": self._fingerprint,
            "started_ns": started_ns,
            "finished_ns": time_ns(),
            "inputs": {role: vars(one) for role, one in inputs.items()},
            "products": {key: vars(one) for key, one in products.items()},
        }
        path = self._path(granule_id)
        temporary = path.with_suffix(".new")
        temporary.write_text(json.dumps(record), encoding="utf-8")
        os.replace(temporary, path)

    def forget(self, granule_id):
        """Remove a granule's record."""
        self._path(granule_id).unlink(missing_ok=True)

    def _path(self, granule_id):
        """The id itself may be too long for a file name, or hold what one cannot hold."""
        name = hashlib.sha256(os.fsencode(granule_id)).hexdigest()[:40]
        return self._folder / f"{name}.json"


def _same(facts, paths, rests=None, links=True):
    """Whether the files are those of the record; times of change after ``rests`` prove nothing."""
    if facts.keys() != paths.keys():
        return False
    for key, old in facts.items():
        path = paths[key]
        now = look_at(path)
        if (now.name, now.size) != (old.name, old.size) or (not links and os.path.islink(path)):
            return False
        certain = rests is None or now.mtime_ns < rests
        if not (certain and now.mtime_ns == old.mtime_ns) and checksum(path) != old.sha256:
            return False
    return True
