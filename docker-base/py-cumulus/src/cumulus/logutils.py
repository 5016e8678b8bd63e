"""Log lines of a handler: ``key="value"`` pairs on standard output, one line an event."""

import logging
import os
import re
import sys
from datetime import UTC, datetime

__all__ = ["get_logger", "log_event", "log_warning", "make_log_string"]

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}


class _StdoutHandler(logging.StreamHandler):
    """Write to whatever ``sys.stdout`` is when the line is written."""

    def __init__(self):
        logging.Handler.__init__(self)

    @property
    def stream(self):
        return sys.stdout


def get_logger():
    """Return the root logger, at level INFO, writing plain messages to standard output.

    Calling it again changes nothing, so that lines are never doubled.

    Returns
    -------
    logging.Logger
    """
    logger = logging.getLogger()
    if not any(isinstance(handler, _StdoutHandler) for handler in logger.handlers):
        logger.addHandler(_StdoutHandler())
        logger.setLevel(logging.INFO)
    return logger


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
        is left out.

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
    pairs = {
        "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"),
        "data_pipeline_id": data_pipeline_id or os.environ.get("PIPELINE_ID") or None,
        "dataset_id": dataset_id or os.environ.get("DATASET_ID") or None,
        "is_error": int(bool(is_error)),
        **fields,
    }
    return " ".join(
        f'{_key(key)}="{_escape(str(value))}"' for key, value in pairs.items() if value is not None
    )


def log_event(message, is_error=0, process="process", **fields):
    """Log one event of the handler: a failure at level ERROR, anything else at INFO."""
    get_logger().log(
        logging.ERROR if is_error else logging.INFO,
        make_log_string(is_error=is_error, process=process, message=message, **fields),
    )


def log_warning(message):
    """Log what a library module found odd; it does not touch how logging is set up."""
    logging.getLogger(__name__).warning(make_log_string(process="metadata", message=message))


def _key(key):
    """Keys come from code; one that is no plain word would make the line ambiguous."""
    return re.sub(r"[^\w.-]", "_", key)


def _escape(text):
    return "".join(_escape_character(character) for character in text)


def _escape_character(character):
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():  # false for every other line end and for undecodable file names
        return character
    code = ord(character)
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
