"""Differences of texts and of tables (CSV); numbers may differ within the tolerance."""

import contextlib
import csv
import itertools
import math

from ..products.formats import delimiter_of
from .model import Difference, Values
from .numbers import NUMBER, kind, names_time, near, number, shortened

__all__ = ["column_pairs", "columns", "table_differences", "text_differences"]

KEPT = 100  # differing lines that are kept for a report
SHOWN = 160  # characters of a line in a message


def text_differences(expected, actual, rules):
    """Compare two texts line by line.

    Numbers with a decimal point or an exponent may differ within the general tolerance. Everything
    else must be the same, white space and line ends included.
    """
    kept, count, worst, largest = [], 0, None, -1.0
    lengths = [0, 0]
    with _open(expected) as first, _open(actual) as second:
        for line, (a, b) in enumerate(itertools.zip_longest(first, second), 1):
            lengths = [n + (text is not None) for n, text in zip(lengths, (a, b), strict=True)]
            if a == b:
                continue
            distance = math.inf if a is None or b is None else _distance(a, b, rules)
            if distance == 0:
                continue
            count += 1
            if len(kept) < KEPT:
                kept.append((line, a, b))
            # A changed word outweighs any number; of equal distances the first is shown.
            if distance > largest:
                worst, largest = (line, a, b), distance
    if not count:
        return []
    line, a, b = worst
    shown = [
        "no such line" if line_read is None else repr(text)
        for line_read, text in zip((a, b), shortened(a or "", b or "", SHOWN), strict=True)
    ]
    message = (
        f"{count} of {max(lengths)} lines differ\n"
        f"    worst in line {line}: expected {shown[0]}, actual {shown[1]}"
    )
    if lengths[0] != lengths[1]:
        message += f"\n    expected {lengths[0]} lines, actual {lengths[1]}"
    return [Difference("text", "", message, f"line {line}", *_numbered(kept))]


def _numbered(kept):
    """Return the kept lines of each side as one text, each with its number."""
    for side in (1, 2):
        lines = [f"{entry[0]}: {entry[side]}" for entry in kept if entry[side] is not None]
        yield "".join(line if line.endswith("\n") else f"{line}\n" for line in lines)


def _open(path):
    # Keeps bytes that are not UTF-8, and line ends.
    return open(path, encoding="utf-8", errors="surrogateescape", newline="")


def _distance(a, b, rules):
    """Return the distance of two unequal lines: 0 within the tolerance, inf if words differ."""
    if NUMBER.split(a) != NUMBER.split(b):
        return math.inf
    distance = 0.0
    for x, y in zip(NUMBER.findall(a), NUMBER.findall(b), strict=True):
        if x != y and not near(x, y, rules.tolerance_for("", kind(x, y))):
            # Equal numbers in different notation differ by the least distance.
            distance = max(distance, abs(float(x) - float(y)), math.ulp(0))
    return distance


# --- tables ----------------------------------------------------------------------------------


def table_differences(expected, actual, rules):
    """Compare two tables column by column; with a header, columns are matched by name.

    A column's tolerance is its rule in [compare.variables], else the general tolerance for numbers
    with a decimal point or an exponent.
    """
    delimiters = [_delimiter(path) for path in (expected, actual)]
    if delimiters[0] != delimiters[1]:
        message = f"expected the delimiter {delimiters[0]!r}, actual {delimiters[1]!r}"
        return [Difference("text", "", message, "delimiter", *delimiters)]
    with _tables((expected, actual), delimiters[0]) as (heads, rows):
        header = list(_header_differences(*heads))
        columns = [
            _Column(name, index, heads[1].index(name), rules)
            for index, name in enumerate(heads[0])
            if name in heads[1] and not rules.ignores_variable(name)
        ]
        rows, found_rows = _add_rows(columns, rows, heads)
    return [
        *header,
        *found_rows,
        *(column.difference(rows) for column in columns if column.differing),
    ]


@contextlib.contextmanager
def _tables(paths, delimiter):
    """Give two open tables: the names of their columns, and their rows."""
    with _open(paths[0]) as first, _open(paths[1]) as second:
        rows = [_rows(file, delimiter) for file in (first, second)]
        heads = [next(table, []) for table in rows]
        named = all(not any(number(cell) is not None for cell in head) for head in heads)
        if not named:
            rows = [itertools.chain([head], table) for head, table in zip(heads, rows, strict=True)]
            heads = [[""] * len(head) for head in heads]
        yield [_unique(head) for head in heads], rows


