"""Differences of two files by their bytes, and of two documents by their items."""

import re

from .model import Difference

__all__ = ["byte_differences", "same_bytes"]

BLOCK = 1 << 20


def same_bytes(expected, actual):
    """Return whether two files hold the same bytes."""
    return not byte_differences(expected, actual)


def byte_differences(expected, actual):
    """Compare two files byte by byte; only the first offset that differs is named."""
    with open(expected, "rb") as first, open(actual, "rb") as second:
        offset = 0
        while True:
            a, b = first.read(BLOCK), second.read(BLOCK)
            if a != b:
                break
            if not a:
                return []
            offset += len(a)
        first_unequal = next(
            (i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None
        )
        sizes = [file.seek(0, 2) for file in (first, second)]
    size = "" if sizes[0] == sizes[1] else f"; expected {sizes[0]} bytes, actual {sizes[1]}"
    if first_unequal is None:
        message = f"the shorter file is the beginning of the longer one{size}"
    else:
        message = f"bytes differ from offset {offset + first_unequal} on{size}"
    return [Difference("bytes", "", message)]


def item_differences(expected, actual, agree=lambda item, expected, actual: expected == actual):
    """Compare the items of two documents.

    Parameters
    ----------
    expected, actual : dict
        Item (the path of an XML element, or the tuple of JSON keys and indices) to its text.
    agree : callable
        Whether the two unequal texts of an item count as equal.

    Returns
    -------
    list of cumulus.compare.model.Difference
        What is inside a missing or extra item is not listed.
    """
    differences, alone = [], set()  # alone: items that one side lacks
    for item in [*expected, *(item for item in actual if item not in expected)]:
        name = item if isinstance(item, str) else _item_name(item)
        expected_text, actual_text = expected.get(item, ""), actual.get(item, "")
        if item not in actual or item not in expected:
            alone.add(item)
            if _above(item) in alone:
                continue
        if item not in actual:
            expecting = f"; expected {expected_text!r}" if expected_text else ""
            category, message = "missing", f"{name} is missing{expecting}"
        elif item not in expected:
            category, message = (
                "extra",
                f"{name} is extra{f': {actual_text!r}' if actual_text else ''}",
            )
        elif expected_text == actual_text or agree(item, expected_text, actual_text):
            continue
        else:
            category, message = (
                "value",
                f"{name}: expected {expected_text!r}, actual {actual_text!r}",
            )
        differences.append(Difference(category, name, message, "", expected_text, actual_text))
    return differences


_LAST = re.compile(r"/(?:[^/{]|\{[^}]*\})*$")


def _above(item):
    """Return the item around an item; names of XML elements have slashes within braces."""
    return item[:-1] if isinstance(item, tuple) else _LAST.sub("", item)


def _item_name(steps):
    name = "".join(f"[{step}]" if isinstance(step, int) else f"/{step}" for step in steps)
    return name or "/"
