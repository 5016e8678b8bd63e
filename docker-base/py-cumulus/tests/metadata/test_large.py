"""Positions and times that are too many for memory: read part by part, they tell the same."""

import logging
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from netcdf_files import write_variables

from cumulus.metadata.coordinates import cover
from cumulus.metadata.thinning import Mask
from cumulus.products import inspect, large

SHAPES = [(7,), (40,), (6, 5), (3, 14), (14, 2), (1, 9, 4), (3, 4, 5)]


@st.composite
def samples(draw):
    """Variables of samples, and the format of their file."""
    shape = draw(st.sampled_from(SHAPES))
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    place = st.integers(-100, 100), st.integers(-400, 500), st.sampled_from([0.1, 1, 7.5, 30])
    north, east, step = map(draw, place)
    count = int(np.prod(shape))
    if draw(st.booleans()):  # a regular swath, which perhaps goes round, or over a pole
        rows, columns = np.indices((count // shape[-1], shape[-1]))
        latitude, longitude = north + rows * step / 4, east + columns * step
    else:
        latitude, longitude = (
            middle + step * random.normal(size=count) for middle in (north, east)
        )
    time = 100 * random.random(count) - draw(st.sampled_from([0, 50]))
    values = {"latitude": latitude, "longitude": longitude, "time": time}
    about = {
        "latitude": "degrees_north",
        "longitude": "degrees_east",
        "time": "days since 2012-01-01",
    }
    if draw(st.booleans()):
        values["longitude"] = np.radians(values["longitude"])
        about["longitude"] = "radian"
    variables = {}
    for name, each in values.items():
        each = np.array(each, "f8").ravel()
        each[random.random(count) < draw(st.sampled_from([0, 0.2, 1]))] = -9999
        attributes = {"units": about[name], "standard_name": name}
        if name != "time" or draw(st.booleans()):  # else a mark that nothing declares
            attributes["_FillValue"] = np.float64(-9999)
        axes = ("z", "y", "x")[-len(shape) :]
        variables[name] = (each.reshape(shape), attributes, axes)
    if draw(st.booleans()):  # a time of rows or columns
        axis = draw(st.integers(0, len(shape) - 1))
        variables["time"] = (
            10.0 * random.random(shape[axis]),
            variables["time"][1],
            axes[axis : axis + 1],
        )
    return variables, draw(st.sampled_from(["NETCDF4", "NETCDF3_CLASSIC"]))


def told(path, caplog):
    caplog.clear()
    covered = cover(inspect(path), polygon=True)
    warnings = sorted(each.getMessage().partition("message=")[2] for each in caplog.records)
    return covered.edges, covered.begin, covered.end, covered.polygon, covered.reasons, warnings


@given(samples(), st.sampled_from([1, 3, 8, 20]))
@settings(
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture], deadline=None
)
def test_samples_read_in_parts_tell_what_all_of_them_tell(tmp_path_factory, caplog, made, size):
    """Box, interval, polygon, reasons and warnings are equal, whatever the length of the parts."""
    variables, file_format = made
    path = tmp_path_factory.mktemp("large") / "p.nc"
    write_variables(path, file_format=file_format, **variables)
    caplog.set_level(logging.WARNING)
    whole = told(path, caplog)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(large, "MOST", 1)
        patch.setattr(large, "_PART", size)
        assert told(path, caplog) == whole


@given(st.lists(st.integers(1, 9), min_size=1, max_size=3), st.integers(1, 40), st.integers(1, 4))
def test_parts_cover_an_array_once_and_are_contiguous(shape, most, multiple):
    seen, flags = np.zeros(shape, int), np.random.default_rng(0).random(shape) < 0.5
    mask, numbers = Mask(shape), np.arange(seen.size).reshape(shape)
    for part in large.parts_of(tuple(shape), most, multiple):
        seen[part] += 1
        assert (np.diff(numbers[part].ravel()) == 1).all()
        mask.set(part, flags[part])
        assert (mask.get(part) == flags[part]).all()
    assert (seen == 1).all()
    assert (mask.get(tuple(slice(0, length) for length in flags.shape)) == flags).all()


def packed(values, step):
    return np.rint(values / step).astype("i4"), {"scale_factor": step, "_FillValue": np.int32(-1)}


@pytest.mark.parametrize("is_packed", [False, True], ids=["plain", "packed"])
@pytest.mark.parametrize(
    "shape", [(2400, 2500), (6_000_000,), (2, 1500, 2000)], ids=["swath", "track", "stack"]
)
def test_record_of_many_samples_takes_little_memory(tmp_path, shape, is_packed):
    """At most 60 MB beside the libraries, and the extent is that of all samples."""
    path, names = tmp_path / "large.nc", ("z", "y", "x")[-len(shape) :]
    part = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
    variables = {}
    for name, units, values in (
        ("latitude", "degrees_north", 10 + 40 * part),
        ("longitude", "degrees_east", 170 + 30 * part),
        ("time", "hours since 2012-09-06", 12 * part),
    ):
        values, about = packed(values, 1e-6) if is_packed else (values, {})
        about |= {"units": units, "standard_name": name}
        variables[name] = (values, about, names)
    write_variables(path, **variables)
    code = (
        "import resource, sys, netCDF4, h5py, numpy\n"
        "import cumulus.metadata.write, cumulus.metadata.coordinates as c\n"
        "from cumulus.products import inspect\n"
        "peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024\n"
        "before = peak()\n"
        "covered = c.cover(inspect(sys.argv[1]))\n"
        "print(*covered.edges, covered.end, peak() - before, sep='|')"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, path], capture_output=True, text=True, timeout=100
    )
    *edges, end, memory = done.stdout.split("|")
    assert [round(float(edge), 4) for edge in edges] == [170, 10, -160, 50], done.stderr
    assert end == "2012-09-06 12:00:00+00:00"
    assert float(memory) < 60
