#!/usr/bin/env python3
"""The process handler beside the Cumulus documentation's example handler, and how it grows with the granules.

Both convert, check and describe (ECHO10 and UMM-G) granules of about 130 KB with the same converter and py-cumulus. The
example handler makes the documentation's calls: a process of the converter for each granule, one granule at a time.
Machines are noisy: besides seconds the table has CPU seconds, of a handler and everything it started.
Needs the converter's C libraries, h5py and netCDF4.
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
import threading
import time
from pathlib import Path

import granules
import h5py
import numpy as np
from converter import build

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "docker-base" / "py-cumulus" / "src"

COLLECTION = r"""
[collection]
short_name = "hs3cpl"
version = "1"
provider = "GHRC_DAAC"
[granule]
id = '^(?P<id>HS3_CPL_.+)\.hdf5$'
[inputs]
primary = "HS3_CPL_*.hdf5"
[products]
data = "{id}.nc"
metadata = "{id}.nc.meta.xml"
cmr = "{id}.cmr.json"
"""

HANDLER = '''
import sys
from pathlib import Path
from cumulus.process import main, process_granules

def process_granule(granule):
    granule.convert(day_zero="2011-12-31")
    granule.check()
    granule.write_metadata()

def process(indir, outdir):
    return process_granules(process_granule, indir, outdir, home=Path(__file__).parent)

if __name__ == "__main__":
    sys.exit(main(process))
'''

EXAMPLE = '''
import glob, os, subprocess, sys
import netCDF4
from cumulus.logutils import get_logger, make_log_string
from cumulus.metadata import write_metadata, write_ummg
from cumulus.process import check_output

indir, outdir, ncatted = sys.argv[1], sys.argv[2], sys.argv[3:] == ["ncatted"]
log = get_logger()
log.info(make_log_string(process="processing", message="Process started"))
sources = [indir] if os.path.isfile(indir) else sorted(glob.glob(os.path.join(indir, "*.hdf5")))
for source in sources:
    name = os.path.basename(source)
    log.info(make_log_string(granule_id=name, process="processing", message="Processing"))
    converter = os.path.join(os.path.dirname(__file__), "_convert")
    subprocess.check_output([converter, "--set", "day_zero=2011-12-31", source, outdir])
    product = os.path.join(outdir, name.replace(".hdf5", ".nc"))
    check_output(product)
    with netCDF4.Dataset(product) as dataset:
        assert dataset.variables
    if ncatted:
        subprocess.check_output(["ncatted", "-h", "-a", "Conventions,global,c,c,CF-1.6", product])
    write_metadata(product, dataname="cpl", dataid="hs3cpl", outdir=outdir)
    write_ummg(product, dataid="hs3cpl", outdir=outdir)
'''

GROWTH = ("| granules | seconds | CPU each, ms | peak memory of process.py, MB |", "|---:|---:|---:|---:|")


def make_granule(path):
    """About 130 KB of the HS3 CPL shape: six profiles, coordinates, twenty tracks."""
    rng = np.random.default_rng(7)
    with h5py.File(path, "w") as file:
        for number in range(6):
            data = rng.integers(0, 99, (75, 200)).astype("f4")
            file.create_dataset(f"profile_{number}", data=data, chunks=(25, 200), compression=4, shuffle=True)
        for number in range(17):
            file[f"track_{number}"] = np.arange(75.0)
        file["Dec_JDay"] = np.linspace(249, 250, 75)
        file["Latitude"] = np.linspace(10, 20, 75)
        file["Longitude"] = np.linspace(-60, -50, 75)


class Bench:
    """A folder with a handler, the example handler, the converter, and input directories of links to one granule."""

    def __init__(self, folder):
        self.folder = folder
        build(folder)
        for name, text in (("collection.toml", COLLECTION), ("process.py", HANDLER), ("example.py", EXAMPLE)):
            (folder / name).write_text(text)
        self.granule = folder / "granule.hdf5"
        make_granule(self.granule)

    def granules(self, count):
        """A directory of so many granules; they are hard links, since reading is not what is measured."""
        folder = self.folder / f"input-{count}"
        if not folder.exists():
            folder.mkdir()
            for number in range(count):
                os.link(self.granule, folder / f"HS3_CPL_ATB_{number:06d}_20120906.hdf5")
        return folder

    def run(self, program, source, *options, workers=2):
        """Process into a fresh directory; returns wall seconds, CPU seconds, and peak memory of the process in MB.

        All outputs stay until the end: file systems are slow to make files where many were just removed.
        """
        output = Path(tempfile.mkdtemp(prefix="output-", dir=self.folder))
        environment = {**os.environ, "PYTHONPATH": str(LIBRARY), "PROCESS_WORKERS": str(workers),
                       "PYTHONDONTWRITEBYTECODE": "1"}
        before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        child = subprocess.Popen([sys.executable, self.folder / program, source, output, *options], env=environment,
                                 stdout=subprocess.DEVNULL)
        peak = Peak(child.pid)
        status = child.wait()
        wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
        assert status == 0, f"{program} ended with {status}"
        return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak.end()


class Peak(threading.Thread):
    """Looks at a process's peak memory while it runs; getrusage() would mix it with that of its children."""

    def __init__(self, pid):
        super().__init__()
        self._path, self._peak, self._ended = f"/proc/{pid}/status", 0, threading.Event()
        self.start()

    def run(self):
        while not self._ended.wait(0.05):
            try:
                lines = Path(self._path).read_text().splitlines()
            except OSError:
                return
            self._peak = max([self._peak, *(int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))])

    def end(self):
        self._ended.set()
        self.join()
        return self._peak * 1024 / 1e6


