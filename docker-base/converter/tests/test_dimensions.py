"""Dimensions, coordinates, attributes and tables in the cases that formats make awkward."""

import h5netcdf
import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.oracle import read_report
from converter.tests.test_features import convert, table  # noqa: F401 (a fixture)


def test_variable_of_a_dimensions_name_that_is_not_its_coordinate_keeps_its_name(plain, tmp_path):
    """netCDF-4 hides it behind a prefix; readers show it under its own name."""
    with netCDF4.Dataset(tmp_path / "in.nc", "w") as file:
        file.createDimension("x", 3)
        file.createDimension("y", 2)
        file.createVariable("x", "f4", ("y",))[:] = [1, 2]
        file.createVariable("z", "f4", ("x", "y"))[:] = 3
    done = plain(tmp_path / "in.nc", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (0, "")
    with netCDF4.Dataset(tmp_path / "out.nc") as product, h5py.File(tmp_path / "out.nc") as stored:
        assert {name: v.dimensions for name, v in product.variables.items()} == {"x": ("y",), "z": ("x", "y")}
        assert product["x"][:].tolist() == [1, 2]
        assert "_nc4_non_coord_x" in stored


def test_coordinate_variables_of_several_dimensions(plain, tmp_path):
    """A string array in netCDF-3's manner: time(time, length) is the coordinate of time."""
    with netCDF4.Dataset(tmp_path / "in.nc", "w") as file:
        file.createDimension("time", None)
        file.createDimension("length", 4)
        file.createVariable("time", "S1", ("time", "length"))[:] = np.full((3, 4), b"q", "S1")
        file.createVariable("x", "i4", ("time",))[:] = [1, 2, 3]
    done = plain(tmp_path / "in.nc", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (0, "")
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["time"].dimensions == ("time", "length") and product["x"].dimensions == ("time",)
        assert product.dimensions["time"].isunlimited() and len(product.dimensions["time"]) == 3
    with h5netcdf.File(tmp_path / "out.nc", "r") as product:
        assert product["time"].dimensions == ("time", "length")


def test_several_unlimited_dimensions(convert):  # noqa: F811
    def fill(file):
        for name, length in (("time", 4), ("height", 3)):
            file.create_dataset(name, data=np.arange(length), maxshape=(None,), chunks=(2,))
            file[name].make_scale()
        file.create_dataset("x", data=np.ones((4, 3)), maxshape=(None, None), chunks=(2, 2), compression="gzip")
        file["x"].dims[0].attach_scale(file["time"])
        file["x"].dims[1].attach_scale(file["height"])
    product, _ = convert(fill)
    assert product["x"].dimensions == ("time", "height")
    assert all(product.dimensions[name].isunlimited() for name in ("time", "height"))


def test_table_makes_a_dimension_unlimited_in_variables_without_chunks(build, tmp_path):
    """One unlimited user of the name is enough; a contiguous one along it gets chunks, the same values."""
    converter = build(table('{"/*", "", "time"}'))
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file.create_dataset("grows", data=np.arange(400_000.0), maxshape=(None,), chunks=(1000,))
        file["contiguous"] = np.arange(400_000)
        file["texts"] = np.array(["ab"] * 400_000, "S2")
    done = converter(tmp_path / "in.h5", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (0, "")
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product.dimensions["time"].isunlimited() and list(product.dimensions) == ["time"]
        assert product["contiguous"].chunking() != "contiguous"
        assert np.array_equal(product["contiguous"][:], np.arange(400_000))
        assert set(product["texts"][:]) == {"ab"}


def test_trailing_columns_may_be_left_out(build, tmp_path):
    """What a row does not say stays as it is."""
    converter = build(table('{"/a", DROP}, {"/b", "c"}', '{"/b", "old", ""}'))
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["a"], file["b"] = 1, 2
        file["b"].attrs.update({"units": "K", "old": 1})
    done = converter(tmp_path / "in.h5", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (0, "_convert: note: '/a': dropped by the table\n")
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert list(product.variables) == ["c"] and product["c"].ncattrs() == ["units"]


def test_rows_that_match_nothing_are_named_by_list_alone(build, tmp_path):
    converter = build(table('{"/mispelt", "x"}, {"/x", ""}', '{"/none/*", "units", "K"}, {"/", "title", "t"}'))
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"] = 1
    assert converter("--strict", tmp_path / "in.h5", tmp_path / "out.nc").stderr == ""
    assert converter("--list", tmp_path / "in.h5").stdout.splitlines() == [
        "note: '/mispelt': a row of the variables table matches nothing here",
        "note: '/none/*': a row of the attributes table matches nothing here",
        "variable '/x': /x  int64  ()"]


def test_a_group_emptied_by_moving_is_noted_and_not_made(build, tmp_path):
    """One that was empty before, or has attributes, stays."""
    converter = build(table('{"/moved/*", "/x"}, {"/dropped/*", DROP}, {"/kept/*", DROP}'))
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["moved/a"], file["dropped/b"], file["kept/c"] = 1, 2, 3
        file["kept"].attrs["why"] = "attributes"
        file.create_group("empty")
    done = converter(tmp_path / "in.h5", tmp_path / "out.nc")
    assert done.returncode == 0
    notes = [line for line in done.stderr.splitlines() if "nothing is left" in line]
    assert sorted(notes) == [f"_convert: note: '/{name}': nothing is left in this group" for name in
                             ("dropped", "moved")]
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert sorted(product.groups) == ["empty", "kept"] and list(product.variables) == ["x"]


@pytest.mark.parametrize("rows", ['{"/g/*", "/x"}', '{"/g/*", DROP}'], ids=["moved", "dropped"])
def test_group_that_vanishes_is_a_note_that_strict_refuses(build, tmp_path, rows):
    """The table speaks of its members; nobody asked for the loss of the group."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["g/a"], file["b"] = 1, 2
    converter = build(table(rows))
    assert converter("--report", tmp_path / "report", tmp_path / "in.h5", tmp_path / "out.nc").returncode == 0
    assert read_report(tmp_path / "report")["notes"] == [{"path": "/g", "note": "nothing is left in this group"}]
    done = converter("--strict", tmp_path / "in.h5", tmp_path / "strict.nc")
    assert done.returncode == 4 and "note: '/g': nothing is left in this group" in done.stderr
    assert not (tmp_path / "strict.nc").exists()


def test_group_of_left_out_members_is_a_note(plain, tmp_path):
    """No table is there to ask for it."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["b"] = 2
        file["g/null"] = h5py.Empty("f4")
    assert plain("--report", tmp_path / "report", tmp_path / "in.h5", tmp_path / "out.nc").returncode == 0
    report = read_report(tmp_path / "report")
    assert [entry["path"] for entry in report["left_out"]] == ["/g/null"]
    assert report["notes"] == [{"path": "/g", "note": "nothing is left in this group"}] and report["asked"] == []


def test_group_that_the_table_drops_by_its_path_is_no_loss(build, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["g/a"], file["b"] = 1, 2
    done = build(table('{"/g", DROP}'))("--strict", tmp_path / "in.h5", tmp_path / "out.nc")
    assert done.returncode == 0, done.stderr


def test_empty_file_is_named(plain, tmp_path):
    """A download that brought nothing: 0 bytes."""
    (tmp_path / "in.h5").touch()
    done = plain(tmp_path / "in.h5", tmp_path / "out.nc")
    assert done.returncode == 3 and not (tmp_path / "out.nc").exists()
    assert done.stderr == f"_convert: cannot read '{tmp_path}/in.h5': the file is empty\n"


@pytest.mark.parametrize("count", [63, 64, 65, 300])
def test_any_number_of_attributes_keeps_their_order(convert, count):  # noqa: F811
    """HDF5 keeps more than 64 in another way."""
    def fill(file):
        file["x"] = np.arange(3)
        for number in range(count):
            file["x"].attrs[f"a{number:03}"] = number
    product, _ = convert(fill, track_order=True)
    assert product["x"].ncattrs() == [f"a{number:03}" for number in range(count)]


def test_attributes_of_more_than_64_kilobytes(convert):  # noqa: F811
    """Of a variable with few other attributes, and of the whole product."""
    def fill(file):
        file["x"] = np.arange(3)
        for where in (file, file["x"]):
            where.attrs["numbers"] = np.arange(20_000.0)
            where.attrs["text"] = "ü" * 100_000
            where.attrs["texts"] = [f"word {n}" for n in range(10_000)]
    product, _ = convert(fill, libver=("v108", "v110"))
    assert product["x"].numbers[19_999] == 19_999 and len(product.text) == 100_000
    assert product["x"].texts[9_999] == "word 9999"


def test_names_and_values_in_any_script(convert):  # noqa: F811
    """UTF-8 in groups, variables, attributes, strings; also in fixed lengths."""
    def fill(file):
        file["Größe/温度"] = np.array(["šest", "六", ""], dtype=object)
        file["Größe/温度"].attrs["Einheit°"] = "µm"
        file["été"] = np.array(["é".encode()], h5py.string_dtype("utf-8", 2))
        file["dim"] = np.arange(3)
        file["dim"].make_scale("широта")
        file["Größe/温度"].dims[0].attach_scale(file["dim"])
    product, _ = convert(fill)
    assert product["Größe"]["温度"][:].tolist() == ["šest", "六", ""]
    assert product["Größe"]["温度"].getncattr("Einheit°") == "µm" and product["été"][0] == "é"


def test_what_is_lost_of_scales_is_noted(plain, tmp_path):
    """NetCDF-4 has one scale an axis, of one dimension; the name that HDF5 gives it becomes its long name."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["t"], file["t2"], file["lat2"] = np.arange(3.0), np.arange(3.0), np.zeros((3, 2))
        for name, long_name in (("t", "time since launch"), ("t2", "t2"), ("lat2", "")):
            file[name].make_scale(long_name)
        file["d"] = np.zeros((3, 2))
        file["d"].dims[0].attach_scale(file["t"])
        file["d"].dims[0].attach_scale(file["t2"])
    done = plain(tmp_path / "in.h5", tmp_path / "out.nc")
    assert sorted(done.stderr.splitlines()) == [
        "_convert: note: '/d': axis 0 has 2 scales: the first is its dimension",
        "_convert: note: '/lat2': a scale of 2 dimensions is converted as a variable"]
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["t"].long_name == "time since launch" and product["t2"].ncattrs() == []
        assert product["d"].dimensions[0] == "t"


def test_netcdf_files_joined_as_groups_keep_their_own_dimensions(plain, tmp_path):
    """The library's numbers of dimensions are those of each file."""
    with h5py.File(tmp_path / "in.h5", "w") as joined:
        for name, names in (("m1", "ab"), ("m2", "pq")):
            with netCDF4.Dataset(tmp_path / f"{name}.nc", "w") as file:
                for dimension, length in zip(names, (3, 4), strict=True):
                    file.createDimension(dimension, length)
                # A coordinate of two dimensions names them by number alone.
                file.createVariable(names[0], "f8", tuple(names))[:] = 1
            with h5py.File(tmp_path / f"{name}.nc") as file:
                h5py.h5o.copy(file.id, b"/", joined.id, name.encode())
    done = plain(tmp_path / "in.h5", tmp_path / "out.nc")
    assert done.returncode == 0
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["m1/a"].dimensions == ("a", "b") and product["m2/p"].dimensions == ("p", "q")
        assert list(product["m2"].dimensions) == ["p", "q"]


def test_renamed_coordinate_of_a_classic_file_renames_its_dimension(build, tmp_path):
    """As with HDF5's scales: it stays the coordinate."""
    with netCDF4.Dataset(tmp_path / "in.nc", "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("lat", 2)
        file.createVariable("lat", "f4", ("lat",))[:] = [1, 2]
        file.createVariable("x", "f4", ("lat",))[:] = [1, 2]
    build(table('{"/lat", "latitude"}'))(tmp_path / "in.nc", tmp_path / "out.nc")
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["latitude"].dimensions == product["x"].dimensions == ("latitude",)
        assert list(product.dimensions) == ["latitude"]


@pytest.mark.parametrize("in_group", [False, True], ids=["in the root", "in a group"])
def test_dimension_that_nothing_lies_along_any_more_is_not_made(build, tmp_path, in_group):
    """The table names the axis otherwise; a group that held no more is not made either."""
    with netCDF4.Dataset(tmp_path / "in.nc", "w") as file:
        group = file.createGroup("g") if in_group else file
        group.createDimension("phony", 3)
        group.createDimension("own", 2)  # nothing lay along it before
        group.createVariable("x", "f4", ("phony",))[:] = [1, 2, 3]
    place = "/g" if in_group else ""
    converter = build(table(f'{{"{place}/x", "/x", "time"}}'))
    done = converter("--report", tmp_path / "report", tmp_path / "in.nc", tmp_path / "out.nc")
    assert done.stderr == f"_convert: note: '{place}/phony': no variable uses this dimension any more\n"
    report = read_report(tmp_path / "report")
    assert [one["path"] for one in report["notes"]] == [f"{place}/phony"] and report["asked"] == []
    assert converter("--strict", tmp_path / "in.nc", tmp_path / "strict.nc").returncode == 4
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        found = list(product.dimensions) + [name for one in product.groups.values() for name in one.dimensions]
        assert sorted(found) == ["own", "time"]


def test_name_for_two_lengths_of_the_table_is_its_fault(build, tmp_path):
    """The dimensions of a row stand in the wrong order."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["TB"], file["t"] = np.zeros((100, 4)), np.arange(100)
    done = build(table('{"/TB", "", "channel time"}, {"/t", "", "time"}'))(tmp_path / "in.h5",
                                                                                         tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (
        2, f"_convert: cannot convert '{tmp_path}/in.h5': '/TB' gives 'time' the length 4, '/t' gives it 100: order of "
           "the dimensions in the table's row?\n")


def test_one_name_of_the_table_in_groups_of_their_own(build, tmp_path):
    """Each has its dimension."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["g/x"], file["h/x"] = np.arange(3), np.arange(5)
    done = build(table('{"/*/x", "", "time"}'))(tmp_path / "in.h5", tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (0, "")


def test_second_dimension_of_a_name_is_noted(plain, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        for group, length in (("a", 3), ("b", 5)):
            file[f"{group}/time"] = np.arange(length)
            file[f"{group}/time"].make_scale()
            file[group + "x"] = np.arange(length)
            file[group + "x"].dims[0].attach_scale(file[f"{group}/time"])
    done = plain(tmp_path / "in.h5", tmp_path / "out.nc")
    assert done.stderr == "_convert: note: '/': its second dimension 'time', of length 5, is called 'time_2'\n"


def test_dimension_of_a_groups_name_is_noted(plain, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["time/time"] = np.arange(3)
        file["time/time"].make_scale()
        file["x"] = np.arange(3)
        file["x"].dims[0].attach_scale(file["time/time"])
    done = plain(tmp_path / "in.h5", tmp_path / "out.nc")
    assert done.stderr == ("_convert: note: '/': its dimension 'time', of length 3, is called 'time_2': a group has "
                           "that name\n")


@pytest.mark.parametrize(("names", "note"), [
    (("@x",), "'/@x': converted as '_x': netCDF forbids its name"),
    (("_x", "@x"), "'/@x': converted as '_x_2': netCDF forbids its name, and the legal one is that of '/_x'"),
], ids=["forbidden", "both"])
def test_new_name_is_noted_with_its_cause(plain, tmp_path, names, note):
    with h5py.File(tmp_path / "in.h5", "w", track_order=True) as file:
        for name in names:
            file[name] = 1
    assert plain(tmp_path / "in.h5", tmp_path / "out.nc").stderr == f"_convert: note: {note}\n"
