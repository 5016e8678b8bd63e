"""The tests of a rendered repository with granules of an owner."""

import os
import re
import shutil
import sys

import netCDF4
import pytest
from support import run

ATB = "HS3_CPL_ATB_12203a_20120906"


@pytest.fixture
def project(default_project, tmp_path):
    """A copy that a test may change, with the expected products as those of a run."""
    project = shutil.copytree(default_project, tmp_path / default_project.name, symlinks=True)
    shutil.copytree(project / "data/output", project / "data/test-output", dirs_exist_ok=True)
    return project


def own_tests(project, only):
    return run(sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests", "-k", only, cwd=project, check=False)


def bring_own_granule(project):
    """A granule of the owner's in place of the starter sample."""
    for folder in ("input", "output", "test-output"):
        for path in (project / "data" / folder).iterdir():
            path.unlink()
    (project / "data/input/HS3_CPL_OWN_1.hdf5").write_bytes(b"mine")


def test_own_granules_do_not_become_products_of_the_starter_sample(project):
    """The tests name each attribute of the starter sample with its line in the table."""
    assert own_tests(project, "starter_sample").returncode == 0
    bring_own_granule(project)
    table = project / "convert" / "hs3cpl2nc.c"
    done = own_tests(project, "starter_sample")
    assert done.returncode == 1 and "HS3_CPL_OWN_1.hdf5 is a granule of yours" in done.stdout
    for name in ("title", "institution", "source", "references"):
        lines = enumerate(table.read_text().splitlines(), 1)
        ((number, line),) = [(number, line) for number, line in lines if f'"/", "{name}"' in line]
        assert f"hs3cpl2nc.c line {number}: {line.strip()}" in done.stdout
    table.write_text(table.read_text().replace("STARTER SAMPLE: ", ""))
    assert own_tests(project, "starter_sample").returncode == 0


def test_own_granules_need_products_accepted_and_not_the_starter_sample(project):
    for path in (project / "data/output").iterdir():
        path.unlink()
    assert "data/output is empty: bin/fetch-data" in own_tests(project, "there_are_products").stdout
    bring_own_granule(project)
    done = own_tests(project, "there_are_products")
    assert "data/output is empty: bin/accept-products" in done.stdout
    assert "bin/fetch-data --manifest" not in done.stdout, "a manifest without products"


def test_empty_folder_of_expected_products_is_one_failure(project):
    """One failure says what to do, without an error for each product."""
    for path in (project / "data/output").iterdir():
        path.unlink()
    done = own_tests(project, "expected or difference or there_are")
    assert "1 failed" in done.stdout and "error" not in done.stdout.splitlines()[-1] and "ERROR" not in done.stdout


def test_file_that_the_manifest_knows_is_fetched_and_not_accepted_as_gone(project):
    (project / f"data/output/{ATB}.nc").unlink()
    compare = [sys.executable, "-m", "cumulus", "compare"]
    done = run(*compare, "data/output", "data/test-output", cwd=project, check=False)
    hint = f"data/output/{ATB}.nc: recorded in data/MANIFEST.sha256 and not here: bin/fetch-data"
    assert hint in done.stdout
    assert "bin/fetch-data brings what is not here" in own_tests(project, "there_are_products").stdout
    shutil.copytree(project / "data/output", project / "elsewhere")
    done = run(*compare, "elsewhere", "data/test-output", cwd=project, check=False)
    assert done.returncode == 1 and "accept-products" not in done.stdout
    (project / "data/output").rename(project / "on-another-disk")
    (project / "data/output").symlink_to(project / "on-another-disk")
    assert hint in run(*compare, "data/output", "data/test-output", cwd=project, check=False).stdout


def test_what_cf_finds_in_a_granule_that_is_delivered_as_it_came_is_a_warning(project):
    """CF errors of an unchanged granule warn, since its owner cannot correct them; in a converted product they fail."""
    bring_own_granule(project)
    product = project / "data/test-output" / f"{ATB}.nc"
    with netCDF4.Dataset(product, "w") as dataset:
        dataset.createVariable("time", "f8").units = "meterz"
    done = own_tests(project, "follows_cf")
    assert done.returncode == 1 and "convert/hs3cpl2nc.c" in done.stdout
    shutil.copy(product, project / "data/input/anything.nc")
    done = own_tests(project, "follows_cf")
    assert done.returncode == 0 and f"{ATB}.nc is delivered as it came" in done.stdout
    assert "meterz" in suggested(project, done)


def test_own_tests_are_red_for_all_that_the_comparison_names(project, tmp_path):
    """The tests fail for broken links, files in linked folders and pipes, on both sides."""
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "expected.txt").write_text("x")
    (project / "data/output/unfetched.nc").symlink_to("absent")
    (project / "data/output/sub").symlink_to(elsewhere)
    os.mkfifo(project / "data/test-output/pipe")
    done = own_tests(project, "as_expected or without_a_test")
    assert "3 failed" in done.stdout, done.stdout
    for line in ("unfetched.nc: missing", "sub/expected.txt: missing", "pipe: extra"):
        assert line in done.stdout


