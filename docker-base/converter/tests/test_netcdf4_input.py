"""NetCDF-4 input keeps its dimensions: their names, their lengths, and which are unlimited."""

import shutil
import subprocess

import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.oracle import dimensions_of, judge, read_report
from converter.tests.test_features import table
from programs import need

UNLIMITED_CDL = """netcdf in {
dimensions: time = UNLIMITED; level = UNLIMITED; x = 2;
variables:
  int a(time, x); int b(time, x); float h(level); double t(time);
data: a = 1,2,3,4,5,6,7,8; b = 1,2,3,4,5,6,7,8; h = 1,2,3; t = 1,2,3,4;
}
"""
GROUPS_CDL = """netcdf in {
dimensions: time = UNLIMITED; x = 2;
variables: int x(x);
data: x = 5, 6;
group: inner {
  dimensions: x = 3; n = UNLIMITED;
  variables: int of_both(time, x); int of_inner(n); int time(time);
  data: of_both = 1,2,3,4,5,6; of_inner = 1,2,3,4; time = 7,8,9,10,11;
  group: deeper { variables: int y(time, x, n); }
}
}
"""


def same_shown(one, other):
    """ncdump shows the same of both, but for attributes that the conversion adds."""
    def shown(path):
        text = subprocess.run([need("ncdump"), "-n", "x", path], capture_output=True, text=True, check=True).stdout
        return [line for line in text.splitlines() if line.strip() and "// global attributes" not in line
                and ":history = " not in line and ":Conventions = " not in line]
    return shown(one) == shown(other)


@pytest.fixture
def kept(plain, tmp_path):
    """Convert in.nc, and check that everything in it is kept, and shown alike; returns the messages."""
    def check():
        granule, product = tmp_path / "in.nc", tmp_path / "out.nc"
        done = plain("--report", tmp_path / "report", granule, product)
        assert done.returncode == 0, done.stderr
        verdict = judge(granule, product, read_report(tmp_path / "report"))
        assert verdict.wrong == [] and verdict.dimensions > 0
        if shutil.which("ncdump"):
            assert same_shown(granule, product)
        return done.stderr
    return check


@pytest.mark.parametrize("cdl", [UNLIMITED_CDL, GROUPS_CDL], ids=["flat", "groups"])
def test_unlimited_dimension_without_coordinate_keeps_its_name(kept, tmp_path, cdl):
    """The library leaves its scale at length 0."""
    (tmp_path / "in.cdl").write_text(cdl)
    subprocess.run([need("ncgen"), "-4", "-o", tmp_path / "in.nc", tmp_path / "in.cdl"], check=True)
    assert kept() == ""


@pytest.mark.parametrize("lengths", [{"a": 4, "b": 6}, {"a": 6, "b": 4}, {"time": 3, "a": 5}, {"time": 5, "a": 3},
                                     {"time": 0, "a": 2}], ids=str)
def test_variables_of_different_lengths_share_their_unlimited_dimension(kept, tmp_path, lengths):
    """What was appended to one of them reads as fill value in the others; one may be the coordinate variable."""
    with netCDF4.Dataset(tmp_path / "in.nc", "w") as file:
        file.createDimension("time", None)
        file.createDimension("x", 2)
        for name, length in lengths.items():
            variable = file.createVariable(name, "i4", ("time",) if name == "time" else ("time", "x"))
            if length:
                variable[:length] = 7
    assert kept() == ""
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert len(product.dimensions["time"]) == max(lengths.values())


def test_unlimited_dimension_of_coordinates_of_several_dimensions(kept, tmp_path):
    """They have no scales, only netCDF-4's numbers."""
    with netCDF4.Dataset(tmp_path / "in.nc", "w") as file:
        for name, length in (("x", 3), ("time", None), ("y", None)):
            file.createDimension(name, length)
        file.createVariable("x", "f4", ("x", "time"))[:, :4] = np.ones((3, 4))
        file.createVariable("y", "f4", ("y", "x"))[:2] = np.ones((2, 3))
        file.createVariable("z", "f4", ("time", "y"))[:5, :6] = np.ones((5, 6))
    assert kept() == ""


def test_shorter_scale_of_an_unlimited_axis(kept, tmp_path):
    """As any writer of HDF5 may leave it; the NetCDF library takes it alike."""
    with h5py.File(tmp_path / "in.nc", "w", track_order=True) as file:
        file.create_dataset("time", data=np.arange(5.0), maxshape=(None,), chunks=(2,), track_order=True)
        file.create_dataset("a", data=np.arange(6.0), maxshape=(None,), chunks=(2,), track_order=True)
        file["time"].make_scale()
        file["a"].dims[0].attach_scale(file["time"])
    assert kept() == ""
    assert dimensions_of(tmp_path / "out.nc") == {"/time": [("time", 6, True)], "/a": [("time", 6, True)]}


