"""Attributes that name other variables follow the names that the table gives."""

import h5py
import netCDF4
import pytest
from converter.tests.oracle import read_report
from converter.tests.test_features import table

NAMES = ("t", "lat", "lon", "alt", "area", "crs", "a", "b", "ps", "t_bnds", "q", "x")
GONE = "it no longer names '{}', which is no variable of the product"
ROWS = '{"/t", "time"}, {"/lat", "latitude"}, {"/alt", DROP}, {"/area", "cell_area"}, {"/crs", "mapping"}, ' \
       '{"/t_bnds", "time_bnds"}, {"/q", "x_quality"}, {"/ps", DROP}'


@pytest.fixture
def follow(build, tmp_path):
    """Convert a netCDF file whose x(t, lat) has these attributes; returns x's in the product, and the notes."""
    def convert(attributes, rows=ROWS, kind="NETCDF4", own='{"/none", "x", "y"}'):
        with netCDF4.Dataset(tmp_path / "in.nc", "w", format=kind) as file:
            for name, length in (("t", 2), ("lat", 3), ("nv", 2)):
                file.createDimension(name, length)
            for name in NAMES:
                dims = {"t": ("t",), "lat": ("lat",), "t_bnds": ("t", "nv"), "x": ("t", "lat")}.get(name, ())
                file.createVariable(name, "f4", dims)[...] = 1
            file["x"].setncatts(attributes)
        converter = build(table(rows, own))
        done = converter("--report", tmp_path / "report", tmp_path / "in.nc", tmp_path / "out.nc")
        assert done.returncode == 0, done.stderr
        with netCDF4.Dataset(tmp_path / "out.nc") as product:
            (x,) = (variable for name, variable in product.variables.items() if name in ("x", "value"))
            found = {name: x.getncattr(name) for name in x.ncattrs()}
        notes = read_report(tmp_path / "report")["notes"]
        return found, {entry["attribute"]: entry["note"] for entry in notes if "attribute" in entry}
    return convert


CASES = {
    "coordinates": ("t lat lon", "time latitude lon"),
    "bounds": ("t_bnds", "time_bnds"),
    "climatology": ("t_bnds", "time_bnds"),
    "ancillary_variables": ("q\n lon", "x_quality\n lon"),
    "geometry": ("crs", "mapping"),
    "cell_measures": ("area: area", "area: cell_area"),
    "formula_terms": ("a: a  b: lat", "a: a  b: latitude"),
    "grid_mapping": ("crs", "mapping"),
    "cell_methods": ("area: mean where land over q t: lat: mean (interval: 1 lat comment: t: is time) lon: point",
                     "area: mean where land over x_quality time: latitude: mean (interval: 1 lat comment: t: is time) "
                     "lon: point"),
}


@pytest.mark.parametrize("kind", ["NETCDF4", "NETCDF3_CLASSIC"])
def test_attributes_follow_renamed_variables_each_by_its_syntax(follow, kind):
    """Words of the conventions, comments and the blanks between names stay; it is what the table asked for, no note."""
    found, notes = follow({name: before for name, (before, _) in CASES.items()}, kind=kind)
    assert found == {name: after for name, (_, after) in CASES.items()}
    assert notes == {}


@pytest.mark.parametrize("kind", ["NETCDF4", "NETCDF3_CLASSIC"])
@pytest.mark.parametrize("name, before, after", [
    ("coordinates", "lat alt lon", "latitude lon"), ("coordinates", "alt lon", "lon"), ("coordinates", "alt", None),
    ("bounds", "alt", None), ("cell_measures", "area: area volume: alt", "area: cell_area"),
    ("cell_measures", "volume: alt", None), ("formula_terms", "a: a ps: alt b: b", "a: a b: b"),
    ("grid_mapping", "alt", None), ("grid_mapping", "alt: t lat", None),
    ("cell_methods", "alt: mean (interval: 1 m) t: lat: max", "time: latitude: max"),
    ("cell_methods", "t: alt: mean", "time: mean"), ("cell_methods", "t: mean where alt", "time: mean"),
], ids=str)
def test_name_of_a_dropped_variable_is_taken_out_and_noted(follow, name, before, after, kind):
    """With the key that has no other value, the method that has no other name; an attribute without a name goes."""
    found, notes = follow({name: before}, kind=kind)
    assert found == ({name: after} if after else {})
    assert notes == {name: GONE.format("alt")}


def test_extended_grid_mapping(follow):
    """The mapping and the coordinates of each are variables; a mapping goes with its last coordinate."""
    found, notes = follow({"grid_mapping": "crs: t lat a: alt b: lon alt"})
    assert found == {"grid_mapping": "mapping: time latitude b: lon"}
    assert notes == {"grid_mapping": GONE.format("alt")}


