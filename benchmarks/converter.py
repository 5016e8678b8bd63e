#!/usr/bin/env python3
"""Time the converter and its peers on granules of several sizes; write a table in Markdown.

Each tool converts each granule in turn, several rounds, so that a slow moment hits all of them; the table has medians.
"""

import argparse
import os
import platform
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
from growth import measure_growth

ROOT = Path(__file__).resolve().parent.parent
ROWS, BINS = 128, 900  # of a chunk
XARRAY = """import sys, xarray
with xarray.open_dataset(sys.argv[1], engine="{0}"{1}) as granule:
    granule.to_netcdf(sys.argv[2], engine="{0}")"""


@dataclass
class Tool:
    """A command that gets the granule and the product; slow ones are spared the largest granules."""

    name: str
    command: list
    largest: int = 1_000  # MB
    runs: dict = field(default_factory=dict)  # granule -> [(wall, CPU, memory)]


def blocks(kind, rng):
    """Chunks of backscatter-like numbers: 13 significant bits of noise above a smooth profile."""
    altitude = np.linspace(20_000, -2_000, BINS, dtype="f4")
    for _ in range(12):
        if kind == "f4":
            data = np.exp(-altitude / 8_000) * 3e-4 * (1 + rng.normal(0, 0.15, (ROWS, BINS)))
            data[:, 820:] = -999.9
            yield (data.astype("f4").view("u4") & 0xFFFFFC00).view("f4")
        elif kind == "i2":
            yield rng.normal(300, 40, (ROWS, BINS)).astype("i2")
        else:
            yield np.repeat(rng.integers(0, 4, (ROWS, BINS // 60)), 60, axis=1).astype("i1")


def deflate(block):
    shuffled = np.frombuffer(block.tobytes(), "u1").reshape(-1, block.itemsize).T.tobytes()
    return zlib.compress(shuffled, 4)


def make_granule(path, megabytes, contiguous=False):
    """A CPL-like granule of that size in the file; large ones repeat twelve different chunks of each variable."""
    rng = np.random.default_rng(7)
    pools = {name: list(blocks(kind, rng)) for name, kind in
             (("ATB_355", "f4"), ("ATB_532", "f4"), ("ATB_1064", "f4"), ("Depol", "i2"), ("Mask", "i1"))}
    stored = {name: [deflate(block) for block in pool] for name, pool in pools.items()}
    sizes = [sum(block.nbytes for block in pools[name]) / 12 if contiguous else sum(map(len, stored[name])) / 12
             for name in pools]
    count = max(1, round(megabytes * 1e6 / sum(sizes)))
    with h5py.File(path, "w") as file:
        for name, pool in pools.items():
            options = {} if contiguous else {"chunks": (ROWS, BINS), "compression": 4, "shuffle": True}
            data = file.create_dataset(name, (count * ROWS, BINS), pool[0].dtype, **options)
            data.attrs["long_name"] = name
            for number in range(count):
                if contiguous:
                    data[number * ROWS:(number + 1) * ROWS] = pool[number % 12]
                else:
                    data.id.write_direct_chunk((number * ROWS, 0), stored[name][number % 12])
        for name in ("time", "latitude", "longitude"):
            file[name] = np.arange(count * ROWS, dtype="f8")


def make_small_granule(path):
    """About 130 KB: the size at which a process costs more than the conversion."""
    rng = np.random.default_rng(7)
    with h5py.File(path, "w") as file:
        for number in range(6):
            data = rng.integers(0, 99, (75, 200)).astype("f4")
            file.create_dataset(f"profile_{number}", data=data, chunks=(25, 200), compression=4, shuffle=True)
        for number in range(20):
            file[f"track_{number}"] = np.arange(100.0)


def run(command, stdin=None):
    """(wall seconds, CPU seconds, peak memory in MB) of a command that has to succeed.

    GNU time starts it: a child of this large process would begin with this process's memory as its peak.
    """
    with tempfile.NamedTemporaryFile("r") as usage:
        before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        subprocess.run(["time", "--format=%M", f"--output={usage.name}", *command], stdin=stdin, check=True,
                       stdout=subprocess.DEVNULL)
        wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return wall, cpu, int(usage.read()) / 1024


def tools(program):
    python = sys.executable
    return [
        Tool("cp", ["cp"]),
        Tool("_convert --no-verify", [program, "--no-verify"]),
        Tool("_convert, 1 thread", [program, "--threads", "1"]),
        Tool("_convert, 2 threads", [program, "--threads", "2"]),
        Tool("h5repack", ["h5repack"], 100),
        Tool("nccopy", ["nccopy"], 100),
        Tool("ncks", ["ncks", "-O", "-h"], 100),
        Tool("xarray + netCDF4", [python, "-c", XARRAY.format("netcdf4", "")], 100),
        Tool("xarray + h5netcdf", [python, "-c", XARRAY.format("h5netcdf", ', phony_dims="sort"')], 100),
    ]


def measure(contestants, granules, rounds, slow_rounds, folder):
    for number in range(rounds):
        for name, (path, megabytes) in granules.items():
            for tool in contestants:
                slow = tool.name.startswith(("nccopy", "ncks", "xarray"))
                if megabytes > tool.largest or (slow and number >= slow_rounds):
                    continue
                product = folder / "product.nc"
                product.unlink(missing_ok=True)
                tool.runs.setdefault(name, []).append(run([*map(str, tool.command), str(path), str(product)]))
                print(f"round {number + 1}: {name}: {tool.name}", file=sys.stderr)


def measure_inflating(program, folder, granule, rounds):
    """Lines that say how much CPU verified conversion takes beside inflating alone, in pairs."""
    alone = folder / "inflate"
    flags = subprocess.run(["pkg-config", "--cflags", "--libs", "hdf5", "libdeflate"], capture_output=True, text=True,
                           check=True).stdout.split()
    subprocess.run(["cc", "-O2", "-o", alone, Path(__file__).with_name("inflate.c"), *flags], check=True)
    pairs = []
    for _ in range(rounds):
        (folder / "product.nc").unlink(missing_ok=True)
        pairs.append((run([alone, granule])[1], run([program, "--threads", "1", granule, folder / "product.nc"])[1]))
    base, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
    ratio = statistics.median(second / first for first, second in pairs)
    return ["\n### Verified on one thread, beside inflating alone\n", "| | CPU, s |", "|---|---:|",
            f"| libdeflate alone | {base:.3f} |", f"| _convert, 1 thread | {ours:.3f} |", f"| ratio | {ratio:.2f} |"]


def measure_small(program, folder, rounds, count=200, alone=20):
    """Median CPU seconds a small granule: one process for many, a process each, nccopy; and the granule's size."""
    granule = folder / "small.h5"
    make_small_granule(granule)
    pairs = folder / "pairs"
    pairs.write_text("".join(f"{granule}\0{folder}/small-{n}.nc\0" for n in range(count)))
    runs = {"`_convert --batch`, 200 granules": [], "`_convert`, a process each": [], "`nccopy`, a process each": []}
    batch, each, peer = runs.values()
    for _ in range(rounds):
        with pairs.open() as stdin:
            batch.append(run([program, "--batch"], stdin)[1] / count)
        for product in folder.glob("small-*.nc"):
            product.unlink()
        each.append(statistics.mean(run([program, granule, folder / "small.nc"])[1] for _ in range(alone)))
        peer.append(statistics.mean(run(["nccopy", granule, folder / "small.nc"])[1] for _ in range(alone)))
    return {name: statistics.median(seconds) for name, seconds in runs.items()}, granule.stat().st_size


def medians(tool, granule):
    return [statistics.median(column) for column in zip(*tool.runs[granule], strict=True)]


def table(contestants, granules):
    lines = []
    for name in granules:
        lines += [f"\n### {name}\n", "| tool | wall, s | times cp | CPU, s | peak memory, MB | runs |",
                  "|---|---:|---:|---:|---:|---:|"]
        base = medians(contestants[0], name)[0]
        for tool in contestants:
            if name in tool.runs:
                wall, cpu, memory = medians(tool, name)
                lines.append(f"| {tool.name} | {wall:.3f} | {wall / base:.2f} | {cpu:.3f} | {memory:.0f} "
                             f"| {len(tool.runs[name])} |")
    return lines


def build(folder):
    """Build the library and the starter sample's converter in `folder`; returns the program."""
    subprocess.run(["make", "--quiet", "-C", ROOT / "docker-base" / "converter", "install", f"PREFIX={folder}",
                    f"BUILD={folder}/build"], check=True)
    (folder / "convert").mkdir()
    (folder / "convert" / "Makefile").write_text(f"include {folder}/share/cumulus/convert.mk\n")
    (table,) = (ROOT / "{{cookiecutter.repo_name}}" / "convert").glob("*cookiecutter.__c_name*")
    shutil.copyfile(table, folder / "convert" / "sample2nc.c")
    subprocess.run(["make", "--quiet", "-C", folder / "convert"], check=True)
    return folder / "_convert"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("results.md"))
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--quick", action="store_true", help="10 and 100 MB, 3 rounds, slow peers once")
    arguments = parser.parse_args()
    sizes = (10, 100) if arguments.quick else (10, 100, 400, 1000)
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        program = build(folder)
        granules = {}
        for size in sizes:
            path = folder / f"{size}.h5"
            make_granule(path, size)
            granules[f"{size} MB, deflated"] = path, size
        make_granule(folder / "contiguous.h5", 100, contiguous=True)
        granules["100 MB, contiguous"] = folder / "contiguous.h5", 100
        contestants = tools(program)
        rounds = 3 if arguments.quick else arguments.rounds
        measure(contestants, granules, rounds, 1 if arguments.quick else 3, folder)
        lines = [f"# The converter beside its peers\n\n`benchmarks/run`, on {os.cpu_count()} processors "
                 f"({platform.machine()}), HDF5 {h5py.version.hdf5_version}, tmpfs; medians of interleaved runs."]
        lines += table(contestants, granules)
        small, size = measure_small(program, folder, rounds)
        lines += [f"\n### Small granules ({size // 1024} KB)\n", "| | CPU each, ms |", "|---|---:|",
                  *(f"| {name} | {seconds * 1000:.1f} |" for name, seconds in small.items())]
        lines += measure_inflating(program, folder, granules["100 MB, deflated"][0], rounds)
        lines += measure_growth(program, folder, min(rounds, 3), run, arguments.quick)
    text = "\n".join(lines) + "\n"
    arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
