"""Requests to stop: how they end a handler, and how they wait until something is finished."""

import contextlib
import signal
import threading

__all__ = ["STOPS", "Interrupted", "interrupt", "signals_held"]

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
