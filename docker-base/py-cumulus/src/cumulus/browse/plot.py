"""Draw a browse image with matplotlib, which only collections with browse images install."""

from .. import CumulusError
from . import swath

__all__ = ["check", "draw"]

SIZE = 12.0, 6.75  # inches
DPI = 100
MISSING = "#d0d0d0"  # grey, which is no colour of the scale
LINE = "#1f4e79"
SMALLEST = 1e-4  # degrees, some ten metres: a smaller swath is a point
REQUIREMENT = "matplotlib==3.11.2"  # the version that draws the pictures of the tests


def check(rules):
    """Make sure that matplotlib is installed and knows the colour map.

    Raises
    ------
    CumulusError
    """
    try:
        import matplotlib
    except ImportError as error:
        raise CumulusError(
            f"browse images need matplotlib, which is not installed: add the line {REQUIREMENT} to "
            "requirements.txt, then docker compose run build, or make native"
        ) from error
    if rules.colormap not in matplotlib.colormaps:
        raise CumulusError(
            f"[browse] colormap {rules.colormap!r} is unknown; expected a name that matplotlib "
            "knows, such as viridis, cividis, plasma or RdBu_r"
        )


def draw(scene, rules, path):
    """Write the image of a scene as PNG, without a date or a version in it."""
    import matplotlib

    # A user's own configuration of matplotlib must not change the picture.
    with matplotlib.rc_context({**matplotlib.rcParamsDefault, "timezone": "UTC", "backend": "agg"}):
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        figure = Figure(figsize=SIZE, dpi=DPI, layout="constrained")
        FigureCanvasAgg(figure)
        figure.suptitle(_plain(scene.title), fontsize=13)
        if scene.note:
            figure.supxlabel(_plain(f"shown: {scene.note}"), fontsize=9)
        _PANELS[scene.kind](figure, scene, rules)
        _mark_if_empty(figure.axes[0], scene, rules)
        figure.savefig(path, format="png", metadata={"Software": None})


def _mark_if_empty(axes, scene, rules):
    """A picture without any value says so; it could pass for a failed one."""
    if scene.values is not None and not _drawable(scene.values, rules).size:
        above = " above 0" if rules.scale == "log" else ""
        _write(axes, f"no values{above}")


def _write(axes, text):
    axes.text(
        0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center",
        fontsize=16, bbox={"facecolor": "white", "edgecolor": "none"},
    )  # fmt: skip


def _drawable(values, rules):
    import numpy as np

    return values[np.isfinite(values) & ((values > 0) | (rules.scale != "log"))]


def _plain(text):
    """Text for matplotlib, which would read a dollar sign as the begin of a formula."""
    return text.replace("$", r"\$")


def _beside_track(figure, scene):
    """The main panel, with the track of the scene, if any, on its right."""
    if not len(scene.track[0]):
        return figure.add_subplot()
    main, side = figure.subplots(1, 2, width_ratios=[3, 1])
    _draw_track(side, scene.track)
    return main


def _curtain(figure, scene, rules):
    axes = _beside_track(figure, scene)
    _colours(figure, axes, _image(axes, scene, rules), scene, rules)
    _label_axes(axes, scene)


def _map(figure, scene, rules):
    axes = figure.add_subplot()
    _colours(figure, axes, _image(axes, scene, rules), scene, rules)
    _label_axes(axes, scene)
    _true_shape(axes, scene.y.values)


def _swath(figure, scene, rules):
    """Pixels between the corners of their neighbours; what has no position is not drawn."""
    import numpy as np
    from matplotlib.cm import ScalarMappable

    from .pixels import paint

    axes = figure.add_subplot()
    norm, colours = _scale(scene.values, rules)
    painted = colours(norm(np.ma.masked_invalid(scene.values)))
    east, north = scene.x.values, scene.y.values
    painted[~(np.isfinite(east) & np.isfinite(north)), 3] = 0
    west = 0.0 if np.nanmax(east) > 180 else -180.0
    for rows in swath.segments(east, north):
        paint(axes, swath.corners(east[rows], north[rows]), painted[rows], west)
    _colours(figure, axes, ScalarMappable(norm, colours), scene, rules)
    _label_axes(axes, scene)
    axes.autoscale_view()
    if np.nanmax(np.ptp(axes.dataLim.get_points(), axis=0)) < SMALLEST:
        point = f"{np.nanmean(north):.4f}, {np.nanmean(east):.4f}"
        _write(axes, f"all pixels lie at latitude, longitude {point}")
    _true_shape(axes, north)


def _profile(figure, scene, rules):
    import numpy as np

    axes = _beside_track(figure, scene)
    valid = np.isfinite(scene.values) & np.isfinite(scene.y.values)
    axes.plot(scene.values[valid], scene.y.values[valid], color=LINE, linewidth=1.2)
    _limit(axes.set_xlim, axes.set_xscale, rules)
    axes.set_xlabel(_plain(scene.label))
    axes.set_ylabel(_plain(scene.y.label))
    axes.grid(alpha=0.3)


