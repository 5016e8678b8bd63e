"""Rules that match nothing: a name is misspelt, or it has changed."""

import csv
import difflib
import re

from ..collection.model import matches
from ..isolation import Apart, Died
from ..products.formats import NETCDF, TABLE, kind_of

__all__ = ["unused_rules"]

_BARE = re.compile(r"[A-Za-z0-9_-]+")  # a key of TOML that needs no quotes


def unused_rules(paths, rules, files=()):
    """Name the rules for a variable, a column or a file that match nothing.

    Parameters
    ----------
    paths : list of path-like
        The expected products; their variables and columns are looked up.
    rules : cumulus.collection.CompareRules
    files : collection of str
        The names of all files on either side.

    Returns
    -------
    tuple of str
        A sentence for each rule; empty if a product cannot be read, which the comparison reports.
    """
    return *_unused_files(files, rules), *_unused_names(paths, rules)


def _unused_files(files, rules):
    for pattern in rules.ignore_files:
        if not any(matches(name, pattern) for name in files):
            yield f"[compare] ignore_files: {pattern!r} matches no file{_hint(pattern, files)}"


def _unused_names(paths, rules):
    if not rules.variables and not rules.ignore_variables:
        return ()
    try:
        with Apart(_variables) as apart:  # a damaged file may crash the library
            names = set().union(*(_names(path, apart) for path in paths))
    except (Died, OSError, ValueError, RuntimeError, csv.Error):
        return ()
    entries = [
        (f"[compare.variables.{_key(rule)}]", rule) for rule in rules.variables if rule not in names
    ]
    entries += [
        (f"[compare] ignore_variables: {rule!r}", rule)
        for rule in rules.ignore_variables
        if not any(matches(name, rule) for name in names)
    ]
    return tuple(
        f"{entry} matches no variable or column{_hint(rule, names)}" for entry, rule in entries
    )


def _names(path, apart):
    kind = kind_of(path)
    if kind == NETCDF:
        return apart.call(path, seconds=60)
    if kind == TABLE:
        from .text import columns

        return set(columns(path))
    return set()


def _variables(path):
    import netCDF4

    with netCDF4.Dataset(path) as dataset:
        return set(_walk(dataset))


def _walk(group):
    for name in group.variables:
        yield f"{group.path.rstrip('/')}/{name}".lstrip("/")
    for subgroup in group.groups.values():
        yield from _walk(subgroup)


def _key(name):
    return name if _BARE.fullmatch(name) else f'"{name}"'


def _hint(name, names):
    close = difflib.get_close_matches(name, names, 1)
    return f": did you mean {close[0]!r}?" if close else ""
