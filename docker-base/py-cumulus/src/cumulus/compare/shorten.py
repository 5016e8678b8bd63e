"""Two long texts, short enough for a message."""

__all__ = ["shortened"]


def shortened(one, other, most):
    """Return two unequal texts, cut around the first place in which they differ.

    >>> shortened("x" * 100 + "a" + "y" * 100, "x" * 100 + "b", 11)
    ('...xxxxxayyyyy...', '...xxxxxb')
    """
    pairs = enumerate(zip(one, other, strict=False))
    place = next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))
    start = max(0, place - most // 2) if max(len(one), len(other)) > most else 0
    return tuple(
        "..." * (start > 0) + text[start : start + most] + "..." * (len(text) > start + most)
        for text in (one, other)
    )
