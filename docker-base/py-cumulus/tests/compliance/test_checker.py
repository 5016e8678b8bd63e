"""python -m cumulus check: findings of CF and ACDD by variable, each with its remedy."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import netCDF4
import pytest
from samples import REPOSITORY, SOURCE

from cumulus import CumulusError
from cumulus.compliance import checker
from cumulus.compliance.advice import Sources
from cumulus.compliance.findings import Checked, Finding
from cumulus.compliance.messages import find_attribute, find_subject
from cumulus.compliance.reporting import report, summarize
from cumulus.compliance.scan import scan

TEMPLATE = REPOSITORY / "{{cookiecutter.repo_name}}"
SAMPLE = TEMPLATE / "tests" / "sample" / "output"

needs_checker = pytest.mark.skipif(
    not shutil.which("compliance-checker", path=str(Path(sys.executable).parent)),
    reason="compliance-checker is not installed beside this Python",
)


@pytest.fixture
def home(tmp_path):
    """A repository with the starter's converter."""
    (source,) = (path for path in (TEMPLATE / "convert").iterdir() if "2nc.c" in path.name)
    (tmp_path / "home" / "convert").mkdir(parents=True)
    shutil.copy(source, tmp_path / "home" / "convert" / "hs3cpl2nc.c")
    return tmp_path / "home"


@pytest.fixture
def product(tmp_path):
    path = tmp_path / "product.nc"
    shutil.copy(SAMPLE / "{{cookiecutter.__atb_netcdf}}", path)
    return path


# --- where an attribute is written -----------------------------------------------------------


def line_of(home, row):
    lines = (home / "convert" / "hs3cpl2nc.c").read_bytes().splitlines()
    return next(number for number, line in enumerate(lines, 1) if row.encode() in line)


@pytest.mark.parametrize(
    ("variable", "attribute", "row", "change"),
    [
        ("altitude", "units", '"/Bin_Alt"', "change the units column of the row"),
        ("ATB_532", "standard_name", '"/ATB_532"', "change the standard_name column of the row"),
        ("Layer_OD_532", "units", '"/Layer_OD_*"', "change the units column of the row"),
        ("Hour", "name", '"/Hour"', "change the name column of the row"),
    ],
)
def test_column_of_the_table_is_named_with_its_line(home, variable, attribute, row, change):
    """Also where the row renames the dataset or matches several."""
    advice = Sources(home).advice(variable, attribute)
    line = line_of(home, row)
    assert advice == f"{change} {{{row}, ...}}: convert/hs3cpl2nc.c line {line}"


def test_converter_whose_comments_are_not_utf_8_is_read(home):
    """Old editors write Latin-1."""
    source = home / "convert" / "hs3cpl2nc.c"
    source.write_bytes(b"/* \xb5m */\n" + source.read_bytes())
    line = line_of(home, '"/Bin_Alt"')
    assert Sources(home).advice("altitude", "units").endswith(f"convert/hs3cpl2nc.c line {line}")


@pytest.mark.parametrize(
    ("variable", "attribute", "advice"),
    [
        (None, "title", 'add {"/", "title", "..."} to attributes[]: convert/hs3cpl2nc.c'),
        ("altitude", "positive", 'add {"/Bin_Alt", "positive", "..."} to attributes[]: '
         "convert/hs3cpl2nc.c"),
        ("unknown", "units", "add a row with its units to variables[]: convert/hs3cpl2nc.c"),
        (None, "history", "the converter itself writes history"),
        (None, "Conventions", 'add {"/", "Conventions", "..."} to attributes[]: '
         "convert/hs3cpl2nc.c"),
        ("/geo/sigma", "positive", 'add {"/geo/sigma", "positive", "..."} to attributes[]: '
         "convert/hs3cpl2nc.c"),
        (None, "date_created", 'add {"/", "date_created", "..."} to attributes[]: '
         "convert/hs3cpl2nc.c; comparison ignores it (ignore_attributes in "
         "collection.toml)"),
    ],
)  # fmt: skip
def test_other_attributes_are_rows_of_the_attribute_table(home, variable, attribute, advice):
    """An attribute of a variable has the path in the input, a global one has a slash."""
    assert Sources(home).advice(variable, attribute) == advice


def test_value_that_is_known_is_in_the_line(home):
    """Conventions is a global attribute, also where a variable needs another version."""
    advice = Sources(home).advice("Hour", "Conventions", "CF-1.9")
    assert advice == 'add {"/", "Conventions", "CF-1.9"} to attributes[]: convert/hs3cpl2nc.c'


