"""Pictures of a Field as inline SVG: both sides and their difference, and a histogram.

Text is SVG text in the colour of the page: it is sharp at any size and follows light and dark. The
cells are an embedded PNG. Every picture has a title and a description for screen readers.
"""

from dataclasses import replace

import numpy as np

from .axes import count_axis, value_axis
from .colours import CHANGED, DIFFERENCE, LEVELS, MISSING, VALUES, data_uri, gradient, paint
from .text import escape, number

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


def pictures_of(field, label, name, units=""):
    """Return the pictures of a field, as a list of SVG texts; a histogram is the last.

    Parameters
    ----------
    field : cumulus.compare.html.fields.Field
    label : str
        Name of the variable.
    name : str
        Unique on the page.
    units : str
        Written at the values; empty: none.
    """
    label = f"{label} ({units})" if units else label
    drawn = _line if field.is_line else _planes
    return [*drawn(field, label, name, units), *_histogram(field, label, f"{name}-h", units)]


def _planes(field, label, name, units):
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
        _plane(
            field, what, levels.astype("u1"), scale, ends, label, text, f"{name}-{number_}", units
        )
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


def _plane(field, what, levels, scale, ends, label, description, name, units):
    x, y = field.columns, field.rows
    worst = field.columns.worst // x.step, field.rows.worst // y.step
    if field.rows.is_time and not field.columns.is_time:  # time runs from left to right
        levels, x, y, worst = levels.T, y, x, worst[::-1]
    if y.axis.ascends:
        levels, worst = levels[::-1], (worst[0], y.cells - 1 - worst[1])
    if not x.axis.ascends:
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
        + _frame(what, x.axis, y.axis)
        + _ring(*centre)
        + _legend(scale, ends, units)
    )
    return svg(f"{what}: {label}", description, content, name, HEIGHT + 46)


def _ring(x, y):
    return "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="none" stroke="{colour}" '
        f'stroke-width="{width}"/>'
        for colour, width in (("#fff", 3.5), ("#000", 1.5))
    )


