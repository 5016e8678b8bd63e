"""One granule on its way through scratch, from its inputs to its delivered products."""

import contextlib
import os
import time
from dataclasses import replace

from .. import CumulusError
from ..files import checksum, look_at
from .delivery import deliver, ensure_complete, keep_products, remove_products
from .granule import Granule
from .listing import link_problem
from .memory import PeakMemory
from .messages import INPUTS, STEP
from .outcome import INTERRUPTED, PROCESSED, SKIPPED, Outcome, failure
from .product_names import product_names
from .signals import Interrupted, signals_held
from .support import Support

__all__ = ["Attempt"]


class Attempt:
    """One granule, what has happened to it so far, and what it ends as.

    Parameters
    ----------
    number : int
        Of the candidate in the job.
    tools : cumulus.process.tools.Tools
        Of the worker.

    Attributes
    ----------
    is_stopped : bool
        A request to stop has arrived: the worker takes no other granule.
    """

    def __init__(self, number, tools):
        self._number, self._tools, self._job = number, tools, tools.job
        self._candidate = self._job.candidates[number]
        self._names = product_names(self._job.collection, self._candidate.groups)
        self._inputs = {}  # facts by role, as soon as they are read
        self._has_begun = False  # the earlier products may be gone
        self._delivered = None  # the Outcome, as soon as the products are in the output directory
        self.is_stopped = False

    def make(self):
        """Make the granule and return its Outcome, INTERRUPTED where a request to stop is first."""
        started, memory = time.monotonic(), PeakMemory(self._tools.converter)
        try:
            outcome = self._skip() or self._process()
        except Interrupted:  # by the SIGTERM that the handler sends, whatever signal it got
            self.is_stopped = True
            reason = "abandoned: the run was asked to stop"
            outcome = self._delivered or Outcome(INTERRUPTED, reason, self._inputs)
        except BaseException as error:  # a handler may call sys.exit(), too
            outcome = failure(error, self._job, self._inputs)
            self._keep_products(outcome)
            self._job.clear(self._number, self._has_begun)  # some products may be delivered
        self._tools.scratch.leave(self._number)
        outcome.seconds = time.monotonic() - started
        outcome.peak_memory_mb = memory.peak_mb()
        return outcome

    def _keep_products(self, outcome):
        """Keep what was made of a failed granule, where the run is to keep it, and say where."""
        if not self._job.keeps_failed:
            return
        folder = self._job.scratch_folder(self._number)
        products = {key: folder / name for key, name in self._names.items()}
        with contextlib.suppress(OSError):  # the reason of the failure is what counts
            if path := keep_products(products, self._job.failed_folder):
                outcome.error += f"; the product is kept for looking at: {os.path.relpath(path)}"

    def _skip(self):
        """Return the Outcome of a granule whose products are up to date, else None."""
        if self._job.force:
            return None
        facts = self._job.recorded(self._candidate)
        return Outcome(SKIPPED, None, *facts) if facts else None

    def _process(self):
        started_ns = time.time_ns()
        self._read_inputs()
        self._remove_earlier()
        folder = self._tools.scratch.enter(self._number)
        products = {key: folder / name for key, name in self._names.items()}
        support = Support(self._tools.converter, self._tools.announcer, self._announce)
        self._announce("process_granule")
        self._job.function(self._granule(products, support))
        self._announce("deliver")
        ensure_complete(products)
        made = {key: _facts(path, support.checksums) for key, path in products.items()}
        _refuse_change_after_records(made["data"], support.checksums)
        self._refuse_changed_inputs()
        with signals_held():  # a product and its record belong together
            deliver(products, self._job.outdir, self._tools.threads.map)
            self._job.completions.write(self._candidate.id, started_ns, self._inputs, made)
            rows = support.rows_without_match()
            self._delivered = Outcome(
                PROCESSED, inputs=self._inputs, products=made, unused_rows=rows
            )
        return self._delivered

    def _granule(self, products, support):
        """Return what process_granule gets; what it changes in the dictionaries is its own."""
        candidate = self._candidate
        return Granule(
            id=candidate.id,
            inputs=candidate.inputs,
            products=dict(products),
            collection=self._job.collection,
            home=self._job.home,
            groups=candidate.groups,
            _support=support,
        )

    def _read_inputs(self):
        """Look at the inputs before anything is removed: they may be out of reach for a while."""
        for role, path in self._candidate.inputs.items():
            try:
                problem = link_problem(path, self._job.collection.links)
                if problem:  # it was another file when the run began
                    raise CumulusError(problem)
                self._inputs[role] = _facts(path)
            except OSError as error:
                raise CumulusError(f"cannot read input {path.name!r}: {error.strerror}") from error

    def _remove_earlier(self):
        """Remove the products of an earlier run, which must not pass for those of this one.

        From the message on, whoever clears up after this worker removes the products, too.
        """
        job, granule_id = self._job, self._candidate.id
        names, former = list(self._names.values()), self._former_names()
        self._refuse_inputs_among([job.outdir / name for name in (*names, *former)])
        self._has_begun = True
        self._tools.send(INPUTS, self._inputs)
        remove_products(job.outdir, former)
        job.completions.forget(granule_id)
        remove_products(job.outdir, names)

    def _former_names(self):
        """Names of earlier products that [products] does not give to any granule now."""
        recorded = self._job.completions.product_names(self._candidate.id)
        former = set(recorded).difference(self._names.values())
        return former - self._job.all_product_names if former else former

    def _refuse_inputs_among(self, products):
        """Refuse an input that is a link to the file of a product: it would be lost with it."""
        for product in products:
            with contextlib.suppress(FileNotFoundError):
                state = os.lstat(product)
                for path in self._candidate.inputs.values():
                    if os.path.samestat(os.stat(path), state):
                        raise CumulusError(
                            f"input {path.name!r} is the file {str(product)!r}, which a product "
                            "would replace: nothing was made of it"
                        )

    def _refuse_changed_inputs(self):
        for role, path in self._candidate.inputs.items():
            if replace(self._inputs[role], sha256="") != look_at(path):
                raise CumulusError(f"input {path.name!r} changed while it was processed: run again")

    def _announce(self, step):
        self._tools.send(STEP, step)


def _facts(path, checksums=None):
    """Return the facts of a file, with its SHA-256 unless that is known."""
    facts = look_at(path)
    return replace(facts, sha256=(checksums or {}).get(facts) or checksum(path))


def _refuse_change_after_records(data, checksums):
    """Refuse a product "data" whose records give another size and SHA-256."""
    if checksums and data.sha256 not in checksums.values():
        raise CumulusError("product 'data' was changed after write_metadata: call that last")
