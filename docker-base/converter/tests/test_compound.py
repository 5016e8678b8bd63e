"""Compound datasets: each field is a variable, or the compound stays whole; nothing of them is lost in silence."""

import resource
import shutil
import subprocess

import h5netcdf
import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.oracle import judge, read_report
from converter.tests.test_features import table
from programs import need

QUALITY = h5py.enum_dtype({"good": 0, "bad": 1}, basetype="i1")
ROW = np.dtype([("time", ">f8"), ("name", "S6"), ("text", h5py.string_dtype()), ("wind", "<f4", (2, 3)),
                ("quality", QUALITY), ("raw", "V3"), ("hits", h5py.vlen_dtype("u2")), ("link", h5py.ref_dtype),
                ("place", [("lat", "f4"), ("lon", "f4"), ("station", [("id", "u2")])])])


def make_rows(file, count=5):
    """A table with a field of every kind, and the values that were written."""
    rows = np.zeros(count, ROW)
    rows["time"] = np.arange(count) + 0.5
    rows["name"] = [f"n{n}".encode() for n in range(count)]
    rows["text"] = [f"ü{n}" for n in range(count)]
    rows["wind"] = np.arange(count * 6).reshape(count, 2, 3)
    rows["quality"] = np.arange(count) % 2
    rows["raw"] = [np.void(bytes([n, 0, 255])) for n in range(count)]
    rows["hits"] = [np.arange(n, dtype="u2") for n in range(count)]
    rows["link"] = file.ref
    rows["place"]["lat"] = np.linspace(-90, 90, count)
    rows["place"]["lon"] = np.linspace(0, 359, count)
    rows["place"]["station"]["id"] = np.arange(count) + 60000
    file.create_dataset("table", data=rows, chunks=(2,), maxshape=(None,), compression="gzip").attrs["title"] = "tower"
    return rows


@pytest.fixture
def tower(tmp_path):
    path = tmp_path / "tower.h5"
    with h5py.File(path, "w") as file:
        rows = make_rows(file)
        file["other"] = np.arange(5)
    return path, rows


def run(converter, granule, product, *options):
    done = converter("--report", product.with_suffix(".json"), *options, granule, product)
    assert done.returncode == 0, done.stderr
    assert judge(granule, product, read_report(product.with_suffix(".json"))).wrong == []
    return done.stderr


def test_each_field_is_a_variable_that_netcdf_reads(plain, tower, tmp_path):
    """Numbers, text, arrays with a dimension of their own, enumerations, sequences, fields of a compound within."""
    path, rows = tower
    messages = run(plain, path, tmp_path / "x.nc")
    assert messages == "_convert: left out '/table/link': reference: not supported\n"
    with pytest.warns(UserWarning, match="raw"), netCDF4.Dataset(tmp_path / "x.nc") as product:
        group = product["table"]
        assert group.title == "tower" and list(group.dimensions) == ["unlimited_dim_5", "dim_2", "dim_3"]
        assert group["wind"].dimensions == ("unlimited_dim_5", "dim_2", "dim_3")
        assert np.array_equal(group["time"][:], rows["time"]) and group["time"].endian() == "big"
        assert group["time"].filters()["zlib"] and group["time"].chunking() == [2]
        assert group["name"][:].tolist() == [name.decode() for name in rows["name"]]
        assert group["text"][:].tolist() == list(rows["text"])
        assert np.array_equal(group["wind"][:], rows["wind"])
        assert group["quality"][:].tolist() == rows["quality"].tolist()
        assert group["quality"].datatype.enum_dict == {"good": 0, "bad": 1}
        assert sorted(group["quality"].flag_meanings.split()) == ["bad", "good"]
        assert [list(hits) for hits in group["hits"][:]] == [list(hits) for hits in rows["hits"]]
        assert np.array_equal(group["place.lon"][:], rows["place"]["lon"])
        assert np.array_equal(group["place.station.id"][:], rows["place"]["station"]["id"])
    with h5py.File(tmp_path / "x.nc") as product:
        assert product["table/raw"][()].tobytes() == rows["raw"].tobytes()


def test_field_called_as_a_field_within_another_is_a_second_variable(plain, tmp_path):
    """OUTER.INNER may be the name of a field as well: both are kept, and a note names the second."""
    granule, product = tmp_path / "in.h5", tmp_path / "out.nc"
    with h5py.File(granule, "w") as file:
        file["a"] = np.array(((5,), 7), [("a", [("b", "i1")]), ("a.b", "i1")])
    done = plain(granule, product)
    assert done.returncode == 0 and "converted as 'a.b_2'" in done.stderr
    with netCDF4.Dataset(product) as file:
        assert [int(file["a"][name][...]) for name in ("a.b", "a.b_2")] == [5, 7]


