"""Requests to stop: how they end a handler, and how they wait until something is finished."""

import contextlib
import os
import signal
import threading

__all__ = ["STOPS", "Interrupted", "default_in_forks", "interrupt", "signals_held"]

STOPS = (signal.SIGTERM, signal.SIGINT)


class Interrupted(BaseException):
    """SIGTERM or SIGINT arrived; like KeyboardInterrupt it passes every ``except Exception``."""

    def __init__(self, number):
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.status = 128 + number


def interrupt(number, _frame):
    """Raise Interrupted; a handler for :func:`signal.signal`."""
    for other in STOPS:
        signal.signal(other, signal.SIG_IGN)  # let the clean-up finish
    raise Interrupted(number)


def default_in_forks(number):
    """Have a signal end what this process forks from now on, whatever it means to this process.

    Python forgets a signal that comes to a child before it can handle any: it waits until then.
    The parent calls functions of C alone, or its handler might run, and raise, within the fork.
    """
    import ctypes
    from functools import partial

    mask = ctypes.CDLL(None).pthread_sigmask
    signals = (ctypes.c_ulong * 16)(1 << (number - 1))  # sigset_t of Linux

    def begin():
        signal.signal(number, signal.SIG_DFL)
        mask(int(signal.SIG_UNBLOCK), signals, None)

    os.register_at_fork(
        before=partial(mask, int(signal.SIG_BLOCK), signals, None),
        after_in_parent=partial(mask, int(signal.SIG_UNBLOCK), signals, None),
        after_in_child=begin,
    )


@contextlib.contextmanager
def signals_held():
    """Have SIGTERM and SIGINT wait; blocking them would not do, other threads would get them.

    Yields
    ------
    list of int
        Those that arrived so far; the first is raised again at the end.
    """
    arrived = []
    if threading.current_thread() is not threading.main_thread():
        yield arrived  # signals never interrupt this thread
        return
    handlers = {
        number: signal.signal(number, lambda number, _frame: arrived.append(number))
        for number in STOPS
    }
    try:
        yield arrived
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler or signal.SIG_DFL)
        if arrived:
            signal.raise_signal(arrived[0])
