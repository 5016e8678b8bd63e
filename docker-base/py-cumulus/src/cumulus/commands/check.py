"""``cumulus check``: check products against CF and ACDD."""

import sys

from .. import CumulusError
from .status import FAILED

__all__ = ["check_products"]


def check_products(options):
    """Check products one after the other and return the exit status."""
    from ..compliance.checker import check
    from ..compliance.reporting import report
    from ..products.formats import kind_of

    status = 0
    for product in options.products:
        try:
            kind_of(product)  # the checker would wait for a pipe for ever
            checked = check(product)
        except OSError as error:
            print(f"cumulus: cannot check {product!r}: {error.strerror}", file=sys.stderr)
            status = FAILED
        except CumulusError as error:  # the next products are still checked
            print(f"cumulus: {error}", file=sys.stderr)
            status = FAILED
        else:
            print(report(checked, options.home))
            status = max(status, int(bool(checked.counting)))
    return status
