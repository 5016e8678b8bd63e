"""Pictures of a Field as inline SVG: both sides and their difference, and a histogram.

Text is SVG text in the colour of the page: it is sharp at any size and follows light and dark. The
cells are an embedded PNG. Every picture has a title and a description for screen readers.
"""

import numpy as np

from .colours import CHANGED, DIFFERENCE, LEVELS, MISSING, VALUES, data_uri, gradient, paint
from .text import escape, number, tick, ticks

__all__ = ["pictures_of", "svg"]

WIDTH, HEIGHT = 320, 210
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 22, 36  # margins: axis labels, title
FAINTEST = 0.3  # share of the full colour for the smallest difference


def svg(title, description, content, name, height=HEIGHT):
    """Return a picture with its text alternative; ``name`` makes ids unique on the page."""
    return (
        f'<svg viewBox="0 0 {WIDTH} {height}" role="img" aria-labelledby="{name}-t {name}-d">'
        f'<title id="{name}-t">{escape(title)}</title>'
        f'<desc id="{name}-d">{escape(description)}</desc>{content}</svg>'
    )


def pictures_of(field, label, name):
    """Return the pictures of a field, as a list of SVG texts.

    Parameters
    ----------
    field : cumulus.compare.html.fields.Field
    label : str
        Name of the variable, with units.
    name : str
        Unique on the page.
    """
    shown = _line(field, label, name) if field.is_line else _planes(field, label, name)
    return [*shown, *_histogram(field, label, f"{name}-h")]


def _planes(field, label, name):
    low, high = _limits(field)
    sizes = f"{field.rows.length} x {field.columns.length} values"
    ends = f"Colours from {number(low)} to {number(high)}."
    sides = []
    for what, values in (("Expected", field.expected), ("Actual", field.actual)):
        levels = np.where(np.isfinite(values), _level(values, low, high), MISSING)
        text = f"{what} values of {label}: {sizes}. {ends}"
        sides.append((what, levels, VALUES, (low, high), text))
    description = (
        f"Difference of {label}, actual minus expected: {sizes}. Orange is larger, blue smaller "
        f"than expected, up to {number(field.largest)}; white agrees. The ring marks the worst."
    )
    ends = -field.largest, field.largest
    sides.append(("Difference", _difference_levels(field), DIFFERENCE, ends, description))
    return [
        _plane(field, what, levels.astype("u1"), scale, ends, label, text, f"{name}-{number_}")
        for number_, (what, levels, scale, ends, text) in enumerate(sides)
    ]


def _limits(field):
    """Return the ends of the colour scale of both sides: the 1st and 99th percentile."""
    both = np.concatenate([field.expected.ravel(), field.actual.ravel()])
    valid = both[np.isfinite(both)]
    if not valid.size:
        return 0.0, 1.0
    low, high = (float(limit) for limit in np.percentile(valid, (1, 99)))
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _level(values, low, high):
    with np.errstate(all="ignore"):
        share = np.clip((values - low) / (high - low), 0, 1)
    return np.nan_to_num(share * (LEVELS - 1)).round()


def _difference_levels(field):
    with np.errstate(all="ignore"):
        difference = np.nan_to_num(field.actual - field.expected)
        share = np.clip(difference / (field.largest or 1.0), -1, 1)
    strong = np.sign(share) * (FAINTEST + (1 - FAINTEST) * np.abs(share))
    levels = _level(np.where(field.differs, strong, 0.0), -1.0, 1.0)
    neither = np.isnan(field.expected) & np.isnan(field.actual) & ~field.changed
    return np.where(field.changed, CHANGED, np.where(neither, MISSING, levels))


def _plane(field, what, levels, scale, ends, label, description, name):
    x, y = field.columns, field.rows
    worst = field.columns.worst // x.step, field.rows.worst // y.step
    if field.rows.is_time and not field.columns.is_time:  # time runs from left to right
        levels, x, y, worst = levels.T, y, x, worst[::-1]
    if y.ascends:
        levels, worst = levels[::-1], (worst[0], y.cells - 1 - worst[1])
    if not x.ascends:
        levels, worst = levels[:, ::-1], (x.cells - 1 - worst[0], worst[1])
    width, height = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    centre = (
        LEFT + (worst[0] + 0.5) / levels.shape[1] * width,
        TOP + (worst[1] + 0.5) / levels.shape[0] * height,
    )
    picture = data_uri(paint(np.ascontiguousarray(levels), scale))
    content = (
        f'<rect class="void" x="{LEFT}" y="{TOP}" width="{width}" height="{height}"/>'
        f'<image x="{LEFT}" y="{TOP}" width="{width}" height="{height}" '
        f'preserveAspectRatio="none" href="{picture}"/>'
        + _frame(what, x, y)
        + _ring(*centre)
        + _legend(scale, ends)
    )
    return svg(f"{what}: {label}", description, content, name, HEIGHT + 32)


def _ring(x, y):
    return "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="none" stroke="{colour}" '
        f'stroke-width="{width}"/>'
        for colour, width in (("#fff", 3.5), ("#000", 1.5))
    )


