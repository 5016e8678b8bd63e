"""Log lines to Splunk, over HTTPS, from a thread that processing never waits for.

Lines wait in memory, bounded; the oldest are dropped first. A batch that Splunk does not take for
now is sent again, so that after a lost answer it may arrive twice. Dropped lines are counted, and
the number is logged once, when the handler closes.

A forked child has a thread, a queue and a connection of its own; lines that waited before the fork
are its parent's. Children of :mod:`multiprocessing` hand over their lines when they end. A child
that ends with ``os._exit`` calls :func:`cumulus.logutils.close_logger` first. A killed child loses
its waiting lines.
"""

import base64
import json
import logging
import os
import socket
import ssl
import threading
import time
import weakref
from collections import deque
from dataclasses import dataclass, field
from http import client
from urllib.parse import urlencode

from .. import CumulusError

__all__ = ["Collector", "SplunkHandler", "make_handler"]

MAX_LINES = 10_000  # that wait
MAX_BYTES = 4 << 20
MAX_LINE = 16_000  # characters; Splunk itself cuts lines at 10,000 bytes
BATCH_LINES = 500
BATCH_SECONDS = 1.0  # a line waits this long for others
REQUEST_SECONDS = 10.0
CLOSE_SECONDS = 5.0  # what the end of a process may take
FIRST_DELAY = 0.5  # between attempts, also at the end of a process
LONGEST_DELAY = 30.0
_BUSY = {408, 429, 500, 502, 503, 504}  # worth another attempt
_REFUSED = {401, 403, 404}  # the next batch would fare no better


@dataclass(frozen=True)
class Collector:
    """Where Splunk takes lines, and how it wants them.

    Attributes
    ----------
    index : str
        Of Splunk; empty: the default index of the token.
    authorization : str
        The header of that name.
    is_hec : bool
        HTTP Event Collector; else the simple receiver, which takes plain lines.
    """

    host: str
    port: int
    index: str
    authorization: str = field(repr=False)
    is_hec: bool
    context: ssl.SSLContext = field(repr=False)

    @property
    def path(self):
        if self.is_hec:
            return "/services/collector/event"
        query = urlencode({"index": self.index, "source": "py-cumulus"})
        return f"/services/receivers/simple?{query}"

    def body(self, lines):
        """Return the content of one request for (time, text) pairs."""
        if not self.is_hec:
            return "".join(f"{text}\n" for _, text in lines).encode("utf-8", "replace")
        about = {"host": socket.gethostname(), "source": "py-cumulus"}
        about |= {"index": self.index} if self.index else {}
        events = ({"time": moment, "event": _event(text), **about} for moment, text in lines)
        return "\n".join(map(json.dumps, events)).encode()


def _event(text):
    """Return the object that a line of JSON holds; any other line stays a text."""
    if text.startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            pass  # was cut
    return text


def make_handler(environment, report):
    """Make the handler that the environment describes.

    Parameters
    ----------
    environment : mapping of str to str
        SPLUNK_HOST and either SPLUNK_HEC_TOKEN (HTTP Event Collector, port 8088) or
        SPLUNK_USERNAME and SPLUNK_PASSWORD (simple receiver, port 8089); optionally SPLUNK_PORT,
        SPLUNK_INDEX and SPLUNK_CA_BUNDLE, a file with the certificates to trust.
    report : callable
        Called with one sentence at the end, if lines were dropped.

    Raises
    ------
    CumulusError
        A variable is missing or wrong.
    """
    host, token, user, password, index = (
        environment.get(f"SPLUNK_{name}", "").strip()
        for name in ("HOST", "HEC_TOKEN", "USERNAME", "PASSWORD", "INDEX")
    )
    if token:
        authorization, port = f"Splunk {token}", "8088"
    elif user and password:
        pair = base64.b64encode(f"{user}:{password}".encode()).decode()
        authorization, port, index = f"Basic {pair}", "8089", index or "main"
    else:
        raise CumulusError(
            "SPLUNK_HOST is set, but neither SPLUNK_HEC_TOKEN nor SPLUNK_USERNAME and "
            "SPLUNK_PASSWORD are"
        )
    port = environment.get("SPLUNK_PORT") or port
    if not port.isdecimal() or not 0 < int(port) < 65536:
        raise CumulusError(f"SPLUNK_PORT must be a number from 1 to 65535, not {port!r}")
    bundle = environment.get("SPLUNK_CA_BUNDLE") or None
    try:
        context = ssl.create_default_context(cafile=bundle)
    except OSError as error:
        raise CumulusError(f"cannot use SPLUNK_CA_BUNDLE {bundle!r}: {error}") from error
    collector = Collector(host, int(port), index, authorization, bool(token), context)
    return SplunkHandler(collector, report)


class _Refused(Exception):
    """Splunk will not take these lines, now or later."""


class _Busy(client.HTTPException):
    """Splunk does not take these lines for now."""


