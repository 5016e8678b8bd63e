"""The granule loop of a process handler, and the handler's command line."""

import argparse
import os
import signal
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from .. import CumulusError, __version__
from ..logutils.logger import get_logger, log_event, log_warning, print_traceback
from ..logutils.redaction import redact
from .granule import Granule, check_output
from .signals import STOPS, Interrupted, interrupt, signals_held

__all__ = ["Granule", "Summary", "check_output", "main", "process_granules"]

DONE, NOTHING, SOME_FAILED = 0, 2, 3
NAMED_ROWS = 5  # of the converter's table; more than these are counted

_forced = ContextVar("forced", default=False)  # the option --force


@dataclass
class Summary:
    """What became of the granules: ids that are done, and of the others why not.

    Attributes
    ----------
    processed, skipped : list of str
        Ids, in the order of the input files; what is skipped was processed by an earlier run.
    failed : dict of str to str
        Ids, or file names that have none, and the reasons.
    abandoned : list of str
        Ids of those that the run did not come to, or gave up, because it was to stop.
    report : pathlib.Path or None
    """

    processed: list[str] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    abandoned: list[str] = field(default_factory=list)
    report: Path | None = None

    @property
    def status(self):
        """Exit status: 0 all done, 3 some not, 2 none done."""
        if not self.processed and not self.skipped:
            return NOTHING
        return SOME_FAILED if self.failed or self.abandoned else DONE


def process_granules(function, indir, outdir, *, home, collection=None, force=None):
    """Process every granule of a directory; complete products appear in another.

    Granules are made in worker processes, several at once: what the function keeps in variables
    is not seen here.

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
    force : bool, optional
        Process again what an earlier run has done; by default as the option --force says.

    Returns
    -------
    Summary

    Raises
    ------
    CumulusError
        Nothing could be done: bad collection.toml, no such directory, no matching file, another
        run at work there.
    """
    # Imported here so that --help answers at once.
    from ..collection.reader import load
    from ..image_sources import record_sources
    from .completion import Completions, code_fingerprint
    from .grouping import group_files
    from .job import Job
    from .limits import worker_count
    from .outdir import check_output_directory, scratch_space

    get_logger()
    indir, outdir, home = (Path(one).absolute() for one in (indir, outdir, home))
    collection = collection or load(home / "collection.toml")
    workers = worker_count()
    candidates, failed = group_files(collection, indir)
    check_output_directory(indir, outdir)
    completions = Completions(outdir, code_fingerprint(home, collection))
    force = _forced.get() if force is None else force
    with signals_held() as stopped, scratch_space(outdir) as (scratch, lock):
        completions.prepare()
        record_sources(home, outdir)
        job = Job(
            function, collection, home, outdir, scratch, candidates, completions, force, lock
        )
        return _run(job, failed, workers, stopped)


def _run(job, failed, workers, stopped):
    """Make the granules of a job; those that cannot start are reported first."""
    from ..files import fsync
    from .outcome import FAILED, Outcome
    from .pool import Pool
    from .progress import progress
    from .report import Report

    total, started = len(job.candidates) + len(failed), time.monotonic()
    with Report(job.outdir, total) as report, progress(total) as shown:
        run = _Run(job, failed, report, shown)
        for number, reason in enumerate(failed.values()):
            run.add(number, Outcome(FAILED, reason))
        pool = Pool(job, workers, shown.lines, stopped)
        try:
            run.follow(pool.events())
            if stopped:
                run.follow(pool.stop())
        finally:
            pool.end()
            try:
                fsync(job.outdir)  # the names of the primary products, all at once
            finally:
                words = [signal.Signals(number).name for number in stopped[:1]]
                report.finish(signal=words[0] if words else None, workers=workers)
    counts, seconds = report.counts, time.monotonic() - started
    run.warn_of_unused_rows()
    skipped = f"{counts['skipped']} skipped, " if counts["skipped"] else ""
    undone = {**counts, "not started": total - sum(counts.values())}
    left = [f", {undone[one]} {one}" for one in ("interrupted", "not started") if undone[one]]
    log_event(
        f"{counts['processed']} of {total} granules processed, {skipped}{counts['failed']} failed"
        f"{''.join(left)}, in {seconds:.1f} s; report {report.path.name}",
        is_error=counts["processed"] + counts["skipped"] < total,
    )
    return run.summary()


class _Run:
    """Takes what becomes of granules to the progress, the report and the summary."""

    def __init__(self, job, failed, report, shown):
        self._names = [*failed, *(one.id for one in job.candidates)]
        self._candidates = job.candidates
        self._before = len(failed)  # the numbers of granules that could not start come first
        self._report, self._shown = report, shown
        self._statuses, self._reasons = [None] * len(self._names), {}
        self._unused_rows = None  # None: no granule was converted

    def follow(self, events):
        for kind, number, outcome in events:
            if kind == "started":
                self._shown.started(self._before + number + 1, self._names[self._before + number])
            else:
                self.add(self._before + number, outcome)

    def add(self, number, outcome):
        name = self._names[number]
        if outcome.traceback:
            with self._shown.lines():
                print(redact(outcome.traceback), file=sys.stderr, end="")
        self._statuses[number] = outcome.status
        if outcome.unused_rows is not None:
            known = outcome.unused_rows if self._unused_rows is None else self._unused_rows
            self._unused_rows = known & outcome.unused_rows
        if outcome.error:
            self._reasons[number] = outcome.error
        self._shown.finished(number + 1, name, outcome)
        self._report.add(number, name, outcome)

    def warn_of_unused_rows(self):
        """Name rows of the converter's table that matched nothing in any granule: misspelt paths?

        Only after a run over all granules: those that were skipped may have what a row speaks of.
        """
        if set(self._statuses) != {"processed"} or not self._unused_rows:
            return
        if len(self._unused_rows) > NAMED_ROWS:
            known = os.path.relpath(self._candidates[0].inputs["primary"])
            log_warning(
                f"{len(self._unused_rows)} paths in the converter's tables match nothing in any "
                f"granule: still the starter sample's? See yours: ./_convert --list {known}",
                "_convert",
            )
            return
        for path, note in sorted(self._unused_rows):
            log_warning(f"{path!r}: {note}, nor in any other granule", "_convert")

    def summary(self):
        named = dict(zip(self._names, self._statuses, strict=True))
        return Summary(
            processed=[name for name, status in named.items() if status == "processed"],
            skipped=[name for name, status in named.items() if status == "skipped"],
            failed={
                name: self._reasons[number]
                for number, (name, status) in enumerate(named.items())
                if status == "failed"
            },
            abandoned=[name for name, status in named.items() if status in (None, "interrupted")],
            report=self._report.path,
        )


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
    forced = _forced.set(options.force)
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
        _forced.reset(forced)
    return NOTHING


def _same_file(one, other):
    return os.path.isfile(one) and os.path.realpath(one) == os.path.realpath(other)


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
        help="process every granule again, also where the products of an earlier run stand",
    )
    parser.add_argument("--version", action="version", version=f"py-cumulus {__version__}")
    return parser