def test_without_a_converter_the_handler_writes_attributes(tmp_path):
    """A repository with `converter: none` has only process.py."""
    advice = Sources(tmp_path).advice("x", "units")
    assert advice == "set units in process.py, if that makes this product"


# --- the checker -----------------------------------------------------------------------------


def test_missing_checker_is_a_sentence_that_says_what_to_install(product, monkeypatch):
    """The sentence says that images do not have it."""
    monkeypatch.setattr(checker.shutil, "which", lambda *_, **__: None)
    with pytest.raises(CumulusError, match="pip install compliance-checker"):
        checker.check(product)


def test_checker_that_cannot_be_started_is_one_sentence(product, monkeypatch):
    """The sentence has the reason of the system."""
    monkeypatch.setattr(checker, "_program", lambda: "/nowhere/compliance-checker")
    with pytest.raises(CumulusError, match=r"cannot check .*No such file"):
        checker.check(product)


@pytest.mark.parametrize(
    ("conventions", "version"),
    [
        ("CF-1.8", "1.8"),
        ("CF-1.10, ACDD-1.3", "1.10"),
        ("CF-1.12", "1.11"),
        ("CF-1.0", "1.6"),
        ("", "1.8"),
    ],
)
def test_product_is_checked_against_the_version_it_names(conventions, version):
    """If the checker lacks that version, the nearest one counts."""
    assert checker._version(conventions) == version


@needs_checker
@pytest.mark.slow
@pytest.mark.parametrize("name", ["{{cookiecutter.__atb_netcdf}}", "{{cookiecutter.__op_netcdf}}"])
def test_starter_product_has_no_error_and_no_warning(tmp_path, name):
    """A new repository writes CF, so that the first finding is the user's own."""
    checked = checker.check(shutil.copy(SAMPLE / name, tmp_path / "product.nc"))
    assert (checked.suite, checked.counting, checked.not_checked) == ("CF-1.8", [], ())


@needs_checker
@pytest.mark.slow
def test_findings_are_reported_by_variable_with_what_to_write_where(product, home):
    """Errors and warnings of CF make the status 1; requirements of ACDD are advice."""
    with netCDF4.Dataset(product, "a") as dataset:
        dataset.delncattr("title")
        dataset["altitude"].units = "meterz"
        dataset["latitude"].standard_name = "lattitude"
        dataset.renameVariable("Hour", "_Hour")
    done = subprocess.run(
        [sys.executable, "-m", "cumulus", "check", "--home", home, product],
        capture_output=True,
        text=True,
        timeout=300,
        env={"PATH": "/usr/bin", "PYTHONPATH": str(SOURCE)},
    )
    assert done.returncode == 1, done.stderr
    for row, lines in {
        '"/Bin_Alt"': '  altitude\n    error: §3.1 Units: units for altitude, "meterz" are not',
        '"/Latitude"': "  latitude\n    error: §3.3 Standard Name: standard_name lattitude is not",
    }.items():
        assert lines in done.stdout
        assert f"{{{row}, ...}}: convert/hs3cpl2nc.c line {line_of(home, row)}" in done.stdout
    assert "  _Hour\n    warning: §2.3 Naming Conventions: variable _Hour should" in done.stdout
    assert "      add a row with its name to variables[]: convert/hs3cpl2nc.c" in done.stdout
    assert "  (whole product)\n    warning: §2.6.2 global attribute title" in done.stdout
    assert 'add {"/", "title", "..."} to attributes[]: convert/hs3cpl2nc.c' in done.stdout
    assert "advice (mostly ACDD-1.3), which does not change the exit status" in done.stdout


@pytest.mark.parametrize(
    ("message", "attribute"),
    [
        ("range: vertical coordinates not defining pressure must include a positive attribute "
         "that is either 'up' or 'down'", "positive"),
        ("Variable time has a calendar attribute of standard and it is recommended that the "
         "units_metadata attribute is present and has one of the values [...]", "units_metadata"),
        ("The variable flag failed because the datatype is uint8", "Conventions"),
        ("The variable flag failed because the datatype is int64", "Conventions"),
        ("§2.6.2 comment global attribute should be a non-empty string", "comment"),
        ('§2.6.1 Conventions global attribute does not contain "CF-1.8"', "Conventions"),
        ("x's axis attribute must be T, X, Y, or Z, currently t", "axis"),
        ('Time coordinate variable "t" should have a string valued attribute "calendar"',
         "calendar"),
        ("latitude variable 'y' should define standard_name='latitude' or axis='Y'",
         "standard_name"),
        ("§4.3.2: z's formula_terms is a required attribute and must be a non-empty string",
         "formula_terms"),
        ("Variable z should have formula_terms attribute when computed_standard_name attribute is "
         "defined", "formula_terms"),
        ("§4.3.3 The standard_name of `z` must map to the correct computed_standard_name, `[...]`",
         "computed_standard_name"),
        ("ATB has no coordinate associated with a variable identified as true latitude/longitude; "
         "its coordinate variable should also share a subset of ATB's dimensions", "coordinates"),
        ("The coordinate variable 'x' must not have the _FillValue attribute.", ""),
        ('Coordinate variable "source" must be strictly monotonic', ""),
        ("The variable x failed because the datatype is <class 'netCDF4.CompoundType'>", ""),
        ("x:_FillValue (0) should be outside the range specified by valid_range (0, 1)", ""),
    ],
)  # fmt: skip
def test_message_gives_the_attribute_to_set(message, attribute):
    """A message whose remedy is unsure gives none."""
    assert find_attribute("§0 Anything", message) == attribute


