"""Compare products with the expected ones: the sets of files first, then each pair of files."""

from dataclasses import replace
from pathlib import Path

from .. import CumulusError
from ..collection.model import CompareRules
from ..files import files_of
from .model import Comparison, FileResult, Unreadable
from .pairs import Pairs
from .unused_rules import unused_rules

__all__ = ["compare", "compare_files"]

KEPT = 200  # differences of a file that are kept


def compare(expected, actual, rules=None, stale=()):
    """Compare two files, or two directories file by file.

    Parameters
    ----------
    expected, actual : path-like
        Names that begin with a dot never count.
    rules : cumulus.collection.CompareRules, optional
    stale : collection of str
        Names in ``actual`` that the run did not write; they count as missing or extra.

    Returns
    -------
    cumulus.compare.model.Comparison

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
    if not expected.is_dir():  # a rule may be meant for another product
        with Pairs(rules) as pairs:
            result = _result(expected.name, expected, actual, pairs)
        return Comparison(str(expected), str(actual), (result,))
    names = files_of(expected), files_of(actual)
    with Pairs(rules) as pairs:
        results = tuple(_directories(expected, actual, pairs, stale, *names))
    products = [expected / result.file for result in results if result.status != "extra"]
    unused = unused_rules(products, rules, set().union(*names))
    return Comparison(str(expected), str(actual), results, unused)


def _directories(expected, actual, pairs, stale, *names):
    expected_names, actual_names = (
        {name for name in side_names if not pairs.rules.ignores_file(name)} for side_names in names
    )
    if not expected_names:
        raise CumulusError(f"nothing to compare: {str(expected)!r} holds no products")
    for name in sorted(expected_names | actual_names):
        if name in expected_names and name in stale:
            reason = "this run did not write it; the file is left from an earlier run"
            yield FileResult(name, "missing", reason=reason)
        elif name not in actual_names:
            yield FileResult(name, "missing", reason="expected, but it does not exist")
        elif name in expected_names:
            yield _result(name, expected / name, actual / name, pairs)
        else:
            old = name in stale
            reason = "left from an earlier run: remove it" if old else "not expected"
            yield FileResult(name, "extra", reason=reason)


def _result(name, expected, actual, pairs):
    try:
        kind, differences = pairs.compare(expected, actual)
    except Unreadable as error:
        return FileResult(name, "unreadable", reason=str(error))
    result = FileResult(
        name, "different" if differences else "equal", kind, tuple(differences[:KEPT])
    )
    return replace(result, left_out=max(0, len(differences) - KEPT))


def compare_files(expected, actual, rules=None):
    """Return the differences of two files; an empty list if there are none.

    Returns
    -------
    list of cumulus.compare.model.Difference

    Raises
    ------
    Unreadable
        A file cannot be read to its end.
    """
    with Pairs(rules or CompareRules()) as pairs:
        return pairs.compare(expected, actual)[1]
