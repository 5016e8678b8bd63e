"""Read collection.toml: everything about the collection that is not code.

A mistake in the file is reported with its line, its key and what is allowed there.
"""

import difflib
import os
import re
import string
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from . import CumulusError

__all__ = ["Collection", "CompareRules", "Limits", "MetadataRules", "Tolerance", "load"]

TIME_SOURCES = ("filename", "product")
IDENTITY_VARIABLES = {"short_name": "SHORT_NAME", "version": "VERSION", "provider": "PROVIDER"}


@dataclass(frozen=True)
class Tolerance:
    """How far valid numbers may lie apart, ``|a - e| <= atol + rtol * |e|``; None: not said."""

    rtol: float | None = None
    atol: float | None = None


@dataclass(frozen=True)
class CompareRules:
    """Table [compare]: what a comparison tolerates and what it ignores."""

    rtol: float = 0.0
    atol: float = 0.0
    ignore_attributes: tuple[str, ...] = ("history", "date_created", "_NCProperties")
    ignore_xpaths: tuple[str, ...] = (
        "InsertTime",
        "LastUpdate",
        "DataGranule/ProductionDateTime",
        "DataGranule/SizeMBDataGranule",
        "DataGranule/Checksum",
    )
    ignore_keys: tuple[str, ...] = (
        "ProviderDates/Date",
        "DataGranule/ProductionDateTime",
        "DataGranule/ArchiveAndDistributionInformation/SizeInBytes",
        "DataGranule/ArchiveAndDistributionInformation/Checksum/Value",
    )
    # path of a variable -> Tolerance
    variables: MappingProxyType = field(default_factory=lambda: MappingProxyType({}))


@dataclass(frozen=True)
class MetadataRules:
    """Table [metadata]: where extents come from, and the download address."""

    time: tuple[str, ...] = TIME_SOURCES
    access_url: str = ""


@dataclass(frozen=True)
class Limits:
    """Table [limits]: what one conversion may use."""

    seconds: float = 600
    memory_mb: float = 4096
    output_mb: float = 20000


@dataclass(frozen=True)
class Collection:
    """A checked collection.toml.

    Attributes
    ----------
    id_pattern : re.Pattern
        Matches the whole name of a primary input file; its group ``id`` is the granule's id.
    inputs, products : mapping of str to str
        File name pattern of each role, file name template of each product. The product "data"
        is the first and primary one.
    """

    short_name: str
    version: str
    id_pattern: re.Pattern
    inputs: MappingProxyType
    products: MappingProxyType
    provider: str = ""
    title: str = ""
    metadata: MetadataRules = field(default_factory=MetadataRules)
    compare: CompareRules = field(default_factory=CompareRules)
    limits: Limits = field(default_factory=Limits)
    sample_uri: str = ""
    path: Path = Path("collection.toml")


# What may stand in each table: key -> (check, required). A check returns the value to keep or
# raises ValueError with what is allowed. Tables with names of the user's choice are in _FREE.
def _text(value):
    if not isinstance(value, str):
        raise ValueError('a text in quotes, such as "1"')
    return value


def _name(value):
    if not _text(value).strip():
        raise ValueError("a text that is not empty")
    return value


def _texts(value):
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError('a list of texts, such as ["history"]')
    return tuple(value)


def _number(value, smallest=0.0):
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= smallest:
        raise ValueError("a number that is not negative")
    return value