def _frame(title, x, y):
    """Draw border, title, and the labels of both axes at the first, middle and last sample."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = [
        f'<rect class="axis" x="{LEFT}" y="{TOP}" width="{right - LEFT}" '
        f'height="{bottom - TOP}" fill="none"/>',
        f'<text class="title" x="{LEFT}" y="14">{escape(title)}</text>',
    ]
    if x is not None:
        labels = x.labels if x.ascends else x.labels[::-1]
        for text, position, anchor in zip(
            labels, (LEFT, (LEFT + right) / 2, right), ("start", "middle", "end"), strict=True
        ):
            parts.append(_text(position, bottom + 13, text, anchor))
        parts.append(_text((LEFT + right) / 2, bottom + 28, _short(x.name), "middle"))
    if y is not None:
        labels = y.labels[::-1] if y.ascends else y.labels
        for text, position in zip(labels, (TOP + 8, (TOP + bottom) / 2 + 3, bottom), strict=True):
            parts.append(_text(LEFT - 4, position, text, "end"))
        middle = (TOP + bottom) / 2
        turned = f'transform="rotate(-90 10 {middle})"'
        parts.append(_text(10, middle, _short(y.name), "middle", turned))
    return "".join(parts)


def _short(text):
    return text if len(text) <= 34 else text[:31] + "..."


def _text(x, y, text, anchor, more=""):
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" {more}>{escape(text)}</text>'


def _legend(scale, ends):
    y, width = HEIGHT + 4, WIDTH - LEFT - RIGHT
    (first, *others), base = ticks(*ends)
    texts = [base, *(f"+{label}" for label in others)] if base else [first, *others]
    labels = "".join(
        _text(LEFT + share * width, y + 21, text, anchor)
        for share, text, anchor in zip((0, 0.5, 1), texts, ("start", "middle", "end"), strict=True)
    )
    return (
        f'<image x="{LEFT}" y="{y}" width="{width}" height="8" preserveAspectRatio="none" '
        f'href="{data_uri(gradient(scale))}"/>{labels}'
    )


def _line(field, label, name):
    """Return a picture of both sides, and one of their difference."""
    low, high = _limits_of_line(field)
    sides = [values[0] for values in (field.expected, field.actual)]
    content = _frame("Expected (dashed) and actual", field.columns, _scale_of(low, high))
    for kind, values in zip(("actual", "expected"), reversed(sides), strict=True):
        content += f'<path class="{kind}" d="{_path(values, low, high)}"/>'
    content += _marks(field)
    description = f"{label}: {field.columns.length} values from {number(low)} to {number(high)}."
    first = svg(f"Expected and actual: {label}", description, content, f"{name}-0")
    largest = field.largest or 1.0
    difference = sides[1] - sides[0]
    content = _frame("Difference", field.columns, _scale_of(-largest, largest))
    content += f'<path class="difference" d="{_path(difference, -largest, largest)}"/>'
    content += _marks(field)
    description = (
        f"Actual minus expected of {label}: {int(field.differs.sum())} of {difference.size} cells "
        f"differ, by {number(field.largest)} at most."
    )
    return [first, svg(f"Difference: {label}", description, content, f"{name}-1")]


def _limits_of_line(field):
    both = np.concatenate([field.expected.ravel(), field.actual.ravel()])
    valid = both[np.isfinite(both)]
    if not valid.size:
        return 0.0, 1.0
    low, high = float(valid.min()), float(valid.max())
    return (low, high) if low < high else (low - 0.5, high + 0.5)


def _scale_of(low, high):
    from .fields import Side

    labels, base = ticks(low, high)
    return Side(f"above {base}" if base else "", 3, labels=labels)


def _at(cell, cells):
    return LEFT + (cell + 0.5) / cells * (WIDTH - LEFT - RIGHT)


def _path(values, low, high):
    """Return a line through the values, with gaps where there is no value."""
    bottom, height = HEIGHT - BOTTOM, HEIGHT - TOP - BOTTOM
    parts, drawing = [], False
    for cell, value in enumerate(values):
        if not np.isfinite(value):
            drawing = False
            continue
        x, y = _at(cell, len(values)), bottom - (value - low) / (high - low) * height
        parts.append(f"{'L' if drawing else 'M'}{x:.1f} {y:.1f}" + ("" if drawing else "h.1"))
        drawing = True
    return "".join(parts)


def _marks(field):
    """Return a tick for each cell that differs; magenta where only one side has a number."""
    marks = ""
    cells = field.columns.cells
    for kind, where in (("outside", field.differs & ~field.changed), ("changed", field.changed)):
        marked_cells = np.flatnonzero(where[0])
        if marked_cells.size:
            ticks = "".join(
                f"M{_at(cell, cells):.1f} {HEIGHT - BOTTOM}v-6" for cell in marked_cells
            )
            marks += f'<path class="{kind}" d="{ticks}"/>'
    return marks


def _histogram(field, label, name):
    """Return the histogram of the differences, logarithmic to show a single value."""
    total = int(field.counts.sum())
    if not total or not field.largest:
        return []
    from .fields import Side

    bins = len(field.counts)
    heights = np.log1p(field.counts) / np.log1p(field.counts.max())
    room, bottom = HEIGHT - TOP - BOTTOM, HEIGHT - BOTTOM
    width = (WIDTH - LEFT - RIGHT) / bins
    bars = "".join(
        f'<rect class="bar" x="{LEFT + i * width + 0.5:.1f}" y="{bottom - share * room:.1f}" '
        f'width="{width - 1:.1f}" height="{share * room:.1f}"/>'
        for i, share in enumerate(heights) if share
    )  # fmt: skip
    ends = [tick(value) for value in (-field.largest, 0.0, field.largest)]
    x = Side("actual minus expected", bins, labels=tuple(ends))
    most = int(field.counts.max())
    middle = round(np.expm1(np.log1p(most) / 2))
    labels = "0", tick(middle) if 0 < middle < most else "", str(most)
    y = Side("values, logarithmic", bins, labels=labels)
    description = (
        f"Histogram of {total} differences of {label} from {ends[0]} to {ends[2]}; "
        f"{int(field.counts[bins // 2 + 1 :].sum())} are larger and "
        f"{int(field.counts[: bins // 2].sum())} smaller than expected. Logarithmic."
    )
    content = _frame("How many differ by how much", x, y) + bars
    return [svg(f"Histogram of differences: {label}", description, content, name)]
