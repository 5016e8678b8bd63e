"""Awkward and hostile input: no crash, nothing lost in silence, and no file refused for what can be left out."""

import os
import subprocess

import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.test_features import table

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
    converter = build(table('{"/a", "b"}', '{"/a", "units", "1"}'))
    assert "matches nothing" not in converter("--list", tmp_path / "in.nc").stdout


def test_class_of_a_coordinate_that_is_no_scale_is_left_out(build, convert):
    """PyTables writes CLASS to every dataset; as a coordinate it gets HDF5's."""
    def fill(file):
        file["x"] = np.arange(3)
        file["x"].attrs["CLASS"] = "CARRAY"
    done, product = convert(fill, build(table('{"/x", "", "x"}')))
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
    assert "note: '/e': the names of its enumeration are left out: it has flags" in done.stderr
    with netCDF4.Dataset(product) as file:
        assert file["e"].__dict__ == {name: "no yes"}


@pytest.mark.parametrize("values", [("one", "two"), (1, 2)], ids=["text", "numbers"])
def test_second_attribute_of_one_legal_name_is_left_out(convert, values):
    def fill(file):
        file.attrs["a/b"], file.attrs["a_b"] = values
    done, product = convert(fill, track_order=True)
    assert "left out '/:a/b': netCDF forbids its name, and another attribute has the legal one" in done.stderr
    with netCDF4.Dataset(product) as file:
        assert file.a_b == values[1]


def test_renamed_attribute_does_not_displace_the_legal_one(convert):
    def fill(file):
        file.attrs["a b "], file.attrs["a b_"] = "renamed", "legal"
    done, product = convert(fill, track_order=True)
    assert "left out '/:a b ': netCDF forbids its name" in done.stderr
    with netCDF4.Dataset(product) as file:
        assert file.getncattr("a b_") == "legal"


def test_attributes_of_structural_names_that_are_none_are_left_out_by_name(convert):
    names = ["DIMENSION_LIST", "REFERENCE_LIST", "_Netcdf4Dimid", "_Netcdf4Coordinates", "_NCProperties", "_nc3_strict"]
    def fill(file):
        file["x"] = 1
        for name in names:
            file["x"].attrs[name] = "text"
            file.create_group(name).attrs[name] = np.int32(1)
    done, _ = convert(fill)
    for name in names:
        for path in ("/x", f"/{name}"):
            assert f"left out '{path}:{name}': netCDF-4 uses the name itself" in done.stderr


def test_names_of_an_enumeration_that_are_not_utf8(convert):
    def fill(file):
        kind = h5py.h5t.enum_create(h5py.h5t.STD_I16LE)
        for number, name in enumerate((b"kein_Eis", b"gr\xfcn")):
            kind.enum_insert(name, number)
        h5py.h5d.create(file.id, b"e", kind, h5py.h5s.create_simple((2,)))
    done, product = convert(fill)
    assert "note: '/e:flag_meanings': its text is not UTF-8: it is read as Latin-1" in done.stderr
    with netCDF4.Dataset(product) as file:
        assert file["e"].flag_meanings == "kein_Eis gr\xfcn"


def test_input_whose_name_is_not_utf8(plain, tmp_path):
    path = os.fsencode(tmp_path) + b"/gr\xfcn.h5"
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = 1
    os.rename(tmp_path / "in.h5", path)
    done = subprocess.run([plain.program, path, tmp_path / "out.nc"], capture_output=True, check=True)
    assert b"note: '/:history': the input's name is not UTF-8" in done.stderr
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product.history.endswith("from gr\xfcn.h5")


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
    _, product = convert(fill, build(table('{"/x", "", "a/b"}, {"/y", "", "a/b"}')))
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


FILLS = [("u1", np.int16(-9999)), ("i2", 1e9), ("i4", np.nan), ("u8", np.int64(-1)), ("f4", 1e300), ("i1", 0.5)]


