"""Call a function in a process of its own: a crash or hang of a C library becomes an exception."""

import ctypes
import multiprocessing
import os
import signal

from . import CumulusError

__all__ = ["Died", "call_apart", "die_with", "signal_name"]

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>
_libc = ctypes.CDLL(None)
_forking = multiprocessing.get_context("fork")  # imported modules need no second import


class Died(CumulusError):
    """The process ended without an answer; the message says how."""


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
    near, far = _forking.Pipe(duplex=False)
    arguments = far, os.getpid(), function, arguments
    child = _forking.Process(target=_answer, args=arguments, daemon=True)
    child.start()
    far.close()  # or the end of the child would not be the end of the pipe
    try:
        if not near.poll(seconds):
            raise Died(f"no end after {seconds:.0f} s")
        result, error = near.recv()
    except EOFError:
        child.join()
        raise Died(_how_it_ended(child.exitcode)) from None
    finally:
        near.close()
        child.kill()  # it has answered, or the caller is interrupted
        child.join()
    if error is not None:
        raise error
    return result


def die_with(parent):
    """Have the kernel kill this process when its parent, of this process id, ends in any way."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before
        os._exit(1)


def _answer(connection, parent, function, arguments):
    die_with(parent)  # however long the function takes
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; the caller decides
    try:
        answer = function(*arguments), None
    except Exception as error:
        answer = None, error
    connection.send(answer)


def _how_it_ended(status):
    return f"killed by {signal_name(-status)}" if status < 0 else f"exit status {status}"


def signal_name(number):
    """Return a signal's name, also of one that Python does not know."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
