"""The conversion library, built with this machine's compiler and C libraries, and linked with tables."""

import os
import subprocess

import pytest
from programs import need
from support import ROOT

LIBRARY = ROOT / "docker-base" / "converter"
MAKEFILE = "INTERFACE := 1\ninclude {}/share/cumulus/convert.mk\n"
EMPTY_TABLE = """#include "hdf5_to_netcdf.h"
int main(int argc, char **argv)
{
    static const struct tables tables = {NULL, 0, NULL, 0};
    return convert_main(argc, argv, &tables);
}
"""


def unavailable(reason):
    """Skip, or fail where the C libraries are promised to be there."""
    if os.environ.get("REQUIRE_NATIVE") == "1":
        pytest.fail(reason)
    pytest.skip(f"no C libraries for the converter: {reason}")


def require_compiler():
    """Skip, or fail, where the library cannot be built."""
    for program in ("make", "gcc", "pkg-config"):
        need(program)
    for library in ("netcdf", "hdf5", "libdeflate"):
        if subprocess.run([need("pkg-config"), "--exists", library], check=False).returncode:
            unavailable(f"the C library {library} is not installed (libnetcdf-dev libhdf5-dev libdeflate-dev)")


def make(folder, *arguments):
    done = subprocess.run([need("make"), "-C", folder, *arguments], capture_output=True, text=True, timeout=300,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def install_library(prefix, *make_options):
    """Build the library outside its sources, warnings being errors, and install it below `prefix`."""
    require_compiler()
    make(LIBRARY, "install", f"PREFIX={prefix}", f"BUILD={prefix}/build", "WERROR=1", *make_options)


class Converter:
    """A built `_convert`; calling it with the values that its table needs converts and returns the finished process."""

    def __init__(self, program, *values):
        self.program = program
        self.values = [f"--set={value}" for value in values]

    def __call__(self, *arguments, timeout=60, **options):
        return subprocess.run([self.program, *self.values, *map(str, arguments)], capture_output=True, text=True,
                              timeout=timeout, errors="replace", check=False, **options)


def link_table(folder, prefix, table, *make_options):
    """Build the converter of the table's text in `folder`, as a repository does, with the library below `prefix`.

    {day_zero} in the starter sample's table has the sample's value.
    """
    sources = folder / "convert"
    sources.mkdir()
    (sources / "Makefile").write_text(MAKEFILE.format(prefix))
    (sources / "sample2nc.c").write_text(table)
    make(sources, "WERROR=1", *make_options)
    return Converter(folder / "_convert", *(["day_zero=2011-12-31"] if "{day_zero}" in table else []))


def build_converter(folder, table, *make_options):
    """Build library and converter in `folder` with options of their own."""
    install_library(folder / "prefix", *make_options)
    return link_table(folder, folder / "prefix", table, *make_options)
