"""What all workers of a run share."""

import contextlib
import shutil
from dataclasses import dataclass
from pathlib import Path

from ..collection.model import Collection
from .completion import Completions
from .delivery import remove_products
from .grouping import product_names

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """What all workers share: how granules are made, and which there are."""

    function: object
    collection: Collection
    home: Path
    outdir: Path
    scratch: Path
    candidates: list
    completions: Completions
    force: bool
    lock: object  # file that keeps other runs out while it is open

    def place(self, number):
        """Scratch directory of a granule; its id may be too long, or odd, for a directory."""
        return self.scratch / str(number)

    def clear(self, number, begun):
        """Remove what there is of a granule that was not finished, as far as that can be.

        Before its making has begun, its earlier products stand, and stay.
        """
        candidate = self.candidates[number]
        with contextlib.suppress(OSError):  # a full or read-only disk; there is no record then
            if begun:
                self.completions.forget(candidate.id)
                names = product_names(self.collection, candidate.groups)
                remove_products(self.outdir, names.values())
        shutil.rmtree(self.place(number), ignore_errors=True)