def _series(figure, scene, rules):
    import numpy as np

    axes = _beside_track(figure, scene)
    horizontal = range(len(scene.values)) if scene.x is None else _positions(axes, scene.x)
    horizontal = np.asarray(horizontal)
    valid = np.isfinite(scene.values) & np.isfinite(horizontal)
    beside = np.concatenate([[False], valid, [False]])
    lonely = valid & ~beside[:-2] & ~beside[2:]  # a line would not show them
    axes.plot(horizontal, scene.values, color=LINE, linewidth=1.0)
    axes.plot(horizontal[lonely], scene.values[lonely], ".", color=LINE, markersize=3)
    _limit(axes.set_ylim, axes.set_yscale, rules)
    axes.set_ylabel(_plain(scene.label))
    axes.set_xlabel("index" if scene.x is None else _axis_label(scene.x))
    axes.grid(alpha=0.3)


def _only_track(figure, scene, _rules):
    _draw_track(figure.add_subplot(), scene.track)


_PANELS = {
    "curtain": _curtain,
    "map": _map,
    "grid": _curtain,
    "swath": _swath,
    "profile": _profile,
    "series": _series,
    "track": _only_track,
}


def _image(axes, scene, rules):
    norm, colours = _scale(scene.values, rules)
    x, y = _positions(axes, scene.x), scene.y.values
    extent = (*_edges(x), *_edges(y))
    return axes.imshow(
        scene.values, origin="lower", aspect="auto", interpolation="nearest", extent=extent,
        norm=norm, cmap=colours,
    )  # fmt: skip


def _edges(centres):
    half = (centres[-1] - centres[0]) / max(len(centres) - 1, 1) / 2 or 0.5
    return centres[0] - half, centres[-1] + half


def _scale(values, rules):
    """The colours: over [browse] range, else without the lowest and highest hundredth."""
    import matplotlib
    import numpy as np
    from matplotlib.colors import LogNorm, Normalize

    valid = _drawable(values, rules)
    low, high = rules.range or (np.percentile(valid, (1, 99)) if valid.size else (1, 10))
    if rules.scale == "log" and low <= 0:
        raise CumulusError(f"[browse] range begins at {low}; a logarithmic scale begins above 0")
    if low >= high:
        low, high = low - abs(low) / 2 - (low == 0), high + abs(high) / 2 + (high == 0)
    norm = LogNorm(low, high) if rules.scale == "log" else Normalize(low, high)
    return norm, matplotlib.colormaps[rules.colormap].with_extremes(bad=MISSING)


def _colours(figure, axes, mappable, scene, rules):
    if rules.range or _drawable(scene.values, rules).size:  # without values a scale has no meaning
        figure.colorbar(mappable, ax=axes, label=_plain(scene.label), extend="both", pad=0.02)


def _limit(set_limits, set_scale, rules):
    set_scale(rules.scale)
    if rules.range:
        set_limits(*rules.range)


def _label_axes(axes, scene):
    axes.set_xlabel(_axis_label(scene.x))
    axes.set_ylabel(_axis_label(scene.y))


def _axis_label(axis):
    return _plain(f"{axis.label} (UTC)" if axis.times else axis.label)


def _positions(axes, axis):
    """The values along the x axis; times become matplotlib's dates."""
    if axis.times is None:
        return axis.values
    import matplotlib.dates
    import numpy as np

    from ..products.times import decode

    values = np.asarray(axis.values)
    known = np.isfinite(values)
    if known.sum() < 2:
        return values
    # A date is linear in its time, so that two of them give all others.
    first, last = np.nanmin(values), np.nanmax(values)
    try:
        days = matplotlib.dates.date2num(decode([float(first), float(last)], *axis.times))
    except (ValueError, OverflowError) as error:
        raise CumulusError(f"cannot draw the times of {axis.label!r}: {error}") from error
    locator = matplotlib.dates.AutoDateLocator()
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(matplotlib.dates.ConciseDateFormatter(locator))
    slope = (days[1] - days[0]) / ((last - first) or 1)
    return days[0] + (values - first) * slope


def _draw_track(axes, track):
    longitude, latitude = track
    axes.plot(longitude, latitude, color=LINE, linewidth=1.2)
    axes.plot(longitude[:1], latitude[:1], "o", color="#2a7f2a", label="begin")
    axes.plot(longitude[-1:], latitude[-1:], "s", color="#b5341f", label="end")
    axes.set_xlabel("longitude (degrees east)")
    axes.set_ylabel("latitude (degrees north)")
    axes.tick_params(axis="x", labelrotation=45)
    axes.ticklabel_format(useOffset=False)
    axes.grid(alpha=0.3)
    axes.legend(loc="best", fontsize=8)
    axes.margins(0.1)
    _true_shape(axes, latitude)


def _true_shape(axes, latitude):
    """Scale the axes as distances are in the middle of the picture."""
    import numpy as np

    middle = (np.nanmin(latitude) + np.nanmax(latitude)) / 2
    axes.set_aspect(1 / max(float(np.cos(np.radians(middle))), 0.1), adjustable="datalim")
