"""Comparison of pictures: every kind of PNG is read, and what differs is named."""

import itertools
import struct
import time
import zlib

import numpy as np
import pytest

from cumulus.collection import CompareRules
from cumulus.compare import Unreadable, compare_files
from cumulus.compare.png import read

CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
PALETTE = np.arange(256 * 3, dtype="u4").astype("u1").reshape(256, 3)
ADAM7 = [
    (slice(y, None, dy), slice(x, None, dx))
    for x, y, dx, dy in (
        (0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
        (0, 1, 1, 2),
    )
]  # fmt: skip


def chunk(name, content):
    return (
        struct.pack(">I", len(content))
        + name
        + content
        + struct.pack(">I", zlib.crc32(name + content))
    )


def predicted(line, above, step, method):
    """The bytes of a line as a filter stores them, straight from the specification."""
    stored = [method]
    for i, value in enumerate(line):
        left, up = (line[i - step] if i >= step else 0), above[i]
        corner = above[i - step] if i >= step else 0
        estimate = left + up - corner
        nearest = min((left, up, corner), key=lambda one: abs(estimate - one))
        stored.append((value - [0, left, up, (left + up) // 2, nearest][method]) % 256)
    return bytes(stored)


def packed(line, depth):
    """One row of levels as bytes."""
    if depth == 16:
        return line.astype(">u2").tobytes()
    bits = (line.ravel()[:, None] >> np.arange(depth)[::-1]) & 1
    return np.packbits(bits.astype("u1").ravel()).tobytes()


def write(path, levels, kind, depth, *, interlaced=False, text=b"", transparent=b"", filters=None):
    """Write levels of shape (rows, columns, channels); each line by the next filter."""
    step = max(1, CHANNELS[kind] * depth // 8)
    filters = itertools.cycle(filters or range(5))
    data = b""
    for place in ADAM7 if interlaced else [(slice(None), slice(None))]:
        part = levels[place]
        if 0 in part.shape:
            continue
        above = None
        for row in part:
            line = packed(row, depth)
            data += predicted(line, above or bytes(len(line)), step, next(filters))
            above = line
    height, width, _ = levels.shape
    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    content += chunk(b"tEXt", b"Date\0" + text)
    if kind == 3:
        content += chunk(b"PLTE", PALETTE.tobytes())
    if transparent:
        content += chunk(b"tRNS", transparent)
    compressed = zlib.compress(data)
    content += chunk(b"IDAT", compressed[:10]) + chunk(b"IDAT", compressed[10:])
    path.write_bytes(content + chunk(b"IEND", b""))
    return path


def levels(kind, depth, shape=(9, 13)):
    rng = np.random.default_rng(kind * 100 + depth)
    return rng.integers(0, 1 << depth, (*shape, CHANNELS[kind]), "u4")


def meaning(stored, kind, depth):
    """Red, green, blue and opacity of stored levels, by the specification."""
    if kind == 3:
        color, opacity = PALETTE[stored[..., 0]], np.full((*stored.shape[:2], 1), 255)
    else:
        full = 65535 if depth == 16 else 255
        scaled = stored * (full // ((1 << depth) - 1))
        color = scaled if kind == 2 else scaled[..., :3] if kind == 6 else scaled[..., :1]
        color = np.broadcast_to(color, (*stored.shape[:2], 3))
        opacity = scaled[..., -1:] if kind in (4, 6) else np.full((*stored.shape[:2], 1), full)
    pixels = np.concatenate([color, opacity], axis=-1)
    return np.where(pixels[..., 3:] == 0, 0, pixels)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize(("kind", "depth"), [(k, d) for k in DEPTHS for d in DEPTHS[k]])
def test_every_kind_of_png_is_read(tmp_path, kind, depth, interlaced):
    """All colour types, depths, filters, plain and interlaced, in several IDAT chunks."""
    stored = levels(kind, depth)
    path = write(tmp_path / "a.png", stored, kind, depth, interlaced=interlaced)
    assert np.array_equal(read(path), meaning(stored, kind, depth))


def test_one_colour_may_be_transparent(tmp_path):
    """tRNS names the one colour of a picture without opacity, and entries of a palette."""
    stored = levels(2, 8)
    stored[3, 4] = 1, 2, 3
    path = write(tmp_path / "a.png", stored, 2, 8, transparent=struct.pack(">3H", 1, 2, 3))
    assert (read(path)[..., 3] == 0).sum() == 1
    stored = np.array([[[0], [1], [2]]], "u1")
    path = write(tmp_path / "a.png", stored, 3, 8, transparent=b"\0\x80")
    assert read(path)[0, :, 3].tolist() == [0, 128, 255]


def pair(tmp_path, change=None, **options):
    stored = levels(2, 8)
    one = write(tmp_path / "a.png", stored, 2, 8, text=b"2026-11-22")
    other = stored.copy()
    if change:
        change(other)
    return one, write(tmp_path / "b.png", other, 2, 8, text=b"2026-11-23", **options)


def test_texts_and_compression_do_not_count(tmp_path):
    """A picture drawn anew is the same picture."""
    assert compare_files(*pair(tmp_path, interlaced=True, filters=[4])) == []


def with_chunk(path, name, content):
    """The same picture with one chunk more, behind its head."""
    old = path.read_bytes()
    path.write_bytes(old[:33] + chunk(name, content) + old[33:])


@pytest.mark.parametrize("name", [b"gAMA", b"iCCP", b"cHRM", b"sRGB"])
def test_how_colours_are_meant_counts(tmp_path, name):
    """The same levels are shown otherwise."""
    one, other = pair(tmp_path)
    with_chunk(other, name, b"abcd")
    (found,) = compare_files(one, other)
    assert (found.category, found.name, found.expected) == ("attribute", name.decode(), "none")
    with_chunk(one, name, b"abcd")
    assert compare_files(one, other) == []


def test_animation_is_compared_by_its_bytes(tmp_path):
    """Its further pictures are not read; the first may be the same."""
    one, other = pair(tmp_path)
    for path, frame in ((one, b"first"), (other, b"other")):
        with_chunk(path, b"fdAT", frame)
        with_chunk(path, b"acTL", bytes(8))
    (found,) = compare_files(one, other)
    assert found.category == "bytes"


def test_picture_that_takes_for_ever_is_that_files_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("cumulus.compare.png.differences", lambda *_: time.sleep(60))
    monkeypatch.setattr("cumulus.compare.directories.PATIENCE", 0.1)
    with pytest.raises(Unreadable, match="no end after"):
        compare_files(*pair(tmp_path, brighter))


def brighter(pixels):
    pixels[2, 3, 1] = (pixels[2, 3, 1] + 10) % 256 if pixels[2, 3, 1] < 240 else 230


def test_changed_pixel_is_named(tmp_path):
    """Row and column, both colours, how many of how many."""
    (one,) = compare_files(*pair(tmp_path, brighter))
    assert one.message.startswith(
        "1 of 117 pixels differ, 0.0085 of all\n    worst in row 2, column 3: expected red"
    )
    assert one.values.largest == 10


@pytest.mark.parametrize(
    ("rules", "equal"),
    [
        (CompareRules(pixel_atol=9), False),
        (CompareRules(pixel_atol=10), True),
        (CompareRules(pixel_share=0.008), False),
        (CompareRules(pixel_share=0.009), True),
    ],
)
def test_pixels_have_a_tolerance(tmp_path, rules, equal):
    """By how much a channel may differ, and in how many pixels it may by more."""
    assert (compare_files(*pair(tmp_path, brighter), rules) == []) == equal


def test_other_size_is_one_difference(tmp_path):
    """Pixels cannot be compared then."""
    one = write(tmp_path / "a.png", levels(2, 8), 2, 8)
    other = write(tmp_path / "b.png", levels(2, 8, (9, 14)), 2, 8)
    (found,) = compare_files(one, other)
    assert found.message == "expected 13 x 9 pixels, found 14 x 9 pixels"


def test_other_depth_of_the_same_picture_is_equal(tmp_path):
    """A level of 8 bits times 257 is that of 16 bits."""
    stored = levels(2, 8)
    one = write(tmp_path / "a.png", stored, 2, 8)
    assert compare_files(one, write(tmp_path / "b.png", stored * 257, 2, 16)) == []


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_damaged_picture_is_unreadable(tmp_path, damage):
    """It is no difference of the pixels, and no traceback."""
    one, other = pair(tmp_path)
    content = bytearray(other.read_bytes())
    if damage == "cut":
        del content[-40:]
    else:
        content[-30] ^= 1
    other.write_bytes(content)
    with pytest.raises(Unreadable, match="as PNG"):
        compare_files(one, other)


@pytest.mark.parametrize(
    ("width", "height", "depth", "kind", "words"),
    [
        (300_000, 300_000, 8, 2, "300000 x 300000 pixels"),
        (0, 2, 8, 2, "0 x 2 pixels"),
        (5_000, 5_000, 8, 2, "break off"),
        (7_000, 7_000, 8, 2, "may have 1 to"),
        (2, 2, 0, 0, "colour type 0 with 0 bits"),
        (2, 2, 4, 2, "colour type 2 with 4 bits"),
        (2, 2, 8, 9, "colour type 9 with 8 bits"),
    ],
)
def test_head_that_promises_the_impossible_is_unreadable(
    tmp_path, width, height, depth, kind, words
):
    """Before any memory is taken for it."""
    head = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(b"12345")), (b"IEND", b"")
    path = tmp_path / "a.png"
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))
    with pytest.raises(Unreadable, match=words):
        read(path)
