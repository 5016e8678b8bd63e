#!/usr/bin/env python3
"""Time `cumulus compare` and its peers on pairs of large NetCDF files; write a table in Markdown.

Each tool compares each pair in turn, several rounds, so that a slow moment hits all of them; the table has medians, and
whether the answer was right. A peer that is not installed is named below the table. Then `cumulus compare` alone:
many small products, twice as much of each thing that there may be many of, and the price of the report in HTML.
"""

import argparse
import math
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

import comparison_shapes as shapes
import h5py
import netCDF4
import numpy as np

LIBRARY = Path(__file__).resolve().parent.parent / "docker-base" / "py-cumulus" / "src"
LIMIT = 600  # seconds: then a tool is stopped
ROWS, BINS = 128, 900  # of a chunk: float32, 460 kB
READ = """import sys
for path in sys.argv[1:]:
    with open(path, "rb") as file:
        while file.read(1 << 20):
            pass"""
IMPORT = "import netCDF4, h5py"
XARRAY = """import sys, xarray
try:
    with xarray.open_dataset(sys.argv[1]) as expected, xarray.open_dataset(sys.argv[2]) as actual:
        xarray.testing.assert_{}(expected, actual)
except AssertionError:
    sys.exit(1)"""
HASHDIFF = """import sys
from earthdata_hashdiff import create_nc4_hash_file, nc4_matches_reference_hash_file
create_nc4_hash_file(sys.argv[1], "reference.json")
sys.exit(not nc4_matches_reference_hash_file(sys.argv[2], "reference.json"))"""


@dataclass
class Tool:
    """A command that gets the two files."""

    name: str
    command: list
    rounds: int = 1
    runs: dict = field(default_factory=dict)  # pair -> [(wall, CPU, memory, exit status)]


def make(path, megabytes):
    """A curtain of that size once inflated: noise of 13 significant bits above a smooth profile, deflated."""
    rng = np.random.default_rng(7)
    altitude = np.linspace(20_000, -2_000, BINS, dtype="f4")
    count = max(1, round(megabytes * 1e6 / (ROWS * BINS * 4)))
    with netCDF4.Dataset(path, "w") as file:
        file.title, file.history = "curtain", "2026-11-22: made"
        file.createDimension("time", count * ROWS)
        file.createDimension("altitude", BINS)
        time_ = file.createVariable("time", "f8", ("time",))
        time_.units, time_[:] = "seconds since 2012-09-06", np.arange(count * ROWS)
        file.createVariable("altitude", "f4", ("altitude",))[:] = altitude
        file["altitude"].units = "m"
        data = file.createVariable("backscatter", "f4", ("time", "altitude"), fill_value=-999.9, zlib=True,
                                   complevel=4, chunksizes=(ROWS, BINS))
        data.units = "km-1 sr-1"
        data[:1] = 0  # the rest is written below
    blocks = []
    for _ in range(12):
        block = (np.exp(-altitude / 8_000) * 3e-4 * (1 + rng.normal(0, 0.15, (ROWS, BINS)))).astype("f4")
        block[:, 820:] = -999.9
        block = (block.view("u4") & 0xFFFFFC00).view("f4")
        shuffled = np.frombuffer(block.tobytes(), "u1").reshape(-1, 4).T.tobytes()
        blocks.append(zlib.compress(shuffled, 4))
    with h5py.File(path, "a") as file:
        for number in range(count):
            file["backscatter"].id.write_direct_chunk((number * ROWS, 0), blocks[number % 12])


def make_pairs(folder, megabytes):
    """What is compared with the expected file, by name: path and the right exit status."""
    expected = folder / "expected.nc"
    make(expected, megabytes)
    pairs = {"equal, but for history": (folder / "equal.nc", 0), "one value differs": (folder / "different.nc", 1)}
    for path, _ in pairs.values():
        shutil.copyfile(expected, path)
        with netCDF4.Dataset(path, "a") as file:
            file.history = "2026-11-23: made"
    with netCDF4.Dataset(folder / "different.nc", "a") as file:
        file["backscatter"][-5, 100] *= 1.01
    return expected, pairs


def run(command, folder):
    """(wall seconds, CPU seconds, peak memory in MB, exit status) of a command.

    GNU time starts it: a child of this large process would begin with this process's memory as its peak.
    """
    usage = folder / "usage"
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    limited = ["time", "--quiet", "--format=%M", f"--output={usage}", "timeout", str(LIMIT), *command]
    done = subprocess.run(limited, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder,
                          env={**os.environ, "PYTHONPATH": str(LIBRARY)})
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall, cpu, int(usage.read_text().split()[-1]) / 1024, done.returncode


def tools(python, hashdiff, rounds):
    """The tools that are here, and the names of those that are not."""
    compare = [python, "-m", "cumulus", "compare"]
    candidates = [
        Tool("reading both", [python, "-c", READ], rounds),
        Tool("importing its libraries", [python, "-c", IMPORT], rounds),
        Tool("cumulus compare", compare, rounds),
        Tool("xarray identical", [python, "-c", XARRAY.format("identical")]),
        Tool("xarray allclose", [python, "-c", XARRAY.format("allclose")]),
        Tool("earthdata-hashdiff", [hashdiff, "-c", HASHDIFF]),
        Tool("cdo diffn", ["cdo", "-s", "diffn"]),
        Tool("h5diff", ["h5diff"]),
    ]
    here = {tool.name for tool in candidates if shutil.which(tool.command[0])}
    if subprocess.run([hashdiff, "-c", "import earthdata_hashdiff"], capture_output=True).returncode:
        here.discard("earthdata-hashdiff")
    return [tool for tool in candidates if tool.name in here], [t.name for t in candidates if t.name not in here]