def _limit(value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number greater than 0")
    if not 0 < value < float("inf"):
        raise ValueError("a number greater than 0")
    return value


def _sources(value):
    if unknown := [item for item in _texts(value) if item not in TIME_SOURCES]:
        raise ValueError(f"a list of {', '.join(TIME_SOURCES)}, not {unknown[0]!r}")
    return tuple(value)


def _regex(value):
    try:
        pattern = re.compile(_text(value), re.DOTALL)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from error
    if "id" not in pattern.groupindex:
        raise ValueError("a regular expression with the named group (?P<id>...)")
    return pattern


def _xpaths(value):
    import xml.etree.ElementTree as ElementTree

    for path in _texts(value):
        try:
            ElementTree.fromstring("<x><x/></x>").findall(path)
        except (SyntaxError, KeyError, TypeError) as error:  # TypeError: unbalanced [[
            raise ValueError(f"a list of element paths; {path!r} is none ({error})") from error
    return tuple(value)


_TABLES = {
    "collection": {
        "short_name": (_name, True),
        "version": (_name, True),
        "provider": (_text, False),
        "title": (_text, False),
    },
    "granule": {"id": (_regex, True)},
    "metadata": {"time": (_sources, False), "access_url": (_text, False)},
    "compare": {
        "rtol": (_number, False),
        "atol": (_number, False),
        "ignore_attributes": (_texts, False),
        "ignore_xpaths": (_xpaths, False),
        "ignore_keys": (_texts, False),
    },
    "limits": {
        "seconds": (_limit, False),
        "memory_mb": (_limit, False),
        "output_mb": (_limit, False),
    },
    "sample": {"uri": (_text, False)},
}
_TOLERANCE = {"rtol": (_number, False), "atol": (_number, False)}
_FREE = ("inputs", "products")


def load(path):
    """Read and check a collection.toml.

    Parameters
    ----------
    path : path-like
        The file. The environment variables SHORT_NAME, VERSION and PROVIDER, where they are
        set and not empty, replace what it says.

    Returns
    -------
    Collection

    Raises
    ------
    CumulusError
        The file is absent, is no TOML, or a key is unknown, missing or of the wrong type.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except OSError as error:
        raise CumulusError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CumulusError(f"{path} is not valid TOML: {error}") from error
    return _Reader(path, text).collection(content)


class _Reader:
    """Turn parsed TOML into a Collection; knows file and text to name the line of a mistake."""

    def __init__(self, path, text):
        self.path, self.text = path, text

    def collection(self, content):
        for name in content:
            if name not in (*_TABLES, *_FREE):
                raise self.unknown((name,), (*_TABLES, *_FREE))
        compare = dict(self.table_of(content, "compare"))
        variables = self.tolerances(compare.pop("variables", {}))
        tables = {
            name: self.checked(
                compare if name == "compare" else self.table_of(content, name), (name,), keys
            )
            for name, keys in _TABLES.items()
        }
        identity = tables["collection"]
        for key, variable in IDENTITY_VARIABLES.items():
            if value := os.environ.get(variable):
                identity[key] = value
        id_pattern = tables["granule"]["id"]
        groups = set(id_pattern.groupindex)
        products = self.names(content, "products", first="data", groups=groups)
        self.access_url(tables["metadata"], groups | set(products))
        return Collection(
            **identity,
            id_pattern=id_pattern,
            inputs=self.names(content, "inputs", first="primary", groups=groups),
            products=products,
            metadata=MetadataRules(**tables["metadata"]),
            compare=CompareRules(**tables["compare"], variables=variables),
            limits=Limits(**tables["limits"]),
            sample_uri=tables["sample"].get("uri", ""),
            path=self.path,
        )

    def table_of(self, content, name):
        table = content.get(name, {})
        if not isinstance(table, dict):
            raise self.wrong((name,), f"a table, written [{name}]")
        return table

    def checked(self, table, where, keys):
        """Return the table's values, each checked by its rule."""
        for key in table:
            if key not in keys:
                raise self.unknown((*where, key), keys)
        for key, (_, required) in keys.items():
            if required and key not in table:
                raise self.missing(where, key)
        return {key: self.value(table[key], (*where, key), keys[key][0]) for key in table}

    def value(self, value, where, check):
        try:
            return check(value)
        except ValueError as error:
            raise self.wrong(where, str(error)) from error

    def tolerances(self, table):
        where = ("compare", "variables")
        if not isinstance(table, dict):
            raise self.wrong(where, "tables, written [compare.variables.NAME]")
        result = {}
        for name, entry in table.items():
            if not isinstance(entry, dict):
                raise self.wrong((*where, name), f'a table, written [compare.variables."{name}"]')
            rule = Tolerance(**self.checked(entry, (*where, name), _TOLERANCE))
            result[name.strip("/")] = rule
        return MappingProxyType(result)

    def names(self, content, table_name, first, groups):
        """Check [inputs] or [products]: a file name with placeholders for each name."""
        table = self.table_of(content, table_name)
        if first not in table:
            raise self.missing((table_name,), first)
        if table_name == "products" and next(iter(table)) != first:
            raise self.wrong((table_name, first), "the first product, because it is the primary")
        for key, value in table.items():
            where = (table_name, key)
            if not re.fullmatch(r"[A-Za-z_]\w*", key, re.ASCII):
                raise self.wrong(where, "a name of letters, digits and underscores")
            self.value(value, where, _name)
            if "/" in value or "\0" in value or value.startswith("."):
                raise self.wrong(where, "a file name without a slash or a leading dot")
            self.placeholders(value, where, groups if where != ("inputs", "primary") else set())
        if len(set(table.values())) < len(table):
            raise self.wrong((table_name,), "a different file name for each name")
        return MappingProxyType(dict(table))

    def placeholders(self, template, where, known):
        try:
            fields = list(string.Formatter().parse(template))
        except ValueError as error:
            raise self.wrong(where, f"a file name with {{id}} as placeholder ({error})") from error
        for _, name, specification, conversion in fields:
            if name is not None and (name not in known or specification or conversion):
                allowed = ", ".join(f"{{{item}}}" for item in sorted(known)) or "no placeholder"
                raise self.wrong(where, f"{allowed}; {{{name}}} is not known here")

    def access_url(self, metadata, known):
        if template := metadata.get("access_url"):
            known = known | set(IDENTITY_VARIABLES) | {"file"}
            self.placeholders(template, ("metadata", "access_url"), known)

    def unknown(self, where, allowed):
        message = f"unknown key {where[-1]!r}"
        if close := difflib.get_close_matches(where[-1], allowed, n=1):
            message += f" (did you mean {close[0]!r}?)"
        table = f" in [{'.'.join(where[:-1])}]" if len(where) > 1 else ""
        return self.error(where, f"{message}{table}; allowed: {', '.join(allowed)}")

    def missing(self, where, key):
        return self.error(where, f"[{'.'.join(where)}] needs the key {key!r}")

    def wrong(self, where, allowed):
        return self.error(where, f"{'.'.join(where)} must be {allowed}")

    def error(self, where, message):
        line = find_line(self.text, where)
        return CumulusError(f"{self.path}{f', line {line}' if line else ''}: {message}")


def find_line(text, where):
    """Return the line (from 1) at which the key stands, or None if the text does not have it.

    TOML readers give no positions. Every prefix of whole statements is itself valid TOML, so the
    key's statement is the one with which the key first appears.
    """
    lines = text.splitlines(keepends=True)
    start = 0  # lines read so far that parse
    for end in range(1, len(lines) + 1):
        try:
            content = tomllib.loads("".join(lines[:end]))
        except tomllib.TOMLDecodeError:
            continue
        for key in where:
            content = content.get(key, None) if isinstance(content, dict) else None
        if content is not None:
            return start + 1
        start = end
    return None
