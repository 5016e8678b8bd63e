"""What all workers of a run share."""

import contextlib
import functools
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from ..collection.model import Collection
from ..files import STATE
from .completion import Completions
from .delivery import remove_products
from .outcome import SKIPPED, Outcome
from .product_names import product_names

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """The granules of a run, and how they are made.

    Attributes
    ----------
    function : callable
        Makes one granule: the handler's process_granule.
    home, outdir, scratch : pathlib.Path
        Where process.py is, where products go, where they are made.
    candidates : list of cumulus.process.grouping.Candidate
    force : bool
        Make granules again whose products are up to date.
    lock : file
        Keeps other runs out while it is open.
    keeps_failed : bool
        Keep the products of failed granules for somebody to look at.
    """

    function: Callable
    collection: Collection
    home: Path
    outdir: Path
    scratch: Path
    candidates: list
    completions: Completions
    force: bool
    lock: TextIO
    keeps_failed: bool = False

    def scratch_folder(self, number):
        """Return a granule's folder in scratch; its id may be too long, or odd, for a name."""
        return self.scratch / str(number)

    def up_to_date(self, stopped):
        """Tell granules whose products are up to date, by what no file has to be read for.

        Where the time of a file differs, its content decides, and a worker reads it.

        Parameters
        ----------
        stopped : list
            Requests to stop; as soon as it has an element, no further granule is looked at.

        Yields
        ------
        number, Outcome of a granule that is skipped, else None
        """
        for number, candidate in enumerate(self.candidates):
            if stopped:
                return
            began = time.monotonic()
            facts = None if self.force else self.recorded(candidate, reads=False)
            seconds = time.monotonic() - began
            yield number, facts and Outcome(SKIPPED, None, *facts, seconds=seconds)

    def recorded(self, candidate, reads=True):
        """Return the facts of a granule's inputs and products if these are up to date, else None.

        See :meth:`cumulus.process.completion.Completions.up_to_date`.
        """
        names = product_names(self.collection, candidate.groups)
        return self.completions.up_to_date(candidate.id, candidate.inputs, names, reads)

    @property
    def failed_folder(self):
        """Where the products of failed granules are kept; no product is looked for there."""
        return self.outdir / STATE / "failed"

    @functools.cached_property
    def all_product_names(self):
        """File names of the products of all granules."""
        return {
            name
            for candidate in self.candidates
            for name in product_names(self.collection, candidate.groups).values()
        }

    def clear(self, number, has_begun):
        """Remove what there is of an unfinished granule, as far as possible.

        Parameters
        ----------
        number : int
        has_begun : bool
            Its making has begun. Before that its earlier products are kept.
        """
        candidate = self.candidates[number]
        with contextlib.suppress(OSError):  # a full or read-only disk: then there is no record
            if has_begun:
                self.completions.forget(candidate.id)
                names = product_names(self.collection, candidate.groups)
                remove_products(self.outdir, names.values())
        shutil.rmtree(self.scratch_folder(number), ignore_errors=True)
