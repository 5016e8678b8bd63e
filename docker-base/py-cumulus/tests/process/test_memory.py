"""[limits] memory_mb holds for the steps in Python: check, metadata, browse image."""

import resource

import netCDF4
import numpy as np
import pytest

from cumulus import CumulusError
from cumulus.collection import Limits
from cumulus.process import process_granules
from cumulus.process.limits import memory_limited
from cumulus.products.memory import ensure_fits

COUNT = 200_000_000
LIMIT = 300  # MB


COORDINATES = {
    "lat": {"units": "degrees_north", "standard_name": "latitude"},
    "lon": {"units": "degrees_east", "standard_name": "longitude"},
    "time": {"units": "seconds since 2012-09-06", "standard_name": "time"},
}


def write_track(path, count, written=10, **attributes):
    """Write a small file whose latitude, longitude and time have so many values."""
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("sample", count)
        for name, described in COORDINATES.items():
            chunks = (min(count, 100_000),)
            variable = dataset.createVariable(name, "f8", ("sample",), chunksizes=chunks)
            variable.setncatts({**described, **attributes})
            variable[:written] = np.arange(written)
        dataset.createVariable("data", "f4", ("sample",), chunksizes=chunks)[:10] = 1
    assert path.stat().st_size < 3_000_000


def run(repository, function):
    """Process, and return the failures and the largest memory of a worker."""
    summary = process_granules(function, repository.input, repository.output, home=repository.home)
    peaks = [line["peak_memory_mb"] for line in repository.reports() if "granule" in line]
    return summary.failed, max(peaks)


@pytest.fixture
def limited(repository):
    repository.configure("seconds = 60", f"seconds = 60\nmemory_mb = {LIMIT}")
    return repository


@pytest.mark.parametrize("attributes", [{}, {"scale_factor": 0.5}], ids=["plain", "packed"])
@pytest.mark.parametrize("step", ["check", "write_metadata"])
def test_granule_that_declares_too_many_values_fails_alone(limited, attributes, step):
    """It is refused before its values are read, in one sentence with the limit."""
    write_track(limited.input / "CPL_A.hdf5", COUNT, **attributes)
    limited.granule("CPL_B")

    def make(granule):
        granule.copy()
        getattr(granule, step)()
        granule.write_metadata()

    failed, peak = run(limited, make)
    assert list(failed) == ["CPL_A"]
    assert "its 200,000,000 values need 3,400 MB" in failed["CPL_A"]
    assert "[limits].memory_mb in collection.toml leaves" in failed["CPL_A"]
    assert peak < LIMIT + 300  # with the libraries, and what the worker had before


@pytest.mark.parametrize("step", ["check", "write_metadata", "browse"])
def test_unwritten_values_take_no_more_than_the_limit(limited, step):
    """200 million in a file of some kilobytes: the step is done within it, or says why not."""
    write_track(limited.input / "CPL_A.hdf5", COUNT, written=0)
    limited.configure('cmr = "{id}.cmr.json"', 'cmr = "{id}.cmr.json"\nbrowse = "{id}.png"')

    def make(granule):
        granule.copy()
        for key in ("metadata", "cmr", "browse"):
            granule.products[key].write_text("as if")
        getattr(granule, step)()

    failed, peak = run(limited, make)
    assert peak < LIMIT + 300  # with the libraries, and what the worker had before
    assert step != "check" or failed == {}
    needs_more = f"{step} needs more memory than it may use: [limits].memory_mb"
    allowed = (needs_more, "cannot draw 'CPL_A': time has no valid value")
    assert all(reason.startswith(allowed) for reason in failed.values())


def test_step_that_takes_too_much_is_stopped(limited):
    """Whatever reads it, as the owner's own function of the extent."""
    limited.granule("CPL_A")

    def make(granule):
        granule.copy()
        granule.write_metadata(lambda granule: np.ones(COUNT))

    failed, peak = run(limited, make)
    assert failed == {
        "CPL_A": "write_metadata needs more memory than it may use: "
        f"[limits].memory_mb in collection.toml is {LIMIT}"
    }
    assert peak < LIMIT + 300


def test_code_of_the_owner_keeps_its_memory(limited):
    """The limit is that of the steps; process_granule may read what it likes."""
    limited.granule("CPL_A")

    def make(granule):
        granule.copy()
        granule.check()
        assert np.ones(COUNT // 4).size == COUNT // 4
        granule.write_metadata()

    assert run(limited, make)[0] == {}


def test_limit_ends_with_its_step():
    """Also when the step fails."""
    before = resource.getrlimit(resource.RLIMIT_DATA)
    reason = r"check needs more memory .* is 1$"
    with pytest.raises(CumulusError, match=reason), memory_limited(Limits(memory_mb=1), "check"):
        assert resource.getrlimit(resource.RLIMIT_DATA)[0] < 2**40
        np.ones(COUNT)
    assert resource.getrlimit(resource.RLIMIT_DATA) == before


def test_library_without_memory_names_the_limit():
    """Its own message says nothing of a limit."""
    reason = r"malloc\) failure \(\[limits\].memory_mb .* is 5\)$"
    with pytest.raises(CumulusError, match=reason), memory_limited(Limits(memory_mb=5), "check"):
        raise CumulusError("cannot read 'x': NetCDF: Memory allocation (malloc) failure")


def test_more_values_than_the_machine_holds_are_refused_without_a_limit():
    """As in a call of write_metadata outside of a handler."""
    with pytest.raises(CumulusError, match="and the machine has"):
        ensure_fits("/lat", (10**7, 10**7), 8)
    ensure_fits("/lat", (1000, 1000), 8)
