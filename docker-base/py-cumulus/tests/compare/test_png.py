"""Comparison of PNG images: every kind is read, and differences are named."""

import itertools
import struct
import time
import tracemalloc
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
    """Return the bytes of a line as a filter stores them, by the specification."""
    stored = [method]
    for i, value in enumerate(line):
        left, up = (line[i - step] if i >= step else 0), above[i]
        corner = above[i - step] if i >= step else 0
        estimate = left + up - corner
        nearest = min((left, up, corner), key=lambda neighbour: abs(estimate - neighbour))
        stored.append((value - [0, left, up, (left + up) // 2, nearest][method]) % 256)
    return bytes(stored)


def packed(line, depth):
    """Return a row of levels as bytes."""
    if depth == 16:
        return line.astype(">u2").tobytes()
    bits = (line.ravel()[:, None] >> np.arange(depth)[::-1]) & 1
    return np.packbits(bits.astype("u1").ravel()).tobytes()


def write(path, levels, kind, depth, *, interlaced=False, text=b"", transparent=b"", filters=None):
    """Write levels of shape (rows, columns, channels), each line with the next filter."""
    step = max(1, CHANNELS[kind] * depth // 8)
    filters = itertools.cycle(filters or range(5))
    data = b""
    for pass_index in ADAM7 if interlaced else [(slice(None), slice(None))]:
        part = levels[pass_index]
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
        content += chunk(b"PLTE", PALETTE[: 1 << depth].tobytes())
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
    """Return red, green, blue and opacity of stored levels, by the specification."""
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
    """All colour types, depths and filters are read, also interlaced and in several IDAT chunks."""
    stored = levels(kind, depth)
    path = write(tmp_path / "a.png", stored, kind, depth, interlaced=interlaced)
    assert np.array_equal(read(path), meaning(stored, kind, depth))


def test_one_colour_may_be_transparent(tmp_path):
    """tRNS gives the transparent colour of an image, and the opacity of a palette."""
    stored = levels(2, 8)
    stored[3, 4] = 1, 2, 3
    path = write(tmp_path / "a.png", stored, 2, 8, transparent=struct.pack(">3H", 1, 2, 3))
    assert (read(path)[..., 3] == 0).sum() == 1
    stored = np.array([[[0], [1], [2]]], "u1")
    path = write(tmp_path / "a.png", stored, 3, 8, transparent=b"\0\x80")
    assert read(path)[0, :, 3].tolist() == [0, 128, 255]


def pair(tmp_path, change=None, **options):
    stored = levels(2, 8)
    expected = write(tmp_path / "a.png", stored, 2, 8, text=b"2026-11-22")
    actual = stored.copy()
    if change:
        change(actual)
    return expected, write(tmp_path / "b.png", actual, 2, 8, text=b"2026-11-23", **options)


def test_texts_and_compression_do_not_count(tmp_path):
    """An image with other texts and other compression is equal."""
    assert compare_files(*pair(tmp_path, interlaced=True, filters=[4])) == []


def with_chunk(path, name, content):
    """Add a chunk behind the header."""
    old = path.read_bytes()
    path.write_bytes(old[:33] + chunk(name, content) + old[33:])


@pytest.mark.parametrize("name", [b"gAMA", b"iCCP", b"cHRM", b"sRGB"])
def test_how_colours_are_meant_counts(tmp_path, name):
    """A chunk that changes how viewers show the colours is a difference."""
    expected, actual = pair(tmp_path)
    with_chunk(actual, name, b"abcd")
    (difference,) = compare_files(expected, actual)
    assert (difference.category, difference.name, difference.expected) == (
        "attribute",
        name.decode(),
        "none",
    )
    with_chunk(expected, name, b"abcd")
    assert compare_files(expected, actual) == []


def test_animation_is_compared_by_its_bytes(tmp_path):
    """An animation counts as different though its first image is the same."""
    expected, actual = pair(tmp_path)
    for path, frame in ((expected, b"first"), (actual, b"other")):
        with_chunk(path, b"fdAT", frame)
        with_chunk(path, b"acTL", bytes(8))
    (difference,) = compare_files(expected, actual)
    assert difference.category == "bytes"


def test_picture_that_takes_for_ever_is_that_files_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("cumulus.compare.png.differences", lambda *_: time.sleep(60))
    monkeypatch.setattr("cumulus.compare.pairs.PATIENCE", 0.1)
    with pytest.raises(Unreadable, match="no end after"):
        compare_files(*pair(tmp_path, brighter))


def brighter(pixels):
    pixels[2, 3, 1] = (pixels[2, 3, 1] + 10) % 256 if pixels[2, 3, 1] < 240 else 230


def test_changed_pixel_is_named(tmp_path):
    """The message has row and column, both colours and the counts."""
    (difference,) = compare_files(*pair(tmp_path, brighter))
    assert difference.message.startswith(
        "1 of 117 pixels differ, 0.0085 of all\n    worst in row 2, column 3: expected red"
    )
    assert difference.values.largest == 10


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
    """A channel may differ by pixel_atol, and a share of the pixels by more."""
    assert (compare_files(*pair(tmp_path, brighter), rules) == []) == equal


def test_other_size_is_one_difference(tmp_path):
    """With another size, no pixels are compared."""
    expected = write(tmp_path / "a.png", levels(2, 8), 2, 8)
    actual = write(tmp_path / "b.png", levels(2, 8, (9, 14)), 2, 8)
    (difference,) = compare_files(expected, actual)
    assert difference.message == "expected 13 x 9 pixels, actual 14 x 9 pixels"


def test_other_depth_of_the_same_picture_is_equal(tmp_path):
    """A level of 8 bits equals 257 times the level in 16 bits."""
    stored = levels(2, 8)
    expected = write(tmp_path / "a.png", stored, 2, 8)
    assert compare_files(expected, write(tmp_path / "b.png", stored * 257, 2, 16)) == []


@pytest.mark.parametrize("damage", ["cut", "flipped"])
def test_damaged_picture_is_unreadable(tmp_path, damage):
    """Damage is reported as unreadable."""
    expected, actual = pair(tmp_path)
    content = bytearray(actual.read_bytes())
    if damage == "cut":
        del content[-40:]
    else:
        content[-30] ^= 1
    actual.write_bytes(content)
    with pytest.raises(Unreadable, match="as PNG"):
        compare_files(expected, actual)


def assembled(path, *chunks):
    """Write a file of these chunks with right checksums, and the last chunk."""
    parts = (*chunks, (b"IEND", b""))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts))
    return path


def header(width, height, depth, kind, interlaced=0):
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, interlaced)


@pytest.mark.parametrize(
    ("width", "height", "depth", "kind", "message"),
    [
        (300_000, 300_000, 8, 2, "300000 x 300000 pixels; 1 to 33554432 can be compared"),
        (7_000, 7_000, 8, 2, "7000 x 7000 pixels"),
        (0, 2, 8, 2, "0 x 2 pixels"),
        (2, 2, 0, 0, "invalid bit depth 0"),
        (2, 2, 4, 2, "Illegal combination"),
        (2, 2, 8, 9, "invalid colour type 9"),
    ],
)
def test_header_that_promises_the_impossible_is_unreadable(
    tmp_path, width, height, depth, kind, message
):
    """The header is refused before anything is inflated: the rest could not be."""
    path = assembled(tmp_path / "a.png", header(width, height, depth, kind), (b"IDAT", b"none"))
    with pytest.raises(Unreadable, match=message):
        read(path)


def test_pixels_that_inflate_without_end_take_no_memory(tmp_path):
    """100 MB behind a header of a few pixels are refused without being kept."""
    bomb = zlib.compress(bytes(100_000_000))
    path = assembled(tmp_path / "a.png", header(10, 10, 8, 2), (b"IDAT", bomb))
    tracemalloc.start()
    try:
        with pytest.raises(Unreadable, match="it holds more than its pixels"):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 10_000_000
    finally:
        tracemalloc.stop()


GREY_2_X_3 = header(2, 3, 8, 0)
ROWS_2_X_3 = b"\0ab\0cd\0ef"


UNSOUND = {
    "fewer rows": ([GREY_2_X_3, (b"IDAT", zlib.compress(ROWS_2_X_3[:6]))], "2 of 3 rows"),
    "half a row": ([GREY_2_X_3, (b"IDAT", zlib.compress(ROWS_2_X_3[:5]))], "Wrong size"),
    "pixels of a large picture": (
        [header(5_000, 5_000, 8, 2), (b"IDAT", zlib.compress(b"12345"))],
        "Wrong size",
    ),
    "deflated data cut": ([GREY_2_X_3, (b"IDAT", zlib.compress(ROWS_2_X_3)[:-5])], "break off"),
    "interlaced rows cut": (
        [header(9, 9, 8, 0, 1), (b"IDAT", zlib.compress(bytes(30)))],
        "break off",
    ),
    "last interlaced row cut": (
        [header(9, 9, 8, 0, 1), (b"IDAT", zlib.compress(bytes(9 * 9 + 13)))],
        "break off",
    ),
    "no deflated data": ([GREY_2_X_3, (b"IDAT", b"none")], "incorrect header check"),
    "unknown filter": ([GREY_2_X_3, (b"IDAT", zlib.compress(b"\x09ab" * 3))], "Filter Type"),
    "no pixels": ([GREY_2_X_3], "no IDAT"),
    "no header": ([(b"IDAT", zlib.compress(ROWS_2_X_3))], "does not begin with a header"),
    "no palette": ([header(2, 3, 8, 3), (b"IDAT", zlib.compress(ROWS_2_X_3))], "PLTE chunk is"),
    "colour beyond the palette": (
        [header(2, 3, 8, 3), (b"PLTE", b"123"), (b"IDAT", zlib.compress(ROWS_2_X_3))],
        "out of bounds",
    ),
    "opacity beyond the palette": (
        [header(2, 3, 8, 3), (b"PLTE", b"123"), (b"tRNS", b"12"), (b"IDAT", b"")],
        "tRNS chunk is too long",
    ),
}


@pytest.mark.parametrize("case", UNSOUND)
def test_unsound_content_is_unreadable(tmp_path, case):
    """Content with right checksums that breaks the format is refused with the reason."""
    chunks, message = UNSOUND[case]
    with pytest.raises(Unreadable, match=message):
        read(assembled(tmp_path / "a.png", *chunks))


@pytest.mark.parametrize("shape", [(1, 1), (1, 9), (9, 1), (2, 3), (5, 4)])
@pytest.mark.parametrize(("kind", "depth"), [(0, 1), (2, 8), (6, 16)])
def test_small_interlaced_picture_is_read(tmp_path, shape, kind, depth):
    """An interlaced image with empty passes is read."""
    stored = levels(kind, depth, shape)
    path = write(tmp_path / "a.png", stored, kind, depth, interlaced=True)
    assert np.array_equal(read(path), meaning(stored, kind, depth))


@pytest.mark.parametrize(
    ("name", "content"),
    [(b"sBIT", b"\5\6\5"), (b"bKGD", bytes(6)), (b"pHYs", bytes(9)), (b"zzZz", b"anything")],
)
def test_chunk_that_changes_no_pixel_does_not_count(tmp_path, name, content):
    """Significant bits, background, physical size and private chunks do not count."""
    expected, actual = pair(tmp_path)
    with_chunk(actual, name, content)
    assert compare_files(expected, actual) == []


def test_bytes_after_the_end_do_not_count(tmp_path):
    expected, actual = pair(tmp_path)
    actual.write_bytes(actual.read_bytes() + b"appended")
    assert compare_files(expected, actual) == []


def test_grey_level_may_be_transparent(tmp_path):
    """tRNS of grey levels has two bytes at any depth."""
    path = write(tmp_path / "a.png", np.array([[[1], [2]]], "u1"), 0, 2, transparent=b"\0\1")
    assert read(path).tolist() == [[[0, 0, 0, 0], [170, 170, 170, 255]]]
