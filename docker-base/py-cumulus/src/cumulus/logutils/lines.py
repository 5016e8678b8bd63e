"""What a log line looks like: ``key="value"`` pairs, or Cumulus' JSON, without secrets."""

import contextlib
import contextvars
import functools
import json
import logging
import os
import re
import sys
from datetime import UTC, datetime

from .redaction import HIDDEN, is_secret_name, redact, secret_values

__all__ = ["FORMATS", "LineFormatter", "LogLine", "log_fields", "make_log_string"]

FORMATS = ("key-value", "json")
_PAIR = re.compile(r'([\w.-]+)="((?:[^"\\]|\\.)*)"')
_LINE = re.compile(rf"{_PAIR.pattern}(?: {_PAIR.pattern})*")
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_UNESCAPES = {escape[1]: character for character, escape in _ESCAPES.items()}
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
    """A line of pairs that keeps its fields, so that it can be written as JSON, too."""

    __slots__ = ("fields",)

    def __new__(cls, fields):
        line = super().__new__(cls, _pairs(fields))
        line.fields = fields
        return line

    def __reduce__(self):  # a worker may hand its records to another process
        return LogLine, (self.fields,)

    @classmethod
    def parse(cls, text):
        """Return a text as a LogLine with its fields, or None where it is no line of pairs."""
        if isinstance(text, cls):
            return text
        if (
            not isinstance(text, str)
            or not text.startswith('timestamp="')
            or not _LINE.fullmatch(text)
        ):
            return None
        return cls(_hide({key: _unescape(value) for key, value in _PAIR.findall(text)}))


class LineFormatter(logging.Formatter):
    """Give every record its level, make it one line, and take out secrets.

    The environment variable LOG_FORMAT says how it looks: ``key-value`` (default) or ``json``.
    """

    def format(self, record):
        line = LogLine.parse(record.msg) if not record.args else None
        fields = dict(line.fields) if line else {"message": redact(record.getMessage())}
        if record.exc_info:
            fields["exception"] = redact(super().formatException(record.exc_info))
        level = fields.get("level") or _level_name(record, fields)
        failed = level in ("error", "fatal")
        if failed and "is_error" in fields:
            fields["is_error"] = "1"
        fields["level"] = level
        if os.environ.get("LOG_FORMAT") == "json":
            return _cumulus_json(fields)
        if line:
            return _pairs(fields)
        if level in ("debug", "info") and not record.exc_info:
            return fields["message"]  # as the caller wrote it
        return _pairs(_all_fields({"is_error": int(failed), **fields}))


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
    return _hide({key: str(value) for key, value in complete.items() if value is not None})


def _hide(fields):
    secrets = secret_values()
    return {
        key: HIDDEN if is_secret_name(key) else redact(value, secrets)
        for key, value in fields.items()
    }


def _level_name(record, fields):
    if fields.get("is_error") == "1" and record.levelno < logging.ERROR:
        return "error"  # handlers after the documentation log failures with log.info
    return _LEVELS.get(record.levelno) or ("trace" if record.levelno < logging.DEBUG else "error")


def _cumulus_json(fields):
    """Return the line as Cumulus' own tasks write it; other fields follow."""
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


def _unescape(text):
    if "\\" not in text:
        return text
    return re.sub(r"\\(?:u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", _unescape_match, text)


def _unescape_match(match):
    code = match[1] or match[2]
    return chr(int(code, 16)) if code else _UNESCAPES.get(match[3], match[3])
