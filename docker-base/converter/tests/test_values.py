"""Values that differ from file to file: names in the table's texts, filled for each conversion."""

import json
import shutil
import subprocess
import sys

import cftime
import h5py
import netCDF4
import numpy as np
import pytest
from converter.tests.oracle import read_report
from converter.tests.test_features import table

DAYS = table('{"/day", "time", "time", "days since {reference} 00:00:00", "time", "time of flight {flight}"}, '
             '{"/other", "", "", "{unknown}"}',
             '{"/", "title", "Flight {flight}, {{year}} and {{ and {1} and }}"}, {"/day", "valid_min", "{first}"}')
VALUES = ("--set", "reference=2011-12-31", "--set", "flight=12203a", "--set", "first=1")
REMEDY = ("name a group of [granule] id in collection.toml so, pass granule.convert({0}=...) in process.py, or --set "
          "{0}=VALUE")


def write_days(path, *days):
    with h5py.File(path, "w") as file:
        file["day"] = np.array(days)
    return path


def batch(converter, *records):
    """The answers of --batch; a record is (input, output, value, ...)."""
    fields = b"".join(b"".join(f"{one}\0".encode() for one in
                               [*(["", *values, ""] if values else []), source, product])
                      for source, product, *values in records)
    done = subprocess.run([converter.program, "--batch"], input=fields, capture_output=True, timeout=60, check=False)
    return [json.loads(line) for line in done.stdout.splitlines()], done


