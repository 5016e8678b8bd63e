"""How the granules of a run end: the summary, and what takes each end to report and progress."""

import os
import shlex
import sys
from array import array
from dataclasses import dataclass, field
from pathlib import Path

from ..logutils.logger import log_event, log_warning
from ..logutils.redaction import redact
from .outcome import FAILED, Outcome

__all__ = ["DONE", "NOTHING", "SOME_FAILED", "Results", "Summary", "log_counts"]

DONE, NOTHING, SOME_FAILED = 0, 2, 3
NAMED_ROWS = 5  # of the converter's table; more than these are counted


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


class Results:
    """Takes the outcomes of granules to the progress, the report and the summary.

    Granules that cannot start are the first.

    Parameters
    ----------
    job : cumulus.process.job.Job
    failed : dict of str to str
        Why granules cannot start, by id or file name.
    report : cumulus.process.report.Report
    shown : cumulus.process.progress.Lines
    """

    def __init__(self, job, failed, report, shown):
        self._names = [*failed, *(candidate.id for candidate in job.candidates)]
        self._candidates = job.candidates
        self._before = len(failed)  # the numbers of granules that could not start come first
        self._report, self._shown = report, shown
        self._statuses, self._reasons = [None] * len(self._names), {}
        self._unused_rows = None  # None: no granule was converted
        for number, reason in enumerate(failed.values()):
            self.add(number, Outcome(FAILED, reason))

    def skip(self, outcomes):
        """Take the granules that need no worker, and return the numbers of the others.

        One line of the log counts them: a rerun may skip a hundred thousand.

        Parameters
        ----------
        outcomes : iterable of (int, Outcome or None)
            By number of the candidate.
        """
        others, skipped = array("q"), 0
        for number, outcome in outcomes:
            if outcome:
                self._keep(self._before + number, outcome)
                skipped += 1
            else:
                others.append(number)
        if skipped:
            self._shown.skipped(skipped)
        return others

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
        if outcome.unused_rows is not None:
            known = outcome.unused_rows if self._unused_rows is None else self._unused_rows
            self._unused_rows = known & outcome.unused_rows
        if outcome.error:
            self._reasons[number] = outcome.error
        self._shown.finished(number + 1, name, outcome)
        self._keep(number, outcome)

    def _keep(self, number, outcome):
        self._statuses[number] = outcome.status
        self._report.add(number, self._names[number], outcome)

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


def log_counts(report, total, seconds):
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
