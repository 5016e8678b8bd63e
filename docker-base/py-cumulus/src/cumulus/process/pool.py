"""The workers of a run: what each of them does, how long it may take, and what its end means."""

import contextlib
import logging
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from multiprocessing.connection import wait

from ..isolation import signal_name
from ..logutils.logger import log_warning
from .messages import CONVERTER, DONE, INPUTS, LOG, PROGRAM, STEP
from .outcome import FAILED, INTERRUPTED, Outcome
from .worker import work

__all__ = ["FINISHED", "STARTED", "Pool"]

STARTED, FINISHED = "started", "finished"
_TICK = 0.2  # seconds between looks at what no message tells
_GRACE = 5  # seconds that a worker gets beyond the limits, or to end
_ABSENT = 0.1  # seconds without a look at the workers that count as none of theirs
_WINDOW = 1000  # granules that may be finished before the one that takes longest
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
_forking = multiprocessing.get_context("fork")  # the handler's function cannot be pickled


class Pool:
    """Workers that make the granules of a job.

    Parameters
    ----------
    job : cumulus.process.job.Job
    count : int
        Of workers.
    lines : callable
        Returns a context in which log lines may be written.
    stopped : list
        No granule is begun as soon as it has an element.
    """

    def __init__(self, job, count, lines, stopped):
        self._job, self._lines, self._stopped = job, lines, stopped
        self._total = len(job.candidates)
        self._workers = [_Worker(job) for _ in range(min(count, self._total))]
        self._next, self._looked = 0, time.monotonic()

    def events(self):
        """Make all granules, in their order, several at once, until the run is to stop.

        Yields
        ------
        STARTED, number, None
        FINISHED, number, Outcome
        """
        while not self._stopped:
            for worker in self._workers:
                if worker.number is None and self._may_start():
                    worker.begin(self._next)
                    yield STARTED, self._next, None
                    self._next += 1
            if not any(worker.busy for worker in self._workers):
                return
            yield from self._listen()

    def stop(self):
        """Ask all workers to stop, and yield what became of their granules."""
        for worker in self._workers:
            worker.terminate()
        deadline = time.monotonic() + _GRACE
        while any(worker.busy for worker in self._workers) and time.monotonic() < deadline:
            yield from self._listen()
        for worker in self._workers:
            if worker.busy:
                yield FINISHED, worker.number, worker.lose("abandoned", INTERRUPTED)

    def end(self):
        """End the workers and all that they started."""
        for worker in self._workers:
            worker.dismiss()
        for worker in self._workers:
            worker.end(_GRACE)

    def _may_start(self):
        busy = [worker.number for worker in self._workers if worker.busy]
        return self._next < self._total and self._next - min(busy, default=self._next) < _WINDOW

    def _listen(self):
        """Take what the workers say; yields what is finished by it, or by a worker's end."""
        ready = self._look()
        for worker in self._workers:
            if not worker.busy:
                continue
            number = worker.number
            outcome = worker.take(self._log) if worker.connection in ready else None
            outcome = outcome or worker.check(self._looked)
            if outcome is None and worker.is_lost:
                if self._stopped:
                    outcome = worker.lose("abandoned", INTERRUPTED)
                elif worker.may_be_anothers_fault():
                    self._make_again(worker, number)
                else:
                    outcome = worker.lose(worker.how_it_ended())
            elif outcome and outcome.status == INTERRUPTED and not self._is_to_stop():
                worker.end()  # it ends by itself, and takes no other granule
                outcome = replace(outcome, status=FAILED, error="its worker was ended by SIGTERM")
            if outcome:
                yield FINISHED, number, outcome

    def _make_again(self, worker, number):
        """Have a granule made by a new worker, which no granule before has damaged."""
        granule_id, reason = self._job.candidates[number].id, worker.how_it_ended()
        with self._lines():
            message = f"{reason}, perhaps by an earlier granule: a new worker makes it again"
            log_warning(message, process="process", granule_id=granule_id)
        worker.lose(reason)
        worker.begin(number)

    def _look(self):
        """Wait for messages, a moment at most, and return the connections that have any.

        Time in which nobody looks is nobody's delay: standard output may be blocked (Ctrl-S, a
        pager), and this process stopped (Ctrl-Z).
        """
        began = time.monotonic()
        ready = wait([worker.connection for worker in self._workers if worker.busy], _TICK)
        now = time.monotonic()
        absent = now - self._looked - min(now - began, _TICK)
        if absent > _ABSENT:
            for worker in self._workers:
                worker.excuse(absent, now)
        self._looked = now
        return ready

    def _is_to_stop(self):
        """Whether the run is; who stops it may tell its processes one after the other."""
        if not self._stopped:
            time.sleep(_TICK)
        return bool(self._stopped)

    def _log(self, attributes):
        record = logging.makeLogRecord(attributes)
        with self._lines():
            logging.getLogger(record.name).handle(record)


