"""What several tests use: a small generated repository, a stand-in converter, the shared data."""

import contextlib
import io
import json
import os
import runpy
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cumulus.collection import MetadataRules
from cumulus.metadata.sources import Evidence, find_extent
from cumulus.process import main

REPOSITORY = Path(__file__).resolve().parents[3]

SOURCE = Path(__file__).resolve().parents[1] / "src"
SHARED = Path(os.environ.get("CUMULUS_TEST_DATA") or REPOSITORY.parent / "shared")

COLLECTION = r"""
[collection]
short_name = "hs3cpl"
version = "1"
provider = "GHRC_DAAC"
title = "HS3 Cloud Physics Lidar"

[granule]
id = '^(?P<id>CPL_.*)\.hdf5$'

[inputs]
primary = "CPL_*.hdf5"

[products]
data = "{id}.nc"
metadata = "{id}.nc.meta.xml"
cmr = "{id}.cmr.json"

[limits]
seconds = 60
"""

HANDLER = '''#!/usr/bin/env python3
"""A handler like the generated one."""
import sys
import time
from pathlib import Path

from cumulus.process import main, process_granules

HOME = Path(__file__).resolve().parent


def process_granule(granule):
    granule.convert()
    granule.check()
    granule.write_metadata()


def process(indir, outdir):
    return process_granules(process_granule, indir, outdir, home=HOME)


if __name__ == "__main__":
    sys.exit(main(process))
'''

# Speaks the converter's protocol and copies, or does what the input says; leaves a .met file
# behind as the old converter did.
CONVERTER = """#!/usr/bin/env python3
import json, os, shutil, signal, sys, time

def convert(source, product):
    with open(source, "rb") as file:
        word, _, argument = file.read(200).partition(b":")
    if word == b"fail":
        return 3, "cannot read '/Data/x'"
    if word == b"hang":
        with open(product + ".pid", "w") as file:
            file.write(str(os.getpid()))
        time.sleep(1000)
    if word == b"fork":
        if (pid := os.fork()) == 0:
            time.sleep(1000)
        with open(argument.decode(), "w") as file:
            file.write(str(pid))
        os.kill(os.getpid(), signal.SIGSEGV)
    if word == b"exit":
        print("something is wrong", file=sys.stderr, flush=True)
        os._exit(int(argument))
    if word == b"die":
        if int(argument) == signal.SIGXFSZ:
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
        os.kill(os.getpid(), int(argument))
    if word == b"eat":
        try:
            bytearray(4 * 10**9)
        except MemoryError:
            return 5, "cannot convert: Cannot allocate memory"
    if word == b"say":
        print(argument.decode(), flush=True)
        return 0, ""
    if word == b"trail":
        os.write(1, b"{}\\nand no end")
        time.sleep(1000)
    if word == b"babble":
        while True:
            os.write(1, b"x" * 65536)
    if word == b"change":
        os.utime(source, ns=(1, 1))
    if word == b"large":
        try:
            with open(product, "wb") as file:
                while True:
                    file.write(bytes(2**20))
        except OSError as error:
            return 5, f"cannot write: {error.strerror}"
    if word == b"void":
        open(product, "w").close()
    elif word != b"none":
        shutil.copyfile(source, product)
    with open(product + ".met", "w") as file:
        file.write("left over")
    return 0, ""

rest = b""
while piece := os.read(0, 65536):
    rest += piece
    while rest.count(b"\\0") >= 2:
        values = []
        if rest.startswith(b"\\0"):  # a handler sends values with its names in one piece
            values, rest = rest[1:].split(b"\\0\\0", 1)
            values = os.fsdecode(values).split("\\0")
        source, product, rest = rest.split(b"\\0", 2)
        source, product = os.fsdecode(source), os.fsdecode(product)
        try:
            status, message = convert(source, product)
        except OSError as error:
            status, message = 5, f"cannot write: {error.strerror}"
        left_out = [{"path": "/Table", "reason": "compound type"}] if "TABLE" in source else []
        answer = {"input": source, "output": product, "status": status, "message": message}
        answer["asked"] = [{"path": "/Scratch", "note": "dropped by the table"}]
        if "ROWS" in source:  # each kind of granule has a row of its own; one is misspelt
            note, other = "a row matches nothing here", "/of_B" if "ROWS_A" in source else "/of_A"
            paths = ["/Lattitude", other, *(f"/starter_{n}" for n in range(5 * ("MANY" in source)))]
            answer["unused_rows"] = [{"path": path, "note": note} for path in paths]
        answer["values"] = values
        if "NEEDS" in source and "year=2012" not in values:
            unfilled = [{"path": "/a", "name": "year"}]
            answer |= {"status": 2, "message": "no year", "unfilled": unfilled}
        print(json.dumps({**answer, "left_out": left_out}), flush=True)
"""


