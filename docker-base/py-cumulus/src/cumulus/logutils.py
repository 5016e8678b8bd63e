"""Log lines of a handler, one line an event: ``key="value"`` pairs or Cumulus' JSON.

They go to standard output, and to Splunk where the environment names one (:mod:`cumulus.splunk`).
No line holds a secret that can be recognised as one (:mod:`cumulus.redaction`).
"""

import contextlib
import contextvars
import functools
import json
import logging
import os
import re
import sys
import traceback
from datetime import UTC, datetime

from .redaction import HIDDEN, is_secret_name, redact, secret_values

__all__ = [
    "close_logger",
    "get_logger",
    "log_event",
    "log_fields",
    "log_warning",
    "make_log_string",
    "print_traceback",
]

FORMATS = ("key-value", "json")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
# The names that Cumulus has for levels.
_LEVELS = {
    logging.DEBUG: "debug",
    logging.INFO: "info",
    logging.WARNING: "warn",
    logging.ERROR: "error",
    logging.CRITICAL: "fatal",
}
_fields = contextvars.ContextVar("cumulus_log_fields", default={})  # noqa: B039 (never changed)


class LogLine(str):
    """A line of pairs that still knows them, so that it can be written as JSON, too."""

    __slots__ = ("fields",)

    def __new__(cls, fields):
        line = super().__new__(cls, _pairs(fields))
        line.fields = fields
        return line


class LineFormatter(logging.Formatter):
    """Give every record its level, make it one line, and take out secrets.

    The environment variable LOG_FORMAT says how it looks: ``key-value`` (default) or ``json``.
    """

    def format(self, record):
        known = isinstance(record.msg, LogLine) and not record.args
        fields = dict(record.msg.fields) if known else {"message": redact(record.getMessage())}
        if record.exc_info:
            fields["exception"] = redact(super().formatException(record.exc_info))
        level = fields.get("level") or _level_name(record, fields)
        failed = level in ("error", "fatal")
        if failed and "is_error" in fields:
            fields["is_error"] = "1"
        fields["level"] = level
        if os.environ.get("LOG_FORMAT") == "json":
            return _cumulus_json(fields)
        if known:
            return _pairs(fields)
        if level in ("debug", "info") and not record.exc_info:
            return fields["message"]  # as the caller wrote it
        return _pairs(_all_fields({"is_error": int(failed), **fields}))


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
    the environment says so, see :func:`cumulus.splunk.make_handler`.

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
    from . import CumulusError, splunk

    try:
        handler = splunk.make_handler(os.environ, report=_say)
    except CumulusError as error:  # without it processing goes on
        _say(f"no log lines go to Splunk: {error}")
    else:
        handler.setFormatter(LineFormatter())
        logger.addHandler(handler)


def _say(message):
    """Log a warning of logging itself, to standard output alone."""
    record = logging.LogRecord(
        __name__, logging.WARNING, __file__, 0, _line(message, process="logging"), None, None
    )
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


@contextlib.contextmanager
def log_fields(**fields):
    """Add fields, such as ``granule_id``, to every line that is made within the block.

    Examples
    --------
    >>> with log_fields(granule_id="A1"):
    ...     print(make_log_string(message="half way", timestamp="now"))
    timestamp="now" is_error="0" granule_id="A1" message="half way"
    """
    token = _fields.set({**_fields.get(), **fields})
    try:
        yield
    finally:
        _fields.reset(token)


def make_log_string(data_pipeline_id=None, dataset_id=None, is_error=0, **fields):
    r"""Return one log line of space-joined ``key="value"`` pairs.

    Parameters
    ----------
    data_pipeline_id, dataset_id : str, optional
        By default the environment variables PIPELINE_ID and DATASET_ID; left out when unset.
    is_error : int or bool
        1 when the line reports a failure.
    **fields
        Further pairs, usually ``granule_id``, ``process`` and ``message``. A field that is None
        is left out; the value of one whose name says that it is secret is hidden.

    Returns
    -------
    str
        A single line: quotes, backslashes, line ends and unprintable characters in values are
        escaped with backslashes, so that a value can always be read back.

    Examples
    --------
    >>> line = make_log_string(granule_id="A1", message='a "quoted"\nword', timestamp="now")
    >>> print(line)
    timestamp="now" is_error="0" granule_id="A1" message="a \"quoted\"\nword"
    """
    ids = {"data_pipeline_id": data_pipeline_id, "dataset_id": dataset_id}
    return LogLine(_all_fields({**ids, "is_error": int(bool(is_error)), **_fields.get(), **fields}))


def _all_fields(fields):
    """Add what every line has, leave out what is None, and hide secrets."""
    complete = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "data_pipeline_id": None,
        "dataset_id": None,
        **fields,
    }
    for key, variable in (("data_pipeline_id", "PIPELINE_ID"), ("dataset_id", "DATASET_ID")):
        complete[key] = complete[key] or os.environ.get(variable) or None
    secrets = secret_values()
    return {
        key: HIDDEN if is_secret_name(key) else redact(str(value), secrets)
        for key, value in complete.items()
        if value is not None
    }


def log_event(message, is_error=0, process="process", **fields):
    """Log one event of the handler: a failure at level ERROR, anything else at INFO."""
    get_logger().log(
        logging.ERROR if is_error else logging.INFO,
        _line(message, is_error=is_error, process=process, **fields),
    )


def log_warning(message, process="metadata", **fields):
    """Log what a library module found odd; it does not touch how logging is set up."""
    logging.getLogger(__name__).warning(_line(message, process=process, **fields))


def _line(message, **fields):
    return make_log_string(message=message, **fields)


def print_traceback(error):
    """Write where an unforeseen error happened to standard error, without secrets."""
    print(redact("".join(traceback.format_exception(error))), end="", file=sys.stderr)


def _level_name(record, fields):
    if fields.get("is_error") == "1" and record.levelno < logging.ERROR:
        return "error"  # handlers after the documentation log failures with log.info
    return _LEVELS.get(record.levelno) or ("trace" if record.levelno < logging.DEBUG else "error")


def _cumulus_json(fields):
    """Return the line as Cumulus' own tasks write it; what else is known follows."""
    rest = dict(fields)
    environment = os.environ
    program = os.path.basename(sys.argv[0] if sys.argv else "") or "py-cumulus"
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    granule = rest.pop("granule_id", None)
    line = {
        "executions": environment.get("CUMULUS_EXECUTION"),
        "granules": json.dumps([granule]) if granule else None,
        "level": rest.pop("level"),
        "message": rest.pop("message", ""),
        "parentArn": environment.get("CUMULUS_PARENT_ARN"),
        "sender": environment.get("CUMULUS_SENDER")
        or environment.get("AWS_LAMBDA_FUNCTION_NAME")
        or program,
        "stackName": environment.get("CUMULUS_STACK") or environment.get("stackName"),
        "timestamp": rest.pop("timestamp", now).replace("+00:00", "Z"),
        "version": environment.get("IMAGE_REVISION"),
        **rest,
    }
    return json.dumps({key: value for key, value in line.items() if value is not None})


def _pairs(fields):
    return " ".join(f'{_key(key)}="{_escape(str(value))}"' for key, value in fields.items())


@functools.lru_cache(maxsize=1000)
def _key(key):
    """Keys come from code; one that is no plain word would make the line ambiguous."""
    return re.sub(r"[^\w.-]", "_", key)


def _escape(text):
    if text.isprintable() and '"' not in text and "\\" not in text:
        return text
    return "".join(_escape_character(character) for character in text)


def _escape_character(character):
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():  # false for every other line end and for undecodable file names
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
