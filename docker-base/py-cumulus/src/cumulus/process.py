"""The granule loop of a process handler, and the handler's command line."""

import argparse
import errno
import os
import shutil
import signal
import sys
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path

from . import CumulusError, __version__
from . import collection as collections
from .children import run_program
from .delivery import (
    check_output_directory,
    deliver,
    remove_products,
    scratch_space,
)
from .grouping import group_files, product_names
from .logutils import get_logger, make_log_string

__all__ = ["Granule", "Summary", "check_output", "main", "process_granules"]

DONE, NOTHING, SOME_FAILED = 0, 2, 3


class Interrupted(BaseException):
    """SIGTERM or SIGINT arrived; like KeyboardInterrupt it passes every ``except Exception``."""

    def __init__(self, number):
        super().__init__(f"interrupted by {signal.Signals(number).name}")
        self.status = 128 + number


@dataclass
class Summary:
    """What became of the granules: ids that are done, and of the others why not."""

    processed: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def status(self):
        """Exit status: 0 all done, 3 some failed, 2 none done."""
        if not self.processed:
            return NOTHING
        return SOME_FAILED if self.failed else DONE


def check_output(filename):
    """Make sure that a product was made: it exists and is not empty.

    Raises
    ------
    CumulusError
        It was not; the failure is logged first, with ``is_error="1"``.
    """
    path = Path(filename)
    problem = None
    if not path.is_file():
        problem = f"output file {path.name!r} was not made"
    elif path.stat().st_size == 0:
        problem = f"output file {path.name!r} is empty"
    if problem:
        _log(problem, is_error=1, process="check_output")
        raise CumulusError(problem)


@dataclass(frozen=True)
class Granule:
    """One granule: its input files, and the products to make in scratch.

    Attributes
    ----------
    id : str
    inputs : dict of str to pathlib.Path
        Input file of each role, "primary" among them.
    products : dict of str to pathlib.Path
        Where each declared product is to be written; "data" is the primary one. Whatever else
        is written beside them vanishes.
    collection : cumulus.collection.Collection
    home : pathlib.Path
        Directory of process.py, where the converter stands.
    """

    id: str
    inputs: dict
    products: dict
    collection: collections.Collection
    home: Path
    groups: dict = field(default_factory=dict, repr=False)

    def run(self, *argv):
        """Run a program in the granule's scratch directory, without a shell.

        Raises
        ------
        CumulusError
            It fails or exceeds the time limit; the message quotes its last words.
        """
        scratch = self.products["data"].parent
        said = run_program(argv, cwd=scratch, seconds=self.collection.limits.seconds)
        if said:
            _log(said, granule_id=self.id, process=Path(argv[0]).name)

    def convert(self):
        """Convert the primary input to the product "data" with the converter beside process.py."""
        converter = self.home / "_convert"
        if not converter.is_file():
            raise CumulusError(f"there is no converter {str(converter)!r}: run make -C convert")
        self.run(converter, self.inputs["primary"], self.products["data"])

    def copy(self):
        """Deliver the primary input as it is: a collection that needs no conversion."""
        shutil.copyfile(self.inputs["primary"], self.products["data"])

    def check(self):
        """Make sure that the product "data" is there, and if it is NetCDF or HDF5 holds variables.

        Raises
        ------
        CumulusError
        """
        from .formats import NETCDF, kind_of

        product = self.products["data"]
        check_output(product)
        if kind_of(product) == NETCDF and not _holds_variables(product):
            raise CumulusError(f"product {product.name!r} holds no variables")

    def write_metadata(self):
        """Write the declared records of the product "data": ECHO10 "metadata", UMM-G "cmr"."""
        from . import metadata

        wanted = [key for key in metadata.RENDERERS if key in self.products]
        if not wanted:
            return
        rules = self.collection.metadata
        record = metadata.make_record(
            self.products["data"],
            self.collection.short_name,
            version=self.collection.version,
            provider=self.collection.provider,
            time_sources=rules.time,
            groups=self.groups,
            input_granules=[path.name for path in self.inputs.values()],
            access_url=rules.access_url,
            names={key: path.name for key, path in self.products.items()},
        )
        for key in wanted:
            metadata.write_record(record, self.products[key], key)


def _holds_variables(product):
    import netCDF4

    def count(group):
        return len(group.variables) + sum(count(child) for child in group.groups.values())

    try:
        with netCDF4.Dataset(product) as dataset:
            return count(dataset) > 0
    except (OSError, RuntimeError) as error:
        raise CumulusError(f"product {product.name!r} does not open: {error}") from error


