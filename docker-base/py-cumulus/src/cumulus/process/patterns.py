"""File name patterns of [inputs]: only ``*`` and placeholders such as ``{id}`` are special."""

import re

__all__ = ["compile_pattern", "id_groups"]

_SPECIAL = re.compile(r"(\*|\{\w+\})")


def compile_pattern(template, groups=None):
    """Return the regular expression of a file name pattern, for ``fullmatch``.

    Each text between wildcards is sought once, from left to right, and never again further right
    (an atomic group): a pattern of many wildcards takes no longer than its name is long.

    Parameters
    ----------
    template : str
    groups : dict of str to str, optional
        Values of the placeholders. By default each stands for any text that is not empty.
    """
    texts, gaps = [""], []  # what stands between the wildcards; the shortest lengths of these
    is_after_wildcard = False
    for part in _SPECIAL.split(template):
        is_placeholder = bool(_SPECIAL.fullmatch(part)) and part != "*"
        if part == "*" or (is_placeholder and groups is None):
            if not is_after_wildcard:
                gaps.append(0)
                texts.append("")
            gaps[-1] += is_placeholder
            is_after_wildcard = True
        elif part:
            literal = part.replace("{{", "{").replace("}}", "}")
            text = groups[part[1:-1]] if is_placeholder else literal
            texts[-1] += text
            is_after_wildcard &= not text
    first, *rest = map(re.escape, texts)
    pieces = [f"(?>.{{{gap},}}?{text})" for gap, text in zip(gaps[:-1], rest[:-1], strict=True)]
    last = f".{{{gaps[-1]},}}{rest[-1]}" if gaps else ""
    return re.compile(f"{first}{''.join(pieces)}{last}", re.DOTALL)


def id_groups(collection, name):
    """Return the named groups of [granule] id in a file name; {} where it does not match."""
    match = collection.id_pattern.fullmatch(name)
    return {key: value or "" for key, value in match.groupdict().items()} if match else {}
