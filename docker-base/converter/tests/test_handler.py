"""The process handler with the real converter: good granules among bad ones, odd names, limits."""

import json
import os
import shutil
import subprocess
import sys

import netCDF4
import numpy as np
import pytest
from support import read_json

HANDLER = """
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
"""
COLLECTION = r"""
[collection]
short_name = "hs3cpl"
version = "1"
[granule]
id = '^(?P<id>.+)\.hdf5$'
[inputs]
primary = "*.hdf5"
[products]
data = "{id}.nc"
metadata = "{id}.nc.meta.xml"
cmr = "{id}.cmr.json"
"""


class Handler:
    """A handler with the starter sample's converter; `granule` is the sample's ATB granule."""

    def __init__(self, folder, program, sample):
        self.home, self.input, self.output = folder / "home", folder / "input", folder / "output"
        for one in (self.home, self.input, self.output):
            one.mkdir()
        (self.home / "process.py").write_text(HANDLER)
        self.configure("seconds = 30\nmemory_mb = 2000\noutput_mb = 50")
        shutil.copy2(program, self.home / "_convert")
        self.granule = sample[0][0].read_bytes()

    def configure(self, limits):
        (self.home / "collection.toml").write_text(f"{COLLECTION}[limits]\n{limits}\n")

    def add(self, name, content=None):
        path = self.input / f"{name}.hdf5"
        path.write_bytes(self.granule if content is None else content)
        return path

    def run(self, **environment):
        return subprocess.run([sys.executable, self.home / "process.py", self.input, self.output], text=True,
                              capture_output=True, timeout=300, check=False,
                              env={**os.environ, "PROCESS_WORKERS": "2", **environment})

    def primaries(self):
        return sorted(path.name for path in self.output.glob("*.nc") if not path.name.startswith("."))

    def lines(self):
        (report,) = self.output.glob(".cumulus/report-*.jsonl")
        lines = [json.loads(line) for line in report.read_text().splitlines()]
        return {line["granule"]: line for line in lines if "granule" in line}


@pytest.fixture
def handler(starter, sample, tmp_path):
    return Handler(tmp_path, starter.program, sample)


def test_damaged_granules_among_good_ones_fail_alone(handler):
    """Empty, cut off at several places, overwritten, no HDF5 at all; what is delivered has every value."""
    content, rng = handler.granule, np.random.default_rng(5)
    damaged = {"empty": b"", "text": b"no HDF5 at all", "signature": content[:8]}
    for number, length in enumerate(rng.integers(9, len(content) - 1, 6)):
        damaged[f"cut_{number}"] = content[:length]
    for number in range(6):
        start = int(rng.integers(0, len(content) - 600))
        damaged[f"overwritten_{number}"] = content[:start] + rng.bytes(600) + content[start + 600:]
    for name, bad in damaged.items():
        handler.add(f"bad_{name}", bad)
        handler.add(f"good_{name}")
    done = handler.run()
    assert done.returncode == 3, done.stdout + done.stderr
    lines = handler.lines()
    good = [f"good_{name}" for name in damaged]
    assert [lines[name]["status"] for name in good] == ["processed"] * len(good)
    for name in ("empty", "text", "signature", *(f"cut_{number}" for number in range(6))):
        line = lines[f"bad_{name}"]
        assert line["status"] == "failed" and line["error"], line
        assert not (handler.output / f"bad_{name}.nc").exists()
    for name in handler.primaries():
        assert lines[name.removesuffix(".nc")]["status"] == "processed"
        with netCDF4.Dataset(handler.output / name) as dataset:
            assert dataset["latitude"][:].size == 40


NAMES = ["a b", "it's \"quoted\"", "-rf", "--help", "$(touch x)", "ümlaut", "%s{id}", "x" * 239]


def test_odd_names_arrive_unchanged(handler):
    for name in NAMES:
        handler.add(name)
    done = handler.run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert handler.primaries() == sorted(f"{name}.nc" for name in NAMES)
    for name in NAMES:
        record = read_json(handler.output / f"{name}.cmr.json")
        assert record["GranuleUR"] == f"{name}.nc"


def test_what_the_converter_leaves_out_is_in_the_report(handler, shared):
    """References are not supported."""
    source = shared / "hdf5" / "hdf5src1.10.8__h5repack_deflate.h5"
    handler.add("references", source.read_bytes())
    handler.run()
    line = handler.lines()["references"]
    assert any("left out" in warning for warning in line["warnings"]), line


def test_memory_limit_of_the_converter_is_that_granules_failure(handler):
    handler.configure("memory_mb = 10")  # less than its libraries take
    handler.add("a")
    done = handler.run()
    assert done.returncode == 2
    assert handler.lines()["a"]["error"].startswith("_convert failed")
    assert handler.primaries() == []


def test_size_limit_is_named(handler):
    handler.configure("output_mb = 0.01")
    handler.add("a")
    handler.run()
    assert "[limits].output_mb" in handler.lines()["a"]["error"]
    assert handler.primaries() == []


def test_peak_memory_counts_from_each_granule_anew(handler):
    """A large granule does not weigh on those after it."""
    for name in "ab":
        handler.add(name)
    assert handler.run(PROCESS_WORKERS="1").returncode == 0
    peaks = [line["peak_memory_mb"] for line in handler.lines().values()]
    assert all(5 < peak < 1000 for peak in peaks)


def test_broken_converter_turns_a_rerun_red(handler):
    """Products of the time before never hide it."""
    handler.add("a")
    assert handler.run().returncode == 0
    program = handler.home / "_convert"
    program.write_bytes(program.read_bytes()[:10_000])
    done = handler.run()
    assert done.returncode == 2
    assert handler.primaries() == []


def test_converter_of_the_template_serves_many_granules(handler):
    """One process a worker, seen by its process id in the converter's own temporary names."""
    for number in range(12):
        handler.add(f"g{number:02d}")
    trace = handler.home / "started"
    (handler.home / "_convert").rename(handler.home / "_real")
    (handler.home / "_convert").write_text(f'#!/bin/sh\necho >>"{trace}"\nexec "{handler.home}/_real" "$@"\n')
    (handler.home / "_convert").chmod(0o755)
    assert handler.run().returncode == 0
    assert len(trace.read_text().splitlines()) == 2
