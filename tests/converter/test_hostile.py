"""Awkward and hostile input: no crash, nothing lost in silence, and no file refused for what can be left out."""

import h5py
import netCDF4
import numpy as np
import pytest
from converter.test_features import table

INPUT = 3


@pytest.fixture
def convert(plain, tmp_path):
    """Fill an HDF5 file with the function and convert it; returns the finished process and the product's path."""
    def run(fill, converter=plain, **options):
        with h5py.File(tmp_path / "in.h5", "w", **options) as file:
            fill(file)
        done = converter(tmp_path / "in.h5", tmp_path / "out.nc")
        assert done.returncode == 0, done.stderr
        return done, tmp_path / "out.nc"
    return run


def test_classic_file_of_more_dimensions_than_netcdf_promises(plain, tmp_path):
    """1024 is what the library's header says; it reads more."""
    header = bytearray(b"CDF\x01" + bytes(4) + (10).to_bytes(4, "big") + (1500).to_bytes(4, "big"))
    for number in range(1500):
        header += (5).to_bytes(4, "big") + b"d%04d" % number + bytes(3) + (number + 1).to_bytes(4, "big")
    header += bytes(8) + (11).to_bytes(4, "big") + (1).to_bytes(4, "big")       # no attributes; one variable:
    header += (1).to_bytes(4, "big") + b"x" + bytes(3)                          # x
    header += (1).to_bytes(4, "big") + (1499).to_bytes(4, "big") + bytes(8)     # along the last dimension
    header += (1).to_bytes(4, "big") + (1500).to_bytes(4, "big") + (len(header) + 12).to_bytes(4, "big")
    (tmp_path / "in.nc").write_bytes(bytes(header) + bytes(1500))
    done = plain(tmp_path / "in.nc", tmp_path / "out.nc")
    assert done.returncode == 0, done.stderr
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["x"].dimensions == ("d1499",)


def test_rows_that_match_classic_variables_count_as_used(build, tmp_path):
    with netCDF4.Dataset(tmp_path / "in.nc", "w", format="NETCDF3_CLASSIC") as file:
        file.createVariable("a", "i2")
    converter = build(table('{"/a", "b"}', '{"/a", "units", "1"}'), "CFLAGS=-O0")
    assert "matches nothing" not in converter("--list", tmp_path / "in.nc").stdout


def test_class_of_a_coordinate_that_is_no_scale_is_left_out(build, convert):
    """PyTables writes CLASS to every dataset; as a coordinate it gets HDF5's."""
    def fill(file):
        file["x"] = np.arange(3)
        file["x"].attrs["CLASS"] = "CARRAY"
    done, product = convert(fill, build(table('{"/x", "", "x"}'), "CFLAGS=-O0"))
    assert "left out '/x:CLASS': HDF5 uses the name for dimension scales" in done.stderr
    with netCDF4.Dataset(product) as file:
        assert file["x"][:].tolist() == [0, 1, 2] and file["x"].ncattrs() == []


def test_class_of_a_variable_that_is_no_coordinate_is_kept(convert):
    def fill(file):
        file["x"] = np.arange(3)
        file["x"].attrs["CLASS"] = "CARRAY"
    _, product = convert(fill)
    with h5py.File(product) as file:
        assert file["x"].attrs["CLASS"] == b"CARRAY"


@pytest.mark.parametrize("name", ["flag_meanings", "flag_values"])
def test_enumeration_with_flags_of_its_own_keeps_them(convert, name):
    def fill(file):
        file.create_dataset("e", data=[0, 1], dtype=h5py.enum_dtype({"OFF": 0, "ON": 1}, basetype="i2"))
        file["e"].attrs[name] = "no yes"
    done, product = convert(fill)
    assert "note: '/e': the names of its enumeration are not written" in done.stderr
    with netCDF4.Dataset(product) as file:
        assert file["e"].__dict__ == {name: "no yes"}


@pytest.mark.parametrize("values", [("one", "two"), (1, 2)], ids=["text", "numbers"])
def test_second_attribute_of_one_legal_name_is_left_out(convert, values):
    def fill(file):
        file.attrs["a/b"], file.attrs["a_b"] = values
    done, product = convert(fill, track_order=True)
    assert "left out '/:a_b': another attribute has its name" in done.stderr
    with netCDF4.Dataset(product) as file:
        assert file.a_b == values[0]


def test_dataset_named_as_the_prefix_of_hidden_variables_keeps_its_name(convert):
    def fill(file):
        file["_nc4_non_coord_"] = 1
    _, product = convert(fill)
    with netCDF4.Dataset(product) as file:
        assert list(file.variables) == ["_nc4_non_coord_"]


def test_groups_nested_too_deep_are_refused(plain, tmp_path):
    """6000 would end the program, and leave what it had begun."""
    with h5py.File(tmp_path / "in.h5", "w", libver="latest") as file:
        group = file
        for _ in range(6000):
            group = group.create_group("g")
    (tmp_path / "out").mkdir()
    done = plain(tmp_path / "in.h5", tmp_path / "out" / "x.nc")
    assert done.returncode == INPUT and "nested more than 500 deep" in done.stderr
    assert list((tmp_path / "out").iterdir()) == []


def test_groups_nested_deep_are_converted(convert):
    def fill(file):
        file["/".join("g" * 400) + "/x"] = 1
    done, product = convert(fill)
    with h5py.File(product) as file:
        assert file["/".join("g" * 400) + "/x"][()] == 1 and done.stderr == ""


def test_axes_of_one_illegal_dimension_name_share_the_dimension(build, convert):
    def fill(file):
        file["x"], file["y"] = np.arange(3), np.arange(3)
    _, product = convert(fill, build(table('{"/x", "", "a/b"}, {"/y", "", "a/b"}'), "CFLAGS=-O0"))
    with netCDF4.Dataset(product) as file:
        assert list(file.dimensions) == ["a_b"]


@pytest.mark.parametrize("shift", range(3))
def test_long_name_is_not_cut_within_a_character(convert, shift):
    name = "x" * shift + "€" * 200
    def fill(file):
        file[name] = 1
    _, product = convert(fill)
    with h5py.File(product) as file:
        (made,) = file
        assert name.startswith(made) and len(made.encode()) > 230
