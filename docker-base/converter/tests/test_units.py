"""Units of the table that contradict those of the file: the values stay as they are, so that somebody has to know."""

import h5py
import netCDF4
import pytest
from converter.tests.oracle import read_report
from converter.tests.test_features import table

NOTE = ("the table's '{}' replace the file's own '{}', and the values stay as they are: empty the column, or, if the "
        "file is wrong, give the units in the attributes table")


def write_hdf5(path, units):
    with h5py.File(path, "w") as file:
        file["x"] = [0.574]
        file["x"].attrs["units"] = units


def write_classic(path, units):
    with netCDF4.Dataset(path, "w", format="NETCDF3_CLASSIC") as file:
        file.createDimension("n", 1)
        file.createVariable("x", "f8", ("n",)).units = units
        file["x"][:] = [0.574]


def convert(converter, folder, write, units, *options):
    """The notes on a file with these units, and the finished process."""
    write(folder / "in.h5", units)
    done = converter("--report", folder / "report", *options, folder / "in.h5", folder / "out.nc")
    return read_report(folder / "report")["notes"], done


@pytest.mark.parametrize("write", [write_hdf5, write_classic], ids=["hdf5", "classic"])
@pytest.mark.parametrize(("row", "own"), [
    ("degrees_north", "radians"), ("degrees_north", "degrees_south"), ("degrees_east", "arcmin"), ("K", "degC"),
    ("hPa", "Pa"), ("m", "km"), ("m s-1", "knots"), ("seconds since 2019-01-01", "milliseconds since 2019-01-01"),
    ("days since {day}", " Seconds ")])
def test_units_that_contradict_the_file_are_a_note(build, tmp_path, write, row, own):
    """The note has both; the product has the table's, as before, and --strict refuses it."""
    converter = build(table(f'{{"/x", "", "", "{row}"}}'))
    filled = row.replace("{day}", "2012-12-31")
    notes, done = convert(converter, tmp_path, write, own, "--set", "day=2012-12-31")
    assert (done.returncode, notes) == (0, [{"path": "/x", "attribute": "units", "note": NOTE.format(filled, own)}])
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert (product["x"].units, product["x"][0]) == (filled, 0.574)
    (tmp_path / "out.nc").unlink()
    _, done = convert(converter, tmp_path, write, own, "--set", "day=2012-12-31", "--strict")
    assert done.returncode == 4 and not (tmp_path / "out.nc").exists()


@pytest.mark.parametrize("write", [write_hdf5, write_classic], ids=["hdf5", "classic"])
@pytest.mark.parametrize(("row", "own"), [
    ("degrees_north", "degree_north"), ("degrees_north", "deg"), ("degrees_west", "Degrees"), ("hPa", "mb"),
    ("m", "Meters"), ("K", "degrees"), ("s", "S"), ("km-1 sr-1", "1/(km sr)"), ("m", "1"), ("K", ""),
    ("seconds since 2019-01-01", "s")])
def test_units_that_may_be_the_same_are_none(build, tmp_path, write, row, own):
    """Another spelling, a direction more, a moment more, and whatever is not known."""
    notes, done = convert(build(table(f'{{"/x", "", "", "{row}"}}')), tmp_path, write, own, "--strict")
    assert (done.returncode, notes) == (0, [])


def test_units_in_the_attributes_table_correct_a_wrong_text_without_a_note(build, tmp_path):
    """A file that calls its degrees radians is mended for good; the column stays empty."""
    notes, done = convert(build(table('{"/x", "latitude"}', '{"/x", "units", "degrees_north"}')), tmp_path, write_hdf5,
                          "radians", "--strict")
    assert (done.returncode, notes) == (0, [])
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["latitude"].units == "degrees_north"
