"""The handler's side of a worker: which granule it makes, for how long, and how it ended."""

import contextlib
import multiprocessing
import os
import signal
import time

from ..isolation import signal_name
from .messages import CONVERTER, DONE, INPUTS, LOG, PROGRAM, STEP
from .outcome import FAILED, Outcome
from .worker import work

__all__ = ["GRACE", "WorkerHandle"]

GRACE = 5  # seconds that a worker gets beyond the limits, or to end
_CRASHES = (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS, signal.SIGFPE, signal.SIGILL)
_forking = multiprocessing.get_context("fork")  # the handler's function cannot be pickled


class WorkerHandle:
    """A worker process, its successors, and the granule that it makes.

    Parameters
    ----------
    job : cumulus.process.job.Job

    Attributes
    ----------
    number : int or None
        Of the granule; None while the worker is idle.
    connection : multiprocessing.connection.Connection or None
    is_lost : bool
        The worker has ended, or sent what cannot be read.
    """

    def __init__(self, job):
        self._job = job
        self._process = self.connection = None
        self._groups = {}  # process groups that it has started, by the kind of program
        self._step, self._since, self._began = "", 0.0, 0.0  # start of the step, of the granule
        self.number, self._inputs = None, {}
        self.is_lost, self._unreadable = False, None
        self._made = 0  # number of granules, by this process

    @property
    def is_busy(self):
        """Whether it makes a granule."""
        return self.number is not None

    def begin(self, number):
        """Have a granule made."""
        if self._process and not self._process.is_alive():
            self.end()
        if not self._process:
            self._start()
        self.number, self._step, self._inputs = number, "reading inputs", {}
        self._since = self._began = time.monotonic()
        with contextlib.suppress(OSError):  # it has just ended, which the next examination sees
            self.connection.send(number)

    def _start(self):
        self.connection, far = _forking.Pipe()
        arguments = self._job, far, os.getpid()
        self._process = _forking.Process(target=work, args=arguments, daemon=True)
        self._process.start()
        far.close()
        self.is_lost, self._unreadable, self._made = False, None, 0

    def take(self, log):
        """Take one message, and return the Outcome if that is its content."""
        try:
            kind, content = self.connection.recv()
        except (EOFError, OSError):
            self.is_lost = True
            return None
        except Exception as error:  # the message cannot be unpickled
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

    def examine(self, now):
        """Return the Outcome of a worker that exceeds its time, and notice one that has ended."""
        if not self.is_busy:
            return None
        seconds = self._job.collection.limits.seconds
        if now - self._since > seconds + GRACE:
            limit = f"{seconds:g} s ([limits].seconds in collection.toml)"
            return self.lose(f"step {self._step!r} and what follows it was stopped after {limit}")
        # A process that it started may hold the connection open.
        self.is_lost |= not self._process.is_alive() and not self.connection.poll()
        return None

    def may_have_been_damaged(self):
        """Whether a C library crashed in a worker that has made other granules before.

        A library that writes beyond its memory may crash only at a later granule.
        """
        if not self._made or self._unreadable:
            return False
        self._process.join(GRACE)
        return -(self._process.exitcode or 0) in _CRASHES

    def how_it_ended(self):
        """Say how the worker ended."""
        at = f" in step {self._step!r} or after it"
        if self._unreadable:
            return f"its worker sent an unreadable message{at} ({self._unreadable})"
        self._process.join(GRACE)
        code = self._process.exitcode
        if code is None or code >= 0:
            return f"its worker ended early{at} (exit status {code})"
        return f"its worker was killed by {signal_name(-code)}{at}"

    def lose(self, reason, status=FAILED):
        """End the worker, remove what it made of its granule, and return the Outcome."""
        number, seconds = self.number, time.monotonic() - self._began
        self.end()
        self._job.clear(number, bool(self._inputs))
        return Outcome(status, reason, self._inputs, seconds=seconds)

    def terminate(self):
        """Ask the worker to finish its delivery, or to abandon its granule."""
        if self._process and self._process.is_alive():
            self._process.terminate()

    def dismiss(self):
        """Have an idle worker end."""
        if self._process and not self.is_busy:
            with contextlib.suppress(OSError):
                self.connection.send(None)

    def end(self, grace=0):
        """Kill the worker, its programs and their children; an idle worker may end by itself."""
        if self._process:
            if not self.is_busy:
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
        """Read what the worker sent before its end: it may have announced a program."""
        self.is_lost = False
        while not self.is_lost and self.connection.poll():
            self.take(lambda attributes: None)


def _kill_group(leader):
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(leader, signal.SIGKILL)
