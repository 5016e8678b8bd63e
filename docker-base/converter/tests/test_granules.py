"""The real granules: every dataset's values, types, fill values and attributes come out as they went in."""

import netCDF4
import numpy as np
import pytest
from converter.tests.oracle import judge, read_report

GRANULES = {  # datasets with pure dimensions, values, attributes
    "IMPACTS_CRS_L1B_RevB_20200201_subset.h5": (5, 3 * 62815, 0),
    "ISS_LIS_BG_V3.0_20170702_000346_FIN.nc": (42, 188915, 118),
}


@pytest.mark.parametrize("name", GRANULES)
def test_every_value_of_a_real_granule_is_kept(plain, shared, tmp_path, name):
    """Counted, so that a comparison of nothing cannot pass."""
    done = plain("--report", tmp_path / "report", shared / "granules" / name, tmp_path / "x.nc")
    assert (done.returncode, done.stderr) == (0, "")
    verdict = judge(shared / "granules" / name, tmp_path / "x.nc", read_report(tmp_path / "report"))
    assert verdict.wrong == []
    assert (verdict.equal, verdict.values, verdict.attributes) == GRANULES[name]


def test_zero_length_and_unlimited_dimensions_are_kept(plain, shared, tmp_path):
    plain(shared / "granules" / "ISS_LIS_BG_V3.0_20170702_000346_FIN.nc", tmp_path / "x.nc")
    with netCDF4.Dataset(tmp_path / "x.nc") as product:
        assert product.dimensions["tdim"].isunlimited()
        assert product["bg_data"].shape == (0, 128, 128)
        assert product["bg_info_bg_value"].dimensions == ("bg_info_dim",)


@pytest.mark.parametrize("name", ["granules/IMPACTS_AVAPS_PQC_20220208_142943.nc",
                                  "hdf5/Unidata_netcdf-c__ref_test_365_day_1900.nc",
                                  "hdf5/Unidata_netcdf4-python__CRM032_test1.nc"])
def test_classic_netcdf_is_copied(plain, shared, tmp_path, name):
    """Dimensions, types, values and attributes of a NetCDF-3 file."""
    done = plain(shared / name, tmp_path / "x.nc")
    assert (done.returncode, done.stderr) == (0, "")
    with netCDF4.Dataset(shared / name) as before, netCDF4.Dataset(tmp_path / "x.nc") as after:
        before.set_auto_mask(False)
        after.set_auto_mask(False)
        assert after.data_model == "NETCDF4"
        assert {n: (len(d), d.isunlimited()) for n, d in before.dimensions.items()} == \
               {n: (len(d), d.isunlimited()) for n, d in after.dimensions.items()}
        assert list(before.variables) == list(after.variables)
        for name in before.variables:
            one, other = before[name], after[name]
            assert (one.dimensions, one.dtype) == (other.dimensions, other.dtype)
            assert np.array_equal(one[...], other[...], equal_nan=one.dtype.kind == "f")
            assert one.__dict__.keys() == other.__dict__.keys()
            assert all(np.array_equal(one.__dict__[key], other.__dict__[key]) for key in one.__dict__)
        for key in before.ncattrs():
            if key not in ("history", "Conventions"):
                assert np.array_equal(before.getncattr(key), after.getncattr(key))
