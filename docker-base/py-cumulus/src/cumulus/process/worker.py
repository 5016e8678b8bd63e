"""A worker process: makes one granule after the other, and tells the handler what became of it.

Everything that opens a product happens here: a crash of a C library ends a worker, not the handler.
"""

import contextlib
import logging
import logging.handlers
import multiprocessing
import os
import shutil
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from .. import CumulusError
from ..collection.reader import Collection
from ..logutils.lines import LogLine
from .completion import Completions, checksum, look_at
from .converter import Converter
from .delivery import check_made, deliver, remove_products
from .failures import failure
from .granule import Granule
from .grouping import product_names
from .limits import confine, die_with
from .programs import Announcer
from .report import INTERRUPTED, PROCESSED, SKIPPED, Outcome
from .signals import STOPS, Interrupted, default_in_forks, interrupt, signals_held

__all__ = ["CONVERTER", "DONE", "INPUTS", "LOG", "PROGRAM", "STEP", "Job", "work"]

# Kinds of messages
CONVERTER, PROGRAM, DONE, INPUTS = "converter", "program", "done", "inputs"
LOG, STEP = "log", "step"
KEPT_WARNINGS = 100  # of a granule


@dataclass(frozen=True)
class Job:
    """What all workers share: how granules are made, and which there are."""

    function: object
    collection: Collection
    home: Path
    outdir: Path
    scratch: Path
    candidates: list
    completions: Completions
    force: bool
    lock: object  # file that keeps other runs out while it is open

    def place(self, number):
        """Scratch directory of a granule; its id may be too long, or odd, for a directory."""
        return self.scratch / str(number)

    def clear(self, number, begun):
        """Remove what there is of a granule that was not finished, as far as that can be.

        Before its making has begun, its earlier products stand, and stay.
        """
        candidate = self.candidates[number]
        with contextlib.suppress(OSError):  # a full or read-only disk; there is no record then
            if begun:
                self.completions.forget(candidate.id)
                names = product_names(self.collection, candidate.groups)
                remove_products(self.outdir, names.values())
        shutil.rmtree(self.place(number), ignore_errors=True)


def work(job, connection, parent):
    """Make the granules whose numbers come through a connection, until None comes.

    Sends pairs of a kind and what belongs to it: CONVERTER, PROGRAM (process id, or None when it
    has ended), INPUTS (facts of the files by role; from then on its earlier products may be gone),
    STEP (name), LOG (attributes of a log record), DONE (Outcome).
    """
    os.setsid()  # leads a group: what a handler starts can be killed with it
    die_with(parent)
    confine(job.collection.limits, memory=False)  # Python maps more than it uses
    # Granules are made beside each other; threads of numerical libraries only get in the way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; the handler decides
    signal.signal(signal.SIGTERM, interrupt)
    _allow_children(job.lock)
    send, announcer = _senders(connection)
    relay = _Relay(send)
    for handler in logging.getLogger().handlers:  # kept, or get_logger() would add another
        handler.setLevel(logging.CRITICAL + 1)
    logging.getLogger().addHandler(relay)
    converter = Converter(job.home / "_convert", job.collection.limits, announcer(CONVERTER))
    maker = _Maker(job, converter, relay, send, announcer(PROGRAM))
    try:
        while not maker.stopped and (number := connection.recv()) is not None:
            send(DONE, maker.make(number))
    except (Interrupted, EOFError, BrokenPipeError):
        pass
    finally:
        for one in STOPS:
            signal.signal(one, signal.SIG_IGN)
        with contextlib.suppress(OSError):  # nobody listens any more
            converter.end()


def _allow_children(lock):
    """Let a handler start processes of its own; those that are forked end with their parent.

    None of them keeps the next run out, should it live on nevertheless.
    """
    multiprocessing.current_process().daemon = False  # its parent still takes it for one
    parent = os.getpid()

    def begin():
        nonlocal parent
        die_with(parent)
        parent = os.getpid()
        with contextlib.suppress(OSError):  # the handler closed all that it found open
            lock.close()

    os.register_at_fork(after_in_child=begin)
    default_in_forks(signal.SIGTERM)  # as Process.terminate() and Pool.terminate() expect


def _senders(connection):
    """Return what sends a message, and what makes the announcer of a kind of program.

    Messages are sent one at a time, because threads of a handler may log, too.
    """
    lock = threading.RLock()  # a finalizer may log while its own thread starts a program

    def send(kind, content):
        with lock:
            connection.send((kind, content))

    def renew():
        nonlocal lock
        lock = threading.RLock()  # a thread that is not here may hold the other one

    def announcer(kind):
        return Announcer(lambda pid: send(kind, pid), lock)

    os.register_at_fork(after_in_child=renew)
    return send, announcer


class _Maker:
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


class _Relay(logging.handlers.QueueHandler):
    """Hands log records to the handler, whose log it is; remembers warnings for the report."""

    def __init__(self, send):
        super().__init__(send)
        self.warnings = []

    def enqueue(self, record):
        if record.levelno >= logging.WARNING and len(self.warnings) < KEPT_WARNINGS:
            self.warnings.append(_plain(record.getMessage()))
        self.queue(LOG, _transferable(record.__dict__))


def _plain(line):
    """The message within a log line, which a traceback may follow."""
    found = LogLine.parse(line.partition("\n")[0])
    return found.fields.get("message", line) if found else line


def _transferable(attributes):
    """What a line is made of; other things that a record carries may not survive the way."""
    simple = {}
    for name, value in attributes.items():
        for kind in (str, int, float):
            if isinstance(value, kind):
                simple[name] = kind(value)
                break
        else:
            if value is None:
                simple[name] = None
    return simple


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
