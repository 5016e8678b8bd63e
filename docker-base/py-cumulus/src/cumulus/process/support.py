"""What the steps of a granule share with its worker, and a handler has no use for."""

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Support"]


@dataclass
class Support:
    """What a worker lends to one granule, and what the granule's steps leave for delivery.

    Attributes
    ----------
    converter : cumulus.process.converter.Converter, optional
        Serves granule after granule; without it each conversion starts its own.
    announcer : cumulus.process.programs.Announcer, optional
        Told which program runs.
    announce : callable
        Told the name of the step that begins.
    checksums : dict of cumulus.files.FileFacts to str
        SHA-256 of each product that records were written of.
    unused_rows : list of set of (str, str)
        By conversion: paths in the converter's table that match nothing, each with a note.
    """

    converter: object = None
    announcer: object = None
    announce: Callable = lambda step: None
    checksums: dict = field(default_factory=dict)
    unused_rows: list = field(default_factory=list)
    _inspected: dict = field(default_factory=dict)  # the last Product, by the facts of its file

    def inspect(self, path):
        """Return the cumulus.products.model.Product of a file; an unchanged one is kept."""
        from ..files import look_at
        from ..products.inspection import inspect

        facts = look_at(path) if path.exists() else None
        if facts not in self._inspected:
            self._inspected.clear()
            self._inspected[facts] = inspect(path)
        return self._inspected[facts]

    def rows_without_match(self):
        """Return the rows that match nothing in any conversion; None without a conversion."""
        return set.intersection(*self.unused_rows) if self.unused_rows else None
