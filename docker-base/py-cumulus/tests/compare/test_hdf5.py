"""Content that the NetCDF library leaves out, or shows in part, is compared."""

import h5py
import netCDF4
import numpy as np
import pytest

from cumulus.collection import CompareRules
from cumulus.compare import Unreadable, compare, compare_files
from cumulus.compare.hdf5 import HDF5Variable, is_complete
from cumulus.compare.html import write_html

PAIR = np.dtype([("n", "i4"), ("text", "S4")])
# Type, and two values of it.
TYPES = {
    "array": (np.dtype(("i4", (3,))), [1, 2, 3], [1, 2, 4]),
    "boolean": (np.dtype(bool), False, True),
    "enumeration": (h5py.enum_dtype({"land": 0, "sea": 1}), 0, 1),
    "opaque": (np.dtype("V3"), np.void(b"abc"), np.void(b"abd")),
    "compound": (PAIR, (1, b"abcd"), (1, b"abce")),
    "compound of booleans": (np.dtype([("set", bool)]), (False,), (True,)),
    "complex": (np.dtype("c8"), 1, 1j),
    "half precision": (np.dtype("f2"), 1, 2),
    "long double": (np.dtype("g"), 1, 2),
    "variable length": (h5py.vlen_dtype("i4"), [1, 2], [1, 3]),
    "variable length, half precision": (h5py.vlen_dtype("f2"), [1, 2], [1]),
    "text with a zero byte": (np.dtype("S3"), b"a\0b", b"a\0c"),
    "text that is no UTF-8": (np.dtype("S2"), b"\xb5m", b"\xb0m"),
    "string that is no UTF-8": (h5py.string_dtype(), b"\xb5m", b"\xb0m"),
}


def write(path, kind, value, owner_kind):
    """Write a file with a value in a dataset or an attribute, beside fixed content."""
    with h5py.File(path, "w") as file:
        data = file.create_dataset("group/x", data=[1.0, 2.0])
        if owner_kind == "dataset":
            file.create_dataset("group/odd", (1,), kind)[0] = one_value(kind, value)[()]
        else:
            owner = data.id if owner_kind == "attribute" else h5py.h5g.open(file.id, b"/")
            scalar = h5py.h5s.create(h5py.h5s.SCALAR)
            logical = h5py.h5t.py_create(kind, logical=True)
            attribute = h5py.h5a.create(owner, b"odd", logical, scalar)
            attribute.write(one_value(kind, value), mtype=h5py.h5t.py_create(kind))
    return path


def one_value(kind, value):
    """Return the value as an array without dimensions; an array type has its own."""
    if kind.kind != "O":
        return np.array(value, kind.base)
    array = np.empty((), kind)
    inner = h5py.check_vlen_dtype(kind)
    array[()] = value if inner in (None, bytes, str) else np.array(value, inner)
    return array


@pytest.mark.parametrize("owner_kind", ["dataset", "attribute", "attribute of the file"])
@pytest.mark.parametrize("case", TYPES)
def test_value_of_any_type_counts(tmp_path, case, owner_kind):
    """Another value is a difference under its name; the same value is equal."""
    kind, value, other = TYPES[case]
    expected = write(tmp_path / "a.h5", kind, value, owner_kind)
    again = write(tmp_path / "b.h5", kind, value, owner_kind)
    again.write_bytes(again.read_bytes() + b"\0")
    assert compare_files(expected, again) == []
    (difference,) = compare_files(expected, write(tmp_path / "c.h5", kind, other, owner_kind))
    where = {"dataset": "/group/odd", "attribute": "/group/x"}.get(owner_kind, "/")
    assert (difference.variable, difference.name) == (
        where,
        "" if owner_kind == "dataset" else "odd",
    )
    assert difference.expected != difference.actual


@pytest.mark.parametrize("case", TYPES)
def test_dataset_of_any_type_may_not_be_missing(tmp_path, case):
    kind, value, _ = TYPES[case]
    expected = write(tmp_path / "a.h5", kind, value, "dataset")
    other = write(tmp_path / "b.h5", kind, value, "attribute")
    differences = {
        (difference.category, difference.variable, difference.name)
        for difference in compare_files(expected, other)
    }
    assert ("missing", "/group/odd", "odd") in differences
    assert ("extra", "/group/x", "odd") in differences


def test_type_counts_where_the_library_shows_none(tmp_path):
    expected = write(tmp_path / "a.h5", *TYPES["boolean"][:2], "attribute")
    other = write(tmp_path / "b.h5", *TYPES["enumeration"][:2], "attribute")
    (difference,) = compare_files(expected, other)
    assert difference.message == (
        "/group/x: attribute odd: expected type enumeration {'FALSE': 0, 'TRUE': 1} of int8, "
        "actual enumeration {'land': 0, 'sea': 1} of uint8"
    )


