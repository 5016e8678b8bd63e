"""A run: makes every granule of a directory, and keeps progress, report and summary."""

import shutil
import signal
import time
from contextvars import ContextVar
from pathlib import Path

from ..logutils.logger import get_logger
from .results import DONE, NOTHING, SOME_FAILED, Results, Summary, log_counts
from .signals import signals_held

__all__ = ["DONE", "NOTHING", "SOME_FAILED", "Summary", "forced", "keeps", "process_granules"]

forced = ContextVar("forced", default=False)  # the option --force
keeps = ContextVar("keeps", default=False)  # the option --keep-failed


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
    """Make the granules of a job, and report how all of them end."""
    from ..files import fsync
    from .progress import progress
    from .report import Report

    total, started = len(job.candidates) + len(failed), time.monotonic()
    with Report(job.outdir, total) as report, progress(total) as shown:
        results = Results(job, failed, report, shown)
        try:
            numbers = results.skip(job.up_to_date(stopped))
            _make(job, numbers, results, shown.lines, workers, stopped)
        finally:
            try:
                fsync(job.outdir)  # the names of the primary products, all at once
            finally:
                signal_name = signal.Signals(stopped[0]).name if stopped else None
                report.finish(signal=signal_name, workers=workers)
    results.warn_of_unused_rows()
    log_counts(report, total, time.monotonic() - started)
    return results.summary()


def _make(job, numbers, results, lines, workers, stopped):
    """Have workers make the granules of these numbers."""
    from .pool import Pool

    pool = Pool(job, numbers, workers, lines, stopped)
    try:
        results.follow(pool.events())
        if stopped:
            results.follow(pool.stop())
    finally:
        pool.end()
