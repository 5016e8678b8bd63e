"""Looking into a product: the fast way sees what the NetCDF library sees, and only once."""

import json
import subprocess
import sys
import tracemalloc
from types import SimpleNamespace

import netCDF4
import numpy as np
import pytest
from samples import SHARED, shared, write_product

from cumulus import CumulusError
from cumulus.collection import Limits, load
from cumulus.metadata.coordinates import cover
from cumulus.process.granule import Granule
from cumulus.products import hdf5, hdf5_variable, inspect, inspection, netcdf
from cumulus.products.catalogue import open_catalogue

h5py = pytest.importorskip("h5py")


@pytest.fixture(autouse=True)
def nothing_remembered(monkeypatch):
    monkeypatch.setattr(hdf5, "_layouts", {})


def seen(product):
    """A product as something that can be compared; values that are not present do not count."""
    coordinates = sorted(
        product.coordinates, key=lambda coordinate: (coordinate.group, coordinate.name)
    )
    numbers = {}  # dimensions are known only by which of them are the same
    for coordinate in coordinates:
        for dimension in coordinate.dimensions:
            numbers.setdefault(dimension, len(numbers))
    coordinates = [
        (
            coordinate.group,
            coordinate.name,
            [numbers[dimension] for dimension in coordinate.dimensions],
            coordinate.is_coordinate,
            coordinate.attributes,
            coordinate.present.tolist(),
            coordinate.values[coordinate.present].tolist(),
        )
        for coordinate in coordinates
    ]
    return product.data_format, sorted(product.names), coordinates


def test_both_ways_see_the_same_in_every_real_file():
    """Files of NASA, Unidata and others; the fast way may pass on any of them, but not all."""
    files = sorted(SHARED.glob("data/granules/*")) + sorted(SHARED.glob("data/hdf5/*.nc"))
    if not files:
        pytest.skip(f"no shared test data {SHARED} (set CUMULUS_TEST_DATA)")
    compared = []
    for path in files:
        try:
            slow = netcdf.read_netcdf(path, "HDF5")
        except (OSError, RuntimeError):
            assert hdf5.read_plain(path)[0] is None
            continue
        if fast := hdf5.read_plain(path)[0]:
            assert seen(fast) == seen(slow), path.name
            compared.append(path.name)
    assert len(compared) >= 3, compared


def swath(path, **attributes):
    """A product with groups, a bare dimension, fill values, integers, and texts of both kinds."""
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("bare", 3)
        dataset.createDimension("time", 4)
        group = dataset.createGroup("geo").createGroup("inner")
        time = dataset.createVariable("time", "i4", ("time",))
        time.setncattr_string("units", "seconds since 2012-09-06 12:00:00")
        time.setncatts({"standard_name": "time", **attributes})
        time[:3] = [0, 5, 9]  # the last one stays the library's default fill value
        for name, units in (("lat", "degrees_north"), ("lon", "degrees_east")):
            variable = group.createVariable(name, "f4", ("time", "bare"), fill_value=-999)
            variable.units = units
            variable[:] = np.arange(12).reshape(4, 3)
            variable[1] = -999
        data = group.createVariable("data", "f4", ("time", "bare"))
        data.coordinates = "lat lon"
        data[:] = 1
    return path


def test_both_ways_see_the_same_in_groups_with_fill_values(tmp_path):
    path = swath(tmp_path / "s.nc")
    fast = hdf5.read_plain(path)[0]
    assert seen(fast) == seen(netcdf.read_netcdf(path, "HDF5"))
    assert sorted(fast.names) == ["/geo/inner/data", "/geo/inner/lat", "/geo/inner/lon", "/time"]
    assert [
        coordinate.present.sum() for coordinate in fast.coordinates if coordinate.name == "time"
    ] == [3]


@pytest.mark.parametrize(
    "attributes",
    [
        {"scale_factor": 2},
        {"valid_range": np.array([0, 5], "i4")},
        {"missing_value": np.int32(5)},
        {"bounds": "time_bnds"},
        {"climatology": "time_bnds"},
    ],
)
def test_what_changes_the_meaning_of_values_is_left_to_the_library(tmp_path, attributes):
    path = swath(tmp_path / "s.nc", **attributes)
    assert hdf5.read_plain(path)[0] is None
    assert len(inspect(path).coordinates) == 3


