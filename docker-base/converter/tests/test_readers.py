"""Products open in the tools that their users have, with the values in them."""

import subprocess

import netCDF4
import numpy as np
import pytest
from programs import need

COMMANDS = {
    "ncdump": ["ncdump", "{product}"],
    "nccopy": ["nccopy", "{product}", "{folder}/copy.nc"],
    "ncatted": ["ncatted", "-h", "-a", "Conventions,global,c,c,CF-1.6", "{product}", "{folder}/copy.nc"],
    "ncks": ["ncks", "-h", "{product}", "{folder}/copy.nc"],
    "h5dump": ["h5dump", "-H", "{product}"],
}


@pytest.fixture
def product(starter, sample, tmp_path):
    path = tmp_path / "product.nc"
    assert starter(sample[0][0], path).returncode == 0
    return path


@pytest.mark.parametrize("tool", COMMANDS)
def test_command_reads_and_copies_the_product(product, tmp_path, tool):
    """A copy holds the same values."""
    need(tool)
    command = [word.format(product=product, folder=tmp_path) for word in COMMANDS[tool]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    if (tmp_path / "copy.nc").exists():
        with netCDF4.Dataset(product) as before, netCDF4.Dataset(tmp_path / "copy.nc") as after:
            assert before.variables.keys() == after.variables.keys()
            assert all(np.ma.allequal(before[name][...], after[name][...]) for name in before.variables
                       if before[name].dtype is not str)


@pytest.mark.parametrize("engine", ["netcdf4", "h5netcdf"])
def test_xarray_decodes_the_product(product, engine):
    """Coordinates, time and missing values are understood."""
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("h5netcdf" if engine == "h5netcdf" else "netCDF4")
    with xarray.open_dataset(product, engine=engine) as granule:
        assert dict(granule.sizes) == {"time": 40, "altitude": 60, "layer": 10, "channel": 4, "wavelength": 3}
        assert str(granule.time.values[0]).startswith("2012-09-06T12:00:00")
        assert {"latitude", "longitude"} <= set(granule["ATB_532"].coords)
        assert int(granule["ATB_532"].isnull().sum()) == 40 * 6
