"""NetCDF-3 input: every version, truncated at any place, and under the tables."""

import subprocess

import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.library import build_converter
from converter.tests.test_features import table
from programs import need

INPUT = 3
FORMATS = {"1": "NETCDF3_CLASSIC", "2": "NETCDF3_64BIT_OFFSET", "5": "NETCDF3_64BIT_DATA"}
SHAPES = {  # record variables: (name, type); each has 3 values a record
    "no records": [],
    "one record variable": [("a", "i1")],
    "several record variables": [("a", "i1"), ("b", "i2"), ("c", "f8"), ("d", "S1")],
}


def make(path, file_format, records):
    """A file whose variables do not end at multiples of four bytes, where that can be."""
    with netCDF4.Dataset(path, "w", format=file_format) as file:
        file.title = "classic"
        file.createDimension("time", None)
        file.createDimension("x", 3)
        file.createDimension("unused", 2)
        file.createVariable("fixed", "i2", ("x",))[:] = [1, -2, 3]
        file["fixed"].valid_range = np.array([-9, 9], "i2")
        for name, dtype in records:
            file.createVariable(name, dtype, ("time", "x"))
            file[name].units = "1"
        for name, dtype in records:
            file[name][:] = np.full((5, 3), b"z", "S1") if dtype == "S1" else np.arange(1, 16).reshape(5, 3)
        file.createVariable("last", "i1", ("x",))[:] = [4, 5, 6]


def same(before, after):
    return list(before.variables) == list(after.variables) and all(
        np.array_equal(before[name][...], after[name][...]) and before[name].__dict__.keys() ==
        after[name].__dict__.keys() and before[name].dimensions == after[name].dimensions for name in before.variables)


def opened(path):
    dataset = netCDF4.Dataset(path)
    dataset.set_auto_mask(False)
    return dataset


