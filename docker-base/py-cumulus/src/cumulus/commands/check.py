"""``cumulus check``: check products against CF and ACDD."""

import sys
from pathlib import Path

from .. import CumulusError
from .status import FAILED

__all__ = ["check_products", "say_summary"]


def check_products(options):
    """Check products and return the exit status."""
    from ..compliance.reporting import report, summarize

    results = []
    for product, checked, problem in _check_all(options.products):
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
    """Print a line about CF of the NetCDF products in a directory, or how to check them.

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
    print(summarize(list(_check_all(products)), home))


def _check_all(products):
    """Yield each product with its Checked, or None and the reason why it cannot be checked."""
    from ..compliance.checker import check_all
    from ..compliance.findings import Checked
    from ..products.formats import kind_of

    problems = {}
    for product in products:
        try:
            kind_of(product)  # the checker would wait for a pipe for ever
        except OSError as error:
            problems[product] = f"cannot check {product!r}: {error.strerror}"
        except CumulusError as error:
            problems[product] = str(error)
    answers = check_all([product for product in products if product not in problems])
    for product in products:
        answer = problems[product] if product in problems else next(answers)
        if isinstance(answer, Checked):
            yield product, answer, ""
        else:
            yield product, None, str(answer)


def _status(checked):
    if checked is None:
        return FAILED
    if checked.counting:
        return 1
    return FAILED if checked.not_checked else 0
