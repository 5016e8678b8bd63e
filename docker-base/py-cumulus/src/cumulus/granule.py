"""One granule: its files, and the steps that a handler takes with them."""

import shutil
from dataclasses import dataclass, field
from pathlib import Path

from . import CumulusError
from . import collection as collections
from .children import run_program
from .logutils import log_event

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
            log_event(said, granule_id=self.id, process=Path(argv[0]).name)

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

    def write_metadata(self, extent=None):
        """Write the declared records of the product "data": ECHO10 "metadata", UMM-G "cmr".

        Parameters
        ----------
        extent : callable, mapping or cumulus.extents.Extent, optional
            The source "function": when and where, or a function of the granule that returns it.
        """
        from .metadata import write_granule_records

        write_granule_records(self, extent)


def _holds_variables(product):
    from .products import inspect

    try:
        return bool(inspect(product).names)
    except CumulusError as error:
        raise CumulusError(f"product {product.name!r} does not open: {error}") from error