def wait_for(condition, seconds=30):
    """Wait until a condition is true, and return what it is."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if result := condition():
            return result
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


def alive(pid):
    """Whether a process runs; a zombie that nobody waits for does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def shared(path):
    """Return a path in the shared test data, or skip the test with the reason."""
    full_path = SHARED / path
    if not full_path.exists():
        pytest.skip(f"no shared test data {full_path} (set CUMULUS_TEST_DATA)")
    return full_path


def write_product(path, *, latitude=(20, 21), longitude=(-60, -58), seconds=(0, 60)):
    """Write a small CF product: a track of samples."""
    import netCDF4
    import numpy as np

    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("time", len(latitude))
        columns = {
            "time": (seconds, {"units": "seconds since 2012-09-06 12:00:00"}),
            "lat": (latitude, {"units": "degrees_north", "standard_name": "latitude"}),
            "lon": (longitude, {"units": "degrees_east", "standard_name": "longitude"}),
        }
        for name, (values, attributes) in columns.items():
            variable = dataset.createVariable(name, "f8", ("time",), fill_value=-9999.0)
            variable.setncatts(attributes)
            variable[:] = np.asarray(values, "f8")
    return path


class Repository:
    """A generated repository in small: home, input, output, expected."""

    def __init__(self, root):
        self.home, self.input, self.output, self.expected = (
            root / name for name in ("home", "input", "output", "expected")
        )
        for directory in (self.home, self.input, self.output, self.expected):
            directory.mkdir()
        self.write("collection.toml", COLLECTION)
        self.write("process.py", HANDLER, executable=True)
        self.write("_convert", CONVERTER, executable=True)

    def write(self, name, text, executable=False):
        path = self.home / name
        path.write_text(text)
        if executable:
            path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return path

    def configure(self, old, new):
        """Change collection.toml."""
        text = (self.home / "collection.toml").read_text()
        assert old in text
        self.write("collection.toml", text.replace(old, new))

    def granule(self, name="CPL_A", text=None, **content):
        """Add an input file: NetCDF, or a text that tells the converter what to do."""
        path = self.input / f"{name}.hdf5"
        if text is None:
            return write_product(path, **content)
        path.write_text(text)
        return path

    def products(self):
        return sorted(path.name for path in self.output.iterdir() if not path.name.startswith("."))

    def scratch(self):
        return list(self.output.glob(".cumulus/scratch-*"))

    def converters(self):
        """Process ids of the converters that hang."""
        pids = []
        for path in self.output.glob(".cumulus/scratch-*/*/*.pid"):
            with contextlib.suppress(OSError, ValueError):
                pids.append(int(path.read_text()))
        return pids

    def reports(self):
        """The lines of all reports, the oldest first; the names of one second do not tell that."""
        paths = sorted(
            self.output.glob(".cumulus/report-*.jsonl"),
            key=lambda path: (path.name.split("-")[1], path.stat().st_mtime_ns),
        )
        return [json.loads(line) for path in paths for line in path.read_text().splitlines()]

    def start(self, *arguments, **options):
        """Start process.py; standard output and error are pipes."""
        environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
        argv = [sys.executable, self.home / "process.py", *map(str, arguments)]
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
        return subprocess.Popen(argv, env=environment, **options)

    def run_child(self, *arguments):
        """Run process.py to its end; without arguments on this repository's directories."""
        child = self.start(*(arguments or (self.input, self.output)))
        out, err = child.communicate(timeout=60)
        return subprocess.CompletedProcess(child.args, child.returncode, out, err)

    def run(self, *arguments):
        """Do as run_child does within this process, which takes a tenth of the time."""
        own = str(self.home / "process.py")
        argv = [own, *map(str, arguments or (self.input, self.output))]
        process = runpy.run_path(own)["process"]
        handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
        out, err = io.StringIO(), io.StringIO()
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                status = main(process, argv)
        except SystemExit as end:  # of argparse
            status = end.code
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
        return subprocess.CompletedProcess(argv, status, out.getvalue(), err.getvalue())


def extent_of(
    path, time=("product",), groups=None, *, place=("product",), extent=None, sidecar=None, **rules
):
    """The extent of a product, from the product itself unless sources are given."""
    evidence = Evidence(groups, extent, sidecar)
    return find_extent(path, MetadataRules(time=time, place=place, **rules), evidence)
