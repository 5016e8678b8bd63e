"""Run a program for a granule: no shell, within limits, and nothing of it left behind."""

import collections
import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from . import CumulusError
from .limits import confine, die_with

__all__ = [
    "QUOTED_LINES",
    "end_group",
    "how_it_ended",
    "run_program",
    "signal_name",
    "start",
    "took_too_long",
]

KEPT_LINES = 20  # of what a program says; a failure quotes the last few
QUOTED_LINES = 3


def run_program(argv, *, cwd, limits, announce=lambda pid: None):
    """Run a program to its end and return what it wrote to standard error.

    Its standard output goes to the handler's standard error, because standard output is the log.

    Parameters
    ----------
    argv : sequence of str or path-like
        Program and arguments, handed over as they are.
    cwd : path-like
        Where it runs.
    limits : cumulus.collection.Limits
        After so many seconds the program and every child in its process group are killed.
    announce : callable, optional
        Called with the process id of the program, which leads a process group, and with None
        when that has been ended.

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
    child = start(
        argv,
        limits,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=_descriptor(sys.stderr),
        stderr=subprocess.PIPE,
    )
    tail = _Tail(child.stderr)
    try:
        announce(child.pid)
        status = child.wait(timeout=limits.seconds)
    except subprocess.TimeoutExpired:
        raise CumulusError(took_too_long(name, limits)) from None
    finally:
        end_group(child)
        announce(None)
        said = tail.lines()
    if status != 0:
        words = "; ".join(said[-QUOTED_LINES:])
        raise CumulusError(
            f"{name} failed ({how_it_ended(status, limits)}){': ' if words else ''}{words}"
        )
    return "\n".join(said)


def start(argv, limits, **options):
    """Start a program in a session of its own, within limits, that ends with this process."""
    try:
        return subprocess.Popen(
            argv, start_new_session=True, preexec_fn=_confined(limits), **options
        )
    except OSError as error:
        raise CumulusError(f"cannot run {os.fspath(argv[0])!r}: {error.strerror}") from error
    except ValueError as error:  # a null byte in an argument
        raise CumulusError(f"cannot run {os.fspath(argv[0])!r}: {error}") from error


def _confined(limits):
    """Return what a child does before it becomes the program: take on limits and our fate."""
    parent = os.getpid()

    def confine_child():
        die_with(parent)
        confine(limits)

    return confine_child


def end_group(child):
    """Kill the process group: the program, if it still runs, and what it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def took_too_long(name, limits):
    """Say that a program was stopped because of its time limit."""
    return f"{name} was stopped after {limits.seconds:g} s ([limits].seconds in collection.toml)"


def how_it_ended(status, limits):
    """Put an exit status in words, with the limit that it may come from."""
    if status >= 0:
        return f"exit status {status}"
    words = f"killed by {signal_name(-status)}"
    if -status == signal.SIGXFSZ:
        words += f", [limits].output_mb of collection.toml allows {limits.output_mb:g} MB"
    if -status == signal.SIGKILL:
        words += ", perhaps for want of memory"
    return words


def _descriptor(stream):
    try:
        return stream.fileno()
    except (AttributeError, OSError, ValueError):  # replaced by something that is no file
        return subprocess.DEVNULL


def signal_name(number):
    """Return a signal's name, also of one that Python does not know."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


class _Tail(threading.Thread):
    """Read a pipe to its end, keeping its last lines, so that a talkative program never blocks."""

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
        # A grandchild that left the process group may hold the pipe open: do not wait for it.
        self.join(timeout=2)
        return list(self._last)