@pytest.mark.parametrize(
    ("attributes", "warning"),
    [({"scale_factor": "0.01"}, "variable lat was left out: cannot unpack it"),
     ({"scale_factor": [1.0, 2.0]}, "variable lat: invalid scale_factor"),
     ({"_FillValue": [1.0, 2.0]}, "variable lat was left out: cannot unpack it")],
)  # fmt: skip
def test_coordinate_that_cannot_be_unpacked_is_left_out_with_a_warning(
    tmp_path, caplog, attributes, warning
):
    path = write_product(tmp_path / "1.nc")
    with h5py.File(path, "a") as file:
        file["lat"].attrs.update(attributes)
    assert {coordinate.name for coordinate in inspect(path).coordinates} == {"lon", "time"}
    assert warning in caplog.text


def test_attribute_that_the_library_passes_over_is_a_warning(tmp_path, caplog, recwarn):
    path = write_product(tmp_path / "1.nc")
    with h5py.File(path, "a") as file:
        file["lat"].attrs["valid_min"] = "low"
    assert {coordinate.name for coordinate in inspect(path).coordinates} == {"lat", "lon", "time"}
    assert "variable lat: WARNING: valid_min not used" in caplog.text
    assert not recwarn.list


def test_bounds_are_no_coordinates_of_their_own(tmp_path):
    path = write_product(tmp_path / "1.nc")
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.createDimension("nv", 2)
        dataset["lat"].bounds = "lat_bnds"
        bounds = dataset.createVariable("lat_bnds", "f8", (*dataset["lat"].dimensions, "nv"))
        bounds.units = dataset["lat"].units
        bounds[:] = 1
    bounds = {coordinate.name: coordinate.bounds for coordinate in inspect(path).coordinates}
    assert sorted(bounds) == ["lat", "lon", "time"]
    assert bounds["lat"].tolist() == [[1, 1], [1, 1]]


@pytest.mark.parametrize("lengths", [(3, 5, 8), (8, 5, 3), (5, 5, 8), (5, 5, 0)])
def test_coordinates_of_unlimited_length_may_end_before_others(tmp_path, lengths):
    """The library fills up what was not written; the fast way must not see less."""
    path = write_product(tmp_path / "1.nc")
    with netCDF4.Dataset(tmp_path / "u.nc", "w") as dataset, netCDF4.Dataset(path) as other:
        dataset.createDimension("n", None)
        for name, length in zip(("lat", "lon", "time"), lengths, strict=True):
            variable = dataset.createVariable(name, "f8", ("n",))
            variable.setncatts({"units": other[name].units, "axis": "T"})
            variable[:length] = np.arange(length)
    slow = seen(netcdf.read_netcdf(tmp_path / "u.nc", "HDF5"))
    assert seen(inspect(tmp_path / "u.nc")) == slow


def test_what_was_not_written_is_no_position(tmp_path):
    """The library has other memory there, where a second dimension is unlimited."""
    with netCDF4.Dataset(tmp_path / "u.nc", "w") as dataset:
        for name in ("n", "m"):
            dataset.createDimension(name, None)
        for name, units, columns in (("lat", "degrees_north", 2), ("lon", "degrees_east", 4)):
            variable = dataset.createVariable(name, "f8", ("n", "m"))
            variable.units = units
            variable[:2, :columns] = 7
    coordinates = {
        coordinate.name: coordinate for coordinate in inspect(tmp_path / "u.nc").coordinates
    }
    assert coordinates["lat"].present.tolist() == [[True, True, False, False]] * 2
    assert coordinates["lat"].values[coordinates["lat"].present].tolist() == [7] * 4


@pytest.mark.parametrize("group_path", ["/", "/inner"])
def test_variable_called_like_a_dimension_is_that_in_both_ways(tmp_path, group_path):
    """It may have two dimensions, or that of a group around its own."""
    with netCDF4.Dataset(tmp_path / "g.nc", "w") as dataset:
        dataset.createDimension("time", 2)
        group = dataset.createGroup("inner") if group_path == "/inner" else dataset
        dimensions = ("time",) if group_path == "/inner" else ("time", "time")
        variable = group.createVariable("time", "f8", dimensions)
        variable.units = "days since 2012-09-06"
        variable[:] = 1
    slow = netcdf.read_netcdf(tmp_path / "g.nc", "HDF5")
    assert len(slow.coordinates) == (group_path == "/inner")
    assert seen(inspect(tmp_path / "g.nc")) == seen(slow)


