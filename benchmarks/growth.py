"""Whether the converter's work grows no faster than its input: shapes of N and of 2N parts, beside h5repack."""

import math
import statistics
import sys
from pathlib import Path

import h5py
import numpy as np

sys.path.append(str(Path(__file__).resolve().parent.parent / "docker-base/converter/tests"))

from shapes import attributes, datasets, groups, scales  # noqa: E402


def fields(file, count):
    """Fields of compounds: each becomes a variable."""
    for number in range(count // 100):
        kind = np.dtype([(f"field_{field}", "f4") for field in range(100)])
        file[f"table_{number}"] = np.zeros(3, kind)


def same_names(file, count):
    """Datasets of different groups that refer to each other, under the same few names."""
    for number in range(count // 2):
        file[f"group_{number}/latitude"] = np.arange(10.0)
        file[f"group_{number}/data"] = np.arange(10.0)
        file[f"group_{number}/data"].attrs["coordinates"] = "latitude"


def chunks(file, count):
    """Chunks of 64 bytes, not deflated."""
    file.create_dataset("data", data=np.arange(8.0 * count), chunks=(8,))


def many_attributes(file, count):
    """Datasets of ten attributes each."""
    for number in range(count // 10):
        data = file.create_dataset(f"dataset_{number}", data=np.arange(10.0))
        for name in range(10):
            data.attrs[f"attribute_{name}"] = name


SHAPES = [(datasets, 10_000), (groups, 4_000), (scales, 2_000), (attributes, 5_000), (many_attributes, 40_000),
          (fields, 5_000), (same_names, 4_000), (chunks, 500_000)]
WITH_INDEX = {attributes}  # HDF5's older form keeps attributes in a list, and searches it for each


def exponent(small, large):
    """The power of the size with which the CPU time grows: 1 is linear."""
    return math.log2(large / small)


def make_pair(shape, count, folder):
    """Files of `count` parts and of twice as many."""
    paths = [folder / f"{shape.__name__}-{size}.h5" for size in (count, 2 * count)]
    for path, size in zip(paths, (count, 2 * count), strict=True):
        with h5py.File(path, "w", libver="latest" if shape in WITH_INDEX else None) as file:
            shape(file, size)
    return paths


def measure_growth(program, folder, rounds, run, quick=False):
    """Lines of a table in Markdown: CPU seconds of N and 2N parts, in turn with h5repack, and memory of 2N parts."""
    lines = ["\n### Many parts\n", "| parts | N | CPU of N, s | CPU of 2N, s | exponent | h5repack of 2N, s "
             "| times h5repack | kB a part | h5repack's |", "|---|---:|---:|---:|---:|---:|---:|---:|---:|"]
    product = folder / "product.nc"
    for shape, count in SHAPES:
        count = count // 10 if quick else count
        paths = make_pair(shape, count, folder)
        runs = [[], [], []]
        for _ in range(rounds):
            commands = [program, paths[0]], [program, paths[1]], ["h5repack", paths[1]]
            for column, command in zip(runs, commands, strict=True):
                product.unlink(missing_ok=True)
                column.append(run([*map(str, command), str(product)])[1:])
        small, large, peer = ([statistics.median(column) for column in zip(*part, strict=True)] for part in runs)
        parts = shape.__doc__.split(",")[0].split(":")[0].rstrip(".").lower()
        lines.append(f"| {parts} | {count:,} | {small[0]:.2f} | {large[0]:.2f} | {exponent(small[0], large[0]):.2f} "
                     f"| {peer[0]:.2f} | {large[0] / peer[0]:.2f} | {large[1] * 512 / count:.1f} "
                     f"| {peer[1] * 512 / count:.1f} |")
        for path in paths:
            path.unlink()
    return lines
