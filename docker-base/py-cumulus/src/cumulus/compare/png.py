"""Differences of two PNG pictures: size, pixels, what their colours mean; texts do not count.

A decoder of our own, since every library that reads PNG would bring a dozen others into the image.
Format: https://www.w3.org/TR/png-3/
"""

import contextlib
import struct
import zlib

import numpy as np

from .documents import byte_differences
from .model import Difference, Unreadable, Values
from .numbers import shortened

__all__ = ["differences", "read"]

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}  # of a colour type
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_PALETTE = 3
_MOST = 1 << 25  # pixels: more would take a gigabyte of memory
_ROWS = 256  # that are compared at once
_COLOURS = (b"cHRM", b"cICP", b"gAMA", b"iCCP", b"sRGB")  # chunks by which a viewer shows colours
_ANIMATED = b"acTL"
_WHOLE = [(0, 0, 1, 1)]
# Of the seven passes of an interlaced picture: first column, first row, steps of both.
_PASSES = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
]
_NAMES = ("red", "green", "blue", "opacity")


def differences(expected, actual, rules):
    """Compare two pictures pixel by pixel.

    A channel may differ by ``rules.pixel_atol`` (of 255), and ``rules.pixel_share`` of the pixels
    by more. Colours that are fully transparent are equal.
    """
    both = [_parts(path) for path in (expected, actual)]
    if any(_ANIMATED in parts for parts in both):  # further pictures, which we do not read
        return byte_differences(expected, actual)
    a, b = (_pixels(path, parts) for path, parts in zip((expected, actual), both, strict=True))
    return [*_colour_differences(*both), *_pixel_differences(a, b, rules)]


def _colour_differences(expected, actual):
    for name in _COLOURS:
        if expected.get(name) != actual.get(name):
            both = [parts.get(name, b"").hex() or "none" for parts in (expected, actual)]
            shown = shortened(*both, 80)
            message = f"chunk {name.decode()}: expected {shown[0]}, found {shown[1]}"
            yield Difference("attribute", "", message, name.decode(), *both)


def _pixel_differences(a, b, rules):
    if a.shape != b.shape:
        sizes = [f"{one.shape[1]} x {one.shape[0]} pixels" for one in (a, b)]
        return [Difference("shape", "", f"expected {sizes[0]}, found {sizes[1]}", "", *sizes)]
    if a.dtype != b.dtype:
        a, b = (one if one.dtype == np.uint16 else one.astype("u2") * 257 for one in (a, b))
    unit = 257 if a.dtype == np.uint16 else 1
    height, width = a.shape[:2]
    count, largest, total = 0, 0, height * width
    for start in range(0, height, _ROWS):
        x, y = a[start : start + _ROWS], b[start : start + _ROWS]
        distance = (np.maximum(x, y) - np.minimum(x, y)).max(axis=-1)
        count += int(np.count_nonzero(distance > rules.pixel_atol * unit))
        if distance.max() > largest:
            row, column = (int(i) for i in np.unravel_index(np.argmax(distance), distance.shape))
            row, largest = row + start, int(distance.max())
    if count <= rules.pixel_share * total:
        return []
    texts = [_color(one[row, column]) for one in (a, b)]
    values = Values(
        index=(row, column),
        expected=texts[0],
        actual=texts[1],
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
        f"    worst in row {row}, column {column}: expected {texts[0]}, found {texts[1]}\n"
        f"    tolerance: pixel_atol {rules.pixel_atol:g}, pixel_share {rules.pixel_share:g}"
    )
    return [Difference("value", "", message, "", *texts, values)]


def _color(pixel):
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
        The file is damaged.
    """
    return _pixels(path, _parts(path))


def _pixels(path, parts):
    with _readable(path):
        return _decode(parts)


@contextlib.contextmanager
def _readable(path):
    try:
        yield
    except (struct.error, zlib.error, ValueError, KeyError, IndexError) as error:
        raise Unreadable(f"cannot read {str(path)!r} as PNG: {error}") from error


def _parts(path):
    """Return the content of the file's chunks by name, those of equal name joined."""
    parts = {}
    with _readable(path), open(path, "rb") as file:
        file.seek(8)
        while b"IEND" not in parts:
            length, name = struct.unpack(">I4s", file.read(8))
            content = file.read(length)
            (checksum,) = struct.unpack(">I", file.read(4))
            if zlib.crc32(name + content) != checksum:
                raise ValueError(f"the checksum of its chunk {name.decode('latin-1')} is wrong")
            parts.setdefault(name, []).append(content)
    return {name: b"".join(contents) for name, contents in parts.items()}