@pytest.mark.parametrize("link", ["sub", "pointer.txt", ".cumulus/left-over.json"])
def test_own_tests_follow_no_link_in_the_output_folder(project, tmp_path, link):
    """A program in a container could have made it: nothing that it leads to is read or listed."""
    secret = tmp_path / "secret"
    secret.mkdir()
    (secret / "token.txt").write_text("s3cret")
    (project / "data/test-output/.cumulus").mkdir()
    (project / "data/test-output" / link).symlink_to(secret if link == "sub" else secret / "token.txt")
    (project / "data/output/pointer.txt").write_text("expected")
    done = own_tests(project, "as_expected or without_a_test or there_are")
    assert done.returncode == 1 and f"data/test-output/{link} is " in done.stdout
    assert "s3cret" not in done.stdout and "token.txt" not in done.stdout


NEW = """
import pathlib, pytest
@pytest.fixture(scope="session", autouse=True)
def late():
    pathlib.Path("data/test-output/late.txt").write_text("x")
"""


def test_difference_that_no_test_lists_is_red(project):
    """The tests are listed before the comparison runs."""
    (project / "tests/conftest.py").write_text(NEW)
    done = own_tests(project, "without_a_test")
    assert done.returncode == 1 and "late.txt" in done.stdout
    (project / "tests/conftest.py").unlink()


DOCKER = """
import requests
class errors:
    class DockerException(Exception):
        pass
def from_env(timeout):
    raise requests.exceptions.ReadTimeout("Read timed out")
"""
TIMES_OUT = """
import sys
sys.path[:0] = ["fakes", "tests"]
import test_products
try:
    test_products.compare_in_image()
except BaseException as failure:
    print(failure)
"""


def test_comparison_in_the_image_that_takes_too_long_is_one_sentence(project):
    (project / "fakes").mkdir()
    (project / "fakes/docker.py").write_text(DOCKER)
    done = run(sys.executable, "-c", TIMES_OUT, cwd=project)
    assert "cannot compare in the image" in done.stdout and "Read timed out" in done.stdout


def suggested(project, done):
    """The output of the command that the tests suggest; with CI set, pytest's summary repeats whole messages."""
    (command,) = set(re.findall("to see .*all.*?: (.*)", done.stdout))
    path = f"{os.path.dirname(sys.executable)}{os.pathsep}{os.defpath}"
    return run("sh", "-c", command, cwd=project, check=False, PATH=path).stdout


def test_suggested_command_shows_all_differences(project):
    """As it stands: bin/cumulus knows where py-cumulus can run."""
    with netCDF4.Dataset(project / "data/test-output" / f"{ATB}.nc", "a") as dataset:
        for variable in dataset.variables.values():
            variable.comment = "changed"
    done = own_tests(project, "as_expected")
    assert "... and" in done.stdout and "/Temperature" not in done.stdout
    (project / "data/test-output/.cumulus").mkdir()
    suggested(project, done)
    assert "/Temperature" in (project / "data/test-output/.cumulus/comparison.html").read_text()
