"""The starter sample: the converter's products equal those that scripts/make-sample.py computed without it."""

import subprocess
import sys

import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.products import differences
from support import ROOT

CHANGES = {
    "a name": ('"/ATB_532", ""', '"/ATB_532", "ATB"'),
    "a unit": ('"degrees_north"', '"degrees_east"'),
    "a dimension": ('"layer time", "1", "", "type', '"kind time", "1", "", "type'),
    "a standard name": ('"air_pressure"', '"air_temperature"'),
    "a dropped dataset": ('"/RH", ""', '"/RH", DROP'),
    "an attribute": ('"positive", "up"', '"positive", "down"'),
    "a global attribute": ('"title", "STARTER', '"title", "MY'),
}


def convert_sample(converter, sample, folder):
    for number, (granule, expected) in enumerate(sample):
        product = folder / f"{number}.nc"
        done = converter(granule, product)
        assert done.returncode == 0, done.stderr
        yield expected, product, done


def test_products_equal_the_expected_ones(starter, sample, tmp_path):
    """In dimensions, types, byte order, chunks, filters, values and attributes; nothing is reported as left out."""
    for expected, product, done in convert_sample(starter, sample, tmp_path):
        assert differences(expected, product) == []
        assert done.stderr == ""


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_line_of_the_table_shows_in_the_product(build, starter_table, sample, tmp_path, change):
    """The sample protects the scientist's table: each kind of change makes a difference."""
    old, new = CHANGES[change]
    assert old in starter_table
    converter = build(starter_table.replace(old, new))
    assert any(differences(expected, product) for expected, product, _ in convert_sample(converter, sample, tmp_path))


def test_sample_is_what_its_program_writes(sample, tmp_path):
    """The committed files hold what scripts/make-sample.py computes, and it computes the same bytes each time."""
    for run in ("first", "second"):
        subprocess.run([sys.executable, ROOT / "scripts" / "make-sample.py", tmp_path / run], check=True, timeout=120,
                       capture_output=True)
    for granule, expected in sample:
        for path in (granule, expected):
            relative = path.relative_to(path.parents[1])
            assert (tmp_path / "first" / relative).read_bytes() == (tmp_path / "second" / relative).read_bytes()
        assert differences(expected, tmp_path / "first" / expected.relative_to(expected.parents[1])) == []
        with h5py.File(granule) as one, h5py.File(tmp_path / "first" / granule.relative_to(granule.parents[1])) as two:
            assert sorted(one) == sorted(two)
            assert all(np.array_equal(one[name][()], two[name][()]) for name in one)


def test_history_names_tool_version_and_input_and_is_reproducible(starter, sample, tmp_path):
    """SOURCE_DATE_EPOCH fixes the time, and then two runs give the same bytes."""
    granule = sample[0][0]
    for name in ("a.nc", "b.nc"):
        assert starter(granule, tmp_path / name, env={"SOURCE_DATE_EPOCH": "0"}).returncode == 0
    with netCDF4.Dataset(tmp_path / "a.nc") as product:
        assert product.history == f"1970-01-01T00:00:00Z: _convert 1.0.0, from {granule.name}"
        assert product.Conventions == "CF-1.8"
    assert (tmp_path / "a.nc").read_bytes() == (tmp_path / "b.nc").read_bytes()


def test_history_names_the_revision_of_the_image(starter, sample, tmp_path):
    """The image sets IMAGE_REVISION to the commit that it was built from."""
    starter(sample[0][0], tmp_path / "a.nc", env={"IMAGE_REVISION": "0a1b2c"})
    with netCDF4.Dataset(tmp_path / "a.nc") as product:
        assert product.history.endswith(f"from {sample[0][0].name}, image 0a1b2c")
