"""A run: makes every granule of a directory, and keeps progress, report and summary."""

import os
import shlex
import shutil
import signal
import sys
import time
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path

from ..logutils.logger import get_logger, log_event, log_warning
from ..logutils.redaction import redact
from .signals import signals_held

__all__ = ["DONE", "NOTHING", "SOME_FAILED", "Summary", "forced", "keeps", "process_granules"]

DONE, NOTHING, SOME_FAILED = 0, 2, 3
NAMED_ROWS = 5  # of the converter's table; more than these are counted

forced = ContextVar("forced", default=False)  # the option --force
keeps = ContextVar("keeps", default=False)  # the option --keep-failed


@dataclass
class Summary:
    """How a run ended: ids of the granules by status, with the reasons of failures.

    Attributes
    ----------
    processed, skipped : list of str
        Ids, in the order of the input files; an earlier run processed those that are skipped.
    failed : dict of str to str
        Ids, or file names without an id, and the reasons.
    abandoned : list of str
        Ids of granules that the run did not begin, or gave up, because it was asked to stop.
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

    Granules are made in worker processes, several at once: values that the function keeps in
    variables are not seen here.

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
        Process granules again that are up to date; by default as the option --force says.

    Returns
    -------
    Summary

    Raises
    ------
    CumulusError
        Nothing could be done: bad collection.toml, no such directory, no matching file, another
        run in the same output directory.
    """
    # Imported here so that --help answers at once.
    from ..collection.reader import load
    from ..image_sources import record_sources
    from .completion import Completions, code_fingerprint
    from .grouping import group_files
    from .job import Job
    from .limits import worker_count
    from .outdir import ensure_writable, scratch_space

    get_logger()
    indir, outdir, home = (Path(folder).absolute() for folder in (indir, outdir, home))
    collection = collection or load(home / "collection.toml")
    workers = worker_count()
    candidates, failed = group_files(collection, indir)
    ensure_writable(indir, outdir)
    completions = Completions(outdir, code_fingerprint(home, collection))
    force = forced.get() if force is None else force
    with signals_held() as stopped, scratch_space(outdir) as (scratch, lock):
        completions.prepare()
        record_sources(home, outdir)
        job = Job(
            function,
            collection,
            home,
            outdir,
            scratch,
            candidates,
            completions,
            force,
            lock,
            keeps_failed=keeps.get(),
        )
        shutil.rmtree(job.failed_folder, ignore_errors=True)  # of an earlier run
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
                signal_name = signal.Signals(stopped[0]).name if stopped else None
                report.finish(signal=signal_name, workers=workers)
    run.warn_of_unused_rows()
    _log_counts(report, total, time.monotonic() - started)
    return run.summary()


def _log_counts(report, total, seconds):
    """Log how many granules ended in which way."""
    counts = {**report.counts, "not started": total - sum(report.counts.values())}
    skipped = f"{counts['skipped']} skipped, " if counts["skipped"] else ""
    unfinished = [status for status in ("interrupted", "not started") if counts[status]]
    log_event(
        f"{counts['processed']} of {total} granules processed, {skipped}{counts['failed']} failed"
        f"{''.join(f', {counts[status]} {status}' for status in unfinished)}, in {seconds:.1f} s; "
        f"report {report.path.name}",
        is_error=counts["processed"] + counts["skipped"] < total,
    )


class _Run:
    """Takes the outcomes of granules to the progress, the report and the summary."""

    def __init__(self, job, failed, report, shown):
        self._names = [*failed, *(candidate.id for candidate in job.candidates)]
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
        """Name rows of the converter's table that match nothing in any granule: misspelt paths?

        Only after a run over all granules: those that were skipped may have matching datasets.
        """
        if set(self._statuses) != {"processed"} or not self._unused_rows:
            return
        if len(self._unused_rows) > NAMED_ROWS:
            example = shlex.quote(os.path.relpath(self._candidates[0].inputs["primary"]))
            log_warning(
                f"{len(self._unused_rows)} paths in the converter's tables match nothing in any "
                f"granule: still the starter sample's? See yours: ./_convert --list {example}",
                "_convert",
            )
            return
        for path, note in sorted(self._unused_rows):
            log_warning(f"{path!r}: {note}, nor in any other granule", "_convert")

    def summary(self):
        statuses = list(zip(self._names, self._statuses, strict=True))
        return Summary(
            processed=[name for name, status in statuses if status == "processed"],
            skipped=[name for name, status in statuses if status == "skipped"],
            failed={
                name: self._reasons[number]
                for number, (name, status) in enumerate(statuses)
                if status == "failed"
            },
            abandoned=[name for name, status in statuses if status in (None, "interrupted")],
            report=self._report.path,
        )
