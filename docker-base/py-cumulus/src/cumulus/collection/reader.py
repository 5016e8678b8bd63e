"""Read collection.toml: everything about the collection that is not code.

A mistake in the file is reported with its line, its key and what is allowed there.
"""

import difflib
import os
import re
import string
import tomllib
from pathlib import Path
from types import MappingProxyType

from .. import CumulusError
from . import validators
from .model import BrowseRules, Collection, CompareRules, Limits, MetadataRules, Tolerance

__all__ = ["load", "load_compare"]

IDENTITY_VARIABLES = {"short_name": "SHORT_NAME", "version": "VERSION", "provider": "PROVIDER"}


# What may stand in each table: key -> (check, required). Tables with names of the user's choice
# are in _FREE.
_TABLES = {
    "collection": {
        "short_name": (validators.short_name, True),
        "version": (validators.version, True),
        "provider": (validators.provider, False),
        "title": (validators.text, False),
        "spatial": (validators.spatial, False),
    },
    "granule": {
        "id": (validators.regex, True),
        "environment": (validators.variables, False),
        "links": (validators.directories, False),
    },
    "check": {"variables": (validators.texts, False)},
    "metadata": validators.METADATA,
    "compare": {
        "rtol": (validators.number, False),
        "atol": (validators.number, False),
        "ignore_attributes": (validators.texts, False),
        "ignore_xpaths": (validators.xpaths, False),
        "ignore_keys": (validators.texts, False),
        "ignore_variables": (validators.texts, False),
        "ignore_files": (validators.texts, False),
        "also_ignore_attributes": (validators.texts, False),
        "also_ignore_xpaths": (validators.xpaths, False),
        "also_ignore_keys": (validators.texts, False),
        "unpack": (validators.truth, False),
        "pixel_atol": (validators.number, False),
        "pixel_share": (validators.share, False),
    },
    "browse": {
        "variable": (validators.text, False),
        "range": (validators.interval, False),
        "scale": (validators.scale, False),
        "colormap": (validators.name, False),
    },
    "limits": {
        "seconds": (validators.limit, False),
        "memory_mb": (validators.limit, False),
        "output_mb": (validators.limit, False),
    },
    "sample": {"uri": (validators.text, False)},
}
_TOLERANCE = {
    "rtol": (validators.number, False),
    "atol": (validators.number, False),
    "unpack": (validators.truth, False),
}
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
    text, content = _parse(path)
    return _Reader(path, text).collection(content)


def load_compare(path):
    """Read the rules of a comparison, and the collection that they are of.

    Parameters
    ----------
    path : path-like
        A collection.toml, or a file with nothing but the table [compare].

    Returns
    -------
    CompareRules
    Collection or None
        None for a file with nothing but [compare].

    Raises
    ------
    CumulusError
        As for :func:`load`; also for an empty file.
    """
    path = Path(path)
    text, content = _parse(path)
    reader = _Reader(path, text)
    if set(content) == {"compare"}:
        return reader.compare_rules(reader.table_of(content, "compare")), None
    if not content:
        raise CumulusError(f"{path} has no table [compare]")
    collection = reader.collection(content)
    return collection.compare, collection


def _parse(path):
    """Return the text of a TOML file and its content."""
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors put a mark before it
        return text, tomllib.loads(text)
    except OSError as error:
        raise CumulusError(f"cannot read {path}: {error.strerror}") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CumulusError(f"{path} is not valid TOML: {error}") from error


