"""What several tests use: a small generated repository, a stand-in converter, the shared data."""

import contextlib
import io
import os
import runpy
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

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

# Copies, and obeys what the input says; leaves a .met file behind as the old converter did.
CONVERTER = """#!/bin/sh
case "$(head -c 5 "$1")" in
    fail:) echo "_convert: cannot read '/Data/x'" >&2; exit 3 ;;
    hang:) echo "$$" > "$2.pid"; sleep 1000 ;;
    none:) exit 0 ;;
    void:) : > "$2" ;;
    *) cp "$1" "$2" ;;
esac
echo left over > "$2.met"
"""


def shared(path):
    """Return a path in the shared test data, or skip the test with the reason."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"no shared test data {found} (set CUMULUS_TEST_DATA)")
    return found


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
        return sorted(one.name for one in self.output.iterdir() if not one.name.startswith("."))

    def scratch(self):
        return list(self.output.glob(".cumulus/scratch-*"))

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
        handlers = {one: signal.getsignal(one) for one in (signal.SIGTERM, signal.SIGINT)}
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
