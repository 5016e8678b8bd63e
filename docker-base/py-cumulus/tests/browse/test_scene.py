"""Browse images: the right picture for a product, of bounded size, the same bytes each time."""

import os
import struct
import subprocess
import sys

import netCDF4
import numpy as np
import pytest
from netcdf_files import rewritten, write_variables
from samples import REPOSITORY, SOURCE, shared

from cumulus import CumulusError
from cumulus.browse import plot, write_browse
from cumulus.browse.roles import Roles
from cumulus.browse.sampling import nearest, unwrap
from cumulus.browse.scene import describe
from cumulus.collection import BrowseRules, load

STARTER = REPOSITORY / "{{cookiecutter.repo_name}}" / "tests" / "sample" / "output"


def starter():
    return next(STARTER.glob("*atb_netcdf*"))


def scene(product, **rules):
    with netCDF4.Dataset(product) as dataset:
        return describe(dataset, "title", BrowseRules(**rules))


def curtain(path, records=40, bins=30, **attributes):
    """A field of time and altitude whose value is 1000 * record + bin."""
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("time", records)
        dataset.createDimension("z", bins)
        for name, dimension, units, values in (
            ("time", "time", "seconds since 2012-09-06", np.arange(records)),
            ("z", "z", "m", np.arange(bins) * 30.0),
            ("lat", "time", "degrees_north", np.linspace(10, 20, records)),
            ("lon", "time", "degrees_east", np.linspace(-60, -50, records)),
        ):
            dataset.createVariable(name, "f8", (dimension,))[:] = values
            dataset[name].units = units
        dataset["z"].setncatts({"axis": "Z", "positive": "up"})
        field = dataset.createVariable("field", "f4", ("time", "z"), fill_value=-1.0)
        field.setncatts({"units": "K", "long_name": "test field", **attributes})
        for start in range(0, records, 1000):
            rows = np.arange(start, min(start + 1000, records))
            field[rows[0] : rows[-1] + 1] = rows[:, None] * 1000.0 + np.arange(bins)
    return path


def chunks_of(image):
    """Names and contents of the chunks of a PNG file."""
    data, start, chunks = image.read_bytes(), 8, []
    while start < len(data):
        (length,) = struct.unpack(">I", data[start : start + 4])
        chunks.append((data[start + 4 : start + 8], data[start + 8 : start + 8 + length]))
        start += 12 + length
    return chunks


@pytest.mark.parametrize("is_transposed", [False, True])
def test_curtain_has_the_altitudes_of_each_profile(tmp_path, is_transposed):
    """Only the track was drawn. Each profile is one step higher than the one before."""
    path = curtain(tmp_path / "a.nc", records=5, bins=6)
    with netCDF4.Dataset(path, "a") as dataset:
        dataset.renameVariable("z", "bin")
        dataset["bin"].delncattr("axis")
        dataset["bin"].delncattr("positive")
        dimensions = ("z", "time") if is_transposed else ("time", "z")
        heights = 30.0 * (np.arange(5)[:, None] + np.arange(6))
        altitude = dataset.createVariable("altitude", "f8", dimensions)
        altitude[:] = heights.T if is_transposed else heights
        altitude.setncatts({"units": "m", "standard_name": "altitude", "positive": "up"})
    shown = scene(path, variable="field")
    assert (shown.kind, shown.y.label) == ("curtain", "altitude (m)")
    np.testing.assert_array_equal(shown.y.values, 30.0 * np.arange(10))
    level = np.arange(10)[:, None] - np.arange(5)
    expected = np.where((level >= 0) & (level < 6), 1000.0 * np.arange(5) + level, np.nan)
    np.testing.assert_array_equal(shown.values, expected)


@pytest.mark.parametrize("has_data", [False, True])
def test_data_that_are_not_drawn_are_named(tmp_path, caplog, has_data):
    """A picture of the track alone says nothing of the data beside it."""
    path = curtain(tmp_path / "a.nc", records=5, bins=6)
    path = rewritten(tmp_path / "b.nc", path, skip=("time", "z", "field"))
    if has_data:
        with netCDF4.Dataset(path, "a") as dataset:
            dataset.createVariable("spectra", "f4", ("z", "time"))[:] = 1
    assert scene(path).kind == "track"
    said = "only the track is drawn: no coordinates of a picture belong to spectra"
    assert (said in caplog.text) == has_data


