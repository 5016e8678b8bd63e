"""Rules that match nothing are named, and change no verdict."""

import json

import netCDF4
import pytest

from cumulus.collection import CompareRules, Tolerance
from cumulus.compare import compare, report
from cumulus.compare.html import write_html


@pytest.fixture
def folders(tmp_path):
    """Write the same NetCDF file, with a group, and the same table, twice."""
    both = tmp_path / "expected", tmp_path / "actual"
    for folder in both:
        folder.mkdir()
        with netCDF4.Dataset(folder / "x.nc", "w") as dataset:
            dataset.createDimension("time", 2)
            dataset.createVariable("ATB_532", "f4", ("time",))[:] = 1
            dataset.createGroup("geo").createVariable("q", "f4", ("time",))[:] = 2
        (folder / "t.csv").write_text("station,Depol (1)\n1,2\n2,3\n")
    return both


def unused(folders, **rules):
    return compare(*folders, CompareRules(**rules)).unused_rules


@pytest.mark.parametrize("name", ["ATB_532", "geo/q", "Depol (1)"])
def test_rule_of_a_variable_group_or_column_that_is_there_is_not_named(folders, name):
    rules = {"variables": {name: Tolerance(1.0)}, "ignore_variables": (name, "*")}
    assert unused(folders, **rules) == ()


def test_misspelt_variable_is_named_with_what_was_meant(folders):
    (sentence,) = unused(folders, variables={"ATB_523": Tolerance(1.0)})
    told = "[compare.variables.ATB_523] matches no variable or column: did you mean 'ATB_532'?"
    assert sentence == told


def test_name_that_needs_quotes_in_toml_has_them(folders):
    (sentence,) = unused(folders, variables={"geo/Q": Tolerance(1.0)})
    assert sentence.startswith('[compare.variables."geo/Q"] matches no')


def test_pattern_that_matches_nothing_is_named(folders):
    (sentence,) = unused(folders, ignore_variables=("ATB_*", "scratch/*"))
    assert sentence == "[compare] ignore_variables: 'scratch/*' matches no variable or column"


def test_pattern_of_files_that_matches_nothing_is_named(folders):
    """A pattern may match a file that only one side has."""
    (folders[1] / "run.log").write_text("x")
    assert unused(folders, ignore_files=("*.log",)) == ()
    (sentence,) = unused(folders, ignore_files=("runn.log",))
    assert sentence == "[compare] ignore_files: 'runn.log' matches no file: did you mean 'run.log'?"


def test_all_reports_say_it_and_the_verdict_stays(folders, tmp_path):
    comparison = compare(*folders, CompareRules(ignore_variables=("scratch/*",)))
    (told,) = comparison.unused_rules
    assert comparison.exit_status == 0
    assert f"note: {told}" in report(comparison).splitlines()
    assert json.loads(json.dumps(comparison.as_json()))["unused_rules"] == [told]
    write_html(comparison, tmp_path / "report.html")
    assert "scratch/*" in (tmp_path / "report.html").read_text()


def test_product_that_is_missing_is_looked_at_all_the_same(folders):
    (folders[1] / "x.nc").unlink()
    assert unused(folders, variables={"ATB_532": Tolerance(1.0)}) == ()


def test_damaged_product_is_left_to_the_comparison(folders):
    """A product whose names cannot be read makes no rule unused."""
    (folders[0] / "broken.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    (folders[1] / "broken.nc").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    comparison = compare(*folders, CompareRules(variables={"ATB_532": Tolerance(1.0)}))
    assert (comparison.unused_rules, comparison.verdict) == ((), "failed")


def test_rules_of_other_products_are_not_unused_where_two_files_are_compared(folders):
    comparison = compare(
        *(folder / "t.csv" for folder in folders), CompareRules(ignore_variables=("q",))
    )
    assert comparison.unused_rules == ()
