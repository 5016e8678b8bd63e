"""Files of other formats are called what they are; what HDF5 is too old to read is left out by name."""

import ctypes
from pathlib import Path

import h5py
import netCDF4
import numpy as np
import pytest

STARTS = {
    "an HDF4 file": b"\x0e\x03\x13\x01" + bytes(20), "a GRIB file": b"GRIB\0\0\0\2", "a BUFR file": b"BUFR\0\0\0\4",
    "a PNG image": b"\x89PNG\r\n\x1a\n\0", "a gzip archive": b"\x1f\x8b\x08\0", "a zip archive": b"PK\x03\x04\0",
    "a bzip2 archive": b"BZh91AY\0", "an xz archive": b"\xfd7zXZ\0\0", "a Zstandard archive": b"\x28\xb5\x2f\xfd\0",
    "a tar archive": bytes(257) + b"ustar\0", "a TIFF image": b"II*\0\1", "a PDF document": b"%PDF-1.4\n\0",
    "an ICARTT file": b"38, 1001\r\nToohey, Darin\r\n", "a NASA Ames file": b"20 1001\nSmith\n",
    "a sounding in EOL's CLASS format": b"Data Type:   GTS\n", "a raw AVAPS dropsonde file": b"AVAPS-T04 STA\n",
    "text in columns (CSV)": b"time,lat,lon\n1,2,3\n", "an XML or HTML file": b"<?xml version='1.0'?>\n",
    "a text file": b"1001 words\n"}


@pytest.mark.parametrize("name", STARTS)
def test_other_format_is_called_by_its_name_with_the_remedy(plain, tmp_path, name):
    (tmp_path / "x.dat").write_bytes(STARTS[name])
    done = plain(tmp_path / "x.dat", tmp_path / "x.nc")
    assert done.returncode == 3 and not (tmp_path / "x.nc").exists()
    assert f"it is {name}: " in done.stderr
    assert "reads HDF5 and NetCDF alone" in done.stderr and "granule.copy() delivers it as it is" in done.stderr


def test_unknown_bytes_are_given_no_name(plain, tmp_path):
    (tmp_path / "x.dat").write_bytes(bytes(range(256)))
    assert "it is neither an HDF5 nor a NetCDF file" in plain(tmp_path / "x.dat", tmp_path / "x.nc").stderr


FOLDERS = {"hdf4": "an HDF4 file", "hdfeos2": "an HDF4 file", "icartt": "an ICARTT file",
           "csv": "text in columns (CSV)", "cls": "a sounding in EOL's CLASS format"}


@pytest.mark.parametrize("folder", FOLDERS)
def test_real_files_are_called_by_their_names(plain, shared, tmp_path, folder):
    paths = sorted((shared / "formats" / folder).iterdir())
    assert paths
    for path in paths:
        assert f"it is {FOLDERS[folder]}: " in plain(path, tmp_path / "x.nc").stderr


def new_reference():
    """The type of references of HDF5 1.12, which h5py's own library makes."""
    (library, *_) = Path(h5py.__path__[0]).parent.glob("h5py.libs/libhdf5-*.so*")
    return h5py.h5t.TypeID(ctypes.c_int64.in_dll(ctypes.CDLL(str(library)), "H5T_STD_REF_g").value)


def test_attribute_of_a_newer_reference_loses_no_granule(plain, tmp_path):
    """HDF5 1.14 loses the attribute, 1.10 those of its object; both by name."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["x"], file["y"] = np.arange(3), np.arange(2)
        h5py.h5a.create(file["x"].id, b"link", new_reference(), h5py.h5s.create(h5py.h5s.SCALAR))
        file["y"].attrs["units"] = "K"
    done = plain(tmp_path / "in.h5", tmp_path / "x.nc")
    assert done.returncode == 0
    assert done.stderr.startswith(("_convert: left out '/x': its attributes and the names of its dimensions: ",
                                   "_convert: left out '/x:link': reference: not supported"))
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert product["x"][:].tolist() == [0, 1, 2] and product["y"].units == "K"


def test_dataset_of_a_newer_reference_loses_no_granule(plain, tmp_path):
    with h5py.File(tmp_path / "in.h5", "w") as file:
        h5py.h5d.create(file.id, b"link", new_reference(), h5py.h5s.create_simple((2,)))
        file["x"] = np.arange(3)
    done = plain(tmp_path / "in.h5", tmp_path / "x.nc")
    assert done.returncode == 0, done.stderr
    assert done.stderr.startswith(("_convert: left out '/link': HDF5 1.", "_convert: left out '/link': reference: "))
