"""Run a program for a granule: no shell, within limits, and nothing of it left behind.

A worker can be killed at any moment. A program that it announces after the start would be unknown
to the handler, which ends the worker's programs. The new process therefore announces itself before
it becomes the program, and the handler reads the announcement even when the worker is gone.
"""

import collections
import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from .. import CumulusError
from ..isolation import die_with, signal_name
from .limits import confine

__all__ = [
    "Announcer",
    "end_group",
    "failure_message",
    "how_it_ended",
    "run_program",
    "start",
    "took_too_long",
]

KEPT_LINES = 20  # of standard error; a failure quotes the last few
QUOTED_LINES = 3


@dataclass(frozen=True)
class Announcer:
    """Tells another process which process group a program leads.

    Attributes
    ----------
    send : callable
        Called with the process id of the program, in the new process before it becomes the
        program, and with None when the process group has been ended.
    lock : context manager, reusable
        Held while a program starts: meanwhile only the new process sends.
    """

    send: Callable = lambda pid: None
    lock: object = contextlib.nullcontext()


def run_program(argv, *, cwd, limits, announcer=None):
    """Run a program to its end and return the end of its standard error.

    Its standard output goes to the handler's standard error, because standard output is the log.

    Parameters
    ----------
    argv : sequence of str or path-like
        Program and arguments, without a shell.
    cwd : path-like
        Where it runs.
    limits : cumulus.collection.Limits
        After so many seconds the program and every child in its process group are killed.
    announcer : Announcer, optional

    Returns
    -------
    str
        The last lines of its standard error.

    Raises
    ------
    CumulusError
        It cannot be started, ends with a status other than 0, or takes too long.
    """
    argv = [os.fspath(argument) for argument in argv]
    name = Path(argv[0]).name
    announcer = announcer or Announcer()
    child = start(
        argv,
        limits,
        announcer,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=_descriptor(sys.stderr),
        stderr=subprocess.PIPE,
    )
    tail = _Tail(child.stderr)
    try:
        status = child.wait(timeout=limits.seconds)
    except subprocess.TimeoutExpired:
        raise CumulusError(took_too_long(name, limits)) from None
    finally:
        end_group(child)
        announcer.send(None)
        lines = tail.lines()
    if status != 0:
        raise CumulusError(failure_message(name, how_it_ended(status, limits), lines))
    return "\n".join(lines)


def start(argv, limits, announcer, **options):
    """Start a program in a session of its own, within limits, that ends with this process.

    Its process group is announced before the program runs.
    """
    try:
        with announcer.lock:
            return subprocess.Popen(
                argv, start_new_session=True, preexec_fn=_prepared(limits, announcer), **options
            )
    except (OSError, ValueError) as error:
        announcer.send(None)
        # Popen raises ValueError for a null byte in an argument.
        reason = error.strerror if isinstance(error, OSError) else error
        raise CumulusError(f"cannot run {os.fspath(argv[0])!r}: {reason}") from error


def _prepared(limits, announcer):
    """Return what a new process does before it becomes the program."""
    parent = os.getpid()

    def prepare():
        die_with(parent)
        announcer.send(os.getpid())  # before the limits, which may refuse the memory for it
        confine(limits)

    return prepare


def end_group(child):
    """Kill the process group: the program, if it still runs, and its children."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def failure_message(name, how, lines):
    """Say that a program failed, and how, and quote the last lines of its standard error."""
    quoted = "; ".join(lines[-QUOTED_LINES:])
    return f"{name} failed ({how}){': ' if quoted else ''}{quoted}"


def took_too_long(name, limits):
    """Say that a program was stopped because of its time limit."""
    return f"{name} was stopped after {limits.seconds:g} s ([limits].seconds in collection.toml)"


def how_it_ended(status, limits):
    """Describe an exit status, with the limit that it may come from."""
    if status >= 0:
        return f"exit status {status}"
    message = f"killed by {signal_name(-status)}"
    if -status == signal.SIGXFSZ:
        message += f", [limits].output_mb of collection.toml allows {limits.output_mb:g} MB"
    if -status == signal.SIGKILL:
        message += " (possibly out of memory)"
    return message


def _descriptor(stream):
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):  # replaced by an object without a file
        return subprocess.DEVNULL


class _Tail(threading.Thread):
    """Read a pipe to its end and keep its last lines, so that no program waits for a reader."""

    def __init__(self, pipe):
        super().__init__(daemon=True)
        self._pipe = pipe
        self._last = collections.deque(maxlen=KEPT_LINES)
        self.start()

    def run(self):
        with self._pipe:
            # Bounded reads: a line may be endless.
            while piece := self._pipe.readline(2000):
                if text := piece.decode(errors="backslashreplace").strip():
                    self._last.append(text)

    def lines(self):
        # A grandchild that left the process group may hold the pipe open.
        self.join(timeout=2)
        return list(self._last)