class SplunkHandler(logging.Handler):
    """Queue lines, and send them in batches from a thread of its own."""

    def __init__(self, collector, report):
        super().__init__(logging.INFO)
        self._collector, self._report = collector, report
        self._reset()
        _living.add(self)
        # In its children multiprocessing forgets what was registered before, but keeps this.
        from multiprocessing import util

        util.register_after_fork(self, _close_at_the_end)

    def _reset(self):
        self._changed = threading.Condition(threading.Lock())
        self._lines, self._bytes = deque(), 0
        self._sending = ()  # taken from the queue, not yet acknowledged
        self._thread, self._deadline = None, None
        self._dropped, self._reason = 0, "the process ended first"
        self._hopeless = False

    # --- what processing calls -----------------------------------------------------------------

    def emit(self, record):
        try:
            text = self.format(record)[:MAX_LINE]
        except Exception:  # the handler of standard output reports it
            text = None
        with self._changed:
            if self._deadline is not None:
                return
            if self._hopeless or text is None:
                self._dropped += 1
                return
            self._lines.append((round(record.created, 3), text))
            self._bytes += len(text)
            while len(self._lines) > MAX_LINES or self._bytes > MAX_BYTES:
                self._bytes -= len(self._lines.popleft()[1])
                self._dropped += 1
            if self._thread is None:
                self._start()
            if len(self._lines) == 1 or len(self._lines) >= BATCH_LINES:
                self._changed.notify_all()

    def _start(self):
        self._thread = threading.Thread(target=self._run, name="splunk", daemon=True)
        try:
            self._thread.start()
        except RuntimeError:  # the interpreter is ending
            self._thread = None

    def close(self):
        """Send what waits, for a few seconds at most; say how many lines did not get there."""
        with self._changed:
            if self._deadline is not None:
                return
            self._deadline = time.monotonic() + CLOSE_SECONDS
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join(CLOSE_SECONDS)
        with self._changed:
            lost = self._dropped + len(self._sending) + len(self._lines)
        if lost:
            address = f"{self._collector.host}:{self._collector.port}"
            lines = "line" if lost == 1 else "lines"
            self._report(f"{lost} log {lines} did not reach Splunk at {address}: {self._reason}")
        super().close()

    # --- the thread ----------------------------------------------------------------------------

    def _run(self):
        connection = client.HTTPSConnection(
            self._collector.host,
            self._collector.port,
            timeout=REQUEST_SECONDS,
            context=self._collector.context,
        )
        delay = FIRST_DELAY
        while batch := self._take():
            is_fresh = connection.sock is None
            try:
                self._send(connection, batch)
            except _Refused as refusal:
                self._settle(len(batch), refusal)
            except (OSError, client.HTTPException, ValueError) as error:
                connection.close()
                if isinstance(error, ssl.SSLCertVerificationError | ValueError):
                    self._settle(len(batch), error, hopeless=True)
                elif not is_fresh and not isinstance(error, _Busy):
                    pass  # servers close idle connections: a new one sends the batch at once
                elif self._waits_to_try_again(error, delay):
                    delay = min(2 * delay, LONGEST_DELAY)
                else:
                    self._settle(len(batch), error, hopeless=True)
                continue
            else:
                self._settle(0)
            delay = FIRST_DELAY
        connection.close()

    def _take(self):
        """Wait for a batch; an unsent batch comes first. None: every line is settled."""
        with self._changed:
            if self._sending:
                return self._sending
            while not self._lines and self._deadline is None:
                self._changed.wait()
            if self._deadline is None:
                full = time.monotonic() + BATCH_SECONDS
                while self._deadline is None and len(self._lines) < BATCH_LINES:
                    if not self._changed.wait(full - time.monotonic()):
                        break
            count = min(len(self._lines), BATCH_LINES)
            self._sending = [self._lines.popleft() for _ in range(count)]
            self._bytes -= sum(len(text) for _, text in self._sending)
            return self._sending

    def _send(self, connection, batch):
        collector = self._collector
        kind = "application/json" if collector.is_hec else "text/plain; charset=utf-8"
        headers = {"Authorization": collector.authorization, "Content-Type": kind}
        connection.request("POST", collector.path, collector.body(batch), headers)
        answer = connection.getresponse()
        answer.read(MAX_LINE)
        if answer.will_close or not answer.isclosed():
            connection.close()
        if 200 <= answer.status < 300:
            return
        message = f"it answered {answer.status} {answer.reason}"
        if answer.status in _REFUSED:
            with self._changed:
                self._hopeless = True
        if answer.status in _BUSY:
            raise _Busy(message)
        raise _Refused(message)

    def _waits_to_try_again(self, error, delay):
        """Wait before the next attempt; at the end of the process not beyond its deadline."""
        with self._changed:
            self._reason = str(error) or type(error).__name__
            if self._deadline is None:
                self._changed.wait_for(lambda: self._deadline is not None, delay)
                return True
            rest = self._deadline - time.monotonic()
        time.sleep(max(0, min(rest, FIRST_DELAY)))
        return rest > FIRST_DELAY

    def _settle(self, lost, reason=None, hopeless=False):
        with self._changed:
            self._sending = ()
            self._dropped += lost
            self._hopeless |= hopeless
            if reason is not None:
                self._reason = str(reason) or type(reason).__name__
            if self._hopeless:
                self._dropped += len(self._lines)
                self._lines.clear()
                self._bytes = 0


_living = weakref.WeakSet()


def _start_anew():
    """In a forked child: the thread is gone, the lock may be held, the lines are the parent's."""
    for handler in _living:
        handler._reset()


def _close_at_the_end(handler):
    from multiprocessing import util

    util.Finalize(None, handler.close, exitpriority=0)


os.register_at_fork(after_in_child=_start_anew)
