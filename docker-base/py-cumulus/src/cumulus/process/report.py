"""The report of a run: a line of JSON for each granule, in order, and a summary."""

import json
import os
import re
import secrets
import shutil
import time
from array import array
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from ..files import STATE
from ..logutils.logger import log_event, log_warning
from .outcome import FAILED, INTERRUPTED, PROCESSED, SKIPPED

__all__ = ["Report"]

KEPT = 5  # reports in an output directory, that of the present run included
_NAME = re.compile(r"report-\d{8}T\d{6}Z-[0-9a-f]+\.(jsonl|new)")


class Report:
    """Write the lines of a report to ``OUTPUT_DIR/.cumulus/report-TIME-RANDOM.jsonl``.

    Outcomes come in any order, and each is written at once: whenever the run is killed, its report
    has every granule that ended. The end of the run puts the lines in order, by one rename. Where
    the report cannot be written, as on a full disk, that is logged once and fails no granule.

    Parameters
    ----------
    outdir : path-like
    granules : int
        Of the run.
    """

    def __init__(self, outdir, granules):
        now = datetime.now(UTC)
        self._started, self._began, self._granules = now, time.monotonic(), granules
        name = f"report-{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}.jsonl"
        self.path = Path(outdir) / STATE / name
        self.counts = dict.fromkeys((PROCESSED, SKIPPED, FAILED, INTERRUPTED), 0)
        self._offsets = array("q", [-1]) * granules  # of each granule's line in the file
        self._end, self._last, self._is_in_order = 0, -1, True
        self._file = None

    def __enter__(self):
        _prune(self.path.parent)
        self._file = self._try(lambda: open(self.path, "xb"))  # noqa: SIM115
        return self

    def __exit__(self, *_):
        if self._file:
            self._try(self._file.close)

    def add(self, number, granule_id, outcome):
        """Take the outcome of the granule of that number, from 0."""
        self.counts[outcome.status] += 1
        self._offsets[number] = self._end
        self._is_in_order &= number > self._last
        self._last = number
        self._write(outcome.as_json(granule_id))

    def finish(self, **facts):
        """Write the summary, and put the lines in the order of the granules."""
        summary = {
            "granules": self._granules,
            **self.counts,
            "not_started": self._granules - sum(self.counts.values()),
            "started": self._started.isoformat(timespec="milliseconds"),
            "finished": datetime.now(UTC).isoformat(timespec="milliseconds"),
            "seconds": round(time.monotonic() - self._began, 3),
            **facts,
        }
        end_of_granules = self._end
        self._write({"summary": summary})
        if self._file and not self._is_in_order:
            self._sort(end_of_granules)

    def _sort(self, end_of_granules):
        """Replace the report by one whose lines are in order; a full disk leaves it as it is."""
        ordered = self.path.with_suffix(".new")
        try:
            with open(self.path, "rb") as lines, open(ordered, "xb") as file:
                for offset in self._offsets:
                    if offset >= 0:
                        lines.seek(offset)
                        file.write(lines.readline())
                lines.seek(end_of_granules)
                shutil.copyfileobj(lines, file)
            os.replace(ordered, self.path)
        except OSError as error:
            log_warning(
                f"the report {self.path.name!r} is in the order in which granules ended: {error}",
                "process",
            )
            with suppress(OSError):
                ordered.unlink()

    def _write(self, content):
        line = json.dumps(content, separators=(",", ":")).encode() + b"\n"
        if self._file:
            self._try(lambda: self._file.write(line) and self._file.flush())
        self._end += len(line)

    def _try(self, action):
        try:
            return action()
        except OSError as error:
            self._file = None
            log_event(f"the report {self.path.name!r} is not complete: {error}", is_error=1)
            return None


def _prune(folder):
    """Remove the oldest reports, so that with a new one so many are left as are kept.

    The time of a run is in the name, to the second: that of the file is anything after cp -r.
    """
    with suppress(OSError):  # the folder may be read-only for a while; a later run removes them
        reports = [path for path in folder.iterdir() if _NAME.fullmatch(path.name)]
        unfinished = [path for path in reports if path.suffix == ".new"]  # of a killed run
        finished = [path for path in reports if path.suffix != ".new"]
        finished.sort(key=lambda path: (path.name.split("-")[1], path.stat().st_mtime))
        for path in unfinished + finished[: max(0, len(finished) + 1 - KEPT)]:
            path.unlink()