@pytest.mark.parametrize("fill", [None, -999.0, 7.0])
def test_positions_that_were_never_written_take_no_memory(tmp_path, fill):
    path = tmp_path / "empty.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        for name in ("y", "x"):
            dataset.createDimension(name, 5000)
        for name, units in (("lat", "degrees_north"), ("lon", "degrees_east")):
            variable = dataset.createVariable(
                name, "f8", ("y", "x"), chunksizes=(500, 500), fill_value=fill
            )
            variable.units = units
    tracemalloc.start()
    try:
        assert cover(inspect(path)).edges is None
        assert tracemalloc.get_traced_memory()[1] < 100e6
    finally:
        tracemalloc.stop()


def test_bytes_without_a_fill_value_are_what_the_library_says(tmp_path):
    with netCDF4.Dataset(tmp_path / "b.nc", "w") as dataset:
        dataset.createDimension("n", 2)
        dataset.createVariable("lat", "u1", ("n",)).units = "degrees_north"
    slow = netcdf.read_netcdf(tmp_path / "b.nc", "HDF5")
    assert seen(inspect(tmp_path / "b.nc")) == seen(slow)


def test_file_like_the_one_before_is_read_as_it_is(tmp_path):
    """The second one takes the short way, with its own values."""
    for number in (1, 2):
        path = write_product(tmp_path / f"{number}.nc", latitude=(number, number))
        values = {
            coordinate.name: coordinate.values.tolist() for coordinate in inspect(path).coordinates
        }
        assert values["lat"] == [number, number]
    assert len(hdf5._layouts) == 1


def test_file_that_only_looks_like_the_one_before_is_surveyed_anew(tmp_path):
    inspect(write_product(tmp_path / "1.nc"))
    path = write_product(tmp_path / "2.nc")
    with netCDF4.Dataset(path, "a") as dataset:
        dataset["lat"].setncatts({"units": "1", "standard_name": "altitude"})
    assert {coordinate.name for coordinate in inspect(path).coordinates} == {"lon", "time"}


@pytest.mark.parametrize(
    ("before", "attributes"),
    [({"units": "m"}, {"units": "Degrees_North"}),
     ({"units": "m"}, {"standard_name": "latitude"}),
     ({"units": "m"}, {"standard_name": "longitude"}),
     ({"units": "degrees_north", "standard_name": "north"}, {"units": "degrees_north"}),
     ({"units": "degree"}, {"units": "degrees_north"}),
     ({"standard_name": "grid_latitude"}, {"standard_name": "latitude"}),
     ({"units": "m", "comment": "degrees_north"}, {"units": "degrees_north", "comment": "m"}),
     ({"units": "m", "long_name": "latitude"}, {"standard_name": "latitude", "long_name": "y"}),
     ({"units": "1", "long_name": "days since 2012-09-06", "axis": "T"},
      {"units": "days since 2012-09-06", "long_name": "1", "axis": "T"}),
     ({"units": "m"}, {"standard_name": "time", "units": "days since 2012-09-06"}),
     ({"units": "s since 2012-09-06"}, {"axis": "T", "units": "s since 2012-09-06"})],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 100_000])
def test_what_a_product_says_does_not_depend_on_the_one_before(tmp_path, before, attributes, size):
    """A variable of the same name is another latitude, longitude or time in the second file."""
    for name, own in (("1.nc", before), ("2.nc", attributes)):
        write_product(tmp_path / name)
        with netCDF4.Dataset(tmp_path / name, "a") as dataset:
            dataset.createDimension("x", size)
            dataset.createVariable("aux", "f8", ("time",)).setncatts(own)
            dataset.createVariable("data", "f8", ("x",))[:] = 1
        product = inspect(tmp_path / name)
    assert "aux" in {coordinate.name for coordinate in product.coordinates}


def test_variable_that_shares_its_name_with_a_bare_dimension_is_seen(tmp_path):
    for name in ("1.nc", "2.nc"):
        path = write_product(tmp_path / name)
        with netCDF4.Dataset(path, "a") as dataset:
            dataset.createDimension("x", 2)
            if name == "2.nc":
                dataset.createVariable("x", "f8", ("x",))[:] = 1
        assert ("/x" in inspect(path).names) == (name == "2.nc")


def test_without_h5py_the_library_looks(tmp_path, monkeypatch):
    path = write_product(tmp_path / "1.nc")
    monkeypatch.setattr(inspection, "_plain", lambda path: (None, False, False))
    assert len(inspect(path).coordinates) == 3


