"""``cumulus check``: check products against CF and ACDD."""

import sys
from pathlib import Path

from .. import CumulusError
from .status import FAILED

__all__ = ["check_products", "say_summary"]

FEW = 5  # products that a test run checks: each takes a second or two


def check_products(options):
    """Check products one after the other and return the exit status."""
    from ..compliance.reporting import report, summarize

    results = []
    for product in options.products:
        checked, problem = _check(product)
        results.append((product, checked, problem))
        if options.summary:
            continue  # the line after the last product says it all
        if checked:
            print(report(checked, options.home))
        else:
            print(f"cumulus: {problem}", file=sys.stderr)
    if options.summary:
        print(summarize(results, options.home))
    return max(_status(checked) for _, checked, _ in results)


def say_summary(directory, home):
    """Print a line about CF of the first NetCDF products in a directory, or how to check them.

    Parameters
    ----------
    directory : path-like
        Without a NetCDF product, nothing is printed.
    home : path-like
        The repository of the collection.
    """
    from ..compliance.checker import is_installed
    from ..compliance.reporting import command_for, summarize

    files = (path for path in Path(directory).glob("*.nc") if not path.is_symlink())
    products = sorted(str(path) for path in files if path.is_file())
    if not products:
        return
    if not is_installed():
        command = command_for(products[:1], home)
        print(f"CF: not checked, compliance-checker is not installed; after make native: {command}")
        return
    first = products[:FEW]
    line = summarize([(product, *_check(product)) for product in first], home)
    more = f" (the first {FEW} of {len(products)} products)" if len(products) > FEW else ""
    print(f"{line}{more}")


def _check(product):
    """The Checked of a product, or None with the reason why it cannot be checked."""
    from ..compliance.checker import check
    from ..products.formats import kind_of

    try:
        kind_of(product)  # the checker would wait for a pipe for ever
        return check(product), ""
    except OSError as error:
        return None, f"cannot check {product!r}: {error.strerror}"
    except CumulusError as error:
        return None, str(error)


def _status(checked):
    if checked is None:
        return FAILED
    if checked.counting:
        return 1
    return FAILED if checked.not_checked else 0
