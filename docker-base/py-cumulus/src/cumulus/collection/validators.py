"""What values of collection.toml may be, and on which line of it a key stands.

A check returns the value to keep, or raises ValueError with what is allowed.
"""

import re
import tomllib


def text(value):
    if not isinstance(value, str):
        raise ValueError('a text in quotes, such as "1"')
    return value


def name(value):
    if not text(value).strip():
        raise ValueError("a text that is not empty")
    return value


def texts(value):
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ValueError('a list of texts, such as ["history"]')
    return tuple(value)


def variables(value):
    for one in texts(value):
        if not re.fullmatch(r"[A-Za-z_]\w*", one, re.ASCII):
            raise ValueError(f'a list of environment variables, such as ["GAIN"]; {one!r} is none')
    return tuple(value)


def number(value, smallest=0.0):
    if isinstance(value, bool) or not isinstance(value, int | float) or not value >= smallest:
        raise ValueError("a number that is not negative")
    if value == float("inf"):
        raise ValueError("a number that is not infinite: all would be equal")
    return value


def share(value):
    if not number(value) <= 1:
        raise ValueError("a share between 0 and 1, such as 0.001")
    return value


def truth(value):
    if not isinstance(value, bool):
        raise ValueError("true or false")
    return value


def limit(value):
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("a number greater than 0")
    if not 0 < value < float("inf"):
        raise ValueError("a number greater than 0")
    return value


def interval(value):
    if not isinstance(value, list) or [type(one) in (int, float) for one in value] != [True, True]:
        raise ValueError("two numbers, such as [0, 1]")
    if not float("-inf") < value[0] < value[1] < float("inf"):
        raise ValueError("two numbers, the smaller one first")
    return tuple(value)


def scale(value):
    if value not in ("linear", "log"):
        raise ValueError('"linear" or "log"')
    return value


def regex(value):
    try:
        pattern = re.compile(text(value), re.DOTALL)
    except re.error as error:
        raise ValueError(f"a regular expression ({error})") from error
    if "id" not in pattern.groupindex:
        raise ValueError("a regular expression with the named group (?P<id>...)")
    return pattern


def xpaths(value):
    import xml.etree.ElementTree as ElementTree

    for path in texts(value):
        try:
            ElementTree.fromstring("<x><x/></x>").findall(path)
        except (SyntaxError, KeyError, TypeError) as error:  # TypeError: unbalanced [[
            raise ValueError(f"a list of element paths; {path!r} is none ({error})") from error
        # ElementTree takes them, for the root itself, what is around an element, or nothing at all.
        if not path.strip("./") or ".." in path.split("/") or path.count("{") != path.count("}"):
            raise ValueError(f"a list of paths of elements within the root; {path!r} is none")
    return tuple(value)


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