def test_check_and_metadata_open_the_product_once(repository, monkeypatch):
    opened = []
    monkeypatch.setattr(
        inspection, "_plain", lambda path: opened.append(path) or hdf5.read_plain(path)
    )
    rules = load(repository.home / "collection.toml")
    names = {
        key: repository.output / template.format(id="A") for key, template in rules.products.items()
    }
    write_product(names["data"])
    granule = Granule("A", {"primary": repository.granule()}, names, rules, repository.home)
    granule.check()
    granule.write_metadata()
    assert opened == [names["data"]]


@pytest.mark.parametrize(
    ("name", "opened"),
    [("elapsed_time", 1), ("level", 1), ("lat", 2)],
    ids=["asked", "other", "read"],
)
def test_library_opens_a_file_again_for_values_alone(tmp_path, monkeypatch, name, opened):
    """Further rules ask for attributes, which the first walk through the file has kept."""
    path = tmp_path / "old.nc"
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as dataset:
        dataset.createDimension("n", 3)
        for each in (name, "lon"):
            dataset.createVariable(each, "f8", ("n",))[:] = [1, 2, 3]
    calls, library = [], netCDF4.Dataset
    monkeypatch.setattr(netCDF4, "Dataset", lambda *args: calls.append(args) or library(*args))
    covered = cover(inspect(path))
    assert (len(calls), covered.edges) == (opened, (1, 1, 3, 3) if name == "lat" else None)


@pytest.mark.parametrize("size", [10, 100_000], ids=["small", "large"])
def test_plain_file_is_walked_through_once(tmp_path, monkeypatch, size):
    """The walk that finds the coordinates sees whether data lie elsewhere, too."""
    path = tmp_path / "a.nc"
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("n", size)
        dataset.createVariable("data", "f8", ("n",))[:] = np.arange(size)
    walks = []
    monkeypatch.setattr(inspection, "refuse_data_elsewhere", walks.append)
    assert inspect(path).names == ("/data",)
    assert walks == []


def test_product_that_changed_is_looked_at_anew(tmp_path):
    path = write_product(tmp_path / "1.nc")
    inspect(path)
    path.unlink()
    write_product(path, latitude=(7, 8))
    assert [7, 8] in [coordinate.values.tolist() for coordinate in inspect(path).coordinates]


def test_product_without_variables_holds_none(tmp_path):
    netCDF4.Dataset(tmp_path / "a.nc", "w").close()
    assert inspect(tmp_path / "a.nc").names == ()


@pytest.mark.parametrize("content", [b"\x89HDF\r\n\x1a\n" + b"x" * 100, b"CDF\x01" + b"x" * 9])
def test_damaged_product_is_one_sentence(tmp_path, content):
    (tmp_path / "a.nc").write_bytes(content)
    with pytest.raises(CumulusError, match=r"cannot read '.*a.nc'"):
        inspect(tmp_path / "a.nc")


