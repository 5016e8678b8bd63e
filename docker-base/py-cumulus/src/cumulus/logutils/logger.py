"""Log lines of a handler, one line an event: ``key="value"`` pairs or Cumulus' JSON.

They go to standard output, and to Splunk where the environment names one (:mod:`.splunk`).
No line holds a secret that can be recognised as one (:mod:`cumulus.logutils.redaction`).
"""

import contextlib
import logging
import os
import sys
import traceback

from .lines import FORMATS, LineFormatter, log_fields, make_log_string
from .redaction import redact

__all__ = [
    "close_logger",
    "get_logger",
    "log_event",
    "log_fields",
    "log_warning",
    "make_log_string",
    "print_traceback",
]


class _StdoutHandler(logging.StreamHandler):
    """Write to whatever ``sys.stdout`` is when the line is written."""

    def __init__(self):
        logging.Handler.__init__(self)
        self.setFormatter(LineFormatter())
        self._has_failed = False

    @property
    def stream(self):
        return sys.stdout

    def handleError(self, record):
        """Say once that lines are lost; the record itself may hold what must not be shown."""
        if not self._has_failed:
            self._has_failed = True
            reason = redact(str(sys.exception()))
            with contextlib.suppress(OSError, ValueError):
                print(f"cannot write log lines: {reason}", file=sys.stderr)

    def format(self, record):
        encoding = getattr(self.stream, "encoding", None) or "utf-8"
        return super().format(record).encode(encoding, "backslashreplace").decode(encoding)


def get_logger():
    """Return the root logger, at level INFO, writing to standard output and maybe to Splunk.

    Calling it again changes nothing, so that lines are never doubled. Splunk gets the lines where
    the environment says so, see :func:`cumulus.logutils.splunk.make_handler`.

    Returns
    -------
    logging.Logger
    """
    logger = logging.getLogger()
    if not any(isinstance(handler, _StdoutHandler) for handler in logger.handlers):
        logger.addHandler(_StdoutHandler())
        logger.setLevel(logging.INFO)
        chosen = os.environ.get("LOG_FORMAT") or FORMATS[0]
        if chosen not in FORMATS:
            _say(f"LOG_FORMAT={chosen!r} is not known: expected {' or '.join(FORMATS)}")
        if os.environ.get("SPLUNK_HOST"):
            _add_splunk(logger)
    return logger


def _add_splunk(logger):
    from .. import CumulusError
    from . import splunk

    try:
        handler = splunk.make_handler(os.environ, report=_say)
    except CumulusError as error:  # without it processing goes on
        _say(f"no log lines go to Splunk: {error}")
    else:
        handler.setFormatter(LineFormatter())
        logger.addHandler(handler)


def _say(message):
    """Log a warning of logging itself, to standard output alone."""
    line = make_log_string(process="logging", message=message)
    record = logging.LogRecord(__name__, logging.WARNING, __file__, 0, line, None, None)
    for handler in logging.getLogger().handlers:
        if isinstance(handler, _StdoutHandler):
            handler.handle(record)


def close_logger():
    """Hand over what still waits for Splunk, within seconds, and say what did not get there.

    It happens by itself at the end of a process; a forked child that ends with ``os._exit`` has
    to call it.
    """
    for handler in logging.getLogger().handlers:
        if not isinstance(handler, _StdoutHandler):
            handler.close()


def log_event(message, is_error=0, process="process", **fields):
    """Log one event of the handler: a failure at level ERROR, anything else at INFO."""
    get_logger().log(
        logging.ERROR if is_error else logging.INFO,
        make_log_string(is_error=is_error, process=process, message=message, **fields),
    )


def log_warning(message, process="metadata", **fields):
    """Log a warning of a library module; logging is not set up by it."""
    line = make_log_string(process=process, message=message, **fields)
    logging.getLogger(__name__).warning(line)


def print_traceback(error):
    """Write where an unforeseen error happened to standard error, without secrets."""
    print(redact("".join(traceback.format_exception(error))), end="", file=sys.stderr)
