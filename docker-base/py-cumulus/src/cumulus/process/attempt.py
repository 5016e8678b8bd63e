"""One granule after the other on its way through scratch."""

import contextlib
import os
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from .. import CumulusError
from ..files import checksum, look_at
from .delivery import check_made, deliver, remove_products
from .granule import Granule
from .grouping import product_names
from .messages import INPUTS, STEP
from .outcome import INTERRUPTED, PROCESSED, SKIPPED, Outcome, failure
from .signals import Interrupted, signals_held

__all__ = ["Maker"]


class Maker:
    """Takes granules through scratch, one at a time."""

    def __init__(self, job, converter, relay, send, announcer):
        self._job, self._converter, self._relay, self._send = job, converter, relay, send
        self._announcer = announcer
        self._threads = ThreadPoolExecutor(4)
        self._delivered, self._inputs, self._begun = None, {}, False
        self._spare = self._all_names = None
        self.stopped = False

    def make(self, number):
        """Make a granule and return its Outcome, INTERRUPTED when a request to stop came first."""
        self._relay.warnings = warnings = []
        self._delivered, self._inputs, self._begun = None, {}, False
        started, memory = time.monotonic(), _Memory(self._converter)
        try:
            outcome = self._make(number)
        except Interrupted:  # by the handler's SIGTERM, whatever it got itself
            self.stopped = True
            why = "abandoned: the run was asked to stop"
            outcome = self._delivered or Outcome(INTERRUPTED, why, self._inputs)
        except BaseException as error:  # a handler may call sys.exit(), too
            outcome = failure(error, self._job, self._inputs)
            self._job.clear(number, self._begun)  # a part of it may be delivered
        self._leave(self._job.place(number))
        outcome.seconds = time.monotonic() - started
        outcome.peak_memory_mb = memory.peak_mb()
        outcome.warnings = warnings
        return outcome

    def _enter(self, place):
        """Make a scratch directory, of the last granule's if that was left empty.

        File systems are slow to make files where many were removed of late (ext4 looks at each of
        them first), and with thousands of granules a directory each is many.
        """
        spare, self._spare = self._spare, None
        if spare:
            os.rename(spare, place)
        else:
            place.mkdir()
        return place

    def _leave(self, place):
        with contextlib.suppress(OSError):
            if not os.listdir(place):
                self._spare = place
                return
        shutil.rmtree(place, ignore_errors=True)

    def _make(self, number):
        job, candidate = self._job, self._job.candidates[number]
        groups, paths = candidate.groups, candidate.inputs
        names = product_names(job.collection, groups)
        if not job.force and (found := job.completions.standing(candidate.id, paths, names)):
            return Outcome(SKIPPED, inputs=found[0], products=found[1])
        started_ns = time.time_ns()
        self._read_inputs(paths)
        self._remove_earlier(candidate, names.values())
        place = self._enter(job.place(number))
        products = {key: place / name for key, name in names.items()}
        granule = Granule(
            id=candidate.id,
            inputs=dict(paths),  # the handler's own: what it changes there misleads nobody
            products=dict(products),
            collection=job.collection,
            home=job.home,
            groups=groups,
            converter=self._converter,
            step=self._step,
            announcer=self._announcer,
        )
        self._step("process_granule")
        job.function(granule)
        self._step("deliver")
        check_made(products)
        made = {key: _read(path, granule.sums) for key, path in products.items()}
        _check_described(made["data"], granule.sums)
        for role, path in paths.items():
            _check_unchanged(path, self._inputs[role])
        with signals_held():  # a product and its record belong together
            deliver(products, job.outdir, self._threads.map)
            job.completions.write(candidate.id, started_ns, self._inputs, made)
            self._delivered = Outcome(PROCESSED, inputs=self._inputs, products=made)
            if granule.unused_rows:
                self._delivered.unused_rows = set.intersection(*granule.unused_rows)
        return self._delivered

    def _read_inputs(self, paths):
        """Look at the inputs before anything is removed: they may be out of reach for a while."""
        for role, path in paths.items():
            try:
                self._inputs[role] = _read(path)
            except OSError as error:
                words = f"cannot read input {path.name!r}: {error.strerror}"
                raise CumulusError(words) from error

    def _remove_earlier(self, candidate, names):
        """What an earlier run left must not be taken for the result of this one.

        From the message on, who clears up after this worker removes the products, too.
        """
        job, former = self._job, self._former(candidate, names)
        _check_apart(candidate.inputs, [job.outdir / name for name in (*names, *former)])
        self._begun = True
        self._send(INPUTS, self._inputs)
        remove_products(job.outdir, former)
        job.completions.forget(candidate.id)
        remove_products(job.outdir, names)

    def _former(self, candidate, names):
        """Products that the granule had under names which [products] does not give any more."""
        job = self._job
        former = set(job.completions.product_names(candidate.id)).difference(names)
        if former and self._all_names is None:  # another granule may have taken the name
            self._all_names = {
                name
                for one in job.candidates
                for name in product_names(job.collection, one.groups).values()
            }
        return former.difference(self._all_names or ())

    def _step(self, name):
        self._send(STEP, name)


def _read(path, sums=None):
    """The facts of a file, with its SHA-256 unless that is known."""
    facts = look_at(path)
    return replace(facts, sha256=(sums or {}).get(facts) or checksum(path))


def _check_apart(inputs, products):
    """An input that is a link to the place of a product would be lost with it."""
    for path in products:
        with contextlib.suppress(FileNotFoundError):
            place = os.lstat(path)
            for one in inputs.values():
                if os.path.samestat(os.stat(one), place):
                    raise CumulusError(
                        f"input {one.name!r} is the file {str(path)!r}, which a product would "
                        "replace: nothing was made of it"
                    )


def _check_unchanged(path, facts):
    if replace(facts, sha256="") != look_at(path):
        raise CumulusError(f"input {path.name!r} changed while it was processed: run again")


def _check_described(data, sums):
    """The records say the size and the SHA-256 of the product "data"."""
    if sums and data.sha256 not in sums.values():
        raise CumulusError("product 'data' was changed after write_metadata: call that last")


class _Memory:
    """Peak memory of this process and of the converter since now, as far as the kernel tells."""

    def __init__(self, converter):
        self._converter = converter
        for pid in self._pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/clear_refs", "w") as file:
                file.write("5")  # sets the peak to what is used now

    def _pids(self):
        return [pid for pid in ("self", self._converter.pid) if pid]

    def peak_mb(self):
        peaks = []
        for pid in self._pids():
            with contextlib.suppress(OSError), open(f"/proc/{pid}/status") as file:
                peaks += [int(one.split()[1]) for one in file if one.startswith("VmHWM:")]
        return round(max(peaks) * 1024 / 1e6, 1) if peaks else None