@pytest.mark.parametrize(("dtype", "fill_value"), FILLS, ids=str)
def test_fill_value_that_does_not_fit_is_left_out(convert, dtype, fill_value):
    """Clamped, it would declare a valid number missing."""
    def fill(file):
        file.create_dataset("x", data=np.arange(3).astype(dtype), maxshape=(None,), chunks=(2,))
        file["x"].attrs["_FillValue"] = fill_value
    done, product = convert(fill)
    assert "left out '/x:_FillValue': it does not fit the variable's type" in done.stderr
    with netCDF4.Dataset(product) as file:
        assert file["x"].ncattrs() == [] and file["x"][:].tolist() == [0, 1, 2]


def test_fill_value_that_does_not_fit_does_not_fill(convert):
    """What was never written stays what HDF5 reads there."""
    def fill(file):
        file.create_dataset("x", (4,), "u1", chunks=(2,), maxshape=(None,))
        file["x"].attrs["_FillValue"] = np.int16(300)
    _, product = convert(fill)
    with h5py.File(product) as file:
        assert (file["x"][:].tolist(), file["x"].fillvalue) == ([0] * 4, 0)


@pytest.mark.parametrize(("dtype", "fill_value"), [("f4", -9999.9), ("i2", -9999.0), ("u1", np.int64(255)),
                                                   ("f4", np.nan), ("f8", np.float32(1e30))], ids=str)
def test_fill_value_of_another_type_that_fits_is_kept(convert, dtype, fill_value):
    def fill(file):
        file["x"] = np.arange(3).astype(dtype)
        file["x"].attrs["_FillValue"] = fill_value
    done, product = convert(fill)
    with netCDF4.Dataset(product) as file:
        kept = file["x"].getncattr("_FillValue")
        assert np.array_equal(kept, np.dtype(dtype).type(fill_value), equal_nan=True) and kept.dtype == dtype
    assert done.stderr == ""


@pytest.mark.parametrize(("dtype", "number"), [("i8", "-9223372036854775807"), ("u8", "18446744073709551614"),
                                               ("i8", "9007199254740993"), ("i8", "1e3")])
def test_wide_integers_of_the_tables_are_exact(build, convert, dtype, number):
    def fill(file):
        file[dtype] = np.arange(3).astype(dtype)
    rows = ", ".join(f'{{"/{kind}", "_FillValue", "{value}"}}' for kind, value in ((dtype, number),))
    _, product = convert(fill, build(table("", rows)))
    with netCDF4.Dataset(product) as file:
        assert int(file[dtype].getncattr("_FillValue")) == int(float(number) if "e" in number else number)


@pytest.mark.parametrize(("dtype", "number"), [("i8", "9223372036854775808"), ("u8", "-1"), ("u8", "x"),
                                               ("f8", "1e400"), ("f4", "1e39"), ("f4", "0 -1e400"),
                                               ("i2", "40000"), ("i2", "1.5"), ("f4", "1,2"), ("i2", "nan"),
                                               ("i2", "1 2")])
def test_number_of_the_tables_that_does_not_fit_is_refused(build, tmp_path, dtype, number):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = np.arange(3).astype(dtype)
    converter = build(table("", f'{{"/x", "_FillValue", "{number}"}}'))
    done = converter(tmp_path / "in.h5", tmp_path / "out.nc")
    assert done.returncode == 2 and f"the table's value '{number}' of _FillValue must be one number" in done.stderr


@pytest.mark.parametrize(("dtype", "number"), [("f4", "inf"), ("f8", "-inf"), ("f4", "nan"), ("f8", "1e-400"),
                                               ("f4", "0.1"), ("i2", " -3e2 ")])