def test_h5netcdf_reads_the_fields(plain, tmp_path):
    """As xarray's second engine does; it opens no file with opaque types."""
    rows = np.zeros(4, [("a", "i4"), ("b", "f8", (2,)), ("q", QUALITY)])
    rows["a"], rows["b"], rows["q"] = np.arange(4), np.arange(8).reshape(4, 2), [0, 1, 1, 0]
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["t"] = rows
    run(plain, tmp_path / "in.h5", tmp_path / "x.nc")
    with h5netcdf.File(tmp_path / "x.nc") as product:
        for name in rows.dtype.names:
            assert np.array_equal(product["t"][name][...], rows[name])


def test_table_names_fields_as_datasets(build, tower, tmp_path):
    """Renamed, moved, dropped, with dimensions and units; a glob matches them."""
    converter = build(table('{"/table/time", "/time", "time", "s"}, {"/table/wind", "", "time side level"}, '
                            '{"/table/link", DROP}, {"/table/raw", DROP}, {"/table/*", "", "time"}'))
    path, rows = tower
    done = converter(path, tmp_path / "x.nc")
    assert sorted(done.stderr.splitlines()) == ["_convert: note: '/table/link': dropped by the table",
                                                "_convert: note: '/table/raw': dropped by the table"]
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert product["time"].units == "s" and np.array_equal(product["time"][:], rows["time"])
        assert product["table/wind"].dimensions == ("time", "side", "level")
        assert product["table/place.lat"].dimensions == ("time",)


@pytest.mark.parametrize("row", ['{"/table", DROP}', '{"/t*", DROP}'], ids=["path", "glob"])
def test_dropped_compound_leaves_no_field(build, tower, tmp_path, row):
    done = build(table(row))(tower[0], tmp_path / "x.nc")
    assert done.stderr == "_convert: note: '/table': dropped by the table\n"
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert list(product.variables) == ["other"] and not product.groups


PLAIN_ROW = np.dtype([("a", "<i2"), ("b", ">f8"), ("name", "S3"), ("c", "u1", (2,)), ("inner", [("d", "f4")])])


def test_row_with_the_compounds_own_path_keeps_it_whole(build, tmp_path):
    """As netCDF-4's compound, whose types are named; its dimensions and attributes are those of the row."""
    rows = np.zeros(3, PLAIN_ROW)
    rows["a"], rows["b"], rows["name"] = [1, 2, 3], [0.5, np.nan, -1], [b"abc", b"d", b""]
    rows["c"], rows["inner"]["d"] = [[1, 2], [3, 4], [5, 6]], [7, 8, 9]
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["t"] = rows
    build(table('{"/t", "tower", "time", "1"}'))(tmp_path / "in.h5", tmp_path / "x.nc")
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        variable = product["tower"]
        assert isinstance(variable.datatype, netCDF4.CompoundType) and variable.dimensions == ("time",)
        assert variable.units == "1"
        found = variable[:]
        assert found["a"].tolist() == [1, 2, 3] and np.array_equal(found["b"], rows["b"], equal_nan=True)
        assert found["name"].tolist() == [b"abc", b"d", b""]
        assert found["c"].tolist() == rows["c"].tolist() and found["inner"]["d"].tolist() == [7, 8, 9]


def make_netcdf4(path):
    with netCDF4.Dataset(path, "w") as file:
        kind = file.createCompoundType(np.dtype([("sum", "f4"), ("weight", "i2")]), "bin")
        sequence = file.createVLType("i4", "sequence")
        file.createDimension("n", 3)
        values = file.createVariable("bins", kind, ("n",), zlib=True)
        values[:] = np.array([(1.5, 1), (2.5, 2), (3.5, 3)], kind.dtype)
        hits = file.createVariable("hits", sequence, ("n",))
        for i in range(3):
            hits[i] = np.arange(i, dtype="i4")


def test_compounds_of_a_netcdf4_file_stay_whole(plain, tmp_path):
    """With their named types, as ncdump shows them."""
    make_netcdf4(tmp_path / "in.nc")
    assert run(plain, tmp_path / "in.nc", tmp_path / "x.nc") == ""
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert list(product.cmptypes) == ["bin"] and list(product.vltypes) == ["sequence"]
        assert product["bins"][:]["sum"].tolist() == [1.5, 2.5, 3.5] and list(product["hits"][2]) == [0, 1]
    if shutil.which("ncdump"):
        shown = [subprocess.run([need("ncdump"), "-n", "x", path], capture_output=True, text=True,
                                check=True).stdout
                 for path in (tmp_path / "in.nc", tmp_path / "x.nc")]
        assert set(shown[0].splitlines()) <= set(shown[1].splitlines())