def process_granules(function, indir, outdir, *, home, collection=None):
    """Process every granule of a directory; complete products appear in another.

    Parameters
    ----------
    function : callable
        Called with each :class:`Granule`; writes its products. An exception fails that granule.
    indir, outdir : path-like
        Existing directories.
    home : path-like
        Where collection.toml and the converter are.
    collection : cumulus.collection.Collection, optional
        By default read from ``home``.

    Returns
    -------
    Summary

    Raises
    ------
    CumulusError
        Nothing could be done: bad collection.toml, no such directory, no matching file.
    """
    get_logger()
    indir, outdir, home = (Path(one).absolute() for one in (indir, outdir, home))
    collection = collection or collections.load(home / "collection.toml")
    candidates, failed = group_files(collection, indir)
    check_output_directory(indir, outdir)
    summary = Summary()
    total = len(candidates) + len(failed)
    started = time.monotonic()
    for number, (granule_id, reason) in enumerate(failed.items(), 1):
        _failed(summary, granule_id, reason, f"{number}/{total}")
    try:
        with scratch_space(outdir) as scratch:
            for number, candidate in enumerate(candidates, 1):
                place = scratch / str(number)  # ids may be too long, or odd, for a directory
                one = _Run(function, collection, home, outdir, place, summary)
                one.process(candidate, f"{len(failed) + number}/{total}")
    finally:
        _log(
            f"{len(summary.processed)} of {total} granules processed, "
            f"{len(summary.failed)} failed, in {time.monotonic() - started:.1f} s",
            is_error=len(summary.processed) < total,
        )
    return summary


@dataclass(frozen=True)
class _Run:
    """One granule on its way through scratch."""

    function: object
    collection: collections.Collection
    home: Path
    outdir: Path
    scratch: Path
    summary: Summary

    def process(self, candidate, count):
        _log(f"granule {count} started", granule_id=candidate.id)
        started = time.monotonic()
        try:
            self._make(candidate)
        except Exception as error:
            _failed(self.summary, candidate.id, _reason(error, self.outdir), count)
        else:
            self.summary.processed.append(candidate.id)
            seconds = time.monotonic() - started
            _log(f"granule {count} finished in {seconds:.2f} s", granule_id=candidate.id)
        finally:
            shutil.rmtree(self.scratch, ignore_errors=True)

    def _make(self, candidate):
        names = product_names(self.collection, candidate.groups)
        # What an earlier run left must not be taken for the result of this one.
        remove_products(self.outdir, names.values())
        self.scratch.mkdir()
        granule = Granule(
            id=candidate.id,
            inputs=dict(candidate.inputs),
            products={key: self.scratch / name for key, name in names.items()},
            collection=self.collection,
            home=self.home,
            groups=dict(candidate.groups),
        )
        self.function(granule)
        deliver({key: self.scratch / name for key, name in names.items()}, self.outdir)


def _failed(summary, granule_id, reason, count):
    summary.failed[granule_id] = reason
    _log(f"granule {count} failed: {reason}", granule_id=granule_id, is_error=1)


def _reason(error, outdir):
    """One sentence for a failure; one that nobody foresaw also shows where it happened."""
    if isinstance(error, CumulusError):
        return str(error)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"no space left for the products in {str(outdir)!r}: {error.strerror}"
    if not isinstance(error, OSError):
        traceback.print_exception(error)
    return f"{type(error).__name__}: {error}"


def _log(message, is_error=0, process="process", **fields):
    get_logger().log(
        40 if is_error else 20,
        make_log_string(is_error=is_error, process=process, message=message, **fields),
    )


def main(process, argv=None):
    """Run a handler from the command line.

    Parameters
    ----------
    process : callable
        Called with the input and the output directory; returns what
        :func:`process_granules` returned, or None when all went well.
    argv : list of str, optional
        By default ``sys.argv``, with the handler's own path first.

    Returns
    -------
    int
        Exit status: 0 every granule processed, 3 some failed, 2 nothing could be done,
        130 or 143 interrupted.
    """
    own, *arguments = sys.argv if argv is None else argv
    if arguments and _same_file(arguments[0], own):  # some engines repeat the entrypoint
        arguments = arguments[1:]
    options = _parser(own, process).parse_args(arguments)
    get_logger()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _interrupt)
    try:
        summary = process(options.input, options.output)
        return DONE if summary is None else summary.status
    except Exception as error:
        _log(_reason(error, options.output), is_error=1)
        return NOTHING
    except Interrupted as stop:
        _log(str(stop), is_error=1)
        return stop.status


def _interrupt(number, _frame):
    for other in (signal.SIGTERM, signal.SIGINT):
        signal.signal(other, signal.SIG_IGN)  # let the clean-up finish
    raise Interrupted(number)


def _same_file(one, other):
    return os.path.isfile(one) and os.path.realpath(one) == os.path.realpath(other)


def _parser(own, process):
    parser = argparse.ArgumentParser(
        prog=os.path.basename(own),
        description=getattr(process, "__globals__", {}).get("__doc__"),  # of process.py
        epilog="exit status: 0 every granule processed; 3 some failed, the others are delivered; "
        "2 nothing could be done; 130, 143 interrupted",
    )
    parser.add_argument("input", nargs="?", default="input", help="directory of the input files")
    parser.add_argument("output", nargs="?", default="output", help="directory for the products")
    parser.add_argument(
        "--force", action="store_true", help="process every granule again (today always done)"
    )
    parser.add_argument("--version", action="version", version=f"py-cumulus {__version__}")
    return parser
