"""Make a fresh clone ready for processing: the folders of data/, the sample data, .env.

usage: bin/fetch-data [--manifest | --check]

  --manifest  only write data/MANIFEST.sha256 anew from what is in data/input and data/output
  --check     only say how data/ differs from data/MANIFEST.sha256

The sample comes from where collection.toml says ([sample] uri): an S3 URI or a folder of this
repository, either with input/ and output/; where it says nothing, the starter sample in
tests/sample is copied, never beside other files. What is missing, or has changed at the source
since it was fetched, is transferred. A file that differs from data/MANIFEST.sha256 is yours: it
stays, and is named, with status 1. The manifest is written if there is none yet; commit it.

Needs the AWS CLI for an S3 URI; credentials, region and AWS_ENDPOINT_URL as usual for it.
Exit status: 0 all is here, 1 something is not, and why.
"""

import argparse
import sys

from .. import CumulusError

__all__ = ["add_fetch", "fetch_sample"]


def add_fetch(commands):
    """Add the parser of this command to those of ``python -m cumulus``."""
    parser = commands.add_parser(
        "fetch",
        help="fetch a repository's sample data; bin/fetch-data",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage=argparse.SUPPRESS,
    )
    parser.add_argument("--home", default=".", help="the collection's repository (default: .)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--manifest", action="store_true", help=argparse.SUPPRESS)
    which.add_argument("--check", action="store_true", help=argparse.SUPPRESS)
    parser.set_defaults(command=fetch_sample)


def fetch_sample(options):
    """Fetch, write the manifest, or check, and return the exit status."""
    from ..sample.fetch import check, prepare, summary
    from ..sample.repository import Repository

    repository = Repository(options.home)
    try:
        if options.check:
            check(repository)
        else:
            prepare(repository, options.manifest)
        print(summary(repository))
    except (OSError, CumulusError) as error:
        print(f"bin/fetch-data: {error}", file=sys.stderr)
        return 1
    return 0