def test_empty_standard_name_is_reported_with_its_variable(tmp_path):
    """The checker calls it "undefined" and does not name the variable."""
    with netCDF4.Dataset(tmp_path / "a.nc", "w") as dataset:
        dataset.createVariable("none", "f8")
        dataset.createVariable("empty", "f8").standard_name = ""
    names = scan(tmp_path / "a.nc").names
    message = "standard_name undefined is not defined in Standard Name Table v93."
    assert find_subject(message, names) == "empty"


@pytest.mark.parametrize(
    ("what", "column"), [("variable", "name"), ("dimension", ""), ("global attribute", "")]
)
def test_name_that_cf_does_not_allow_is_changed_in_the_row_of_its_variable(what, column):
    """Several rows name a dimension and none names an attribute, so that they get no row."""
    message = f"{what} 2nd should begin with a letter"
    assert find_attribute("§2.3 Naming Conventions", message) == column


@needs_checker
@pytest.mark.slow
def test_order_of_dimensions_is_advice(product, home):
    """CF only recommends it, and no table of a converter can change it."""
    with netCDF4.Dataset(product, "a") as dataset:
        for name in ("TB", "TB_sigma"):
            dataset.createVariable(name, "f4", ("time", "wavelength")).long_name = "temperature"
            dataset[name].units = "K"
    checked = checker.check(product)
    assert not checked.counting
    text = report(checked, home).replace("\n      ", " ")
    assert (
        "TB, TB_sigma: the dimensions are not in the order T, Z, Y, X that CF recommends" in text
    )


@needs_checker
@pytest.mark.slow
def test_unsigned_data_are_cured_by_the_line_that_the_report_gives(product, home):
    """CF has them since CF-1.9; a finding without a sure remedy has no line."""
    with netCDF4.Dataset(product, "a") as dataset:
        dataset.createVariable("flag", "u1", ("time",)).long_name = "flag"
        dataset["flag"].units = "1"
        dataset["altitude"][1] = dataset["altitude"][0]
    text = report(checker.check(product), home)
    assert 'uint8\n      add {"/", "Conventions", "CF-1.9"} to attributes[]:' in text
    assert '"altitude" must be strictly monotonic\n  ' in text
    with netCDF4.Dataset(product, "a") as dataset:
        dataset.Conventions = "CF-1.9"
    assert {finding.subject for finding in checker.check(product).counting} == {"altitude"}


@needs_checker
@pytest.mark.slow
def test_requirements_of_acdd_count_if_the_product_names_it(product, home):
    """A product keeps the conventions that its attribute Conventions names."""
    with netCDF4.Dataset(product, "a") as dataset:
        dataset.Conventions = "CF-1.8, ACDD-1.3"
    checked = checker.check(product)
    assert checked.claims_acdd
    assert {finding.attribute for finding in checked.counting} >= {"summary", "keywords"}
    assert 'add {"/", "summary", "..."} to attributes[]' in report(checked, home)


@needs_checker
def test_file_that_is_no_netcdf_is_one_sentence(tmp_path):
    """The traceback of the checker is not shown."""
    (tmp_path / "x.nc").write_text("text")
    with pytest.raises(CumulusError, match=r"cannot check '.*x\.nc'"):
        checker.check(tmp_path / "x.nc")


def test_crash_while_a_product_is_read_is_one_sentence(product, monkeypatch):
    """The next products on the command line are still checked."""
    monkeypatch.setattr(checker, "_program", lambda: "/nowhere/compliance-checker")
    monkeypatch.setattr(checker, "scan", lambda *_: os.kill(os.getpid(), signal.SIGKILL))
    with pytest.raises(CumulusError, match=r"cannot check .*: reading it failed \(killed by SIG"):
        checker.check(product)