def _decode(parts):
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", parts[b"IHDR"])
    if depth not in _DEPTHS.get(kind, ()):
        raise ValueError(f"there is no colour type {kind} with {depth} bits")
    if not 0 < width * height <= _MOST:
        raise ValueError(f"it has {width} x {height} pixels, and may have 1 to {_MOST}")
    channels = _CHANNELS[kind]
    passes = []  # place in the picture, shape of its lines as they are stored
    for left, top, right, down in _PASSES if interlaced else _WHOLE:
        columns, rows = -(-(width - left) // right), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            place = slice(top, None, down), slice(left, None, right)
            passes.append((place, columns, (rows, 1 + -(-columns * channels * depth // 8))))
    size = sum(rows * row_size for _, _, (rows, row_size) in passes)
    # No more than that, whatever a few bytes may blow up to; one more, so that zlib checks its sum.
    data = zlib.decompressobj().decompress(parts[b"IDAT"], size + 1)
    if len(data) < size:
        raise ValueError("its pixels break off")
    data, step = np.frombuffer(data, "u1"), max(1, channels * depth // 8)
    levels = np.zeros((height, width, channels), "u2" if depth == 16 else "u1")
    for place, columns, (rows, row_size) in passes:
        lines = _unfilter(data[: rows * row_size].reshape(rows, row_size), step)
        levels[place] = _levels(lines, columns, channels, depth)
        data = data[rows * row_size :]
    return _colors(levels, depth, kind, parts)


def _unfilter(lines, step):
    """Undo the prediction of each line from the one above and the pixel to the left."""
    above = np.zeros(lines.shape[1] - 1, "u1")
    result = np.empty((lines.shape[0], lines.shape[1] - 1), "u1")
    for number, line in enumerate(lines):
        method, line = int(line[0]), line[1:]
        if method == 1:
            line = _summed(line, step)
        elif method == 2:
            line = line + above
        elif method in (3, 4):
            line = (_averaged if method == 3 else _paeth)(line.tolist(), above.tolist(), step)
        elif method:
            raise ValueError(f"no filter has the number {method}")
        result[number] = above = np.asarray(line, "u1")
    return result


def _summed(line, step):
    padded = np.zeros(-(-len(line) // step) * step, "u1")
    padded[: len(line)] = line
    return padded.reshape(-1, step).cumsum(axis=0, dtype="u1").ravel()[: len(line)]


def _averaged(line, above, step):
    for i in range(len(line)):
        left = line[i - step] if i >= step else 0
        line[i] = (line[i] + (left + above[i]) // 2) & 255
    return line


def _paeth(line, above, step):
    for i in range(min(step, len(line))):
        line[i] = (line[i] + above[i]) & 255
    for i in range(step, len(line)):
        left, up, corner = line[i - step], above[i], above[i - step]
        to_left, to_up = abs(up - corner), abs(left - corner)
        to_corner = abs(left + up - 2 * corner)
        if to_left <= to_up and to_left <= to_corner:
            best = left
        else:
            best = up if to_up <= to_corner else corner
        line[i] = (line[i] + best) & 255
    return line


def _levels(lines, columns, channels, depth):
    if depth == 16:
        lines = lines.view(">u2")
    elif depth < 8:
        bits = np.unpackbits(lines, axis=1)[:, : columns * depth]
        lines = bits.reshape(len(lines), columns, depth) @ (1 << np.arange(depth)[::-1])
    return lines.reshape(len(lines), columns, channels)


def _colors(levels, depth, kind, parts):
    """Make red, green, blue and opacity of the stored levels."""
    height, width, channels = levels.shape
    full = 65535 if depth == 16 else 255
    result = np.full((height, width, 4), full, levels.dtype)
    transparent = parts.get(b"tRNS", b"")
    if kind == _PALETTE:
        palette = np.frombuffer(parts[b"PLTE"], "u1").reshape(-1, 3)
        opacity = np.full(len(palette), 255, "u1")
        opacity[: len(transparent)] = np.frombuffer(transparent, "u1")
        result[..., :3], result[..., 3] = palette[levels[..., 0]], opacity[levels[..., 0]]
    else:
        colored = channels - (kind in (4, 6))
        scale = full // ((1 << depth) - 1)
        result[..., :3] = levels[..., :colored] * scale
        if kind in (4, 6):
            result[..., 3] = levels[..., -1]
        elif transparent:
            color = np.array(struct.unpack(f">{colored}H", transparent))
            result[(levels == color).all(axis=-1), 3] = 0
    result[result[..., 3] == 0] = 0
    return result
