"""Differences of two PNG images: size, pixels and how colours are meant; texts do not count.

Format: https://www.w3.org/TR/png-3/
"""

import contextlib
import itertools
import struct
import warnings
import zlib

import numpy as np
import png

from .documents import byte_differences
from .model import Difference, Unreadable, Values
from .numbers import shortened

__all__ = ["differences", "read"]

_MOST = 1 << 25  # pixels: more would take a gigabyte of memory
_ROWS = 256  # that are compared at once
_COLOURS = (b"cHRM", b"cICP", b"gAMA", b"iCCP", b"sRGB")  # chunks by which a viewer shows colours
_ANIMATED = b"acTL"
_NAMES = ("red", "green", "blue", "opacity")


def differences(expected, actual, rules):
    """Compare two images pixel by pixel.

    A channel may differ by ``rules.pixel_atol`` (of 255), and ``rules.pixel_share`` of the pixels
    by more. Colours that are fully transparent are equal.
    """
    chunks = [_chunks(path) for path in (expected, actual)]
    if any(_ANIMATED in names for names in chunks):  # only its first image is decoded
        return byte_differences(expected, actual)
    pixels = [_pixels(path, names) for path, names in zip((expected, actual), chunks, strict=True)]
    return [*_colour_differences(*chunks), *_pixel_differences(*pixels, rules)]


def _colour_differences(expected, actual):
    for name in _COLOURS:
        if expected.get(name) != actual.get(name):
            both = [chunks.get(name, b"").hex() or "none" for chunks in (expected, actual)]
            shown = shortened(*both, 80)
            message = f"chunk {name.decode()}: expected {shown[0]}, actual {shown[1]}"
            yield Difference("attribute", "", message, name.decode(), *both)


def _pixel_differences(a, b, rules):
    if a.shape != b.shape:
        sizes = [f"{pixels.shape[1]} x {pixels.shape[0]} pixels" for pixels in (a, b)]
        return [Difference("shape", "", f"expected {sizes[0]}, actual {sizes[1]}", "", *sizes)]
    if a.dtype != b.dtype:
        a, b = (x if x.dtype == np.uint16 else x.astype("u2") * 257 for x in (a, b))
    unit = 257 if a.dtype == np.uint16 else 1
    count, largest, (row, column) = _worst_pixel(a, b, rules.pixel_atol * unit)
    height, width = a.shape[:2]
    total = height * width
    if count <= rules.pixel_share * total:
        return []
    colours = [_colour(pixels[row, column]) for pixels in (a, b)]
    values = Values(
        index=(row, column),
        expected=colours[0],
        actual=colours[1],
        differing=count,
        total=total,
        largest=largest / unit,
        relative=largest / unit / 255,
        atol=float(rules.pixel_atol),
        shape=(height, width),
        dimensions=("row", "column"),
    )
    message = (
        f"{count} of {total} pixels differ, {count / total:.2g} of all\n"
        f"    worst in row {row}, column {column}: expected {colours[0]}, actual {colours[1]}\n"
        f"    tolerance: pixel_atol {rules.pixel_atol:g}, pixel_share {rules.pixel_share:g}"
    )
    return [Difference("value", "", message, "", *colours, values)]


def _worst_pixel(a, b, atol):
    """Return how many pixels differ by more than atol, the largest difference and its index."""
    count, largest, index = 0, 0, (0, 0)
    for start in range(0, len(a), _ROWS):
        x, y = a[start : start + _ROWS], b[start : start + _ROWS]
        distance = (np.maximum(x, y) - np.minimum(x, y)).max(axis=-1)
        count += int(np.count_nonzero(distance > atol))
        if distance.max() > largest:
            row, column = (int(i) for i in np.unravel_index(np.argmax(distance), distance.shape))
            index, largest = (row + start, column), int(distance.max())
    return count, largest, index


def _colour(pixel):
    return ", ".join(f"{name} {int(level)}" for name, level in zip(_NAMES, pixel, strict=True))


def read(path):
    """Return the pixels of a PNG file.

    Returns
    -------
    numpy.ndarray
        Unsigned 8-bit numbers (16-bit, if the file has such) of shape (rows, columns, 4): red,
        green, blue, opacity; all 0 where the opacity is.

    Raises
    ------
    cumulus.compare.Unreadable
        The file is damaged, or has too many pixels.
    """
    return _pixels(path, _chunks(path))


@contextlib.contextmanager
def _readable(path):
    try:
        with warnings.catch_warnings(action="ignore"):  # of chunks in a wrong order
            yield
    except (png.Error, struct.error, zlib.error, ValueError, IndexError) as error:
        reason = " ".join(map(str, error.args))  # str() of a png.Error begins with its class
        raise Unreadable(f"cannot read {str(path)!r} as PNG: {reason}") from error


def _chunks(path):
    """Return the content of the file's chunks by name, those of equal name joined."""
    chunks = {}
    with _readable(path), open(path, "rb") as file:
        for name, content in png.Reader(file=file).chunks():
            chunks.setdefault(name, []).append(content)
    return {name: b"".join(contents) for name, contents in chunks.items()}


def _pixels(path, chunks):
    with _readable(path), open(path, "rb") as file:
        if next(iter(chunks)) != b"IHDR":
            raise ValueError("it does not begin with a header")
        reader = png.Reader(file=file)
        reader.preamble()
        if not 0 < reader.width * reader.height <= _MOST:
            size = f"{reader.width} x {reader.height} pixels"
            raise ValueError(f"it has {size}; 1 to {_MOST} can be compared")
        _check_inflated(chunks.get(b"IDAT", b""), reader)
        return _colours(_levels(reader), reader)


def _check_inflated(compressed, reader):
    """Inflate without keeping anything: the decoder sets no limit to what a few bytes grow to."""
    # The passes of an interlaced image have fewer than twice its rows, padded to whole bytes.
    most = 2 * reader.height * (reader.row_bytes + 2)
    inflater, size = zlib.decompressobj(), 0
    while compressed and not inflater.eof:
        size += len(inflater.decompress(compressed, 1 << 20))
        if size > most:
            raise ValueError("it holds more than its pixels")
        compressed = inflater.unconsumed_tail
    if not inflater.eof:
        raise ValueError("its pixels break off")


def _levels(reader):
    """Return the stored levels as an array of shape (rows, columns, channels)."""
    width, height, rows, info = reader.read()
    levels = np.empty((height, width * info["planes"]), "u2" if info["bitdepth"] == 16 else "u1")
    count = 0
    try:
        for count, row in enumerate(itertools.islice(rows, height), 1):
            levels[count - 1] = np.frombuffer(row, levels.dtype)
    except (IndexError, ValueError) as error:  # of interlaced rows the decoder checks no length
        raise ValueError("its pixels break off") from error
    if count < height:
        raise ValueError(f"it has {count} of {height} rows")
    return levels.reshape(height, width, info["planes"])


def _colours(levels, reader):
    """Make red, green, blue and opacity of the stored levels."""
    full = 65535 if reader.bitdepth == 16 else 255
    pixels = np.full((*levels.shape[:2], 4), full, levels.dtype)
    if reader.colormap:
        palette = np.array(reader.palette(alpha="force"), "u1")
        pixels[...] = palette[levels[..., 0]]
    else:
        scale = full // ((1 << reader.bitdepth) - 1)
        pixels[..., :3] = levels[..., : reader.color_planes] * scale
        if reader.alpha:
            pixels[..., 3] = levels[..., -1]
        elif reader.transparent:
            pixels[(levels == reader.transparent).all(axis=-1), 3] = 0
    pixels[pixels[..., 3] == 0] = 0
    return pixels
