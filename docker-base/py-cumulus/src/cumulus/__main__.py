"""Commands: ``python -m cumulus compare``, ``check`` and ``test``."""

import argparse
import contextlib
import json
import os
import shlex
import signal
import subprocess
import sys
from pathlib import Path

from . import CumulusError, __version__

FAILED = 2
# Products that the last test did not write: name -> time of modification, in nanoseconds.
LEFT_OVER = Path(".cumulus", "left-over.json")


def main(argv=None):
    """Run a command and return its exit status; a known failure is one sentence on stderr."""
    for stream in filter(None, (sys.stdout, sys.stderr)):  # None: closed by the caller
        stream.reconfigure(errors="backslashreplace")  # for units and names that it cannot encode
    options = _parser().parse_args(argv)
    try:
        return options.command(options)
    except CumulusError as error:
        print(f"cumulus: {error}", file=sys.stderr)
        return FAILED
    except BrokenPipeError:  # the reader of our report went away
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception as error:  # Python's own status, 1, would say that products differ
        print(f"cumulus: failed: {type(error).__name__}: {error}", file=sys.stderr)
        return FAILED


def _parser():
    parser = argparse.ArgumentParser(
        prog="cumulus", description="Compare products, or test a process handler."
    )
    parser.add_argument("--version", action="version", version=f"py-cumulus {__version__}")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    compare = commands.add_parser(
        "compare",
        help="compare two files or directories of products",
        description="Compare two files, or two directories file by file.",
        epilog="exit status: 0 equal; 1 different; 2 could not compare, or nothing to compare",
    )
    compare.add_argument("expected", metavar="EXPECTED")
    compare.add_argument("actual", metavar="ACTUAL")
    compare.add_argument(
        "--rules", metavar="FILE", help="collection.toml with tolerances and what to ignore"
    )
    compare.add_argument("--json", metavar="FILE", help="write the result as JSON; - for stdout")
    compare.add_argument("--html", metavar="FILE", help="write a report with pictures as HTML")
    compare.set_defaults(command=_compare)
    check = commands.add_parser(
        "check",
        help="check products against CF and ACDD",
        description="Check NetCDF products with compliance-checker, and say what to write where.",
        epilog="exit status: 0 nothing to mend; 1 errors or warnings of CF, or of ACDD where a "
        "product names it in Conventions; 2 could not check",
    )
    check.add_argument("products", metavar="PRODUCT", nargs="+")
    check.add_argument(
        "--home", metavar="DIR", default=".", help="the collection's repository (default: .)"
    )
    check.set_defaults(command=_check)
    test = commands.add_parser(
        "test",
        help="run a process handler, then compare its products with the expected ones",
        description="Process INPUT into OUTPUT anew with HOME/process.py, then compare OUTPUT with "
        "EXPECTED, where that holds products.",
        epilog="exit status: the handler's if it is not 0, else the comparison's; "
        "0 where there are no expected products, as before the first are accepted",
    )
    test.add_argument("--home", metavar="DIR", default=".", help="where process.py is (default: .)")
    test.add_argument("--html", metavar="FILE", help="write the comparison's report as HTML")
    test.add_argument("input", metavar="INPUT")
    test.add_argument("output", metavar="OUTPUT")
    test.add_argument("expected", metavar="EXPECTED")
    test.set_defaults(command=_test)
    return parser


def _compare(options):
    from .collection import reader

    rules = reader.load(options.rules).compare if options.rules else None
    files = {"json_file": options.json, "html_file": options.html}
    stale = _left_over(options.actual)
    return _verdict(options.expected, options.actual, rules, options.rules, stale=stale, **files)


def _verdict(
    expected, actual, rules, rules_file=None, json_file=None, html_file=None, stale=()
):
    from .compare.directories import compare, report

    comparison = compare(expected, actual, rules, stale)
    # With the JSON on standard output the text goes elsewhere.
    out = sys.stderr if json_file == "-" else sys.stdout
    print(report(comparison), file=out)
    if comparison.verdict == "different":
        words = [sys.executable, "-m", "cumulus", "compare", expected, actual]
        words += ["--html", "report.html"]
        words += ["--rules", rules_file] if rules_file else []
        see = f"open {html_file}" if html_file else shlex.join(map(str, words))
        print(f"to see them in pictures: {see}", file=out)
        # Not resolved: data/output may be a link.
        for line in _next_steps(*(Path(os.path.abspath(one)) for one in (expected, actual))):
            print(line, file=out)
    if json_file:
        text = json.dumps(comparison.as_json(), indent=2, allow_nan=False) + "\n"
        if json_file == "-":
            sys.stdout.write(text)
        else:
            _write(json_file, text)
    if html_file:
        from .compare.html import write_html

        write_html(comparison, html_file)
    return comparison.exit_status