def test_granule_says_that_its_product_does_not_open(tmp_path):
    (tmp_path / "a.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + b"x" * 100)
    rules = SimpleNamespace(limits=Limits())
    granule = Granule("a", {}, {"data": tmp_path / "a.nc"}, rules, tmp_path)
    with pytest.raises(CumulusError, match=r"'a.nc' does not open"):
        granule.check()


def test_default_fill_values_are_those_of_the_library():
    """A copy of them spares the record of a plain granule the import of the library."""
    assert {
        kind: netCDF4.default_fillvals[kind] for kind in hdf5_variable.FILL_VALUES
    } == hdf5_variable.FILL_VALUES


def test_record_of_a_plain_product_takes_little_memory(tmp_path):
    """100 MB of values beside the coordinates do not count, and one HDF5 library is enough."""
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as dataset:
        dataset.createDimension("time", 5000)
        dataset.createDimension("altitude", 5000)
        for name, units in (("time", "days since 2012-01-01"), ("latitude", "degrees_north"),
                            ("longitude", "degrees_east")):  # fmt: skip
            variable = dataset.createVariable(name, "f8", ("time",))
            variable.setncatts({"units": units, "standard_name": name})
            variable[:] = np.linspace(1, 2, 5000)
        dataset.createVariable("backscatter", "f4", ("time", "altitude"))[:] = 1.5
    program = """
import sys
from cumulus.metadata import make_record
assert make_record(sys.argv[1], "x").extent.box.north == 2
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print("netCDF4" in sys.modules, int(peak.split()[1]) / 1024 < 75)
"""
    command = [sys.executable, "-c", program, tmp_path / "a.nc"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.returncode) == (["False", "True"], 0), done.stderr


# --- attributes that the NetCDF library makes up ---------------------------------------------

PROVENANCE = "version=1|netcdflibversion=4.4.1.1|hdf5libversion=1.8.17"
MANY = """
import json, logging, sys
from cumulus.compliance.scan import scan
from cumulus import products
from cumulus.browse.scene import _opened
from cumulus.compare import compare_files
from cumulus.metadata import make_record

logging.disable(logging.WARNING)
for number in range(100):
    product = products.inspect(sys.argv[1])
    box = make_record(sys.argv[1], "X").extent.box
    scan(sys.argv[1])
    with _opened(sys.argv[1]) as dataset:
        dataset["lat"][:]
print(json.dumps([product.data_format, box.south, box.north, compare_files(*sys.argv[1:])]))
"""


def old_netcdf(path, length):
    """A file as netCDF 4.4.1.1 wrote it, packed, so that the NetCDF library has to read it."""
    with h5py.File(path, "w", track_order=True) as file:
        text = PROVENANCE.ljust(length, "0")
        file.attrs["_NCProperties"] = np.bytes_(text[:length])
        for name, units in (("lat", "degrees_north"), ("lon", "degrees_east")):
            file[name] = np.array([10, 20], "i2")
            file[name].attrs["units"] = units
            file[name].attrs["scale_factor"] = 0.5
    return path


@pytest.mark.parametrize("length", [40, 56, 72, 88, 120])
def test_provenance_of_old_files_damages_no_memory(tmp_path, length):
    """Texts of 8 bytes modulo 16 fill memory to the last byte; the library writes one more.

    Each of these lengths ended a process that asked the library for the text.
    """
    paths = [old_netcdf(tmp_path / name, length) for name in ("a.nc", "b.nc")]
    with open(paths[1], "ab") as file:
        file.write(b"\0")  # or the comparison opens neither
    command = [sys.executable, "-c", MANY, *map(str, paths)]
    run = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (run.returncode, run.stderr) == (0, "")
    assert json.loads(run.stdout) == ["NetCDF-4", 5.0, 10.0, []]


MADE_UP = {"_NCProperties", "_IsNetcdf4", "_SuperblockVersion", "_Netcdf4Dimid",
           "_Netcdf4Coordinates", "_nc3_strict"}  # fmt: skip


def test_attributes_that_the_library_keeps_for_itself_are_not_listed(tmp_path):
    """So that whoever reads all that are listed, as the comparison does, asks for none of them."""
    with netCDF4.Dataset(tmp_path / "a.nc", "w", format="NETCDF4_CLASSIC") as dataset:
        dataset.createDimension("y", 2)
        dataset.createDimension("x", 2)
        dataset.createVariable("y", "f8", ("y", "x"))
    with h5py.File(tmp_path / "a.nc") as file:
        stored = {*file.attrs, *(name for item in file.values() for name in item.attrs)}
    assert MADE_UP & stored == MADE_UP - {"_IsNetcdf4", "_SuperblockVersion"}
    with netCDF4.Dataset(tmp_path / "a.nc") as dataset:
        assert not MADE_UP.intersection([*dataset.ncattrs(), *dataset.__dict__])
        assert not MADE_UP.intersection([*dataset["y"].ncattrs(), *dataset["y"].__dict__])


def test_file_without_provenance_is_told_by_its_dimensions(tmp_path):
    """As before: names of dimensions make NetCDF-4, none make HDF5."""
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file["x"] = [1.0]
    assert inspect(tmp_path / "a.h5").data_format == "HDF5"
    with h5py.File(tmp_path / "b.h5", "w") as file:
        file["x"] = [1.0]
        file["x"].make_scale("x")
    assert inspect(tmp_path / "b.h5").data_format == "NetCDF-4"


@pytest.mark.parametrize("name", ["zerodim.h5", "tattrintsize.h5"])
def test_attribute_that_the_library_cannot_read_costs_itself_alone(name):
    product = inspect(shared(f"data/hdf5/hdf5src1.10.8__{name}"))
    assert product.attributes == {}
    with open_catalogue(product) as catalogue:
        assert len(catalogue.entries) <= len(product.names)
