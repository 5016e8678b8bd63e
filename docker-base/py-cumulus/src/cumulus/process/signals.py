"""Requests to stop: how they end a handler, and how they are held back for a while."""

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
    """Have a signal end the children that this process forks from now on.

    Python forgets a signal that reaches a child before its start-up has ended, so that the signal
    is blocked until then. The parent calls nothing but C functions for that: Python code could run
    its own signal handler, which raises, within the fork.
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
    """Hold SIGTERM and SIGINT back; where they are only blocked, another thread gets them.

    Yields
    ------
    list of int
        Signals that have arrived; the first is raised again at the end.
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
