"""One granule: its files, and the steps that a handler takes with them.

What only some steps need they import themselves, so that a handler's --help answers at once.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path

from .. import CumulusError
from ..logutils.lines import make_log_string
from ..logutils.logger import log_event

__all__ = ["Granule", "check_output"]


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
        log_event(problem, is_error=1, process="check_output")
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
    converter : cumulus.process.converter.Converter, optional
        The one that serves granule after granule; without it each conversion starts its own.
    """

    id: str
    inputs: dict
    products: dict
    collection: object
    home: Path
    groups: dict = field(default_factory=dict, repr=False)
    converter: object = field(default=None, repr=False)
    step: object = field(default=lambda name: None, repr=False)  # told what is done now
    announcer: object = field(default=None, repr=False)  # tells which program runs
    sums: dict = field(default_factory=dict, repr=False)  # SHA-256 of files, by their facts
    inspected: dict = field(default_factory=dict, repr=False)  # the Product, by the file's facts
    unused_rows: list = field(default_factory=list, repr=False)  # of the table, by conversion

    def run(self, *argv):
        """Run a program in the granule's scratch directory, without a shell.

        Raises
        ------
        CumulusError
            It fails or exceeds the limits; the message quotes its last words.
        """
        from .programs import run_program

        name = Path(argv[0]).name
        self.step(name)
        scratch = self.products["data"].parent
        limits = self.collection.limits
        said = run_program(argv, cwd=scratch, limits=limits, announcer=self.announcer)
        if said:
            log_event(said, granule_id=self.id, process=name)

    def convert(self):
        """Convert the primary input to the product "data" with the converter beside process.py.

        What the product lacks, or holds otherwise, is logged as a warning, which the report
        keeps; what the converter's table asked for is not.
        """
        from .converter import Converter

        self.step("convert")
        converter = self.converter or Converter(self.home / "_convert", self.collection.limits)
        try:
            answer = converter.convert(self.inputs["primary"], self.products["data"])
        finally:
            if converter is not self.converter:
                converter.end()
        for what, why in (("left_out", "reason"), ("notes", "note")):
            for one in answer.get(what) or ():
                self._warn(f"{what.replace('_', ' ')} {_where(one)!r}: {one.get(why)}")
        unused = {(one["path"], one["note"]) for one in answer.get("unused_rows") or ()}
        self.unused_rows.append(unused)

    def _warn(self, message):
        line = make_log_string(granule_id=self.id, process="_convert", message=message)
        logging.getLogger(__name__).warning(line)

    def copy(self):
        """Deliver the primary input as it is: a collection that needs no conversion."""
        import shutil

        self.step("copy")
        shutil.copyfile(self.inputs["primary"], self.products["data"])

    def check(self):
        """Make sure that the product "data" is what it should be.

        It is there and not empty. NetCDF and HDF5 open, have variables, those of [check] in
        collection.toml among them, and one at least has values.

        Raises
        ------
        CumulusError
        """
        from ..products.formats import NETCDF, kind_of

        self.step("check")
        product = self.products["data"]
        check_output(product)
        names = _variables(product, self._inspect) if kind_of(product) == NETCDF else ()
        found = {one.strip("/") for one in names}
        missing = [one for one in self.collection.expected if one.strip("/") not in found]
        if missing:
            raise CumulusError(
                f"product {product.name!r} lacks {', '.join(map(repr, missing))} "
                f"([check] variables in {self.collection.path.name})"
            )

    def _inspect(self, path):
        """What a product holds: each state of the file is inspected once."""
        from ..files import look_at
        from ..products.inspection import inspect

        facts = look_at(path) if path.exists() else None
        if facts not in self.inspected:
            self.inspected.clear()
            self.inspected[facts] = inspect(path)
        return self.inspected[facts]

    def write_metadata(self, extent=None):
        """Write the declared records of the product "data": ECHO10 "metadata", UMM-G "cmr".

        Parameters
        ----------
        extent : callable, mapping or cumulus.extent.Extent, optional
            The source "function": when and where, or a function of the granule that returns it.
        """
        from ..files import look_at
        from ..metadata.write import write_granule_records

        self.step("write_metadata")
        if record := write_granule_records(self, extent, self._inspect):
            self.sums[look_at(self.products["data"])] = record.sha256
        self.step("process_granule")

    def browse(self):
        """Draw the product "browse" from the product "data", as [browse] in collection.toml says.

        Raises
        ------
        CumulusError
            [products] declares no browse image, or there is nothing to draw.
        """
        from ..browse.scene import write_browse

        if "browse" not in self.products:
            raise CumulusError(
                'no browse image is declared: add browse = "{id}.png" to [products] in '
                f"{self.collection.path}"
            )
        self.step("browse")
        write_browse(self.products["data"], self.products["browse"], self.collection.browse)
        self.step("process_granule")


def _where(entry):
    """The dataset, or the attribute of it, that a converter's answer speaks of."""
    attribute = entry.get("attribute")
    return f"{entry.get('path')}{f':{attribute}' if attribute else ''}"


def _variables(product, inspect):
    from ..products.obstacles import DataElsewhere

    try:
        found = inspect(product)
    except DataElsewhere:  # its message names the product, and the cause
        raise
    except CumulusError as error:
        words = f"product {product.name!r} does not open: {_reason(product, error)}"
        raise CumulusError(words) from error
    if found.is_empty:
        what = "values: each of its variables is empty" if found.names else "variables"
        raise CumulusError(f"product {product.name!r} holds no {what}")
    return found.names


def _reason(product, error):
    """Why a product does not open, without its place in scratch, which vanishes."""
    from ..products.obstacles import find_obstacle

    words = str(error).removeprefix(f"cannot read {str(product)!r}: ")
    obstacle = find_obstacle(product)
    return f"{words}, for {obstacle}, which netCDF does not read" if obstacle else words
