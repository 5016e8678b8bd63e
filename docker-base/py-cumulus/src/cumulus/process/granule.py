"""One granule: its files, and the steps that a handler takes with them.

Each step imports what it alone needs, so that a handler's --help answers at once.
"""

import logging
from dataclasses import dataclass, field
from pathlib import Path

from .. import CumulusError
from ..logutils.lines import make_log_string
from ..logutils.logger import log_event
from .support import Support

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
        Path of each declared product in scratch; "data" is the primary product. Other files that
        are written there are removed.
    collection : cumulus.collection.Collection
    home : pathlib.Path
        Directory of process.py and of the converter.
    groups : dict of str to str
        Named groups of [granule] id in the name of the primary input, such as "date"; "" for a
        group that does not match.
    """

    id: str
    inputs: dict
    products: dict
    collection: object
    home: Path
    groups: dict = field(default_factory=dict, repr=False)
    _support: Support = field(default_factory=Support, repr=False)

    def run(self, *argv):
        """Run a program in the granule's scratch directory, without a shell.

        Raises
        ------
        CumulusError
            It fails or exceeds the limits; the message quotes the last lines of its standard error.
        """
        from .programs import run_program

        name = Path(argv[0]).name
        self._support.announce(name)
        errors = run_program(
            argv,
            cwd=self.products["data"].parent,
            limits=self.collection.limits,
            announcer=self._support.announcer,
        )
        if errors:
            log_event(errors, granule_id=self.id, process=name)

    def convert(self, /, **values):
        """Convert the primary input to the product "data" with the converter beside process.py.

        What the product lacks, or holds in another form, is logged as a warning, which the report
        keeps; what the converter's table asked for is not.

        Parameters
        ----------
        **values : str, optional
            ``year="2012"`` fills ``{year}`` in the texts of the converter's table. The groups of
            [granule] id fill the names that are not given here; None and "" fill nothing.

        Raises
        ------
        CumulusError
            The converter fails or exceeds the limits, or a row of its table has a name that
            nothing fills.
        """
        from .converter import Converter

        self._support.announce("convert")
        shared = self._support.converter
        converter = shared or Converter(self.home / "_convert", self.collection.limits)
        try:
            filled = self.groups | values
            answer = converter.convert(self.inputs["primary"], self.products["data"], filled)
        finally:
            if not shared:
                converter.end()
        for key, reason in (("left_out", "reason"), ("notes", "note")):
            for entry in answer.get(key) or ():
                self._warn(f"{key.replace('_', ' ')} {_full_path(entry)!r}: {entry.get(reason)}")
        unused = {(row["path"], row["note"]) for row in answer.get("unused_rows") or ()}
        self._support.unused_rows.append(unused)

    def _warn(self, message):
        line = make_log_string(granule_id=self.id, process="_convert", message=message)
        logging.getLogger(__name__).warning(line)

    def copy(self):
        """Deliver the primary input as it is: a collection that needs no conversion."""
        import shutil

        self._support.announce("copy")
        shutil.copyfile(self.inputs["primary"], self.products["data"])

    def check(self):
        """Make sure that the product "data" is there and not empty.

        NetCDF and HDF5 must open, have the variables of [check] in collection.toml, and at least
        one variable with values.

        Raises
        ------
        CumulusError
            It is not so; the message names what is missing.
        """
        from ..products.formats import NETCDF, kind_of

        product = self.products["data"]
        with self._step("check"):
            check_output(product)
            is_netcdf = kind_of(product) == NETCDF
            names = _variables(product, self._support.inspect) if is_netcdf else ()
        existing = {name.strip("/") for name in names}
        expected = self.collection.expected
        missing = [name for name in expected if name.strip("/") not in existing]
        if missing:
            raise CumulusError(
                f"product {product.name!r} lacks {', '.join(map(repr, missing))} "
                f"([check] variables in {self.collection.path.name})"
            )

    def write_metadata(self, extent=None):
        """Write the declared records of the product "data": ECHO10 "metadata", UMM-G "cmr".

        Parameters
        ----------
        extent : callable, mapping or cumulus.extent.Extent, optional
            The source "function": when and where, or a function of the granule that returns it.
        """
        from ..files import look_at
        from ..metadata.write import write_granule_records

        with self._step("write_metadata"):
            record = write_granule_records(self, extent, self._support.inspect)
        if record:
            self._support.checksums[look_at(self.products["data"])] = record.sha256
        self._support.announce("process_granule")

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
        collection = self.collection
        name = f"{collection.short_name} {collection.version}"
        with self._step("browse"):
            write_browse(
                self.products["data"], self.products["browse"], collection.browse, name
            )
        self._support.announce("process_granule")

    def _step(self, name):
        """Return the context in which a step runs that reads values: within [limits] memory_mb."""
        from .limits import memory_limited

        self._support.announce(name)
        return memory_limited(self.collection.limits, name)


def _full_path(entry):
    """Return the path of the dataset, or of its attribute, in an entry of a converter's answer."""
    attribute = entry.get("attribute")
    return f"{entry.get('path')}{f':{attribute}' if attribute else ''}"


def _variables(product, inspect):
    from ..products.obstacles import DataElsewhere

    try:
        inspection = inspect(product)
    except DataElsewhere:  # its message names the product and the cause
        raise
    except CumulusError as error:
        reason = _reason(product, error)
        raise CumulusError(f"product {product.name!r} does not open: {reason}") from error
    if inspection.is_empty:
        what = "values: each of its variables is empty" if inspection.names else "variables"
        raise CumulusError(f"product {product.name!r} holds no {what}")
    return inspection.names


def _reason(product, error):
    """Return why a product does not open, without its path in scratch, which vanishes."""
    from ..products.obstacles import find_obstacle

    reason = str(error).removeprefix(f"cannot read {str(product)!r}: ")
    obstacle = find_obstacle(product)
    return f"{reason}, for {obstacle}, which netCDF does not read" if obstacle else reason
