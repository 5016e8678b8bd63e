"""Call functions in another process: a crash or hang of a C library becomes an exception."""

import contextlib
import ctypes
import multiprocessing
import os
import signal

from . import CumulusError

__all__ = ["Apart", "Died", "call_apart", "die_with", "signal_name"]

CALLS = 200  # that a child answers at most
_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_libc = ctypes.CDLL(None)
_forking = multiprocessing.get_context("fork")  # imported modules need no second import


class Died(CumulusError):
    """The process ended without an answer; the message says how."""


class Endless(Died):
    """The process took too long and was ended."""


def call_apart(function, *arguments, seconds=None):
    """Return what the function returns, or raise what it raises.

    Parameters
    ----------
    function : callable
        Its result, or its exception, must be fit for pickling; its arguments need not be.
    seconds : float, optional
        How long to wait for it; by default without limit.

    Raises
    ------
    Died
        Its process crashed, was killed, or took too long.
    """
    with Apart(lambda: function(*arguments)) as apart:
        return apart.call(seconds=seconds)


class Apart:
    """A function that one child process answers for many calls, one call at a time.

    The child starts with the first call. A new one takes its place after CALLS calls, so that what
    a library keeps has an end, and after each failure, which may leave the library in any state.
    A call that fails where an earlier one may be the reason is made again in a new child: its
    answer is always that of a process of its own.

    Parameters
    ----------
    function : callable
        The arguments of a call, its result and its exception must be fit for pickling.
    """

    def __init__(self, function):
        self._function = function
        self._child = self._pipe = None
        self._calls = 0  # that the child has answered

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def call(self, *arguments, seconds=None):
        """Return what the function returns, or raise what it raises.

        Parameters
        ----------
        seconds : float, optional
            How long to wait for it; by default without limit.

        Raises
        ------
        Died
            The child crashed, was killed, or took too long.
        """
        if self._calls == CALLS:
            self.end()
        is_used = self._calls > 0
        try:
            return self._answer(arguments, seconds)
        except Endless:  # again it would take as long
            raise
        except Exception:
            if not is_used:
                raise
        return self._answer(arguments, seconds)

    def _answer(self, arguments, seconds):
        """Return the answer of the child; it ends unless it has one."""
        if self._child is None:
            self._start()
        try:
            self._pipe.send(arguments)
            if not self._pipe.poll(seconds):
                raise Endless(f"no end after {seconds:.0f} s")
            result, error = self._pipe.recv()
            if error is not None:
                raise error
        except (EOFError, BrokenPipeError, ConnectionResetError):
            self._child.join()
            status = self._child.exitcode
            self.end()
            raise Died(_how_it_ended(status)) from None
        except BaseException:  # the caller may be interrupted
            self.end()
            raise
        self._calls += 1
        return result

    def _start(self):
        self._pipe, far = _forking.Pipe()
        arguments = far, self._pipe, os.getpid(), self._function
        self._child = _forking.Process(target=_serve, args=arguments, daemon=True)
        self._child.start()
        far.close()  # or the end of the child would not be the end of the pipe

    def end(self):
        """End the child; a further call starts another."""
        if self._child is not None:
            self._pipe.close()
            self._child.kill()
            self._child.join()
        self._child, self._calls = None, 0


def die_with(parent):
    """Have the kernel kill this process when its parent, of this process id, ends in any way."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before
        os._exit(1)


def _serve(pipe, other_end, parent, function):
    """Answer calls until the pipe is closed."""
    die_with(parent)  # however long the function takes
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; the caller decides
    other_end.close()
    with contextlib.suppress(EOFError):
        while True:
            arguments = pipe.recv()
            try:
                answer = function(*arguments), None
            except Exception as error:
                answer = None, error
            pipe.send(answer)


def _how_it_ended(status):
    return f"killed by {signal_name(-status)}" if status < 0 else f"exit status {status}"


def signal_name(number):
    """Return a signal's name, also of one that Python does not know."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
