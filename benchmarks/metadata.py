#!/usr/bin/env python3
"""Measure what check and metadata cost a granule: CPU milliseconds, with and without the fast reader.

usage: benchmarks/metadata.py [GRANULES]     (default 300)

The granules have the shape of the starter sample: 40 variables in about 130 KB. Each gets the check of its product, an
ECHO10 and a UMM-G record, in one process, as a worker of the handler does it.
"""

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


def main():
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 300
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


if __name__ == "__main__":
    main()
