"""The programs that tests call, and the Debian packages that have them."""

import os
import shutil

import pytest

# scripts/native-up --tests of the template installs these packages.
PACKAGES = {
    "chromium": "chromium",
    "clang": "clang",
    "gcc": "gcc",
    "git": "git",
    "h5dump": "hdf5-tools",
    "h5repack": "hdf5-tools",
    "make": "make",
    "mmdebstrap": "mmdebstrap",
    "ncatted": "nco",
    "nccopy": "netcdf-bin",
    "ncdump": "netcdf-bin",
    "ncgen": "netcdf-bin",
    "ncks": "nco",
    "openssl": "openssl",
    "pkg-config": "pkg-config",
}


def need(program, *others):
    """Return the path of the program, or of another one that does as well.

    Where none is installed, the test skips; with REQUIRE_NATIVE=1 it fails.
    """
    for name in (program, *others):
        if path := shutil.which(name):
            return path
    reason = f"no program {program}: apt-get install {PACKAGES[program]}"
    if os.environ.get("REQUIRE_NATIVE") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
