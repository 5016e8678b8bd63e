"""The check of products with groups, as CF-1.8 understands them, and of names in attributes."""

import shutil
import sys
from pathlib import Path

import h5py
import netCDF4
import numpy as np
import pytest

from cumulus.compliance import checker
from cumulus.compliance.flat import flat_names, flatten
from cumulus.compliance.references import resolve_references
from cumulus.compliance.reporting import report
from cumulus.compliance.scan import scan

needs_checker = pytest.mark.skipif(
    not shutil.which("compliance-checker", path=str(Path(sys.executable).parent)),
    reason="compliance-checker is not installed beside this Python",
)
GLOBAL = ("title", "institution", "source", "references", "comment", "history")
EXPECTED = {
    "time": {"units": "days since 2000-01-01", "standard_name": "time", "calendar": "standard"},
    "lat": {"units": "degrees_north", "standard_name": "latitude"},
    "lon": {"units": "degrees_east", "standard_name": "longitude"},
    "t": {"units": "K", "standard_name": "air_temperature", "coordinates": "lat lon"},
}


def start(path, conventions="CF-1.8"):
    """A dataset with nothing but global attributes."""
    dataset = netCDF4.Dataset(path, "w")
    dataset.setncatts({name: name for name in GLOBAL})
    dataset.Conventions = conventions
    return dataset


def add(group, name, **attributes):
    """A variable along the dimension time that follows CF, but for the attributes given."""
    variable = group.createVariable(name, "f8", ("time",))
    variable.setncatts({**EXPECTED.get(name, {}), **attributes})
    variable[:] = np.arange(3.0)
    return variable


@pytest.fixture
def product(tmp_path):
    """A product that follows CF, with its time in the root group and its data in /g/data."""
    with start(tmp_path / "a.nc") as dataset:
        dataset.createDimension("time", 3)
        add(dataset, "time")
        data = dataset.createGroup("g").createGroup("data")
        for name in ("lat", "lon", "t"):
            add(data, name)
    return tmp_path / "a.nc"


@pytest.fixture
def change(product):
    """Open the product to spoil it."""

    def opened():
        return netCDF4.Dataset(product, "a")

    return opened


def findings(product):
    return {(item.severity, item.subject, item.message) for item in checker.check(product).counting}


def subjects(product):
    return {finding.subject for finding in checker.check(product).counting}


@needs_checker
@pytest.mark.slow
def test_product_with_groups_that_follows_cf_passes(product):
    """Coordinates beside the data and the time of the root group are resolved."""
    checked = checker.check(product)
    assert (checked.suite, checked.counting, checked.not_checked) == ("CF-1.8", [], ())


@needs_checker
@pytest.mark.slow
def test_faults_in_a_group_are_reported_with_their_paths(product, change, tmp_path):
    """The checker reads the root group alone and would pass all of them."""
    with change() as dataset:
        data = dataset["g/data"]
        data["t"].units = "kelvinz"
        data["lat"].standard_name = "lattitude"
        data["t"].coordinates = "lat longitude"
        dataset["g"].Conventions = "CF-1.8"
        dataset["g"].units = "K"
        dataset["g"].createGroup("Data Fields")
    text = report(checker.check(product), tmp_path)
    for line in (
        '  /g/data/t\n    error: §3.1 Units: units for /g/data/t, "kelvinz" are not recognized',
        "  /g/data/lat\n    error: §3.3 Standard Name: standard_name lattitude is not defined",
        "/g/data/t's auxiliary coordinate specified by the coordinates attribute, longitude, is",
        "  /g\n    error: §2.7.2 Conventions is an attribute of the root group alone",
        "    error: §2.7.2 units is an attribute of variables, not of groups",
        "  /g/Data Fields\n    warning: §2.3 Naming Conventions: group 'Data Fields' should begin",
    ):
        assert line in text, text
    assert "g__data" not in text


