"""The workers of a run: they begin its granules in order, and a slow one holds up no other."""

import logging
import time
from dataclasses import replace
from multiprocessing.connection import wait

from ..logutils.logger import log_warning
from .outcome import FAILED, INTERRUPTED
from .worker_handle import GRACE, WorkerHandle

__all__ = ["FINISHED", "STARTED", "Pool"]

STARTED, FINISHED = "started", "finished"
_TICK = 0.2  # seconds between examinations of workers that send nothing
_ABSENT = 0.1  # longer pauses of this process do not count as time of its workers


class Pool:
    """Workers that make the granules of a job.

    Parameters
    ----------
    job : cumulus.process.job.Job
    numbers : sequence of int
        The candidates of the job that are to be made.
    count : int
        Of workers, at most.
    lines : callable
        Returns a context in which log lines may be written.
    stopped : list
        Requests to stop; as soon as it has an element, no granule is begun.
    """

    def __init__(self, job, numbers, count, lines, stopped):
        self._job, self._lines, self._stopped = job, lines, stopped
        self._workers = [WorkerHandle(job) for _ in range(min(count, len(numbers)))]
        self._waiting, self._looked = iter(numbers), time.monotonic()

    def events(self):
        """Make all granules, begun in their order, several at once, until the run is to stop.

        Yields
        ------
        STARTED, number, None
        FINISHED, number, Outcome
        """
        while not self._stopped:
            yield from self._begin()
            if not any(worker.is_busy for worker in self._workers):
                return
            yield from self._listen()

    def stop(self):
        """Ask all workers to stop, and yield the outcomes of their granules as events() does."""
        for worker in self._workers:
            worker.terminate()
        deadline = time.monotonic() + GRACE
        while any(worker.is_busy for worker in self._workers) and time.monotonic() < deadline:
            yield from self._listen()
        for worker in self._workers:
            if worker.is_busy:
                yield FINISHED, worker.number, worker.lose("abandoned", INTERRUPTED)

    def end(self):
        """End the workers and everything that they started."""
        for worker in self._workers:
            worker.dismiss()
        for worker in self._workers:
            worker.end(GRACE)

    def _begin(self):
        """Give each idle worker the next granule."""
        for worker in self._workers:
            if not worker.is_busy and (number := next(self._waiting, None)) is not None:
                worker.begin(number)
                yield STARTED, number, None

    def _listen(self):
        """Take messages of the workers; yield granules that end by them, or with their worker."""
        ready = self._look()
        for worker in self._workers:
            if not worker.is_busy:
                continue
            number = worker.number
            outcome = worker.take(self._log) if worker.connection in ready else None
            outcome = outcome or worker.examine(self._looked)
            if outcome is None and worker.is_lost:
                outcome = self._replace(worker)
            elif outcome and outcome.status == INTERRUPTED and not self._is_to_stop():
                worker.end()  # it takes no other granule
                outcome = replace(outcome, status=FAILED, error="its worker was ended by SIGTERM")
            if outcome:
                yield FINISHED, number, outcome

    def _replace(self, worker):
        """Return the Outcome of a lost worker's granule; None where a new worker makes it again."""
        if self._stopped:
            return worker.lose("abandoned", INTERRUPTED)
        if not worker.may_have_been_damaged():
            return worker.lose(worker.how_it_ended())
        self._make_again(worker, worker.number)
        return None

    def _make_again(self, worker, number):
        """Have a granule made by a new worker, which no earlier granule has damaged."""
        granule_id, reason = self._job.candidates[number].id, worker.how_it_ended()
        with self._lines():
            message = f"{reason}, possibly because of an earlier granule"
            log_warning(
                f"{message}: a new worker makes it again", process="process", granule_id=granule_id
            )
        worker.lose(reason)
        worker.begin(number)

    def _look(self):
        """Wait for messages, a moment at most, and return the connections that have any.

        Workers get more time for a pause of this process: standard output may be blocked (Ctrl-S,
        a pager), or the process stopped (Ctrl-Z).
        """
        began = time.monotonic()
        ready = wait([worker.connection for worker in self._workers if worker.is_busy], _TICK)
        now = time.monotonic()
        absent = now - self._looked - min(now - began, _TICK)
        if absent > _ABSENT:
            for worker in self._workers:
                worker.excuse(absent, now)
        self._looked = now
        return ready

    def _is_to_stop(self):
        """Whether the run is to stop; its processes may be told of that one after the other."""
        if not self._stopped:
            time.sleep(_TICK)
        return bool(self._stopped)

    def _log(self, attributes):
        record = logging.makeLogRecord(attributes)
        with self._lines():
            logging.getLogger(record.name).handle(record)
