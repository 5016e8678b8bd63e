"""A worker process: makes one granule after the other, and tells the handler what became of it.

Everything that opens a product happens here: a crash of a C library ends a worker, not the handler.
"""

import contextlib
import logging
import logging.handlers
import multiprocessing
import os
import signal
import threading

from ..isolation import die_with
from ..logutils.lines import LogLine
from .attempt import Maker
from .converter import Converter
from .limits import confine
from .messages import CONVERTER, DONE, LOG, PROGRAM
from .programs import Announcer
from .signals import STOPS, Interrupted, default_in_forks, interrupt

__all__ = ["work"]

KEPT_WARNINGS = 100  # of a granule


def work(job, connection, parent):
    """Make the granules whose numbers come through a connection, until None comes.

    Sends pairs of a kind and what belongs to it: CONVERTER, PROGRAM (process id, or None when it
    has ended), INPUTS (facts of the files by role; from then on its earlier products may be gone),
    STEP (name), LOG (attributes of a log record), DONE (Outcome).
    """
    os.setsid()  # leads a group: what a handler starts can be killed with it
    die_with(parent)
    confine(job.collection.limits, memory=False)  # Python maps more than it uses
    # Granules are made beside each other; threads of numerical libraries only get in the way.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # of a terminal; the handler decides
    signal.signal(signal.SIGTERM, interrupt)
    _allow_children(job.lock)
    send, announcer = _senders(connection)
    relay = _Relay(send)
    for handler in logging.getLogger().handlers:  # kept, or get_logger() would add another
        handler.setLevel(logging.CRITICAL + 1)
    logging.getLogger().addHandler(relay)
    converter = Converter(job.home / "_convert", job.collection.limits, announcer(CONVERTER))
    maker = Maker(job, converter, relay, send, announcer(PROGRAM))
    try:
        while not maker.stopped and (number := connection.recv()) is not None:
            send(DONE, maker.make(number))
    except (Interrupted, EOFError, BrokenPipeError):
        pass
    finally:
        for one in STOPS:
            signal.signal(one, signal.SIG_IGN)
        with contextlib.suppress(OSError):  # nobody listens any more
            converter.end()


def _allow_children(lock):
    """Let a handler start processes of its own; those that are forked end with their parent.

    None of them keeps the next run out, should it live on nevertheless.
    """
    multiprocessing.current_process().daemon = False  # its parent still takes it for one
    parent = os.getpid()

    def begin():
        nonlocal parent
        die_with(parent)
        parent = os.getpid()
        with contextlib.suppress(OSError):  # the handler closed all that it found open
            lock.close()

    os.register_at_fork(after_in_child=begin)
    default_in_forks(signal.SIGTERM)  # as Process.terminate() and Pool.terminate() expect


def _senders(connection):
    """Return what sends a message, and what makes the announcer of a kind of program.

    Messages are sent one at a time, because threads of a handler may log, too.
    """
    lock = threading.RLock()  # a finalizer may log while its own thread starts a program

    def send(kind, content):
        with lock:
            connection.send((kind, content))

    def renew():
        nonlocal lock
        lock = threading.RLock()  # a thread that is not here may hold the other one

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


def _plain(line):
    """The message within a log line, which a traceback may follow."""
    found = LogLine.parse(line.partition("\n")[0])
    return found.fields.get("message", line) if found else line


def _transferable(attributes):
    """What a line is made of; other things that a record carries may not survive the way."""
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
