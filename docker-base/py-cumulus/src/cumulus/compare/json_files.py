"""Differences of two JSON files."""

import json
import math
from collections import Counter

from .documents import item_differences
from .model import Unreadable
from .numbers import kind, names_time, near, number

__all__ = ["json_differences"]


def json_differences(expected, actual, rules):
    """Compare two JSON files by content.

    A key path of ``rules.ignore_keys``, such as ``ProviderDates/Date``, must exist; its value does
    not count. A later form of a size that does not count may be extra. The path names no list
    index. Numbers with a decimal point or an exponent, on either
    side, may differ within the tolerance.
    """
    paths = {tuple(path.strip("/").split("/")) for path in rules.ignore_keys}
    items = []
    for path in (expected, actual):
        with open(path, "rb") as file:
            content = json.load(file, object_pairs_hook=_object, parse_float=_float)
            items.append(dict(_json_items(content, (), paths)))

    expected_items, actual_items = items
    may_be_extra = rules.may_be_extra(rules.ignore_keys)
    for steps in set(actual_items) - set(expected_items):
        if "/".join(_keys(steps)) in may_be_extra:
            del actual_items[steps]

    def agree(steps, a, b):
        key = next((key for key in reversed(steps) if isinstance(key, str)), "")
        tolerance = rules.tolerance_for("", kind(a, b, names_time(key)))
        return _same_number(a, b) or near(a, b, tolerance)

    return item_differences(*items, agree)


def _object(pairs):
    content = dict(pairs)
    if len(content) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise Unreadable(f"a JSON object has the key {twice!r} more than once")
    return content


def _float(text):
    value = float(text)
    if math.isinf(value):
        raise Unreadable(f"the JSON number {text} is beyond double precision")
    return value


def _json_items(value, steps, ignored):
    """Yield steps and text of every value; the text of a container is its kind (and length).

    The steps are the keys and list indices that lead to the value.
    """
    if _keys(steps) in ignored:
        yield steps, "(ignored)"
    elif isinstance(value, dict):
        yield steps, "an object"
        for key, child in value.items():
            yield from _json_items(child, (*steps, key), ignored)
    elif isinstance(value, list):
        yield steps, f"a list of {len(value)}"
        for index, child in enumerate(value):
            yield from _json_items(child, (*steps, index), ignored)
    else:
        yield steps, _json_text(value)


def _keys(steps):
    return tuple(step for step in steps if isinstance(step, str))


def _json_text(value):
    return json.dumps(value, ensure_ascii=False)


def _same_number(expected, actual):
    """Return whether two texts are the same number: in JSON, 1.0 is 1."""
    return None not in (number(expected), number(actual)) and json.loads(expected) == json.loads(
        actual
    )