def _frame(title, x, y):
    """Draw border, title, and the ticks and names of both axes."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    middle = (TOP + bottom) / 2
    return "".join([
        f'<rect class="axis" x="{LEFT}" y="{TOP}" width="{right - LEFT}" '
        f'height="{bottom - TOP}" fill="none"/>',
        f'<text class="title" x="{LEFT}" y="14">{escape(title)}</text>',
        _ticks_below(x, bottom),
        _text((LEFT + right) / 2, bottom + 28, _short(x.name), "middle"),
        _ticks_at_left(y),
        _text(10, middle, _short(y.name), "middle", f'transform="rotate(-90 10 {middle})"'),
    ])  # fmt: skip


def _ticks_below(axis, top):
    """Return ticks below a picture or a colour bar, as many as have room."""
    width, ticks = WIDTH - LEFT - RIGHT, axis.ticks
    while len(ticks) > 1 and 7 * sum(len(text) for _, text in ticks) > width:
        ticks = ticks[::2]
    marks = texts = ""
    for share, text in ticks:
        x = LEFT + (share if axis.ascends else 1 - share) * width
        marks += f"M{x:.1f} {top}v3"
        texts += _text(round(x, 1), top + 13, text, "end" if x > LEFT + 0.95 * width else "middle")
    return f'<path class="axis" d="{marks}"/>{texts}' if marks else ""


def _ticks_at_left(axis):
    height, bottom = HEIGHT - TOP - BOTTOM, HEIGHT - BOTTOM
    marks = texts = ""
    for share, text in axis.ticks:
        y = bottom - (share if axis.ascends else 1 - share) * height
        marks += f"M{LEFT} {y:.1f}h-3"
        texts += _text(LEFT - 5, round(y + 4, 1), text, "end")
    return f'<path class="axis" d="{marks}"/>{texts}' if marks else ""


def _short(text):
    return text if len(text) <= 34 else text[:31] + "..."


def _text(x, y, text, anchor, more=""):
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" {more}>{escape(text)}</text>'


def _legend(scale, ends, units):
    y, width = HEIGHT + 4, WIDTH - LEFT - RIGHT
    axis = value_axis(units, *ends)
    return (
        f'<image x="{LEFT}" y="{y}" width="{width}" height="8" preserveAspectRatio="none" '
        f'href="{data_uri(gradient(scale))}"/>'
        + _ticks_below(axis, y + 8)
        + _text(LEFT + width / 2, y + 34, _short(axis.name), "middle")
    )


def _line(field, label, name, units):
    """Return a picture of both sides, and one of their difference."""
    low, high = _limits_of_line(field)
    sides = [values[0] for values in (field.expected, field.actual)]
    x = replace(field.columns.axis, ascends=True)  # samples run from left to right
    style = " step" if field.whole else ""
    title = f"Expected ({'wide' if field.whole else 'dashed'}) and actual"
    content = _frame(title, x, value_axis(units, low, high, field.whole))
    order = ("expected", "actual") if field.whole else ("actual", "expected")
    for kind in order:
        values = sides[kind == "actual"]
        content += f'<path class="{kind}{style}" d="{_path(values, low, high, field.whole)}"/>'
    content += _marks(field)
    description = f"{label}: {field.columns.length} values from {number(low)} to {number(high)}."
    first = svg(f"Expected and actual: {label}", description, content, f"{name}-0")
    ends = -(field.largest or 1.0), field.largest or 1.0
    difference = sides[1] - sides[0]
    content = _frame("Difference", x, value_axis(units, *ends, field.whole))
    content += f'<path class="difference" d="{_path(difference, *ends, field.whole)}"/>'
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
    margin = (high - low) / 25 if field.whole else 0.0  # wide steps stay within the border
    return (low - margin, high + margin) if low < high else (low - 0.5, high + 0.5)


def _at(cell, cells):
    return LEFT + (cell + 0.5) / cells * (WIDTH - LEFT - RIGHT)


def _path(values, low, high, steps=False):
    """Return a line through the values, or steps as wide as the cells; gaps have no value."""
    bottom, height = HEIGHT - BOTTOM, HEIGHT - TOP - BOTTOM
    half = (WIDTH - LEFT - RIGHT) / len(values) / 2
    parts, drawing = [], False
    for cell, value in enumerate(values):
        if not np.isfinite(value):
            drawing = False
            continue
        x, y = _at(cell, len(values)), bottom - (value - low) / (high - low) * height
        if steps:
            start = f"V{y:.1f}" if drawing else f"M{x - half:.1f} {y:.1f}"
            parts.append(f"{start}H{x + half:.1f}")
        else:
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


def _histogram(field, label, name, units):
    """Return the histogram of the differences, logarithmic to show a single value."""
    total = int(field.counts.sum())
    if not total or not field.largest:
        return []
    bins = len(field.counts)
    heights = np.log1p(field.counts) / np.log1p(field.counts.max())
    room, bottom = HEIGHT - TOP - BOTTOM, HEIGHT - BOTTOM
    width = (WIDTH - LEFT - RIGHT) / bins
    bars = "".join(
        f'<rect class="bar" x="{LEFT + i * width + 0.5:.1f}" y="{bottom - share * room:.1f}" '
        f'width="{width - 1:.1f}" height="{share * room:.1f}"/>'
        for i, share in enumerate(heights) if share
    )  # fmt: skip
    name_of_x = f"actual minus expected {units}".strip()
    x = value_axis(name_of_x, -field.largest, field.largest, field.whole)
    y = count_axis("values, logarithmic", int(field.counts.max()))
    description = (
        f"Histogram of {total} differences of {label} from "
        f"{number(-field.largest)} to {number(field.largest)}; "
        f"{int(field.counts[bins // 2 + 1 :].sum())} are larger and "
        f"{int(field.counts[: bins // 2].sum())} smaller than expected. Logarithmic."
    )
    content = _frame("How many differ by how much", x, y) + bars
    return [svg(f"Histogram of differences: {label}", description, content, name)]
