"""Compare products with the expected ones and name every difference.

The sets of files come first, then each file by the kind that its content shows.
"""

import csv
import os
from dataclasses import replace
from pathlib import Path

from .. import CumulusError
from ..collection.model import CompareRules
from ..files import files_of
from ..isolation import Died, call_apart
from ..products.formats import EMPTY, JSON, NETCDF, PNG, TABLE, TEXT, XML, kind_of
from .model import Comparison, Difference, FileResult, Unreadable
from .unused_rules import unused_rules

__all__ = ["compare", "compare_files"]

KEPT = 200  # differences of a file that are kept
PATIENCE = 600  # seconds for two files; each megabyte adds a second


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
        result = _result(expected.name, expected, actual, rules)
        return Comparison(str(expected), str(actual), (result,))
    names = files_of(expected), files_of(actual)
    results = tuple(_directories(expected, actual, rules, stale, *names))
    products = [expected / result.file for result in results if result.status != "extra"]
    unused = unused_rules(products, rules, set().union(*names))
    return Comparison(str(expected), str(actual), results, unused)


def _directories(expected, actual, rules, stale, *names):
    expected_names, actual_names = (
        {name for name in side_names if not rules.ignores_file(name)} for side_names in names
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
            yield _result(name, expected / name, actual / name, rules)
        else:
            old = name in stale
            reason = "left from an earlier run: remove it" if old else "not expected"
            yield FileResult(name, "extra", reason=reason)


def _result(name, expected, actual, rules):
    try:
        kind, differences = _compare_as(expected, actual, rules)
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
    return _compare_as(expected, actual, rules or CompareRules())[1]


def _compare_as(expected, actual, rules):
    """Return the kind as which two files were compared, and their differences."""
    try:
        kinds = kind_of(expected), kind_of(actual)
        if set(kinds) == {TABLE, TEXT}:
            kinds = TEXT, TEXT
        if kinds[0] != kinds[1]:
            message = f"kind of file: expected {kinds[0]}, actual {kinds[1]}"
            return kinds[0], [Difference("kind", "", message, "", *kinds)]
        try:
            return kinds[0], list(_differences(kinds[0], expected, actual, rules))
        except csv.Error:  # a cell is longer than the csv module reads
            return TEXT, list(_differences(TEXT, expected, actual, rules))
    except OSError as error:
        name = str(error.filename or actual)
        raise Unreadable(f"cannot read {name!r}: {error.strerror}") from error
    except RecursionError as error:
        raise Unreadable(f"cannot compare {str(actual)!r}: nested too deeply") from error
    except CumulusError:
        raise
    except Exception as error:  # the other files are still compared
        what = f"{type(error).__name__}: {error}".rstrip(": ")
        raise Unreadable(f"cannot compare {str(expected)!r} and {str(actual)!r}: {what}") from error


def _differences(kind, expected, actual, rules):
    from . import documents, json_files, text, xml_files

    if kind == NETCDF:
        from . import netcdf  # before the fork: no child imports it again

        return _apart(netcdf.differences, expected, actual, rules)
    if kind == EMPTY or documents.same_bytes(expected, actual):
        return []
    if kind == XML:
        may_be_extra = rules.may_be_extra(rules.ignore_xpaths)
        return xml_files.xml_differences(expected, actual, rules.ignore_xpaths, may_be_extra)
    if kind == JSON:
        return json_files.json_differences(expected, actual, rules)
    if kind == PNG:
        from . import png

        return _apart(png.differences, expected, actual, rules)
    if kind == TABLE:
        return text.table_differences(expected, actual, rules)
    if kind == TEXT:
        return text.text_differences(expected, actual, rules)
    return documents.byte_differences(expected, actual)


def _apart(differences, expected, actual, rules):
    """Compare in a process of its own: damage may crash or stop the HDF5 library."""
    megabytes = sum(os.path.getsize(path) for path in (expected, actual)) / 1e6
    try:
        return call_apart(differences, expected, actual, rules, seconds=PATIENCE + megabytes)
    except Died as error:
        raise Unreadable(
            f"cannot compare {str(expected)!r} and {str(actual)!r}: "
            f"reading them failed ({error}): one file is damaged, "
            "or uses a feature that crashes the installed libraries"
        ) from error
