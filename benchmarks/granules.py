#!/usr/bin/env python3
"""How the process handler grows with granules whose work is nothing: what it takes by itself for each of them.

A case is measured with N and with 2N granules; the exponent is the logarithm to base 2 of how much the CPU seconds grow
by: 1 is linear, 2 is the square. A slow granule comes before many short ones, all of which sleep: the ideal is a run of
that granule alone. Needs py-cumulus alone, no converter.
"""

import argparse
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LIBRARY = ROOT / "docker-base" / "py-cumulus" / "src"
LONG_AGO = (1e9, 1e9)  # a file that has just changed is read before its granule is skipped

COLLECTION = r"""
[collection]
short_name = "grow"
version = "1"
provider = "GHRC_DAAC"
[granule]
id = '^(?P<id>GROW_.+)\.hdf5$'
[inputs]
primary = "GROW_*.hdf5"
%s
[products]
data = "{id}.nc"
metadata = "{id}.nc.meta.xml"
cmr = "{id}.cmr.json"
"""
ROLES = {"no": "", "one": 'met = "{id}.met"\n', "two": 'met = "{id}.met"\nmap = "*_{id}.map"\n'}
NAMES = {"no": ["{}.hdf5"], "one": ["{}.hdf5", "{}.met"], "two": ["{}.hdf5", "{}.met", "x_{}.map"]}

# The main process prints the peak of its own memory: that of its workers counts for themselves.
HANDLER = """
import sys, time
from pathlib import Path
from cumulus.process import main, process_granules

SLOW, SHORT = {slow}, {short}

def process_granule(granule):
    time.sleep(SLOW if granule.id == "GROW_000000" else SHORT)
    for path in granule.products.values():
        path.write_bytes(b"x")

def process(indir, outdir):
    return process_granules(process_granule, indir, outdir, home=Path(__file__).parent)

if __name__ == "__main__":
    status = main(process)
    print(next(line for line in open("/proc/self/status") if line.startswith("VmHWM")), file=sys.stderr)
    sys.exit(status)
"""

GROUPING = """
import resource, sys
from cumulus.collection.reader import load
from cumulus.process.grouping import group_files

collection = load(sys.argv[1])
before = resource.getrusage(resource.RUSAGE_SELF)
candidates, failed = group_files(collection, sys.argv[2])
after = resource.getrusage(resource.RUSAGE_SELF)
assert len(candidates) == int(sys.argv[3]) and not failed
print(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, after.ru_maxrss)
"""


class Granules:
    """A folder with handlers and with input directories of empty granules."""

    def __init__(self, folder):
        self.folder = folder

    def home(self, roles="no", slow=0.0, short=0.0):
        """A directory with collection.toml and process.py; a granule takes so many seconds, the first one more."""
        home = self.folder / f"home-{roles}-{slow}-{short}"
        home.mkdir(exist_ok=True)
        (home / "collection.toml").write_text(COLLECTION % ROLES[roles])
        (home / "process.py").write_text(HANDLER.format(slow=slow, short=short))
        return home

    def inputs(self, count, roles="no"):
        """A directory of so many granules."""
        folder = self.folder / f"input-{roles}-{count}"
        if not folder.exists():
            folder.mkdir()
            for number in range(count):
                for name in NAMES[roles]:
                    path = folder / name.format(f"GROW_{number:06d}")
                    path.touch()
                    os.utime(path, LONG_AGO)
        return folder

    def output(self):
        return Path(tempfile.mkdtemp(prefix="output-", dir=self.folder))

    def group(self, count, roles):
        """CPU seconds and peak memory in MB of grouping so many granules."""
        argv = [sys.executable, "-c", GROUPING, self.home(roles) / "collection.toml", self.inputs(count, roles)]
        done = subprocess.run([*argv, str(count)], env=environment(), capture_output=True, text=True, check=True)
        seconds, memory = map(float, done.stdout.split())
        return seconds, memory * 1024 / 1e6

    def run(self, count, output, workers=2, **times):
        """Wall seconds, CPU seconds, and peak memory in MB of the handler's main process."""
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
        done = subprocess.run([sys.executable, self.home(**times) / "process.py", self.inputs(count), output],
                              env=environment(workers), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              check=True)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        return wall, cpu, int(done.stderr.split()[1]) * 1024 / 1e6


def environment(workers=2):
    return {**os.environ, "PYTHONPATH": str(LIBRARY), "PROCESS_WORKERS": str(workers), "PYTHONDONTWRITEBYTECODE": "1"}


def growth(granules, count):
    """Lines of the table of N and 2N granules."""
    counts = (count, 2 * count)
    yield f"| case | CPU seconds of {count} | of {2 * count} | exponent | CPU each, ms | peak memory, MB |"
    yield "|---|---:|---:|---:|---:|---:|"
    for roles in ROLES:
        few, many = (granules.group(number, roles) for number in counts)
        yield row(f"grouping, {roles} further role{'s' * (roles != 'one')}", count, few, many)
    outputs = [granules.output() for _ in counts]
    for case in ("trivial work", "rerun that skips all"):
        few, many = (granules.run(number, output)[1:] for number, output in zip(counts, outputs, strict=True))
        yield row(case, count, few, many)
    for path, number in zip(outputs, counts, strict=True):
        state = path / ".cumulus"
        records = sum(file.stat().st_size for file in (state / "granules").iterdir())
        reports = [file.stat().st_size for file in state.glob("report-*")]
        yield f"| {number} granules: {records / 1e6:.1f} MB of records, {max(reports) / 1e6:.1f} MB a report ||||||"


def row(case, count, few, many):
    (less, _), (more, memory) = few, many
    exponent = math.log2(more / less)
    return f"| {case} | {less:.2f} | {more:.2f} | {exponent:.2f} | {more / count / 2 * 1000:.3f} | {memory:.0f} |"


def slow_granule(granules, seconds, others):
    """Lines of the table of a slow granule before so many others of 1 ms, against a run of that granule alone."""
    yield f"| workers | {seconds:g} s alone | with {others} of 1 ms after it | of the ideal |"
    yield "|---:|---:|---:|---:|"
    for workers in (2, 16):
        alone, wall = (granules.run(count, granules.output(), workers, slow=seconds, short=0.001)[0]
                       for count in (1, others + 1))
        yield f"| {workers} | {alone:.2f} | {wall:.2f} | {wall / alone:.3f} |"


def report(count, seconds, others):
    """Yield the lines of both tables."""
    with tempfile.TemporaryDirectory() as folder:
        granules = Granules(Path(folder))
        yield "\n## Granules without work, 2 workers\n"
        yield from growth(granules, count)
        yield "\n## A slow granule before many short ones\n"
        yield from slow_granule(granules, seconds, others)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--granules", type=int, default=10_000, help="N (default: 10000)")
    parser.add_argument("--slow", type=float, default=25, help="seconds of the slow granule (default: 25)")
    parser.add_argument("--others", type=int, default=2999, help="granules after it (default: 2999)")
    arguments = parser.parse_args()
    for line in report(arguments.granules, arguments.slow, arguments.others):
        print(line, flush=True)


if __name__ == "__main__":
    main()
