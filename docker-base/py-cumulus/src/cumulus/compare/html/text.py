"""Text in HTML: escaped, and with the differences of two texts marked."""

import difflib
import html
import re

from ..numbers import shortened

__all__ = ["escape", "lines_diff", "marked", "number", "ordinal"]

LONGEST = 4000  # characters of a text that are shown
LINE = 400  # characters of a line that are shown
TOKENS = 1500  # words of a text that are matched; the time grows with their square


def escape(text):
    """Return text as HTML; invisible and misleading characters are written as codes."""
    visible = (c if c.isprintable() or c in "\n\t" else _code(c) for c in str(text))
    return html.escape("".join(visible), quote=True)


def _code(character):
    return f"\\u{ord(character):04x}" if ord(character) < 0x10000 else f"\\U{ord(character):08x}"


def number(value):
    """Return a number as short text."""
    return "none" if value is None else f"{value:.6g}"


def ordinal(count):
    """Return a number such as 2nd.

    >>> [ordinal(count) for count in (1, 2, 3, 4, 11, 12, 13, 22, 101)]
    ['1st', '2nd', '3rd', '4th', '11th', '12th', '13th', '22nd', '101st']
    """
    teens = count % 100 in (11, 12, 13)
    return f"{count}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(count % 10, 'th')}"


def marked(expected, actual):
    """Return both texts as HTML; the parts that only one text has are within <del> and <ins>."""
    texts = [_shortened(text) for text in (expected, actual)]
    tokens = [re.findall(r"\w+|\s+|[^\w\s]", text) for text in texts]
    if max(map(len, tokens)) > TOKENS:
        return tuple(map(escape, texts))
    first, second = [], []
    for kind, a, b, c, d in difflib.SequenceMatcher(None, *tokens, autojunk=False).get_opcodes():
        old, new = escape("".join(tokens[0][a:b])), escape("".join(tokens[1][c:d]))
        first.append(old if kind == "equal" else f"<del>{old}</del>" if old else "")
        second.append(new if kind == "equal" else f"<ins>{new}</ins>" if new else "")
    return "".join(first), "".join(second)


def _shortened(text):
    text = str(text)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} ... ({len(text)} characters)"


def lines_diff(expected, actual):
    """Return numbered lines ("12: text") as HTML, each expected line above the actual one.

    Returns
    -------
    html : str
    shown : int
        Number of lines in it; together they have at most `LONGEST` characters.
    """
    sides = [_by_number(text) for text in (expected, actual)]
    rows, room, shown = [], LONGEST, 0
    for number in sorted(sides[0].keys() | sides[1].keys(), key=int):
        texts = shortened(*(side.get(number, "") for side in sides), LINE)
        room -= sum(map(len, texts))
        if room < 0 and shown:
            break
        shown += 1
        for sign, name, side, text in zip("-+", ("del", "ins"), sides, texts, strict=True):
            if number in side:
                rows.append(f"<{name}>{sign} {number}: {escape(text)}</{name}>")
    return "".join(rows), shown


def _by_number(text):
    return dict(line.split(": ", 1) for line in text.removesuffix("\n").split("\n") if line)