@pytest.mark.parametrize("version", FORMATS)
@pytest.mark.parametrize("shape", SHAPES)
def test_classic_file_is_converted_whole_and_refused_where_data_are_cut_off(plain, tmp_path, version, shape):
    """At each length: status 3 and no product, or, where only padding is missing, all values."""
    whole, cut, out = tmp_path / "whole.nc", tmp_path / "cut.nc", tmp_path / "out"
    make(whole, FORMATS[version], SHAPES[shape])
    out.mkdir()
    data = whole.read_bytes()
    assert data[3] == int(version)
    lengths = sorted({*range(4, len(data) - 16, max(1, len(data) // 24)), *range(len(data) - 16, len(data) + 1)})
    pairs = []
    for length in lengths:
        (tmp_path / f"cut-{length}.nc").write_bytes(data[:length])
        pairs += [tmp_path / f"cut-{length}.nc", out / f"{length}.nc"]
    plain(*pairs)
    made = sorted(int(path.stem) for path in out.iterdir())
    assert made and made[-1] == len(data) and made[0] >= len(data) - 3
    for length in made:
        with opened(whole) as before, opened(out / f"{length}.nc") as after:
            assert same(before, after), length
    assert not cut.exists()


def test_truncated_classic_file_says_so(plain, tmp_path):
    make(tmp_path / "whole.nc", FORMATS["1"], SHAPES["several record variables"])
    (tmp_path / "cut.nc").write_bytes((tmp_path / "whole.nc").read_bytes()[:-40])
    done = plain(tmp_path / "cut.nc", tmp_path / "x.nc")
    assert (done.returncode, done.stderr) == (
        INPUT, f"_convert: cannot read '{tmp_path}/cut.nc': the file is truncated: its end is missing\n")


@pytest.mark.parametrize("version", FORMATS)
def test_tables_apply_to_classic_input(build, tmp_path, version):
    """Names, dimension names, attributes, fill values and dropped variables."""
    converter = build(table('{"/a", "speed", "when where", "m s-1", "wind_speed", "speed"}, {"/b", DROP},'
                            '{"/fixed", "", "where"}, {"/nothing", "x"}',
                            '{"/a", "_FillValue", "-1"}, {"/fixed", "valid_range", ""}, {"/", "title", "changed"}'))
    make(tmp_path / "in.nc", FORMATS[version], SHAPES["several record variables"])
    done = converter(tmp_path / "in.nc", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (0, "_convert: note: '/b': dropped by the table\n")
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        speed = product["speed"]
        assert speed.dimensions == ("when", "where") and product.dimensions["when"].isunlimited()
        assert (speed.units, speed.standard_name, speed._FillValue) == ("m s-1", "wind_speed", -1)
        assert product["fixed"].dimensions == ("where",) and product["fixed"].ncattrs() == []
        assert product.title == "changed" and "b" not in product.variables
        assert speed[4].tolist() == [13, 14, 15]
    listed = converter("--list", tmp_path / "in.nc").stdout.splitlines()
    assert "variable '/a': /speed" in [" ".join(line.split()[:3]) for line in listed]
    assert "note: '/nothing': a row of the variables table matches nothing here" in listed


def test_classic_file_of_no_variables_or_records(plain, tmp_path):
    """Nothing to refuse: a header alone, and an unlimited dimension of length 0."""
    for version, file_format in FORMATS.items():
        for name in ("header", "records"):
            with netCDF4.Dataset(tmp_path / f"{name}{version}.nc", "w", format=file_format) as file:
                if name == "records":
                    file.createDimension("t", None)
                    file.createVariable("x", "f4", ("t",))
            done = plain(tmp_path / f"{name}{version}.nc", tmp_path / "out.nc")
            assert (done.returncode, done.stderr) == (0, "")
            with netCDF4.Dataset(tmp_path / "out.nc") as product:
                assert list(product.variables) == (["x"] if name == "records" else [])


def test_classic_input_without_the_netcdf_library_names_it(starter_table, tmp_path):
    """The library is loaded when such an input comes; HDF5 input goes on without it."""
    converter = build_converter(tmp_path, starter_table, "CFLAGS=-O0", "NETCDF=libabsent.so.0")
    make(tmp_path / "in.nc", FORMATS["1"], [])
    done = converter(tmp_path / "in.nc", tmp_path / "x.nc")
    assert done.returncode == INPUT and not (tmp_path / "x.nc").exists()
    assert "NetCDF-3 input needs the netCDF library: libabsent.so.0" in done.stderr


def with_fill(path, dtype, fill):
    """A file whose variable has a fill value of any type, as only old programs wrote it."""
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("x", 3)
        data = [b"a", b"", b"c"] if dtype == "S1" else [1, 2, 3]
        file.createVariable("v", dtype, ("x",))[:] = np.array(data, dtype)
        file["v"].setncattr("_fillvalue", fill)
    path.write_bytes(path.read_bytes().replace(b"_fillvalue", b"_FillValue"))


@pytest.mark.parametrize(
    ("dtype", "fill", "expected"),
    [("f4", np.int32(-999), -999), ("i2", np.float64(-1), -1), ("S1", "\0", b""), ("f8", np.float32(-9), -9)],
    ids=["float from int", "short from double", "zero byte", "double from float"])
def test_fill_value_becomes_of_its_variables_type(plain, tmp_path, dtype, fill, expected):
    source, product = tmp_path / "in.nc", tmp_path / "out.nc"
    with_fill(source, dtype, fill)
    done = plain(source, product)
    assert (done.returncode, done.stderr) == (0, "")
    with h5py.File(product) as file:
        attributes = file["v"].attrs
        assert np.all(attributes["_FillValue"] == np.array(expected, dtype))
        assert attributes.get_id("_FillValue").dtype == np.dtype(dtype)
        assert file["v"].fillvalue == np.array(expected, dtype)
    copied = subprocess.run([need("nccopy"), product, tmp_path / "copy.nc"], capture_output=True, text=True,
                            check=False)
    assert copied.returncode == 0, copied.stderr


@pytest.mark.parametrize(
    ("dtype", "fill", "reason"),
    [("i1", np.int32(300), "it does not fit the variable's type"),
     ("i2", np.array([1, 2], "i2"), "it is not a single value of the variable's type"),
     ("f4", "-999", "it is not a single value of the variable's type"),
     ("S1", "ab", "it is not a single value of the variable's type"),
     ("S1", np.int32(0), "it is not a single value of the variable's type")],
    ids=["too large", "two values", "text for a number", "two characters", "number for a text"])
def test_fill_value_that_cannot_be_one_is_left_out_by_name(plain, tmp_path, dtype, fill, reason):
    source, product = tmp_path / "in.nc", tmp_path / "out.nc"
    with_fill(source, dtype, fill)
    done = plain(source, product)
    assert done.returncode == 0 and done.stderr == f"_convert: left out '/v:_FillValue': {reason}\n"
    with opened(product) as after:
        assert "_FillValue" not in after["v"].ncattrs()


def test_zero_bytes_in_a_text_stay(plain, tmp_path):
    source, product = tmp_path / "in.nc", tmp_path / "out.nc"
    with netCDF4.Dataset(source, "w", format="NETCDF3_CLASSIC") as file:
        file.comment = "ab\0cd\0"
    plain(source, product)
    shown = [subprocess.run([need("ncdump"), "-h", path], capture_output=True, text=True, check=True).stdout
             for path in (source, product)]
    assert all(':comment = "ab\\000cd" ;' in text for text in shown)


def test_history_after_a_zero_byte_is_left_out_by_name(plain, tmp_path):
    with netCDF4.Dataset(tmp_path / "in.nc", "w", format="NETCDF3_CLASSIC") as file:
        file.history = "one\0two"
    done = plain(tmp_path / "in.nc", tmp_path / "out.nc")
    assert done.stderr == "_convert: left out '/:history': " \
                          "the text after its first zero byte: netCDF strings end there\n"


def test_text_that_is_not_utf8_is_taken_for_latin1(plain, tmp_path):
    source = tmp_path / "in.nc"
    with netCDF4.Dataset(source, "w", format="NETCDF3_CLASSIC") as file:
        file.units = "~m"
    source.write_bytes(source.read_bytes().replace(b"~m", b"\xb5m"))
    done = plain(source, tmp_path / "out.nc")
    assert done.stderr == "_convert: note: '/:units': its text is not UTF-8: it is read as Latin-1\n"
    with netCDF4.Dataset(tmp_path / "out.nc") as file:
        assert file.units == "µm"


def test_names_that_netcdf4_needs_itself_are_told(plain, tmp_path):
    """A classic file may use them for anything."""
    with netCDF4.Dataset(tmp_path / "in.nc", "w", format="NETCDF3_CLASSIC") as file:
        file.setncatts({"CLASS": "first", "DIMENSION_LIST": "a b"})
    done = plain(tmp_path / "in.nc", tmp_path / "out.nc")
    assert sorted(done.stderr.splitlines()) == [
        "_convert: left out '/:DIMENSION_LIST': netCDF-4 uses the name itself",
        "_convert: note: '/:CLASS': kept, but the netCDF library hides attributes of this name"]


def test_empty_name_in_a_damaged_header_is_the_inputs_fault(plain, tmp_path):
    with netCDF4.Dataset(tmp_path / "in.nc", "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("x", 3)
    data = bytearray((tmp_path / "in.nc").read_bytes())
    data[16:20] = bytes(4)  # the length of the dimension's name
    (tmp_path / "in.nc").write_bytes(data)
    done = plain(tmp_path / "in.nc", tmp_path / "out.nc")
    assert (done.returncode, "a name in it is empty" in done.stderr) == (INPUT, True)