def test_chosen_series_is_drawn_over_the_coordinate_that_it_names(tmp_path):
    """A spectrum was drawn over its index, beside the wavelength."""
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as dataset:
        dataset.createDimension("band", 4)
        for name, values in (("wavelength", [400.0, 500, 600, 800]), ("radiance", range(4))):
            dataset.createVariable(name, "f8", ("band",))[:] = values
        dataset["wavelength"].units, dataset["radiance"].coordinates = "nm", "wavelength"
    shown = scene(tmp_path / "a.nc", variable="radiance")
    assert shown.x.label == "wavelength (nm)" and shown.x.values.tolist() == [400, 500, 600, 800]


def test_curtain_holds_the_values_where_they_belong(tmp_path):
    """Rows are altitudes and columns are times, in ascending order."""
    shown = scene(curtain(tmp_path / "a.nc"))
    assert shown.kind == "curtain" and shown.label == "test field (K)"
    expected = np.arange(40) * 1000.0 + np.arange(30)[:, None]
    np.testing.assert_array_equal(shown.values, expected)
    np.testing.assert_allclose(shown.y.values, np.arange(30) * 30.0)
    assert shown.x.times == ("seconds since 2012-09-06", "standard")
    np.testing.assert_allclose(shown.track[1], np.linspace(10, 20, 40))


def test_missing_values_are_not_drawn(tmp_path):
    path = curtain(tmp_path / "a.nc")
    with netCDF4.Dataset(path, "a") as dataset:
        dataset["field"][3, 4] = np.ma.masked
    values = scene(path).values
    assert np.isnan(values[4, 3]) and np.isnan(values).sum() == 1


def test_gap_in_time_stays_a_gap(tmp_path):
    """The sample before a gap does not fill the gap."""
    path = curtain(tmp_path / "a.nc")
    with netCDF4.Dataset(path, "a") as dataset:
        dataset["time"][20:] = np.arange(20, 40) + 100.0
    shown = scene(path)
    empty = np.isnan(shown.values).all(axis=0)
    assert empty.sum() == 98 and not empty[:21].any() and not empty[-20:].any()


def test_integer_time_that_is_none_is_not_drawn(tmp_path):
    """Numpy's NaT without a _FillValue is no moment of the year 1677."""
    times = np.array([1346932800, np.iinfo("i8").min, 1346932802]) * np.array([10**9, 1, 10**9])
    field = (np.ones((3, 2)), {"units": "K"}, ("time", "altitude"))
    path = write_variables(
        tmp_path / "a.nc",
        time=(times, {"units": "nanoseconds since 1970-01-01", "standard_name": "time"}),
        altitude=(np.array([0.0, 30.0]), {"units": "m", "positive": "up"}),
        field=field,
    )
    times = scene(path).x.values
    assert np.nanmax(times) - np.nanmin(times) == 2e9
    write_browse(path, tmp_path / "a.png")


def test_descending_altitudes_are_turned(tmp_path):
    path = curtain(tmp_path / "a.nc")
    with netCDF4.Dataset(path, "a") as dataset:
        dataset["z"][:] = np.arange(30)[::-1] * 30.0
    assert scene(path).values[0, 0] == 29.0


