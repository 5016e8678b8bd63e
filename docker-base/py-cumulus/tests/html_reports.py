"""Pairs of products that differ, and their HTML reports."""

import netCDF4
import numpy as np

from cumulus.compare import compare
from cumulus.compare.html import write_html


def write(path, shape=(40, 30), change=None, **attributes):
    """A field of time and z, changed by a function where one is given."""
    with netCDF4.Dataset(path, "w") as dataset:
        names = ("time", "z", "w")[: len(shape)]
        for name, length in zip(names, shape, strict=True):
            dataset.createDimension(name, length)
            dataset.createVariable(name, "f8", (name,))[:] = np.arange(length) * 10.0
        dataset["time"].units = "seconds since 2012-09-06 12:00:00"
        field = dataset.createVariable("field", "f4", names, fill_value=-9.0)
        field.setncatts({"units": "K", "long_name": "a field", **attributes})
        values = np.arange(np.prod(shape), dtype="f4").reshape(shape)
        if change:
            change(values)
        field[:] = values
    return path


def pair(tmp_path, change, shape=(40, 30), **attributes):
    """A directory of expected and one of actual products, one file in each."""
    folders = tmp_path / "expected", tmp_path / "actual"
    for folder in folders:
        folder.mkdir(exist_ok=True)
    write(folders[0] / "a.nc", shape)
    write(folders[1] / "a.nc", shape, change, **attributes)
    return folders


def report(tmp_path, folders):
    path = tmp_path / "report.html"
    write_html(compare(*folders), path)
    return path.read_text(encoding="utf-8")
