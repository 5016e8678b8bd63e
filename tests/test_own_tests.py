"""What the tests of a rendered repository say to somebody who brings granules of their own."""

import shutil
import sys

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
    """Its title, institution, source and references are named with their lines while they are there."""
    assert own_tests(project, "starter_sample").returncode == 0
    bring_own_granule(project)
    table = project / "convert" / "hs3cpl2nc.c"
    done = own_tests(project, "starter_sample")
    assert done.returncode == 1 and "HS3_CPL_OWN_1.hdf5 is a granule of yours" in done.stdout
    for name in ("title", "institution", "source", "references"):
        ((number, line),) = [one for one in enumerate(table.read_text().splitlines(), 1) if f'"/", "{name}"' in one[1]]
        assert f"hs3cpl2nc.c line {number}: {line.strip()}" in done.stdout
    table.write_text(table.read_text().replace("STARTER SAMPLE: ", ""))
    assert own_tests(project, "starter_sample").returncode == 0


def test_own_granules_need_products_accepted_and_not_the_starter_sample(project):
    for path in (project / "data/output").iterdir():
        path.unlink()
    assert "data/output is empty: bin/fetch-data" in own_tests(project, "there_are_products").stdout
    bring_own_granule(project)
    assert "data/output is empty: bin/accept-products" in own_tests(project, "there_are_products").stdout