def test_row_of_a_field_splits_the_compound_of_a_netcdf4_file(build, tmp_path):
    make_netcdf4(tmp_path / "in.nc")
    build(table('{"/bins/sum", "/total", "", "K"}'))(tmp_path / "in.nc", tmp_path / "x.nc")
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert product["total"][:].tolist() == [1.5, 2.5, 3.5] and product["total"].dimensions == ("n",)
        assert product["bins/weight"][:].tolist() == [1, 2, 3]


def test_compound_that_cannot_stay_whole_is_split_and_noted(build, tower, tmp_path):
    done = build(table('{"/table", ""}'))(tower[0], tmp_path / "x.nc")
    assert "note: '/table': a variable each field: as a compound it is not supported: reference" in done.stderr
    with h5py.File(tmp_path / "x.nc") as product:
        assert isinstance(product["table"], h5py.Group)


def test_what_was_never_written_reads_as_the_fill_value_of_its_field(plain, tmp_path):
    kind = np.dtype([("a", "i4"), ("b", "f4", (2,)), ("s", "S2"), ("same", "i2", (2,))])
    fill = np.array((7, (1.5, 2.5), b"xy", (3, 3)), kind)
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file.create_dataset("t", (6,), kind, chunks=(2,), fillvalue=fill)[0] = np.array((1, (2, 3), b"z", (4, 5)), kind)
        file.create_dataset("none", (4,), kind, chunks=(2,), fillvalue=fill)
    run(plain, tmp_path / "in.h5", tmp_path / "x.nc")
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert product["t/a"]._FillValue == 7 and product["none/s"][:].tolist() == ["xy"] * 4


def test_scale_that_is_a_compound_names_the_dimension(plain, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["g/wave"] = np.zeros(5, [("a", "i4")])
        file["g/wave"].make_scale()
        file["x"] = np.arange(5.0)
        file["x"].dims[0].attach_scale(file["g/wave"])
    run(plain, tmp_path / "in.h5", tmp_path / "x.nc")
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert product["x"].dimensions == product["g/wave/a"].dimensions == ("wave",)


def test_memory_is_bounded(plain, tmp_path):
    """A table of 80 MB is converted in blocks."""
    kind = np.dtype([("a", "f8"), ("b", "f8"), ("c", "f8", (8,))])
    with h5py.File(tmp_path / "in.h5", "w") as file:
        data = file.create_dataset("t", (1_000_000,), kind, chunks=(1000,))
        rows = np.zeros(100_000, kind)
        for start in range(0, 1_000_000, 100_000):
            rows["a"] = np.arange(start, start + 100_000)
            data[start:start + 100_000] = rows

    def limit():
        resource.setrlimit(resource.RLIMIT_DATA, (48 << 20, 48 << 20))
    done = plain(tmp_path / "in.h5", tmp_path / "x.nc", preexec_fn=limit)
    assert done.returncode == 0, done.stderr
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert np.array_equal(product["t/a"][:], np.arange(1_000_000))


@pytest.mark.parametrize("kind", [h5py.ref_dtype, np.dtype([("r", h5py.ref_dtype)])], ids=["reference", "compound"])
def test_input_without_a_variable_left_is_a_failure(plain, tmp_path, kind):
    """Its product would look as if the granule had no data."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file.create_dataset("x", (2,), kind)
    done = plain(tmp_path / "in.h5", tmp_path / "x.nc")
    assert done.returncode == 4 and not (tmp_path / "x.nc").exists()
    assert done.stderr.splitlines()[-1].endswith("no variable is left of its data: each dataset is left out or dropped")


def test_table_that_drops_every_dataset_is_a_failure(build, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = 1
    assert build(table('{"/*", DROP}'))(tmp_path / "in.h5", tmp_path / "x.nc").returncode == 4


@pytest.mark.parametrize("fill", [lambda file: file.create_group("g"), lambda file: file.create_dataset("x", (0,))],
                         ids=["group", "no values"])
def test_input_without_data_is_converted(plain, tmp_path, fill):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        fill(file)
    assert plain(tmp_path / "in.h5", tmp_path / "x.nc").returncode == 0


@pytest.mark.parametrize("name", ["ropensci_tidync__S2008001.L3b_DAY_RRS.nc",
                                  "wradlib_wradlib-data__radiosonde_10410_20140610_1200.h5"])
def test_real_compounds_keep_every_value(plain, shared, tmp_path, name):
    """SeaWiFS level 3 bins, which netCDF-4 has as compounds, and a radiosonde."""
    assert run(plain, shared / "formats" / "compound" / name, tmp_path / "x.nc") == ""
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert "binListType" in product["level-3_binned_data"].cmptypes if name.endswith(".nc") \
            else product["data/TEMP"].shape == (97,)