@pytest.mark.parametrize("axes", [("time", "lev"), ("lev", "time")], ids=",".join)
@pytest.mark.parametrize("fill", [-1, None])
def test_variable_shorter_than_several_unlimited_dimensions_reads_right(plain, tmp_path, fill, axes):
    """The NetCDF library mixes up the values of one, in such an input, too: so h5py says what is right."""
    granule, product = tmp_path / "in.h5", tmp_path / "out.nc"
    with h5py.File(granule, "w") as file:
        for name, length in (("time", 4), ("lev", 5)):
            file.create_dataset(name, data=np.arange(length), maxshape=(None,)).make_scale()
        for name, *lengths in (("a", 4, 5), ("b", 4, 8), ("c", 6, 7)):
            shape = lengths if axes[0] == "time" else lengths[::-1]
            values = np.arange(np.prod(shape)).reshape(shape)
            file.create_dataset(name, data=values, maxshape=(None, None), chunks=(2, 16) if name == "a" else (2, 3),
                                compression="gzip", fillvalue=fill)
            for axis, scale in enumerate(axes):
                file[name].dims[axis].attach_scale(file[scale])
    done = plain("--report", tmp_path / "report", granule, product)
    assert ("is called 'unlimited_dim_" in done.stderr) == (fill is None)
    assert judge(granule, product, read_report(tmp_path / "report")).wrong == []
    with h5py.File(granule) as before, netCDF4.Dataset(product) as after:
        for name in "abc":
            expected, found = before[name][()], after[name][:]
            assert found.shape == (expected.shape if fill is None else (6, 8) if axes[0] == "time" else (8, 6))
            assert np.array_equal(found[:expected.shape[0], :expected.shape[1]], expected)
            assert np.ma.count(found) == expected.size


def scaled(path, **scale):
    """A file of /g/wave and /x, /y along it."""
    with h5py.File(path, "w") as file:
        file.create_dataset("g/wave", **scale)
        file["g/wave"].make_scale()
        for name in "xy":
            file[name] = np.arange(5.0)
            file[name].dims[0].attach_scale(file["g/wave"])


@pytest.mark.parametrize("rows", ['{"/g/wave", DROP}', '{"/g", DROP}'], ids=["scale", "group"])
def test_dropped_scale_still_names_the_dimension(build, tmp_path, rows):
    scaled(tmp_path / "in.h5", data=np.arange(5.0))
    assert build(table(rows))(tmp_path / "in.h5", tmp_path / "out.nc").returncode == 0
    assert dimensions_of(tmp_path / "out.nc") == {f"/{name}": [("wave", 5, False)] for name in "xy"}


@pytest.mark.parametrize("scale", [{"shape": (5,), "dtype": h5py.ref_dtype},
                                   {"data": np.arange(5), "compression": "lzf"}],
                         ids=["reference", "lzf"])
def test_scale_that_is_left_out_still_names_the_dimension(plain, tmp_path, scale):
    scaled(tmp_path / "in.h5", **scale)
    assert "left out '/g/wave': " in plain(tmp_path / "in.h5", tmp_path / "out.nc").stderr
    assert dimensions_of(tmp_path / "out.nc") == {f"/{name}": [("wave", 5, False)] for name in "xy"}


def test_scale_that_does_not_fit_is_noted(plain, tmp_path):
    scaled(tmp_path / "in.h5", data=np.arange(4.0))
    done = plain(tmp_path / "in.h5", tmp_path / "out.nc")
    assert done.stderr.splitlines() == [
        f"_convert: note: '/{name}': its axis 0 of length 5 is called 'dim_5': its scale 'wave' has the length 4"
        for name in "xy"]


def test_dimension_whose_users_are_left_out_is_kept(plain, tmp_path):
    """No table asked for anything else."""
    with netCDF4.Dataset(tmp_path / "in.nc", "w") as file:
        file.createDimension("n", 3)
        file.createVariable("x", "i4")[...] = 1
    with h5py.File(tmp_path / "in.nc", "a") as file:
        file.create_dataset("c", (3,), h5py.ref_dtype).dims[0].attach_scale(file["n"])
    done = plain(tmp_path / "in.nc", tmp_path / "out.nc")
    assert "left out '/c': reference: not supported" in done.stderr
    assert "no variable lies along" not in done.stderr
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert len(product.dimensions["n"]) == 3


def test_name_of_the_table_that_is_the_files_own_is_the_files_dimension(build, tmp_path):
    with netCDF4.Dataset(tmp_path / "in.nc", "w") as file:
        file.createDimension("time", None)
        for name, length in (("a", 4), ("b", 6)):
            file.createVariable(name, "i4", ("time",))[:length] = 1
    done = build(table('{"/*", "", "time"}'))(tmp_path / "in.nc", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (0, "")
    assert dimensions_of(tmp_path / "out.nc") == {f"/{name}": [("time", 6, True)] for name in "ab"}


@pytest.mark.parametrize("lengths", [(3, 6), (6, 3)])
def test_unlimited_dimension_that_the_table_renames_is_shared(build, tmp_path, lengths):
    """Also by variables of different lengths; it stays that of the one that no row speaks of."""
    with netCDF4.Dataset(tmp_path / "in.nc", "w") as granule:
        granule.createDimension("time", None)
        for name, length in zip("abc", (*lengths, 2), strict=True):
            granule.createVariable(name, "i4", ("time",))[:length] = np.arange(length)
    converter = build(table('{"/a", "", "t"}, {"/b", "", "t"}'))
    assert converter("--strict", tmp_path / "in.nc", tmp_path / "out.nc").returncode == 0
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert [product[name].dimensions for name in "abc"] == [("t",), ("t",), ("time",)]
        assert product.dimensions["t"].size == 6 and product.dimensions["t"].isunlimited()
        for name, length in zip("ab", lengths, strict=True):
            assert list(product[name][:].compressed()) == list(range(length))


@pytest.mark.parametrize("rows", [1, 2], ids=["other values", "other length"])
def test_list_of_scales_that_cannot_be_read_is_noted(plain, tmp_path, rows):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = np.arange(3)
        kind = h5py.h5t.vlen_create(h5py.h5t.STD_REF_OBJ if rows == 2 else h5py.h5t.STD_I32LE)
        h5py.h5a.create(file["x"].id, b"DIMENSION_LIST", kind, h5py.h5s.create_simple((rows,)))
    done = plain(tmp_path / "in.h5", tmp_path / "out.nc")
    assert "note: '/x': the scales of its axes cannot be read: " in done.stderr
