#!/usr/bin/env python3
"""Measure what check and metadata cost a granule: CPU milliseconds, with and without the fast reader.

usage: benchmarks/metadata.py [GRANULES [MILLIONS]]     (default 300 and 18)

The granules have the shape of the starter sample: 40 variables in about 130 KB. Each gets the check of its product, an
ECHO10 and a UMM-G record, in one process, as a worker of the handler does it.

Then swaths, tracks and times of so many million samples and twice as many: CPU seconds, the exponent of their growth,
and the peak memory of a process of its own.
"""

import logging
import math
import multiprocessing
import resource
import sys
import tempfile
import time
from pathlib import Path

import netCDF4
import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "docker-base/py-cumulus/src"))

from cumulus import collection  # noqa: E402
from cumulus.process.granule import Granule  # noqa: E402
from cumulus.products import inspection  # noqa: E402

COLLECTION = r"""
[collection]
short_name = "hs3cpl"
version = "1"
[granule]
id = '(?P<id>.*)\.hdf5'
[inputs]
primary = "*.hdf5"
[products]
data = "{id}.nc"
metadata = "{id}.nc.meta.xml"
cmr = "{id}.cmr.json"
"""


def write_granule(path, seed):
    random = np.random.default_rng(seed)
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("time", 40)
        dataset.createDimension("altitude", 90)
        time_ = dataset.createVariable("time", "f8", ("time",))
        time_.setncatts({"units": "days since 2011-12-31 00:00:00", "standard_name": "time"})
        time_[:] = 250.5 + np.arange(40) / 8640
        for name, units in (("latitude", "degrees_north"), ("longitude", "degrees_east")):
            variable = dataset.createVariable(name, "f4", ("time",))
            variable.setncatts({"units": units, "standard_name": name})
            variable[:] = np.linspace(20, 22, 40)
        for number in range(37):
            dims = ("time", "altitude") if number < 4 else ("time",)
            variable = dataset.createVariable(f"variable_{number}", "f4", dims, zlib=True)
            variable.setncatts({"units": "1", "long_name": "a variable", "coordinates": "latitude longitude"})
            variable[:] = random.random(variable.shape)


def measure(folder, rules, count):
    """CPU milliseconds a granule; the first ones, which import and survey, do not count."""
    for number in range(count + 3):
        if number == 3:
            started = time.process_time()
        names = {key: folder / pattern.format(id=f"g{number}") for key, pattern in rules.products.items()}
        granule = Granule(f"g{number}", {"primary": folder / f"g{number}.hdf5"}, names, rules, folder)
        granule.check()
        granule.write_metadata()
    return (time.process_time() - started) / count * 1000


def write_large(path, kind, count):
    """A product of about so many samples, written in parts."""
    names = ("row", "column") if kind == "swath" else ("time",)
    rows = math.isqrt(count) if kind == "swath" else count
    shape = (rows, count // rows)[: len(names)]
    wanted = {"time": "days since 2012-01-01"} if kind != "swath" else {}
    if kind != "times":
        wanted |= {"latitude": "degrees_north", "longitude": "degrees_east"}
    step = max(1, 1_000_000 // math.prod(shape[1:]))
    with netCDF4.Dataset(path, "w") as dataset:
        for name, length in zip(names, shape, strict=True):
            dataset.createDimension(name, length)
        for name, units in wanted.items():
            variable = dataset.createVariable(name, "f8" if name == "time" else "f4", names)
            variable.setncatts({"units": units, "standard_name": name})
            for start in range(0, rows, step):
                part = np.arange(start, min(start + step, rows)) / rows
                variable[start : start + step] = 60 * np.broadcast_to(part.reshape(-1, *[1] * (len(shape) - 1)),
                                                                      (len(part), *shape[1:]))  # fmt: skip


def measure_large(path):
    """CPU seconds and peak memory in MB of inspection and extent, in this process."""
    from cumulus.metadata.sources import find_extent
    from cumulus.products import inspect

    logging.disable()  # a swath without times is a warning
    started = time.process_time()
    find_extent(path, product=inspect(path))
    return time.process_time() - started, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def show_large(folder, count):
    print(f"{'':10} {'samples':>12} {'CPU s':>6} {'peak MB':>8}")
    for kind in ("swath", "track", "times"):
        seconds = []
        for samples in (count, 2 * count):
            path = folder / "large.nc"
            write_large(path, kind, samples)
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                cpu, peak = pool.apply(measure_large, (path,))
            seconds.append(cpu)
            print(f"{kind:10} {samples:12,} {cpu:6.2f} {peak:8.0f}")
        print(f"{'':10} exponent {math.log2(seconds[1] / seconds[0]):.2f}")


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    millions = float(sys.argv[2]) if len(sys.argv) > 2 else 18
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "collection.toml").write_text(COLLECTION)
        rules = collection.load(folder / "collection.toml")
        for number in range(count + 3):
            write_granule(folder / f"g{number}.nc", number)
        size = (folder / "g0.nc").stat().st_size / 1000
        print(f"{count} granules of {size:.0f} KB, check + ECHO10 + UMM-G, CPU ms a granule")
        print(f"  as it is          {measure(folder, rules, count):6.2f}")
        inspection._plain = lambda path: (None, False, False)
        print(f"  NetCDF library    {measure(folder, rules, count):6.2f}")
        print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
        show_large(folder, int(millions * 1e6))


if __name__ == "__main__":
    main()
