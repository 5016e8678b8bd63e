"""Differences of XML, of JSON, and of anything else by its bytes."""

import json
import math
import re
import xml.etree.ElementTree as ElementTree
from collections import Counter

from .directories import Unreadable
from .model import Difference
from .numbers import kind, names_time, near, number

__all__ = ["byte_differences", "json_differences", "same_bytes", "xml_differences"]

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


# --- XML -------------------------------------------------------------------------------------


_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_XML_SPACE = " \t\r\n"  # a no-break space is a letter like others
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


def xml_differences(expected, actual, ignored=()):
    """Compare two XML files by elements, attributes and texts.

    The order of attributes, the prefixes of namespaces, comments and white space around texts do
    not count; within ``xml:space="preserve"`` white space does.

    The content of elements at an ignored path (relative to the root element) does not count; that
    they are there does.
    """
    roots = [_xml_root(path) for path in (expected, actual)]
    for root in roots:
        for path in ignored:
            for element in root.findall(path):
                tail = element.tail
                element.clear()
                element.tail = tail
    if found := _item_differences(*(dict(_xml_items(root)) for root in roots)):
        return found
    orders = [", ".join(_order(root)) for root in roots]
    if orders[0] == orders[1]:
        return []
    return [Difference("value", roots[0].tag, "the order of the elements differs", "", *orders)]


def _xml_root(path):
    """Parse a file; the value of each xsi:type names its namespace, not the prefix of it."""
    spaces = []  # prefix and namespace, the innermost last
    parser = ElementTree.iterparse(path, ("start-ns", "end-ns", "start"))
    for event, one in parser:
        if event == "start-ns":
            spaces.append(one)
        elif event == "end-ns":
            spaces.pop()
        elif _TYPE in one.attrib:
            prefix, _, name = one.get(_TYPE).strip().rpartition(":")
            if space := dict(spaces).get(prefix):
                one.set(_TYPE, f"{{{space}}}{name}")
    return parser.root


def _order(root):
    return [child.tag for element in root.iter() for child in element]


def _xml_items(element, path="", preserve=False):
    """Yield path and text of every element and attribute; equal siblings are numbered."""
    path = f"{path}/{element.tag}"
    preserve = element.get(_SPACE, "preserve" if preserve else "") == "preserve"
    yield path, _xml_text(element.text, preserve)
    for name, value in element.attrib.items():
        yield f"{path}/@{name}", value
    counts = {}
    for child in element:
        counts[child.tag] = number = counts.get(child.tag, 0) + 1
        for place, text in _xml_items(child, path, preserve):
            if number > 1:
                head = f"{path}/{child.tag}"
                place = f"{head}[{number}]{place.removeprefix(head)}"
            yield place, text
        if tail := _xml_text(child.tail, preserve):
            yield f"{path}/text() after {child.tag}[{number}]", tail


def _xml_text(text, preserve):
    return (text or "") if preserve else (text or "").strip(_XML_SPACE)


# --- JSON ------------------------------------------------------------------------------------


def json_differences(expected, actual, rules):
    """Compare two JSON files by content.

    The value at a key path of ``rules.ignore_keys``, such as ``ProviderDates/Date``, does not
    count; that the key is there does. Lists are passed through: the path names no index. Numbers
    with a decimal point or an exponent, on either side, may differ within the tolerance.
    """
    paths = {tuple(path.strip("/").split("/")) for path in rules.ignore_keys}
    items = []
    for path in (expected, actual):
        with open(path, "rb") as file:
            content = json.load(file, object_pairs_hook=_object, parse_float=_float)
            items.append(dict(_json_items(content, (), paths)))

    def agree(place, a, b):
        key = next((step for step in reversed(place) if isinstance(step, str)), "")
        tolerance = rules.tolerance_for("", kind(a, b, names_time(key)))
        return _same_number(a, b) or near(a, b, tolerance)

    return _item_differences(*items, agree)


def _object(pairs):
    content = dict(pairs)
    if len(content) < len(pairs):
        ((twice, _),) = Counter(name for name, _ in pairs).most_common(1)
        raise Unreadable(f"an object of the JSON has the key {twice!r} more than once")
    return content


def _float(text):
    value = float(text)
    if math.isinf(value):
        raise Unreadable(f"the JSON has the number {text}, which no double precision holds")
    return value


def _json_items(value, place, ignored):
    """Yield place and text of every value; the text of a container is its kind (and length).

    A place is the tuple of the keys and list indices that lead to it.
    """
    if tuple(step for step in place if isinstance(step, str)) in ignored:
        yield place, "(ignored)"
    elif isinstance(value, dict):
        yield place, "an object"
        for key, child in value.items():
            yield from _json_items(child, (*place, key), ignored)
    elif isinstance(value, list):
        yield place, f"a list of {len(value)}"
        for index, child in enumerate(value):
            yield from _json_items(child, (*place, index), ignored)
    else:
        yield place, _json_text(value)


def _json_text(value):
    return json.dumps(value, ensure_ascii=False)


def _same_number(one, other):
    """JSON has one kind of number: 1.0 is 1."""
    return None not in (number(one), number(other)) and json.loads(one) == json.loads(other)


def _item_differences(expected, actual, agree=lambda place, one, other: one == other):
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
