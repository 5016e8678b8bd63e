"""Names that a file gives its axes without dimension scales."""

import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.oracle import judge, read_report
from converter.tests.test_features import table


@pytest.fixture
def dimensions(build, tmp_path):
    """{path: dimensions} of the product of a file that `fill` writes, and the messages."""
    def convert(fill, rows=""):
        with h5py.File(tmp_path / "in.h5", "w") as file:
            fill(file)
        done = build(table(rows))("--report", tmp_path / "report", tmp_path / "in.h5", tmp_path / "out.nc")
        assert done.returncode == 0, done.stderr
        if not rows:
            assert judge(tmp_path / "in.h5", tmp_path / "out.nc", read_report(tmp_path / "report")).wrong == []
        with netCDF4.Dataset(tmp_path / "out.nc") as product:
            answer = {}
            for group in (product, *product.groups.values()):
                answer |= {variable.name: variable.dimensions for variable in group.variables.values()}
        return answer, done.stderr.replace("_convert: note: ", "")
    return convert


def label(dataset, *names):
    for dimension, name in zip(dataset.dims, names, strict=True):
        dimension.label = name


def test_names_of_gpm_are_used(dimensions):
    """As in its level 1 to 3 files: one text, with and without blanks; shared by all swaths of the same lengths."""
    def fill(file):
        for group, rows in (("S1", 5), ("S2", 5), ("S3", 6)):
            for name, shape, names in (("Latitude", (rows, 3), "nscan,npixel"), ("Tc", (rows, 3, 2),
                                                                               "nscan, npixel ,nchannel")):
                file[f"{group}/{name}"] = np.zeros(shape)
                file[f"{group}/{name}"].attrs["DimensionNames"] = np.bytes_(names)
    found, messages = dimensions(fill)
    assert found == {"Latitude": ("nscan", "npixel"), "Tc": ("nscan", "npixel", "nchannel")}
    assert messages == ""


def test_labels_of_hdf5_are_used(dimensions):
    """An axis without a label has its length for a name, and a scale comes before a label."""
    def fill(file):
        file["x"], file["time"] = np.zeros((4, 3, 2)), np.arange(4)
        file["time"].make_scale()
        label(file["x"], "other", "height", "")
        file["x"].dims[0].attach_scale(file["time"])
    assert dimensions(fill) == ({"time": ("time",), "x": ("time", "height", "dim_2")}, "")


def test_variable_of_a_labels_name_becomes_its_coordinate(dimensions):
    def fill(file):
        file["height"], file["x"] = np.arange(3.0), np.zeros((3, 2))
        label(file["height"], "height")
        label(file["x"], "height", "channel")
    assert dimensions(fill) == ({"height": ("height",), "x": ("height", "channel")}, "")


def test_label_for_two_lengths_is_numbered_and_noted(dimensions):
    def fill(file):
        for name, length in (("a", 3), ("b", 5)):
            file[name] = np.zeros(length)
            label(file[name], "n")
    assert dimensions(fill) == ({"a": ("n",), "b": ("n_2",)},
                                "'/': its second dimension 'n', of length 5, is called 'n_2'\n")


@pytest.mark.parametrize("shape", [(3, 3), (3, 5)], ids=["one length", "two lengths"])
def test_label_of_two_axes_is_numbered_and_noted(dimensions, shape):
    """A matrix: readers want each dimension once in a variable."""
    def fill(file):
        file["m"] = np.zeros(shape)
        label(file["m"], "n", "n")
    assert dimensions(fill) == ({"m": ("n", "n_2")},
                                "'/m': its axis 1 is called 'n_2': an earlier axis has the name 'n', too\n")


def test_label_that_netcdf_forbids_is_replaced_and_noted(dimensions):
    def fill(file):
        file["a"] = np.zeros((3, 2))
        label(file["a"], "km/s", " inner blank ")
    assert dimensions(fill) == ({"a": ("km_s", "inner blank")},
                                "'/a': its axis 0 is called 'km_s': netCDF forbids the name 'km/s'\n")


def test_too_few_names_are_not_used_and_noted(dimensions):
    def fill(file):
        file["a"] = np.zeros((3, 2))
        file["a"].attrs["DimensionNames"] = "nscan"
    assert dimensions(fill) == ({"a": ("dim_3", "dim_2")}, "'/a:DimensionNames': not used for the dimensions: the "
                                "dataset has 2, the text names 1\n")


def test_scale_of_another_group_stays_there(dimensions):
    """It stays the coordinate of its dimension, though a label elsewhere has its name and length."""
    def fill(file):
        file["g/time"], file["x"] = np.arange(3), np.zeros(3)
        file["g/time"].make_scale()
        label(file["x"], "time")
    assert dimensions(fill) == ({"time": ("time",), "x": ("time",)}, "")


def test_tables_names_come_first(dimensions):
    """Also where a label of another length has the name: before there were labels, it was the table's alone."""
    def fill(file):
        file["a"], file["b"] = np.zeros(5), np.zeros((3, 2))
        label(file["a"], "n")
        label(file["b"], "x", "y")
    assert dimensions(fill, '{"/b", "", "n k"}') == (
        {"a": ("n_2",), "b": ("n", "k")}, "'/': its second dimension 'n', of length 5, is called 'n_2'\n")


def test_label_makes_a_dimension_unlimited(dimensions):
    def fill(file):
        file.create_dataset("a", data=np.arange(4), maxshape=(None,), chunks=(2,))
        file["b"] = np.arange(4)
        for name in "ab":
            label(file[name], "time")
    assert dimensions(fill) == ({"a": ("time",), "b": ("time",)}, "")
