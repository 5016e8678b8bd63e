"""Classic NetCDF files that are cut off: a named failure, never the library's zeros."""

from types import SimpleNamespace

import netCDF4
import numpy as np
import pytest
from samples import shared

from cumulus import CumulusError
from cumulus.collection import Limits
from cumulus.compare import Unreadable, compare_files
from cumulus.metadata import write_metadata
from cumulus.process.granule import Granule
from cumulus.products.classic import refuse_truncated

FORMATS = ["NETCDF3_CLASSIC", "NETCDF3_64BIT_OFFSET", "NETCDF3_64BIT_DATA"]
RECORDS = {  # types of the record variables: each has three values a record
    "no records": [],
    "one record variable": ["i1"],
    "several record variables": ["i1", "i2", "f8", "S1"],
}


def make(path, file_format, kinds):
    """A file whose variables do not end at multiples of four bytes; no stored byte is zero."""
    with netCDF4.Dataset(path, "w", format=file_format) as file:
        file.title = "classic"
        file.createDimension("time", None)
        file.createDimension("x", 3)
        variables = [file.createVariable("fixed", "i2", ("x",))]
        variables[0].valid_range = np.array([-9, 999], "i2")
        variables += [
            file.createVariable(f"v{number}", kind, ("time", "x"))
            for number, kind in enumerate(kinds)
        ]
        variables.append(file.createVariable("last", "i1", ("x",)))
        for variable in variables:
            shape = (5, 3) if variable.ndim == 2 else (3,)
            variable[:] = np.frombuffer(bytes([17]) * (np.prod(shape) * variable.dtype.itemsize),
                                   variable.dtype).reshape(shape)  # fmt: skip
    return path


def values(path):
    with netCDF4.Dataset(path) as file:
        file.set_auto_mask(False)
        return {name: variable[...].tobytes() for name, variable in file.variables.items()}


@pytest.mark.parametrize("file_format", FORMATS)
@pytest.mark.parametrize("kinds", RECORDS.values(), ids=RECORDS)
def test_classic_file_is_refused_wherever_values_are_missing(tmp_path, file_format, kinds):
    """Where only padding is missing it passes, with all its values."""
    whole, cut = make(tmp_path / "whole.nc", file_format, kinds), tmp_path / "cut.nc"
    refuse_truncated(whole)
    data, passed = whole.read_bytes(), []
    for length in range(4, len(data)):
        cut.write_bytes(data[:length])
        try:
            refuse_truncated(cut)
        except OSError as error:
            assert "truncated" in str(error)
        else:
            passed.append(length)
            assert values(cut) == values(whole)
    assert len(passed) <= 3


def test_file_without_records_or_variables_passes(tmp_path):
    path = tmp_path / "a.nc"
    for names in ((), ("x",)):
        with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
            file.createDimension("time", None)
            for name in names:
                file.createVariable(name, "f4", ("time",))
        refuse_truncated(path)


def test_damaged_header_is_one_sentence(tmp_path):
    data = make(tmp_path / "a.nc", FORMATS[0], ["i2"]).read_bytes()
    for start in range(4, 200, 4):
        damaged = tmp_path / "b.nc"
        for word in (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xf0", b"\0\0\0\x63"):
            damaged.write_bytes(data[:start] + word + data[start + 4 :])
            try:
                refuse_truncated(damaged)
            except OSError as error:
                assert "truncated" in str(error) or "damaged" in str(error)


@pytest.fixture
def cut_off(tmp_path):
    whole = make(tmp_path / "whole.nc", FORMATS[0], ["f8"])
    path = tmp_path / "cut.nc"
    path.write_bytes(whole.read_bytes()[:-8])
    return path


def test_truncated_product_is_refused_by_the_check_and_by_the_metadata(cut_off, tmp_path):
    granule = Granule("A", {}, {"data": cut_off}, SimpleNamespace(limits=Limits()), tmp_path)
    with pytest.raises(CumulusError, match=r"product 'cut.nc' does not open: .* truncated: "):
        granule.check()
    with pytest.raises(CumulusError, match="truncated"):
        write_metadata(cut_off, "x", outdir=tmp_path)


def test_truncated_file_is_unreadable_and_never_equal(tmp_path):
    """Values that are zero are what the library reads where nothing is."""
    whole, cut = tmp_path / "whole.nc", tmp_path / "cut.nc"
    with netCDF4.Dataset(whole, "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("x", 10000)
        file.createVariable("v", "f8", ("x",))[:] = 0.0
    cut.write_bytes(whole.read_bytes()[:400])
    for pair in ((whole, cut), (cut, whole)):
        with pytest.raises(Unreadable, match=r"cannot open .*cut.nc': the file is truncated"):
            compare_files(*pair)


def test_real_granule_that_is_cut_off_is_no_product(repository):
    source = shared("data/granules/IMPACTS_AVAPS_PQC_20220208_142943.nc")
    (repository.input / "CPL_A.hdf5").write_bytes(source.read_bytes()[:52240])
    done = repository.run()
    assert done.returncode == 2
    assert "'CPL_A.nc' does not open" in done.stdout
    assert "truncated" in done.stdout
    assert repository.products() == []
