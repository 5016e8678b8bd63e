"""Whether the converter's work grows no faster than its input: shapes of N and of 2N parts, beside h5repack."""

import math
import statistics
from pathlib import Path

import h5py
import numpy as np


def datasets(file, count):
    """Small datasets of one group, of a few lengths."""
    for number in range(count):
        file[f"dataset_{number}"] = np.arange(10.0 + number % 7)


def groups(file, count):
    """Groups of one dataset each."""
    for number in range(count):
        file[f"group_{number}/data"] = np.arange(10.0)


def scales(file, count):
    """Dimension scales, each with a variable along it."""
    for number in range(count):
        scale = file.create_dataset(f"scale_{number}", data=np.arange(3.0))
        scale.make_scale()
        file.create_dataset(f"data_{number}", data=np.arange(3.0)).dims[0].attach_scale(scale)


def attributes(file, count):
    """Attributes of one dataset, which HDF5 keeps in an index of their own."""
    file["data"] = np.arange(10.0)
    for number in range(count):
        file["data"].attrs[f"attribute_{number}"] = number


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


SHAPES = [(datasets, 10_000), (groups, 4_000), (scales, 2_000), (attributes, 5_000), (fields, 5_000),
          (same_names, 4_000), (chunks, 500_000)]


def exponent(small, large):
    """The power of the size with which the CPU time grows: 1 is linear."""
    return math.log2(large / small)


def measure_growth(program, folder, rounds, run, quick=False):
    """Lines of a table in Markdown: CPU seconds of N and 2N parts, in turn with h5repack."""
    lines = ["\n### Many parts\n", "| parts | N | CPU of N, s | CPU of 2N, s | exponent | h5repack of 2N, s "
             "| times h5repack |", "|---|---:|---:|---:|---:|---:|---:|"]
    for shape, count in SHAPES:
        count = count // 10 if quick else count
        paths = []
        for size in (count, 2 * count):
            paths.append(folder / f"{shape.__name__}-{size}.h5")
            with h5py.File(paths[-1], "w") as file:
                shape(file, size)
        times = [[], [], []]
        for _ in range(rounds):
            for column, command in zip(times, ([program, paths[0]], [program, paths[1]], ["h5repack", paths[1]]),
                                       strict=True):
                column.append(run([*map(str, command), str(folder / "product.nc")])[1])
                Path(folder / "product.nc").unlink()
        small, large, peer = map(statistics.median, times)
        lines.append(f"| {shape.__doc__.split(',')[0].split(':')[0].rstrip('.').lower()} | {count:,} | {small:.2f} "
                     f"| {large:.2f} | {exponent(small, large):.2f} | {peer:.2f} | {large / peer:.2f} |")
        for path in paths:
            path.unlink()
    return lines
