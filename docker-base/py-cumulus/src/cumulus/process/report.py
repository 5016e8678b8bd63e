"""The report of a run: a line of JSON for each granule, in order, and a summary."""

import json
import secrets
import time
from datetime import UTC, datetime
from pathlib import Path

from ..files import STATE
from ..logutils.logger import log_event
from .outcome import FAILED, INTERRUPTED, PROCESSED, SKIPPED

__all__ = ["Report"]


class Report:
    """Write the lines of a report to ``OUTPUT_DIR/.cumulus/report-TIME-RANDOM.jsonl``.

    Outcomes come in any order; each is written as soon as all before it are. Where the report
    cannot be written, as on a full disk, that is logged once and fails no granule.
    """

    def __init__(self, outdir, granules):
        now = datetime.now(UTC)
        self._started, self._began, self._granules = now, time.monotonic(), granules
        name = f"report-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}.jsonl"
        self.path = Path(outdir) / STATE / name
        self.counts = dict.fromkeys((PROCESSED, SKIPPED, FAILED, INTERRUPTED), 0)
        self._next, self._waiting = 0, {}
        self._file = None

    def __enter__(self):
        self._file = self._try(lambda: open(self.path, "x", encoding="utf-8"))  # noqa: SIM115
        return self

    def __exit__(self, *_):
        if self._file:
            self._try(self._file.close)

    def add(self, number, granule_id, outcome):
        """Take the outcome of the granule of that number, from 0."""
        self.counts[outcome.status] += 1
        self._waiting[number] = json.dumps(outcome.as_json(granule_id))
        while self._next in self._waiting:
            self._write(self._waiting.pop(self._next))
            self._next += 1

    def finish(self, **facts):
        """Write the outcomes that wait for an earlier one, and the summary."""
        for number in sorted(self._waiting):
            self._write(self._waiting.pop(number))
        summary = {
            "granules": self._granules,
            **self.counts,
            "not_started": self._granules - sum(self.counts.values()),
            "started": self._started.isoformat(timespec="milliseconds"),
            "finished": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "seconds": round(time.monotonic() - self._began, 3),
            **facts,
        }
        self._write(json.dumps({"summary": summary}))

    def _write(self, line):
        if self._file:
            self._try(lambda: self._file.write(line + "\n") and self._file.flush())

    def _try(self, action):
        try:
            return action()
        except OSError as error:
            self._file = None
            log_event(f"the report {self.path.name!r} is not complete: {error}", is_error=1)
            return None