@needs_checker
@pytest.mark.slow
def test_groups_before_cf_1_8_are_a_warning_with_the_version_that_has_them(product, change):
    """CF-1.7 and earlier describe files without groups."""
    with change() as dataset:
        dataset.Conventions = "CF-1.7"
    (finding,) = checker.check(product).counting
    assert (finding.severity, finding.value) == ("warning", "CF-1.8")


@needs_checker
@pytest.mark.slow
def test_hdfeos5_product_is_checked(tmp_path):
    """Its data lie four groups deep, in groups whose names have spaces."""
    with h5py.File(tmp_path / "a.he5", "w") as file:
        fields = file.create_group("HDFEOS/SWATHS/S/Data Fields")
        fields["BrO"] = np.ones((3, 4), "f4")
        fields["BrO"].attrs["units"] = "moleculez"
        file["HDFEOS INFORMATION/StructMetadata.0"] = np.bytes_("END\n")
    field = "/HDFEOS/SWATHS/S/Data Fields/BrO"
    assert {
        ("error", field,
         f'§3.1 Units: units for {field}, "moleculez" are not recognized by UDUNITS'),
        ("warning", "/HDFEOS/SWATHS/S/Data Fields",
         "§2.3 Naming Conventions: group 'Data Fields' should begin with a letter and be composed "
         "of letters, digits, and underscores"),
        ("error", "(whole product)", '§2.1 Filename: Dataset path a.he5 must end with ".nc"'),
    } <= findings(tmp_path / "a.he5")  # fmt: skip


@needs_checker
@pytest.mark.slow
def test_data_that_cannot_be_checked_are_named_and_do_not_pass(product, change, tmp_path):
    """Compound data in a group, and what the NetCDF library does not show at all."""
    with change() as dataset:
        group = dataset["g/data"]
        kind = group.createCompoundType(np.dtype([("a", "i4"), ("b", "f4")]), "pair")
        group.createVariable("pairs", kind, ("time",))
    with h5py.File(product, "a") as file:
        file["g/data/links"] = np.array([file["time"].ref], h5py.ref_dtype)
    checked = checker.check(product)
    assert checked.counting == []
    assert sorted(checked.not_checked) == [
        "dataset /g/data/links: the NetCDF library does not show it",
        "variable /g/data/pairs: it is of a compound type",
    ]
    assert "  not checked: variable /g/data/pairs: it is of a compound" in report(checked, tmp_path)


def test_values_of_a_large_variable_are_not_copied(product, change, tmp_path, monkeypatch):
    """The check names it where a rule needs the values; a file of unwritten values stays small."""
    with change() as dataset:
        group = dataset["g/data"]
        group.createDimension("wide", 100_000_000)
        for name in ("unranged", "ranged"):
            variable = group.createVariable(name, "f8", ("time", "wide"), chunksizes=(1, 1000))
        variable.actual_range = [0.0, 1.0]
    flat = tmp_path / "flat.nc"
    lacking = scan(product, flat).not_checked
    assert lacking == ("values of /g/data/ranged: 2288 MiB are more than 256 MiB",)
    assert flat.stat().st_size < 1 << 20


