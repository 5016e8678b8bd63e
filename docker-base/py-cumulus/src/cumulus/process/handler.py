"""The command line of a process handler."""

import argparse
import os
import signal
import sys

from .. import CumulusError, __version__
from ..logutils.logger import get_logger, log_event, print_traceback
from .run import DONE, NOTHING, forced, keeps
from .signals import STOPS, Interrupted, interrupt

__all__ = ["main"]


def main(process, argv=None):
    """Run a handler from the command line.

    Parameters
    ----------
    process : callable
        Called with the input and the output directory; returns what
        :func:`process_granules` returned, or None when all went well.
    argv : list of str, optional
        By default ``sys.argv``, with the handler's own path first.

    Returns
    -------
    int
        Exit status: 0 every granule processed, 3 some failed, 2 nothing could be done,
        130 or 143 interrupted.
    """
    own, *arguments = sys.argv if argv is None else argv
    if arguments and _same_file(arguments[0], own):  # some engines repeat the entrypoint
        arguments = arguments[1:]
    options = _parser(own, process).parse_args(arguments)
    get_logger()
    for number in STOPS:
        signal.signal(number, interrupt)
    tokens = {forced: forced.set(options.force), keeps: keeps.set(options.keep_failed)}
    try:
        summary = process(options.input, options.output)
        return DONE if summary is None else summary.status
    except CumulusError as error:
        log_event(str(error), is_error=1)
    except Exception as error:
        if not isinstance(error, OSError):
            print_traceback(error)
        log_event(f"{type(error).__name__}: {error}", is_error=1)
    except Interrupted as stop:
        log_event(str(stop), is_error=1)
        return stop.status
    finally:
        for variable, token in tokens.items():
            variable.reset(token)
    return NOTHING


def _same_file(path, other):
    return os.path.isfile(path) and os.path.realpath(path) == os.path.realpath(other)


def _parser(own, process):
    parser = argparse.ArgumentParser(
        prog=os.path.basename(own),
        description=getattr(process, "__globals__", {}).get("__doc__"),  # of process.py
        epilog="exit status: 0 every granule processed; 3 some failed, the others are delivered; "
        "2 nothing could be done; 130, 143 interrupted. Environment: PROCESS_WORKERS, how many "
        "granules at once (default: as many as there are cores)",
    )
    parser.add_argument("input", nargs="?", default="input", help="directory of the input files")
    parser.add_argument("output", nargs="?", default="output", help="directory for the products")
    parser.add_argument(
        "--force",
        action="store_true",
        help="process every granule again, also those whose products are up to date",
    )
    parser.add_argument(
        "--keep-failed",
        action="store_true",
        help="keep what was made of failed granules in OUTPUT/.cumulus/failed, until the next run",
    )
    parser.add_argument("--version", action="version", version=f"py-cumulus {__version__}")
    return parser
