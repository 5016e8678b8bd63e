"""Match file names in a time that grows with their length, whatever the pattern.

A regular expression with several ``.*`` tries every way to share a name out among them: five of
them and a name of 255 bytes take ten seconds. Each text between wildcards is therefore sought from
left to right, and never again further right (an atomic group), which finds the same names.
"""

import functools
import re

__all__ = ["compile_pattern", "fill_pattern", "fits", "id_groups", "match_id"]

_SPECIAL = re.compile(r"(\*|\{\w+\})")
_LITERAL = r"[\w=,@~-]|\\[.+]"
# What a repository's [granule] id is rendered as.
_RENDERED_ID = re.compile(rf"\^\(\?P<id>((?:{_LITERAL}|\.\*)*)\)((?:{_LITERAL})*)\$")


def compile_pattern(template):
    """Return the regular expression of a file name pattern of [inputs], for ``fullmatch``.

    Only ``*`` and placeholders such as ``{id}`` are special. A placeholder stands for any text that
    is not empty.
    """
    texts, gaps = [""], []  # the texts between wildcards; the shortest lengths of these
    is_after_wildcard = False
    for part, is_placeholder in _parts(template):
        if part == "*" or is_placeholder:
            if not is_after_wildcard:
                gaps.append(0)
                texts.append("")
            gaps[-1] += is_placeholder
            is_after_wildcard = True
        else:
            texts[-1] += _literal(part)
            is_after_wildcard = False
    return re.compile(_joined([re.escape(text) for text in texts], gaps), re.DOTALL)


def fill_pattern(template, groups):
    """Return the texts between the wildcards ``*`` of a pattern whose placeholders are known.

    No expression is compiled: a run has a hundred thousand granules, each with its own texts.

    Parameters
    ----------
    template : str
    groups : dict of str to str
        Values of the placeholders.
    """
    texts = [""]
    for part, is_placeholder in _parts(template):
        if part == "*":
            texts.append("")
        else:
            texts[-1] += groups[part[1:-1]] if is_placeholder else _literal(part)
    return texts


def fits(name, texts):
    """Return whether a file name consists of the texts, with anything between two of them."""
    first, *others = texts
    if not others:
        return name == first
    *middle, last = others
    start, end = len(first), len(name) - len(last)
    if start > end or not (name.startswith(first) and name.endswith(last)):
        return False
    for text in middle:
        index = name.find(text, start, end)
        if index < 0:
            return False
        start = index + len(text)
    return True


@functools.cache
def _parts(template):
    """Return the parts of a pattern that are not empty, and whether each is a placeholder."""
    parts = filter(None, _SPECIAL.split(template))
    return [(part, part != "*" and bool(_SPECIAL.fullmatch(part))) for part in parts]


def _literal(part):
    return part.replace("{{", "{").replace("}}", "}")


def match_id(collection, name):
    """Return the match of [granule] id with a whole file name, or None."""
    return _without_backtracking(collection.id_pattern).fullmatch(name)


def id_groups(collection, name):
    """Return the named groups of [granule] id in a file name; {} where it does not match."""
    match = match_id(collection, name)
    return {key: value or "" for key, value in match.groupdict().items()} if match else {}


@functools.cache
def _without_backtracking(pattern):
    """Return a rendered [granule] id with atomic groups; one that its owner has written as it is.

    Texts and ``.*`` within the group "id" are all that it holds: the group matches the same text.
    """
    rendered = _RENDERED_ID.fullmatch(pattern.pattern)
    if not rendered:
        return pattern
    texts = rendered[1].split(".*")
    body = _joined(texts, [0] * (len(texts) - 1))
    return re.compile(f"^(?P<id>{body}){rendered[2]}$", pattern.flags)


def _joined(texts, gaps):
    """Return the expression of escaped texts with a wildcard of a shortest length after each."""
    first, *rest = texts
    if not gaps:
        return first
    middle = "".join(
        f"(?>.{{{gap},}}?{text})" for gap, text in zip(gaps[:-1], rest[:-1], strict=True)
    )
    return f"{first}{middle}.{{{gaps[-1]},}}{rest[-1]}"