def _next_steps(expected, actual):
    """Yield what may be done in a collection's repository; elsewhere nothing is to be accepted."""
    data = expected.parent
    if (data / "output", data / "test-output") != (expected, actual) or data.name != "data":
        return
    try:
        lines = Path(data, "MANIFEST.sha256").read_text("utf-8", "replace").splitlines()
    except OSError:
        lines = []
    recorded = (line.split(maxsplit=2)[-1] for line in lines if line.strip())
    gone = [name for name in recorded if not Path(data, name).exists()]
    if gone:
        more = f" and {len(gone) - 1} more" if len(gone) > 1 else ""
        yield f"data/{gone[0]}{more}: recorded in data/MANIFEST.sha256 and not here: bin/fetch-data"
    yield "to accept them as the expected products: bin/accept-products"


def _write(path, text):
    try:
        Path(path).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CumulusError(f"cannot write {path!r}: {error.strerror}") from error


def _check(options):
    from .compliance.checker import check, report
    from .products.formats import kind_of

    status = 0
    for product in options.products:
        try:
            kind_of(product)  # a pipe would hold the checker up for ever
            checked = check(product)
        except OSError as error:
            print(f"cumulus: cannot check {product!r}: {error.strerror}", file=sys.stderr)
            status = FAILED
        except CumulusError as error:  # the others are checked all the same
            print(f"cumulus: {error}", file=sys.stderr)
            status = FAILED
        else:
            print(report(checked, options.home))
            status = max(status, int(bool(checked.counting)))
    return status


def _test(options):
    from .image_sources import changed_sources

    status = _process_and_compare(options)
    if changed := changed_sources(options.home):
        more = f" and {len(changed) - 1} more" if len(changed) > 1 else ""
        print(
            f"cumulus: this image is not made of what is in {changed[0]}{more} now: "
            "docker compose run build",
            file=sys.stderr,
        )
    return status


def _process_and_compare(options):
    from .collection import reader
    from .compare.directories import files_of

    handler = Path(options.home, "process.py")
    if not handler.is_file():
        raise CumulusError(f"there is no handler {str(handler)!r}: give its directory with --home")
    if options.html:  # an old report must not pass for the one of this run
        with contextlib.suppress(OSError):  # the handler says so where nothing can be written
            Path(options.html).unlink()
    before = _stamps(options.output)
    _record(options.output, before)  # until the handler has ended, nothing there is of this run
    status = _run_handler([sys.executable, handler, "--force", options.input, options.output])
    after = _stamps(options.output)
    stale = {name: stamp for name, stamp in after.items() if before.get(name) == stamp}
    _record(options.output, stale)
    if status != 0:
        hint = "" if _stamps(options.input) else "; bin/fetch-data brings the sample's input"
        said = f"cumulus: the handler ended with status {status}: not compared{hint}"
        print(said, file=sys.stderr)
        return status
    if not Path(options.expected).is_dir() or not files_of(options.expected):
        print(
            f"NOTHING COMPARED: no expected products in {options.expected!r}; look at those in "
            f"{options.output!r}, and when they are right: bin/accept-products"
        )
        return 0
    rules_file = Path(options.home, "collection.toml")
    rules = reader.load(rules_file).compare
    return _verdict(
        options.expected, options.output, rules, rules_file, html_file=options.html, stale=stale
    )


def _record(output, stale):
    """Write which products the run did not write, for whoever compares or accepts them later."""
    with contextlib.suppress(OSError):  # the handler says what is wrong with the directory
        path = Path(output, LEFT_OVER)
        path.parent.mkdir(exist_ok=True)
        modified = {name: stamp[1] for name, stamp in stale.items()}
        path.write_text(json.dumps(modified, indent=2) + "\n", encoding="utf-8")


def _left_over(directory):
    """Return the products that are still those which the last test found there."""
    try:
        recorded = json.loads(Path(directory, LEFT_OVER).read_text(encoding="utf-8"))
    except (OSError, ValueError):  # no test was run there, or it was killed while writing
        return set()
    stamps = _stamps(directory)
    return {name for name, time in recorded.items() if name in stamps and stamps[name][1] == time}


def _stamps(directory):
    """What tells a file that was written anew from one that was left alone."""
    from .compare.directories import files_of

    stamps = {}
    if not os.path.isdir(directory):  # the handler says what is wrong with it
        return stamps
    for name in files_of(directory):
        state = os.stat(os.path.join(directory, name), follow_symlinks=False)
        stamps[name] = state.st_ino, state.st_mtime_ns, state.st_ctime_ns
    return stamps


def _run_handler(argv):
    """Run the handler, handing on requests to stop, and return its exit status."""
    with subprocess.Popen(argv) as child:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda number, _frame: child.send_signal(number))
        status = child.wait()
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    sys.exit(main())
