"""Compare pairs of files, each by the kind that its content shows."""

import csv
import os

from .. import CumulusError
from ..isolation import Apart, Died
from ..products.formats import JSON, NETCDF, PNG, TABLE, TEXT, XML, kind_of
from .model import Difference, Unreadable

__all__ = ["Pairs"]

PATIENCE = 600  # seconds for two files; each megabyte adds a second


class Pairs:
    """Compares one pair after the other by the same rules.

    Binary files are read in another process: damage may crash or stop the HDF5 library.

    Parameters
    ----------
    rules : cumulus.collection.CompareRules
    """

    def __init__(self, rules):
        self.rules = rules
        self._apart = Apart(self._binary_differences)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._apart.end()

    def compare(self, expected, actual):
        """Return the kind as which two files were compared, and their differences.

        Returns
        -------
        str, list of cumulus.compare.model.Difference

        Raises
        ------
        Unreadable
            A file cannot be read to its end.
        """
        try:
            kind = kind_of(expected)
            if kind != NETCDF and _are_alike(expected, actual):
                return kind, []
            kinds = kind, kind_of(actual)
            if set(kinds) == {TABLE, TEXT}:
                kinds = TEXT, TEXT
            if kinds[0] != kinds[1]:
                message = f"kind of file: expected {kinds[0]}, actual {kinds[1]}"
                return kinds[0], [Difference("kind", "", message, "", *kinds)]
            try:
                return kinds[0], list(self._differences(kinds[0], expected, actual))
            except csv.Error:  # a cell is longer than the csv module reads
                return TEXT, list(self._differences(TEXT, expected, actual))
        except OSError as error:
            name = str(error.filename or actual)
            raise Unreadable(f"cannot read {name!r}: {error.strerror}") from error
        except RecursionError as error:
            raise Unreadable(f"cannot compare {str(actual)!r}: nested too deeply") from error
        except CumulusError:
            raise
        except Exception as error:  # the other files are still compared
            what = f"{type(error).__name__}: {error}".rstrip(": ")
            both = f"{str(expected)!r} and {str(actual)!r}"
            raise Unreadable(f"cannot compare {both}: {what}") from error

    def _differences(self, kind, expected, actual):
        from . import documents, json_files, text, xml_files

        rules = self.rules
        if kind in (NETCDF, PNG):
            return self._call_apart(kind, expected, actual)
        if kind == XML:
            may_be_extra = rules.may_be_extra(rules.ignore_xpaths)
            return xml_files.xml_differences(expected, actual, rules.ignore_xpaths, may_be_extra)
        if kind == JSON:
            return json_files.json_differences(expected, actual, rules)
        if kind == TABLE:
            return text.table_differences(expected, actual, rules)
        if kind == TEXT:
            return text.text_differences(expected, actual, rules)
        return documents.byte_differences(expected, actual)

    def _call_apart(self, kind, expected, actual):
        _module_of(kind)  # imported here, so that no child needs to
        megabytes = sum(os.path.getsize(path) for path in (expected, actual)) / 1e6
        try:
            return self._apart.call(kind, expected, actual, seconds=PATIENCE + megabytes)
        except Died as error:
            raise Unreadable(
                f"cannot compare {str(expected)!r} and {str(actual)!r}: "
                f"reading them failed ({error}): one file is damaged, "
                "or uses a feature that crashes the installed libraries"
            ) from error

    def _binary_differences(self, kind, expected, actual):
        return _module_of(kind).differences(expected, actual, self.rules)


def _module_of(kind):
    if kind == NETCDF:
        from . import netcdf

        return netcdf
    from . import png

    return png


def _are_alike(expected, actual):
    """Return whether two regular files hold the same bytes; reading a pipe might never end."""
    from .documents import same_bytes

    if not os.path.isfile(actual) or os.path.getsize(expected) != os.path.getsize(actual):
        return False
    return same_bytes(expected, actual)
