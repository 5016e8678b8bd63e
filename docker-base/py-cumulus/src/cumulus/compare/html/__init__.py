"""The report of a comparison as one HTML file: overview, differences, pictures.

It needs no network, no script and no library beyond those of the comparison, so that every image
can write it; a Content-Security-Policy in the file makes sure of the first two.
"""

import datetime
import os
from pathlib import Path

from ... import CumulusError, __version__
from .differences import Drawing, render
from .style import STYLE
from .text import escape

__all__ = ["write_html"]

PICTURES = 24  # differences that are drawn; each takes up to 0.4 MB
OPEN = 10  # files that are unfolded
LISTED = 1000  # files of one kind that are listed
FULL = PICTURES * 400_000 + 4_000_000  # characters; beyond them, files are only named
_HEADINGS = {
    "equal": "All products are as expected",
    "different": "Products differ from the expected ones",
    "failed": "Products could not all be compared",
}
_ORDER = ("unreadable", "different", "missing", "extra", "equal")


def write_html(comparison, path, collection=None, written=None):
    """Write the report of a comparison.

    Parameters
    ----------
    comparison : cumulus.compare.model.Comparison
        Its files are read again for the pictures.
    path : path-like
        An existing report is replaced when the new one is complete.
    collection : cumulus.collection.Collection, optional
        Named in the head of the report.
    written : datetime.datetime, optional
        Time in UTC that the head shows; default: now.

    Raises
    ------
    CumulusError
        The file cannot be written.
    """
    path = Path(path)
    partial = path.with_name(f".{os.getpid()}.report.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("w", encoding="utf-8") as file:
                file.writelines(_page(comparison, _origin(collection, written)))
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as error:
        raise CumulusError(f"cannot write {str(path)!r}: {error.strerror}") from error


def _origin(collection, written):
    """Return a line that tells of which collection and image the report is, and its date."""
    parts = [f"{collection.short_name} version {collection.version}"] if collection else []
    if revision := os.environ.get("IMAGE_REVISION"):
        parts.append(f"image revision {revision}")
    written = written or datetime.datetime.now(datetime.UTC)
    return ", ".join([*parts, f"{written:%Y-%m-%d %H:%M:%S} UTC"])


def _page(comparison, origin):
    """Yield the page piece by piece, so that one difference is in memory at a time."""
    heading = _HEADINGS[comparison.verdict]
    yield (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; img-src data:; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{heading}</title><style>{STYLE}</style></head>\n<body>"
        '<a class="skip" href="#files">Skip to the files</a>'
    )
    yield (
        f'<header><h1>{heading} <span class="badge {comparison.verdict}">{comparison.verdict}'
        f'</span></h1><p class="quiet">{escape(origin)}<br>'
        f"expected: <code>{escape(comparison.expected)}</code><br>"
        f"actual: <code>{escape(comparison.actual)}</code></p></header>\n<main>"
    )
    yield from _overview(comparison)
    yield '<section id="files" aria-label="Differences by file">'
    drawing = Drawing(PICTURES)
    yield from _files(comparison, drawing)
    yield "</section>"
    yield from _equal(comparison)
    if drawing.undrawn:
        yield f'<p class="note">{drawing.undrawn} further differences are not drawn.</p>'
    yield f"</main>\n<footer>Written by cumulus compare, py-cumulus {__version__}.</footer>"
    yield "</body></html>\n"


def _files(comparison, drawing):
    size, shown = 0, _to_show(comparison)
    for number, result in enumerate(shown):
        if size < FULL:
            for piece in _file(comparison, result, number, drawing):
                size += len(piece)
                yield piece
        elif number < LISTED:
            yield (
                f'<p id="f{number}" class="note">{escape(result.file)}: {result.status}, not shown:'
                " this report is full.</p>"
            )
    if size >= FULL and len(shown) > LISTED:
        rest = f"{len(shown) - LISTED:,} further files are not listed"
        yield f'<p class="note">{rest}: <code>--json</code> lists everything.</p>'


def _to_show(comparison):
    """Return the files that are not equal, the most urgent first."""
    files = [result for result in comparison if result.status != "equal"]
    return sorted(files, key=lambda result: _ORDER.index(result.status))


def _overview(comparison):
    counts = comparison.counts
    total = len(comparison.files)
    items = "".join(
        f"<li><b>{counts[status]:,}</b>{status}</li>" for status in _ORDER if status in counts
    )
    yield (
        f'<section aria-labelledby="overview"><h2 id="overview">{total:,} '
        f'file{"s" * (total != 1)} compared</h2><ul class="counts">{items}</ul></section>'
    )
    for sentence in comparison.unused_rules:
        yield f'<p class="note">{escape(sentence)}</p>'
    shown = _to_show(comparison)
    if not shown:
        return
    yield '<nav aria-label="Files that differ"><ol>'
    for number, result in enumerate(shown[:LISTED]):
        yield (
            f'<li><a href="#f{number}">{escape(result.file)}</a> {_badge(result.status)} '
            f'<span class="quiet">{_summary(result)}</span></li>\n'
        )
    yield "</ol></nav>"


def _badge(status):
    return f'<span class="badge {status}">{status}</span>'


def _summary(result):
    count = len(result.differences) + result.left_out
    return f"{count:,} difference{'s' * (count != 1)}" if count else escape(result.reason)


def _file(comparison, result, number, drawing):
    unfolded = " open" if number < OPEN else ""
    kind = f' <span class="quiet">{escape(result.kind)}</span>' if result.kind else ""
    yield (
        f'<details id="f{number}"{unfolded}><summary><h2>{escape(result.file)}</h2> '
        f"{_badge(result.status)}{kind}</summary>"
    )
    if result.reason:
        yield f"<p>{escape(result.reason)}</p>"
    if result.differences:
        yield '<ol class="differences">'
        for difference in result.differences:
            paths = comparison.paths(result)
            yield render(difference, drawing.pictures(difference, paths, result.kind)) + "\n"
        yield "</ol>"
    if result.left_out:
        yield f'<p class="note">{result.left_out:,} further differences are not listed.</p>'
    yield "</details>\n"


def _equal(comparison):
    names = [result.file for result in comparison if result.status == "equal"]
    if not names:
        return
    summary = f"<h2>Equal</h2> {_badge('equal')} {len(names):,}"
    yield f'<details><summary>{summary}</summary><ul class="files">'
    for name in names[:LISTED]:
        yield f"<li><code>{escape(name)}</code></li>\n"
    if len(names) > LISTED:
        yield f"<li>and {len(names) - LISTED:,} more</li>"
    yield "</ul></details>"