@needs_checker
@pytest.mark.slow
def test_products_that_are_checked_together_have_their_own_findings(product, tmp_path):
    """In their order, each as if it were checked alone; what cannot be read does not count."""
    for name, units, conventions in (("a", "meterz", "CF-1.8"), ("b", "m", "CF-1.8"),
                                     ("c", "metrez", "CF-1.6")):  # fmt: skip
        shutil.copy(product, tmp_path / f"{name}.nc")
        with netCDF4.Dataset(tmp_path / f"{name}.nc", "a") as dataset:
            dataset["altitude"].units, dataset.Conventions = units, conventions
    (tmp_path / "bad.nc").write_text("no NetCDF")
    paths = [tmp_path / f"{name}.nc" for name in ("a", "bad", "b", "c")]
    first, bad, second, third = checker.check_all(paths)
    assert isinstance(bad, CumulusError)
    for path, checked in zip((paths[0], *paths[2:]), (first, second, third), strict=True):
        assert checked == checker.check(path)
    assert ["meterz" in str(each.findings) for each in (first, second, third)] == [1, 0, 0]
    assert [each.suite for each in (first, second, third)] == ["CF-1.8", "CF-1.8", "CF-1.6"]


def test_product_on_which_checker_fails_does_not_hide_others(product, tmp_path, monkeypatch):
    """A program that fails for one file stands in for the checker."""
    program = tmp_path / "compliance-checker"
    program.write_text(
        f"#!{sys.executable}\n"
        "import json, sys\n"
        "paths = [each for each in sys.argv if each.endswith('.nc')]\n"
        "if any('bad' in each for each in paths):\n"
        "    sys.exit('it cannot')\n"
        "suite = {key: [] for key in ('high_priorities', 'medium_priorities', 'low_priorities')}\n"
        "result = sys.argv[sys.argv.index('--output') + 1]\n"
        "json.dump({path: {'cf:1.8': suite} for path in paths}, open(result, 'w'))\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(checker, "_program", lambda: str(program))
    paths = [shutil.copy(product, tmp_path / name) for name in ("a.nc", "bad.nc", "c.nc")]
    first, bad, last = checker.check_all(paths)
    assert [each.product.name for each in (first, last)] == ["a.nc", "c.nc"]
    assert str(bad) == f"compliance-checker cannot check {str(paths[1])!r}: it cannot"


# --- the summary -----------------------------------------------------------------------------


def result(name, errors=0, warnings=0, not_checked=()):
    severities = ["error"] * errors + ["warning"] * warnings + ["advice"]
    findings = tuple(
        Finding("cf", severity, "x", "", str(number)) for number, severity in enumerate(severities)
    )
    return name, Checked(Path(name), "CF-1.8", False, findings, not_checked), ""


@pytest.mark.parametrize(
    ("results", "line"),
    [
        ([result("out/X.nc", 2, 1)], "CF: 2 errors, 1 warning: cumulus check out/X.nc"),
        ([result("a.nc"), result("b c.nc", 0, 2)], "CF: 2 warnings: cumulus check 'b c.nc'"),
        ([result("a.nc", 1), result("b.nc", 1)], "CF: 2 errors: cumulus check a.nc b.nc"),
        ([result("a.nc"), result("b.nc")], "CF: no error, no warning in 2 products"),
        ([result("a.nc", not_checked=("t",))], "CF: 1 not checked: cumulus check a.nc"),
        ([result("a.nc", 1), ("p", None, "cannot")],
         "CF: 1 error, 1 product not checked: cumulus check a.nc p"),
    ],
    ids=["findings", "name with a space", "two products", "clean", "incomplete", "unreadable"],
)  # fmt: skip
def test_summary_counts_all_products_and_gives_the_command(results, line):
    """The command names the products that do not pass, quoted for a shell."""
    assert summarize(results) == line


@needs_checker
@pytest.mark.slow
def test_summary_is_all_that_the_command_prints(product):
    """Other programs read the line; the status is the one without --summary."""
    with netCDF4.Dataset(product, "a") as dataset:
        dataset["altitude"].units = "meterz"
    done = subprocess.run(
        [sys.executable, "-m", "cumulus", "check", "--summary", product, "absent.nc"],
        capture_output=True,
        text=True,
        timeout=300,
        cwd=product.parent,
        env={"PATH": "/usr/bin", "PYTHONPATH": str(SOURCE)},
    )
    command = f"cumulus check {product} absent.nc"
    assert done.stdout == f"CF: 1 error, 1 product not checked: {command}\n"
    assert (done.returncode, done.stderr) == (2, "")
