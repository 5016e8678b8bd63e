"""A difference as HTML: a heading, marked texts or numbers, and pictures."""

import numpy as np

from ...products.formats import NETCDF, PNG, TABLE
from .colours import data_uri, paint_colours
from .fields import read_column, read_field
from .pictures import pictures_of
from .text import escape, lines_diff, marked, number, ordinal

__all__ = ["Drawing", "render"]

PIXELS = 600  # of the longer side of a PNG image as shown

_WORDS = {
    "missing": "is missing",
    "extra": "is extra",
    "dimension": "has another length",
    "dtype": "has another type",
    "shape": "has another shape",
    "attribute": "differs",
    "value": "has other values",
    "text": "differs",
    "kind": "is another kind of file",
    "bytes": "has other bytes",
}


class Drawing:
    """Draws a bounded number of pictures for a report, and counts the differences left undrawn."""

    def __init__(self, most):
        self.left, self.undrawn, self.count = most, 0, 0

    def pictures(self, difference, paths, kind):
        """Return the pictures of a difference as HTML; empty if it has none."""
        if difference.category != "value" or difference.values is None:
            return ""
        draw = {NETCDF: self._variable, PNG: self._png, TABLE: self._column}.get(kind)
        if draw is None:
            return ""
        if self.left <= 0:
            self.undrawn += 1
            return '<p class="note">Not drawn: this report has reached its number of pictures.</p>'
        name = f"p{self.count}"
        try:
            shown = draw(difference, paths, name)
        # The report describes a difference that cannot be drawn, and does not fail.
        except (OSError, RuntimeError, ValueError, KeyError, IndexError, TypeError) as error:
            return f'<p class="note">Not drawn: {escape(error)}</p>'
        if not shown:
            return ""
        self.left, self.count = self.left - 1, self.count + 1
        return shown

    def _variable(self, difference, paths, name):
        values = difference.values
        field = read_field(paths, difference.variable, values)
        if field is None:
            return ""
        units = values.units if values.units != "1" else ""
        units = "stored values" if field.stored else units
        pictures = pictures_of(field, difference.variable.strip("/"), name, units)
        return _figure(pictures, _caption(field), "lines" if field.is_line else "planes")

    def _column(self, difference, paths, name):
        field = read_column(paths, difference.variable, difference.values)
        if field is None:
            return ""
        pictures = pictures_of(field, difference.variable, name)
        return _figure(pictures, _caption(field), "lines")

    def _png(self, difference, paths, name):
        from ..png import read

        pixels = [read(path) for path in paths]
        if pixels[0].dtype != pixels[1].dtype or pixels[0].shape != pixels[1].shape:
            return ""
        if pixels[0].dtype == np.uint16:
            pixels = [(picture >> 8).astype("u1") for picture in pixels]
        distance = np.abs(pixels[0].astype("i2") - pixels[1]).max(axis=2)
        differs = (distance > difference.values.atol).astype("u1")
        contrast = np.zeros_like(pixels[0])
        pale = pixels[0][..., :3] // 4 + 190
        contrast[..., :3] = np.where(differs[..., None] == 1, (214, 0, 147), pale)
        contrast[..., 3] = 255
        step = max(1, -(-max(differs.shape) // PIXELS))
        contrast = _strongest(contrast, differs, step)
        shown = (
            ("Expected", pixels[0][::step, ::step]),
            ("Actual", pixels[1][::step, ::step]),
            ("Differing pixels in magenta", contrast),
        )
        pictures = [_image(title, picture) for title, picture in shown]
        note = f"Every {ordinal(step)} pixel is shown; differing pixels always." if step > 1 else ""
        return _figure(pictures, note, "images")


def _image(title, pixels):
    height, width, _ = pixels.shape
    return (
        f'<div><p class="over">{title}</p><img src="{data_uri(paint_colours(pixels))}" '
        f'alt="{title}: {width} x {height} pixels" width="{width}" height="{height}"></div>'
    )


def _strongest(pixels, differs, step):
    """Return every step-th pixel; a cell with a differing pixel shows that pixel."""
    small = pixels[::step, ::step].copy()
    rows, columns = np.nonzero(differs)
    small[rows // step, columns // step] = pixels[rows, columns]
    return small


def _figure(pictures, caption, kind):
    cells = "".join(
        f"<div>{picture}</div>" if picture.startswith("<svg") else picture for picture in pictures
    )
    text = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return f'<figure><div class="pictures {kind}">{cells}</div>{text}</figure>'


def _caption(field):
    """Return what the pictures themselves do not show."""
    sentences = []
    if field.fixed:
        where = ", ".join(f"{name} {index}" for name, index in field.fixed)
        sentences.append(f"Shown where the worst value is: {where} (index, from 0).")
    if field.rows.step > 1 or field.columns.step > 1:
        steps = [field.columns.step] if field.is_line else [field.rows.step, field.columns.step]
        cell = " x ".join(map(str, steps))
        sentences.append(f"Each cell stands for {cell} values: the pair that differs most.")
    if field.changed.any():
        sentences.append("Magenta: a number on one side only.")
    return " ".join(sentences)


def render(difference, pictures=""):
    """Return a difference as an HTML list item."""
    heading = escape(difference.variable or "the file")
    word = _WORDS.get(difference.category, "differs")
    if difference.name:
        heading += f" <span>{escape(_part(difference))}</span>"
    return (
        f'<li class="difference"><h3>{heading} <span class="word">{word}</span></h3>'
        f"{_body(difference)}{pictures}</li>"
    )


def _part(difference):
    """Return the part of the variable that differs, such as "attribute units"."""
    if difference.category in ("attribute", "dimension"):
        return f"{difference.category} {difference.name}"
    # The message names the kind of a missing part: "/geo: attribute note is missing".
    first_word = difference.message.removeprefix(f"{difference.variable}: ").split(" ")[0]
    kinds = ("attribute", "dimension", "type", "column")
    return f"{first_word} {difference.name}" if first_word in kinds else difference.name


def _body(difference):
    if difference.values is not None:
        return _numbers(difference.values)
    if difference.category == "text":
        return _lines(difference)
    if difference.expected and difference.actual:
        if difference.expected == difference.actual:  # as for the type of an attribute
            return f"<p>{escape(difference.message)}</p>"
        expected, actual = marked(difference.expected, difference.actual)
        return _pair(expected, actual)
    if difference.expected or difference.actual:
        side = "expected" if difference.expected else "actual"
        text = escape((difference.expected or difference.actual)[:4000])
        return f"<dl><dt>{side}</dt><dd><code>{text}</code></dd></dl>"
    return f"<p>{escape(difference.message)}</p>"


def _lines(difference):
    content = f"<p>{'<br>'.join(map(escape, difference.message.splitlines()))}</p>"
    if difference.name.startswith("line "):
        lines, shown = lines_diff(difference.expected, difference.actual)
        content += f"<pre>{lines}</pre><p>Shown: the first {shown:,} lines that differ.</p>"
    return content


def _pair(expected, actual):
    return (
        f"<dl><dt>expected</dt><dd><code>{expected}</code></dd>"
        f"<dt>actual</dt><dd><code>{actual}</code></dd></dl>"
    )


def _numbers(values):
    index = "".join(f"[{position}]" for position in values.index) or "the only value"
    rows = [
        ("differ", f"{values.differing:,} of {values.total:,} values"),
        ("worst at", ", ".join([index, *(f"{k} {v}" for k, v in values.coordinates.items())])),
        ("expected", values.expected),
        ("actual", values.actual),
    ]
    if values.largest is not None:
        both = f"{number(values.largest)}, relative {number(values.relative)}"
        rows.append(("largest difference", both))
        rows.append(("tolerance", f"relative {values.rtol:g}, absolute {values.atol:g}"))
    rows += [("changed class", f"{count:,} {change}") for change, count in values.changes.items()]
    return "<dl>" + "".join(f"<dt>{k}</dt><dd>{escape(v)}</dd>" for k, v in rows) + "</dl>"
