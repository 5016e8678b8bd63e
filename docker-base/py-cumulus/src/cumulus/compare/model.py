"""What a comparison found: a verdict, a result for each file, its differences.

These objects are all that reports need; :func:`Comparison.as_json` writes the same for programs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from .. import CumulusError

__all__ = ["CATEGORIES", "Comparison", "Difference", "FileResult", "Unreadable", "Values"]

CATEGORIES = (
    "missing",  # a variable, dimension, group, attribute, type, element or key that is expected
    "extra",  # one that is not expected
    "dimension",  # a length, or which are unlimited
    "dtype",  # the type of a variable
    "shape",  # a variable's dimensions or its shape, a picture's size
    "attribute",  # type or value of an attribute
    "value",  # values of a variable, a column of a table, a picture, an element, a key
    "text",  # lines of a text
    "kind",  # the kinds of the files differ
    "bytes",  # the bytes of a file of which nothing else is known
)


@dataclass(frozen=True)
class Values:
    """How the values of two variables (columns of a table, pictures) differ.

    Attributes
    ----------
    index : tuple of int
        Where the worst value is, from 0, in the order of the dimensions.
    coordinates : mapping of str to str
        What the coordinate variables say at that index, with units, times as UTC.
    expected, actual : str
        The worst value in both, as text; of packed variables as stored.
    differing, total : int
    largest, relative : float or None
        Largest absolute and largest relative difference of valid numbers; None if no two valid
        numbers differ.
    changes : mapping of str to int
        "fill -> NaN" and the like: values that changed their class, and how many.
    rtol, atol : float
        The tolerance that was applied.
    shape : tuple of int
    dimensions : tuple of str
    units : str
    unpacked : bool
        Values were compared after scale_factor and add_offset were applied.
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
        """Return a few lines: how many differ, the worst and where it is, by how much."""
        at = "".join(f"[{i}]" for i in self.index) or "the only value"
        if self.coordinates:
            at += f" ({', '.join(f'{name} {text}' for name, text in self.coordinates.items())})"
        lines = [
            f"{self.differing} of {self.total} values differ",
            f"worst at {at}: expected {self.expected}, found {self.actual}",
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
        """Return a dictionary of what JSON knows: an infinite relative difference is null."""
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
        One of `CATEGORIES`.
    variable : str
        Where: the path of a variable or group ("/geo/q", "/"), of an XML element or a JSON key,
        the name of a column; empty for the file as a whole.
    message : str
        One sentence, or a few lines, that say all of it, ``variable`` included.
    name : str
        What is meant within ``variable``: the attribute, dimension, group or type.
    expected, actual : str
        Both sides as text, whole where that is sensible; empty where a side has nothing. Of a
        text the first lines that differ, as "12: what line 12 says".
    values : Values or None
        For the category "value" where there are numbers or many values.
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
    """What became of one file.

    Attributes
    ----------
    file : str
        Name, relative to the directories compared.
    status : str
        "equal", "different", "missing" (only expected), "extra" (only actual), "unreadable".
    kind : str
        What it holds, as in `cumulus.products.formats`; empty if it was not read.
    differences : tuple of Difference
    reason : str
        Why a file is missing, extra or unreadable; what was passed over by a rule.
    left_out : int
        Further differences that were counted but not kept.
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
        Rules that nothing answers to, a sentence each.
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
        """How many files have each status."""
        states = sorted({result.status for result in self.files})
        return {state: sum(result.status == state for result in self.files) for state in states}

    @property
    def verdict(self):
        """ "equal", "different", or "failed" if a file could not be compared, or none was."""
        states = set(self.counts)
        if "unreadable" in states or not states:
            return "failed"
        return "equal" if states == {"equal"} else "different"

    @property
    def exit_status(self):
        """0 equal, 1 different, 2 could not compare."""
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
