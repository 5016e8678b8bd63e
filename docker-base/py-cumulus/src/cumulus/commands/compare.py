"""``cumulus compare``: compare products, and say what to do next."""

import contextlib
import json
import os
import shlex
import sys
from pathlib import Path

from .. import CumulusError
from ..compare.stale import left_over
from ..sample.manifest import read_manifest

__all__ = ["compare_products", "say_verdict"]


def compare_products(options):
    """Compare two files or directories and return the exit status."""
    return say_verdict(
        options.expected,
        options.actual,
        options.rules,
        json_file=options.json,
        html_file=options.html,
        stale=left_over(options.actual),
    )


def say_verdict(expected, actual, rules_file=None, json_file=None, html_file=None, stale=()):
    """Compare, print and write what was asked for, and return the exit status."""
    from ..collection.reader import load_compare
    from ..compare.directories import compare
    from ..compare.summary import report

    rules, collection = load_compare(rules_file) if rules_file else (None, None)
    comparison = compare(expected, actual, rules, stale)
    # With the JSON on standard output, the text goes to standard error.
    out = sys.stderr if json_file == "-" else sys.stdout
    print(report(comparison), file=out)
    if comparison.verdict == "different":
        for line in _next_steps(expected, actual, rules_file, html_file):
            print(line, file=out)
    if json_file:
        text = json.dumps(comparison.as_json(), indent=2, allow_nan=False) + "\n"
        if json_file == "-":
            sys.stdout.write(text)
        else:
            _write(json_file, text)
    if html_file:
        from ..compare.html import write_html

        write_html(comparison, html_file, collection)
    return comparison.exit_status


def _next_steps(expected, actual, rules_file, html_file):
    """Yield what a person may do about differences."""
    command = [sys.executable, "-m", "cumulus", "compare", expected, actual]
    command += ["--html", "report.html"]
    command += ["--rules", rules_file] if rules_file else []
    see = f"open {html_file}" if html_file else shlex.join(map(str, command))
    yield f"to see them in pictures: {see}"
    # abspath keeps a link: data/output may be one.
    yield from _to_accept(*(Path(os.path.abspath(path)) for path in (expected, actual)))


def _to_accept(expected, actual):
    """Yield how to accept products; only those of a collection's repository can be accepted."""
    data = expected.parent
    if (data / "output", data / "test-output") != (expected, actual) or data.name != "data":
        return
    recorded = {}
    with contextlib.suppress(OSError, CumulusError):  # bin/fetch-data says what is wrong with it
        recorded = read_manifest(data / "MANIFEST.sha256") or {}
    missing = [name for name in recorded if not Path(data, name).exists()]
    if missing:
        more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        recorded_in = "recorded in data/MANIFEST.sha256 and not here"
        yield f"data/{missing[0]}{more}: {recorded_in}: bin/fetch-data"
    yield "to accept them as the expected products: bin/accept-products"


def _write(path, text):
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CumulusError(f"cannot write {path!r}: {error.strerror}") from error
