"""A granule's data lie in the granule: nothing of other files is read or opened, whatever the granule points to."""

import os

import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.oracle import read_report
from converter.tests.test_hdfeos import struct_metadata

LIBVER = ("earliest", "v110")
FIELD = "HDFEOS/SWATHS/Ozone/Data Fields/O3"


def growing(file, name, source):
    """A virtual dataset as long as its source, for whose length alone HDF5 would open the source."""
    layout = h5py.VirtualLayout(shape=(4,), dtype="f4", maxshape=(None,))
    mapped = h5py.VirtualSource(str(source), "x", shape=(4,), maxshape=(None,), dtype="f4")
    layout[0:h5py.h5s.UNLIMITED] = mapped[0:h5py.h5s.UNLIMITED]
    return file.create_virtual_dataset(name, layout)


@pytest.fixture
def pipe(tmp_path):
    """A source that whoever opens it waits for, for ever."""
    os.mkfifo(tmp_path / "other.h5")
    return tmp_path / "other.h5"


def test_source_of_a_growing_virtual_dataset_is_not_opened(plain, pipe, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w", libver=LIBVER) as file:
        growing(file, "v", pipe)
        file["x"] = np.arange(3.0)
    done = plain("--report", tmp_path / "r", tmp_path / "in.h5", tmp_path / "x.nc", timeout=20)
    assert done.returncode == 0 and "left out '/v': virtual dataset" in done.stderr
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert list(product.variables) == ["x"]


def test_source_of_a_growing_virtual_scale_is_not_opened(plain, pipe, tmp_path):
    """The scale names the dimension of its axis where its length is known without other files."""
    with h5py.File(tmp_path / "in.h5", "w", libver=LIBVER) as file:
        scale = growing(file, "time", pipe).id
        h5py.h5ds.set_scale(scale, b"time")
        file["x"] = np.arange(4.0)
        h5py.h5ds.attach_scale(file["x"].id, scale, 0)
    done = plain(tmp_path / "in.h5", tmp_path / "x.nc", timeout=20)
    assert done.returncode == 0, done.stderr
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert product["x"].dimensions == ("dim_4",)


def test_scale_of_fixed_virtual_parts_still_names_the_dimension(plain, pipe, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w", libver=LIBVER) as file:
        layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
        layout[:] = h5py.VirtualSource(str(pipe), "x", shape=(4,), dtype="f4")
        scale = file.create_virtual_dataset("time", layout).id
        h5py.h5ds.set_scale(scale, b"time")
        file["x"] = np.arange(4.0)
        h5py.h5ds.attach_scale(file["x"].id, scale, 0)
    done = plain(tmp_path / "in.h5", tmp_path / "x.nc", timeout=20)
    assert done.returncode == 0, done.stderr
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert product["x"].dimensions == ("time",)


@pytest.mark.parametrize("how", ["external", "virtual"])
def test_struct_metadata_of_another_file_names_no_dimension(plain, tmp_path, how):
    """The text would be published as names of dimensions; what is left out is named."""
    text = struct_metadata().encode().ljust(32000, b"\0")
    (tmp_path / "secret").write_bytes(text)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["text"] = np.bytes_(text)
    with h5py.File(tmp_path / "in.he5", "w", libver=LIBVER) as file:
        name = "HDFEOS INFORMATION/StructMetadata.0"
        if how == "external":
            # HDF5 stores scalars in the file itself; one string of a list of one may lie elsewhere.
            file.create_dataset(name, (1,), "S32000", external=[(str(tmp_path / "secret"), 0, 32000)])
        else:
            layout = h5py.VirtualLayout(shape=(1,), dtype="S32000")
            layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "text", shape=(1,), dtype="S32000")
            file.create_virtual_dataset(name, layout)
        file[FIELD] = np.ones((5, 5), "f4")
    done = plain("--report", tmp_path / "r", tmp_path / "in.he5", tmp_path / "x.nc")
    assert done.returncode == 0, done.stderr
    left_out = {entry["path"]: entry["reason"] for entry in read_report(tmp_path / "r")["left_out"]}
    assert "data lie in other" in left_out[f"/{name}"]
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert product[FIELD].dimensions == ("dim_5", "dim_5_2")


@pytest.mark.parametrize("how", ["external", "virtual"])
def test_values_of_another_file_reach_no_product(plain, tmp_path, how):
    """Of a variable, and of a coordinate."""
    (tmp_path / "secret").write_bytes(np.full(4, 42.0, "f4").tobytes())
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = np.full(4, 42.0, "f4")
    with h5py.File(tmp_path / "in.h5", "w", libver=LIBVER) as file:
        for name in ("latitude", "data"):
            if how == "external":
                file.create_dataset(name, (4,), "f4", external=[(str(tmp_path / "secret"), 0, 16)])
            else:
                layout = h5py.VirtualLayout(shape=(4,), dtype="f4")
                layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", shape=(4,), dtype="f4")
                file.create_virtual_dataset(name, layout)
        file["latitude"].make_scale("latitude")
        file["kept"] = np.arange(4.0)
        file["kept"].dims[0].attach_scale(file["latitude"])
    done = plain("--report", tmp_path / "r", tmp_path / "in.h5", tmp_path / "x.nc")
    assert {entry["path"] for entry in read_report(tmp_path / "r")["left_out"]} == {"/latitude", "/data"}
    assert done.returncode == 0 and b"\x00\x00\x28\x42" not in (tmp_path / "x.nc").read_bytes()
