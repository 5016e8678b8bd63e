"""Commands: ``python -m cumulus compare``, ``check``, ``test``, ``fetch`` and ``accept``."""

import argparse
import os
import sys

from . import CumulusError, __version__
from .commands.accept import add_accept
from .commands.check import check_products
from .commands.compare import compare_products
from .commands.fetch import add_fetch
from .commands.status import FAILED
from .commands.test import test_handler


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
    compare.set_defaults(command=compare_products)
    check = commands.add_parser(
        "check",
        help="check products against CF and ACDD",
        description="Check NetCDF products with compliance-checker, and say what to write where.",
        epilog="exit status: 0 no error and no warning; 1 errors or warnings of CF, or of ACDD "
        "where a product names it in Conventions; 2 could not check all of it",
    )
    check.add_argument("products", metavar="PRODUCT", nargs="+")
    check.add_argument(
        "--home", metavar="DIR", default=".", help="the collection's repository (default: .)"
    )
    check.add_argument("--summary", action="store_true", help="print one line about all products")
    check.set_defaults(command=check_products)
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
    test.set_defaults(command=test_handler)
    add_fetch(commands)
    add_accept(commands)
    return parser


if __name__ == "__main__":
    sys.exit(main())
