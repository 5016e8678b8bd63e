"""Differences of anything by its bytes, and of items by their names."""

import re

from .model import Difference

__all__ = ["byte_differences", "same_bytes"]

BLOCK = 1 << 20


def same_bytes(one, other):
    """Return whether two files hold the same bytes."""
    return not byte_differences(one, other)


def byte_differences(expected, actual):
    """Compare two files byte by byte; only the first differing place is named."""
    with open(expected, "rb") as first, open(actual, "rb") as second:
        offset = 0
        while True:
            a, b = first.read(BLOCK), second.read(BLOCK)
            if a != b:
                break
            if not a:
                return []
            offset += len(a)
        place = next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), None)
        sizes = [file.seek(0, 2) for file in (first, second)]
    size = "" if sizes[0] == sizes[1] else f"; expected {sizes[0]} bytes, found {sizes[1]}"
    if place is None:
        message = f"the shorter file is the beginning of the longer one{size}"
    else:
        message = f"bytes differ from offset {offset + place} on{size}"
    return [Difference("bytes", "", message)]


def item_differences(expected, actual, agree=lambda place, one, other: one == other):
    differences, alone = [], set()  # places that one side has alone; what is in them goes without
    for place in [*expected, *(place for place in actual if place not in expected)]:
        name = place if isinstance(place, str) else _place_name(place)
        wanted, found = expected.get(place, ""), actual.get(place, "")
        if place not in actual or place not in expected:
            alone.add(place)
            if _above(place) in alone:
                continue
        if place not in actual:
            expecting = f"; expected {wanted!r}" if wanted else ""
            category, message = "missing", f"{name} is missing{expecting}"
        elif place not in expected:
            category, message = "extra", f"{name} is extra{f': {found!r}' if found else ''}"
        elif wanted == found or agree(place, wanted, found):
            continue
        else:
            category, message = "value", f"{name}: expected {wanted!r}, found {found!r}"
        differences.append(Difference(category, name, message, "", wanted, found))
    return differences


_LAST = re.compile(r"/(?:[^/{]|\{[^}]*\})*$")


def _above(place):
    """The place that a place is in; names of XML elements may have slashes within braces."""
    return place[:-1] if isinstance(place, tuple) else _LAST.sub("", place)


def _place_name(steps):
    name = "".join(f"[{step}]" if isinstance(step, int) else f"/{step}" for step in steps)
    return name or "/"
