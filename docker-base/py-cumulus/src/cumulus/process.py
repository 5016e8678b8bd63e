"""The granule loop of a process handler, and the handler's command line."""

import argparse
import errno
import os
import shutil
import signal
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

from . import CumulusError, __version__
from . import collection as collections
from .delivery import (
    check_output_directory,
    deliver,
    remove_products,
    scratch_space,
)
from .granule import Granule, check_output
from .grouping import group_files, product_names
from .logutils import get_logger, log_event, print_traceback

__all__ = ["Granule", "Summary", "check_output", "main", "process_granules"]

DONE, NOTHING, SOME_FAILED = 0, 2, 3


class Interrupted(BaseException):
    """SIGTERM or SIGINT arrived; like KeyboardInterrupt it passes every ``except Exception``."""

    def __init__(self, number):
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.status = 128 + number


@dataclass
class Summary:
    """What became of the granules: ids that are done, and of the others why not."""

    processed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def status(self):
        """Exit status: 0 all done, 3 some failed, 2 none done."""
        if not self.processed:
            return NOTHING
        return SOME_FAILED if self.failed else DONE


def process_granules(function, indir, outdir, *, home, collection=None):
    """Process every granule of a directory; complete products appear in another.

    Parameters
    ----------
    function : callable
        Called with each :class:`Granule`; writes its products. An exception fails that granule.
    indir, outdir : path-like
        Existing directories.
    home : path-like
        Where collection.toml and the converter are.
    collection : cumulus.collection.Collection, optional
        By default read from ``home``.

    Returns
    -------
    Summary

    Raises
    ------
    CumulusError
        Nothing could be done: bad collection.toml, no such directory, no matching file.
    """
    get_logger()
    indir, outdir, home = (Path(one).absolute() for one in (indir, outdir, home))
    collection = collection or collections.load(home / "collection.toml")
    candidates, failed = group_files(collection, indir)
    check_output_directory(indir, outdir)
    summary = Summary()
    total = len(candidates) + len(failed)
    started = time.monotonic()
    for number, (granule_id, reason) in enumerate(failed.items(), 1):
        _failed(summary, granule_id, reason, f"{number}/{total}")
    try:
        with scratch_space(outdir) as scratch:
            for number, candidate in enumerate(candidates, 1):
                place = scratch / str(number)  # ids may be too long, or odd, for a directory
                one = _Run(function, collection, home, outdir, place, summary)
                one.process(candidate, f"{len(failed) + number}/{total}")
    finally:
        log_event(
            f"{len(summary.processed)} of {total} granules processed, "
            f"{len(summary.failed)} failed, in {time.monotonic() - started:.1f} s",
            is_error=len(summary.processed) < total,
        )
    return summary


@dataclass(frozen=True)
class _Run:
    """One granule on its way through scratch."""

    function: object
    collection: collections.Collection
    home: Path
    outdir: Path
    scratch: Path
    summary: Summary

    def process(self, candidate, count):
        log_event(f"granule {count} started", granule_id=candidate.id)
        started = time.monotonic()
        try:
            self._make(candidate)
        except Exception as error:
            _failed(self.summary, candidate.id, _reason(error, self.outdir), count)
        else:
            self.summary.processed.append(candidate.id)
            seconds = time.monotonic() - started
            log_event(f"granule {count} finished in {seconds:.2f} s", granule_id=candidate.id)
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _make(self, candidate):
        names = product_names(self.collection, candidate.groups)
        # What an earlier run left must not be taken for the result of this one.
        remove_products(self.outdir, names.values())
        self.scratch.mkdir()
        granule = Granule(
            id=candidate.id,
            inputs=dict(candidate.inputs),
            products={key: self.scratch / name for key, name in names.items()},
            collection=self.collection,
            home=self.home,
            groups=dict(candidate.groups),
        )
        self.function(granule)
        deliver({key: self.scratch / name for key, name in names.items()}, self.outdir)


def _failed(summary, granule_id, reason, count):
    summary.failed[granule_id] = reason
    log_event(f"granule {count} failed: {reason}", granule_id=granule_id, is_error=1)


def _reason(error, outdir):
    """One sentence for a failure; one that nobody foresaw also shows where it happened."""
    if isinstance(error, CumulusError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left for the products in {str(outdir)!r}: {error.strerror}"
    if not isinstance(error, OSError):
        print_traceback(error)
    return f"{type(error).__name__}: {error}"


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
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        summary = process(options.input, options.output)
        return DONE if summary is None else summary.status
    except Exception as error:
        log_event(_reason(error, options.output), is_error=1)
        return NOTHING
    except Interrupted as stop:
        log_event(str(stop), is_error=1)
        return stop.status


def _interrupt(number, _frame):
    for other in (signal.SIGTERM, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)  # let the clean-up finish
    raise Interrupted(number)


def _same_file(one, other):
    return os.path.isfile(one) and os.path.realpath(one) == os.path.realpath(other)


def _parser(own, process):
    parser = argparse.ArgumentParser(
        prog=os.path.basename(own),
        description=getattr(process, "__globals__", {}).get("__doc__"),  # of process.py
        epilog="exit status: 0 every granule processed; 3 some failed, the others are delivered; "
        "2 nothing could be done; 130, 143 interrupted",
    )
    parser.add_argument("input", nargs="?", default="input", help="directory of the input files")
    parser.add_argument("output", nargs="?", default="output", help="directory for the products")
    parser.add_argument(
        "--force", action="store_true", help="process every granule again (today always done)"
    )
    parser.add_argument("--version", action="version", version=f"py-cumulus {__version__}")
    return parser
