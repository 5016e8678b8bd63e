"""Compare products with the expected ones and name every difference.

File sets first, then file by file, each by the kind that its content shows.
"""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from .. import CumulusError
from ..collection import CompareRules
from ..formats import JSON, NETCDF, XML, kind_of

__all__ = ["FileResult", "Unreadable", "compare", "compare_files", "exit_status", "report"]

EQUAL, DIFFERENT, FAILED = 0, 1, 2
SHOWN = 10  # differences of a file in the report
KEPT = 200  # differences of a file that are remembered


class Unreadable(CumulusError):
    """A file could not be compared; the message says why."""


@dataclass(frozen=True)
class FileResult:
    """What became of one file.

    Attributes
    ----------
    file : str
        Name, relative to the directories compared.
    status : str
        "equal", "different", "missing" (only expected), "extra" (only actual), "unreadable".
    differences : tuple of str
        One line each.
    """

    file: str
    status: str
    differences: tuple[str, ...] = ()

    def as_json(self):
        """Return the result as a dictionary for a JSON report."""
        return {**asdict(self), "differences": list(self.differences)}


def compare(expected, actual, rules=None, stale=()):
    """Compare two files, or two directories file by file.

    Parameters
    ----------
    expected, actual : path-like
        Entries whose name begins with a dot never count.
    rules : cumulus.collection.CompareRules, optional
    stale : collection of str
        Names in ``actual`` that a run did not write: they count as missing, or as extra.

    Returns
    -------
    list of FileResult
        Sorted by name.

    Raises
    ------
    CumulusError
        A path does not exist, only one is a directory, or there is nothing to compare.
    """
    expected, actual = Path(expected), Path(actual)
    rules = rules or CompareRules()
    for path in (expected, actual):
        if not path.exists():
            raise CumulusError(f"cannot compare: {str(path)!r} does not exist")
    if expected.is_dir() != actual.is_dir():
        raise CumulusError(f"cannot compare a directory with a file: {expected}, {actual}")
    if not expected.is_dir():
        return [_result(expected.name, expected, actual, rules)]
    wanted, found = files_of(expected), files_of(actual)
    if not wanted:
        raise CumulusError(f"nothing to compare: {str(expected)!r} holds no products")
    results = []
    for name in sorted(wanted | found):
        if name in wanted and name in stale:
            reason = "not written by this run; a file of that name is left from an earlier one"
            results.append(FileResult(name, "missing", (reason,)))
        elif name not in found:
            results.append(FileResult(name, "missing", ("expected, but not there",)))
        elif name in wanted:
            results.append(_result(name, expected / name, actual / name, rules))
        else:
            old = name in stale
            why = "left from an earlier run: remove it" if old else "there, but not expected"
            results.append(FileResult(name, "extra", (why,)))
    return results


def files_of(directory):
    """Return the names of a directory's files, those in subdirectories included."""

    def fail(error):
        raise CumulusError(f"cannot read directory {error.filename!r}: {error.strerror}")

    names = set()
    for place, directories, files in os.walk(directory, onerror=fail, followlinks=True):
        directories[:] = [name for name in directories if not name.startswith(".")]
        for name in files:
            if not name.startswith("."):
                names.add(os.path.relpath(os.path.join(place, name), directory))
    return names


def _result(name, expected, actual, rules):
    try:
        differences = tuple(compare_files(expected, actual, rules))
    except Unreadable as error:
        return FileResult(name, "unreadable", (str(error),))
    return FileResult(name, "different" if differences else "equal", differences)


def compare_files(expected, actual, rules=None):
    """Return the differences of two files, one line each; an empty list if there are none.

    Raises
    ------
    Unreadable
        One of them cannot be read to its end.
    """
    from . import documents

    rules = rules or CompareRules()
    try:
        kinds = kind_of(expected), kind_of(actual)
        if kinds[0] != kinds[1]:
            return [f"kind of file: expected {_kind(expected)}, found {_kind(actual)}"]
        if kinds[0] == NETCDF:
            from . import netcdf

            found = netcdf.differences(expected, actual, rules)
        elif kinds[0] == XML:
            found = documents.xml_differences(expected, actual, rules.ignore_xpaths)
        elif kinds[0] == JSON:
            found = documents.json_differences(expected, actual, rules.ignore_keys)
        else:
            found = documents.byte_differences(expected, actual)
    except OSError as error:
        name = str(error.filename or actual)
        raise Unreadable(f"cannot read {name!r}: {error.strerror}") from error
    except RecursionError as error:
        raise Unreadable(f"cannot compare {str(actual)!r}: nested too deeply") from error
    if len(found) > KEPT:
        found = [*found[:KEPT], f"... and {len(found) - KEPT} more differences"]
    return found


def _kind(path):
    return kind_of(path) if os.path.getsize(path) else "an empty file"


def exit_status(results):
    """Return 0 when all is equal, 1 when something differs, 2 when something is unreadable."""
    states = {result.status for result in results}
    if "unreadable" in states or not states:
        return FAILED
    return DIFFERENT if states != {"equal"} else EQUAL


def report(results):
    """Return a report for people: a few lines a differing file and a last line with the counts."""
    lines = []
    for result in results:
        if result.status == "equal":
            continue
        lines.append(f"{result.file!r}: {result.status}")
        lines += [f"    {text}" for text in result.differences[:SHOWN]]
        if (hidden := len(result.differences) - SHOWN) > 0:
            lines.append(f"    ... and {hidden} more")
    counts = {}
    for result in results:
        counts[result.status] = counts.get(result.status, 0) + 1
    summary = ", ".join(f"{count} {status}" for status, count in sorted(counts.items()))
    lines.append(f"{len(results)} file{'s' * (len(results) != 1)} compared: {summary}")
    return "\n".join(lines)
