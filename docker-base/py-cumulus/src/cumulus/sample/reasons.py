"""Why products are right: the reason, and data/ACCEPTED.md, which keeps it for reviewers."""

from datetime import UTC, datetime

from .. import CumulusError

__all__ = ["in_one_line", "reason_of", "record_text"]

_TITLE = (
    "# Why the expected products are what they are\n\n"
    "Written by bin/accept-products, newest first.\n"
)
# Answers to a question of yes or no.
_ANSWERS = {"y", "yes", "yeah", "yep", "n", "no", "nope", "nah", "ok", "okay", "true", "false"}


def reason_of(text):
    """Return the reason in one line.

    Raises
    ------
    CumulusError
        The text answers another question, such as yes, or has no letter.
    """
    line = in_one_line(text)
    letters = "".join(filter(str.isalnum, line)).casefold()
    if line and (letters in _ANSWERS or not any(map(str.isalpha, letters))):
        raise CumulusError(
            f"{line!r} is no reason: say in a few words why the products are right; "
            "nothing was accepted"
        )
    return line


def in_one_line(text):
    """Return a text with one space for each line break and row of spaces."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def record_text(path, changes, beside, because):
    """Return the text of data/ACCEPTED.md with this acceptance on top.

    Parameters
    ----------
    path : pathlib.Path
        The file as it is now, if there is one.
    changes : list of cumulus.sample.changes.Change
    beside : list of str
        What the manifest records beside the changes, a line each.
    because : str
        The reason, in one line.

    Raises
    ------
    CumulusError
        The file is not UTF-8 text.
    """
    lines = [f"## {datetime.now(UTC):%Y-%m-%d}: {because}", ""]
    for change in changes:
        difference = f": {_code(change.difference)}" if change.difference else ""
        sizes = change.sizes.replace("->", "to")
        lines.append(f"- {change.kind} {_code(change.name)}, {sizes}{difference}")
    lines += [f"- {_code(line)}" for line in beside]
    head, separator, rest = _old_text(path).partition("\n## ")
    earlier = "\n## " + rest if separator else ""
    return f"{head.rstrip()}\n\n" + "\n".join(lines) + "\n" + earlier


def _old_text(path):
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return _TITLE
    except UnicodeDecodeError as error:
        raise CumulusError(
            f"data/{path.name} is no UTF-8 text: {error}; nothing was changed"
        ) from error


def _code(text):
    """Text as it is, in Markdown: the fence is longer than any row of backticks in it."""
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence} {text} {fence}" if len(fence) > 1 else f"`{text}`"
