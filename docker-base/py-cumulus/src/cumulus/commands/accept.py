"""Accept the products in data/test-output as the expected ones in data/output, and record why.

usage: bin/accept-products [--because TEXT] [--yes] [--all]

  --because TEXT  why the products are right, for the reviewer of the pull request; asked for where
                  it is not given
  --yes           do not ask (needs --because)
  --all           also take products that differ only in what [compare] of collection.toml ignores
                  or tolerates

Shows what would change: new, changed and gone products, their sizes, and the first difference of
each; before it asks, also the errors of the CF conventions, and texts of the starter sample. Asks
whether to accept that, then why. Refuses products of an image, or of sources, that have changed
since they were made. Then data/output, data/MANIFEST.sha256 and data/ACCEPTED.md are replaced
together, or not at all: a run that is killed has changed nothing, or the next run of this program
or bin/fetch-data completes it. A sample that is kept in a folder of this repository ([sample] uri
in collection.toml) is updated too. Commit the manifest and ACCEPTED.md.

bin/cumulus compares, here or in the image; where neither can, files are told apart by their bytes.
Exit status: 0 accepted, or there is nothing to accept; 1 you declined; 2 it could not be done, and
nothing was changed; 3 accepted, but what follows from it, such as the sample in this repository,
could not be done: mend what the message says, and run it again.
"""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

from .. import CumulusError
from .status import FAILED

__all__ = ["accept_products", "add_accept"]

BEHIND, INTERRUPTED = 3, 130


def add_accept(commands):
    """Add the parser of this command to those of ``python -m cumulus``."""
    parser = commands.add_parser(
        "accept",
        help="accept products as the expected ones; bin/accept-products",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS,
    )
    parser.add_argument("--home", default=".", help="the collection's repository (default: .)")
    parser.add_argument("--because", metavar="TEXT", help=argparse.SUPPRESS)
    parser.add_argument("--yes", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--all", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(command=accept_products)


def accept_products(options):
    """Accept, and return the exit status."""
    from ..sample.accept import accept, check_options
    from ..sample.exchange import Behind, Exchange
    from ..sample.repository import Repository

    repository = Repository(options.home)
    try:
        check_options(options.because, options.yes)
        look = partial(_show_doubts, repository)
        return accept(repository, options.because, options.yes, options.all, look)
    except KeyboardInterrupt:
        decided = Exchange(repository).ready.is_dir()
        message = "accepted; run bin/accept-products again to complete it"
        print(f"\n{message if decided else 'nothing was accepted'}", file=sys.stderr)
        return INTERRUPTED
    except (OSError, CumulusError) as error:
        print(f"bin/accept-products: {error}", file=sys.stderr)
        return BEHIND if isinstance(error, Behind) else FAILED


def _show_doubts(repository):
    """Print the line about CF, and one about texts of the starter sample that are left."""
    from .check import say_summary

    home = os.path.relpath(repository.home)  # a command to be typed has short names
    say_summary(os.path.normpath(os.path.join(home, "data", "test-output")), home)
    for table in sorted(Path(repository.home, "convert").glob("*2nc.c")):
        lines = table.read_text(encoding="utf-8", errors="replace").splitlines()
        left = [str(number) for number, line in enumerate(lines, 1) if '"STARTER SAMPLE' in line]
        if left:
            print(
                f"STARTER SAMPLE: products still get the starter sample's texts of convert/"
                f"{table.name}, line {', '.join(left)}: say what your products are"
            )