def test_grid_becomes_a_map(tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as dataset:
        for name, size, units in (("lat", 9, "degrees_north"), ("lon", 18, "degrees_east")):
            dataset.createDimension(name, size)
            dataset.createVariable(name, "f4", (name,))[:] = np.arange(size) * 10.0
            dataset[name].units = units
        dataset.createDimension("time", 2)
        rain = dataset.createVariable("rain", "f4", ("time", "lat", "lon"))
        rain[0] = np.arange(9)[:, None] * 100 + np.arange(18)
        rain[1] = -1
    shown = scene(tmp_path / "a.nc")
    assert shown.kind == "map"
    np.testing.assert_array_equal(shown.values, np.arange(9)[:, None] * 100 + np.arange(18))
    assert shown.x.label == "lon (degrees_east)" and len(shown.x.values) == 18


def test_pixels_with_positions_become_a_swath(tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as dataset:
        dataset.createDimension("line", 20)
        dataset.createDimension("pixel", 10)
        for name, units in (("lat", "degrees_north"), ("lon", "degrees_east"), ("value", "K")):
            variable = dataset.createVariable(name, "f4", ("line", "pixel"))
            variable.units = units
            variable[:] = np.arange(200).reshape(20, 10) / 10
    assert scene(tmp_path / "a.nc").kind == "swath"
    write_browse(tmp_path / "a.nc", tmp_path / "a.png")


@pytest.mark.parametrize("units", ["degreesN", "degreeN", "degree_n"])
def test_position_is_known_by_every_spelling_of_its_unit(tmp_path, units):
    """Metadata knows the same spellings; another standard name makes it no position."""
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as dataset:
        dataset.createDimension("n", 9)
        for name in ("y0", "y"):
            dataset.createVariable(name, "f4", ("n",)).units = units
        dataset["y0"].standard_name = "deployment_latitude"
        assert [latitude.name for latitude in Roles(dataset).latitudes] == ["y"]


def across_the_antimeridian(path, kind):
    """A field from 170 E to 170 W."""
    east = np.array([170.0, 175.0, 180.0, -175.0, -170.0])
    with netCDF4.Dataset(path, "w") as dataset:
        dataset.createDimension("lat", 4)
        dataset.createDimension("lon", 5)
        shape = {"map": {"lat": ("lat",), "lon": ("lon",)}}.get(kind, {})
        for name, values, units in (
            ("lat", np.arange(4.0)[:, None] + np.zeros(5), "degrees_north"),
            ("lon", np.zeros((4, 1)) + east, "degrees_east"),
        ):
            variable = dataset.createVariable(name, "f8", shape.get(name, ("lat", "lon")))
            variable.units = units
            line = values[0] if name == "lon" else values[:, 0]
            variable[:] = values if kind == "swath" else line
        dataset.createVariable("value", "f4", ("lat", "lon"))[:] = np.arange(20).reshape(4, 5)
    return path


@pytest.mark.parametrize("kind", ["map", "swath"])
def test_field_across_the_antimeridian_is_drawn_in_one_piece(tmp_path, kind):
    shown = scene(across_the_antimeridian(tmp_path / "a.nc", kind))
    assert shown.kind == kind
    assert (shown.x.values.min(), shown.x.values.max()) == (170, 190)
    assert np.isfinite(shown.values).all()


def test_map_of_the_whole_globe_stays_as_it_is():
    for east in (np.arange(-180.0, 181.0), np.arange(-179.5, 180.0), np.arange(360.0)):
        assert (unwrap(east) == east).all()


@pytest.mark.parametrize(("values", "scale"), [(np.nan, "linear"), (-2.0, "log")])
def test_picture_without_values_says_so(tmp_path, monkeypatch, values, scale):
    """Such a picture has no colour bar."""
    drawn = []
    monkeypatch.setattr(
        "matplotlib.figure.Figure.savefig", lambda figure, *_, **__: drawn.append(figure)
    )
    path = curtain(tmp_path / "a.nc")
    with netCDF4.Dataset(path, "a") as dataset:
        dataset["field"][:] = values
    plot.draw(scene(path), BrowseRules(scale=scale), tmp_path / "a.png")
    (figure,) = drawn
    assert any("no values" in text.get_text() for text in figure.axes[0].texts)
    assert not any(axes.get_label() == "<colorbar>" for axes in figure.axes)


def test_chosen_variable_is_drawn_even_without_coordinates(tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as dataset:
        group = dataset.createGroup("g")
        group.createDimension("a", 4)
        group.createDimension("b", 5)
        group.createVariable("x", "i2", ("a", "b"))[:] = np.arange(20).reshape(4, 5)
    shown = scene(tmp_path / "a.nc", variable="/g/x")
    np.testing.assert_array_equal(shown.values, np.arange(20).reshape(4, 5).T)
    assert shown.x.label == shown.y.label == "index"


def test_unknown_variable_is_named_with_those_there_are(tmp_path):
    with pytest.raises(CumulusError, match=r"'typo' is no numeric variable .* are field, lat"):
        scene(curtain(tmp_path / "a.nc"), variable="typo")


def test_product_without_anything_to_draw_is_one_sentence(tmp_path):
    netCDF4.Dataset(tmp_path / "a.nc", "w").close()
    with pytest.raises(CumulusError, match=r"cannot draw any variable .*\[browse\] variable"):
        write_browse(tmp_path / "a.nc", tmp_path / "a.png")
    assert not (tmp_path / "a.png").exists()


@pytest.mark.parametrize("name", ["time", "z"])
@pytest.mark.parametrize("value", [np.nan, 1e300])
def test_curtain_whose_coordinate_makes_no_sense_is_a_sentence_or_a_picture(tmp_path, name, value):
    path = curtain(tmp_path / "a.nc")
    with netCDF4.Dataset(path, "a") as dataset:
        dataset[name][:] = value
        dataset[name][-1:] = value / 2
    try:
        write_browse(path, tmp_path / "a.png")
    except CumulusError as error:
        assert str(error).startswith("cannot draw")
    else:
        assert (name, value) == ("z", 1e300)


def test_product_without_records_is_one_sentence(tmp_path):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as dataset:
        for name in ("time", "z"):
            dataset.createDimension(name, None if name == "time" else 3)
            dataset.createVariable(name, "f8", (name,))
        dataset["time"].units = "seconds since 2012-09-06"
        dataset["z"].setncatts({"units": "m", "axis": "Z"})
        dataset.createVariable("field", "f4", ("time", "z"))
    with pytest.raises(CumulusError, match="cannot draw"):
        write_browse(tmp_path / "a.nc", tmp_path / "a.png")


@pytest.mark.parametrize("dimensions", [("n",), ("n", "m")], ids=["track", "swath"])
def test_positions_that_are_all_nan_are_one_sentence(tmp_path, dimensions):
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as dataset:
        for name in dimensions:
            dataset.createDimension(name, 5)
        for name, units in (("lat", "degrees_north"), ("lon", "degrees_east")):
            dataset.createVariable(name, "f8", dimensions)[:] = np.nan
            dataset[name].units = units
        if len(dimensions) == 2:
            dataset.createVariable("x", "f8", dimensions)[:] = 1
    with pytest.raises(CumulusError, match="cannot draw"):
        write_browse(tmp_path / "a.nc", tmp_path / "a.png")


@pytest.mark.parametrize("coordinate, indices", [
    ([0, 1, 2, 3], [0, 1, 2, 3]),
    ([3, 2, 1, 0], [3, 2, 1, 0]),
    ([0, 1, np.nan, 2], [0, 1, 3]),
    ([5], [0]),
    ([0, 1, 2, 6], [0, 1, 2, 2, -1, 3, 3]),
], ids=["ascending", "descending", "missing", "single", "gap"])  # fmt: skip
def test_nearest_sample_of_each_cell(coordinate, indices):
    assert nearest(np.array(coordinate, "f8"), 100)[0].tolist() == indices


@pytest.mark.slow
@pytest.mark.parametrize("variable", ["ATB_532", ""])
def test_starter_product_is_a_curtain(tmp_path, variable):
    shown = scene(starter(), variable=variable)
    assert shown.kind == "curtain" and len(shown.track[0]) == 40
    write_browse(starter(), tmp_path / "a.png", BrowseRules(variable=variable, scale="log"))
    assert struct.unpack(">II", chunks_of(tmp_path / "a.png")[0][1][:8]) == (1200, 675)


REAL = {
    "IMPACTS_AVAPS_PQC_20220208_142943.nc": ("tdry", "profile"),
    "IMPACTS_CRS_L1B_RevB_20200201_subset.h5": ("", "track"),
    "ISS_LIS_BG_V3.0_20170702_000346_FIN.nc": ("", "series"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", REAL)
def test_real_granules_have_a_picture(tmp_path, name):
    granule = shared(f"data/granules/{name}")
    variable, kind = REAL[name]
    shown = scene(granule, variable=variable)
    assert shown.kind == kind
    drawn = shown.values if kind != "track" else shown.track[0]
    assert np.isfinite(drawn).sum() > 100
    write_browse(granule, tmp_path / "a.png", BrowseRules(variable=variable))
    assert struct.unpack(">II", chunks_of(tmp_path / "a.png")[0][1][:8]) == (1200, 675)


@pytest.mark.slow
def test_same_product_gives_the_same_bytes(tmp_path):
    """In another process, time zone and configuration of matplotlib; only pixels are inside."""
    settings = "axes.facecolor: red\nfont.size: 20\ntimezone: Asia/Tokyo\n"
    (tmp_path / "matplotlibrc").write_text(settings)
    curtain(tmp_path / "a.nc")
    command = "import sys; from cumulus.browse import write_browse; write_browse(*sys.argv[1:])"
    for number, zone in enumerate(("UTC", "Asia/Tokyo")):
        environment = {**os.environ, "PYTHONPATH": str(SOURCE), "TZ": zone}
        if number:
            environment["MATPLOTLIBRC"] = str(tmp_path)
        image = tmp_path / f"{number}.png"
        argv = [sys.executable, "-c", command, tmp_path / "a.nc", image]
        subprocess.run(argv, check=True, env=environment)
    assert (tmp_path / "0.png").read_bytes() == (tmp_path / "1.png").read_bytes()
    names = {name for name, _ in chunks_of(tmp_path / "0.png")}
    assert names == {b"IHDR", b"pHYs", b"IDAT", b"IEND"}


@pytest.mark.slow
def test_memory_does_not_grow_with_the_product(tmp_path):
    """A field of 360 MB costs hardly more than one of a tenth of it."""
    peaks = []
    command = ("import resource, sys; from cumulus.browse import write_browse; "
               "write_browse(*sys.argv[1:]); "
               "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)")  # fmt: skip
    for records in (10_000, 100_000):
        curtain(tmp_path / "a.nc", records, 900)
        done = subprocess.run(
            [sys.executable, "-c", command, tmp_path / "a.nc", tmp_path / "a.png"], check=True,
            env={**os.environ, "PYTHONPATH": str(SOURCE)}, capture_output=True, text=True,
        )  # fmt: skip
        peaks.append(int(done.stdout) / 1024)
    assert peaks[1] - peaks[0] < 60, peaks


def test_missing_matplotlib_is_one_sentence(tmp_path, monkeypatch):
    """The message names file and line, which are the same all over the project."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(CumulusError, match=r"the line matplotlib==\S+ to requi") as error:
        write_browse(curtain(tmp_path / "a.nc"), tmp_path / "a.png")
    line = str(error.value).split()[str(error.value).split().index("line") + 1]
    collection = REPOSITORY / "{{cookiecutter.repo_name}}" / "collection.toml"
    for path in (REPOSITORY / "pyproject.toml", REPOSITORY / "docs" / "browse.md", collection):
        assert line in path.read_text(encoding="utf-8"), path


def test_library_does_without_matplotlib_until_it_draws():
    code = "import cumulus.browse, cumulus.process, sys; sys.exit('matplotlib' in sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(SOURCE)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)


def test_unknown_colour_map_is_named(tmp_path):
    with pytest.raises(CumulusError, match="'jetset' is unknown"):
        write_browse(curtain(tmp_path / "a.nc"), tmp_path / "a.png", BrowseRules(colormap="jetset"))


def test_failed_image_leaves_nothing(tmp_path):
    """A logarithmic scale cannot begin at zero."""
    with pytest.raises(CumulusError, match="logarithmic scale"):
        rules = BrowseRules(scale="log", range=(0, 1))
        write_browse(curtain(tmp_path / "a.nc"), tmp_path / "a.png", rules)
    assert [path.name for path in tmp_path.iterdir()] == ["a.nc"]


@pytest.mark.parametrize("line, expected", [
    ('range = [1, 0]', "two numbers, the smaller one first"),
    ('range = 1', "two numbers"),
    ('scale = "logarithmic"', '"linear" or "log"'),
    ('colour = "viridis"', "unknown key 'colour'"),
])  # fmt: skip
def test_wrong_rule_is_named_with_its_line(repository, line, expected):
    with (repository.home / "collection.toml").open("a") as file:
        file.write(f"\n[browse]\n{line}\n")
    with pytest.raises(CumulusError, match=expected) as error:
        load(repository.home / "collection.toml")
    assert "line " in str(error.value)


def test_handler_makes_the_image_in_one_line(repository):
    """As the documentation shows it: the image is a product like any other."""
    repository.configure('cmr = "{id}.cmr.json"', 'browse = "{id}.png"\n[browse]\nvariable = "lat"')
    handler = (repository.home / "process.py").read_text()
    documented = (REPOSITORY / "docs/browse.md").read_text().splitlines()
    (call,) = (line for line in documented if line.startswith("    granule.browse("))
    handler = handler.replace("    granule.check()", f"    granule.check()\n{call}")
    repository.write("process.py", handler, executable=True)
    repository.granule()
    done = repository.run()
    assert done.returncode == 0, done.stdout
    assert "CPL_A.png" in repository.products()


def test_image_that_is_not_declared_is_one_sentence(repository):
    """A line in process.py without its product in collection.toml."""
    handler = (repository.home / "process.py").read_text()
    handler = handler.replace("    granule.check()", "    granule.browse()")
    repository.write("process.py", handler, executable=True)
    repository.granule()
    done = repository.run()
    assert done.returncode == 2
    assert "no browse image is declared: add browse" in done.stdout