def test_number_of_the_tables_that_fits_is_kept(build, convert, dtype, number):
    def fill(file):
        file["x"] = np.arange(3).astype(dtype)
    _, product = convert(fill, build(table("", f'{{"/x", "_FillValue", "{number}"}}')))
    with netCDF4.Dataset(product) as file:
        kept = file["x"].getncattr("_FillValue")
        assert np.array_equal(kept, np.dtype(dtype).type(float(number)), equal_nan=True)


@pytest.mark.parametrize(("variables", "attributes", "message"), [
    ("", '{"/x", "valid_min", 0}', "cannot use the row of '/x': its attribute 'valid_min' has no value in quotes"),
    ("", '{"/x"}', "cannot use the row of '/x': its attribute '' has no value in quotes"),
    ("{0}", '{"/", "a", "b"}', "cannot use 'a row of the variables table': it has no path"),
], ids=["zero", "path alone", "no path"])
def test_row_that_c_does_not_see_to_say_nothing_is_refused(build, tmp_path, variables, attributes, message):
    """0 is a null pointer."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = 1
    done = build(table(variables, attributes))(tmp_path / "in.h5", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (2, f"_convert: {message}\n")


def test_fill_value_of_characters_is_text(build, tmp_path):
    with netCDF4.Dataset(tmp_path / "in.nc", "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("x", 3)
        file.createVariable("c", "S1", ("x",))[:] = np.array([b"a", b"-", b"c"])
    done = build(table("", '{"/c", "_FillValue", "-"}'))(tmp_path / "in.nc", tmp_path / "out.nc")
    assert done.returncode == 0, done.stderr
    with h5py.File(tmp_path / "out.nc") as file:
        assert file["c"].attrs["_FillValue"] == b"-"


def test_history_of_several_strings_is_kept_a_line_each(convert):
    def fill(file):
        file.attrs["history"] = ["made", "mended"]
    done, product = convert(fill)
    with netCDF4.Dataset(product) as file:
        assert file.history.splitlines()[1:] == ["made", "mended"] and done.stderr == ""


def test_history_that_is_not_text_is_named(convert):
    def fill(file):
        file.attrs["history"] = 3
    assert "left out '/:history': it is not text" in convert(fill)[0].stderr


def test_classic_history_that_is_not_text_is_named(plain, tmp_path):
    with netCDF4.Dataset(tmp_path / "in.nc", "w", format="NETCDF3_CLASSIC") as file:
        file.history = np.int32(3)
    assert "left out '/:history': it is not text" in plain(tmp_path / "in.nc", tmp_path / "out.nc").stderr


def classic_header(name=b"x", rank=0, dims=b""):
    """A NetCDF-3 header with one byte variable; its data would begin far behind it."""
    def text(value):
        return len(value).to_bytes(4, "big") + value + bytes(-len(value) % 4)
    entry = bytes([0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 80])  # type, size, begin
    variable = text(name) + rank.to_bytes(4, "big") + bytes(4 * rank) + bytes(8) + entry
    variables = bytes([0, 0, 0, 11, 0, 0, 0, 1]) + variable
    return b"CDF\x01" + bytes(4) + (dims or bytes(8)) + bytes(8) + variables + bytes(200)


@pytest.mark.parametrize("header, why", [
    (classic_header(name=b"n" * 5000), "a name in it is longer than netCDF allows"),
    (classic_header(rank=3000), "a variable in it has more dimensions than netCDF allows"),
    (classic_header(rank=1), "a variable in it has a dimension that the file does not define"),
    (classic_header(dims=bytes([0, 0, 0, 10, 255, 255, 255, 255])), "the file is truncated: its end is missing"),
], ids=["long name", "many dimensions", "absent dimension", "count beyond the file"])
def test_hostile_classic_header_is_refused_by_its_fault(plain, tmp_path, header, why):
    """Before the netCDF library, which trusts it, sees it."""
    (tmp_path / "in.nc").write_bytes(header)
    done = plain(tmp_path / "in.nc", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (3, f"_convert: cannot read '{tmp_path}/in.nc': {why}\n")
