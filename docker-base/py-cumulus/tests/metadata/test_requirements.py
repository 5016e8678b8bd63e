"""[metadata] required and [collection] spatial: records that lack a part fail, with the remedy."""

import netCDF4
import pytest
from samples import Repository, write_product

NO_TIME = "the record lacks the time: no temporal extent found in "
NO_END = "the record lacks the time: a begin, but no end of the temporal extent in "
NO_PLACE = "the record lacks the place: no spatial extent found in "
REQUIRED = '\n[metadata]\ntime = ["product", "fixed"]\nplace = ["product"]\nrequired = '


def strip(path, *names):
    """Take from variables of a granule what makes them coordinates."""
    with netCDF4.Dataset(path, "a") as dataset:
        for name in names:
            dataset.renameVariable(name, f"x{len(name)}")
            for attribute in dataset[f"x{len(name)}"].ncattrs():
                if attribute != "_FillValue":
                    dataset[f"x{len(name)}"].delncattr(attribute)


@pytest.fixture
def repository(tmp_path):
    """A repository whose only granule has the named variables stripped."""

    def repository(lines, *names, collection=""):
        made = Repository(tmp_path)
        text = (made.home / "collection.toml").read_text()
        text = text.replace("[collection]", f"[collection]{collection}")
        made.write("collection.toml", text + lines)
        strip(write_product(made.input / "CPL_A.hdf5"), *names)
        return made

    return repository


def line_of(repository, text):
    lines = (repository.home / "collection.toml").read_text().splitlines()
    (number,) = (n for n, line in enumerate(lines, 1) if line.startswith(text))
    return number


@pytest.mark.parametrize(
    ("required", "stripped", "reason"),
    [
        ('["time", "place"]', "time", NO_TIME),
        ('["time"]', "time", NO_TIME),
        ('["time", "place"]', "lat", NO_PLACE),
        ('["place"]', "lat", NO_PLACE),
    ],
)
def test_granule_that_lacks_a_required_part_fails_with_the_lines_that_mend_it(
    repository, required, stripped, reason
):
    """The reason, the line of the sources and the line that waives it; nothing is delivered."""
    made = repository(REQUIRED + required, stripped)
    assert made.run().returncode == 2
    (entry,) = [line for line in made.reports() if line.get("granule")]
    part = "time" if stripped == "time" else "place"
    mends, waives = line_of(made, f"{part} ="), line_of(made, "required")
    assert entry["error"].startswith(reason)
    assert f"[metadata] {part} (collection.toml, line {mends})" in entry["error"]
    assert f"[metadata] required (collection.toml, line {waives})" in entry["error"]
    assert "units in the table" not in entry["error"]  # there is no converter
    assert made.products() == []
    assert not (made.output / ".cumulus" / "failed").exists()


def test_remedy_of_missing_units_is_the_table_of_the_converter(repository):
    made = repository(f'{REQUIRED}["time"]', "time")
    (made.home / "convert").mkdir()
    (made.home / "convert" / "x2nc.c").touch()
    assert made.run().returncode == 2
    (entry,) = [line for line in made.reports() if line.get("granule")]
    assert "; give its variable units in the table of convert/x2nc.c, name" in entry["error"]


def test_begin_without_an_end_is_no_time(repository):
    made = repository(f'{REQUIRED}["time"]\n[metadata.fixed]\nbegin = 2012-09-06', "time")
    assert made.run().returncode == 2
    (entry,) = [line for line in made.reports() if line.get("granule")]
    assert entry["error"].startswith(NO_END)


@pytest.mark.parametrize(
    ("lines", "stripped", "collection"),
    [
        (f'{REQUIRED}["time", "place"]', (), '\nspatial = "geodetic"'),
        (f'{REQUIRED}["place"]', ("time",), ""),
        (f'{REQUIRED}["time"]', ("lat",), '\nspatial = "none"'),
        (f"{REQUIRED}[]", ("time", "lat"), ""),
        ("", ("time", "lat"), ""),  # a repository without the key
    ],
)
def test_granule_with_all_that_is_required_is_delivered(repository, lines, stripped, collection):
    made = repository(lines, *stripped, collection=collection)
    assert made.run().returncode == 0
    assert made.products() == ["CPL_A.cmr.json", "CPL_A.nc", "CPL_A.nc.meta.xml"]


@pytest.mark.parametrize("spatial", ["geodetic", "cartesian"])
def test_granule_without_the_geometry_of_its_collection_fails(repository, spatial):
    """CMR would refuse its record."""
    made = repository("", "lat", collection=f'\nspatial = "{spatial}"')
    assert made.run().returncode == 2
    (entry,) = [line for line in made.reports() if line.get("granule")]
    assert entry["error"].startswith(NO_PLACE)
    waives = line_of(made, "spatial")
    assert f'set "none" in [collection] spatial (collection.toml, line {waives})' in entry["error"]


def test_product_is_kept_where_the_run_is_for_looking_at_it(repository):
    """The option that service test and make native give; the next run clears the folder."""
    made = repository(f'{REQUIRED}["time"]', "time")
    assert made.run("--keep-failed", made.input, made.output).returncode == 2
    kept = made.output / ".cumulus" / "failed"
    names = sorted(path.name for path in kept.iterdir())
    assert names == ["CPL_A.cmr.json", "CPL_A.nc", "CPL_A.nc.meta.xml"]
    with netCDF4.Dataset(kept / "CPL_A.nc") as product:
        assert "lat" in product.variables
    assert made.products() == []
    (entry,) = [line for line in made.reports() if line.get("granule")]
    assert "the product is kept for looking at: " in entry["error"]
    assert entry["error"].endswith(".cumulus/failed/CPL_A.nc")
    made.configure('required = ["time"]', "required = []")
    assert made.run().returncode == 0
    assert not kept.exists()
