"""Fixtures: the converter without a table and with that of the starter sample, the sample, the shared files."""

from pathlib import Path

import pytest
from converter.tests.library import EMPTY_TABLE, install_library, link_table
from support import DATA, ROOT

RENDERED = ROOT / "{{cookiecutter.repo_name}}"


def pytest_collection_modifyitems(items):
    """Compiling is slow."""
    for item in items:
        if item.path.parent == Path(__file__).parent:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def prefix(tmp_path_factory):
    """Where the conversion library is installed; read only."""
    folder = tmp_path_factory.mktemp("library")
    install_library(folder)
    return folder


@pytest.fixture(scope="session")
def build(prefix, tmp_path_factory):
    """Link the converter of the table's text, once for the same text."""
    made = {}

    def once(table):
        if table not in made:
            made[table] = link_table(tmp_path_factory.mktemp("converter"), prefix, table, "CFLAGS=-O0")
        return made[table]
    return once


@pytest.fixture(scope="session")
def starter_table():
    (table,) = (RENDERED / "convert").glob("*cookiecutter.__c_name*")
    return table.read_text()


@pytest.fixture(scope="session")
def starter(build, starter_table):
    """The converter of the starter sample."""
    return build(starter_table)


@pytest.fixture(scope="session")
def plain(build):
    """A converter without any table: every dataset as it is."""
    return build(EMPTY_TABLE)


@pytest.fixture(scope="session")
def sample():
    """The starter sample as pairs (input, expected product)."""
    folder = RENDERED / "tests" / "sample"
    return [(folder / "input" / f"{{{{cookiecutter.__{kind}_input}}}}",
             folder / "output" / f"{{{{cookiecutter.__{kind}_netcdf}}}}") for kind in ("atb", "op")]


@pytest.fixture(scope="session")
def shared():
    """The shared granules and HDF5 files."""
    folder = DATA / "data"
    if not folder.is_dir():
        pytest.skip(f"no shared test data in {folder} (CUMULUS_TEST_DATA)")
    return folder
