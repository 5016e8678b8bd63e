"""A worker process: makes granule after granule, and tells the handler how each of them ends.

Everything that opens a product happens here: a crash of a C library ends a worker, not the handler.
"""

import contextlib
import logging
import logging.handlers
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from ..isolation import die_with
from ..logutils.lines import LogLine
from .attempt import Attempt
from .converter import Converter
from .limits import confine
from .messages import CONVERTER, DONE, LOG, PROGRAM
from .programs import Announcer
from .signals import STOPS, Interrupted, default_in_forks, interrupt
from .tools import Scratch, Tools

__all__ = ["work"]

KEPT_WARNINGS = 100  # of a granule


def work(job, connection, parent):
    """Make the granules whose numbers come through a connection, until None comes.

    Sends pairs of a kind and its content: CONVERTER and PROGRAM (process id, or None when it has
    ended), INPUTS (facts of the files by role; from then on the earlier products may be gone),
    STEP (name), LOG (attributes of a log record), DONE (Outcome).

    Parameters
    ----------
    job : cumulus.process.job.Job
    connection : multiprocessing.connection.Connection
    parent : int
        Process id of the handler.
    """
    _settle(job, parent)
    send, announcer = _senders(connection)
    relay = _relay_log(send)
    converter = Converter(job.home / "_convert", job.collection.limits, announcer(CONVERTER))
    threads = ThreadPoolExecutor(4)
    tools = Tools(job, converter, send, announcer(PROGRAM), threads, Scratch(job))
    try:
        while (number := connection.recv()) is not None:
            relay.warnings = []
            attempt = Attempt(number, tools)
            send(DONE, replace(attempt.make(), warnings=relay.warnings))
            if attempt.is_stopped:
                break
    except (Interrupted, EOFError, BrokenPipeError):
        pass
    finally:
        for number in STOPS:
            signal.signal(number, signal.SIG_IGN)
        with contextlib.suppress(OSError):  # the handler is gone
            converter.end()


def _settle(job, parent):
    """Have this process end with the handler, within limits, and stop when the handler says so."""
    os.setsid()  # leads a group: what a handler starts can be killed with it
    die_with(parent)
    confine(job.collection.limits, memory=False)  # Python maps more than it uses
    # Workers share the cores; threads of numerical libraries would only slow each other down.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; the handler decides
    signal.signal(signal.SIGTERM, interrupt)
    _allow_children(job.lock)


def _relay_log(send):
    """Send log records to the handler, which writes the log, and return what sends them."""
    for handler in logging.getLogger().handlers:  # kept, or get_logger() would add another
        handler.setLevel(logging.CRITICAL + 1)
    relay = _Relay(send)
    logging.getLogger().addHandler(relay)
    return relay


def _allow_children(lock):
    """Let process_granule start processes of its own; those that it forks end with their parent.

    Each of them gives the lock up: should it live on, it does not keep the next run out.
    """
    multiprocessing.current_process().daemon = False  # only a daemon may have no children
    parent = os.getpid()

    def begin():
        nonlocal parent
        die_with(parent)
        parent = os.getpid()
        with contextlib.suppress(OSError):  # process_granule may have closed every file
            lock.close()

    os.register_at_fork(after_in_child=begin)
    default_in_forks(signal.SIGTERM)  # as Process.terminate() and Pool.terminate() expect


def _senders(connection):
    """Return what sends a message, and what makes the announcer of a kind of program.

    Messages are sent under a lock, because threads of process_granule may log, too.
    """
    lock = threading.RLock()  # a finalizer may log while its own thread starts a program

    def send(kind, content):
        with lock:
            connection.send((kind, content))

    def renew():
        nonlocal lock
        lock = threading.RLock()  # a thread of the parent may hold the old lock

    def announcer(kind):
        return Announcer(lambda pid: send(kind, pid), lock)

    os.register_at_fork(after_in_child=renew)
    return send, announcer


class _Relay(logging.handlers.QueueHandler):
    """Hands log records to the handler, whose log it is; remembers warnings for the report."""

    def __init__(self, send):
        super().__init__(send)
        self.warnings = []

    def enqueue(self, record):
        if record.levelno >= logging.WARNING and len(self.warnings) < KEPT_WARNINGS:
            self.warnings.append(_plain(record.getMessage()))
        self.queue(LOG, _transferable(record.__dict__))


def _plain(text):
    """Return the message within a log line, which a traceback may follow."""
    line = LogLine.parse(text.partition("\n")[0])
    return line.fields.get("message", text) if line else text


def _transferable(attributes):
    """Return the texts and numbers of a log record; other values may not survive the way."""
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