def test_flat_copy_has_the_values_and_the_attributes(product, change, tmp_path):
    """Names in attributes follow their variables; packed values and fill values stay as stored."""
    with change() as dataset:
        data = dataset["g/data"]
        packed = data.createVariable("packed", "i2", ("time",), fill_value=-9)
        packed.setncatts({"scale_factor": 0.5, "cell_measures": "area: a", "flag": "lat lon"})
        packed.set_auto_maskandscale(False)
        packed[:] = [1, -9, 3]
        data.createVariable("a", "f4", ())[...] = 7
        data["t"].setncatts({"cell_methods": "time: mean lat: point", "coordinates": "/time ../h"})
        dataset["g"].createVariable("h", str, ("time",))[:] = np.array(["x", "y", "z"], object)
        names = flat_names(dataset)
        assert flatten(dataset, tmp_path / "flat.nc", names) == ()
    with netCDF4.Dataset(tmp_path / "flat.nc") as flat:
        assert set(flat.variables) == {
            "time", "g__h", "g__data__lat", "g__data__lon", "g__data__t", "g__data__packed",
            "g__data__a",
        }  # fmt: skip
        t, packed = flat["g__data__t"], flat["g__data__packed"]
        assert t.coordinates == "time g__h"
        assert t.cell_methods == "time: mean g__data__lat: point"
        assert (packed.cell_measures, packed.flag) == ("area: g__data__a", "lat lon")
        packed.set_auto_maskandscale(False)
        assert (packed[:].tolist(), packed._FillValue, packed.dtype) == ([1, -9, 3], -9, "i2")
        assert flat["g__h"][:].tolist() == ["x", "y", "z"]
        np.testing.assert_array_equal(flat["time"][:], [0, 1, 2])


@pytest.mark.parametrize(
    ("word", "path"),
    [
        ("near", "/g/data/near"),
        ("above", "/g/above"),
        ("top", "/top"),
        ("/g/above", "/g/above"),
        ("../above", "/g/above"),
        ("sub/below", "/g/data/sub/below"),
        ("below", ""),
        ("beside", ""),
        ("/above", ""),
        ("../../../top", ""),
    ],
)
def test_name_is_searched_in_its_group_and_up_the_tree(product, change, word, path):
    """CF-1.8, section 2.7.1: absolute path, relative path, or proximity; never down or aside."""
    with change() as dataset:
        for group, name in (
            ("/", "top"), ("g", "above"), ("g/data", "near"), ("g/data/sub", "below"),
            ("g/other", "beside"),
        ):  # fmt: skip
            (dataset if group == "/" else dataset.createGroup(group)).createVariable(name, "f4")
        references, _ = resolve_references(dataset["g/data/t"], "coordinates", word)
        assert references == [(word, path)]


def test_coordinate_variable_below_its_dimension_is_found(tmp_path):
    """Lateral search: the nearest level comes first, and the dimension must be the same."""
    with start(tmp_path / "a.nc") as dataset:
        dataset.createDimension("time", 3)
        for name in ("a/deep", "b", "c"):
            add(dataset.createGroup(name), "time")
        own = dataset.createGroup("d")
        own.createDimension("time", 3)
        add(own, "time")
        names = flat_names(dataset)
    assert names["/b/time"] == names["/time"] == "time"
    assert names["/a/deep/time"] == "a__deep__time"
    assert names["/c/time"] == "c__time"
    assert names["/d/time"] == "d__time"


def test_flat_names_differ(tmp_path):
    """Also where a name of the root group looks like the flat name of another."""
    with start(tmp_path / "a.nc") as dataset:
        for group, name in (("/", "g__x"), ("g", "x"), ("2 d", "x"), ("2_d", "x")):
            (dataset if group == "/" else dataset.createGroup(group)).createVariable(name, "f4")
        names = flat_names(dataset)
    assert names == {
        "/g__x": "g__x", "/g/x": "g__x_2", "/2 d/x": "g2_d__x", "/2_d/x": "g2_d__x_2",
    }  # fmt: skip


def test_dimension_that_shares_only_its_name_is_an_error(tmp_path):
    """CF-1.8, section 2.7.1: an out-of-group variable must have the very same dimension."""
    with start(tmp_path / "a.nc") as dataset:
        for name in ("a", "b"):
            dataset.createGroup(name).createDimension("time", 3)
        add(dataset["b"], "lat")
        add(dataset["a"], "t", coordinates="/b/lat")
    (finding,) = (f for f in scan(tmp_path / "a.nc").findings if "Scope" in f.message)
    assert finding.message == "§2.7.1 Scope: /b/lat has another dimension time than the variable"
    assert (finding.severity, finding.subject) == ("error", "/a/t")