class _Reader:
    """Turn parsed TOML into a Collection; knows file and text to name the line of a mistake."""

    def __init__(self, path, text):
        self.path, self.text = path, text

    def collection(self, content):
        for name in content:
            if name not in (*_TABLES, *_FREE):
                raise self.unknown((name,), (*_TABLES, *_FREE))
        tables = {name: dict(self.table_of(content, name)) for name in _TABLES}
        compare = self.compare_rules(tables.pop("compare"))
        fixed = self.fixed(tables["metadata"].pop("fixed", {}))
        tables = {name: self.checked(tables[name], (name,), _TABLES[name]) for name in tables}
        identity = tables["collection"]
        self.override(identity)
        id_pattern = tables["granule"]["id"]
        groups = set(id_pattern.groupindex)
        products = self.names(content, "products", first="data", groups=groups)
        inputs = self.names(content, "inputs", first="primary", groups=groups)
        self.metadata(tables["metadata"], groups | set(products), inputs)
        self.granule_id(tables["metadata"], groups, products)
        self.geometry(tables["metadata"], identity.get("spatial"))
        return Collection(
            **identity,
            id_pattern=id_pattern,
            environment=tables["granule"].get("environment", ()),
            links=tables["granule"].get("links", ()),
            inputs=inputs,
            products=products,
            metadata=MetadataRules(**tables["metadata"], fixed=fixed),
            compare=compare,
            browse=BrowseRules(**tables["browse"]),
            limits=Limits(**tables["limits"]),
            expected=tables["check"].get("variables", ()),
            sample_uri=tables["sample"].get("uri", ""),
            path=self.path,
        )

    def compare_rules(self, table):
        """Return the rules of a table [compare]."""
        table = dict(table)
        variables = self.tolerances(table.pop("variables", {}))
        keys = self.checked(table, ("compare",), _TABLES["compare"])
        for name in ("ignore_attributes", "ignore_xpaths", "ignore_keys"):
            if more := keys.pop(f"also_{name}", ()):
                keys[name] = (*keys.get(name, getattr(CompareRules, name)), *more)
        return CompareRules(**keys, variables=variables)

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
            self.value(value, where, validators.name)
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
                allowed = ", ".join(f"{{{item}}}" for item in sorted(known))
                allowed = f"made of {allowed}" if known else "without placeholders"
                raise self.wrong(where, f"{allowed}; {{{name}}} is not known here")

    def fixed(self, table):
        where = ("metadata", "fixed")
        if not isinstance(table, dict):
            raise self.wrong(where, "a table, written [metadata.fixed]")
        checked = self.checked(table, where, validators.FIXED)
        return self.value(checked, where, validators.fixed)

    def metadata(self, metadata, known, inputs):
        """Check what depends on other tables: placeholders and the sidecar's role."""
        if template := metadata.get("access_url"):
            known = known | set(IDENTITY_VARIABLES) | {"file"}
            self.placeholders(template, ("metadata", "access_url"), known)
        pair = ("latitude_variable", "longitude_variable")
        for key, other in (pair, pair[::-1]):
            if metadata.get(key) and not metadata.get(other):
                raise self.wrong(("metadata", key), f"given together with {other}")
        role = metadata.get("sidecar")
        if role and role not in inputs:
            raise self.wrong(("metadata", "sidecar"), f"one of the inputs: {', '.join(inputs)}")
        asked = {*metadata.get("time", ("sidecar",)), *metadata.get("place", ("sidecar",))}
        if role and "sidecar" not in asked:
            allowed = "asked: neither metadata.time nor metadata.place lists 'sidecar'"
            raise self.wrong(("metadata", "sidecar"), allowed)

    def granule_id(self, metadata, groups, products):
        """Check that Cumulus can match the UMM-G record to the granule by their names."""
        template = metadata.get("granule_id")
        if not template:
            return
        where = ("metadata", "granule_id")
        self.placeholders(template, where, groups | set(products))
        fields = {group: f"{{{group}}}" for group in groups} | products  # {data} is "{id}.nc"
        granule_id = template.format(**fields)
        if "{id}" not in granule_id:
            raise self.wrong(where, "made of {id}, so that each granule has its own")
        record = products.get("cmr")
        if record and not (granule_id in record and record.endswith(".cmr.json")):
            raise self.error(
                ("products", "cmr"),
                f"products.cmr is {record!r} and metadata.granule_id {granule_id!r}: Cumulus could "
                "not match the record to its granule; the name of the record must hold the granule "
                f'id and end with .cmr.json, such as "{granule_id}.cmr.json"',
            )

    def geometry(self, metadata, spatial):
        """Check what [metadata] asks for against the kind of geometry that the collection has."""
        if spatial == "none" and "place" in metadata.get("required", ()):
            allowed = 'without "place", because collection.spatial is "none"'
            raise self.wrong(("metadata", "required"), allowed)
        if spatial in ("none", "cartesian") and metadata.get("polygon"):
            why = "the sides of polygons are great circles, which only geodetic collections have"
            allowed = f'false, because collection.spatial is "{spatial}": {why}'
            raise self.wrong(("metadata", "polygon"), allowed)

    def override(self, identity):
        """Let the environment replace the identity, by the same rules."""
        for key, variable in IDENTITY_VARIABLES.items():
            if value := os.environ.get(variable):
                try:
                    identity[key] = _TABLES["collection"][key][0](value)
                except ValueError as error:
                    message = f"the environment variable {variable} must be {error}"
                    raise CumulusError(message) from error

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
        line = validators.find_line(self.text, where)
        return CumulusError(f"{self.path}{f', line {line}' if line else ''}: {message}")
