"""The library as a repository meets it: one public name, from C and C++, and the same bytes wherever it is built."""

import shutil
import subprocess

import pytest
from converter.tests.library import EMPTY_TABLE, LIBRARY, MAKEFILE, Converter, link_table
from converter.tests.products import differences
from programs import need

CXX_TABLE = """#include "hdf5_to_netcdf.h"
#include <cstdio>
static const struct variable variables[] = {
    {"/Latitude", "latitude", "time", "degrees_north", "latitude", "latitude of the aircraft"},
    {.path = "/Bin_*", .name = "", .dims = "altitude"},
    {"/Scratch/*", DROP},
};
static const attribute attributes[] = {{"/", "title", "Profiles"}, {.path = "/", .name = "source", .value = "CPL"}};
int main(int argc, char **argv)
{
    const tables both = {variables, ROWS(variables), attributes, ROWS(attributes)};
    return convert_main(argc, argv, &both);
}
"""


def copy_of_the_library(folder):
    return shutil.copytree(LIBRARY, folder / "converter", ignore=shutil.ignore_patterns("tests", "build"))


def built_bytes(sources, folder, table):
    """The bytes of _convert, from a library and a table that lie in folders of their own; flags as by default."""
    folder.mkdir()
    done = subprocess.run([need("make"), "-C", sources, "install", f"PREFIX={folder}/prefix"], capture_output=True,
                          text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    return link_table(folder, folder / "prefix", table).program.read_bytes()


def test_same_sources_give_the_same_bytes_wherever_they_lie_comments_aside(starter_table, tmp_path):
    """The completion records fingerprint _convert: another clone, or a comment, must not make every granule anew."""
    bytes_of = {}
    for place in ("first", "a longer second"):
        (tmp_path / place).mkdir()
        sources = copy_of_the_library(tmp_path / place)
        bytes_of[place] = built_bytes(sources, tmp_path / f"built-{len(bytes_of)}", starter_table)
    assert len(set(bytes_of.values())) == 1
    for source in [*sources.glob("src/*.c"), *sources.glob("*/*.h")]:
        source.write_text("/* one more line, and another\n * */\n" + source.read_text())
    commented = built_bytes(sources, tmp_path / "commented", "/* a note\n */\n" + starter_table)
    assert commented == bytes_of["first"]
    changed = built_bytes(sources, tmp_path / "changed", starter_table.replace('"degrees_north"', '"degrees_south"'))
    assert changed != commented


def test_library_has_one_global_name(prefix):
    """An owner's own functions may be called as he likes."""
    shown = subprocess.run(["nm", "--extern-only", "--defined-only", "--format=just-symbols",
                            prefix / "lib" / "libcumulus-convert.a"], capture_output=True, text=True, check=True).stdout
    assert [line for line in shown.split("\n") if line and not line.endswith(":")] == ["convert_main"]


def test_table_with_functions_named_as_the_library_s_own_links(prefix, tmp_path):
    names = "int fail(void) { return 0; }\nint walk(void) { return 0; }\nint matches(void) { return 0; }\n"
    declared = "int fail(void);\nint walk(void);\nint matches(void);\n"
    converter = link_table(tmp_path, prefix, declared + EMPTY_TABLE + names)
    assert converter("--version").returncode == 0


@pytest.mark.parametrize("standard", ["c++17", "c++23"])
def test_table_in_cxx_compiles_without_a_warning_and_converts(prefix, sample, tmp_path, standard):
    """Rows that stop early, and designated initialisers."""
    if not shutil.which("g++"):
        pytest.skip("g++ is not installed")
    (tmp_path / "table.cc").write_text(CXX_TABLE)
    build = ["g++", f"-std={standard}", "-Wall", "-Werror", f"-I{prefix}/include", "-c", "table.cc", "-o", "table.o"]
    done = subprocess.run(build, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    # convert.mk has the libraries to link with: it links the object in place of a table.
    (tmp_path / "convert").mkdir()
    (tmp_path / "convert" / "Makefile").write_text(MAKEFILE.format(prefix))
    subprocess.run([need("make"), "-C", tmp_path / "convert", "CC=g++", "WARNINGS=", f"LDFLAGS={tmp_path}/table.o "
                    f"{prefix}/lib/libcumulus-convert.a"], check=True, capture_output=True, timeout=60)
    product = tmp_path / "x.nc"
    assert Converter(tmp_path / "_convert")(sample[0][0], product).returncode == 0
    shown = subprocess.run([need("h5dump"), "-a", "/source", product], capture_output=True, text=True, check=False)
    assert not shutil.which("h5dump") or '"CPL"' in shown.stdout


def test_header_names_only_the_table_and_its_program():
    """What the engine shares with its command line is not public."""
    header = (LIBRARY / "include" / "hdf5_to_netcdf.h").read_text()
    assert [name for name in ("report", "options", "utf8", "STATUS_", "convert_file") if name in header] == []


def test_older_library_than_the_repository_needs_is_one_sentence(prefix, tmp_path):
    """A base image, or a .venv, whose header knows less than the table may say."""
    folder = tmp_path / "convert"
    folder.mkdir()
    (folder / "sample2nc.c").write_text(EMPTY_TABLE)
    (folder / "Makefile").write_text("REMEDY := bin/base --build\n" + MAKEFILE.format(prefix).replace("1", "99", 1))
    done = subprocess.run([need("make"), "-C", folder], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode != 0 and not (tmp_path / "_convert").exists()
    assert f"the conversion library in {prefix} is older than this repository: bin/base --build." in done.stderr
    assert len([line for line in done.stderr.splitlines() if "***" in line]) == 1


@pytest.mark.parametrize("name, text", [("walk.c", '#include "engine.h"\n'), ("hdf5_to_netcdf.h", "")])
def test_file_left_of_an_earlier_engine_is_named(prefix, tmp_path, name, text):
    """Its owner had edited it, so that the update did not remove it; its header would hide the library's."""
    link_table(tmp_path, prefix, EMPTY_TABLE)
    (tmp_path / "convert" / name).write_text(text)
    done = subprocess.run([need("make"), "-C", tmp_path / "convert"], capture_output=True, text=True, timeout=60,
                          check=False)
    assert done.returncode != 0 and f"an earlier template's engine ({name}): keep that engine whole" in done.stderr


def test_edit_of_the_table_is_built_at_once(starter, starter_table, prefix, tmp_path, sample):
    """The library is not compiled again."""
    converter = link_table(tmp_path, prefix, starter_table)
    table = tmp_path / "convert" / "sample2nc.c"
    table.write_text(table.read_text().replace('"degrees_north"', '"degrees_south"'))
    done = subprocess.run([need("make"), "-C", table.parent], capture_output=True, text=True, check=True, timeout=60)
    assert "sample2nc.c" in done.stdout and "walk.c" not in done.stdout
    granule, expected = sample[0]
    converter(granule, tmp_path / "x.nc")
    assert differences(expected, tmp_path / "x.nc") != []