def test_rules_hold_for_what_the_library_does_not_show(tmp_path):
    """An ignored attribute does not count, and half precision has a tolerance."""
    paths = [write(tmp_path / f"{i}.h5", *TYPES["boolean"][:1], i, "attribute") for i in range(2)]
    assert compare_files(*paths, CompareRules(ignore_attributes=("odd",))) == []
    paths = [write(tmp_path / f"{x}.h5", np.dtype("f2"), x, "dataset") for x in (1, 1.01)]
    assert compare_files(*paths) and compare_files(*paths, CompareRules(rtol=0.1)) == []
    assert compare_files(*paths, CompareRules(ignore_variables=("group/odd",))) == []


def test_empty_row_of_compounds_is_compared(tmp_path):
    """An empty sequence of compounds is compared, though h5py fails on it."""
    pair = np.dtype([("n", "i4"), ("x", "f8")])
    paths = tmp_path / "a.h5", tmp_path / "b.h5"
    for path, last in zip(paths, (2.0, 3.0), strict=True):
        with h5py.File(path, "w") as file:
            data = file.create_dataset("v", (2,), h5py.vlen_dtype(pair))
            data[1] = np.array([(1, last)], pair)
    (difference,) = compare_files(*paths)
    assert (difference.variable, difference.values.differing) == ("/v", 1)


@pytest.mark.parametrize("kind", [h5py.ref_dtype, h5py.regionref_dtype])
@pytest.mark.parametrize("owner_kind", ["dataset", "attribute"])
def test_references_are_named_and_never_equal(tmp_path, kind, owner_kind):
    for name in ("a.h5", "b.h5"):
        with h5py.File(tmp_path / name, "w") as file:
            data = file.create_dataset("x", data=[1.0])
            file.attrs["history"] = name
            if owner_kind == "dataset":
                file.create_dataset("odd", (1,), kind)
            else:
                reference = data.regionref[:] if kind is h5py.regionref_dtype else data.ref
                data.attrs.create("odd", reference, dtype=kind)
    with pytest.raises(Unreadable, match="odd: it holds references"):
        compare_files(tmp_path / "a.h5", tmp_path / "b.h5")


def test_h5py_that_fails_on_an_empty_row_is_asked_for_each(tmp_path, monkeypatch):
    """Fail as h5py 3.13 does on sequences of compounds."""
    pair = np.dtype([("n", "i4"), ("x", "f8")])
    with h5py.File(tmp_path / "a.h5", "w") as file:
        data = file.create_dataset("v", (3, 2), h5py.vlen_dtype(pair))
        data[1, 1] = np.array([(1, 2.0), (3, 4.0)], pair)
        whole = h5py.Dataset.__getitem__

        def fails(dataset, index):
            values = whole(dataset, index)
            if values.dtype == object or values.size == 0:
                raise ValueError("Cannot create cython.array from NULL pointer")
            return values

        monkeypatch.setattr(h5py.Dataset, "__getitem__", fails)
        rows = HDF5Variable(data.id, "/v")[slice(1, 3), slice(0, 2)]
    assert rows.shape == (2, 2) and [row.size for row in rows.ravel()] == [0, 2, 0, 0]
    assert rows[0, 1]["x"].tolist() == [2.0, 4.0] and rows[0, 0].dtype == pair


def elsewhere_by_link(file):
    file["linked"] = h5py.ExternalLink("source.h5", "/x")


def elsewhere_virtually(file):
    layout = h5py.VirtualLayout((2,), "f8")
    layout[:] = h5py.VirtualSource("source.h5", "x", (2,))
    file.create_virtual_dataset("virtual", layout)


@pytest.mark.parametrize("way", [elsewhere_by_link, elsewhere_virtually])
def test_same_bytes_that_show_other_files_are_not_equal_for_that(tmp_path, monkeypatch, way):
    """The same file beside another source shows other values."""
    for name, values in (("a", [1.0, 2.0]), ("b", [1.0, 3.0])):
        (tmp_path / name).mkdir()
        monkeypatch.chdir(tmp_path / name)
        with h5py.File("source.h5", "w") as file:
            file["x"] = values
        with h5py.File("x.h5", "w") as file:
            way(file)
    monkeypatch.chdir(tmp_path)
    expected, actual = tmp_path / "a/x.h5", tmp_path / "b/x.h5"
    assert expected.read_bytes() == actual.read_bytes()
    (difference,) = compare_files(expected, actual)
    assert difference.values.differing == 1


def test_storage_in_another_file_is_seen(tmp_path):
    for name, external in (("a.h5", None), ("b.h5", [("raw.bin", 0, 16)])):
        with h5py.File(tmp_path / name, "w") as file:
            file.create_dataset("raw", (2,), "f8", external=external)
        assert is_complete(tmp_path / name) == (external is None)


def null_dataset(file):
    file["null"] = h5py.Empty("f4")


def matrix_attribute(file):
    file.attrs["matrix"] = np.eye(2)


def soft_link(file):
    file["nowhere"] = h5py.SoftLink("/absent")