def test_names_in_every_text_are_filled(build, tmp_path):
    """Units, long name, attribute, and a number; {{ is a brace, and other braces stand for themselves."""
    granule = write_days(tmp_path / "in.h5", 250.5)
    done = build(DAYS)(*VALUES, granule, tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (0, "")
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        time = product["time"]
        assert (time.units, time.long_name, time.valid_min) == ("days since 2011-12-31 00:00:00",
                                                                "time of flight 12203a", 1.0)
        assert product.title == "Flight 12203a, {year} and { and {1} and }}"


def test_names_in_paths_names_and_dimensions_are_filled(build, tmp_path):
    """And in the names of attributes."""
    with h5py.File(tmp_path / "in.h5", "w") as file:
        file["f7/x"] = np.arange(3)
    converter = build(table('{"/f{n}/*", "/x_{n}", "time_{n}"}', '{"/f{n}/x", "note_{n}", "7"}'))
    done = converter("--set", "n=7", tmp_path / "in.h5", tmp_path / "out.nc")
    assert done.returncode == 0, done.stderr
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["x_7"].dimensions == ("time_7",) and product["x_7"].note_7 == "7"


def test_name_that_nothing_fills_is_refused_with_its_row(build, tmp_path):
    """Nothing is written, and the report has row and name; a row for another kind of granule does not count."""
    granule = write_days(tmp_path / "in.h5", 250.5)
    converter = build(DAYS)
    done = converter("--report", tmp_path / "report", *VALUES[2:], granule, tmp_path / "out.nc")
    assert (done.returncode, done.stderr) == (
        2, f"_convert: cannot use the row of '/day': nothing fills its {{reference}}: {REMEDY.format('reference')}\n")
    assert read_report(tmp_path / "report")["unfilled"] == [{"path": "/day", "name": "reference"}]
    assert not (tmp_path / "out.nc").exists()
    converter("--report", tmp_path / "report", *VALUES, granule, tmp_path / "out.nc")
    assert read_report(tmp_path / "report")["unfilled"] == []


def test_list_shows_a_name_that_nothing_fills(build, tmp_path):
    """It writes nothing: the row is shown as it is."""
    done = build(DAYS)("--list", "--set", "first=1", write_days(tmp_path / "in.h5", 250.5))
    assert done.returncode == 0
    assert "days since {reference} 00:00:00" in done.stdout


@pytest.mark.parametrize("value", ["year", "=2012", "2nd=x", "a b=x", "year="])
def test_set_without_name_or_value_is_wrong_usage(plain, tmp_path, value):
    """An empty value would leave a gap in a text."""
    done = plain("--set", value, write_days(tmp_path / "in.h5", 1.0), tmp_path / "out.nc")
    assert done.returncode == 2
    assert done.stderr.startswith(f"_convert: --set needs NAME=VALUE, a name as in C and a value: {value}\n")


def test_batch_reads_the_values_of_each_pair(build, tmp_path):
    """A pair without values has those of the command line alone, none of the pair before it."""
    granule = write_days(tmp_path / "in.h5", 250.5)
    common = VALUES[3::2]
    records = [(granule, tmp_path / f"{year}.nc", *common, f"reference={year}-12-31") for year in (2011, 2013)]
    answers, done = batch(build(DAYS), records[0], (granule, tmp_path / "none.nc"), records[1])
    assert [answer["status"] for answer in answers] == [0, 2, 0] and done.returncode == 0
    assert [entry["name"] for entry in answers[1]["unfilled"]] == ["reference", "flight", "first"]
    for year in (2011, 2013):
        with netCDF4.Dataset(tmp_path / f"{year}.nc") as product:
            assert product["time"].units == f"days since {year}-12-31 00:00:00"


def test_bad_value_in_a_batch_fails_its_pair_alone(build, tmp_path):
    granule = write_days(tmp_path / "in.h5", 250.5)
    answers, _ = batch(build(DAYS), (granule, tmp_path / "a.nc", "no value"), (granule, tmp_path / "b.nc"))
    assert [answer["status"] for answer in answers] == [2, 2]
    assert answers[0]["message"] == "cannot use the value 'no value': it has to be NAME=VALUE"


@pytest.mark.parametrize("fields", [b"\0", b"\0a=1\0", b"\0a=1\0\0", b"\0a=1\0\0in\0", b"\0a=1\0\0in\0out"])
def test_batch_that_ends_within_values_is_wrong_usage(plain, fields):
    done = subprocess.run([plain.program, "--batch"], input=fields, capture_output=True, timeout=60, check=False)
    assert done.returncode == 2 and done.stdout == b""
    assert done.stderr == b"_convert: standard input ends within a pair of names\n"


def test_value_that_is_not_utf8_is_read_as_latin1_by_name(build, tmp_path):
    granule = write_days(tmp_path / "in.h5", 250.5)
    done = build(DAYS)(*VALUES, "--set", b"flight=\xe9".decode("utf-8", "surrogateescape"), granule,
                       tmp_path / "out.nc")
    assert done.returncode == 0 and "is not UTF-8: it is read as Latin-1" in done.stderr
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert product["time"].long_name == "time of flight \u00e9"


def test_printed_table_keeps_braces(build, plain, tmp_path):
    """What looks like a name in a file's own texts is none."""
    texts = ["{count}", "{{year}}", "{a}}", "{a{b}}", "m^{-2}", "{", "}}"]
    with h5py.File(tmp_path / "in.h5", "w") as file:
        for number, text in enumerate(texts):
            file[f"{{x{number}}}"] = 1
            file[f"{{x{number}}}"].attrs["units"] = text
    rows = subprocess.run([plain.program, "--table", tmp_path / "in.h5"], capture_output=True, check=True, text=True)
    assert "{{" not in rows.stdout
    converter = build(table(rows.stdout.partition("*/\n")[2].rpartition("};")[0]))
    done = converter(tmp_path / "in.h5", tmp_path / "out.nc")
    assert done.returncode == 0, done.stderr
    with netCDF4.Dataset(tmp_path / "out.nc") as product:
        assert [variable.units for variable in product.variables.values()] == texts


# ---- With the handler ----

HANDLER = """
import sys
from pathlib import Path
from cumulus.process import main, process_granules


def process_granule(granule):
    {}
    granule.check()


def process(indir, outdir):
    return process_granules(process_granule, indir, outdir, home=Path(__file__).parent)


if __name__ == "__main__":
    sys.exit(main(process))
"""
COLLECTION = r"""
[collection]
short_name = "lidar"
version = "1"
[granule]
id = '{}'
[inputs]
primary = "*.h5"
[products]
data = "{{id}}.nc"
"""
OF_THE_YEAR = """year = granule.groups["year"]
    granule.convert(reference=year and f"{int(year) - 1}-12-31")"""


@pytest.fixture
def run(build, tmp_path):
    """Run a handler with this table, id pattern and call on the inputs that `write` made in tmp_path / "input"."""
    (tmp_path / "input").mkdir()
    (tmp_path / "output").mkdir()

    def run(source, pattern, call="granule.convert()"):
        home = tmp_path / "home"
        home.mkdir(exist_ok=True)
        (home / "process.py").write_text(HANDLER.format(call))
        (home / "collection.toml").write_text(COLLECTION.format(pattern))
        shutil.copy2(build(source).program, home / "_convert")
        return subprocess.run([sys.executable, home / "process.py", tmp_path / "input", tmp_path / "output"],
                              text=True, capture_output=True, timeout=120, check=False)
    return run


def times(path):
    with netCDF4.Dataset(path) as product:
        time = product["time"]
        return [str(moment) for moment in cftime.num2date(time[:], time.units)]


CPL = table('{"/Dec_JDay", "time", "time", "days since {reference} 00:00:00", "time"}')
CPL_ID = r"^(?P<id>HS3_CPL_.*_(?P<year>\d{4})\d{4})\.h5$"


def test_days_of_the_year_are_right_in_every_year(run, tmp_path):
    """HS3 flew from 2012, a leap year, until 2014; process.py derives the day before the flight's year."""
    for day in ("20120906", "20140906"):
        with h5py.File(tmp_path / "input" / f"HS3_CPL_ATB_{day}.h5", "w") as file:
            file["Dec_JDay"] = np.array([250.5 if day < "2013" else 249.5])
    done = run(CPL, CPL_ID, OF_THE_YEAR)
    assert done.returncode == 0, done.stdout
    for day in ("2012-09-06", "2014-09-06"):
        product = tmp_path / "output" / f"HS3_CPL_ATB_{day.replace('-', '')}.nc"
        assert times(product) == [f"{day} 12:00:00"]


def test_seconds_of_the_day_are_right_on_every_day(run, tmp_path):
    """The groups of the file name fill the names; none is passed in process.py."""
    for day in ("20190131", "20190201"):
        with h5py.File(tmp_path / "input" / f"lidar_{day}.h5", "w") as file:
            file["UTC"] = np.array([0.0, 86399.0])
    source = table('{"/UTC", "time", "time", "seconds since {year}-{month}-{day} 00:00:00", "time"}')
    done = run(source, r"^(?P<id>lidar_(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d))\.h5$")
    assert done.returncode == 0, done.stdout
    for day in ("2019-01-31", "2019-02-01"):
        product = tmp_path / "output" / f"lidar_{day.replace('-', '')}.nc"
        assert times(product) == [f"{day} 00:00:00", f"{day} 23:59:59"]


def test_granule_whose_value_is_missing_fails_alone_by_row_and_name(run, tmp_path):
    """A group that takes no part fills nothing."""
    for name in ("HS3_CPL_ATB_20120906", "HS3_CPL_ATB_unknown"):
        with h5py.File(tmp_path / "input" / f"{name}.h5", "w") as file:
            file["Dec_JDay"] = np.array([250.5])
    done = run(CPL, CPL_ID.replace(r"_(?P<year>\d{4})\d{4}", r"_(?:(?P<year>\d{4})\d{4}|unknown)"), OF_THE_YEAR)
    assert done.returncode == 3
    assert "cannot use the row of '/Dec_JDay': nothing fills its {reference}" in done.stdout
    assert [path.name for path in (tmp_path / "output").glob("*.nc")] == ["HS3_CPL_ATB_20120906.nc"]


def test_changed_value_makes_the_granule_anew(run, tmp_path):
    """It is part of process.py, or of the file's name: the completion record has both."""
    with h5py.File(tmp_path / "input" / "HS3_CPL_ATB_20120906.h5", "w") as file:
        file["Dec_JDay"] = np.array([250.5])
    product = tmp_path / "output" / "HS3_CPL_ATB_20120906.nc"
    for year in (2011, 2012):
        assert run(CPL, CPL_ID, f'granule.convert(reference="{year}-12-31")').returncode == 0
        assert times(product)[0].startswith(str(year + 1))
