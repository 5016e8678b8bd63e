"""The result of a comparison: a verdict, a result for each file, its differences.

Reports are made from these objects alone; :func:`Comparison.as_json` gives the same to programs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import CumulusError

__all__ = ["CATEGORIES", "Comparison", "Difference", "FileResult", "Unreadable", "Values"]

CATEGORIES = (
    "missing",  # an expected variable, dimension, group, attribute, type, element or key
    "extra",  # a variable (and so on) that is not expected
    "dimension",  # a length, or whether it is unlimited
    "dtype",  # the type of a variable
    "shape",  # a variable's dimensions or its shape, an image's size
    "attribute",  # type or value of an attribute
    "value",  # values of a variable, a column of a table, an image, an element, a key
    "text",  # lines of a text file
    "kind",  # the kinds of the files differ
    "bytes",  # the bytes of a file of unknown kind
)


@dataclass(frozen=True)
class Values:
    """How the values of two variables (columns of a table, images) differ.

    Attributes
    ----------
    index : tuple of int
        Index of the worst value, from 0, in the order of the dimensions.
    coordinates : mapping of str to str
        What the coordinate variables hold at that index, with units; times as UTC.
    expected, actual : str
        The worst value on both sides as text; of packed variables as stored.
    differing, total : int
    largest, relative : float or None
        Largest absolute and largest relative difference of valid numbers; None if no two valid
        numbers differ.
    changes : mapping of str to int
        How many values changed their class, by "fill -> NaN" and the like.
    rtol, atol : float
        The tolerance that was applied.
    shape : tuple of int
    dimensions : tuple of str
    units : str
    unpacked : bool
        The values were compared after applying scale_factor and add_offset.
    """

    index: tuple[int, ...]
    expected: str
    actual: str
    differing: int
    total: int
    largest: float | None = None
    relative: float | None = None
    coordinates: Mapping = field(default_factory=dict)
    changes: Mapping = field(default_factory=dict)
    rtol: float = 0.0
    atol: float = 0.0
    shape: tuple[int, ...] = ()
    dimensions: tuple[str, ...] = ()
    units: str = ""
    unpacked: bool = False

    def __str__(self):
        """Return a few lines: how many values differ, the worst one, by how much."""
        at = "".join(f"[{i}]" for i in self.index) or "the only value"
        if self.coordinates:
            at += f" ({', '.join(f'{name} {text}' for name, text in self.coordinates.items())})"
        lines = [
            f"{self.differing} of {self.total} values differ",
            f"worst at {at}: expected {self.expected}, actual {self.actual}",
        ]
        if self.largest is not None:
            measure = f"largest difference {self.largest:.6g}, relative {self.relative:.6g}"
            if self.units and self.unpacked:
                measure += f", in {self.units} after unpacking"
            lines.append(f"{measure} (tolerance: rtol {self.rtol:g}, atol {self.atol:g})")
        if self.changes:
            turned = ", ".join(f"{count} {change}" for change, count in self.changes.items())
            lines.append(f"values that changed their class: {turned}")
        return "\n    ".join(lines)

    def as_json(self):
        """Return the values as a dictionary for JSON; an infinite difference is null."""
        content = dict(self.__dict__)
        for key in ("index", "shape", "dimensions"):
            content[key] = list(content[key])
        for key in ("coordinates", "changes"):
            content[key] = dict(content[key])
        for key in ("largest", "relative"):
            if content[key] is not None and not math.isfinite(content[key]):
                content[key] = None
        return content


@dataclass(frozen=True)
class Difference:
    """One thing in which two files differ.

    Attributes
    ----------
    category : str
        An entry of `CATEGORIES`.
    variable : str
        Path of a variable or group ("/geo/q", "/"), of an XML element or a JSON key, or the name
        of a column; empty for the file as a whole.
    message : str
        A sentence, or a few lines, that name the whole difference, ``variable`` included.
    name : str
        The attribute, dimension, group or type within ``variable``.
    expected, actual : str
        Both sides as text, whole where that is sensible; empty where a side has nothing. Of a
        text file the first lines that differ, as "12: content of line 12".
    values : Values or None
        For the category "value", where there are numbers or many values.
    file : str
        Name of the file, as in `FileResult`.
    """

    category: str
    variable: str
    message: str
    name: str = ""
    expected: str = ""
    actual: str = ""
    values: Values | None = None
    file: str = ""

    def __str__(self):
        return self.message

    def as_json(self):
        """Return the difference as a dictionary."""
        return {**self.__dict__, "values": self.values.as_json() if self.values else None}


@dataclass(frozen=True)
class FileResult:
    """The result for a file.

    Attributes
    ----------
    file : str
        Name, relative to the directories compared.
    status : str
        "equal", "different", "missing" (only expected), "extra" (only actual), "unreadable".
    kind : str
        Its kind, as in `cumulus.products.formats`; empty if it was not read.
    differences : tuple of Difference
    reason : str
        Why the file is missing, extra or unreadable.
    left_out : int
        How many further differences were counted but not kept.
    """

    file: str
    status: str
    kind: str = ""
    differences: tuple[Difference, ...] = ()
    reason: str = ""
    left_out: int = 0

    def __post_init__(self):
        named = tuple(replace(difference, file=self.file) for difference in self.differences)
        object.__setattr__(self, "differences", named)

    def as_json(self):
        """Return the result as a dictionary."""
        return {
            **self.__dict__,
            "differences": [difference.as_json() for difference in self.differences],
        }


@dataclass(frozen=True)
class Comparison:
    """All results of a comparison.

    Attributes
    ----------
    expected, actual : str
        The files or directories that were compared.
    files : tuple of FileResult
        Sorted by name; iterating over the comparison yields them.
    unused_rules : tuple of str
        A sentence for each rule that matches nothing.
    """

    expected: str
    actual: str
    files: tuple[FileResult, ...]
    unused_rules: tuple[str, ...] = ()

    def __iter__(self):
        return iter(self.files)

    def __len__(self):
        return len(self.files)

    def paths(self, result):
        """Return the paths of a file of the comparison, expected and actual."""
        roots = Path(self.expected), Path(self.actual)
        if all(root.is_file() for root in roots):
            return roots
        return tuple(root / result.file for root in roots)

    @property
    def counts(self):
        """Return how many files have each status."""
        states = sorted({result.status for result in self.files})
        return {state: sum(result.status == state for result in self.files) for state in states}

    @property
    def verdict(self):
        """Return "equal", "different", or "failed" (a file, or every file, was not compared)."""
        states = set(self.counts)
        if "unreadable" in states or not states:
            return "failed"
        return "equal" if states == {"equal"} else "different"

    @property
    def exit_status(self):
        """Return 0 (equal), 1 (different) or 2 (could not compare)."""
        return ("equal", "different", "failed").index(self.verdict)

    def as_json(self):
        """Return the comparison as a dictionary that JSON can hold."""
        return {
            "verdict": self.verdict,
            "equal": self.verdict == "equal",
            "expected": self.expected,
            "actual": self.actual,
            "counts": self.counts,
            "unused_rules": list(self.unused_rules),
            "files": [result.as_json() for result in self.files],
        }


class Unreadable(CumulusError):
    """A file could not be compared; the message says why."""
