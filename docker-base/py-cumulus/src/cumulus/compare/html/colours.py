"""Colour scales that colour-blind people can read, and the PNG images made with them."""

import base64
import struct
import zlib

import numpy as np

__all__ = [
    "CHANGED",
    "DIFFERENCE",
    "LEVELS",
    "MISSING",
    "VALUES",
    "data_uri",
    "gradient",
    "paint",
    "paint_colours",
]

LEVELS = 249  # colours of a scale; it is odd, so that there is a middle colour
MISSING, CHANGED = 250, 251  # no value on both sides; on one side
_MAGENTA = 214, 0, 147


def _scale(*anchors):
    """Interpolate colours linearly between anchors."""
    anchors = np.array(anchors, "f8")
    positions = np.linspace(0, len(anchors) - 1, LEVELS)
    channels = [np.interp(positions, np.arange(len(anchors)), levels) for levels in anchors.T]
    return np.stack(channels, axis=1).round().astype("u1")


# Values go from dark blue to yellow with rising lightness, so that they read in grey; differences
# from blue over white to orange. Neither scale needs red and green to be told apart.
VALUES = _scale((16, 28, 84), (24, 84, 130), (68, 136, 130), (150, 180, 100), (250, 232, 100))
DIFFERENCE = _scale((10, 50, 140), (90, 140, 215), (250, 250, 248), (235, 150, 60), (150, 65, 0))


def paint(levels, scale):
    """Return a PNG image of an array of levels.

    Parameters
    ----------
    levels : array of uint8, (rows, columns)
        Index of a colour of the scale, MISSING or CHANGED; the first row is at the top.
    scale : array of uint8, (LEVELS, 3)
    """
    palette = np.zeros((256, 3), "u1")
    palette[: len(scale)] = scale
    palette[CHANGED] = _MAGENTA
    opacity = b"\xff" * MISSING + b"\0"
    return _png(levels[:, :, None], 3, (b"PLTE", palette.tobytes()), (b"tRNS", opacity))


def paint_colours(pixels):
    """Return a PNG image of red, green, blue and opacity: uint8, (rows, columns, 4)."""
    return _png(pixels, 6)


def _png(pixels, kind, *chunks):
    rows, columns, _ = pixels.shape
    lines = np.zeros(
        (rows, columns * pixels.shape[2] + 1), "u1"
    )  # each line begins with its filter: 0
    lines[:, 1:] = pixels.reshape(rows, -1)
    head = struct.pack(">IIBBBBB", columns, rows, 8, kind, 0, 0, 0)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(lines.tobytes(), 9)), (b"IEND", b"")]
    text = b"\x89PNG\r\n\x1a\n"
    for name, content in parts:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        text += struct.pack(">I", len(content)) + name + content + checksum
    return text


def data_uri(picture):
    """Return a PNG image as a data URI."""
    return "data:image/png;base64," + base64.b64encode(picture).decode("ascii")


def gradient(scale):
    """Return the image of a colour scale, from left to right."""
    return paint(np.arange(len(scale), dtype="u1")[None, :], scale)
