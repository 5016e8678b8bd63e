"""Differences of two XML files."""

import xml.etree.ElementTree as ElementTree

from .documents import item_differences
from .model import Difference

__all__ = ["xml_differences"]

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_XML_SPACE = " \t\r\n"  # str.strip() would take no-break spaces, too
_SPACE = "{http://www.w3.org/XML/1998/namespace}space"


def xml_differences(expected, actual, ignored=(), may_be_extra=()):
    """Compare two XML files by elements, attributes and texts.

    The order of attributes, the prefixes of namespaces, comments and white space around texts do
    not count. White space within ``xml:space="preserve"`` counts.

    Elements at an ignored path (relative to the root element) must exist; their content does not
    count. Elements at a path of ``may_be_extra`` do not count where the expected file has none.
    """
    roots = [_xml_root(path) for path in (expected, actual)]
    for path in may_be_extra:
        if roots[0].find(path) is None:
            _remove(roots[1], path)
    for root in roots:
        for path in ignored:
            for element in root.findall(path):
                tail = element.tail
                element.clear()
                element.tail = tail
    if differences := item_differences(*(dict(_xml_items(root)) for root in roots)):
        return differences
    orders = [", ".join(_order(root)) for root in roots]
    if orders[0] == orders[1]:
        return []
    return [Difference("value", roots[0].tag, "the order of the elements differs", "", *orders)]


def _remove(root, path):
    above, _, name = path.rpartition("/")
    for parent in root.findall(above):
        for element in parent.findall(name):
            parent.remove(element)


def _xml_root(path):
    """Parse a file; in values of xsi:type the namespace takes the place of its prefix."""
    spaces = []  # pairs of prefix and namespace, the innermost last
    parser = ElementTree.iterparse(path, ("start-ns", "end-ns", "start"))
    for event, content in parser:
        if event == "start-ns":
            spaces.append(content)
        elif event == "end-ns":
            spaces.pop()
        elif _TYPE in content.attrib:
            prefix, _, name = content.get(_TYPE).strip().rpartition(":")
            if space := dict(spaces).get(prefix):
                content.set(_TYPE, f"{{{space}}}{name}")
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
        for item, text in _xml_items(child, path, preserve):
            if number > 1:
                head = f"{path}/{child.tag}"
                item = f"{head}[{number}]{item.removeprefix(head)}"
            yield item, text
        if tail := _xml_text(child.tail, preserve):
            yield f"{path}/text() after {child.tag}[{number}]", tail


def _xml_text(text, preserve):
    return (text or "") if preserve else (text or "").strip(_XML_SPACE)
