#!/usr/bin/env python3
"""Convert damaged variants of a granule, and judge what comes out: the longer run of test_fuzz.py.

No product may appear under its name unless its values equal the original's, or the damage lies where the file format
protects nothing: metadata of old-style groups and object headers, and data that are not compressed.  Crashes and hangs
inside libhdf5 are counted; the caller of the converter contains them.
"""

import argparse
import collections
import os
import random
import subprocess
import tempfile
from pathlib import Path

import h5py
import numpy as np

PURE_DIMENSION = b"This is a netCDF dimension but not a netCDF variable"
MEMORY = "/dev/shm"  # the converter waits for the disk before it names a product
PADDING = bytes(1 << 20)  # the converter reads small files into memory at once; every other variant is no small file
KINDS = ("truncated", "bits anywhere", "bits in metadata", "zeroed page", "bits in a chunk", "zeroed chunk")


def make_granule(path):
    """A granule of the common kinds of storage, small enough for thousands of variants."""
    rng = np.random.default_rng(3)
    with h5py.File(path, "w") as file:
        file.attrs["title"] = "granule"
        for name in ("a", "b"):
            file.create_dataset(f"deflated/{name}", data=rng.integers(0, 50, (60, 100)), chunks=(20, 50),
                                compression="gzip", shuffle=True).attrs["units"] = "K"
        file.create_dataset("checksum", data=rng.random(2000), chunks=(500,), fletcher32=True)
        file["contiguous"] = rng.random(500)
        file["text"] = np.array([b"abc", b"de"], "S4")
        file["variable text"] = "a string of variable length"
        file["time"] = np.arange(60.0)
        file["time"].make_scale()
        file["deflated/a"].dims[0].attach_scale(file["time"])


def chunk_ranges(path):
    """(offset, size) of each chunk that a checksum protects."""
    with h5py.File(path) as file:
        return [(chunk.byte_offset, chunk.size) for name in ("deflated/a", "deflated/b", "checksum")
                for chunk in map(file[name].id.get_chunk_info, range(file[name].id.get_num_chunks()))]


def protected(ranges, before, after):
    """Whether every byte that was changed lies in a chunk with a checksum; Fletcher's of nothing but 0 is 0."""
    changed = [n for n, (one, other) in enumerate(zip(before, after, strict=False)) if one != other]
    hit = {(start, size) for n in changed for start, size in ranges if start <= n < start + size}
    return len(before) == len(after) and all(any(after[start:start + size]) for start, size in hit) \
        and all(any(start <= n < start + size for start, size in hit) for n in changed)


def damage(data, kind, ranges, rng):
    data = bytearray(data)
    start, size = rng.choice(ranges)
    if kind == "truncated":
        return bytes(data[:rng.randrange(len(data))])
    if kind == "zeroed page":
        page = rng.randrange(len(data) - 4096)
        data[page:page + 4096] = bytes(4096)
    elif kind == "zeroed chunk":
        data[start:start + size] = bytes(size)
    else:
        low, high, count = {"bits anywhere": (0, len(data), 20), "bits in metadata": (0, 4096, 8),
                            "bits in a chunk": (start, start + size, 1)}[kind]
        for _ in range(count):
            data[rng.randrange(low, high)] ^= 1 << rng.randrange(8)
    return bytes(data)


def contents(path):
    """All values of a file, read without the converter."""
    found = {}

    def add(name, item):
        if isinstance(item, h5py.Dataset) and not bytes(item.attrs.get("NAME", b"")).startswith(PURE_DIMENSION):
            values = item[()]
            found[name] = [v if isinstance(v, bytes) else str(v).encode() for v in np.ravel(values)] \
                if item.dtype.kind in "OS" else values
    with h5py.File(path) as file:
        file.visititems(add)
    return found


def same_contents(expected, product):
    try:
        actual = contents(product)
    except (OSError, RuntimeError, KeyError, ValueError, UnicodeDecodeError):
        return False
    return expected.keys() == actual.keys() and all(np.array_equal(expected[name], actual[name]) for name in expected)


def outcome(program, variant, product, expected, is_protected):
    """One word for what the converter made of a variant."""
    try:
        done = subprocess.run([program, variant, product], capture_output=True, timeout=5, check=False,
                              env={**os.environ, "MALLOC_ARENA_MAX": "1"})
    except subprocess.TimeoutExpired:
        return "hang"
    if done.returncode < 0:
        return "left over after a crash" if product.exists() else "crash"
    if done.returncode == 0:
        if same_contents(expected, product):
            return "equal"
        if done.stderr:
            return "different, and said so"
        return "WRONG" if is_protected else "different where nothing protects"
    return "LEFT OVER" if product.exists() else f"refused ({done.returncode})"


def campaign(program, count, seed, keep=None):
    """{(kind, outcome): how often}."""
    tally, rng = collections.Counter(), random.Random(seed)
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as folder:
        folder = Path(folder)
        granule, variant, product = folder / "granule.h5", folder / "variant.h5", folder / "product.nc"
        make_granule(granule)
        data, ranges = granule.read_bytes(), chunk_ranges(granule)
        subprocess.run([program, granule, product], check=True, capture_output=True, timeout=60)
        expected = contents(product)
        assert expected.keys() == contents(granule).keys()
        for number in range(count):
            kind = KINDS[number % len(KINDS)]
            damaged = damage(data, kind, ranges, rng)
            is_padded = kind != "truncated" and number // len(KINDS) % 2
            variant.write_bytes(damaged + PADDING * is_padded)
            product.unlink(missing_ok=True)
            word = outcome(program, variant, product, expected, protected(ranges, data, damaged))
            tally[kind, word] += 1
            if keep and word in ("crash", "hang", "WRONG", "LEFT OVER"):
                (keep / f"{seed}-{number}-{word}.h5").write_bytes(damaged)
            for rest in folder.glob(".convert-*"):
                rest.unlink()
    return tally


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=Path, help="the built _convert")
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--keep", type=Path, help="folder for the variants that crash, hang or come out wrong")
    arguments = parser.parse_args()
    if arguments.keep:
        arguments.keep.mkdir(parents=True, exist_ok=True)
    tally = campaign(arguments.program.resolve(), arguments.count, arguments.seed, arguments.keep)
    for (kind, word), times in sorted(tally.items()):
        print(f"{kind:18} {word:36} {times:6}")


if __name__ == "__main__":
    main()