# --- bounds and packed data --------------------------------------------------------------------


@needs_checker
@pytest.mark.slow
@pytest.mark.parametrize(
    ("conventions", "attribute", "section"),
    [
        ("CF-1.8", "bounds", "§7.1 Cell Boundaries"),
        ("CF-1.11", "bounds", "§7.1 Cell Boundaries"),
        ("CF-1.8", "climatology", "§7.4 Climatological Statistics"),
    ],
)
def test_missing_bounds_are_an_error(tmp_path, conventions, attribute, section):
    """The checker passes over them or fails on them, so that it gets a copy without them."""
    with start(tmp_path / "a.nc", conventions) as dataset:
        dataset.createDimension("time", 3)
        add(dataset, "time", **{attribute: "time_bnds"}, units_metadata="leap_seconds: none")
    checked = checker.check(tmp_path / "a.nc")
    (error,) = (finding for finding in checked.counting if finding.severity == "error")
    assert error.message == f"{section}: {attribute} names time_bnds, which does not exist"
    assert (error.subject, error.attribute, checked.not_checked) == ("time", attribute, ())


@needs_checker
@pytest.mark.slow
def test_bounds_that_exist_pass(tmp_path):
    with start(tmp_path / "a.nc") as dataset:
        dataset.createDimension("time", 3)
        dataset.createDimension("two", 2)
        add(dataset, "time", bounds="time_bnds")
        bounds = dataset.createVariable("time_bnds", "f8", ("time", "two"))
        bounds[:] = np.arange(3)[:, None] + [-0.5, 0.5]
    assert findings(tmp_path / "a.nc") == set()


@needs_checker
@pytest.mark.slow
@pytest.mark.parametrize(
    ("conventions", "dtype"), [("CF-1.8", "u1"), ("CF-1.9", "u2"), ("CF-1.10", "u4")]
)
def test_packed_unsigned_data_are_cured_by_cf_1_11(tmp_path, conventions, dtype):
    """CF has unsigned integers since CF-1.9 and packs data into them since CF-1.11."""
    with start(tmp_path / "a.nc", conventions) as dataset:
        dataset.createDimension("n", 3)
        packed = dataset.createVariable("packed", dtype, ("n",))
        packed.setncatts({"units": "m", "long_name": "packed", "scale_factor": 0.5})
        packed[:] = [1, 2, 3]
    assert {item.value for item in checker.check(tmp_path / "a.nc").counting} == {"CF-1.11"}
    with netCDF4.Dataset(tmp_path / "a.nc", "a") as dataset:
        dataset.Conventions = "CF-1.11"
    assert findings(tmp_path / "a.nc") == set()


@needs_checker
@pytest.mark.slow
def test_packed_data_that_no_version_allows_have_no_line(tmp_path):
    """CF packs into 64-bit integers in no version."""
    with start(tmp_path / "a.nc", "CF-1.10") as dataset:
        dataset.createDimension("n", 3)
        packed = dataset.createVariable("packed", "u8", ("n",))
        packed.setncatts({"units": "m", "long_name": "packed", "scale_factor": 0.5})
    (finding,) = checker.check(tmp_path / "a.nc").counting
    assert (finding.subject, finding.value) == ("packed", "")


def test_values_that_cannot_be_read_are_named(product, change, tmp_path):
    """A chunk that is damaged does not keep the rest from being checked."""
    with change() as dataset:
        group = dataset["g/data"]
        packed = group.createVariable("packed", "f8", ("time",), zlib=True, chunksizes=(3,))
        packed[:] = [1, 2, 3]
    with h5py.File(product) as file:
        chunk = file["g/data/packed"].id.get_chunk_info(0)
    with product.open("r+b") as file:
        file.seek(chunk.byte_offset)
        file.write(b"\xff" * chunk.size)
    (lacking,) = scan(product, tmp_path / "flat.nc").not_checked
    assert lacking.startswith("values of /g/data/packed: ")
