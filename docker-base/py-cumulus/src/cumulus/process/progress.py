"""The progress of a run: a bar on a terminal, lines of the log elsewhere."""

import contextlib
import os
import sys

from ..logutils.logger import log_event

__all__ = ["progress"]


@contextlib.contextmanager
def progress(total):
    """Show the progress of a run of so many granules.

    Yields
    ------
    Lines or Bar
        Has ``started``, ``finished``, ``skipped``, and ``lines``, the context for lines of the log.
    """
    if not _is_terminal(sys.stderr):
        yield Lines(total)
        return
    try:
        import tqdm
    except ImportError:
        yield Lines(total)
        return
    tqdm.tqdm.monitor_interval = 0  # no thread: workers are forked from this process
    bar = tqdm.tqdm(total=total, unit=" granules", file=sys.stderr, **_width(sys.stderr))
    try:
        yield Bar(total, bar)
    finally:
        bar.close()


def _width(stream):
    """The bar follows the terminal's width; terminals of containers may give none."""
    try:
        is_known = os.get_terminal_size(stream.fileno()).columns > 0
    except OSError:
        is_known = False
    return {"dynamic_ncols": True} if is_known else {"ncols": 79, "nrows": 24}


def _is_terminal(stream):
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # replaced, or closed
        return False


class Lines:
    """Progress as lines of the log: granules that start, finish, fail or are skipped."""

    def __init__(self, total):
        self._total = total

    def started(self, number, granule_id):
        log_event(f"granule {number}/{self._total} started", granule_id=granule_id)

    def finished(self, number, granule_id, outcome):
        if outcome.status == "processed":
            log_event(
                f"granule {number}/{self._total} finished in {outcome.seconds:.2f} s",
                granule_id=granule_id,
            )
        elif outcome.status == "skipped":
            log_event(
                f"granule {number}/{self._total} skipped: products are up to date",
                granule_id=granule_id,
            )
        else:
            log_event(
                f"granule {number}/{self._total} {outcome.status}: {outcome.error}",
                granule_id=granule_id,
                is_error=1,
            )

    def skipped(self, count):
        """Say how many granules no worker has to look at."""
        granules = "1 granule" if count == 1 else f"{count} granules"
        log_event(f"{granules} skipped: products are up to date")

    def lines(self):
        """Return the context in which lines may be written."""
        return contextlib.nullcontext()


class Bar(Lines):
    """A bar with count, rate, time left and failures on standard error.

    Where standard output is the same terminal, only failures and warnings are logged beside it.
    """

    def __init__(self, total, bar):
        super().__init__(total)
        self._bar, self._failed = bar, 0
        self._quiet = _is_terminal(sys.stdout)

    def started(self, number, granule_id):
        if not self._quiet:
            super().started(number, granule_id)

    def finished(self, number, granule_id, outcome):
        bad = outcome.status not in ("processed", "skipped")
        if bad or not self._quiet:
            with self.lines():
                super().finished(number, granule_id, outcome)
        if outcome.status == "failed":
            self._failed += 1
            self._bar.set_postfix(failed=self._failed, refresh=False)
        self._bar.update()

    def skipped(self, count):
        if not self._quiet:
            super().skipped(count)
        self._bar.update(count)

    def lines(self):
        return self._bar.external_write_mode(file=sys.stdout)
