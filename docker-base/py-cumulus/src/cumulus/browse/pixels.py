"""Draw the pixels of a swath with matplotlib."""

import numpy as np
from matplotlib.collections import PolyCollection, QuadMesh
from matplotlib.patches import Rectangle

from .swath import polygons

__all__ = ["paint"]


def paint(axes, edges, painted, west):
    """Draw the pixels of a part of a swath, those across the edge of the map in two halves.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
    edges : tuple of two arrays, (rows + 1, columns + 1)
        Longitudes and latitudes of the corners in degrees.
    painted : array, (rows, columns, 4)
        Colours as red, green, blue and opacity in 0..1; pixels of opacity 0 are not drawn.
    west : float
        Longitude of the left edge of the map.
    """
    x, y = (edges[0] - west) % 360 + west, edges[1]
    plain, cut = polygons(x, y, west)
    colours = painted.copy()
    colours[~plain, 3] = 0
    drawn = plain & (painted[..., 3] > 0)
    points = [
        np.column_stack([x[corner][drawn], y[corner][drawn]])
        for corner in (np.s_[:-1, :-1], np.s_[1:, 1:])
    ]
    mesh = QuadMesh(np.nan_to_num(np.stack([x, y], axis=2)), antialiased=False, shading="flat")
    mesh.set_facecolor(colours.reshape(-1, 4))
    mesh.set_in_layout(False)  # pixels that are not drawn have no positions
    axes.add_collection(mesh, autolim=False)
    cut = [part for part in cut if painted[part[0], part[1], 3] > 0]
    if cut:
        halves = PolyCollection(
            [outline for _, _, outline in cut], linewidths=0, antialiased=False,
            facecolors=[painted[row, column] for row, column, _ in cut],
        )  # fmt: skip
        halves.set_in_layout(False)  # they reach beyond the map
        axes.add_collection(halves, autolim=False)
        halves.set_clip_path(Rectangle((west, -90), 360, 180, transform=axes.transData))
        heights = np.concatenate([outline[:, 1] for _, _, outline in cut])
        points.append([[west, heights.min()], [west + 360, heights.max()]])
    axes.update_datalim(np.concatenate(points))