def measure(contestants, expected, pairs, folder):
    for number in range(max(tool.rounds for tool in contestants)):
        for name, (actual, _) in pairs.items():
            for tool in contestants:
                if number < tool.rounds:
                    outcome = run([*map(str, tool.command), str(expected), str(actual)], folder)
                    tool.runs.setdefault(name, []).append(outcome)
                    print(f"round {number + 1}: {name}: {tool.name}: {outcome[0]:.2f} s", file=sys.stderr)


def table(contestants, pairs):
    lines = []
    for name, (_, right) in pairs.items():
        lines += [f"\n### {name}\n", "| tool | wall, s | CPU, s | peak memory, MB | exit status | right | runs |",
                  "|---|---:|---:|---:|---:|---|---:|"]
        for tool in contestants:
            runs = tool.runs[name]
            wall, cpu, memory, status = (statistics.median(column) for column in zip(*runs, strict=True))
            verdict = "-" if tool.command[-1] in (READ, IMPORT) else "yes" if status == right else "no"
            verdict = f"stopped after {LIMIT} s" if status == 124 else verdict
            lines.append(f"| {tool.name} | {wall:.2f} | {cpu:.2f} | {memory:.0f} | {status:.0f} | {verdict} "
                         f"| {len(runs)} |")
    return lines


def cpu_of(make_pair, folder, *options, rounds=1):
    """Median CPU seconds of comparing the pair that a function makes in a folder, and with each list of options."""
    pair = Path(tempfile.mkdtemp(dir=folder))
    make_pair(pair)
    commands = [[sys.executable, "-m", "cumulus", "compare", *extra, str(pair / "expected"), str(pair / "actual")]
                for extra in ([], *options)]
    runs = [[run(command, folder) for command in commands] for _ in range(rounds)]
    shutil.rmtree(pair)
    if any(status not in (0, 1) for each in runs for *_, status in each):
        raise SystemExit(f"a comparison failed: {runs}")
    medians = [statistics.median(cpu for _, cpu, *_ in column) for column in zip(*runs, strict=True)]
    print(f"{[f'{seconds:.2f}' for seconds in medians]} s of CPU", file=sys.stderr)
    return medians if options else medians[0]


def many_products(folder, share):
    """Table of the CPU time of many small products."""
    lines = ["\n### many small products\n", "| products | CPU, s | ms each |", "|---|---:|---:|"]
    for name, count, identical in (("with records in XML and JSON", 2000, False), ("identical", 500, True)):
        count = int(count * share)
        seconds = cpu_of(lambda pair, n=count, same=identical: shapes.products(pair, n, same), folder)
        lines.append(f"| {count:,} {name} | {seconds:.1f} | {seconds / count * 1000:.1f} |")
    return lines


def growth(folder, share):
    """Table of the CPU time of N and of 2 N parts; an exponent of 1 is linear."""
    lines = ["\n### twice as much to compare\n", "| N | of | CPU of N, s | of 2 N, s | ratio | exponent |",
             "|---:|---|---:|---:|---:|---:|"]
    for name, (make_pair, count) in shapes.GROWING.items():
        count = int(count * share)
        small, large = (cpu_of(lambda pair, n=n, make=make_pair: make(pair, n), folder) for n in (count, 2 * count))
        ratio = large / small
        lines.append(f"| {count:,} | {name} | {small:.2f} | {large:.2f} | {ratio:.2f} | {math.log2(ratio):.2f} |")
    return lines


def html(folder, megabytes):
    """Table of the CPU time with and without the report, where every value differs."""
    options = ["--html", str(folder / "report.html")]
    without, with_report = cpu_of(lambda pair: shapes.field(pair, megabytes), folder, options, rounds=3)
    return [f"\n### every value of {megabytes} MB differs\n", "| without `--html`, CPU, s | with it, s | ratio |",
            "|---:|---:|---:|", f"| {without:.2f} | {with_report:.2f} | {with_report / without:.2f} |"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("comparison.md"))
    parser.add_argument("--rounds", type=int, default=5, help="of reading and of cumulus; peers run once")
    parser.add_argument("--quick", action="store_true", help="a pair of 100 MB in place of 1000 MB")
    parser.add_argument("--hashdiff", metavar="PYTHON", default=sys.executable,
                        help="the Python that has earthdata-hashdiff")
    arguments = parser.parse_args()
    megabytes = 100 if arguments.quick else 1000
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        expected, pairs = make_pairs(folder, megabytes)
        stored = expected.stat().st_size / 1e6
        contestants, absent = tools(sys.executable, arguments.hashdiff, arguments.rounds)
        measure(contestants, expected, pairs, folder)
        lines = [f"# The comparison beside its peers\n\n`benchmarks/comparison.py`, on {os.cpu_count()} processors "
                 f"({platform.machine()}), HDF5 {h5py.version.hdf5_version}: two files of {megabytes} MB, "
                 f"{stored:.0f} MB deflated; medians."]
        lines += table(contestants, pairs)
        lines += [f"\nNot installed: {', '.join(absent)}."] if absent else []
        share = 0.1 if arguments.quick else 1.0
        lines += many_products(folder, share) + growth(folder, share) + html(folder, int(400 * share))
    text = "\n".join(lines) + "\n"
    arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
