"""Where an attribute of a product is written: in the collection's converter or in process.py."""

import fnmatch
import re
from pathlib import Path

__all__ = ["Sources"]

_COLUMNS = ("units", "standard_name", "long_name")  # columns of variables[]
_ROW = re.compile(r'^\s*\{"(?P<path>/[^"]*)",\s*(?P<name>DROP|"[^"]*")')


class Sources:
    """The files of a collection's repository in which attributes are written.

    Parameters
    ----------
    home : path-like
        The repository; its converter is the file ``convert/*2nc.c``, if it has one.
    """

    def __init__(self, home):
        converters = sorted(Path(home, "convert").glob("*2nc.c"))
        self.converter = converters[0].relative_to(home) if converters else None
        self.rows = []  # (line number, path, name in the product)
        if converters:
            text = converters[0].read_text(encoding="utf-8", errors="replace")
            tables = text.partition("variables[]")[2].partition("attributes[]")[0]
            first = text.partition("variables[]")[0].count("\n") + 1
            for number, line in enumerate(tables.splitlines(), first):
                if row := _ROW.match(line):
                    self.rows.append((number, row["path"], row["name"].strip('"')))

    def advice(self, variable, attribute, value=""):
        """The line to write for an attribute of a variable, or of the whole product (None).

        ``value`` is the value to write, "" if it is up to the author.
        """
        variable = variable and variable.strip("/")
        if not self.converter:
            return f"set {attribute} in process.py, if that makes this product"
        if variable is None and attribute == "history":
            return "the converter itself writes history"
        row = self._row(variable) if variable else None
        path = row[1] if row else f"/{variable}" if variable else "/"
        if variable and attribute in ("name", *_COLUMNS):
            if row:
                line = f"{self.converter} line {row[0]}"
                return f'change the {attribute} column of the row {{"{path}", ...}}: {line}'
            return f"add a row with its {attribute} to variables[]: {self.converter}"
        if attribute == "Conventions":  # a global attribute, also where a variable needs it
            path = "/"
        row = f'{{"{path}", "{attribute}", "{value or "..."}"}}'
        text = f"add {row} to attributes[]: {self.converter}"
        if attribute == "date_created":
            text += "; comparison ignores it (ignore_attributes in collection.toml)"
        return text

    def further(self):
        """Where to write attributes of variables: those with a column, and all others."""
        if not self.converter:
            return "the same"
        columns = ", ".join(_COLUMNS)
        return f'{columns} are columns of variables[]; others {{"/PATH", "NAME", "..."}} as above'

    def _row(self, variable):
        """The row that names the variable, else the first whose path matches its name."""
        for row in self.rows:
            if row[2].strip("/") == variable:
                return row
        for row in self.rows:
            if row[2] in ("", "/") and fnmatch.fnmatchcase(f"/{variable}", row[1]):
                return row
        return None