@pytest.mark.parametrize("content", [null_dataset, matrix_attribute, soft_link])
def test_file_that_the_netcdf_library_does_not_open_equals_only_the_same_bytes(tmp_path, content):
    """A truncated file does not equal even the same bytes."""
    expected, actual = tmp_path / "a.h5", tmp_path / "b.h5"
    with h5py.File(expected, "w") as file:
        file["x"] = [1.0, 2.0]
        content(file)
    actual.write_bytes(expected.read_bytes())
    assert compare_files(expected, actual) == []
    actual.write_bytes(expected.read_bytes() + b"\0")
    with pytest.raises(Unreadable):
        compare_files(expected, actual)
    for path in (expected, actual):
        path.write_bytes(expected.read_bytes()[:-8])
    with pytest.raises(Unreadable, match="cannot open"):
        compare_files(expected, actual)


def test_committed_type_counts(tmp_path):
    for name, kind in (("a.h5", "V3"), ("b.h5", "V4")):
        with h5py.File(tmp_path / name, "w") as file:
            file["kind"] = np.dtype(kind)
    (difference,) = compare_files(tmp_path / "a.h5", tmp_path / "b.h5")
    types = [f"opaque '' of {size} bytes" for size in (3, 4)]
    assert difference.message == f"/: type kind: expected {types[0]}, actual {types[1]}"


def test_dimensions_are_no_hidden_datasets(tmp_path):
    """Scales with and without a variable are dimensions, as the NetCDF library shows them."""
    for name, program in (("a.nc", netCDF4), ("b.nc", h5py)):
        if program is netCDF4:
            with netCDF4.Dataset(tmp_path / name, "w") as file:
                file.createDimension("x", 2)
                file.createVariable("x", "f4", ("x",))[:] = [1, 2]
                file.createVariable("v", "f4", ("x",))[:] = [3, 4]
        else:
            with h5py.File(tmp_path / name, "w") as file:
                scale = file.create_dataset("x", data=np.array([1, 2], "f4"))
                scale.make_scale("x")
                data = file.create_dataset("v", data=np.array([3, 4], "f4"))
                data.dims[0].attach_scale(scale)
    differences = compare_files(tmp_path / "a.nc", tmp_path / "b.nc")
    assert {difference.name for difference in differences} <= {"_FillValue"}


def test_report_is_written_whatever_the_types(tmp_path):
    """Values of half precision, on which the NetCDF library would crash, are not drawn."""
    for case in ("half precision", "opaque"):
        kind, value, other = TYPES[case]
        for name, content in (("a.h5", value), ("b.h5", other)):
            with h5py.File(tmp_path / name, "w") as file:
                file.create_dataset("odd", (4,), kind)[...] = np.full(4, content, kind)
        comparison = compare(tmp_path / "a.h5", tmp_path / "b.h5")
        write_html(comparison, tmp_path / "report.html")
        assert "/odd" in (tmp_path / "report.html").read_text()


# --- bytes of text attributes ----------------------------------------------------------------


@pytest.mark.parametrize("form", ["NETCDF4", "NETCDF3_CLASSIC", "NETCDF3_64BIT_DATA"])
@pytest.mark.parametrize(
    ("value", "other"), [(b"\xb5m", b"\xb0m"), (b"a\0b", b"ab"), (b"a\0b", b"a\0c")]
)
def test_every_byte_of_a_text_counts(tmp_path, form, value, other):
    """Attributes of variables and of the file count byte by byte, UTF-8 or not."""
    paths = []
    for name, text in (("a.nc", value), ("b.nc", other), ("c.nc", value)):
        paths.append(tmp_path / name)
        with netCDF4.Dataset(paths[-1], "w", format=form) as file:
            file.setncattr("title", text)
            file.createVariable("v", "f4", ()).setncattr("units", text)
            file.history = name
    assert compare_files(paths[0], paths[2]) == []
    differences = compare_files(paths[0], paths[1])
    assert [difference.name for difference in differences] == ["title", "units"]
    assert all(difference.expected != difference.actual for difference in differences)


def test_zero_bytes_at_the_end_of_a_text_only_fill_it_up(tmp_path):
    for name, text in (("a.nc", b"abc"), ("b.nc", b"abc\0\0")):
        with netCDF4.Dataset(tmp_path / name, "w", format="NETCDF3_CLASSIC") as file:
            file.setncattr("title", text)
    assert compare_files(tmp_path / "a.nc", tmp_path / "b.nc") == []


@pytest.mark.parametrize(("value", "other"), [(b"\xb5m", b"\xb0m"), (b"a\0b", b"a\0c")])
def test_every_byte_of_an_array_of_texts_counts(tmp_path, value, other):
    for name, text in (("a.h5", value), ("b.h5", other)):
        with h5py.File(tmp_path / name, "w") as file:
            file.attrs["texts"] = np.array([b"x", text])
    (difference,) = compare_files(tmp_path / "a.h5", tmp_path / "b.h5")
    assert difference.name == "texts"
