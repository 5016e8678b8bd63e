"""Refuse products that the last run did not make whole, or that its sources would not make now."""

import json

from .. import CumulusError
from ..compare.stale import left_over
from ..files import STATE, refuse_links
from ..image_sources import changed_since_run
from .reasons import in_one_line

__all__ = ["refuse_incomplete_run", "refuse_outdated"]

_AGAIN = "process again first: docker compose run test, or make native"


def refuse_incomplete_run(repository):
    """Refuse what a failed or interrupted run left: products that it did not make are not gone.

    Raises
    ------
    CumulusError
        A granule failed, the run was interrupted, a product is of an earlier run, or a link is
        among what the run wrote.
    """
    refuse_links(repository.actual)
    _refuse_failed_run(repository.actual)
    if names := sorted(left_over(repository.actual)):
        raise CumulusError(
            f"the last run did not write data/test-output/{names[0]}{_more(names)}: process again; "
            "where the input is gone, remove what is left"
        )


def refuse_outdated(repository):
    """Refuse products whose sources have changed since, as bin/deploy refuses an image.

    Raises
    ------
    CumulusError
        A source is not what the run's record says.
    """
    if names := changed_since_run(repository.actual, repository.home):
        raise CumulusError(
            f"the products are out of date: {names[0]}{_more(names)} changed since they or their "
            "image were made; process again: docker compose run build && docker compose run test, "
            "or make native"
        )


def _refuse_failed_run(actual):
    """Refuse the run of the newest report, if it failed; products without a report pass."""
    # The time of the run is in the name, to the second: that of the file is anything after cp -r.
    reports = sorted(
        (actual / STATE).glob("report-*.jsonl"),
        key=lambda path: (path.name.split("-")[1], path.stat().st_mtime),
    )
    if not reports:  # made by hand, or by a handler without one
        return
    entries = list(_json_lines(reports[-1]))
    for entry in entries:
        if entry.get("status") == "failed":
            error = in_one_line(str(entry.get("error")))
            raise CumulusError(
                f"the last run failed for granule {entry.get('granule')!r}: {error}; {_AGAIN}"
            )
    summaries = (entry.get("summary") for entry in entries)
    summary = next((summary for summary in summaries if isinstance(summary, dict)), None)
    if summary is None or summary.get("interrupted") or summary.get("not_started"):
        raise CumulusError(
            f"the last run was interrupted before all granules were processed; {_AGAIN}"
        )


def _json_lines(path):
    """Yield the objects of a report; the line that a killed run did not complete is left out."""
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if isinstance(entry, dict):
            yield entry


def _more(names):
    return f" and {len(names) - 1} more" if len(names) > 1 else ""