class _Worker:
    """One worker process after the other, and the granule that it is at."""

    def __init__(self, job):
        self._job = job
        self._process = self.connection = None
        self._groups = {}  # process groups of its own that it has started, by what they are
        self._step, self._since, self._began = "", 0.0, 0.0  # times of the step, of the granule
        self.number, self._inputs = None, {}
        self.is_lost, self._unreadable = False, None
        self._made = 0  # granules, by this process

    @property
    def busy(self):
        return self.number is not None

    def begin(self, number):
        """Have a granule made."""
        if self._process and not self._process.is_alive():
            self.end()
        if not self._process:
            self._start()
        self.number, self._step, self._inputs = number, "reading inputs", {}
        self._since = self._began = time.monotonic()
        with contextlib.suppress(OSError):  # it has just died: the next look finds that
            self.connection.send(number)

    def _start(self):
        self.connection, far = _forking.Pipe()
        arguments = self._job, far, os.getpid()
        self._process = _forking.Process(target=work, args=arguments, daemon=True)
        self._process.start()
        far.close()
        self.is_lost, self._unreadable, self._made = False, None, 0

    def take(self, log):
        """Take one message; returns the Outcome if it is one."""
        try:
            kind, content = self.connection.recv()
        except (EOFError, OSError):
            self.is_lost = True
            return None
        except Exception as error:  # what it sent cannot be unpickled, and was meant to be obeyed
            self.is_lost, self._unreadable = True, f"{type(error).__name__}: {error}"
            return None
        if kind == LOG:
            log(content)
        elif kind == STEP:
            self._step, self._since = content, time.monotonic()
        elif kind == INPUTS:
            self._inputs = content
        elif kind in (CONVERTER, PROGRAM):
            self._groups[kind] = content
        elif kind == DONE:
            self.number = None
            self._made += 1
            return content
        return None

    def excuse(self, seconds, now):
        """Give the step more time, but no more than if it began now."""
        self._since = min(self._since + seconds, now)

    def check(self, now):
        """See whether the worker lives, and keeps within its time; returns the Outcome if not."""
        if not self.busy:
            return None
        seconds = self._job.collection.limits.seconds
        if now - self._since > seconds + _GRACE:
            limit = f"{seconds:g} s ([limits].seconds in collection.toml)"
            return self.lose(f"step {self._step!r} and what follows it was stopped after {limit}")
        # A process that it started may hold the connection open.
        self.is_lost |= not self._process.is_alive() and not self.connection.poll()
        return None

    def may_be_anothers_fault(self):
        """Whether a C library crashed in a worker that has made other granules before.

        A library that writes behind its memory may end the process only much later.
        """
        if not self._made or self._unreadable:
            return False
        self._process.join(_GRACE)
        return -(self._process.exitcode or 0) in _CRASHES

    def how_it_ended(self):
        """Say how a worker that is gone ended."""
        at = f" in step {self._step!r} or after it"
        if self._unreadable:
            return f"its worker sent what cannot be read{at} ({self._unreadable})"
        self._process.join(_GRACE)
        code = self._process.exitcode
        if code is None or code >= 0:
            return f"its worker ended early{at} (exit status {code})"
        return f"its worker was killed by {signal_name(-code)}{at}"

    def lose(self, reason, status=FAILED):
        """Give the granule up, with all that was made of it; returns its Outcome."""
        number, seconds = self.number, time.monotonic() - self._began
        self.end()
        self._job.clear(number, begun=bool(self._inputs))
        return Outcome(status, reason, self._inputs, seconds=seconds)

    def terminate(self):
        """Ask the worker to finish what it is delivering, or to abandon its granule."""
        if self._process and self._process.is_alive():
            self._process.terminate()

    def dismiss(self):
        """Have an idle worker end."""
        if self._process and not self.busy:
            with contextlib.suppress(OSError):
                self.connection.send(None)

    def end(self, grace=0):
        """Kill the worker, its programs, and what they started; an idle one may end by itself."""
        if self._process:
            if not self.busy:
                self._process.join(grace)
            self._process.kill()
            _kill_group(self._process.pid)
            self._process.join()
            self._take_rest()
            self._process.close()
            self.connection.close()
        for leader in filter(None, self._groups.values()):
            _kill_group(leader)
        self._process = self.connection = self.number = None
        self._groups, self.is_lost = {}, False

    def _take_rest(self):
        """Read what a worker sent before its end: it may have announced a program."""
        self.is_lost = False
        while not self.is_lost and self.connection.poll():
            self.take(lambda attributes: None)


def _kill_group(leader):
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
