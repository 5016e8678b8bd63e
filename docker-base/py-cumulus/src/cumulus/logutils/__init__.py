"""The log of a handler."""

from .lines import log_fields, make_log_string
from .logger import close_logger, get_logger, log_event, log_warning, print_traceback

__all__ = [
    "close_logger",
    "get_logger",
    "log_event",
    "log_fields",
    "log_warning",
    "make_log_string",
    "print_traceback",
]