def column_pairs(paths, name):
    """Yield the numbers of a column in both tables, row by row; NaN where there is no number."""
    with _tables(paths, _delimiter(paths[0])) as (heads, rows):
        indices = [head.index(name) for head in heads]
        for pair in zip(*rows, strict=False):
            cells = [_cell(row, index) for row, index in zip(pair, indices, strict=True)]
            values = [number(cell.strip()) for cell in cells]
            yield tuple(math.nan if value is None else value for value in values)


def _cell(row, index):
    return row[index] if index < len(row) else ""


def columns(path):
    """Return the names of a table's columns, as rules name them."""
    with _open(path) as file:
        return _unique(next(_rows(file, _delimiter(path)), []))


def _delimiter(path):
    with _open(path) as file:
        return delimiter_of(file.read(16384))


def _rows(file, delimiter):
    return (row for row in csv.reader(file, delimiter=delimiter) if row)


def _unique(head):
    """Add the column's number to empty and repeated names."""
    names = []
    for position, name in enumerate(head, 1):
        taken = not name.strip() or name in names
        names.append(f"{name} (column {position})".strip() if taken else name)
    return names


def _header_differences(expected, actual):
    for name in expected:
        if name not in actual:
            yield Difference("missing", name, f"column {name!r} is missing", name)
    for name in actual:
        if name not in expected:
            yield Difference("extra", name, f"column {name!r} is extra", name)
    if expected != actual and sorted(expected) == sorted(actual):
        texts = ", ".join(expected), ", ".join(actual)
        message = f"expected the columns in the order {texts[0]}; actual order {texts[1]}"
        yield Difference("shape", "", message, "columns", *texts)


def _add_rows(columns, rows, heads):
    """Add all rows to the columns; return the number of rows of both, and further differences."""
    lengths, ragged = [0, 0], None
    for index, (a, b) in enumerate(itertools.zip_longest(*rows)):
        lengths = [n + (row is not None) for n, row in zip(lengths, (a, b), strict=True)]
        if a is None or b is None or a == b:
            continue
        excess = [len(row) - len(head) for row, head in zip((a, b), heads, strict=True)]
        if ragged is None and (excess[0] != excess[1] or a[len(heads[0]) :] != b[len(heads[1]) :]):
            ragged = index + 1, str(len(a)), str(len(b))
        for column in columns:
            column.add(index, a, b, heads[0])
    differences = []
    if lengths[0] != lengths[1]:
        message = f"expected {lengths[0]} rows, actual {lengths[1]}"
        differences.append(Difference("shape", "", message, "rows", *map(str, lengths)))
    if ragged:
        row, *cells = ragged
        message = (
            f"row {row}: expected {cells[0]} cells, actual {cells[1]}, "
            "or cells beyond the header differ"
        )
        differences.append(Difference("shape", "", message, f"row {row}", *cells))
    return min(lengths), differences


class _Column:
    """The differences in a column."""

    def __init__(self, name, expected, actual, rules):
        self.name, self.indices, self.rules = name, (expected, actual), rules
        self.is_time = names_time(name)
        self.differing, self.worst, self.size = 0, None, -1.0
        self.largest = self.relative = None

    def add(self, index, a, b, names):
        x, y = (_cell(row, column) for row, column in zip((a, b), self.indices, strict=True))
        if x == y:
            return
        texts = x.strip(), y.strip()
        tolerance = self.rules.tolerance_for(self.name, kind(*texts, self.is_time))
        if near(*texts, tolerance):
            return
        self.differing += 1
        numbers = number(texts[0]), number(texts[1])
        size = 0.0
        if None not in numbers:
            size = abs(numbers[0] - numbers[1])
            relative = size / abs(numbers[0]) if numbers[0] else math.inf
            self.largest = max(self.largest or 0.0, size)
            self.relative = max(self.relative or 0.0, relative)
        if size > self.size:
            self.size = size
            first = {names[0]: a[0]} if self.indices[0] else {}
            self.worst = index, x, y, first, tolerance

    def difference(self, rows):
        index, expected, actual, first, tolerance = self.worst
        values = Values(
            index=(index,),
            expected=repr(expected),
            actual=repr(actual),
            differing=self.differing,
            total=rows,
            largest=self.largest,
            relative=self.relative,
            coordinates={"row": str(index + 1), **first},
            rtol=float(tolerance.rtol),
            atol=float(tolerance.atol),
            shape=(rows,),
            dimensions=("row",),
        )
        return Difference(
            "value", self.name, f"column {self.name!r}: {values}", "", expected, actual, values
        )
