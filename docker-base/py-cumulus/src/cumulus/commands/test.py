"""``cumulus test``: run a process handler, then compare its products."""

import contextlib
import os
import signal
import subprocess
import sys
from functools import partial
from pathlib import Path

from .. import CumulusError
from ..compare.stale import stamps_of, write_stale
from ..isolation import die_with
from ..process.signals import STOPS
from .compare import say_verdict

__all__ = ["test_handler"]


def test_handler(options):
    """Process and compare, and return the exit status."""
    from ..image_sources import changed_sources
    from .check import say_summary

    status = _process_and_compare(options)
    if status in (0, 1):  # of the comparison, whose verdict need not wait for the check
        sys.stdout.flush()
        say_summary(options.output, options.home)
    if changed := changed_sources(options.home):
        verb = f"and {len(changed) - 1} more have" if len(changed) > 1 else "has"
        print(
            f"cumulus: the image is out of date: {changed[0]} {verb} changed since it was built; "
            "rebuild it: docker compose run build",
            file=sys.stderr,
        )
    return status


def _process_and_compare(options):
    from ..files import files_of

    handler = Path(options.home, "process.py")
    if not handler.is_file():
        raise CumulusError(f"there is no handler {str(handler)!r}: give its directory with --home")
    if options.html:  # an old report must not pass for the report of this run
        with contextlib.suppress(OSError):  # the handler says so where nothing can be written
            Path(options.html).unlink()
    before = stamps_of(options.output)
    write_stale(options.output, before)  # until the handler has ended, all is from earlier runs
    arguments = ["--force", "--keep-failed", options.input, options.output]
    status = _run_handler([sys.executable, handler, *arguments])
    after = stamps_of(options.output)
    stale = {name: stamp for name, stamp in after.items() if before.get(name) == stamp}
    write_stale(options.output, stale)
    if status != 0:
        hint = "" if stamps_of(options.input) else "; bin/fetch-data brings the sample's input"
        message = f"the handler ended with status {status}: not compared{hint}"
        print(f"cumulus: {message}", file=sys.stderr)
        return status
    if not Path(options.expected).is_dir() or not files_of(options.expected):
        print(
            f"NOTHING COMPARED: no expected products in {options.expected!r}; look at those in "
            f"{options.output!r}, and when they are right: bin/accept-products"
        )
        return 0
    rules_file = Path(options.home, "collection.toml")
    return say_verdict(
        options.expected, options.output, rules_file, html_file=options.html, stale=stale
    )


def _run_handler(argv):
    """Run the handler, hand on requests to stop, and return its exit status.

    The handler ends when this process ends, in whatever way.
    """
    early = []  # requests from before the handler has started
    for number in STOPS:
        signal.signal(number, lambda number, _frame: early.append(number))
    with subprocess.Popen(argv, preexec_fn=partial(die_with, os.getpid())) as child:
        for number in STOPS:
            signal.signal(number, lambda number, _frame: child.send_signal(number))
        for number in early:
            child.send_signal(number)
        status = child.wait()
    return 128 - status if status < 0 else status