def compare(bench, count, rounds):
    """Rows of the table: each handler on as many granules as it takes to measure it."""
    few = max(20, count // 10)  # for slow handlers; the times are per granule
    contestants = {
        "process.py, 2 workers": lambda: per(count, bench.run("process.py", bench.granules(count))),
        "process.py, 1 worker": lambda: per(count, bench.run("process.py", bench.granules(count), workers=1)),
        "example handler": lambda: per(few, bench.run("example.py", bench.granules(few))),
        "example handler, a Python each": lambda: bench.run("example.py", bench.granule)[:2],
    }
    if shutil.which("ncatted"):
        contestants["example handler with its ncatted"] = \
            lambda: per(few, bench.run("example.py", bench.granules(few), "ncatted"))
    runs = {name: [] for name in contestants}
    for _ in range(rounds):
        for name, contestant in contestants.items():
            runs[name].append(contestant())
    return {name: [statistics.median(column) for column in zip(*rows, strict=True)] for name, rows in runs.items()}


def per(count, figures):
    wall, cpu, _ = figures
    return wall / count, cpu / count


def curve(bench, largest):
    """Lines of the table of growth: one fresh run of each count."""
    counts = [count for count in (10, 100, 1000, 10_000, 100_000) if count <= largest]
    for count in counts:
        wall, cpu, memory = bench.run("process.py", bench.granules(count))
        yield f"| {count} | {wall:.1f} | {cpu / count * 1000:.1f} | {memory:.0f} |"


def start_up(bench, rounds=15):
    """Milliseconds that `process.py --help` takes, and Python with the modules that any such program needs."""
    def cpu(*argv):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *argv], env={**os.environ, "PYTHONPATH": str(LIBRARY)}, check=True,
                       stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1000
    pairs = [(cpu(bench.folder / "process.py", "--help"), cpu("-c", "import argparse, json, tomllib"))
             for _ in range(rounds)]
    return [statistics.median(column) for column in zip(*pairs, strict=True)]


def report(bench, arguments):
    """The page with the comparison, the growth and the start-up."""
    size = bench.granule.stat().st_size
    rows = compare(bench, arguments.granules, arguments.rounds)
    ours = rows["process.py, 2 workers"]
    lines = [f"# The process handler beside the documentation's example\n\n`benchmarks/handler.py`, on "
             f"{os.cpu_count()} processors ({platform.machine()}), Python {platform.python_version()}; "
             f"granules of {size // 1000} KB, medians of {arguments.rounds} rounds.\n",
             "| convert, check, metadata | granules a second | CPU each, ms | times as long |",
             "|---|---:|---:|---:|"]
    lines += [f"| {name} | {1 / wall:.1f} | {cpu * 1000:.1f} | {wall / ours[0]:.1f} |"
              for name, (wall, cpu) in rows.items()]
    lines += ["\n## Growth, 2 workers\n", *GROWTH, *curve(bench, arguments.largest)]
    help_, base = start_up(bench)
    lines += ["\n## Start-up\n", f"`process.py --help` takes {help_:.0f} ms of CPU, "
              f"`python3 -c 'import argparse, json, tomllib'` {base:.0f} ms."]
    lines += granules.report(arguments.largest, *((5, 599) if arguments.quick else (25, 2999)))
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path("handler.md"), help="where the tables go")
    parser.add_argument("--granules", type=int, default=1000, help="for the comparison (default: 1000)")
    parser.add_argument("--largest", type=int, default=10_000, help="for the growth (default: 10000)")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="100 granules, growth to 1,000, one round")
    parser.add_argument("--growth", action="store_true", help="print the growth alone, each size as it is measured")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.granules, arguments.largest, arguments.rounds = 100, 1000, 1
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(Path(folder))
        if arguments.growth:
            print(*GROWTH, sep="\n")
            for line in curve(bench, arguments.largest):
                print(line, flush=True)
            return
        text = report(bench, arguments)
    arguments.output.write_text(text)
    print(text)


if __name__ == "__main__":
    main()
