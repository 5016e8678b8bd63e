"""The converter, built from the template's sources with this machine's compiler and C libraries."""

import os
import re
import shutil
import subprocess

import pytest
from support import DATA, ROOT

CONVERT = ROOT / "{{cookiecutter.repo_name}}" / "convert"
LIBRARY = ROOT / "docker-base" / "converter"
EMPTY_TABLE = """#include "hdf5_to_netcdf.h"
int main(int argc, char **argv)
{
    static const struct tables tables = {NULL, 0, NULL, 0};
    return convert_main(argc, argv, &tables);
}
"""


def engine_sources():
    """The files of the engine, by name."""
    return {path.name: path for path in LIBRARY.glob("*/*.[ch]")}


def unavailable(reason):
    """Skip, or fail where the C libraries are promised to be there."""
    if os.environ.get("REQUIRE_NATIVE") == "1":
        pytest.fail(reason)
    pytest.skip(f"no C libraries for the converter: {reason}")


class Converter:
    """A built `_convert`; calling it converts and returns the finished process."""

    def __init__(self, program):
        self.program = program

    def __call__(self, *arguments, timeout=60, **options):
        return subprocess.run([self.program, *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                              errors="replace", check=False, **options)


def build_converter(folder, table, *make_options):
    """Build the converter with the table's text in `folder`."""
    for tool in ("make", "gcc", "pkg-config"):
        if not shutil.which(tool):
            unavailable(f"{tool} is not installed")
    for library in ("netcdf", "hdf5", "libdeflate"):
        if subprocess.run(["pkg-config", "--exists", library], check=False).returncode:
            unavailable(f"the C library {library} is not installed (libnetcdf-dev libhdf5-dev libdeflate-dev)")
    sources = folder / "convert"
    sources.mkdir()
    (sources / "Makefile").write_text(f"include {folder}/share/cumulus/convert.mk\n")
    (sources / "sample2nc.c").write_text(table)
    build = ["make", "-C", LIBRARY, "install", f"PREFIX={folder}", f"BUILD={folder}/build", "WERROR=1", *make_options]
    subprocess.run(build, capture_output=True, text=True, timeout=300, check=True)
    done = subprocess.run(["make", "-C", sources, "WERROR=1", *make_options], capture_output=True, text=True,
                          timeout=300, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return Converter(folder / "_convert")


@pytest.fixture(scope="session")
def build(tmp_path_factory):
    """Build the converter with the table's text, once for the same text; without -O that is faster."""
    made = {}

    def once(table, *make_options):
        if table not in made:
            made[table] = build_converter(tmp_path_factory.mktemp("converter"), table, *make_options)
        return made[table]
    return once


@pytest.fixture(scope="session")
def starter_table():
    (table,) = CONVERT.glob("*cookiecutter.__c_name*")
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
    folder = CONVERT.parent / "tests" / "sample"
    return [(folder / "input" / f"{{{{cookiecutter.__{kind}_input}}}}",
             folder / "output" / f"{{{{cookiecutter.__{kind}_netcdf}}}}") for kind in ("atb", "op")]


@pytest.fixture(scope="session")
def shared():
    """The shared granules and HDF5 files."""
    folder = DATA / "data"
    if not folder.is_dir():
        pytest.skip(f"no shared test data in {folder} (CUMULUS_TEST_DATA)")
    return folder