@pytest.mark.parametrize("text", ["nowhere lon", "", "  lon  ", "LON", "lon, b", "http://example.org/x", ": :", "(t",
                                  "()"])
def test_what_names_nothing_that_changed_stays_as_it_is(follow, text):
    """Also a name that the input itself does not have."""
    attributes = dict.fromkeys(CASES, text)
    assert follow(attributes) == (attributes, {})


def test_dimension_that_the_table_names_is_followed_in_cell_methods(follow):
    """It has no variable of that name in the product."""
    found, _ = follow({"cell_methods": "t: mean lat: max"}, rows='{"/x", "value", "when where_"}, {"/t", DROP}')
    assert found == {"cell_methods": "when: mean where_: max"}


def test_standard_name_in_cell_methods_stays(follow):
    """A variable of several values that is no axis of x is not what it names."""
    found, _ = follow({"cell_methods": "t_bnds: mean area: sum"})
    assert found == {"cell_methods": "t_bnds: mean area: sum"}


def test_tables_own_text_stays_and_what_it_names_in_vain_is_noted(follow):
    own = '{"/x", "coordinates", "time alt latitude"}, {"/x", "cell_methods", "area: mean"}'
    found, notes = follow({"coordinates": "t lat"}, own=own)
    assert found == {"coordinates": "time alt latitude", "cell_methods": "area: mean"}
    assert notes == {"coordinates": "the table names 'alt', which is no variable of the product"}


def test_variable_that_cannot_be_converted_is_taken_out_too(plain, tmp_path):
    """The table has no part in it."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"], file["lon"], file["alt"] = 1.0, 2.0, h5py.Empty("f4")
        file["x"].attrs["coordinates"] = "lon alt"
    done = plain(tmp_path / "in.h5", tmp_path / "out.nc")
    assert f"_convert: note: '/x:coordinates': {GONE.format('alt')}\n" in done.stderr
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["x"].coordinates == "lon"


def test_forbidden_name_is_followed_and_noted_without_a_table(plain, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"], file["@lon"] = 1.0, 2.0
        file["x"].attrs["coordinates"] = "@lon"
    done = plain(tmp_path / "in.h5", tmp_path / "out.nc")
    assert "note: '/x:coordinates': it follows the new names: '_lon'" in done.stderr
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["x"].coordinates == "_lon"


# ---- Groups ----

@pytest.fixture
def grouped(build, tmp_path):
    """{path: coordinates} in the product of a file with lat in the root, in /g and in /h, and x in /g/inner."""
    def convert(rows, text):
        with h5py.File(tmp_path / "in.h5", "w") as file:
            for number, path in enumerate(("lat", "g/lat", "h/lat", "h/only", "g/inner/x")):
                file[path] = float(number)
            file["g/inner/x"].attrs["coordinates"] = text
            file["soft"] = h5py.SoftLink("/h/only")
            file["other"] = h5py.ExternalLink("nowhere.h5", "/lat")
        done = build(table(rows))(tmp_path / "in.h5", tmp_path / "out.nc")
        assert done.returncode == 0, done.stderr
        with netCDF4.Dataset(tmp_path / "out.nc") as product:
            x = product["x"] if "x" in product.variables else product["g/inner/x"]
            names = getattr(x, "coordinates", "").split()
            return names, [x.group()[name][...].item() if "/" not in name else None for name in names
                           if name in x.group().variables], done.stderr
    return convert


@pytest.mark.parametrize("rows, before, after", [
    ('{"/h/lat", "latitude"}', "lat", "lat"),
    ('{"/h/lat", "latitude"}', "/h/lat ../../lat ../lat", "/h/latitude ../../lat ../lat"),
    ('{"/g/lat", "latitude"}', "lat /lat", "latitude /lat"),
    ('{"/g/inner/x", "/x"}', "lat", "/g/lat"),
    ('{"/g/inner/x", "/x"}', "/lat ../lat", "/lat /g/lat"),
    ('{"/h/lat", "/lat_h"}', "/h/lat", "lat_h"),
    ('{"/g/lat", DROP}', "lat ../../lat", "../../lat"),
    ('{"/none", "x"}', "soft", "/h/only"),
    ('{"/none", "x"}', "/other other nowhere/lat ../../../../lat", "/other other nowhere/lat ../../../../lat"),
], ids=str)
def test_names_in_groups_mean_the_same_variable_as_before(grouped, rows, before, after):
    """The nearest of that name upward, or a path; a soft link is no name in the product, and no file is opened."""
    found, _, _ = grouped(rows, before)
    assert found == after.split()
